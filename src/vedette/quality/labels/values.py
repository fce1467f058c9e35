"""JSON values that know where they are, so that whatever is wrong with one is said with file and place."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import msgspec

from vedette.errors import LabelError, redact
from vedette.quality.labels.files import AT_MOST, read_bytes

__all__ = ["Value", "json_text", "one_per_line", "read_json", "shown"]

_BOM = b"\xef\xbb\xbf"


class Value:
    """A JSON value. Every method raises LabelError that names the place: ``annotations[12].bbox: …``."""

    __slots__ = ("file", "place", "raw")

    def __init__(self, raw: Any, file: Path, place: str = "") -> None:
        self.raw, self.file, self.place = raw, file, place

    def problem(self, said: str) -> LabelError:
        return LabelError(f"{self.file}: {self.place}: {said}" if self.place else f"{self.file}: {said}")

    def __getitem__(self, key: str) -> Value:
        found = self.get(key)
        if found is None:
            raise self.problem(f"has no {key}")
        return found

    def get(self, key: str) -> Value | None:
        """None where there is none, or null."""
        raw = self.mapping().get(key)
        return None if raw is None else Value(raw, self.file, f"{self.place}.{key}" if self.place else key)

    def each(self) -> Iterator[Value]:
        if not isinstance(self.raw, list):
            raise self.problem(f"is not a list but {shown(self.raw)}")
        for number, raw in enumerate(self.raw):
            yield Value(raw, self.file, f"{self.place}[{number}]")

    def mapping(self) -> Mapping[str, Any]:
        if not isinstance(self.raw, dict):
            raise self.problem(f"is not an object but {shown(self.raw)}")
        return self.raw

    def others(self, *known: str) -> dict[str, Any]:
        """What is there beyond the keys that are known."""
        return {key: raw for key, raw in self.mapping().items() if key not in known}

    def text(self) -> str:
        if not isinstance(self.raw, str):
            raise self.problem(f"is not text but {shown(self.raw)}")
        return self.raw

    def json(self) -> Value:
        """What is in a text that is JSON itself."""
        try:
            return Value(msgspec.json.decode(self.text()), self.file, self.place)
        except (msgspec.MsgspecError, UnicodeEncodeError, RecursionError) as err:
            raise self.problem(f"is not JSON: {err}") from err

    def number(self) -> float:
        if isinstance(self.raw, bool) or not isinstance(self.raw, (int, float)):
            raise self.problem(f"is not a number but {shown(self.raw)}")
        try:
            number = float(self.raw)
        except OverflowError:
            number = math.inf
        if not math.isfinite(number):
            raise self.problem("is too large a number")
        return number

    def whole(self) -> int:
        number = self.number()
        if number != math.floor(number) or abs(number) >= 2**63:
            raise self.problem(f"is not a whole number but {shown(self.raw)}")
        return int(self.raw)

    def flag(self) -> bool:
        """True and false, as which 1 and 0 count."""
        if self.raw not in (0, 1):
            raise self.problem(f"is neither true nor false but {shown(self.raw)}")
        return bool(self.raw)

    def numbers(self, count: int) -> list[float]:
        if isinstance(self.raw, list) and all(type(each) is float for each in self.raw):
            found = self.raw  # most are; each as a Value would take most of the time of a large set
        else:
            found = [each.number() for each in self.each()]
        if len(found) != count:
            raise self.problem(f"has {len(found)} numbers, not {count}")
        return found


def read_json(path: Path, at_most: int = AT_MOST) -> Value:
    """Raises LabelError: not there, too large, not JSON."""
    data = read_bytes(path, at_most).removeprefix(_BOM)
    try:
        return Value(msgspec.json.decode(data), path)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as err:
        raise LabelError(f"{path}: is not JSON: {err}") from err


def json_text(value: Any) -> str:
    """On one line. Raises ValueError for what JSON cannot hold: NaN, or objects of ours."""
    try:
        return json.dumps(value, ensure_ascii=False, allow_nan=False)
    except (TypeError, ValueError, RecursionError) as err:
        raise ValueError(f"is nothing that JSON can hold: {err}") from err


def one_per_line(document: Mapping[str, Any]) -> str:
    """An object whose lists have a line for each element: people can compare two versions of it."""
    parts = []
    for key, value in document.items():
        if isinstance(value, list) and value:
            lines = ",\n".join(json_text(each) for each in value)
            parts.append(f"{json_text(key)}: [\n{lines}\n]")
        else:
            parts.append(f"{json_text(key)}: {json_text(value)}")
    return "{\n" + ",\n".join(parts) + "\n}\n"


def shown(raw: Any) -> str:
    """A value in a message: short, on one line, without credentials."""
    text = "null" if raw is None else repr(raw)
    return redact(text if len(text) <= 60 else text[:57] + "…")
