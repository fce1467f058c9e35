"""What holds for every tracker we offer."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from itertools import count

import numpy as np
import pytest

from vedette.errors import ConfigError
from vedette.track.tracker import KINDS, Tracker, make_tracker

FOLLOWING = [kind for kind in KINDS if kind != "none"]


@pytest.fixture(autouse=True)
def nothing_is_muttered() -> Iterator[None]:
    """The library warns where it leaves out an update; that must not happen."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        yield


@pytest.fixture
def ids() -> count[int]:
    return count(1)


def made(kind: str, ids: count[int], confidence: float = 0.4) -> Tracker:
    return make_tracker(kind, {}, confidence, lambda: next(ids))


def see(tracker: Tracker, captured: float, *boxes: tuple[float, float], confidence: float = 0.9) -> list[int]:
    """Ids of people of 40 × 100 pixels whose left upper corners are given."""
    corners = np.array(boxes, np.float32).reshape(-1, 2)
    xyxy = np.hstack([corners, corners + np.array([40, 100], np.float32)]).astype(np.float32)
    found = tracker.update(
        xyxy, np.full(len(xyxy), confidence, np.float32), np.zeros(len(xyxy), np.int32), captured
    )
    assert found.dtype == np.int64
    assert found.shape == (len(xyxy),)
    return found.tolist()


@pytest.mark.parametrize("kind", KINDS)
def test_nothing_seen_is_no_trouble(kind: str, ids: count[int]) -> None:
    tracker = made(kind, ids)
    assert see(tracker, 100.0) == []
    see(tracker, 100.1, (10, 10))
    assert see(tracker, 100.2) == []


@pytest.mark.parametrize("kind", KINDS)
def test_one_id_for_each_box_in_the_order_of_the_boxes(kind: str, ids: count[int]) -> None:
    tracker, rng = made(kind, ids), np.random.default_rng(3)
    people = np.array([[100.0 * n, 50.0] for n in range(8)])
    owner: dict[int, int] = {}
    for step in range(30):
        people += [2.0, 0.5]
        # The detector gives them in another order each time.
        order = rng.permutation(8)
        found = see(tracker, 100 + step * 0.04, *[tuple(people[n]) for n in order])
        named = [(int(person), track) for person, track in zip(order, found, strict=True) if track >= 0]
        for person, track in named:
            assert owner.setdefault(track, person) == person
        assert len({track for _, track in named}) == len(named)
    assert len(owner) == (0 if kind == "none" else 8)


def test_no_tracker_follows_nobody(ids: count[int]) -> None:
    tracker = made("none", ids)
    assert [see(tracker, 100.0 + n, (10, 10)) for n in range(5)] == [[-1]] * 5
    assert next(ids) == 1


# Two seconds are what cameras have between keyframes; 0.04 s are 25 frames a second.
@pytest.mark.parametrize("every", [0.04, 0.2, 1.0, 1.03, 2.0, 4.0])
@pytest.mark.parametrize("kind", FOLLOWING)
def test_a_smoothly_moving_box_keeps_its_id(kind: str, every: float, ids: count[int]) -> None:
    tracker = made(kind, ids)
    found = [see(tracker, 100.0 + n * every, (10.0 + 4 * n, 20.0))[0] for n in range(40)]
    assert found[3:] == [1] * 37
    assert set(found) <= {-1, 1}


@pytest.mark.parametrize("kind", FOLLOWING)
def test_frames_that_come_at_odd_moments_change_no_id(kind: str, ids: count[int]) -> None:
    tracker, rng, at = made(kind, ids), np.random.default_rng(8), 100.0
    found = []
    for _ in range(100):
        at += float(rng.choice([0.01, 0.04, 0.1, 0.3, 1.2]))
        found += see(tracker, at, (200.0 + 5 * (at - 100), 80.0))
    assert set(found[5:]) == {1}


@pytest.mark.parametrize("kind", FOLLOWING)
def test_capture_times_that_step_back_cost_no_id(kind: str, ids: count[int]) -> None:
    """They do when the first frames of a session were under way for longer than the next."""
    tracker = made(kind, ids)
    times = [100.0, 100.04, 100.28, 100.12, 100.16, 100.2, 100.2, 100.24, 100.32]
    found = [see(tracker, at, (10.0 + n, 20.0))[0] for n, at in enumerate(times)]
    assert found[2:] == [1] * 7


@pytest.mark.parametrize("kind", FOLLOWING)
def test_a_moment_behind_a_tree_changes_no_id(kind: str, ids: count[int]) -> None:
    tracker = made(kind, ids)
    for n in range(20):
        see(tracker, 100 + n * 0.04, (10.0 + n, 20.0))
    for n in range(20, 25):
        assert see(tracker, 100 + n * 0.04) == []
    after = [see(tracker, 100 + n * 0.04, (10.0 + n, 20.0))[0] for n in range(25, 32)]
    assert after[-1] == 1


@pytest.mark.parametrize("kind", FOLLOWING)
def test_after_a_long_time_it_is_somebody_else(kind: str, ids: count[int]) -> None:
    tracker = made(kind, ids)
    for n in range(10):
        see(tracker, 100 + n * 0.04, (10.0, 20.0))
    found = [see(tracker, 160 + n * 0.04, (10.0, 20.0))[0] for n in range(10)]
    assert found[-1] == 2
    assert 1 not in found


@pytest.mark.parametrize("kind", FOLLOWING)
def test_what_is_only_just_detected_continues_a_track_and_begins_none(kind: str, ids: count[int]) -> None:
    if kind == "ocsort":  # whatever is detected may begin a track there
        return
    tracker = made(kind, ids, confidence=0.4)
    for n in range(10):
        assert see(tracker, 100 + n * 0.04, (300.0, 20.0), confidence=0.42) == [-1]
    for n in range(10, 20):
        found = see(tracker, 100 + n * 0.04, (300.0, 20.0), confidence=0.9)
    assert found == [1]
    for n in range(20, 30):
        assert see(tracker, 100 + n * 0.04, (300.0, 20.0), confidence=0.42) == [1]


@pytest.mark.parametrize("kind", FOLLOWING)
def test_no_id_is_given_twice_by_two_trackers_of_a_camera(kind: str, ids: count[int]) -> None:
    def lived() -> set[int]:
        tracker = made(kind, ids)
        found = [see(tracker, 100 + n * 0.04, (10.0 + n, 20.0), (200.0, 20.0 + n)) for n in range(10)]
        return {track for frame in found for track in frame if track >= 0}

    first, second = lived(), lived()
    assert len(first) == len(second) == 2
    assert not first & second


@pytest.mark.parametrize("kind", FOLLOWING)
def test_options_that_the_library_refuses_are_a_mistake_in_the_configuration(kind: str) -> None:
    with pytest.raises(ConfigError, match=f"tracker {kind}: .*no_such_option"):
        make_tracker(kind, {"no_such_option": 1}, 0.4, lambda: 1)


@pytest.mark.parametrize("kind", FOLLOWING)
def test_options_go_to_the_library(kind: str, ids: count[int]) -> None:
    tracker = make_tracker(kind, {"lost_track_buffer": 3}, 0.4, lambda: next(ids))
    for n in range(10):
        see(tracker, 100 + n * 0.04, (10.0, 20.0))
    for n in range(10, 16):
        see(tracker, 100 + n * 0.04)
    found = [see(tracker, 100 + n * 0.04, (10.0, 20.0))[0] for n in range(16, 22)]
    assert found[-1] == 2, "three frames of patience are over"
