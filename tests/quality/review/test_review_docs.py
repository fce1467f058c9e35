"""docs/review.md names all there is, and its example runs."""

from __future__ import annotations

import re
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest

from review_frames import DAY_S, START, accepted, frame
from vedette.quality.labels.formats import FORMATS, read, write
from vedette.quality.review.convert import to_dataset
from vedette.quality.review.rows import Verdict
from vedette.quality.review.sampling import Reason, TargetedSettings, UniformSettings
from vedette.quality.review.store import Store

TEXT = (Path(__file__).parents[3] / "docs/review.md").read_text()


@pytest.mark.parametrize("name", [*Reason, *FORMATS])
def test_every_reason_and_format_is_documented(name: str) -> None:
    assert f"`{name}`" in TEXT


@pytest.mark.parametrize("verdict", Verdict)
def test_every_verdict_is_documented(verdict: Verdict) -> None:
    assert verdict.value in TEXT


def test_the_defaults_are_those_of_the_docs() -> None:
    assert f"| `UniformSettings.per_hour` | {UniformSettings().per_hour:g} |" in TEXT
    assert f"| `UniformSettings.node_per_hour` | {UniformSettings().node_per_hour:g} |" in TEXT
    targeted = TargetedSettings()
    assert f"| {targeted.camera_per_hour:g}, {targeted.node_per_hour:g} |" in TEXT
    assert f"| `TargetedSettings.apart` | {targeted.apart:g} s |" in TEXT
    assert {each.name for each in fields(targeted)} >= {"apart", "camera_per_hour", "node_per_hour"}


def test_the_example_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with Store.open("review") as store:
        for number in range(12):
            item = store.add(frame(number, captured_at=START + number * DAY_S)).item
            assert item is not None
            store.review(item.id, accepted(item))
        write(to_dataset(store.reviewed(), ("person", "car")), "tasks.json", "label-studio")
    example = re.search(r"```python\n(.*?)```", TEXT, re.DOTALL)
    assert example
    done: dict[str, Any] = {}
    exec(example[1], done)
    assert done["found"].unknown == ()
    assert 1 <= done["version"].pictures <= 3
    write(read("review/versions/" + done["version"].hash + ".json"), "again.xml", "cvat")
