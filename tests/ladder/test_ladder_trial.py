"""Steps up after one that failed: few cameras at a time, and more only when as many have held."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from ladder_machine import Cam, Machine
from vedette.ladder.pressure import Seen
from vedette.ladder.standing import PLAIN
from vedette.ladder.steps import Move
from vedette.ladder.trial import PROVEN_S, Trial, climbed, looked, lowered

THE_SAME = Seen(busy=0.7, cpu=0.9, age=0.1)


def tried(trial: Trial, now: float, cameras: int) -> Trial:
    before = {f"cam{number}": PLAIN for number in range(cameras)}
    return climbed(trial, now, before, None, (1, 0), THE_SAME)


def failed(cameras: int) -> tuple[Trial, float]:
    """So many went up, and had to go down again; and when that was."""
    return lowered(tried(Trial(), 1000.0, cameras), 1003.0, (1, 0)), 1003.0


def held(trial: Trial, now: float, cameras: int) -> tuple[Trial, float]:
    later = now + PROVEN_S + 1.0
    return looked(tried(trial, now, cameras), later, 10.0, THE_SAME), later


@given(st.integers(1, 1000), st.lists(st.integers(1, 1000), min_size=1, max_size=30))
def test_no_more_may_go_up_than_twice_as_many_as_held(first: int, wanted: list[int]) -> None:
    trial, now = failed(first)
    assert trial.most == max(1, first // 2)
    for cameras in wanted:
        going = min(cameras, trial.most)
        trial, now = held(trial, now, going)
        assert trial.most == 2 * going


def test_where_one_fits_at_a_time_a_thousand_are_never_tried_at_once() -> None:
    trial, now = failed(1)
    for _ in range(60):
        trial, now = held(trial, now, 1)
    assert trial.most == 2


def test_on_a_machine_that_is_full_a_probe_is_of_few_cameras_for_as_long_as_it_runs() -> None:
    cams = [Cam(f"cam{n}", worker=n % 2, fps=5, decode=0.008, disposable=0.0) for n in range(60)]
    machine = Machine(cams, noise=0.1, detector_s=0.012)
    machine.run(3600)
    late = [
        len(action.cameras)
        for at, action in machine.done
        if isinstance(action, Move) and action.step < action.was and at - 1000.0 > 600.0
    ]
    assert late
    assert max(late) <= 4
