"""Basic and Digest, the server's side (RFC 7617, RFC 2617 with and without qop)."""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
import secrets
from typing import Literal

from vedette.sim.messages import Request

__all__ = ["Guard", "Scheme"]

Scheme = Literal["digest", "basic"]

_REALM = "vedette sim"
_PARAMETER = re.compile(r'(\w+)\s*=\s*(?:"([^"]*)"|([^\s,"]+))')


class Guard:
    """Lets requests with the right user and password through. One per connection: each has its own nonce."""

    def __init__(self, user: str | None, password: str | None, scheme: Scheme) -> None:
        self._user, self._password, self._scheme = user, password or "", scheme
        self._nonce = secrets.token_hex(16)

    def admits(self, request: Request) -> bool:
        if self._user is None:
            return True
        scheme, _, credentials = request.headers.get("authorization", "").partition(" ")
        if scheme.lower() != self._scheme:
            return False
        if self._scheme == "basic":
            wanted = base64.b64encode(f"{self._user}:{self._password}".encode())
            return hmac.compare_digest(credentials.strip().encode(), wanted)
        return self._digest_matches(request.method, credentials)

    def challenge(self) -> tuple[str, str]:
        """The header that asks for credentials."""
        if self._scheme == "basic":
            return "WWW-Authenticate", f'Basic realm="{_REALM}"'
        return "WWW-Authenticate", f'Digest realm="{_REALM}", nonce="{self._nonce}", algorithm="MD5"'

    def _digest_matches(self, method: str, credentials: str) -> bool:
        given = {name.lower(): quoted or bare for name, quoted, bare in _PARAMETER.findall(credentials)}
        if given.get("username") != self._user or given.get("nonce") != self._nonce:
            return False
        secret = _md5(f"{self._user}:{_REALM}:{self._password}")
        action = _md5(f"{method}:{given.get('uri', '')}")
        middle = self._nonce
        if given.get("qop") == "auth":
            middle += f":{given.get('nc', '')}:{given.get('cnonce', '')}:auth"
        return hmac.compare_digest(
            given.get("response", "").encode(), _md5(f"{secret}:{middle}:{action}").encode()
        )


def _md5(text: str) -> str:
    # What the protocol prescribes; nothing here relies on its strength.
    return hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()
