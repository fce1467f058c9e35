"""A frame before it is decoded, and what is known of the stream it came in."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import Any

__all__ = ["EncodedFrame", "Rung", "StreamInfo"]


class Rung(IntEnum):
    """How much of a stream is decoded now."""

    ALL = 0
    REFERENCE = 1
    """Frames that others are predicted from; disposable ones are left out."""
    KEYFRAMES = 2
    PAUSED = 3


@dataclass(frozen=True, slots=True)
class StreamInfo:
    """What a session found when it opened.

    ``codec`` is FFmpeg's decoder name (``h264``, ``hevc``, ``mjpeg``…). ``extradata`` are parameter sets
    known before the first frame (Annex B for H.264/H.265), or None. ``context`` is an opaque decoder made by
    the demuxer, where a demuxer was used; decode it with that. ``width``/``height`` in pixels, 0 = unknown.
    """

    codec: str
    extradata: bytes | None = None
    context: Any = None
    width: int = 0
    height: int = 0


@dataclass(slots=True)
class EncodedFrame:
    """One access unit as it arrived.

    ``data``: Annex B bytes (H.264/H.265) or one JPEG, or the demuxer's own packet object.
    ``pts``: seconds on the stream's own clock, unwrapped; its origin means nothing.
    ``arrived``: monotonic seconds at which its last byte was read.
    ``sender_time``: Unix seconds at which the sender says it was captured (RTCP sender report), or None.
    """

    data: Any
    pts: float
    arrived: float
    keyframe: bool
    sender_time: float | None = None
