"""What a node should make of each kind of fault: the right causes, and within which time. Pure.

The limits follow from the thresholds of :mod:`vedette.health`, and leave :data:`SLACK_S` to a busy machine.
Faults that a camera may well survive unnoticed (a little jitter) need not be told of; the more severe they
are, the more is expected. docs/chaos.md has all of it in a table.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Final

from vedette.causes import Cause
from vedette.chaos.seen import Setting, Struck
from vedette.health.arrivals import (
    BASELINE_KNOWN_S,
    HOLD_UP_S,
    KNOWN_AFTER_S,
    LARGEST,
    MEANS,
    UNSEEN_MOST_S,
    WINDOW_S,
)
from vedette.health.conditions import (
    ACCEPTED_S,
    CLEAR,
    CONFIRM,
    COVERED_PARTLY_S,
    FROZEN_KEYFRAMES,
    MOVED_ELSEWHERE_S,
)
from vedette.health.notes import STEP_S
from vedette.health.quality import ABSURD_S, LATE_FOR_S, SLOW_BELOW, SLOW_FOR_S, STEPS_AT_MOST, STEPS_WITHIN_S
from vedette.health.stream import LOOK_EVERY_S
from vedette.health.view import READY_LOOKS
from vedette.ingest.reconnect import FLAP_FIRST_S, HEALTHY_AFTER_S, WAIT_MOST_S

__all__ = ["PICTURE_KINDS", "Expected", "expected", "warm_up"]

SLACK_S: Final = 1.0
"""What a busy machine may take longer than the policies do."""

SETTLE_S: Final = 3.0
"""A row that begins so soon after a fault ended was made by it."""

JITTER_S: Final = 1.5
"""Waits between attempts are stretched by up to half."""

REFUSED_MOST_S, REFUSED_FIRST_S = 120.0, 10.0
"""Waits after a wrong password."""

C = Cause
_LOST = frozenset({C.CONNECTION_LOST, C.ENDED})
_SILENT = frozenset({C.STALLED, C.UNREACHABLE})
_DAMAGED = frozenset({C.CORRUPT, C.NO_KEYFRAME})
_NARROW = frozenset({C.LATE, C.SLOW, C.STALLED})
_NONE: frozenset[Cause] = frozenset()

PICTURE_KINDS: Final = {
    "freeze": C.FROZEN,
    "black": C.DARK,
    "white": C.WASHED_OUT,
    "blur": C.BLURRED,
    "covered": C.COVERED,
    "moved": C.MOVED,
}
LINK_KINDS: Final = frozenset(
    ("refuse", "drop", "end", "flap", "stall", "hang", "codec", "wrong_password", "restart", "outage")
)
TIMING_KINDS: Final = frozenset(("slow", "jitter", "burst", "rate", "loss", "corrupt"))


@dataclass(frozen=True, slots=True)
class Expected:
    """Seconds. ``within`` None: it need not be told of at all.

    ``right``: causes one of which has to be named; from ``sure_after`` seconds after the beginning on, none
    but these is right in the end. ``first``: right before that. ``also``: may be told beside them.
    ``prepared``: for so long the camera's pictures must have been as usual before, or nobody can tell.
    ``back_within``: from the end of the fault until nothing of it is open any more. ``settle``: rows that
    begin so soon after its end were made by it. ``interrupts``: no results come while it lasts.
    """

    right: frozenset[Cause] = _NONE
    within: float | None = None
    first: frozenset[Cause] = _NONE
    sure_after: float = 0.0
    also: frozenset[Cause] = _NONE
    prepared: float = 0.0
    back_within: float = 5.0
    settle: float = SETTLE_S
    interrupts: bool = False

    @property
    def detecting(self) -> frozenset[Cause]:
        return self.right | self.first

    @property
    def explained(self) -> frozenset[Cause]:
        return self.right | self.first | self.also


def warm_up(kinds: frozenset[str]) -> float:
    """Seconds that cameras must be seen before faults of these kinds can be told from what is usual."""
    if "rate" in kinds:
        return BASELINE_KNOWN_S + 2 * WINDOW_S
    if kinds & PICTURE_KINDS.keys():
        return READY_LOOKS + 5.0
    return 2 * KNOWN_AFTER_S


def expected(fault: Struck, setting: Setting, before: Sequence[Struck] = ()) -> Expected:
    """``before``: the camera's earlier faults, by their beginning; they make some limits longer."""
    if fault.kind in PICTURE_KINDS:
        return _picture(fault, setting)
    return _RULES[fault.kind](fault, setting, before)


# ---- the stream is gone


def _silence(fault: Struck, setting: Setting, before: Sequence[Struck]) -> Expected:
    pause = _pause_known(setting, before)
    threshold = max(
        setting.stall_after,
        UNSEEN_MOST_S,
        MEANS / setting.fps,
        LARGEST * pause,
        pause + HOLD_UP_S * (pause > 0),
    )
    return Expected(
        right=frozenset({C.STALLED}) if fault.kind == "stall" else _SILENT,
        within=threshold + LOOK_EVERY_S + SLACK_S,
        also=_NONE if fault.kind == "stall" else _LOST,
        back_within=_reconnect(fault, setting, before),
        interrupts=True,
    )


