"""Words of the other side's, made fit to be shown: short, printable, and without anybody's password.

A server may echo in its status line whatever it was sent, credentials included.
"""

from __future__ import annotations

import html
import re
from base64 import b64encode
from urllib.parse import quote, quote_plus

from vedette.errors import redact
from vedette.ingest.rtsp.auth import Credentials

__all__ = ["foreign", "secrets_of"]

_LONGEST = 120
_LONGEST_READ = 4096
# What of a text is left when a shorter secret is cut out shows the secret by what is missing.
_MIN_SECRET = 4

_AUTHORISATION = re.compile(r"\b(basic|digest)\s+\S.*", re.IGNORECASE | re.DOTALL)
_DIGEST_FIELD = re.compile(r"\b(response|nonce|cnonce|username)\s*=\s*(\"[^\"]*\"?|[^\s,;]+)", re.IGNORECASE)
_NAMED = re.compile(r"(?:password|passwd|pwd|pass|token|secret|key|auth)=([^&\s/?#;,]+)", re.IGNORECASE)


def secrets_of(url: str, credentials: Credentials | None) -> tuple[str, ...]:
    """Every way in which the secrets of a camera's address may be written, the longest first."""
    found = {match[1] for match in _NAMED.finditer(url)}
    if credentials is not None and credentials.password:
        pair = f"{credentials.user}:{credentials.password}".encode()
        found |= {credentials.password, credentials.written, b64encode(pair).decode().rstrip("=")}
    forms = set(found)
    for one in found:
        forms |= {quote(one, safe=""), quote(one), quote_plus(one), html.escape(one), one.replace('"', '\\"')}
    return tuple(sorted(forms - {""}, key=len, reverse=True))


def foreign(text: str, secrets: tuple[str, ...] = (), *, longest: int = _LONGEST) -> str:
    """``text`` as it may stand in a log line: at most ``longest`` signs."""
    text = text[:_LONGEST_READ]
    # Cut out before anything is shortened or replaced: half a password is no longer recognised as one.
    for secret in secrets:
        if secret.lower() not in text.lower():
            continue
        if len(secret) < _MIN_SECRET:
            return "***"
        text = re.sub(re.escape(secret), "***", text, flags=re.IGNORECASE)
    text = _AUTHORISATION.sub(r"\1 ***", redact(text))
    text = _DIGEST_FIELD.sub(r"\1=***", text)
    return "".join(sign if sign.isprintable() else "?" for sign in text[:longest]).strip()
