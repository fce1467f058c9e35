"""When a frame was captured: steady under jitter, never in the future, and no blind trust."""

from __future__ import annotations

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vedette.ingest.capture import BELIEVABLE_S, WINDOW_S, CaptureClock

OFFSET = 1_700_000_000.0
START = 5_000.0
FPS = 25.0


class Camera:
    """True capture times on our clock; its own clock starts elsewhere and may run a little off."""

    def __init__(self, *, origin: float = 123_456.0, drift: float = 0.0) -> None:
        self._origin, self._drift = origin, drift

    def pts(self, captured: float) -> float:
        return self._origin + (captured - START) * (1 + self._drift)


def errors(
    camera: Camera, delays: list[float], *, every: float = 1 / FPS, clock: CaptureClock | None = None
) -> list[float]:
    """Found less true capture times, in s. Frames arrive in order, as they do over TCP."""
    clock = clock or CaptureClock(OFFSET)
    found, arrived = [], 0.0
    for number, delay in enumerate(delays):
        captured = START + number * every
        arrived = max(arrived, captured + delay)
        at = clock.captured(camera.pts(captured), arrived)
        assert at <= arrived
        found.append(at - captured)
    return found


@settings(max_examples=30, deadline=None)
@given(
    seed=st.integers(0, 2**32),
    drift=st.floats(-100e-6, 100e-6),
    least=st.floats(0, 0.1),
    origin=st.floats(-1e6, 1e6),
)
def test_jitter_of_the_network_does_not_move_capture_times(
    seed: int, drift: float, least: float, origin: float
) -> None:
    rng = random.Random(seed)
    # 160 s in which every fifth frame is held up by 0..400 ms, and those behind it with it.
    delays = [least + rng.uniform(0, 0.4 if rng.random() < 0.2 else 0.01) for _ in range(1600)]
    found = errors(Camera(origin=origin, drift=drift), delays, every=0.1)[50:]
    # Drift is followed within two windows: 100 ppm of 60 s are 6 ms.
    assert max(found) - min(found) < 0.03
    assert least - 0.01 < min(found)
    assert max(found) < least + 0.03


def test_without_jitter_capture_is_exact_from_the_first_frame() -> None:
    assert errors(Camera(), [0.02] * 50) == pytest.approx([0.02] * 50)


def test_a_queue_that_builds_up_shows_as_age() -> None:
    delays = [0.02] * 50 + [0.02 + 0.01 * n for n in range(100)]
    assert errors(Camera(), delays)[-1] == pytest.approx(0.02, abs=1e-6)


def test_a_clock_that_was_set_is_followed_at_once() -> None:
    for jump in (-86_400.0, -6.0, 6.0, 86_400.0):
        clock = CaptureClock(OFFSET)
        errors(Camera(origin=0.0), [0.03] * 100, clock=clock)
        after = START + 4.0
        for number in range(100):
            captured = after + number / FPS
            at = clock.captured(captured - START + jump, captured + 0.03)
            assert at == pytest.approx(captured + 0.03)


def test_a_route_that_became_longer_is_believed_within_two_windows() -> None:
    frames = int(FPS * WINDOW_S)
    found = errors(Camera(), [0.02] * frames + [0.5] * (3 * frames))
    assert found[frames + 10] == pytest.approx(0.02)
    assert found[-1] == pytest.approx(0.5)


def test_a_believable_sender_report_is_taken_at_its_word() -> None:
    clock = CaptureClock(OFFSET)
    for delay in (0.0, 0.08, 0.3, BELIEVABLE_S - 0.01):
        assert clock.captured(7.0, START + delay, OFFSET + START) == pytest.approx(START, abs=1e-6)


@pytest.mark.parametrize("wrong_by", [-3600.0, -1.0, 1.0, 3600.0, 1e9])
def test_a_camera_with_a_wrong_clock_is_not_believed(wrong_by: float) -> None:
    clock = CaptureClock(OFFSET)
    for number in range(10):
        arrived = START + number / FPS
        assert clock.captured(number / FPS, arrived, OFFSET + arrived + wrong_by) == pytest.approx(arrived)


def test_a_camera_a_hair_ahead_of_us_sends_no_frames_from_the_future() -> None:
    clock = CaptureClock(OFFSET)
    assert clock.captured(0.0, START, OFFSET + START + 0.04) == START


@given(
    frames=st.lists(
        st.tuples(
            st.floats(-1e9, 1e9),
            st.floats(0, 1e3),
            st.none() | st.floats(-1e10, 1e10) | st.floats(OFFSET - 10, OFFSET + 10_000),
        ),
        min_size=1,
        max_size=50,
    )
)
def test_no_stream_makes_a_frame_that_is_captured_after_it_arrived(
    frames: list[tuple[float, float, float | None]],
) -> None:
    clock, arrived = CaptureClock(OFFSET), START
    for pts, later, sender_time in frames:
        arrived += later
        assert clock.captured(pts, arrived, sender_time) <= arrived


def test_frames_held_up_for_seconds_are_as_old_as_they_are() -> None:
    clock = CaptureClock(0.0)
    for number in range(50):
        clock.captured(number / 25, 100 + number / 25)
    # The network stands still for eight seconds; then everything comes at once.
    ages = [110 + i / 1000 - clock.captured(2 + i / 25, 110 + i / 1000) for i in range(200)]
    assert ages[0] == pytest.approx(8.0, abs=0.01)
    assert ages == sorted(ages, reverse=True)
    assert ages[-1] < 0.3


def test_a_camera_whose_clock_stood_still_is_believed_again_soon() -> None:
    clock = CaptureClock(0.0)
    for number in range(50):
        clock.captured(number / 25, 100 + number / 25)
    # It was suspended: its clock goes on where it stopped, its frames are fresh.
    ages = [110 + i / 25 - clock.captured(2 + i / 25, 110 + i / 25) for i in range(100)]
    assert ages[0] == pytest.approx(8.0, abs=0.01)
    assert ages[-1] == pytest.approx(0.0, abs=0.01)
