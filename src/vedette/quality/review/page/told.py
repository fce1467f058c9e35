"""What the browser is told of frames and of what was said of them: not more than whoever looks may know."""

from __future__ import annotations

from vedette.quality.review.history import Past
from vedette.quality.review.page.desk import Saved
from vedette.quality.review.rows import Item, Stored

__all__ = ["as_past", "as_saved", "as_task"]


def as_task(item: Item) -> dict[str, object]:
    """Not why the frame was kept, nor whether anybody saw it before: that would lead the eye."""
    return {
        "item": item.id,
        "camera": item.camera,
        "captured_at": item.captured_at,
        "light": item.light,
        "width": item.width,
        "height": item.height,
        "predictions": [
            {"xyxy": each.xyxy, "label": each.label, "score": each.score} for each in item.predictions
        ],
    }


def as_past(past: Past) -> dict[str, object]:
    """What was said last, and which review a correction changes: the one that counts."""
    changes = {"review": past.counts.id, "revision": past.counts.revision, "at": past.place[0]}
    return as_task(past.item) | {"said": _said(past.last) | changes}


def as_saved(saved: Saved) -> dict[str, object]:
    theirs = None if saved.theirs is None else _said(saved.theirs)
    return {
        "review": saved.review,
        "revision": saved.revision,
        "at": saved.at,
        "remark": saved.remark,
        "theirs": theirs,
    }


def _said(stored: Stored) -> dict[str, object]:
    review = stored.review
    return {
        "review": stored.id,
        "revision": stored.revision,
        "state": review.state,
        "boxes": [
            {
                "xyxy": each.box.xyxy,
                "label": each.box.label,
                "difficult": each.box.difficult,
                "of": each.of,
            }
            for each in review.boxes
        ],
        "verdicts": review.verdicts,
        "looked_for": review.looked_for,
        "reviewer": review.reviewer,
        "seconds": review.seconds,
        "said_at": review.at,
    }
