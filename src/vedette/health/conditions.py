"""Is anything wrong with the pictures? A pure function of looks at them (:mod:`vedette.health.picture`).

What each condition means, and when one is sure of it:

``FROZEN``
    Pictures come, and nothing in them changes, not even sensor noise. An encoder that is given one picture
    for ever sends it bit for bit the same; but so it does with a quiet scene until the next keyframe, where
    the noise gets through. So three keyframes have to be crossed, or, where nobody tells of keyframes, more
    time has to pass; and always much more than this camera ever stood still and went on by itself. Not found:
    frozen pictures in streams so short of bits that the encoder never settles, or with much burnt in that
    goes on (a clock is little).
``DARK``, ``WASHED_OUT``
    Nothing is visible. A night picture in which anything can be made out is not dark.
``COVERED``
    Edges vanished within seconds from half of the picture or more, and it is not dark there: a hand, a bag,
    spray, steam. It lasts until they are back. Not found: a black cover over a part, which may as well be a
    lamp put out.
``BLURRED``
    Far less fine detail than this camera has in this light.
``MOVED``
    The edges are elsewhere, and stay there: told soon if they are the usual ones, shifted; otherwise after a
    minute, because a lorry that stops before the camera shows other edges, too. The new view is learnt in the
    half minute in which it is told; then it is the usual one, and the condition ends. It also ends when the
    old view is back. Not found: a nudge by less than about a tenth of the picture.

What is usual is learnt per camera (:mod:`vedette.health.view`), so slowly that passing objects do not
matter, separately for colour and infrared, dim and bright. In a light that was not seen before, a look is
compared with the others' references, and only a much greater difference counts. Whatever is wrong from the
very first look on is taken for usual, except darkness, and pictures that never change.
"""

from __future__ import annotations

from dataclasses import dataclass

import msgspec

from vedette.causes import Cause
from vedette.health.picture import Features
from vedette.health.picture_state import PictureState, Watch
from vedette.health.verdict import COVERED_MOSTLY, Seen, compared
from vedette.health.view import (
    LEARNING_LOOKS,
    LIGHTS,
    averaged,
    blended,
    light,
    likeness_shifted,
    ready,
)

__all__ = ["Began", "Change", "Ended", "PictureHealth", "PictureState", "Watch"]

LATE_S, LATE_TIMES = 5.0, 4.0
"""A look that comes so much later than usual proves nothing about the time between: it is not judged."""
ONE_LOOK_S = 10.0
"""However rare looks are, one counts for at most so long."""

REFRESH_S = 10.0
"""One look in so many seconds enters the reference: what stands there for ten minutes belongs to the view."""
RECENTLY = 1 / 30
"""Whether edges vanished suddenly is judged against about the last 30 looks."""

CONFIRM: dict[Cause, tuple[float, int]] = {
    Cause.FROZEN: (15.0, 8),
    Cause.COVERED: (5.0, 3),
    Cause.DARK: (4.0, 3),
    Cause.WASHED_OUT: (4.0, 3),
    Cause.BLURRED: (12.0, 5),
    Cause.MOVED: (12.0, 5),
}
"""Seconds and looks for which a condition has to show before it is told."""
CLEAR: dict[Cause, tuple[float, int]] = {
    Cause.FROZEN: (0.0, 2),
    Cause.COVERED: (3.0, 2),
    Cause.DARK: (3.0, 2),
    Cause.WASHED_OUT: (3.0, 2),
    Cause.BLURRED: (5.0, 3),
    Cause.MOVED: (4.0, 3),
}
"""For how long it must not show, to be over. A frozen picture's encoder may change its mind about quality
once, so a single look that differs does not end it; a second one does, unless it stood still long between."""

FROZEN_KEYFRAMES = 3
FROZEN_UNTOLD_S = 30.0
"""Where nobody tells of keyframes."""
FROZEN_NO_KEYFRAME_S = 120.0
"""Where there are none: gradual intra refresh, or a very long group of pictures."""
FROZEN_FROM_START_S = 60.0
"""Where no picture ever changed: nothing is known of how this camera stands still."""
INNOCENT_TIMES, INNOCENT_MOST_S = 2.5, 60.0

COVERED_PARTLY_S = 10.0
"""Less than ``COVERED_MOSTLY`` of the picture may be a van that stops before the camera: wait longer."""

SHIFTED = 0.6
"""Correlation with the reference, shifted. Measured: by 25% 0.9, by 12% 0.3 to 0.6; other views ≤ 0.31."""
MOVED_ELSEWHERE_S = 60.0
ACCEPTED_S = 30.0


