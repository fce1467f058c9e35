"""Large frames are decoded in a pool: in order, one at a time, and never more of them than may wait."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from patience import PATIENCE_S
from vedette.clock import SystemClock
from vedette.frame import EncodedFrame, Rung, StreamInfo
from vedette.ingest.lane import BACKLOG_AT_MOST, SHORT_S, Lane
from vedette.testing import ManualClock

INFO = StreamInfo("h264")


class Slow:
    """A receiver that takes ``seconds`` for a frame, or waits for ``gate``, and watches over its callers."""

    rung = Rung.ALL

    def __init__(self) -> None:
        self.seconds = 0.0
        self.clock = ManualClock()
        """Says that each frame took ``seconds``, whatever else the machine did meanwhile."""
        self.gate = threading.Event()
        self.gate.set()
        self.begun: list[int] = []
        self.done: list[int] = []
        self.keyframes: list[int] = []
        self.left_out = self.damaged = self.missing = self.sessions = 0
        self.threads: set[int] = set()
        self.together = False
        self._inside = threading.Lock()

    def opened(self, info: StreamInfo) -> None:
        self.sessions += 1

    def frame(self, frame: EncodedFrame) -> None:
        if not self._inside.acquire(blocking=False):
            self.together = True
            return
        self.threads.add(threading.get_ident())
        self.begun.append(frame.data)
        assert self.gate.wait(PATIENCE_S)
        time.sleep(self.seconds)
        self.clock.advance(self.seconds)
        self.done.append(frame.data)
        self._inside.release()

    def skipped(self, count: int = 1, *, behind: bool = False) -> None:
        self.left_out += count

    def broken(self, count: int = 1) -> None:
        self.damaged += count

    def lost(self, packets: int) -> None:
        self.missing += packets


@pytest.fixture
def pool() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(4) as pool:
        yield pool


def unit(number: int, keyframe: bool = False) -> EncodedFrame:
    return EncodedFrame(number, float(number), float(number), keyframe)


def until(happened: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while not happened():
        assert time.monotonic() < deadline
        time.sleep(0.002)


def made_slow(receiver: Slow, pool: ThreadPoolExecutor) -> Lane:
    """A lane that has seen what a frame of this camera costs."""
    lane = Lane(receiver, receiver.clock, pool)
    receiver.seconds = 0.012
    for _ in range(8):
        lane.frame(unit(-1))
    until(lambda: len(receiver.done) == 8)
    assert lane.slow
    receiver.begun.clear()
    receiver.done.clear()
    receiver.threads.clear()
    receiver.seconds = 0.0
    return lane


def test_small_frames_are_decoded_where_they_arrive(pool: ThreadPoolExecutor) -> None:
    receiver = Slow()
    lane = Lane(receiver, receiver.clock, pool)
    for number in range(200):
        lane.frame(unit(number))
        assert receiver.done[-1] == number
    assert receiver.threads == {threading.get_ident()}
    assert not lane.slow


def test_sources_with_threads_of_their_own_decode_there_whatever_it_takes() -> None:
    receiver = Slow()
    receiver.seconds = 2 * SHORT_S
    lane = Lane(receiver, receiver.clock, None)
    for number in range(20):
        lane.frame(unit(number))
    assert receiver.done == list(range(20))
    assert receiver.threads == {threading.get_ident()}
    assert not lane.slow


def test_what_is_lost_and_broken_is_passed_on_at_once(pool: ThreadPoolExecutor) -> None:
    receiver = Slow()
    lane = Lane(receiver, receiver.clock, pool)
    lane.lost(3)
    lane.broken()
    assert (receiver.missing, receiver.damaged) == (3, 1)


async def test_large_frames_do_not_hold_up_the_loop_and_keep_their_order(pool: ThreadPoolExecutor) -> None:
    receiver = Slow()
    lane = made_slow(receiver, pool)
    receiver.seconds = 0.006
    for number in range(60):
        lane.frame(unit(number))
        await asyncio.sleep(0.008)
    await lane.settle()
    assert receiver.done == sorted(receiver.done)
    assert threading.get_ident() not in receiver.threads
    assert not receiver.together
    assert len(receiver.done) + receiver.left_out == 60


async def test_going_back_and_forth_between_loop_and_pool_never_runs_two_at_once(
    pool: ThreadPoolExecutor,
) -> None:
    receiver = Slow()
    lane = Lane(receiver, receiver.clock, pool)
    number = 0
    for seconds in (0.02, 0.0, 0.02, 0.0, 0.02, 0.0):
        receiver.seconds = seconds
        for _ in range(30):
            lane.frame(unit(number, keyframe=number % 5 == 0))
            number += 1
            await asyncio.sleep(0.001)
    await lane.settle()
    assert not receiver.together
    assert receiver.done == sorted(receiver.done)
    assert len(receiver.done) + receiver.left_out == number
    assert len(receiver.threads) > 1, "both were used"


def test_what_waits_is_bounded_and_each_frame_left_out_is_said(pool: ThreadPoolExecutor) -> None:
    receiver = Slow()
    lane = made_slow(receiver, pool)
    receiver.gate.clear()
    lane.frame(unit(0))
    until(lambda: receiver.begun == [0])
    for number in range(1, 100):
        lane.frame(unit(number))
    assert receiver.left_out == 99 - BACKLOG_AT_MOST
    receiver.gate.set()
    until(lambda: len(receiver.done) == 1 + BACKLOG_AT_MOST)
    assert receiver.done == list(range(1 + BACKLOG_AT_MOST))


def overflowed(receiver: Slow, pool: ThreadPoolExecutor) -> Lane:
    """A lane that had to leave out frames and has caught up since."""
    lane = made_slow(receiver, pool)
    receiver.gate.clear()
    for number in range(BACKLOG_AT_MOST + 5):
        lane.frame(unit(number))
    assert receiver.left_out
    receiver.gate.set()
    until(lambda: len(receiver.done) + receiver.left_out == BACKLOG_AT_MOST + 5)
    receiver.done.clear()
    receiver.left_out = 0
    return lane


def test_after_frames_were_left_out_it_resumes_at_a_keyframe(pool: ThreadPoolExecutor) -> None:
    receiver = Slow()
    lane = overflowed(receiver, pool)
    for number in (100, 101):
        lane.frame(unit(number))
    for number in (102, 103):
        lane.frame(unit(number, keyframe=number == 102))
    until(lambda: len(receiver.done) == 2)
    assert receiver.done == [102, 103], "100 and 101 are predicted from frames that were left out"
    assert receiver.left_out == 2


def test_a_lane_that_became_fast_again_waits_for_the_keyframe_too(pool: ThreadPoolExecutor) -> None:
    receiver = Slow()
    lane = made_slow(receiver, pool)
    # The last frames that took long; then all that waits is cheap, and the camera is fast again.
    receiver.gate.clear()
    lane.frame(unit(0))
    until(lambda: receiver.begun == [0])
    for number in range(1, BACKLOG_AT_MOST + 2):
        lane.frame(unit(number))
    assert receiver.left_out == 1
    receiver.gate.set()
    until(lambda: len(receiver.done) == BACKLOG_AT_MOST + 1)
    assert not lane.slow
    lane.frame(unit(50))
    assert receiver.left_out == 2
    lane.frame(unit(51, keyframe=True))
    lane.frame(unit(52))
    until(lambda: receiver.done[-2:] == [51, 52])


async def test_settling_leaves_out_what_waits_and_waits_for_what_runs(pool: ThreadPoolExecutor) -> None:
    receiver = Slow()
    lane = made_slow(receiver, pool)
    receiver.gate.clear()
    for number in range(6):
        lane.frame(unit(number))
    until(lambda: receiver.begun == [0])
    settling = asyncio.create_task(lane.settle())
    await asyncio.sleep(0.05)
    assert not settling.done(), "a frame is being decoded"
    receiver.gate.set()
    await asyncio.wait_for(settling, PATIENCE_S)
    assert receiver.done == [0]
    assert receiver.left_out == 5


async def test_settling_an_idle_lane_is_quick(pool: ThreadPoolExecutor) -> None:
    await asyncio.wait_for(Lane(Slow(), SystemClock(), pool).settle(), PATIENCE_S)


def test_all_else_is_passed_on(pool: ThreadPoolExecutor) -> None:
    receiver = Slow()
    lane = Lane(receiver, receiver.clock, pool)
    lane.opened(INFO)
    lane.skipped(3)
    lane.broken(2)
    receiver.rung = Rung.KEYFRAMES
    assert lane.rung is Rung.KEYFRAMES
    assert (receiver.sessions, receiver.left_out, receiver.damaged) == (1, 3, 2)
