"""Debian's Prometheus and promtool, as processes, and what is read with them."""

from __future__ import annotations

import json
import subprocess
import sys
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from patience import PATIENCE_S
from servers import free_port

BIN = Path(sys.executable).parent
DEPLOY = Path(__file__).parent.parent.parent / "deploy"


def promtool(*arguments: str, text: bytes = b"", folder: Path = DEPLOY) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(
        [BIN / "promtool", *arguments],
        input=text,
        capture_output=True,
        cwd=folder,
        timeout=PATIENCE_S,
        check=False,
    )


class Prometheus:
    """Scrapes ``port`` twice a second, as the job "vedette"."""

    def __init__(self, folder: Path, port: int) -> None:
        self.url = f"http://127.0.0.1:{free_port()}"
        config = folder / "prometheus.yml"
        config.write_text(
            "global: {scrape_interval: 500ms, scrape_timeout: 500ms, evaluation_interval: 1s}\n"
            f"rule_files: [{DEPLOY / 'vedette.rules.yml'}]\n"
            f"scrape_configs: [{{job_name: vedette, static_configs: [{{targets: ['127.0.0.1:{port}']}}]}}]\n"
        )
        self._log = (folder / "log").open("wb")
        self._process = subprocess.Popen(
            [
                BIN / "prometheus",
                f"--config.file={config}",
                f"--storage.tsdb.path={folder / 'data'}",
                f"--web.listen-address={self.url.removeprefix('http://')}",
            ],
            stdout=self._log,
            stderr=self._log,
        )

    def close(self) -> None:
        self._process.terminate()
        try:
            self._process.wait(PATIENCE_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._log.close()

    def api(self, path: str, **parameters: str) -> Any:
        """The ``data`` of an answer. Raises AssertionError with what Prometheus finds wrong."""
        try:
            with urllib.request.urlopen(
                f"{self.url}/api/v1/{path}?{urllib.parse.urlencode(parameters)}", timeout=PATIENCE_S
            ) as answer:
                return json.load(answer)["data"]
        except urllib.error.HTTPError as err:
            raise AssertionError(f"{parameters}: {err.read().decode()}") from err

    def query(self, expression: str) -> list[dict[str, Any]]:
        """The samples of an instant vector: each with its labels (``metric``) and ``value`` (time, text)."""
        found: list[dict[str, Any]] = self.api("query", query=expression)["result"]
        return found

    def value(self, expression: str) -> float:
        """Of an expression with exactly one sample, once there is: a busy machine may miss a scrape."""
        (sample,) = self.until(expression)
        return float(sample["value"][1])

    def until(self, expression: str) -> list[dict[str, Any]]:
        """Ask until there is an answer that is not empty."""
        deadline = time.monotonic() + PATIENCE_S
        while True:
            try:
                if found := self.query(expression):
                    return found
            except (OSError, AssertionError):  # it is still starting
                if self._process.poll() is not None:
                    raise
            assert time.monotonic() < deadline, f"nothing for {expression}"
            time.sleep(0.1)


@contextmanager
def prometheus(folder: Path, port: int) -> Iterator[Prometheus]:
    server = Prometheus(folder, port)
    try:
        yield server
    finally:
        server.close()
