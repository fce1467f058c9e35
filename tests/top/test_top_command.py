"""``vedette top`` from its options to its text, against a real control socket."""

from __future__ import annotations

import os
import pty
import re
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner, Result

from top.top_values import camera, node
from vedette.control.protocol import ControlError
from vedette.control.server import ControlServer
from vedette.control.where import NodeAddress, choose_node
from vedette.observe.views import CameraView, Frames, NodeView
from vedette.top import command
from vedette.top.cameras import CAMERA_COLUMNS, matches
from vedette.top.column import arrange, fitting
from vedette.top.header import node_lines, table_line
from vedette.top.keys import CAMERA_KEYS
from vedette.top.link import Link
from vedette.top.words import Health, count, health, milliseconds, state

DOCS = (Path(__file__).parents[2] / "docs" / "top.md").read_text()


@pytest.fixture(autouse=True)
def no_other_nodes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.delenv("XDG_RUNTIME_DIR", raising=False)
    monkeypatch.setattr(command, "RATES_AFTER_S", 0.0)


@pytest.fixture
def lab() -> Iterator[ControlServer]:
    server = ControlServer("lab", lambda details: node(40))
    server.start()
    yield server
    server.close()


def run(*arguments: str) -> Result:
    app = typer.Typer()
    app.command()(command.top)
    return CliRunner().invoke(app, arguments)


def rows(text: str) -> list[str]:
    return re.findall(r"^camera_\d+", text, re.MULTILINE)


def test_without_a_terminal_everything_is_printed_once(lab: ControlServer) -> None:
    result = run()
    assert result.exit_code == 0, result.output
    assert f"lab ({os.getpid()})" in result.output
    assert set(rows(result.output)[:2]) == {"camera_0000", "camera_0010"}
    assert len(rows(result.output)) == 40
    for part in ("✗ connection lost", "keyframes", "slowest", "orph", "postpr", "bottleneck", "emit 16"):
        assert part in result.output
    assert "\x1b" not in result.output


@pytest.mark.parametrize("how", ["name", "pid", "path"])
def test_a_node_is_named_by_its_name_its_pid_or_its_socket(lab: ControlServer, how: str) -> None:
    wanted = {"name": "lab", "pid": str(os.getpid()), "path": str(lab.path)}[how]
    other = ControlServer("other", lambda details: NodeView()) if how != "pid" else None
    if other is not None:
        other.start()
    result = run(wanted, "--once")
    if other is not None:
        other.close()
    assert result.exit_code == 0, result.output
    assert len(rows(result.output)) == 40


def test_order_and_filter_hold_for_the_text(lab: ControlServer) -> None:
    result = run("--once", "--sort", "name", "--filter", "camera_003")
    assert rows(result.output) == [f"camera_{number:04}" for number in range(30, 40)]
    assert "10 of 40 cameras by name" in result.output


def test_no_node_is_said_in_one_line() -> None:
    result = run()
    assert isinstance(result.exception, ControlError)
    assert "no node of yours is running" in str(result.exception)
    assert isinstance(run("/nowhere/x.sock").exception, ControlError)


def test_of_several_nodes_one_has_to_be_named() -> None:
    nodes = [NodeAddress(name, pid, Path("x")) for name, pid in (("gate", 1), ("yard", 2), ("yard", 3))]
    with pytest.raises(ControlError, match=r"several nodes are running(.|\n)*gate \(1\)\n  yard \(2\)"):
        choose_node(None, nodes)
    with pytest.raises(ControlError, match=r"called yard(.|\n)*yard \(2\)\n  yard \(3\)"):
        choose_node("yard", nodes)
    with pytest.raises(ControlError, match=r"no node roof is running; these are:\n  gate"):
        choose_node("roof", nodes)
    assert choose_node("3", nodes).pid == 3
    assert choose_node("gate", nodes).pid == 1


