"""`--save-video`: a file per camera that plays, with what was found drawn into it."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

import av
import numpy as np

from integration.harness import SMALL, Cameras, Run, fake


def pictures_of(path: Path) -> list[np.ndarray]:
    with av.open(str(path)) as container:
        return [frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)]


def test_each_camera_has_a_file_that_plays_with_boxes_drawn(cameras: Cameras, tmp_path: Path) -> None:
    folder = tmp_path / "videos"
    config = {"cameras": cameras.section(), "detector": fake()}
    with Run(tmp_path / "run", config, "--save-video", str(folder)) as run:
        # Pictures that the writer has no time for are left out: those on disk are what counts.
        names = cameras.section()
        run.until(lambda _: all(written(folder, name) >= 15 for name in names), "15 of each are on disk")
        assert run.interrupt() == 0
    [told] = [sink for sink in run.report["node"]["sinks"] if sink["name"].startswith("video ")]
    assert told["written"] == sum(written(folder, name) for name in cameras.section())
    for name in cameras.section():
        (path,) = folder.glob(f"{name}-*.mp4")
        pictures = pictures_of(path)
        assert len(pictures) >= 15
        assert {picture.shape for picture in pictures} == {(SMALL[1], SMALL[0], 3)}
        # The source is grey all over; colour is what was drawn, and it was drawn around the box.
        colour = np.ptp(pictures[-1].astype(int), axis=2) > 40
        assert colour.any()
        rows, columns = np.nonzero(colour)
        assert rows.max() >= 70
        assert columns.max() >= 40
    assert not [path for path in folder.iterdir() if path.suffix != ".mp4"]


def test_videos_of_a_run_that_was_killed_still_play(cameras: Cameras, tmp_path: Path) -> None:
    folder = tmp_path / "videos"
    config = {"cameras": {"cam0": {"url": cameras.url(0)}}, "detector": fake()}
    with Run(tmp_path / "run", config, "--save-video", str(folder)) as run:
        run.until(lambda _: written(folder, "cam0") >= 25, "a second of it is on disk")
        run.process.kill()
        run.wait()
    assert written(folder, "cam0") >= 25


def test_videos_that_cannot_be_written_are_no_success(cameras: Cameras, tmp_path: Path) -> None:
    folder = tmp_path / "videos"
    folder.write_text("not a folder")
    config = {"cameras": {"cam0": {"url": cameras.url(0)}}, "detector": fake()}
    with Run(tmp_path / "run", config, "--save-video", str(folder)) as run:
        run.until(lambda run: len(run.results) >= 20, "there are results all the same")
        assert run.interrupt() == 1
    [told] = [sink for sink in run.report["node"]["sinks"] if sink["name"].startswith("video ")]
    assert told["written"] == 0
    assert told["failed"] >= 10
    assert "video" in run.stderr


def written(folder: Path, camera: str) -> int:
    """Pictures in the file of a camera, which may still be written to."""
    found = 0
    for path in folder.glob(f"{camera}-*.mp4"):
        with suppress(av.error.FFmpegError):
            found += len(pictures_of(path))
    return found
