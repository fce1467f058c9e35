from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from vedette.sim import AccessUnit, Clip
from vedette.sim.camera import MAX_LATE_S, SimulatedCamera

CLIP = Clip("h264", 16, 16, 25.0, b"", b"", tuple(AccessUnit(i % 4 == 0, (b"x",)) for i in range(10)))
rates = st.floats(0.5, 240)
moments = st.floats(0, 1e6)


def camera(fps: float, start: float = 0.0) -> SimulatedCamera:
    made = SimulatedCamera(5, "cam5", CLIP, fps=fps, seed=1)
    made.start(start)
    return made


@given(rates, moments, st.floats(0, 1e5))
def test_the_next_frame_is_due_within_one_interval(fps: float, start: float, later: float) -> None:
    cam = camera(fps, start)
    cam.catch_up(start + later)
    assert -1e-6 <= cam.due(cam.number) - (start + later) <= 1 / fps + 1e-6


@given(rates, st.integers(0, 10**6))
def test_schedule_and_rtp_clock_agree(fps: float, number: int) -> None:
    cam = camera(fps)
    difference = (cam.timestamp(number) - cam.timestamp_at(cam.due(number))) % 2**32
    assert difference in (0, 1, 2**32 - 1)


@given(rates, st.floats(0, 100))
def test_a_simulator_held_up_for_long_leaves_frames_out(fps: float, held_up: float) -> None:
    cam = camera(fps)
    now = cam.due(0) + held_up
    taken = cam.take(now)
    assert taken == cam.counts.late == cam.number - 1
    if held_up > MAX_LATE_S:
        assert cam.due(taken) <= now + 1e-6
        assert cam.due(cam.number) > now - 1e-6
    else:
        assert taken == 0