def test_an_idle_connection_that_was_dropped_is_made_anew(lab: ControlServer) -> None:
    link = Link("lab")
    link.fetch()
    lab.close()
    lab.start()
    assert len(link.fetch().cameras) == 40
    link.close()
    with pytest.raises(ControlError, match="closed"):
        link.fetch()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--sort", "colour"], "is one of name, state"),
        (["--every", "soon"], "duration"),
        (["--every", "1ms"], "100ms or longer"),
    ],
)
def test_bad_options_are_refused_with_what_is_possible(arguments: list[str], said: str) -> None:
    result = run(*arguments)
    assert result.exit_code == 2
    assert said in " ".join(re.sub(r"[│\s]+", " ", result.output).split())


def on_a_terminal(code: str, environ: dict[str, str], after: str = "", key: str = "") -> tuple[int, str]:
    """Run it on a terminal; its exit code and what it wrote. ``key`` is pressed after it wrote ``after``."""
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-c", code], stdin=theirs, stdout=theirs, stderr=theirs, env=os.environ | environ
    )
    os.close(theirs)
    said = b""
    try:
        while data := os.read(ours, 4096):
            said += data
            if key and after.encode() in said:
                os.write(ours, key.encode())
                key = ""
    except OSError:
        pass  # a terminal ends so when its last process does
    os.close(ours)
    return process.wait(), said.decode()


def test_without_textual_it_says_what_to_install(lab: ControlServer, tmp_path: Path) -> None:
    hide = (
        "import sys\n"
        "class Hidden:\n"
        "    def find_spec(self, name, path=None, target=None):\n"
        "        if name.partition('.')[0] == 'textual': raise ModuleNotFoundError(name)\n"
        "sys.meta_path.insert(0, Hidden())\n"
        "from vedette.errors import VedetteError\n"
        "from vedette.top.command import top\n"
        "try: top()\n"
        "except VedetteError as error: print('error:', error)\n"
    )
    _, said = on_a_terminal(hide, {"TMPDIR": str(tmp_path)})
    assert "pip install 'vedette[top]'" in said
    assert len(said.strip().splitlines()) == 1


def test_on_a_terminal_it_fills_the_screen_until_it_is_left(lab: ControlServer, tmp_path: Path) -> None:
    code = "import typer; from vedette.top.command import top; typer.run(top)"
    environ = {"TMPDIR": str(tmp_path), "TERM": "xterm-256color", "COLUMNS": "100", "LINES": "30"}
    status, said = on_a_terminal(code, environ, "camera_0010", "q")
    assert status == 0
    assert "\x1b[?1049h" in said
    assert "\x1b[?1049l" in said  # the terminal is as it was


def test_it_can_be_left_while_the_node_hangs(tmp_path: Path) -> None:
    looks: list[bool] = []
    over = threading.Event()

    def view(details: bool) -> NodeView:
        looks.append(details)
        if len(looks) > 1:
            over.wait(60)
        return node(40)

    server = ControlServer("lab", view)
    server.start()
    code = "import typer; from vedette.top.command import top; typer.run(top)"
    environ = {"TMPDIR": str(tmp_path), "TERM": "xterm-256color", "COLUMNS": "100", "LINES": "30"}
    status, _ = on_a_terminal(code, environ, "connecting", "q")
    over.set()
    server.close()
    assert status == 0


def test_the_command_itself_needs_nothing_heavy() -> None:
    code = (
        "import sys, vedette.top.command; print([m for m in ('textual','rich','numpy') if m in sys.modules])"
    )
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert "textual" not in said
    assert "numpy" not in said


def test_every_option_key_and_column_is_documented() -> None:
    app = typer.Typer()
    app.command()(command.top)
    for parameter in typer.main.get_command(app).params:
        for option in parameter.opts:
            if option.startswith("--") and "completion" not in option:
                assert f"`{option}" in DOCS
    assert all(f"`{key.shown}`" in DOCS for key in CAMERA_KEYS)
    assert all(f"`{column.key}`" in DOCS for column in CAMERA_COLUMNS)


