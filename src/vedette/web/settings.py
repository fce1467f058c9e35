"""What the section ``web`` of a configuration may say: frozen, checked, refusing unknown keys."""

from __future__ import annotations

import ipaddress
from pathlib import Path
from typing import Annotated, Self

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainValidator,
    ValidationInfo,
    model_validator,
)

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


def _existing(value: object, info: ValidationInfo) -> Path | None:
    path = _file(value, info)
    return path and checks.existing_file(path, path.parent)


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
    certificate: Annotated[Path | None, PlainValidator(_existing)] = None
    """For TLS, with ``key``: the certificate, and those it is signed by, as PEM."""
    key: Annotated[Path | None, PlainValidator(_existing)] = None
    """The certificate's private key, as PEM, without a password."""
    local_sources: Flag = False
    """Whether cameras may be added over the API that are files or devices of this machine, or lie at
    link-local addresses."""

    @model_validator(mode="after")
    def _a_certificate_has_a_key(self) -> Self:
        if (self.certificate is None) != (self.key is None):
            raise ValueError("certificate and key: give both, or neither")
        return self


def is_loopback(host: str) -> bool:
    """Whether only this machine reaches it. ``host``: as it is listened at; empty = all interfaces."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
