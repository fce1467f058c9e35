"""Nodes and those who ask them, over real sockets."""

from __future__ import annotations

import os
import socket
import stat
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import msgspec
import numpy as np
import pytest

from patience import NEVER_S, PATIENCE_S
from vedette.control import caller
from vedette.control.client import ControlClient
from vedette.control.protocol import (
    LONGEST_REQUEST,
    Configured,
    ControlError,
    Gave,
    Happened,
    Happenings,
    Look,
    Looked,
    NodeRefusedError,
    Picture,
    Refused,
    Results,
    Settings,
    View,
    decode_answer,
    frame,
)
from vedette.control.server import MOST_CLIENTS, VIEW_HOLDS_S, ControlServer
from vedette.control.where import find_nodes, folder_for_sockets, socket_path
from vedette.observe.views import CameraView, Frames, NodeView, Percentiles, SinkView, WorkerView

FULL = NodeView(
    cameras=(
        CameraView(
            "gate",
            "live",
            Frames(9, 8, 1),
            Percentiles(1.5, 2.5, 3.5, 4.5),
            objects={"car": 2},
            blind_s={"stalled": 2.5},
            endings={"analysed.emit": 8},
            degraded=("slow",),
            stages_ms={"decode": Percentiles(1.0, 2.0, 3.0, 4.0)},
        ),
        CameraView("tür", blind="starting", blame="camera"),
    ),
    uptime_s=12.5,
    stages_ms={"lag": Percentiles(1.0, 2.0, 3.0, 4.0)},
    stages_s={"lag": 1.25},
    sinks=(SinkView("jsonl", 3),),
    workers=(WorkerView("cameras-0", "camera", 4711, 0.5),),
    input_size=(416, 416),
)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "r"
    made.mkdir(mode=0o700)
    return made