def _pause_known(setting: Setting, before: Sequence[Struck]) -> float:
    """The longest pause that earlier faults may have taught the camera's threshold."""
    pauses = [0.0]
    for fault in before:
        match fault.kind:
            case "jitter":
                pauses.append(2 * _number(fault, "by"))
            case "burst":
                pauses.append(_number(fault, "hold"))
            case "rate":
                pauses.append(1.0 / max(0.1, _number(fault, "fps")))
            case "slow" | "loss" | "corrupt":
                pauses.append(setting.keyframe_every)
    return max(pauses)


def _cut(fault: Struck, setting: Setting, before: Sequence[Struck]) -> Expected:
    """The session ends, and new ones come about at once."""
    right = {"drop": {C.CONNECTION_LOST}, "flap": {C.CONNECTION_LOST}, "end": {C.ENDED}}[fault.kind]
    return Expected(
        right=frozenset(right),
        within=LOOK_EVERY_S + SLACK_S,
        back_within=_reconnect(fault, setting, before),
        interrupts=True,
    )


def _turned_away(fault: Struck, setting: Setting, before: Sequence[Struck]) -> Expected:
    """Sessions are cut, and whoever comes again is told no."""
    status = int(_number(fault, "status") or 503)
    right = C.UNAUTHORISED if fault.kind == "wrong_password" or status in (401, 403) else C.REFUSED
    back = _reconnect(fault, setting, before)
    if right is C.UNAUTHORISED:
        # Each wait is about as long as all before it together.
        back = max(back, JITTER_S * min(REFUSED_MOST_S, fault.lasted + REFUSED_FIRST_S) + 2 * SLACK_S)
    cut = fault.kind == "wrong_password" or fault.options.get("cut", True)
    return Expected(
        right=frozenset({right}),
        # Who is not cut notices nothing.
        within=LOOK_EVERY_S + SLACK_S if cut else None,
        first=_LOST,
        sure_after=JITTER_S * _damping(fault, before) + 2 * SLACK_S,
        back_within=back,
        interrupts=bool(cut),
    )


def _restart(fault: Struck, setting: Setting, before: Sequence[Struck]) -> Expected:
    return Expected(
        right=_LOST | {C.REFUSED},
        within=LOOK_EVERY_S + SLACK_S,
        also=frozenset({C.UNREACHABLE}),
        back_within=_reconnect(fault, setting, before),
        interrupts=True,
    )


def _codec(fault: Struck, setting: Setting, before: Sequence[Struck]) -> Expected:
    back = _reconnect(fault, setting, before)
    return Expected(
        right=frozenset({C.CODEC_CHANGED}), within=back, also=_LOST, back_within=back, interrupts=True
    )


def _reconnect(fault: Struck, setting: Setting, before: Sequence[Struck]) -> float:
    """Seconds from the end of a fault until a new session gives pictures, at the latest."""
    share = min(WAIT_MOST_S, max(1.0, fault.lasted / 20))
    wait = JITTER_S * max(share, _damping(fault, before))
    # One attempt may have begun just before the end, and has to run into its timeout first.
    return wait + setting.connect_timeout + 2 * SLACK_S


def _damping(fault: Struck, before: Sequence[Struck]) -> float:
    """The wait after sessions that died young: those of this outage, as far back as it goes."""
    died = 1 + int(fault.lasted / max(0.1, _number(fault, "period"))) if fault.kind == "flap" else 1
    reached = fault.began
    for earlier in reversed(before):
        if reached - earlier.ended > HEALTHY_AFTER_S + SETTLE_S:
            break
        if earlier.kind in LINK_KINDS:
            died += 2  # its session, and one that did not live
        if earlier.kind == "flap":
            died += int(earlier.lasted / max(0.1, _number(earlier, "period")))
        reached = min(reached, earlier.began)
    return float(min(WAIT_MOST_S, FLAP_FIRST_S * 2.0 ** min(died - 1, 10)))


# ---- the stream's own doing


def _clock(fault: Struck, setting: Setting, before: Sequence[Struck]) -> Expected:
    by = _number(fault, "by")
    if 0 < by <= STEP_S or -STEP_S <= by <= 0:
        return Expected()  # no more than jitter may be
    cause = C.TIMESTAMP_GAP if 0 < by <= ABSURD_S else C.TIMESTAMP_JUMP
    lately = [f for f in before if f.kind == fault.kind or f.kind in _CLOCK_KINDS]
    lately = [f for f in lately if fault.began - f.began < 2 * STEPS_WITHIN_S]
    many = frozenset({C.TIMESTAMPS}) if len(lately) + 1 >= STEPS_AT_MOST else _NONE
    # Near the limit it may be told either way: frames' own jitter decides.
    near = frozenset({C.TIMESTAMP_GAP, C.TIMESTAMP_JUMP}) if abs(by - ABSURD_S) < 0.5 else _NONE
    return Expected(
        right=frozenset({cause}) | many | near,
        # A row of many steps stands for more of them.
        within=None if many else 2 * LOOK_EVERY_S + SLACK_S,
        back_within=STEPS_WITHIN_S + 2 * SLACK_S,
    )


