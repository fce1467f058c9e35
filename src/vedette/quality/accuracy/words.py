"""Accuracy for people and for machines."""

from __future__ import annotations

from typing import Any

import msgspec
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from vedette.quality.accuracy.figures import Figures, Row
from vedette.quality.estimates import Estimate, TooFew

__all__ = ["as_json", "render"]


def render(found: Figures, confidence: float) -> RenderableType:
    """A table, remarks, and what the next frames are worth."""
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="bold dim")
    for title in ("", "frames", "precision", "95%", "recall", "95%", "next"):
        table.add_column(title, justify="left" if title in ("", "next") else "right", overflow="fold")
    for row in found.rows:
        name = "all" if row.by == "all" else f"{row.by} {_short(row)}"
        cells = [*_cells(row.precision), *_cells(row.recall)]
        table.add_row(name, str(row.drawn), *cells, _next(row))
    head = f"model {found.model[:12] or 'unknown'}, boxes from a score of {confidence:g}"
    picked = sum(row.picked for row in found.rows if row.by == "all")
    parts: list[RenderableType] = [Text(head, style="bold"), table]
    if picked:
        remark = f"{picked} frames that were picked, not drawn, are in no share"
        parts.append(Text(f"note: {remark}", style="dim"))
    return Group(*parts, *(Text(f"note: {remark}", style="dim") for remark in found.remarks))


def _short(row: Row) -> str:
    return (row.name[:12] if row.by == "model" else row.name) or "unknown"


def _cells(known: Estimate | TooFew) -> tuple[str, str]:
    if isinstance(known, TooFew):
        return "–", "too few"
    return f"{known.value:.1%}", f"{known.lower:.1%} … {known.upper:.1%}"


def _next(row: Row) -> str:
    return "; ".join(f"{measure}: {each}" for measure, each in row.more.items())


def as_json(found: Figures, confidence: float) -> str:
    """Shares are 0…1; of what is not known there is no value."""
    told: dict[str, Any] = {
        "model": found.model,
        "confidence": confidence,
        "rows": [_row(row) for row in found.rows],
        "remarks": list(found.remarks),
    }
    return msgspec.json.format(msgspec.json.encode(told), indent=2).decode()


def _row(row: Row) -> dict[str, Any]:
    found: dict[str, Any] = {"by": row.by, "name": row.name, "frames": row.drawn, "picked": row.picked}
    for measure, known in (("precision", row.precision), ("recall", row.recall)):
        if isinstance(known, TooFew):
            found[measure] = {"frames": known.frames, "needed": known.needed}
        else:
            found[measure] = msgspec.to_builtins(known)
        more = row.more.get(measure)
        if more is not None:
            found[measure]["next"] = msgspec.to_builtins(more) | {"words": str(more)}
    return found
