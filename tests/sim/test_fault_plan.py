"""Schedules: how they are written, and what is drawn from them."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vedette.errors import ConfigError
from vedette.sim.faults import (
    EVERY,
    KINDS,
    Fault,
    RandomFaults,
    Schedule,
    Who,
    parse_flag,
    plan,
    read_schedule,
)

CAMERAS = [f"cam{index}" for index in range(12)]
LASTING = sorted(name for name, kind in KINDS.items() if not kind.moment and not kind.server)
OF_CAMERAS = sorted(name for name, kind in KINDS.items() if not kind.server)

whos = st.one_of(
    st.builds(Who),
    st.builds(lambda share: Who((), share), st.floats(0, 1)),
    st.builds(lambda names: Who(tuple(names)), st.lists(st.sampled_from(CAMERAS), min_size=1)),
)


@st.composite
def faults(draw: st.DrawFn) -> Fault:
    kind = draw(st.sampled_from(sorted(KINDS)))
    lasts = None if KINDS[kind].moment else draw(st.floats(0.1, 30))
    every = draw(st.none() | st.floats(1, 60))
    if every is not None:
        every += lasts or 0.0
    return Fault(kind, draw(whos), draw(st.floats(0, 100)), lasts, every)


@st.composite
def drawn(draw: st.DrawFn) -> RandomFaults:
    shortest = draw(st.floats(0.1, 5))
    longest = shortest + draw(st.floats(0, 5))
    kinds = tuple(draw(st.lists(st.sampled_from(OF_CAMERAS), min_size=1, unique=True)))
    every = longest + draw(st.floats(0.1, 20))
    return RandomFaults(
        kinds, every, shortest, longest, draw(whos), draw(st.floats(0, 20)), draw(st.booleans())
    )


schedules = st.builds(
    Schedule,
    st.lists(faults(), max_size=4).map(tuple),
    st.lists(drawn(), max_size=2).map(tuple),
    st.integers(0, 5),
    st.floats(1, 200),
)


@given(schedules)
def test_a_plan_is_ordered_within_its_time_and_names_each_event_once(schedule: Schedule) -> None:
    events = plan(schedule, CAMERAS)
    assert [event.start for event in events] == sorted(event.start for event in events)
    assert len({event.id for event in events}) == len(events)
    for event in events:
        kind = KINDS[event.kind]
        assert 0 <= event.start <= event.end <= schedule.duration
        assert (event.start == event.end) or not kind.moment
        assert event.camera == EVERY if kind.server else event.camera in CAMERAS


@given(schedules)
def test_the_same_seed_makes_the_same_plan(schedule: Schedule) -> None:
    assert plan(schedule, CAMERAS) == plan(schedule, CAMERAS)


@given(schedules, faults())
def test_another_entry_changes_nothing_in_the_ones_before(schedule: Schedule, more: Fault) -> None:
    longer = Schedule((*schedule.faults, more), schedule.random, schedule.seed, schedule.duration)
    before, after = plan(schedule, CAMERAS), plan(longer, CAMERAS)
    assert {event.id: event for event in before}.items() <= {event.id: event for event in after}.items()


@given(drawn(), st.integers(0, 100))
def test_drawn_faults_leave_a_camera_well_before_its_next(entry: RandomFaults, seed: int) -> None:
    events = plan(Schedule(random=(entry,), seed=seed, duration=300), CAMERAS)
    for camera in CAMERAS:
        own = [event for event in events if event.camera == camera]
        assert all(a.end <= b.start + 1e-6 for a, b in pairwise(own))


@given(st.floats(0.01, 1), st.integers(0, 50), st.booleans())
def test_a_share_strikes_so_many_cameras_and_the_same_ones_where_asked(
    share: float, seed: int, same: bool
) -> None:
    entry = RandomFaults(("stall",), 20, 5, 10, Who((), share), same=same)
    events = plan(Schedule(random=(entry,), seed=seed, duration=100), CAMERAS)
    rounds = [{e.camera for e in events if e.id.startswith(f"r0.{turn}.")} for turn in range(5)]
    assert {len(struck) for struck in rounds} == {max(1, round(share * 12))}
    assert not same or len(set(map(frozenset, rounds))) == 1


def test_a_schedule_reads_as_it_is_written(tmp_path: Path) -> None:
    (tmp_path / "f.yaml").write_text(
        """
seed: 7
duration: 2m
faults:
  - {kind: stall, cameras: [cam0, cam1], at: 10s, for: 20s, every: 60s}
  - {kind: slow, cameras: cam1*, kbps: 300}
  - kind: pts_jump
    cameras: 30%
    at: 5
    by: -1h
  - kind: outage
    at: 1m
    for: 5s
