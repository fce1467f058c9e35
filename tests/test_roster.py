"""Which camera has which row and which worker: rows are never shared, and whoever comes back gets theirs."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from vedette.errors import ConfigError
from vedette.facts import AnyFact, EndReason
from vedette.fleet import Fleet
from vedette.ingest.admission import Admission
from vedette.roster import SPARE, Changes, Roster, changes
from vedette.settings import CameraSettings
from vedette.supervise.child import Child
from vedette.testing import ManualClock
from vedette.workers.table import CameraState, Table


def camera(name: str, url: str = "rtsp://127.0.0.1/x") -> CameraSettings:
    return CameraSettings(name=name, url=url)


def cameras(count: int) -> dict[str, CameraSettings]:
    return {f"cam{number}": camera(f"cam{number}") for number in range(count)}


def load_of(roster: Roster, workers: int) -> list[int]:
    return [len(roster.of_worker(worker)) for worker in range(workers)]


names = st.sampled_from([f"cam{number}" for number in range(12)])


class Changing(RuleBasedStateMachine):
    """Cameras come and go."""

    @initialize(count=st.integers(1, 6), workers=st.integers(1, 4))
    def begin(self, count: int, workers: int) -> None:
        self.workers = workers
        self.roster = Roster(cameras(count), range(workers))
        self.rows = {entry.name: (entry.index, entry.worker) for entry in self.roster}
        self.present = set(self.rows)

    @rule(name=names, url=st.sampled_from(["rtsp://127.0.0.1/a", "rtsp://127.0.0.1/b"]))
    def add(self, name: str, url: str) -> None:
        before = load_of(self.roster, self.workers)
        entry = self.roster.add(camera(name, url))
        if name in self.rows:
            assert (entry.index, entry.worker) == self.rows[name], "its old row, with its counts and ids"
        else:
            assert entry.index == len(self.rows), "a row that nobody ever had"
            assert before[entry.worker] == min(before), "the worker with the least to do"
        assert entry.settings.url == url
        assert entry.watched
        self.rows[name] = entry.index, entry.worker
        self.present.add(name)

    @precondition(lambda self: self.present)
    @rule(data=st.data())
    def remove(self, data: st.DataObject) -> None:
        name = data.draw(st.sampled_from(sorted(self.present)))
        self.roster.named(name).removed = True
        self.present.discard(name)

    @precondition(lambda self: self.present)
    @rule(data=st.data(), paused=st.booleans(), over=st.booleans())
    def pause_or_finish(self, data: st.DataObject, paused: bool, over: bool) -> None:
        entry = self.roster.named(data.draw(st.sampled_from(sorted(self.present))))
        entry.paused, entry.finished = paused, EndReason.ENDED if over else None
        assert entry.watched == (not paused and not over)

    @invariant()
    def no_row_is_shared_and_each_lies_where_it_says(self) -> None:
        if not hasattr(self, "roster"):
            return
        indices = [entry.index for entry in self.roster]
        assert indices == list(range(len(self.roster)))
        assert all(self.roster[index].index == index for index in indices)
        assert {entry.name: (entry.index, entry.worker) for entry in self.roster} == self.rows

    @invariant()
    def each_camera_that_is_there_has_one_worker(self) -> None:
        if not hasattr(self, "roster"):
            return
        of_workers = [entry.name for each in range(self.workers) for entry in self.roster.of_worker(each)]
        assert sorted(of_workers) == sorted(self.present)
        for name in self.rows:
            assert self.roster.named_ever(name).name == name
            assert (name in self.present) == (not self.roster.named_ever(name).removed)


TestChanging = Changing.TestCase


@given(st.integers(1, 200), st.integers(1, 8))
def test_workers_get_as_many_cameras_each(count: int, workers: int) -> None:
    load = load_of(Roster(cameras(count), range(workers)), workers)
    assert sum(load) == count
    assert max(load) - min(load) <= 1


@given(st.integers(1, 4), st.lists(st.integers(0, 39), max_size=30), st.integers(0, 40))
def test_what_was_removed_leaves_room_that_new_ones_fill(
    workers: int, removed: list[int], added: int
) -> None:
    roster = Roster(cameras(40), range(workers))
    for number in removed:
        roster.named_ever(f"cam{number}").removed = True
    uneven = max(load_of(roster, workers)) - min(load_of(roster, workers))
    for number in range(added):
        roster.add(camera(f"new{number}"))
    load = load_of(roster, workers)
    assert max(load) - min(load) <= max(1, uneven), "never less even than it was"
    if added >= len(set(removed)) * workers:
        assert max(load) - min(load) <= 1


def test_a_camera_that_is_gone_is_known_and_cannot_be_spoken_to() -> None:
    roster = Roster(cameras(2), [0])
    roster.named("cam0").removed = True
    assert roster.named_ever("cam0").index == 0
    for name in ("cam0", "nobody"):
        with pytest.raises(ConfigError, match=f"there is no camera '{name}'"):
            roster.named(name)


def test_whoever_comes_back_is_neither_paused_nor_finished_nor_what_it_was() -> None:
    roster = Roster(cameras(2), [0])
    entry = roster.named("cam1")
    entry.paused = entry.removed = True
    entry.finished, entry.detail = EndReason.CORRUPT, "of last time"
    again = roster.add(camera("cam1", "rtsp://127.0.0.1/other"))
    assert again is entry
    assert again.watched
    assert again.settings.url == "rtsp://127.0.0.1/other"
    assert again.detail == ""


def test_rows_run_out_and_that_is_said() -> None:
    roster = Roster(cameras(3), [0, 1])
    assert roster.capacity == 3 + SPARE
    for number in range(SPARE):
        roster.add(camera(f"more{number}"))
    with pytest.raises(ConfigError, match="restart it"):
        roster.add(camera("one_too_many"))
    assert len(roster) == roster.capacity
    roster.named("cam1").removed = True
    assert roster.add(camera("cam1")).index == 1, "who had a row has it still"


def test_a_node_is_over_when_all_that_is_left_are_files_that_are_over() -> None:
    roster = Roster(cameras(3), [0])
    assert not roster.all_finished
    for name in ("cam0", "cam1"):
        roster.named(name).finished = EndReason.ENDED
    assert not roster.all_finished
    roster.named("cam2").removed = True
    assert roster.all_finished
    for name in ("cam0", "cam1"):
        roster.named(name).removed = True
    assert not roster.all_finished, "nothing is left, and somebody may add something"


some = st.dictionaries(names, st.sampled_from(["rtsp://127.0.0.1/a", "rtsp://127.0.0.1/b"]), max_size=8)


def made(urls: Mapping[str, str]) -> dict[str, CameraSettings]:
    return {name: camera(name, url) for name, url in urls.items()}


@given(some, some)
def test_changes_are_exactly_what_makes_the_one_into_the_other(
    old: dict[str, str], new: dict[str, str]
) -> None:
    found = changes(made(old), made(new))
    mended = {name: url for name, url in old.items() if name not in found.removed}
    mended |= {name: new[name] for name in (*found.added, *found.changed)}
    assert mended == new
    touched = [*found.added, *found.removed, *found.changed]
    assert len(set(touched)) == len(touched)
    assert not any(old.get(name) == new.get(name) for name in touched), "what is the same is not touched"
    assert bool(found) == (old != new)


@given(some)
def test_the_same_again_changes_nothing(urls: dict[str, str]) -> None:
    assert changes(made(urls), made(urls)) == Changes((), (), ())


def test_a_fleet_that_has_no_room_for_all_that_is_wanted_changes_nothing() -> None:
    told: list[AnyFact] = []
    table = Table.create(3 + SPARE, 1)
    fleet = Fleet(
        cameras(3),
        {},
        table=lambda: table,
        workers=[Child("camera", "cameras-0", 1)],
        detectors=lambda: [Child("inference", "inference-0")],
        admission=Admission(),
        clock=ManualClock(),
        tell=told.append,
    )
    wanted = {f"more{number}": camera(f"more{number}") for number in range(SPARE + 1)}
    with pytest.raises(ConfigError, match="restart it"):
        fleet.apply(wanted, {})
    assert not told
    assert [entry.name for entry in fleet.roster if not entry.removed] == ["cam0", "cam1", "cam2"]
    assert fleet.apply({**cameras(3), "more0": camera("more0")}, {}).added == ("more0",)
    os.close(table.fd)


def test_what_becomes_of_a_camera_that_no_worker_has_is_written_down_all_the_same() -> None:
    table = Table.create(3 + SPARE, 1)
    fleet = Fleet(
        cameras(3),
        {},
        table=lambda: table,
        workers=[Child("camera", "cameras-0", 1)],  # not started
        detectors=lambda: [Child("inference", "inference-0")],
        admission=Admission(),
        clock=ManualClock(),
        tell=lambda _: None,
    )
    rows = table.rows
    rows["state"][:3], rows["received"][:3] = CameraState.LIVE, 7
    fleet.pause("cam0")
    fleet.apply({name: each for name, each in cameras(3).items() if name != "cam1"}, {})
    assert list(fleet.worker_died(0)) == ["cam2"]
    assert rows["state"][:3].tolist() == [CameraState.PAUSED, CameraState.REMOVED, CameraState.WAITING]
    assert [table.in_flight(index) for index in range(3)] == [0, 0, 0], "also of the one that was removed"
    os.close(table.fd)


class Apart:
    """Two workers with two cameras each, and a spare one: none has a process."""

    def __init__(self) -> None:
        self.table = Table.create(10, 3)
        self.workers = [Child("camera", f"cameras-{number}", number + 1) for number in range(3)]
        self.workers[2].staffed = False
        self.fleet = Fleet(
            cameras(4),
            {},
            table=lambda: self.table,
            workers=self.workers,
            detectors=list,
            admission=Admission(per_host=8, per_node=8, hold=10.0),
            clock=ManualClock(),
            tell=lambda _: None,
        )

    def close(self) -> None:
        os.close(self.table.fd)


@pytest.fixture
def apart() -> Iterator[Apart]:
    apart = Apart()
    yield apart
    apart.close()


def test_a_dead_worker_is_known_by_the_cameras_it_was_decoding_and_once_buried_no_more(apart: Apart) -> None:
    apart.table.rows["decoding"][[0, 1]] = 5.0
    assert apart.fleet.inside_decoders(0) == ["cam0"]
    apart.fleet.worker_died(0)
    assert apart.fleet.inside_decoders(0) == []
    assert apart.fleet.inside_decoders(1) == ["cam1"]


def test_a_camera_that_is_isolated_has_a_worker_that_new_ones_are_not_given_to(apart: Apart) -> None:
    roster = apart.fleet.roster
    apart.fleet.isolate(roster.named("cam0"), 2)
    assert [entry.name for entry in roster.of_worker(2)] == ["cam0"]
    assert [entry.name for entry in roster.of_worker(0)] == ["cam2"]
    assert roster.isolation == {2: 1}
    for number in range(10):
        assert roster.add(camera(f"new{number}")).worker != 2
    roster.named("cam0").removed = True
    assert roster.isolation == {}
    assert roster.add(camera("cam0")).worker == 2, "its stream is not believed to have become better"


def test_second_sessions_are_let_in_within_the_same_budget_as_first_ones(apart: Apart) -> None:
    fleet, spare = apart.fleet, apart.workers[2]
    entries = [fleet.roster.named(f"cam{number}") for number in range(4)]
    # All cameras have one host; as many connect to it as may.
    fleet._admission = Admission(per_host=2, per_node=8)
    fleet.asks_to_connect(entries[0].index)
    for entry in entries[1:]:
        fleet.ask_to_join(entry, spare)

    def let_in() -> list[str]:
        return [entry.name for entry in entries if fleet.may_join(entry)]

    assert let_in() == ["cam1"]
    fleet.joined(entries[1])
    assert let_in() == ["cam2"]
    fleet.connected(entries[0].index)
    assert let_in() == ["cam2", "cam3"]
    fleet.asks_to_connect(entries[2].index)  # lost meanwhile: its first session waits for its own turn
    assert let_in() == ["cam2", "cam3"]
    for entry in entries[2:]:
        fleet.joined(entry)
    assert fleet._admission.connecting == 1
    fleet.connected(entries[2].index)
    assert (fleet._admission.connecting, fleet._admission.waiting) == (0, 0)


def test_whoever_gives_up_waiting_for_a_second_session_holds_up_nobody(apart: Apart) -> None:
    fleet, spare = apart.fleet, apart.workers[2]
    first, second = fleet.roster.named("cam0"), fleet.roster.named("cam1")
    fleet._admission = Admission(per_host=1)
    for entry in (first, second):
        fleet.ask_to_join(entry, spare)
    fleet.joined(second)
    fleet.joined(first)
    fleet.joined(first)
    assert (fleet._admission.connecting, fleet._admission.waiting) == (0, 0)
    fleet.ask_to_join(second, spare)
    fleet.worker_died(2)
    assert fleet._admission.connecting == 0
    fleet.joined(second)
    assert not fleet.may_join(second)
