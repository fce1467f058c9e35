"""Is a camera that sees slow, late, or out of its mind about time? Pure, with hysteresis."""

from __future__ import annotations

from msgspec.structs import replace

from vedette.causes import Blame, Cause
from vedette.health.blame import LateEvidence, blame_late, blame_slow
from vedette.health.lasting import lasting
from vedette.health.observed import (
    Action,
    SayDegraded,
    SayHappened,
    SayRecovered,
    Snapshot,
    State,
    TimestampStep,
)

__all__ = ["judge_quality", "note_step"]

SLOW_BELOW, SLOW_OVER_FROM = 0.5, 0.7
"""Shares of the usual rate. A camera that halves its rate at night, to expose longer, is not slow."""
SLOW_FOR_S = 10.0

LATE_OVER_BELOW = 0.7
"""Share of the limit under which lateness is over."""
LATE_FOR_S = 5.0

ABSURD_S = 10.0
"""A stream that runs ahead by less than this left something out; by more, its clock was set."""
STEPS_AT_MOST = 4
STEPS_WITHIN_S = 60.0
"""So many steps within a minute are a condition of the stream, and no events any more."""

Next = tuple[State, tuple[Action, ...]]


def judge_quality(state: State, shot: Snapshot, now: float) -> Next:
    """Of a camera that sees, at a look that was in time."""
    state, slow = _slow(state, shot, now)
    state, late = _late(state, shot, now)
    if state.stepping and now - state.steps[-1] > STEPS_WITHIN_S:
        state = replace(state, stepping=False, steps=())
        return state, (*slow, *late, SayRecovered(Cause.TIMESTAMPS))
    return state, (*slow, *late)


def _slow(state: State, shot: Snapshot, now: float) -> Next:
    bad, good = shot.ratio < SLOW_BELOW, shot.ratio > SLOW_OVER_FROM
    slow, turned = lasting(state.slow, bad, good, now, SLOW_FOR_S)
    if slow is state.slow:
        return state, ()
    state = replace(state, slow=slow)
    if turned is None:
        return state, ()
    if not slow.on:
        return state, (SayRecovered(Cause.SLOW),)
    blame, why = blame_slow(shot.rate, shot.ratio, shot.lag)
    return state, (SayDegraded(max(turned, state.usable_until), Cause.SLOW, blame, why),)


def _late(state: State, shot: Snapshot, now: float) -> Next:
    if not (shot.given or shot.age):
        # Nothing was decoded since the last look, so nothing was measured.
        return state, ()
    limit = state.limits.late_after
    worst = max(shot.lag + shot.queued + shot.decode, shot.wait, shot.age)
    late, turned = lasting(state.late, worst > limit, worst < LATE_OVER_BELOW * limit, now, LATE_FOR_S)
    if late is state.late:
        return state, ()
    state = replace(state, late=late)
    if turned is None:
        return state, ()
    if not late.on:
        return state, (SayRecovered(Cause.LATE),)
    evidence = LateEvidence(
        lag=shot.lag,
        queued=shot.queued,
        decode=shot.decode,
        wait=shot.wait,
        rate=shot.rate,
        backlog=shot.backlog,
        retransmits=shot.link.retransmits if shot.link else 0,
    )
    blame, why = blame_late(evidence)
    return state, (SayDegraded(max(turned, state.usable_until), Cause.LATE, blame, why),)


def note_step(state: State, step: TimestampStep, now: float) -> Next:
    """The stream's clock stepped: an event, or one of many."""
    steps = (*(at for at in state.steps if now - at < STEPS_WITHIN_S), now)[-STEPS_AT_MOST:]
    if state.stepping:
        return replace(state, steps=steps), ()
    ahead = step.seconds > 0.0
    if len(steps) == STEPS_AT_MOST:
        why = f"The stream's clock jumped {STEPS_AT_MOST} times in {now - steps[0]:.0f} s."
        stepping = replace(state, steps=steps, stepping=True)
        return stepping, (SayDegraded(steps[0], Cause.TIMESTAMPS, Blame.CAMERA, why),)
    cause = Cause.TIMESTAMP_GAP if ahead and step.seconds <= ABSURD_S else Cause.TIMESTAMP_JUMP
    why = f"The stream's clock went {'ahead' if ahead else 'back'} by {abs(step.seconds):.1f} s."
    return replace(state, steps=steps), (SayHappened(cause, Blame.CAMERA, why),)
