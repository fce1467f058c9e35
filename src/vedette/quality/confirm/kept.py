"""What was told of losses, on the disk: a restart neither repeats nor forgets it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import msgspec

from vedette.quality.confirm.policy import Known
from vedette.quality.confirm.settings import Measure
from vedette.whole_files import write_whole

__all__ = ["Key", "UnreadableKept", "load", "save"]


@dataclass(frozen=True, slots=True, order=True)
class Key:
    """Of what it is the accuracy. ``camera``: empty for a whole site."""

    camera: str
    site: str
    measure: Measure

    def __str__(self) -> str:
        return f"{self.measure} of {self.camera or f'site {self.site}'}"


class UnreadableKept(ValueError):  # noqa: N818  # the file is what is wrong
    """Bytes that are not what we wrote."""


class _Row(msgspec.Struct):
    key: Key
    known: Known


def save(path: Path, known: Mapping[Key, Known]) -> None:
    """Raises OSError."""
    rows = [_Row(key, each) for key, each in sorted(known.items())]
    write_whole(path, msgspec.json.encode(rows) + b"\n")


def load(path: Path) -> dict[Key, Known]:
    """Empty where there is no file. Raises OSError, UnreadableKept."""
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        return {}
    try:
        return {row.key: row.known for row in msgspec.json.decode(data, type=list[_Row])}
    except msgspec.DecodeError as err:
        raise UnreadableKept(str(err)) from err
