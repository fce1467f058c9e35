"""The samples of a candidate that detects for some cameras."""

from __future__ import annotations

from vedette.observe.metrics import families
from vedette.observe.metrics.text import Page, label
from vedette.observe.views import CanaryView

__all__ = ["put_canary"]


def put_canary(page: Page, canary: CanaryView) -> None:
    """All of them."""
    page.add(families.CANARY, 1, f"{label('model', canary.model)},{label('state', canary.state)}")
    runs = canary.state in ("detecting", "taking_over")
    page.add(families.CANARY_RUNNING, int(runs))
    page.add(families.CANARY_CAMERAS, len(canary.cameras) if runs else 0)
    page.add(families.CANARY_FRAMES, canary.frames)
    page.add(families.CANARY_BOXES, canary.boxes)
