"""A node as a table, as a line and at the end of its run, as people see it."""

from __future__ import annotations

import io
import time

import pytest
from rich.console import Console

from vedette.observe.bottleneck import Bottleneck
from vedette.observe.report import summary
from vedette.observe.table import CameraView, Frames, NodeView, Percentiles, SinkView, line, render
from vedette.observe.views import WorkerView

FRAMES = Frames(
    received=2000, analysed=800, superseded=900, expired=7, skipped=250, failed=30, orphaned=12, in_flight=1
)


def node(*cameras: CameraView, **changes: object) -> NodeView:
    fields: dict[str, object] = {
        "uptime_s": 3723.4,
        "analysed_per_s": 187.4,
        "pss_mb": 124,
        "cpu_percent": 130,
    }
    return NodeView(cameras=cameras, **(fields | changes))  # type: ignore[arg-type]


def gate(name: str = "gate_north", state: str = "live", **changes: object) -> CameraView:
    fields: dict[str, object] = {
        "frames": FRAMES,
        "age_ms": Percentiles(12.3, 30.0, 42.1, 99.0),
        "fps_in": 25.0,
        "fps_analysed": 8.3,
        "objects": {"car": 1, "person": 3},
        "epoch": 2,
        "sessions": 3,
        "last_end_reason": "stalled",
    }
    return CameraView(name, state, **(fields | changes))  # type: ignore[arg-type]


def shown(view: NodeView, width: int, rows: int = 40) -> list[str]:
    console = Console(file=io.StringIO(), width=width, force_terminal=True, color_system=None)
    console.print(render(view, width=width, rows=rows))
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue().splitlines()


@pytest.mark.parametrize("width", [80, 120])
def test_no_line_is_wider_than_the_terminal(width: int) -> None:
    cameras = [gate("a_rather_long_name_of_a_camera_in_the_north"), gate("b", "connecting")]
    view = node(*cameras, detector="picodet_s_416 · openvino · cpu · 256x416")
    assert all(len(text) <= width for text in shown(view, width))


def test_eighty_columns_show_what_matters_most() -> None:
    text = "\n".join(shown(node(gate()), 80))
    for part in (
        "gate_north",
        "live",
        "25.0",
        "8.3",
        "12 / 42",
        "3 person, 1 car",
        "1169",
        "30",
        "187/s",
        "130%",
    ):
        assert part in text


def test_a_wide_terminal_shows_each_kind_of_drop_and_the_sessions() -> None:
    text = "\n".join(shown(node(gate()), 120))
    for part in ("900", "7", "250", "30", "2 / 3", "stalled"):
        assert part in text


def test_cameras_stand_in_the_order_of_the_configuration_while_there_is_room() -> None:
    cameras = [gate("c"), gate("a", "waiting"), gate("b")]
    lines = shown(node(*cameras), 80)
    assert [text[0] for text in lines if text[:2] in ("a ", "b ", "c ")] == ["c", "a", "b"]


def test_of_too_many_cameras_the_worst_are_shown_and_the_others_counted() -> None:
    fine = [gate(f"fine_{index}", frames=Frames(10, 10)) for index in range(60)]
    bad = [
        gate("down", "waiting"),
        gate("failing"),
        gate("slow", frames=Frames(9, 9), age_ms=Percentiles(p99=900)),
    ]
    lines = shown(node(*fine[:30], *bad, *fine[30:]), 80, rows=5)
    names = [text.split()[0] for text in lines if text.startswith(("fine", "down", "failing", "slow"))]
    assert names[:3] == ["down", "failing", "slow"]
    assert len(names) == 5
    assert any("58 more" in text for text in lines)


def test_a_camera_without_any_frame_shows_no_age() -> None:
    text = "\n".join(shown(node(CameraView("new")), 80))
    assert "connecting" in text
    assert "0 / 0" not in text


def test_a_sink_that_loses_results_is_shown() -> None:
    lines = shown(node(gate(), sinks=(SinkView("jsonl x", 5, 3, 0), SinkView("on_result", 5))), 80)
    assert "jsonl x: 5 written, 3 dropped, 0 failed" in lines
    assert not any("on_result" in text for text in lines)


def test_results_that_a_sink_let_grow_too_old_are_shown() -> None:
    lines = shown(node(gate(), sinks=(SinkView("jsonl x", 5, expired=4),)), 80)
    assert "jsonl x: 5 written, 0 dropped, 0 failed, 4 expired" in lines