random: {kinds: [stall, drop], cameras: 33%, every: 20s, for: 5s-15s, same: true}
"""
    )
    schedule = read_schedule(tmp_path / "f.yaml")
    assert (schedule.seed, schedule.duration) == (7, 120)
    events = plan(schedule, CAMERAS)
    stalls = [(e.camera, e.start, e.end) for e in events if e.kind == "stall" and e.id.startswith("0.")]
    assert stalls == [("cam0", 10, 30), ("cam1", 10, 30), ("cam0", 70, 90), ("cam1", 70, 90)]
    slow = [e for e in events if e.kind == "slow"]
    assert {(e.camera, e.start, e.end) for e in slow} == {(c, 0, 120) for c in ("cam1", "cam10", "cam11")}
    assert slow[0].options == {"kbps": 300, "buffer": 256}
    jumps = [e for e in events if e.kind == "pts_jump" and e.id.startswith("2.")]
    assert (len(jumps), jumps[0].options["by"], jumps[0].end) == (4, -3600, 5)
    assert [(e.camera, e.start, e.end) for e in events if e.kind == "outage"] == [(EVERY, 60, 65)]
    assert {e.kind for e in events if e.id.startswith("r0.")} <= {"stall", "drop"}


def test_a_flag_says_the_same_as_a_file(tmp_path: Path) -> None:
    (tmp_path / "f.yaml").write_text(
        "faults: [{kind: moved, cameras: [cam0, cam3], at: 10s, for: 20s, by: 20%}]"
    )
    (from_file,) = read_schedule(tmp_path / "f.yaml").faults
    from_flag = parse_flag("moved cam0,cam3 at=10s for=20s by=20%")
    assert plan(Schedule((from_flag,)), CAMERAS) == plan(Schedule((from_file,)), CAMERAS)
    assert parse_flag("restart at=1m for=3s").who == Who()
    assert parse_flag("stall 30%").who == Who((), 0.3)


@pytest.mark.parametrize("name", sorted(KINDS))
def test_every_kind_can_be_written_with_all_its_options(name: str) -> None:
    kind = KINDS[name]
    written = {
        "size": "64x48",
        "by": "0.2",
        "kbps": "64",
        "share": "10%",
        "rtcp": "false",
        "cut": "no",
        "status": "404",
    }
    words = [f"{option}={written.get(option, '2')}" for option in kind.options]
    assert set(parse_flag(f"{name} {' '.join(words)}").options) == set(kind.options)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("faults: [{kind: stal}]", "1: faults[0].kind: unknown kind (did you mean stall?)"),
        ("faults:\n- kind: stall\n  at: soon", "3: faults[0].at: must be a duration"),
        ("faults:\n- kind: stall\n  fro: 3s", "3: faults[0].fro: unknown key (did you mean for?)"),
        ("faults:\n- kind: slow\n  kbps: fast", "3: faults[0].kbps: must be a number"),
        ("faults:\n- kind: drop\n  for: 3s", "3: faults[0].for: drop happens at one moment"),
        ("faults:\n- kind: stall\n  for: 5s\n  every: 5s", "4: faults[0].every: must be longer"),
        ("faults:\n- kind: stall\n  every: 5s", "3: faults[0].every: needs a `for`"),
        ("faults:\n- {kind: restart, cameras: cam0}", "2: faults[0].cameras: restart strikes all"),
        ("faults:\n- {kind: loss, share: 130%}", "2: faults[0].share: must be a share"),
        ("faults:\n- {kind: stall, cameras: 3}", "2: faults[0].cameras: must be all"),
        ("faults: {}\nfualts: []", "2: fualts: unknown key (did you mean faults?)"),
        ("random: {kinds: [restart], every: 20s}", "1: random.kinds[0]: restart strikes all"),
        ("random: {kinds: all}", "1: random: needs every"),
        ("random: {every: 5s, for: 3s-9s}", "1: random.for: must not be longer"),
        ("seed: lucky", "1: seed: must be a whole number"),
        ("- stall", "1: must be a mapping"),
        ("faults: [", "not valid YAML"),
    ],
)
def test_what_is_wrong_is_named_with_file_line_and_key(tmp_path: Path, text: str, expected: str) -> None:
    path = tmp_path / "f.yaml"
    path.write_text(text)
    with pytest.raises(ConfigError) as caught:
        read_schedule(path)
    assert any(line.startswith(f"{path}:") and expected in line for line in str(caught.value).split("\n"))


@pytest.mark.parametrize("text", ["", "stal", "stall cam0 at", "stall at=1 at=2", "stall at=x", "drop by=3"])
def test_a_flag_that_makes_no_sense_is_refused(text: str) -> None:
    with pytest.raises(ConfigError, match="--fault"):
        parse_flag(text)


def test_a_name_that_no_camera_has_is_refused_by_place(tmp_path: Path) -> None:
    path = tmp_path / "f.yaml"
    path.write_text("faults:\n- kind: stall\n  cameras: [cam0, gate]")
    with pytest.raises(ConfigError, match=r"f\.yaml:2: faults\[0\].cameras\[1\]: no camera"):
        plan(read_schedule(path), CAMERAS)


def test_a_plan_has_an_end() -> None:
    with pytest.raises(ConfigError, match="more than 100000"):
        plan(Schedule((Fault("drop", every=0.001),), duration=1e6), CAMERAS)
