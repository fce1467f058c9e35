"""Cameras that connect while the node cannot do all."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from vedette.ladder.joining import FEW, joined
from vedette.ladder.policy import State, began, step
from vedette.ladder.standing import KEYFRAMES_APART_MOST_S, PLAIN, Standing
from vedette.ladder.steps import CameraLoad, Load, Move, Step

LIVE = CameraLoad(name="", fps_in=5, analysed=0.1, decode=0.004, keyframe_every=2.0, decoded=5)
COMING = CameraLoad(name="", live=False)


def cameras(kind: CameraLoad, count: int, prefix: str, weight: float = 1.0) -> tuple[CameraLoad, ...]:
    return tuple(replace(kind, name=f"{prefix}{number}", weight=weight) for number in range(count))


def pressed(state: State, load: Load, seconds: float, now: float) -> tuple[State, list[Move], float]:
    moves: list[Move] = []
    for _ in range(int(2 * seconds)):
        now += 0.5
        state, actions = step(state, load, now)
        moves += [action for action in actions if isinstance(action, Move)]
    return state, moves, now


def test_those_that_are_to_come_stand_where_the_others_are_put() -> None:
    load = Load(cameras=cameras(LIVE, 40, "live") + cameras(COMING, 100, "new"), busy=(1.0,), late=(0.7,))
    state, moves, _ = pressed(began(), load, 30, 1000.0)
    assert {state.step(camera.name) for camera in load.cameras} == {Step.KEYFRAMES}
    assert len([move for move in moves if "new0" in move.cameras]) <= 3, "all of them at once, step by step"


def test_they_go_up_with_the_others_too() -> None:
    load = Load(cameras=cameras(LIVE, 40, "live") + cameras(COMING, 10, "new"), busy=(1.0,), late=(0.7,))
    state, _, now = pressed(began(), load, 30, 1000.0)
    state, _, _ = pressed(state, replace(load, busy=(0.01,), late=(0.0,)), 300, now)
    assert {state.step(camera.name) for camera in load.cameras} == {Step.FULL}


def test_a_node_that_is_well_lets_them_begin_with_everything() -> None:
    load = Load(cameras=cameras(LIVE, 40, "live") + cameras(COMING, 10, "new"), busy=(0.3,))
    _, moves, _ = pressed(began(), load, 30, 1000.0)
    assert not moves


def test_a_few_say_nothing_about_many() -> None:
    few = cameras(LIVE, FEW - 1, "live")
    standings = {camera.name: Standing(thin=Step.KEYFRAMES) for camera in few}
    assert not joined(Load(cameras=few + cameras(COMING, 10, "new")), standings)


def test_nobody_is_let_go_before_anything_was_seen_of_it() -> None:
    live = cameras(LIVE, 20, "live")
    standings = {camera.name: Standing(thin=Step.PAUSED, limit=1.0) for camera in live}
    after = joined(Load(cameras=live + cameras(COMING, 1, "new")), standings)
    assert after["new0"].thin is Step.KEYFRAMES


def test_each_joins_those_that_matter_as_much() -> None:
    low, high = cameras(LIVE, 20, "low", 0.5), cameras(LIVE, 20, "high", 2.0)
    coming = cameras(COMING, 1, "a", 0.5) + cameras(COMING, 1, "b", 2.0)
    standings = {camera.name: Standing(thin=Step.KEYFRAMES, limit=1.0) for camera in low}
    after = joined(Load(cameras=low + high + coming), standings)
    assert set(after) == {"a0"}


def test_its_own_limit_is_kept_to() -> None:
    live = cameras(LIVE, 20, "live")
    standings = {camera.name: Standing(thin=Step.FEWER, limit=2.0) for camera in live}
    slow = replace(COMING, name="slow", max_fps=0.5)
    assert joined(Load(cameras=(*live, slow)), standings)["slow"].limit == 0.5


def test_one_that_has_no_keyframes_is_not_left_waiting_for_them() -> None:
    live = cameras(LIVE, 20, "live")
    load = Load(cameras=(*live, replace(COMING, name="new")), busy=(1.0,), late=(0.7,))
    state, _, now = pressed(began(), load, 30, 1000.0)
    assert state.step("new") is Step.KEYFRAMES
    seen = replace(LIVE, name="new", keyframe_every=0.0)
    state, _, _ = pressed(state, replace(load, cameras=(*live, seen)), KEYFRAMES_APART_MOST_S + 2, now)
    assert state.step("new") is Step.REFERENCE


@given(st.lists(st.sampled_from(Step), min_size=0, max_size=30), st.integers(0, 5))
def test_only_those_that_were_never_seen_are_moved(steps: list[Step], coming: int) -> None:
    live = cameras(LIVE, len(steps), "live")
    away = (replace(LIVE, name="away", live=False),)
    standings = {camera.name: Standing(thin=at) for camera, at in zip(live, steps, strict=True)}
    load = Load(cameras=live + away + cameras(COMING, coming, "new"))
    after = joined(load, standings)
    assert all(name.startswith("new") for name in after)
    assert not joined(load, standings | after), "once is enough"
    assert all(standing.thin <= Step.KEYFRAMES for standing in after.values())
    assert PLAIN not in after.values() or not after
