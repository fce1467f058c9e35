"""What may be set of drift."""

from __future__ import annotations

from dataclasses import dataclass

from vedette.quality.drift.fleet import Across
from vedette.quality.drift.windows import WINDOW_S

__all__ = ["DAY_WINDOWS", "Settings"]

DAY_WINDOWS = round(86400 / WINDOW_S)


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """``learn_days``: of windows that were seen, until what is usual is known. ``arl_days``: false alarms are
    at least so many camera-days apart in the mean. ``across``: over what that counts. ``tolerance``:
    deviations of a window by which a mean may shift and nobody is told. ``unseen_after_s``: so long may
    conditions have no baseline until that is told. ``utc_offset_s``: of the hours of the day.
    """

    learn_days: float = 3.0
    arl_days: float = 1000.0
    across: Across = Across.EACH
    tolerance: float = 0.15
    unseen_after_s: float = 600.0
    utc_offset_s: float = 0.0

    @property
    def arl(self) -> float:
        """In windows."""
        return self.arl_days * DAY_WINDOWS

    @property
    def learn_windows(self) -> int:
        return max(1, round(self.learn_days * DAY_WINDOWS))
