"""Nodes as they might be, by hand: everything about them is known, so every figure can be checked."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from vedette.causes import Blame, Cause
from vedette.endings import Ending
from vedette.histogram import BUCKETS, COARSE, COARSE_BUCKETS, bucket_of
from vedette.observe.views import (
    AccuracyView,
    CameraView,
    CanaryView,
    DriftView,
    Frames,
    Histograms,
    LiveView,
    NodeView,
    ShadowFigures,
    ShadowView,
    SinkView,
    ValidationView,
    WorkerView,
)
from vedette.supervise.figures import MachineUsage, ProcessUsage
from vedette.workers.table import STAGES

SECRET = "geheim"
ENDINGS = {ending.value: 10 + place for place, ending in enumerate(Ending)}
"""Each occurred, each another number of times."""


def camera(name: str = "gate", **fields: object) -> CameraView:
    """One that is live and seen, and has been through everything."""
    received = sum(ENDINGS.values()) + 2
    full = CameraView(
        name,
        state="live",
        frames=Frames(received=received, analysed=ENDINGS[Ending.ANALYSED], in_flight=2),
        epoch=3,
        sessions=4,
        gaps=5,
        blind_s={Cause.STALLED.value: 7.5, Cause.DARK.value: 2.0},
        endings=dict(ENDINGS),
        step="reference",
        decodes="reference",
        lag_ms=40.0,
        backlog=3,
        kept=1,
        review={("uniform", "kept"): 6, ("weak_boxes", "no_room"): 1},
        width=1920,
        height=1080,
        drift=DriftView(
            "suspected", 1.0, "colour, luma 70 to 110", 2000.0, suspicions=2, measure="weak",
            lights={"colour, luma 70 to 110": 30.0, "infrared, luma 0 to 40": 20.0},
        ),
        accuracy=(
            AccuracyView("recall", name, "north", 140, 0.61, 0.52, 0.69, floor=0.8, lost=True),
            AccuracyView("precision", name, "north", 3),
        ),
    )  # fmt: skip
    return replace(full, **fields)  # type: ignore[arg-type]


def usage(worker: str, **fields: object) -> ProcessUsage:
    """As it was read a moment ago."""
    full = ProcessUsage(
        worker, 4711, 3599.0, 100 * 10**6, 80 * 10**6, None, fds=40, threads=9, cpu_s={"other": 5.0}
    )
    return replace(full, **fields)  # type: ignore[arg-type]


def canary(**fields: object) -> CanaryView:
    """A candidate that detects for one camera."""
    full = CanaryView(
        model="/models/new.onnx",
        detector="new · openvino",
        cameras=("gate",),
        state="detecting",
        why=None,
        detail="",
        then="back",
        ran_s=720.0,
        left_s=2880.0,
        frames=6120,
        boxes=4210,
        busy=0.2,
    )
    return replace(full, **fields)  # type: ignore[arg-type]


def shadow(**fields: object) -> ShadowView:
    """A candidate that saw 100 frames of one camera, and did not see 9."""
    figures = ShadowFigures(
        frames=100,
        both=80,
        only_running=5,
        only_candidate=35,
        agreement=0.8,
        lower=0.7,
        upper=0.9,
        stretches=40,
        took_s=2.5,
        failed=2,
        left_out={"busy": 4, "load": 3},
    )
    full = ShadowView(
        model="/models/new.onnx",
        detector="new · openvino",
        state="looking",
        why=None,
        detail="",
        share=0.1,
        ran_s=600.0,
        waited_s=30.0,
        left_s=3000.0,
        cpu_s=40.0,
        in_all=figures,
        cameras={"gate": figures},
    )
    return replace(full, **fields)  # type: ignore[arg-type]


def node(cameras: Sequence[CameraView] | None = None, **fields: object) -> NodeView:
    """Three cameras, one of them away; three workers; two sinks, one with a password in its name."""
    if cameras is None:
        away = {"state": "waiting", "blind": Cause.UNREACHABLE.value, "blame": Blame.NETWORK.value}
        cameras = (camera(), camera("yard", degraded=(Cause.BLURRED.value,)), camera("dock", **away))
    view = NodeView(
        cameras=tuple(cameras),
        uptime_s=3600.0,
        cpu_s=1234.5,
        pss_mb=250.0,
        detector="picodet_s_416",
        workers=(
            WorkerView(
                "cameras-0",
                "camera",
                busy=0.5,
                waited=0.1,
                late_ms=12.0,
                outbox=2,
                cameras=2,
                usage=usage("cameras-0", cpu_s={"loop": 30.5, "decode": 60.25, "take": 1.5, "other": 0.0}),
            ),
            WorkerView(
                "cameras-5",
                "camera",
                busy=0.4,
                cameras=1,
                post="cameras-1",
                replacements={"operator": 3, "lifetime": 1},
                deaths=2,
                quarantined=True,
                leaks={"memory": 2e7, "files": 10.0},
            ),
            WorkerView("inference-0", "inference", busy=0.9, usage=usage("inference-0", gpu=3 * 10**9)),
        ),
        sinks=(
            SinkView("results.jsonl", written=100, dropped=3, waiting=1),
            SinkView(f"https://me:{SECRET}@example.test/hook?token={SECRET}", written=1, failed=4, expired=2),
        ),
        queued=1,
        batches=77,
        input_size=(320, 416),
        cpu_busy=0.75,
        max_age_s=1.0,
        sites=(AccuracyView("recall", "", "north", 400, 0.8, 0.75, 0.85, floor=0.7),),
        drift=True,
        usage=usage("node"),
        machine=MachineUsage(8 * 10**9, 0.75, 20 * 10**9, 4),
        validation=ValidationView(
            at=1_800_000_000.0,
            dataset="yard",
            pictures=80,
            model="m.onnx",
            figures={
                "ap50": (0.7, 0.65, 0.75),
                "recall": (0.55, None, None),
                "precision": (None, None, None),
            },
            problems=("recall is 0.550, below 0.600",),
        ),
        shadow=shadow(),
        canary=canary(),
        live=LiveView(cameras=2, made=500, dropped={"slow": 40, "no_room": 1}),
    )
    return replace(view, **fields)  # type: ignore[arg-type]


def histograms(cameras: Sequence[str] = ("gate", "yard", "dock"), times: int = 1) -> Histograms:
    """Each camera had 60 results of 8 ms, 30 of 40 ms and 10 of 0.6 s, and spent 3 ms in each stage,
    ``times`` over."""
    ages = np.zeros((len(cameras), BUCKETS), np.uint32)
    for seconds, count in ((0.008, 60), (0.040, 30), (0.6, 10)):
        ages[:, bucket_of(seconds)] += np.uint32(count * times)
    coarse = np.zeros((len(cameras), len(STAGES), COARSE_BUCKETS), np.uint32)
    coarse[:, :, bucket_of(0.003) // COARSE] = 100 * times
    stages = np.zeros((len(STAGES), BUCKETS), np.uint32)
    stages[:, bucket_of(0.003)] = 100 * times * len(cameras)
    return Histograms(STAGES, tuple(cameras), stages, ages, coarse)
