"""A camera whose own decoder does not keep up: that is no reason to take anything from the others."""

from __future__ import annotations

from dataclasses import replace

from vedette.frame import Rung
from vedette.ladder.pressure import BUSY, LATE_S
from vedette.ladder.standing import NEVER_SLOW, Slow, Standing, contention, has_keyframes
from vedette.ladder.steps import CameraLoad, Load, Step

__all__ = ["behind", "look", "why_down"]

CORE_FULL = 0.95
"""Of one core: a stream is decoded by one thread at a time."""
CORE_ROOM = 0.75
BACKLOG = 8
"""Frames that wait; at twice as many the backlog is full."""

SURE_S = 0.9
SETTLE_S = 2.5
"""The decoder works off its backlog first; only then does a step show."""
WELL_S = 4.0
UNFORETOLD_S = 60.0
"""When a step up is tried although the numbers say no. They are taken from other frames than would come."""
HOLD_MOST_S = 900.0
FELL_WELL = 0.2


def behind(camera: CameraLoad, load: Load, step: Step = Step.FULL) -> bool:
    """Whether the decoder cannot keep up with this camera on this step."""
    if demand(camera, step) >= CORE_FULL:
        return True
    if camera.left_out <= 0 and camera.backlog <= BACKLOG:
        return False
    # A backlog while the whole worker is late is the node's affair.
    busy = load.busy[camera.worker] if camera.worker < len(load.busy) else 0.0
    late = load.late[camera.worker] if camera.worker < len(load.late) else 0.0
    return busy < BUSY and late <= LATE_S


def demand(camera: CameraLoad, step: Step) -> float:
    """Cores that decoding takes on this step, as far as it can be known."""
    if camera.decoded is not None:
        return (camera.decoded + camera.left_out) * camera.decode
    everything = step < Step.REFERENCE and camera.rung is Rung.ALL
    return camera.fps_in * camera.decode if everything else 0.0


def why_down(camera: CameraLoad, step: Step) -> str:
    """A sentence with the numbers."""
    needs = demand(camera, step)
    if needs >= CORE_FULL:
        return f"{camera.name} needs {needs:.2f} cores for decoding, and a stream has one"
    return f"{camera.name} is not decoded as fast as it comes ({camera.backlog} frames wait, " + (
        f"{camera.left_out:.0f} a second are left out)"
    )


def look(camera: CameraLoad, standing: Standing, load: Load, now: float) -> Slow:
    """Its decoder's affairs after this moment."""
    slow = standing.slow
    if camera.rung >= Rung.KEYFRAMES:
        return NEVER_SLOW
    if behind(camera, load, standing.step):
        return _behind(camera, slow, now)
    slow = slow if slow.trouble is None else replace(slow, trouble=None)
    if slow.step is Step.FULL:
        proven = slow.raised is not None and now - slow.raised > UNFORETOLD_S
        return NEVER_SLOW if proven else slow
    return _keeps_up(camera, standing, slow, load, now)


def _behind(camera: CameraLoad, slow: Slow, now: float) -> Slow:
    since = now if slow.trouble is None else slow.trouble
    slow = replace(slow, trouble=since, well=None)
    settled = slow.lowered is None or now - slow.lowered >= SETTLE_S
    if slow.step >= Step.KEYFRAMES or now - since < SURE_S or not settled:
        return slow
    step = Step.REFERENCE if slow.step < Step.REFERENCE and camera.rung < Rung.REFERENCE else Step.KEYFRAMES
    if step is Step.KEYFRAMES and not has_keyframes(camera):
        return slow
    hold, until = slow.hold, slow.until
    if slow.raised is not None and now - slow.raised <= UNFORETOLD_S:
        hold = min(HOLD_MOST_S, max(UNFORETOLD_S, 2 * hold))
        until = now + hold
    return replace(slow, step=step, lowered=now, raised=None, hold=hold, until=until)


def _keeps_up(camera: CameraLoad, standing: Standing, slow: Slow, load: Load, now: float) -> Slow:
    foretold = _foretold(camera, standing, load)
    fits = foretold < CORE_ROOM and (now >= slow.until or foretold <= slow.tried - FELL_WELL)
    if not fits:
        waits = max(UNFORETOLD_S, slow.hold)
        if slow.lowered is None or now - max(slow.lowered, slow.raised or 0.0) < waits:
            return slow if slow.well is None else replace(slow, well=None)
        return _raise(camera, slow, foretold, now)
    if slow.well is None:
        return replace(slow, well=now)
    return _raise(camera, slow, foretold, now) if now - slow.well >= WELL_S else slow


def _raise(camera: CameraLoad, slow: Slow, foretold: float, now: float) -> Slow:
    step = Step.REFERENCE if slow.step is Step.KEYFRAMES and camera.rung < Rung.REFERENCE else Step.FULL
    return replace(slow, step=step, well=None, raised=now, tried=foretold)


def _foretold(camera: CameraLoad, standing: Standing, load: Load) -> float:
    """Cores that it would take to decode everything: from its frames now, or from before it was thinned,
    because keyframes alone take longer than frames do on the average."""
    stretched = contention(load, camera.worker)
    before = standing.known.decode * stretched if standing.known is not None else camera.decode
    return camera.fps_in * min(camera.decode, before)
