"""More frames than the detector can take: what is left out has a name, and what leaves is young."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import pytest

import vedette
from integration.harness import CALM, Cameras, Run, adds_up, assert_in_order, fake, wait_until


def since_all_are_seen(results: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Without those of the time in which some camera had none yet: from then on they share the detector."""
    first = {result["camera"]: number for number, result in reversed(list(enumerate(results)))}
    return results[max(first.values()) + 1 :]


def shares(run: Run) -> Counter[str]:
    return Counter(result["camera"] for result in since_all_are_seen(run.results))


def test_a_slow_detector_looks_at_the_newest_and_the_others_are_superseded(
    cameras: Cameras, tmp_path: Path
) -> None:
    # Without the ladder, which would have fewer come to the detector after a while.
    config = {"cameras": cameras.section(), "detector": fake(seconds=0.05), "ladder": False, "workers": 1}
    with Run(tmp_path, config) as run:
        run.until_all_analysed(cameras.section(), 15)
        assert run.interrupt() == 0
        for name, camera in run.report["cameras"].items():
            frames = camera["frames"]
            assert adds_up(frames, in_flight=0)
            # 100 frames a second come, 20 can be looked at.
            assert frames["superseded"] > frames["analysed"]
            assert_in_order(run.results_of(name))
        # A queue would have grown to seconds by now.
        assert max(result["age_ms"] for result in run.results) <= 1000
        looks = shares(run).values()
        assert max(looks) <= 1.25 * min(looks) + 4


class Late:
    """A node in this process whose detector is too slow for its ``max_age``."""

    def __init__(self, cameras: Cameras, seconds: float, max_age: float) -> None:
        self.results: list[vedette.Result] = []
        self.node = vedette.run(
            vedette.Config(
                cameras=cameras.section(),
                detector=fake(seconds=seconds),
                defaults=CALM,
                max_age=f"{max_age * 1000:.0f}ms",
            ),
            on_result=self.results.append,
        )

    def until_expired(self, count: int) -> list[dict[str, int]]:
        """Stop when so many frames have; what became of each camera's."""
        with self.node:
            wait_until(
                lambda: sum(camera.frames.expired for camera in self.node.view().cameras) > count,
                f"{count} have expired",
            )
        frames = [camera["frames"] for camera in self.node.report()["cameras"].values()]
        assert all(adds_up(each, in_flight=0) for each in frames)
        return frames


def test_no_result_older_than_max_age_leaves_and_late_ones_are_expired(cameras: Cameras) -> None:
    late = Late(cameras, 0.15, max_age=0.16)
    frames = late.until_expired(30)
    assert all(result.age <= 0.16 for result in late.results)
    assert len(late.results) <= sum(each["analysed"] for each in frames)


def test_a_detector_slower_than_max_age_gives_no_result_and_says_so(cameras: Cameras) -> None:
    late = Late(cameras, 0.3, max_age=0.1)
    frames = late.until_expired(10)
    assert late.results == []
    assert sum(each["analysed"] for each in frames) == 0


def test_a_camera_limited_to_some_frames_a_second_gets_no_more_and_skips_the_rest(
    cameras: Cameras, tmp_path: Path
) -> None:
    limits, max_age = {"cam1": 10.0, "cam2": 1.0}, 1.0
    section = cameras.section()
    for name, limit in limits.items():
        section[name]["max_fps"] = limit
    section["cam3"]["max_fps"] = 1000
    with Run(tmp_path, {"cameras": section, "detector": fake(), "max_age": max_age}) as run:
        run.until_all_analysed(["cam0", "cam3"], 80)
        run.until_all_analysed(["cam1"], 40)
        run.until_all_analysed(["cam2"], 8)
        assert run.interrupt() == 0
    for camera in run.report["cameras"].values():
        assert adds_up(camera["frames"], in_flight=0)
    for name, limit in limits.items():
        stamps = [result["captured_at"] for result in run.results_of(name)]
        # The first may have been late by an interval, the last may be a keyframe that was taken half an
        # interval before its turn, and where everything stands still a picture may be as old as may be when
        # it is chosen. That a limit of 10 gives 10, and not the 8.3 that divides 25, is shown with simulated
        # time.
        intervals = len(stamps) - 1 - 1.5
        assert stamps[-1] - stamps[0] >= intervals / limit - max_age
        assert run.report["cameras"][name]["endings"]["skipped.rate"] > 0


def test_a_camera_of_high_priority_gets_its_multiple_of_a_slow_detector(
    cameras: Cameras, tmp_path: Path
) -> None:
    section = cameras.section()
    section["cam0"]["priority"] = "high"
    section["cam3"]["priority"] = "low"
    # So slow that it is what there is too little of, whatever else the machine does.
    config = {
        "cameras": section,
        "detector": {**fake(seconds=0.08), "batch": 1},
        "ladder": False,
        "workers": 1,
    }
    with Run(tmp_path, config) as run:
        run.until_all_analysed(section, 3)
        run.until(lambda run: min(shares(run).values(), default=0) >= 30, "there are enough to say so")
        assert run.interrupt() == 0
        looks = shares(run)
    # 2 : 1 : 1 : 0.5.
    normal = (looks["cam1"] + looks["cam2"]) / 2
    assert looks["cam0"] / normal == pytest.approx(2, rel=0.25)
    assert looks["cam3"] / normal == pytest.approx(0.5, rel=0.25)


def test_decoding_keyframes_alone_skips_the_others(cameras: Cameras, tmp_path: Path) -> None:
    section = {"cam0": {"url": cameras.url(0), "decode": "keyframes"}}
    with Run(tmp_path, {"cameras": section, "detector": fake()}) as run:
        run.until_all_analysed(["cam0"], 16)
        assert run.interrupt() == 0
    frames = run.report["cameras"]["cam0"]["frames"]
    assert adds_up(frames, in_flight=0)
    # A keyframe every ten frames, and a session may begin with one out of turn.
    assert frames["skipped"] >= 0.9 * frames["received"] - 10
    assert frames["received"] - frames["skipped"] >= 16
    seqs = [result["seq"] for result in run.results]
    assert {(seq - seqs[1]) % 10 for seq in seqs[1:]} == {0}
