"""The rules, on looks made by hand and on simulated camera-days."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable
from dataclasses import replace

import msgspec
import numpy as np
import pytest
from benchmarks.streams.camera_days import camera_days
from hypothesis import given, settings
from hypothesis import strategies as st

from vedette.causes import Cause
from vedette.health.conditions import Began, Change, Ended, PictureHealth
from vedette.health.picture import Features
from vedette.health.picture_state import PictureState

HEALTH = PictureHealth()


def view(seed: int) -> np.ndarray:
    cells = np.random.default_rng(seed).gamma(0.7, 1.0, (12, 96))
    cells -= cells.mean(axis=1, keepdims=True)
    return (0.9 * cells / np.linalg.norm(cells, axis=1, keepdims=True)).astype(np.float32)


HOME, ELSEWHERE, THIRD = view(1), view(2), view(3)
NORMAL = Features(
    width=640, height=360, luma=120.0, low=40.0, high=200.0, dark=0.05, bright=0.1, contrast=50.0,
    sharpness=0.5, colour=6.0, change=2.0, same=0.3, keyframes=1, edges=HOME,
    texture=np.full(12, 0.9, np.float32), region_luma=np.full(12, 120, np.float32),
)  # fmt: skip
BLANK = replace(NORMAL, edges=HOME * 0.1, texture=np.full(12, 0.1, np.float32), contrast=2.0)
DARK = replace(
    BLANK, luma=5.0, low=0.0, high=12.0, dark=1.0, region_luma=np.full(12, 5, np.float32), same=float("nan")
)
FROZEN = replace(NORMAL, same=1.0)


class Camera:
    """Runs the rules in simulated time and writes down what they say."""

    def __init__(self, state: PictureState | None = None) -> None:
        self.state, self.now = state or PictureState(), 5000.0
        self.said: list[tuple[float, Change]] = []

    def see(self, features: Features, looks: int = 1, every: float = 1.0) -> list[Change]:
        """So many looks; what was said in them."""
        before = len(self.said)
        for _ in range(looks):
            self.now += every
            self.state, changes = HEALTH.step(self.state, features, self.now)
            self.said += [(self.now, change) for change in changes]
        return [change for _, change in self.said[before:]]


@pytest.fixture
def camera() -> Camera:
    learnt = Camera()
    assert not learnt.see(NORMAL, 120)
    return learnt


def causes(changes: Iterable[Change]) -> list[tuple[type, Cause]]:
    return [(type(change), change.cause) for change in changes]


def test_darkness_is_told_after_some_seconds_and_taken_back(camera: Camera) -> None:
    began = camera.now + 1
    assert not camera.see(DARK, 4)
    (told,) = camera.see(DARK, 2)
    assert told == Began(Cause.DARK, began, "mean luma 5 of 255")
    assert not camera.see(DARK, 600)
    assert not camera.see(NORMAL, 2)
    assert camera.see(NORMAL, 2) == [Ended(Cause.DARK)]


def test_a_usable_night_picture_is_not_dark(camera: Camera) -> None:
    night = replace(
        NORMAL, luma=18.0, high=35.0, dark=0.8, texture=np.full(12, 0.6, np.float32), edges=HOME * 0.6
    )
    assert not camera.see(night, 600)


def test_a_night_at_the_edge_of_darkness_does_not_flicker(camera: Camera) -> None:
    texture = DARK.texture.copy()
    texture[:4] = 0.9
    nearly = replace(DARK, texture=texture, high=35.0)
    said = [change for _ in range(50) for change in camera.see(DARK, 6) + camera.see(nearly, 6)]
    assert causes(said) == [(Began, Cause.DARK)]


def test_a_burnt_in_clock_does_not_lighten_the_dark(camera: Camera) -> None:
    texture = DARK.texture.copy()
    texture[0] = 0.9
    assert causes(camera.see(replace(DARK, texture=texture), 10)) == [(Began, Cause.DARK)]


def test_a_camera_that_starts_in_the_dark_says_so() -> None:
    assert causes(Camera().see(DARK, 10)) == [(Began, Cause.DARK)]


def test_a_blown_out_picture_is_washed_out(camera: Camera) -> None:
    white = replace(BLANK, luma=250.0, low=245.0, high=255.0, bright=0.97, same=float("nan"))
    assert causes(camera.see(white, 8) + camera.see(NORMAL, 8)) == [
        (Began, Cause.WASHED_OUT),
        (Ended, Cause.WASHED_OUT),
    ]


def test_the_flash_of_an_infrared_switch_is_not_washed_out(camera: Camera) -> None:
    white = replace(BLANK, luma=250.0, low=245.0, high=255.0, bright=0.97, same=float("nan"))
    assert not camera.see(white, 3)
    assert not camera.see(replace(NORMAL, colour=0.2, luma=60.0), 300)


def hidden(count: int) -> Features:
    texture, edges = NORMAL.texture.copy(), HOME.copy()
    texture[:count], edges[:count] = 0.2, 0.2 * ELSEWHERE[:count]
    return replace(NORMAL, texture=texture, edges=edges)


def test_a_cover_is_told_at_once_and_a_partial_one_later(camera: Camera) -> None:
    assert causes(camera.see(hidden(12), 7)) == [(Began, Cause.COVERED)]
    assert causes(camera.see(NORMAL, 5)) == [(Ended, Cause.COVERED)]
    assert not camera.see(hidden(6), 9)
    (told,) = camera.see(hidden(6), 5)
    assert told == Began(Cause.COVERED, camera.now - 13, "edges vanished from 50% of the picture")


def test_a_cover_stays_told_for_as_long_as_it_is_there(camera: Camera) -> None:
    camera.see(hidden(12), 10)
    assert not camera.see(hidden(12), 20000)


def test_edges_that_vanish_slowly_are_no_cover(camera: Camera) -> None:
    for strength in np.linspace(0.9, 0.2, 600):
        fading = np.full(12, strength, np.float32)
        assert not camera.see(replace(NORMAL, texture=fading, edges=HOME * float(strength)))


def test_lights_put_out_are_no_cover(camera: Camera) -> None:
    out = replace(hidden(8), luma=40.0, region_luma=np.where(np.arange(12) < 8, 6, 120).astype(np.float32))
    assert not camera.see(out, 600)


def test_blur_is_told_against_the_cameras_own_sharpness(camera: Camera) -> None:
    assert not camera.see(replace(NORMAL, sharpness=0.3), 300)
    assert not camera.see(replace(NORMAL, sharpness=0.1), 11)
    assert causes(camera.see(replace(NORMAL, sharpness=0.1), 5)) == [(Began, Cause.BLURRED)]
    assert causes(camera.see(NORMAL, 10)) == [(Ended, Cause.BLURRED)]


def test_another_view_is_told_after_a_minute_and_ends_when_it_is_learnt(camera: Camera) -> None:
    away = replace(NORMAL, edges=ELSEWHERE)
    assert not camera.see(away, 60)
    assert causes(camera.see(away, 3)) == [(Began, Cause.MOVED)]
    assert not camera.see(away, 25)
    assert causes(camera.see(away, 10)) == [(Ended, Cause.MOVED)]
    assert not camera.see(away, 3000)
    assert causes(camera.see(NORMAL, 120)) == [(Began, Cause.MOVED), (Ended, Cause.MOVED)]


def shifted(edges: np.ndarray, right: int) -> np.ndarray:
    whole = edges.reshape(3, 4, 2, 6, 8).transpose(2, 0, 3, 1, 4).reshape(2, 18, 32)
    moved = np.roll(whole, right, 2).reshape(2, 3, 6, 4, 8).transpose(1, 3, 0, 2, 4)
    return np.ascontiguousarray(moved.reshape(12, 96))


def test_the_usual_edges_elsewhere_are_told_soon(camera: Camera) -> None:
    away = replace(NORMAL, edges=shifted(HOME, 6))
    assert not camera.see(away, 12)
    assert causes(camera.see(away, 3)) == [(Began, Cause.MOVED)]


def test_a_camera_that_looks_back_ends_the_move(camera: Camera) -> None:
    camera.see(replace(NORMAL, edges=ELSEWHERE), 65)
    assert causes(camera.see(NORMAL, 6)) == [(Ended, Cause.MOVED)]
    assert not camera.see(NORMAL, 600)


def test_a_camera_that_turns_on_is_learnt_where_it_comes_to_rest(camera: Camera) -> None:
    camera.see(replace(NORMAL, edges=ELSEWHERE), 65)
    last = replace(NORMAL, edges=THIRD)
    assert not camera.see(last, 25)
    assert causes(camera.see(last, 15)) == [(Ended, Cause.MOVED)]
    assert not camera.see(last, 600)


def test_a_lorry_before_the_camera_is_no_move(camera: Camera) -> None:
    edges = HOME.copy()
    edges[:9] = ELSEWHERE[:9]
    assert not camera.see(replace(NORMAL, edges=edges), 900)


def test_something_that_hides_all_and_goes_on_is_no_move(camera: Camera) -> None:
    for seed in range(10, 30):
        assert not camera.see(replace(NORMAL, edges=view(seed)), 20)


def test_a_change_of_light_that_keeps_some_edges_is_no_move(camera: Camera) -> None:
    night = 0.25 * HOME + 0.97 * ELSEWHERE
    assert not camera.see(replace(NORMAL, edges=night, colour=0.1, luma=50.0), 3000)
    assert not camera.see(NORMAL, 600)


def test_a_frozen_picture_is_told_once_three_keyframes_did_not_change_it(camera: Camera) -> None:
    began = camera.now
    assert not camera.see(FROZEN, 14)
    assert camera.see(FROZEN, 3) == [Began(Cause.FROZEN, began, "16 looks alike to the bit")]
    assert causes(camera.see(NORMAL, 3)) == [(Ended, Cause.FROZEN)]


def test_a_quiet_scene_between_keyframes_is_not_frozen(camera: Camera) -> None:
    for _ in range(60):
        assert not camera.see(replace(NORMAL, same=0.7, keyframes=1))
        assert not camera.see(replace(FROZEN, keyframes=0), 40)


def test_without_word_of_keyframes_it_takes_longer_than_the_camera_ever_stood_still(camera: Camera) -> None:
    untold, alive = replace(FROZEN, keyframes=None), replace(NORMAL, keyframes=None)
    for _ in range(20):
        assert not camera.see(untold, 25) + camera.see(alive)
    assert not camera.see(untold, 55)
    assert causes(camera.see(untold, 15)) == [(Began, Cause.FROZEN)]


def test_a_camera_frozen_from_the_start_is_told_after_a_minute() -> None:
    camera = Camera()
    assert not camera.see(FROZEN, 58)
    assert causes(camera.see(FROZEN, 6)) == [(Began, Cause.FROZEN)]


def test_one_requantised_picture_does_not_thaw_a_frozen_camera(camera: Camera) -> None:
    camera.see(FROZEN, 30)
    for _ in range(20):
        assert not camera.see(replace(NORMAL, same=0.4)) + camera.see(FROZEN, 10)
    assert causes(camera.see(NORMAL, 2)) == [(Ended, Cause.FROZEN)]


def test_a_thawed_camera_with_a_quiet_scene_is_not_held_to_be_frozen(camera: Camera) -> None:
    camera.see(FROZEN, 30)
    said = [
        change
        for _ in range(4)
        for change in camera.see(replace(NORMAL, same=0.5)) + camera.see(replace(FROZEN, keyframes=0), 4)
    ]
    assert causes(said) == [(Ended, Cause.FROZEN)]


def test_a_quiet_scene_does_not_keep_a_camera_from_learning() -> None:
    camera = Camera()
    for _ in range(40):
        assert not camera.see(replace(NORMAL, same=0.7)) + camera.see(replace(FROZEN, keyframes=0), 4)
    assert causes(camera.see(hidden(12), 8)) == [(Began, Cause.COVERED)]


def test_looks_ten_seconds_apart_are_judged_too(camera: Camera) -> None:
    rare = Camera()
    rare.see(NORMAL, 60, every=10)
    assert causes(rare.see(DARK, 4, every=10)) == [(Began, Cause.DARK)]
    assert causes(rare.see(NORMAL, 3, every=10)) == [(Ended, Cause.DARK)]
    assert causes(rare.see(FROZEN, 12, every=10)) == [(Began, Cause.FROZEN)]


def test_a_late_look_proves_nothing_about_the_time_between(camera: Camera) -> None:
    camera.see(DARK, 2)
    assert not camera.see(DARK, 1, every=3600)
    assert not camera.see(DARK, 1)
    assert causes(camera.see(DARK, 3)) == [(Began, Cause.DARK)]


def test_a_clock_that_goes_back_is_survived(camera: Camera) -> None:
    assert not camera.see(NORMAL, 1, every=-1000)
    assert not camera.see(NORMAL, 100)
    assert causes(camera.see(DARK, 8)) == [(Began, Cause.DARK)]


def test_another_resolution_starts_afresh_and_ends_what_was_told(camera: Camera) -> None:
    camera.see(hidden(12), 10)
    assert causes(camera.see(replace(NORMAL, width=1280, height=720, edges=ELSEWHERE))) == [
        (Ended, Cause.COVERED)
    ]
    assert not camera.see(replace(NORMAL, width=1280, height=720, edges=ELSEWHERE), 600)


def test_another_process_can_go_on_with_the_state(camera: Camera) -> None:
    camera.see(hidden(12), 3)
    written = msgspec.msgpack.encode(camera.state)
    assert len(written) < 30_000
    other = Camera(msgspec.msgpack.decode(written, type=PictureState))
    other.now = camera.now
    assert causes(other.see(hidden(12), 4)) == [(Began, Cause.COVERED)]


KINDS: list[Callable[[], Features]] = [
    lambda: NORMAL,
    lambda: DARK,
    lambda: FROZEN,
    lambda: hidden(12),
    lambda: hidden(6),
    lambda: replace(NORMAL, edges=ELSEWHERE),
    lambda: replace(NORMAL, sharpness=0.05),
    lambda: replace(NORMAL, luma=40.0, colour=0.0),
]


@settings(max_examples=60, deadline=None)
@given(
    st.lists(
        st.tuples(
            st.integers(0, len(KINDS) - 1),
            st.integers(1, 40),
            st.sampled_from([-5.0, 0.0, 0.5, 1.0, 2.0, 9.0, 400.0]),
        ),
        max_size=25,
    )
)
def test_each_condition_begins_and_ends_in_turn_whatever_is_seen(
    course: list[tuple[int, int, float]],
) -> None:
    camera, told = Camera(), set()
    for kind, looks, every in course:
        for change in camera.see(KINDS[kind](), looks, every):
            assert (change.cause in told) == isinstance(change, Ended)
            told ^= {change.cause}
    assert told == {watch.cause for watch in camera.state.watches if watch.told}


@pytest.mark.parametrize("seed", [501, 502, 503])
def test_nothing_is_told_in_a_simulated_camera_day(seed: int) -> None:
    camera, every = Camera(), 4.0
    for features in itertools.islice(camera_days(seed, 1.0, every), None):
        camera.see(features, 1, every)
    assert camera.said == []
