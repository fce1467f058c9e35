"""A process that owns a shard of cameras end to end: sessions, newest frames, trackers.

One event loop reads all RTSP sockets; sources that need libavformat have a thread each. When this process
dies its cameras resume in a new one; others notice nothing.
"""

from __future__ import annotations

import asyncio
import math
import os
import random
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import msgspec
import numpy as np

from vedette.causes import Blame, Cause
from vedette.clock import Clock, SystemClock
from vedette.endings import Ending
from vedette.errors import VedetteError, redact
from vedette.facts import AnyFact, Blind, EndReason, EpochStarted, SessionEnd, Trouble
from vedette.found import Asked, Found
from vedette.health.camera import CameraHealth
from vedette.health.stream import LOOK_EVERY_S
from vedette.ingest.lane import SHORT_S, Lane
from vedette.ingest.live import LiveSource
from vedette.ingest.reconnect import Backoff
from vedette.ingest.select import SourceKind, make_source, source_kind
from vedette.ingest.session import keep_watching
from vedette.ingest.source import Receiver, Source
from vedette.ingest.understudy import Understudy
from vedette.pipeline import Pipeline
from vedette.settings import CameraSettings
from vedette.sinks.pictures import PictureSink, close_all
from vedette.track.tracker import Tracker, make_tracker
from vedette.workers.aside import Aside
from vedette.workers.exhausted import Pool, end_on_exhaustion, watch_task
from vedette.workers.moving import Moving, unpacked
from vedette.workers.protocol import (
    OPENED_ANEW,
    Acknowledge,
    AddCamera,
    AskConnect,
    CameraFinished,
    CannotAdd,
    Channel,
    Conditions,
    Connected,
    Disagrees,
    Done,
    Facts,
    Fetch,
    Filled,
    HandedOver,
    HandOver,
    Hello,
    Link,
    LinkShadow,
    MayConnect,
    MessageTooLong,
    Nudge,
    Output,
    Pictures,
    Ready,
    RemoveCamera,
    Review,
    Show,
    Start,
    Stop,
    Studied,
    TakeOver,
)
from vedette.workers.rest import Rest
from vedette.workers.reviewing import Reviewing
from vedette.workers.showing import Showing
from vedette.workers.slots import Slots
from vedette.workers.studied import studied_of
from vedette.workers.table import REASONS, CameraState, Table
from vedette.workers.threads import name_thread

__all__ = ["CameraWorker"]

T = TypeVar("T")

OUTBOX_AT_MOST = 4096
"""Messages that the node has not taken. At 200 results a second that is 20 s of a node that hangs."""

FACTS_AT_MOST = 65_536
"""Beyond that not even what is said once is kept: a node that hangs for so long is replaced."""

SWAMPED = 0.97
"""Share of the last second. A loop with less rest than that is behind, and nobody else is to blame."""

WORKED_S = 3.0
"""A detector that looked at nothing for so long, though there are pictures, is not one that works."""

GLANCE_S = 0.002
"""With hundreds of cameras a turn of the loop takes a tenth of a second: the detector is not kept waiting for
so long, but heard in between."""

CLOSE_WITHIN_S = 2.0

PICTURES_WITHIN_S = 0.8
"""For those that are being made when the worker is to end."""

BEAT_S = 0.1
SWEEP_S = 0.5

SHOWN_WITHIN_S, SHOWN_MOST_S = 1.0, 10.0
"""Whoever only wants to look waits so long for the next picture of a camera: longer where keyframes are far
apart and others are not decoded, and never longer than the second figure."""


class _Gate:
    """A camera's turn to connect, which the node gives. ``tell`` is called from the loop."""

    def __init__(self, index: int, tell: Callable[[Any], None], *, free: bool) -> None:
        self._index, self._tell, self._free = index, tell, free
        self._turn: asyncio.Event | None = None
        self._nudged = asyncio.Event()

    async def pause(self, seconds: float) -> None:
        self._nudged.clear()
        try:
            await asyncio.wait_for(self._nudged.wait(), seconds)
        except TimeoutError:
            pass

    def nudge(self) -> None:
        self._nudged.set()

    async def enter(self) -> None:
        if self._free:
            return
        self._turn = asyncio.Event()
        self._tell(AskConnect(self._index))
        try:
            await self._turn.wait()
        except asyncio.CancelledError:
            self.leave()
            raise

    def granted(self) -> None:
        if self._turn is not None:
            self._turn.set()

    def leave(self) -> None:
        if self._turn is not None:
            self._turn = None
            self._tell(Connected(self._index))


