"""Cameras that somebody looks at: who is told to show them, and what is kept of what comes."""

from __future__ import annotations

import os
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vedette import live
from vedette.control.protocol import Look
from vedette.live import HOLDS_S, RATES, WIDTHS_AT_MOST, Interest, Live
from vedette.roster import Roster
from vedette.settings import CameraSettings
from vedette.testing import ManualClock
from vedette.workers.protocol import LivePicture, Show


class Worker:
    """A camera worker's process as its node sees it."""

    def __init__(self, number: int, pid: int) -> None:
        self.place, self.pid, self.ready = number + 1, pid, True
        self.told: list[Show] = []

    def send(self, message: Show) -> None:
        self.told.append(message)

    @property
    def shows(self) -> dict[int, int]:
        """Widths by camera, by what it was told last."""
        return dict(zip(self.told[-1].cameras, self.told[-1].widths, strict=True)) if self.told else {}


class World:
    """Four cameras in two workers, on a clock that moves when told."""

    def __init__(self) -> None:
        names = [f"cam{number}" for number in range(4)]
        self.clock, self.woken = ManualClock(), 0
        self.roster = Roster({name: CameraSettings(name=name, url="rtsp://h/1") for name in names}, [0, 1])
        self.workers = [Worker(0, 100), Worker(1, 200)]
        self.live = Live(self.roster, self.clock, self._wake)

    def _wake(self) -> None:
        self.woken += 1

    def look(self, *names: str, width: int = 320, since: float = 0.0) -> dict[str, Any]:
        return self.live.look(Look(cameras=names, width=width, since=since)).pictures

    def ticks(self) -> None:
        self.live.show(self.workers)  # type: ignore[arg-type]

    def comes(self, index: int, captured_at: float, jpeg: bytes = b"jpeg") -> int:
        """A picture; returns its descriptor, which is to be closed by then."""
        fd = os.memfd_create("live")
        os.write(fd, jpeg)
        box = np.array([[1, 2, 3, 4]], np.float32)
        score, track = np.array([0.5], np.float32), np.array([7])
        self.live.heard(
            LivePicture(
                index, captured_at, 640, 360, box.tobytes(), score.tobytes(), track.tobytes(), ["person"]
            ),
            fd,
        )
        return fd


def test_to_look_is_to_have_its_worker_show_it_and_to_look_away_ends_it() -> None:
    world = World()
    world.ticks()
    assert world.look("cam0", "cam3", "nobody") == {}
    assert world.woken == 1
    world.ticks()
    assert [worker.shows for worker in world.workers] == [{0: 320}, {3: 320}]
    world.clock.advance(0.5)
    world.look("cam0")
    world.ticks()
    assert len(world.workers[0].told) == 1, "it is told what has changed only"
    world.clock.advance(HOLDS_S - 0.6)
    world.look("cam3")
    world.clock.advance(0.7)
    world.ticks()
    assert [worker.shows for worker in world.workers] == [{}, {3: 320}]
    world.clock.advance(HOLDS_S)
    world.ticks()
    world.ticks()
    assert [worker.shows for worker in world.workers] == [{}, {}]
    told = [len(worker.told) for worker in world.workers]
    world.ticks()
    assert [len(worker.told) for worker in world.workers] == told


def test_the_widest_that_is_wanted_wins_for_as_long_as_it_is() -> None:
    world = World()
    world.look("cam0", width=320)
    world.ticks()
    world.clock.advance(0.5)
    world.look("cam0", width=1280)
    assert world.woken == 2, "whoever wants more does not wait for it"
    world.look("cam0", width=320)
    assert world.woken == 2
    world.ticks()
    assert world.workers[0].shows == {0: 1280}
    world.clock.advance(HOLDS_S - 0.1)
    world.look("cam0", width=320)
    world.clock.advance(0.2)
    world.ticks()
    assert world.workers[0].shows == {0: 320}


def test_the_newest_picture_is_given_with_its_boxes_and_once_to_whoever_has_it() -> None:
    world = World()
    world.look("cam0")
    world.comes(0, 10.0, b"first")
    world.comes(0, 12.0, b"second")
    world.comes(0, 11.0, b"late")
    (picture,) = world.look("cam0", "cam1").values()
    assert (picture.captured_at, picture.jpeg, picture.width, picture.height) == (12.0, b"second", 640, 360)
    assert (picture.xyxy, picture.names) == ([(1.0, 2.0, 3.0, 4.0)], ["person"])
    assert (picture.confidence, picture.tracks) == ([0.5], [7])
    assert world.look("cam0", since=12.0) == {}
    assert world.look("cam0", since=11.9).keys() == {"cam0"}