def test_each_camera_is_in_its_state_of_health() -> None:
    seen = [
        (CameraView("a", "live"), Health.FINE, "live"),
        (CameraView("a", "connecting"), Health.SOON, "connecting"),
        (CameraView("a", "connecting", blind="starting"), Health.SOON, "starting"),
        (CameraView("a", "live", blind="decode_behind"), Health.BLIND, "✗ decode behind"),
        (CameraView("a", "waiting"), Health.BLIND, "✗ waiting"),
        (CameraView("a", "live", blind="overloaded", step="paused"), Health.BLIND, "✗ overloaded"),
        (CameraView("a", "paused", blind="paused"), Health.OFF, "paused"),
        (CameraView("a", "live", degraded=("late", "moved")), Health.POOR, "! late moved"),
        (CameraView("a", "live", step="keyframes", degraded=("thinned",)), Health.POOR, "! thinned"),
        (CameraView("a", "live", step="fewer", decodes="all"), Health.FINE, "live"),
        (CameraView("a", "finished"), Health.OFF, "finished"),
    ]
    for view, how, words in seen:
        assert (health(view), state(view)) == (how, words)


def cells(view: CameraView) -> dict[str, tuple[str, str]]:
    return {column.key: column.cell(view) for column in CAMERA_COLUMNS}


def test_a_step_that_was_asked_for_is_nobodys_fault_and_a_lower_one_is_the_nodes() -> None:
    asked = cells(CameraView("a", "live", step="fewer", decodes="keyframes"))
    assert (asked["blame"][0], asked["step"], asked["decodes"][1]) == ("–", ("fewer", "dim"), "dim")
    less = CameraView("a", "live", step="keyframes", decodes="keyframes", degraded=("thinned",))
    assert (cells(less)["blame"][0], cells(less)["step"]) == ("node", ("keyframes", "yellow"))
    assert matches(less, "thinned node")
    off = CameraView("a", "live", step="paused", decodes="paused", blind="overloaded", blame="node")
    assert (cells(off)["blame"][0], cells(off)["step"]) == ("node", ("paused", "bold red"))
    assert " 1 poor" in node_lines(NodeView((less, CameraView("b", "live", step="fewer"))), "lab").plain


def test_one_camera_is_no_cameras() -> None:
    assert table_line(1, 1, "state", False, "").plain == "1 camera by state"
    assert table_line(0, 1, "state", False, "x").plain == "0 of 1 camera by state with “x”"
    assert table_line(1, 2, "age", True, "x").plain == "1 of 2 cameras by age, reversed with “x”"


def test_each_column_sorts_both_ways_and_fits_its_width() -> None:
    cameras = [camera(number) for number in range(50)] + [CameraView("new")]
    frames = Frames(*(10**9 for _ in range(7)))
    huge = CameraView("x" * 99, frames=frames, fps_in=1234.5, lag_ms=9e6)
    for column in CAMERA_COLUMNS:
        order = arrange(cameras, column)
        values = [column.place(view) for view in order]
        assert values == sorted(values, reverse=column.down)
        turned = [column.place(view) for view in arrange(cameras, column, backwards=True)]
        assert turned == sorted(values, reverse=not column.down)
        if column.number and column.key != "dropped":
            assert len(column.cell(huge)[0]) <= column.width


@pytest.mark.parametrize("width", [1, 10, 20, 40, 79, 80, 120, 159, 200, 400])
def test_columns_fill_the_width_and_never_more(width: int) -> None:
    columns = fitting(CAMERA_COLUMNS, width)
    assert columns
    if width >= 13:
        assert sum(room + 1 for _, room in columns) - 1 <= width
    if width >= 80:
        assert {"name", "state", "step", "in", "out", "age"} <= {column.key for column, _ in columns}


def test_a_filter_finds_name_state_blame_and_step_whatever_their_case() -> None:
    view = CameraView("Gate_North", "waiting", blind="connection_lost", blame="network", step="fewer")
    for wanted in ("gate", "NORTH lost", "connection_lost", "network", "fewer gate", "blind", ""):
        assert matches(view, wanted)
    assert not matches(view, "gate south")
    assert not matches(CameraView("gate", "live"), "blind")


def test_numbers_are_short() -> None:
    assert [count(number) for number in (0, 9999, 12_345, 123_456, 12_345_678)] == [
        "0",
        "9999",
        "12.3k",
        "123k",
        "12.3M",
    ]
    shown = [milliseconds(value) for value in (0.0, 9.94, 9.96, 1234.4, 123_456)]
    assert shown == ["0.0", "9.9", "10", "1234", "123s"]
