"""A canary's time, when it goes back, and which cameras it has: in simulated time and without processes."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vedette.config import Config
from vedette.endings import Ending
from vedette.errors import ConfigError, WorkerError
from vedette.facts import CanaryEnded, CanaryStarted, LossSuspected
from vedette.observe.canary import canary_view
from vedette.observe.views import AgreedView
from vedette.quality.examiner import Admitted
from vedette.roster import Entry, Roster
from vedette.settings import CameraSettings
from vedette.supervise.canary import Canary, Ended, State, Then, named
from vedette.supervise.child import Child
from vedette.supervise.policy import Health
from vedette.supervise.relief import Relief
from vedette.supervise.trying import Agreed, AtWork, Counted, Ends, Streaks, fails, finds_nothing
from vedette.testing import ManualClock
from vedette.workers.protocol import (
    Begin,
    Busy,
    Cameras,
    Drain,
    Drained,
    Leave,
    Left,
    Ready,
    Stop,
    Tried,
    Try,
)
from vedette.workers.table import Stage, Table

CONFIG = Config(cameras={"gate": {"url": "rtsp://127.0.0.1:9/gate"}}, detector={"timeout": 5.0})
NAMES = ("gate", "yard", "dock")


class Spoken(Child):
    """One without a process: what it is told is kept, and it answers as a detector does, if it does."""

    def __init__(self, name: str, place: int) -> None:
        super().__init__("inference", name, place)
        self.lives, self.answering, self.told = True, True, list[Any]()

    @property
    def alive(self) -> bool:
        return self.lives

    @property
    def exit_code(self) -> int | None:
        return None if self.lives else -9

    def kill(self, why: str = "") -> None:
        self.kill_reason, self.lives = why or self.kill_reason, False

    def send(self, message: Any, fds: Any = ()) -> bool:
        self.told.append(message)
        if self.answering:
            match message:
                case Try():
                    self.answers.append(Tried(1, 1))
                case Leave(order):
                    self.answers.append(Left(order))
                case Drain():
                    self.answers.append(Drained())
                case Stop():
                    self.lives = False
        return True

    def all_of(self, kind: type[Any]) -> list[Any]:
        return [message for message in self.told if isinstance(message, kind)]


async def at_once() -> None: ...


class Crew:
    """A node with three cameras and a detector."""

    camera_workers: tuple[Child, ...] = ()
    batch_within = 5.0

    def __init__(self, clock: ManualClock) -> None:
        self.table = Table.create(3, 1)
        self.detector = Spoken("inference-0", 0)
        self.detector.ready = True
        self.relief = Relief(self, clock, lambda _: None)  # type: ignore[arg-type]
        self.canary: Canary
        self.started: list[Spoken] = []
        self.let_go: list[Child] = []
        self.clock, self.says = clock, Ready("other · cpu", ["thing"])
        self.batch_started = 0.0
        self.set: list[str] = []
        self.refuses_to_try = self.refuses_to_set = ""
        self.forced: list[bool] = []
        self.judged = ""
        self.looks_at_pictures: Callable[[], Awaitable[object]] = at_once
        self.tried = ""
        self.meanwhile: Callable[[], None] = lambda: None
        self.after_that: Callable[[], None] = lambda: None
        """When there is no way back any more."""

    async def examine_canary(self, config: Config, *, force: bool) -> Admitted:
        self.forced.append(force)
        await self.looks_at_pictures()
        if self.refuses_to_try and not force:
            raise WorkerError(self.refuses_to_try)
        return Admitted("held to 12 labelled pictures", self.judged)

    def start_canary(self, child: Child, config: Config, judged: str) -> None:
        assert isinstance(child, Spoken)
        assert judged == self.judged
        self.started.append(child)
        match self.says:
            case Ready():
                child.ready, child.describe, child.names = True, self.says.describe, self.says.names
                child.made_of = self.says.made_of
            case Busy(_, why):
                child.kill(why)

    def introduce(self, worker: Child, detector: Child) -> None: ...

    def canary_changed(self) -> None: ...

    def end_canary(self, child: Child) -> None:
        self.let_go.append(child)

    def health_of(self, child: Child) -> Health:
        now = self.clock.monotonic()
        return Health(
            alive=child.alive,
            ready=True,
            spawned_at=now - 1,
            beat_at=now,
            batch_started=self.batch_started,
            batch_limit=5.0,
        )

    def entry(self, index: int) -> Entry:
        return Entry(NAMES[index], index, 0, CameraSettings(name=NAMES[index], url="rtsp://127.0.0.1:9/x"))

    def change_detector(self, entry: Entry) -> None:
        self.detector.send(Cameras(entry.worker, [entry.index], level=True))

    def all_objects_open(self) -> dict[int, int]:
        return {0: 2, 1: 1, 2: 1}

    async def set_detector(
        self,
        config: Config,
        reason: str,
        detail: str = "",
        *,
        force: bool = False,
        still: Callable[[], None] | None = None,
        tried: str = "",
        sure: Callable[[], None] = lambda: None,
    ) -> str:
        self.meanwhile()
        assert still is not None
        still()
        if self.refuses_to_set:
            raise WorkerError(self.refuses_to_set)
        sure()
        self.after_that()
        self.set.append(reason)
        self.tried = tried
        return "held to 12 labelled pictures"


class Rig:
    def __init__(self) -> None:
        self.clock, self.facts = ManualClock(), list[Any]()
        self.crew = Crew(self.clock)
        self.lacking = self.beside = ""
        self.canary = Canary(
            self.crew,
            self.clock,
            self.facts.append,
            lambda: self.lacking,
            lambda: self.beside,
            lambda place: Spoken("canary-0", place),
        )

    def run(
        self,
        lasts: float,
        then: Then,
        *steps: Callable[[], None],
        config: Config = CONFIG,
        force: bool = False,
    ) -> None:
        """Begin, and then these steps, with a turn of the loop after each."""

        async def all_of_it() -> None:
            await self.canary.begin(config, {0: "gate", 2: "dock"}, lasts, then, force=force)
            for step in steps:
                step()
                self.canary.tick()
                for _ in range(20):
                    await asyncio.sleep(0)
            await asyncio.sleep(0.03)
            self.canary.tick()

        asyncio.run(all_of_it())

    def pass_(self, seconds: float) -> Callable[[], None]:
        def passes() -> None:
            until = self.clock.monotonic() + seconds
            while self.clock.monotonic() < until - 1.0:
                self.clock.advance(1.0)
                self.canary.tick()
            self.clock.advance(until - self.clock.monotonic())

        return passes

    def analyses(self, camera: int = 0, frames: int = 1) -> Callable[[], None]:
        def does() -> None:
            self.crew.table.rows["analysed"][camera] += frames

        return does

    def fails(self, camera: int, frames: int) -> Callable[[], None]:
        def does() -> None:
            self.crew.table.rows[Ending.FAILED_INFER.value][camera] += frames

        return does

    @property
    def owners(self) -> list[int]:
        return [int(each) for each in self.crew.table.rows["detector"]]

    @property
    def child(self) -> Spoken:
        return self.crew.started[-1]

    @property
    def main(self) -> Spoken:
        return self.crew.detector

    @property
    def ended(self) -> CanaryEnded:
        [fact] = [each for each in self.facts if isinstance(each, CanaryEnded)]
        return fact

    @property
    def given_back(self) -> list[int]:
        return [camera for message in self.main.all_of(Cameras) for camera in message.cameras]


@pytest.fixture
def rig() -> Rig:
    return Rig()


def test_the_detector_lets_go_before_the_canary_begins_and_gets_its_cameras_back_in_time(rig: Rig) -> None:
    seen: list[list[int]] = []
    rig.run(60.0, "back", lambda: seen.append(rig.owners), rig.pass_(59.0), lambda: seen.append(rig.owners))
    assert seen == [[1, 0, 1], [1, 0, 1]]
    assert [message.cameras for message in rig.main.all_of(Leave)] == [[0, 2]]
    assert len(rig.child.all_of(Begin)) == 1
    assert isinstance(rig.facts[0], CanaryStarted)
    assert rig.canary.trial is not None
    assert rig.canary.trial.state is State.DETECTING


def test_in_the_end_it_finishes_what_it_has_and_ends(rig: Rig) -> None:
    rig.run(60.0, "back", rig.pass_(61.0))
    assert (rig.ended.why, rig.ended.cameras) == (Ended.TIME, ["gate", "dock"])
    assert [type(each) for each in rig.child.told][-2:] == [Drain, Stop]
    assert (rig.owners, rig.given_back) == ([0, 0, 0], [0, 2])
    assert rig.crew.let_go == [rig.child]
    assert not rig.canary.children


def test_one_that_is_to_be_set_is_set_and_then_gives_its_cameras_to_itself(rig: Rig) -> None:
    rig.crew.says = Ready("other · cpu", ["thing"], made_of="ab" * 32)
    rig.run(60.0, "set", rig.analyses(), rig.pass_(61.0))
    assert rig.crew.set == ["canary"]
    assert rig.crew.tried == "ab" * 32, "nothing that took its place"
    assert (rig.ended.why, rig.ended.detail) == (Ended.SET, "held to 12 labelled pictures")
    assert rig.ended.lasted == pytest.approx(61.0)
    assert rig.given_back == [0, 2]


def test_where_the_gate_says_no_it_goes_back_and_says_so(rig: Rig) -> None:
    rig.crew.refuses_to_set = "AP50 is 0.31, it was 0.52"
    rig.run(60.0, "set", rig.analyses(), rig.pass_(61.0))
    assert (rig.ended.why, rig.ended.detail) == (Ended.NOT_SET, "AP50 is 0.31, it was 0.52")
    assert rig.owners == [0, 0, 0]


def test_one_that_dies_while_it_is_being_set_is_not_set(rig: Rig) -> None:
    def dies() -> None:
        rig.child.lives = False
        rig.canary.tick()

    rig.crew.meanwhile = dies
    rig.run(60.0, "set", rig.analyses(), rig.pass_(61.0))
    assert rig.crew.set == []
    assert rig.ended.why == Ended.DIED


def test_one_that_dies_when_there_is_no_way_back_is_set_all_the_same_and_that_is_told(rig: Rig) -> None:
    def dies() -> None:
        rig.child.lives = False
        rig.canary.tick()

    rig.crew.after_that = dies
    rig.run(60.0, "set", rig.analyses(), rig.pass_(61.0))
    assert rig.crew.set == ["canary"]
    assert rig.ended.why == Ended.SET
    assert "its own process died" in rig.ended.detail
    assert (rig.owners, rig.given_back) == ([0, 0, 0], [0, 2])


def test_nothing_but_its_end_counts_when_there_is_no_way_back(rig: Rig) -> None:
    refused: list[str] = []

    def much_happens() -> None:
        rig.lacking = "The machine has no rest: there are three detectors"
        rig.fails(0, 50)()
        rig.canary.suspected(suspicion("gate", rig.clock.monotonic() + 1))
        rig.canary.tick()
        try:
            rig.canary.stop().send(None)
        except WorkerError as err:
            refused.append(str(err))

    rig.crew.after_that = much_happens
    rig.run(60.0, "set", rig.analyses(), rig.pass_(61.0))
    assert "no way back" in refused[0]
    assert rig.ended.why == Ended.SET
    assert [type(each) for each in rig.child.told][-2:] == [Drain, Stop], "in order: nothing is orphaned"


def test_one_that_looked_at_no_frame_is_not_set(rig: Rig) -> None:
    rig.run(60.0, "set", rig.pass_(61.0))
    assert rig.crew.set == []
    assert (rig.ended.why, rig.owners) == (Ended.NOT_SET, [0, 0, 0])
    assert "not one frame" in rig.ended.detail


def test_one_camera_on_which_every_frame_fails_is_enough(rig: Rig) -> None:
    steps = [step for _ in range(10) for step in (rig.analyses(0, 5), rig.fails(2, 2))]
    rig.run(60.0, "back", *steps)
    assert (rig.ended.why, rig.owners) == (Ended.FAILED, [0, 0, 0])
    assert rig.ended.detail == "dock: it failed on 20 frames in a row"


def test_frames_that_fail_now_and_then_are_not(rig: Rig) -> None:
    rig.run(60.0, "back", *(step for _ in range(20) for step in (rig.fails(2, 2), rig.analyses(2))))
    assert rig.canary.trial is not None
    assert rig.canary.trial.state is State.DETECTING


def test_how_far_a_shadow_of_it_agreed_is_known_beside_it(rig: Rig) -> None:
    asked: list[tuple[bytes, str]] = []
    rig.crew.says = Ready("other · cpu", ["thing"], made_of="ab" * 32)

    def agreed(spec: bytes, made_of: str) -> Agreed:
        asked.append((spec, made_of))
        return Agreed(100, 0.9, 0.8, 0.95)

    rig.canary = Canary(
        rig.crew,
        rig.clock,
        rig.facts.append,
        lambda: "",
        lambda: "",
        lambda place: Spoken("canary-0", place),
        at_work=lambda: AtWork(b"spec", "running · cpu"),
        agreed=agreed,
    )
    rig.run(60.0, "back")
    seen = canary_view(rig.canary, 0.5)
    assert seen is not None
    assert rig.canary.trial is not None
    assert asked == [(rig.canary.trial.spec, "ab" * 32)]
    assert (seen.beside, seen.agreed) == ("running · cpu", AgreedView(100, 0.9, 0.8, 0.95))


def test_it_is_said_how_long_frames_take_it_and_the_detector_beside_it_since_it_began(rig: Rig) -> None:
    table = rig.crew.table
    table.record_stage(table.canary_place, 0, Stage.INFER, 5.0)  # of a canary before

    def frames() -> None:
        for _ in range(10):
            table.record_stage(table.canary_place, 0, Stage.INFER, 0.040)
            table.record_stage(0, 1, Stage.INFER, 0.010)

    def later() -> None:
        table.record_stage(0, 1, Stage.INFER, 9.0)

    rig.run(60.0, "back", frames, rig.pass_(61.0), lambda: None, later)
    seen = canary_view(rig.canary, 0.5)
    assert seen is not None
    assert seen.took_ms.p99 == pytest.approx(40, rel=0.1)
    assert seen.beside_took_ms.p99 == pytest.approx(10, rel=0.1)


def test_one_that_dies_loses_its_cameras_at_the_next_look(rig: Rig) -> None:
    rig.run(60.0, "back", lambda: setattr(rig.child, "lives", False))
    assert (rig.ended.why, rig.owners, rig.given_back) == (Ended.DIED, [0, 0, 0], [0, 2])


def test_one_that_hangs_is_killed(rig: Rig) -> None:
    rig.run(
        60.0,
        "back",
        lambda: setattr(rig.crew, "batch_started", rig.clock.monotonic()),
        rig.pass_(4.0),
        rig.pass_(2.0),
    )
    assert rig.ended.why == Ended.HUNG
    assert not rig.child.lives


def test_one_that_is_too_much_for_the_node_goes_back(rig: Rig) -> None:
    rig.run(60.0, "back", lambda: setattr(rig, "lacking", "The detector has no rest"))
    assert (rig.ended.why, rig.ended.detail) == (Ended.LOAD, "The detector has no rest")


def suspicion(camera: str, since: float) -> LossSuspected:
    return LossSuspected(
        at=since,
        camera=camera,
        since=since,
        light="day",
        measure="boxes",
        direction="fewer",
        usual=2.0,
        lately=1.0,
        evidence=9.0,
    )


@pytest.mark.parametrize(
    ("camera", "later", "ends"), [("gate", 10.0, True), ("yard", 10.0, False), ("gate", -10.0, False)]
)
def test_it_goes_back_where_it_is_suspected_itself(
    rig: Rig, camera: str, later: float, *, ends: bool
) -> None:
    rig.run(60.0, "back", lambda: rig.canary.suspected(suspicion(camera, rig.clock.monotonic() + later)))
    assert any(isinstance(fact, CanaryEnded) for fact in rig.facts) is ends
    if ends:
        assert rig.ended.detail == "gate: boxes is fewer than usual"


def test_results_count_for_the_one_that_had_the_camera(rig: Rig) -> None:
    def results() -> None:
        rig.canary.result(0, rig.clock.wall() + 0.5, 3)  # the detector before may have had that frame
        for _ in range(4):
            rig.canary.result(0, rig.clock.wall() + 2.0, 1)
        rig.canary.result(1, rig.clock.wall() + 2.0, 1)

    rig.run(60.0, "back", results)
    assert rig.canary.trial is not None
    assert (rig.canary.trial.since.frames, rig.canary.trial.since.boxes) == (4, 4)


@pytest.mark.parametrize(
    ("says", "why"),
    [(Busy("DetectorError", "no such operator"), "no such operator"), (None, "was not ready")],
)
def test_one_that_cannot_be_used_never_has_a_camera(rig: Rig, says: Any, why: str) -> None:
    rig.crew.says = says
    if says is None:
        until = rig.crew.relief.until

        async def impatient(happened: Any, child: Child, seconds: float, what: str, **more: Any) -> None:
            rig.clock.advance(seconds + 1)
            await until(happened, child, -1.0, what, **more)

        rig.crew.relief.until = impatient  # type: ignore[method-assign]
    with pytest.raises(WorkerError, match=why):
        rig.run(60.0, "back")
    assert rig.ended.why == Ended.NOT_STARTED
    assert rig.main.told == []
    assert rig.owners == [0, 0, 0]


# ---- labelled pictures come first


def test_one_that_labelled_pictures_speak_against_has_neither_a_process_nor_a_camera(rig: Rig) -> None:
    rig.crew.refuses_to_try = "bad.onnx is refused: AP50 is 31.4 points lower"
    with pytest.raises(WorkerError, match=r"bad\.onnx is refused: AP50 is 31\.4 points lower"):
        rig.run(60.0, "back")
    assert (rig.ended.why, rig.ended.detail) == (Ended.NOT_STARTED, rig.crew.refuses_to_try)
    assert rig.ended.lasted == 0.0
    assert (rig.crew.started, rig.main.told, rig.owners) == ([], [], [0, 0, 0])
    rig.crew.refuses_to_try = ""
    rig.run(60.0, "back")
    assert rig.owners == [1, 0, 1], "the next one may"


def test_by_force_it_has_its_cameras_whatever_they_say(rig: Rig) -> None:
    rig.crew.refuses_to_try = "AP50 is 31.4 points lower"
    rig.run(60.0, "back", force=True)
    assert rig.crew.forced == [True]
    assert rig.owners == [1, 0, 1]


def test_what_is_loaded_is_what_was_held_to_them_and_what_they_said_is_kept(rig: Rig) -> None:
    rig.crew.judged = "ab" * 32  # ``start_canary`` asserts that it is told
    rig.run(60.0, "back")
    assert rig.canary.trial is not None
    assert rig.canary.trial.said == "held to 12 labelled pictures"


@pytest.mark.parametrize("how", ["stop", "close"])
def test_one_that_is_stopped_while_it_is_examined_is_examined_no_longer(rig: Rig, how: str) -> None:
    ended: list[str] = []

    async def for_ever() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            ended.append("examination")

    async def in_between() -> None:
        rig.crew.looks_at_pictures = for_ever
        begun = asyncio.ensure_future(rig.canary.begin(CONFIG, {0: "gate"}, 60.0, "back"))
        while not rig.crew.forced:
            await asyncio.sleep(0)
        seen = canary_view(rig.canary, 0.0)
        assert seen is not None
        assert (seen.state, seen.ran_s) == ("examined", 0.0)
        with pytest.raises(WorkerError, match="stop that first"):
            rig.canary.must_not_run()
        if how == "stop":
            await rig.canary.stop()
        else:
            rig.canary.close()
        rig.canary.must_not_run()
        with pytest.raises(WorkerError, match="stopped before it detected"):
            await begun

    asyncio.run(in_between())
    assert ended == ["examination"]
    assert rig.ended.why == (Ended.STOPPED if how == "stop" else Ended.NODE_STOPPED)
    assert (rig.crew.started, rig.main.told) == ([], [])


def test_one_that_is_stopped_in_the_moment_in_which_it_passes_has_no_camera(rig: Rig) -> None:
    async def stops() -> None:
        await rig.canary.stop()

    async def passes() -> None:
        stopping.append(asyncio.ensure_future(stops()))

    stopping: list[asyncio.Future[None]] = []
    rig.crew.looks_at_pictures = passes
    with pytest.raises(WorkerError, match="stopped before it detected"):
        rig.run(60.0, "back")
    assert (rig.ended.why, rig.crew.started) == (Ended.STOPPED, [])


def test_whoever_waits_no_longer_ends_the_examination(rig: Rig) -> None:
    async def given_up() -> None:
        rig.crew.looks_at_pictures = asyncio.Event().wait
        begun = asyncio.ensure_future(rig.canary.begin(CONFIG, {0: "gate"}, 60.0, "back"))
        while not rig.crew.forced:
            await asyncio.sleep(0)
        begun.cancel()
        with pytest.raises(asyncio.CancelledError):
            await begun
        rig.canary.must_not_run()

    asyncio.run(given_up())
    assert rig.ended.why == Ended.NODE_STOPPED


def test_a_node_that_has_too_much_to_do_by_then_gives_it_no_camera(rig: Rig) -> None:
    async def meanwhile() -> None:
        rig.lacking = "The machine has no rest"

    rig.crew.looks_at_pictures = meanwhile
    with pytest.raises(WorkerError, match="no rest"):
        rig.run(60.0, "back")
    assert (rig.ended.why, rig.crew.started) == (Ended.NOT_STARTED, [])


def test_where_the_detector_does_not_let_go_it_keeps_its_cameras(rig: Rig) -> None:
    rig.main.answering = False

    async def dies() -> None:
        begun = asyncio.ensure_future(rig.canary.begin(CONFIG, {0: "gate"}, 60.0, "back"))
        while not rig.main.told:
            await asyncio.sleep(0)
        rig.main.lives = False
        await begun

    with pytest.raises(WorkerError):
        asyncio.run(dies())
    assert (rig.ended.why, rig.owners, rig.given_back) == (Ended.NOT_STARTED, [0, 0, 0], [0])
    assert not rig.child.all_of(Begin)


def test_there_is_none_beside_a_shadow_or_another_or_where_the_node_has_enough_to_do(rig: Rig) -> None:
    rig.beside = "a candidate is shown frames"
    with pytest.raises(WorkerError, match="shown frames"):
        rig.run(60.0, "back")
    rig.beside, rig.lacking = "", "The machine has no rest"
    with pytest.raises(WorkerError, match="no rest"):
        rig.run(60.0, "back")
    rig.lacking = ""
    rig.run(60.0, "back")
    with pytest.raises(WorkerError, match="stop that first"):
        rig.run(60.0, "back")
    assert len(rig.crew.started) == 1


def test_a_node_that_stops_tells_of_it_and_ends_it_with_the_others(rig: Rig) -> None:
    rig.run(60.0, "back", rig.canary.close)
    assert rig.ended.why == Ended.NODE_STOPPED
    assert rig.canary.children == [rig.child]


# ---- which cameras


def roster(*names: str) -> Roster:
    return Roster({name: CameraSettings(name=name, url="rtsp://127.0.0.1:9/x") for name in names}, [0])


def test_cameras_are_named_by_name_or_pattern() -> None:
    entries = list(roster("gate_north", "gate_south", "yard"))
    assert named(["gate_*"], entries) == {0: "gate_north", 1: "gate_south"}
    assert named(["yard", "gate_south"], entries) == {1: "gate_south", 2: "yard"}
    entries[0].removed = True
    assert named(["gate_*"], entries) == {1: "gate_south"}


@pytest.mark.parametrize(
    ("names", "says"),
    [(["gate", "pier"], "no camera 'pier'"), (["Gate"], "no camera"), (["*"], "not for all"), ([], "one")],
)
def test_whoever_names_no_camera_or_all_of_them_is_told(names: list[str], says: str) -> None:
    with pytest.raises(ConfigError, match=says):
        named(names, list(roster("gate", "yard")))


# ---- when it goes back


def test_two_cars_that_stood_there_do_not_vanish_all_at_once() -> None:
    before = Counted(frames=20, filled=18, boxes=30)
    assert finds_nothing(before, Counted(frames=200), 40.0)
    assert not finds_nothing(before, Counted(frames=200, filled=1, boxes=1), 40.0), "it is not blind"
    assert not finds_nothing(before, Counted(frames=50), 40.0), "too few frames"
    assert not finds_nothing(before, Counted(frames=200), 20.0), "too short a time"
    assert not finds_nothing(Counted(frames=20, filled=4, boxes=30), Counted(frames=200), 40.0), "rare"
    assert not finds_nothing(Counted(frames=5, filled=5, boxes=5), Counted(frames=200), 40.0), "hardly seen"


def test_one_that_fails_in_a_row_or_is_always_too_late_goes_back() -> None:
    assert "failed on 20" in fails(Ends(5, 3, 0), Ends(5, 23, 0), 1.0)
    assert not fails(Ends(5, 3, 0), Ends(5, 22, 0), 1.0)
    assert "too slow" in fails(Ends(5, 0, 0), Ends(5, 0, 100), 30.0)
    assert not fails(Ends(5, 0, 0), Ends(5, 0, 100), 20.0), "the machine may have stood still"


@given(st.lists(st.integers(0, 5), max_size=50))
def test_counts_add_up(boxes: list[int]) -> None:
    counted = Counted()
    for each in boxes:
        counted.add(each)
    assert (counted.frames, counted.boxes) == (len(boxes), sum(boxes))
    assert counted.filled == sum(each > 0 for each in boxes)


@given(
    st.lists(
        st.tuples(st.integers(0, 2), st.sampled_from(["analysed", "failed"]), st.integers(1, 6)), max_size=60
    )
)
def test_a_streak_is_what_failed_since_the_last_that_was_analysed_on_that_camera_or_on_all(
    ends: list[tuple[int, str, int]],
) -> None:
    counts, streaks = np.zeros((3, 3), np.int64), Streaks(np.zeros((3, 3), np.int64), 0.0)
    rows, on_all = [0, 0, 0], 0
    for camera, how, frames in ends:
        if how == "analysed":
            counts[0, camera] += frames
            rows[camera] = on_all = 0
        else:
            counts[1, camera] += frames
            rows[camera] += frames
            on_all += frames
        found = streaks.look(counts.copy(), 0.0)
        assert (found is not None) is (max(*rows, on_all) >= 20)
        if found is not None:
            place, _ = found
            assert (place is None) is (on_all >= 20)
            assert place is None or rows[place] == max(rows)
            return
