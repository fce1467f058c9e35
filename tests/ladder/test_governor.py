"""From the table to the policy, and from what it says to the table and to everybody."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

import pytest

from vedette.causes import Cause
from vedette.endings import Ending
from vedette.facts import AnyFact, Degraded, EndReason, Recovered, Resized, Stepped
from vedette.frame import Rung
from vedette.ladder.governor import Governor
from vedette.ladder.steps import Step
from vedette.roster import Roster
from vedette.settings import CameraSettings
from vedette.testing import ManualClock
from vedette.workers.table import CameraState, Stage, Table

LOOK_S = 0.5


@dataclass
class Load:
    """What the workers write into the table."""

    busy: float = 0.3
    late: float = 0.01
    age: float = 0.02
    detector: float = 0.5
    expired: float = 0.0
    """Share of the frames."""
    fps: float = 25.0


class World:
    """A table, written to by hand as workers would, and a governor that is asked as by the node."""

    def __init__(
        self,
        *cameras: CameraSettings,
        enabled: bool = True,
        weights: Mapping[str, float] = MappingProxyType({}),
    ) -> None:
        self.clock = ManualClock()
        self.facts: list[AnyFact] = []
        self.roster = Roster({each.name: each for each in cameras}, [0])
        self.table = Table.create(self.roster.capacity, 1)
        self.table.header["used"] = len(self.roster)
        for entry in self.roster:
            self.begin(entry.name, weights.get(entry.name, 1.0))
        self.governor = Governor(
            self.roster,
            table=lambda: self.table,
            clock=self.clock,
            tell=self.facts.append,
            max_age=1.0,
            enabled=enabled,
            cpu=lambda: 0.5,
        )

    def row(self, name: str) -> Any:
        return self.table.rows[self.roster.named_ever(name).index]

    def begin(self, name: str, weight: float = 1.0) -> None:
        row = self.row(name)
        row["state"], row["weight"], row["decode_s"], row["keyframe_every"] = (
            CameraState.LIVE,
            weight,
            0.001,
            1.0,
        )

    def run(self, seconds: float, load: Load | None = None, *, hangs: bool = False) -> None:
        load = load or Load()
        for _ in range(round(seconds / LOOK_S)):
            self.clock.advance(LOOK_S)
            self._write(load, hangs)
            self.governor.tick()

    def until(self, happened: Callable[[], bool], load: Load, seconds: float = 120) -> None:
        for _ in range(int(seconds / LOOK_S)):
            if happened():
                return
            self.run(LOOK_S, load)
        raise AssertionError(
            f"not within {seconds:g} s: {[each for each in self.facts if isinstance(each, Stepped)]}"
        )

    def _write(self, load: Load, hangs: bool) -> None:
        now, table = self.clock.now, self.table
        if not hangs:
            table.beats[:] = now
        table.loads["busy"], table.loads["late"], table.loads["at"] = load.busy, load.late, now
        table.loads["busy"][0] = load.detector
        for entry in self.roster:
            row = table.rows[entry.index]
            if row["state"] != CameraState.LIVE:
                continue
            frames = int(load.fps * LOOK_S)
            expired = round(load.expired * frames)
            row["received"] += frames
            row["expired"] += expired
            row[Ending.EXPIRED_INFER.value] += expired
            done = 0 if hangs else max(0, frames - expired) if row["rung"] == Rung.ALL else 1
            row["analysed"] += done
            row["decoded"] += frames if row["rung"] == Rung.ALL else 1
            row["skipped"] += frames - expired - done
            for _ in range(done):
                table.record_stage(0, entry.index, Stage.INFER, load.age)

    def told(self, kind: type) -> list[Any]:
        return [fact for fact in self.facts if isinstance(fact, kind)]

    def step(self, name: str) -> Step:
        return Step(int(self.row(name)["step"]))

    def thinned(self) -> set[str]:
        """Cameras of which it was last said that they are; each Recovered must have something to recover."""
        found: set[str] = set()
        for fact in self.facts:
            if isinstance(fact, Degraded):
                assert fact.cause is Cause.THINNED
                found.add(fact.camera)
            elif isinstance(fact, Recovered):
                assert fact.cause is Cause.THINNED
                found.remove(fact.camera)
        return found

    def consistent(self) -> None:
        """What is in the rows is what was told."""
        on: dict[str, str] = {}
        for fact in self.told(Stepped):
            assert fact.why
            for name in fact.cameras:
                assert on.get(name, "full") == fact.was
                on[name] = fact.step
        for entry in self.roster:
            step = self.step(entry.name)
            assert self.row(entry.name)["rung"] == step.rung
            if entry.watched:
                assert on.get(entry.name, "full") == step.name.lower()
        below = {entry.name for entry in self.roster if self.step(entry.name) > Step.FULL}
        assert self.thinned() <= below


BUSY = Load(busy=0.97)
DEAD_BEAT = Load(busy=0.99, late=0.7)


def camera(name: str, **settings: Any) -> CameraSettings:
    return CameraSettings(name=name, url="rtsp://127.0.0.1/x", **settings)


@pytest.fixture
def world() -> Iterator[Callable[..., World]]:
    worlds: list[World] = []

    def build(*cameras: CameraSettings, **options: Any) -> World:
        worlds.append(World(*cameras, **options))
        return worlds[-1]

    yield build
    for each in worlds:
        os.close(each.table.fd)


def test_without_pressure_nothing_is_done(world: Callable[..., World]) -> None:
    there = world(camera("a"), camera("b"))
    there.run(60)
    assert there.facts == []
    assert {there.step("a"), there.step("b")} == {Step.FULL}
    assert there.row("a")["limit"] == 0


def test_under_pressure_steps_are_written_into_the_rows_and_told(world: Callable[..., World]) -> None:
    there = world(camera("a"), camera("b"), weights={"b": 2.0})
    there.until(lambda: there.step("a") is Step.FEWER, BUSY)
    there.consistent()
    assert there.step("b") is Step.FULL, "who matters more goes later"
    assert there.row("a")["limit"] == pytest.approx(2 / 25, rel=0.15), "half as often as it was"
    [stepped] = there.told(Stepped)
    assert (stepped.cameras, stepped.was, stepped.step) == (["a"], "full", "fewer")
    assert "97%" in stepped.why
    assert there.thinned() == {"a"}
    [degraded] = there.told(Degraded)
    assert stepped.why in degraded.detail


def test_all_the_way_down_and_up_again_what_is_told_pairs(world: Callable[..., World]) -> None:
    there = world(camera("a"), camera("b"), camera("c"), weights={"c": 2.0})
    there.until(lambda: there.step("a") is Step.PAUSED, BUSY)
    there.run(20, BUSY)
    assert there.step("b") is Step.PAUSED
    assert there.step("c") is Step.KEYFRAMES, "those that matter most are never let go"
    there.consistent()
    assert there.thinned() == {"a", "b", "c"}
    there.until(lambda: not there.thinned(), Load(busy=0.1), 1200)
    assert {there.step(name) for name in "abc"} == {Step.FULL}
    assert all(there.row(name)["limit"] == 0 for name in "abc")
    there.consistent()


@pytest.mark.parametrize("how", ["removed", "paused", "finished", "absent"])
def test_a_camera_that_goes_is_on_no_step_any_more(world: Callable[..., World], how: str) -> None:
    there = world(camera("a"), camera("b"))
    there.until(lambda: there.step("a") is Step.KEYFRAMES, BUSY)
    entry = there.roster.named("a")
    match how:
        case "removed":
            entry.removed = True
            there.row("a")["state"] = CameraState.REMOVED
        case "paused":
            entry.paused = True
            there.row("a")["state"] = CameraState.PAUSED
        case "finished":
            entry.finished = EndReason.ENDED
            there.row("a")["state"] = CameraState.FINISHED
        case "absent":
            there.row("a")["state"] = CameraState.ABSENT
    there.run(1)
    assert there.step("a") is Step.FULL
    assert there.row("a")["rung"] == Rung.ALL
    assert there.row("a")["limit"] == 0
    assert "a" not in there.thinned()
    # It comes again, and begins as any other.
    entry.removed, entry.paused, entry.finished = False, False, None
    there.begin("a")
    there.facts.clear()
    there.run(1)
    assert there.step("a") is Step.FULL


def test_a_camera_that_connects_again_stays_on_its_step(world: Callable[..., World]) -> None:
    there = world(camera("a"), camera("b"))
    there.until(lambda: there.step("a") is Step.FEWER, BUSY)
    for state in (CameraState.WAITING, CameraState.CONNECTING, CameraState.LIVE):
        there.row("a")["state"] = state
        there.run(1, Load(busy=0.7))
        assert there.step("a") is Step.FEWER
    assert "a" in there.thinned()


def test_cameras_that_wait_for_us_are_never_touched(world: Callable[..., World]) -> None:
    there = world(camera("clip", every_frame=True), camera("a"), weights={"clip": 0.1})
    there.run(60, DEAD_BEAT)
    assert there.step("clip") is Step.FULL
    assert there.row("clip")["limit"] == 0
    assert there.step("a") > Step.FULL
    assert all("clip" not in fact.cameras for fact in there.told(Stepped))


def test_a_detector_that_hangs_is_no_reason_to_do_less(world: Callable[..., World]) -> None:
    there = world(camera("a"), camera("b"))
    there.run(5)
    late = Load(busy=0.2, age=2.0, expired=0.9, detector=1.0)
    there.table.header["batch_started"] = there.clock.now
    there.run(1)
    for _ in range(20):
        there.run(0.5, late)
    assert there.facts == []
    there.table.header["batch_started"] = 0.0
    there.run(8)
    assert there.facts == []


def test_a_detector_that_is_not_there_is_no_reason_to_do_less(world: Callable[..., World]) -> None:
    there = world(camera("a"))
    there.run(30, DEAD_BEAT, hangs=True)
    assert there.facts == []
    there.run(30, DEAD_BEAT)
    assert there.facts, "but once it is there it is"


def test_where_it_is_switched_off_nothing_is_done(world: Callable[..., World]) -> None:
    there = world(camera("a"), enabled=False)
    there.run(60, DEAD_BEAT)
    assert there.facts == []
    assert there.step("a") is Step.FULL
    assert there.governor.cpu_busy == 0.5, "it is measured all the same"


def test_a_size_is_asked_for_and_told_when_it_is_there(world: Callable[..., World]) -> None:
    there = world(camera("a"))
    there.governor.inputs = [(256, 416), (192, 320)]
    header = there.table.header
    header["smaller"] = 1
    there.until(lambda: header["wanted_size"] == 1, Load(busy=0.3, age=0.8, detector=0.99))
    there.run(3)
    assert there.told(Resized) == [], "it is not there yet"
    header["size"] = 1
    there.run(1)
    [resized] = there.told(Resized)
    assert (resized.height, resized.width) == (192, 320)
    assert "800 ms" in resized.why or "old" in resized.why


def test_a_detector_that_was_replaced_is_said_to_be_large_again(world: Callable[..., World]) -> None:
    there = world(camera("a"))
    there.governor.inputs = [(256, 416), (192, 320)]
    there.table.header["smaller"] = 1
    there.until(lambda: there.table.header["wanted_size"] == 1, Load(busy=0.3, age=0.8, detector=0.99))
    for size in (1, 0, 1):
        there.table.header["size"] = size
        there.run(1, Load(busy=0.3, age=0.6, detector=0.9))
    was, anew, again = there.told(Resized)
    assert [(each.height, each.width) for each in (was, anew, again)] == [(192, 320), (256, 416), (192, 320)]
    assert anew.why == "The detector was started anew"
    assert again.why == was.why


def test_a_size_that_nobody_knows_is_not_told(world: Callable[..., World]) -> None:
    there = world(camera("a"))
    there.table.header["size"] = 2
    there.run(2)
    assert there.facts == []


def test_cameras_that_are_added_meanwhile_disturb_nothing(world: Callable[..., World]) -> None:
    there = world(camera("a"))
    for number in range(20):
        entry = there.roster.add(camera(f"new{number}"))
        there.table.header["used"] = len(there.roster)
        there.begin(entry.name)
        there.run(0.5, BUSY)
    assert there.facts == [], "nothing can be said of a second in which there were others"
    there.until(lambda: len(there.thinned()) == 21, BUSY)
    there.consistent()


def test_a_camera_that_is_to_be_analysed_less_often_than_its_keyframes_come_lacks_nothing(
    world: Callable[..., World],
) -> None:
    there = world(camera("rare", max_fps=0.4))
    there.until(lambda: there.step("rare") is Step.KEYFRAMES, Load())
    there.run(30)
    assert there.row("rare")["limit"] == 0
    [stepped] = there.told(Stepped)
    assert (stepped.was, stepped.step) == ("full", "keyframes")
    assert there.thinned() == set()


def test_what_was_let_go_and_is_back_where_it_should_be_lacks_nothing(world: Callable[..., World]) -> None:
    there = world(camera("rare", max_fps=0.4), camera("a"), weights={"a": 2.0})
    there.until(lambda: there.step("rare") is Step.PAUSED, BUSY)
    assert "rare" in there.thinned()
    there.until(lambda: not there.thinned(), Load(busy=0.1), 600)
    there.run(30, Load(busy=0.1))
    assert there.step("rare") is Step.KEYFRAMES
    there.consistent()


def test_who_is_asked_for_no_more_than_it_gets_lacks_nothing_any_more(world: Callable[..., World]) -> None:
    """It stands on the same step as before, and what was thinning is a wish now."""
    there = world(camera("a"), camera("b"))
    there.until(lambda: there.step("a") is Step.KEYFRAMES, BUSY)
    assert "a" in there.thinned()
    there.roster.named("a").settings = camera("a", max_fps=0.2)
    there.until(lambda: not there.thinned(), Load(busy=0.1), 600)
    assert there.step("a") is Step.KEYFRAMES
    there.consistent()


def test_a_camera_whose_own_decoder_is_slow_is_no_lack_of_the_node(world: Callable[..., World]) -> None:
    there = world(camera("slow"), camera("a"))
    there.row("slow")["decode_s"] = 0.2
    there.until(lambda: there.step("slow") > Step.FULL, Load())
    assert there.thinned() == {"slow"}
    assert (there.governor.thinned, there.governor.lacking) == (0, "")
    there.until(lambda: there.step("a") > Step.FULL, BUSY)
    assert there.governor.thinned >= 1
    assert there.governor.lacking


def test_a_tick_that_comes_too_soon_does_nothing(world: Callable[..., World]) -> None:
    there = world(camera("a"))
    looked: list[float] = []
    there.governor._cpu = lambda: looked.append(there.clock.now) or 0.5  # type: ignore[func-returns-value]
    for _ in range(100):
        there.clock.advance(0.1)
        there.governor.tick()
    assert 17 <= len(looked) <= 20
