"""Checks of single settings. Each raises ValueError with a message that never repeats the value: it may hold
a password, or come from an environment variable that does."""

from __future__ import annotations

import difflib
import re
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from pydantic import ValidationInfo

from vedette.units import parse_duration, parse_size

__all__ = [
    "camera_url",
    "collector_url",
    "duration",
    "existing_file",
    "flag",
    "is_file_url",
    "local_path",
    "number",
    "optional_path",
    "size",
    "text_list_or_file",
]

_SCHEMES = (
    *("rtsp", "rtsps", "http", "https", "rtmp", "rtmps", "rtmpt", "rtmpe", "udp", "tcp", "tls", "rtp", "srt"),
    *("hls", "mms", "mmsh", "mmst", "unix"),
)
_OF_FILES = ("ftp", "ftps", "sftp")
"""Whose servers are no cameras: a clip is copied here first."""
_SCHEME = re.compile(r"(?P<scheme>[A-Za-z][A-Za-z0-9+.-]*)://")


def is_file_url(url: str) -> bool:
    """Whether a camera's URL names a file or a folder of clips here (not a device, not a stream)."""
    return not _SCHEME.match(url) and not url.startswith("/dev/")


def local_path(value: str | Path, folder: Path) -> Path:
    """An absolute path; relative ones start at ``folder``, ``~`` is the user's home."""
    path = Path(value)
    if path.parts[:1] and path.parts[0].startswith("~"):
        try:
            path = path.expanduser()
        except RuntimeError:
            raise ValueError("~ stands for a home folder that is not known") from None
    return folder / path


def optional_path(value: object, info: ValidationInfo) -> Path | None:
    """Of what may be left out, and need not be there yet; relative to the configuration's folder."""
    if value is None:
        return None
    if not isinstance(value, (str, Path)) or not str(value):
        raise ValueError("must be a path")
    return local_path(value, (info.context or {}).get("folder") or Path.cwd())


def existing_file(value: str | Path, folder: Path) -> Path:
    path = local_path(value, folder)
    try:
        if path.is_file():
            return path
    except (OSError, ValueError):
        pass  # a name that no file can have
    raise ValueError(f"no such file (relative paths start at {folder})")


def camera_url(value: object, folder: Path) -> str:
    """A stream's address as it is, or the absolute path of the file, folder of clips or device."""
    if not isinstance(value, str) or not value.strip():
        raise ValueError("must be the address of a stream, a file, a folder of clips or a device")
    url = value.strip()
    match = _SCHEME.match(url)
    scheme = match["scheme"].lower() if match else ""
    if scheme == "file":
        url, scheme = unquote(url[len("file://") :]), ""
    if scheme:
        _check_address(url, scheme)
        return url
    return _existing_source(url, folder)


def _check_address(url: str, scheme: str) -> None:
    if scheme not in _SCHEMES:
        near = difflib.get_close_matches(scheme, _SCHEMES, 1)
        hint = f" (did you mean {near[0]}://?)" if near and scheme not in _OF_FILES else ""
        there_are = ", ".join(_SCHEMES)
        raise ValueError(f"unknown kind of address{hint}; there are {there_are}, and paths of files here")
    try:
        parts = urlsplit(url)
        usable = bool(parts.port or parts.hostname or scheme in ("udp", "rtp", "srt", "unix"))
    except ValueError:  # a port that is no number, a bracket that is not closed
        usable = False
    if not usable:
        raise ValueError(
            "not a usable address: needs a host, and a port between 1 and 65535 if any "
            "(write special characters in a password as %2F for /, %40 for @, %3A for :, %23 for #)"
        )


def collector_url(value: object) -> str:
    """The address of an OTLP collector (HTTP), as it is."""
    if isinstance(value, str) and value.isascii() and value.isprintable() and " " not in value:
        try:
            parts = urlsplit(value)
            if parts.scheme in ("http", "https") and parts.hostname and parts.port != 0:
                return value
        except ValueError:
            pass  # a port that is none, a bracket that is not closed
    raise ValueError("must be the address of an OTLP collector, such as http://127.0.0.1:4318")


def _existing_source(url: str, folder: Path) -> str:
    path = local_path(url, folder)
    if str(path).startswith("/dev/"):
        return str(path)  # a camera that is plugged in later
    try:
        if path.exists():
            return str(path)
    except (OSError, ValueError):
        pass
    raise ValueError(
        f"no such file or folder (relative paths start at {folder}; a stream's address begins like rtsp://)"
    )


def number(value: object) -> object:
    """Refuse yes/no where a number is wanted; YAML turns more words into booleans than one would think."""
    if isinstance(value, bool):
        raise ValueError("must be a number")  # noqa: TRY004 - pydantic collects ValueErrors
    return value


def flag(value: object) -> object:
    """Refuse numbers where yes or no is wanted: somebody may mean another key."""
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        raise ValueError("must be true or false")  # noqa: TRY004 - pydantic collects ValueErrors
    return value


def duration(value: object) -> float:
    seconds = parse_duration(value)
    if seconds <= 0:
        raise ValueError("must be longer than 0 s")
    return seconds


def size(value: object) -> int:
    size = parse_size(value)
    if size < 1_000_000:
        raise ValueError("must be at least 1 MB (a size needs a unit, such as 4GB)")
    return size


KNOWN_CLASSES = ("coco", "coco91")


def text_list_or_file(value: Any, folder: Path) -> tuple[str, ...] | Path | None:
    if value is None:
        return None
    if str(value) in KNOWN_CLASSES:
        return Path(str(value))  # a set of names that the detector knows, not a file
    if isinstance(value, (str, Path)):
        return existing_file(value, folder)
    if isinstance(value, (list, tuple)) and value and all(isinstance(item, str) for item in value):
        return tuple(value)
    raise ValueError("must be a list of names, or a text file with one name per line")
