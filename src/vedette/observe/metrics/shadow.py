"""The samples of a candidate that is shown frames."""

from __future__ import annotations

from vedette.observe.metrics import families
from vedette.observe.metrics.text import Page, label
from vedette.observe.views import ShadowFigures, ShadowView

__all__ = ["put_shadow"]


def put_shadow(page: Page, shadow: ShadowView) -> None:
    """All of them."""
    page.add(families.SHADOW, 1, f"{label('model', shadow.model)},{label('state', shadow.state)}")
    page.add(families.SHADOW_RUNNING, int(shadow.state in ("looking", "waiting")))
    for camera, figures in shadow.cameras.items():
        _put_camera(page, label("camera", camera), figures)
    if shadow.in_all.agreement is not None:
        page.add(families.SHADOW_AGREEMENT, shadow.in_all.agreement)
    page.add(families.SHADOW_TIME, shadow.in_all.took_s)


def _put_camera(page: Page, camera: str, figures: ShadowFigures) -> None:
    page.add(families.SHADOW_FRAMES, figures.frames, camera)
    found = {
        "both": figures.both,
        "running": figures.only_running,
        "candidate": figures.only_candidate,
    }
    for found_by, boxes in found.items():
        page.add(families.SHADOW_BOXES, boxes, f"{camera},{label('found_by', found_by)}")
    for why, frames in {**figures.left_out, "failed": figures.failed}.items():
        page.add(families.SHADOW_LEFT_OUT, frames, f"{camera},{label('why', why)}")
