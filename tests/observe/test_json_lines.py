"""Standard error as JSON lines, whoever writes to it."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from patience import PATIENCE_S
from vedette.observe.json_lines import JsonStream, as_json

SCRIPT = """
import os, subprocess, sys, threading, warnings
from vedette.observe.json_lines import stderr_as_json
from vedette.observe.log import configure_logging
import structlog
configure_logging("info", json=True)
stderr_as_json()
structlog.get_logger().info("logged", camera="gate")
print("error: printed", file=sys.stderr)
warnings.warn("warned")
os.write(2, b"by a library\\n")
subprocess.run([sys.executable, "-c", "import sys; sys.stderr.write('by a child\\\\nhalf a line')"])
thread = threading.Thread(target=lambda: 1 / 0)
thread.start()
thread.join()
print("no end", end="", file=sys.stderr)
sys.exit(3)
"""


def test_whatever_is_written_to_standard_error_is_a_json_line() -> None:
    command = [sys.executable, "-c", SCRIPT]
    done = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE_S)
    lines = [json.loads(line) for line in done.stderr.splitlines()]
    said = {line["event"]: line["level"] for line in lines}
    assert done.returncode == 3
    assert said["logged"] == "info"
    assert said["printed"] == "error"
    assert {"by a library", "by a child", "half a line", "no end"} <= set(said)
    assert any("warned" in event for event in said)
    assert any("ZeroDivisionError" in event for event in said)
    assert all({"event", "level", "timestamp"} <= set(line) for line in lines)


@pytest.mark.parametrize(
    ("line", "level", "event"),
    [
        ("error: gate: refused", "error", "gate: refused"),
        ("WARNING:  Invalid HTTP request received.", "warning", "Invalid HTTP request received."),
        ("INFO:     Started server process [7]", "info", "Started server process [7]"),
        ("[h264 @ 0x55] error while decoding MB 3 4", "warning", "[h264 @ 0x55] error while decoding MB 3 4"),
        ("\x1b[31mred\x1b[0m", "warning", "red"),
        ("at rtsp://me:geheim@gate/x", "warning", "at rtsp://***@gate/x"),
    ],
)
def test_a_plain_line_tells_its_level_where_it_has_one(line: str, level: str, event: str) -> None:
    told = json.loads(as_json(line))
    assert (told["level"], told["event"]) == (level, event)


def test_an_object_stays_as_it_is_and_nothing_is_made_of_nothing() -> None:
    assert as_json('{"event": "a", "at": 3}') == '{"event": "a", "at": 3}'
    assert as_json("   ") == ""
    assert json.loads(as_json("{not json}"))["event"] == "{not json}"


@given(st.lists(st.text(max_size=30), max_size=8))
def test_however_text_is_cut_each_line_is_one_object(parts: list[str]) -> None:
    reading, writing = os.pipe()
    try:
        stream = JsonStream(writing, 2)
        for part in parts:
            assert stream.write(part) == len(part)
        stream.end()
    finally:
        os.close(writing)
    with os.fdopen(reading, encoding="utf-8") as file:
        found = [json.loads(line) for line in file]
    assert len(found) <= "".join(parts).count("\n") + 1
    assert all(isinstance(each, dict) for each in found)
