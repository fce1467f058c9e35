"""JSON Lines in real files and pipes."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from patience import PATIENCE_S
from sinks.sink_results import result
from vedette.config import Config
from vedette.sinks import SinkUnavailable
from vedette.sinks.jsonl import JsonlSink
from vedette.sinks.open import deliveries_of


def seqs(path: Path) -> list[int]:
    return [json.loads(line)["seq"] for line in path.read_text().splitlines()]


def test_appends_a_line_per_result_and_makes_the_folder(tmp_path: Path) -> None:
    path = tmp_path / "a" / "b" / "results.jsonl"
    for start in (0, 2):
        sink = JsonlSink(str(path))
        sink.open()
        sink.write([result(start), result(start + 1)])
        sink.close()
    assert seqs(path) == [0, 1, 2, 3]


def test_a_line_that_a_crash_cut_short_is_ended_first(tmp_path: Path) -> None:
    path = tmp_path / "results.jsonl"
    path.write_bytes(result(0).to_json() + b"\n" + b'{"camera":"ga')
    sink = JsonlSink(str(path))
    sink.open()
    sink.write([result(1)])
    sink.close()
    lines = path.read_text().splitlines()
    assert len(lines) == 3
    assert json.loads(lines[2])["seq"] == 1


def test_a_path_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(SinkUnavailable, match=r"results\.jsonl: Not a directory"):
        JsonlSink(str(tmp_path / "file" / "results.jsonl")).open()
    with pytest.raises(SinkUnavailable, match="Is a directory"):
        JsonlSink(str(tmp_path)).open()


def test_a_full_disk_is_reported_and_half_a_batch_is_taken_back() -> None:
    sink = JsonlSink("/dev/full")
    sink.open()
    with pytest.raises(SinkUnavailable, match="No space left"):
        sink.write([result(0)])
    sink.close()


def test_a_sink_that_fails_does_not_disturb_the_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("vedette.sinks.delivery.LAST_WORD_S", PATIENCE_S)
    (tmp_path / "file").touch()
    config = Config(
        cameras={"gate": {"url": "rtsp://h"}},
        sinks=[
            {"type": "jsonl", "path": str(tmp_path / "file" / "no.jsonl")},
            {"type": "jsonl", "path": str(tmp_path / "yes.jsonl")},
        ],
    )
    told: list[str] = []
    called: list[int] = []
    deliveries = deliveries_of(config, lambda each: called.append(each.seq), told.append)
    for delivery in deliveries:
        delivery.start()
        for seq in range(100):
            delivery.put(result(seq))
    failing, *working = deliveries
    for delivery in reversed(working):
        delivery.close(within_s=PATIENCE_S)
    failing.close(within_s=0.3)
    assert seqs(tmp_path / "yes.jsonl") == list(range(100)) == called
    assert failing.delivered.written == 0
    assert failing.delivered.dropped == 100
    assert len(told) == 2
    assert "Not a directory; trying again" in told[0]
    assert "100 results were not delivered before the end" in told[1]


SCRIPT = """
import sys
sys.path.insert(0, sys.argv[1])
from sinks.sink_results import result
from vedette.sinks import Delivery
from vedette.sinks.jsonl import JsonlSink
from vedette.sinks.open import deliveries_of
delivery = Delivery(JsonlSink("-"), name="jsonl -", report=lambda text: print(text, file=sys.stderr))
delivery.start()
for seq in range(2000):
    delivery.put(result(seq), wait=True)
delivery.close(100)
print(delivery.delivered.written + delivery.delivered.failed, file=sys.stderr)
"""


def run_script(stdout: int) -> subprocess.Popen[str]:
    tests = str(Path(__file__).parent.parent)
    return subprocess.Popen(
        [sys.executable, "-c", SCRIPT, tests], stdout=stdout, stderr=subprocess.PIPE, text=True
    )


def test_writes_to_standard_output_also_when_the_pipe_does_not_block() -> None:
    reading, writing = os.pipe()
    os.set_blocking(writing, False)
    process = run_script(writing)
    os.close(writing)
    with os.fdopen(reading) as pipe:
        lines = pipe.read().splitlines()
    _, errors = process.communicate(timeout=PATIENCE_S)
    assert [json.loads(line)["seq"] for line in lines] == list(range(2000))
    assert errors.split() == ["2000"]


def test_a_closed_pipe_ends_the_sink_and_nothing_else() -> None:
    reading, writing = os.pipe()
    os.close(reading)
    process = run_script(writing)
    os.close(writing)
    _, errors = process.communicate(timeout=PATIENCE_S)
    assert process.returncode == 0
    assert errors.splitlines() == [
        "sink jsonl -: standard output was closed; no more results go there",
        "2000",
    ]
