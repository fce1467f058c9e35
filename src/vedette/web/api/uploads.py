"""Files that were sent here: models, and lists of class names. In a folder that only we may enter."""

from __future__ import annotations

import asyncio
import hashlib
import os
import re
import tempfile
from collections.abc import AsyncIterator
from pathlib import Path

import msgspec

from vedette.errors import VedetteError
from vedette.web.api.probe import Found, Refusal, probed
from vedette.web.problems import ProblemError
from vedette.whole_files import write_whole

__all__ = ["ENDINGS", "LARGEST", "Uploaded", "Uploads"]

FOLDER = "uploads"
LARGEST = {"model": 512 << 20, "labels": 1 << 20}
"""Bytes. Detectors that keep up with cameras have some tens of millions."""
IN_ALL = 4 << 30
FILES_AT_MOST = 64
CHUNK = 1 << 20
ENDINGS = {"model": (".onnx",), "labels": (".txt", ".yaml", ".yml", ".json")}
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")


class Uploaded(msgspec.Struct, frozen=True, kw_only=True):
    """``kind``: model or labels. ``at``: when it was sent, Unix seconds. ``words``: what it is; ``names``:
    its classes, the first of ``classes``. ``path``: on the node's machine. ``used``: as what the node uses it
    now."""

    name: str
    kind: str
    bytes: int
    sha256: str
    at: float
    by: str
    words: str
    names: list[str]
    classes: int
    path: str = ""
    used: str = ""


class Uploads:
    """``store``: the dashboard's folder; None where there is none. Methods that are not ``async`` wait for
    the disk: call them in a thread. They raise ProblemError."""

    def __init__(self, store: Path | None) -> None:
        """Makes nothing yet."""
        self._folder = None if store is None else store / FOLDER
        self._busy = asyncio.Lock()

    @property
    def folder(self) -> Path:
        if self._folder is None:
            raise ProblemError("no-store", "this dashboard has no folder to keep files in")
        return self._folder

    def path(self, name: str) -> Path:
        """Of one that is there."""
        found = self.folder / checked_name(name)
        if not found.is_file():
            raise ProblemError("not-found", f"nothing called {name!r} was uploaded")
        return found

    def all(self) -> list[Uploaded]:
        """By name. Those whose description is gone are left out."""
        if self._folder is None or not self._folder.is_dir():
            return []
        found = []
        for path in sorted(self._folder.glob("*.about")):
            try:
                told = msgspec.json.decode(path.read_bytes(), type=Uploaded)
            except (OSError, msgspec.DecodeError):
                continue
            file = path.with_suffix("")
            if file.is_file():
                found.append(msgspec.structs.replace(told, path=str(file.absolute())))
        return found

    def remove(self, name: str) -> None:
        path = self.path(name)
        _about(path).unlink(missing_ok=True)
        path.unlink(missing_ok=True)

    async def take(self, name: str, kind: str, body: AsyncIterator[bytes], *, at: float, by: str) -> Uploaded:
        """Keep what comes, once it is known to be what it should be."""
        path = self.folder / checked_name(name, kind)
        if self._busy.locked():
            raise ProblemError("too-many", "another file is being uploaded just now")
        async with self._busy:
            used = await asyncio.to_thread(self._room, path)
            most = min(LARGEST[kind], IN_ALL - used)
            part, size, digest = await _received(path, body, most)
            try:
                found = await _understood(kind, part)
                told = Uploaded(
                    name=path.name,
                    kind=kind,
                    bytes=size,
                    sha256=digest,
                    at=at,
                    by=by,
                    words=found.words.replace(part.stem, path.stem),
                    names=found.names,
                    classes=found.classes,
                )
                await asyncio.to_thread(_keep, part, path, told)
            finally:
                await asyncio.to_thread(_discard, part)
        return msgspec.structs.replace(told, path=str(path.absolute()))

    def _room(self, path: Path) -> int:
        """Bytes that are taken. The folder is there afterwards."""
        try:
            self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            self.folder.chmod(0o700)
            for left in self.folder.glob("part-*"):
                _discard_file(left)  # of a process that ended in the middle of it
        except OSError as err:
            raise ProblemError("failed", f"the folder for uploads cannot be made: {err.strerror}") from err
        if path.exists():
            raise ProblemError("exists", f"there is a file {path.name} already: delete it first")
        files = [each for each in self.folder.iterdir() if each.suffix != ".about"]
        used = sum(each.stat().st_size for each in files)
        if len(files) >= FILES_AT_MOST or used >= IN_ALL:
            raise ProblemError("too-large", "there is no room left for uploads: delete some")
        return used


def checked_name(name: str, kind: str | None = None) -> str:
    """Of a file, without any path. Raises ProblemError."""
    if not _NAME.fullmatch(name) or ".." in name or name.endswith(".about") or name.startswith("part-"):
        raise ProblemError("invalid", "name: letters, digits, ., _ and -, beginning with a letter or digit")
    if kind is not None and not name.endswith(ENDINGS[kind]):
        raise ProblemError("invalid", f"name: must end with {' or '.join(ENDINGS[kind])}")
    return name


async def _received(path: Path, body: AsyncIterator[bytes], most: int) -> tuple[Path, int, str]:
    """A file with what came, its size and SHA-256."""
    # A folder of its own: a model names further files by paths beside it, and there are none.
    part = Path(tempfile.mkdtemp(prefix="part-", dir=path.parent)) / path.name
    digest, size, waiting = hashlib.sha256(), 0, bytearray()
    try:
        with part.open("xb") as file:
            async for chunk in body:
                size = _fitting(size + len(chunk), most)
                waiting += chunk
                if len(waiting) >= CHUNK:
                    await asyncio.to_thread(_write, file.fileno(), bytes(waiting), digest)
                    waiting.clear()
            await asyncio.to_thread(_write, file.fileno(), bytes(waiting), digest)
    except OSError as err:
        await asyncio.to_thread(_discard, part)
        raise ProblemError("failed", f"it cannot be written: {err.strerror or err}") from err
    except BaseException:
        await asyncio.to_thread(_discard, part)
        raise
    if not size:
        await asyncio.to_thread(_discard, part)
        raise ProblemError("invalid", "body: is empty")
    return part, size, digest.hexdigest()


def _fitting(size: int, most: int) -> int:
    if size > most:
        raise ProblemError("too-large", f"at most {most} bytes are taken")
    return size


def _write(file: int, data: bytes, digest: hashlib._Hash) -> None:
    digest.update(data)
    while data:
        data = data[os.write(file, data) :]


async def _understood(kind: str, part: Path) -> Found:
    try:
        return await probed(kind, part)
    except Refusal as err:
        raise ProblemError("invalid", f"body: {err}") from err
    except VedetteError as err:
        raise ProblemError("failed", str(err)) from err


def _keep(part: Path, path: Path, told: Uploaded) -> None:
    try:
        part.chmod(0o600)
        write_whole(_about(path), msgspec.json.encode(told))
        part.replace(path)
    except OSError as err:
        _about(path).unlink(missing_ok=True)
        raise ProblemError("failed", f"it cannot be kept: {err.strerror or err}") from err


def _discard(part: Path) -> None:
    part.unlink(missing_ok=True)
    _discard_file(part.parent)


def _discard_file(left: Path) -> None:
    try:
        if left.is_dir():
            for each in left.iterdir():
                each.unlink(missing_ok=True)
            left.rmdir()
        else:
            left.unlink(missing_ok=True)
    except OSError:
        pass  # the next one finds it


def _about(path: Path) -> Path:
    return path.with_name(f"{path.name}.about")
