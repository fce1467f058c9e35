"""The composition root of a node: build, start, keep, stop.

The node owns the configuration, the shared table, supervision and the delivery of results. It runs on an
event loop of its own; :mod:`vedette.running` gives it a thread and a face for people.
"""

from __future__ import annotations

import asyncio
import os
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import msgspec

from vedette.alerts.message import Message
from vedette.alerts.service import AlertService
from vedette.causes import Blame, Cause
from vedette.clock import Clock, SystemClock
from vedette.config import Config
from vedette.errors import ConfigError, DetectorError, VedetteError, WorkerError, redact
from vedette.facts import (
    Alerted,
    AnyFact,
    Blind,
    CameraAdded,
    CameraPaused,
    CameraRemoved,
    CameraRestarted,
    EndReason,
    EpochStarted,
    GapClosed,
    Isolated,
    LossSuspected,
    Quarantined,
    Released,
    Trouble,
    WorkerEnded,
    WorkerStarted,
)
from vedette.fleet import Fleet
from vedette.ingest.admission import HOLD_S, Admission
from vedette.ladder.governor import Governor
from vedette.ledger.keeper import Keeper
from vedette.ledger.rows import Counters
from vedette.live import Live
from vedette.quality.desk import QualityDesk
from vedette.quality.examiner import Admitted, Examiner
from vedette.quality.validate.schedule import Capacity
from vedette.quality.validate.where import runs_of
from vedette.results import Result
from vedette.roster import Changes, Entry, Roster
from vedette.settings import CameraSettings
from vedette.supervise.canary import Canary
from vedette.supervise.child import Child
from vedette.supervise.exits import in_words
from vedette.supervise.gpu import Gpus, load_nvml
from vedette.supervise.machine import store_folder
from vedette.supervise.policy import Action, Health, decide, quarantine_lasts
from vedette.supervise.reader import UsageReader
from vedette.supervise.recycler import Recycler
from vedette.supervise.relief import Relief, must_work
from vedette.supervise.resources import Watched
from vedette.supervise.shadow import Shadow
from vedette.supervise.suspects import Suspects
from vedette.supervise.trying import AtWork
from vedette.supervise.usage import Usage
from vedette.tasks import (
    camera_settings,
    detector_spec,
    weights,
    worker_count,
)
from vedette.track.tracker import make_tracker
from vedette.workers.exhausted import OUT_OF_MEMORY
from vedette.workers.outputs import result_of
from vedette.workers.protocol import (
    Acknowledge,
    AskConnect,
    Busy,
    CameraFinished,
    CannotAdd,
    Connected,
    Disagrees,
    Drained,
    Drawn,
    Facts,
    HandedOver,
    Joined,
    Left,
    Link,
    LivePicture,
    Output,
    Pictured,
    Pictures,
    Ready,
    Start,
    StartInference,
    StartShadow,
    Stop,
    Studied,
    Tried,
    pair,
)
from vedette.workers.table import Table

__all__ = ["FIXED", "Node"]

FIXED = (
    "sinks",
    "ledger",
    "alerts",
    "connects",
    "recycle",
    "drift",
    "validation",
    "review",
    "workers",
    "ladder",
    "metrics",
    "traces",
    "web",
    "folder",
)
"""What a running node does not change."""

LOOK_EVERY_S = 0.1
SILENT_S = 0.25
"""A worker that beats is not looked at from outside."""

USAGE_EVERY_S = 0.5
MEMORY_EVERY_S = 2.0
STOP_WITHIN_S = 3.0
"""In order; after that workers are killed. The whole stop must take less than five seconds."""

ALERTS_WITHIN_S = 1.0
"""For messages that are ready to be delivered when the node stops."""

HOLD_TIMEOUTS = 8
"""An attempt may take three time limits, and as many with FFmpeg after our own client."""

BATCH_AT_MOST = 16
"""Of ``batch: auto``: more buys no throughput on any device that fits one node's cameras."""

SPARE_SEATS = 4
"""Places for camera workers that take over from others, or have one camera that crashes whoever reads it."""

STARTS_AT_MOST = 3
"""A worker that dies so often before the node was ever complete will not mend by being tried again."""

_ERRORS = {error.__name__: error for error in (ConfigError, DetectorError, WorkerError)}

Deliver = Callable[[Result, Callable[[], None]], None]