_CLOCK_KINDS = frozenset(("pts_jump", "timestamp_gap"))


def _resolution(fault: Struck, setting: Setting, before: Sequence[Struck]) -> Expected:
    return Expected(
        right=frozenset({C.RESOLUTION_CHANGED}),
        within=setting.keyframe_every + 2 * LOOK_EVERY_S + SLACK_S,
        settle=setting.keyframe_every + SETTLE_S,
    )


def _corrupt(fault: Struck, setting: Setting, before: Sequence[Struck]) -> Expected:
    share = _number(fault, "share")
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


def _loss(fault: Struck, setting: Setting, before: Sequence[Struck]) -> Expected:
    share = _number(fault, "share")
    return replace(
        _corrupt(fault, setting, before),
        # A picture is some packets, a keyframe many: of one in five lost, hardly any is whole.
        within=2 * setting.keyframe_every + 2 * UNSEEN_MOST_S + SLACK_S if share >= 0.2 else None,
        first=_NONE if share >= 0.2 else _DAMAGED,
        interrupts=share >= 0.2,
    )


# ---- the line


def _slow(fault: Struck, setting: Setting, before: Sequence[Struck]) -> Expected:
    share = _number(fault, "kbps") / setting.kbps
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


CLEAR_QUALITY_S: Final = SLOW_FOR_S + 2 * WINDOW_S
"""Until a camera is not slow any more."""


def _jitter(fault: Struck, setting: Setting, before: Sequence[Struck]) -> Expected:
    return _held(2 * _number(fault, "by"), _number(fault, "by"), setting)


def _burst(fault: Struck, setting: Setting, before: Sequence[Struck]) -> Expected:
    hold = _number(fault, "hold")
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


def _rate(fault: Struck, setting: Setting, before: Sequence[Struck]) -> Expected:
    fps = _number(fault, "fps")
    back = CLEAR_QUALITY_S + 2 * SLACK_S
    if fps >= SLOW_BELOW * setting.fps * 0.9:
        return Expected(also=frozenset({C.SLOW}), back_within=back)
    silent = 1.0 / fps > 0.7 * max(setting.stall_after, HOLD_UP_S)
    return Expected(
        right=frozenset({C.SLOW} | ({C.STALLED} if silent else set())),
        within=_number(fault, "over") + 2 * WINDOW_S + SLOW_FOR_S + 2 * SLACK_S,
        prepared=BASELINE_KNOWN_S,
        back_within=back,
    )


# ---- the picture


def _picture(fault: Struck, setting: Setting) -> Expected:
    cause = PICTURE_KINDS[fault.kind]
    seconds, _ = CONFIRM[cause]
    if cause is C.FROZEN:
        seconds = max(seconds, (FROZEN_KEYFRAMES + 1) * setting.keyframe_every)
    elif cause is C.COVERED:
        seconds = COVERED_PARTLY_S
    clear, looks = CLEAR[cause]
    rule = Expected(
        right=frozenset({cause}),
        within=seconds + _LOOKS_S + SLACK_S,
        prepared=READY_LOOKS + _LOOKS_S,
        back_within=clear + looks + _LOOKS_S + SLACK_S,
    )
    return _moved(fault, rule) if cause is C.MOVED else _seemingly(fault, rule)


_LOOKS_S: Final = 3.0
"""Looks are a second apart, more or less; two may fall away at either end."""


def _moved(fault: Struck, rule: Expected) -> Expected:
    # Told soon if the usual edges are found, shifted; whether they are depends on the scene.
    within = MOVED_ELSEWHERE_S + _LOOKS_S + SLACK_S
    rule = replace(rule, within=within if _number(fault, "by") >= 0.15 else None)  # less is a nudge
    if fault.lasted < CONFIRM[C.MOVED][0] + ACCEPTED_S:
        return rule
    # By then the new view is the usual one, and so the way back is a move itself.
    again = MOVED_ELSEWHERE_S + _LOOKS_S + SLACK_S
    return replace(rule, settle=again, back_within=again + ACCEPTED_S)


def _seemingly(fault: Struck, rule: Expected) -> Expected:
    if fault.kind == "blur" and _number(fault, "factor") < 6:
        return replace(rule, within=None)
    return rule


def _number(fault: Struck, option: str) -> float:
    value = fault.options.get(option, 0.0)
    return float(value) if isinstance(value, (int, float)) else 0.0


_RULES: Final[dict[str, Callable[[Struck, Setting, Sequence[Struck]], Expected]]] = {
    "stall": _silence,
    "hang": _silence,
    "outage": _silence,
    "drop": _cut,
    "end": _cut,
    "flap": _cut,
    "refuse": _turned_away,
    "wrong_password": _turned_away,
    "restart": _restart,
    "codec": _codec,
    "pts_jump": _clock,
    "timestamp_gap": _clock,
    "resolution": _resolution,
    "corrupt": _corrupt,
    "loss": _loss,
    "slow": _slow,
    "jitter": _jitter,
    "burst": _burst,
    "rate": _rate,
}
