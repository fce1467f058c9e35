"""Frames that are shown to a candidate, too: which, when its slot is whose, and what is counted."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import av
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vedette.workers.aside import Aside
from vedette.workers.protocol import Channel, Freed, Hello, Output, Shown, pair
from vedette.workers.slots import Slots
from vedette.workers.table import Table

SLOTS = 2


def image(grey: int = 100) -> Any:
    return av.VideoFrame.from_ndarray(np.full((48, 64, 3), grey, np.uint8), format="rgb24")


def output(index: int = 0) -> Output:
    box = np.array([[1, 2, 3, 4]], np.float32).tobytes()
    return Output(index, 0, 7, 1000.5, 1000.6, 0.1, 64, 48, box, b"", b"", b"", ["car"])


class Rig:
    """A camera worker's part of it; the test plays the shadow worker."""

    def __init__(self, share: float = 1.0) -> None:
        self.table = Table.create(2, 1)
        self.table.header["shadow_share"] = share
        self.draws = 0.0
        self.aside = Aside(self.table, lambda: self.draws)
        one, other = pair()
        self.shadow = Channel(one)
        self.aside.meet(Channel(other))
        self.slots, fd = Slots.create(SLOTS, 24, 32)
        self.shadow.send(Hello(SLOTS, 24, 32), [fd])
        self.aside.hear()

    def counted(self, index: int = 0) -> dict[str, int]:
        found = {why: int(self.table.rows[f"shadow_{why}"][index]) for why in ("busy", "load", "ended")}
        return {why: count for why, count in found.items() if count}

    def shown(self) -> Shown | None:
        heard = self.shadow.receive()
        return None if heard is None else heard[0]


@pytest.fixture
def rig() -> Rig:
    return Rig()


def test_a_frame_is_shown_once_its_result_has_left(rig: Rig) -> None:
    assert rig.aside.draw(1, 0)
    rig.aside.fill(1, image(200))
    assert rig.shown() is None
    rig.aside.came_back(1, output())
    shown = rig.shown()
    assert shown is not None
    assert (shown.index, shown.captured_at, shown.class_names) == (0, 1000.5, ["car"])
    assert (rig.slots[shown.slot] == 200).all()
    assert rig.counted() == {}


def test_a_result_may_be_there_before_the_picture_is_converted(rig: Rig) -> None:
    rig.aside.draw(1, 0)
    rig.aside.came_back(1, output())
    assert rig.shown() is None
    rig.aside.fill(1, image())
    assert rig.shown() is not None


def test_none_is_drawn_above_the_share(rig: Rig) -> None:
    rig.table.header["shadow_share"] = 0.1
    rig.draws = 0.1
    assert not rig.aside.draw(1, 0)
    rig.draws = 0.09
    assert rig.aside.draw(2, 0)
    rig.table.header["shadow_share"] = 0.0
    assert not rig.aside.draw(3, 0)
    assert rig.counted() == {}


def test_while_the_node_has_enough_to_do_none_is_shown_and_that_is_counted(rig: Rig) -> None:
    rig.table.header["shadow_waits"] = 1
    assert not rig.aside.draw(1, 1)
    assert rig.counted(1) == {"load": 1}


def test_where_there_is_no_room_it_is_left_out_until_a_slot_is_free(rig: Rig) -> None:
    for ticket in range(SLOTS):
        assert rig.aside.draw(ticket, 0)
        rig.aside.fill(ticket, image())
        rig.aside.came_back(ticket, output())
    assert not rig.aside.draw(9, 0)
    assert rig.counted() == {"busy": 1}
    shown = rig.shown()
    assert shown is not None
    rig.shadow.send(Freed(shown.slot))
    rig.aside.hear()
    assert rig.aside.draw(10, 0)


@pytest.mark.parametrize("filled_first", [True, False])
def test_one_without_a_result_gives_its_slot_back(rig: Rig, filled_first: bool) -> None:
    for ticket in range(10):
        assert rig.aside.draw(ticket, 0)
        if filled_first:
            rig.aside.fill(ticket, image())
        rig.aside.came_back(ticket, None)
        if not filled_first:
            rig.aside.fill(ticket, image())
    assert rig.shown() is None
    assert rig.counted() == {"ended": 10}


def test_one_that_was_not_taken_after_all_gives_its_slot_back(rig: Rig) -> None:
    for ticket in range(10):
        assert rig.aside.draw(ticket, 0)
        rig.aside.fill(ticket, None)
        rig.aside.came_back(ticket, None)
    assert rig.counted() == {"ended": 10}


def test_a_candidate_that_is_gone_is_shown_nothing_and_the_next_one_is(rig: Rig) -> None:
    rig.aside.draw(1, 0)
    rig.shadow.close()
    with pytest.raises(EOFError):
        rig.aside.hear()
    rig.aside.lose()
    rig.aside.fill(1, image())
    rig.aside.came_back(1, output())
    assert not rig.aside.draw(2, 0)
    assert rig.counted() == {"ended": 1}
    again = Rig()
    assert again.aside.draw(1, 0)


def test_two_threads_may_be_at_frames_of_one_camera(rig: Rig) -> None:
    pictures = [av.VideoFrame.from_ndarray(np.full((1080, 1920, 3), grey, np.uint8)) for grey in (40, 220)]

    def show(which: int) -> None:
        for number in range(100):
            ticket = which + 2 * number
            assert rig.aside.draw(ticket, 0)
            rig.aside.fill(ticket, pictures[which])
            rig.aside.came_back(ticket, None)

    with ThreadPoolExecutor(2) as threads:
        list(threads.map(show, (0, 1)))
    assert rig.counted() == {"ended": 200}


events = st.lists(
    st.tuples(st.sampled_from(["draw", "fill", "lost", "done", "gone", "free"]), st.integers(0, 5))
)


@settings(max_examples=60, deadline=None)
@given(events)
def test_no_slot_is_ever_lost_or_given_twice(steps: list[tuple[str, int]]) -> None:
    rig, with_shadow = Rig(), []
    for step, ticket in steps:
        match step:
            case "draw":
                if ticket not in rig.aside._held:
                    rig.aside.draw(ticket, 0)
            case "fill" if not (ticket in rig.aside._held and rig.aside._held[ticket].filled):
                rig.aside.fill(ticket, image())
            case "lost":
                rig.aside.fill(ticket, None)
            case "done":
                rig.aside.came_back(ticket, output())
            case "gone":
                rig.aside.came_back(ticket, None)
            case "free" if with_shadow:
                rig.shadow.send(Freed(with_shadow.pop()))
                rig.aside.hear()
        while (shown := rig.shown()) is not None:
            with_shadow.append(shown.slot)
        assert rig.aside._desk is not None
        held = [each.slot for each in rig.aside._held.values()]
        assert sorted([*rig.aside._desk.free, *held, *with_shadow]) == list(range(SLOTS))
