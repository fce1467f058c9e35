"""Which files beside it an ONNX file keeps weights in: read off the file, without reading weights.

An ONNX file is one message of Protocol Buffers: fields, each a number and a wire type (one varint) and a
value (https://protobuf.dev/programming-guides/encoding). The fields below are those of onnx.proto that lead
to tensors (https://onnx.ai/onnx/repo-docs/ExternalData.html); whatever else is in there is passed over by
seeking.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import BinaryIO

from vedette.errors import DetectorError

__all__ = ["beside", "locations"]

_INTO = {
    "model": {7: "graph", 20: "training", 25: "function"},
    "training": {1: "graph", 2: "graph"},
    "function": {7: "node", 11: "attribute"},
    "graph": {1: "node", 5: "tensor", 15: "sparse"},
    "node": {5: "attribute"},
    "attribute": {5: "tensor", 6: "graph", 10: "tensor", 11: "graph", 22: "sparse", 23: "sparse"},
    "sparse": {1: "tensor", 2: "tensor"},
}
"""What lies in which field of what."""

_EXTERNAL_DATA, _DATA_LOCATION = 13, 14
_KEY, _VALUE = 1, 2
_EXTERNAL = 1

_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5
_WIDTH = {_FIXED64: 8, _FIXED32: 4}

_DEEPEST = 100
"""Messages in messages, as many as readers of Protocol Buffers follow."""

_LONGEST = 4096
"""Bytes of a path."""

_ORT_FORMAT = b"ORTM"
"""At byte 4 of what ONNX Runtime writes in a format of its own, which is no ONNX."""


class _MalformedError(Exception):
    """What was read is no such message."""


def beside(path: Path, file: BinaryIO) -> list[Path]:
    """The files that an ONNX file (at ``path``, opened as ``file``) keeps weights in, each once. Raises
    DetectorError where it is no ONNX, where one of them is not there, and for paths that leave its folder."""
    return [_there(path, location) for location in sorted(locations(path, file))]


def locations(path: Path, file: BinaryIO) -> set[str]:
    """The same, as the file has them: relative to its folder. Raises DetectorError where it is no ONNX."""
    end = file.seek(0, 2)
    file.seek(4)
    if file.read(len(_ORT_FORMAT)) == _ORT_FORMAT:
        return set()
    file.seek(0)
    try:
        return set(_of_message(file, "model", end, 0))
    except _MalformedError as err:
        raise DetectorError(f"{path} is not an ONNX model ({err})") from err


def _there(path: Path, location: str) -> Path:
    pure = PurePosixPath(location)
    found = path.parent / pure
    named = f"{path}: it keeps weights in {location!r}"
    if not location or "\0" in location or pure.is_absolute() or ".." in pure.parts:
        raise DetectorError(f"{named}, which is no path to a file beside it")
    if not found.is_file():
        raise DetectorError(f"{named}, and there is no such file beside it")
    # A link may lead to where the model's own does: so caches of model hubs are laid out.
    folders = {path.parent.resolve(), path.resolve().parent}
    if not any(found.resolve().is_relative_to(folder) for folder in folders):
        raise DetectorError(f"{named}, which leads out of its folder")
    return found


# ---- Protocol Buffers


def _of_message(file: BinaryIO, kind: str, end: int, depth: int) -> Iterator[str]:
    """Locations in the message that goes on to ``end``."""
    if depth > _DEEPEST:
        raise _MalformedError(f"messages lie in messages more than {_DEEPEST} deep")
    into = _INTO[kind]
    for field, stop in _fields(file, end):
        match into.get(field):
            case None:
                file.seek(stop)
            case "tensor":
                yield from _of_tensor(file, stop)
            case inner:
                yield from _of_message(file, inner, stop, depth + 1)


def _of_tensor(file: BinaryIO, end: int) -> Iterator[str]:
    external, found = False, []
    while file.tell() < end:
        field, wire = _tag(file, end)
        if field == _DATA_LOCATION and wire == _VARINT:
            external = _varint(file, end) == _EXTERNAL
        elif field == _EXTERNAL_DATA and wire == _BYTES:
            entry = _entry(file, _stop(file, end))
            found += [entry[_VALUE]] if entry.get(_KEY) == b"location" else []
        else:
            _pass(file, wire, end)
    if external:
        yield from (_text(each) for each in found)


def _entry(file: BinaryIO, end: int) -> dict[int, bytes]:
    """Of a list of keys and values: each by its field."""
    found = {_KEY: b"", _VALUE: b""}
    for field, stop in _fields(file, end):
        if field in found:
            found[field] = file.read(min(stop - file.tell(), _LONGEST + 1))
        file.seek(stop)
    return found


def _text(value: bytes) -> str:
    if len(value) > _LONGEST:
        raise _MalformedError(f"a path is longer than {_LONGEST} bytes")
    try:
        return value.decode()
    except UnicodeDecodeError:
        raise _MalformedError("a path is no text") from None


def _fields(file: BinaryIO, end: int) -> Iterator[tuple[int, int]]:
    """Number and end of each field of bytes, before its value, which whoever asks is to pass."""
    while file.tell() < end:
        field, wire = _tag(file, end)
        if wire == _BYTES:
            yield field, _stop(file, end)
        else:
            _pass(file, wire, end)


def _tag(file: BinaryIO, end: int) -> tuple[int, int]:
    tag = _varint(file, end)
    if not tag >> 3:
        raise _MalformedError("a field has no number")
    return tag >> 3, tag & 7


def _stop(file: BinaryIO, end: int) -> int:
    length = _varint(file, end)
    stop = file.tell() + length
    if stop > end:
        raise _MalformedError("it ends too early")
    return stop


def _pass(file: BinaryIO, wire: int, end: int) -> None:
    if wire == _VARINT:
        _varint(file, end)
    elif wire == _BYTES:
        file.seek(_stop(file, end))
    elif wire in _WIDTH and file.tell() + _WIDTH[wire] <= end:
        file.seek(_WIDTH[wire], 1)
    else:
        raise _MalformedError(
            "a field is of no kind that is known" if wire not in _WIDTH else "it ends too early"
        )


def _varint(file: BinaryIO, end: int) -> int:
    """Seven bits a byte, the lowest first; the last byte has no eighth."""
    value = 0
    for shift in range(0, 70, 7):
        byte = file.read(1) if file.tell() < end else b""
        if not byte:
            raise _MalformedError("it ends too early")
        value |= (byte[0] & 0x7F) << shift
        if byte[0] < 0x80:
            return value & 0xFFFF_FFFF_FFFF_FFFF
    raise _MalformedError("a number is too long")
