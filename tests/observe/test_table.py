"""The live table and the plain lines, as people see them."""

from __future__ import annotations

import io
import time

import pytest
from rich.console import Console

from vedette.observe import table as tables
from vedette.observe.report import summary
from vedette.observe.table import CameraView, Frames, NodeView, Percentiles, SinkView, line, render

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


def test_the_line_says_what_the_node_does() -> None:
    text = line(node(gate(), gate("b", "waiting")))
    assert text == (
        "1:02:03 · 1/2 cameras live · 187 analysed/s · worst p99 age 42 ms · "
        "4000 received, 1600 analysed, 2398 dropped (60 failed) · CPU 130% · 124 MB"
    )


def test_without_a_terminal_a_line_comes_every_five_seconds() -> None:
    console = Console(file=io.StringIO(), width=40)
    now = [100.0]
    display = tables._Lines(console, lambda: now[0])
    for _ in range(60):
        now[0] += 0.25
        display.update(node(gate()))
    display.close()
    assert isinstance(console.file, io.StringIO)
    lines = console.file.getvalue().splitlines()
    assert len(lines) == 3
    assert lines[0] == line(node(gate()))


def test_a_file_gets_no_table_and_no_control_characters() -> None:
    console = Console(file=io.StringIO())
    display = tables.make_display(console, table=True)
    display.update(node(gate()))
    display.close()
    assert isinstance(console.file, io.StringIO)
    assert console.file.getvalue() == ""


def test_the_live_table_fits_the_terminal_and_leaves_it_clean() -> None:
    console = Console(file=io.StringIO(), width=80, height=15, force_terminal=True)
    display = tables.make_display(console)
    display.update(node(*(gate(f"camera_{index}") for index in range(40))))
    display.close()
    display.close()
    assert isinstance(console.file, io.StringIO)
    written = console.file.getvalue()
    assert "35 more" in written
    assert written.endswith("\x1b[2K") or "\x1b[?25h" in written


def test_a_thousand_cameras_are_drawn_quickly_enough_for_four_times_a_second() -> None:
    view = node(*(gate(f"camera_{index}") for index in range(1000)))
    began = time.process_time()
    shown(view, 120)
    assert time.process_time() - began < 2


def test_the_summary_names_the_stages() -> None:
    console = Console(file=io.StringIO(), width=100)
    console.print(summary(node(gate(), stages_ms={"decode": Percentiles(1, 2, 3)}), width=100))
    assert isinstance(console.file, io.StringIO)
    assert "decode 1.0/3.0" in console.file.getvalue()
