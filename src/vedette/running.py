"""A node in a thread of its own, and the face it shows: ``with vedette.run("cameras.yaml") as node``."""

from __future__ import annotations

import asyncio
import sys
import threading
import time
from collections import deque
from collections.abc import Callable, Coroutine, Iterator, Sequence
from concurrent.futures import CancelledError, Future
from concurrent.futures import TimeoutError as FutureTimeout
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import Any, Self, TypeVar

from vedette.clock import SystemClock
from vedette.config import Config, load_config
from vedette.config_keys import config_keys
from vedette.control.protocol import (
    Configured,
    Gave,
    Happened,
    Happenings,
    Look,
    Looked,
    Order,
    Results,
    Settings,
)
from vedette.errors import ConfigError, ExistsError, VedetteError, WorkerError, redact
from vedette.faces import Faces
from vedette.facts import AnyFact, Quarantined, Trouble, WorkerEnded
from vedette.lasting import Kept, LastingChanges, NotKeptError, changed
from vedette.node import Node
from vedette.observe.canary import canary_view
from vedette.observe.canary_words import agreed_words
from vedette.observe.recent import RecentHappenings, RecentResults
from vedette.observe.report import build_report
from vedette.observe.telling import Telling
from vedette.observe.views import Histograms, NodeView
from vedette.observe.watch import Watch
from vedette.one_by_one import OneByOne
from vedette.results import Result
from vedette.roster import Changes
from vedette.sinks.open import deliveries_of
from vedette.supervise.canary import Then, named

__all__ = ["RunningNode", "run"]

T = TypeVar("T")

MAILBOX = 1024
"""Results that wait for ``node.results()``. Of live cameras the oldest make room, and are counted."""


STOPPED_DRAIN_S = 1.5
"""Somebody asked to stop and waits; what sinks have not taken by then is counted as dropped."""

FINISHED_DRAIN_S = 60.0
"""All clips are over and nobody waits for us: slow sinks may have the time they need."""


class Mailbox:
    """Results for an iterator. Those of sources that wait are never dropped: few can be under way at once;
    others are left out, and counted, once they are ``too_old``."""

    def __init__(
        self, keeps: Callable[[Result], bool], too_old: Callable[[Result], bool] = lambda _: False
    ) -> None:
        self._keeps, self._too_old = keeps, too_old
        self._results: deque[tuple[Result, Callable[[], None]]] = deque()
        self._changed = threading.Condition()
        self._over = False
        self._readers = 0
        self._forgone = False
        self.wanted = False
        self.dropped = self.expired = 0

    def put(self, result: Result, taken: Callable[[], None]) -> None:
        with self._changed:
            if not self.wanted and not self._keeps(result):
                self.dropped += 1  # nobody has begun to iterate; later it would be history
                return
            if not self._forgone:
                if len(self._results) >= MAILBOX:
                    self._drop_one()
                self._results.append((result, taken))
                self._changed.notify()
                return
        taken()

    def forgo(self) -> None:
        """Nobody iterates, so nothing shall wait for it: unless somebody does just now."""
        with self._changed:
            if self._readers:
                return
            self._forgone = True
            waiting = list(self._results)
            self._results.clear()
        for _, taken in waiting:
            taken()

    def _drop_one(self) -> None:
        for place, (result, _) in enumerate(self._results):
            if not self._keeps(result):
                del self._results[place]
                self.dropped += 1
                return

    def close(self) -> None:
        with self._changed:
            self._over = True
            self._changed.notify_all()

    def __iter__(self) -> Iterator[Result]:
        with self._changed:
            self.wanted, self._forgone = True, False
            self._readers += 1
        try:
            while (waiting := self._next()) is not None:
                result, taken = waiting
                taken()
                yield result
        finally:
            with self._changed:
                self._readers -= 1

    def _next(self) -> tuple[Result, Callable[[], None]] | None:
        with self._changed:
            while True:
                self._changed.wait_for(lambda: self._results or self._over)
                if not self._results:
                    return None
                result, taken = self._results.popleft()
                if self._keeps(result) or not self._too_old(result):
                    return result, taken
                self.expired += 1