@pytest.mark.parametrize("width", [80, 120])
def test_the_steps_of_the_ladder_have_a_column_only_where_a_camera_is_not_at_full(width: int) -> None:
    cameras = [gate("a"), gate("b", step="keyframes"), gate("c", step="paused", blind="overloaded")]
    lines = shown(node(*cameras), width)
    assert any("state" in text and "step" in text for text in lines)
    row = {text[0]: text.split() for text in lines if text[:2] in ("a ", "b ", "c ")}
    assert row["a"][1:3] == ["live", "full"]
    assert row["b"][1:3] == ["live", "keyframes"]
    assert row["c"][1:3] == ["overloaded", "paused"], "why it is blind stays where it was"
    assert all(len(text) <= width for text in lines)
    assert not any("step" in text for text in shown(node(gate("a")), width))


def test_cameras_that_stepped_down_are_worse_off_than_others_that_see() -> None:
    fine = [gate(f"fine_{index}", frames=Frames(9, 9)) for index in range(20)]
    less = gate("less", step="keyframes", degraded=("thinned",))
    asked = gate("asked", step="reference", frames=Frames(9, 9))
    lines = shown(node(*fine, gate("down", "waiting"), less, asked), 80, rows=4)
    names = [text.split()[0] for text in lines if text.startswith(("fine", "down", "less", "asked"))]
    assert names[:2] == ["down", "less"]
    assert "asked" not in names, "it has what it was asked for"


def test_the_title_shows_how_busy_the_detector_is() -> None:
    workers = (WorkerView("inference-0", "inference", busy=0.973), WorkerView("c", "camera", busy=0.2))
    assert "detector 97%" in shown(node(gate(), workers=workers), 80)[0]
    assert "CPU 130%" in shown(node(gate(), workers=workers), 80)[0]
    assert not any("detector" in text for text in shown(node(gate()), 80)), "not known, not shown"


@pytest.mark.parametrize("width", [40, 60, 80, 100, 120, 160])
def test_the_title_leaves_out_whole_items_from_its_end(width: int) -> None:
    workers = (WorkerView("inference-0", "inference", busy=0.973),)
    view = node(gate(), workers=workers, detector="picodet_s_416 · openvino · cpu · 256x416")
    whole = shown(view, 200)[0].rstrip()
    assert whole == (
        "vedette  1:02:03  cameras 1/1 live  analysed 187/s  detector 97%  CPU 130%  memory 124 MB"
        "  picodet_s_416 · openvino · cpu · 256x416"
    )
    title = shown(view, width)[0].rstrip()
    assert len(title) <= width
    rest = whole.removeprefix(title)
    assert rest != whole
    assert not rest or rest.startswith(("  ", " · ")), "nothing is cut in two"


def test_what_holds_the_node_up_is_said_below_the_table_and_nothing_else_is() -> None:
    def text(found: Bottleneck) -> str:
        console = Console(file=io.StringIO(), width=80)
        console.print(render(node(gate()), found, width=80))
        assert isinstance(console.file, io.StringIO)
        return console.file.getvalue()

    assert text(Bottleneck("infer", "The detector: busy 97%.")).endswith(
        "bottleneck  The detector: busy 97%.\n"
    )
    assert "bottleneck" not in text(Bottleneck("none", "Nothing: it is well."))


def test_the_line_says_what_the_node_does() -> None:
    text = line(node(gate(), gate("b", "waiting")))
    assert text == (
        "1:02:03 · 1/2 cameras live · 187 analysed/s · worst p99 age 42 ms · "
        "4000 received, 1600 analysed, 2398 dropped (60 failed) · CPU 130% · 124 MB"
    )


def test_a_camera_that_was_removed_is_missed_by_nobody() -> None:
    view = node(gate(), gate("b", "removed"), gate("c", "paused"))
    assert " 1/2 cameras live " in line(view)
    assert any("cameras 1/2 live" in text for text in shown(view, 120))


def test_a_thousand_cameras_are_drawn_quickly_enough_for_four_times_a_second() -> None:
    view = node(*(gate(f"camera_{index}") for index in range(1000)))
    took = []
    for _ in range(3):
        began = time.process_time()
        shown(view, 120)
        took.append(time.process_time() - began)
    # To a guest of a busy host, standing still may look like running.
    assert min(took) < 2


def summed_up(view: NodeView, width: int = 100) -> str:
    console = Console(file=io.StringIO(), width=width)
    console.print(summary(view, width=width))
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


@pytest.mark.parametrize("width", [60, 80, 120])
def test_the_summary_says_where_the_time_went(width: int) -> None:
    endings = {"analysed.emit": 800, "superseded.wait": 900}
    stages = {"decode": Percentiles(1.234, 2, 30)}
    text = summed_up(node(gate(endings=endings), stages_ms=stages, stages_s={"decode": 30.0}), width)
    assert "where the time went" in text
    assert "ended at wait: 900 superseded" in text
    assert text.count("bottleneck") == 1
    assert text.splitlines()[-1].endswith("124 MB")
    assert all(len(each) <= width for each in text.splitlines())
    decode = next(each for each in text.splitlines() if each.startswith("decode"))
    assert decode.split()[1:6] == ["1.23", "2.00", "30.0", "30.0", "100%"]
