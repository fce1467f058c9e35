"""What the section ``web`` of a configuration may say: frozen, checked, refusing unknown keys."""

from __future__ import annotations

import ipaddress
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, PlainValidator, ValidationInfo

from vedette import config_checks as checks
from vedette.observe.metrics.address import parse_address

__all__ = ["DEFAULT_ADDRESS", "WebSettings", "is_loopback"]

DEFAULT_ADDRESS = "127.0.0.1:8700"

Flag = Annotated[bool, BeforeValidator(checks.flag)]


def _address(value: object) -> str | None:
    if value is None:
        return None
    parse_address(str(value))
    return str(value)


def _file(value: object, info: ValidationInfo) -> Path | None:
    if value is None:
        return None
    if not isinstance(value, (str, Path)) or not str(value):
        raise ValueError("must be a path")
    return checks.local_path(value, (info.context or {}).get("folder") or Path.cwd())


class WebSettings(BaseModel):
    """Where the dashboard and the API are served, and to whom."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    enabled: Flag = True
    address: Annotated[str | None, PlainValidator(_address)] = None
    """Where to listen; None = 127.0.0.1:8700, or a free port where that is taken."""
    users: Annotated[Path | None, PlainValidator(_file)] = None
    """Who may: a file that ``vedette user`` writes; None = ``users-NODE.json`` beside the ledger."""
    hosts: tuple[str, ...] = ()
    """Names by which browsers reach it, beside the address itself."""
    trusts: tuple[Annotated[str, Field(pattern=r"^[0-9A-Fa-f:.]+(/\d+)?$")], ...] = ()
    """Proxies before it that say truly who asks, and whether over TLS: addresses or networks."""
    local_sources: Flag = False
    """Whether cameras may be added over the API that are files or devices of this machine, or lie at
    link-local addresses."""


def is_loopback(host: str) -> bool:
    """Whether only this machine reaches it. ``host``: as it is listened at; empty = all interfaces."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
