"""A candidate's time: when it begins, waits and ends, in simulated time and without processes."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from vedette.config import Config
from vedette.errors import WorkerError
from vedette.facts import ShadowEnded, ShadowReported, ShadowStarted, Trouble
from vedette.supervise import shadow as module
from vedette.supervise.child import Child
from vedette.supervise.shadow import Ended, Shadow, State
from vedette.supervise.trying import AtWork
from vedette.testing import ManualClock
from vedette.workers.protocol import Busy, Compared, Ready
from vedette.workers.table import Table

CONFIG = Config(cameras={"gate": {"url": "rtsp://127.0.0.1:9/gate"}})


class StillChild(Child):
    """One without a process, which lives until it is killed."""

    lives = True
    killed = False

    @property
    def alive(self) -> bool:
        return self.lives

    @property
    def exit_code(self) -> int | None:
        return None if self.lives else -9

    def kill(self, why: str = "") -> None:
        self.kill_reason, self.lives, self.killed = why, False, True


class Crew:
    """A node whose only camera worker is not there yet."""

    camera_workers: tuple[Child, ...] = ()

    def __init__(self) -> None:
        self.table = Table.create(2, 1)
        self.let_go: list[Child] = []
        self.started: list[Child] = []

    def start_shadow(self, child: Child, config: Config) -> None:
        self.started.append(child)

    def end_shadow(self, child: Child) -> None:
        self.let_go.append(child)

    def camera_name(self, index: int) -> str:
        return ("gate", "yard")[index]


class Rig:
    def __init__(self) -> None:
        self.crew, self.clock, self.facts = Crew(), ManualClock(), list[Any]()
        self.lacking = ""
        self.offered: list[tuple[int, float, int]] = []
        self.at_work = AtWork(b"one", "one · cpu")
        self.shadow = Shadow(
            self.crew,
            self.clock,
            self.facts.append,
            lambda: self.lacking,
            lambda: StillChild("shadow", "s"),
            lambda: self.at_work,
        )
        self.shadow.disagreement = lambda *told: self.offered.append(told)

    def begin(self, lasts: float = 3600.0, *, said: Any = None) -> StillChild:
        async def both() -> None:
            begun = asyncio.ensure_future(self.shadow.begin(CONFIG, 0.25, lasts))
            while not self.crew.started or self.crew.started[-1] is not self.shadow.child:
                await asyncio.sleep(0)
            self.say(said or Ready("other · cpu"))
            await begun

        asyncio.run(both())
        assert isinstance(self.shadow.child, StillChild)
        return self.shadow.child

    def say(self, message: Any) -> None:
        assert self.shadow.child is not None
        self.shadow.heard(self.shadow.child, message)

    def pass_(self, seconds: float, *, step: float = 0.1) -> None:
        """It beats meanwhile."""
        until = self.clock.monotonic() + seconds
        while self.clock.monotonic() < until:
            self.clock.advance(step)
            self.crew.table.header["shadow_beat"] = self.clock.monotonic()
            self.shadow.tick()

    def told(self, kind: type[Any]) -> list[Any]:
        return [fact for fact in self.facts if isinstance(fact, kind)]

    @property
    def share(self) -> float:
        return float(self.crew.table.header["shadow_share"])

    @property
    def state(self) -> State:
        assert self.shadow.candidate is not None
        return self.shadow.candidate.state


@pytest.fixture
def rig() -> Rig:
    return Rig()


def compared(camera: int = 0, at: float = 0.0, *boxes: int, failed: str = "") -> Compared:
    return Compared(camera, at, *(boxes or (1, 0, 0)), took=0.02, failed=failed)


def test_frames_are_drawn_from_when_it_is_ready_until_its_time_is_over(rig: Rig) -> None:
    child = rig.begin(lasts=60.0)
    assert (rig.share, rig.state) == (0.25, State.LOOKING)
    rig.pass_(59.0)
    assert rig.share == 0.25
    rig.pass_(1.5)
    assert (rig.share, rig.state) == (0.0, State.ENDED)
    assert child.killed
    assert [type(fact) for fact in rig.facts] == [ShadowStarted, ShadowReported, ShadowEnded]
    assert rig.facts[-1].why == Ended.TIME
    rig.pass_(0.2)
    assert rig.crew.let_go == [child]


def test_one_that_is_stopped_just_when_it_is_ready_is_shown_nothing(rig: Rig) -> None:
    async def begun_and_stopped() -> None:
        begun = asyncio.ensure_future(rig.shadow.begin(CONFIG, 0.25, 60.0))
        while not rig.crew.started:
            await asyncio.sleep(0)
        rig.say(Ready("other · cpu"))
        rig.shadow.stop()
        await begun

    with pytest.raises(WorkerError, match="stopped before"):
        asyncio.run(begun_and_stopped())
    assert (rig.share, rig.state) == (0.0, State.ENDED)
    assert not rig.told(ShadowStarted)


def test_it_is_reported_every_five_minutes_and_in_the_end(rig: Rig) -> None:
    rig.begin(lasts=1000.0)
    for second in range(700):
        rig.say(compared(0, float(second), 2, 1, 0))
        rig.pass_(1.0, step=0.5)
    reports = rig.told(ShadowReported)
    assert len(reports) == 2
    rig.shadow.stop()
    last = rig.told(ShadowReported)[-1]
    assert (last.frames, last.both, last.only_running, last.only_candidate) == (700, 1400, 700, 0)
    assert last.agreement == pytest.approx(0.8)
    assert last.lower <= 0.8 <= last.upper
    assert rig.told(ShadowEnded)[-1].why == Ended.STOPPED


def test_while_less_is_done_for_cameras_it_is_shown_nothing(rig: Rig) -> None:
    rig.begin()
    rig.lacking = "The detector has no rest"
    rig.pass_(10.0)
    assert rig.crew.table.header["shadow_waits"] == 1
    assert rig.state is State.WAITING
    rig.lacking = ""
    rig.pass_(10.0)
    assert rig.crew.table.header["shadow_waits"] == 0
    assert rig.state is State.LOOKING
    assert rig.shadow.candidate is not None
    assert rig.shadow.candidate.waited_s == pytest.approx(10.0, abs=0.3)
    assert rig.shadow.candidate.detail == ""


def test_one_that_dies_has_ended_and_how_is_told(rig: Rig) -> None:
    child = rig.begin()
    child.lives = False
    rig.pass_(0.1)
    assert rig.told(ShadowEnded)[-1].why == Ended.DIED
    assert "SIGKILL" in rig.told(ShadowEnded)[-1].detail
    assert rig.share == 0.0


def test_one_that_looks_at_a_frame_for_ever_is_killed(rig: Rig) -> None:
    child = rig.begin()
    rig.crew.table.header["shadow_began"] = rig.clock.monotonic()
    rig.pass_(module.HANGS_AFTER_S - 1)
    assert child.lives
    rig.pass_(2)
    assert child.killed
    assert rig.told(ShadowEnded)[-1].why == Ended.HUNG


def test_one_that_says_nothing_any_more_is_killed(rig: Rig) -> None:
    child = rig.begin()
    rig.pass_(1.0)
    for _ in range(700):
        rig.clock.advance(0.1)
        rig.shadow.tick()
    assert child.killed
    assert rig.told(ShadowEnded)[-1].why == Ended.HUNG


def test_one_that_fails_now_and_then_goes_on_and_one_that_always_does_ends(rig: Rig) -> None:
    rig.begin()
    for _ in range(module.FAILS_AT_MOST):
        rig.say(compared(failed="no such picture"))
        rig.say(compared())
    assert rig.state is State.LOOKING
    assert rig.shadow.candidate is not None
    assert rig.shadow.candidate.tallies["gate"].failed == module.FAILS_AT_MOST
    assert rig.shadow.candidate.tallies["gate"].frames == module.FAILS_AT_MOST
    assert len(rig.told(Trouble)) == 1
    for _ in range(module.FAILS_AT_MOST):
        rig.say(compared(failed="no such picture"))
    assert rig.told(ShadowEnded)[-1].why == Ended.FAILED
    assert rig.told(ShadowEnded)[-1].detail == "no such picture"


def test_one_that_cannot_be_used_says_why_and_another_one_may_be_shown(rig: Rig) -> None:
    async def refused() -> None:
        begun = asyncio.ensure_future(rig.shadow.begin(CONFIG, 0.25, 60.0))
        while rig.shadow.child is None:
            await asyncio.sleep(0)
        child = rig.shadow.child
        assert isinstance(child, StillChild)
        rig.say(Busy("DetectorError", "this is no model"))
        child.lives = False
        await begun

    with pytest.raises(WorkerError, match="this is no model"):
        asyncio.run(refused())
    assert [type(fact) for fact in rig.facts] == [ShadowEnded]
    assert rig.facts[-1].why == Ended.NOT_STARTED
    rig.begin()
    assert rig.state is State.LOOKING


def test_one_at_a_time(rig: Rig) -> None:
    rig.begin()
    with pytest.raises(WorkerError, match="already"):
        asyncio.run(rig.shadow.begin(CONFIG, 0.5, 60.0))
    assert rig.share == 0.25
    rig.shadow.stop()
    with pytest.raises(WorkerError, match="no candidate"):
        rig.shadow.stop()


def test_one_that_is_stopped_while_it_loads_never_starts(rig: Rig) -> None:
    async def stopped() -> None:
        begun = asyncio.ensure_future(rig.shadow.begin(CONFIG, 0.25, 60.0))
        while rig.shadow.child is None:
            await asyncio.sleep(0)
        rig.shadow.stop()
        await begun

    with pytest.raises(WorkerError, match="before it was ready"):
        asyncio.run(stopped())
    assert rig.share == 0.0
    assert [type(fact) for fact in rig.facts] == [ShadowEnded]


def test_another_detector_at_work_ends_it(rig: Rig) -> None:
    rig.shadow.detector_changed()
    rig.begin()
    rig.shadow.detector_changed()
    assert rig.told(ShadowEnded)[-1].why == Ended.DETECTOR_CHANGED


def test_figures_begin_anew_with_the_next_one_and_stay_until_then(rig: Rig) -> None:
    rig.begin()
    rig.crew.table.rows["shadow_busy"][0] = 5
    rig.crew.table.rows["shadow_load"][1] = 2
    rig.say(compared())
    rig.shadow.stop()
    rig.crew.table.rows["shadow_busy"][0] = 50
    assert rig.shadow.left_out() == {"busy": 5, "load": 2}
    assert rig.shadow.left_out(1) == {"load": 2}
    rig.begin()
    assert rig.shadow.left_out() == {}
    assert rig.shadow.candidate is not None
    assert rig.shadow.candidate.tallies == {}


def test_how_far_it_agreed_is_known_of_the_very_same_and_while_the_same_one_is_at_work(rig: Rig) -> None:
    rig.begin()
    candidate = rig.shadow.candidate
    assert candidate is not None
    spec, made_of = candidate.spec, candidate.made_of
    assert rig.shadow.agreed(spec, made_of) is None, "nothing was found yet"
    for number in range(5):
        rig.say(Compared(0, 10.0 * number, 9, 1, 1, 0.02))
    rig.shadow.stop()
    agreed = rig.shadow.agreed(spec, made_of)
    assert agreed is not None
    assert (agreed.frames, agreed.value) == (5, pytest.approx(0.9))
    assert agreed.lower <= agreed.value <= agreed.upper
    assert rig.shadow.agreed(spec + b"x", made_of) is None
    assert rig.shadow.agreed(spec, made_of + "x") is None
    rig.at_work = AtWork(b"another", "another · cpu")
    assert rig.shadow.agreed(spec, made_of) is None


def test_frames_that_differ_most_are_offered_for_review(rig: Rig) -> None:
    rig.begin()
    rig.say(compared(1, 5.0, 3, 0, 0))
    rig.say(compared(1, 6.0, 3, 1, 2))
    assert rig.offered == [(1, 6.0, 3)]


def test_what_an_earlier_one_still_says_is_not_counted(rig: Rig) -> None:
    before = rig.begin()
    rig.shadow.stop()
    rig.begin()
    rig.shadow.heard(before, compared())
    assert rig.shadow.candidate is not None
    assert rig.shadow.candidate.tallies == {}
