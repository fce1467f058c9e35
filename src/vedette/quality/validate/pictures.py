"""Pictures from files, decoded as a camera's are."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import av

from vedette.errors import LabelError
from vedette.quality.labels.dataset import Picture

__all__ = ["decode", "folder_of", "key_of", "read"]

_CODECS = {b"\xff\xd8\xff": "mjpeg", b"\x89PNG\r\n\x1a\n": "png"}


def folder_of(dataset: Path, pictures: tuple[Picture, ...], given: Path | None) -> Path:
    """Where the set's pictures lie: the folder given, else that of the set's file, else ``images`` in it."""
    if given is not None:
        return given
    beside = dataset if dataset.is_dir() else dataset.parent
    if pictures and not (beside / pictures[0].name).is_file() and (beside / "images").is_dir():
        return beside / "images"
    return beside


def read(folder: Path, picture: Picture) -> bytes:
    """The file's bytes. Raises LabelError."""
    path = folder / picture.name
    try:
        return path.read_bytes()
    except OSError as err:
        raise LabelError(f"{path}: the picture cannot be read: {err.strerror}") from err


def decode(data: bytes, picture: Picture) -> Any:
    """An ``av.VideoFrame`` in the decoder's own format. Raises LabelError for what is no such picture.

    By the decoder alone, as a camera's MJPEG is: no demuxer guesses what a file might be. A note in the file
    that it is to be turned is not followed, as labels are in pixels of the picture as it is stored.
    """
    codec = next((name for start, name in _CODECS.items() if data.startswith(start)), None)
    if codec is None:
        raise LabelError(f"{picture.name}: is neither a JPEG nor a PNG")
    try:
        decoder: Any = av.CodecContext.create(codec, "r")
        decoder.thread_count = 1
        packet = av.Packet(data)
        frames = [*decoder.decode(packet), *decoder.decode(None)]
    except (av.FFmpegError, ValueError, MemoryError) as err:
        raise LabelError(f"{picture.name}: cannot be decoded: {err}") from err
    if not frames:
        raise LabelError(f"{picture.name}: cannot be decoded")
    frame = frames[0]
    if (frame.width, frame.height) != (picture.width, picture.height):
        said = f"the set says {picture.width}x{picture.height}"
        raise LabelError(f"{picture.name}: is {frame.width}x{frame.height}, {said}")
    return frame


def key_of(picture: Picture, data: bytes) -> str:
    """The same for two pictures only if their pixels and labels are the same; 16 hexadecimal digits."""
    # To a hundredth of a pixel: what formats make of the same box may differ in the last digits.
    boxes = sorted((box.label, *_rounded(box.xyxy), box.crowd, box.difficult) for box in picture.boxes)
    return hashlib.sha256(hashlib.sha256(data).digest() + repr(boxes).encode()).hexdigest()[:16]


def _rounded(xyxy: tuple[float, ...]) -> tuple[float, ...]:
    return tuple(round(float(edge), 2) for edge in xyxy)