class Node:
    """``deliver`` is called on the node's loop with each result and a function to call, from any thread, when
    all sinks have it; ``tell`` with each fact. Neither may block."""

    def __init__(
        self,
        config: Config,
        *,
        deliver: Deliver,
        tell: Callable[[AnyFact], None],
        save_video: Path | None = None,
        clock: Clock | None = None,
    ) -> None:
        self.config = config
        self.save_video = save_video
        self.usage = Usage(
            gpus=Gpus(load_nvml()), store=store_folder(config.ledger.url, enabled=config.ledger.enabled)
        )
        self._reader = UsageReader(self.usage, self._cannot_read)
        self.detector_name = ""
        """What the detector at work says it is."""
        self.started_at = self.ready_at = self.stopped_at = 0.0
        self.pictures: Counter[str] = Counter()
        """Of annotated videos: those written, dropped and failed."""
        self.deaths: Counter[str] = Counter()
        """Workers that died and nobody had planned it, by post."""
        self.paused_at_start: dict[str, str] = {}
        """Cameras that are not to be watched until somebody resumes them, and why."""
        self.paused_since: dict[str, float] = {}
        """Of those, when they were paused, where that is known: Unix seconds."""
        self.beside: Callable[[], list[tuple[str, int]]] = list
        """Processes beside the node's own, which are no workers: name and pid."""
        self._deliver, self._observe = deliver, tell
        self._clock = clock or SystemClock()
        self._failure: VedetteError | None = None
        self._built = False
        self._over = asyncio.Event()
        settings = camera_settings(config, save_video)
        count = worker_count(config.workers, len(settings), os.cpu_count() or 1)
        self.detector = Child("inference", "inference-0")
        self._standing_by: list[Child] = []
        """Workers that are to take over from others, and those that were taken over from."""
        self._workers = [
            Child("camera", f"cameras-{number}", number + 1) for number in range(count + SPARE_SEATS)
        ]
        for spare in self._workers[count:]:
            spare.staffed = False
        self._reserved: dict[str, Counters] = {}
        self._from_the_start = set(settings)
        """Cameras that were there at the start, as they were then."""
        self.keeper = Keeper(config.ledger, self._clock, self._report)
        self.alerts = self._alerts(config)
        self.fleet = self._fleet(config, settings)
        self.live = Live(self.fleet.roster, self._clock, self._somebody_looks)
        """Cameras that somebody looks at now, and their pictures."""
        self._suspects = Suspects()
        self.relief = Relief(self, self._clock, self._tell)
        self.recycler = self._recycler(config)
        self.quality = self._desk(config)
        """Who judges what the detector says: drift, losses, frames for people."""
        self.examiner = self._examiner(config)
        """Who holds detectors to labelled pictures."""
        self._spec = b""
        """Of the detector at work, packed, and what it was loaded from."""
        self._model = ""
        """The identity of the model at work; empty until there is one."""
        self.governor = self._governor(config)
        self.shadow = Shadow(
            self, self._clock, self._tell, lambda: self.governor.lacking, at_work=self._at_work
        )
        """Who shows a candidate what the detector at work sees."""
        self.shadow.disagreement = self._disagrees
        self.canary = self._canary()
        """Who lets a candidate detect for some cameras."""

    def _alerts(self, config: Config) -> AlertService:
        return AlertService(
            config.alerts,
            tell=self._report,
            on_message=self._alerted,
            coverage=self.keeper.coverage if config.ledger.enabled else None,
            clock=self._clock,
        )

    def _fleet(self, config: Config, settings: dict[str, CameraSettings]) -> Fleet:
        return Fleet(
            settings,
            weights(config),
            table=lambda: self.table,
            workers=self._workers,
            detectors=lambda: self._detectors,
            admission=Admission(
                per_host=config.connects.per_host,
                per_node=config.connects.per_node,
                hold=_hold(config),
            ),
            clock=self._clock,
            tell=self._tell,
            adopt=self._adopt,
            has=lambda detector, entry: self.canary.reads(detector, entry.index),
        )

    def _recycler(self, config: Config) -> Recycler:
        return Recycler(
            config.recycle,
            workers=lambda: [child for child in self.children if self.relief.at_work(child)],
            usage=self.usage,
            frames=self._frames_of,
            movable=lambda child: not any(entry.plays_a_clip for entry in self.cameras_of(child)),
            busy=lambda: self.relief.under_way is not None or not self.ready_at,
            perform=self.recycle,
            tell=self._tell,
            clock=self._clock,
        )

    def _desk(self, config: Config) -> QualityDesk:
        return QualityDesk(
            config,
            now=lambda: self.config,
            running=self._model_on,
            tell=self._from_elsewhere,
            clock=self._clock,
        )

    def _examiner(self, config: Config) -> Examiner:
        return Examiner(
            config.validation,
            runs=runs_of(config),
            name=config.ledger.node,
            at_work=lambda: detector_spec(self.config),
            capacity=self._capacity,
            tell=self._tell,
            clock=self._clock,
        )

    def _governor(self, config: Config) -> Governor:
        return Governor(
            self.fleet.roster,
            table=lambda: self.table,
            clock=self._clock,
            tell=self._tell,
            max_age=config.max_age,
            enabled=config.ladder,
            resizes=lambda: self.canary.child is None,
        )

    def _canary(self) -> Canary:
        return Canary(
            self,
            self._clock,
            self._tell,
            lambda: self.governor.lacking,
            lambda: "a candidate is shown frames (`model shadow`)" if self.shadow.child is not None else "",
            at_work=self._at_work,
            agreed=self.shadow.agreed,
        )

    def _from_elsewhere(self, fact: AnyFact) -> None:
        """A fact from another thread."""
        try:
            self._loop.call_soon_threadsafe(self._tell, fact)
        except RuntimeError:
            pass  # the loop is closed: nobody is there to be told

    @property
    def roster(self) -> Roster:
        return self.fleet.roster

    @property
    def input_size(self) -> tuple[int, int]:
        """Of the detector now: (height, width) in pixels; (0, 0) while it is not known."""
        inputs, size = self.governor.inputs, int(self.table.header["size"]) if self._built else 0
        return inputs[size] if size < len(inputs) else (0, 0)

    # ---- build and start

    async def run(self) -> None:
        """Run until stopped, until every camera is finished, or until it cannot go on (raises)."""
        try:
            self._start()
            watcher = asyncio.get_running_loop().create_task(self._supervise())
            watcher.add_done_callback(lambda _: self._over.set())
            try:
                await self._over.wait()
            finally:
                watcher.cancel()
        finally:
            await self._stop()
        if watcher.done() and not watcher.cancelled() and (error := watcher.exception()):
            raise error
        if self._failure is not None:
            raise self._failure

    def stop(self) -> None:
        """Ask it to stop. From the node's loop."""
        self._over.set()

    def prepare(self, config: Config) -> dict[str, Counters]:
        """What ``apply`` will need. May take a moment: from any thread but the node's. Raises LedgerError,
        and ConfigError for trackers that cannot be made."""
        settings = camera_settings(config, self.save_video)
        known = {entry.name: entry.settings for entry in list(self.roster)}
        for name, each in settings.items():
            if each.tracker_options and each != known.get(name):
                make_tracker(each.tracker, each.tracker_options, each.confidence, lambda: 0)
        return self.keeper.reserve(name for name in settings if name not in known)

    def apply(self, config: Config, reserved: dict[str, Counters]) -> Changes:
        """Watch the cameras of another configuration; the rest of it needs a restart. On the node's loop."""
        self._reserved = reserved
        # Another detector comes by ``set_detector``, which takes its time.
        kept = {name: getattr(self.config, name) for name in (*FIXED, "detector")}
        config = config.model_copy(update=kept)
        self._from_the_start.clear()
        for child in self.children:
            child.pardon()  # whoever changes something expects it to be tried
        found = self.fleet.apply(camera_settings(config, self.save_video), weights(config))
        self.config = config
        return found

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
        """Make this configuration's detector the detector; returns what labelled pictures say of it, in a
        line. ``force``: whatever they say. Raises WorkerError where it cannot be, or must not; then nothing
        has changed. ``still``: raises WorkerError if it must not any more; by default, while there is a
        canary. ``tried``: what it was made of when it was tried: nothing else may take over. ``sure``: called
        when there is no way back."""
        may_still = still or self.canary.must_not_run

        def last() -> None:
            may_still()
            sure()

        async with self.examiner.one:
            may_still()
            must_work(self.detector)  # else it could not take over after all that
            admitted = await self.examiner.gate(detector_spec(config), force=force, tried=tried)
            await self.relief.detector(lambda: config, reason, detail, last, admitted.made_of)
        return admitted.said

    async def recycle(self, name: str, reason: str = "operator", detail: str = "") -> None:
        """Put another process in a worker's place. Raises ConfigError where there is no such worker, and
        WorkerError where no other can take over. One in quarantine is tried at once."""
        if any(child.pardon() for child in self.children if name in (child.name, child.post)):
            return
        if name in (self.detector.name, self.detector.post):
            must_work(self.detector)
            await self.relief.detector(lambda: self.config, reason, detail)
            return
        # By the name that people see; or by that of the one whose work it does.
        for worker in sorted(self.camera_workers, key=lambda each: each.name != name):
            if name in (worker.name, worker.post):
                must_work(worker)
                await self.relief.camera_worker(worker.post, reason, detail)
                return
        names = ", ".join(each.name for each in self.children)
        raise ConfigError(f"there is no worker {redact(name)!r}; there are {names}")

    async def learn_drift(self, cameras: Sequence[str], *, keep: bool = False) -> None:
        """Learn anew what is usual for these cameras, or all. Raises ConfigError: nothing has changed."""
        await self.quality.learn(cameras, self.roster, keep=keep)

    def _adopt(self, entry: Entry) -> None:
        if entry.name in self._reserved:
            self.keeper.continue_with(entry, self._reserved[entry.name])

    def _tell(self, fact: AnyFact) -> None:
        """A fact of this node: first it is heard of, then come the rows that are made of it."""
        self._report(fact)
        self.keeper.take(fact)
        if isinstance(fact, (CameraAdded, CameraPaused, CameraRemoved, CameraRestarted)):
            self.governor.forget(fact.camera)
            self.live.forget(fact.camera)
        self.quality.take(fact)
        if isinstance(fact, LossSuspected):
            self.canary.suspected(fact)

    def _report(self, fact: AnyFact) -> None:
        self._observe(fact)
        self.alerts.put(fact)
        if isinstance(fact, GapClosed):
            self.fleet.nudge(self.keeper.neighbours(fact.gap))

    def _alerted(self, message: Message) -> None:
        self._observe(
            Alerted(
                at=self._clock.monotonic(),
                severity=message.severity.value,
                title=message.title,
                body=message.body,
                cameras=list(message.cameras),
                resolved=message.resolved,
            )
        )

    def _start(self) -> None:
        self._loop = asyncio.get_running_loop()
        self.started_at = self._last_look = self._clock.monotonic()
        self._memory_read_at = self._usage_read_at = 0.0
        self._doorbells = [os.eventfd(0, os.EFD_NONBLOCK | os.EFD_CLOEXEC) for _ in range(2)]
        self.table = Table.create(self.roster.capacity, len(self._workers))
        self.table.header["used"] = len(self.roster)
        self._built = True
        self.alerts.start()
        self.keeper.begin(self.roster, self.table)
        self.fleet.start(self.keeper.began_at)
        for name in self.paused_at_start.keys() & self._from_the_start:
            self.fleet.pause(name, self.paused_at_start[name], self.paused_since.get(name))
        self.keeper.start()
        self.examiner.start()
        self.quality.start()
        for child in self.children:
            self._spawn(child)

    @property
    def children(self) -> list[Child]:
        return [self.detector, *(worker for worker in self._workers if worker.staffed)]

    def _spawn(self, child: Child, first_word: Any = None) -> None:
        if first_word is not None:
            pass
        elif child.kind == "inference":
            first_word = self._inference_word(self.config)
        else:
            number = child.place - 1
            first_word = Start(worker=number, cameras=self.table.cameras, workers=len(self._workers))
        doorbells = self._doorbells if child.kind == "camera" else [self._doorbells[self._number_of(child)]]
        if isinstance(first_word, StartInference):
            child.process = first_word.process
        child.spawn(first_word, [self.table.fd, *doorbells])
        assert child.channel is not None
        asyncio.get_running_loop().add_reader(child.channel.fileno(), self._hear, child)

    def _number_of(self, child: Child) -> int:
        """Which detector it is: 0 = the detector, 1 = a canary."""
        return int(child.place == self.table.canary_place)

    def _inference_word(
        self, config: Config, *, stand_by: bool = False, number: int = 0, judged: str = ""
    ) -> StartInference:
        detector = config.detector
        auto = detector.batch == "auto"
        spec = msgspec.msgpack.encode(detector_spec(config))
        return StartInference(
            cameras=self.table.cameras,
            workers=len(self._workers),
            spec=spec,
            batch=BATCH_AT_MOST if auto else int(detector.batch),
            batch_within=detector.batch_within if auto else None,
            stand_by=stand_by,
            number=number,
            judged=judged,
            process=self.quality.models.begins(spec),
        )

    # ---- a candidate beside the detector

    def start_shadow(self, child: Child, config: Config) -> None:
        """Start the process in which this configuration's detector is shown frames. Raises OSError."""
        spec = detector_spec(config)
        if spec.threads is None:
            spec = msgspec.structs.replace(spec, threads=1)  # it has time
        packed = msgspec.msgpack.encode(spec)
        self._spawn(child, StartShadow(self.table.cameras, len(self._workers), packed))

    async def begin_shadow(self, config: Config, share: float, lasts: float) -> None:
        """See :meth:`Shadow.begin`. Raises WorkerError also while there is a canary: what is compared would
        be of two detectors."""
        self.canary.must_not_run()
        await self.shadow.begin(config, share, lasts)

    def end_shadow(self, child: Child) -> None:
        """Its process is gone: hear its last words, and let go of what belonged to it."""
        self._hear(child)
        self._let_go(child, self._clock.monotonic())

    def _disagrees(self, index: int, captured_at: float, boxes: int) -> None:
        """A candidate does, with the detector at work: whoever has the picture may keep it for review."""
        entry = self.roster[index]
        if self.quality.review is not None and entry.watched:
            self._workers[entry.worker].send(Disagrees(index, captured_at, boxes))

    def camera_name(self, index: int) -> str:
        return self.roster[index].name

    # ---- a candidate that detects for some cameras

    async def examine_canary(self, config: Config, *, force: bool) -> Admitted:
        """Hold this configuration's detector to labelled pictures before cameras are given to it. Raises
        WorkerError where they speak against it, unless by ``force``."""
        async with self.examiner.one:
            return await self.examiner.trial(detector_spec(config), force=force)

    def start_canary(self, child: Child, config: Config, judged: str) -> None:
        """Start its process, which does not begin yet. ``judged``: what it must be made of; empty = whatever
        is there. Raises OSError."""
        self._spawn(child, self._inference_word(config, stand_by=True, number=1, judged=judged))

    def end_canary(self, child: Child) -> None:
        """Its process is gone: hear its last words, and let go of what belonged to it."""
        self._hear(child)
        self._let_go(child, self._clock.monotonic())
        if self.canary.child is None:
            self.table.loads[child.place] = 0  # whoever is gone is not busy
            self.table.detectors[1]["batch_started"] = 0.0

    def canary_changed(self) -> None:
        """Other cameras are its own now, or none any more."""
        self._instruct(at_once=True)

    def health_of(self, child: Child) -> Health:
        """What is known of it."""
        return self._health(child)

    def entry(self, index: int) -> Entry:
        """A camera by its row of the table."""
        return self.roster[index]

    def change_detector(self, entry: Entry) -> None:
        """Tell whoever has this camera from now on."""
        self.fleet.change_detector(entry)

    def all_objects_open(self) -> dict[int, int]:
        """Cameras by index, and how many tracks each had in its last result; a canary's, too."""
        return self.fleet.objects_open()

    def _model_on(self, camera: str) -> str:
        """The identity of the model that detects on a camera; empty while that is not known. From any
        thread."""
        trial, child = self.canary.trial, self.canary.child
        if self.canary.has and trial is not None and child is not None and camera in trial.cameras.values():
            return self.quality.models.of(child.process)
        return self._model

    def _at_work(self) -> AtWork:
        return AtWork(self._spec, self.detector_name)

    # ---- workers speak

    def _hear(self, child: Child) -> None:
        while child.channel is not None:
            try:
                heard = child.channel.receive()
            except EOFError:
                asyncio.get_running_loop().remove_reader(child.channel.fileno())
                return
            if heard is None:
                return
            message, fds = heard
            if isinstance(message, Pictured):
                self.quality.pictured(child.pid or 0, message, fds[0] if fds else None)
            elif isinstance(message, LivePicture):
                self.live.heard(message, fds[0] if fds else None)
            else:
                self._heard(child, message)

    def _heard(self, child: Child, message: Any) -> None:
        match message:
            case _ if child.kind == "shadow":
                self.shadow.heard(child, message)
            case Output():
                self._heard_result(child, message)
            case Studied(index):
                self.quality.studied(self.roster[index], message)
            case Drawn(index):
                self.quality.drawn(child.pid or 0, self.roster[index], message)
            case Facts(facts):
                for fact in facts:
                    if isinstance(fact, EpochStarted):
                        self.fleet.epoch_started(fact.camera)
                    self._tell(fact)
            case Ready(describe, names, inputs, made_of, precision):
                child.ready, child.describe, child.inputs, child.names = True, describe, inputs, names
                child.made_of, child.precision = made_of, precision
                self.quality.models.loaded(child.process, made_of)
                if not self._stands_by(child):
                    self._heard_ready(child)
            case Tried() | Drained() | Left() | Joined() | HandedOver():
                child.answers.append(message)
            case Pictures(_, written, dropped, failed):
                self.pictures.update(written=written, dropped=dropped, failed=failed)
            case AskConnect(index) if self._reads(child, index):
                self.fleet.asks_to_connect(index)
            case Connected(index) if self._reads(child, index):
                self.fleet.connected(index)
            case AskConnect() | Connected():
                pass  # the camera is another worker's by now, who asks for itself
            case CameraFinished(index, reason, detail):
                self.fleet.finished(index, EndReason(reason), detail)
                if self.roster.all_finished:
                    self.stop()
            case CannotAdd(index, why):
                self._cannot_add(self.roster[index], why)
            case Busy(kind, why):
                child.kill_reason = why
                if self._stands_by(child):
                    return
                if not self.ready_at or kind == ConfigError.__name__:
                    self._fail(_ERRORS.get(kind, WorkerError)(why))

    def _stands_by(self, child: Child) -> bool:
        """Whether the node does without it, and somebody else looks after it."""
        return child in self._standing_by or child in self.canary.children

    def _somebody_looks(self) -> None:
        """From any thread."""
        try:
            self._loop.call_soon_threadsafe(self._show)
        except (AttributeError, RuntimeError):
            pass  # it has not begun, or is over

    def _show(self) -> None:
        self.live.show(self.camera_workers)

    def _instruct(self, *, at_once: bool = False) -> None:
        """Tell camera workers which frames to keep for review, where that has changed."""
        self.quality.instruct(
            self.camera_workers,
            self.roster,
            names=self.detector.names,
            spec=self._spec,
            canary_names=self.canary.names,
            at_once=at_once,
        )

    def _cannot_add(self, entry: Entry, why: str) -> None:
        """A camera's settings cannot be used. From the start on that is a mistake in the configuration; later
        on it is that camera's own trouble."""
        if entry.name in self._from_the_start:
            self._fail(ConfigError(why))
            return
        now = self._clock.monotonic()
        self._tell(Trouble(at=now, where="configuration", camera=entry.name, message=why))
        self._tell(
            Blind(
                at=now,
                camera=entry.name,
                since=now,
                cause=Cause.UNSUPPORTED,
                blame=Blame.OPERATOR,
                detail=why,
            )
        )

    def _reads(self, child: Child, index: int) -> bool:
        """Whether the camera is this worker's."""
        return self.roster[index].worker == child.place - 1

    def _heard_result(self, child: Child, output: Output) -> None:
        camera = self.roster[output.index]
        result = result_of(camera.name, output)
        self.fleet.heard_result(output)
        if self.canary.child is not None:
            self.canary.result(output.index, output.captured_at, len(output.names))
        loop = asyncio.get_running_loop()

        def taken() -> None:
            if not camera.settings.every_frame:
                return
            try:
                loop.call_soon_threadsafe(child.send, Acknowledge(output.index, 1))
            except RuntimeError:
                pass  # the loop is closed: the clip is over, and nobody waits for room any more

        self._deliver(result, taken)

    def _heard_ready(self, child: Child) -> None:
        self._tell(WorkerStarted(at=self._clock.monotonic(), worker=child.name, pid=child.pid or 0))
        if child is self.detector:
            self._detects(child)
            for worker in self._workers:
                self.introduce(worker, child)
        else:
            # Before it has a frame.
            self._instruct(at_once=True)
            for detector in self._detectors:
                self.introduce(child, detector)
            self.shadow.introduce(child)
            self.fleet.worker_ready(child.place - 1)
        if not self.ready_at and all(each.ready for each in self.children):
            self.ready_at = self._clock.monotonic()

    def _detects(self, child: Child) -> None:
        """This is the detector from now on."""
        self.detector_name, self.governor.inputs = child.describe, child.inputs
        before, self._model = self._spec, self.quality.models.of(child.process)
        self._spec = msgspec.msgpack.encode(detector_spec(self.config)) + child.made_of.encode()
        if self._spec != before:
            self.shadow.detector_changed()
        self.examiner.new_detector(child.made_of)
        self._instruct(at_once=True)

    @property
    def _detectors(self) -> list[Child]:
        """The one that works, one that is about to take over from it, and a canary."""
        others = [each for each in self._standing_by if each.kind == "inference"]
        return [self.detector, *others, *([self.canary.child] if self.canary.child is not None else [])]

    def introduce(self, worker: Child, detector: Child) -> None:
        """Give a camera worker and a detector a link of their own, once both are there."""
        if not (worker.ready and detector.ready):
            return
        number = worker.place - 1
        one, other = pair()
        worker.send(Link(number, [], self._number_of(detector)), [one.fileno()])
        shard = [
            entry.index for entry in self.roster.of_worker(number) if self.canary.reads(detector, entry.index)
        ]
        detector.send(Link(number, shard), [other.fileno()])
        one.close()
        other.close()

    # ---- workers are relieved

    @property
    def camera_workers(self) -> Sequence[Child]:
        """Those that have a process."""
        return [worker for worker in self._workers if worker.staffed]

    @property
    def batch_within(self) -> float:
        """Seconds that a batch may take before it counts as hung."""
        return self.config.detector.timeout

    def objects_open(self) -> dict[int, int]:
        """Cameras of the detector by index, and how many tracks each had in its last result."""
        of_all = self.fleet.objects_open()
        return {index: tracks for index, tracks in of_all.items() if index not in self.canary.has}

    def staff(self, like: Child) -> Child:
        """Start another camera worker, in a free place, to which new cameras go from now on."""
        taken = [worker for worker in self._workers if worker.staffed or worker in self._standing_by]
        free = next((worker for worker in self._workers if worker not in taken), None)
        if free is None:
            raise WorkerError("no place is free for another camera worker")
        # Whoever is on trial stays so, by whatever process.
        free.fill(self.free_post(free), quarantines=like.quarantines)
        try:
            self._spawn(free)
        except OSError as err:
            free.staffed = False
            raise WorkerError(f"it cannot be started: {err}") from err
        workers = self.roster.workers
        if like.place - 1 in workers:  # whoever has an isolated camera is given no other
            workers[workers.index(like.place - 1)] = free.place - 1
        return free

    def free_post(self, child: Child) -> str:
        """What a camera worker is called that does nobody else's work: its name, unless another has it by now
        that took over from an earlier one of that name."""
        taken = {worker.post for worker in self.camera_workers if worker is not child}
        names = [child.name, *(worker.name for worker in self._workers)]
        return next(name for name in names if name not in taken)

    def vacate(self, child: Child, heir: Child) -> None:
        """Nobody is to be started in this camera worker's place any more. Cameras that were removed from it
        are the heir's if they come back."""
        child.staffed = False
        self.roster.inherit(child.place - 1, heir.place - 1)
        self._standing_by.append(child)
        apart = set(self.roster.isolation)
        self.roster.workers = [
            each.place - 1 for each in self._workers if each.staffed and each.place - 1 not in apart
        ]

    def _frames_of(self, child: Child) -> int:
        """How many it has handled, with those who had its work before."""
        if child.kind == "inference":
            return int(self.table.header["inferred"])
        return sum(int(self.table.rows["received"][entry.index]) for entry in self.cameras_of(child))

    def cameras_of(self, child: Child) -> list[Entry]:
        """Those that this camera worker has, paused ones included."""
        return self.roster.of_worker(child.place - 1)

    def ask_to_join(self, entry: Entry, child: Child) -> None:
        """This camera worker wants to connect to a camera that another one has."""
        self.fleet.ask_to_join(entry, child)

    def may_join(self, entry: Entry) -> bool:
        """Whether it has been let in to connect."""
        return self.fleet.may_join(entry)

    def joined(self, entry: Entry) -> None:
        """It connects no more, whichever way it went."""
        self.fleet.joined(entry)

    def join(self, entry: Entry, child: Child) -> None:
        """Let it open a session beside the one that the camera's worker has."""
        self.fleet.join(entry, child)

    def hand_over(self, entry: Entry, *, joined: bool) -> None:
        """Have the camera's worker let it go, and say what it knows of it."""
        self.fleet.hand_over(entry, joined=joined)

    def keyframe_every(self, entry: Entry) -> float:
        """Seconds between the camera's keyframes; 0.0 while that is not known."""
        return self.fleet.keyframe_every(entry)

    def give_to(self, entry: Entry, child: Child, known: bytes | None, *, joined: bool) -> None:
        """The camera is this worker's from now on."""
        self.fleet.give_to(entry, child, known, joined=joined)

    def is_live(self, entry: Entry) -> bool:
        """Whether there is a session."""
        return self.fleet.is_live(entry)

    def stand_by(self, child: Child, config: Config, judged: str) -> None:
        """Start a detector that does not begin yet. ``judged``: what it must be made of. Raises OSError."""
        self._standing_by.append(child)
        self._spawn(child, self._inference_word(config, stand_by=True, judged=judged))

    def promote(self, child: Child, config: Config) -> None:
        """It is the detector from now on; the one before is a bystander until it is dismissed."""
        self._standing_by.remove(child)
        self._standing_by.append(self.detector)
        # Whoever is on trial stays so, by whatever process.
        child.quarantines = self.detector.quarantines
        self.detector = child
        self.config = self.config.model_copy(update={"detector": config.detector})
        # Cameras know its threshold. Their trackers go by the new one from their next epoch in a new worker.
        self.fleet.note(camera_settings(self.config, self.save_video))
        self._detects(child)
        self._tell(WorkerStarted(at=self._clock.monotonic(), worker=child.name, pid=child.pid or 0))

    def bury(self, child: Child) -> None:
        """The detector at work has died, and nobody had planned it: tell that, and what goes with it."""
        self._bury(child, self._clock.monotonic())

    def dismiss(self, child: Child) -> None:
        """Forget a worker that stood by, or was relieved. Its process has ended or is killed."""
        if child in self._standing_by:
            self._standing_by.remove(child)
        self._hear(child)
        self._let_go(child, self._clock.monotonic())
        if child.kind == "camera":
            self.table.loads[child.place] = 0

    def _let_go(self, child: Child, now: float) -> None:
        self.quality.worker_gone(child.pid or 0)
        if child.channel is not None:
            asyncio.get_running_loop().remove_reader(child.channel.fileno())
        child.reap(now)

    def _fail(self, error: VedetteError) -> None:
        self._failure = self._failure or error
        self.stop()

    # ---- keep

    async def _supervise(self) -> None:
        while True:
            now = self._clock.monotonic()
            for child in self.children:
                self._look_after(child, now)
            self._last_look = now
            self.fleet.tick()
            self.governor.tick()
            self.keeper.tick()
            self.recycler.tick()
            self.examiner.tick()
            self._instruct()
            self._show()
            self.shadow.tick()
            self.canary.tick()
            if now - self._usage_read_at > USAGE_EVERY_S:
                self._usage_read_at = now
                memory = now - self._memory_read_at > MEMORY_EVERY_S
                self._memory_read_at = now if memory else self._memory_read_at
                self._read_usage(memory=memory)
            await asyncio.sleep(LOOK_EVERY_S)

    def _read_usage(self, *, memory: bool) -> None:
        """Elsewhere: the system may take its time to answer, and this loop has none."""
        self._reader.ask(self._processes(), memory=memory, cpu=self.governor.cpu_busy)

    def _processes(self) -> list[Watched]:
        alive = [child for child in self.children if child.pid and child.alive]
        workers = [Watched(child.name, child.kind, child.pid) for child in alive if child.pid]
        aside = [
            Watched(f"{each.name} (aside)", each.kind, each.pid) for each in self._standing_by if each.pid
        ]
        aside += [Watched(name, "validation", pid) for name, pid in self.examiner.processes]
        aside += [Watched(name, "web", pid) for name, pid in self.beside()]
        candidates = [*self.shadow.children, *self.canary.children]
        tried = [Watched(each.name, each.kind, each.pid) for each in candidates if each.pid]
        return [Watched("node", "node", os.getpid()), *workers, *aside, *tried]

    def _capacity(self) -> Capacity:
        machine = self.usage.machine
        return Capacity(
            well=self.relief.under_way is None and all(child.ready for child in self.children),
            thinned=self.governor.thinned,
            smaller=int(self.table.header["size"]) > 0,
            detector=float(self.table.loads[0]["busy"]),
            cpu=self.governor.cpu_busy,
            memory=None if machine is None else machine.memory_available,
        )

    def _cannot_read(self, why: str) -> None:
        self._observe(Trouble(at=self._clock.monotonic(), where="usage", message=why))

    def _look_after(self, child: Child, now: float) -> None:
        if child.channel is not None and not child.alive:
            self._bury(child, now)
        verdict = decide(self._health(child), now, self._last_look)
        match verdict.action:
            case Action.TERMINATE:
                child.terminate(verdict.why)
            case Action.KILL:
                child.kill(child.kill_reason or verdict.why)
            case Action.RESPAWN if self.relief.under_way != child.post:
                # Else the one that stands by takes over, or it is started when that has failed.
                self._respawn(child, now)
            case Action.QUARANTINE:
                self._quarantine(child, verdict.why, now)
            case Action.RELEASE:
                child.quarantines = 0
                self._tell(Released(at=now, worker=child.name))
        child.flush()

    def _respawn(self, child: Child, now: float) -> None:
        try:
            self._spawn(child)
        except OSError as err:
            child.deaths.append(now)
            child.quarantined_at = 0.0  # if it was in quarantine, it has been tried now
            self._tell(Trouble(at=now, where=child.name, message=f"cannot be started: {err}"))

    def _quarantine(self, child: Child, why: str, now: float) -> None:
        """It is not started again for a while; what it should do is not done, and everybody is told."""
        child.quarantine(now)
        inference = child.kind == "inference"
        cameras = [] if inference else self.roster.of_worker(child.place - 1)
        self._tell(
            Quarantined(
                at=now,
                worker=child.name,
                why=why,
                again_in=quarantine_lasts(child.quarantines, essential=inference),
                detail=child.kill_reason or in_words(child.exit_code),
                cameras=[entry.name for entry in cameras if entry.watched],
            )
        )

    def _isolate(self, name: str, exit_code: int | None) -> None:
        """Have a camera read by a worker that it cannot take others down with."""
        entry = self.roster.named_ever(name)
        if entry.isolated or entry.removed or len(self.roster.of_worker(entry.worker)) == 1:
            return
        place = self._place_apart()
        if place is None:
            return
        if not place.staffed:
            place.fill(self.free_post(place))
        why = f"{self._workers[entry.worker].name} died while it decoded this stream: {in_words(exit_code)}"
        self.fleet.isolate(entry, place.place - 1)
        self._tell(Isolated(at=self._clock.monotonic(), camera=name, worker=place.name, why=why))

    def _place_apart(self) -> Child | None:
        """A place that nobody has, as long as another is left for whoever takes over from a worker; else the
        one with the fewest of those that are kept away from others already."""
        free = [each for each in self._workers if not (each.staffed or each in self._standing_by)]
        if len(free) > 1:
            return free[0]
        shared = self.roster.isolation
        return self._workers[min(shared, key=lambda worker: shared[worker])] if shared else None

    def _health(self, child: Child) -> Health:
        inference = child.kind == "inference"
        place, now = child.place, self._clock.monotonic()
        beat_at = float(self.table.beats[place])
        if child.pid and child.alive and now - beat_at > SILENT_S:
            child.signs.look(child.pid, now)
        else:
            child.signs.forget()
        return Health(
            alive=child.alive,
            ready=child.ready,
            spawned_at=child.spawned_at,
            beat_at=beat_at,
            deaths=tuple(child.deaths),
            batch_started=float(self._header_of(child)["batch_started"]) if inference else 0.0,
            batch_limit=self._batch_limit(child) if inference else 0.0,
            stopped_since=child.signs.stopped_since,
            still_since=child.signs.still_since,
            told_at=child.told_at,
            starved=child.signs.starved,
            quarantined_at=child.quarantined_at,
            quarantines=child.quarantines,
            essential=inference,
        )

    def _header_of(self, child: Child) -> Any:
        return self.table.detectors[self._number_of(child)]

    def _batch_limit(self, child: Child) -> float:
        """Seconds that a batch of it may take."""
        trial = self.canary.trial if self._number_of(child) else None
        return (self.config if trial is None else trial.config).detector.timeout

    def _bury(self, child: Child, now: float) -> None:
        """A worker died. What it left unfinished gets its outcome; a new one follows by policy."""
        self._hear(child)
        code, since = child.exit_code, self._last_sign(child, now)
        self._let_go(child, now)
        self.table.loads[child.place] = 0  # whoever is dead is not busy
        tracks: dict[str, int] = {}
        suspect = None
        self.deaths[child.post] += 1
        if child is self.detector:
            self.table.header["batch_started"] = 0.0
        else:
            inside = self.fleet.inside_decoders(child.place - 1)
            suspect = self._suspects.died(code, inside, now)
            tracks = self.fleet.worker_died(child.place - 1)
        self._tell(
            WorkerEnded(
                at=now,
                worker=child.name,
                exit_code=code,
                planned=False,
                detail=child.kill_reason or ("it had no memory left" if code == OUT_OF_MEMORY else ""),
                since=since,
                tracks=tracks,
            )
        )
        if suspect is not None:
            self._isolate(suspect, code)
        if not self.ready_at and child.failed_starts >= STARTS_AT_MOST:
            self._fail(WorkerError(f"worker {child.name} dies while it starts (exit code {code})"))

    def _last_sign(self, child: Child, now: float) -> float:
        """When it last showed that it worked: before its batch hung, or its loop did."""
        health = self._health(child)
        return min(now, health.batch_started or health.beat_at or now)

    # ---- stop

    async def _stop(self) -> None:
        self._reader.close()
        self.recycler.close()
        self.examiner.close()
        self.usage.read(self._processes(), memory=False)
        deadline = self._clock.monotonic() + STOP_WITHIN_S
        if self._built:
            self.shadow.close()
            self.canary.close()
        everybody = [*self.children, *self._standing_by, *self.shadow.children, *self.canary.children]
        for child in everybody:
            child.planned_end = True
            child.send(Stop())
            if not child.ready:
                child.kill("stopped while it started")
        while any(child.alive for child in everybody) and self._clock.monotonic() < deadline:
            await asyncio.sleep(0.02)
        for child in everybody:
            if child.alive:
                child.kill("did not stop in time")
                await asyncio.sleep(0.05)
            self._hear(child)
            self._let_go(child, self._clock.monotonic())
        if self._built:
            for entry in self.roster:
                self.table.orphan(entry.index)
            for doorbell in self._doorbells:
                os.close(doorbell)
            self.table.release()
        self.stopped_at = self._clock.monotonic()
        # Side by side: each may have to wait for somebody outside.
        alerts = asyncio.to_thread(self.alerts.close, ALERTS_WITHIN_S)
        closing = [asyncio.to_thread(close) for close in self.quality.closing()]
        await asyncio.gather(alerts, asyncio.to_thread(self.keeper.close), *closing)


def _hold(config: Config) -> float:
    """Seconds after which a camera that was let in to connect is taken for lost: longer than any attempt."""
    longest = max(camera.connect_timeout for camera in config.cameras.values())
    return max(HOLD_S, HOLD_TIMEOUTS * longest)
