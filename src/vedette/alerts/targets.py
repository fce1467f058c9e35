"""The only file that knows Apprise. Apprise logs addresses, which are secrets: what it says stays in here."""

from __future__ import annotations

import logging
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from vedette.alerts.message import Message, Severity

__all__ = ["Target", "TargetFailedError", "check_url"]

MISSING = "needs the package apprise: pip install 'vedette[alerts]'"
CONNECT_S, READ_S = 4.0, 10.0
"""Of one try. A target that takes longer is tried again; its queue waits, nobody else's."""

_TALKATIVE = ("apprise", "urllib3.connectionpool", "urllib3", "requests_oauthlib", "oauthlib", "slixmpp")
_HTTP_STATUS = re.compile(r"error=(\d{3})\b")


class TargetFailedError(Exception):
    """A message did not arrive. The text holds no address."""


class _Hush(logging.Filter):
    """Keeps what is logged in threads that are sending; everybody else's logs pass."""

    def __init__(self) -> None:
        super().__init__()
        self._heard: dict[int, list[str]] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        heard = self._heard.get(threading.get_ident())
        if heard is None:
            return True
        if record.levelno >= logging.WARNING and len(heard) < 16:
            heard.append(record.getMessage())
        return False

    @contextmanager
    def listening(self) -> Iterator[list[str]]:
        """The warnings of this thread, until the end of the block."""
        for name in _TALKATIVE:
            logging.getLogger(name).addFilter(self)  # does nothing the second time
        heard = self._heard[threading.get_ident()] = []
        try:
            yield heard
        finally:
            del self._heard[threading.get_ident()]


_HUSH = _Hush()


def check_url(url: str) -> None:
    """ValueError, which does not show the URL, where Apprise cannot use it or is not installed."""
    _plugin(url)


def _plugin(url: str) -> Any:
    try:
        import apprise
    except ImportError:
        raise ValueError(MISSING) from None
    # Nothing of ours needs to be remembered on disk from one message to the next.
    asset = apprise.AppriseAsset(app_id="Vedette", app_desc="Vedette", storage_mode="memory")
    with _HUSH.listening():
        try:
            plugin = apprise.Apprise.instantiate(url, asset=asset)
        except Exception:  # one of 180 plugins, on any text at all
            plugin = None
    if plugin is None:
        raise ValueError("not an address that Apprise can use (https://appriseit.com/services lists them)")
    plugin.socket_connect_timeout = min(plugin.socket_connect_timeout, CONNECT_S)
    plugin.socket_read_timeout = min(plugin.socket_read_timeout, READ_S)
    return plugin


class Target:
    """Sends messages to one address. ValueError where it cannot be used."""

    def __init__(self, url: str) -> None:
        self._plugin = _plugin(url)

    def send(self, message: Message) -> None:
        """Blocks until it is delivered; TargetFailedError where it is not."""
        with _HUSH.listening() as heard:
            try:
                arrived = self._plugin.notify(
                    title=message.title, body=message.body, notify_type=_type_of(message), body_format="text"
                )
            except Exception as error:  # one of 180 plugins; its text may hold the address
                raise TargetFailedError(type(error).__name__) from None
        if not arrived:
            raise TargetFailedError(_reason(heard))


def _type_of(message: Message) -> str:
    if message.resolved:
        return "success"
    return {Severity.CRITICAL: "failure", Severity.WARNING: "warning"}.get(message.severity, "info")


def _reason(heard: list[str]) -> str:
    """Of what Apprise logs only what cannot be secret."""
    for text in heard:
        if match := _HTTP_STATUS.search(text):
            return f"it answers with status {match[1]}"
    if any("onnection" in text for text in heard):
        return "no connection, or no answer in time"
    return "it did not take the message"
