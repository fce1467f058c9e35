"""What a terminal shows of a running node, and what a file gets instead."""

from __future__ import annotations

import io

import pytest
from rich.console import Console
from rich.text import Text

from vedette.observe import display as displays
from vedette.observe.display import make_display
from vedette.observe.table import figures, line
from vedette.observe.views import CameraView, Frames, NodeView, WorkerView


def node(*cameras: str, uptime_s: float = 3.0, superseded: int = 0, busy: float = 0.3) -> NodeView:
    endings = {"analysed.emit": 100, "superseded.wait": superseded}
    views = (CameraView(name, "live", Frames(100, 100), endings=endings) for name in cameras or ("gate",))
    return NodeView(tuple(views), uptime_s, workers=(WorkerView("inference-0", "inference", busy=busy),))


def written(console: Console) -> str:
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


def test_without_a_terminal_a_line_comes_every_five_seconds() -> None:
    console = Console(file=io.StringIO(), width=40)
    now = [100.0]
    display = displays._Lines(console, lambda: now[0])
    for _ in range(60):
        now[0] += 0.25
        display.update(node())
    display.close()
    assert isinstance(console.file, io.StringIO)
    lines = console.file.getvalue().splitlines()
    assert len(lines) == 3
    assert lines[0] == line(node())


def test_a_file_gets_no_table_and_no_control_characters() -> None:
    console = Console(file=io.StringIO())
    display = make_display(console, table=True)
    display.update(node())
    display.close()
    assert isinstance(console.file, io.StringIO)
    assert console.file.getvalue() == ""


def test_the_live_table_fits_the_terminal_and_leaves_it_clean() -> None:
    console = Console(file=io.StringIO(), width=80, height=15, force_terminal=True)
    display = make_display(console)
    display.update(node(*(f"camera_{index}" for index in range(40))))
    display.close()
    display.close()
    assert isinstance(console.file, io.StringIO)
    written = console.file.getvalue()
    assert "35 more" in written
    assert written.endswith("\x1b[2K") or "\x1b[?25h" in written


def test_what_is_said_stands_above_the_live_table_which_goes_on() -> None:
    console = Console(file=io.StringIO(), width=80, height=20, force_terminal=True, color_system=None)
    display = make_display(console)
    display.update(node())
    display.say(Text("where the time went"))
    said = written(console)
    assert said.index("where the time went") < said.rindex("gate"), "the table is drawn again below it"
    display.update(node("yard"))
    assert "yard" in written(console)[len(said) :]
    display.close()


def test_what_is_said_before_the_first_view_is_said_all_the_same() -> None:
    console = Console(file=io.StringIO(), width=80, height=20, force_terminal=True)
    display = make_display(console)
    display.say(Text("nothing yet"))
    display.close()
    assert written(console) == "nothing yet\n"


def test_a_file_gets_what_is_said_without_control_characters() -> None:
    console = Console(file=io.StringIO())
    display = make_display(console)
    display.say(Text("where the time went", style="bold"))
    assert written(console) == "where the time went\n"


@pytest.mark.parametrize("table", [True, False])
def test_both_know_what_holds_the_node_up_now(table: bool) -> None:
    display = make_display(Console(file=io.StringIO(), force_terminal=table), table=table)
    assert not display.bottleneck.is_one
    for second in range(12):
        display.update(node(uptime_s=second, superseded=100 * second, busy=0.97))
    display.close()
    assert display.bottleneck.stage == "infer"


def test_programs_that_read_the_log_get_an_event_in_place_of_each_line() -> None:
    logged: list[dict[str, object]] = []

    class Log:
        def info(self, event: str, **fields: object) -> None:
            logged.append({"event": event, **fields})

    now = [100.0]
    display = displays._Logged(lambda: now[0], Log())
    for _ in range(60):
        now[0] += 0.25
        display.update(node())
    display.say(Text("where the time went\ndecode 3"))
    display.close()
    assert [each["event"] for each in logged] == ["progress"] * 3 + ["where the time went"]
    assert logged[0] == {"event": "progress", **figures(node())}
    assert logged[-1]["text"] == "where the time went\ndecode 3"