class RunningNode:
    """A node that runs. Made by :func:`run`; use it as a context manager, or call :meth:`stop`."""

    def __init__(
        self,
        config: Config,
        on_result: Callable[[Result], None] | None,
        save_video: Path | None,
        on_fact: Callable[[AnyFact], None] | None,
        iterates: bool,
        answers: bool = False,
        lasting: LastingChanges | None = None,
    ) -> None:
        """``answers``: other programs of this user may ask what it is doing (`vedette top`). ``lasting``:
        where changes are kept that are ordered to last; ``config`` has them already."""
        self._facts = Telling(on_fact or (lambda _: None))
        self._iterates = iterates
        self._mailbox = Mailbox(self._waits, self._too_old)
        self._deliveries = deliveries_of(config, on_result, self._trouble, self._waits, self._too_old)
        self._loop: asyncio.AbstractEventLoop | None = None
        self._node = Node(config, deliver=self._deliver, tell=self._tell, save_video=save_video)
        self._watch = Watch(self._node)
        self._lasting = lasting
        kept = Kept() if lasting is None else lasting.kept
        self._paused: dict[str, str] = kept.paused
        """Cameras whose pause lasts, and why, as was last carried out."""
        self._node.paused_at_start, self._node.paused_since = kept.paused, kept.paused_since
        self._recent = RecentResults(self._watch.analysed, SystemClock())
        self._happenings = RecentHappenings()
        self._faces = Faces(self, config, self._trouble, answers=answers)
        self._node.beside = lambda: self._faces.web.processes if self._faces.web is not None else []
        self._stop_asked = False
        self._changing = threading.Lock()
        self._changes = OneByOne("vedette-change")
        """For orders that wait for the ledger, one after the other."""
        self._detecting = threading.Lock()
        """For other detectors: to look at labelled pictures takes minutes, and cameras do not wait for it."""
        self._started = threading.Event()
        self._error: BaseException | None = None
        self._thread = threading.Thread(target=self._run, name="vedette-node", daemon=True)

    # ---- for users

    def results(self) -> Iterator[Result]:
        """Results as they come, until the node stops. Raises what the node could not go on for."""
        yield from self._mailbox
        self._raise_error()

    def join(self, timeout: float | None = None) -> bool:
        """Wait until the node stops by itself (all clips over); False if that took over ``timeout`` s.

        Results that nobody iterates over by now are let go, so that no clip waits for it.
        """
        self._mailbox.forgo()
        self._thread.join(timeout)
        self._raise_error()
        return not self._thread.is_alive()

    def stop(self) -> None:
        """Stop in order: sessions closed, workers ended, sinks drained. Takes less than five seconds."""
        self._stop_asked = True
        if self._loop is not None and self._thread.is_alive():
            try:
                self._loop.call_soon_threadsafe(self._node.stop)
            except RuntimeError:
                pass  # the loop is closed: it ended by itself just now
        self._mailbox.close()
        self._thread.join()

    @property
    def running(self) -> bool:
        return self._thread.is_alive()

    @property
    def config(self) -> Config:
        """What it watches now."""
        return self._node.config

    @property
    def metrics_address(self) -> str | None:
        """Where Prometheus metrics are served, such as ``127.0.0.1:9464``: with the real port where 0 was
        asked for. None where none are."""
        return self._faces.metrics_address

    @property
    def web_url(self) -> str | None:
        """Where the dashboard is, for a browser on this machine; None where there is none."""
        return self._faces.web.url if self._faces.web is not None else None

    # ---- for users: cameras, while it runs

    def add_camera(self, name: str, **settings: Any) -> None:
        """Watch one camera more: ``add_camera("gate", url="rtsp://…", max_fps=5)``, the keys of the YAML.

        These methods return when the change is made (the camera connects meanwhile), may be called from any
        thread, and raise ConfigError for what cannot be: then nothing has changed. WorkerError when the node
        is not running.
        """

        self._add_camera(name, settings)

    def _add_camera(self, name: str, settings: dict[str, Any]) -> None:
        def add(config: Config) -> Config:
            if name in config.cameras:
                raise ExistsError(f"there is a camera {name!r} already; change_camera changes it")
            return config.with_camera(name, settings)

        self._apply(add)

    def change_camera(self, name: str, **settings: Any) -> None:
        """Change some of a camera's settings; it is opened anew."""
        self._change_camera(name, lambda given: given | settings)

    def _change_camera(self, name: str, edit: Callable[[dict[str, Any]], dict[str, Any]]) -> None:
        def change(config: Config) -> Config:
            before = config.cameras.get(name)
            if before is None:
                raise ConfigError(f"there is no camera {redact(name)!r}")
            given = {key: getattr(before, key) for key in before.model_fields_set}
            return config.with_camera(name, edit(given))

        self._apply(change)

    def remove_camera(self, name: str) -> None:
        """Watch it no more. Its counts stay in the report, its record in the ledger."""
        self._apply(lambda config: config.without_camera(name))

    def pause(self, name: str, why: str = "") -> None:
        """Close its session until :meth:`resume`; the ledger says that it was on purpose, and ``why``."""
        self._on_loop(lambda: self._node.fleet.pause(name, why))

    def resume(self, name: str) -> None:
        self._on_loop(lambda: self._node.fleet.resume(name))

    def restart_camera(self, name: str, why: str = "") -> None:
        """Open its session anew: a new epoch begins, and what is missed meanwhile is in the ledger as
        somebody's decision, with ``why``. Raises ConfigError for one that is paused, or has ended."""
        self._on_loop(lambda: self._node.fleet.restart(name, why or "Opened anew by an operator."))

    def reload(self, config: Config | str | Path, *, force: bool = False) -> Changes:
        """Watch the cameras of another configuration; the ones that are the same are not touched.

        Another detector takes over with nothing lost; raises WorkerError where it cannot, or where labelled
        pictures speak against it and it is not brought in by ``force``: then the cameras are those of the new
        configuration, and the detector is the one before. Everything but cameras, their defaults, trackers,
        ``max_age`` and the detector stays as it was started.
        """
        new = config if isinstance(config, Config) else load_config(config)
        found = self._apply(lambda _: new)
        self._level_pauses()
        with self._detecting:
            # Only now: what comes before this one may bring in another detector.
            if new.detector != self.config.detector:
                changed = self.config.model_copy(update={"detector": new.detector, "folder": new.folder})
                try:
                    self._wait_for(
                        self._begin(lambda: self._node.set_detector(changed, "reload", force=force))
                    )
                except WorkerError as err:
                    raise WorkerError(f"the cameras were changed, the detector was not: {err}") from err
        return found

    def settled(self) -> None:
        """Returns once all that was ordered of cameras until now is carried out, and kept: what is kept later
        than a file is read again would be taken back by it. Raises RuntimeError where the node has ended."""
        for _ in range(2):  # it is kept in a turn of its own, behind all that waited
            self._changes.submit(lambda: None).result()

    def _level_pauses(self) -> None:
        """Pauses that last were taken back, or came, where they are kept: so with the cameras."""
        if self._lasting is None:
            return
        kept = self._lasting.kept
        before, self._paused = self._paused, kept.paused
        here = {entry.name for entry in self._node.roster if not entry.removed}
        for name in (before.keys() - self._paused.keys()) & here:
            self.resume(name)
        for name in (self._paused.keys() - before.keys()) & here:
            since = kept.paused_since.get(name)
            self._on_loop(partial(self._node.fleet.pause, name, self._paused[name], since))

    # ---- for users: workers, while it runs

    def recycle(self, worker: str) -> None:
        """Put another process in the place of a worker (``inference-0``, ``cameras-0``…), with nothing lost.

        Returns when that is done. Raises ConfigError where there is no such worker, and WorkerError where no
        other process could take over: then it goes on.
        """
        self._wait_for(self._begin(lambda: self._node.recycle(worker)))

    def set_model(self, model: str | Path, *, force: bool = False, **settings: Any) -> str:
        """Let another model detect from now on, with nothing lost: an ONNX file, and keys of ``detector:``
        that are to be others. Returns when it does, with what labelled pictures say of it, in a line.

        Raises ConfigError for settings that cannot be, WorkerError where the model cannot be used, or where
        labelled pictures speak against it and it is not brought in by ``force``: then the one before goes on.
        """
        with self._detecting:
            config = self.config.with_detector({"model": str(model), "python": None, **settings})
            return self._wait_for(
                self._begin(lambda: self._node.set_detector(config, "model", str(model), force=force))
            )

    def learn_drift(self, *cameras: str, keep: bool = False) -> None:
        """Learn anew what is usual for these cameras, all where none is named; ``keep``: only in lights, and
        at hours, of which nothing is known yet (docs/drift.md).

        Raises ConfigError where the detector is not watched on one of them: then nothing is learnt anew.
        """
        self._wait_for(self._begin(lambda: self._node.learn_drift(cameras, keep=keep)))

    def shadow(
        self, model: str | Path | None = None, *, share: float = 0.1, seconds: float = 3600.0, **settings: Any
    ) -> None:
        """Show a candidate a share of the frames that are analysed, for so many seconds, and count how far it
        agrees with the detector at work: an ONNX file, and keys of ``detector:`` that are to be others;
        without a file, the detector at work with those keys.

        Returns when it is ready. Raises ConfigError for settings that cannot be, WorkerError where the model
        cannot be used, or another candidate is shown frames already. ``view().shadow`` has the figures.
        """
        self._wait_for(self._begin_shadow(model, share, seconds, settings))

    def stop_shadow(self) -> None:
        """Show the candidate nothing more; its figures stay. Raises WorkerError where there is none."""
        self._on_loop(self._node.shadow.stop)

    def canary(
        self,
        model: str | Path | None = None,
        *,
        cameras: Sequence[str],
        seconds: float = 3600.0,
        then: Then = "back",
        force: bool = False,
        **settings: Any,
    ) -> str:
        """Let a candidate detect for some cameras (by name; ``*`` and ``?`` stand for others), for so many
        seconds: an ONNX file, and keys of ``detector:`` that are to be others; without a file, the detector
        at work with those keys. ``then`` they go ``back``, or it is ``set`` for all, as by ``set_model``.

        Returns when it detects, with what labelled pictures say of it. Raises ConfigError for settings that
        cannot be and names that no camera has, WorkerError where the model cannot be used, or while another
        candidate is tried, or where labelled pictures speak against it and it is not brought in by ``force``
        (which lets it have these cameras, and no others: they are asked again before it is ``set``). If it
        dies, hangs, or does worse, its cameras go back at once; ``view().canary`` says what became of it.
        """
        return self._wait_for(self._begin_canary(model, cameras, seconds, then, settings, force=force))

    def stop_canary(self) -> None:
        """Give its cameras back. Raises WorkerError where there is none."""
        self._wait_for(self._begin(self._node.canary.stop))

    def _begin_canary(
        self,
        model: str | Path | None,
        cameras: Sequence[str],
        seconds: float,
        then: Then,
        settings: dict[str, Any],
        *,
        force: bool,
    ) -> Future[str]:
        """What is to be said of it comes of it."""
        if seconds <= 0:
            raise ConfigError("the time must be longer than nothing")
        config = self._with_candidate(model, settings)

        async def begin() -> str:
            chosen = named(cameras, list(self._node.roster))
            await self._node.canary.begin(config, chosen, seconds, then, force=force)
            trial, seen = self._node.canary.trial, canary_view(self._node.canary, 0.0)
            assert trial is not None
            assert seen is not None
            return "\n".join(filter(None, (trial.said, agreed_words(seen))))

        return self._begin(begin)

    def _with_candidate(self, model: str | Path | None, settings: dict[str, Any]) -> Config:
        given: dict[str, Any] = {} if model is None else {"model": str(model), "python": None}
        if settings.get("python"):
            given = {"model": None}
        return self.config.with_detector({**given, **settings})

    def _begin_shadow(
        self, model: str | Path | None, share: float, seconds: float, settings: dict[str, Any]
    ) -> Future[None]:
        if not (0 < share <= 1 and seconds > 0):
            raise ConfigError(
                "share must lie above 0 and at most at 1, and the time must be longer than nothing"
            )
        config = self._with_candidate(model, settings)
        return self._begin(lambda: self._node.begin_shadow(config, share, seconds))

    def begin(self, order: Order) -> Future[Any]:
        """Begin what somebody ordered over the control socket."""
        if not order.keep or self._lasting is None:
            return self._begin_order(order)
        # Where it could not be kept it is not done at all: an answer means both.
        return self._kept(order, self._begin_order(order, self._lasting.check), self._lasting)

    def _kept(self, order: Order, begun: Future[Any], lasting: LastingChanges) -> Future[Any]:
        """The same, that is also kept once it was carried out."""
        kept: Future[Any] = Future()

        def keep(said: Any) -> None:
            try:
                lasting.carried_out(order)
                self._paused = lasting.kept.paused
            except VedetteError as err:
                kept.set_exception(NotKeptError(f"it is done, but not kept for the next start: {err}"))
            except OSError as err:
                why = f"{lasting.path}: {err.strerror or err}"
                kept.set_exception(NotKeptError(f"it is done, but not kept for the next start: {why}"))
            else:
                kept.set_result(said)

        def done(carried_out: Future[Any]) -> None:
            try:
                said = carried_out.result()
            except (Exception, CancelledError) as err:
                kept.set_exception(err)
                return
            try:
                # This may be the node's loop, which waits for no disk.
                self._changes.submit(lambda: keep(said))
            except RuntimeError as err:
                kept.set_exception(NotKeptError(f"it is done, but not kept for the next start: {err}"))

        begun.add_done_callback(done)
        return kept

    def _begin_order(self, order: Order, check: Callable[[], None] = lambda: None) -> Future[Any]:
        """``check``: asked first, where a disk may be waited for; what it raises is why the order is not
        carried out. Of orders that can be kept."""
        if order.kind == "recycle":
            return self._begin(lambda: self._node.recycle(order.what))
        if order.kind == "shadow":
            return self._begin_shadow(order.what, order.share, order.seconds, order.settings)
        if order.kind == "unshadow":
            return self._begin(self._stop_shadow)
        if order.kind == "canary":
            return self._begin_canary(
                order.what, order.cameras, order.seconds, order.then, order.settings, force=order.force
            )
        if order.kind == "uncanary":
            return self._begin(self._node.canary.stop)
        if order.kind in ("learn", "learn_more"):
            names = [name for name in order.what.split(",") if name]
            return self._begin(lambda: self._node.learn_drift(names, keep=order.kind == "learn_more"))
        if order.kind != "model":
            return self._begin_change(order, check)
        config = self.config.with_detector({"model": order.what, "python": None, **order.settings})

        async def set_model() -> str:
            await asyncio.to_thread(check)
            return await self._node.set_detector(config, "model", order.what, force=order.force)

        return self._begin(set_model)

    def _begin_change(self, order: Order, check: Callable[[], None]) -> Future[Any]:
        """Of a camera. One after the other, as they were ordered: an earlier one may wait for the ledger."""
        name, settings = order.what, order.settings
        work: dict[str, Callable[[], object]] = {
            "add": lambda: self._add_camera(name, settings),
            "change": lambda: self._change_camera(name, lambda given: changed(given, settings)),
            "remove": lambda: self.remove_camera(name),
            "pause": lambda: self.pause(name, order.why),
            "resume": lambda: self.resume(name),
            "restart": lambda: self.restart_camera(name, order.why),
        }

        def do() -> object:
            check()
            return work[order.kind]()

        try:
            return self._changes.submit(do)
        except RuntimeError as err:
            raise WorkerError(f"the node takes no changes now: {err}") from err

    def look(self, request: Look) -> Looked:
        """The newest pictures of cameras; to ask is to want more (vedette.live)."""
        return self._node.live.look(request)

    def recent_results(self, request: Results) -> Gave:
        """Results of the last seconds, remembered only while somebody asks."""
        return self._recent.after(request)

    def recent_happenings(self, request: Happenings) -> Happened:
        """What happened lately, as the log has it."""
        return self._happenings.after(request)

    def configured(self, request: Configured) -> Settings:
        """What it watches now, as the keys of the YAML file, without credentials."""
        return Settings(config_keys(self.config))

    def progress(self) -> str:
        """How far that is, in words; empty where there is nothing to say."""
        return self._node.examiner.progress

    async def _stop_shadow(self) -> None:
        self._node.shadow.stop()

    def _begin(self, work: Callable[[], Coroutine[Any, Any, T]]) -> Future[T]:
        self._on_loop(lambda: None)  # a node that does not run says so
        assert self._loop is not None
        return asyncio.run_coroutine_threadsafe(work(), self._loop)

    def _wait_for(self, future: Future[T]) -> T:
        while True:
            try:
                return future.result(0.1)
            except FutureTimeout:
                if not self._thread.is_alive():
                    raise WorkerError("the node ended before it could be done") from None
            except CancelledError:
                raise WorkerError("the node was stopped before it was done") from None

    def _apply(self, change: Callable[[Config], Config]) -> Changes:
        with self._changing:
            # Until it has begun, nobody knows where the cameras of the ledger go on.
            self._on_loop(lambda: None)
            config = change(self.config)
            # The database may take its time, which the node's loop does not have.
            reserved = self._node.prepare(config)
            return self._on_loop(lambda: self._node.apply(config, reserved))

    def _on_loop(self, work: Callable[[], T]) -> T:
        """Do it on the node's loop, and come back with what came of it."""
        done: Future[T] = Future()

        def do() -> None:
            try:
                done.set_result(work())
            except Exception as err:
                done.set_exception(err)

        try:
            if self._loop is None:
                raise WorkerError("the node is not running")
            self._loop.call_soon_threadsafe(do)
        except RuntimeError as err:
            raise WorkerError("the node is not running") from err
        return self._wait_for(done)

    def _waits(self, result: Result) -> bool:
        return self._node.roster.named_ever(result.camera).settings.every_frame

    def _too_old(self, result: Result) -> bool:
        return time.time() - result.captured_at > self.config.max_age

    @property
    def finished(self) -> dict[str, Any]:
        """How the cameras that ended for good ended: ``EndReason`` by name."""
        entries = list(self._node.roster)
        return {each.name: each.finished for each in entries if each.finished and not each.removed}

    def finish_detail(self, camera: str) -> str:
        """More about how a camera that is finished ended."""
        return self._node.roster.named_ever(camera).detail

    def view(self, *, details: bool = False) -> NodeView:
        """What every camera does now; rates are of the last second. ``details``: with the stages of each."""
        return self._watch.now(self._deliveries, details=details)

    def histograms(self) -> Histograms:
        """Ages and stage times since the start, as counts."""
        return self._watch.histograms()

    def view_in_all(self) -> NodeView:
        """The same with rates since the start."""
        return self._watch.in_all(self._deliveries)

    def report(self) -> dict[str, Any]:
        """Frames and their outcomes, ages, stage times and costs since the start (docs/configuration.md)."""
        return build_report(self.view_in_all())

    # ---- inside

    def start(self) -> Self:
        self._faces.start()
        self._facts.start()
        for delivery in self._deliveries:
            delivery.start()
        self._thread.start()
        self._started.wait()
        return self

    def _run(self) -> None:
        async def work() -> None:
            self._loop = asyncio.get_running_loop()
            self._started.set()
            await self._node.run()

        try:
            asyncio.run(work())
        except VedetteError as err:
            self._error = err
        except Exception as err:
            # Whatever broke, whoever waits for results must hear of it.
            self._error = WorkerError(f"the node broke: {type(err).__name__}: {redact(str(err))}")
        finally:
            self._started.set()
            self._changes.close()
            self._faces.close()
            self._drain()
            self._mailbox.close()
            self._facts.close()

    def _drain(self) -> None:
        """Give the sinks the time they need, until somebody wants to stop; then a moment, side by side."""
        until = time.monotonic() + FINISHED_DRAIN_S
        while not self._stop_asked and time.monotonic() < until:
            if not any(delivery.delivered.waiting for delivery in self._deliveries):
                break
            time.sleep(0.02)
        closers = [
            threading.Thread(target=delivery.close, args=(STOPPED_DRAIN_S,), daemon=True)
            for delivery in self._deliveries
        ]
        for closer in closers:
            closer.start()
        for closer in closers:
            closer.join(STOPPED_DRAIN_S + 0.5)

    def _deliver(self, result: Result, taken: Callable[[], None]) -> None:
        self._watch.saw(result)
        self._faces.frame(result)
        if self._recent.wanted:
            self._recent.put(result)
        takers = len(self._deliveries) + self._iterates
        if not takers:
            taken()
        once = taken if takers == 1 else _after(takers, taken)
        for delivery in self._deliveries:
            delivery.put(result, once)
        if self._iterates:
            self._mailbox.put(result, once)

    def _tell(self, fact: AnyFact) -> None:
        self._facts.put(fact)
        self._happenings.put(fact)
        self._watch.heard(fact)

    def _trouble(self, message: str, where: str = "sink") -> None:
        self._tell(Trouble(at=time.monotonic(), where=where, message=message))

    def _raise_error(self) -> None:
        if self._error is not None:
            error, self._error = self._error, None
            raise error

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()
        if kind is None:
            self._raise_error()


