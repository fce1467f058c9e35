"""Prepared clips on disk, so that the second start is instant. A cache only: whatever is wrong with it,
the clip is prepared anew."""

from __future__ import annotations

import contextlib
import hashlib
import os
import tempfile
from pathlib import Path
from typing import TypeVar

import msgspec

__all__ = ["default_folder", "load", "store"]

_T = TypeVar("_T")

_VERSION = 1
"""Raise when the encoding or the form of the file changes."""

MAX_FILES = 32
"""Clips kept; the least recently used go first."""

_SUFFIX = ".vedette-clip"


def default_folder() -> Path:
    """``$XDG_CACHE_HOME/vedette/clips`` or ``~/.cache/vedette/clips``."""
    base = os.environ.get("XDG_CACHE_HOME")
    return (Path(base) if base else Path.home() / ".cache") / "vedette" / "clips"


def load(key: str, form: type[_T], folder: Path | None = None) -> _T | None:
    """What was stored under ``key``, or None where there is nothing that can be used."""
    try:
        path = _path(key, folder)
        value = msgspec.msgpack.decode(path.read_bytes(), type=form)
        path.touch()
    except (OSError, RuntimeError, msgspec.MsgspecError):
        return None
    return value


def store(key: str, value: object, folder: Path | None = None) -> None:
    """Keep ``value``, atomically: a reader sees the whole file or none. A full disk is no error."""
    with contextlib.suppress(OSError, RuntimeError):
        path = _path(key, folder)
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=".new-")
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(msgspec.msgpack.encode(value))
            os.replace(temporary, path)
        except OSError:
            os.unlink(temporary)
            raise
        _prune(path.parent)


def _path(key: str, folder: Path | None) -> Path:
    name = hashlib.blake2b(f"{_VERSION} {key}".encode(), digest_size=16).hexdigest()
    return (folder or default_folder()) / f"{name}{_SUFFIX}"


def _prune(folder: Path) -> None:
    files = sorted(folder.glob(f"*{_SUFFIX}"), key=lambda path: path.stat().st_mtime)
    for path in files[:-MAX_FILES]:
        path.unlink(missing_ok=True)
