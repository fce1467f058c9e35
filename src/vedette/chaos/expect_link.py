"""What is to be expected where the stream is gone. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from vedette.causes import Cause
from vedette.chaos.rule import JITTER_S, NONE, SETTLE_S, SLACK_S, Expected, number
from vedette.chaos.seen import Setting, Struck
from vedette.health.arrivals import HOLD_UP_S, LARGEST, MEANS, UNSEEN_MOST_S
from vedette.health.stream import LOOK_EVERY_S
from vedette.ingest.reconnect import FLAP_FIRST_S, HEALTHY_AFTER_S, WAIT_MOST_S

__all__ = ["codec", "cut", "restart", "silence", "turned_away"]

C = Cause

REFUSED_MOST_S, REFUSED_FIRST_S = 120.0, 10.0
"""Waits after a wrong password."""

_LOST = frozenset({C.CONNECTION_LOST, C.ENDED})
_SILENT = frozenset({C.STALLED, C.UNREACHABLE})
_LINK_KINDS: Final = frozenset(
    ("refuse", "drop", "end", "flap", "stall", "hang", "codec", "wrong_password", "restart", "outage")
)


def silence(fault: Struck, setting: Setting, before: Sequence[Struck]) -> Expected:
    """The stream stands still, answered or not."""
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
        also=NONE if fault.kind == "stall" else _LOST,
        back_within=_reconnect(fault, setting, before),
        interrupts=True,
    )


def _pause_known(setting: Setting, before: Sequence[Struck]) -> float:
    """The longest pause that earlier faults may have taught the camera's threshold."""
    pauses = [0.0]
    for fault in before:
        match fault.kind:
            case "jitter":
                pauses.append(2 * number(fault, "by"))
            case "burst":
                pauses.append(number(fault, "hold"))
            case "rate":
                pauses.append(1.0 / max(0.1, number(fault, "fps")))
            case "slow" | "loss" | "corrupt":
                pauses.append(setting.keyframe_every)
    return max(pauses)


def cut(fault: Struck, setting: Setting, before: Sequence[Struck]) -> Expected:
    """The session ends, and new ones come about at once."""
    right = {"drop": {C.CONNECTION_LOST}, "flap": {C.CONNECTION_LOST}, "end": {C.ENDED}}[fault.kind]
    return Expected(
        right=frozenset(right),
        within=LOOK_EVERY_S + SLACK_S,
        back_within=_reconnect(fault, setting, before),
        interrupts=True,
    )


def turned_away(fault: Struck, setting: Setting, before: Sequence[Struck]) -> Expected:
    """Sessions are cut, and whoever comes again is told no."""
    status = int(number(fault, "status") or 503)
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


def restart(fault: Struck, setting: Setting, before: Sequence[Struck]) -> Expected:
    """The server is gone and comes back."""
    return Expected(
        right=_LOST | {C.REFUSED},
        within=LOOK_EVERY_S + SLACK_S,
        also=frozenset({C.UNREACHABLE}),
        back_within=_reconnect(fault, setting, before),
        interrupts=True,
    )


def codec(fault: Struck, setting: Setting, before: Sequence[Struck]) -> Expected:
    """Sessions end, and the next ones send something else."""
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
    died = 1 + int(fault.lasted / max(0.1, number(fault, "period"))) if fault.kind == "flap" else 1
    reached = fault.began
    for earlier in reversed(before):
        if reached - earlier.ended > HEALTHY_AFTER_S + SETTLE_S:
            break
        if earlier.kind in _LINK_KINDS:
            died += 2  # its session, and one that did not live
        if earlier.kind == "flap":
            died += int(earlier.lasted / max(0.1, number(earlier, "period")))
        reached = min(reached, earlier.began)
    return float(min(WAIT_MOST_S, FLAP_FIRST_S * 2.0 ** min(died - 1, 10)))
