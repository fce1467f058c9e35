"""What a picture, a class or a camera may be called, so that every format can hold it and no file lies
elsewhere."""

from __future__ import annotations

import re
import unicodedata
from urllib.parse import parse_qs, unquote, urlsplit

__all__ = ["picture_name", "picture_of_url", "text_problem"]

LONGEST = 1000
"""Characters. Longer names come from damaged files."""

_SEPARATOR = re.compile(r"[/\\]")
_DRIVE = re.compile(r"[A-Za-z]:[/\\]")
_UPLOADED = re.compile(r"^[0-9a-f]{8}-")
"""Label Studio puts this before the names of files that were uploaded."""


def text_problem(text: str) -> str | None:
    """Why this cannot be a name, or None. Control characters are refused: XML has no way to write them."""
    if not text:
        return "is empty"
    if len(text) > LONGEST:
        return f"has {len(text)} characters; {LONGEST} are the most"
    if any(unicodedata.category(char) in ("Cc", "Cs") or char in "\ufffe\uffff" for char in text):
        return "has control characters"
    return None


def picture_name(text: str) -> str:
    """A file's name relative to the folder of the pictures, with ``/``, without ``.`` and doubled slashes.

    Raises ValueError with the reason for what leaves that folder or is no name. Backslashes are not turned
    into slashes (on Linux they are letters), but hide no ``..`` either.
    """
    problem = text_problem(text)
    if problem:
        raise ValueError(problem)
    if text.startswith(("/", "\\")) or _DRIVE.match(text):
        raise ValueError("is not relative to the folder of the pictures")
    if ".." in _SEPARATOR.split(text):
        raise ValueError("leaves the folder of the pictures")
    plain = "/".join(part for part in text.split("/") if part not in ("", "."))
    if not plain:
        raise ValueError("is no name of a file")
    return plain


def picture_of_url(text: str) -> str:
    """The name out of an address as Label Studio has it: local storage with its folders, otherwise the last
    part.

    Raises ValueError as :func:`picture_name` does.
    """
    if "://" not in text and not text.startswith("/"):
        return picture_name(text)
    address = urlsplit(text)
    local = parse_qs(address.query).get("d")
    if address.path.endswith("/local-files/") and local:
        return picture_name(local[0])
    last = unquote(address.path.rsplit("/", 1)[-1])
    return picture_name(_UPLOADED.sub("", last) if "/upload/" in address.path else last)
