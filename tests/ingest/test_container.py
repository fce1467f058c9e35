"""Network sources through libavformat: how they end, and that they can always be made to end."""

from __future__ import annotations

import asyncio
import socket
import struct
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import av
import pytest

from ingest_media import Notebook, make_clip
from patience import NEVER_S, PATIENCE_S
from vedette.causes import Blame
from vedette.clock import SystemClock
from vedette.facts import EndReason, SessionEnd
from vedette.ingest.container import ContainerSource
from vedette.ingest.container_thread import Stop, run_in_thread
from vedette.web.api.sources import NO_REDIRECTS

Behaviour = Callable[[socket.socket, threading.Event], None]


@pytest.fixture(autouse=True)
def _threads_may_take_long_to_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("vedette.ingest.container_thread._GRACE", PATIENCE_S)
    monkeypatch.setattr("vedette.ingest.container_thread._SLACK", PATIENCE_S)


@contextmanager
def server(behaviour: Behaviour) -> Iterator[int]:
    """A TCP server on which each connection is treated by ``behaviour``, until the test is over."""
    over, threads = threading.Event(), []

    def treat(connection: socket.socket) -> None:
        with connection:
            try:
                behaviour(connection, over)
            except OSError:
                pass  # the client left first

    def accept() -> None:
        while not over.is_set():
            try:
                connection, _ = listening.accept()
            except TimeoutError:
                continue
            threads.append(threading.Thread(target=treat, args=(connection,)))
            threads[-1].start()

    with closing(socket.create_server(("127.0.0.1", 0))) as listening:
        listening.settimeout(0.05)
        threads.append(threading.Thread(target=accept))
        threads[0].start()
        try:
            yield listening.getsockname()[1]
        finally:
            over.set()
            for thread in threads:
                thread.join()


def silent(connection: socket.socket, over: threading.Event) -> None:
    over.wait()


def answers(status: str) -> Behaviour:
    def answer(connection: socket.socket, over: threading.Event) -> None:
        connection.recv(4096)
        connection.sendall(f"HTTP/1.1 {status}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n".encode())

    return answer


def sends(body: bytes, *, then_silent: bool, length: int | None = None) -> Behaviour:
    measure = f"Content-Length: {length}\r\n" if length else ""

    def send(connection: socket.socket, over: threading.Event) -> None:
        connection.recv(4096)
        connection.sendall(f"HTTP/1.1 200 OK\r\n{measure}Connection: close\r\n\r\n".encode() + body)
        if then_silent:
            over.wait()

    return send


