"""What the section ``validation`` may say, and how a mistake in it is told of."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

import vedette
from vedette.errors import ConfigError
from vedette.quality.validate.where import runs_of

CAMERAS = {"gate": {"url": "rtsp://192.0.2.10/stream1"}}


def config(folder: Path, **validation: Any) -> vedette.Config:
    return vedette.Config(cameras=CAMERAS, folder=folder, validation=validation)


def test_paths_begin_at_the_configuration_and_are_not_looked_for(tmp_path: Path) -> None:
    """Cameras are watched whatever became of the labels."""
    found = config(tmp_path, dataset="labels/yard.json", images="pictures", every="24h")
    assert found.validation.dataset == tmp_path / "labels" / "yard.json"
    assert found.validation.images == tmp_path / "pictures"
    assert found.validation.every == 86_400
    assert found.validation.gate
    again = found.with_camera("yard", {"url": "rtsp://192.0.2.11/stream1"})
    assert again.validation == found.validation


def test_nothing_is_held_to_anything_unless_it_is_asked_for(tmp_path: Path) -> None:
    assert vedette.Config(cameras=CAMERAS).validation.dataset is None
    assert config(tmp_path, dataset="yard.json").validation.every is None
    assert config(tmp_path, dataset="yard.json", every=False).validation.every is None


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"dataset": "yard.json", "every": "5s"}, "validation.every: must be at least 1m, or off"),
        ({"dataset": "yard.json", "every": "daily"}, "validation.every: must be a duration"),
        ({"dataset": "yard.json", "floors": {"recal": 0.5}}, "validation.floors"),
        ({"dataset": "yard.json", "floors": {"recall": 60}}, "validation.floors.recall"),
        ({"dataset": "yard.json", "tolerance": -0.1}, "validation.tolerance"),
        ({"dataset": 7}, "validation.dataset: must be a path"),
        ({"every": "24h"}, "there is no dataset"),
        ({"floors": {"recall": 0.5}}, "there is no dataset"),
        ({"datasets": "yard.json"}, "did you mean dataset?"),
    ],
)
def test_mistakes_are_told_with_their_place(tmp_path: Path, given: dict[str, Any], says: str) -> None:
    with pytest.raises(ConfigError) as found:
        config(tmp_path, **given)
    assert says in str(found.value)


def test_without_the_evaluator_a_set_is_a_mistake_that_names_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(ConfigError, match=r"pip install 'vedette\[validate\]'"):
        config(tmp_path, dataset="yard.json")


def test_runs_lie_beside_the_ledger_or_where_it_is_said(tmp_path: Path) -> None:
    assert runs_of(None) == Path.cwd() / "validation"
    ledger = {"url": "var/site.db"}
    beside = vedette.Config(cameras=CAMERAS, folder=tmp_path, ledger=ledger)
    assert runs_of(beside) == tmp_path / "var" / "validation"
    server = vedette.Config(cameras=CAMERAS, folder=tmp_path, ledger="postgresql://db.example/vedette")
    assert runs_of(server) == tmp_path / "validation"
    assert runs_of(config(tmp_path, runs="mine")) == tmp_path / "mine"
