"""Passwords, of which only what scrypt makes of them is kept.

RFC 7914; the costs are one of those that OWASP's Password Storage Cheat Sheet names as equally strong
(32 MiB, three passes): about a third of a second of a core for each guess. The records are in PHC's string
format, ``$scrypt$ln=15,r=8,p=3$SALT$HASH``, so that a later version may ask for more.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import re
import secrets
import unicodedata
from dataclasses import dataclass

from vedette.errors import ConfigError

__all__ = ["COST", "LEAST", "Cost", "check_usable", "cost_of", "decoy", "hashed", "matches"]

LEAST = 10
"""Characters: guesses are slowed down, so length is what counts."""
MOST = 1024
SALT_BYTES, HASH_BYTES = 16, 32
MEMORY_MOST = 256 * 2**20
"""A record that wants more was not made by us, and would be a way to exhaust the machine."""

_RECORD = re.compile(
    r"\$scrypt\$ln=(?P<ln>\d{1,2}),r=(?P<r>\d{1,2}),p=(?P<p>\d{1,2})"
    r"\$(?P<salt>[A-Za-z0-9+/]{8,88})\$(?P<hash>[A-Za-z0-9+/]{40,88})"
)


@dataclass(frozen=True, slots=True)
class Cost:
    """scrypt's parameters: N = 2^``ln``, block size, passes."""

    ln: int = 15
    r: int = 8
    p: int = 3

    @property
    def memory(self) -> int:
        """Bytes that one computation takes."""
        return 128 * self.r * ((1 << self.ln) + self.p)


COST = Cost()


def hashed(password: str, cost: Cost = COST) -> str:
    """A record to be kept, with a salt of its own. Takes its time, on purpose."""
    salt = secrets.token_bytes(SALT_BYTES)
    return _spelt(cost, salt, _derived(password, salt, cost, HASH_BYTES))


def matches(password: str, record: str) -> bool:
    """Whether it is the password. Takes as long whether it is or not. Raises ValueError for what is no
    record."""
    cost, salt, wanted = _parsed(record)
    return hmac.compare_digest(_derived(password, salt, cost, len(wanted)), wanted)


def decoy(cost: Cost = COST) -> str:
    """A record that no password matches: what is computed for names that there are not, so that they take as
    long as others."""
    return _spelt(cost, secrets.token_bytes(SALT_BYTES), secrets.token_bytes(HASH_BYTES))


def cost_of(record: str) -> Cost:
    """Raises ValueError for what is no record, or one that asks for too much."""
    return _parsed(record)[0]


def check_usable(name: str, password: str) -> None:
    """Raises ConfigError with what is wrong with a password that somebody chose."""
    plain = _normal(password)
    if len(plain) < LEAST:
        raise ConfigError(f"a password needs at least {LEAST} characters")
    if len(plain) > MOST:
        raise ConfigError(f"a password has at most {MOST} characters")
    if len(set(plain)) < 4 or name.casefold() == plain.casefold():
        raise ConfigError("that password would be guessed at once")


def _normal(password: str) -> str:
    """The same letters may be typed as other code points on another keyboard (NIST SP 800-63B)."""
    return unicodedata.normalize("NFKC", password)


def _derived(password: str, salt: bytes, cost: Cost, length: int) -> bytes:
    # surrogatepass: a lone half of a pair is no character, but whoever sends one must hear "wrong", not 500.
    secret = _normal(password).encode("utf-8", "surrogatepass")
    return hashlib.scrypt(
        secret, salt=salt, n=2**cost.ln, r=cost.r, p=cost.p, maxmem=2 * cost.memory, dklen=length
    )


def _spelt(cost: Cost, salt: bytes, key: bytes) -> str:
    parts = (base64.b64encode(each).rstrip(b"=").decode() for each in (salt, key))
    return f"$scrypt$ln={cost.ln},r={cost.r},p={cost.p}${'$'.join(parts)}"


def _parsed(record: str) -> tuple[Cost, bytes, bytes]:
    match = _RECORD.fullmatch(record)
    if match is None:
        raise ValueError("is no password record")
    cost = Cost(int(match["ln"]), int(match["r"]), int(match["p"]))
    if not (1 <= cost.ln <= 24 and cost.r and cost.p and cost.memory <= MEMORY_MOST):
        raise ValueError("asks for more than any password is worth")
    try:
        return cost, _bytes(match["salt"]), _bytes(match["hash"])
    except binascii.Error:
        raise ValueError("is no password record") from None


def _bytes(text: str) -> bytes:
    return base64.b64decode(text + "=" * (-len(text) % 4), validate=True)
