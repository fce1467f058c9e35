"""Steps up are trials: what became of the last one says when there may be another."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from vedette.ladder.pressure import Seen, eased
from vedette.ladder.standing import Standing

__all__ = ["Trial", "climbed", "looked", "lowered"]

PROVEN_S = 60.0
"""A step up that is taken back sooner was one too many. Also the least time between two, once one was."""

HOLD_FIRST_S, HOLD_MOST_S = 60.0, 900.0
SURE_S = 3.0
AT_REST_S = 1.0
"""The load is measured over a second."""

NEVER = float("-inf")


@dataclass(frozen=True, slots=True)
class Trial:
    """The last step up. ``at``: when; ``open``: it is not known yet whether it holds. ``before``: what stood
    where, of all that went up, and ``size`` the detector's if that did. ``depth``: how far down everything
    was in all, ``seen``: the machine then; None = to be looked at once it is at rest.

    ``careful``: one failed, and nothing has changed since. Then there is at most one a minute, of at most
    ``most`` cameras, not before ``until``; ``hold`` is how long that was. ``easy``: since when the machine
    has had much less to do than then.
    """

    at: float = NEVER
    before: Mapping[str, Standing] = field(default_factory=dict)
    size: int | None = None
    open: bool = False
    depth: tuple[int, int] = (0, 0)
    seen: Seen | None = None
    careful: bool = False
    most: int = 0
    hold: float = 0.0
    until: float = NEVER
    easy: float | None = None

    def due(self, now: float, apart: float) -> bool:
        """Whether there may be another now, ``apart`` seconds after the last at least."""
        return now >= self.until and now - self.at >= (PROVEN_S if self.careful else apart)

    def fails(self, now: float) -> bool:
        """Whether something that has to go down now says that it does not hold."""
        return self.open and now - self.at <= PROVEN_S


def climbed(
    trial: Trial,
    now: float,
    before: Mapping[str, Standing],
    size: int | None,
    depth: tuple[int, int],
    seen: Seen,
) -> Trial:
    """Cameras went up from where they stood ``before``, or the detector's input from ``size``."""
    return replace(trial, at=now, before=before, size=size, open=True, depth=depth, seen=seen, easy=None)


def lowered(trial: Trial, now: float, depth: tuple[int, int]) -> Trial:
    """Something had to go down; ``depth``: how far all is down afterwards."""
    seen = trial.seen if depth == trial.depth else None
    trial = replace(trial, seen=seen, depth=depth, easy=None)
    if not trial.fails(now):
        return trial
    hold = min(HOLD_MOST_S, max(HOLD_FIRST_S, 2 * trial.hold))
    return replace(
        trial,
        open=False,
        careful=True,
        hold=hold,
        until=now + hold,
        most=max(1, len(trial.before) // 2),
        before={},
        size=None,
    )


def looked(trial: Trial, now: float, calm: float, seen: Seen) -> Trial:
    """Nothing went down. ``calm``: for how many seconds nothing has been too much; ``seen``: the machine."""
    if trial.open and now - trial.at > PROVEN_S:
        hold = trial.hold / 2 if trial.hold > HOLD_FIRST_S else 0.0
        # It held: twice as many may be next. Twice as many as went, not as might have: where only one fits
        # at a time, ten that held say nothing of a thousand.
        most = 2 * min(trial.most, len(trial.before)) if trial.before else trial.most
        trial = replace(trial, open=False, hold=hold, most=most, before={}, size=None)
    if not trial.careful:
        return trial
    if trial.seen is None:
        return replace(trial, seen=seen) if calm >= AT_REST_S else trial
    if not eased(trial.seen, seen):
        return trial if trial.easy is None else replace(trial, easy=None)
    if trial.easy is None:
        return replace(trial, easy=now)
    return Trial() if now - trial.easy >= SURE_S else trial
