"""The ladder in simulated time: a small machine with cameras, a detector and others on it obeys it."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ladder_machine import LOOK_S, Cam, Machine
from vedette.frame import Rung
from vedette.ladder.policy import began, step, thinned
from vedette.ladder.steps import CameraLoad, Load, Move, Resize, Step

Moves = list[tuple[float, Move]]


def fleet(count: int, workers: int = 2, name: str = "c", **rest: float) -> list[Cam]:
    return [Cam(f"{name}{i:03}", worker=i % workers, **rest) for i in range(count)]  # type: ignore[arg-type]


def moves(machine: Machine) -> Moves:
    return [(at, action) for at, action in machine.done if isinstance(action, Move)]


def steps(machine: Machine, name: str = "") -> set[Step]:
    return {cam.step for cam in machine.cams if cam.name.startswith(name)}


def competing(cams: list[Cam], others: float = 6) -> Machine:
    """Well for a while; then somebody else takes the cores."""
    machine = Machine(cams)
    machine.run(20)
    assert not machine.done, "it was well"
    machine.others = others
    return machine


def heavy(count: int = 24, **rest: float) -> list[Cam]:
    return fleet(count, decode=0.0013, **rest)


def test_a_node_that_is_well_is_left_alone() -> None:
    machine = Machine(fleet(16), noise=0.03)
    machine.run(600)
    assert not machine.done
    assert not machine.state.cameras


def test_a_detector_without_rest_is_no_reason_to_do_less() -> None:
    machine = Machine(fleet(16, keyframe_every=4.0), cores=4, detector_s=0.01)
    assert machine.load().detector == 1.0
    machine.run(120)
    assert not machine.done


def test_cores_without_rest_are_no_reason_to_do_less() -> None:
    cameras = (CameraLoad(name="a", fps_in=25, analysed=25, decode=0.001),)
    state = began()
    for look in range(100):
        state, actions = step(
            state, Load(cameras=cameras, busy=(0.5,), waited=(0.1,), late=(0.05,), cpu=1.0), look / 2
        )
        assert actions == []


def test_steps_down_within_three_seconds_and_goes_on_while_it_must() -> None:
    machine = competing(heavy())
    assert machine.run(10, until=lambda: bool(machine.done)) <= 3.0
    machine.run(10)
    times = [at for at, _ in moves(machine)]
    assert all(1.0 <= later - at <= 3.0 for at, later in pairwise(times) if at != later)
    assert max(machine.load().busy) < 0.92, "until it is relieved"


def test_says_why_with_the_numbers() -> None:
    machine = competing(heavy())
    machine.run(3)
    why = moves(machine)[0][1].why
    assert "has no rest" in why
    assert "% busy" in why
    assert "waiting for a core" in why


def test_is_back_at_full_within_fifteen_seconds_after_the_load() -> None:
    machine = competing(heavy())
    machine.run(60)
    assert steps(machine) != {Step.FULL}
    machine.others = 0
    assert machine.run(30, until=lambda: steps(machine) == {Step.FULL}) <= 15.0
    assert all(cam.limit is None for cam in machine.cams)
    machine.run(120)
    assert not machine.state.cameras, "nothing is left of it"


def test_is_back_within_fifteen_seconds_from_the_very_bottom() -> None:
    machine = competing(heavy(12, weight=1.0) + heavy(4, name="h", weight=4.0), others=12)
    machine.run(90)
    assert machine.size == 2
    assert steps(machine, "c") == {Step.PAUSED}
    machine.others = 0
    everything = machine.run(30, until=lambda: steps(machine) == {Step.FULL} and machine.size == 0)
    assert everything <= 15.0


def test_one_sample_over_the_line_does_nothing() -> None:
    machine = Machine(fleet(16))
    for _ in range(60):
        machine.run(9.5)
        machine.spike = True
        machine.tick()
        machine.spike = False
    assert not machine.done


def test_the_lowest_class_goes_all_the_way_before_the_next_begins() -> None:
    classes = [("a", 0.5), ("b", 1.0), ("c", 4.0)]
    machine = competing([cam for name, weight in classes for cam in heavy(6, name=name, weight=weight)], 12)
    machine.run(60)
    went = [
        (at, action) for at, action in machine.done if isinstance(action, Resize) or action.step > action.was
    ]
    order = [("size" if isinstance(each, Resize) else each.cameras[0][0], at) for at, each in went]
    firsts = "".join(dict.fromkeys(name for name, _ in order if name != "size"))
    assert firsts == "abc"
    by_camera = [each.step for _, each in went if isinstance(each, Move) and "a000" in each.cameras]
    assert by_camera == sorted(by_camera)
    names = [name for name, _ in order]
    assert names.index("size") > max(
        index for index, (_, each) in enumerate(went) if isinstance(each, Move) and each.step < Step.PAUSED
    )
    assert steps(machine, "a") == steps(machine, "b") == {Step.PAUSED}


def test_the_highest_class_keeps_everything_while_others_thin_out() -> None:
    machine = Machine(heavy(40) + heavy(6, name="high", weight=4.0))
    machine.run(300)
    assert steps(machine, "c") != {Step.FULL}
    assert steps(machine, "high") == {Step.FULL}
    assert not any(name.startswith("high") for _, move in moves(machine) for name in move.cameras)


def test_nobody_of_the_highest_class_is_ever_paused() -> None:
    machine = competing(heavy(16), others=14)
    machine.run(120)
    assert machine.size == 2
    assert Step.PAUSED not in steps(machine)


def test_those_that_become_the_highest_class_are_not_paused_any_more() -> None:
    machine = competing(heavy(8) + heavy(2, name="high", weight=4.0), others=14)
    machine.run(90)
    assert steps(machine, "c") == {Step.PAUSED}
    machine.cams = [cam for cam in machine.cams if not cam.name.startswith("high")]
    machine.run(1)
    assert Step.PAUSED not in steps(machine)


def test_a_large_class_goes_in_slices_those_of_the_worker_in_need_first() -> None:
    cams = fleet(40, decode=0.0012, disposable=0.5)
    for cam in cams[:36]:
        cam.worker = 1
    machine = Machine(cams, cores=4)
    machine.run(3)
    first = moves(machine)[0][1]
    assert len(first.cameras) == 20
    assert {machine.cam(name).worker for name in first.cameras} == {1}


def test_limits_are_half_of_the_rate_lately_not_below_one_nor_above_what_is_allowed() -> None:
    machine = competing(heavy())
    machine.cams[0].max_fps, machine.cams[1].max_fps = 0.7, 3.0
    before = {cam.name: cam.analysed for cam in machine.cams}
    machine.run(8)
    limits = {name: limit for _, move in moves(machine) for name, limit in move.limit.items()}
    assert limits["c000"] == 0.7
    assert 1.0 <= limits["c001"] <= 3.0
    assert 1.0 <= limits["c005"] <= before["c005"]


def test_steps_that_the_configuration_has_taken_already_are_passed_over() -> None:
    cams = heavy(24)
    cams[0].rung, cams[1].rung = Rung.REFERENCE, Rung.KEYFRAMES
    machine = competing(cams, others=10)
    machine.run(40)
    went = {
        name: [move.step for _, move in moves(machine) if name in move.cameras] for name in ("c000", "c001")
    }
    assert Step.REFERENCE not in went["c000"]
    assert Step.KEYFRAMES in went["c000"]
    assert not {Step.REFERENCE, Step.KEYFRAMES} & set(went["c001"])


def test_a_detector_that_is_slow_by_itself_is_made_smaller_and_no_camera_is_thinned() -> None:
    cameras = tuple(
        CameraLoad(name=f"c{i}", fps_in=25, analysed=1, superseded=24, decode=0.001) for i in range(4)
    )
    load = Load(cameras=cameras, busy=(0.2,), late=(0.0,), cpu=0.4, age=0.7, detector=1.0, sizes=2)
    state, done = began(), []
    for look in range(40):
        state, actions = step(state, replace(load, size=state.size), look * LOOK_S)
        done += actions
    assert [action.size for action in done if isinstance(action, Resize)] == [1, 2]
    assert len(done) == 2


# ---- one camera by itself


def test_a_4k_camera_steps_down_without_its_neighbours() -> None:
    large = Cam("large", pooled=True, decode=0.06, disposable=0.5)
    machine = Machine([*fleet(16), large], cores=4)
    machine.run(10)
    assert steps(machine, "c") == {Step.FULL}
    assert [move.step for _, move in moves(machine)] == [Step.REFERENCE]
    assert "cores for decoding" in moves(machine)[0][1].why
    machine.run(50)
    large.decode = 0.02
    machine.run(15)
    assert large.step is Step.FULL


def test_a_4k_camera_without_disposable_frames_goes_on_to_keyframes_and_does_not_flap() -> None:
    machine = Machine([*fleet(16), Cam("large", pooled=True, decode=0.06, disposable=0.0)], cores=4)
    machine.run(10)
    assert machine.cam("large").step is Step.KEYFRAMES
    machine.run(1800)
    ups = [at for at, move in moves(machine) if move.step < move.was]
    assert all(later - at >= 60 for at, later in pairwise(ups))
    assert len(ups) <= 8, "the wait doubles"
    assert steps(machine, "c") == {Step.FULL}


def test_a_camera_that_may_be_analysed_every_five_seconds_decodes_only_keyframes() -> None:
    cams = fleet(2)
    cams[0].max_fps = 0.2
    machine = Machine(cams)
    machine.run(10)
    assert [cam.step for cam in cams] == [Step.KEYFRAMES, Step.FULL]
    assert not thinned(machine.state, "c000"), "nothing that was asked for is missing"
    cams[0].max_fps = 10.0
    machine.run(10)
    assert cams[0].step is Step.FULL
    assert not machine.state.cameras


@pytest.mark.parametrize(("every", "fps"), [(0.0, 25.0), (0.04, 25.0)], ids=["unknown", "mjpeg"])
def test_without_frames_between_known_keyframes_there_is_nothing_to_leave_out(
    every: float, fps: float
) -> None:
    camera = CameraLoad(name="a", fps_in=fps, analysed=0.2, keyframe_every=every, max_fps=0.2)
    state = began()
    for look in range(20):
        state, actions = step(state, Load(cameras=(camera,), busy=(0.1,)), look * LOOK_S)
        assert actions == []


def test_keyframes_as_often_as_looks_do_not_flap_with_their_measurement() -> None:
    state, done = began(), []
    for look in range(400):
        every = 1.0 + 0.05 * (-1) ** (look // 10)
        camera = CameraLoad(name="a", fps_in=25, analysed=1, keyframe_every=every, max_fps=1.0)
        state, actions = step(state, Load(cameras=(camera,), busy=(0.1,)), look * LOOK_S)
        done += actions
    assert len(done) == 1


def test_cameras_that_the_detector_hardly_gets_to_decode_only_keyframes_until_it_has_rest() -> None:
    machine = Machine(fleet(20, decode=0.0004, keyframe_every=1.0), cores=4, detector_s=0.1)
    machine.run(10)
    assert steps(machine) == {Step.KEYFRAMES}
    assert "detector has no rest" in moves(machine)[0][1].why
    machine.run(300)
    assert len({at for at, _ in moves(machine)}) == 1, "and stay there"
    machine.detector_s = 0.005
    machine.run(15)
    assert steps(machine) == {Step.FULL}


# ---- what always holds


def test_cameras_that_come_and_go_leave_nothing_behind() -> None:
    machine = competing(heavy(), others=12)
    for turn in range(50):
        machine.cams = heavy(24, name=f"turn{turn}-")
        machine.run(6)
        assert len(machine.state.cameras) <= 24
        assert len(machine.state.trial.before) <= 24
    machine.cams = fleet(1, name="last")
    machine.others = 0
    machine.run(120)
    assert not machine.state.cameras
    assert machine.size == 0


def test_a_machine_that_slept_is_not_judged_by_what_was_before() -> None:
    camera = CameraLoad(name="a", fps_in=25, analysed=25, decode=0.001)
    full = Load(cameras=(camera,), busy=(1.0,), late=(0.1,))
    state, _ = step(began(), full, 100.0)
    state, actions = step(state, full, 5000.0)
    assert actions == []


def test_the_state_given_is_not_changed() -> None:
    machine = competing(heavy())
    machine.run(30)
    before, names = machine.state, dict(machine.state.cameras)
    once = step(before, machine.load(), machine.now + 0.5)
    assert before.cameras == names
    assert step(before, machine.load(), machine.now + 0.5)[1] == once[1]


def fleets() -> st.SearchStrategy[list[Cam]]:
    one = st.tuples(
        st.sampled_from([0.5, 1.0, 4.0]),
        st.sampled_from([5.0, 12.0, 25.0]),
        st.floats(0.0003, 0.004),
        st.sampled_from([0.0, 0.5]),
        st.sampled_from([0.5, 1.0, 4.0]),
    )
    return st.lists(one, min_size=1, max_size=24).map(
        lambda many: [
            Cam(f"c{i:03}", i % 2, weight, fps, decode, disposable, every)
            for i, (weight, fps, decode, disposable, every) in enumerate(many)
        ]
    )


@settings(max_examples=15, deadline=None)
@given(
    cams=fleets(),
    others=st.integers(0, 9),
    detector_s=st.sampled_from([0.005, 0.03, 0.1]),
    noise=st.sampled_from([0.0, 0.02]),
    told=st.booleans(),
)
def test_constant_load_settles_to_one_step_up_and_down_a_minute_at_most(
    cams: list[Cam], others: int, detector_s: float, noise: float, told: bool
) -> None:
    machine = Machine(cams, others=others, detector_s=detector_s, noise=noise, tell_decoded=told)
    machine.run(1800)
    settled = machine.now - 1200
    size, ups, downs = 0, set[float](), set[float]()
    for at, action in machine.done:
        if isinstance(action, Resize):
            (downs if action.size > size else ups).add(at)
            size = action.size
        else:
            (downs if action.step > action.was else ups).add(at)
    for times in (ups, downs):
        late = sorted(at for at in times if at >= settled)
        assert all(later - at >= 60 for at, later in pairwise(late))


@settings(max_examples=40, deadline=None)
@given(
    cams=fleets(), loads=st.lists(st.tuples(st.integers(0, 12), st.integers(1, 40)), min_size=1, max_size=6)
)
def test_whatever_the_load_moves_begin_where_cameras_are_and_spare_the_highest(
    cams: list[Cam], loads: list[tuple[int, int]]
) -> None:
    machine = Machine(cams)
    top = max(cam.weight for cam in cams)
    for others, looks in loads:
        machine.others = others
        for _ in range(looks):
            machine.tick()  # the machine asserts that each move's `was` is so
            assert all(cam.step is machine.state.step(cam.name) for cam in cams)
            assert all(cam.limit == machine.state.limit(cam.name) for cam in cams)
            assert all(cam.step < Step.PAUSED for cam in cams if cam.weight == top)
