"""Where frames end that are not analysed: at which stage they grow too old, what the ladder leaves out."""

from __future__ import annotations

import itertools
import random
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from hypothesis.stateful import rule, run_state_machine_as_test
from msgspec.structs import replace

from test_pipeline import BOX, ENDED, AnyOrder, Rig, watch_for
from vedette.endings import ENDINGS, Ending
from vedette.facts import EpochStarted
from vedette.frame import Rung
from vedette.pipeline import Pipeline
from vedette.testing import ManualClock, PacketSequence
from vedette.track.tracker import make_tracker
from vedette.workers.protocol import Done
from vedette.workers.table import OUTCOMES

TOO_LONG_S = 1.01


class LateOnce(ManualClock):
    """At its look number ``at_look`` so much time has passed that every frame is too old."""

    looks, at_look = 0, -1

    def monotonic(self) -> float:
        self.looks += 1
        if self.looks == self.at_look:
            self.now += TOO_LONG_S
        return self.now


class Drifting(ManualClock):
    """Each look takes a little time."""

    def monotonic(self) -> float:
        self.now += 0.0001
        return self.now


class Source:
    """Leaves out what the rung leaves out, frame by frame, as the RTSP reader does."""

    def __init__(self, rig: Rig) -> None:
        self._rig, self._frames = rig, rig.packets.frames(0.0)
        self.number = -1
        """Of the frame that was sent last."""

    def send(self, every: float = 0.04) -> None:
        rig, rung = self._rig, self._rig.pipeline.rung
        rig.clock.advance(every)
        sent, self.number = next(self._frames), self.number + 1
        if rung is Rung.PAUSED or (rung is Rung.KEYFRAMES and not sent.keyframe):
            rig.pipeline.skipped()
            return
        sent.pts = sent.arrived = rig.clock.now
        rig.pipeline.frame(sent)

    def square(self) -> int:
        """Where the bright square begins in the frame that was sent last, in pixels from the left."""
        return self.number % (2 * self._rig.packets.keyframe_every) * 3 % (160 - 16)


def endings(rig: Rig) -> dict[Ending, int]:
    """Those that occurred. For each outcome they must sum up to it."""
    found = {ending: int(rig.row[ending.value]) for ending in ENDINGS if rig.row[ending.value]}
    for name in OUTCOMES:
        assert rig.row[name] == sum(n for ending, n in found.items() if ending.outcome.value == name), name
    return found


@pytest.fixture
def rig_of() -> Iterator[Callable[..., Rig]]:
    rigs: list[Rig] = []

    def build(**arguments: Any) -> Rig:
        rigs.append(Rig(**arguments))
        return rigs[-1]

    yield build
    for rig in rigs:
        rig.close()


def opened(rig: Rig) -> Rig:
    rig.open()
    rig.give()
    rig.analyse()
    assert endings(rig) == {Ending.ANALYSED: 1}
    return rig


def keyframes_alone(rig: Rig, fps: float = 25.0) -> Rig:
    """A camera that sends nothing else: what is left of one when only keyframes are decoded."""
    rig.packets = PacketSequence(fps=fps, keyframe_every=1)
    return rig


# ---- too old, stage by stage


def test_a_keyframe_that_arrives_too_old_is_not_decoded_where_no_other_needs_it(
    rig_of: Callable[..., Rig],
) -> None:
    rig = opened(keyframes_alone(rig_of(rung=int(Rung.KEYFRAMES))))
    decoded = int(rig.row["decoded"])
    rig.give(every=1.3, lag=1.2)
    assert endings(rig) == {Ending.ANALYSED: 1, Ending.EXPIRED_DECODE: 1}
    assert rig.row["decoded"] == decoded
    rig.give(every=1.3)
    rig.analyse()
    assert endings(rig)[Ending.ANALYSED] == 2


def test_a_frame_that_others_need_is_decoded_however_old_it_is(rig_of: Callable[..., Rig]) -> None:
    rig = opened(rig_of(target=(96, 160)))
    rig.give(every=1.3, lag=1.2)
    assert endings(rig) == {Ending.ANALYSED: 1, Ending.EXPIRED_DECODE: 1}
    assert rig.row["decoded"] == 2
    rig.give(every=1.3)
    rig.analyse()
    assert endings(rig) == {Ending.ANALYSED: 2, Ending.EXPIRED_DECODE: 1}