@pytest.fixture(scope="module")
def ts(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    return make_clip(tmp_path_factory.mktemp("ts"), "h264.ts", frames=60).read_bytes()


def source(url: str, *, stall_after: float = NEVER_S, connect_timeout: float = NEVER_S) -> ContainerSource:
    return ContainerSource(url, clock=SystemClock(), stall_after=stall_after, connect_timeout=connect_timeout)


async def end_when(
    behaviour: Behaviour, *, notebook: Notebook | None = None, **timeouts: float
) -> SessionEnd:
    with server(behaviour) as port:
        url = f"http://user:hunter2@127.0.0.1:{port}/cam?token=hunter2"
        return await source(url, **timeouts).run(notebook or Notebook())


@pytest.mark.parametrize(
    ("status", "reason"),
    [
        ("401 Unauthorized", EndReason.UNAUTHORISED),
        ("403 Forbidden", EndReason.REFUSED),
        ("404 Not Found", EndReason.REFUSED),
        ("429 Too Many Requests", EndReason.REFUSED),
        ("500 Internal Server Error", EndReason.REFUSED),
        ("503 Service Unavailable", EndReason.REFUSED),
    ],
)
async def test_http_answers_become_reasons_and_show_no_secret(
    status: str, reason: EndReason, capfd: pytest.CaptureFixture[str]
) -> None:
    end = await end_when(answers(status))
    assert end.reason is reason
    captured = capfd.readouterr()
    assert "hunter2" not in end.detail + captured.out + captured.err
    assert "127.0.0.1" in end.detail


async def test_a_playlist_names_no_file_of_this_machine(ts: bytes, tmp_path: Path) -> None:
    """Over HTTP libavformat sees to it by itself, over TCP it does not."""
    here = tmp_path / "here.ts"
    here.write_bytes(ts)
    lines = ("#EXTM3U", "#EXT-X-TARGETDURATION:2", "#EXTINF:2.0,", f"file://{here}", "#EXT-X-ENDLIST", "")

    def sends_list(connection: socket.socket, over: threading.Event) -> None:
        connection.sendall("\n".join(lines).encode())

    notebook = Notebook()
    with server(sends_list) as port:
        await source(f"tcp://127.0.0.1:{port}/list.m3u8").run(notebook)
    assert notebook.told == 0


async def test_an_address_that_was_allowed_leads_nowhere_else(ts: bytes) -> None:
    led: list[bytes] = []

    def elsewhere(connection: socket.socket, over: threading.Event) -> None:
        led.append(connection.recv(4096))
        connection.sendall(b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n" + ts)

    with server(elsewhere) as secret:

        def sends_there(connection: socket.socket, over: threading.Event) -> None:
            connection.recv(4096)
            there = f"http://127.0.0.1:{secret}/latest/meta-data"
            connection.sendall(
                f"HTTP/1.1 302 Found\r\nLocation: {there}\r\nConnection: close\r\n\r\n".encode()
            )

        for options, found in ((NO_REDIRECTS, 0), ({}, 1)):
            with server(sends_there) as port:
                await ContainerSource(
                    f"http://127.0.0.1:{port}/cam", clock=SystemClock(), options=dict(options)
                ).run(Notebook())
            assert len(led) == found


async def test_rubbish_is_corrupt() -> None:
    rubbish = b"this is no video " * 1000
    end = await end_when(sends(rubbish, then_silent=False, length=len(rubbish)))
    assert end.reason is EndReason.CORRUPT


async def test_a_stream_of_known_length_that_is_over_has_ended(ts: bytes) -> None:
    notebook = Notebook()
    end = await end_when(sends(ts, then_silent=False, length=len(ts)), notebook=notebook)
    assert end.reason is EndReason.ENDED
    assert notebook.told == 60


@pytest.mark.parametrize("behaviour", ["closed", "reset", "short"])
async def test_a_stream_that_is_cut_off_is_lost(ts: bytes, behaviour: str) -> None:
    def reset(connection: socket.socket, over: threading.Event) -> None:
        sends(ts, then_silent=False)(connection, over)
        linger_for_nothing = struct.pack("ii", 1, 0)
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger_for_nothing)

    behaviours = {
        "closed": sends(ts, then_silent=False),
        "reset": reset,
        "short": sends(ts, then_silent=False, length=len(ts) * 2),
    }
    notebook = Notebook()
    end = await end_when(behaviours[behaviour], notebook=notebook)
    assert end.reason is EndReason.CONNECTION_LOST, end


async def test_the_end_of_a_bare_connection_is_no_goodbye(ts: bytes) -> None:
    def pour(connection: socket.socket, over: threading.Event) -> None:
        connection.sendall(ts)

    notebook = Notebook()
    with server(pour) as port:
        end = await source(f"tcp://127.0.0.1:{port}").run(notebook)
    assert (end.reason, notebook.told) == (EndReason.CONNECTION_LOST, 60)


@pytest.mark.parametrize(
    ("scheme", "reason"),
    [
        ("http", EndReason.REFUSED),
        ("rtmp", EndReason.REFUSED),
        ("https", EndReason.TLS),
        ("rtsps", EndReason.TLS),
        ("rtmps", EndReason.TLS),
    ],
)
async def test_a_server_that_hangs_up_at_once(scheme: str, reason: EndReason) -> None:
    def read_and_leave(connection: socket.socket, over: threading.Event) -> None:
        connection.recv(4096)

    with server(read_and_leave) as port:
        end = await source(f"{scheme}://127.0.0.1:{port}/live/cam").run(Notebook())
    assert end.reason is reason, end


async def test_plain_text_where_encryption_was_asked_for_is_a_matter_of_tls() -> None:
    def plain(connection: socket.socket, over: threading.Event) -> None:
        connection.recv(4096)
        connection.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")

    with server(plain) as port:
        end = await source(f"https://127.0.0.1:{port}/cam").run(Notebook())
    assert end.reason is EndReason.TLS


@pytest.mark.parametrize("playing", [True, False])
async def test_it_can_be_hung_up_while_it_opens_and_while_it_reads(ts: bytes, playing: bool) -> None:
    notebook = Notebook(count=50)
    with server(sends(ts, then_silent=True) if playing else silent) as port:
        camera = source(f"http://127.0.0.1:{port}/cam")
        camera.hang_up(EndReason.STALLED, "nobody runs yet")
        task = asyncio.create_task(camera.run(notebook))
        if playing:
            assert await asyncio.to_thread(notebook.enough.wait, PATIENCE_S)
        else:
            await asyncio.sleep(0.2)
        camera.hang_up(EndReason.STALLED, "no picture", Blame.CAMERA)
        camera.hang_up(EndReason.CORRUPT, "the second word")
        end = await asyncio.wait_for(task, PATIENCE_S)
        assert end == SessionEnd(EndReason.STALLED, "no picture", Blame.CAMERA)
        camera.hang_up(EndReason.CORRUPT, "it has ended")
        assert (camera.evidence(), camera.probe()) == (None, None)
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("demux")]


