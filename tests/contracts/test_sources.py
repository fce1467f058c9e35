"""What every source promises, whatever it reads and however."""

from __future__ import annotations

import asyncio
import contextlib
import http.server
import subprocess
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractContextManager, asynccontextmanager, contextmanager
from functools import partial
from pathlib import Path

import pytest

from ingest_media import Notebook, ffmpeg, make_clip
from patience import PATIENCE_S
from servers import FFMPEG, MediaMTX, free_port
from vedette.clock import SystemClock
from vedette.facts import EndReason, SessionEnd
from vedette.frame import Rung
from vedette.ingest.select import make_source
from vedette.ingest.source import Source

ENOUGH = 12
"""Frames: with a keyframe every five, at least two of those are among them."""

PATIENT = {"connect_timeout": PATIENCE_S, "first_frame_timeout": PATIENCE_S, "stall_after": PATIENCE_S}

Opener = Callable[[], Source]


@pytest.fixture(autouse=True)
def _threads_may_take_long_to_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("vedette.ingest.container_thread._GRACE", PATIENCE_S)
    monkeypatch.setattr("vedette.ingest.container_thread._SLACK", PATIENCE_S)


class QuietHandler(http.server.SimpleHTTPRequestHandler):
    """Serves a folder; ``/camera`` is a multipart MJPEG camera that never ends."""

    jpeg = b""

    def do_GET(self) -> None:
        if not self.path.startswith("/camera"):
            return super().do_GET()
        self.send_response(200)
        self.send_header("Content-Type", "multipart/x-mixed-replace; boundary=frame")
        self.end_headers()
        pause = threading.Event()
        part = b"--frame\r\nContent-Type: image/jpeg\r\nContent-Length: %d\r\n\r\n" % len(self.jpeg)
        with contextlib.suppress(OSError):
            while True:
                self.wfile.write(part + self.jpeg + b"\r\n")
                pause.wait(0.02)

    def log_message(self, format: str, *args: object) -> None:
        pass


class QuietServer(http.server.ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: object, client_address: object) -> None:
        pass  # clients of these tests leave in the middle


@contextmanager
def web(folder: Path) -> Iterator[str]:
    server = QuietServer(("127.0.0.1", 0), partial(QuietHandler, directory=str(folder)))
    thread = threading.Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_clip(tmp_path_factory.mktemp("clip"), "h264.mp4", "-g", "5", frames=100)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory, clip: Path) -> Iterator[MediaMTX]:
    with MediaMTX(tmp_path_factory.mktemp("server")) as running:
        running.publish("cam", "-re", "-stream_loop", "-1", "-i", clip, "-c", "copy")
        yield running


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory, clip: Path) -> Iterator[str]:
    folder = tmp_path_factory.mktemp("site")
    ffmpeg("-i", clip, "-c", "copy", "-f", "hls", "-hls_time", 1, "-hls_list_size", 0, folder / "list.m3u8")
    ffmpeg("-i", clip, "-frames:v", 1, folder / "one.jpg")
    QuietHandler.jpeg = (folder / "one.jpg").read_bytes()
    with web(folder) as address:
        yield address


@contextmanager
def one_to_one(clip: Path, kind: str) -> Iterator[str]:
    """ffmpeg as a server of one connection, started anew after each."""
    port, stop = free_port(), threading.Event()
    url = {"mpegts": f"tcp://127.0.0.1:{port}", "flv": f"rtmp://127.0.0.1:{port}/live/cam"}[kind]
    command = [FFMPEG, "-loglevel", "quiet", "-re", "-stream_loop", "-1", "-i", str(clip), "-c", "copy"]
    command += ["-f", kind, "-listen", "1", url]
    running: list[subprocess.Popen[bytes]] = []

    def keep_serving() -> None:
        while not stop.is_set():
            running[:] = [subprocess.Popen(command, stdin=subprocess.DEVNULL)]
            running[0].wait()

    thread = threading.Thread(target=keep_serving)
    thread.start()
    try:
        yield url
    finally:
        stop.set()
        while thread.is_alive():
            for process in running:
                process.kill()
            thread.join(0.05)


