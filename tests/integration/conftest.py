"""Servers that many tests read from. Each test starts the node it looks at."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from ingest_media import ffmpeg, make_clip
from integration.harness import Cameras
from servers import MediaMTX
from vedette.sim.clip import bundled_clip


@pytest.fixture(scope="module")
def cameras() -> Iterator[Cameras]:
    """Four simulated cameras, 160×96 at 25 fps."""
    with Cameras(4) as running:
        yield running


@pytest.fixture(scope="module")
def clips(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with ``h264.mp4``: 30 frames of 160×96."""
    folder = tmp_path_factory.mktemp("clips")
    make_clip(folder, "h264.mp4")
    return folder


@pytest.fixture(scope="module")
def mediamtx(tmp_path_factory: pytest.TempPathFactory, clips: Path) -> Iterator[MediaMTX]:
    """MediaMTX with a looped clip at ``gate``."""
    with MediaMTX(tmp_path_factory.mktemp("mediamtx")) as server:
        publish_clip(server, "gate", clips)
        yield server


def publish_clip(server: MediaMTX, path: str, clips: Path) -> object:
    return server.publish(path, "-re", "-stream_loop", "-1", "-i", clips / "h264.mp4", "-c", "copy")


@pytest.fixture(scope="session")
def arrival(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The part of the bundled driveway clip in which the car arrives."""
    path = tmp_path_factory.mktemp("arrival") / "arrival.mp4"
    ffmpeg(
        "-ss",
        "6",
        "-i",
        bundled_clip(),
        "-t",
        "6",
        "-c:v",
        "libx264",
        "-preset",
        "ultrafast",
        "-bf",
        "0",
        "-crf",
        "18",
        "-an",
        path,
    )
    return path
