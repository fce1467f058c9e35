"""User and password: taken out of the URL, and sent only in answer to a challenge (RFC 7617, RFC 7616)."""

from __future__ import annotations

import hashlib
import re
import secrets
from base64 import b64encode
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from urllib.parse import unquote, urlsplit

__all__ = ["Authenticator", "Credentials", "same_host", "split_credentials"]

_SCHEME = re.compile(r"(?:^|,)\s*(Basic|Digest)\b", re.IGNORECASE)
_PARAMETER = re.compile(r'([a-zA-Z-]+)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s,]+))')
_HASHES: dict[str, Callable[[bytes], hashlib._Hash]] = {
    "MD5": lambda data: hashlib.md5(data, usedforsecurity=False),
    "SHA-256": hashlib.sha256,
}


@dataclass(frozen=True, slots=True)
class Credentials:
    """``written``: the password as it stands in the URL, percent-encoded or not."""

    user: str
    password: str
    written: str = field(default="", compare=False)

    def __repr__(self) -> str:
        return "Credentials(***)"


def split_credentials(url: str) -> tuple[str, Credentials | None]:
    """The URL without user and password, and those, percent-decoded.

    Split at the last ``@`` before the path, because passwords with an unescaped ``@`` exist.
    """
    scheme, mark, rest = url.partition("://")
    authority = re.split(r"[/?#]", rest, maxsplit=1)[0]
    userinfo, at, host = authority.rpartition("@")
    if not (mark and at):
        return url, None
    user, _, password = userinfo.partition(":")
    bare = f"{scheme}://{host}{rest[len(authority) :]}"
    return bare, Credentials(unquote(user), unquote(password), password)


@dataclass(frozen=True, slots=True)
class _Challenge:
    digest: bool
    realm: str
    nonce: str = ""
    opaque: str | None = None
    algorithm: str | None = None
    auth_qop: bool = False
    stale: bool = False

    @property
    def rank(self) -> int:
        """The higher, the less it gives away."""
        return 0 if not self.digest else 2 if (self.algorithm or "").upper() == "SHA-256" else 1


class Authenticator:
    """Credentials of one session, and the challenge that they answer."""

    def __init__(self, credentials: Credentials | None) -> None:
        self._credentials = credentials
        self._challenge: _Challenge | None = None
        self._count = 0
        self._accepted = False

    @property
    def credentials(self) -> Credentials | None:
        return self._credentials

    def header(self, method: str, url: str) -> str | None:
        """Value of the ``Authorization`` header, or None while nothing has challenged us."""
        challenge, credentials = self._challenge, self._credentials
        if challenge is None or credentials is None:
            return None
        if not challenge.digest:
            return "Basic " + b64encode(f"{credentials.user}:{credentials.password}".encode()).decode()
        self._count += 1
        return _digest(challenge, credentials, method, url, self._count, secrets.token_hex(8))

    def accepted(self) -> None:
        """A request with our header went through."""
        self._accepted = self._challenge is not None

    def challenged(self, headers: Sequence[str]) -> bool:
        """Take in ``WWW-Authenticate`` headers; True when another attempt makes sense.

        It does for a first challenge, and for a new nonce where the old one was stale or had been good.
        """
        known = [one for header in headers for one in _parse_challenges(header)]
        if self._credentials is None or not known:
            return False
        best, before = max(known, key=lambda one: one.rank), self._challenge
        again = before is None or (before.nonce != best.nonce and (best.stale or self._accepted))
        self._challenge, self._count, self._accepted = best, 0, False
        return again


def _parse_challenges(header: str) -> list[_Challenge]:
    """The challenges of one header that we can answer."""
    starts = list(_SCHEME.finditer(header))
    ends = [start.start() for start in starts[1:]] + [len(header)]
    found = [
        _parse_challenge(start[1], header[start.end() : end]) for start, end in zip(starts, ends, strict=True)
    ]
    return [challenge for challenge in found if challenge is not None]


def _parse_challenge(scheme: str, text: str) -> _Challenge | None:
    values = {match[1].lower(): match[2] or match[3] or "" for match in _PARAMETER.finditer(text)}
    if scheme.lower() == "basic":
        return _Challenge(digest=False, realm=values.get("realm", ""))
    algorithm = values.get("algorithm")
    qop = {word.strip() for word in values.get("qop", "").split(",")} - {""}
    if (algorithm or "MD5").upper() not in _HASHES or (qop and "auth" not in qop):
        return None
    return _Challenge(
        digest=True,
        realm=values.get("realm", ""),
        nonce=values.get("nonce", ""),
        opaque=values.get("opaque"),
        algorithm=algorithm,
        auth_qop="auth" in qop,
        stale=values.get("stale", "").lower() == "true",
    )


def _digest(
    challenge: _Challenge, credentials: Credentials, method: str, url: str, count: int, cnonce: str
) -> str:
    function = _HASHES[(challenge.algorithm or "MD5").upper()]

    def digest(text: str) -> str:
        return function(text.encode()).hexdigest()

    secret = digest(f"{credentials.user}:{challenge.realm}:{credentials.password}")
    what = digest(f"{method}:{url}")
    quoted = {"username": credentials.user, "realm": challenge.realm, "nonce": challenge.nonce, "uri": url}
    plain: dict[str, str] = {"algorithm": challenge.algorithm} if challenge.algorithm else {}
    if challenge.auth_qop:
        plain |= {"qop": "auth", "nc": f"{count:08x}"}
        quoted["cnonce"] = cnonce
        quoted["response"] = digest(f"{secret}:{challenge.nonce}:{count:08x}:{cnonce}:auth:{what}")
    else:
        quoted["response"] = digest(f"{secret}:{challenge.nonce}:{what}")
    if challenge.opaque is not None:
        quoted["opaque"] = challenge.opaque
    words = [f"{key}={_quote(value)}" for key, value in quoted.items()]
    return "Digest " + ", ".join(words + [f"{key}={value}" for key, value in plain.items()])


def _quote(value: str) -> str:
    escaped = value.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def same_host(one: str, other: str) -> bool:
    """Whether credentials for one URL may be used for the other: same host, and no less encrypted."""
    a, b = urlsplit(one), urlsplit(other)
    return a.hostname == b.hostname and (a.scheme == b.scheme or b.scheme == "rtsps")