def test_the_first_picture_of_a_session_is_decoded_however_old_it_is(rig_of: Callable[..., Rig]) -> None:
    rig = keyframes_alone(rig_of(rung=int(Rung.KEYFRAMES)))
    rig.open()
    rig.row["not_before"] = rig.clock.now + 60
    rig.give()
    assert rig.row["decoded"] == 1, "it shows that there is one"
    rig.give()
    assert endings(rig) == {Ending.SKIPPED_RATE: 1}


def test_a_frame_that_leaves_the_decoder_too_late_expires_there(rig_of: Callable[..., Rig]) -> None:
    clock = LateOnce()
    rig = opened(rig_of(clock=clock))
    clock.at_look = clock.looks + 2  # the first is when it goes in
    rig.give()
    assert endings(rig) == {Ending.ANALYSED: 1, Ending.EXPIRED_DECODE: 1}
    assert rig.row["newest_seq"] == -1
    assert rig.rung_bell == 1, "nobody is woken for it"


def test_a_picture_that_waits_too_long_expires_there(rig_of: Callable[..., Rig]) -> None:
    for swept in (False, True):
        rig = opened(rig_of())
        rig.give()
        rig.clock.advance(TOO_LONG_S)
        if swept:
            rig.pipeline.expire()
        assert rig.take() is None
        assert endings(rig) == {Ending.ANALYSED: 1, Ending.EXPIRED_WAIT: 1}


def test_a_picture_whose_conversion_takes_too_long_is_not_handed_over(rig_of: Callable[..., Rig]) -> None:
    clock = LateOnce()
    rig = opened(rig_of(clock=clock))
    rig.give()
    clock.at_look = clock.looks + 2
    assert not rig.pipeline.take(500, rig.target)
    assert endings(rig) == {Ending.ANALYSED: 1, Ending.EXPIRED_CONVERT: 1}
    assert rig.pipeline.idle, "no ticket stays"
    assert rig.pipeline.deadline(500) == -np.inf
    rig.finish(500, BOX)
    assert endings(rig) == {Ending.ANALYSED: 1, Ending.EXPIRED_CONVERT: 1}


def test_a_ticket_says_until_when_its_frame_is_worth_looking_at(rig_of: Callable[..., Rig]) -> None:
    rig = opened(rig_of(max_age=0.7))
    rig.give()
    captured = rig.clock.now
    rig.clock.advance(0.3)
    ticket = rig.take()
    assert ticket is not None
    assert rig.pipeline.deadline(ticket) == pytest.approx(captured + 0.7)
    rig.finish(ticket, BOX)
    assert rig.pipeline.deadline(ticket) == -np.inf


@pytest.mark.parametrize("said", [True, False])
def test_a_frame_that_the_detector_did_not_come_to_in_time_expires_there(
    rig_of: Callable[..., Rig], said: bool
) -> None:
    rig = opened(rig_of())
    rig.give()
    ticket = rig.take()
    assert ticket is not None
    if said:
        rig.pipeline.finish(ticket, Done(ticket, 0, expired=True))
    else:
        rig.clock.advance(TOO_LONG_S)
        rig.finish(ticket, BOX)
    assert endings(rig) == {Ending.ANALYSED: 1, Ending.EXPIRED_INFER: 1}
    assert rig.pipeline.idle


def test_of_an_epoch_that_is_over_nothing_expires(rig_of: Callable[..., Rig]) -> None:
    rig = opened(rig_of())
    rig.give()
    ticket = rig.take()
    assert ticket is not None
    rig.pipeline.start_epoch("camera_moved")
    rig.pipeline.finish(ticket, Done(ticket, 0, expired=True))
    assert endings(rig) == {Ending.ANALYSED: 1, Ending.ORPHANED_INFER: 1}


