"""YAML with line numbers: a file becomes plain values, the line of each, and each problem on the way."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from vedette.errors import ConfigError

__all__ = ["Document", "Location", "Problem", "read_yaml"]

Location = tuple[str | int, ...]
"""Where a value stands: keys and list positions from the top."""

# Aliases may repeat a subtree; this keeps a few nested ones from growing into gigabytes.
_MAX_VALUES = 200_000
_MAX_FILE_BYTES = 16 * 1024 * 1024

_REFERENCE = re.compile(r"\$\$|\$\{(?P<inside>[^}]*)\}|\$\{")
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing wrong with a configuration. ``message`` never holds a value, only keys.

    ``line`` where it is not the one of the value that stands at ``where``. ``stray``: the last key is more
    likely the tail of a value without quotes than a key, so it is not shown.
    """

    where: Location
    message: str
    line: int | None = None
    stray: bool = False


@dataclass(slots=True)
class Document:
    """A file's values, the line (from 1) of each, and what was wrong below the level of meaning."""

    values: Any = None
    lines: dict[Location, int] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)

    def line_of(self, where: Location) -> int:
        """Line of the value, or of the nearest one around it."""
        while where and where not in self.lines:
            where = where[:-1]
        return self.lines.get(where, 1)


def read_yaml(path: Path, environment: Mapping[str, str] = os.environ) -> Document:
    """Read a YAML file, with ``${NAME}`` and ``${NAME:-default}`` in text filled in from ``environment``.

    Raises ConfigError when the file cannot be read as YAML at all; lesser problems are in the document.
    """
    text = _text_of(path)
    loader = yaml.SafeLoader(text)
    try:
        node = loader.get_single_node()
        reader = _Reader(loader, environment)
        if node is not None:
            reader.document.values = reader.read(node, ())
    except yaml.MarkedYAMLError as error:
        raise ConfigError(_syntax_message(path, error)) from None
    except yaml.reader.ReaderError:
        raise ConfigError(f"{path}: holds a character that YAML does not allow") from None
    except RecursionError:
        raise ConfigError(f"{path}: nested too deeply") from None
    finally:
        loader.dispose()
    return reader.document


def _text_of(path: Path) -> str:
    try:
        if path.is_file() and path.stat().st_size > _MAX_FILE_BYTES:
            raise ConfigError(f"{path}: larger than {_MAX_FILE_BYTES >> 20} MiB; is this the right file?")
        return path.read_bytes().decode("utf-8-sig")
    except OSError as error:
        reason = "no such file" if isinstance(error, FileNotFoundError) else error.strerror
        raise ConfigError(f"{path}: {reason}") from None
    except UnicodeDecodeError:
        raise ConfigError(f"{path}: not a text file in UTF-8") from None


def _syntax_message(path: Path, error: yaml.MarkedYAMLError) -> str:
    """What and where; without PyYAML's snippet and quotes of the text, which may hold a password."""
    mark = error.problem_mark or error.context_mark
    problem = re.sub(r"'(?!<)[^']{2,}'", "…", error.problem or error.context or "cannot be read")
    return f"{path}:{mark.line + 1 if mark else 1}: not valid YAML: {problem}"


class _Reader:
    """Walks YAML's nodes and keeps where each value stood."""

    def __init__(self, loader: yaml.SafeLoader, environment: Mapping[str, str]) -> None:
        self.document = Document()
        self._loader = loader
        self._environment = environment
        self._inside: set[int] = set()
        self._count = 0

    def read(self, node: yaml.Node, where: Location) -> Any:
        self._count += 1
        if id(node) in self._inside or self._count > _MAX_VALUES:
            problem = "an alias that contains itself" if id(node) in self._inside else "too many values"
            raise yaml.MarkedYAMLError(problem=problem, problem_mark=node.start_mark)
        # A key's line is the better one to point at, and was noted by the mapping.
        self.document.lines.setdefault(where, node.start_mark.line + 1)
        self._inside.add(id(node))
        try:
            return self._value(node, where)
        finally:
            self._inside.discard(id(node))

    def _value(self, node: yaml.Node, where: Location) -> Any:
        if isinstance(node, yaml.MappingNode):
            return self._mapping(node, where)
        if isinstance(node, yaml.SequenceNode):
            return [self.read(item, (*where, index)) for index, item in enumerate(node.value)]
        if node.tag == "tag:yaml.org,2002:str":
            return self._filled_in(str(node.value), where)
        try:
            return self._loader.construct_object(node)
        except ValueError:  # such as the thirtieth of February
            raise yaml.MarkedYAMLError(
                problem="not a value of its kind", problem_mark=node.start_mark
            ) from None

    def _mapping(self, node: yaml.MappingNode, where: Location) -> dict[str, Any]:
        """Keys are text as written: a camera may be called ``off``, which YAML takes for a boolean."""
        values: dict[str, Any] = {}
        merged: dict[str, Any] = {}
        for key_node, value_node in node.value:
            line = key_node.start_mark.line + 1
            if key_node.tag == "tag:yaml.org,2002:merge":
                merged |= self._merged(value_node, where)
            elif not isinstance(key_node, yaml.ScalarNode):
                self.document.problems.append(Problem(where, "a key must be text", line))
            elif key_node.value in values:
                place = (*where, key_node.value)
                message = f"given twice (first on line {self.document.lines[place]})"
                self.document.problems.append(Problem(place, message, line))
            else:
                self.document.lines[(*where, key_node.value)] = line
                values[key_node.value] = self.read(value_node, (*where, key_node.value))
        return merged | values

    def _merged(self, node: yaml.Node, where: Location) -> dict[str, Any]:
        """What ``<<: *other`` or ``<<: [*one, *two]`` brings in; the first one given wins."""
        nodes = node.value if isinstance(node, yaml.SequenceNode) else [node]
        merged: dict[str, Any] = {}
        for part in reversed(nodes):
            if not isinstance(part, yaml.MappingNode):
                raise yaml.MarkedYAMLError(problem="<< needs a mapping", problem_mark=node.start_mark)
            merged |= self.read(part, where)
        return merged

    def _filled_in(self, text: str, where: Location) -> str:
        def replacement(match: re.Match[str]) -> str:
            if match[0] == "$$":
                return "$"
            name, has_default, default = (match["inside"] or "").partition(":-")
            if match["inside"] is None or not _NAME.fullmatch(name):
                message = "a ${ that is not ${NAME} or ${NAME:-default} (write $$ for a dollar sign)"
                self.document.problems.append(Problem(where, message))
                return ""
            value = self._environment.get(name)
            if has_default:
                return value or default
            if value is None:
                self.document.problems.append(Problem(where, f"the environment variable {name} is not set"))
            return value or ""

        return _REFERENCE.sub(replacement, text)
