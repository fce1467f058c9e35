"""What can go wrong, in our words. Foreign exceptions are turned into these at the edge that meets them.

VedetteError
├── ConfigError        the configuration cannot be used; the message names file, line and key
│   └── ExistsError    there is one of this name already
├── DetectorError      the model or the user's detector cannot be used
├── LabelError         a labelled set cannot be read or written; the message names the file and the place
├── LedgerError        the ledger cannot be opened, read or written
├── ReviewError        the review store cannot be opened, read or written
├── SourceError        a source cannot be read (inside a session it becomes an EndReason)
└── WorkerError        a worker process cannot be started or kept
"""

from __future__ import annotations

import re
from urllib.parse import urlsplit

__all__ = [
    "ConfigError",
    "DetectorError",
    "ExistsError",
    "LabelError",
    "LedgerError",
    "ReviewError",
    "SourceError",
    "VedetteError",
    "WorkerError",
    "redact",
]


class VedetteError(Exception):
    """Base of every error this package raises on purpose. ``exit_code`` is what the CLI exits with."""

    exit_code = 1


class ConfigError(VedetteError):
    """The configuration cannot be used."""

    exit_code = 2


class ExistsError(ConfigError):
    """There is one of this name already."""


class DetectorError(VedetteError):
    """The model or the user's detector cannot be loaded, or broke its contract."""

    exit_code = 3


class SourceError(VedetteError):
    """A source cannot be read."""

    exit_code = 4


class WorkerError(VedetteError):
    """A worker process cannot be started or kept running."""

    exit_code = 5


class LedgerError(VedetteError):
    """The ledger cannot be opened, read or written."""

    exit_code = 6


class LabelError(VedetteError):
    """A labelled set cannot be read or written."""

    exit_code = 8


class ReviewError(VedetteError):
    """The review store cannot be opened, read or written, or was told what cannot be."""

    exit_code = 9


_USERINFO = re.compile(r"(?P<scheme>[a-zA-Z][a-zA-Z0-9+.-]*://)[^/\s'\"]*@")
_SECRET_QUERY = re.compile(
    r"(?P<key>[?&](?:password|passwd|pwd|token|secret|key|auth|user|username)=)[^&\s'\"]*", re.I
)


def redact(text: str) -> str:
    """Take credentials out of any text that may hold URLs.

    Greedy up to the last ``@`` before a slash, because passwords with an unescaped ``@`` exist.
    """
    return _SECRET_QUERY.sub(r"\g<key>***", _USERINFO.sub(r"\g<scheme>***@", text))


def host_of(url: str) -> str:
    """Host part of a URL for logs and budgets, without user, password or port; ``local`` for files."""
    return urlsplit(url).hostname or "local"
