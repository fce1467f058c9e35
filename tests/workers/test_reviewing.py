"""Frames for review, where a camera worker draws them: what the node is told of them, and their pictures."""

from __future__ import annotations

import io
import os
import queue
from collections.abc import Callable, Iterator
from typing import Any

import av
import msgspec
import numpy as np
import pytest
from PIL import Image

from patience import PATIENCE_S
from vedette.found import Asked, Found
from vedette.quality.review.novelty import NoveltySettings
from vedette.quality.review.sampler import Orders
from vedette.testing import ManualClock
from vedette.workers.protocol import Channel, Conditions, Drawn, Output, Pictured, pair
from vedette.workers.reviewing import NEXT_WITHIN_S, WAITING_AT_MOST, Reviewing

HEIGHT, WIDTH = 96, 160
PERSON = (20.0, 20.0, 60.0, 80.0)


class World:
    """A worker that keeps frames, and the node that hears of them."""

    def __init__(self, **orders: Any) -> None:
        ours, theirs = pair()
        self.node, self._end = Channel(ours), Channel(theirs)
        self.clock = ManualClock(wall_offset=1_700_000_000.0)
        self.told: list[Any] = []
        self.takes = True
        self._work: queue.Queue[Callable[[], None]] = queue.Queue()
        self.reviewing = Reviewing(
            self._end,
            tell=self.told.append,
            told=lambda: self.takes,
            on_loop=self._work.put,
            clock=self.clock,
        )
        self.seq = 0
        self.reviewing.follow(msgspec.msgpack.encode(made(**orders)))

    def close(self) -> None:
        self.reviewing.close()
        self.node.close()
        self._end.close()

    # ---- frames

    def frame(
        self,
        boxes: dict[tuple[float, ...], tuple[str, float]] | None = None,
        *,
        tracks: dict[int, str] | None = None,
        weak: int = 0,
        index: int = 0,
        epoch: int = 0,
        process: int = 1,
    ) -> Asked | None:
        """A frame is asked about, analysed and its result leaves."""
        self.clock.advance(1.0)
        asked = self.reviewing.asks(f"cam{index}", self.clock.now)
        assert asked is not None
        boxes = boxes or {PERSON: ("person", 0.9)}
        ids = list(tracks or {})
        names = list(tracks.values()) if tracks is not None else [name for name, _ in boxes.values()]
        sure = len(names)
        xyxy = [PERSON] * sure if tracks is not None else list(boxes)
        scores = [0.9] * sure + [0.2] * weak
        found = Found(
            captured=self.clock.now,
            width=WIDTH,
            height=HEIGHT,
            xyxy=np.array(xyxy + [(1.0, 1.0, 9.0, 9.0)] * weak, np.float32).reshape(-1, 4),
            confidence=np.array(scores, np.float32),
            class_id=np.array([0] * sure + [1] * weak, np.int32),
            sure=sure,
            weak_known=True,
            epoch=epoch,
            seq=self.seq,
            names=names,
            track_id=np.array(ids if tracks is not None else [-1] * sure, np.int64),
            asked=asked,
            image=picture() if asked.picture else None,
            process=process,
        )
        self.reviewing.result(index, self._output(found, index))
        self.chance = self.reviewing.found(index, f"cam{index}", found)
        self.seq += 1
        return asked

    def _output(self, found: Found, index: int) -> Output:
        return Output(
            index=index, epoch=found.epoch, seq=found.seq, captured_at=0.0, emitted_at=0.0, age=0.0,
            width=WIDTH, height=HEIGHT, xyxy=found.xyxy[: found.sure].tobytes(),
            confidence=b"", class_id=b"", track_id=found.track_id.tobytes(), names=found.names,
        )  # fmt: skip

    def work(self, times: int) -> None:
        """Let the loop do what the thread has for it."""
        for _ in range(times):
            self._work.get(timeout=PATIENCE_S)()

    # ---- what the node gets

    def drawn(self) -> list[Drawn]:
        return [each for each in self.told if isinstance(each, Drawn)]

    def pictures(self, count: int) -> list[tuple[Pictured, bytes]]:
        """As they come."""
        found: list[tuple[Pictured, bytes]] = []
        while len(found) < count:
            while (heard := self.node.receive()) is not None:
                message, fds = heard
                data = b"".join(os.pread(fd, os.fstat(fd).st_size, 0) for fd in fds)
                for fd in fds:
                    os.close(fd)
                found.append((message, data))
            if len(found) < count:
                self.work(1)
        return found


