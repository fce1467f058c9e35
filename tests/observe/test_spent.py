"""Where the time went, for people: stages, queues, what was let go where, the verdict."""

from __future__ import annotations

import io

import pytest
from rich.console import Console

from vedette.endings import ENDINGS
from vedette.observe.bottleneck import Bottleneck, find_bottleneck
from vedette.observe.gauges import Gauges
from vedette.observe.spent import let_go, where_the_time_went
from vedette.observe.views import CameraView, NodeView, Percentiles, SinkView, WorkerView
from vedette.workers.table import STAGES

NOTHING = Bottleneck("none", "Nothing: every frame that was wanted was analysed.")


def lines(view: NodeView, found: Bottleneck = NOTHING, width: int = 100, **more: object) -> list[str]:
    console = Console(file=io.StringIO(), width=width)
    console.print(where_the_time_went(view, found, width=width, **more))  # type: ignore[arg-type]
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue().splitlines()


def cells(view: NodeView, stage: str, **more: object) -> list[str]:
    return next(line for line in lines(view, **more) if line.startswith(stage)).split()  # type: ignore[arg-type]


def test_every_stage_has_a_row_in_the_order_of_a_frames_way() -> None:
    first = [line.split()[0] for line in lines(NodeView())]
    assert [word for word in first if word in STAGES] == list(STAGES)


def test_shares_are_of_the_time_of_all_stages() -> None:
    view = NodeView(stages_s={"decode": 75.0, "infer": 25.0})
    assert cells(view, "decode")[4:6] == ["75.0", "75%"]
    assert cells(view, "infer")[4:6] == ["25.0", "25%"]
    assert cells(view, "track")[4:6] == ["0.0", "0%"]


def test_what_waits_stands_beside_the_stage_that_it_waits_for() -> None:
    view = NodeView(
        (CameraView("a", backlog=3, kept=1), CameraView("b", backlog=4, kept=1)),
        queued=2,
        workers=(WorkerView("cameras-0", "camera", outbox=5),),
    )
    waiting = {stage: cells(view, stage)[6] for stage in ("decode", "wait", "infer", "emit")}
    assert waiting == {"decode": "7", "wait": "2", "infer": "2", "emit": "5"}
    assert cells(view, "decode", gauges=Gauges(backlog=0.25))[6] == "0.2", "a mean of small numbers"


@pytest.mark.parametrize("width", [50, 60, 80, 200])
def test_no_line_is_wider_than_it_may_be(width: int) -> None:
    cameras = (CameraView("a", endings={ending.value: 123_456 for ending in ENDINGS}),)
    stages = dict.fromkeys(STAGES, Percentiles(99_999, 99_999, 99_999))
    view = NodeView(cameras, stages_ms=stages, stages_s=dict.fromkeys(STAGES, 1e6))
    assert all(len(line) <= width for line in lines(view, find_bottleneck(view), width))


def test_what_was_let_go_is_told_by_stage_with_its_reason() -> None:
    cameras = (
        CameraView("a", endings={"analysed.emit": 9, "skipped.backlog": 40, "expired.decode": 12}),
        CameraView("b", endings={"failed.arrive": 2, "skipped.motion": 7, "superseded.wait": 5}),
        CameraView("c", endings={"skipped.backlog": 2, "orphaned.worker": 1}),
    )
    assert let_go(cameras) == [
        "ended at arrive: 2 failed",
        "ended at decode: 12 expired, 42 skipped (backlog)",
        "ended at wait: 5 superseded, 7 skipped (motion)",
        "ended at worker: 1 orphaned",
    ]
    assert let_go((CameraView("a", endings={"analysed.emit": 9}),)) == []


def test_every_ending_without_a_result_has_a_place() -> None:
    text = " ".join(let_go((CameraView("a", endings={each.value: 1 for each in ENDINGS}),)))
    counted = sum(int(word) for word in text.split() if word.isdigit())
    assert counted == len(ENDINGS) - 1, "all but analysed"


def test_a_sink_that_did_not_write_everything_is_told_without_its_password() -> None:
    sinks = (SinkView("https://me:secret@hook", 9, 1, 2, 3, 4), SinkView("jsonl", 5))
    text = "\n".join(lines(NodeView(sinks=sinks)))
    assert "at https://***@hook: 9 written, 1 dropped, 3 expired, 2 failed, 4 wait" in text
    assert "jsonl" not in text


def test_the_verdict_on_now_stands_beside_that_on_the_whole_run() -> None:
    now = Bottleneck("infer", "The detector: busy 97%.")
    assert lines(NodeView(), now=now)[-2:] == [f"bottleneck: {NOTHING.sentence}", f"now: {now.sentence}"]
    assert lines(NodeView())[-1] == f"bottleneck: {NOTHING.sentence}"
