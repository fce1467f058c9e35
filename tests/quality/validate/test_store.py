"""Runs are kept whole, read again as they were, and one of each set may be its baseline."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import msgspec
import numpy as np
import pytest

from quality.validate.drawn_sets import drawn_set, hours, seen
from vedette.errors import LabelError
from vedette.quality.validate.classes import Classes
from vedette.quality.validate.perform import make_run
from vedette.quality.validate.records import Records
from vedette.quality.validate.run import Model, Run
from vedette.quality.validate.store import Runs


def run_of(name: str = "yard", seed: int = 1) -> Run:
    dataset = drawn_set(seed, 12)
    keys = [picture.name for picture in dataset.pictures]
    model = Model("m.onnx", "ab" * 32, False, {"iou": "0.6"})
    at = datetime(2026, 11, 29, 12, 0, seed, tzinfo=UTC)
    found = seen(dataset, seed + 1)
    return make_run(name, dataset, 0.4, model, Classes(dataset.labels), found, keys, {"dog": 3}, at)


def test_a_run_is_read_as_it_was_kept(tmp_path: Path) -> None:
    run, runs = run_of(), Runs(tmp_path / "validation")
    assert runs.keep(run).name == f"{run.id}.json"
    assert runs.read(run.id) == run
    assert [path.name for path in runs.folder.iterdir()] == [f"{run.id}.json"]
    records = Records.of_stored(runs.read(run.id).records)
    assert records.truths.sum() == run.dataset.objects


def test_each_set_has_a_baseline_of_its_own(tmp_path: Path) -> None:
    runs, yard, gate = Runs(tmp_path), run_of("yard"), run_of("gate", 2)
    assert runs.baseline("yard") is None
    for run in (yard, gate):
        runs.keep(run)
        runs.make_baseline(run)
    assert runs.baseline("yard") == yard
    assert runs.baseline("gate") == gate
    later = run_of("yard", 3)
    runs.keep(later)
    runs.make_baseline(later)
    assert runs.baseline("yard") == later
    assert runs.baseline("gate") == gate


def test_a_baseline_that_is_gone_or_damaged_is_named(tmp_path: Path) -> None:
    runs, run = Runs(tmp_path), run_of()
    path = runs.keep(run)
    runs.make_baseline(run)
    whole = path.read_bytes()
    for damaged in (whole[:200], b"[]", whole.replace(b'"score":[', b'"score":[0.5,')):
        path.write_bytes(damaged)
        with pytest.raises(LabelError, match=path.name):
            runs.baseline("yard")
    with pytest.raises(LabelError, match=path.name):
        runs.baseline("yard")
    path.unlink()
    with pytest.raises(LabelError, match=path.name):
        runs.baseline("yard")


def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "validation").write_text("a file")
    with pytest.raises(LabelError, match="cannot be written"):
        Runs(tmp_path / "validation").keep(run_of())


@pytest.mark.parametrize(
    "change",
    [{"score": [0.5]}, {"picture": [99]}, {"label": [-1]}, {"truths": [(0, 77, 1)]}, {"keys": []}],
)
def test_records_that_contradict_each_other_are_refused(change: dict[str, object]) -> None:
    stored = run_of().records
    one = {"picture": [0], "label": [0], "score": [0.5], "hit": [1], "ignored": [0]}
    if "score" in change:
        one["picture"] = [0, 0]
    with pytest.raises(ValueError, match=r"column|number|key"):
        Records.of_stored(msgspec.structs.replace(stored, **one | change))


def test_the_figures_hold_no_nan() -> None:
    text = msgspec.json.encode(run_of())
    assert b"NaN" not in text
    assert np.isfinite(run_of().estimates["ap50"].value or 0)


def test_the_hours_of_pictures_are_kept_with_them(tmp_path: Path) -> None:
    dataset, runs = hours(drawn_set(1, 12), 3), Runs(tmp_path)
    model = Model("m.onnx", "ab" * 32, False, {})
    at = datetime(2026, 11, 29, 12, tzinfo=UTC)
    keys = [picture.name for picture in dataset.pictures]
    run = make_run("yard", dataset, 0.4, model, Classes(dataset.labels), seen(dataset, 2), keys, {}, at)
    runs.keep(run)
    records = Records.of_stored(runs.read(run.id).records)
    assert records.clusters == tuple(f"gate {number // 3}" for number in range(12))
    assert records.of_pictures([4, 0]).clusters == ("gate 1", "gate 0")


def test_the_newest_run_of_a_detector_on_the_very_set_is_found(tmp_path: Path) -> None:
    runs, older = Runs(tmp_path), msgspec.structs.replace(run_of("yard", 1), precision="f32")
    newer = msgspec.structs.replace(older, id="20261130T120000Z-00000000")
    for run in (older, newer):
        runs.keep(run)
    elsewhere = msgspec.structs.replace(
        older.model, settings={"iou": "0.6", "device": "cuda", "runtime": "openvino"}
    )
    assert runs.find(elsewhere, older.dataset.hash, 0.4, "f32") == newer
    (tmp_path / f"{newer.id}.json").write_text("{ no run")
    assert runs.find(older.model, older.dataset.hash, 0.4, "f32") == older, (
        "what cannot be read is passed over"
    )
    assert runs.find(older.model, older.dataset.hash, 0.5, "f32") is None
    assert runs.find(older.model, "other", 0.4, "f32") is None
    assert runs.find(older.model, older.dataset.hash, 0.4, "bf16") is None, "it would find other boxes"
    for changes in ({"hash": "cd" * 32}, {"settings": {"iou": "0.5"}}, {"python": True}):
        other = msgspec.structs.replace(older.model, **changes)
        assert runs.find(other, older.dataset.hash, 0.4, "f32") is None


def test_old_runs_are_let_go_but_for_the_baseline(tmp_path: Path) -> None:
    runs = Runs(tmp_path)
    made = [run_of("yard", seed) for seed in range(1, 6)]
    for run in made:
        runs.keep(run)
    runs.make_baseline(made[0])
    runs.thin(2)
    left = {path.stem for path in tmp_path.glob("2*.json")}
    assert left == {made[0].id, made[3].id, made[4].id}