def test_what_nobody_looks_at_is_let_go() -> None:
    world = World()
    closed = [world.comes(1, 10.0)]
    world.look("cam0")
    closed.append(world.comes(0, 10.0))
    world.clock.advance(HOLDS_S)
    world.ticks()
    assert world.live._newest == {}
    assert world.live._bytes == 0
    closed.append(world.comes(0, 11.0))
    assert world.look("cam0") == {}
    for fd in closed:
        with pytest.raises(OSError, match="descriptor"):
            os.fstat(fd)


def test_a_camera_that_moves_is_shown_by_its_new_worker() -> None:
    world = World()
    world.look("cam0")
    world.ticks()
    world.comes(0, 10.0)
    world.roster.named("cam0").worker = 1
    world.ticks()
    assert [worker.shows for worker in world.workers] == [{}, {0: 320}]
    assert world.look("cam0").keys() == {"cam0"}, "what was shown before stays until there is more"


def test_a_worker_that_was_started_again_is_told_anew_once_it_hears() -> None:
    world = World()
    world.look("cam0")
    world.ticks()
    world.workers[0] = Worker(0, 300)
    world.workers[0].ready = False
    world.look("cam0")
    world.ticks()
    assert world.workers[0].told == []
    world.workers[0].ready = True
    world.ticks()
    assert world.workers[0].shows == {0: 320}


def test_nothing_of_a_camera_that_was_removed_or_paused_is_given() -> None:
    world = World()
    world.look("cam0", "cam2")
    world.comes(0, 10.0)
    world.comes(2, 10.0)
    world.roster.named("cam2").paused = True
    world.roster.named("cam0").removed = True
    for name in ("cam0", "cam2"):
        world.live.forget(name)
    world.comes(0, 11.0)
    world.comes(2, 11.0)
    world.ticks()
    assert world.workers[0].shows == {}
    assert world.look("cam0", "cam2") == {}


def test_pictures_have_a_size_and_all_of_them_together_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live, "PICTURE_AT_MOST", 100)
    monkeypatch.setattr(live, "BYTES_AT_MOST", 250)
    world = World()
    world.look("cam0", "cam1", "cam2", "cam3")
    for index in range(4):
        world.comes(index, 10.0 + index, b"x" * 100)
    assert world.look("cam0", "cam1", "cam2", "cam3").keys() == {"cam2", "cam3"}
    world.comes(3, 20.0, b"x" * 101)
    assert world.look("cam3")["cam3"].captured_at == 13.0
    assert world.live._bytes == 200


def test_no_more_cameras_are_looked_at_than_fit_on_a_wall(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live, "CAMERAS_AT_MOST", 2)
    world = World()
    world.look("cam0", "cam1", "cam2", "cam2")
    world.ticks()
    assert [worker.shows for worker in world.workers] == [{0: 320}, {1: 320}]


@pytest.mark.parametrize(("looks_a_second", "rate"), [(0.5, 1), (1, 1), (2, 2), (3, 4), (10, 12), (30, 12)])
def test_pictures_are_made_about_as_often_as_somebody_looks(looks_a_second: float, rate: float) -> None:
    interest, now = Interest(), 100.0
    for _ in range(40):
        now += 1 / looks_a_second
        interest.look(320, now)
    assert interest.every(now) == pytest.approx(1 / rate)


@given(looks=st.lists(st.tuples(st.floats(0, 5), st.integers(-5, 10_000)), max_size=60), ago=st.floats(0, 10))
def test_interest_is_bounded_and_ends(looks: list[tuple[float, int]], ago: float) -> None:
    interest, now = Interest(), 0.0
    for wait, width in looks:
        now += wait
        interest.look(width, now)
        assert live.NARROWEST <= interest.width(now) <= live.WIDEST
        assert len(interest._widths) <= WIDTHS_AT_MOST
        assert any(interest.every(now) == pytest.approx(1 / rate) for rate in RATES)
    if ago >= HOLDS_S or not looks:
        assert interest.width(now + ago + 1e-6) == 0


def test_what_is_left_out_is_counted_by_why(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live, "PICTURE_AT_MOST", 100)
    monkeypatch.setattr(live, "BYTES_AT_MOST", 150)
    world = World()
    world.look("cam0", "cam1")
    world.comes(0, 1.0, b"x" * 101)
    world.comes(0, 2.0, b"x" * 90)
    world.comes(1, 2.0, b"x" * 90)
    world.comes(1, 1.5, b"older than what there is")
    world.comes(2, 2.0, b"of a camera that nobody looks at")
    world.live.look(Look(cameras=(), dropped=7))
    view = world.live.view()
    assert (view.cameras, view.made) == (2, 3)
    assert view.dropped == {"slow": 7, "no_room": 2}
