"""Files and folders of clips: paced like a live camera, or as fast as the receiver takes them."""

from __future__ import annotations

import glob
import re
from pathlib import Path
from typing import Any

import av

from vedette.clock import Clock
from vedette.facts import EndReason, SessionEnd
from vedette.ingest.container import InputError, deliver, end_of, open_video, stream_info
from vedette.ingest.container_gate import RungGate
from vedette.ingest.container_pace import Pacer
from vedette.ingest.container_thread import Stop, run_in_thread
from vedette.ingest.source import Receiver

__all__ = ["FileSource", "clips_at"]

_KINDS = (
    "3gp asf avi dav flv h264 h265 264 265 hevc ivf m2ts m4v mjpeg mjpg mkv mov mp4 mpeg mpg mts mxf ogv ts "
    "vob webm wmv y4m"
)
_SUFFIXES = frozenset(f".{kind}" for kind in _KINDS.split())
_TIMEOUT = (30.0, 30.0)
"""Seconds; a file on a network share may take its time."""

_GUESSED_RATE = 25.0
_NAMED = 3
"""Unreadable clips that the detail names; the others are only counted."""


class FileSource:
    """A file, a glob, or a folder of clips in natural order (``clip2`` before ``clip10``).

    ``pace``: give frames out by their timestamps, like a live camera, waiting for nobody. Without it, as fast
    as ``receiver.frame`` returns. ``loop``: start again after the last clip. Timestamps go on over clips and
    loops. A clip that cannot be read is left out; the session then ends as ``corrupt`` and names it.
    """

    def __init__(self, path: str | Path, *, clock: Clock, pace: bool = True, loop: bool = False) -> None:
        self._path = str(path).removeprefix("file://")
        self._clock = clock
        self._pace = pace
        self._loop = loop

    async def run(self, receiver: Receiver) -> SessionEnd:
        """See ``Source.run``. ``receiver`` is called on the session's own thread and may block it."""
        name = f"clips {Path(self._path).name}"
        return await run_in_thread(name, lambda stop: self._session(receiver, stop))

    def _session(self, receiver: Receiver, stop: Stop) -> SessionEnd:
        clips = clips_at(self._path)
        if not clips:
            return SessionEnd(EndReason.UNREACHABLE, f"{self._path}: no such file, or no clips in it")
        playing = _Playing(receiver, stop, self._clock, Pacer(self._clock, stop) if self._pace else None)
        bad: dict[Path, SessionEnd] = {}
        while True:
            before = playing.told
            for clip in clips:
                end = playing.play(clip)
                if stop.is_set():
                    return SessionEnd(EndReason.CLOSED)
                if end.reason is not EndReason.ENDED:
                    bad[clip] = end
            if not self._loop or playing.told == before:
                return _summary(bad, len(clips))


class _Playing:
    """One session's way through its clips."""

    def __init__(self, receiver: Receiver, stop: Stop, clock: Clock, pacer: Pacer | None) -> None:
        self._receiver, self._stop, self._clock, self._pacer = receiver, stop, clock, pacer
        self._gate = RungGate()
        self._opened = False
        self._resume_at = 0.0
        self.told = 0

    def play(self, clip: Path) -> SessionEnd:
        try:
            container, stream = open_video(str(clip), name=clip.name, options={}, timeout=_TIMEOUT)
        except InputError as failure:
            return failure.end
        try:
            return self._play(container, stream, clip.name)
        finally:
            container.close()

    def _play(self, container: Any, stream: Any, name: str) -> SessionEnd:
        stamps = _Stamps(stream, self._resume_at)
        try:
            for packet in container.demux(stream):
                if not packet.size:
                    continue
                pts, due = stamps.of(packet)
                if not self._opened:
                    self._opened = True
                    self._receiver.opened(stream_info(stream))
                if self._pacer is not None:
                    self._pacer.wait_for(due)
                if self._stop.is_set():
                    break
                self.told += 1
                deliver(packet, pts, self._clock.monotonic(), self._receiver, self._gate)
        except av.FFmpegError as err:
            return end_of(err, name)
        finally:
            self._resume_at = stamps.end
        return SessionEnd(EndReason.ENDED, f"{name}: played to its end")


class _Stamps:
    """Timestamps that go on from clip to clip, made up from the frame rate where a clip has none."""

    def __init__(self, stream: Any, start: float) -> None:
        rate = float(stream.average_rate or stream.guessed_rate or 0)
        self._interval = 1 / (rate if 0 < rate <= 1000 else _GUESSED_RATE)
        self._start = start
        self._count = 0
        self._origin: float | None = None
        self.end = start

    def of(self, packet: Any) -> tuple[float, float]:
        """(presentation time, time at which it is due), both in seconds of the session."""
        guess = self._count * self._interval
        self._count += 1
        base = packet.time_base
        dts = float(packet.dts * base) if packet.dts is not None else None
        pts = float(packet.pts * base) if packet.pts is not None else dts
        if pts is None:
            pts, dts = guess, guess
        due = pts if dts is None else dts
        if self._origin is None:
            self._origin = min(pts, due)
        pts, due = self._start + pts - self._origin, self._start + due - self._origin
        self.end = max(self.end, pts + self._interval)
        return pts, due


def clips_at(path: str) -> list[Path]:
    """The clips that a file name, glob or folder stands for, in natural order; empty when there are none."""
    place = Path(path)
    if place.is_file():
        return [place]
    if place.is_dir():
        found = [entry for entry in place.iterdir() if entry.suffix.lower() in _SUFFIXES]
    else:
        found = [Path(match) for match in glob.glob(path)]
    return sorted((clip for clip in found if clip.is_file()), key=_natural)


def _natural(path: Path) -> list[tuple[int, str]]:
    return [(int(part), "") if part.isdigit() else (-1, part) for part in re.split(r"(\d+)", path.name)]


def _summary(bad: dict[Path, SessionEnd], clips: int) -> SessionEnd:
    if not bad:
        return SessionEnd(EndReason.ENDED, "played to the end")
    if clips == 1:
        return next(iter(bad.values()))
    reasons = {end.reason for end in bad.values()}
    reason = reasons.pop() if len(bad) == clips and len(reasons) == 1 else EndReason.CORRUPT
    named = "; ".join(end.detail for end in list(bad.values())[:_NAMED])
    return SessionEnd(reason, f"{len(bad)} of {clips} clips could not be read: {named}")
