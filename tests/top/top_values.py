"""Nodes made by hand, to be looked at."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path

from vedette.control.protocol import ControlError
from vedette.observe.views import CameraView, Frames, NodeView, Percentiles, SinkView, WorkerView
from vedette.supervise.figures import Peak, ProcessUsage
from vedette.top.link import Link

STAGES = ("lag", "decode", "wait", "convert", "infer", "postprocess", "track", "emit")


def times(base: float) -> dict[str, Percentiles]:
    return {
        name: Percentiles(base * (place + 1), base * (place + 2), base * (place + 3), base * (place + 9))
        for place, name in enumerate(STAGES)
    }


def camera(number: int, turn: int = 0) -> CameraView:
    """Most are well, every tenth is not; all their figures change with ``turn``."""
    blind = {0: "unreachable", 10: "connection_lost", 20: "starting"}.get(number % 40)
    wave = 1 + math.sin(number + turn)
    received = 2000 * (turn + 1) + number
    return CameraView(
        name=f"camera_{number:04}",
        state="waiting" if blind else "live",
        frames=Frames(received, received - 1200, 900, 7, 250, 30 * (number % 3), 12, 1),
        age_ms=Percentiles(12.3 * wave, 30.0 * wave, 42.1 * wave + number % 7, 99.0),
        fps_in=0.0 if blind else 25.0 + wave,
        fps_analysed=0.0 if blind else 8.3 * wave,
        objects={"person": number % 4},
        epoch=2,
        sessions=number % 5 + 1,
        last_end_reason="stalled",
        blind=blind,
        blame="network" if blind else None,
        degraded=("slow",) if number % 40 == 30 else (),
        gaps=3,
        blind_s={"stalled": 2.5 * wave, "unreachable": 400.0},
        endings={"analysed.emit": 800, "superseded.wait": 900, "expired.decode": 7},
        step=("full", "full", "full", "fewer", "keyframes")[number % 5],
        decodes=("all", "all", "all", "all", "keyframes")[number % 5],
        lag_ms=3.0 * wave,
        backlog=number % 3,
        kept=1,
        width=640,
        height=360,
        stages_ms=times(wave),
    )


def usage(worker: str, pid: int, cpu: dict[str, float]) -> ProcessUsage:
    return ProcessUsage(worker, pid, 9.0, 140 * 10**6, 96 * 10**6, None, fds=53, threads=12, cpu=cpu)


def node(cameras: int, turn: int = 0) -> NodeView:
    return NodeView(
        cameras=tuple(camera(number, turn) for number in range(cameras)),
        uptime_s=3723.4 + turn,
        analysed_per_s=187.4,
        cpu_percent=130.0,
        cpu_busy=0.83,
        pss_mb=124.0,
        detector="picodet_s_416 · openvino · cpu",
        stages_ms=times(1.7),
        stages_s=dict.fromkeys(STAGES, 10.0 + turn),
        sinks=(SinkView("jsonl results", 500, 3, 0, 2, 17),),
        workers=(
            WorkerView(
                *("cameras-0", "camera", 4711, 0.41, 0.05, 3.0, 0, cameras),
                usage=usage("cameras-0", 4711, {"loop": 0.41, "decode": 1.9, "take": 0.0, "other": 0.03}),
                peak=Peak(pss=155 * 10**6),
            ),
            WorkerView(
                *("inference", "inference", 4712, 0.97, 0.25, 40.0, 2, 0),
                usage=replace(
                    usage("inference", 4712, {"detect": 0.97, "ask": 0.08, "other": 0.0}), gpu=1234 * 10**6
                ),
            ),
            WorkerView("cameras-1", "camera", None),
        ),
        queued=2,
        batches=4000 + turn,
        input_size=(416, 416),
        usage=usage("node", 4700, {"other": 0.07}),
    )


class HandMade(Link):
    """Views from a list, the last one for ever; None stands for a node that does not answer."""

    def __init__(self, *views: NodeView | None) -> None:
        super().__init__("lab")
        self.views = list(views)
        self.asked: list[bool] = []
        self.label = "lab (4711)"

    def fetch(self, details: bool = False) -> NodeView:
        self.asked.append(details)
        view = self.views.pop(0) if len(self.views) > 1 else self.views[0]
        if view is None:
            raise ControlError(f"no node answers at {Path('/run/lab.sock')}")
        return view
