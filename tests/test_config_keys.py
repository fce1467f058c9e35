"""A configuration written down again: what was set, and no secret."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from vedette.config import Config, load_config
from vedette.config_keys import HIDDEN, camera_keys, config_keys

PLAIN: dict[str, Any] = {
    "cameras": {
        "gate": {"url": "rtsp://10.0.0.5/1", "max_fps": 5, "site": "north", "priority": "high"},
        "yard": {"url": "rtsp://10.0.0.6/1", "tracker": "ocsort", "enabled": False},
    },
    "defaults": {"motion": True, "max_fps": 5, "track_grace": 0},
    "detector": {"confidence": 0.3, "input_size": [320, 320], "classes": ["person", "car"]},
    "max_age": "500ms",
    "sinks": [{"type": "jsonl", "path": "-"}],
    "ledger": {"url": "site.db", "node": "south-1", "keep": "90d"},
    "connects": {"per_host": 2},
    "alerts": {"rules": {"down": {"after": "2m"}, "dark": {}}, "quiet": "22:00-06:00"},
    "recycle": {"max_lifetime": "off", "memory_limit": "1.5GiB"},
    "drift": {"across": "bh"},
    "validation": {"every": "off"},
    "review": {"budget": "3GB", "targeted": {"suspected_loss": 2}, "redact": ["person"]},
    "metrics": ":9464",
    "web": {"address": "127.0.0.1:8700"},
    "workers": 2,
}


@pytest.fixture
def config(tmp_path: Path) -> Config:
    return written(tmp_path, PLAIN)


def written(folder: Path, keys: dict[str, Any]) -> Config:
    file = folder / "cameras.yaml"
    file.write_text(yaml.safe_dump(keys))
    return load_config(file)


def test_what_is_written_down_is_the_same_configuration(config: Config, tmp_path: Path) -> None:
    keys = config_keys(config)
    again = written(tmp_path, json.loads(json.dumps(keys)))
    assert again == config
    assert config_keys(again) == keys


def test_only_what_was_set_is_written(config: Config) -> None:
    keys = config_keys(config)
    assert set(keys) == set(PLAIN)
    assert keys["cameras"]["gate"] == {
        "url": "rtsp://10.0.0.5/1",
        "priority": "high",
        "site": "north",
    }, "the same as the defaults say it need not"
    assert camera_keys(config, "yard") == {
        "url": "rtsp://10.0.0.6/1",
        "tracker": {"type": "ocsort"},
        "enabled": False,
    }
    assert keys["recycle"]["max_lifetime"] == "off"
    assert keys["max_age"] == 0.5


def test_a_camera_that_was_added_while_it_ran_is_in_it(config: Config) -> None:
    keys = config_keys(config.with_camera("new", {"url": "rtsp://10.0.0.7/1", "max_fps": 1}))
    assert keys["cameras"]["new"] == {"max_fps": 1.0, "url": "rtsp://10.0.0.7/1"}


def test_no_secret_is_in_it(tmp_path: Path) -> None:
    secret = "hunter2"
    keys = {
        "cameras": {
            "gate": {
                "url": f"rtsp://admin:{secret}@10.0.0.5/1?token={secret}",
                "options": {"headers": f"Authorization: {secret}"},
            }
        },
        "detector": {"python": "vedette.testing:FakeDetector", "options": {"key": secret}},
        "ledger": {"url": f"postgresql://me:{secret}@db/vedette"},
        "traces": {"to": "http://127.0.0.1:4318", "options": {"x-token": secret}},
        "tracker": {"type": "none", "options": {"key": secret}},
    }
    told = config_keys(written(tmp_path, keys))
    assert secret not in json.dumps(told)
    assert told["cameras"]["gate"]["url"] == "rtsp://***@10.0.0.5/1?token=***"
    assert told["cameras"]["gate"]["options"] == {"headers": HIDDEN}
    assert told["ledger"]["url"] == "postgresql://***@db/vedette"


def test_who_is_told_of_alerts_is_not_told(tmp_path: Path) -> None:
    keys = {"cameras": {"gate": {"url": "rtsp://h/1"}}, "alerts": {"to": "json://me:hunter2@host/hook"}}
    (target,) = config_keys(written(tmp_path, keys))["alerts"]["to"]
    assert target["url"] == f"json://{HIDDEN}"