def made(**changed: Any) -> Orders:
    usual: dict[str, Any] = {
        "seed": 1,
        "per_hour": 3600.0,
        "expected": 600.0,
        "by_reason": {
            "suspected_loss": 12.0,
            "unseen_conditions": 4.0,
            "weak_boxes": 1.0,
            "track_disagrees": 1.0,
        },
        "camera_per_hour": 12.0,
        "worker_per_hour": 100.0,
        "redact": [],
        "quality": 90,
        "names": ["person", "car"],
    }
    return Orders(**(usual | changed))


def picture() -> av.VideoFrame:
    """Noise, so that what was made unrecognisable can be told."""
    pixels = np.random.default_rng(1).integers(0, 256, (HEIGHT, WIDTH, 3), dtype=np.uint8)
    return av.VideoFrame.from_ndarray(pixels, format="rgb24").reformat(format="yuv420p")


@pytest.fixture
def world() -> Iterator[Callable[..., World]]:
    worlds: list[World] = []

    def build(**orders: Any) -> World:
        worlds.append(World(**orders))
        return worlds[-1]

    yield build
    for each in worlds:
        each.close()


def test_a_drawn_frame_is_told_at_once_and_its_picture_follows(world: Callable[..., World]) -> None:
    there = world()
    asked = there.frame({PERSON: ("person", 0.9)}, weak=1)
    assert asked is not None
    assert (asked.drawn, there.chance) == (True, 0.0), "it is not told twice"
    [drawn] = there.drawn()
    assert (drawn.at, drawn.reason, drawn.probability) == (asked.at, "", 1.0)
    assert drawn.labels == ["person", "car"], "weak boxes have the name that the detector declares"
    assert np.frombuffer(drawn.track_id, np.int64).tolist() == [-1, -1]
    [(pictured, jpeg)] = there.pictures(1)
    assert (pictured.number, pictured.problem) == (drawn.number, "")
    assert Image.open(io.BytesIO(jpeg)).size == (WIDTH, HEIGHT)
    assert there.reviewing.idle


def test_frames_that_are_not_drawn_are_told_with_their_chance(world: Callable[..., World]) -> None:
    there = world(per_hour=0.6)
    asked = there.frame()
    assert asked is not None
    assert not asked.drawn
    assert there.chance == asked.probability == pytest.approx(0.1 / 600)
    assert not there.drawn()


def test_before_there_are_orders_nothing_is_kept(world: Callable[..., World]) -> None:
    there = world()
    bare = Reviewing(there._end, tell=print, told=bool, on_loop=print, clock=there.clock)
    assert bare.asks("cam0", 0.0) is None
    assert bare.left(0, "cam0") is None
    bare.close()


BESIDE = (100.0, 20.0, 140.0, 60.0)


def rough(jpeg: bytes, left: int, right: int) -> float:
    """How much there is to be seen between these columns."""
    pixels = np.asarray(Image.open(io.BytesIO(jpeg)).convert("L"), float)[30:60, left:right]
    return float(np.abs(np.diff(pixels, axis=1)).mean())


def seen(jpeg: bytes) -> tuple[bool, bool]:
    """Whether ``PERSON`` and ``BESIDE`` are to be recognised."""
    pixels = np.asarray(picture().to_ndarray(format="gray"), float)[30:60]
    usual = float(np.abs(np.diff(pixels, axis=1)).mean())
    return rough(jpeg, 25, 55) > usual / 3, rough(jpeg, 105, 135) > usual / 3


def test_what_is_to_be_hidden_is_hidden_where_it_is_and_where_it_was_and_will_be(
    world: Callable[..., World],
) -> None:
    there, plain = world(redact=["face"]), world()
    nobody = {(1.0, 1.0, 9.0, 9.0): ("person", 0.9)}
    there.frame({PERSON: ("face", 0.9)})
    there.frame(nobody)
    there.frame(nobody)
    there.frame({BESIDE: ("face", 0.9)})
    plain.frame({PERSON: ("face", 0.9)})
    pictures = [seen(jpeg) for _, jpeg in there.pictures(3)]
    assert pictures == [(False, True), (False, True), (True, False)], "here, missed after, missed before"
    [(_, open_)] = plain.pictures(1)
    assert seen(open_) == (True, True)


def test_weak_boxes_of_what_is_to_be_hidden_are_hidden_too(world: Callable[..., World]) -> None:
    there = world(redact=["car"])
    there.frame({PERSON: ("person", 0.9)}, weak=1)
    there.frame()
    [(_, jpeg)] = there.pictures(1)
    usual = np.asarray(picture().to_ndarray(format="gray"), float)[2:8, 2:8]
    corner = np.asarray(Image.open(io.BytesIO(jpeg)).convert("L"), float)[2:8, 2:8]
    assert np.abs(np.diff(corner, axis=1)).mean() < np.abs(np.diff(usual, axis=1)).mean() / 2


