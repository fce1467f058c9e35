"""The pictures of the review store: made unrecognisable where wanted, written so that a crash leaves all or
nothing."""

from __future__ import annotations

import io
import math
import os
import threading
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from vedette.errors import ReviewError
from vedette.quality.review.matching import XYXY

__all__ = ["encode", "encode_into", "inside", "orphans", "pixelate", "remove", "write"]

CELLS = 6
"""So many squares along the longer side of what is made unrecognisable. From 8 on some faces can be told."""
MARGIN = 0.15
"""Of the box, on each side: detectors cut off chins and hair."""
TEMPORARY = ".tmp"


def pixelate(picture: NDArray[np.uint8], boxes: Iterable[XYXY]) -> NDArray[np.uint8]:
    """A copy, uint8 [H, W, 3], in which each box (xyxy in pixels) is a few squares of its mean colours."""
    picture = picture.copy()
    height, width = picture.shape[:2]
    for left, top, right, bottom in boxes:
        more_x, more_y = (right - left) * MARGIN + 1, (bottom - top) * MARGIN + 1
        x0, x1 = max(0, math.floor(left - more_x)), min(width, math.ceil(right + more_x))
        y0, y1 = max(0, math.floor(top - more_y)), min(height, math.ceil(bottom + more_y))
        if x0 < x1 and y0 < y1:
            picture[y0:y1, x0:x1] = _squares(picture[y0:y1, x0:x1])
    return picture


def _squares(part: NDArray[np.uint8]) -> NDArray[np.uint8]:
    height, width = part.shape[:2]
    side = max(1, math.ceil(max(height, width) / CELLS))
    small = Image.fromarray(part).resize(
        (math.ceil(width / side), math.ceil(height / side)), Image.Resampling.BOX
    )
    return np.asarray(small.resize((width, height), Image.Resampling.NEAREST))


def encode(picture: NDArray[np.uint8], quality: int, hidden: Sequence[XYXY] = ()) -> bytes:
    """uint8 [H, W, 3] RGB as JPEG, with the ``hidden`` boxes unrecognisable. Raises ReviewError."""
    file = io.BytesIO()
    encode_into(file, picture, quality, hidden)
    return file.getvalue()


def encode_into(
    file: BinaryIO, picture: NDArray[np.uint8], quality: int, hidden: Sequence[XYXY] = ()
) -> None:
    """The same into a file. Other threads run meanwhile. Raises ReviewError, OSError."""
    if picture.dtype != np.uint8 or picture.ndim != 3 or picture.shape[2] != 3 or not picture.size:
        raise ReviewError(f"a picture is uint8 [height, width, 3], not {picture.dtype} {list(picture.shape)}")
    if max(picture.shape) > 65_500:
        raise ReviewError(f"a JPEG has at most 65500 pixels a side, not {max(picture.shape)}")
    if hidden:
        picture = pixelate(picture, hidden)
    Image.fromarray(np.ascontiguousarray(picture)).save(file, "JPEG", quality=quality)


def write(path: Path, data: bytes) -> None:
    """Whole, and on the disk when this returns: its row may then say that it is there. Raises ReviewError."""
    mine = f"{os.getpid()}.{threading.get_ident()}"  # another thread may write the same
    temporary = path.with_name(f"{path.name}.{mine}{TEMPORARY}")
    try:
        with _made(temporary) as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
        for folder in (path.parent, path.parent.parent):
            _sync(folder)
    except OSError as err:
        with suppress(OSError):
            temporary.unlink(missing_ok=True)
        raise ReviewError(f"{path}: cannot be written: {err.strerror or err}") from err


TRIES = 10


def _made(path: Path) -> BinaryIO:
    """A new file, in a folder that is made where it is missing. Raises OSError."""
    for _ in range(TRIES - 1):
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            return path.open("wb")
        except FileNotFoundError:
            pass  # somebody has just removed the last picture of that day, and its folder
    path.parent.mkdir(parents=True, exist_ok=True)
    return path.open("wb")


def _sync(folder: Path) -> None:
    """A name is on the disk only once its folder is."""
    fd = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)


def inside(folder: Path, file: str) -> Path:
    """The path of a file below ``folder``. Raises ReviewError for one that leads out of it, by its name or
    by a link: a store may have been made by others."""
    path = folder / file
    try:
        if path.resolve().is_relative_to(folder.resolve()):
            return path
    except (OSError, ValueError):  # a loop of links; a name with a zero
        pass
    raise ReviewError(f"{folder}: {file!r} does not lie in it")


def remove(folder: Path, file: str) -> None:
    """Without complaint: what cannot be removed now is an orphan, and swept later."""
    with suppress(OSError, ReviewError):
        path = inside(folder, file)
        path.unlink(missing_ok=True)
        path.parent.rmdir()  # of a day of which nothing is left


def orphans(folder: Path, known: frozenset[str], before: float) -> Iterator[str]:
    """Files, relative to ``folder``, that no row knows and that were written before (Unix seconds)."""
    for path in folder.rglob("*"):
        name = path.relative_to(folder).as_posix()
        with suppress(OSError):  # another process removed it just now
            if name not in known and path.is_file() and path.stat().st_mtime < before:
                yield name
