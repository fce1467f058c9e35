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
from vedette.supervise.canary import Ended


def test_one_that_detects_says_for_whom_how_long_and_what_then() -> None:
    said = canary_words(canary())
    assert "new.onnx detects for gate since 12 min, for 48 min more, and goes back after that" in said
    assert "4210 boxes in 6120 frames of gate" in said
    assert "for all cameras after that" in canary_words(canary(then="set"))
    assert "being loaded, for gate" in canary_words(canary(state="starting", frames=0))
    assert "made the detector of all" in canary_words(canary(state="taking_over"))
    assert "gives them back" in canary_words(canary(state="returning"))


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
