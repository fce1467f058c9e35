"""A camera of which nothing but keyframes is decoded, or nothing for a while, and what is told of it then."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from health.test_let_go import Watched
from vedette.causes import Cause
from vedette.facts import Sees
from vedette.frame import Rung
from vedette.health.stream import LOOK_EVERY_S

FPS = 25
FRAME_S = 1 / FPS


@pytest.fixture
def watched() -> Iterator[Callable[..., Watched]]:
    cameras: list[Watched] = []

    def build(keyframes: float, **settings: Any) -> Watched:
        cameras.append(Watched(keyframes, **settings))
        return cameras[-1]

    yield build
    for camera in cameras:
        camera.close()


def without_keyframes(camera: Watched, seconds: float, *, broken_every: int = 0) -> None:
    """Frames come that nobody wants; one of each ``broken_every`` was a keyframe, and is damaged."""
    rig, look_at = camera.rig, 0.0
    for number in range(1, round(seconds * FPS) + 1):
        rig.clock.advance(FRAME_S)
        if rig.clock.now >= look_at:
            look_at = rig.clock.now + LOOK_EVERY_S
            camera.health.look()
        if broken_every and number % broken_every == 0:
            rig.pipeline.broken()
        else:
            rig.pipeline.skipped()


@pytest.mark.parametrize(("broken_every", "cause"), [(0, Cause.NO_KEYFRAME), (50, Cause.CORRUPT)])
def test_keyframes_that_do_not_come_any_more_are_missed_where_nothing_else_is_decoded(
    watched: Callable[..., Watched], broken_every: int, cause: Cause
) -> None:
    camera = watched(2)
    camera.watch(12)
    camera.watch(10, Rung.KEYFRAMES)
    assert camera.blind == []
    without_keyframes(camera, 30, broken_every=broken_every)
    assert camera.blind == [cause]
    camera.watch(8, Rung.KEYFRAMES)
    assert len(camera.rig.kinds(Sees)) == 2, "with whole ones it sees again"
    assert camera.blind == [cause]


def test_what_was_not_answered_before_a_pause_is_not_asked_for_after_it(
    watched: Callable[..., Watched],
) -> None:
    camera = watched(1)
    camera.watch(10)
    camera.watch(2 * FRAME_S, detector=False)  # its last picture before the pause was not looked at
    camera.watch(60, Rung.PAUSED, detector=False)
    rig = camera.rig
    rig.pipeline.expire()
    rig.row["rung"] = Rung.ALL
    came = first_answered_after(camera, 0.6, seconds=4)
    assert rig.kinds(Sees)[-1].at == pytest.approx(came, abs=0.3), "its picture is enough"
    assert camera.blind == [Cause.OVERLOADED]


def first_answered_after(camera: Watched, wait: float, *, seconds: float) -> float:
    """The detector comes to it ``wait`` seconds after its first picture; when that came."""
    rig, look_at, came = camera.rig, 0.0, 0.0
    for _ in range(round(seconds * FPS)):
        camera.source.send()
        if rig.clock.now >= look_at:
            look_at = rig.clock.now + LOOK_EVERY_S
            camera.health.look()
        if rig.row["newest_seq"] >= 0:
            came = came or rig.clock.now
            if rig.clock.now - came > wait:
                rig.analyse()
    assert rig.results[-1].captured_at - rig.results[0].captured_at > 60, "it was looked at again"
    return came


def test_a_pause_says_nothing_of_how_far_keyframes_are_apart(watched: Callable[..., Watched]) -> None:
    camera = watched(4)
    camera.watch(60)
    assert camera.rig.pipeline.keyframe_every == pytest.approx(4, rel=0.05)
    camera.watch(120, Rung.PAUSED)
    camera.watch(5)
    assert camera.rig.pipeline.keyframe_every == pytest.approx(4, rel=0.05)