def test_a_result_that_grew_too_old_in_the_tracker_does_not_leave(rig_of: Callable[..., Rig]) -> None:
    clock = ManualClock()

    class Slow:
        calls = 0

        def update(self, xyxy: Any, confidence: Any, class_id: Any, captured: float) -> Any:
            self.calls += 1
            clock.advance(TOO_LONG_S if self.calls > 1 else 0.0)
            return np.full(len(xyxy), -1, np.int64)

    rig = opened(rig_of(clock=clock, tracker=lambda _: Slow()))
    rig.give()
    rig.analyse()
    assert endings(rig) == {Ending.ANALYSED: 1, Ending.EXPIRED_EMIT: 1}
    assert len(rig.results) == 1


def test_wherever_time_passes_a_frame_ends_once_and_no_old_result_leaves(rig_of: Callable[..., Rig]) -> None:
    seen: set[Ending] = set()
    for look in range(1, 20):
        clock = LateOnce()
        rig = opened(rig_of(clock=clock))
        clock.at_look = clock.looks + look
        rig.give()
        ticket = rig.take()
        if ticket is not None:
            rig.finish(ticket, BOX)
        assert all(result.age <= 1.0 for result in rig.results)
        assert sum(endings(rig).values()) == 2
        assert rig.pipeline.idle
        seen |= set(endings(rig))
    expired = {ending for ending in ENDINGS if ending.outcome.value == "expired"}
    assert seen == {*expired, Ending.ANALYSED}


def test_with_a_clock_that_runs_all_the_time_every_frame_is_accounted_for(rig_of: Callable[..., Rig]) -> None:
    rig = rig_of(clock=Drifting(), max_age=0.02)
    rig.open()
    rng = random.Random(4)
    for _ in range(300):
        rig.give(every=rng.uniform(0, 0.02), lag=rng.uniform(0, 0.015))
        ticket = rig.take() if rng.random() < 0.7 else None
        if ticket is not None:
            rig.clock.advance(rng.uniform(0, 0.02))
            rig.finish(ticket, BOX)
        assert sum(endings(rig).values()) + rig.in_flight == rig.row["received"]
    assert all(result.age <= 0.02 for result in rig.results)
    assert {Ending.EXPIRED_INFER, Ending.SUPERSEDED, Ending.ANALYSED} <= set(endings(rig))


# ---- what the ladder leaves out


def left_of_square(target: Any) -> int:
    """Where the bright square begins in a converted picture; -1 where there is not exactly one."""
    bright = np.argwhere(target.min(axis=2) > 150)
    if not len(bright) or np.ptp(bright, axis=0).max() > 20:
        return -1
    return int(bright[:, 1].min())


def watch(rig: Rig, source: Source, rungs: list[Rung]) -> None:
    """Frames come while the ladder's rung is these, one after the other; each picture is looked at."""
    for rung in rungs:
        rig.row["rung"] = rung
        source.send()
        ticket = rig.take()
        if ticket is not None:
            assert abs(left_of_square(rig.target) - source.square()) <= 2, "the picture is broken"
            rig.finish(ticket, BOX)


@pytest.mark.parametrize(
    "between",
    [
        [Rung.KEYFRAMES] * 30,
        [Rung.KEYFRAMES] * 5,  # not even one keyframe meanwhile
        [Rung.KEYFRAMES],
        [Rung.PAUSED],
        [Rung.KEYFRAMES] * 10 + [Rung.PAUSED] * 57,
        [Rung.KEYFRAMES, Rung.ALL, Rung.PAUSED, Rung.KEYFRAMES],
    ],
    ids=lambda rungs: "-".join(f"{rung.name.lower()}{len(list(n))}" for rung, n in itertools.groupby(rungs)),
)
def test_everything_is_decoded_again_from_the_next_keyframe_on(
    rig_of: Callable[..., Rig], between: list[Rung]
) -> None:
    rig = rig_of()
    rig.open()
    source = Source(rig)
    watch(rig, source, [Rung.ALL] * 30)
    assert rig.row["analysed"] == 30
    watch(rig, source, between)
    at = source.number
    rig.results.clear()
    watch(rig, source, [Rung.ALL] * 50)
    found = endings(rig)
    assert Ending.FAILED_DECODE not in found
    assert found[Ending.SKIPPED_KEYFRAME] > 0, "nothing can be made of them before the next keyframe"
    assert rig.results[0].seq % rig.packets.keyframe_every == 0
    assert len(rig.results) == 50 - (rig.results[0].seq - at - 1), "from then on everything"


