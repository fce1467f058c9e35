"""Is a camera with an open session blind, and why? Pure."""

from __future__ import annotations

from typing import NamedTuple

from msgspec.structs import replace

from vedette.causes import Blame, Cause
from vedette.health.blame import blame_behind, blame_corrupt, blame_stall
from vedette.health.lasting import lasting
from vedette.health.observed import Snapshot, State, Tally

__all__ = ["Condemned", "condemn", "damage"]

SHARE_FAILED = 0.25
"""So many of the frames damaged is what is wrong; fewer are packets lost now and then."""
SHARE_WHOLE = 0.08
"""Fewer damaged frames than this, and the stream is whole again."""
DAMAGE_OVER_S = 2.0
WHOLE_OVER_S = 0.5
DAMAGED_FOR_S = 1.0
SWALLOWED_FRAMES = 25
"""So many frames given to a decoder that makes no picture of them: more than any decoder holds back."""
NO_KEYFRAME_HOPELESS_S = 30.0
"""Most servers begin a new session with a keyframe."""
STARTS_AT_ONCE_S = 1.0
"""A camera that starts and sends frames for longer than that waits for its first keyframe."""


class Condemned(NamedTuple):
    cause: Cause
    blame: Blame
    detail: str
    since: float
    hopeless: bool
    """A new session is more likely to help than waiting."""


def damage(state: State, shot: Snapshot, now: float) -> State:
    """Follow how many of the frames are damaged. Pictures still come of the others, but what is predicted
    from a damaged frame is smeared: nobody should take it for sight."""
    if not (shot.received or shot.lost_packets):
        return state
    tally = state.damage_tally.and_those_of(shot)
    if not shot.wanted:  # the frames that lack these packets are still to come
        return replace(state, damage_tally=tally)
    # Since frames came that were to become pictures: where only keyframes are, that is many looks ago.
    before = state.last_look if state.wanted_at is None else state.wanted_at
    passed = min(now - (before if before is not None else now), 1.0)
    share = min(1.0, shot.failed / shot.wanted)
    over = DAMAGE_OVER_S if share > state.damage else WHOLE_OVER_S
    level = state.damage + (share - state.damage) * min(1.0, passed / over)
    damaged, _ = lasting(state.damaged, level >= SHARE_FAILED, level < SHARE_WHOLE, now, DAMAGED_FOR_S)
    if level < SHARE_WHOLE and not damaged.on:
        tally = Tally()
    return replace(state, damage=level, damaged=damaged, damage_tally=tally, wanted_at=now)


def condemn(state: State, shot: Snapshot, now: float) -> Condemned | None:
    """What makes the camera blind now, or None. Its session is open, and ``shot`` is in ``state`` already."""
    assert state.opened_at is not None
    came = shot.last_arrival >= state.opened_at
    begun = max(state.opened_at, state.excused_at)
    quiet = now - max(begun, shot.last_arrival)
    patience = shot.threshold if came else max(shot.threshold, state.limits.first_frame_within)
    if quiet > patience:
        if shot.swamped:
            why = f"No frame was read in {quiet:.1f} s: the process that reads it has no rest."
            return Condemned(Cause.OVERLOADED, Blame.NODE, why, state.usable(), hopeless=False)
        hopeless = quiet >= max(state.limits.hang_up_after, 2 * shot.threshold)
        blame, why = blame_stall(shot.link)
        return Condemned(Cause.STALLED, blame, why, state.usable(), hopeless)
    if not came:
        return None
    found = _no_picture(state, shot, now, now - max(begun, shot.last_picture))
    if found is not None:
        return found
    if shot.unanswered > shot.answer_threshold:
        why = (
            f"Pictures come, and no result in {shot.unanswered:.1f} s; {shot.expired} grew too old just now."
        )
        since = max(state.usable_until, now - shot.unanswered)
        if shot.detector_works:
            why = f"{why} The detector works for others: the machine cannot do all in time."
            return Condemned(Cause.OVERLOADED, Blame.NODE, why, since, hopeless=False)
        return Condemned(Cause.DETECTOR_LOST, Blame.INFERENCE, why, since, hopeless=False)
    if not state.damaged.on:
        return None
    counts = state.damage_tally
    blame, why = blame_corrupt(counts.lost_packets, counts.failed, counts.received)
    detail = f"{state.damage:.0%} of the frames are damaged. {why}"
    since = max(state.usable_until, now - DAMAGED_FOR_S - DAMAGE_OVER_S)
    return Condemned(Cause.CORRUPT, blame, detail, since, hopeless=False)


def _no_picture(state: State, shot: Snapshot, now: float, waited: float) -> Condemned | None:
    """Frames come. Those that are left out on purpose are in none of the counts, and trip nothing."""
    patience = max(shot.picture_threshold, shot.threshold)
    counts, limits = state.tally, state.limits
    since = max(state.last_picture, state.usable_until)
    if waited <= patience:
        return _starts(state, waited, since)
    lain = now - state.backlog_since if state.backlog_since is not None else 0.0
    if counts.behind or lain > patience:
        blame, why = blame_behind(shot.backlog, counts.behind, shot.decode, shot.rate)
        return Condemned(Cause.DECODE_BEHIND, blame, why, since, hopeless=False)
    if _corrupt(state, waited > 3 * patience):
        blame, why = blame_corrupt(counts.lost_packets, counts.failed, counts.received)
        hopeless = waited >= 2 * max(limits.hang_up_after, patience)
        return Condemned(Cause.CORRUPT, blame, why, since, hopeless)
    # Joined in the middle of a group of pictures, the next keyframe may be far.
    joining = state.last_picture < (state.opened_at or 0.0)
    if counts.unready and waited > (max(patience, limits.keyframe_within) if joining else patience):
        why = f"{counts.received} frames came in {waited:.1f} s, and no keyframe."
        return Condemned(Cause.NO_KEYFRAME, Blame.CAMERA, why, since, waited >= NO_KEYFRAME_HOPELESS_S)
    if shot.keyframes_only and not counts.keyframes:
        # All that is wanted of the stream is what does not come: the frames between say nothing for it.
        hopeless = waited >= NO_KEYFRAME_HOPELESS_S
        if counts.failed:
            blame, why = blame_corrupt(counts.lost_packets, counts.failed, counts.failed + counts.given)
            return Condemned(Cause.CORRUPT, blame, why, since, hopeless)
        why = f"No keyframe came in {waited:.1f} s, and nothing else is decoded."
        return Condemned(Cause.NO_KEYFRAME, Blame.CAMERA, why, since, hopeless)
    return _starts(state, waited, since)


def _starts(state: State, waited: float, since: float) -> Condemned | None:
    """Joined in the middle of a long group of pictures: nothing is wrong, but it is not we who dawdle."""
    counts = state.tally
    anew = state.seen_at is None and (state.outage is None or state.outage.cause is Cause.STARTING)
    if not (anew and counts.unready and waited > STARTS_AT_ONCE_S):
        return None
    why = f"{counts.received} frames came in {waited:.1f} s; pictures begin with the next keyframe."
    return Condemned(Cause.STARTING, Blame.CAMERA, why, since, hopeless=False)


def _corrupt(state: State, long: bool) -> bool:
    """``long``: no picture came for several times as long as is usual."""
    counts = state.tally
    joining = state.last_picture < (state.opened_at or 0.0)
    if counts.failed >= SHARE_FAILED * max(counts.received, 4):
        return True
    if counts.failed and counts.unready and not joining:
        # A damaged frame made the decoder wait for a keyframe.
        return True
    return long and (bool(counts.failed and counts.given) or counts.given >= SWALLOWED_FRAMES)
