"""The stream part of a camera's health: (state, observation, now) → (state, actions). Pure.

Observations are few: a :class:`Snapshot` four times a second, and what happens once. The actions are for the
camera's worker to perform; it adds what this module does not know (camera, epoch, tracks cut).

``SayBlind`` and ``SaySees`` alternate: a camera that starts is neither, sees once from its first usable
picture, and after each blindness. While blind it is said again when a cause is met that explains more. Of one
that starts and waits for its first keyframe, that is said. An attempt to connect that has not failed yet is
not blindness.
"""

from __future__ import annotations

from msgspec.structs import replace

from vedette.causes import Blame, Cause, explains_more
from vedette.facts import EndReason
from vedette.health.blame import blame_end
from vedette.health.condemn import Condemned, condemn, damage
from vedette.health.lasting import Lasting
from vedette.health.observed import (
    Action,
    Closed,
    Ended,
    Forgive,
    HangUp,
    LetGo,
    Limits,
    Observation,
    Opened,
    Outage,
    PictureCame,
    SayBlind,
    SayHappened,
    SayRecovered,
    SaySees,
    Snapshot,
    State,
    Tally,
    TimestampStep,
)
from vedette.health.quality import judge_quality, note_step

__all__ = ["LOOK_EVERY_S", "began", "step", "wants_picture"]

LOOK_EVERY_S = 0.25
LOOK_LATE_S = 1.0
"""If our own last look was longer ago, we were asleep or starved: silence proves nothing, so the pass is
skipped, and"""
MOMENT_S = 0.5
"""frames that lie in the socket have so long to come out of it."""

_CLEAN = Tally()

Next = tuple[State, tuple[Action, ...]]


def began(now: float, limits: Limits | None = None) -> State:
    """A camera that was just added, or began again after a pause."""
    return State(began=now, limits=limits or Limits(), usable_until=now)


def step(state: State, seen: Observation, now: float) -> Next:
    """``now``: monotonic seconds of the observation; they never go back within a camera."""
    if state.closed:
        return state, ()
    match seen:
        case Snapshot():
            return _look(state, seen, now)
        case Opened():
            return _open(state, seen, now)
        case Ended():
            return _end(state, seen)
        case PictureCame():
            return _picture(state, seen, now)
        case TimestampStep():
            return note_step(state, seen, now) if state.opened_at is not None else (state, ())
        case LetGo():
            return _let_go(state, now)
        case Closed():
            return replace(state, closed=True), ()


def wants_picture(state: State, width: int, height: int) -> bool:
    """Whether a picture of that size is worth a :class:`PictureCame` right now."""
    return state.seen_at is None or state.size != (width, height)


# ---- a look


def _look(state: State, shot: Snapshot, now: float) -> Next:
    if state.last_look is not None and not 0.0 <= now - state.last_look <= LOOK_LATE_S:
        return _excuse(state, now)
    if state.opened_at is None:
        return replace(state, last_look=now), ()
    state, resized = _absorb(damage(state, shot, now), shot, now)
    excused = now - state.excused_at < MOMENT_S
    condemned = None if excused else condemn(state, shot, now)
    if condemned is not None:
        state, said = _go_blind(state, condemned)
        state, more = _hang_up(state, condemned)
        return state, (*resized, *said, *more)
    state, said = _see(state, shot.last_picture, now, shot.picture_threshold)
    if excused or state.seen_at is None:
        return state, (*resized, *said)
    state, judged = judge_quality(state, shot, now)
    return state, (*resized, *said, *judged)


def _let_go(state: State, now: float) -> Next:
    # When it is taken up again, its first keyframe has all the time that a picture may take.
    state = replace(state, last_look=now, excused_at=now, backlog_since=None, tally=_CLEAN)
    if state.opened_at is None:
        return state, ()
    why = "Nothing of it is decoded: the machine cannot do all, and other cameras matter more."
    return _go_blind(state, Condemned(Cause.OVERLOADED, Blame.NODE, why, state.usable(), hopeless=False))


def _excuse(state: State, now: float) -> Next:
    calm = replace(
        state,
        last_look=now,
        excused_at=now,
        backlog_since=None,
        slow=Lasting(state.slow.on),
        late=Lasting(state.late.on),
    )
    return calm, (Forgive(),)


