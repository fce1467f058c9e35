"""What a detector is made of: by a hash of its file, it is known whether two are, and whether what is loaded
is what somebody judged before.

A file may be another one between two looks at it. So whoever loads a model says what was loaded: the file is
hashed before, with those beside it that it keeps weights in, and is the same file, untouched, after.
"""

from __future__ import annotations

import hashlib
import importlib.util
import json
import os
import sys
from dataclasses import dataclass
from io import BufferedReader
from pathlib import Path
from typing import Any

from vedette.errors import DetectorError
from vedette.infer.external import beside

__all__ = ["ModelFile", "hash_of_python", "must_be"]

_Stamp = tuple[int, ...]


@dataclass(frozen=True, slots=True)
class ModelFile:
    """An ONNX file as it was when it was hashed, and the files beside it that it keeps weights in. ``hash``:
    SHA-256 in hex, of its bytes; where there are others, of that hash, and of the name and hash of each."""

    path: Path
    hash: str
    _stamps: dict[Path, _Stamp]

    @classmethod
    def at(cls, path: Path) -> ModelFile:
        """Reads all of it. Raises DetectorError where that cannot be, and where it is no ONNX file."""
        try:
            with path.open("rb") as file:
                stamp, hash = _hashed(file)
                others = beside(path, file)
        except OSError as err:
            raise DetectorError(f"the model file {path} cannot be read: {err.strerror}") from err
        if not others:
            return cls(path, hash, {path: stamp})
        return cls._with_others(path, hash, stamp, others)

    @classmethod
    def _with_others(cls, path: Path, hash: str, stamp: _Stamp, others: list[Path]) -> ModelFile:
        digest, stamps = hashlib.sha256(hash.encode()), {path: stamp}
        for other in others:
            try:
                with other.open("rb") as file:
                    stamps[other], its = _hashed(file)
            except OSError as err:
                raise DetectorError(
                    f"{other}, weights of {path.name}, cannot be read: {err.strerror}"
                ) from err
            digest.update(f"\0{other.relative_to(path.parent)}\0{its}".encode())
        return cls(path, digest.hexdigest(), stamps)

    @property
    def untouched(self) -> bool:
        """Whether nobody has written to one of them, or put another in its place, since before it was
        hashed."""
        try:
            return all(_stamp_of(path.stat()) == stamp for path, stamp in self._stamps.items())
        except OSError:
            return False


def _hashed(file: BufferedReader) -> tuple[_Stamp, str]:
    """As it is at the beginning, and a hash of all of it."""
    return _stamp_of(os.fstat(file.fileno())), hashlib.file_digest(file, "sha256").hexdigest()


def _stamp_of(found: os.stat_result) -> _Stamp:
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
