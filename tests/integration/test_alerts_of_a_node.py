"""A node whose camera goes tells a real webhook so, and again when it is back; and nobody else's secrets."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import yaml

from alerts.webhook import Webhook, until
from integration.harness import Cameras, Run, fake
from patience import PATIENCE_S

RULES = {"down": {"after": "1s"}, "incident": False, "flapping": False}


def test_a_camera_that_goes_is_told_of_and_so_is_its_return(cameras: Cameras, tmp_path: Path) -> None:
    with Webhook() as hook, Cameras(1) as fickle:
        section = {**fickle.section("fickle"), "steady": {"url": cameras.url(0)}}
        alerts = {"to": [hook.url], "rules": RULES, "group_within": "500ms"}
        with Run(tmp_path, {"cameras": section, "detector": fake(), "alerts": alerts}) as run:
            run.until_all_analysed(section)
            fickle.stop()
            until(lambda: any("fickle0" in title for title in hook.titles))
            fickle.start()
            until(lambda: len(hook.titles) >= 2)
            assert run.interrupt() == 0
            assert run.saw("alert")
    assert not any("steady" in title for title in hook.titles)


def test_everybody_can_be_sent_a_test_message(tmp_path: Path) -> None:
    with Webhook() as hook:
        config = {
            "cameras": {"gate": {"url": "rtsp://127.0.0.1:1/gate"}},
            "alerts": {"to": [hook.url, "json://user:s3cr3t@127.0.0.1:1/nobody"]},
        }
        file = tmp_path / "cameras.yaml"
        file.write_text(yaml.safe_dump(config))
        command = [sys.executable, "-m", "vedette.cli", "alerts", str(file)]
        done = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE_S, check=False)
    assert done.returncode == 1, "one of them was not told"
    assert len(hook.titles) == 1
    assert done.stdout.count("NOT told") == 1
    assert "s3cr3t" not in done.stdout + done.stderr
