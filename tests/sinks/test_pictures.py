"""Annotated video is written beside the frame's way; what it cannot take is dropped and said."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from itertools import islice
from pathlib import Path
from typing import Any

import av
import pytest

from patience import PATIENCE_S
from vedette.ingest.decode import Decoder
from vedette.sinks.pictures import WAITING_AT_MOST, PictureSink
from vedette.testing import PacketSequence
from vedette.workers.protocol import Output

START = 1_700_000_000.0


def pictures(count: int) -> list[Any]:
    packets = PacketSequence()
    decoder = Decoder(packets.stream)
    frames = islice(packets.frames(0.0), count)
    return [decoder.decode(frame, seq)[0].image for seq, frame in enumerate(frames)]


def output(seq: int) -> Output:
    at = START + seq / 25
    return Output(0, 0, seq, at, at + 0.02, 0.02, 160, 96, b"", b"", b"", b"", [])


def played(folder: Path) -> int:
    """How many pictures the one file in the folder holds."""
    [path] = folder.glob("*.mp4")
    with av.open(str(path)) as container:
        return sum(1 for _ in container.decode(video=0))


def until(happened: Callable[[], bool], seconds: float = PATIENCE_S) -> None:
    deadline = time.monotonic() + seconds
    while not happened():
        assert time.monotonic() < deadline
        time.sleep(0.005)


def test_every_picture_that_is_taken_is_in_the_file(tmp_path: Path) -> None:
    told: list[str] = []
    sink = PictureSink(tmp_path, "gate", tell=told.append)
    for seq, image in enumerate(pictures(30)):
        until(lambda: not sink.busy)
        sink.put(image, output(seq), START + seq / 25)
    sink.close()
    assert played(tmp_path) == 30
    assert [path.name.split("-")[0] for path in tmp_path.iterdir()] == ["gate"]
    assert (sink.dropped, told) == (0, [])
    assert sink.counted() == (30, 0, 0)
    assert sink.counted() == (0, 0, 0)


def blocked(folder: Path) -> Path:
    """A folder that cannot be written to, even by root: a file stands in its place."""
    folder.write_text("not a folder")
    return folder


def test_a_folder_that_cannot_be_written_is_told_once_and_costs_nobody_anything(tmp_path: Path) -> None:
    told: list[str] = []
    sink = PictureSink(blocked(tmp_path / "videos"), "gate", tell=told.append)
    [image] = pictures(1)
    sink.put(image, output(0), START + 0 / 25)
    until(lambda: bool(told))
    for seq in range(1, 100):
        sink.put(image, output(seq), START + seq / 25)
    sink.close()
    assert len(told) == 1
    assert told[0].startswith("video of gate: ")
    assert sink.counted() == (0, 0, 100)


def test_live_pictures_are_dropped_counted_and_told_of_once_when_writing_is_too_slow(tmp_path: Path) -> None:
    told: list[str] = []
    sink = PictureSink(tmp_path, "gate", tell=told.append)
    image = av.VideoFrame(640, 480, "yuv420p")
    for seq in range(300):  # at once, and so much faster than anything can be written
        sink.put(image, output(seq), START + seq / 25)
    dropped = sink.dropped
    assert dropped > 0
    assert told == ["video of gate: writing is too slow, pictures are dropped"]
    sink.close()
    assert played(tmp_path) == 300 - dropped
    assert 300 - dropped >= WAITING_AT_MOST


def test_closing_without_a_picture_leaves_no_file(tmp_path: Path) -> None:
    sink = PictureSink(tmp_path, "gate", tell=pytest.fail)
    sink.close()
    assert os.listdir(tmp_path) == []