class _Camera:
    """A pipeline and what keeps it fed."""

    def __init__(
        self, pipeline: Pipeline, lane: Lane, gate: _Gate, source: Source, pictures: PictureSink | None
    ) -> None:
        self.pipeline, self.lane, self.gate, self.pictures = pipeline, lane, gate, pictures
        self.source = source
        self.health: CameraHealth
        self.task: asyncio.Task[None] | None = None


@dataclass
class _Closing:
    """A camera that is being closed: what it is then, and with what it begins anew. The last word counts."""

    state: CameraState
    task: asyncio.Task[None]
    next: AddCamera | None = None


@dataclass(eq=False)
class _Desk:
    """A detector as this worker knows it. While one takes over from another there are two; and while a canary
    detects for some cameras."""

    channel: Channel
    detector: int = 0
    """Which one of the node it is: 0 = the detector, 1 = a canary."""
    slots: Slots | None = None
    tickets: dict[int, int] = field(default_factory=dict)
    """Of the pictures that it has: ticket → camera."""
    to_show: dict[int, tuple[Fetch, float]] = field(default_factory=dict)
    """It wants to look at the next picture of these cameras: until when, in monotonic seconds."""
    open: bool = True


class CameraWorker:
    """Runs until the node says stop or is gone."""

    def __init__(self, start: Start, channel: Channel, table: Table, *doorbells: int) -> None:
        """``doorbells``: of the detector, and of a canary."""
        self._start, self._node, self._table, self._doorbells = start, channel, table, doorbells
        self.clock = SystemClock()
        self._cameras: dict[int, _Camera] = {}
        self._closing: dict[int, _Closing] = {}
        self._desks: list[_Desk] = []
        self._detector_since: list[float | None] = [None, None]
        """Of the detector, and of a canary."""
        self._glanced_at = 0.0
        self._inferred, self._inferred_at = [0, 0], [-math.inf, -math.inf]
        """Pictures that each detector has looked at, of whatever worker, and when that number grew last."""
        self._outbox: deque[Any] = deque()
        self._unsent = 0
        self._pool = Pool(
            max(2, (os.cpu_count() or 2)), "decode", initializer=name_thread, initargs=("decode",)
        )
        # Not behind frames that wait to be decoded: the detector waits for these.
        self._takers = Pool(2, "take", initializer=name_thread, initargs=("take",))
        self._stopping = asyncio.Event()
        self._moving = Moving(self, self._tell)
        self.reviewing = Reviewing(
            channel,
            tell=self._tell,
            told=lambda: not self._outbox,
            on_loop=self._on_loop,
            clock=self.clock,
        )
        self.showing = Showing(
            channel,
            told=lambda: not self._outbox,
            on_loop=self._on_loop,
            trouble=lambda message: self.trouble(message, where="show"),
            clock=self.clock,
        )
        self._aside = Aside(table)
        self._emitted: Output | None = None
        """The result that has just left, if one did."""

    async def run(self) -> None:
        loop = asyncio.get_running_loop()
        self._loop = loop
        end_on_exhaustion(loop)
        loop.add_reader(self._node.fileno(), self._hear_node)
        self._alive()
        self._node.send(Ready())
        beat = loop.create_task(self._beat())
        try:
            await self._stopping.wait()
        finally:
            beat.cancel()
            await self._close()

    def _alive(self) -> None:
        self._table.beats[1 + self._start.worker] = self.clock.monotonic()

    def _between_frames(self) -> None:
        """The loop reads on; called after each frame."""
        now = self.clock.monotonic()
        if now - self._glanced_at > GLANCE_S:
            self._glanced_at = now
            self._alive()
            for desk in list(self._desks):
                self._hear_detector(desk)

    async def _beat(self) -> None:
        """The worker's own loop turns: that is its sign of life. Also looks after its cameras, and ends what
        nobody asked for."""
        swept = looked = 0.0
        rest = Rest(self._table.loads[1 + self._start.worker])
        while True:
            now = self.clock.monotonic()
            self._alive()
            self._flush_outbox()
            rest.turned(now, BEAT_S, len(self._outbox))
            for number, detector in enumerate(self._table.detectors):
                if (inferred := int(detector["inferred"])) != self._inferred[number]:
                    self._inferred[number], self._inferred_at[number] = inferred, now
            if now - looked > LOOK_EVERY_S - BEAT_S / 2:
                looked = now
                for camera in self._cameras.values():
                    self._look_after(camera)
            if now - swept > SWEEP_S:
                swept = now
                self._nothing_to_show(now)
                self.for_review(self.reviewing.tick, None)
                for index, camera in self._cameras.items():
                    camera.pipeline.expire()
                    self._table.rows["backlog"][index] = camera.lane.backlog
                    self._count_pictures(index, camera)
            await asyncio.sleep(BEAT_S)

    def _count_pictures(self, index: int, camera: _Camera) -> None:
        if camera.pictures is not None and any(counted := camera.pictures.counted()):
            self._tell(Pictures(index, *counted))

    def _look_after(self, camera: _Camera) -> None:
        try:
            camera.health.look()
            camera.health.look_at_picture()
        except Exception as err:  # a mistake of ours, on one camera: the others must still be looked after
            name = camera.pipeline.settings.name
            self.trouble(f"{name} cannot be looked after: {type(err).__name__}: {err}", where="health")

    async def _close(self) -> None:
        tasks = [camera.task for camera in self._cameras.values() if camera.task]
        closing = [*self._moving.close(), *(each.task for each in self._closing.values())]
        for camera in self._cameras.values():
            camera.pipeline.close()
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks, timeout=1.2)
        if closing:
            # Cameras that were let go of before: their videos are not written to the end yet.
            await asyncio.wait(closing, timeout=CLOSE_WITHIN_S)
        await self._last_pictures()
        close_all([camera.pictures for camera in self._cameras.values() if camera.pictures])
        for index, camera in self._cameras.items():
            self._count_pictures(index, camera)
        self._flush_outbox()
        self.showing.close()
        for pool in (self._pool, self._takers):
            pool.shutdown(wait=False, cancel_futures=True)

    async def _last_pictures(self) -> None:
        """Those of frames that are kept for review, as far as they are on their way."""
        until = self.clock.monotonic() + PICTURES_WITHIN_S
        self.for_review(self.reviewing.hurry, None)
        self._flush_outbox()
        while not self.reviewing.idle and self.clock.monotonic() < until:
            await asyncio.sleep(0.01)
            self._flush_outbox()
        self.reviewing.close()

    # ---- the node

    def _hear_node(self) -> None:
        while True:
            try:
                heard = self._node.receive()
            except EOFError:
                # Without a node nobody would know what is seen here.
                self._loop.remove_reader(self._node.fileno())
                self._stopping.set()
                return
            if heard is None:
                return
            message, fds = heard
            match message:
                case AddCamera():
                    if message.index in self._closing:
                        self._closing[message.index].next = message
                    else:
                        self.add(message)
                case RemoveCamera(index, state):
                    if not self._moving.abandon(index):
                        self._close_camera(index, CameraState(state))
                case HandOver(index, joined):
                    self._moving.hand_over(index, joined=joined)
                case TakeOver():
                    self._moving.take_over(message)
                case MayConnect(index):
                    if index in self._cameras:
                        self._cameras[index].gate.granted()
                case Nudge(index):
                    if index in self._cameras:
                        self._cameras[index].gate.nudge()
                case Link():
                    self._meet_detector(Channel.from_fd(fds[0]), message.detector)
                case LinkShadow():
                    self._lose_shadow()
                    self._aside.meet(channel := Channel.from_fd(fds[0]))
                    self._loop.add_reader(channel.fileno(), self._hear_shadow)
                case Acknowledge(index, results):
                    if index in self._cameras:
                        self._cameras[index].pipeline.acknowledge(results)
                case Review(orders):
                    self.reviewing.follow(orders)
                case Conditions():
                    self.reviewing.regard(message)
                case Disagrees(index, captured_at, boxes):
                    self.reviewing.disagrees(index, captured_at, boxes)
                case Show():
                    self._show_to_people(message)
                case Stop():
                    self._stopping.set()

    def _show_to_people(self, show: Show) -> None:
        self.showing.follow(show)
        for index, camera in self._cameras.items():
            camera.pipeline.looked_at = index in self.showing.wanted

    def add(self, message: AddCamera) -> None:
        """Watch a camera from now on, or say why that cannot be."""
        try:
            self._add(message)
        except (VedetteError, OSError) as err:
            self._tell(CannotAdd(message.index, f"{message.name}: {redact(str(err))}"))
        except MemoryError:
            raise
        except Exception as err:
            if not message.known:
                raise
            # A mistake of ours, on one camera: somebody must read it all the same.
            self.trouble(f"{message.name} begins anew: {type(err).__name__}: {err}", where="moving")
            self.add(msgspec.structs.replace(message, known=b""))

    def _add(self, message: AddCamera) -> None:
        settings = msgspec.msgpack.decode(message.settings, type=CameraSettings)
        if message.joins:
            self._moving.join(message, settings)
            return
        self._moving.abandon(message.index)
        known = unpacked(message.known) if message.known else None
        gate = _Gate(message.index, self._tell, free=_reads_itself(settings))
        pipeline, pictures = self._pipeline(message.index, settings, known)
        lane = self.lane(settings, pipeline, gate)
        camera = self._install(message.index, pipeline, lane, gate, self.source(settings), pictures)
        if known is not None:
            camera.health.go_on(known["health"], joined=None)
            self._say_unseen(pipeline, known)
        camera.task = self._loop.create_task(self._watch(message.index, camera), name=message.name)
        watch_task(camera.task)

    def _pipeline(
        self, index: int, settings: CameraSettings, known: dict[str, Any] | None = None
    ) -> tuple[Pipeline, PictureSink | None]:
        pictures = None
        if settings.save_video:
            folder = Path(settings.save_video)
            pictures = PictureSink(
                folder, settings.name, tell=self.trouble, written=lambda: pipeline.acknowledge(0)
            )
        pipeline = Pipeline(
            index,
            settings,
            table=self._table,
            worker=1 + self._start.worker,
            clock=self.clock,
            observer=self,
            make_tracker=lambda: self.tracker(index, settings),
            ring=self._ringing(index),
            keeps_pictures=pictures is not None,
            held_up=(lambda: pictures.busy) if pictures else (lambda: False),
            notes=known["pipeline"]["notes"] if known is not None else None,
        )
        if known is not None:
            pipeline.go_on(known["pipeline"])
            self.for_review(lambda: self.reviewing.go_on(index, settings.name, known["review"]), None)
        return pipeline, pictures

    def lane(self, settings: CameraSettings, receiver: Receiver, gate: _Gate | None = None) -> Lane:
        """A lane for a camera's sessions."""
        # Sources with threads of their own decode there.
        threaded = source_kind(settings.url, _transport(settings)) is not SourceKind.RTSP_TCP
        return Lane(
            receiver,
            self.clock,
            None if threaded else self._pool,
            self._alive if threaded else self._between_frames,
            connected=lambda: self._on_loop(gate.leave) if gate else None,
        )

    def source(self, settings: CameraSettings) -> Source:
        """What reads a camera."""
        return _source(settings, self.clock)

    def _install(
        self,
        index: int,
        pipeline: Pipeline,
        lane: Lane,
        gate: _Gate,
        source: Source,
        pictures: PictureSink | None,
    ) -> _Camera:
        camera = self._cameras[index] = _Camera(pipeline, lane, gate, source, pictures)
        pipeline.looked_at = index in self.showing.wanted
        camera.health = CameraHealth(
            pipeline,
            lane,
            source if isinstance(source, LiveSource) else None,
            clock=self.clock,
            tell=self.fact,
            detector_since=lambda: self._since_of(index),
            swamped=lambda: bool(self._table.loads["busy"][1 + self._start.worker] >= SWAMPED),
            detector_works=lambda: self.clock.monotonic() - self._inferred_at[self._whose(index)] < WORKED_S,
        )
        return camera

    # ---- cameras come from another worker, and go to one

    def _say_unseen(self, pipeline: Pipeline, known: dict[str, Any]) -> None:
        """It moved without a session: from its last picture to the next one nobody sees it."""
        if known["health"]["stream"].outage is not None:
            return  # that is on record already, with its reason
        now = self.clock.monotonic()
        since = pipeline.notes.last_picture or now
        name = pipeline.settings.name
        blind = Blind(
            at=now, camera=name, since=since, cause=Cause.HANDED_OVER, blame=Blame.NODE, detail=OPENED_ANEW
        )
        self.fact(blind)

    def row(self, index: int) -> Any:
        """Of the shared table."""
        return self._table.rows[index]

    def camera(self, index: int) -> _Camera | None:
        """None where it is not this worker's, or is being closed."""
        return self._cameras.get(index)

    async def has_closed(self, index: int) -> None:
        """Return once nothing of a camera is open here that was being closed; it does not begin anew."""
        if (closing := self._closing.get(index)) is not None:
            closing.next = None
            await asyncio.wait([closing.task])

    def forget(self, index: int) -> None:
        """It is another worker's now."""
        self._cameras.pop(index, None)
        self.showing.gone(index)

    def go_on(
        self,
        index: int,
        settings: CameraSettings,
        known: dict[str, Any],
        source: Source,
        lane: Lane,
        understudy: Understudy,
        session: asyncio.Task[SessionEnd],
    ) -> None:
        """A camera is this worker's, in the middle of a session."""
        gate = _Gate(index, self._tell, free=False)
        pipeline, pictures = self._pipeline(index, settings, known)
        camera = self._install(index, pipeline, lane, gate, source, pictures)
        camera.health.go_on(known["health"], joined=understudy.info)
        pipeline.join(understudy)
        # The session that was joined was let in by the node's word for it; later ones come through the gate.
        lane.hand_to(pipeline, lambda: self._on_loop(gate.leave))
        camera.task = self._loop.create_task(self._watch(index, camera, session), name=settings.name)
        watch_task(camera.task)

    async def hang_up(self, camera: _Camera) -> None:
        """Close the session of a camera that is another worker's now: nobody is told."""
        if camera.task:
            camera.task.cancel()
            await asyncio.wait([camera.task], timeout=2.5)

    async def close_video(self, camera: _Camera) -> None:
        """What was written of it is a whole clip."""
        if camera.pictures:
            await self._loop.run_in_executor(None, camera.pictures.close)
            self._count_pictures(camera.pipeline.index, camera)

    def tracker(self, index: int, settings: CameraSettings) -> Tracker:
        """A new one without memory."""
        row = self._table.rows[index]

        def next_id() -> int:
            row["next_track_id"] += 1
            return int(row["next_track_id"]) - 1

        return make_tracker(settings.tracker, settings.tracker_options, settings.confidence, next_id)

    async def _watch(
        self, index: int, camera: _Camera, running: asyncio.Task[SessionEnd] | None = None
    ) -> None:
        settings = camera.pipeline.settings

        def set_state(state: CameraState) -> None:
            self._table.rows["state"][index] = state

        is_file = source_kind(settings.url) is SourceKind.FILE
        end = await keep_watching(
            camera.source,
            camera.pipeline,
            camera.lane,
            Backoff(random.Random()),
            camera.gate,
            clock=self.clock,
            set_state=set_state,
            tell=self.fact,
            ends=is_file and not settings.loop,
            running=running,
        )
        while not camera.pipeline.idle:
            await asyncio.sleep(0.02)
        # Why it ended, where it should not have, is on record before it is known to be over.
        self._look_after(camera)
        set_state(CameraState.FINISHED)
        self._loop.call_soon(self._tell, CameraFinished(index, end.reason.value, end.detail))

    def _close_camera(self, index: int, state: CameraState) -> None:
        camera = self._cameras.pop(index, None)
        self.for_review(lambda: self.reviewing.gone(index), None)
        self.showing.gone(index)
        if camera is not None:
            task = self._loop.create_task(self._close_and_go_on(index, camera))
            self._closing[index] = _Closing(state, task)
        elif index in self._closing:
            self._closing[index].state, self._closing[index].next = state, None
        else:
            self._table.rows["state"][index] = state

    async def _close_and_go_on(self, index: int, camera: _Camera) -> None:
        try:
            await self._closed(camera)
        finally:
            closing = self._closing.pop(index)
            self._table.rows["last_end"][index] = REASONS.index(EndReason.CLOSED)
            self._table.rows["state"][index] = closing.state
        if closing.next is not None and not self._stopping.is_set():
            self.add(closing.next)

    async def _closed(self, camera: _Camera) -> None:
        camera.pipeline.close()
        await self.hang_up(camera)
        await self.close_video(camera)

    # ---- the detector

    def _meet_detector(self, channel: Channel, detector: int) -> None:
        desk = _Desk(channel, detector)
        self._desks.append(desk)
        if self._detector_since[detector] is None:
            self._detector_since[detector] = self.clock.monotonic()
        self._loop.add_reader(channel.fileno(), self._hear_detector, desk)

    def _lose_detector(self, desk: _Desk) -> None:
        """What was at the detector is gone with it; trackers and epochs live on."""
        self._loop.remove_reader(desk.channel.fileno())
        desk.channel.close()
        desk.open = False
        self._desks.remove(desk)
        if not any(each.detector == desk.detector for each in self._desks):
            self._detector_since[desk.detector] = None
        # A copy: threads of the pool may still be at it.
        for ticket, index in list(desk.tickets.items()):
            self._aside.came_back(ticket, None)
            if index in self._cameras:
                self._cameras[index].pipeline.give_back(ticket, Ending.ORPHANED_INFER)
        desk.tickets.clear()

    def _whose(self, index: int) -> int:
        """Which detector has this camera now."""
        return int(self._table.rows["detector"][index])

    def _since_of(self, index: int) -> float | None:
        """Since when there is a detector for this camera. Where its canary is gone, the detector has it in a
        moment."""
        since = self._detector_since[self._whose(index)]
        return self._detector_since[0] if since is None else since

    def _hear_detector(self, desk: _Desk) -> None:
        while desk.open:
            try:
                heard = desk.channel.receive()
            except EOFError:
                self._lose_detector(desk)
                return
            if heard is None:
                return
            message, fds = heard
            match message:
                case Fetch():
                    self._fetch(desk, message)
                case Done():
                    desk.tickets.pop(message.ticket, None)
                    self._emitted = None
                    if message.camera in self._cameras:
                        self._cameras[message.camera].pipeline.finish(message.ticket, message)
                    if self._aside.came_back(message.ticket, self._emitted):
                        self.reviewing.compared_later(message.camera)
                case Hello(slots, height, width):
                    desk.slots = Slots(fds[0], slots, height, width)

    def _fetch(self, desk: _Desk, fetch: Fetch) -> None:
        camera = self._cameras.get(fetch.camera)
        if camera is None or desk.slots is None:
            desk.channel.send(Filled(fetch.ticket, False))
            return
        target = desk.slots.sized(fetch.slot, fetch.height, fetch.width)
        if fetch.trial:
            # Where a detector has time, it takes pictures at once: then it is shown on the next one's way.
            within = SHOWN_WITHIN_S + 2 * camera.pipeline.comes_every
            desk.to_show[fetch.camera] = fetch, self.clock.monotonic() + min(within, SHOWN_MOST_S)
            self._takers.submit(self._show, camera, fetch.camera)
            return
        desk.tickets[fetch.ticket] = fetch.camera
        if camera.lane.slow or self._table.rows["decode_s"][fetch.camera] > SHORT_S:
            # It takes long to convert, or it is decoded only now.
            self._takers.submit(self._take, desk, camera, fetch, target)
        else:
            self._take(desk, camera, fetch, target)

    def _take(
        self, desk: _Desk, camera: _Camera, fetch: Fetch, target: np.ndarray[Any, np.dtype[np.uint8]]
    ) -> None:
        self._show(camera, fetch.camera)
        drawn = self._aside.draw(fetch.ticket, fetch.camera)
        try:
            filled = camera.pipeline.take(fetch.ticket, target, aside=drawn)
        except MemoryError:
            raise
        except Exception as err:  # no answer at all would cost the detector a slot
            camera.pipeline.give_back(fetch.ticket, Ending.FAILED_CONVERT)
            self.trouble(f"a picture could not be handed over: {type(err).__name__}: {err}")
            filled = False
        if not desk.open:
            # It was lost while a thread of the pool was here: nobody else ends this frame.
            camera.pipeline.give_back(fetch.ticket, Ending.ORPHANED_INFER)
            self._aside.fill(fetch.ticket, None)
            return
        picture = camera.pipeline.picture(fetch.ticket) if drawn and filled else None
        if not filled:
            desk.tickets.pop(fetch.ticket, None)
        deadline, weak = camera.pipeline.deadline(fetch.ticket), camera.pipeline.studies(fetch.ticket)
        desk.channel.send(Filled(fetch.ticket, filled, deadline, weak))
        # Now the detector is busy, and nobody waits for what follows.
        if drawn:
            self._aside.fill(fetch.ticket, picture)
        try:
            camera.health.look_at_picture()
        except Exception as err:  # a mistake of ours on one picture: no reason to stop hearing the detector
            name = camera.pipeline.settings.name
            self.trouble(f"{name}: a picture cannot be judged: {type(err).__name__}: {err}", where="health")

    def _lose_shadow(self) -> None:
        if (fd := self._aside.fileno) >= 0:
            self._loop.remove_reader(fd)
        self._aside.lose()

    def _hear_shadow(self) -> None:
        try:
            self._aside.hear()
        except EOFError:
            self._lose_shadow()

    def _show(self, camera: _Camera, index: int) -> None:
        """To those who only want to look, before the picture is taken. From any thread."""
        for desk in list(self._desks):
            # Whoever takes the entry out has to answer, whichever thread it is.
            asked = desk.to_show.pop(index, None)
            if asked is None or desk.slots is None:
                continue
            fetch, _ = asked
            try:
                shown = camera.pipeline.show(desk.slots.sized(fetch.slot, fetch.height, fetch.width))
            except MemoryError:
                raise
            except Exception as err:  # no answer at all would hold up the trial
                self.trouble(f"a picture could not be shown: {type(err).__name__}: {err}")
                shown = False
            if not shown:
                desk.to_show[index] = asked
            elif desk.open:
                desk.channel.send(Filled(fetch.ticket, True))

    def _nothing_to_show(self, now: float) -> None:
        """Of cameras that had no picture for a while."""
        for desk in self._desks:
            for index, (fetch, until) in list(desk.to_show.items()):
                if now > until and desk.to_show.pop(index, None) is not None:
                    desk.channel.send(Filled(fetch.ticket, False))

    def _on_loop(self, work: Callable[[], None]) -> None:
        """From any thread."""
        self._loop.call_soon_threadsafe(work)

    def _ringing(self, index: int) -> Callable[[], None]:
        """What wakes the detector that has this camera, if it waits for frames."""
        whose, idle, doorbells = self._table.rows["detector"], self._table.idle, self._doorbells

        def ring() -> None:
            number: int = whose.item(index)
            if idle[number].item(0):
                idle[number][0] = 0
                os.eventfd_write(doorbells[number], 1)

        return ring

    # ---- facts and results go to the node

    def fact(self, fact: AnyFact) -> None:
        """Observer: may be called from any thread."""
        self._loop.call_soon_threadsafe(self._tell, Facts([fact]))
        if isinstance(fact, EpochStarted) and fact.reason == "camera_moved":
            self._on_loop(lambda: self._looks_elsewhere(fact.camera))

    def _looks_elsewhere(self, name: str) -> None:
        for index, camera in self._cameras.items():
            if camera.pipeline.settings.name == name:
                self.reviewing.moved(index)

    def result(self, output: Output, image: Any, shown: float) -> None:
        """Observer: called from the loop."""
        self._tell(output)
        if output.index in self._cameras:
            self.for_review(lambda: self.reviewing.result(output.index, output), None)
        self._emitted = output
        pictures = self._cameras[output.index].pictures if output.index in self._cameras else None
        if pictures is not None:
            pictures.put(image, output, shown + self.clock.wall() - self.clock.monotonic())
        if self.showing.wanted:
            self.showing.result(output, image)

    def asks(self, index: int, captured: float) -> Asked | None:
        """Observer: may be called from any thread."""
        camera = self._cameras.get(index)
        if camera is None:
            return None
        name = camera.pipeline.settings.name
        return self.for_review(lambda: self.reviewing.asks(name, captured), None)

    def for_review(self, work: Callable[[], T], otherwise: T) -> T:
        """A mistake of ours about review is no reason to lose a frame, or a camera. From any thread."""
        try:
            return work()
        except MemoryError:
            raise
        except Exception as err:
            self.trouble(
                f"frames are not kept as they should be: {type(err).__name__}: {err}", where="review"
            )
            return otherwise

    def found(self, index: int, found: Found) -> None:
        """Observer: called from the loop."""
        camera = self._cameras.get(index)
        if camera is None:
            return
        name = camera.pipeline.settings.name
        chance = self.for_review(lambda: self.reviewing.found(index, name, found), 0.0)
        self._tell(studied_of(index, found, camera.health.take_seen(), chance))

    def trouble(self, message: str, where: str = "video") -> None:
        """From any thread."""
        self.fact(Trouble(at=self.clock.monotonic(), where=where, message=message))

    def _tell(self, message: Any) -> None:
        if not self._outbox and self._sent(message):
            return
        if len(self._outbox) >= OUTBOX_AT_MOST and self._may_be_dropped(message):
            self._unsent += 1
            return
        if len(self._outbox) >= FACTS_AT_MOST:
            self._unsent += 1
            return
        self._outbox.append(message)

    def _may_be_dropped(self, message: Any) -> bool:
        """Results of live cameras; what is said once, and results of sources that wait, are few and kept."""
        if isinstance(message, Studied):
            return True
        return isinstance(message, Output) and not self._cameras[message.index].pipeline.settings.every_frame

    def _sent(self, message: Any) -> bool:
        try:
            return self._node.send(message)
        except MessageTooLong:
            if isinstance(message, HandedOver):
                # Whoever gets the camera begins anew; it must hear that it has it.
                self.trouble("what is known of a camera is too long to be handed over")
                return self._node.send(HandedOver(message.index, lost=True))
            self._unsent += 1
            return True

    def _flush_outbox(self) -> None:
        while self._outbox and self._sent(self._outbox[0]):
            self._outbox.popleft()
        self.reviewing.flush()
        if self._unsent and not self._outbox:
            lost, self._unsent = self._unsent, 0
            self.trouble(f"the node took no messages for a while: {lost} were dropped")


def _source(settings: CameraSettings, clock: Clock) -> Source:
    return make_source(
        settings.url,
        clock=clock,
        transport=_transport(settings),
        pace=settings.pace,
        loop=settings.loop,
        options=dict(settings.options),
        connect_timeout=settings.connect_timeout,
        first_frame_timeout=max(settings.connect_timeout, settings.hang_up_after),
        stall_after=settings.hang_up_after,
    )


def _reads_itself(settings: CameraSettings) -> bool:
    """Whether nobody is connected to: such a camera waits for no turn."""
    return source_kind(settings.url) in (SourceKind.FILE, SourceKind.V4L2)


def _transport(settings: CameraSettings) -> str:
    return "udp" if settings.transport == "udp" else "tcp"
