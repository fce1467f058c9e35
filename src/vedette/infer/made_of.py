"""What a detector is made of: by a hash of its file, it is known whether two are, and whether what is loaded
is what somebody judged before.

A file may be another one between two looks at it. So whoever loads a model says what was loaded: the file is
hashed before, and is the same file, untouched, after.
"""

from __future__ import annotations

import hashlib
import importlib.util
import json
import os
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from vedette.errors import DetectorError

__all__ = ["ModelFile", "hash_of_python", "must_be"]


@dataclass(frozen=True, slots=True)
class ModelFile:
    """A file as it was when it was hashed. ``hash``: SHA-256 of its bytes, in hex."""

    path: Path
    hash: str
    _stamp: tuple[int, ...]

    @classmethod
    def at(cls, path: Path) -> ModelFile:
        """Reads all of it. Raises DetectorError where that cannot be."""
        try:
            with path.open("rb") as file:
                stamp = _stamp_of(os.fstat(file.fileno()))
                return cls(path, hashlib.file_digest(file, "sha256").hexdigest(), stamp)
        except OSError as err:
            raise DetectorError(f"the model file {path} cannot be read: {err.strerror}") from err

    @property
    def untouched(self) -> bool:
        """Whether nobody has written to it, or put another one in its place, since before it was hashed."""
        try:
            return _stamp_of(self.path.stat()) == self._stamp
        except OSError:
            return False


def _stamp_of(found: os.stat_result) -> tuple[int, ...]:
    # The time of the last change of the inode cannot be set by programs: neither a file that was overwritten
    # nor one that was moved away and back has the same.
    return (found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns)


def must_be(name: str, hash: str, judged: str) -> None:
    """Raises DetectorError where ``hash`` is not the one that was judged; of an empty one nothing was."""
    if judged and hash != judged:
        raise DetectorError(
            f"{name} is not what was judged: it was replaced or written to meanwhile "
            f"({hash[:12]} in place of {judged[:12]})"
        )


def hash_of_python(python: str, options: dict[str, Any]) -> str:
    """Of the file of its module and its options, which says nothing of what it may load. ``python``:
    ``package.module:Class``, which may have to be imported to be found."""
    digest = hashlib.sha256(json.dumps(options, sort_keys=True, default=str).encode())
    name = python.partition(":")[0]
    module = sys.modules.get(name)
    origin = getattr(module, "__file__", None)
    if origin is None and (found := importlib.util.find_spec(name)) is not None:
        origin = found.origin
    if origin is not None and Path(origin).is_file():
        digest.update(Path(origin).read_bytes())
    return digest.hexdigest()
