"""Logs: to standard error, for people or as JSON lines, and never with a credential in them."""

from __future__ import annotations

import logging
import sys
from collections.abc import Mapping, MutableMapping
from dataclasses import dataclass
from typing import Any

import structlog

from vedette.errors import redact

__all__ = ["LEVELS", "Logging", "configure_logging", "configured", "redact_values"]

LEVELS = ("debug", "info", "warning", "error")

_SECRET_NAMES = ("password", "passwd", "secret", "token", "authorization", "credential", "api_key")
_DEPTH_AT_MOST = 6


@dataclass(frozen=True, slots=True)
class Logging:
    """How this process logs."""

    level: str = "info"
    json: bool = False


_configured: list[Logging] = []


def configured() -> Logging | None:
    """As it was set up, for processes that are to do likewise; None where it was not."""
    return _configured[-1] if _configured else None


def configure_logging(level: str = "info", *, json: bool = False) -> None:
    """Set structlog up for this process. Raises ValueError for an unknown ``level``."""
    if level not in LEVELS:
        raise ValueError(f"log level must be one of {', '.join(LEVELS)}")
    last: structlog.typing.Processor = (
        structlog.processors.JSONRenderer(ensure_ascii=False)
        if json
        else structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty(), pad_event_to=0)
    )
    _configured[:] = [Logging(level, json)]
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            # After exceptions became text, before anything is put together.
            redact_values,
            last,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(getattr(logging, level.upper())),
        logger_factory=_StandardError,
        cache_logger_on_first_use=False,
    )


def redact_values(logger: object, method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """A structlog processor: take credentials out of every value, however deep; and out of keys."""
    return {str(_clean(key)): _named(key, value, 0) for key, value in event.items()}


def _named(key: object, value: Any, depth: int) -> Any:
    if any(name in str(key).lower() for name in _SECRET_NAMES):
        return "***"
    return _clean(value, depth)


def _clean(value: Any, depth: int = 0) -> Any:
    if value is None or isinstance(value, (bool, int, float)):
        return value
    if isinstance(value, str):
        return redact(value)
    if depth >= _DEPTH_AT_MOST:
        return "…"
    if isinstance(value, Mapping):
        return {str(_clean(key)): _named(key, item, depth + 1) for key, item in value.items()}
    if isinstance(value, (list, tuple, set, frozenset)):
        return [_clean(item, depth + 1) for item in value]
    # Anything else would be shown by its repr later on, when it is too late.
    return redact(value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value))


class _StandardError:
    """Prints to whatever ``sys.stderr`` is now: a live table puts itself in its place."""

    def __init__(self, *_: object) -> None:
        pass

    def msg(self, message: str) -> None:
        # In one piece: lines come from several threads, and print writes the end of a line by itself.
        sys.stderr.write(f"{message}\n")
        sys.stderr.flush()

    log = debug = info = warn = warning = error = critical = exception = fatal = failure = msg
