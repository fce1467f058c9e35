"""``vedette accuracy``: a folder of reviewed frames in, precision and recall out."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import typer
from typer.testing import CliRunner, Result

from reviewed import Shelf
from vedette.errors import ReviewError
from vedette.quality.accuracy.asked import Asked
from vedette.quality.accuracy.command import CONFIDENCE, accuracy
from vedette.quality.accuracy.emitted import emitted_in, emitted_of
from vedette.quality.drift.light import light_words
from vedette.quality.drift.monitor import Monitor
from vedette.quality.drift.scores import Scores
from vedette.quality.drift.settings import Settings
from vedette.quality.drift.windows import Picture
from vedette.quality.estimates import Estimate, Method, TooFew

LIGHT = light_words(4)
MODEL = "m1" * 32


def run(*arguments: object) -> Result:
    app = typer.Typer()
    app.command()(accuracy)
    return CliRunner().invoke(app, [str(each) for each in arguments])


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """40 frames at the gate, 8 in 10 right; 12 in the yard, all wrong; 5 of an earlier model, 3 picked."""
    shelf = Shelf(tmp_path_factory.mktemp("site") / "review")
    shelf.reviewed(["missed"] * 5, model="m0")
    shelf.reviewed((["right"] * 4 + ["wrong"]) * 8, model=MODEL, light=LIGHT)
    shelf.reviewed(["wrong"] * 12, camera="yard", model=MODEL, light=light_words(1))
    shelf.picked(3, camera="yard", model=MODEL)
    shelf.store.close()
    return shelf.folder


def histogram(folder: Path, camera: str, model: str = MODEL) -> Path:
    """As drift keeps it: an hour in which every second a box of 0.9 left the detector."""
    monitor, began = Monitor(Settings()), 1_700_000_000.0
    box = np.array([0.9], np.float32), np.zeros(1, np.int32), np.full(1, 0.01, np.float32)
    for second in range(3600):
        monitor.frame(camera, model, began + second, *box)
        monitor.look(camera, began + second, Picture(130.0, 40.0, 0.5, 0.9, False))
        if second % 10 == 9:
            monitor.close(began + second + 1)
    folder.mkdir(exist_ok=True)
    (folder / f"{camera}-{model[:12]}.drift").write_bytes(monitor.dump(camera))
    return folder


def rows(result: Result) -> dict[tuple[str, str], dict]:  # type: ignore[type-arg]
    assert result.exit_code == 0, result.output
    return {(row["by"], row["name"]): row for row in json.loads(result.output)["rows"]}


def test_a_table_says_of_all_and_of_each_what_was_found(folder: Path) -> None:
    result = run(folder)
    assert result.exit_code == 0, result.output
    lines = result.output.splitlines()
    assert lines[0].startswith(f"model {MODEL[:12]}, boxes from a score of 0.4")
    names = [line.split("  ")[0].strip() for line in lines[2:]]
    assert names[:5] == ["all", "camera gate", "camera yard", f"light {LIGHT}", f"light {light_words(1)}"]
    assert names[5:8] == ["light day", "model m0", f"model {MODEL[:12]}"]
    assert "3 frames that were picked, not drawn, are in no share" in result.output
    [gate] = [line for line in lines if line.startswith("camera gate")]
    assert "80.0%" in gate
    assert "more frames narrow ±" in gate
    assert "\x1b" not in result.output


def test_machines_get_intervals_and_what_the_next_frames_are_worth(folder: Path) -> None:
    found = rows(run(folder, "--json"))
    gate = found["camera", "gate"]
    assert gate["precision"]["value"] == pytest.approx(0.8)
    assert gate["precision"]["lower"] < 0.8 < gate["precision"]["upper"]
    assert gate["recall"]["value"] == 1.0
    assert gate["precision"]["next"]["words"].startswith(f"{gate['precision']['next']['frames']} more frames")
    assert found["camera", "yard"]["precision"]["value"] == 0.0
    assert found["camera", "yard"]["recall"] == {
        "frames": 0, "needed": 10, "next": {"frames": 10, "now": None, "then": None, "words":
        "10 more frames for an estimate"},
    }  # fmt: skip
    assert found["all", ""]["frames"] == 52
    assert found["all", ""]["picked"] == 3
    assert found["model", "m0"]["frames"] == 5


def test_cameras_and_models_can_be_asked_for(folder: Path) -> None:
    assert set(rows(run(folder, "--camera", "ga*", "--json"))) >= {("camera", "gate"), ("all", "")}
    assert ("camera", "yard") not in rows(run(folder, "--camera", "gate", "--json"))
    old = rows(run(folder, "--model", "m0", "--json"))
    assert old["all", ""]["frames"] == 5
    with pytest.raises(ReviewError, match=r"no reviewed model begins with 'x'; there are m0, m1"):
        Asked(folder=folder, confidence=0.4, model="x").figures()


def test_sites_and_the_threshold_come_from_the_configuration(folder: Path, tmp_path: Path) -> None:
    config = tmp_path / "cameras.yaml"
    config.write_text(
        "detector: {confidence: 0.95}\n"
        "cameras:\n"
        "  gate: {url: 'rtsp://127.0.0.1/a', site: north}\n"
        "  yard: {url: 'rtsp://127.0.0.1/b', site: south}\n"
    )
    found = rows(run(folder, "--config", config, "--json"))
    assert {name for by, name in found if by == "site"} == {"north", "south"}
    assert found["all", ""]["precision"]["frames"] == 0, "no box has so high a score"
    given = rows(run(folder, "--config", config, "--confidence", "0.4", "--json"))
    assert given["site", "north"]["precision"]["value"] == pytest.approx(0.8)


def test_what_drift_counted_narrows_precision_where_it_can(folder: Path, tmp_path: Path) -> None:
    drift = histogram(tmp_path / "drift", "gate")
    asked = Asked(folder=folder, confidence=0.4, drift=drift)
    found = asked.figures()
    by = {(row.by, row.name): row.precision for row in found.rows}
    gate, yard = by["camera", "gate"], by["camera", "yard"]
    assert isinstance(gate, Estimate)
    assert gate.method is Method.POWERED
    assert isinstance(yard, Estimate)
    assert yard.method is not Method.POWERED
    assert any(remark.startswith("nothing was counted of yard") for remark in found.remarks)
    stratified = Asked(folder=folder, confidence=0.4, drift=drift, method=Method.STRATIFIED).figures()
    [gate] = [row.precision for row in stratified.rows if (row.by, row.name) == ("camera", "gate")]
    assert not isinstance(gate, TooFew)


def test_counts_of_another_model_are_not_taken(folder: Path, tmp_path: Path) -> None:
    other = MODEL[:12] + "another"
    drift = histogram(tmp_path / "drift", "gate", other)
    assert emitted_in(drift, "gate", MODEL, 0.4) is None
    assert emitted_in(drift, "gate", other, 0.4) is not None
    assert emitted_in(drift, "nobody", MODEL, 0.4) is None
    (drift / f"gate-{MODEL[:12]}.drift").write_bytes(b"nothing")
    with pytest.raises(ReviewError, match="cannot be read"):
        emitted_in(drift, "gate", MODEL, 0.4)


def test_counts_begin_with_the_bin_of_the_threshold() -> None:
    scores = Scores()
    confidence = np.array([0.1, 0.39, 0.41, 0.7, 1.0], np.float32)
    five = np.zeros(5, np.int32), np.full(5, 0.01, np.float32), np.array([5])
    scores.add(4, 12, confidence, *five)
    scores.add(7, 12, confidence, *five)
    found = emitted_of(scores, 0.4)
    assert found.lights == (light_words(4), light_words(7))
    assert found.edges[0] <= 0.4
    assert found.total == 2 * 3
    assert emitted_of(Scores(), 0.4).total == 0


@pytest.mark.parametrize("make", [True, False])
def test_a_folder_without_reviews_is_an_error_in_a_line(tmp_path: Path, make: bool) -> None:
    if make:
        Shelf(tmp_path / "review").reviewed(["none"])
    result = run(tmp_path / "review")
    assert isinstance(result.exception, ReviewError)
    assert ("no frame was reviewed yet" if make else "cannot be opened") in str(result.exception)


def test_the_threshold_is_that_of_a_configuration_that_says_nothing() -> None:
    from vedette.config import Detector

    assert Detector().confidence == CONFIDENCE
