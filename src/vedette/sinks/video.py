"""Annotated video of one camera, in files that stay playable whatever happens to the process."""

from __future__ import annotations

import time
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
from numpy.typing import NDArray

from vedette.results import Boxes, Result
from vedette.sinks.annotate import annotate
from vedette.sinks.sink import SinkUnavailable

__all__ = ["AnnotatedVideo"]

_TIME_BASE = Fraction(1, 90_000)
_KEYFRAME_EVERY_S = 2.0
"""Fragments begin at keyframes, so this is the most that a kill can cost."""
_NEW_FILE_AFTER_S = 3600.0
_NEW_FILE_AFTER_GAP_S = 60.0
"""A player would show a still picture for the length of the gap."""

_X264 = {"preset": "ultrafast", "tune": "zerolatency", "crf": "26", "bf": "0", "g": "1000000"}
# A fragment is whole as soon as it is written, and goes to the disk at once; nothing is added at the end.
_FRAGMENTED = {"movflags": "frag_keyframe+empty_moov+default_base_moof", "flush_packets": "1"}


class AnnotatedVideo:
    """Writes ``FOLDER/CAMERA-YYYYMMDD-HHMMSS.mp4`` (H.264, local time of the first picture).

    Pictures are shown for as long as they were apart when captured. A new file begins when the size changes,
    after a gap of a minute, when the clock goes back, and every hour. Only one picture is held at a time.
    ``write`` raises SinkUnavailable when the file cannot be written; the next ``write`` begins a new one.
    """

    def __init__(self, folder: Path, camera: str) -> None:
        self._folder, self._camera = folder, camera
        self._file: _File | None = None

    def write(self, rgb: NDArray[np.uint8], found: Result | Boxes, captured_at: float) -> None:
        """Draw what was found into a picture u8 [H, W, 3] RGB captured at Unix second ``captured_at``."""
        height, width = rgb.shape[0] & ~1, rgb.shape[1] & ~1  # H.264 halves the colour's resolution
        if height == 0 or width == 0:
            return
        boxes = found.boxes if isinstance(found, Result) else found
        picture = annotate(rgb[:height, :width], boxes, caption=_caption(self._camera, captured_at))
        try:
            if self._file is None or not self._file.takes(width, height, captured_at):
                self.close()
                self._file = _File(self._free_path(captured_at), width, height, captured_at)
            self._file.write(picture, captured_at)
        except (av.FFmpegError, OSError) as error:
            self._abandon()
            raise SinkUnavailable(f"{self._folder}: video cannot be written: {_reason(error)}") from error

    def close(self) -> None:
        """Finish the file. Never raises: what was written before stays playable."""
        file, self._file = self._file, None
        if file is not None:
            try:
                file.close()
            except (av.FFmpegError, OSError):
                pass  # the last fragment is lost, as with a kill

    def _abandon(self) -> None:
        try:
            self.close()
        finally:
            self._file = None

    def _free_path(self, captured_at: float) -> Path:
        self._folder.mkdir(parents=True, exist_ok=True)
        stem = f"{self._camera}-{time.strftime('%Y%m%d-%H%M%S', time.localtime(captured_at))}"
        path, number = self._folder / f"{stem}.mp4", 1
        while path.exists():
            number += 1
            path = self._folder / f"{stem}-{number}.mp4"
        return path


class _File:
    """One video file from its first picture to its end."""

    def __init__(self, path: Path, width: int, height: int, starts_at: float) -> None:
        self._starts_at = self._last_at = starts_at
        self._size = (width, height)
        self._last_pts, self._keyframe_at = -1, starts_at
        self._container: Any = av.open(str(path), "w", format="mp4", options=_FRAGMENTED)
        stream = self._container.add_stream("libx264", rate=30, options=_X264)
        stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
        stream.codec_context.time_base = stream.time_base = _TIME_BASE
        # One thread each: many cameras may be recorded at once, and none is in a hurry.
        stream.codec_context.thread_count = 1
        self._stream = stream

    def takes(self, width: int, height: int, captured_at: float) -> bool:
        """Whether a picture belongs in this file."""
        fits = (width, height) == self._size
        follows = -1.0 <= captured_at - self._last_at <= _NEW_FILE_AFTER_GAP_S
        return fits and follows and captured_at - self._starts_at <= _NEW_FILE_AFTER_S

    def write(self, picture: NDArray[np.uint8], captured_at: float) -> None:
        frame = av.VideoFrame.from_ndarray(picture, format="rgb24")
        frame.pts = max(self._last_pts + 1, round((captured_at - self._starts_at) / _TIME_BASE))
        frame.time_base = _TIME_BASE
        self._last_pts, self._last_at = frame.pts, captured_at
        if captured_at >= self._keyframe_at:
            frame.pict_type = av.video.frame.PictureType.I
            self._keyframe_at = captured_at + _KEYFRAME_EVERY_S
        for packet in self._stream.encode(frame):
            self._container.mux(packet)

    def close(self) -> None:
        try:
            for packet in self._stream.encode(None):
                self._container.mux(packet)
        finally:
            self._container.close()


def _caption(camera: str, captured_at: float) -> str:
    return f"{camera}  {time.strftime('%Y-%m-%d %H:%M:%S', time.localtime(captured_at))}"


def _reason(error: Exception) -> str:
    return getattr(error, "strerror", None) or type(error).__name__