async def test_its_patience_may_change_while_it_waits(ts: bytes) -> None:
    notebook = Notebook(count=50)
    with server(sends(ts, then_silent=True)) as port:
        camera = source(f"http://127.0.0.1:{port}/cam")
        task = asyncio.create_task(camera.run(notebook))
        assert await asyncio.to_thread(notebook.enough.wait, PATIENCE_S)
        camera.stall_after = 0.3
        assert (await asyncio.wait_for(task, PATIENCE_S)).reason is EndReason.STALLED
    with server(silent) as port:
        camera = source(f"http://127.0.0.1:{port}/cam")
        task = asyncio.create_task(camera.run(Notebook()))
        await asyncio.sleep(0.2)
        camera.connect_timeout = 0.3
        assert (await asyncio.wait_for(task, PATIENCE_S)).reason is EndReason.UNREACHABLE


async def test_a_stream_that_goes_silent_has_stalled(ts: bytes) -> None:
    notebook = Notebook(count=51)
    with server(sends(ts, then_silent=True)) as port:
        camera = source(f"http://127.0.0.1:{port}/cam")
        task = asyncio.create_task(camera.run(notebook))
        # Before that it is the machine that may stall.
        assert await asyncio.to_thread(notebook.enough.wait, PATIENCE_S)
        camera.stall_after = 0.5
        end = await asyncio.wait_for(task, PATIENCE_S)
    assert end.reason is EndReason.STALLED
    assert "nothing came for 0.5 s" in end.detail
    assert notebook.told > 50


@pytest.mark.parametrize("scheme", ["http", "rtsp", "rtmp", "tcp"])
async def test_a_server_that_never_answers_is_unreachable(scheme: str) -> None:
    with server(silent) as port:
        end = await source(f"{scheme}://127.0.0.1:{port}/live/cam", connect_timeout=0.5).run(Notebook())
    assert end.reason is EndReason.UNREACHABLE


@pytest.mark.parametrize("scheme", ["http", "rtsp", "rtmp", "tcp", "udp"])
async def test_cancelling_gets_it_out_of_a_blocked_open(scheme: str) -> None:
    with server(silent) as port:
        task = asyncio.create_task(source(f"{scheme}://127.0.0.1:{port}/live/cam").run(Notebook()))
        await asyncio.sleep(0.3)
        await assert_cancels(task)


async def test_cancelling_gets_it_out_of_a_blocked_read(ts: bytes) -> None:
    notebook = Notebook(count=50)
    with server(sends(ts, then_silent=True)) as port:
        task = asyncio.create_task(source(f"http://127.0.0.1:{port}/cam").run(notebook))
        assert await asyncio.to_thread(notebook.enough.wait, PATIENCE_S)
        await assert_cancels(task)


async def assert_cancels(task: asyncio.Task[SessionEnd]) -> None:
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    demuxing = [thread for thread in threading.enumerate() if thread.name.startswith("demux")]
    for thread in demuxing:
        # It has said its last word, and may not have had a core since.
        await asyncio.to_thread(thread.join, PATIENCE_S)
    assert not [thread for thread in demuxing if thread.is_alive()]


def open_files() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


async def test_fifty_sessions_leave_no_thread_and_no_file_open(ts: bytes) -> None:
    with server(sends(ts, then_silent=True)) as port:
        camera = source(f"http://127.0.0.1:{port}/cam")
        before = open_files()
        for _ in range(50):
            notebook = Notebook(count=3)
            task = asyncio.create_task(camera.run(notebook))
            assert await asyncio.to_thread(notebook.enough.wait, PATIENCE_S)
            await assert_cancels(task)
    # The server's own ends of the connections close with it.
    assert open_files() <= before


async def test_what_it_reads_has_the_times_at_which_it_was_read(ts: bytes) -> None:
    notebook, began = Notebook(), time.monotonic()
    await end_when(sends(ts, then_silent=False), notebook=notebook)
    assert all(began <= frame.arrived <= time.monotonic() for frame in notebook.frames)


async def test_a_call_that_nothing_interrupts_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("vedette.ingest.container_thread._GRACE", 0.1)
    release = threading.Event()

    def stuck(stop: Stop) -> SessionEnd:
        stop.allow(lambda: -NEVER_S)  # overdue already, by far
        release.wait()
        return SessionEnd(EndReason.ENDED)

    end = await run_in_thread("demux stuck", stuck)
    release.set()
    assert end.reason is EndReason.STALLED


async def test_a_call_that_begins_only_after_it_should_have_ended_ends_all_the_same() -> None:
    ended: list[str] = []

    def late(stop: Stop) -> SessionEnd:
        stop.set()
        try:
            av.open(f"http://127.0.0.1:{port}/", timeout=NEVER_S).close()
        except av.error.FFmpegError as err:
            ended.append(type(err).__name__)
        return SessionEnd(EndReason.ENDED)

    with server(silent) as port:
        end = await run_in_thread("demux late", late)
    assert (end.reason, len(ended)) == (EndReason.ENDED, 1)