def _absorb(state: State, shot: Snapshot, now: float) -> tuple[State, tuple[Action, ...]]:
    pictured = shot.last_picture > state.last_picture
    size = (shot.width, shot.height) if pictured and shot.width else state.size
    absorbed = replace(
        state,
        last_look=now,
        unanswered=shot.unanswered > shot.answer_threshold,
        last_arrival=max(state.last_arrival, shot.last_arrival),
        last_picture=max(state.last_picture, shot.last_picture),
        picture_threshold=shot.picture_threshold,
        size=size,
        backlog_since=(now if state.backlog_since is None else state.backlog_since) if shot.backlog else None,
        tally=_CLEAN if pictured else state.tally.and_those_of(shot),
    )
    return absorbed, _resized(state.size, size)


def _resized(before: tuple[int, int], after: tuple[int, int]) -> tuple[Action, ...]:
    if before in (after, (0, 0)):
        return ()
    detail = f"{before[0]}×{before[1]} → {after[0]}×{after[1]}"
    return (SayHappened(Cause.RESOLUTION_CHANGED, Blame.CAMERA, detail),)


# ---- blind, and seeing again


def _go_blind(state: State, found: Condemned) -> Next:
    key = (found.cause, found.blame)
    outage = state.outage
    if outage is None:
        say = SayBlind(found.since, found.cause, found.blame, found.detail)
        blind = replace(
            state,
            outage=Outage(found.since, found.cause, frozenset([key])),
            seen_at=None,
            slow=Lasting(),
            late=Lasting(),
            stepping=False,
            steps=(),
        )
        return blind, (*_recover(state), say)
    # The same cause with another blame: evidence came in since.
    more = found.cause is outage.cause or explains_more(found.cause, outage.cause)
    if not more or key in outage.told:
        return state, ()
    known = Outage(outage.since, found.cause, outage.told | {key})
    return replace(state, outage=known), (SayBlind(outage.since, found.cause, found.blame, found.detail),)


def _recover(state: State) -> tuple[Action, ...]:
    """Nobody can tell any more whether a camera that is blind is slow or late."""
    conditions = (
        (state.slow.on, Cause.SLOW),
        (state.late.on, Cause.LATE),
        (state.stepping, Cause.TIMESTAMPS),
    )
    return tuple(SayRecovered(cause) for on, cause in conditions if on)


def _hang_up(state: State, found: Condemned) -> Next:
    if state.hung_up or not found.hopeless:
        return state, ()
    reason = EndReason.STALLED if found.cause is Cause.STALLED else EndReason.CORRUPT
    return replace(state, hung_up=True), (HangUp(reason, found.detail, found.blame),)


def _see(state: State, at: float, now: float, patience: float) -> Next:
    if state.seen_at is not None or state.opened_at is None or state.damaged.on or state.unanswered:
        return state, ()
    since = state.outage.since if state.outage else state.began
    if at <= since or at < state.opened_at or now - at > max(patience, 2 * LOOK_EVERY_S):
        return state, ()
    return replace(state, outage=None, seen_at=at, usable_until=at), (SaySees(at),)


def _picture(state: State, picture: PictureCame, now: float) -> Next:
    if (
        state.opened_at is None
        or picture.at <= state.last_picture
        or not state.opened_at <= picture.at <= now
    ):
        return state, ()
    size = (picture.width, picture.height)
    resized = _resized(state.size, size)
    state = replace(state, last_picture=picture.at, size=size, tally=_CLEAN)
    state, said = _see(state, picture.at, now, state.picture_threshold)
    return state, (*resized, *said)


# ---- sessions


def _open(state: State, opened: Opened, now: float) -> Next:
    happened: tuple[Action, ...] = ()
    if state.codec and opened.codec != state.codec:
        detail = f"{state.codec} → {opened.codec}"
        happened = (SayHappened(Cause.CODEC_CHANGED, Blame.CAMERA, detail),)
    state = replace(
        state,
        opened_at=now,
        codec=opened.codec,
        hung_up=False,
        tally=_CLEAN,
        backlog_since=None,
        damage=0.0,
        damage_tally=_CLEAN,
        wanted_at=None,
        unanswered=False,
        damaged=Lasting(),
    )
    return state, happened


def _end(state: State, ended: Ended) -> Next:
    state = replace(
        state,
        last_arrival=max(state.last_arrival, ended.last_arrival),
        last_picture=max(state.last_picture, ended.last_picture),
    )
    since = state.usable()
    state = replace(state, opened_at=None)
    if ended.reason in (EndReason.CLOSED, EndReason.WORKER_LOST):
        return state, ()
    judged = blame_end(ended.reason, ended.detail)
    blame = ended.blame or judged.blame
    return _go_blind(state, Condemned(Cause(ended.reason.value), blame, judged.why, since, hopeless=False))