@dataclass(frozen=True, slots=True)
class Began:
    """``since``: monotonic seconds of the first look at which it showed; ``detail`` for people."""

    cause: Cause
    since: float
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Ended:
    cause: Cause


Change = Began | Ended


class PictureHealth:
    """The rules. Holds nothing: all state is passed in and handed back."""

    def step(
        self, state: PictureState, features: Features, now: float
    ) -> tuple[PictureState, tuple[Change, ...]]:
        """One look, at ``now`` monotonic seconds. At most about one a second; they may be rare, or pause."""
        size = (features.width, features.height)
        if state.size != size:
            # Another resolution, often another lens or crop: nothing learnt holds.
            ended = tuple(Ended(watch.cause) for watch in state.watches if watch.told)
            return _learnt(PictureState(last=now, interval=state.interval, size=size), features, now), ended
        elapsed = now - state.last
        usual = state.interval or max(elapsed, 0.01)
        interval = usual + 0.2 * (min(max(elapsed, 0.0), 60.0) - usual)
        if elapsed <= 0 or elapsed > max(LATE_S, LATE_TIMES * usual):
            return msgspec.structs.replace(state, last=now, interval=interval), ()
        seen = compared(state, features)
        if not state.watches and True not in seen.shows.values():
            lived = state.lived or seen.shows[Cause.FROZEN] is False
            state = PictureState(
                now, interval, size, (), state.references, state.recent, None,
                state.refreshed, lived, state.innocent,
            )  # fmt: skip
            return _learnt(state, features, now), ()
        return _troubled(state, features, seen, now, interval)


def _troubled(
    state: PictureState, features: Features, seen: Seen, now: float, interval: float
) -> tuple[PictureState, tuple[Change, ...]]:
    elapsed = min(now - state.last, ONE_LOOK_S)
    watches: list[Watch] = []
    changes: list[Change] = []
    for watch in state.watches:
        after = _followed(state, watch, features, seen, elapsed)
        if after is None and watch.told:
            changes.append(Ended(watch.cause))
        if after is not None:
            if after.told and not watch.told:
                changes.append(Began(after.cause, after.since, _detail(after, features, seen)))
            watches.append(after)
    known = {watch.cause for watch in state.watches}
    for cause, shows in seen.shows.items():
        if shows and cause not in known:
            # A picture that equals the last one has stood still since then.
            watches.append(Watch(cause, state.last if cause is Cause.FROZEN else now))
    still = seen.shows[Cause.FROZEN]
    state = msgspec.structs.replace(
        state,
        last=now,
        interval=interval,
        watches=tuple(watches),
        lived=state.lived or still is False,
        innocent=max(state.innocent, _stood_still(state)) if still is False else state.innocent,
    )
    state = _with_new_view(state, features, seen, changes)
    if all(watch.cause is Cause.FROZEN and not watch.told for watch in state.watches):
        # Quiet scenes stand still up to the next keyframe, all the time: that must not keep us from learning.
        state = _learnt(state, features, now)
    return state, tuple(changes)


def _with_new_view(
    state: PictureState, features: Features, seen: Seen, changes: list[Change]
) -> PictureState:
    """Learn the view of a camera that seems to have moved; take it for the usual one when that is done."""
    moved = next((watch for watch in state.watches if watch.cause is Cause.MOVED), None)
    if moved is None:
        return state if state.candidate is None else msgspec.structs.replace(state, candidate=None)
    if not seen.shows[Cause.MOVED]:
        return _turning(state, moved, features) if seen.turns else state
    candidate = averaged(state.candidate, features)
    if not (moved.told and candidate.looks >= LEARNING_LOOKS and moved.held >= ACCEPTED_S):
        return msgspec.structs.replace(state, candidate=candidate)
    changes.append(Ended(Cause.MOVED))
    here = light(features)
    return msgspec.structs.replace(
        state,
        candidate=None,
        references=tuple(candidate if each == here else None for each in range(LIGHTS)),
        recent=candidate.texture,
        watches=tuple(watch for watch in state.watches if watch is not moved),
    )


def _turning(state: PictureState, moved: Watch, features: Features) -> PictureState:
    """It was told, and does not hold still: the view to be learnt is another one again."""
    again = msgspec.structs.replace(moved, held=0.0)
    return msgspec.structs.replace(
        state,
        candidate=averaged(None, features),
        watches=tuple(again if watch is moved else watch for watch in state.watches),
    )