def test_frames_left_out_that_no_other_needs_make_no_hole(rig_of: Callable[..., Rig]) -> None:
    rig = rig_of()
    rig.open()
    source = Source(rig)
    watch(rig, source, [Rung.ALL] * 5 + [Rung.REFERENCE] * 5 + [Rung.ALL] * 5)
    assert endings(rig) == {Ending.ANALYSED: 15}


@given(st.lists(st.tuples(st.sampled_from(Rung), st.integers(1, 12)), min_size=1, max_size=12))
@hypothesis_settings(max_examples=40, deadline=None)
def test_whatever_the_ladder_does_no_broken_picture_is_analysed(stretches: list[tuple[Rung, int]]) -> None:
    rig = Rig()
    try:
        rig.open()
        watch(rig, Source(rig), [rung for rung, frames in stretches for _ in range(frames)])
        found = endings(rig)
        assert not {Ending.FAILED_DECODE, Ending.FAILED_CONVERT} & set(found)
        assert sum(found.values()) + rig.in_flight == rig.row["received"]
    finally:
        rig.close()


def test_a_camera_decodes_no_more_than_its_settings_allow_whatever_the_ladder_says(
    rig_of: Callable[..., Rig],
) -> None:
    rig = rig_of(rung=int(Rung.KEYFRAMES))
    for rung, wanted in zip(Rung, (Rung.KEYFRAMES,) * 3 + (Rung.PAUSED,), strict=True):
        rig.row["rung"] = rung
        assert rig.pipeline.rung is wanted


def test_a_limit_of_the_ladder_holds_and_goes_away_again(rig_of: Callable[..., Rig]) -> None:
    rig = rig_of()
    rig.open()
    assert len(watch_for(rig, 4, fps=25)) == pytest.approx(100, abs=2)
    rig.row["limit"] = 1 / 5
    assert len(watch_for(rig, 10, fps=25)) == pytest.approx(50, abs=3)
    assert endings(rig)[Ending.SKIPPED_RATE] == pytest.approx(200, abs=5)
    rig.row["limit"] = 0.0
    watch_for(rig, 0.25, fps=25)  # the turn that was planned is still waited for
    assert len(watch_for(rig, 4, fps=25)) == pytest.approx(100, abs=2)


def test_of_two_limits_the_lower_one_holds(rig_of: Callable[..., Rig]) -> None:
    for max_fps, limit, wanted in ((4, 10, 4), (10, 4, 4)):
        rig = rig_of(max_fps=max_fps)
        rig.open()
        rig.row["limit"] = 1 / limit
        assert len(watch_for(rig, 10, fps=25)) == pytest.approx(10 * wanted, abs=3)


@pytest.mark.parametrize("limit", [0.3, 0.5, 0.7, 0.9, 1.0, 1.1, 2.0])
@pytest.mark.parametrize("jitter", [0.0, 0.25])
def test_near_the_rate_of_keyframes_the_limit_holds_and_no_picture_lies_about(
    rig_of: Callable[..., Rig], limit: float, jitter: float
) -> None:
    """With keyframes alone, about once a second: one is taken when it comes, or not at all."""
    rig = keyframes_alone(rig_of(rung=int(Rung.KEYFRAMES)))
    rig.open()
    rig.row["limit"] = 1 / limit
    rng, seconds, look_every = random.Random(1), 300, 0.01
    arrives, taken = rig.clock.now + 1.0, []
    until = rig.clock.now + seconds
    for number in itertools.count(1):
        while rig.clock.now < arrives:
            rig.clock.advance(look_every)
            if rig.row["newest_seq"] >= 0 and rig.row["not_before"] <= rig.clock.now:
                rig.analyse()
                taken.append(rig.clock.now)
        if rig.clock.now > until:
            break
        rig.pipeline.frame(rig.next_frame())
        arrives = until - seconds + 1.0 + number + rng.uniform(-jitter, jitter)
    assert len(taken) == pytest.approx(seconds * min(limit, 1.0), rel=0.05)
    assert max(result.age for result in rig.results[2:]) <= 2 * look_every
    assert rig.row["decoded"] - len(taken) <= 2, "what is not taken is not even decoded"


