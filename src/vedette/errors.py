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
    "redact_url",
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


# Passwords may hold quotes. Texts come from outside, and are long: none of these takes longer than they are.
_USERINFO = re.compile(r"://[^/\s]*@")
_NAMES = r"pass|pwd|psw|secret|token|auth|cred|login|usr|user|key|session|signature|streamid"
_SECRET_QUERY = re.compile(
    rf"(?P<key>[?&](?:[\w.-]{{0,32}}(?:{_NAMES})[\w.-]{{0,32}}|u|p|pw|sig)=)(?P<value>[^&\s]*)", re.I
)
_SECRET_PATH = re.compile(
    r"(?P<key>[/_,;](?:user(?:name)?|usr|pass(?:word|wd)?|pwd)=)(?P<value>[^&\s/]*)", re.I
)
"""Of recorders that take both within the path: ``/user=admin_password=…_channel=1.sdp``."""
_CLOSING = "'\")]},."


def redact(text: str) -> str:
    """Take credentials out of any text that may hold URLs.

    Greedy up to the last ``@`` before a slash, because passwords with an unescaped ``@`` exist.
    """
    text = _USERINFO.sub("://***@", text)
    return _SECRET_PATH.sub(_hidden, _SECRET_QUERY.sub(_hidden, text))


def redact_url(url: str) -> str:
    """The same of an address by itself, whose password may hold spaces as well."""
    scheme, separator, rest = url.partition("://")
    end = next((at for at, char in enumerate(rest) if char in "/?#"), len(rest))
    user, at, host = rest[:end].rpartition("@")
    return redact(f"{scheme}{separator}{'***' if at else user}{at}{host}{rest[end:]}")


def _hidden(found: re.Match[str]) -> str:
    """Quotes and brackets at the end are those of the text around it."""
    value = found["value"]
    return f"{found['key']}***{value[len(value.rstrip(_CLOSING)) :]}"


def host_of(url: str) -> str:
    """Host part of a URL for logs and budgets, without user, password or port; ``local`` for files."""
    return urlsplit(url).hostname or "local"
