"""An arm's process, and the lines of JSON that it says."""

from __future__ import annotations

import json
import queue
import subprocess
import threading
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from benchmarks import ROOT

__all__ = ["Child"]

_LAST_WORDS = 4000
"""Characters of what it wrote to standard error that are shown when it fails."""


class Child:
    """``with Child(command, folder) as child``: started, and killed at the end if it has not ended."""

    def __init__(self, command: list[str], folder: Path) -> None:
        self._command, self._errors = command, folder / "stderr.txt"
        self._said: queue.SimpleQueue[dict[str, Any] | None] = queue.SimpleQueue()

    def __enter__(self) -> Self:
        with self._errors.open("w") as errors:
            self._process = subprocess.Popen(
                self._command,
                cwd=ROOT,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=errors,
                text=True,
            )
        self.pid = self._process.pid
        threading.Thread(target=self._read, daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._process.kill()
        self._process.wait()

    def expect(self, event: str, within: float) -> dict[str, Any]:
        """The next such event. Raises RuntimeError, with its last words, when it ends or stays silent."""
        while True:
            try:
                said = self._said.get(timeout=within)
            except queue.Empty:
                raise RuntimeError(f"said no {event!r} in {within:g} s\n{self._last_words()}") from None
            if said is None:
                raise RuntimeError(f"ended before it said {event!r}\n{self._last_words()}")
            if said.get("event") == event:
                return said

    def ask(self, within: float = 30.0) -> dict[str, Any]:
        """Have it mark this moment."""
        assert self._process.stdin is not None
        self._process.stdin.write("mark\n")
        self._process.stdin.flush()
        return self.expect("mark", within)

    def end(self, within: float = 60.0) -> None:
        """Close its input and wait until it has written everything down."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        self.expect("over", within)

    def _read(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            if line.startswith("{"):
                self._said.put(json.loads(line))
        self._said.put(None)

    def _last_words(self) -> str:
        return self._errors.read_text(errors="replace")[-_LAST_WORDS:]