def _learnt(state: PictureState, features: Features, now: float) -> PictureState:
    """Nothing is wrong: this look is what is usual."""
    recent = blended(state.recent, features.texture, RECENTLY) if state.recent else features.texture.tobytes()
    here = light(features)
    known = state.references[here]
    if ready(known) and now - state.refreshed < REFRESH_S:
        return msgspec.structs.replace(state, recent=recent)
    references = tuple(
        averaged(each, features) if index == here else each for index, each in enumerate(state.references)
    )
    return msgspec.structs.replace(state, recent=recent, references=references, refreshed=now)


def _followed(
    state: PictureState, watch: Watch, features: Features, seen: Seen, elapsed: float
) -> Watch | None:
    """The watch after this look; None when it is over."""
    shows = seen.shows[watch.cause]
    if shows:
        keyframes = watch.keyframes
        if features.keyframes is not None:
            keyframes = (keyframes or 0) + features.keyframes
        after = Watch(watch.cause, watch.since, watch.held + elapsed, watch.looks + 1, keyframes, watch.told)
        if watch.told and watch.cause is Cause.FROZEN and not _crossed(after):
            return msgspec.structs.replace(after, clear_looks=watch.clear_looks)
        if not watch.told and _sure(state, after, features, seen):
            return msgspec.structs.replace(after, told=True, held=0.0)
        return after
    if shows is None:
        # A view that does not hold still starts again; everything else waits until it is clear.
        return watch if watch.told or watch.cause is not Cause.MOVED else None
    if not watch.told:
        return None
    seconds, looks = CLEAR[watch.cause]
    clear, clear_looks = watch.clear + elapsed, watch.clear_looks + 1
    if clear >= seconds and clear_looks >= looks:
        return None
    keyframes = None if watch.keyframes is None else 0
    if watch.cause is Cause.FROZEN:
        return msgspec.structs.replace(watch, held=0.0, keyframes=keyframes, clear_looks=clear_looks)
    return msgspec.structs.replace(watch, clear=clear, clear_looks=clear_looks)


def _sure(state: PictureState, watch: Watch, features: Features, seen: Seen) -> bool:
    seconds, looks = CONFIRM[watch.cause]
    if watch.cause is Cause.FROZEN:
        seconds = _frozen_after(state, watch)
    elif watch.cause is Cause.COVERED and seen.lost < COVERED_MOSTLY:
        seconds = COVERED_PARTLY_S
    if watch.held < seconds or watch.looks < looks:
        return False
    if watch.cause is not Cause.MOVED or watch.held >= MOVED_ELSEWHERE_S:
        return True
    return any(
        reference is not None and ready(reference) and likeness_shifted(reference, features) >= SHIFTED
        for reference in state.references
    )


def _frozen_after(state: PictureState, watch: Watch) -> float:
    """Seconds for which a picture has to stand still."""
    if not state.lived:
        return FROZEN_FROM_START_S
    if watch.keyframes is not None and watch.keyframes >= FROZEN_KEYFRAMES:
        return CONFIRM[Cause.FROZEN][0]
    seconds = FROZEN_UNTOLD_S if watch.keyframes is None else FROZEN_NO_KEYFRAME_S
    return max(seconds, INNOCENT_TIMES * state.innocent)


def _crossed(watch: Watch) -> bool:
    """Whether it stood still for longer than a quiet scene may."""
    if watch.keyframes is None:
        return watch.held >= CONFIRM[Cause.FROZEN][0]
    return watch.keyframes >= FROZEN_KEYFRAMES


def _stood_still(state: PictureState) -> float:
    for watch in state.watches:
        if watch.cause is Cause.FROZEN and not watch.told and not (watch.keyframes and _crossed(watch)):
            return min(watch.held, INNOCENT_MOST_S)
    return 0.0


def _detail(watch: Watch, features: Features, seen: Seen) -> str:
    match watch.cause:
        case Cause.FROZEN:
            return f"{watch.looks} looks alike to the bit"
        case Cause.COVERED:
            return f"edges vanished from {seen.lost:.0%} of the picture"
        case Cause.MOVED:
            return f"edges fit the usual view by {max(seen.alike, 0.0):.0%}"
        case Cause.DARK | Cause.WASHED_OUT:
            return f"mean luma {features.luma:.0f} of 255"
        case _:
            return f"sharpness {features.sharpness:.2f}"
