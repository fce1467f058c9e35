"""From the configuration to what each worker is told."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

from vedette.config import Config, Detector, VideoSink
from vedette.infer.load import DetectorSpec
from vedette.settings import CameraSettings
from vedette.supervise.machine import store_folder

__all__ = [
    "camera_settings",
    "detector_spec",
    "keeps_frames",
    "review_folder",
    "spec_of",
    "weights",
    "worker_count",
]

CAMERAS_PER_WORKER = 16
"""A second process costs about 40 MB, so a handful of cameras gets one."""


def worker_count(asked: int | str, cameras: int, cores: int) -> int:
    """How many camera workers: what was asked for, or one for every 16 cameras and at most one per core."""
    if isinstance(asked, int):
        return min(asked, cameras)
    return max(1, min(cores, math.ceil(cameras / CAMERAS_PER_WORKER)))


def review_folder(config: Config) -> Path | None:
    """Where frames for review lie, whether or not more are kept; None where there is no place for them."""
    beside = store_folder(config.ledger.url, enabled=config.ledger.enabled)
    return config.review.folder or (beside / f"review-{config.ledger.node}" if beside else None)


def keeps_frames(config: Config) -> bool:
    """Whether frames are kept for review."""
    return config.review.enabled and review_folder(config) is not None


def camera_settings(config: Config, save_video: Path | None) -> dict[str, CameraSettings]:
    """Settings of all enabled cameras by name."""
    folder = save_video or next((sink.folder for sink in config.sinks if isinstance(sink, VideoSink)), None)
    studied = config.drift.enabled or keeps_frames(config)
    found = {}
    for name, camera in config.cameras.items():
        if not camera.enabled:
            continue
        tracker = config.tracker_of(name)
        found[name] = CameraSettings(
            name=name,
            url=camera.url,
            transport=camera.transport,
            rung=int(camera.rung),
            max_fps=camera.max_fps,
            # A source that waits for us is never late.
            max_age=math.inf if camera.every_frame else config.max_age,
            buffer=camera.buffer,
            motion=camera.motion,
            motion_every=camera.motion_every,
            trace=config.traces.sample if config.traces else 0.0,
            # A clip that is read as fast as that goes tells nothing by the clock.
            study_every=config.drift.every if studied and not camera.every_frame else 0.0,
            every_frame=camera.every_frame,
            pace=camera.pace,
            loop=camera.loop,
            stall_after=camera.stall_after,
            hang_up_after=camera.hang_up_after,
            late_after=camera.late_after,
            track_grace=camera.track_grace,
            connect_timeout=camera.connect_timeout,
            max_sessions=camera.max_sessions,
            tracker=tracker.type,
            tracker_options=tracker.options,
            confidence=config.detector.confidence,
            options=camera.options,
            save_video=str(folder) if folder else None,
        )
    return found


def weights(config: Config) -> dict[str, float]:
    """Each camera's part of the capacity; 1.0 is normal."""
    return {name: camera.weight for name, camera in config.cameras.items()}


_NORMALISE: dict[str, dict[str, Any] | None] = {
    "auto": None,
    "none": {"scale": 1},
    "unit": {"scale": 255},
    "imagenet": {"scale": 255, "mean": [0.485, 0.456, 0.406], "std": [0.229, 0.224, 0.225]},
}


def detector_spec(config: Config) -> DetectorSpec:
    """The detector's part of the configuration as the inference worker needs it."""
    return spec_of(config.detector, config.folder)


def spec_of(detector: Detector, folder: Path) -> DetectorSpec:
    """A detector's settings as whoever loads it needs them. ``folder``: what paths are relative to."""
    classes = detector.classes
    return DetectorSpec(
        model=str(detector.model) if detector.model else None,
        python=detector.python,
        options=detector.options,
        head=detector.head,
        classes=str(classes) if isinstance(classes, Path) else list(classes) if classes else None,
        input_size=detector.input_size,
        confidence=detector.confidence,
        iou=detector.iou,
        runtime=detector.runtime,
        device=detector.device,
        threads=detector.threads,
        precision=detector.precision,
        normalise=_NORMALISE[detector.normalise],
        channels=None if detector.channels == "auto" else detector.channels,
        folder=str(folder),
    )
