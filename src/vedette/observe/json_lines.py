"""Standard error as JSON lines, whoever writes to it: this process, its workers, libraries of other people.

What is a JSON object already stays as it is; any other line becomes one, with the line as its ``event``. The
descriptor itself leads into a pipe, because workers and libraries write to that; this process writes past
the pipe, so that its last words do not depend on anybody who reads it.
"""

from __future__ import annotations

import atexit
import io
import json
import os
import re
import sys
import threading
import time
from datetime import UTC, datetime

from vedette.errors import redact

__all__ = ["JsonStream", "as_json", "stderr_as_json"]

LONGEST_LINE = 64 * 1024
"""Bytes. Whoever writes more without an end of line is cut."""

LAST_WORDS_S = 1.0
"""For what workers said last, when this process ends."""

_LEVEL = re.compile(r"(?P<level>error|warning|info|debug)\s*:\s+", re.IGNORECASE)
_CONTROL = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]|[\x00-\x08\x0b-\x1f\x7f]")

_writing = threading.RLock()
"""A line goes out whole, though several threads write. May be taken again: by a signal's handler."""


def as_json(line: str) -> str:
    """The line as a JSON object, without its end; empty where there is nothing in it."""
    line = _CONTROL.sub("", line).rstrip()
    if not line.strip() or _is_object(line):
        return line.strip()
    found = _LEVEL.match(line)
    level, said = ("warning", line) if found is None else (found["level"].lower(), line[found.end() :])
    event = {"event": redact(said), "level": level, "timestamp": _now()}
    return json.dumps(event, ensure_ascii=False)


def _is_object(line: str) -> bool:
    if not (line.startswith("{") and line.endswith("}")):
        return False
    try:
        json.loads(line)
    except (ValueError, RecursionError):
        return False
    return True


def _now() -> str:
    return datetime.now(UTC).isoformat().replace("+00:00", "Z")


class JsonStream(io.TextIOBase):
    """Text in, JSON lines out at the descriptor ``real``. ``fileno`` is that of the stream it stands for. For
    several threads at once."""

    encoding, errors = "utf-8", "backslashreplace"

    def __init__(self, real: int, stands_for: int) -> None:
        self._real, self._stands_for = real, stands_for
        self._begun: dict[int, str] = {}
        """What each thread has written of a line that is not over."""

    def write(self, text: str) -> int:
        thread = threading.get_ident()
        *lines, begun = (self._begun.pop(thread, "") + text).split("\n")
        while len(begun) > LONGEST_LINE:
            lines.append(begun[:LONGEST_LINE])
            begun = begun[LONGEST_LINE:]
        if begun:
            self._begun[thread] = begun
        _write(self._real, lines)
        return len(text)

    def writable(self) -> bool:
        return True

    def isatty(self) -> bool:
        return False

    def fileno(self) -> int:
        return self._stands_for

    def end(self) -> None:
        """What was begun is a line now."""
        begun, self._begun = self._begun, {}
        _write(self._real, list(begun.values()))


def _write(real: int, lines: list[str]) -> None:
    told = "".join(f"{said}\n" for said in map(as_json, lines) if said)
    data = told.encode("utf-8", "backslashreplace")
    with _writing:
        while data:
            try:
                data = data[os.write(real, data) :]
            except BlockingIOError:
                time.sleep(0.01)  # somebody set what we share with them to that
            except OSError:
                return  # nobody reads it any more


def _pump(pipe: int, real: int) -> None:
    """Until nobody has the other end any more."""
    held = b""
    with os.fdopen(pipe, "rb", buffering=0) as reader:
        while data := reader.read(LONGEST_LINE):
            *lines, held = (held + data).split(b"\n")
            if len(held) > LONGEST_LINE:
                lines, held = [*lines, held], b""
            _write(real, [line.decode("utf-8", "backslashreplace") for line in lines])
    _write(real, [held.decode("utf-8", "backslashreplace")])


def stderr_as_json() -> None:
    """From now on, until this process ends. Does nothing where there is no standard error."""
    try:
        real = os.dup(2)
    except OSError:
        return
    reading, writing = os.pipe()
    os.dup2(writing, 2)  # inherited by workers, which our end and `real` are not
    os.close(writing)
    stream = JsonStream(real, 2)
    sys.stderr = stream
    pump = threading.Thread(target=_pump, args=(reading, real), name="vedette-stderr", daemon=True)
    pump.start()

    def end() -> None:
        stream.end()
        os.dup2(real, 2)  # ours was the last end of the pipe, if no worker is left
        pump.join(LAST_WORDS_S)

    atexit.register(end)