@pytest.fixture
def environ(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """Nothing of this user's real nodes."""
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    return {"XDG_RUNTIME_DIR": str(tmp_path)}


@pytest.fixture
def server(folder: Path) -> Iterator[ControlServer]:
    server = ControlServer("lab", lambda details: FULL, folder=folder)
    server.start()
    yield server
    server.close()


def raw(server: ControlServer) -> socket.socket:
    connection = socket.socket(socket.AF_UNIX)
    connection.settimeout(PATIENCE_S)
    connection.connect(str(server.path))
    return connection


def answer(connection: socket.socket) -> object:
    head = connection.recv(4, socket.MSG_WAITALL)
    return decode_answer(connection.recv(int.from_bytes(head, "big"), socket.MSG_WAITALL))


def said(body: bytes) -> bytes:
    return len(body).to_bytes(4, "big") + body


def still_answers(server: ControlServer) -> bool:
    with ControlClient.connect(server.path, timeout=PATIENCE_S) as client:
        return client.view() == FULL


def wait_until(holds: object) -> None:
    until = time.monotonic() + PATIENCE_S
    while not holds():  # type: ignore[operator]
        assert time.monotonic() < until
        time.sleep(0.01)


def test_a_view_arrives_as_it_was(server: ControlServer) -> None:
    with ControlClient.connect(server.path, timeout=PATIENCE_S) as client:
        assert client.view() == FULL
        assert client.view(details=True) == FULL


def test_details_are_made_only_for_those_who_ask(folder: Path) -> None:
    asked: list[bool] = []

    def view(details: bool) -> NodeView:
        asked.append(details)
        return NodeView()

    server = ControlServer("lab", view, folder=folder)
    server.start()
    with ControlClient.connect(server.path, timeout=PATIENCE_S) as client:
        client.view()
        client.view(True)
    server.close()
    assert asked == [False, True]


def test_other_questions_are_answered_by_those_who_know(folder: Path) -> None:
    picture = Picture(1.5, b"\xff\xd8", 640, 360, [(1.0, 2.0, 3.0, 4.0)], ["person"], [0.5], [-1])
    asked: list[object] = []

    def looked(request: Look) -> Looked:
        asked.append(request)
        return Looked({"gate": picture})

    server = ControlServer(
        "lab",
        lambda _: FULL,
        others={
            Look: looked,
            Results: lambda request: Gave([b"{}"], request.after + 1, 3),
            Happenings: lambda request: Happened([], request.after),
            Configured: lambda _: Settings({"cameras": {"gate": {"url": "rtsp://***@h/1"}}}),
        },
        folder=folder,
    )
    server.start()
    request = Look(cameras=("gate", "yard"), width=640, since=1.0)
    with ControlClient.connect(server.path, timeout=PATIENCE_S) as client:
        assert client.ask(request, Looked).pictures == {"gate": picture}
        assert client.ask(Results(after=4), Gave) == Gave([b"{}"], 5, 3)
        assert client.ask(Happenings(after=7), Happened).last == 7
        assert client.ask(Configured(), Settings).keys["cameras"]["gate"] == {"url": "rtsp://***@h/1"}
        assert client.view() == FULL
    server.close()
    assert asked == [request]


def test_a_node_that_does_not_know_them_says_so_and_goes_on(server: ControlServer) -> None:
    with ControlClient.connect(server.path, timeout=PATIENCE_S) as client:
        for request, kind in ((Look(cameras=()), Looked), (Results(), Gave), (Configured(), Settings)):
            with pytest.raises(NodeRefusedError, match="cannot say that"):
                client.ask(request, kind)
        assert client.view() == FULL


def test_what_an_older_node_says_of_itself_is_understood() -> None:
    """Without what is said since: fields that are added have defaults."""
    camera = {"name": "gate", "state": "live", "fps_in": 25.0}
    body = msgspec.msgpack.encode({"type": "seen", "view": {"cameras": [camera], "uptime_s": 2.0}})
    seen = decode_answer(body)
    (found,) = seen.view.cameras  # type: ignore[union-attr]
    assert (found.site, found.since, found.doing, seen.view.alerts) == ("", None, "", ())  # type: ignore[union-attr]


def test_numbers_of_numpy_in_a_view_are_numbers(folder: Path) -> None:
    server = ControlServer(
        "lab", lambda _: NodeView(uptime_s=np.float64(2.5), queued=np.int64(3)), folder=folder
    )
    server.start()
    with ControlClient.connect(server.path, timeout=PATIENCE_S) as client:
        view = client.view()
    server.close()
    assert (view.uptime_s, view.queued) == (2.5, 3)


def test_a_thousand_cameras_fit_into_an_answer(folder: Path) -> None:
    stages = {name: Percentiles(1.5, 2.5, 3.5, 4.5) for name in ("lag", "decode", "wait", "convert", "infer")}
    many = NodeView(tuple(CameraView(f"camera_{number}", stages_ms=stages) for number in range(1000)))
    server = ControlServer("lab", lambda _: many, folder=folder)
    server.start()
    with ControlClient.connect(server.path, timeout=PATIENCE_S) as client:
        assert client.view(True) == many
    server.close()


def test_a_view_that_fails_is_refused_without_secrets_and_the_next_is_answered(folder: Path) -> None:
    troubles: list[Exception] = [RuntimeError("rtsp://admin:hunter2@cam/1 broke")]

    def view(details: bool) -> NodeView:
        if troubles:
            raise troubles.pop()
        return FULL

    server = ControlServer("lab", view, folder=folder)
    server.start()
    with ControlClient.connect(server.path, timeout=PATIENCE_S) as client:
        with pytest.raises(ControlError, match="RuntimeError") as raised:
            client.view()
        assert "hunter2" not in str(raised.value)
        assert client.view() == FULL
    server.close()


def test_who_asks_on_and_on_makes_no_work(folder: Path) -> None:
    made = 0

    def view(details: bool) -> NodeView:
        nonlocal made
        made += 1
        return FULL

    server = ControlServer("lab", view, folder=folder)
    server.start()
    began = time.monotonic()
    with ControlClient.connect(server.path, timeout=PATIENCE_S) as client:
        for _ in range(200):
            client.view()
    server.close()
    assert made <= 1 + (time.monotonic() - began) / VIEW_HOLDS_S


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"\xc1",
        b"\xff" * 300,
        b"\x91" * 60_000,
        b"GET / HTTP/1.1\r\n\r\n",
        msgspec.msgpack.encode({"type": "view", "details": "yes"}),
        msgspec.msgpack.encode({"type": "drop tables"}),
        msgspec.msgpack.encode({"version": 1}),
        msgspec.msgpack.encode([1, 2, 3]),
        b"\x81\xa4type\xa4\xff\xfe\xfd\xfc",
    ],
)
def test_what_is_no_request_is_refused_and_the_connection_lives(server: ControlServer, body: bytes) -> None:
    with raw(server) as connection:
        connection.sendall(said(body))
        assert isinstance(answer(connection), Refused)
        connection.sendall(frame(View()))
        assert not isinstance(answer(connection), Refused)
    assert still_answers(server)


