"""The numbers of a node that a verdict on its bottleneck is made of."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from vedette.endings import Ending
from vedette.observe.gauges import Gauges, gauges_of
from vedette.observe.views import CameraView, NodeView, Percentiles, SinkView

__all__ = ["NO_REST", "SPEAKS", "Evidence", "Part", "evidence_of"]

NO_REST = 0.85
"""Busy beyond this share is busy all the time: between two batches or turns there is always a moment."""
NO_REST_AND_NO_LOSS = 0.95
"""Nothing is let go, and yet it is at its limit: what reads files as fast as it can looks like this."""
SPEAKS = 0.02
"""Of what was wanted. Less that is let go is nobody's bottleneck."""
WAIT = 1.0
"""Frames before the decoders, on average: fewer come and go with each frame that arrives."""
LATE = 0.5
"""Of ``max_age``. Lag beyond it leaves too little for everything else."""

_BEFORE = {
    Ending.SKIPPED_BACKLOG: "decode",
    Ending.EXPIRED_DECODE: "decode",
    Ending.SUPERSEDED: "infer",
    Ending.EXPIRED_WAIT: "infer",
    Ending.EXPIRED_CONVERT: "infer",
    Ending.EXPIRED_INFER: "infer",
    Ending.EXPIRED_EMIT: "emit",
}
"""What was let go for want of time, and the stage it waited for."""
_UNWANTED = (Ending.SKIPPED_RUNG, Ending.SKIPPED_RATE, Ending.SKIPPED_MOTION, Ending.SKIPPED_KEYFRAME)


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """Some cameras, or all. ``bring``, ``looks``: frames a second that arrive and that are analysed.
    ``ended``: frames by ending; what has no ending yet is not among them."""

    bring: float
    looks: float
    ended: Counter[str]

    @property
    def wanted(self) -> int:
        return self.ended.total() - sum(self.ended[ending.value] for ending in _UNWANTED)

    @property
    def let_go(self) -> Counter[str]:
        """Frames that were wanted and let go for want of time, by the stage they waited for."""
        found: Counter[str] = Counter()
        for ending, stage in _BEFORE.items():
            found[stage] += self.ended[ending.value]
        return found

    @property
    def loss(self) -> float:
        """Share of the frames that were wanted."""
        return self.let_go.total() / max(1, self.wanted)


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence(Part):
    """Of all cameras together. ``detectors``: of those that the detector looks at; ``canarys``: of those that
    a canary does, None where there is none. ``known``: whether anything is known of how busy the workers are.
    ``stages_s``: seconds spent by stage. ``sinks``: results that sinks let go, of those that let go of a part
    that speaks. ``late``: cameras whose frames arrive late now; ``late_ms``: beyond this that is late.
    ``below``: cameras that are not at full, by step. ``cores``: of the machine; 0 while it is not known.
    """

    gauges: Gauges
    known: bool
    detectors: Part
    canarys: Part | None
    stages_s: dict[str, float]
    infer: Percentiles
    lag: Percentiles
    sinks: dict[str, int]
    late: tuple[CameraView, ...]
    late_ms: float
    below: Counter[str]
    cores: int

    def has_no_rest(self, busy: float, of: Part | None = None) -> bool:
        """Whether a worker that is so busy could not do more. ``of``: its cameras, where they are not all."""
        loss = (of or self).loss
        return busy >= (NO_REST if loss >= SPEAKS or self.below else NO_REST_AND_NO_LOSS)

    @property
    def decoders_full(self) -> bool:
        """Whether decoding threads could do no more. A camera's frames are decoded one after the other: one
        thread without rest is enough, where it is for want of it that frames are let go."""
        used = self.gauges.decoders
        if self.cores and used >= NO_REST * self.cores:
            return self.loss >= SPEAKS or bool(self.below)
        # Frames that came too late are let go at the same place; but then none wait.
        waited = self.ended[Ending.SKIPPED_BACKLOG.value] or (self.gauges.backlog >= WAIT and not self.late)
        return used >= NO_REST and bool(waited) and self.let_go["decode"] >= SPEAKS * max(1, self.wanted)


def evidence_of(view: NodeView, before: NodeView | None, gauges: Gauges | None) -> Evidence:
    """``before``: count from that view on, not from the start. ``gauges``: in place of the view's own."""
    before = before or NodeView()
    tried = {camera.name for camera in view.cameras if camera.canary}
    canarys = _part(view, before, tried, sum(each.fps_analysed for each in view.cameras if each.canary))
    rest = {camera.name for camera in (*view.cameras, *before.cameras)} - tried
    detectors = _part(view, before, rest, view.analysed_per_s - canarys.looks)
    late_ms = LATE * 1000 * view.max_age_s
    return Evidence(
        gauges=gauges or gauges_of(view),
        known=bool(view.workers),
        bring=detectors.bring + canarys.bring,
        looks=view.analysed_per_s,
        ended=_sum(detectors.ended, canarys.ended),
        detectors=detectors,
        canarys=canarys if tried else None,
        stages_s={stage: spent - before.stages_s.get(stage, 0.0) for stage, spent in view.stages_s.items()},
        infer=view.stages_ms.get("infer", Percentiles()),
        lag=view.stages_ms.get("lag", Percentiles()),
        sinks=_lost(view.sinks, before.sinks),
        late=tuple(each for each in view.cameras if each.state == "live" and each.lag_ms >= late_ms),
        late_ms=late_ms,
        below=Counter(camera.step for camera in view.cameras if camera.step != "full"),
        cores=view.machine.cores if view.machine else 0,
    )


def _part(view: NodeView, before: NodeView, names: set[str], looks: float) -> Part:
    """Of the cameras with these names."""
    ended: Counter[str] = Counter()
    for camera in view.cameras:
        if camera.name in names:
            ended.update(camera.endings)
    for camera in before.cameras:
        if camera.name in names:
            ended.subtract(camera.endings)
    bring = sum(camera.fps_in for camera in view.cameras if camera.name in names)
    return Part(bring=bring, looks=looks, ended=ended)


def _sum(one: Counter[str], other: Counter[str]) -> Counter[str]:
    """With what has become less, which ``+`` would leave out."""
    found = one.copy()
    found.update(other)
    return found


def _lost(sinks: tuple[SinkView, ...], before: tuple[SinkView, ...]) -> dict[str, int]:
    were = {sink.name: sink for sink in before}
    found = {}
    for sink in sinks:
        was = were.get(sink.name, SinkView(sink.name))
        lost = sink.dropped + sink.expired - was.dropped - was.expired
        if lost > 0 and lost >= SPEAKS * (lost + sink.written - was.written):
            found[sink.name] = lost
    return found
