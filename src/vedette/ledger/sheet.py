"""Rows with named, typed columns, and how they are written for programs: CSV, JSON, Parquet.

Moments are µs since 1970 inside; programs get them as text with an offset, and as such integers too, so that
nobody has to parse a date to count exactly. Parquet has them as timestamps, which are exact by themselves.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import tzinfo
from enum import StrEnum
from importlib import import_module
from pathlib import Path
from typing import Any

from vedette.errors import LedgerError
from vedette.ledger.when import SECOND, iso, seconds_text

__all__ = ["Column", "Sheet", "Type", "csv_lines", "json_lines", "parquet", "printable"]


class Type(StrEnum):
    TEXT = "text"
    NUMBER = "number"
    SHARE = "share"
    MOMENT = "moment"
    """µs since 1970."""
    STRETCH = "stretch"
    """µs; written as seconds."""


@dataclass(frozen=True, slots=True)
class Column:
    """``exact``: repeats a moment as an integer; left out where moments are exact already."""

    name: str
    type: Type = Type.TEXT
    exact: bool = False


@dataclass(frozen=True, slots=True)
class Sheet:
    """Any value may be None. ``rows`` are gone through once."""

    columns: Sequence[Column]
    rows: Iterable[Sequence[Any]]


def csv_lines(sheet: Sheet, tz: tzinfo | None = None) -> Iterator[str]:
    """A header and a line a row; what is None is empty.

    Text from outside (details quote what servers said) cannot steer a terminal, and where a spreadsheet would
    run it as a formula it gets an apostrophe before it.
    """
    yield _csv_line([column.name for column in sheet.columns])
    types = [column.type for column in sheet.columns]
    for row in sheet.rows:
        yield _csv_line([_csv_cell(value, type_, tz) for value, type_ in zip(row, types, strict=True)])


def _csv_line(cells: Sequence[str]) -> str:
    buffer = io.StringIO()
    csv.writer(buffer, lineterminator="\n").writerow(cells)
    return buffer.getvalue()


def _csv_cell(value: Any, type_: Type, tz: tzinfo | None) -> str:
    if value is None:
        return ""
    match type_:
        case Type.MOMENT:
            return iso(value, tz)
        case Type.STRETCH:
            return seconds_text(value)
        case Type.TEXT:
            text = printable(value)
            return f"'{text}" if text.startswith(("=", "+", "-", "@")) else text
        case _:
            return str(value)


def json_lines(sheet: Sheet, tz: tzinfo | None = None) -> Iterator[str]:
    """One array, an object a line: whole for a parser, and still to be searched line by line."""
    names = [(column.name, column.type) for column in sheet.columns]
    before = "[\n"
    for row in sheet.rows:
        values = {name: _json(value, type_, tz) for (name, type_), value in zip(names, row, strict=True)}
        # ASCII only: a detail cannot steer the terminal it is shown on.
        yield before + json.dumps(values, allow_nan=False)
        before = ",\n"
    yield "[]\n" if before == "[\n" else "\n]\n"


def _json(value: Any, type_: Type, tz: tzinfo | None) -> Any:
    if value is None:
        return None
    if type_ is Type.MOMENT:
        return iso(value, tz)
    # Exact to the microsecond: a double holds that for centuries.
    return value / SECOND if type_ is Type.STRETCH else value


def printable(text: str) -> str:
    """On one line, and without anything that steers a terminal."""
    return "".join(char if char.isprintable() else "\ufffd" for char in " ".join(text.split()))


def parquet(sheet: Sheet, file: Path | io.BytesIO) -> None:
    """Write one Parquet file: moments are ``timestamp[us, UTC]``, stretches ``double`` seconds.

    Raises:
        LedgerError: pyarrow is not installed. OSError: ``file`` cannot be written.
    """
    try:
        # By name: the package has no types.
        pa, pq = import_module("pyarrow"), import_module("pyarrow.parquet")
    except ImportError:
        raise LedgerError("Parquet needs pyarrow: install vedette[parquet]") from None
    types = {
        Type.TEXT: pa.string(),
        Type.NUMBER: pa.int64(),
        Type.SHARE: pa.float64(),
        Type.MOMENT: pa.timestamp("us", tz="UTC"),
        Type.STRETCH: pa.float64(),
    }
    rows = list(sheet.rows)
    arrays, fields = [], []
    for number, column in enumerate(sheet.columns):
        if column.exact:
            continue
        values = [row[number] for row in rows]
        if column.type is Type.STRETCH:
            values = [None if value is None else value / SECOND for value in values]
        elif column.type is Type.TEXT:
            values = [
                None if value is None else value.encode("utf-8", "replace").decode() for value in values
            ]
        fields.append(pa.field(column.name, types[column.type]))
        arrays.append(pa.array(values, types[column.type]))
    table = pa.Table.from_arrays(arrays, schema=pa.schema(fields))
    if isinstance(file, Path):
        with file.open("wb") as sink:
            pq.write_table(table, sink)
    else:
        pq.write_table(table, file)
