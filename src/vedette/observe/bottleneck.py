"""Which part of a node keeps it from doing more, in a sentence with the numbers that say so.

Pure: views in, a verdict out. A stage that has no rest *and* in front of which frames are let go is the
bottleneck. Where the numbers do not agree, the sentence says that it is not clear.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from vedette.endings import Ending
from vedette.errors import redact
from vedette.observe.evidence import SPEAKS, Evidence, Part, evidence_of
from vedette.observe.gauges import Gauges
from vedette.observe.phrases import (
    arrive_late,
    besides,
    few,
    frames_wait,
    nothing,
    of_cores,
    of_it_waiting,
    of_them_wanted,
    percent,
    rate,
    share_let_go,
    who_has_cores,
)
from vedette.observe.views import NodeView

__all__ = ["Bottleneck", "find_bottleneck"]

CORES_SHORT = 0.9
"""The machine's cores are all in use, but for what no scheduler can give away."""
STARVED = 1 / 3
"""Of the time a worker wanted to run it got no core: more cores would help it more than anything else."""
OUTBOX_LONG = 64
"""More messages than camera workers have under way in a turn of the node's loop."""
SPIKE = 3.0
"""The slowest batches take this many times the usual."""
AT_REST = 0.5
"""Busy less than this: whoever would want more of it got more."""
BURSTS = 0.1
"""Of the frames that were wanted: so many may come too close upon each other, of cameras and networks that do
not keep their pace, without anybody being late."""

_OF_CAMERA_WORKERS = {
    "decode": "Decoding",
    "convert": "Scaling and converting",
    "track": "Tracking",
    "emit": "Handing results on",
}


@dataclass(frozen=True, slots=True)
class Bottleneck:
    """``stage``: infer, canary, decode, convert, track, emit, wait, lag, cpu, sinks, or none. ``sentence``:
    for people. ``sure``: whether the numbers agree that it is this stage."""

    stage: str
    sentence: str
    sure: bool = True

    @property
    def is_one(self) -> bool:
        """Whether there is one at all."""
        return self.stage != "none"


def find_bottleneck(
    view: NodeView, *, before: NodeView | None = None, gauges: Gauges | None = None
) -> Bottleneck:
    """What keeps this node from doing more.

    ``before``: count frames from that view on, not from the start of the run. ``gauges``: those of a longer
    time, in place of the moment's. Frames a second are the view's own.
    """
    evidence = evidence_of(view, before, gauges)
    for rule in _RULES:
        found = rule(evidence)
        if found is not None:
            return replace(found, sentence=f"{found.sentence}{besides(evidence, found.stage)}.")
    return Bottleneck("none", f"{nothing(evidence)}{besides(evidence, 'none')}.")


# ---- the rules, in their order: what lies further on first, for all before it is held up by it


def _sinks(it: Evidence) -> Bottleneck | None:
    if not it.sinks:
        return None
    name, lost = max(it.sinks.items(), key=lambda item: item[1])
    waiting = f", {it.gauges.sinks:.0f} wait" if it.gauges.sinks >= 1 else ""
    return Bottleneck("sinks", f"The sink {redact(name)}: it could not take {lost} results in time{waiting}")


def _node(it: Evidence) -> Bottleneck | None:
    if it.gauges.outbox < OUTBOX_LONG:
        return None
    return Bottleneck("emit", f"The node itself: {it.gauges.outbox:.0f} messages wait for it to take them")


def _nobody_looks(it: Evidence) -> Bottleneck | None:
    its = it.detectors
    if its.ended[Ending.ANALYSED.value] > 0 or it.gauges.detector or not its.let_go["infer"]:
        return None
    return Bottleneck("infer", f"The detector: it looks at nothing; {_whose(it)} bring {rate(its.bring)}")


def _whose(it: Evidence) -> str:
    return "the cameras" if it.canarys is None else "its cameras"


def _cores(it: Evidence) -> Bottleneck | None:
    found = it.gauges
    starved = [
        f"{who} got none for {percent(waited)} of the time"
        for who, busy, waited in (
            ("the busiest of the cameras' workers", found.camera, found.camera_waited),
            ("the detector", found.detector, found.detector_waited),
        )
        if it.has_no_rest(busy) and waited >= STARVED * busy
    ]
    if found.cpu < CORES_SHORT or not starved:
        return None
    numbers = f"{percent(found.cpu)} in use, and {' and '.join(starved)}"
    return Bottleneck("cpu", f"The machine's cores: {numbers}{who_has_cores(it)}")


def _no_rest(it: Evidence) -> Bottleneck | None:
    """The detector, a canary, or the cameras' workers; of those at their limit: where most is let go."""
    at_limit = [each for each in (_detector(it), _canary(it), _reading(it)) if each is not None]
    if not at_limit:
        return None
    first = max(at_limit, key=lambda each: each.let_go)  # the first, of equals
    also = "".join(f"; {each.too}" for each in at_limit if each is not first)
    sentence = f"{first.found.sentence}{also}"
    if it.wanted and not it.let_go.total():
        sentence += "; no frame was let go for it"
    return Bottleneck(first.found.stage, sentence)


@dataclass(frozen=True, slots=True)
class _AtLimit:
    """Somebody who could not do more. ``let_go``: frames, in front of it. ``too``: where another one is worse
    off."""

    found: Bottleneck
    let_go: int
    too: str


def _detector(it: Evidence) -> _AtLimit | None:
    gauges, its = it.gauges, it.detectors
    if not it.has_no_rest(gauges.detector, its):
        return None
    waited = of_it_waiting(gauges.detector, gauges.detector_waited)
    sentence = f"The detector: busy {percent(gauges.detector)}{waited}; {_brought(it, its)}"
    too = f"the detector is at its limit, too ({percent(gauges.detector)})"
    return _AtLimit(Bottleneck("infer", sentence), its.let_go["infer"], too)