@pytest.mark.parametrize("ends", ["time", "camera", "worker"])
def test_a_picture_that_waits_for_the_next_result_does_not_wait_for_ever(
    world: Callable[..., World], ends: str
) -> None:
    there = world(redact=["face"])
    there.frame({PERSON: ("face", 0.9)})
    assert not there.reviewing.idle
    match ends:
        case "time":
            there.clock.advance(NEXT_WITHIN_S + 0.1)
            there.reviewing.tick()
        case "camera":
            there.reviewing.gone(0)
        case "worker":
            there.reviewing.hurry()
    [(_, jpeg)] = there.pictures(1)
    assert seen(jpeg) == (False, True)
    assert there.reviewing.idle


def test_a_frame_that_is_held_back_is_of_the_model_that_saw_it_when_another_detects(
    world: Callable[..., World],
) -> None:
    there = world(per_hour=0.0)
    there.reviewing.regard(Conditions([0], []))
    there.frame(weak=1, process=7)
    there.reviewing.follow(msgspec.msgpack.encode(made(per_hour=0.0, names=["cat", "dog"], model=b"other")))
    there.frame(weak=1, process=8)
    [drawn] = there.drawn()
    assert (drawn.process, drawn.labels) == (7, ["person", "car"])


def test_a_suspected_camera_gives_frames_with_that_reason(world: Callable[..., World]) -> None:
    there = world(per_hour=0.0)
    there.reviewing.regard(Conditions([0], [1]))
    for _ in range(3):
        there.frame(index=0)
        there.frame(index=1)
        there.frame(index=2)
    assert [(each.index, each.reason) for each in there.drawn()] == [
        (0, "suspected_loss"),
        (1, "unseen_conditions"),
    ]
    assert all(each.probability == 0.0 for each in there.drawn())
    assert all(jpeg for _, jpeg in there.pictures(2))


def test_a_track_that_is_missing_in_one_frame_is_a_reason(world: Callable[..., World]) -> None:
    there = world(per_hour=0.0)
    for tracks in ({1: "person"}, {}, {1: "person"}):
        there.frame(tracks=tracks)
    [drawn] = there.drawn()
    assert drawn.reason == "track_disagrees"
    assert not drawn.labels, "it is the frame in which it is missing"


def test_what_was_there_in_another_epoch_is_none(world: Callable[..., World]) -> None:
    there = world(per_hour=0.0)
    for epoch, tracks in enumerate(({1: "person"}, {}, {1: "person"})):
        there.frame(tracks=tracks, epoch=epoch)
    there.frame()
    assert not there.drawn()


def test_many_weak_boxes_are_a_reason(world: Callable[..., World]) -> None:
    there = world(per_hour=0.0)
    for _ in range(30):
        there.frame(weak=1)
    there.frame(weak=8)
    assert not there.drawn(), "it waits for the next result"
    there.clock.advance(NEXT_WITHIN_S + 0.1)
    there.reviewing.tick()
    [drawn] = there.drawn()
    assert drawn.reason == "weak_boxes"
    assert len(drawn.labels) == 9


def test_a_camera_that_goes_is_decided_about_first(world: Callable[..., World]) -> None:
    there = world(per_hour=0.0)
    there.reviewing.regard(Conditions([0], []))
    there.frame()
    known = there.reviewing.left(0, "cam0")
    assert [each.reason for each in there.drawn()] == ["suspected_loss"]
    there.reviewing.go_on(0, "cam0", known)
    there.frame()
    there.frame()
    assert len(there.drawn()) == 1, "its last one is not long ago"


def test_pictures_that_find_no_room_are_said_to_be_lost(world: Callable[..., World]) -> None:
    there = world()
    there.takes = False  # the node hangs
    for _ in range(WAITING_AT_MOST + 3):
        there.frame()
    assert len(there.drawn()) == WAITING_AT_MOST + 3
    there.work(WAITING_AT_MOST)
    assert there.node.receive() is None, "never ahead of what was found in them"
    there.takes = True
    there.reviewing.flush()
    came = there.pictures(WAITING_AT_MOST + 3)
    assert sum(bool(jpeg) for _, jpeg in came) == WAITING_AT_MOST
    assert {each.problem for each, jpeg in came if not jpeg} == {
        "pictures come faster than they can be written"
    }


