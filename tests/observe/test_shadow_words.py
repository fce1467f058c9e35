"""What a candidate came to, for people and for machines."""

from __future__ import annotations

import io
import json

import pytest
from rich.console import Console

from observe.metric_views import node, shadow
from vedette.observe.report import build_report
from vedette.observe.shadow_words import ENDED, status
from vedette.observe.views import NodeView, ShadowFigures, ShadowView
from vedette.supervise.shadow import Ended


def said(view: NodeView) -> str:
    out = io.StringIO()
    Console(file=out, width=120).print(status(view))
    return out.getvalue()


def of(found: ShadowView | None) -> str:
    return said(NodeView(detector="picodet_s_416", shadow=found))


def test_without_a_candidate_it_says_what_detects() -> None:
    assert of(None) == "detects: picodet_s_416\nno candidate was shown frames\n"


def test_one_that_looks_has_its_figures_of_each_camera_and_in_all() -> None:
    text = of(shadow())
    assert "new.onnx is shown 10% of the frames since 10 min, for 50 min more" in text
    assert text.count("0.800 (0.700…0.900)") == 2
    assert "not shown: 4 (no room), 3 (the node had enough to do)" in text
    assert "failed on 2 frames" in text


def test_one_that_waits_says_why() -> None:
    assert "it waits now: cameras-0 has no rest" in of(
        shadow(state="waiting", detail="cameras-0 has no rest (97% busy)")
    )


@pytest.mark.parametrize("why", list(Ended))
def test_each_end_has_words(why: Ended) -> None:
    text = of(shadow(state="ended", why=why.value, detail="exit code -9"))
    assert f"new.onnx {ENDED[why.value]} after 10 min: exit code -9" in text


def test_one_that_saw_nothing_says_so() -> None:
    text = of(shadow(in_all=ShadowFigures(frames=5), cameras={"gate": ShadowFigures(frames=5)}))
    assert text.count("nothing seen") == 2


def test_the_report_has_all_of_it() -> None:
    found = build_report(node())["node"]["shadow"]
    assert json.loads(json.dumps(found)) == found
    assert found["in_all"]["agreement"] == 0.8
    assert found["cameras"]["gate"]["left_out"] == {"busy": 4, "load": 3}
    assert "shadow" not in build_report(NodeView())["node"]
