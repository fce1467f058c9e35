"""``vedette check``: load the detector, open every camera, and say what works."""

from __future__ import annotations

import asyncio
import threading
import time
from dataclasses import dataclass
from typing import Any

from rich.table import Table
from rich.text import Text

from vedette.clock import SystemClock
from vedette.config import Camera, Config
from vedette.errors import DetectorError, SourceError, VedetteError, redact
from vedette.frame import EncodedFrame, Rung, StreamInfo
from vedette.ingest.decode import DecodeFailed, Decoder
from vedette.ingest.select import make_source

__all__ = ["CheckLine", "check", "exit_code", "render"]

AT_ONCE = 32
"""Sessions that are opened together; a switch that just rebooted should not get a thousand."""
FIRST_PICTURE_S = 5.0
"""On top of the connect timeout: most cameras send a keyframe every one to four seconds."""
LOAD_DETECTOR_S = 120.0


@dataclass(frozen=True, slots=True)
class CheckLine:
    """What was found out about one part. ``codec`` and ``size`` are empty where they do not apply."""

    part: str
    """``detector`` or ``camera``."""
    name: str
    ok: bool
    message: str
    codec: str = ""
    size: str = ""


def check(config: Config, *, connect: bool = True) -> list[CheckLine]:
    """Try the detector on a grey picture, and (``connect``) wait for a picture of each enabled camera."""
    return asyncio.run(_check(config, connect))


def exit_code(lines: list[CheckLine]) -> int:
    """0 when all is well; else that of the error a run would end with or suffer from."""
    bad = {line.part for line in lines if not line.ok}
    if "detector" in bad:
        return DetectorError.exit_code
    return SourceError.exit_code if bad else 0


def render(lines: list[CheckLine]) -> Table:
    """The lines as a table for people."""
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="bold dim")
    for title in ("", "name", "codec", "size", "result"):
        table.add_column(title, overflow="fold")
    for line in lines:
        mark = Text("✓", style="green") if line.ok else Text("✗", style="bold red")
        message = Text(line.message, style="" if line.ok else "red")
        name = Text(line.name if line.part == "camera" else line.part)
        table.add_row(mark, name, Text(line.codec), Text(line.size), message)
    return table


async def _check(config: Config, connect: bool) -> list[CheckLine]:
    detector = asyncio.create_task(_check_detector(config))
    places = asyncio.Semaphore(AT_ONCE)

    async def one(name: str, camera: Camera) -> CheckLine:
        async with places:
            return await _check_camera(name, camera)

    cameras = [one(name, camera) for name, camera in config.cameras.items() if connect and camera.enabled]
    found = await asyncio.gather(*cameras)
    return [await detector, *found]


async def _check_detector(config: Config) -> CheckLine:
    limit = LOAD_DETECTOR_S + config.detector.timeout
    loop = asyncio.get_running_loop()
    done: asyncio.Future[CheckLine] = loop.create_future()

    def finish(line: CheckLine) -> None:
        if not done.done():
            done.set_result(line)

    def work() -> None:
        line = _try_detector(config)
        try:
            loop.call_soon_threadsafe(finish, line)
        except RuntimeError:
            pass  # the loop is closed: it took too long, and that was said

    # A daemon: a detector that hangs for ever must not keep the process from ending.
    threading.Thread(target=work, name="check detector", daemon=True).start()
    try:
        return await asyncio.wait_for(done, limit)
    except TimeoutError:
        return CheckLine("detector", "detector", False, f"was not done after {limit:.0f} s")


def _try_detector(config: Config) -> CheckLine:
    from vedette.infer.load import load_detector  # brings the runtimes
    from vedette.tasks import detector_spec

    try:
        detector = load_detector(detector_spec(config))
        detector.warm_up()
        began = time.monotonic()
        detector.warm_up()
    except VedetteError as error:
        return CheckLine("detector", "detector", False, redact(str(error)))
    took_ms = (time.monotonic() - began) * 1000
    return CheckLine("detector", "detector", True, f"{detector.describe} · {took_ms:.0f} ms a picture")


async def _check_camera(name: str, camera: Camera) -> CheckLine:
    clock = SystemClock()
    source = make_source(
        camera.url,
        clock=clock,
        transport="udp" if camera.transport == "udp" else "tcp",
        pace=False,
        options=dict(camera.options),
        connect_timeout=camera.connect_timeout,
        stall_after=camera.hang_up_after,
    )
    receiver = _FirstPicture(asyncio.get_running_loop())
    limit, began = camera.connect_timeout + FIRST_PICTURE_S, clock.monotonic()
    session = asyncio.create_task(source.run(receiver))
    either: set[asyncio.Future[Any]] = {session, receiver.picture}
    await asyncio.wait(either, timeout=limit, return_when=asyncio.FIRST_COMPLETED)
    took = clock.monotonic() - began
    ended = session.done()
    session.cancel()
    (end,) = await asyncio.gather(session, return_exceptions=True)
    if receiver.picture.done():
        size = "{}x{}".format(*receiver.picture.result())
        return CheckLine("camera", name, True, f"first picture after {took:.1f} s", receiver.codec, size)
    if ended and not isinstance(end, BaseException):
        why = f"{end.reason.value}: {end.detail}" if end.detail else str(end.reason.value)
    else:
        why = receiver.trouble or f"no picture within {limit:.0f} s"
    return CheckLine("camera", name, False, redact(why), receiver.codec)


class _FirstPicture:
    """A receiver that decodes until one picture has come out. Called from the source's thread or the loop."""

    rung = Rung.ALL

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self.picture: asyncio.Future[tuple[int, int]] = loop.create_future()
        self.codec = self.trouble = ""
        self._loop = loop
        self._decoder: Decoder | None = None
        self._seq = 0

    def opened(self, info: StreamInfo) -> None:
        self.codec = info.codec
        try:
            self._decoder = Decoder(info)
        except SourceError as error:
            self.trouble = str(error)

    def frame(self, frame: EncodedFrame) -> None:
        if self._decoder is None or self.picture.done() or not self._decoder.wants(frame):
            return
        self._seq += 1
        try:
            pictures = self._decoder.decode(frame, self._seq)
        except DecodeFailed as failed:
            self.trouble = f"frames arrive, but cannot be decoded: {failed}"
            pictures = failed.frames
        if pictures:
            self._loop.call_soon_threadsafe(self._finish, (pictures[0].width, pictures[0].height))

    def skipped(self, count: int = 1, *, behind: bool = False) -> None:
        pass

    def broken(self, count: int = 1) -> None:
        self.trouble = "frames arrive, but parts of them are missing"

    def lost(self, packets: int) -> None:
        pass

    def _finish(self, size: Any) -> None:
        if not self.picture.done():
            self.picture.set_result(size)
