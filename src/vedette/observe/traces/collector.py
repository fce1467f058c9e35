"""Where traces are sent: one OTLP/HTTP endpoint.

Not the exporter of OpenTelemetry's own: that one takes headers, certificates and proxies from the
environment, ``.netrc`` included, and would send them where they were not meant for; and it logs by itself.
"""

from __future__ import annotations

import base64
import http.client
import ssl
from collections.abc import Mapping
from urllib.parse import SplitResult, unquote, urlsplit, urlunsplit

from vedette.errors import ConfigError, redact

__all__ = ["Collector", "SendFailedError"]

PATH = "/v1/traces"
PASSING = frozenset({429, 502, 503, 504})
"""What the protocol says may be tried again."""


class SendFailedError(Exception):
    """A batch was not taken. ``passing``: it may be another time. The words hold no credentials."""

    def __init__(self, why: str, *, passing: bool) -> None:
        super().__init__(why)
        self.passing = passing


class Collector:
    """``endpoint``: ``http://host:4318``, or with a path of its own. A user in it becomes a header.
    ``headers``: sent along; they may be secret, and are shown nowhere.

    Raises ConfigError where one of them cannot be used.
    """

    def __init__(self, endpoint: str, headers: Mapping[str, str]) -> None:
        self._url = _parsed(endpoint)
        self._headers = {"Content-Type": "application/x-protobuf", "User-Agent": "Vedette"}
        if self._url.username is not None:
            pair = f"{unquote(self._url.username)}:{unquote(self._url.password or '')}"
            self._headers["Authorization"] = "Basic " + base64.b64encode(pair.encode()).decode()
        for name, value in headers.items():
            self._headers[name] = _checked(name, value)

    def __str__(self) -> str:
        """Its address, for people."""
        where = self._url.netloc.rpartition("@")[2]
        return redact(urlunsplit((self._url.scheme, where, self._url.path, "", "")))

    def __repr__(self) -> str:
        return f"Collector({str(self)!r})"

    def post(self, body: bytes, *, timeout: float) -> None:
        """Send one batch; ``timeout``: seconds for each step of it. Raises SendFailedError."""
        try:
            status = self._post(body, timeout)
        except (OSError, http.client.HTTPException, ValueError) as err:
            # The kind of error is enough: what a library says may hold what it was given.
            raise SendFailedError(f"it could not be reached ({_kind(err)})", passing=True) from None
        if not 200 <= status < 300:
            raise SendFailedError(f"it answered {status}", passing=status in PASSING)

    def _post(self, body: bytes, timeout: float) -> int:
        connection = self._connection(timeout)
        try:
            target = (self._url.path or PATH) + (f"?{self._url.query}" if self._url.query else "")
            connection.request("POST", target, body, self._headers)
            return connection.getresponse().status
        finally:
            connection.close()

    def _connection(self, timeout: float) -> http.client.HTTPConnection:
        host, port = self._url.hostname or "", self._url.port
        if self._url.scheme == "https":
            context = ssl.create_default_context()
            return http.client.HTTPSConnection(host, port, timeout=timeout, context=context)
        return http.client.HTTPConnection(host, port, timeout=timeout)


def _parsed(endpoint: str) -> SplitResult:
    shown = redact(endpoint)
    try:
        url = urlsplit(endpoint)
        port = url.port
    except ValueError:
        raise ConfigError(f"{shown}: no address that traces can be sent to") from None
    if url.scheme not in ("http", "https") or not url.hostname or port == 0:
        raise ConfigError(f"{shown}: traces are sent to http://HOST:PORT or https://HOST:PORT")
    if not endpoint.isascii() or any(letter <= " " for letter in endpoint):
        raise ConfigError(f"{shown}: an address holds no spaces and no letters but ASCII ones")
    return url._replace(path="" if url.path == "/" else url.path)


def _checked(name: str, value: str) -> str:
    """A header's value. The error names the header only: its value may be secret."""
    token = name.isascii() and name.replace("-", "").replace("_", "").isalnum()
    if not token or not value.isascii() or not value.isprintable():
        raise ConfigError(f"header {name!r} for traces: neither its name nor its value may hold such letters")
    return value


def _kind(err: Exception) -> str:
    if isinstance(err, ssl.SSLError):
        return "no encrypted connection came about"
    if isinstance(err, TimeoutError):
        return "no answer in time"
    return type(err).__name__
