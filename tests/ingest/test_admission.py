"""Who may connect: budgets are kept, all are served, each ask is answered once."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from vedette.ingest.admission import Admission, Grant

PER_HOST, PER_NODE, HOLD_S = 2, 5, 30.0


def names(grants: list[Grant]) -> list[str]:
    return [grant.camera for grant in grants]


def test_lets_in_at_once_while_there_is_room() -> None:
    admission = Admission()
    assert admission.ask("a", "host", 3, 0, 0.0) == [Grant("a", 3)]
    assert admission.connecting == 1


def test_a_host_is_asked_by_few_at_a_time() -> None:
    admission = Admission(per_host=2)
    let_in = [names(admission.ask(camera, "nvr", 0, 0, 0.0)) for camera in "abcd"]
    assert let_in == [["a"], ["b"], [], []]
    assert names(admission.done("b", 1.0)) == ["c"]


def test_the_node_connects_to_few_at_a_time() -> None:
    admission = Admission(per_node=3)
    let_in = [camera for camera in "abcde" for _ in admission.ask(camera, f"host {camera}", 0, 0, 0.0)]
    assert let_in == ["a", "b", "c"]


def test_files_need_no_permission() -> None:
    admission = Admission(per_host=1, per_node=1)
    admission.ask("a", "host", 0, 0, 0.0)
    assert [names(admission.ask(f"clip {n}", "local", 0, 0, 0.0)) for n in range(9)] == [
        [f"clip {n}"] for n in range(9)
    ]


def test_no_host_starves_another() -> None:
    admission = Admission(per_host=1, per_node=1)
    admission.ask("first", "elsewhere", 0, 0, 0.0)
    for number in range(64):
        admission.ask(f"nvr {number}", "nvr", 0, 0, 0.0)
    admission.ask("lone", "camera", 0, 0, 0.0)
    assert names(admission.done("first", 1.0)) == ["nvr 0"]
    assert names(admission.done("nvr 0", 2.0)) == ["lone"]


def test_a_host_that_is_full_holds_up_nobody_else() -> None:
    admission = Admission(per_host=1, per_node=9)
    admission.ask("a", "nvr", 0, 5, 0.0)
    admission.ask("b", "nvr", 0, 5, 0.0)
    assert names(admission.ask("c", "other", 0, 0, 0.0)) == ["c"]


def test_higher_priorities_come_first_and_starve_nobody() -> None:
    admission = Admission(per_host=100, per_node=1)
    admission.ask("x", "h", 0, 0, 0.0)
    for number in range(40):
        admission.ask(f"low {number}", "h", 0, 0, 0.0)
        admission.ask(f"high {number}", "h", 0, 1, 0.0)
    order, holder = [], "x"
    for _ in range(20):
        (holder,) = names(admission.done(holder, 1.0))
        order.append(holder)
    high = [name for name in order if name.startswith("high")]
    assert high == [f"high {number}" for number in range(len(high))]
    assert 15 <= len(high) < 20


def test_a_grant_that_is_never_given_back_is_taken_back_and_counted() -> None:
    admission = Admission(per_node=1, hold=30.0)
    admission.ask("a", "h", 0, 0, 0.0)
    admission.ask("b", "h", 0, 0, 0.0)
    assert admission.tick(29.0) == []
    assert names(admission.tick(30.0)) == ["b"]
    assert admission.taken_back == 1
    assert admission.done("a", 31.0) == []
    assert admission.connecting == 1


def test_cameras_of_a_worker_that_is_gone_make_room() -> None:
    admission = Admission(per_node=2)
    for camera, worker in (("a", 1), ("b", 1), ("c", 1), ("d", 2), ("e", 2)):
        admission.ask(camera, "h", worker, 0, 0.0)
    assert admission.worker_gone(1, 1.0) == [Grant("d", 2), Grant("e", 2)]
    assert admission.waiting == 0


def test_asking_again_keeps_the_place_and_is_answered_to_the_new_worker() -> None:
    admission = Admission(per_node=1)
    admission.ask("a", "h", 0, 0, 0.0)
    admission.ask("b", "h", 0, 0, 0.0)
    admission.ask("c", "h", 0, 0, 0.0)
    assert admission.ask("b", "h", 7, 0, 1.0) == []
    assert admission.done("a", 2.0) == [Grant("b", 7)]


def test_a_withdrawn_ask_is_not_answered() -> None:
    admission = Admission(per_node=1)
    admission.ask("a", "h", 0, 0, 0.0)
    admission.ask("b", "h", 0, 0, 0.0)
    admission.done("b", 1.0)
    assert admission.done("a", 2.0) == []
    assert admission.waiting == admission.connecting == 0


@pytest.mark.parametrize("budget", [{"per_host": 0}, {"per_node": 0}])
def test_a_budget_of_nothing_is_refused(budget: dict[str, int]) -> None:
    with pytest.raises(ValueError, match="at least 1"):
        Admission(**budget)


cameras = st.integers(0, 14).map(lambda number: f"camera {number}")


class Anybody(RuleBasedStateMachine):
    """Cameras ask, finish, withdraw, lose their workers and fall silent, in any order."""

    def __init__(self) -> None:
        super().__init__()
        self.admission = Admission(per_host=PER_HOST, per_node=PER_NODE, hold=HOLD_S)
        self.now = 0.0
        self.waiting: dict[str, tuple[str, int]] = {}
        self.held: dict[str, tuple[str, int, float]] = {}

    def granted(self, grants: list[Grant]) -> None:
        for camera, (_, _, since) in list(self.held.items()):
            if self.now - since >= HOLD_S:
                del self.held[camera]
        for grant in grants:
            host, worker = self.waiting.pop(grant.camera)  # it asked, and was not answered yet
            assert grant.worker == worker
            self.held[grant.camera] = (host, worker, self.now)

    @rule(camera=cameras, host=st.integers(0, 5), worker=st.integers(0, 2), priority=st.integers(0, 2))
    def ask(self, camera: str, host: int, worker: int, priority: int) -> None:
        self.held.pop(camera, None)
        self.waiting[camera] = (f"host {host}", worker)
        self.granted(self.admission.ask(camera, f"host {host}", worker, priority, self.now))

    @rule(camera=cameras)
    def done(self, camera: str) -> None:
        self.held.pop(camera, None)
        self.waiting.pop(camera, None)
        self.granted(self.admission.done(camera, self.now))

    @rule(worker=st.integers(0, 2))
    def worker_gone(self, worker: int) -> None:
        self.held = {camera: held for camera, held in self.held.items() if held[1] != worker}
        self.waiting = {camera: ask for camera, ask in self.waiting.items() if ask[1] != worker}
        self.granted(self.admission.worker_gone(worker, self.now))

    @rule(seconds=st.floats(0, 40))
    def time_passes(self, seconds: float) -> None:
        self.now += seconds
        self.granted(self.admission.tick(self.now))

    @invariant()
    def budgets_are_kept(self) -> None:
        assert self.admission.connecting == len(self.held) <= PER_NODE
        assert self.admission.waiting == len(self.waiting)
        busy = Counter(host for host, _, _ in self.held.values())
        assert all(count <= PER_HOST for count in busy.values())

    @invariant()
    def nobody_waits_while_there_is_room(self) -> None:
        busy = Counter(host for host, _, _ in self.held.values())
        if len(self.held) < PER_NODE:
            assert all(busy[host] >= PER_HOST for host, _ in self.waiting.values())


TestAnybody = Anybody.TestCase
TestAnybody.settings = settings(max_examples=150, stateful_step_count=40, deadline=None)


@given(
    asks=st.lists(st.tuples(st.integers(0, 5), st.integers(0, 2)), min_size=1, max_size=80),
    choose=st.randoms(use_true_random=False),
)
def test_all_who_asked_are_let_in_once(asks: list[tuple[int, int]], choose: object) -> None:
    admission = Admission(per_host=PER_HOST, per_node=PER_NODE)
    let_in: list[str] = []
    for number, (host, priority) in enumerate(asks):
        let_in += names(admission.ask(f"{number}", f"{host}", 0, priority, 0.0))
    at = 0
    while at < len(let_in):
        let_in += names(admission.done(let_in[at], 1.0))
        at += 1
    assert sorted(let_in, key=int) == [f"{number}" for number in range(len(asks))]
