"""What a node says of itself on which everything is at work: drift in all its stages, estimates by reviews, a
candidate in the shadow and one as a canary, workers of all kinds, one of which leaks, and sinks."""

from __future__ import annotations

import math
import time
from collections.abc import Iterator
from dataclasses import replace

from vedette.observe.views import (
    AccuracyView,
    AgreedView,
    CameraView,
    CanaryView,
    DriftView,
    NodeView,
    Percentiles,
    ShadowFigures,
    ShadowView,
    SinkView,
    ValidationView,
    WorkerView,
)
from vedette.supervise.figures import MachineUsage, Peak, ProcessUsage

__all__ = ["BESIDE", "CANARY", "HAPPENED", "SHADOW", "SITES", "plenty"]

MINUTE, HOUR = 60.0, 3600.0
BESIDE = "picodet_s_416.onnx"
CANARY, SHADOW = "/var/lib/vedette/uploads/picodet_s_yard_v2.onnx", "/models/rtdetr_r18.onnx"
SITES = ("yard", "hall", "dock")
LEAKS_AN_HOUR = 14e6
_BEGAN = time.time() - 24 * HOUR
LIGHTS = {"day": 31.5, "dusk": 4.2, "night, infrared": 22.8}

STAGES_MS = {
    "lag": (12.0, 31.0, 58.0),
    "decode": (4.1, 7.9, 12.4),
    "wait": (6.3, 22.0, 41.0),
    "convert": (1.4, 2.2, 3.9),
    "infer": (18.2, 24.7, 39.5),
    "postprocess": (0.6, 0.9, 1.8),
    "track": (0.8, 1.5, 2.6),
    "emit": (0.2, 0.4, 0.9),
}
"""p50, p95, p99."""


def plenty(view: NodeView, at: float) -> NodeView:
    """``view`` with all of it. ``at``: Unix seconds, by which memory has grown."""
    cameras = tuple(_camera(camera, place, at) for place, camera in enumerate(view.cameras))
    names = tuple(each.name for each in cameras)
    return replace(
        view,
        cameras=cameras,
        uptime_s=view.uptime_s + 3 * 24 * HOUR,
        stages_ms={name: _times(times) for name, times in STAGES_MS.items()},
        stages_lately_ms={name: _times(times, 1.2) for name, times in STAGES_MS.items()},
        lately_s=5 * MINUTE,
        stages_s={name: 900.0 * times[0] for name, times in STAGES_MS.items()},
        sinks=(
            SinkView("jsonl results.jsonl", written=4_120_733, waiting=2),
            SinkView("mqtt broker:1883/vedette", written=4_119_020, dropped=1650, expired=63, waiting=17),
        ),
        workers=tuple(_workers(len(cameras), at)),
        queued=2,
        batches=913_400,
        input_size=(416, 416),
        pss_mb=1210.0,
        pss_peak_mb=1390.0,
        cpu_busy=0.58 + 0.1 * math.sin(at / 1500),
        usage=_usage("node", 1000, 96e6),
        peak=Peak(pss=101_000_000),
        machine=MachineUsage(5_300_000_000, 0.58, 41_000_000_000, 8),
        validation=_validation(at),
        sites=tuple(_sites()),
        drift=True,
        shadow=_shadow(names),
        canary=_canary(names[:2]),
    )


def _times(times: tuple[float, float, float], by: float = 1.0) -> Percentiles:
    p50, p95, p99 = (by * each for each in times)
    return Percentiles(p50, p95, p99)


# ---- cameras


def _camera(camera: CameraView, place: int, at: float) -> CameraView:
    return replace(
        camera,
        drift=_drift(place, at),
        accuracy=tuple(_accuracy(camera.name, place, at)),
        review={("uniform", "kept"): 40 + place, ("weak_boxes", "kept"): 12, ("uniform", "no_room"): 1},
        canary=CANARY if place < 2 else "",
    )


