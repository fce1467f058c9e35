"""Nothing old leaves, and nothing is lost that was asked to be kept: nodes as users start them."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import pytest

import vedette
from integration.harness import CALM, Cameras, adds_up, fake, json_lines, wait_until, workers_of
from vedette.causes import Blame, Cause, Kind
from vedette.facts import AnyFact, Degraded, EpochStarted, GapClosed, GapOpened, Resized, WorkerEnded
from vedette.frame import Rung
from vedette.results import Result
from vedette.running import RunningNode
from vedette.sim import Clip, SimulatedCameras, encode_frames
from vedette.sim.clip import bundled_clip

CLOCK_S = 2.0
"""From the question whether a result is too old until it is handed over, on a busy machine. Without that
question the last ones that are looked at here would be older by more than this."""


class Seen:
    """What a node tells and gives."""

    def __init__(self) -> None:
        self.results: list[Result] = []
        self.facts: list[AnyFact] = []

    def of(self, camera: str) -> list[Result]:
        return [result for result in self.results if result.camera == camera]

    def told(self, kind: type) -> list[Any]:
        return [fact for fact in list(self.facts) if isinstance(fact, kind)]


@pytest.fixture
def running() -> Iterator[Callable[..., tuple[RunningNode, Seen]]]:
    nodes: list[RunningNode] = []

    def start(**config: Any) -> tuple[RunningNode, Seen]:
        seen = Seen()
        on_result = config.pop("on_result", seen.results.append)
        config["defaults"] = {**CALM, **config.get("defaults", {})}
        node = vedette.run(vedette.Config(**config), on_result=on_result, on_fact=seen.facts.append)
        nodes.append(node)
        return node, seen

    yield start
    for node in nodes:
        node.stop()


# ---- whoever takes results slowly


def test_a_slow_callback_is_never_given_anything_old_and_the_file_gets_all(
    cameras: Cameras, tmp_path: Path, running: Callable[..., tuple[RunningNode, Seen]]
) -> None:
    ages: list[float] = []

    def slow(result: Result) -> None:
        ages.append(time.time() - result.captured_at)
        time.sleep(0.5)

    file = tmp_path / "results.jsonl"
    node, _ = running(
        cameras=cameras.section(),
        detector=fake(),
        max_age="1s",
        sinks=[{"type": "jsonl", "path": str(file)}],
        on_result=slow,
    )
    expired = lambda: next(  # noqa: E731
        sink.expired for sink in node.view().sinks if sink.name.startswith("on_result")
    )
    wait_until(lambda: len(ages) >= 12 and expired() > 50, "it was called")
    node.stop()
    assert max(ages) <= 1.0 + CLOCK_S
    report = node.report()
    sinks = {sink["name"].split()[0]: sink for sink in report["node"]["sinks"]}
    assert sinks["on_result"]["expired"] > 50
    assert sinks["on_result"]["written"] == len(ages)
    assert sinks["jsonl"]["expired"] == sinks["jsonl"]["dropped"] == 0
    analysed = sum(camera["frames"]["analysed"] for camera in report["cameras"].values())
    assert len(json_lines(file)) == analysed == sinks["jsonl"]["written"]


def test_a_slow_loop_over_results_is_never_given_anything_old(
    cameras: Cameras, running: Callable[..., tuple[RunningNode, Seen]]
) -> None:
    node, _ = running(cameras=cameras.section(), detector=fake(), max_age="700ms", on_result=None)
    ages = []
    for result in node.results():
        ages.append(time.time() - result.captured_at)
        if len(ages) >= 12 and node._mailbox.expired > 50:
            break
        time.sleep(0.5)
    assert max(ages) <= 0.7 + CLOCK_S


# ---- kept until they are analysed


def test_with_a_buffer_a_detector_that_hiccups_loses_no_frame(
    cameras: Cameras, running: Callable[..., tuple[RunningNode, Seen]]
) -> None:
    section = cameras.section()
    section = {
        "all": {**section["cam0"], "buffer": 32},
        "newest": section["cam1"],
        "few": {**section["cam2"], "buffer": 3},
    }
    node, seen = running(
        cameras=section,
        detector=fake(seconds=0.002, slow_every=40, slow_seconds=0.3),
        max_age="5s",
        ladder=False,
        workers=1,
    )
    wait_until(lambda: all(len(seen.of(name)) > 30 for name in section), "all are analysed")
    table, most = node._node.table, dict.fromkeys(section, 0)

    def every_frame_was_analysed() -> bool:
        """Of a camera over five seconds, while another lost some to the hiccups. Where the machine hiccups,
        too, it is asked again."""
        lost = superseded("newest")
        at = len(seen.of("all"))
        while len(seen.of("all")) < at + 125:
            for index, name in enumerate(section):
                most[name] = max(most[name], int(table.rows["kept"][index]))
            time.sleep(0.005)
        seqs = [result.seq for result in seen.of("all")[at:]]
        return seqs == list(range(seqs[0], seqs[0] + len(seqs))) and superseded("newest") > lost + 10

    def superseded(name: str) -> int:
        return next(camera.frames.superseded for camera in node.view().cameras if camera.name == name)

    wait_until(every_frame_was_analysed, "every frame, in order")
    node.stop()
    frames = {name: camera["frames"] for name, camera in node.report()["cameras"].items()}
    assert all(adds_up(each, in_flight=0) for each in frames.values())
    assert frames["few"]["superseded"] < frames["newest"]["superseded"]
    assert most["newest"] <= 1
    assert most["few"] <= 3
    assert 4 <= most["all"] <= 32, "frames did wait"
    for name in section:
        found = [result.seq for result in seen.of(name)]
        assert found == sorted(set(found))


def test_a_camera_with_a_buffer_has_its_turn_as_often_as_those_without(
    running: Callable[..., tuple[RunningNode, Seen]],
) -> None:
    with Cameras(12) as cameras:
        section = cameras.section()
        section["cam1"]["buffer"] = 5
        # There are 300 frames a second, and time for about every fifth of them.
        node, seen = running(cameras=section, detector=fake(seconds=0.02), ladder=False)
        others = [name for name in section if name != "cam1"]
        wait_until(lambda: all(len(seen.of(name)) > 5 for name in section), "they are analysed")
        before = {name: len(seen.of(name)) for name in section}

        def looks() -> dict[str, int]:
            return {name: len(seen.of(name)) - before[name] for name in section}

        def usual() -> float:
            return float(np.median([looks()[name] for name in others]))

        wait_until(lambda: usual() >= 20, "they have been looked at for a while")
        assert looks()["cam1"] == pytest.approx(usual(), rel=0.25), looks()
        node.stop()
    frames = {name: each["frames"] for name, each in node.report()["cameras"].items()}
    lost, looked_at = (
        sum(each[outcome] for each in frames.values()) for outcome in ("superseded", "analysed")
    )
    assert lost > looked_at, "the detector is short"
    blind = [fact.gap for fact in seen.told(GapOpened) if fact.gap.kind is Kind.BLIND]
    others_blind = {gap.cause for gap in blind if gap.camera != "cam1"}
    assert {gap.cause for gap in blind if gap.camera == "cam1"} <= others_blind, (
        "what all had is the machine's"
    )
    assert {gap.camera for gap in blind if gap.cause is Cause.STARTING} == set(section)


# ---- keyframes, where that is enough


def test_a_camera_that_is_to_be_analysed_seldom_has_but_its_keyframes_decoded(
    cameras: Cameras, tmp_path: Path, running: Callable[..., tuple[RunningNode, Seen]]
) -> None:
    section = {"rare": {"url": cameras.url(0), "max_fps": 0.8}, "cam1": {"url": cameras.url(1)}}
    node, seen = running(
        cameras=section, detector=fake(), ledger=str(tmp_path / "site.db"), workers=1, max_age="1s"
    )

    def decodes() -> str:
        return {camera.name: camera.decodes for camera in node.view().cameras}["rare"]

    wait_until(lambda: decodes() == "keyframes", "its keyframes are enough")
    steps = {camera.name: camera.step for camera in node.view().cameras}
    assert steps["rare"] == "keyframes"
    before = len(seen.of("rare"))
    wait_until(lambda: len(seen.of("rare")) >= before + 6, "it is analysed")
    node.stop()
    report = node.report()
    assert adds_up(report["cameras"]["rare"]["frames"], in_flight=0)
    # Keyframes are no loss to a camera that wants no more. On a machine that is short, the other one may be
    # thinned, too.
    degraded = {fact.camera for fact in seen.told(Degraded)}
    degraded |= {fact.gap.camera for fact in seen.told(GapOpened) if fact.gap.kind is Kind.DEGRADED}
    assert "rare" not in degraded or "cam1" in degraded
    found = seen.of("rare")[before:]
    # The first may be late by an interval, the last early by half of one, and either as old as may be.
    assert found[-1].captured_at - found[0].captured_at >= (len(found) - 1 - 1.5) / 0.8 - 1.0


# ---- another input size


class Parked(Cameras):
    """Cameras that show one and the same picture: a driveway with a car in it."""

    def start(self) -> None:
        clip = parked()
        self._server = SimulatedCameras(clip, cameras=self.count, port=self.port)
        self._do(self._server.start())


def parked() -> Clip:
    import av

    with av.open(str(bundled_clip())) as container:
        for frame in container.decode(video=0):
            if frame.time and frame.time > 11.0:
                break
    return encode_frames([frame.to_ndarray(format="rgb24")] * 10, fps=10, keyframe_every_s=1.0)


def boxes(result: Result) -> dict[str, np.ndarray[Any, np.dtype[np.float32]]]:
    """The surest of each class, without those that are hardly sure."""
    found: dict[str, Any] = {}
    for xyxy, sure, name in zip(
        result.boxes.xyxy, result.boxes.confidence, result.boxes.class_name, strict=True
    ):
        if sure > 0.6:
            found.setdefault(name, xyxy)
    return found


def overlap(a: Any, b: Any) -> float:
    inner = np.maximum(0, np.minimum(a[2:], b[2:]) - np.maximum(a[:2], b[:2])).prod()
    return float(inner / ((a[2:] - a[:2]).prod() + (b[2:] - b[:2]).prod() - inner))


def test_a_smaller_input_finds_the_same_at_the_same_places_also_after_a_crash(
    running: Callable[..., tuple[RunningNode, Seen]],
) -> None:
    with Parked(1, fps=10) as cameras:
        grace = {"track_grace": "1m"}  # an epoch would begin because of the change, and nothing else
        node, seen = running(cameras=cameras.section(), defaults=grace, max_age="3s", ladder=False, workers=1)
        wait_until(lambda: len(seen.results) > 5, "it is analysed")
        large = boxes(seen.results[-1])
        assert "car" in large
        table = node._node.table
        assert table.header["smaller"] > 0
        full = node.view().input_size
        table.header["wanted_size"] = 1
        wait_until(lambda: seen.told(Resized), "it is told")
        [resized] = seen.told(Resized)
        assert (resized.height, resized.width) == node.view().input_size < full
        at = len(seen.results) + 3
        wait_until(lambda: len(seen.results) > at, "it goes on")
        small = boxes(seen.results[-1])
        assert overlap(small["car"], large["car"]) > 0.75

        (detector,) = workers_of(psutil.Process().pid, "inference")
        detector.kill()
        wait_until(lambda: seen.told(WorkerEnded), "it is gone")
        at = len(seen.results)
        wait_until(lambda: len(seen.results) > at + 3 and table.header["size"] == 1, "it is back")
        at = len(seen.results) + 3
        wait_until(lambda: len(seen.results) > at, "it goes on")
        again = boxes(seen.results[-1])
        assert overlap(again["car"], small["car"]) > 0.9
        assert not seen.told(EpochStarted)
        node.stop()
        frames = node.report()["cameras"]["cam0"]["frames"]
        assert adds_up(frames, in_flight=0)
        assert frames["failed"] == 0
        assert tuple(node.report()["node"]["input_size"]) == (resized.height, resized.width)


# ---- as the ladder moves cameras


def test_however_often_the_ladder_changes_its_mind_no_picture_is_broken_and_nobody_else_is_blamed(
    cameras: Cameras, running: Callable[..., tuple[RunningNode, Seen]]
) -> None:
    section = cameras.section()
    node, seen = running(cameras=section, detector=fake(), ladder=False, workers=1)
    wait_until(lambda: all(len(seen.of(name)) > 10 for name in section), "all are analysed")
    rung, rng = node._node.table.rows["rung"], np.random.default_rng(5)
    rung[3] = Rung.PAUSED
    until = time.monotonic() + 4
    while time.monotonic() < until or any(
        camera.endings.get("skipped.rung", 0) <= 20 for camera in node.view().cameras
    ):
        rung[:3] = rng.integers(Rung.ALL, Rung.PAUSED, 3)
        time.sleep(float(rng.uniform(0.02, 0.4)))
    at = len(seen.of("cam3"))
    rung[:4] = Rung.ALL
    wait_until(lambda: len(seen.of("cam3")) > at + 20, "it is taken up again")
    node.stop()
    for name, camera in node.report()["cameras"].items():
        assert adds_up(camera["frames"], in_flight=0)
        assert camera["frames"]["failed"] == 0, camera["endings"]
        assert camera["sessions"] == 1, name
        assert camera["endings"]["skipped.rung"] > 20
    gaps = [(gap.camera, gap.cause, gap.blame) for gap in (fact.gap for fact in seen.told(GapOpened))]
    assert gaps.count(("cam3", Cause.OVERLOADED, Blame.NODE)) == 1
    # Where the machine stands still, that is the node's own affair as well.
    assert {blame for *_, blame in gaps} <= {Blame.NODE, Blame.INFERENCE}
    closed = [(fact.gap.camera, fact.gap.cause) for fact in seen.told(GapClosed)]
    assert closed.count(("cam3", Cause.OVERLOADED)) == 1
