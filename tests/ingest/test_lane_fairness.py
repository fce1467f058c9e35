"""Slow cameras share the decode pool a frame each in turn; who decodes inline still gives signs of life."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest

from patience import PATIENCE_S
from vedette.frame import EncodedFrame, Rung, StreamInfo
from vedette.ingest.lane import BACKLOG_AT_MOST, SHORT_S, Lane
from vedette.testing import ManualClock


class Decoding:
    """A receiver whose frames take ``seconds`` each; ``log`` is shared by all cameras of a pool."""

    rung = Rung.ALL

    def __init__(self, name: str, log: list[str], gate: threading.Event) -> None:
        self.name, self.seconds, self.left_out = name, 0.0, 0
        self.clock = ManualClock()
        """Says that each frame took ``seconds``, whatever else the machine did meanwhile."""
        self._log, self._gate = log, gate

    def opened(self, info: StreamInfo) -> None: ...

    def frame(self, frame: EncodedFrame) -> None:
        assert self._gate.wait(PATIENCE_S)
        time.sleep(self.seconds)
        self.clock.advance(self.seconds)
        self._log.append(self.name)
        if frame.data == "broken":
            raise RuntimeError("a mistake of ours")

    def skipped(self, count: int = 1, *, behind: bool = False) -> None:
        self.left_out += count

    def broken(self, count: int = 1) -> None: ...

    def lost(self, packets: int) -> None: ...


def unit(number: int, data: object = None) -> EncodedFrame:
    return EncodedFrame(data, float(number), float(number), keyframe=True)


def until(happened: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while not happened():
        assert time.monotonic() < deadline
        time.sleep(0.002)


def settled(lane: Lane) -> None:
    until(lambda: lane.backlog == 0)
    asyncio.run(lane.settle())


class Pool:
    """One thread that decodes for several slow cameras."""

    def __init__(self, *names: str, alive: Callable[[], None] = lambda: None) -> None:
        self.executor = ThreadPoolExecutor(1)
        self.gate = threading.Event()
        self.gate.set()
        self.log: list[str] = []
        self.lanes: dict[str, Lane] = {}
        self.receivers: dict[str, Decoding] = {}
        for name in names:
            receiver = self.receivers[name] = Decoding(name, self.log, self.gate)
            lane = self.lanes[name] = Lane(receiver, receiver.clock, self.executor, alive)
            receiver.seconds = 0.05
            for number in range(4):
                lane.frame(unit(number))
                settled(lane)
            assert lane.slow
            receiver.seconds = 0.001
        self.log.clear()
        # All frames lie there before the first is decoded.
        self.gate.clear()

    def decoded(self, frames: int) -> list[str]:
        self.gate.set()
        until(lambda: len(self.log) == frames)
        self.executor.shutdown()
        return self.log


def test_two_slow_cameras_are_decoded_one_frame_each_in_turn() -> None:
    pool = Pool("a", "b")
    for name in ("a", "b"):
        for number in range(10):
            pool.lanes[name].frame(unit(number))
    assert pool.decoded(20) == ["a", "b"] * 10


def test_a_camera_that_is_far_behind_takes_no_frame_from_one_that_is_not() -> None:
    pool = Pool("behind", "calm", "other")
    for number in range(BACKLOG_AT_MOST):
        pool.lanes["behind"].frame(unit(number))
    for number in range(2):
        pool.lanes["calm"].frame(unit(number))
        pool.lanes["other"].frame(unit(number))
    log = pool.decoded(BACKLOG_AT_MOST + 4)
    assert log[:6] == ["behind", "calm", "other"] * 2
    assert log[6:] == ["behind"] * (BACKLOG_AT_MOST - 2)
    assert not any(receiver.left_out for receiver in pool.receivers.values())


def test_a_frame_that_breaks_our_code_costs_neither_the_lane_nor_the_others() -> None:
    pool = Pool("a", "b")
    for name in ("a", "b"):
        pool.lanes[name].frame(unit(0, data="broken" if name == "a" else None))
    pool.gate.set()
    settled(pool.lanes["a"])
    until(lambda: len(pool.log) == 2)
    for name in ("a", "b"):
        pool.lanes[name].frame(unit(1))
    assert sorted(pool.decoded(4)[2:]) == ["a", "b"]


@pytest.mark.parametrize("own_thread", [False, True])
def test_each_frame_decoded_inline_is_a_sign_of_life(own_thread: bool) -> None:
    """A loop with so much to decode that nothing else gets its turn is no loop that hangs."""
    beats: list[float] = []
    gate = threading.Event()
    gate.set()
    receiver = Decoding("a", [], gate)
    with ThreadPoolExecutor(1) as pool:
        lane = Lane(
            receiver,
            receiver.clock,
            None if own_thread else pool,
            alive=lambda: beats.append(time.monotonic()),
        )
        receiver.seconds = SHORT_S / 4
        for number in range(20):
            began = time.monotonic()
            lane.frame(unit(number))
            assert beats[-1] >= began, "after the frame, not before"
    assert len(beats) == 20


def test_what_a_pool_decodes_is_no_sign_that_the_loop_turns() -> None:
    beats: list[float] = []
    pool = Pool("a", alive=lambda: beats.append(1.0))
    beats.clear()
    for number in range(5):
        pool.lanes["a"].frame(unit(number))
    assert pool.decoded(5) == ["a"] * 5
    assert not beats
