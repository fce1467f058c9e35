"""More frames than the detector can take: what is left out has a name, and what leaves is young."""

from __future__ import annotations

from pathlib import Path

import pytest

from integration.harness import Cameras, Run, adds_up, assert_in_order, fake


def test_a_slow_detector_looks_at_the_newest_and_the_others_are_superseded(
    cameras: Cameras, tmp_path: Path
) -> None:
    with Run(tmp_path, {"cameras": cameras.section(), "detector": fake(seconds=0.05)}) as run:
        run.until_all_analysed(cameras.section(), 15)
        assert run.interrupt() == 0
        for name, camera in run.report["cameras"].items():
            frames = camera["frames"]
            assert adds_up(frames, in_flight=0)
            # 100 frames a second come, 20 can be looked at.
            assert frames["superseded"] > frames["analysed"]
            assert frames["skipped"] < 15  # those before the first keyframe
            assert_in_order(run.results_of(name))
        # A queue would have grown to seconds by now.
        assert max(result["age_ms"] for result in run.results) <= 1000
        analysed = [camera["frames"]["analysed"] for camera in run.report["cameras"].values()]
        assert max(analysed) <= 1.25 * min(analysed) + 4


def test_no_result_older_than_max_age_leaves_and_late_ones_are_expired(
    cameras: Cameras, tmp_path: Path
) -> None:
    config = {"cameras": cameras.section(), "detector": fake(seconds=0.15), "max_age": "160ms"}
    with Run(tmp_path, config, "--for", "7s") as run:
        run.wait()
        frames = [camera["frames"] for camera in run.report["cameras"].values()]
        assert all(adds_up(each, in_flight=0) for each in frames)
        assert sum(each["expired"] for each in frames) > 5
        assert all(result["age_ms"] <= 160.1 for result in run.results)
        assert len(run.results) == sum(each["analysed"] for each in frames)


def test_a_detector_slower_than_max_age_gives_no_result_and_says_so(cameras: Cameras, tmp_path: Path) -> None:
    config = {"cameras": cameras.section(), "detector": fake(seconds=0.3), "max_age": "100ms"}
    with Run(tmp_path, config, "--for", "6s") as run:
        run.wait()
        assert run.results == []
        frames = [camera["frames"] for camera in run.report["cameras"].values()]
        assert sum(each["expired"] for each in frames) > 3
        assert all(adds_up(each, in_flight=0) for each in frames)


def test_a_camera_limited_to_some_frames_a_second_gets_so_many_and_skips_the_rest(
    cameras: Cameras, tmp_path: Path
) -> None:
    section = cameras.section()
    section["cam1"]["max_fps"] = 10
    section["cam2"]["max_fps"] = 1
    section["cam3"]["max_fps"] = 1000
    with Run(tmp_path, {"cameras": section, "detector": fake()}) as run:
        run.until_all_analysed(["cam0"], 100)
        assert run.interrupt() == 0
    cameras_ = run.report["cameras"]
    for name, limit in (("cam1", 10), ("cam2", 1)):
        stamps = [result["captured_at"] for result in run.results_of(name)]
        assert (len(stamps) - 1) / (stamps[-1] - stamps[0]) <= limit * 1.1
        frames = cameras_[name]["frames"]
        assert adds_up(frames, in_flight=0)
        assert frames["skipped"] > frames["superseded"]
    # The grid holds: a limit of 10 at 25 fps gives 10 and not every third frame.
    stamps = [result["captured_at"] for result in run.results_of("cam1")]
    assert (len(stamps) - 1) / (stamps[-1] - stamps[0]) >= 8.5
    assert cameras_["cam3"]["frames"]["analysed"] > 80


def test_a_camera_of_high_priority_gets_its_multiple_of_a_slow_detector(
    cameras: Cameras, tmp_path: Path
) -> None:
    section = cameras.section()
    section["cam0"]["priority"] = "high"
    section["cam3"]["priority"] = "low"
    with Run(tmp_path, {"cameras": section, "detector": fake(seconds=0.025)}) as run:
        run.until_all_analysed(section, 30)
        assert run.interrupt() == 0
    shares = {name: camera["frames"]["analysed"] for name, camera in run.report["cameras"].items()}
    # 2 : 1 : 1 : 0.5, once there are enough frames to say so.
    normal = (shares["cam1"] + shares["cam2"]) / 2
    assert shares["cam0"] / normal == pytest.approx(2, rel=0.25)
    assert shares["cam3"] / normal == pytest.approx(0.5, rel=0.25)


def test_decoding_keyframes_alone_skips_the_others(cameras: Cameras, tmp_path: Path) -> None:
    section = {"cam0": {"url": cameras.url(0), "decode": "keyframes"}}
    with Run(tmp_path, {"cameras": section, "detector": fake()}) as run:
        run.until_all_analysed(["cam0"], 8)
        assert run.interrupt() == 0
    frames = run.report["cameras"]["cam0"]["frames"]
    assert adds_up(frames, in_flight=0)
    # A keyframe every ten frames.
    assert frames["skipped"] == pytest.approx(0.9 * frames["received"], abs=10)
