"""Where to listen, as people write it."""

from __future__ import annotations

import re

__all__ = ["parse_address", "spell"]

_ADDRESS = re.compile(r"(?:\[(?P<v6>[0-9A-Fa-f:.%a-z]+)\]|(?P<host>[^\s:/@\[\]]*)):(?P<port>[0-9]{1,5})")


def parse_address(text: str) -> tuple[str, int]:
    """Host and port of ``:9464`` (an empty host: all interfaces), ``127.0.0.1:9464`` or ``[::1]:9464``.

    Port 0 is any free one. Raises ValueError with a sentence that does not repeat the text.
    """
    match = _ADDRESS.fullmatch(text.strip())
    if match is None:
        raise ValueError("write an address to listen on as :9464, 127.0.0.1:9464 or [::1]:9464")
    port = int(match["port"])
    if port > 65535:
        raise ValueError("a port is at most 65535")
    return match["v6"] or match["host"], port


def spell(host: str, port: int) -> str:
    """The other way round."""
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