def _after(calls: int, taken: Callable[[], None]) -> Callable[[], None]:
    """``taken`` once it was called ``calls`` times."""
    lock = threading.Lock()
    left = calls

    def count_down() -> None:
        nonlocal left
        with lock:
            left -= 1
            last = left == 0
        if last:
            taken()

    return count_down


def _say_trouble(fact: AnyFact) -> None:
    """Somebody must hear of it: on standard error, unless ``on_fact`` was given."""
    if isinstance(fact, Trouble):
        print(f"vedette: {redact(fact.message)}", file=sys.stderr)
    elif isinstance(fact, WorkerEnded):
        print(f"vedette: worker {fact.worker} was lost: {redact(fact.detail)}", file=sys.stderr)
    elif isinstance(fact, Quarantined):
        why = f"{fact.why}; the last time: {redact(fact.detail)}"
        print(f"vedette: worker {fact.worker} is in quarantine: {why}", file=sys.stderr)


def run(
    config: Config | str | Path,
    *,
    on_result: Callable[[Result], None] | None = None,
    save_video: str | Path | None = None,
    on_fact: Callable[[AnyFact], None] | None = None,
) -> RunningNode:
    """Start watching. Returns at once; cameras connect while the detector loads.

    ``config``: a configuration, or the path of a YAML file. ``on_result`` is called with every result, in a
    thread of its own; without it, iterate over ``node.results()``. ``on_fact`` hears of sessions, epochs,
    workers and trouble; without it, trouble is printed to standard error. ``save_video``: a folder for
    annotated video.

    Raises ConfigError at once; DetectorError and the like come out of ``results``, ``join`` or the end of
    the ``with`` block.
    """
    if not isinstance(config, Config):
        config = load_config(config)
    folder = Path(save_video).absolute() if save_video else None
    on_fact = on_fact or _say_trouble
    return RunningNode(config, on_result, folder, on_fact, on_result is None).start()
