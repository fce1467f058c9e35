"""What is to be expected where the picture is wrong. Pure."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from vedette.causes import Cause
from vedette.chaos.rule import SLACK_S, Expected, number
from vedette.chaos.seen import Setting, Struck
from vedette.health.conditions import (
    ACCEPTED_S,
    CLEAR,
    CONFIRM,
    COVERED_PARTLY_S,
    FROZEN_KEYFRAMES,
    MOVED_ELSEWHERE_S,
)
from vedette.health.view import READY_LOOKS

__all__ = ["PICTURE_KINDS", "picture"]

C = Cause
PICTURE_KINDS: Final = {
    "freeze": C.FROZEN,
    "black": C.DARK,
    "white": C.WASHED_OUT,
    "blur": C.BLURRED,
    "covered": C.COVERED,
    "moved": C.MOVED,
}

_LOOKS_S: Final = 3.0
"""Looks are a second apart, more or less; two may fall away at either end."""


def picture(fault: Struck, setting: Setting) -> Expected:
    """As long as its check takes to be sure, and some looks."""
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


def _moved(fault: Struck, rule: Expected) -> Expected:
    # Told soon if the usual edges are found, shifted; whether they are depends on the scene.
    within = MOVED_ELSEWHERE_S + _LOOKS_S + SLACK_S
    rule = replace(rule, within=within if number(fault, "by") >= 0.15 else None)  # less is a nudge
    if fault.lasted < CONFIRM[C.MOVED][0] + ACCEPTED_S:
        return rule
    # By then the new view is the usual one, and so the way back is a move itself.
    again = MOVED_ELSEWHERE_S + _LOOKS_S + SLACK_S
    return replace(rule, settle=again, back_within=again + ACCEPTED_S)


def _seemingly(fault: Struck, rule: Expected) -> Expected:
    if fault.kind == "blur" and number(fault, "factor") < 6:
        return replace(rule, within=None)
    return rule
