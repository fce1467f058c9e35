"""Where answers go: a file or standard output, which may be a terminal, a pipe, or a pipe nobody reads."""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING

from vedette.errors import LedgerError
from vedette.ledger.question import QuestionError
from vedette.ledger.sheet import Sheet, csv_lines, json_lines, parquet

if TYPE_CHECKING:
    from rich.table import Table

__all__ = ["Format", "Output", "drawn", "note"]

PIPED_COLUMNS = 160
"""Width of tables where there is no terminal to ask, and ``COLUMNS`` is not set."""


class Format(StrEnum):
    TABLE = "table"
    CSV = "csv"
    JSON = "json"
    PARQUET = "parquet"


_SUFFIXES = {".csv": Format.CSV, ".json": Format.JSON, ".parquet": Format.PARQUET}


@dataclass(frozen=True, slots=True)
class Output:
    """``path`` None is standard output."""

    format: Format
    path: Path | None = None

    @classmethod
    def of(cls, format_: Format | None, path: Path | None) -> Output:
        """A format that is not given follows from the file's name.

        Raises:
            QuestionError: it is Parquet, and would go to a terminal.
        """
        chosen = format_ or (_SUFFIXES.get(path.suffix.lower(), Format.TABLE) if path else Format.TABLE)
        if chosen is Format.PARQUET and path is None and sys.stdout.isatty():
            raise QuestionError("parquet is nothing for a terminal: give --output FILE")
        return cls(chosen, path)

    def write(self, sheet: Callable[[], Sheet], table: Callable[[int], Table]) -> None:
        """One of the two is made; ``table`` is told for how many columns.

        Raises:
            LedgerError: the file cannot be written, or pyarrow is missing.
        """
        match self.format:
            case Format.TABLE:
                self._write([self._rendered(table).encode("utf-8", "replace")])
            case Format.CSV:
                self._write(line.encode("utf-8", "replace") for line in csv_lines(sheet()))
            case Format.JSON:
                self._write(line.encode() for line in json_lines(sheet()))
            case Format.PARQUET:
                buffer = io.BytesIO()
                parquet(sheet(), buffer)
                self._write([buffer.getvalue()])

    def _rendered(self, table: Callable[[int], Table]) -> str:
        from rich.console import Console

        terminal = self.path is None and sys.stdout.isatty()
        width = None if terminal or (self.path is None and "COLUMNS" in os.environ) else PIPED_COLUMNS
        console = Console(file=io.StringIO(), force_terminal=terminal, width=width)
        with console.capture() as captured:
            console.print(table(console.width))
        # Rich fills up lines with spaces.
        return "".join(f"{line.rstrip()}\n" for line in captured.get().splitlines())

    def _write(self, parts: Iterable[bytes]) -> None:
        if self.path is None:
            _to_stdout(parts)
            return
        try:
            with self.path.open("wb") as file:
                file.writelines(parts)
        except OSError as err:
            raise LedgerError(f"{self.path}: cannot be written: {err.strerror}") from err


def _to_stdout(parts: Iterable[bytes]) -> None:
    try:
        sys.stdout.flush()
        sys.stdout.buffer.writelines(parts)
        sys.stdout.buffer.flush()
    except BrokenPipeError:
        # Whoever read has enough (head). Python flushes once more when it ends, and must find somebody there.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def drawn(path: Path, draw: Callable[[Path], None]) -> None:
    """Have a picture drawn into ``path``. Raises LedgerError where it cannot be written."""
    try:
        draw(path)
    except OSError as err:
        raise LedgerError(f"{path}: cannot be written: {err.strerror or err}") from err


def note(text: str) -> None:
    """For people, beside the answer."""
    print(text, file=sys.stderr)
