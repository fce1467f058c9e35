"""Real servers for tests: MediaMTX (installed by `make setup`) and ffmpeg as its publisher."""

from __future__ import annotations

import contextlib
import json
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path
from typing import Any

import imageio_ffmpeg

MEDIAMTX = Path(sys.executable).parent / "mediamtx"
FFMPEG = imageio_ffmpeg.get_ffmpeg_exe()


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def wait_for_port(port: int, seconds: float = 10) -> None:
    deadline = time.monotonic() + seconds
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
        # UDP wants an even port and the next one.
        self.udp_port = free_port() // 2 * 2
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

    def publish(self, path: str, *arguments: str | Path, seconds: float = 15) -> subprocess.Popen[bytes]:
        """Start ``ffmpeg ARGUMENTS -f rtsp <path>`` and wait until the server has the stream."""
        publisher = subprocess.Popen(
            [FFMPEG, "-loglevel", "error", *map(str, arguments), "-f", "rtsp", "-rtsp_transport", "tcp"]
            + [self.url(path)],
            stdin=subprocess.DEVNULL,
        )
        self._publishers.append(publisher)
        deadline = time.monotonic() + seconds
        while not self.api(f"paths/get/{path}").get("ready"):
            if time.monotonic() > deadline or publisher.poll() is not None:
                raise TimeoutError(f"{path} was not published")
            time.sleep(0.05)
        return publisher

    def api(self, call: str, method: str = "GET") -> dict[str, Any]:
        request = urllib.request.Request(f"http://127.0.0.1:{self.api_port}/v3/{call}", method=method)
        with contextlib.suppress(OSError), urllib.request.urlopen(request, timeout=5) as reply:
            body = reply.read()
            return json.loads(body) if body else {}
        return {}