@pytest.fixture(
    params=["rtsp-tcp", "rtsp-udp", "hls", "mjpeg-over-http", "mpegts-over-tcp", "paced-file", "file"]
)
def opener(request: pytest.FixtureRequest, clip: Path) -> Iterator[Opener]:
    """Makes sources of one kind, all of the same running stream."""
    kind = request.param
    served: AbstractContextManager[str] = contextlib.nullcontext("")
    more: dict[str, object] = {}
    if kind.startswith("rtsp"):
        url = request.getfixturevalue("server").url("cam")
        more = {"transport": kind.removeprefix("rtsp-")}
    elif kind == "hls":
        url = request.getfixturevalue("site") + "/list.m3u8"
    elif kind == "mjpeg-over-http":
        url = request.getfixturevalue("site") + "/camera"
    elif kind in {"mpegts-over-tcp", "rtmp"}:
        served, url = one_to_one(clip, "flv" if kind == "rtmp" else "mpegts"), ""
    else:
        url, more = str(clip), {"pace": kind == "paced-file", "loop": True}
    with served as address:
        yield lambda: make_source(url or address, clock=SystemClock(), **PATIENT, **more)  # type: ignore[arg-type]


async def enough_or_ended(notebook: Notebook, task: asyncio.Task[SessionEnd]) -> None:
    while not notebook.enough.is_set() and not task.done():  # set by another thread
        await asyncio.sleep(0.01)


@asynccontextmanager
async def session(source: Source, notebook: Notebook) -> AsyncIterator[asyncio.Task[SessionEnd]]:
    """A session that has told of enough frames, or ended."""
    task = asyncio.create_task(source.run(notebook))
    try:
        await enough_or_ended(notebook, task)
        yield task
    finally:
        task.cancel()
        await asyncio.wait({task}, timeout=PATIENCE_S)


async def watch(opener: Opener, notebook: Notebook) -> None:
    """Run until enough was told; connections that come too early are made again."""
    source = opener()
    for _ in range(100):
        async with session(source, notebook):
            pass
        if notebook.enough.is_set():
            return
        await asyncio.sleep(0.1)
    raise AssertionError("no frames came")


async def test_says_once_what_it_opened_before_the_first_frame(opener: Opener) -> None:
    notebook = Notebook(count=ENOUGH)
    await watch(opener, notebook)
    assert len(notebook.infos) == 1
    assert notebook.infos[0].codec in {"h264", "mjpeg"}
    assert notebook.frames_before_opened == 0
    assert len(notebook.threads) == 1


async def test_gives_frames_with_growing_time_and_flags_keyframes(opener: Opener) -> None:
    notebook = Notebook(count=ENOUGH)
    await watch(opener, notebook)
    pts = [frame.pts for frame in notebook.frames]
    assert pts == sorted(set(pts))
    arrivals = [frame.arrived for frame in notebook.frames]
    assert arrivals == sorted(arrivals)
    assert any(frame.keyframe for frame in notebook.frames)
    intra_only = notebook.infos[0].codec == "mjpeg"
    assert all(frame.keyframe for frame in notebook.frames) == intra_only


async def test_leaves_out_what_the_rung_leaves_out_and_counts_it(opener: Opener) -> None:
    notebook = Notebook(rung=Rung.KEYFRAMES, count=ENOUGH)
    await watch(opener, notebook)
    assert all(frame.keyframe for frame in notebook.frames)
    intra_only = notebook.infos[0].codec == "mjpeg"
    assert (notebook.left_out == 0) == intra_only
    assert len(notebook.frames) >= 2


async def test_paused_delivers_nothing_and_counts_everything(opener: Opener) -> None:
    notebook = Notebook(rung=Rung.PAUSED, count=ENOUGH)
    await watch(opener, notebook)
    assert notebook.frames == []
    # Who joins in the middle of a frame sees that one broken.
    assert notebook.told >= ENOUGH
    assert notebook.left_out >= ENOUGH - 1


async def test_cancelling_ends_it_and_leaves_no_thread(opener: Opener) -> None:
    before = set(threading.enumerate())
    notebook = Notebook(count=ENOUGH)
    source = opener()
    task = asyncio.create_task(source.run(notebook))
    await enough_or_ended(notebook, task)
    while task.done():  # a connection that came too early
        task = asyncio.create_task(source.run(notebook))
        await enough_or_ended(notebook, task)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asyncio.wait_for(task, PATIENCE_S)
    told = notebook.told
    await asyncio.sleep(0.1)
    assert notebook.told == told
    started = {thread.name for thread in set(threading.enumerate()) - before}
    assert not {name for name in started if name.startswith(("demux", "clips"))}


