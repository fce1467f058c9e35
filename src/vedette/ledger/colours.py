"""One colour per cause, the same in every picture.

The families differ in hue: no stream is red to yellow, nothing to see in the picture is purple, our own doing
is blue, the node's absence and pauses are grey, events are green. Within a family the colours differ in
lightness, for print and for people who see fewer hues: any two that blind a camera are told apart by people
with red or green blindness too (a test measures it).
"""

from __future__ import annotations

from vedette.causes import Cause

__all__ = ["COLOURS", "FAINT", "FRAME", "INK", "OTHER", "PAPER", "QUIET", "SEEN", "UNKNOWN"]

PAPER = "#ffffff"
INK = "#1d2126"
QUIET = "#68707a"
FRAME = "#b4bac1"
FAINT = "#d9dde1"
SEEN = "#e4f1e8"
UNKNOWN = "#c4c9cf"
"""The strokes over time that nobody watched, or of which nothing is known."""
OTHER = "#a9afb6"
"""Gaps that were not asked for, in a picture of some causes only."""

COLOURS: dict[Cause, str] = {
    Cause.UNAUTHORISED: "#590f0b",
    Cause.UNREACHABLE: "#87170d",
    Cause.STALLED: "#ca2215",
    Cause.CONNECTION_LOST: "#f4845f",
    Cause.REFUSED: "#e8a200",
    Cause.ENDED: "#f9c89b",
    Cause.NAME_UNKNOWN: "#814f2e",
    Cause.TLS: "#573f2a",
    Cause.CORRUPT: "#c06f37",
    Cause.UNSUPPORTED: "#a48d01",
    Cause.NO_KEYFRAME: "#f7e06e",
    Cause.STARTING: "#cdbda0",
    Cause.FROZEN: "#7b3fa8",
    Cause.COVERED: "#3d0f5c",
    Cause.DARK: "#a77fc9",
    Cause.WASHED_OUT: "#d3bde8",
    Cause.DECODE_BEHIND: "#123682",
    Cause.DETECTOR_LOST: "#2c7cd0",
    Cause.WORKER_LOST: "#84bcf6",
    Cause.HANDED_OVER: "#1e00a9",
    Cause.NODE_DOWN: "#3c4450",
    Cause.NODE_ASLEEP: "#7d8794",
    Cause.PAUSED: "#c9ced4",
    Cause.OVERLOADED: "#1400f4",
    Cause.BLURRED: "#9158c0",
    Cause.MOVED: "#d6338a",
    Cause.SLOW: "#e07b00",
    Cause.LATE: "#1f78b4",
    Cause.TIMESTAMPS: "#6b5b00",
    Cause.THINNED: "#5a78ff",
    Cause.TIMESTAMP_GAP: "#0b6e4f",
    Cause.TIMESTAMP_JUMP: "#00352a",
    Cause.CODEC_CHANGED: "#3fa34d",
    Cause.RESOLUTION_CHANGED: "#1aa6a6",
}
