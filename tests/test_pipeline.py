"""Each step of the spine, each outcome, and that every received frame has exactly one."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from vedette.facts import EndReason, EpochStarted, Outcome, SessionEnd, SessionOpened, Trouble
from vedette.frame import EncodedFrame, Rung, StreamInfo
from vedette.infer.letterbox import PADDING
from vedette.pipeline import UNACKNOWLEDGED_AT_MOST, Pipeline
from vedette.results import Result
from vedette.settings import CameraSettings
from vedette.testing import ManualClock, PacketSequence
from vedette.track.tracker import Tracker, make_tracker
from vedette.workers.outputs import result_of
from vedette.workers.protocol import Done, Output
from vedette.workers.table import OUTCOMES, REASONS, CameraState, Stage, Table

HEIGHT, WIDTH = 96, 160
BOX = (40.0, 30.0, 100.0, 60.0)
ENDED = SessionEnd(EndReason.ENDED)
STALLED = SessionEnd(EndReason.STALLED)


class Rig:
    """One pipeline in memory of its own, a camera that feeds it, and everything it says."""

    def __init__(
        self,
        *,
        clock: ManualClock | None = None,
        tracker: Callable[[Callable[[], int]], Tracker] | None = None,
        keeps_pictures: bool = False,
        target: tuple[int, int] = (HEIGHT, WIDTH),
        **settings: Any,
    ) -> None:
        self.clock = clock or ManualClock()
        self.table = Table.create(1, 1)
        self.row = self.table.rows[0]
        self.facts: list[Any] = []
        self.results: list[Result] = []
        self.images: list[Any] = []
        self.epochs_at_emission: list[int] = []
        self.rung_bell = 0
        self.target = np.zeros((*target, 3), np.uint8)
        self._tickets = iter(range(1, 1_000_000))
        self._make = tracker or (lambda next_id: make_tracker("botsort", {}, 0.4, next_id))
        self.packets = PacketSequence()
        self.stream = self.packets.stream
        self._sent = self.packets.frames(0.0)
        self.pipeline = Pipeline(
            0,
            CameraSettings(name="gate", url="rtsp://127.0.0.1/gate", **settings),
            table=self.table,
            worker=1,
            clock=self.clock,
            observer=self,
            make_tracker=lambda: self._make(self._next_id),
            ring=self._ring,
            keeps_pictures=keeps_pictures,
        )

    def _next_id(self) -> int:
        self.row["next_track_id"] += 1
        return int(self.row["next_track_id"]) - 1

    def _ring(self) -> None:
        self.rung_bell += 1

    def fact(self, fact: Any) -> None:
        self.facts.append(fact)

    def result(self, output: Output, image: Any) -> None:
        self.results.append(result_of("gate", output))
        self.images.append(image)
        self.epochs_at_emission.append(int(self.row["epoch"]))

    # ---- the camera

    def open(self) -> None:
        """A session opens, and what it sends begins with a keyframe."""
        self._sent = self.packets.frames(0.0)
        self.pipeline.opened(self.stream)

    def give(self, count: int = 1, *, every: float = 0.04, lag: float = 0.0) -> None:
        """Frames arrive, ``every`` so many seconds; each was under way for ``lag`` seconds."""
        for _ in range(count):
            self.clock.advance(every)
            self.pipeline.frame(self.next_frame(lag))

    def next_frame(self, lag: float = 0.0) -> EncodedFrame:
        now, sent = self.clock.now, next(self._sent)
        return EncodedFrame(sent.data, pts=now - lag, arrived=now, keyframe=sent.keyframe)

    # ---- the detector

    def take(self) -> int | None:
        """Ask for the newest; its ticket, or None."""
        ticket = next(self._tickets)
        return ticket if self.pipeline.take(ticket, self.target) else None

    def finish(self, ticket: int | None, *boxes: tuple[float, ...], failed: str | None = None) -> None:
        assert ticket is not None
        found = np.array(boxes, np.float32).reshape(-1, 4)
        confidence = np.full(len(found), 0.9, np.float32)
        class_id = np.full(len(found), 2, np.int32)
        names = ["car"] * len(found)
        done = Done(
            ticket, 0, found.tobytes(), confidence.tobytes(), class_id.tobytes(), names, failed=failed
        )
        self.pipeline.finish(ticket, done)

    def analyse(self, *boxes: tuple[float, ...]) -> None:
        self.finish(self.take(), *(boxes or (BOX,)))

    # ---- what became of the frames

    @property
    def outcomes(self) -> dict[str, int]:
        """Those that are not zero."""
        return {name: int(self.row[name]) for name in OUTCOMES if self.row[name]}

    @property
    def in_flight(self) -> int:
        return self.table.in_flight(0)

    def kinds(self, kind: type) -> list[Any]:
        return [fact for fact in self.facts if isinstance(fact, kind)]

    def stage(self, stage: Stage) -> int:
        return int(self.table.stages[1, stage].sum())

    def close(self) -> None:
        os.close(self.table.fd)


@pytest.fixture
def rig_of() -> Iterator[Callable[..., Rig]]:
    rigs: list[Rig] = []

    def build(**arguments: Any) -> Rig:
        rigs.append(Rig(**arguments))
        return rigs[-1]

    yield build
    for rig in rigs:
        rig.close()


@pytest.fixture
def rig(rig_of: Callable[..., Rig]) -> Rig:
    rig = rig_of()
    rig.open()
    return rig


def eventually(happened: Callable[[], bool], seconds: float = 10.0) -> None:
    deadline = time.monotonic() + seconds
    while not happened():
        assert time.monotonic() < deadline, "it did not happen"
        time.sleep(0.002)


# ---- a frame's journey


def test_a_frame_becomes_a_result(rig: Rig) -> None:
    rig.give()
    ticket = rig.take()
    rig.clock.advance(0.02)
    rig.finish(ticket, BOX)
    [result] = rig.results
    assert (result.camera, result.epoch, result.seq) == ("gate", 0, 0)
    assert (result.width, result.height) == (WIDTH, HEIGHT)
    assert result.boxes.xyxy.tolist() == [list(BOX)]
    assert result.boxes.confidence.tolist() == [pytest.approx(0.9)]
    assert result.boxes.class_id.tolist() == [2]
    assert result.boxes.class_name == ("car",)
    assert rig.outcomes == {"analysed": 1}
    assert rig.in_flight == 0
    assert rig.pipeline.idle


def test_age_counts_from_capture_and_wall_times_say_the_same(rig: Rig) -> None:
    rig.give(5)  # on time: from here on the clock knows what no delay looks like
    rig.give(lag=0.1)
    ticket = rig.take()
    rig.clock.advance(0.025)
    rig.finish(ticket)
    [result] = rig.results
    assert result.age == pytest.approx(0.125)
    assert result.emitted_at == pytest.approx(rig.clock.wall(), abs=1e-5)
    assert result.emitted_at - result.captured_at == pytest.approx(0.125, abs=1e-5)
    assert rig.row["age_max"] == pytest.approx(0.125)
    assert rig.table.ages[0].sum() == 1


def test_each_stage_is_measured_by_itself(rig: Rig) -> None:
    rig.give(3)
    rig.analyse()
    counts = {stage: rig.stage(stage) for stage in Stage}
    once = dict.fromkeys((Stage.CONVERT, Stage.WAIT, Stage.TRACK, Stage.EMIT), 1)
    assert counts == {**once, Stage.DECODE: 3, Stage.INFER: 0}


def test_the_newest_picture_is_announced_and_given_once(rig: Rig) -> None:
    assert rig.row["newest_seq"] == -1
    assert rig.take() is None
    rig.give(2)
    assert rig.rung_bell == 2
    assert rig.row["newest_seq"] == 1
    assert rig.row["newest_captured"] == pytest.approx(rig.clock.now)
    assert rig.take() is not None
    assert rig.row["newest_seq"] == -1
    assert rig.take() is None
    assert rig.in_flight == 1


def test_the_interval_between_frames_is_learnt(rig: Rig) -> None:
    rig.give(60, every=0.1)
    assert rig.row["interval"] == pytest.approx(0.1, rel=0.01)
    rig.give(every=30.0)
    assert rig.row["interval"] <= 0.2, "one pause says little"


def test_nothing_found_is_a_result_too(rig: Rig) -> None:
    rig.give()
    rig.finish(rig.take())
    assert len(rig.results) == 1
    assert len(rig.results[0].boxes) == 0


def test_pictures_are_handed_on_only_where_they_are_wanted(rig_of: Callable[..., Rig]) -> None:
    for keeps in (False, True):
        rig = rig_of(keeps_pictures=keeps)
        rig.open()
        rig.give()
        rig.analyse()
        assert (rig.images[0] is not None) is keeps


# ---- pixels and boxes


def test_a_box_goes_back_to_where_the_object_is_in_the_source(rig_of: Callable[..., Rig]) -> None:
    rig = rig_of(target=(160, 160))  # the picture keeps its size; 32 grey lines above and below
    rig.open()
    rig.give()
    ticket = rig.take()
    assert (rig.target[:32] == PADDING).all()
    assert (rig.target[128:] == PADDING).all()
    rig.finish(ticket, (40, 62, 100, 92), (-20, 0, 170, 160))
    assert rig.results[0].boxes.xyxy.tolist() == [[40, 30, 100, 60], [0, 0, WIDTH, HEIGHT]]


@pytest.mark.parametrize("target", [(96, 160), (48, 80), (192, 320), (128, 128), (256, 416)])
def test_what_a_detector_sees_is_reported_where_it_really_was(
    rig_of: Callable[..., Rig], target: tuple[int, int]
) -> None:
    rig = rig_of(target=target)
    rig.open()
    rig.give(21)  # the bright square of frame 20 is at x 60..76, y 32..48
    ticket = rig.take()
    bright = np.argwhere(rig.target.min(axis=2) > 165)
    (top, left), (bottom, right) = bright.min(axis=0), bright.max(axis=0) + 1
    rig.finish(ticket, (left, top, right, bottom))
    one_pixel_there = 1 + max(1.0, WIDTH / target[1])
    assert rig.results[0].boxes.xyxy[0] == pytest.approx([60, 32, 76, 48], abs=one_pixel_there)


# ---- each way to end that is not a result


def test_a_newer_picture_supersedes_the_one_before(rig: Rig) -> None:
    rig.give(5)
    assert rig.outcomes == {"superseded": 4}
    rig.analyse()
    assert rig.results[0].seq == 4
    assert rig.outcomes == {"superseded": 4, "analysed": 1}


def test_a_picture_at_the_detector_is_not_superseded(rig: Rig) -> None:
    rig.give()
    ticket = rig.take()
    rig.give()
    rig.finish(ticket)
    assert rig.outcomes == {"analysed": 1}
    assert rig.in_flight == 1


def test_a_picture_that_is_too_old_when_asked_for_expires(rig: Rig) -> None:
    rig.give()
    rig.clock.advance(1.01)
    assert rig.take() is None
    assert rig.outcomes == {"expired": 1}


def test_a_result_that_comes_too_late_expires(rig: Rig) -> None:
    rig.give()
    ticket = rig.take()
    rig.clock.advance(1.01)
    rig.finish(ticket, BOX)
    assert rig.results == []
    assert rig.outcomes == {"expired": 1}


def test_a_result_that_grows_too_old_while_it_is_tracked_expires(rig_of: Callable[..., Rig]) -> None:
    clock = ManualClock()

    class Slow:
        def update(self, xyxy: Any, confidence: Any, class_id: Any, captured: float) -> Any:
            clock.advance(2.0)
            return np.full(len(xyxy), -1, np.int64)

    rig = rig_of(clock=clock, tracker=lambda _: Slow())
    rig.open()
    rig.give()
    rig.analyse()
    assert rig.results == []
    assert rig.outcomes == {"expired": 1}


def test_a_picture_that_nobody_asks_for_expires_in_the_sweep(rig: Rig) -> None:
    rig.give()
    rig.pipeline.expire()
    assert rig.in_flight == 1, "it is young"
    rig.clock.advance(1.01)
    rig.pipeline.expire()
    assert rig.outcomes == {"expired": 1}
    assert rig.row["newest_seq"] == -1
    rig.pipeline.expire()
    assert rig.outcomes == {"expired": 1}


def test_frames_before_the_first_keyframe_are_skipped(rig: Rig) -> None:
    for _ in range(5):
        rig.next_frame()  # joined five frames after a keyframe
    rig.give(rig.packets.keyframe_every - 5)
    assert rig.outcomes == {"skipped": 20}
    rig.give()
    rig.analyse()
    assert rig.outcomes == {"skipped": 20, "analysed": 1}


def test_frames_that_the_rung_leaves_out_are_skipped(rig_of: Callable[..., Rig]) -> None:
    rig = rig_of(rung=int(Rung.KEYFRAMES))
    assert rig.pipeline.rung is Rung.KEYFRAMES
    rig.open()
    rig.give()
    rig.pipeline.skipped(24)
    assert rig.row["received"] == 25
    assert rig.outcomes == {"skipped": 24}


def test_frames_that_arrive_broken_fail(rig: Rig) -> None:
    rig.pipeline.broken()
    rig.pipeline.broken(3)
    assert rig.row["received"] == 4
    assert rig.outcomes == {"failed": 4}


def test_what_cannot_be_decoded_fails_and_the_rest_goes_on(rig: Rig) -> None:
    rig.give()
    rig.clock.advance(0.04)
    rig.pipeline.frame(EncodedFrame(b"\0\0\0\1\x65nonsense", rig.clock.now, rig.clock.now, True))
    assert rig.outcomes == {"failed": 1}
    rig.give()
    rig.analyse()
    assert rig.outcomes == {"failed": 1, "superseded": 1, "analysed": 1}


def test_a_detector_that_fails_on_a_frame_costs_this_frame(rig: Rig) -> None:
    rig.give()
    rig.finish(rig.take(), failed="it raised")
    assert rig.outcomes == {"failed": 1}
    rig.give()
    rig.analyse()
    assert rig.outcomes == {"failed": 1, "analysed": 1}


class NoPixels:
    """A decoder made by a demuxer, whose pictures have no pixels."""

    type, is_open = "video", True

    def decode(self, packet: Any) -> list[Any]:
        import av

        picture = av.VideoFrame(16, 16, "yuv420p")
        empty = av.VideoFrame()
        for name in ("width", "height"):
            assert getattr(picture, name) == 16
        self.last = _Sized(empty, packet.pts)
        return [self.last]


class _Sized:
    """Claims a size; has nothing behind it."""

    width = height = 16
    is_corrupt = False

    def __init__(self, image: Any, pts: int) -> None:
        self.image, self.pts = image, pts
