"""Each step of the spine, each outcome, and that every received frame has exactly one."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Iterator
from fractions import Fraction
from typing import Any

import av
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

from patience import PATIENCE_S
from vedette.account import UNACKNOWLEDGED_AT_MOST
from vedette.endings import ENDINGS, Ending
from vedette.facts import EndReason, EpochStarted, SessionEnd, SessionOpened, Trouble
from vedette.found import Asked, Found
from vedette.frame import EncodedFrame, Rung, StreamInfo
from vedette.infer.letterbox import PADDING
from vedette.pipeline import Pipeline
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
        track_grace: float | None = 0.0,
        **settings: Any,
    ) -> None:
        self.clock = clock or ManualClock()
        self.table = Table.create(1, 1)
        self.row = self.table.rows[0]
        self.facts: list[Any] = []
        self.results: list[Result] = []
        self.found_in: list[Found] = []
        self.asked_at: list[float] = []
        self.asks_for: Asked | None = None
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
            CameraSettings(name="gate", url="rtsp://127.0.0.1/gate", track_grace=track_grace, **settings),
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

    def asks(self, index: int, captured: float) -> Asked | None:
        self.asked_at.append(captured)
        return self.asks_for

    def found(self, index: int, found: Found) -> None:
        self.found_in.append(found)

    def result(self, output: Output, image: Any, shown: float) -> None:
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


def eventually(happened: Callable[[], bool], seconds: float = PATIENCE_S) -> None:
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
    assert counts == {**once, Stage.LAG: 3, Stage.DECODE: 3, Stage.INFER: 0, Stage.POSTPROCESS: 0}
    of_camera = {stage: int(rig.table.camera_stages[0, stage].sum()) for stage in Stage}
    assert of_camera == counts


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


def test_pictures_are_handed_on_while_somebody_looks(rig: Rig) -> None:
    for looks in (False, True, False):
        rig.pipeline.looked_at = looks
        rig.give()
        rig.analyse()
        assert (rig.images[-1] is not None) is looks


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
    rig.give(3)
    rig.clock.advance(0.04)
    rig.pipeline.frame(EncodedFrame(b"\0\0\0\1\x65nonsense", rig.clock.now, rig.clock.now, True))
    assert rig.outcomes == {"superseded": 2, "failed": 1}
    rig.give()
    rig.analyse()
    assert rig.outcomes == {"superseded": 3, "failed": 1, "analysed": 1}


def test_a_detector_that_fails_on_a_frame_costs_this_frame(rig: Rig) -> None:
    rig.give()
    rig.finish(rig.take(), failed="it raised")
    assert rig.outcomes == {"failed": 1}
    rig.give()
    rig.analyse()
    assert rig.outcomes == {"failed": 1, "analysed": 1}


class StrangePictures:
    """A decoder as a demuxer brings it along, whose pictures are of a kind that cannot be made RGB."""

    is_open = True

    def decode(self, packet: Any) -> list[Any]:
        if packet is None:
            return []
        picture = av.VideoFrame(16, 16, "gray32le")
        picture.pts = packet.pts
        return [picture]


def test_a_picture_that_cannot_be_converted_fails_and_is_told_of(rig: Rig) -> None:
    rig.pipeline.opened(StreamInfo("strange", context=StrangePictures()))
    rig.give()
    assert rig.take() is None
    assert rig.outcomes == {"failed": 1}
    [trouble] = rig.kinds(Trouble)
    assert trouble.camera == "gate"
    assert "gray32le" in trouble.message
    assert rig.pipeline.idle


def test_frames_at_a_detector_that_died_are_orphaned(rig: Rig) -> None:
    rig.give()
    ticket = rig.take()
    assert ticket is not None
    rig.pipeline.give_back(ticket, Ending.ORPHANED_INFER)
    rig.pipeline.give_back(ticket, Ending.ORPHANED_INFER)
    rig.finish(ticket, BOX)
    assert rig.results == []
    assert rig.outcomes == {"orphaned": 1}
    rig.give()
    rig.analyse()
    assert rig.row["epoch"] == 0, "trackers and epochs live on"


def test_detections_of_a_ticket_nobody_knows_change_nothing(rig: Rig) -> None:
    rig.finish(77, BOX)
    assert rig.results == []
    assert rig.outcomes == {}


def test_closing_orphans_all_that_is_under_way(rig: Rig) -> None:
    rig.give()
    ticket = rig.take()
    rig.give()
    rig.pipeline.close()
    assert rig.outcomes == {"orphaned": 2}
    assert rig.pipeline.idle
    rig.finish(ticket, BOX)
    rig.give()
    assert rig.take() is None
    assert rig.results == []
    assert rig.outcomes == {"orphaned": 2}, "what comes after we hung up was not received"
    assert rig.in_flight == 0


# ---- epochs


def test_a_session_begins_an_epoch(rig: Rig) -> None:
    assert (rig.row["epoch"], rig.row["sessions"]) == (0, 1)
    assert rig.row["state"] == CameraState.LIVE
    [opened] = rig.kinds(SessionOpened)
    assert (opened.camera, opened.codec, opened.width, opened.height) == ("gate", "h264", WIDTH, HEIGHT)
    assert rig.kinds(EpochStarted) == [], "nothing was there before that could be reset"
    rig.open()
    assert (rig.row["epoch"], rig.row["sessions"]) == (1, 2)
    assert [fact.epoch for fact in rig.kinds(EpochStarted)] == [1]


def test_detections_from_an_epoch_that_has_ended_are_orphaned(rig: Rig) -> None:
    rig.give()
    ticket = rig.take()
    rig.give()
    rig.pipeline.ended(STALLED)
    rig.open()
    assert rig.outcomes == {"orphaned": 1}, "the newest picture was of the old epoch"
    rig.finish(ticket, BOX)
    assert rig.results == []
    assert rig.outcomes == {"orphaned": 2}


def test_the_last_pictures_of_a_session_count_until_the_next_begins(rig: Rig) -> None:
    rig.give()
    rig.pipeline.ended(STALLED)
    rig.analyse()
    assert rig.outcomes == {"analysed": 1}


def test_no_track_id_lives_in_two_epochs(rig: Rig) -> None:
    seen: list[set[int]] = []
    for _ in range(3):
        for _ in range(4):
            rig.give()
            rig.analyse(BOX, (100, 60, 140, 90))
        seen.append({int(track) for result in rig.results for track in result.boxes.track_id})
        rig.results.clear()
        rig.pipeline.ended(STALLED)
        rig.open()
    assert seen == [{1, 2}, {3, 4}, {5, 6}]
    assert rig.row["next_track_id"] == 7


class Witness:
    """A tracker that writes down what it is told and lets something happen meanwhile."""

    def __init__(self, log: list[tuple[Witness, float]]) -> None:
        self._log = log

    def update(self, xyxy: Any, confidence: Any, class_id: Any, captured: float) -> Any:
        self._log.append((self, captured))
        return np.full(len(xyxy), -1, np.int64)


class InterruptedClock(ManualClock):
    """Between two looks at the clock something else happens, as threads do."""

    looks, at_look, happens = 0, 0, staticmethod(lambda: None)

    def monotonic(self) -> float:
        self.looks += 1
        if self.looks == self.at_look:
            self.happens()
        return self.now


@pytest.mark.parametrize("look", range(1, 5))
def test_a_session_that_opens_while_detections_come_back_gets_none_of_them(
    rig_of: Callable[..., Rig], look: int
) -> None:
    log: list[tuple[Witness, float]] = []
    clock = InterruptedClock()
    rig = rig_of(clock=clock, tracker=lambda _: Witness(log))
    rig.open()
    rig.give()
    rig.analyse()
    rig.give()
    ticket = rig.take()
    # Another thread, because sources of libavformat open their sessions in threads of their own.
    opens = threading.Thread(target=rig.open)

    def interrupt() -> None:
        opens.start()
        opens.join(0.2)  # where finish holds the lock, the session waits until it is over

    clock.happens, clock.at_look = interrupt, clock.looks + look  # type: ignore[assignment]
    rig.finish(ticket, BOX)
    if opens.ident is not None:
        opens.join()
    first = log[0][0]
    assert all(tracker is first for tracker, _ in log), "the new epoch's tracker saw the old epoch's frame"
    assert {result.epoch for result in rig.results} == {0}
    assert sum(rig.outcomes.values()) == 2


def test_the_end_of_a_session_is_noted_with_how_much_it_gave(rig: Rig) -> None:
    rig.give(7)
    assert rig.pipeline.ended(STALLED) == 7
    assert REASONS[int(rig.row["last_end"])] is EndReason.STALLED
    rig.open()
    assert rig.pipeline.ended(ENDED) == 0


# ---- frames that the codec holds back for their order


@pytest.fixture(scope="module")
def reordered() -> list[tuple[bytes, bool]]:
    """H.264 with B-frames: pictures come out later than they go in."""
    encoder: Any = av.CodecContext.create("libx264", "w")
    encoder.width, encoder.height, encoder.pix_fmt = WIDTH, HEIGHT, "yuv420p"
    encoder.time_base = Fraction(1, 25)
    encoder.options = {"preset": "ultrafast", "bf": "2", "x264-params": "b-adapt=0:keyint=30"}
    encoder.max_b_frames = 2
    packets = []
    for number in range(12):
        picture = av.VideoFrame.from_ndarray(np.full((HEIGHT, WIDTH, 3), 20 * number, np.uint8), "rgb24")
        picture.pts = number
        packets += encoder.encode(picture)
    packets += encoder.encode(None)
    return [(bytes(packet), packet.is_keyframe) for packet in packets]


def send(rig: Rig, packets: list[tuple[bytes, bool]]) -> None:
    for data, keyframe in packets:
        rig.clock.advance(0.04)
        rig.pipeline.frame(EncodedFrame(data, rig.clock.now, rig.clock.now, keyframe))


def test_pictures_held_back_in_the_decoder_are_in_flight(
    rig: Rig, reordered: list[tuple[bytes, bool]]
) -> None:
    send(rig, reordered)
    inside = rig.in_flight - (rig.row["newest_seq"] >= 0)
    assert inside > 0
    assert not rig.pipeline.idle


def test_a_stream_that_ends_in_order_gives_its_last_pictures(
    rig: Rig, reordered: list[tuple[bytes, bool]]
) -> None:
    send(rig, reordered)
    assert rig.pipeline.ended(ENDED) == len(reordered)
    assert rig.outcomes == {"superseded": len(reordered) - 1}
    assert rig.in_flight == 1


def test_a_stream_that_breaks_off_orphans_what_the_decoder_held(
    rig: Rig, reordered: list[tuple[bytes, bool]]
) -> None:
    send(rig, reordered)
    inside = rig.in_flight - 1
    rig.pipeline.ended(STALLED)
    assert rig.outcomes["orphaned"] == inside
    assert rig.in_flight == 1


# ---- the rate limit


def watch_for(rig: Rig, seconds: float, *, fps: float, look_every: float = 0.005) -> list[float]:
    """A camera of ``fps`` and a detector that is always free and obeys the table; when frames were taken."""
    taken, until, arrives = [], rig.clock.now + seconds, rig.clock.now + 1 / fps
    while rig.clock.now < until:
        rig.clock.advance(look_every)
        if rig.clock.now >= arrives:
            arrives += 1 / fps
            rig.pipeline.frame(rig.next_frame())
        if rig.row["newest_seq"] >= 0 and rig.row["not_before"] <= rig.clock.now:
            ticket = rig.take()
            if ticket is not None:
                rig.finish(ticket, BOX)
                taken.append(rig.clock.now)
    return taken


@pytest.mark.parametrize(("fps", "limit"), [(25, 10), (25, 24), (30, 7), (10, 10)])
def test_a_limited_camera_gives_its_limit_and_never_a_burst(
    rig_of: Callable[..., Rig], fps: float, limit: float
) -> None:
    rig = rig_of(max_fps=limit)
    rig.open()
    taken = watch_for(rig, 10, fps=fps)
    assert len(taken) == pytest.approx(10 * limit, abs=3)
    for at in taken:
        assert sum(at <= other < at + 1 for other in taken) <= limit + 1
    left_out = sum(rig.outcomes.values()) - rig.outcomes["analysed"]
    assert left_out == rig.outcomes.get("skipped", 0) + rig.outcomes.get("superseded", 0)
    assert rig.outcomes.get("superseded", 0) <= limit, "frames that the limit held back are skipped"


def test_a_pause_earns_no_burst(rig_of: Callable[..., Rig]) -> None:
    rig = rig_of(max_fps=5)
    rig.open()
    watch_for(rig, 2, fps=25)
    rig.clock.advance(20)
    assert len(watch_for(rig, 2, fps=25)) <= 11


# ---- sources that wait


class Feed:
    """A source that can wait: a thread that gives frames and blocks where the pipeline says so."""

    def __init__(self, rig: Rig, count: int) -> None:
        self._rig = rig
        self.given = 0
        self._thread = threading.Thread(target=self._run, args=(count,), daemon=True)
        self._thread.start()

    def _run(self, count: int) -> None:
        for _ in range(count):
            self._rig.pipeline.frame(self._rig.next_frame())
            self.given += 1

    def over(self) -> bool:
        return not self._thread.is_alive()


@pytest.fixture
def patient(rig_of: Callable[..., Rig]) -> Rig:
    rig = rig_of(every_frame=True, max_age=float("inf"))
    rig.open()
    return rig


def test_a_source_that_can_wait_waits_until_its_frame_was_taken(patient: Rig) -> None:
    feed = Feed(patient, 20)
    for expected in range(20):
        eventually(lambda: patient.row["newest_seq"] >= 0)
        time.sleep(0.002)
        assert feed.given <= expected + 1
        patient.analyse()
        patient.pipeline.acknowledge(1)
    eventually(feed.over)
    assert [result.seq for result in patient.results] == list(range(20))
    assert patient.outcomes == {"analysed": 20}


def test_a_source_that_can_wait_waits_for_its_sinks(patient: Rig) -> None:
    count = UNACKNOWLEDGED_AT_MOST + 10
    feed = Feed(patient, count)

    def drain(results: int) -> None:
        """Until there are so many, and nothing comes any more."""
        quiet_since = time.monotonic()
        while len(patient.results) < results or time.monotonic() < quiet_since + 0.1:
            if patient.row["newest_seq"] >= 0:
                patient.analyse()
                quiet_since = time.monotonic()

    drain(UNACKNOWLEDGED_AT_MOST)
    # One frame may have been let in while the last result was still at the detector.
    assert UNACKNOWLEDGED_AT_MOST <= len(patient.results) <= UNACKNOWLEDGED_AT_MOST + 1
    assert not feed.over()
    patient.pipeline.acknowledge(len(patient.results))
    drain(count)
    eventually(feed.over)
    assert patient.outcomes == {"analysed": count}


def test_waiting_makes_no_frame_old(patient: Rig) -> None:
    feed = Feed(patient, 2)
    eventually(lambda: patient.row["newest_seq"] == 0)
    patient.clock.advance(3600)
    patient.pipeline.expire()
    ticket = patient.take()
    eventually(lambda: patient.row["newest_seq"] == 1)
    patient.finish(ticket, BOX)
    patient.analyse()
    eventually(feed.over)
    assert [result.age for result in patient.results] == [3600, 0]


def test_closing_lets_a_waiting_source_go(patient: Rig) -> None:
    feed = Feed(patient, 5)
    eventually(lambda: patient.row["newest_seq"] == 0 and patient.row["received"] == 2)
    patient.pipeline.close()
    eventually(feed.over)
    assert patient.outcomes == {"orphaned": 2}
    assert patient.in_flight == 0


def test_the_last_pictures_of_a_clip_wait_for_room_too(
    patient: Rig, reordered: list[tuple[bytes, bool]]
) -> None:
    def play() -> None:
        send(patient, reordered)
        patient.pipeline.ended(ENDED)

    thread = threading.Thread(target=play, daemon=True)
    thread.start()
    for _ in reordered:
        eventually(lambda: patient.row["newest_seq"] >= 0)
        patient.analyse()
        patient.pipeline.acknowledge(1)
    thread.join(PATIENCE_S)
    assert patient.outcomes == {"analysed": len(reordered)}


# ---- always true


class AnyOrder(RuleBasedStateMachine):
    """Whatever happens in whatever order, every received frame has one outcome or is in flight."""

    def __init__(self) -> None:
        super().__init__()
        self.rig = Rig()
        self.taken: list[int] = []
        self.unsure = 0
        """Frames of which the decoder may keep a part: damaged ones and their neighbours."""
        self.in_session = False
        self.owner: dict[int, int] = {}

    @initialize()
    def begins(self) -> None:
        self.rig.open()
        self.in_session = True

    def teardown(self) -> None:
        before = len(self.rig.results)
        self.rig.pipeline.close()
        self.rig.give()
        for ticket in self.taken:
            self.rig.finish(ticket, BOX)
        assert self.rig.in_flight == 0
        assert self.rig.take() is None
        assert len(self.rig.results) == before
        self.rig.close()

    @precondition(lambda self: self.in_session)
    @rule(count=st.integers(1, 4), every=st.floats(0.001, 0.2), lag=st.floats(0, 0.3))
    def frames(self, count: int, every: float, lag: float) -> None:
        self.rig.give(count, every=every, lag=lag)
        self.unsure = self.unsure and self.unsure + count

    @precondition(lambda self: self.in_session)
    @rule(data=st.binary(min_size=1, max_size=40), keyframe=st.booleans())
    def damaged(self, data: bytes, keyframe: bool) -> None:
        now = self.rig.clock.now
        self.rig.pipeline.frame(EncodedFrame(b"\0\0\0\1" + data, now, now, keyframe))
        self.unsure += 1

    @rule(count=st.integers(1, 5))
    def skipped(self, count: int) -> None:
        self.rig.pipeline.skipped(count)

    @rule(count=st.integers(1, 5))
    def broken(self, count: int) -> None:
        self.rig.pipeline.broken(count)

    @precondition(lambda self: self.in_session and len(self.taken) < 3)
    @rule()
    def fresh_and_taken(self) -> None:
        self.frames(1, 0.04, 0.0)
        self.take()

    @precondition(lambda self: len(self.taken) < 3)
    @rule()
    def take(self) -> None:
        ticket = self.rig.take()
        if ticket is not None:
            self.taken.append(ticket)

    @precondition(lambda self: self.taken)
    @rule(which=st.integers(0, 2), boxes=st.integers(0, 3), late=st.floats(0, 0.4))
    def finish(self, which: int, boxes: int, late: float) -> None:
        ticket = self.taken.pop(which % len(self.taken))
        self.rig.clock.advance(late)
        self.rig.finish(ticket, *[(10 + 50 * n, 10, 40 + 50 * n, 60) for n in range(boxes)])

    @precondition(lambda self: self.taken)
    @rule()
    def detector_fails(self) -> None:
        self.rig.finish(self.taken.pop(), failed="it raised")

    @precondition(lambda self: self.taken)
    @rule()
    def detector_dies(self) -> None:
        for ticket in self.taken:
            self.rig.pipeline.give_back(ticket, Ending.ORPHANED_INFER)
        self.taken.clear()

    @rule(boxes=st.integers(0, 2))
    def strangers(self, boxes: int) -> None:
        self.rig.finish(10_000_000, *[BOX] * boxes)
        self.rig.pipeline.give_back(10_000_001, Ending.FAILED_CONVERT)

    @rule(seconds=st.floats(0, 1.5))
    def sweep(self, seconds: float) -> None:
        self.rig.clock.advance(seconds)
        self.rig.pipeline.expire()

    @precondition(lambda self: self.in_session)
    @rule(reason=st.sampled_from(EndReason))
    def ends(self, reason: EndReason) -> None:
        self.rig.pipeline.ended(SessionEnd(reason))
        self.in_session, self.unsure = False, 0

    @precondition(lambda self: not self.in_session)
    @rule()
    def opens(self) -> None:
        self.rig.open()
        self.in_session = True

    @precondition(lambda self: self.in_session)
    @rule()
    def breaks_off_and_comes_back(self) -> None:
        self.ends(EndReason.UNREACHABLE)
        self.opens()

    @invariant()
    def every_frame_is_accounted_for(self) -> None:
        row = self.rig.row
        assert all(row[name] >= 0 for name in OUTCOMES)
        for name in OUTCOMES:
            places = [int(row[ending.value]) for ending in ENDINGS if ending.outcome.value == name]
            assert min(places) >= 0
            assert row[name] == sum(places)
        assert 0 <= row["kept"] <= self.rig.pipeline.settings.buffer
        assert (row["kept"] > 0) == (row["newest_seq"] >= 0)
        known = len(self.taken) + int(row["kept"])
        inside = self.rig.in_flight - known
        assert 0 <= inside <= self.unsure
        assert self.rig.pipeline.idle == (self.rig.in_flight == 0)

    @invariant()
    def results_are_young_and_of_their_epoch(self) -> None:
        rig = self.rig
        assert all(result.age <= 1.0 for result in rig.results)
        assert [result.epoch for result in rig.results] == rig.epochs_at_emission
        assert len(rig.results) == rig.row["analysed"]
        for result in rig.results:
            for track in result.boxes.track_id.tolist():
                assert track == -1 or track < rig.row["next_track_id"]
                assert track == -1 or self.owner.setdefault(track, result.epoch) == result.epoch
            found = [track for track in result.boxes.track_id.tolist() if track >= 0]
            assert len(found) == len(set(found))


def test_whatever_happens_each_frame_has_exactly_one_outcome() -> None:
    run_state_machine_as_test(
        AnyOrder,
        settings=hypothesis_settings(max_examples=80, stateful_step_count=40, deadline=None),
    )
