"""Real servers for tests: MediaMTX (installed by `make setup`) and ffmpeg as its publisher."""

from __future__ import annotations

import contextlib
import json
import random
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path
from typing import Any

import imageio_ffmpeg

from patience import PATIENCE_S

MEDIAMTX = Path(sys.executable).parent / "mediamtx"
FFMPEG = imageio_ffmpeg.get_ffmpeg_exe()


_given: set[int] = set()


def free_port() -> int:
    """An even one. Nobody has it or the next one, over TCP or UDP, and nobody was ever given it.

    Below those that the system hands out: who connects to somewhere meanwhile, or while a server of that
    port is away, cannot be given it.
    """
    rng = random.SystemRandom()
    for _ in range(1000):
        port = rng.randrange(16_000, 32_000, 2)
        if port not in _given and _is_free(port) and _is_free(port + 1):
            _given.add(port)
            return port
    raise OSError("no port is free")


def _is_free(port: int) -> bool:
    for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM):
        with socket.socket(type=kind) as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                return False
    return True


def wait_for_port(port: int) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), 0.5).close()
        except OSError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.05)
        else:
            return


class MediaMTX:
    """A MediaMTX server on free ports; ``with MediaMTX(folder) as server: server.publish("cam1", clip)``.

    ``user``/``password`` protect reading (publishing stays open).
    """

    def __init__(self, folder: Path, *, user: str = "", password: str = "", methods: str = "") -> None:
        self.port, self.api_port = free_port(), free_port()
        self.udp_port = free_port()  # and the next one
        users = "authInternalUsers:\n- user: any\n  permissions: [{action: publish}, {action: api}]\n"
        reader = f"user: {user}\n  pass: {password}" if user else "user: any"
        users += f"- {reader}\n  permissions: [{{action: read}}]\n"
        self._config = folder / "mediamtx.yml"
        self._config.write_text(
            f"logLevel: warn\nrtspAddress: 127.0.0.1:{self.port}\nrtspTransports: [tcp, udp]\n"
            f"rtpAddress: 127.0.0.1:{self.udp_port}\nrtcpAddress: 127.0.0.1:{self.udp_port + 1}\n"
            "rtmp: no\nhls: no\nwebrtc: no\nsrt: no\napi: yes\n"
            f"apiAddress: 127.0.0.1:{self.api_port}\n{users}"
            + (f"rtspAuthMethods: [{methods}]\n" if methods else "")
            + "paths: {all_others: }\n"
        )
        self._publishers: list[subprocess.Popen[bytes]] = []
        self._server: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> MediaMTX:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        for publisher in self._publishers:
            publisher.kill()
            publisher.wait()
        self.stop()

    def start(self) -> None:
        self._server = subprocess.Popen([MEDIAMTX, self._config], stdout=subprocess.DEVNULL)
        wait_for_port(self.port)

    def stop(self) -> None:
        if self._server is not None:
            self._server.kill()
            self._server.wait()
            self._server = None

    def url(self, path: str, userinfo: str = "") -> str:
        return f"rtsp://{userinfo}{'@' if userinfo else ''}127.0.0.1:{self.port}/{path}"

    def publish(self, path: str, *arguments: str | Path) -> subprocess.Popen[bytes]:
        """Start ``ffmpeg ARGUMENTS -f rtsp <path>`` and wait until the server has the stream."""
        publisher = subprocess.Popen(
            [FFMPEG, "-loglevel", "error", *map(str, arguments), "-f", "rtsp", "-rtsp_transport", "tcp"]
            + [self.url(path)],
            stdin=subprocess.DEVNULL,
        )
        self._publishers.append(publisher)
        deadline = time.monotonic() + PATIENCE_S
        while not self.api(f"paths/get/{path}").get("ready"):
            if time.monotonic() > deadline or publisher.poll() is not None:
                raise TimeoutError(f"{path} was not published")
            time.sleep(0.05)
        return publisher

    def api(self, call: str, method: str = "GET") -> dict[str, Any]:
        request = urllib.request.Request(f"http://127.0.0.1:{self.api_port}/v3/{call}", method=method)
        with contextlib.suppress(OSError), urllib.request.urlopen(request, timeout=PATIENCE_S) as reply:
            body = reply.read()
            return json.loads(body) if body else {}
        return {}
