"""PyAV at work for the simulator: read a file, scale, encode as cameras do. The only place here that
knows ``av``."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from fractions import Fraction
from pathlib import Path
from typing import NamedTuple

import av
import av.error
import numpy as np
import numpy.typing as npt

from vedette.errors import ConfigError, SourceError

__all__ = [
    "Encoded",
    "Frames",
    "decode",
    "encode",
    "from_arrays",
    "from_planes",
    "planes",
    "read_file",
    "scaled",
]

Frames = Iterator[av.VideoFrame]

DEFAULT_WIDTH = 640

# As cameras do: no B-frames, a closed GOP of fixed length, parameter sets before every keyframe, one slice
# per picture. CRF keeps decoding as costly as real video of this size while files stay small.
_X264 = "keyint={0}:min-keyint={0}:scenecut=0:open-gop=0:repeat-headers=1:annexb=1:sliced-threads=0"
_OPTIONS = {"preset": "veryfast", "tune": "zerolatency", "profile": "main", "crf": "27", "bf": "0"}
_X265 = "keyint={0}:min-keyint={0}:scenecut=0:open-gop=0:repeat-headers=1:bframes=0:slices=1:log-level=none"
_OPTIONS_265 = {"preset": "ultrafast", "tune": "zerolatency", "crf": "30"}


class Encoded(NamedTuple):
    """One access unit, Annex B, and its size in pixels."""

    data: bytes
    width: int
    height: int


def read_file(path: Path, *, fps: float, width: int | None, height: int | None, max_seconds: float) -> Frames:
    """Pictures of a file at ``fps``, scaled. Raises SourceError where it cannot be read or decoded."""
    limit = max(1, int(max_seconds * fps))
    try:
        with av.open(str(path)) as container:
            if not container.streams.video:
                raise SourceError(f"clip {path}: no video in it")
            stream = container.streams.video[0]
            stream.thread_type = "AUTO"
            for index, frame in enumerate(_resampled(container.decode(stream), fps)):
                if index == limit:
                    return
                size = _output_size(frame.width, frame.height, width, height)
                yield frame.reformat(width=size[0], height=size[1], format="yuv420p")
    except av.error.FFmpegError as error:
        raise SourceError(f"clip {path}: cannot be decoded ({error.strerror})") from error


def from_arrays(frames: Iterable[npt.NDArray[np.uint8]]) -> Frames:
    """Pictures from uint8 [H,W,3] RGB arrays."""
    for array in frames:
        if array.dtype != np.uint8 or array.ndim != 3 or array.shape[2] != 3:
            raise SourceError(f"frames must be uint8 [H,W,3], not {array.dtype} {list(array.shape)}")
        yield av.VideoFrame.from_ndarray(array, format="rgb24").reformat(format="yuv420p")


def decode(units: Iterable[bytes]) -> Frames:
    """Pictures of H.264 access units, Annex B, that begin with a keyframe."""
    decoder = av.CodecContext.create("h264", "r")
    try:
        for unit in units:
            yield from decoder.decode(av.Packet(unit))
        yield from decoder.decode(None)
    except av.error.FFmpegError as error:
        raise SourceError(f"a clip's own pictures cannot be decoded ({error.strerror})") from error


def planes(frame: av.VideoFrame) -> npt.NDArray[np.uint8]:
    """The planes Y, U and V below each other: uint8 [H*3/2,W]."""
    return frame.to_ndarray(format="yuv420p").astype(np.uint8, copy=False)


def from_planes(array: npt.NDArray[np.uint8]) -> av.VideoFrame:
    """The reverse of :func:`planes`."""
    return av.VideoFrame.from_ndarray(np.ascontiguousarray(array), format="yuv420p")


def scaled(frame: av.VideoFrame, width: int, height: int) -> av.VideoFrame:
    """The picture in another size (even, in pixels)."""
    return frame.reformat(width=width, height=height, format="yuv420p")


def encode(
    frames: Frames,
    *,
    fps: float,
    keyframe_every: int,
    what: str,
    codec: str = "h264",
    threads: int = 0,
    more: str = "",
) -> Iterator[Encoded]:
    """Encode all frames with one encoder that is made for the first of them.

    ``codec``: h264 or h265. ``threads``: 0 takes as many as there are cores. ``more``: further parameters
    of x264, as ``:name=value``.

    Raises:
        SourceError: the encoder refuses them.
    """
    encoder: av.VideoCodecContext | None = None
    try:
        for index, frame in enumerate(frames):
            encoder = encoder or _encoder(frame, fps, _settings(codec, keyframe_every, more), threads)
            frame.pts, frame.time_base = index, encoder.time_base
            # The source's own picture types would otherwise become the encoder's wishes.
            frame.pict_type = av.video.frame.PictureType.NONE
            yield from _units(encoder, frame)
        if encoder is not None:
            yield from _units(encoder, None)
    except (av.error.FFmpegError, ValueError) as error:
        raise SourceError(f"clip {what}: cannot be encoded ({error})") from error


def _units(encoder: av.VideoCodecContext, frame: av.VideoFrame | None) -> Iterator[Encoded]:
    for packet in encoder.encode(frame):
        yield Encoded(bytes(packet), encoder.width, encoder.height)


def _settings(codec: str, keyframe_every: int, more: str) -> tuple[str, dict[str, str]]:
    if codec == "h265":
        return "libx265", {**_OPTIONS_265, "x265-params": _X265.format(keyframe_every)}
    return "libx264", {**_OPTIONS, "x264-params": _X264.format(keyframe_every) + more}


def _encoder(
    frame: av.VideoFrame, fps: float, settings: tuple[str, dict[str, str]], threads: int
) -> av.VideoCodecContext:
    encoder = av.CodecContext.create(settings[0], "w")
    assert isinstance(encoder, av.VideoCodecContext)
    rate = Fraction(fps).limit_denominator(1001)
    encoder.width, encoder.height, encoder.pix_fmt = frame.width, frame.height, "yuv420p"
    encoder.framerate, encoder.time_base = rate, 1 / rate
    encoder.options = settings[1]
    encoder.thread_count = threads
    return encoder


def _resampled(frames: Iterator[av.VideoFrame], fps: float) -> Frames:
    """At each instant k/fps the newest source frame: frames are left out or repeated, never blended."""
    shown: av.VideoFrame | None = None
    start, count = 0.0, 0
    for frame in frames:
        if frame.time is None:
            continue
        start = frame.time if shown is None else start
        # Half a millisecond of tolerance keeps equal rates equal in spite of rounded timestamps.
        while shown is not None and start + count / fps < frame.time - 0.0005:
            yield shown
            count += 1
        shown = frame
    if shown is not None:
        yield shown


def _output_size(
    source_width: int, source_height: int, width: int | None, height: int | None
) -> tuple[int, int]:
    """Even, because 4:2:0 halves both."""
    if width is None:
        wanted = DEFAULT_WIDTH if height is None else round(source_width * height / source_height)
        width = min(wanted, source_width) if height is None else wanted
    if height is None:
        height = round(source_height * width / source_width)
    if not (16 <= width <= 8192 and 16 <= height <= 8192):
        raise ConfigError(f"a clip of {width}x{height} pixels: each side must be 16 to 8192")
    return width // 2 * 2, height // 2 * 2
