"""A small HTTP server for one page, made so that no client can hurt the node."""

from __future__ import annotations

import re
import socket
import socketserver
import threading
from collections import Counter
from collections.abc import Callable
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler
from typing import Any

from vedette.observe.metrics.collect import Collector
from vedette.observe.metrics.text import OPENMETRICS, PLAIN

__all__ = ["RESULTS", "Server"]

CONNECTIONS_AT_MOST = 4
"""One is enough for a Prometheus server; they often come in pairs."""

CLIENT_WITHIN_S = 5.0
"""For a request and its answer. Prometheus itself gives up after 10 s."""

SLOT_WITHIN_S = 1.0
"""Who finds all connections taken waits so long for one before being sent away."""

RESULTS = ("ok", "not_found", "not_allowed", "bad", "slow", "refused", "failed")
_INDEX = b'<!doctype html><title>Vedette</title><p>Vedette. <a href="/metrics">Metrics</a></p>\n'
_REFUSAL = b"HTTP/1.0 503 Service Unavailable\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"


class Server(socketserver.ThreadingMixIn, socketserver.TCPServer):
    """Serves on a socket that listens already. ``failed`` is told of each error while collecting."""

    daemon_threads = True
    block_on_close = False  # a slow client must not hold up the node's end

    def __init__(
        self, listening: socket.socket, collector: Collector, failed: Callable[[Exception], None]
    ) -> None:
        super().__init__(listening.getsockname()[:2], _Handler, bind_and_activate=False)
        self.socket.close()  # the one that the library has made
        self.socket = listening
        self.collector, self.failed = collector, failed
        self._slots = threading.BoundedSemaphore(CONNECTIONS_AT_MOST)
        self._lock = threading.Lock()
        self._counts = Counter(dict.fromkeys(RESULTS, 0))
        self._thread = threading.Thread(
            target=self.serve_forever, args=(0.1,), name="vedette-metrics", daemon=True
        )

    def start(self) -> None:
        self._thread.start()

    def close(self) -> None:
        self.shutdown()
        self._thread.join()
        self.server_close()

    def count(self, result: str) -> None:
        with self._lock:
            self._counts[result] += 1

    def counts(self) -> dict[str, int]:
        with self._lock:
            return dict(self._counts)

    def process_request(self, request: Any, client_address: Any) -> None:
        """In the thread that accepts."""
        if self._slots.acquire(timeout=SLOT_WITHIN_S):
            try:
                super().process_request(request, client_address)
            except RuntimeError:  # no thread could be started
                self._slots.release()
                self._refuse(request)
        else:
            self._refuse(request)

    def _refuse(self, request: socket.socket) -> None:
        self.count("refused")
        request.settimeout(0.1)
        try:
            request.sendall(_REFUSAL)
        except OSError:
            pass  # it need not know
        self.shutdown_request(request)

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        """In a thread of its own, which the client has for so long and no longer."""
        late = threading.Timer(CLIENT_WITHIN_S, self._hang_up, (request,))
        late.daemon = True
        try:
            late.start()
            super().process_request_thread(request, client_address)
        finally:
            late.cancel()
            self._slots.release()

    def _hang_up(self, request: socket.socket) -> None:
        self.count("slow")
        try:
            request.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass  # it has gone by itself

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Clients that go away in the middle are nothing to tell of, and all else was dealt with."""


class _Handler(BaseHTTPRequestHandler):
    server: Server
    server_version = "Vedette"
    sys_version = ""

    def do_GET(self) -> None:
        path = self.path.partition("?")[0]
        if path == "/metrics":
            self._metrics()
        elif path == "/":
            self._answer("ok", _INDEX, "text/html; charset=utf-8")
        else:
            self._answer("not_found", b"There is only /metrics.\n", status=HTTPStatus.NOT_FOUND)

    def _metrics(self) -> None:
        openmetrics = _accepts(self.headers.get("Accept", ""), "application/openmetrics-text")
        gzipped = _accepts(self.headers.get("Accept-Encoding", ""), "gzip")
        try:
            body = self.server.collector.text(openmetrics=openmetrics, gzipped=gzipped)
        except Exception as err:  # whatever is wrong with a view, the node goes on
            self.server.failed(err)
            self._answer(
                "failed", b"The metrics could not be collected.\n", status=HTTPStatus.INTERNAL_SERVER_ERROR
            )
            return
        self._answer("ok", body, OPENMETRICS if openmetrics else PLAIN, gzipped=gzipped)

    def _answer(
        self,
        result: str,
        body: bytes,
        content: str = "text/plain; charset=utf-8",
        *,
        status: HTTPStatus = HTTPStatus.OK,
        gzipped: bool = False,
    ) -> None:
        self.send_response(status)
        self.send_header("Content-Type", content)
        self.send_header("Content-Length", str(len(body)))
        if gzipped:
            self.send_header("Content-Encoding", "gzip")
        if status == HTTPStatus.METHOD_NOT_ALLOWED:
            self.send_header("Allow", "GET")
        self.end_headers()
        self.wfile.write(body)
        self.server.count(result)

    def send_error(self, code: int, message: str | None = None, explain: str | None = None) -> None:
        """What the library finds wrong with a request, in one line and without repeating any of it."""
        unknown = code == HTTPStatus.NOT_IMPLEMENTED
        status = HTTPStatus.METHOD_NOT_ALLOWED if unknown else HTTPStatus(code)
        self.request_version = "HTTP/1.0"  # or a request of the oldest kind gets no head
        self._answer("not_allowed" if unknown else "bad", f"{status.phrase}\n".encode(), status=status)

    def log_message(self, format: str, *args: Any) -> None:
        """Requests are counted, not logged."""


def _accepts(header: str, wanted: str) -> bool:
    """Whether a list of what a client takes names this, and not with a weight of zero."""
    for part in header.lower().split(","):
        name, *options = (piece.strip() for piece in part.split(";"))
        if name == wanted:
            return not any(re.fullmatch(r"q=0(\.0*)?", option) for option in options)
    return False
