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
from vedette.quality.review.frames import StoreSettings
from vedette.quality.review.rows import Verdict
from vedette.quality.review.sampling import Reason, TargetedSettings, UniformSettings
from vedette.quality.review.store import Store
from vedette.quality.settings import ReviewSettings

DOCS = Path(__file__).parents[3] / "docs"
TEXT = (DOCS / "review.md").read_text()
KEYS = (DOCS / "configuration.md").read_text().partition("## Review")[2]


@pytest.mark.parametrize("name", [*Reason, *FORMATS])
def test_every_reason_and_format_is_documented(name: str) -> None:
    assert f"`{name}`" in TEXT


@pytest.mark.parametrize("verdict", Verdict)
def test_every_verdict_is_documented(verdict: Verdict) -> None:
    assert verdict.value in TEXT


def test_the_defaults_are_those_of_the_docs() -> None:
    uniform, targeted, settings = UniformSettings(), TargetedSettings(), ReviewSettings()
    for reason, per_hour in targeted.per_hour.items():
        assert f"| `{reason}` | {per_hour:g} |" in TEXT
    assert settings.targeted == targeted.per_hour
    assert f"at least {targeted.apart:g} s apart" in TEXT
    assert (settings.per_hour, settings.node_per_hour) == (uniform.per_hour, uniform.node_per_hour)
    assert settings.targeted_per_hour == targeted.camera_per_hour
    assert settings.targeted_node_per_hour == targeted.node_per_hour
    stored = StoreSettings()
    for each in fields(stored):
        assert getattr(settings, each.name) == getattr(stored, each.name)
    for name in ("per_hour", "node_per_hour", "targeted_per_hour", "targeted_node_per_hour", "quality"):
        assert re.search(rf"^\| `{name}` \| [^|]+ \| `{getattr(settings, name):g}` \|", KEYS, re.MULTILINE)


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
