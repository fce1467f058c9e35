"""What became of a canary, for people and for machines."""

from __future__ import annotations

import io
import json

import pytest
from rich.console import Console

from observe.metric_views import canary, node, shadow
from vedette.observe.canary_words import ENDED, canary_words
from vedette.observe.report import build_report
from vedette.observe.shadow_words import status
from vedette.observe.views import AgreedView, NodeView, Percentiles, WorkerView
from vedette.supervise.canary import Ended


def test_one_that_detects_says_for_whom_how_long_and_what_then() -> None:
    said = canary_words(canary())
    assert "new.onnx detects for gate since 12 min, for 48 min more, and goes back after that" in said
    assert "4210 boxes in 6120 frames of gate" in said
    assert "for all cameras after that" in canary_words(canary(then="set"))
    assert "held to labelled pictures, for gate" in canary_words(canary(state="examined", frames=0))
    assert "being loaded, for gate" in canary_words(canary(state="starting", frames=0))
    assert "made the detector of all" in canary_words(canary(state="taking_over"))
    assert "gives them back" in canary_words(canary(state="returning"))


def test_it_is_told_with_what_it_is_to_be_compared() -> None:
    said = canary_words(
        canary(
            beside="old · cpu",
            before_frames=42,
            before_boxes=31,
            took_ms=Percentiles(31.2, 44.1, 60.0),
            beside_took_ms=Percentiles(12.0, 19.0, 30.0),
            agreed=AgreedView(1209, 0.933, 0.915, 0.948),
        )
    )
    assert said.splitlines()[1:] == [
        "4210 boxes in 6120 frames of gate; 31 in the 42 frames before, by old · cpu",
        "a frame takes it 31 ms, 44 ms at most in 95%; old · cpu meanwhile 12 ms and 19 ms",
        "when it was shown frames before, it agreed 0.933 (0.915…0.948) with old · cpu, in 1209",
    ]


@pytest.mark.parametrize("why", list(Ended))
def test_each_end_has_words(why: Ended) -> None:
    said = canary_words(canary(state="ended", why=why.value, detail="exit code -9"))
    assert f"new.onnx {ENDED[why.value]} after 12 min: exit code -9" in said


def test_both_kinds_of_candidate_are_told_of() -> None:
    out = io.StringIO()
    Console(file=out, width=120).print(status(node(canary=canary(), shadow=shadow())))
    assert out.getvalue().index("canary:") < out.getvalue().index("shadow:")


def test_the_report_has_all_of_it() -> None:
    report = build_report(node(canary=canary(state="ended", why="died", detail="exit code -9")))
    found = json.loads(json.dumps(report["node"]["canary"]))
    assert (found["state"], found["why"], found["cameras"]) == ("ended", "died", ["gate"])
    assert "agreed" not in found
    agreed = build_report(node(canary=canary(agreed=AgreedView(9, 0.93333, 0.9, 0.95))))
    assert agreed["node"]["canary"]["agreed"] == {
        "frames": 9, "value": 0.9333, "lower": 0.9, "upper": 0.95
    }  # fmt: skip


def test_the_process_of_a_candidate_is_in_the_report_with_its_model() -> None:
    worker = WorkerView("canary-0", "canary", cameras=1, model="/models/new.onnx", beside="old", ran_s=720.04)
    [found] = build_report(NodeView(workers=(worker,)))["node"]["workers"]
    assert (found["kind"], found["model"], found["beside"], found["ran_s"]) == (
        *("canary", "/models/new.onnx", "old"),
        720.0,
    )
