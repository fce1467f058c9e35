"""Clips with back-pressure: every frame is analysed once and in order, however slow whoever listens is."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import av
import pytest

import vedette
from ingest_media import make_clip
from integration.harness import Run, adds_up, assert_in_order, fake
from patience import PATIENCE_S
from vedette.sim.clip import bundled_clip


def frames_in(path: Path) -> int:
    with av.open(str(path)) as container:
        return sum(1 for _ in container.decode(video=0))


@pytest.fixture(scope="module")
def watched(arrival: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Run]:
    """The bundled detector on the part of the bundled clip in which a car arrives."""
    config = {"cameras": {"driveway": {"url": str(arrival), "every_frame": True}}}
    with Run(tmp_path_factory.mktemp("run"), config) as run:
        run.process.wait(2 * PATIENCE_S)  # this one has a real model
        yield run


def test_the_run_ends_by_itself_when_the_clip_is_over(watched: Run) -> None:
    assert watched.process.returncode == 0, watched.stderr
    camera = watched.report["cameras"]["driveway"]
    assert (camera["sessions"], camera["epoch"], camera["last_end_reason"]) == (1, 0, "ended")


def test_each_frame_of_the_clip_is_analysed_once_and_in_order(watched: Run, arrival: Path) -> None:
    frames = watched.report["cameras"]["driveway"]["frames"]
    assert frames["received"] == frames["analysed"] == frames_in(arrival)
    assert adds_up(frames, in_flight=0)
    assert [result["seq"] for result in watched.results] == list(range(frames["received"]))
    assert {result["epoch"] for result in watched.results} == {0}


def test_the_car_is_found_and_keeps_its_track(watched: Run) -> None:
    cars = Counter(
        each["track_id"]
        for result in watched.results
        for each in result["detections"]
        if each["class_name"] == "car"
    )
    assert cars, "no car was found"
    track, frames = max(cars.items(), key=lambda item: item[1])
    assert track is not None
    assert frames > len(watched.results) / 4
    for result in watched.results:
        for each in result["detections"]:
            left, top, right, bottom = each["xyxy"]
            assert 0 <= left < right <= 640
            assert 0 <= top < bottom <= 480
            assert 0.4 <= each["confidence"] <= 1


def test_the_whole_bundled_clip_is_analysed_frame_by_frame(tmp_path: Path) -> None:
    config = {
        "cameras": {"driveway": {"url": str(bundled_clip()), "every_frame": True}},
        "detector": fake(),
    }
    with Run(tmp_path, config) as run:
        assert run.wait() == 0, run.stderr
        total = frames_in(bundled_clip())
        assert [result["seq"] for result in run.results] == list(range(total))
        assert run.report["cameras"]["driveway"]["frames"]["analysed"] == total


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """200 frames: many times what may be under way at once."""
    return make_clip(tmp_path_factory.mktemp("clip"), "h264.mp4", frames=200)


def clip_config(clip: Path, **more: object) -> vedette.Config:
    return vedette.Config(cameras={"clip": {"url": str(clip), "every_frame": True}}, detector=fake(), **more)


def test_an_iterator_that_takes_its_time_loses_nothing(clip: Path) -> None:
    seqs = []
    with vedette.run(clip_config(clip)) as node:
        for result in node.results():
            if len(seqs) % 40 == 0:
                time.sleep(0.3)
            seqs.append(result.seq)
    assert seqs == list(range(200))
    assert node.report()["cameras"]["clip"]["frames"]["analysed"] == 200


def test_a_callback_that_takes_its_time_loses_nothing_and_neither_does_the_file_beside_it(
    clip: Path, tmp_path: Path
) -> None:
    seqs = []

    def slow(result: vedette.Result) -> None:
        time.sleep(0.005)
        seqs.append(result.seq)

    config = clip_config(clip, sinks=[{"type": "jsonl", "path": str(tmp_path / "out.jsonl")}])
    with vedette.run(config, on_result=slow) as node:
        assert node.join(PATIENCE_S)
    assert seqs == list(range(200))
    assert len((tmp_path / "out.jsonl").read_text().splitlines()) == 200


def test_a_node_that_nobody_iterates_over_comes_to_its_end(clip: Path, tmp_path: Path) -> None:
    sinks = [{"type": "jsonl", "path": str(tmp_path / "out.jsonl")}]
    with vedette.run(clip_config(clip, sinks=sinks)) as node:
        assert node.join(PATIENCE_S)
    assert len((tmp_path / "out.jsonl").read_text().splitlines()) == 200


def test_a_clip_with_frames_out_of_order_gives_results_in_order(tmp_path: Path) -> None:
    clip = make_clip(tmp_path, "bframes.mp4", frames=60)
    config = {"cameras": {"clip": {"url": str(clip), "every_frame": True}}, "detector": fake()}
    with Run(tmp_path / "run", config) as run:
        assert run.wait() == 0
        assert len(run.results) == 60
        assert_in_order(run.results)
