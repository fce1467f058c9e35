"""Tiny clips that tests make for themselves, and a receiver that writes down what it is told."""

from __future__ import annotations

import subprocess
import threading
import time
from pathlib import Path

from servers import FFMPEG
from vedette.frame import EncodedFrame, Rung, StreamInfo

FPS = 25
X264 = ("-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv420p", "-g", "10")
ENCODERS = {
    "h264.mp4": (*X264, "-bf", "0"),
    "bframes.mp4": (*X264, "-bf", "2"),
    "raw.h264": (*X264, "-bf", "0"),
    "h264.ts": (*X264, "-bf", "0"),
    "hevc.mp4": ("-c:v", "libx265", "-x265-params", "log-level=none:keyint=10", "-pix_fmt", "yuv420p"),
    "vp9.webm": ("-c:v", "libvpx-vp9", "-deadline", "realtime", "-cpu-used", "8", "-g", "10"),
    "mpeg4.avi": ("-c:v", "mpeg4", "-bf", "2", "-g", "10"),
    "mjpeg.avi": ("-c:v", "mjpeg", "-pix_fmt", "yuvj420p"),
}


def make_clip(folder: Path, name: str, *more: str, frames: int = 30, size: str = "160x96") -> Path:
    """Encode a moving test picture; ``name`` is one of ENCODERS, ``more`` goes to the encoder."""
    path = folder / name
    source = ("-f", "lavfi", "-i", f"testsrc2=size={size}:rate={FPS}", "-frames:v", str(frames))
    ffmpeg(*source, *ENCODERS[name], *more, path)
    return path


def ffmpeg(*arguments: object) -> None:
    subprocess.run([FFMPEG, "-y", "-loglevel", "error", *map(str, arguments)], check=True)


class Notebook:
    """A receiver. ``enough`` is set once ``count`` frames were told of, in whatever way."""

    def __init__(self, *, rung: Rung = Rung.ALL, count: int = 1) -> None:
        self.rung = rung
        self.infos: list[StreamInfo] = []
        self.frames: list[EncodedFrame] = []
        self.left_out = 0
        self.damaged = 0
        self.missing = 0
        self.frames_before_opened = 0
        self.threads: set[int] = set()
        self.enough = threading.Event()
        self.opened_at = 0.0
        """Monotonic second; the last time where it was opened more than once."""
        self._count = count

    @property
    def told(self) -> int:
        return len(self.frames) + self.left_out + self.damaged

    def opened(self, info: StreamInfo) -> None:
        self.infos.append(info)
        self.opened_at = time.monotonic()
        self.threads.add(threading.get_ident())

    def frame(self, frame: EncodedFrame) -> None:
        self.frames_before_opened += not self.infos
        self.frames.append(frame)
        self._note()

    def skipped(self, count: int = 1, *, behind: bool = False) -> None:
        self.left_out += count
        self._note()

    def broken(self, count: int = 1) -> None:
        self.damaged += count
        self._note()

    def lost(self, packets: int) -> None:
        self.missing += packets

    def _note(self) -> None:
        self.threads.add(threading.get_ident())
        if self.told >= self._count:
            self.enough.set()
