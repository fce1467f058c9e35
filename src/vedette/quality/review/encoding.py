"""Items and reviews as rows of the store's tables, and back."""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import blake2b
from typing import Any

from sqlalchemy import Row

from vedette.quality.labels.dataset import Box
from vedette.quality.review.rows import Final, Item, Prediction, Review, State, Stored, Verdict
from vedette.quality.review.sampling import Reason

__all__ = ["item_id", "item_of", "item_row", "microseconds", "review_row", "stored_of"]


def microseconds(seconds: float) -> int:
    return round(seconds * 1_000_000)


def item_id(camera: str, captured_us: int, model: str) -> str:
    """The same for the same frame and model, so that a frame that is added again after a crash is not there
    twice; otherwise like chance, so that the order of ids is one of chance."""
    text = f"{captured_us}\x1f{model}\x1f{camera}".encode("utf-8", "surrogatepass")
    return blake2b(text, digest_size=10, person=b"vedette item").hexdigest()


def item_row(item: Item) -> dict[str, Any]:
    return {
        "id": item.id,
        "file": item.file,
        "camera": item.camera,
        "captured_us": microseconds(item.captured_at),
        "width": item.width,
        "height": item.height,
        "light": item.light,
        "model": item.model,
        "predictions": [[*each.xyxy, each.score, each.label, each.track_id] for each in item.predictions],
        "reason": None if item.reason is None else item.reason.value,
        "probability": item.probability,
        "state": item.state.value,
        "bytes": item.bytes,
        "sha256": item.sha256,
    }


def item_of(row: Row[Any]) -> Item:
    return Item(
        id=row.id,
        file=row.file,
        camera=row.camera,
        captured_at=row.captured_us / 1e6,
        width=row.width,
        height=row.height,
        light=row.light,
        model=row.model,
        predictions=tuple(
            Prediction((left, top, right, bottom), label, score, track)
            for left, top, right, bottom, score, label, track in row.predictions
        ),
        reason=None if row.reason is None else Reason(row.reason),
        probability=row.probability,
        state=State(row.state),
        bytes=row.bytes,
        sha256=row.sha256,
    )


def review_row(item: str, review: Review, repeat_of: int | None) -> dict[str, Any]:
    return {
        "item": item,
        "repeat_of": repeat_of,
        "state": review.state.value,
        "boxes": [_box(each) for each in review.boxes],
        "verdicts": [None if each is None else each.value for each in review.verdicts],
        "looked_for": list(review.looked_for),
        "reviewer": review.reviewer,
        "seconds": review.seconds,
        "at_us": microseconds(review.at),
    }


def stored_of(row: Row[Any]) -> Stored:
    review = Review(
        state=State(row.state),
        boxes=tuple(_final(each) for each in row.boxes),
        verdicts=tuple(None if each is None else Verdict(each) for each in row.verdicts),
        looked_for=tuple(row.looked_for),
        reviewer=row.reviewer,
        seconds=row.seconds,
        at=row.at_us / 1e6,
    )
    return Stored(row.id, row.item, review, row.repeat_of, row.revision)


def _box(final: Final) -> dict[str, Any]:
    box = final.box
    return {
        "xyxy": list(box.xyxy),
        "label": box.label,
        "crowd": box.crowd,
        "difficult": box.difficult,
        "track_id": box.track_id,
        "attributes": dict(box.attributes),
        "of": final.of,
    }


def _final(raw: dict[str, Any]) -> Final:
    xyxy: Sequence[float] = raw["xyxy"]
    return Final(
        Box(
            (xyxy[0], xyxy[1], xyxy[2], xyxy[3]),
            raw["label"],
            crowd=raw["crowd"],
            difficult=raw["difficult"],
            track_id=raw["track_id"],
            attributes=raw["attributes"],
        ),
        raw["of"],
    )