def _drift(place: int, at: float) -> DriftView:
    """Each of the first five is in another stage."""
    usual = DriftView("watching", 1.0, "day", 0.02, at - 26 * HOUR, lights=LIGHTS)
    match place:
        case 1:
            return replace(
                usual,
                stage="learning",
                learnt=0.43,
                lights={"day": 5.1},
                since=at - 9 * HOUR,
                missing_s=43_000.0,
            )
        case 2:
            return replace(
                usual,
                stage="suspected",
                evidence=210.0,
                since=at - 50 * MINUTE,
                suspicions=2,
                measure="weak_boxes",
                direction="up",
                usual=0.31,
                lately=0.58,
            )
        case 3:
            return replace(
                usual, stage="unseen", light="dawn, rain", since=at - 18 * MINUTE, unknown={"dawn, rain": 0.3}
            )
        case 4:
            return replace(
                usual,
                stage="changed",
                evidence=36.0,
                since=at - 3 * HOUR,
                measure="sharpness",
                direction="down",
                usual=0.82,
                lately=0.44,
            )
    return usual


def _accuracy(camera: str, place: int, at: float) -> Iterator[AccuracyView]:
    """Of the third recall is lost; of the fourth there is too little."""
    match place:
        case 0:
            yield AccuracyView("precision", camera, "", 214, 0.957, 0.921, 0.981, 0.9)
            yield AccuracyView("recall", camera, "", 214, 0.883, 0.836, 0.921, 0.8)
        case 2:
            yield AccuracyView("precision", camera, "", 168, 0.941, 0.893, 0.972, 0.9)
            yield AccuracyView("recall", camera, "", 168, 0.641, 0.563, 0.715, 0.8, True, at - 2 * HOUR)
        case 3:
            yield AccuracyView("recall", camera, "", 6, None, None, None, 0.8)


def _sites() -> Iterator[AccuracyView]:
    yield AccuracyView("precision", "", SITES[0], 402, 0.949, 0.924, 0.968, 0.9)
    yield AccuracyView("recall", "", SITES[0], 402, 0.846, 0.811, 0.878, 0.8)


# ---- what the detector and its candidates came to


def _validation(at: float) -> ValidationView:
    figures = {
        "ap": (0.412, 0.381, 0.446),
        "ap50": (0.634, 0.596, 0.671),
        "ap75": (0.433, 0.394, 0.474),
        "recall": (0.688, 0.641, 0.731),
        "precision": (0.871, 0.834, 0.903),
    }
    return ValidationView(at - 7 * HOUR, "yard", 240, BESIDE, figures)


def _shadow(names: tuple[str, ...]) -> ShadowView:
    of_each = {
        name: ShadowFigures(
            frames=1800 + 31 * place,
            both=5200 - 90 * place,
            only_running=240 + 60 * (place % 4),
            only_candidate=410,
            agreement=0.94 - 0.045 * (place % 4),
            lower=0.92 - 0.05 * (place % 4),
            upper=0.955 - 0.035 * (place % 4),
            stretches=180,
            took_ms=Percentiles(41, 58, 83),
            took_s=74.0,
        )
        for place, name in enumerate(names[:40])
    }
    of_all = ShadowFigures(
        frames=sum(each.frames for each in of_each.values()),
        both=sum(each.both for each in of_each.values()),
        only_running=sum(each.only_running for each in of_each.values()),
        only_candidate=sum(each.only_candidate for each in of_each.values()),
        agreement=0.887,
        lower=0.871,
        upper=0.902,
        stretches=180 * len(of_each),
        took_ms=Percentiles(41, 58, 83),
        took_s=74.0 * len(of_each),
        failed=3,
        left_out={"busy": 412, "load": 77},
    )
    return ShadowView(
        model=SHADOW,
        detector="rtdetr_r18 640x640, onnxruntime, cpu",
        state="looking",
        why=None,
        detail="",
        share=0.1,
        ran_s=2.2 * HOUR,
        waited_s=240.0,
        left_s=3.8 * HOUR,
        cpu_s=1900.0,
        in_all=of_all,
        cameras=of_each,
        sha256="5e" * 32,
        beside=BESIDE,
    )