def test_another_pipeline_of_the_same_camera_waits_for_no_turn_of_the_one_before(
    rig_of: Callable[..., Rig],
) -> None:
    rig = opened(rig_of(max_fps=0.02))
    assert rig.row["not_before"] == pytest.approx(rig.clock.now + 50)
    rig.pipeline.close()
    rig.pipeline = Pipeline(
        0,
        replace(rig.pipeline.settings, max_fps=None),
        table=rig.table,
        worker=1,
        clock=rig.clock,
        observer=rig,
        make_tracker=lambda: make_tracker("botsort", {}, 0.4, lambda: 0),
        ring=lambda: None,
    )
    assert rig.row["not_before"] <= rig.clock.now
    rig.open()
    assert len(watch_for(rig, 2, fps=25)) == pytest.approx(50, abs=2)


# ---- more than one picture is kept


def test_kept_pictures_are_taken_in_order_and_the_oldest_makes_room(rig_of: Callable[..., Rig]) -> None:
    rig = rig_of(buffer=4)
    rig.open()
    rig.give(6)
    assert rig.row["kept"] == 4
    assert rig.row["newest_seq"] == 2, "the oldest that is kept is the one that is asked for"
    for kept in (3, 2, 1, 0):
        rig.analyse()
        assert rig.row["kept"] == kept
    assert [result.seq for result in rig.results] == [2, 3, 4, 5]
    assert endings(rig) == {Ending.SUPERSEDED: 2, Ending.ANALYSED: 4}


def test_pictures_that_are_held_back_for_the_rate_are_not_kept_until_they_are_old(
    rig_of: Callable[..., Rig],
) -> None:
    rig = rig_of(buffer=4, max_fps=5)
    rig.open()
    assert len(watch_for(rig, 10, fps=25)) == pytest.approx(50, abs=2)
    assert max(result.age for result in rig.results) < 0.06, "the newest is one frame old"
    assert set(endings(rig)) == {Ending.ANALYSED, Ending.SKIPPED_RATE}
    assert rig.row["kept"] <= 1


def test_of_the_kept_pictures_those_that_are_too_old_expire(rig_of: Callable[..., Rig]) -> None:
    rig = rig_of(buffer=8)
    rig.open()
    rig.give(8, every=0.2)
    rig.clock.advance(0.5)
    rig.analyse()
    # Captured 1.9 … 0.5 s ago: the first five are over.
    assert rig.results[0].seq == 5
    assert endings(rig) == {Ending.EXPIRED_WAIT: 5, Ending.ANALYSED: 1}
    assert rig.row["kept"] == 2


def test_a_new_epoch_orphans_all_that_is_kept(rig_of: Callable[..., Rig]) -> None:
    rig = rig_of(buffer=8)
    rig.open()
    rig.give(5)
    rig.pipeline.start_epoch("camera_moved")
    assert endings(rig) == {Ending.ORPHANED_WAIT: 5}
    assert rig.row["kept"] == 0
    assert rig.row["newest_seq"] == -1


# ---- motion


def test_pictures_in_which_nothing_moved_are_left_out_but_for_one_now_and_then(
    rig_of: Callable[..., Rig],
) -> None:
    rig = rig_of(motion=True, motion_every=2.0)
    rig.packets = PacketSequence(keyframe_every=1)
    still = next(rig.packets.frames(0.0))
    rig.open()
    for _ in range(250):
        rig.clock.advance(0.04)
        still.pts = still.arrived = rig.clock.now
        rig.pipeline.frame(still)
        if rig.row["newest_seq"] >= 0:
            rig.analyse()
    found = endings(rig)
    assert set(found) == {Ending.ANALYSED, Ending.SKIPPED_MOTION}
    assert found[Ending.ANALYSED] == pytest.approx(5, abs=1)
    assert not rig.kinds(EpochStarted)


