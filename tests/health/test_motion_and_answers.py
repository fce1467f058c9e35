"""Where nothing moves few pictures are offered to the detector, and what its answers to those say of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from health.test_let_go import Open
from test_pipeline import Rig
from vedette.causes import Blame, Cause
from vedette.endings import Ending
from vedette.facts import Blind, Sees
from vedette.health.camera import CameraHealth
from vedette.health.stream import LOOK_EVERY_S
from vedette.ingest.lane import Lane
from vedette.testing import PacketSequence
from vedette.workers.protocol import Done

MAX_AGE_S = 1.0


class Still:
    """A camera of 25 fps that shows the same picture all the time, though only what moves is looked at; and a
    detector that takes ``seconds`` for each."""

    def __init__(self, seconds: float) -> None:
        self.rig = Rig(motion=True, motion_every=5.0, max_age=MAX_AGE_S, track_grace=None)
        self.rig.packets = PacketSequence(keyframe_every=1)
        self._picture = next(self.rig.packets.frames(0.0))
        self._seconds = seconds
        self._asked: tuple[int, float] | None = None
        pipeline, clock = self.rig.pipeline, self.rig.clock
        began = clock.now
        self._health = CameraHealth(
            pipeline,
            Lane(pipeline, clock, None, lambda: None, connected=lambda: None),
            Open(),
            clock=clock,
            tell=self.rig.fact,
            detector_since=lambda: began,
        )
        self.rig.open()

    def watch(self, seconds: float) -> None:
        rig, look_at = self.rig, 0.0
        for _ in range(round(seconds * 25)):
            rig.clock.advance(0.04)
            self._picture.pts = self._picture.arrived = rig.clock.now
            rig.pipeline.frame(self._picture)
            if rig.clock.now >= look_at:
                look_at = rig.clock.now + LOOK_EVERY_S
                self._health.look()
            self._detect()

    def _detect(self) -> None:
        rig, now = self.rig, self.rig.clock.now
        if self._asked is not None and now - self._asked[1] > self._seconds:
            ticket, _ = self._asked
            self._asked = None
            if self._seconds > MAX_AGE_S:
                rig.pipeline.finish(ticket, Done(ticket, 0, expired=True))
            else:
                rig.finish(ticket)
        if self._asked is None and rig.row["newest_seq"] >= 0:
            ticket_now = rig.take()
            self._asked = None if ticket_now is None else (ticket_now, now)


@pytest.fixture
def still() -> Iterator[Callable[[float], Still]]:
    cameras: list[Still] = []

    def build(seconds: float) -> Still:
        cameras.append(Still(seconds))
        return cameras[-1]

    yield build
    for camera in cameras:
        camera.rig.close()


def test_a_detector_that_never_answers_in_time_is_told_also_where_nothing_moves(
    still: Callable[[float], Still],
) -> None:
    camera = still(1.5)
    camera.watch(60)
    assert camera.rig.row["analysed"] == 0
    assert camera.rig.row[Ending.EXPIRED_INFER.value] > 5
    blind = camera.rig.kinds(Blind)
    assert [(fact.cause, fact.blame) for fact in blind] == [(Cause.DETECTOR_LOST, Blame.INFERENCE)]


def test_a_detector_that_answers_the_few_that_it_is_asked_for_is_well(
    still: Callable[[float], Still],
) -> None:
    camera = still(0.3)
    camera.watch(60)
    assert 10 <= camera.rig.row["analysed"] <= 14
    assert camera.rig.row[Ending.SKIPPED_MOTION.value] > 1000
    assert camera.rig.kinds(Blind) == []
    assert len(camera.rig.kinds(Sees)) == 1
