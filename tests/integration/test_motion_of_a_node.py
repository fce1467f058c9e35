"""Cameras that look at nothing most of the time: hardly analysed, and never taken for broken."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from typing import Any

import numpy as np
import pytest

import vedette
from integration.harness import CALM, SMALL, Cameras, adds_up, fake, no_detector_yet, wait_until
from vedette.causes import Cause
from vedette.facts import AnyFact, Blind, Degraded, EpochStarted, GapOpened
from vedette.results import Result
from vedette.sim import Clip, SimulatedCameras, encode_frames


@lru_cache(maxsize=1)
def still_clip() -> Clip:
    """The same scene for two seconds, with the noise of a camera."""
    rng = np.random.default_rng(1)
    y, x = np.mgrid[0 : SMALL[1], 0 : SMALL[0]]
    scene = 90 + 40 * ((x // 16 + y // 16) % 2)
    pictures = [
        np.clip(scene[..., None] + rng.normal(0, 1.5, (SMALL[1], SMALL[0], 1)), 0, 255)
        .astype(np.uint8)
        .repeat(3, 2)
        for _ in range(50)
    ]
    return encode_frames(pictures, fps=25, keyframe_every_s=1.0)


class StillCameras(Cameras):
    """Nothing moves in them."""

    def start(self) -> None:
        self._server = SimulatedCameras(still_clip(), cameras=self.count, port=self.port)
        self._do(self._server.start())


class Watched:
    """A node that watched two still cameras, one of them for motion, and a moving one, for a while."""

    def __init__(self, report: dict[str, Any], results: list[Result], facts: list[AnyFact]) -> None:
        self.cameras, self.results, self.facts = report["cameras"], results, facts

    def of(self, camera: str) -> list[Result]:
        return [result for result in self.results if result.camera == camera]


@pytest.fixture(scope="module")
def watched(cameras: Cameras) -> Iterator[Watched]:
    results: list[Result] = []
    facts: list[AnyFact] = []
    with StillCameras(1) as still:
        config = vedette.Config(
            cameras={
                "still": {"url": still.url(0), "motion": True, "motion_every": "2s"},
                "moving": {"url": cameras.url(0), "motion": True, "motion_every": "2s"},
                "all": {"url": cameras.url(1)},
            },
            detector=fake(),
            # Nothing is to be amiss but what lies with the motion.
            defaults={**CALM, "track_grace": "1m"},
            ladder=False,
            workers=1,
        )
        with vedette.run(config, on_result=results.append, on_fact=facts.append) as node:
            wait_until(lambda: {each.camera for each in list(results)} == set(config.cameras), "all")
            results.clear()
            # By then some seconds have passed, of a camera that is looked at every second or two.
            wait_until(
                lambda: [result.camera for result in list(results)].count("still") >= 5, "it was looked at"
            )
            found = list(results)
        yield Watched(node.report(), found, facts)


def test_a_still_camera_is_analysed_now_and_then_and_the_rest_is_skipped(watched: Watched) -> None:
    assert len(watched.of("still")) >= 5
    endings = watched.cameras["still"]["endings"]
    frames = watched.cameras["still"]["frames"]
    # Each keyframe of a clip looks a little different: some more than one in two seconds are no harm.
    # On a busy machine others are not even decoded in time.
    assert endings["skipped.motion"] > 3 * frames["analysed"]
    assert adds_up(frames, in_flight=0)
    assert sum(endings.values()) == frames["received"]


def test_nothing_is_wrong_with_a_still_camera(watched: Watched) -> None:
    gaps = [fact.gap for fact in watched.facts if isinstance(fact, GapOpened)]
    assert {gap.cause for gap in gaps if not no_detector_yet(gap)} <= {Cause.STARTING}
    assert not [fact for fact in watched.facts if isinstance(fact, Degraded)]
    assert not [
        fact for fact in watched.facts if isinstance(fact, Blind) and fact.cause is not Cause.STARTING
    ]
    assert not [fact for fact in watched.facts if isinstance(fact, EpochStarted)]
    assert watched.cameras["still"]["epoch"] == 0


def test_a_moving_camera_is_analysed(watched: Watched) -> None:
    endings = watched.cameras["moving"]["endings"]
    assert endings["analysed.emit"] > endings.get("skipped.motion", 0)
    assert len(watched.of("all")) > len(watched.of("still"))
    for name in ("moving", "all"):
        assert adds_up(watched.cameras[name]["frames"], in_flight=0)
    assert "skipped.motion" not in watched.cameras["all"]["endings"]