def _canary(it: Evidence) -> _AtLimit | None:
    busy, its = it.gauges.canary, it.canarys
    if its is None or not it.has_no_rest(busy, its):
        return None
    sentence = f"The canary: busy {percent(busy)}; {_brought(it, its)}"
    too = f"the canary is at its limit, too ({percent(busy)})"
    return _AtLimit(Bottleneck("canary", sentence), its.let_go["infer"], too)


def _brought(it: Evidence, its: Part) -> str:
    return f"{_whose(it)} bring {rate(its.bring)}, {of_them_wanted(its)}it looks at {few(its.looks)}"


def _reading(it: Evidence) -> _AtLimit | None:
    loop = it.has_no_rest(it.gauges.camera)
    if not (loop or it.decoders_full):
        return None
    busy = percent(it.gauges.camera) if loop else of_cores(it.gauges.decoders, it.cores)
    too = f"the cameras' workers are at their limit, too ({busy})"
    return _AtLimit(_camera_workers(it) if loop else _decoders(it), it.let_go["decode"], too)


def _camera_workers(it: Evidence) -> Bottleneck:
    spent = {stage: it.stages_s.get(stage, 0.0) for stage in _OF_CAMERA_WORKERS}
    stage = max(spent, key=lambda stage: spent[stage])  # decode, where nothing was measured
    waited = of_it_waiting(it.gauges.camera, it.gauges.camera_waited)
    rest = f"the busiest of the cameras' workers has no rest ({percent(it.gauges.camera)}{waited})"
    wait = f" and {frames_wait(it.gauges.backlog)} to be decoded" if it.gauges.backlog >= 0.5 else ""
    return Bottleneck(stage, f"{_OF_CAMERA_WORKERS[stage]}: {rest}{wait}")


def _decoders(it: Evidence) -> Bottleneck:
    """The threads that decode large pictures: the loop beside them has rest."""
    used = of_cores(it.gauges.decoders, it.cores)
    rest = f"the decoding threads of the busiest of the cameras' workers have no rest ({used})"
    wait = f" and {frames_wait(it.gauges.backlog)} to be decoded" if it.gauges.backlog >= 0.5 else ""
    return Bottleneck("decode", f"Decoding: {rest}{wait}")


def _lag(it: Evidence) -> Bottleneck | None:
    if it.late:
        return Bottleneck("lag", f"The network, or the cameras: {arrive_late(it)}")
    # Nothing is late at this moment, but frames were too old when they came.
    if it.ended[Ending.EXPIRED_DECODE.value] < SPEAKS * it.wanted or it.lag.p95 < it.late_ms:
        return None
    late = f"5% of the frames arrive {it.lag.p95:.0f} ms or more after they were captured"
    return Bottleneck("lag", f"The network, or the cameras: {late}; {share_let_go(it)}")


def _spikes(it: Evidence) -> Bottleneck | None:
    usual, slow = it.infer.p50, it.infer.p99
    if it.loss < SPEAKS or it.let_go["infer"] < it.let_go["decode"] or not usual or slow < SPIKE * usual:
        return None
    times = f"a frame takes {usual:.1f} ms at the median and {slow:.1f} ms at p99"
    busy = f"busy {percent(it.gauges.detector)} on average, but " if it.known else ""
    whose = "the detector" if it.canarys is None else "the detector, or of the canary"
    return Bottleneck("infer", f"Probably spikes of {whose}: {busy}{times}; {share_let_go(it)}")


def _bursts(it: Evidence) -> Bottleneck | None:
    """Frames that gave way to a newer one of their camera, beside workers that rest half of the time: they
    came close upon each other, and no result is later for it."""
    found, gave_way = it.gauges, it.ended[Ending.SUPERSEDED.value]
    busiest = max(found.detector, found.canary, found.camera, found.cpu)
    if not it.known or busiest >= AT_REST or not SPEAKS <= it.loss < BURSTS:
        return None
    if gave_way < (1 - SPEAKS) * it.let_go.total():
        return None
    share = (
        f"{gave_way / it.wanted:.1%} of the frames that were wanted gave way to a newer one of their camera"
    )
    return Bottleneck("none", f"Nothing is at its limit: {share}; {_how_busy(it)}")


def _unclear(it: Evidence) -> Bottleneck | None:
    if it.loss < SPEAKS:
        return None
    if it.gauges.cpu >= CORES_SHORT:
        told = f"{share_let_go(it)}{who_has_cores(it)}"
        return Bottleneck("cpu", f"Probably the machine's cores ({percent(it.gauges.cpu)} in use): {told}")
    front = max(it.let_go, key=lambda stage: it.let_go[stage])
    stage = {"infer": "wait"}.get(front, front)
    where = {"decode": "before they were decoded", "infer": "before they were looked at"}
    seen = _how_busy(it) if it.known else "how busy the workers are is not known"
    when = where.get(front, "when their results were there")
    return Bottleneck(stage, f"Not clear: {share_let_go(it)}, most of them {when}; {seen}", sure=False)


def _how_busy(it: Evidence) -> str:
    busy = f"the detector is busy {percent(it.gauges.detector)} and the busiest of the cameras' workers "
    canary = "" if it.canarys is None else f", the canary {percent(it.gauges.canary)}"
    return f"{busy}{percent(it.gauges.camera)}{canary}"


_RULES: tuple[Callable[[Evidence], Bottleneck | None], ...] = (
    _sinks,
    _node,
    _nobody_looks,
    _cores,
    _no_rest,
    _lag,
    _spikes,
    _bursts,
    _unclear,
)
