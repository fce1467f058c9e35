"""How the detector does, in a cell, on a camera's page and as a table of its own."""

from __future__ import annotations

import io
import json
from dataclasses import replace

import pytest
from rich.console import Console

from top.top_values import camera, node
from vedette.observe.views import AccuracyView, CameraView, DriftView
from vedette.quality.drift_shown import as_json, missing, render
from vedette.top.cameras import CAMERA_COLUMNS, matches
from vedette.top.column import arrange
from vedette.top.details import details
from vedette.top.quality import DRIFT, accuracy_words

LIGHT = "colour, luma 70 to 110"
WATCHING = DriftView("watching", 1.0, LIGHT, 0.4, since=1_700_000_000.0, lights={LIGHT: 61.25})
LEARNING = replace(WATCHING, stage="learning", learnt=0.43, lights={}, unknown={LIGHT: 3.0}, missing_s=90_000)
SUSPECTED = replace(
    WATCHING, stage="suspected", evidence=1500.0, measure="weak", direction="up", usual=0.31, lately=0.52
)
UNSEEN = replace(WATCHING, stage="unseen", light="infrared, luma 0 to 40", unknown={"unknown light": 0.2})
LOST = AccuracyView("recall", "gate", "", 140, 0.614, 0.52, 0.69, floor=0.8, lost=True)


def seen(drift: DriftView | None, *accuracy: AccuracyView, name: str = "gate") -> CameraView:
    return CameraView(name, "live", drift=drift, accuracy=accuracy)


@pytest.mark.parametrize(
    ("view", "word"),
    [
        (seen(None), "–"),
        (seen(WATCHING), "watching"),
        (seen(LEARNING), "learning 43%"),
        (seen(UNSEEN), "unseen"),
        (seen(SUSPECTED), "suspected"),
        (seen(SUSPECTED, LOST), "✗ recall"),
    ],
)
def test_a_cell_says_it_in_a_word(view: CameraView, word: str) -> None:
    assert DRIFT.cell(view)[0] == word
    assert DRIFT in CAMERA_COLUMNS


def test_the_worst_come_first() -> None:
    views = [seen(each) for each in (None, WATCHING, LEARNING, UNSEEN, SUSPECTED)]
    lost = seen(None, LOST)
    order = [DRIFT.cell(view)[0] for view in arrange([*views, lost], DRIFT)]
    assert order == ["✗ recall", "suspected", "unseen", "learning 43%", "watching", "–"]


def test_it_can_be_filtered_for() -> None:
    assert matches(seen(SUSPECTED), "gate suspected")
    assert not matches(seen(WATCHING), "suspected")


def text(renderable: object, width: int = 76) -> str:
    console = Console(file=io.StringIO(), width=width, color_system=None)
    console.print(renderable)
    return console.file.getvalue()  # type: ignore[attr-defined]


def test_the_page_of_a_camera_says_why_and_since_when() -> None:
    said = text(details(replace(camera(1), drift=SUSPECTED, accuracy=(LOST,))))
    assert "recall 61% (52% to 69%) of 140 frames, below its floor of 80%" in said
    assert "suspected since 2023-11-1" in said
    assert "weak up, usually 0.31, lately 0.52" in said
    assert f"{LIGHT} (61.2 h)" in said
    assert "evidence of 1.5e+03 camera-days" in said


def test_accuracy_is_said_in_words() -> None:
    assert accuracy_words(replace(LOST, lost=False)).endswith("of 140 frames, floor 80%")
    assert accuracy_words(replace(LOST, lost=False, floor=None)).endswith("of 140 frames")
    assert accuracy_words(AccuracyView("precision", "gate", "", 1)) == "precision: too few yet, 1 frame"


def test_a_table_says_of_each_camera_what_is_learnt_and_missing() -> None:
    cameras = (
        seen(WATCHING),
        seen(SUSPECTED, name="yard"),
        seen(None, name="dock"),
        seen(LEARNING, name="x"),
    )
    said = text(render(replace(node(0), cameras=cameras), "lab (7)"), width=200)
    lines = said.splitlines()
    assert lines[0].startswith("lab (7): drift of 4 cameras")
    assert lines[2].startswith("yard")
    assert "weak up: 0.31 → 0.52" in lines[2]
    assert f"{LIGHT}: 61.2 h" in said
    assert "nothing was seen of it yet" in said
    assert "25.0 h of watching" in said


def test_what_is_missing_is_said() -> None:
    assert missing(WATCHING) == ""
    assert missing(LEARNING) == "25.0 h of watching"
    assert missing(replace(LEARNING, missing_s=600)) == "10 min of watching"
    assert missing(replace(LEARNING, missing_s=20)) == "20 s of watching"
    assert "met too shortly to be known: unknown light (12 min)" in missing(UNSEEN)
    assert "learn --keep" in missing(UNSEEN)


def test_machines_get_the_same() -> None:
    cameras = (seen(SUSPECTED), seen(None, name="dock"))
    found = json.loads(as_json(replace(node(0), cameras=cameras)))
    assert found["dock"] is None
    assert found["gate"]["stage"] == "suspected"
    assert found["gate"]["why"] == "weak up, usually 0.31, lately 0.52"
    assert found["gate"]["lights"] == {LIGHT: 61.25}
