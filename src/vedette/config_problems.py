"""Turns what pydantic found into lines for people: where, and what; never the value."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any, get_args, get_origin

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from vedette.config_yaml import Document, Location, Problem
from vedette.errors import ConfigError, redact

__all__ = ["InvalidConfigError", "problems_of", "render"]

_MESSAGES = {
    "missing": "is required",
    "string_type": "must be text",
    "float_type": "must be a number",
    "float_parsing": "must be a number",
    "finite_number": "must be a number",
    "int_type": "must be a whole number",
    "int_parsing": "must be a whole number",
    "int_parsing_size": "must be a whole number",
    "int_from_float": "must be a whole number",
    "bool_type": "must be true or false",
    "bool_parsing": "must be true or false",
    "dict_type": "must be a mapping (key: value)",
    "model_type": "must be a mapping of settings (key: value)",
    "model_attributes_type": "must be a mapping of settings (key: value)",
    "tuple_type": "must be a list",
    "string_too_short": "must not be empty",
    "union_tag_not_found": "type is required",
}
_PATTERNS = {
    "cameras": "a camera's name has lower-case letters, digits and _, and begins with a letter",
    "python": "must be package.module:Class",
    "device": "must be auto, cpu, cuda or cuda:N",
    "node": "a node's name has letters, digits, dots, - and _, begins with a letter or digit, and is short",
}


_KEY = re.compile(r"[A-Za-z_][A-Za-z0-9_-]{0,63}")
HIDDEN = "…"


class InvalidConfigError(ConfigError):
    """A configuration with something wrong in it; ``problems`` has each thing once."""

    def __init__(
        self, problems: Iterable[Problem], *, document: Document | None = None, path: Path | None = None
    ) -> None:
        self.problems = tuple(problems)
        super().__init__(render(self.problems, document, path))


def render(problems: Iterable[Problem], document: Document | None, path: Path | None) -> str:
    """A line for each problem, in the order of the file."""
    lines: list[tuple[int, str]] = []
    for problem in problems:
        number = problem.line or (document.line_of(problem.where) if document else 0)
        at = f"{path}:{number}: " if path else ""
        where = (*problem.where[:-1], HIDDEN) if problem.stray else problem.where
        key = f"{dotted(where)}: " if where else ""
        lines.append((number, redact(f"{at}{key}{problem.message}")))
    return "\n".join(dict.fromkeys(text for _, text in sorted(lines, key=lambda line: line[0])))


def dotted(where: Location) -> str:
    """``("sinks", 0, "path")`` as ``sinks[0].path``.

    What does not look like a key is not shown: a value without its quotes falls apart at a comma, and the
    rest of a password becomes a key.
    """
    text = ""
    for part in where:
        key = part if isinstance(part, int) or _KEY.fullmatch(part) else HIDDEN
        text += f"[{key}]" if isinstance(key, int) else f".{key}"
    return text.removeprefix(".")


def problems_of(error: ValidationError, data: dict[str, Any], model: type[BaseModel]) -> list[Problem]:
    """Pydantic's findings about ``data`` as problems, without what it would tell of the values."""
    return [
        Problem(_place(found, data), _message(found, model), stray=_is_stray(found))
        for found in error.errors(include_url=False)
    ]


def _is_stray(found: ErrorDetails) -> bool:
    """``{url: rtsp://me:pass,word@host}`` has a key ``word@host`` without a value."""
    return found["type"] == "extra_forbidden" and found["input"] is None


def _place(found: ErrorDetails, data: Any) -> Location:
    """Where it is in the user's data: without the steps that only pydantic takes (the tag of a union…)."""
    place: list[str | int] = []
    location = found["loc"]
    for index, part in enumerate(location):
        is_missing_key = index == len(location) - 1 and found["type"] == "missing"
        inside = isinstance(data, dict) and part in data
        inside |= isinstance(data, (list, tuple)) and isinstance(part, int) and part < len(data)
        if inside:
            data = data[part]
            place.append(part)
        elif isinstance(data, BaseModel) or (is_missing_key and isinstance(data, dict)):
            data = getattr(data, str(part), None)
            place.append(part)
    return tuple(place)


def _message(found: ErrorDetails, model: type[BaseModel]) -> str:
    kind, location, context = found["type"], found["loc"], found.get("ctx", {})
    if kind == "value_error":
        return str(context["error"])
    if kind == "extra_forbidden":
        near = difflib.get_close_matches(str(location[-1]), _keys_at(location[:-1], model), 1)
        return f"unknown key{f' (did you mean {near[0]}?)' if near else ''}"
    if kind in ("literal_error", "union_tag_invalid"):
        known = str(context.get("expected") or context["expected_tags"]).replace("'", "")
        return f"must be {known}" if kind == "literal_error" else f"unknown type; the known ones are {known}"
    if kind == "string_pattern_mismatch":
        key = "cameras" if location[0] == "cameras" else str(location[-1])
        return _PATTERNS.get(key, "is not written as it must be")
    if kind in ("too_short", "missing") and location == ("cameras",):
        return "no cameras; give at least one"
    if kind in ("missing", "too_long", "too_short") and len(location) > 1 and location[-2] == "input_size":
        return "must be a height and a width"
    if kind in ("too_long", "too_short") and location[-1] == "input_size":
        return "must be a height and a width"
    return _MESSAGES.get(kind) or found["msg"].replace("Input should", "must")


def _keys_at(location: Location, model: type[BaseModel]) -> list[str]:
    """Keys that the models at a place know."""
    here: list[type[BaseModel]] = [model]
    parts = iter(location)
    for part in parts:
        fields = [kind.model_fields[part] for kind in here if part in kind.model_fields]
        inner = [kind for field in fields for kind in models_in(field.annotation)]
        if not inner:
            continue  # the tag of a union
        here = inner
        if any(get_origin(field.annotation) in (dict, list, tuple) for field in fields):
            next(parts, None)  # a camera's name or a sink's position
    return [name for kind in here for name in kind.model_fields if name != "folder" or kind is not model]


def models_in(annotation: Any) -> list[type[BaseModel]]:
    """Models that a field's type mentions: through Optional, unions, dict values, lists."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    return [model for part in get_args(annotation) for model in models_in(part)]
