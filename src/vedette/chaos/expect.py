"""What a node should make of each kind of fault: the right causes, and within which time. Pure.

The limits follow from the thresholds of :mod:`vedette.health`, and leave a second to a busy machine. Faults
that a camera may well survive unnoticed (a little jitter) need not be told of; the more severe they are, the
more is expected. docs/chaos.md has all of it in a table.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

from vedette.chaos import expect_link as link
from vedette.chaos import expect_stream as stream
from vedette.chaos.expect_picture import PICTURE_KINDS, picture
from vedette.chaos.rule import Expected
from vedette.chaos.seen import Setting, Struck
from vedette.health.arrivals import BASELINE_KNOWN_S, KNOWN_AFTER_S, WINDOW_S
from vedette.health.view import READY_LOOKS

__all__ = ["PICTURE_KINDS", "Expected", "expected", "warm_up"]


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
        return picture(fault, setting)
    return _RULES[fault.kind](fault, setting, before)


_RULES: Final[dict[str, Callable[[Struck, Setting, Sequence[Struck]], Expected]]] = {
    "stall": link.silence,
    "hang": link.silence,
    "outage": link.silence,
    "drop": link.cut,
    "end": link.cut,
    "flap": link.cut,
    "refuse": link.turned_away,
    "wrong_password": link.turned_away,
    "restart": link.restart,
    "codec": link.codec,
    "pts_jump": stream.clock,
    "timestamp_gap": stream.clock,
    "resolution": stream.resolution,
    "corrupt": stream.corrupt,
    "loss": stream.loss,
    "slow": stream.slow,
    "jitter": stream.jitter,
    "burst": stream.burst,
    "rate": stream.rate,
}