def test_another_version_is_told_which_one_is_spoken(server: ControlServer) -> None:
    with raw(server) as connection:
        connection.sendall(said(msgspec.msgpack.encode({"type": "newer", "version": 2})))
        refused = answer(connection)
    assert isinstance(refused, Refused)
    assert "version 1" in refused.why


def test_fields_that_are_not_known_do_no_harm(server: ControlServer) -> None:
    with raw(server) as connection:
        connection.sendall(said(msgspec.msgpack.encode({"type": "view", "colour": "red"})))
        assert not isinstance(answer(connection), Refused)


@pytest.mark.parametrize("length", [LONGEST_REQUEST + 1, 2**32 - 1])
def test_too_long_a_request_is_refused_and_hung_up(server: ControlServer, length: int) -> None:
    with raw(server) as connection:
        connection.sendall(length.to_bytes(4, "big") + b"x" * 1000)
        refused = answer(connection)
        assert isinstance(refused, Refused)
        assert str(LONGEST_REQUEST) in refused.why
        assert _ends(connection)
    assert still_answers(server)


def _ends(connection: socket.socket) -> bool:
    try:
        return connection.recv(1) == b""
    except ConnectionResetError:
        return True


def test_random_bytes_never_hurt(server: ControlServer) -> None:
    random = np.random.default_rng(7)
    for size in random.integers(1, 5000, 100):
        with raw(server) as connection:
            try:
                connection.sendall(random.bytes(int(size)))
            except (BrokenPipeError, ConnectionResetError):
                pass  # it had seen enough
    assert still_answers(server)


def test_requests_may_come_in_pieces_or_several_at_once(server: ControlServer) -> None:
    with raw(server) as connection:
        for byte in frame(View()):
            connection.sendall(bytes([byte]))
        assert not isinstance(answer(connection), Refused)
        connection.sendall(frame(View()) * 5)
        for _ in range(5):
            assert not isinstance(answer(connection), Refused)


def test_one_client_too_many_is_told_so_and_finds_room_later(server: ControlServer) -> None:
    clients = [ControlClient.connect(server.path, timeout=PATIENCE_S) for _ in range(MOST_CLIENTS)]
    for client in clients:
        client.view()
    with (
        ControlClient.connect(server.path, timeout=PATIENCE_S) as late,
        pytest.raises(ControlError, match="8 clients"),
    ):
        late.view()
    assert server.refused == 1
    assert clients[0].view() == FULL
    for client in clients:
        client.close()
    wait_until(lambda: not server._callers)
    assert still_answers(server)


