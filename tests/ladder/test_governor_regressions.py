"""Cameras without keyframes, cameras that are away, cameras that are paused at an awkward moment."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from itertools import count
from typing import Any

import pytest

from ladder.test_governor import BUSY, DEAD_BEAT, Load, World, camera
from vedette.causes import Cause
from vedette.facts import CameraAdded, CameraPaused, CameraResumed
from vedette.frame import Rung
from vedette.ladder.cost import cost
from vedette.ladder.standing import Standing, known
from vedette.ladder.steps import CameraLoad, Step
from vedette.ladder.steps import Load as Measured
from vedette.ledger.timeline import Timeline
from vedette.workers.table import CameraState

BEARABLE = Load(busy=0.85)
"""No reason to do less, and no room to do more."""


@pytest.fixture
def world() -> Iterator[Callable[..., World]]:
    worlds: list[World] = []

    def build(*names: str, **options: Any) -> World:
        worlds.append(World(*(camera(name) for name in names), **options))
        return worlds[-1]

    yield build
    for each in worlds:
        os.close(each.table.fd)


class Told:
    """A timeline that hears what a world says, as a node's does, and of pauses as soon as they are."""

    def __init__(self, world: World) -> None:
        ids = count()
        self._world, self._heard = world, 0
        self._timeline = Timeline(
            new_id=lambda: f"{next(ids)}", interval=lambda _: 0.04, when=lambda at: round(at * 1e6)
        )
        for entry in world.roster:
            self._timeline.take(CameraAdded(at=world.clock.now, camera=entry.name, host=""))

    def thinned(self, name: str) -> bool:
        """Whether that is on record now."""
        new, self._heard = self._world.facts[self._heard :], len(self._world.facts)
        for fact in new:
            self._timeline.take(fact)
        gaps = self._timeline.open_gaps()
        return any(gap.camera == name and gap.cause is Cause.THINNED for gap in gaps)

    def pause(self, name: str) -> None:
        self.thinned(name)
        world, entry = self._world, self._world.roster.named(name)
        entry.paused = True
        fact = CameraPaused(at=world.clock.now, camera=name)
        self._timeline.paused(name, fact.at)
        world.governor.forget(fact.camera)
        world.row(name)["state"] = CameraState.PAUSED

    def resume(self, name: str) -> None:
        world, entry = self._world, self._world.roster.named(name)
        entry.paused = False
        self._timeline.resumed(name, CameraResumed(at=world.clock.now, camera=name).at)
        world.row(name)["state"] = CameraState.LIVE


def on_keyframes(world: World, name: str) -> World:
    world.run(5)
    world.until(lambda: world.step(name) is Step.KEYFRAMES, DEAD_BEAT)
    return world


def test_a_camera_paused_and_resumed_between_two_looks_begins_anew_and_the_record_says_so(
    world: Callable[..., World],
) -> None:
    there = on_keyframes(world("a", "b"), "a")
    told = Told(there)
    assert told.thinned("a")
    told.pause("a")
    there.clock.advance(0.1)
    told.resume("a")
    assert there.step("a") is Step.FULL
    assert there.row("a")["rung"] == Rung.ALL
    assert there.row("a")["limit"] == 0
    for load, seconds in ((BEARABLE, 20), (DEAD_BEAT, 30), (Load(busy=0.1), 300)):
        for _ in range(2 * seconds):
            there.run(0.5, load)
            assert told.thinned("a") is (there.step("a") > Step.FULL)
            there.thinned()  # each recovery has something to recover
    assert there.step("a") is Step.FULL


def test_a_camera_paused_while_the_detector_is_started_anew_is_on_no_step_after_it(
    world: Callable[..., World],
) -> None:
    there = on_keyframes(world("a", "b"), "a")
    there.run(3, hangs=True)
    there.roster.named("a").paused = True
    there.row("a")["state"] = CameraState.PAUSED
    there.run(20, hangs=True)
    assert there.step("a") is Step.FULL
    assert "a" not in there.thinned()
    there.roster.named("a").paused = False
    there.row("a")["state"] = CameraState.LIVE
    there.run(3, BEARABLE)
    assert there.step("a") is Step.FULL
    assert there.row("a")["rung"] == Rung.ALL
    assert "a" not in there.thinned()


@pytest.mark.parametrize("keyframe_every", [0.0, 60.0])
def test_a_camera_whose_keyframes_show_next_to_nothing_is_never_left_with_them_alone(
    world: Callable[..., World], keyframe_every: float
) -> None:
    there = world("a", "b")
    for name in "ab":
        there.row(name)["keyframe_every"] = keyframe_every  # 0: it has a gradual refresh
    there.run(5)
    there.run(20, DEAD_BEAT)
    assert {there.step(name) for name in "ab"} == {Step.REFERENCE}


def test_a_camera_that_is_away_does_not_decide_who_may_be_paused(world: Callable[..., World]) -> None:
    there = world("away", "a", "b", "c", weights={"away": 4.0})
    there.row("away")["state"] = CameraState.WAITING
    there.run(5)
    there.run(40, DEAD_BEAT)
    assert [there.step(name) for name in ("a", "b", "c")] == [Step.KEYFRAMES] * 3
    there.row("away")["state"] = CameraState.LIVE
    there.until(lambda: there.step("a") is Step.PAUSED, BUSY)
    assert there.step("away") <= Step.KEYFRAMES, "once it is there it is the one that matters most"


def test_what_a_camera_will_cost_is_known_also_where_nothing_was_decoded_before_it_was_thinned() -> None:
    load = Measured(cameras=(), busy=(0.5,), waited=(0.0,))
    before = known(CameraLoad(name="a"), load)
    now = CameraLoad(name="a", fps_in=25, decode=0.01, keyframe_every=2.0, analysed=0.5)
    thinned = Standing(thin=Step.KEYFRAMES, limit=1.0, known=before)
    assert cost(now, thinned, load) == pytest.approx(0.01 / 2, abs=0.001)
    assert cost(now, Standing(known=before), load) == pytest.approx(25 * 0.01, rel=0.05)
