"""The end of a run: sinks get the time they need side by side, unless somebody asks to stop."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest

import vedette
from ingest_media import make_clip
from integration.harness import fake, wait_until
from patience import PATIENCE_S
from vedette.results import Result
from vedette.running import FINISHED_DRAIN_S, RunningNode
from vedette.sinks.delivery import Delivery

FRAMES = 30
STOP_WITHIN_S = 30.0


class SlowSink:
    """Takes ``seconds`` for each result, or waits for ``gate``."""

    def __init__(self, seconds: float = 0.0) -> None:
        self.seconds = seconds
        self.gate = threading.Event()
        self.gate.set()
        self.written: list[float] = []
        """When each result was written."""
        self.began = threading.Event()

    def open(self) -> None: ...

    def close(self) -> None: ...

    def write(self, results: Sequence[Result]) -> None:
        self.began.set()
        for _ in results:
            self.gate.wait(10 * PATIENCE_S)
            time.sleep(self.seconds)
            self.written.append(time.monotonic())


class Played:
    """A node that plays one clip into these sinks, besides its own."""

    def __init__(self, clip: Path, sinks: Sequence[SlowSink], *, every_frame: bool) -> None:
        self.told: list[str] = []
        config = vedette.Config(
            cameras={"clip": {"url": str(clip), "every_frame": every_frame, "pace": False}},
            detector=fake(),
            max_age="60s",
        )
        self.node = RunningNode(config, lambda _: None, None, None, False)
        for number, sink in enumerate(sinks):
            delivery = Delivery(
                sink, name=f"slow {number}", report=self.told.append, keeps=lambda _: every_frame
            )
            self.node._deliveries.append(delivery)
        self.node.start()

    def until_played(self) -> None:
        wait_until(lambda: self.node.finished, "the clip is over")

    def sink(self, number: int) -> object:
        return next(sink for sink in self.node.view_in_all().sinks if sink.name == f"slow {number}")


Play = Callable[..., Played]


@pytest.fixture
def play(tmp_path: Path) -> Iterator[Play]:
    make_clip(tmp_path, "h264.mp4")
    played: list[Played] = []

    def start(sinks: Sequence[SlowSink], *, every_frame: bool = False) -> Played:
        played.append(Played(tmp_path / "h264.mp4", sinks, every_frame=every_frame))
        return played[-1]

    yield start
    for each in played:
        each.node.stop()


def test_slow_sinks_are_emptied_side_by_side_at_the_end_of_a_clip(play: Play) -> None:
    sinks = [SlowSink(0.05), SlowSink(0.05), SlowSink(0.05)]
    for sink in sinks:
        sink.gate.clear()
    played = play(sinks, every_frame=True)
    time.sleep(0.1)
    for sink in sinks:
        sink.gate.set()
    assert played.node.join(FINISHED_DRAIN_S)
    assert [len(sink.written) for sink in sinks] == [FRAMES] * 3, "each took all of them"
    assert not played.told
    for one in sinks:
        for other in sinks:
            assert one.written[0] < other.written[-1], "none waited for another"


def test_a_sink_that_is_ready_is_not_held_up_by_one_that_is_slow(play: Play) -> None:
    slow, quick = SlowSink(), SlowSink()
    slow.gate.clear()
    played = play([slow, quick])
    played.until_played()
    analysed = played.node.view_in_all().frames.analysed
    wait_until(lambda: len(quick.written) == analysed, "the quick one has all of it")
    assert not slow.written
    assert played.node.running, "the slow one is waited for"
    slow.gate.set()
    assert played.node.join(FINISHED_DRAIN_S)
    assert len(slow.written) == analysed
    assert not played.told


def test_stopping_while_sinks_are_emptied_ends_it_in_time_and_says_what_was_lost(play: Play) -> None:
    # One after the other these would take 20 × 1.7 s; side by side, a tenth of that where nothing else runs.
    sinks = [SlowSink() for _ in range(20)]
    for sink in sinks:
        sink.gate.clear()
    played = play(sinks)
    played.until_played()
    assert all(sink.began.wait(PATIENCE_S) for sink in sinks)
    assert not played.node.join(0.5), "it waits for its sinks"
    began = time.monotonic()
    played.node.stop()
    assert time.monotonic() - began < STOP_WITHIN_S
    assert not played.node.running
    assert sum("were not delivered before the end" in each for each in played.told) <= len(sinks)
    for sink in sinks:
        sink.gate.set()


def test_stopping_while_sinks_are_emptied_still_gives_them_a_moment(
    play: Play, monkeypatch: pytest.MonkeyPatch
) -> None:
    # A moment may be long on a machine that stands still.
    monkeypatch.setattr("vedette.running.STOPPED_DRAIN_S", PATIENCE_S)
    sink = SlowSink(0.01)
    sink.gate.clear()
    played = play([sink])
    played.until_played()
    analysed = played.node.view_in_all().frames.analysed
    assert sink.began.wait(PATIENCE_S)
    threading.Timer(0.2, sink.gate.set).start()
    played.node.stop()
    assert len(sink.written) == analysed
    assert not played.told
