"""XML from strangers, as small trees that know their lines. Documents with a DOCTYPE are refused: without
one there are no entities, neither those that grow without end nor those that fetch files."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from xml.parsers import expat

from vedette.errors import LabelError
from vedette.quality.labels.files import AT_MOST, read_bytes

__all__ = ["Element", "read_xml"]

DEEPEST = 64
"""Elements within elements. What goes deeper was made to hurt."""


@dataclass(slots=True)
class Element:
    """``text``: all there is directly in it, joined."""

    tag: str
    attributes: dict[str, str]
    file: Path
    line: int
    text: str = ""
    children: list[Element] = field(default_factory=list)

    def problem(self, said: str) -> LabelError:
        return LabelError(f"{self.file}: line {self.line}: {self.tag}: {said}")

    def each(self, tag: str) -> Iterator[Element]:
        return (child for child in self.children if child.tag == tag)

    def all(self, tag: str) -> Iterator[Element]:
        """However deep; in the order of the document."""
        waiting = [self]
        while waiting:
            element = waiting.pop()
            if element.tag == tag:
                yield element
            waiting += reversed(element.children)

    def __getitem__(self, name: str) -> str:
        found = self.attributes.get(name)
        if found is None:
            raise self.problem(f"has no {name}")
        return found

    def number(self, name: str) -> float:
        try:
            return float(self[name])
        except ValueError:
            raise self.problem(f"{name} is not a number but {self[name][:40]!r}") from None

    def whole(self, name: str) -> int:
        try:
            return int(self[name])
        except ValueError:
            raise self.problem(f"{name} is not a whole number but {self[name][:40]!r}") from None


def read_xml(path: Path, at_most: int = AT_MOST) -> Element:
    """The root. Raises LabelError."""
    data = read_bytes(path, at_most)
    reader = _Reader(path)
    try:
        reader.parser.Parse(data, True)
    except expat.ExpatError as err:
        raise LabelError(f"{path}: line {err.lineno}: is not XML: {expat.ErrorString(err.code)}") from err
    except (LookupError, ValueError) as err:  # an encoding that does not exist
        raise LabelError(f"{path}: is not XML that can be read: {err}") from err
    assert reader.root is not None  # expat refuses a document without one
    return reader.root


class _Reader:
    def __init__(self, path: Path) -> None:
        self.root: Element | None = None
        self._path = path
        self._open: list[Element] = []
        self.parser = expat.ParserCreate()
        self.parser.buffer_text = True
        self.parser.StartElementHandler = self._start
        self.parser.EndElementHandler = self._end
        self.parser.CharacterDataHandler = self._text
        self.parser.StartDoctypeDeclHandler = self._doctype

    def _start(self, tag: str, attributes: dict[str, str]) -> None:
        line = self.parser.CurrentLineNumber
        if len(self._open) >= DEEPEST:
            raise LabelError(f"{self._path}: line {line}: is nested too deep")
        element = Element(tag, attributes, self._path, line)
        if self._open:
            self._open[-1].children.append(element)
        else:
            self.root = element
        self._open.append(element)

    def _end(self, _: str) -> None:
        self._open.pop()

    def _text(self, text: str) -> None:
        self._open[-1].text += text

    def _doctype(self, *_: object) -> None:
        line = self.parser.CurrentLineNumber
        raise LabelError(f"{self._path}: line {line}: a DOCTYPE is not read; entities could be in it")