def test_while_something_moves_every_picture_is_offered(rig_of: Callable[..., Rig]) -> None:
    rig = rig_of(motion=True, motion_every=60.0)
    rig.open()
    for _ in range(48):  # to where the square jumps back
        rig.give()
        if rig.row["newest_seq"] >= 0:
            rig.analyse()
    # Three pixels from frame to frame are less than a cell: not each of them shows.
    assert endings(rig)[Ending.ANALYSED] >= 20


def test_a_detector_that_is_away_makes_no_camera_still(rig_of: Callable[..., Rig]) -> None:
    """Nobody takes what is offered: then nobody has answered, either."""
    rig = rig_of(motion=True, motion_every=1.0)
    rig.packets = PacketSequence(keyframe_every=1)
    still = next(rig.packets.frames(0.0))
    rig.open()
    for number in range(250):
        rig.clock.advance(0.04)
        still.pts = still.arrived = rig.clock.now
        rig.pipeline.frame(still)
        if number < 50 and rig.row["newest_seq"] >= 0:
            rig.analyse()
    assert rig.clock.now - rig.pipeline.notes.last_answer > 6.0


@pytest.mark.parametrize("how", ["expired", "failed", "orphaned", "late"])
def test_what_was_not_analysed_after_all_is_looked_at_again(rig_of: Callable[..., Rig], how: str) -> None:
    """Something came into the picture, and the detector did not look at that one: by the next it is still."""
    rig = rig_of(motion=True, motion_every=60.0)
    keyframes = itertools.islice(rig.packets.frames(0.0), 0, None, rig.packets.keyframe_every)
    before, after = next(keyframes), next(keyframes)
    rig.open()

    def show(frame: Any) -> int | None:
        rig.clock.advance(0.04)
        frame.pts = frame.arrived = rig.clock.now
        rig.pipeline.frame(frame)
        return rig.take()

    for _ in range(20):
        ticket = show(before)
        if ticket is not None:
            rig.finish(ticket, BOX)
    assert len(rig.results) == 1
    ticket = show(after)
    assert ticket is not None, "it moved"
    match how:
        case "expired":
            rig.pipeline.finish(ticket, Done(ticket, 0, expired=True))
        case "failed":
            rig.finish(ticket, failed="it raised")
        case "orphaned":
            rig.pipeline.give_back(ticket, Ending.ORPHANED_INFER)
        case "late":
            rig.clock.advance(TOO_LONG_S)
            rig.finish(ticket, BOX)
    rig.finish(show(after), BOX)
    assert len(rig.results) == 2
    assert show(after) is None, "and now it is known"


# ---- always true


class Everything(AnyOrder):
    """The same with several pictures kept, and the ladder at work."""

    def __init__(self) -> None:
        super().__init__()
        self.rig.close()
        self.rig = Rig(buffer=3, motion=True, motion_every=0.3)

    @rule(rung=st.sampled_from(Rung))
    def ladder(self, rung: Rung) -> None:
        self.rig.row["rung"] = rung
        self.unsure += 1  # from here on frames may refer to others that were left out

    @rule(limit=st.sampled_from([0.0, 0.05, 0.5, 20.0]))
    def limited(self, limit: float) -> None:
        self.rig.row["limit"] = limit

    @rule(seconds=st.floats(0.0, 1.2))
    def too_old_at_the_detector(self, seconds: float) -> None:
        if self.taken:
            ticket = self.taken.pop()
            self.rig.clock.advance(seconds)
            self.rig.pipeline.finish(ticket, Done(ticket, 0, expired=True))

    @rule()
    def moved(self) -> None:
        self.rig.pipeline.start_epoch("camera_moved")


def test_whatever_happens_no_more_pictures_are_kept_than_was_asked_for() -> None:
    run_state_machine_as_test(
        Everything,
        settings=hypothesis_settings(max_examples=60, stateful_step_count=40, deadline=None),
    )


def test_the_end_of_a_session_takes_no_kept_picture_away(rig_of: Callable[..., Rig]) -> None:
    rig = rig_of(buffer=5)
    rig.open()
    rig.give(3)
    rig.pipeline.ended(ENDED)
    for _ in range(3):
        rig.analyse()
    assert endings(rig) == {Ending.ANALYSED: 3}
