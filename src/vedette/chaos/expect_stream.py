"""What is to be expected where the stream goes on, and something is wrong with it or its line. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from vedette.causes import Cause
from vedette.chaos.rule import JITTER_S, NONE, SETTLE_S, SLACK_S, Expected, number
from vedette.chaos.seen import Setting, Struck
from vedette.health.arrivals import BASELINE_KNOWN_S, HOLD_UP_S, UNSEEN_MOST_S, WINDOW_S
from vedette.health.notes import STEP_S
from vedette.health.quality import ABSURD_S, LATE_FOR_S, SLOW_BELOW, SLOW_FOR_S, STEPS_AT_MOST, STEPS_WITHIN_S
from vedette.health.stream import LOOK_EVERY_S

__all__ = ["burst", "clock", "corrupt", "jitter", "loss", "rate", "resolution", "slow"]

C = Cause

CLEAR_QUALITY_S: Final = SLOW_FOR_S + 2 * WINDOW_S
"""Until a camera is not slow any more."""

_DAMAGED = frozenset({C.CORRUPT, C.NO_KEYFRAME})
_NARROW = frozenset({C.LATE, C.SLOW, C.STALLED})
_CLOCK_KINDS = frozenset(("pts_jump", "timestamp_gap"))


def clock(fault: Struck, setting: Setting, before: Sequence[Struck]) -> Expected:
    """The stream's clock jumps."""
    by = number(fault, "by")
    if 0 < by <= STEP_S or -STEP_S <= by <= 0:
        return Expected()  # no more than jitter may be
    cause = C.TIMESTAMP_GAP if 0 < by <= ABSURD_S else C.TIMESTAMP_JUMP
    lately = [f for f in before if f.kind == fault.kind or f.kind in _CLOCK_KINDS]
    lately = [f for f in lately if fault.began - f.began < 2 * STEPS_WITHIN_S]
    many = frozenset({C.TIMESTAMPS}) if len(lately) + 1 >= STEPS_AT_MOST else NONE
    # Near the limit it may be told either way: frames' own jitter decides.
    near = frozenset({C.TIMESTAMP_GAP, C.TIMESTAMP_JUMP}) if abs(by - ABSURD_S) < 0.5 else NONE
    return Expected(
        right=frozenset({cause}) | many | near,
        # A row of many steps stands for more of them.
        within=None if many else 2 * LOOK_EVERY_S + SLACK_S,
        back_within=STEPS_WITHIN_S + 2 * SLACK_S,
    )


def resolution(fault: Struck, setting: Setting, before: Sequence[Struck]) -> Expected:
    """Another size."""
    return Expected(
        right=frozenset({C.RESOLUTION_CHANGED}),
        within=setting.keyframe_every + 2 * LOOK_EVERY_S + SLACK_S,
        settle=setting.keyframe_every + SETTLE_S,
    )


def corrupt(fault: Struck, setting: Setting, before: Sequence[Struck]) -> Expected:
    """Frames arrive damaged."""
    share = number(fault, "share")
    # Every few keyframes one is whole, and pictures come until the next frame that is not.
    within = 2 * setting.keyframe_every + 2 * UNSEEN_MOST_S + SLACK_S
    return Expected(
        right=frozenset({C.CORRUPT}),
        within=within if share >= 0.3 else None,
        first=frozenset({C.NO_KEYFRAME}),
        sure_after=within,
        also=frozenset({C.SLOW, C.LATE}),
        back_within=JITTER_S * min(30.0, max(2.0, fault.lasted / 2)) + setting.connect_timeout + 2 * SLACK_S,
        interrupts=share >= 0.3,
    )


def loss(fault: Struck, setting: Setting, before: Sequence[Struck]) -> Expected:
    """Packets are missing."""
    share = number(fault, "share")
    return replace(
        corrupt(fault, setting, before),
        # A picture is some packets, a keyframe many: of one in five lost, hardly any is whole.
        within=2 * setting.keyframe_every + 2 * UNSEEN_MOST_S + SLACK_S if share >= 0.2 else None,
        first=NONE if share >= 0.2 else _DAMAGED,
        interrupts=share >= 0.2,
    )


# ---- the line


def slow(fault: Struck, setting: Setting, before: Sequence[Struck]) -> Expected:
    """A line too narrow, more or less."""
    share = number(fault, "kbps") / setting.kbps
    wait = CLEAR_QUALITY_S + SLACK_S
    if share > 0.8:
        # Keyframes are far above the mean: they may be late all the same.
        return Expected(also=_NARROW, back_within=wait)
    late_at = setting.late_after / (1.0 - share)
    return Expected(
        right=_NARROW,
        within=max(late_at, setting.keyframe_every) + LATE_FOR_S + 3 * SLACK_S,
        # What the camera's buffer had no room for is missing on the stream's clock.
        also=frozenset({C.NO_KEYFRAME, C.CORRUPT, C.TIMESTAMP_GAP, C.TIMESTAMP_JUMP, C.TIMESTAMPS}),
        back_within=wait,
        interrupts=True,
    )


def jitter(fault: Struck, setting: Setting, before: Sequence[Struck]) -> Expected:
    """Frames come late by turns."""
    return _held(2 * number(fault, "by"), number(fault, "by"), setting)


def burst(fault: Struck, setting: Setting, before: Sequence[Struck]) -> Expected:
    """Frames are held back."""
    hold = number(fault, "hold")
    return _held(hold, hold / 2, setting)


def _held(most: float, mean: float, setting: Setting) -> Expected:
    """Frames that are so late at most, and on the mean."""
    also = set()
    if most > HOLD_UP_S or most > setting.stall_after - 0.2:
        also |= {C.STALLED}
    if mean > 0.5 * setting.late_after:
        also |= {C.LATE, C.SLOW}
    if mean > 1.2 * setting.late_after:
        return Expected(
            right=frozenset({C.LATE, C.STALLED}),
            within=LATE_FOR_S + 2 * most + 2 * SLACK_S,
            also=frozenset({C.SLOW}),
            back_within=CLEAR_QUALITY_S + SLACK_S,
        )
    return Expected(also=frozenset(also), back_within=CLEAR_QUALITY_S + SLACK_S if also else 5.0)


def rate(fault: Struck, setting: Setting, before: Sequence[Struck]) -> Expected:
    """Fewer frames a second."""
    fps = number(fault, "fps")
    back = CLEAR_QUALITY_S + 2 * SLACK_S
    if fps >= SLOW_BELOW * setting.fps * 0.9:
        return Expected(also=frozenset({C.SLOW}), back_within=back)
    silent = 1.0 / fps > 0.7 * max(setting.stall_after, HOLD_UP_S)
    return Expected(
        right=frozenset({C.SLOW} | ({C.STALLED} if silent else set())),
        within=number(fault, "over") + 2 * WINDOW_S + SLOW_FOR_S + 2 * SLACK_S,
        prepared=BASELINE_KNOWN_S,
        back_within=back,
    )