async def test_is_used_for_many_sessions(opener: Opener) -> None:
    source = opener()
    for _ in range(2):
        await watch(lambda: source, Notebook(count=5))


@pytest.mark.parametrize(
    ("url", "options", "reasons"),
    [
        ("rtsp://127.0.0.1:{closed}/cam", {}, {EndReason.REFUSED}),
        ("rtsp://127.0.0.1:{closed}/cam", {"transport": "udp"}, {EndReason.REFUSED}),
        ("http://127.0.0.1:{closed}/cam", {}, {EndReason.REFUSED}),
        ("rtmp://127.0.0.1:{closed}/live/cam", {}, {EndReason.REFUSED}),
        ("http://no-such-host.invalid/cam", {}, {EndReason.NAME_UNKNOWN}),
        ("rtsp://no-such-host.invalid/cam", {}, {EndReason.NAME_UNKNOWN}),
        ("rtsp://no-such-host.invalid/cam", {"transport": "udp"}, {EndReason.NAME_UNKNOWN}),
        ("{site}/missing.m3u8", {}, {EndReason.REFUSED}),
        ("{rtsp}/missing", {}, {EndReason.REFUSED}),
        ("{rtsp}/missing", {"transport": "udp"}, {EndReason.REFUSED}),
        ("bogus://127.0.0.1/cam", {}, {EndReason.UNSUPPORTED}),
        ("/no/such/clip.mp4", {}, {EndReason.UNREACHABLE}),
        ("/dev/video-none", {}, {EndReason.UNREACHABLE}),
    ],
)
async def test_says_why_it_could_not_open(
    server: MediaMTX, site: str, url: str, options: dict[str, str], reasons: set[EndReason]
) -> None:
    url = url.format(closed=free_port(), site=site, rtsp=f"rtsp://127.0.0.1:{server.port}")
    source = make_source(url, clock=SystemClock(), **PATIENT, **options)  # type: ignore[arg-type]
    notebook = Notebook()
    end = await source.run(notebook)
    assert end.reason in reasons, end
    assert notebook.infos == []


@pytest.mark.parametrize("transport", ["tcp", "udp"])
async def test_a_wrong_password_is_unauthorised_and_never_shown(
    tmp_path: Path, transport: str, capfd: pytest.CaptureFixture[str]
) -> None:
    with MediaMTX(tmp_path, user="viewer", password="right") as locked:
        url = locked.url("cam", "viewer:hunter2")
        source = make_source(url, clock=SystemClock(), transport=transport, **PATIENT)
        end = await source.run(Notebook())
    assert end.reason is EndReason.UNAUTHORISED
    captured = capfd.readouterr()
    assert "hunter2" not in end.detail + captured.out + captured.err


@pytest.mark.parametrize("transport", ["tcp", "udp"])
async def test_a_right_password_opens(tmp_path: Path, clip: Path, transport: str) -> None:
    with MediaMTX(tmp_path, user="viewer", password="p@ss") as locked:
        locked.publish("cam", "-re", "-stream_loop", "-1", "-i", clip, "-c", "copy")
        url = locked.url("cam", "viewer:p%40ss")
        source = make_source(url, clock=SystemClock(), transport=transport, **PATIENT)
        await watch(lambda: source, Notebook(count=3))


async def test_a_codec_that_our_rtsp_client_does_not_read_is_read_all_the_same(
    server: MediaMTX, tmp_path: Path
) -> None:
    video = make_clip(tmp_path, "vp9.webm", frames=50)
    server.publish("vp9", "-re", "-stream_loop", "-1", "-i", video, "-c", "copy", "-strict", "-2")
    source = make_source(server.url("vp9"), clock=SystemClock(), **PATIENT)
    notebook = Notebook(count=5)
    await watch(lambda: source, notebook)
    assert notebook.infos[0].codec == "vp9"


async def test_hls_comes_in_lumps_and_is_given_out_evenly(site: str) -> None:
    notebook = Notebook(count=30)
    await watch(lambda: make_source(f"{site}/list.m3u8", clock=SystemClock(), **PATIENT), notebook)
    first, last = notebook.frames[0], notebook.frames[-1]
    # The first may have come late on a busy machine. In lumps, all of them would have come at once.
    assert last.arrived - notebook.opened_at > (last.pts - first.pts) / 4
