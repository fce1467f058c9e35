"""Files of labelled sets: read up to a size, written whole or not at all, errors in our words."""

from __future__ import annotations

import os
from pathlib import Path

from PIL import Image

from vedette.errors import LabelError

__all__ = ["AT_MOST", "picture_size", "read_text", "write_text"]

AT_MOST = 512 * 2**20
"""Bytes of a file that is read. COCO's own instances_train2017.json has 448 MiB."""

_ORIENTATION = 0x0112
_TURNED = (5, 6, 7, 8)


def read_text(path: Path, at_most: int = AT_MOST) -> str:
    """UTF-8, with or without a mark. Raises LabelError: not there, too large, not text."""
    return _decoded(read_bytes(path, at_most), path)


def read_bytes(path: Path, at_most: int = AT_MOST) -> bytes:
    """Raises LabelError. Not more than ``at_most`` bytes are ever held, whatever the file says of itself."""
    try:
        with path.open("rb") as file:
            data = file.read(at_most + 1)
    except OSError as err:
        raise LabelError(f"{path}: cannot be read: {err.strerror or err}") from err
    if len(data) > at_most:
        raise LabelError(f"{path}: is larger than {at_most:,} bytes")
    return data


def _decoded(data: bytes, path: Path) -> str:
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as err:
        line = data.count(b"\n", 0, err.start) + 1
        raise LabelError(f"{path}: line {line}: is not UTF-8") from err


def write_text(path: Path, text: str, *, wait: bool = True) -> None:
    """Whole or not at all; missing folders are made. ``wait``: until it is on the disk. Raises LabelError."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with temporary.open("w", encoding="utf-8", newline="") as file:
            file.write(text)
            file.flush()
            if wait:
                os.fsync(file.fileno())
        temporary.replace(path)
    except (OSError, UnicodeEncodeError) as err:
        temporary.unlink(missing_ok=True)
        raise LabelError(f"{path}: cannot be written: {getattr(err, 'strerror', None) or err}") from err


def picture_size(path: Path) -> tuple[int, int]:
    """Width and height as people see the picture, that is turned as its EXIF says. Raises LabelError.

    Only the head of the file is read.
    """
    try:
        with Image.open(path) as picture:
            width, height = picture.size
            turned = picture.getexif().get(_ORIENTATION) in _TURNED
    except FileNotFoundError as err:
        raise LabelError(f"{path}: there is no such picture") from err
    except (OSError, ValueError, SyntaxError, KeyError, Image.DecompressionBombError) as err:
        raise LabelError(f"{path}: is not a picture that can be read") from err
    return (height, width) if turned else (width, height)
