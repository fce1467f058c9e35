"""Rows as a Markdown table, and as a file for machines."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from benchmarks.machine import today

__all__ = ["markdown", "write_json"]


def markdown(rows: list[dict[str, Any]], columns: dict[str, str]) -> str:
    """``columns``: heading by ``str.format`` template over a row; what a row does not have, or has as
    None where a number is wanted, is a dash."""
    lines = ["| " + " | ".join(columns) + " |", "|" + "---|" * len(columns)]
    for row in rows:
        cells = []
        for template in columns.values():
            try:
                cells.append(template.format(**row))
            except (KeyError, TypeError):
                cells.append("–")
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines)


def write_json(
    name: str, rows: list[dict[str, Any]], command: str, before: dict[str, Any], **more: Any
) -> Path:
    """Write ``results/<date>-<name>.json`` and return its path.

    ``before``: the machine (:mod:`benchmarks.machine`), looked at before it got busy. ``more``: further keys.
    """
    path = Path(__file__).parent / "results" / f"{today()}-{name}.json"
    path.parent.mkdir(exist_ok=True)
    content = {"date": today(), "command": command, "machine": before, **more, "rows": rows}
    path.write_text(json.dumps(content, indent=1) + "\n")
    return path