def test_a_picture_that_cannot_be_made_is_said_to_be_lost(world: Callable[..., World]) -> None:
    there = world()
    there.reviewing._orders = msgspec.structs.replace(made(), quality="best")  # type: ignore[arg-type]
    there.frame()
    [(pictured, jpeg)] = there.pictures(1)
    assert not jpeg
    assert pictured.problem


# ---- what is new to a camera

FIVE_MINUTES = 300.0


def looked_at(world: World, slots: int, *, weak: int = 0, index: int = 0) -> None:
    """A frame in each five minutes."""
    for _ in range(slots):
        world.clock.advance(FIVE_MINUTES)
        world.frame(weak=weak, index=index)


def test_what_was_never_there_before_is_offered_as_new(news: World) -> None:
    looked_at(news, NoveltySettings().learn + 1)
    assert not news.drawn()
    looked_at(news, 30, weak=1)
    assert {drawn.reason for drawn in news.drawn()} == {"new_objects"}


def test_what_was_always_there_is_not_new(news: World) -> None:
    looked_at(news, NoveltySettings().learn + 30, weak=1)
    assert not news.drawn()


def test_another_worker_goes_on_with_what_was_usual(news: World, heir: World) -> None:
    looked_at(news, NoveltySettings().learn + 1)
    known = news.reviewing.left(0, "cam0")
    heir.clock.advance(news.clock.now - heir.clock.now)
    heir.reviewing.go_on(3, "cam0", known)
    looked_at(heir, 30, weak=1, index=3)
    assert {drawn.reason for drawn in heir.drawn()} == {"new_objects"}


@pytest.mark.parametrize("because", ["another model", "it looks elsewhere", "it is gone"])
def test_what_was_learnt_of_another_view_or_model_is_forgotten(news: World, because: str) -> None:
    looked_at(news, NoveltySettings().learn + 1)
    match because:
        case "another model":
            news.reviewing.follow(msgspec.msgpack.encode(made(**NEWS | {"model": b"other"})))
        case "it looks elsewhere":
            news.reviewing.moved(0)
        case "it is gone":
            news.reviewing.gone(0)
    looked_at(news, 30, weak=1)
    assert not news.drawn()


NEWS: dict[str, Any] = {"per_hour": 0.0, "by_reason": {"new_objects": 12.0}, "model": b"usual"}


@pytest.fixture
def news() -> Iterator[World]:
    """Where only what is new is kept."""
    world = World(**NEWS)
    yield world
    world.close()


@pytest.fixture
def heir() -> Iterator[World]:
    world = World(**NEWS)
    yield world
    world.close()


# ---- what a candidate model sees otherwise

OTHERWISE: dict[str, Any] = {"per_hour": 0.0, "by_reason": {"model_disagrees": 12.0}}


def seen_by_a_candidate(world: World) -> float:
    """Unix second of a frame that a candidate model is shown, too."""
    asked = world.frame()
    assert asked is not None
    world.reviewing.compared_later(0)
    return asked.at


@pytest.mark.parametrize("first", ["the answer", "the next result"])
def test_a_frame_that_a_candidate_sees_otherwise_is_kept(world: Callable[..., World], first: str) -> None:
    there = world(**OTHERWISE)
    at = seen_by_a_candidate(there)
    if first == "the answer":
        there.reviewing.disagrees(0, at + 0.0001, 2)
        assert not there.drawn(), "what comes after it is not known yet"
        there.frame()
    else:
        there.frame()
        assert not there.drawn(), "what the candidate sees is not known yet"
        there.reviewing.disagrees(0, at + 0.0001, 2)
    [drawn] = there.drawn()
    assert (drawn.reason, drawn.at) == ("model_disagrees", at)


def test_a_candidate_that_says_nothing_is_not_waited_for(world: Callable[..., World]) -> None:
    there = world(**OTHERWISE)
    at = seen_by_a_candidate(there)
    there.frame()
    there.clock.advance(NEXT_WITHIN_S + 0.1)
    there.reviewing.tick()
    there.reviewing.disagrees(0, at, 2)
    assert not there.drawn()


def test_what_is_said_of_another_frame_counts_for_none(world: Callable[..., World]) -> None:
    there = world(**OTHERWISE)
    at = seen_by_a_candidate(there)
    there.reviewing.disagrees(0, at - 1.0, 2)
    there.reviewing.disagrees(1, at, 2)
    there.frame()
    there.reviewing.disagrees(0, at, 0)
    assert not there.drawn()
