"""Prometheus metrics of a node at ``/metrics``."""

from __future__ import annotations

import os
import socket
from collections.abc import Callable

from vedette.errors import ConfigError, redact
from vedette.observe.metrics.address import parse_address, spell
from vedette.observe.metrics.collect import Collector
from vedette.observe.metrics.endpoint import RESULTS, Server
from vedette.observe.views import Histograms, NodeView

__all__ = ["Exporter"]


class Exporter:
    """``view`` and ``histograms`` are called from another thread, only when somebody asks, at most twice a
    second. What they raise is answered with 500, and told (as a sentence) once for each kind of error; logged
    where there is no ``tell``.

    ``address``: see :func:`parse_address`, whose ValueError passes through. ``per_camera_stages``: whether
    each camera has its own stage times; None means with up to 100 cameras.
    """

    def __init__(
        self,
        address: str,
        view: Callable[[], NodeView],
        histograms: Callable[[], Histograms],
        *,
        version: str,
        per_camera_stages: bool | None = None,
        tell: Callable[[str], None] | None = None,
    ) -> None:
        self._host, self._port = parse_address(address)
        self._tell = tell or _log
        self._told: set[str] = set()
        self._server: Server | None = None
        self._collector = Collector(
            view,
            histograms,
            version=version,
            per_camera_stages=per_camera_stages,
            requests=self._requests,
        )

    @property
    def port(self) -> int:
        """The one it listens on, once it is started."""
        return self._port

    @property
    def address(self) -> str:
        """The same with its host, as people write it."""
        return spell(self._host, self._port)

    def start(self) -> None:
        """Listen and serve, in threads. Raises ConfigError when the address cannot be had."""
        try:
            listening = _listen(self._host, self._port)
        except (OSError, UnicodeError) as err:
            raise ConfigError(
                f"metrics: cannot listen on {spell(self._host, self._port)}: {_why(err)}"
            ) from err
        self._port = listening.getsockname()[1]
        self._server = Server(listening, self._collector, self._failed)
        self._server.start()

    def close(self) -> None:
        """Answer nobody any more. May be called twice, and without a start."""
        server, self._server = self._server, None
        if server is not None:
            server.close()

    def _requests(self) -> dict[str, int]:
        server = self._server
        return server.counts() if server else dict.fromkeys(RESULTS, 0)

    def _failed(self, err: Exception) -> None:
        kind = type(err).__name__
        if kind in self._told:
            return
        self._told.add(kind)
        self._tell(f"metrics could not be collected: {kind}: {redact(str(err))}")


def _log(sentence: str) -> None:
    import structlog

    structlog.get_logger().warning(sentence)


def _why(err: OSError | UnicodeError) -> str:
    if isinstance(err, UnicodeError):
        return "no host has such a name"
    # The library adds the address to the system's own words; it is in the sentence already.
    return os.strerror(err.errno) if err.errno and err.errno > 0 else err.strerror or str(err)


def _listen(host: str, port: int) -> socket.socket:
    """No host: all interfaces, IPv6 too where the machine has it."""
    if host:
        return socket.create_server((host, port), family=socket.AF_INET6 if ":" in host else socket.AF_INET)
    if socket.has_dualstack_ipv6():
        try:
            return socket.create_server(("", port), family=socket.AF_INET6, dualstack_ipv6=True)
        except OSError:
            pass  # IPv6 may be there and switched off; if it was the port, that is found out below
    return socket.create_server(("", port))