def _canary(names: tuple[str, ...]) -> CanaryView:
    return CanaryView(
        model=CANARY,
        detector="picodet_s_yard_v2 416x416, onnxruntime, cpu",
        cameras=names,
        state="detecting",
        why=None,
        detail="",
        then="set",
        ran_s=41 * MINUTE,
        left_s=19 * MINUTE,
        frames=61_200,
        boxes=148_300,
        busy=0.37,
        sha256="c4" * 32,
        beside=BESIDE,
        before_frames=1480,
        before_boxes=3390,
        took_ms=Percentiles(17, 23, 38),
        beside_took_ms=Percentiles(18, 25, 40),
        agreed=AgreedView(12_400, 0.931, 0.922, 0.939),
    )


# ---- processes


def _workers(cameras: int, at: float) -> Iterator[WorkerView]:
    leaked = LEAKS_AN_HOUR * (at - _BEGAN) / HOUR
    yield WorkerView(
        "inference-0",
        "inference",
        1001,
        busy=0.71,
        usage=_usage("inference-0", 1001, 322e6),
        peak=Peak(pss=341_000_000),
        post="inference-0",
        replacements={"operator": 1},
    )
    yield WorkerView(
        "cameras-0.2",
        "camera",
        1204,
        busy=0.46,
        cameras=cameras - cameras // 2,
        usage=_usage("cameras-0.2", 1204, 180e6 + leaked),
        peak=Peak(pss=612_000_000),
        post="cameras-0",
        replacements={"leak_memory": 2},
        leaks={"memory": LEAKS_AN_HOUR, "files": 3.5},
    )
    yield WorkerView(
        "cameras-1.1",
        "camera",
        1109,
        busy=0.52,
        cameras=cameras // 2,
        usage=_usage("cameras-1.1", 1109, 174e6),
        peak=Peak(pss=188_000_000),
        post="cameras-1",
        deaths=1,
    )
    yield WorkerView("cameras-2", "camera", None, post="cameras-2", deaths=4, quarantined=True)
    yield WorkerView(
        "canary-0",
        "canary",
        1310,
        busy=0.37,
        cameras=2,
        usage=_usage("canary-0", 1310, 298e6),
        peak=Peak(pss=301_000_000),
        post="canary-0",
        model=CANARY,
        beside=BESIDE,
        ran_s=41 * MINUTE,
    )
    yield WorkerView(
        "shadow-0",
        "shadow",
        1288,
        busy=0.22,
        usage=_usage("shadow-0", 1288, 412e6),
        peak=Peak(pss=430_000_000),
        post="shadow-0",
        model=SHADOW,
        beside=BESIDE,
        ran_s=2.2 * HOUR,
    )


def _usage(worker: str, pid: int, pss: float) -> ProcessUsage:
    return ProcessUsage(worker, pid, 9.0, int(pss), int(0.9 * pss), None, 74, 11)


HAPPENED = (
    (3 * HOUR, "info", "picture changed", "Picture changed: measure sharpness, light day", "camera_5", ""),
    (2.6 * HOUR, "error", "worker lost", "Worker lost: exit code -11, killed by signal 11", "", "cameras-1"),
    (2.2 * HOUR, "info", "shadow started", "Shadow started: share 0.1, lasts 21600", "", ""),
    (
        2.1 * HOUR,
        "warning",
        "loss suspected",
        "Loss suspected: measure weak_boxes, light dusk",
        "camera_3",
        "",
    ),
    (1.9 * HOUR, "info", "suspicion over", "Suspicion over", "camera_3", ""),
    (1.8 * HOUR, "info", "drift reset", "Drift reset: why command", "camera_2", ""),
    (
        95 * MINUTE,
        "info",
        "worker replaced",
        "Worker replaced: reason leak_memory, took 4.2",
        "",
        "cameras-0",
    ),
    (
        50 * MINUTE,
        "warning",
        "loss suspected",
        "Loss suspected: measure weak_boxes, light day",
        "camera_3",
        "",
    ),
    (41 * MINUTE, "info", "canary started", "Canary started: cameras camera_1, camera_2", "", ""),
    (18 * MINUTE, "warning", "conditions unseen", "Conditions unseen: light dawn, rain", "camera_4", ""),
    (9 * MINUTE, "error", "worker in quarantine", "Worker in quarantine: died 4 times", "", "cameras-2"),
)
"""Seconds ago, level, kind, words, camera, worker: the oldest first."""
