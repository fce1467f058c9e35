"""Chance that can be repeated: it depends on a seed and on what it is for, not on who asked when."""

from __future__ import annotations

from hashlib import blake2b

__all__ = ["chance"]


def chance(seed: int, *what: str | int) -> float:
    """In [0, 1), even, independent for different ``what``. Whoever does not know the seed cannot foresee it.

    A generator with a state would go on elsewhere after a restart, or when a camera moves to another worker.
    """
    text = "\x1f".join(str(each) for each in what).encode("utf-8", "surrogatepass")
    key = (seed % 2**64).to_bytes(8, "big")
    return (int.from_bytes(blake2b(text, digest_size=8, key=key).digest(), "big") >> 11) / 2**53
