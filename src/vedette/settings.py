"""What workers are told: light, frozen, and free of the configuration library."""

from __future__ import annotations

from typing import Any

import msgspec

__all__ = ["CameraSettings"]


class CameraSettings(msgspec.Struct, frozen=True, kw_only=True):
    """One camera as its worker needs it. Times in seconds; ``rung`` is a :class:`vedette.frame.Rung`."""

    name: str
    url: str
    transport: str = "auto"
    rung: int = 0
    max_fps: float | None = None
    max_age: float = 1.0
    buffer: int = 1
    """Decoded frames that are kept until they are chosen."""
    motion: bool = False
    """Frames in which nothing moved are not analysed, but for one each ``motion_every`` seconds."""
    motion_every: float = 5.0
    trace: float = 0.0
    """Share of the analysed frames of which each stage's times are told."""
    study_every: float = 1.0
    """Seconds between the frames by which the detector is judged; 0.0 = none is."""
    every_frame: bool = False
    pace: bool = True
    loop: bool = False
    stall_after: float = 1.0
    hang_up_after: float = 5.0
    late_after: float = 1.0
    """Seconds of lag, or age of results, beyond which a camera is late."""
    track_grace: float | None = None
    """None: what the tracker can bridge at this camera's rate."""
    connect_timeout: float = 5.0
    max_sessions: int | None = None
    """How many sessions the camera allows at a time; None = not known."""
    tracker: str = "bytetrack"
    tracker_options: dict[str, Any] = {}
    confidence: float = 0.4
    options: dict[str, str] = {}
    save_video: str | None = None

    def __repr__(self) -> str:
        """Without address and options: they may hold credentials."""
        return f"CameraSettings({self.name!r})"