def test_a_client_that_does_not_take_its_answer_is_dropped(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(caller, "TAKE_WITHIN_S", 2.0)
    huge = NodeView(detector="x" * 4_000_000)
    server = ControlServer("lab", lambda _: huge, folder=folder)
    server.start()
    with raw(server) as connection:
        connection.sendall(frame(View()))
        wait_until(lambda: server.dropped or any(map(must_take_its_answer, list(server._callers.values()))))
        # Those who take theirs may stand still for a while.
        monkeypatch.setattr(caller, "TAKE_WITHIN_S", NEVER_S)
        with ControlClient.connect(server.path, timeout=PATIENCE_S) as other:
            assert other.view() == huge  # nobody waits for the slow one
        wait_until(lambda: server.dropped == 1)
    server.close()


def must_take_its_answer(client: caller.Caller) -> bool:
    """Whether its time for that has begun."""
    return client.answering and client.deadline <= time.monotonic() + 2.0


@pytest.mark.parametrize("sent", [b"", frame(View())[:7]])
def test_a_client_that_asks_nothing_is_dropped(
    folder: Path, monkeypatch: pytest.MonkeyPatch, sent: bytes
) -> None:
    monkeypatch.setattr(caller, "IDLE_AT_MOST_S", 0.2)
    monkeypatch.setattr(caller, "ASK_WITHIN_S", 0.2)
    server = ControlServer("lab", lambda _: FULL, folder=folder)
    server.start()
    with raw(server) as connection:
        connection.sendall(sent)
        assert _ends(connection)
    wait_until(lambda: server.dropped == 1)
    server.close()


def test_the_socket_is_its_users_alone_and_goes_with_the_server(server: ControlServer) -> None:
    path = server.path
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    server.close()
    server.close()
    assert not path.exists()
    with pytest.raises(ControlError, match="not open"):
        _ = server.path
    server.start()
    assert still_answers(server)


def test_closing_hangs_up_at_once_and_leaves_no_thread_or_descriptor(folder: Path) -> None:
    def once() -> None:
        server = ControlServer("lab", lambda _: FULL, folder=folder)
        server.start()
        client = ControlClient.connect(server.path, timeout=PATIENCE_S)
        client.view()
        server.close()
        with pytest.raises(ControlError):
            client.view()
        client.close()

    once()
    descriptors, threads = len(os.listdir("/proc/self/fd")), threading.active_count()
    for _ in range(20):
        once()
    # Fewer where something of an earlier test has ended meanwhile.
    wait_until(lambda: len(os.listdir("/proc/self/fd")) <= descriptors)
    wait_until(lambda: threading.active_count() <= threads)


def test_a_node_that_hangs_is_given_up(folder: Path) -> None:
    with socket.socket(socket.AF_UNIX) as silent:
        silent.bind(str(folder / "x.sock"))
        silent.listen()
        with (
            ControlClient.connect(folder / "x.sock", timeout=0.1) as client,
            pytest.raises(ControlError, match="does not answer"),
        ):
            client.view()


@pytest.mark.parametrize("reply", [b"\xff\xff\xff\xff", said(b"HTTP/1.1 400"), said(b""), b"\0", b""])
def test_what_is_no_answer_is_an_error(folder: Path, reply: bytes) -> None:
    with socket.socket(socket.AF_UNIX) as liar:
        liar.bind(str(folder / "x.sock"))
        liar.listen()
        with ControlClient.connect(folder / "x.sock") as client:
            connection, _ = liar.accept()
            connection.sendall(reply)
            connection.shutdown(socket.SHUT_WR)
            with pytest.raises(ControlError):
                client.view()
            connection.close()


@pytest.mark.parametrize("name", ["none.sock", "x" * 200, "a\0b"])
def test_where_no_node_listens_is_an_error(folder: Path, name: str) -> None:
    with pytest.raises(ControlError):
        ControlClient.connect(folder / name)


def test_another_thread_may_end_the_waiting(folder: Path) -> None:
    with socket.socket(socket.AF_UNIX) as silent:
        silent.bind(str(folder / "x.sock"))
        silent.listen()
        client = ControlClient.connect(folder / "x.sock", timeout=60)
        threading.Timer(0.1, client.close).start()
        with pytest.raises(ControlError):
            client.view()


def test_running_nodes_are_found_by_name_and_pid(environ: dict[str, str]) -> None:
    folder = folder_for_sockets(environ)
    names = ("yard-2", "gate", "gate", "../t ür")
    servers = [ControlServer(name, lambda _: FULL, folder=folder) for name in names]
    for server in servers:
        server.start()
    found = find_nodes(environ)
    assert [address.name for address in found] == ["_t__r", "gate", "gate", "yard-2"]
    assert {address.pid for address in found} == {os.getpid()}
    assert {address.path for address in found} == {server.path for server in servers}
    for server in servers:
        server.close()
    assert find_nodes(environ) == []


def test_nodes_without_a_runtime_folder_are_found_too(environ: dict[str, str]) -> None:
    server = ControlServer("service", lambda _: FULL, folder=folder_for_sockets({}))
    server.start()
    assert [address.name for address in find_nodes(environ)] == ["service"]
    server.close()


def test_sockets_of_dead_nodes_are_cleared_away(environ: dict[str, str]) -> None:
    folder = folder_for_sockets(environ)
    dead = subprocess.Popen([sys.executable, "-c", ""])
    dead.wait()
    stale, fresh = folder / f"gone-{dead.pid}.sock", folder / f"soon-{os.getpid()}.sock"
    for path in (stale, fresh):
        with socket.socket(socket.AF_UNIX) as left:
            left.bind(str(path))
    (folder / "notes-1.sock").write_text("not a socket")
    assert find_nodes(environ) == []
    assert not stale.exists()
    assert fresh.exists()  # its process lives, and may be about to listen
    assert (folder / "notes-1.sock").exists()


def test_a_socket_that_answers_is_kept_though_its_process_seems_dead(
    environ: dict[str, str],
) -> None:
    folder = folder_for_sockets(environ)
    with socket.socket(socket.AF_UNIX) as elsewhere:
        elsewhere.bind(str(folder / f"contained-{2**22 - 1}.sock"))
        elsewhere.listen()
        assert [address.name for address in find_nodes(environ)] == ["contained"]


def test_a_node_takes_the_place_of_a_dead_one_with_its_pid(folder: Path) -> None:
    with socket.socket(socket.AF_UNIX) as left:
        left.bind(str(folder / f"lab-{os.getpid()}.sock"))
    server = ControlServer("lab", lambda _: FULL, folder=folder)
    server.start()
    assert server.path == folder / f"lab-{os.getpid()}.sock"
    assert still_answers(server)
    server.close()


def test_the_folder_is_private_and_made_so(environ: dict[str, str], tmp_path: Path) -> None:
    folder = folder_for_sockets(environ)
    assert folder == tmp_path / "vedette"
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    folder.chmod(0o755)
    assert stat.S_IMODE(folder_for_sockets(environ).stat().st_mode) == 0o700
    assert folder_for_sockets({}) == tmp_path / f"vedette-{os.geteuid()}"
    assert folder_for_sockets({"XDG_RUNTIME_DIR": "relative"}) == tmp_path / f"vedette-{os.geteuid()}"
    assert folder_for_sockets({"XDG_RUNTIME_DIR": "/nowhere"}) == tmp_path / f"vedette-{os.geteuid()}"


def test_a_link_or_a_file_in_its_place_is_refused(environ: dict[str, str], tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    place = tmp_path / "vedette"
    place.symlink_to(tmp_path / "elsewhere")
    with pytest.raises(ControlError, match="is not a folder"):
        folder_for_sockets(environ)
    assert find_nodes(environ) == []
    place.unlink()
    place.touch()
    with pytest.raises(ControlError, match="is not a folder"):
        folder_for_sockets(environ)


def test_a_folder_of_somebody_else_is_refused(
    environ: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder_for_sockets({})
    mine = tmp_path / f"vedette-{os.geteuid()}"
    # The folder stays, and another user looks at it.
    other = os.geteuid() + 1
    mine.rename(tmp_path / f"vedette-{other}")
    monkeypatch.setattr(os, "geteuid", lambda: other)
    with pytest.raises(ControlError, match="belongs to somebody else"):
        folder_for_sockets(environ)
    assert find_nodes(environ) == []


def test_too_long_a_path_is_an_error(tmp_path: Path) -> None:
    deep = tmp_path / ("d" * 110)
    deep.mkdir()
    with pytest.raises(ControlError, match="too long"):
        socket_path(deep, "lab", 1)
