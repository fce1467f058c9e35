"""A process that owns a detector on a device. When it dies, frames in flight are orphaned and nothing else
happens: trackers and epochs live with the cameras.

Two threads: the main one runs the detector and does nothing else; the asker chooses, requests the next
frames while a batch runs, and listens to everybody.
"""

from __future__ import annotations

import itertools
import math
import os
import queue
import select
import threading
import time
from collections import defaultdict, deque
from dataclasses import dataclass
from typing import Any

import msgspec
import numpy as np

from vedette.errors import DetectorError, redact
from vedette.facts import Trouble
from vedette.frame import Rung
from vedette.infer import detector as infer
from vedette.infer.asker import Batch, Rhythm
from vedette.infer.batching import BatchSizer
from vedette.infer.choose import Waiting, charge, choose, forgive, next_due
from vedette.infer.load import DetectorSpec, load_detector
from vedette.infer.sizes import Sizes
from vedette.ingest.lane import SHORT_S
from vedette.workers.exhausted import exhausted
from vedette.workers.protocol import (
    Begin,
    Busy,
    Cameras,
    Channel,
    Done,
    Drain,
    Drained,
    Facts,
    Fetch,
    Filled,
    Hello,
    Leave,
    Left,
    Link,
    MessageTooLong,
    Ready,
    StartInference,
    Stop,
    Try,
    Weak,
)
from vedette.workers.slots import Slots
from vedette.workers.table import Stage, Table
from vedette.workers.threads import name_thread
from vedette.workers.trial import Trial

__all__ = ["InferenceWorker"]

ANSWER_WITHIN_S = 0.1
"""A camera worker that takes longer to hand over frames is left out of this batch; the others go ahead."""

IDLE_TURN_S = 0.1
LAST_BATCH_S = 0.5
SWAMPED_S = 0.5
"""A worker without a sign of life for so long holds up all its cameras, not only the one that was asked."""

ASIDE_AT_MOST = 2
"""Frames of cameras with large pictures that are under way beside the batch that is being filled."""

DRAIN_WITHIN_S = 0.5
"""For pictures that a camera worker has been asked for and does not bring: they are orphaned after that."""

LOAD_EVERY_S = 1.0
NAP_S, NAP_OVER_S = 0.0008, 0.00003
TROUBLE_EVERY_S = 5.0


class InferenceWorker:
    """Runs until the node says stop or is gone."""

    def __init__(self, start: StartInference, node: Channel, table: Table, doorbell: int) -> None:
        self._start, self._node, self._table, self._doorbell = start, node, table, doorbell
        self._header = table.detectors[start.number]
        self._place = table.canary_place if start.number else 0
        self._links: dict[int, Channel] = {}
        self._unsent: defaultdict[int, deque[Done]] = defaultdict(deque)
        self._owner: dict[int, int] = {}
        self._asked_of: dict[int, int] = {}
        """Tickets that are not answered for yet → the worker that was asked: cameras may move meanwhile."""
        self._tickets = itertools.count(time.monotonic_ns())  # never those of a worker before this one
        self._rhythm = Rhythm()
        self._running_since = 0.0
        self._to_detect: queue.SimpleQueue[Batch | None] = queue.SimpleQueue()
        self._passed_on = 0  # batches; written by the asker
        self._finished = 0  # batches; written by the detector's thread
        self._detected: deque[tuple[Batch, _Found]] = deque()
        self._pending: Batch | None = None
        self._overdue: dict[int, tuple[int, int, int]] = {}
        """Tickets that were given up on (camera, slot, size); their slot may still be written to until the
        answer comes."""
        self._sizer = None if start.batch_within is None else BatchSizer(start.batch, start.batch_within)
        self._busy_before, self._load_at = 0.0, 0.0
        # In the table: who is owed what outlives this process.
        self._served = table.rows["served"]
        self._epochs = np.full(table.cameras, -1, np.int64)
        self._asked_seq = np.full(table.cameras, -1, np.int64)
        self._reachable = np.zeros(table.cameras, np.bool_)
        self._wake = os.eventfd(0, os.EFD_NONBLOCK | os.EFD_CLOEXEC)
        self._napping = False
        self._told_trouble = 0.0
        self._stopped = self._begun = self._drained = False
        self._drain_by = math.inf
        """When to wait no longer for frames that were asked for, in monotonic seconds."""
        self._leaving: _Leaving | None = None
        self._trial: Trial | None = None

    def run(self) -> None:
        try:
            spec = msgspec.msgpack.decode(self._start.spec, type=DetectorSpec)
            detector = load_detector(spec, self._start.judged)
            detector.warm_up()
        except DetectorError as err:
            self._node.send(Busy(type(err).__name__, redact(str(err))[:2000]))
            return
        self._sizes = Sizes(detector, self._trouble)
        height, width = detector.input_size
        # One batch at the detector, one being filled, and room for answers that came too late.
        count = 3 * self._start.batch + 2
        self._slots, self._slots_fd = Slots.create(count, height, width)
        self._free = list(range(count))
        inputs = [detector.input_size, *detector.smaller]
        self._node.send(
            Ready(detector.describe, list(detector.names), inputs, detector.made_of, detector.precision)
        )
        while self._start.stand_by and not (self._begun or self._stopped):
            self._listen(IDLE_TURN_S)
        if self._stopped:
            return
        # From here on the table is this worker's.
        self._header["smaller"] = len(detector.smaller)
        self._header["size"] = 0
        self._table.beats[self._place] = time.monotonic()
        asker = threading.Thread(target=self._ask_forever, name="asker", daemon=True)
        asker.start()
        self._detect_forever()

    # ---- the detector's thread

    def _detect_forever(self) -> None:
        while True:
            batch = self._to_detect.get()
            if batch is None:
                return
            self._running_since = began = time.monotonic()
            self._header["batch_started"] = began
            found = self._detect(batch, began)
            self._header["busy_s"] += found.boxes_at - began
            self._header["batch_started"] = self._running_since = 0.0
            # The asker sends the results: this thread's next words are the detector's, 0.1 ms sooner.
            self._detected.append((batch, found))
            self._finished += 1
            if not self._napping:
                os.eventfd_write(self._wake, 1)

    def _detect(self, batch: Batch, began: float) -> _Found:
        tickets = [ticket for ticket in batch.tickets if batch.deadlines.get(ticket, math.inf) > began]
        if not tickets:
            return _Found({}, began, began, began)
        detector = self._sizes[batch.size]
        images = self._images([batch.tickets[ticket][1] for ticket in tickets], detector.input_size)
        try:
            weak = [ticket in batch.weak for ticket in tickets] if batch.weak else []
            found: list[Any] = list(detector.detect_boxes(images, weak))
        except MemoryError:
            exhausted("the detector")
            raise
        except Exception as err:  # a head or a runtime that trips over one picture costs that picture
            message = redact(str(err) if isinstance(err, DetectorError) else f"{type(err).__name__}: {err}")
            self._trouble(message[:2000])
            found = [message] * len(tickets)
        ended = time.monotonic()
        inferred = max(began, ended - detector.post_s)
        return _Found(dict(zip(tickets, found, strict=True)), began, inferred, ended)

    def _images(self, slots: list[int], size: tuple[int, int]) -> np.ndarray[Any, np.dtype[np.uint8]]:
        pictures = self._slots.pictures
        if size != pictures.shape[1:3]:
            views = [self._slots.sized(slot, *size) for slot in slots]
            return views[0][np.newaxis] if len(views) == 1 else np.stack(views)
        return pictures[slots[0] : slots[0] + 1] if len(slots) == 1 else pictures[slots]

    def _send_done(self, done: Done) -> None:
        worker = self._asked_of.pop(done.ticket, -1)
        if worker in self._links:
            # In order, and kept while the worker does not read: it counts on an answer to each ticket. They
            # are few, because no new frames can be asked of it meanwhile.
            self._unsent[worker].append(done)
            self._send_done_to(worker)

    def _send_done_to(self, worker: int) -> None:
        unsent, link = self._unsent[worker], self._links[worker]
        while unsent:
            try:
                if not link.send(unsent[0]):
                    return
            except MessageTooLong:
                done = unsent[0]
                unsent[0] = Done(done.ticket, done.camera, failed="more was found than can be handed on")
                continue
            unsent.popleft()

    def _trouble(self, message: str) -> None:
        now = time.monotonic()
        if now - self._told_trouble > TROUBLE_EVERY_S:
            self._told_trouble = now
            self._node.send(Facts([Trouble(at=now, where="detector", message=message)]))

    # ---- the asker's thread

    def _ask_forever(self) -> None:
        name_thread("ask")
        while not self._stopped:
            if self._drained:
                self._listen(IDLE_TURN_S)
                continue
            self._table.beats[self._place] = time.monotonic()
            self._hand_out()
            self._note_load()
            header = self._header
            header["size"] = self._sizes.follow(int(header["wanted_size"]))
            header["smaller"] = self._sizes.smaller
            wait = self._ask_if_time()
            self._listen(wait)
            self._drain_if_asked()
            if self._leaving is not None:
                self._leave_if_done(self._leaving)
        self._to_detect.put(None)
        # The detector may hang or be in the middle of a long batch; nobody waits for it any more.
        time.sleep(LAST_BATCH_S)
        os._exit(0)

    def _drain_if_asked(self) -> None:
        """Say so once nothing is under way. Pictures that are overdue are waited for, but not for ever."""
        if self._drain_by == math.inf:
            return
        asked = self._pending is not None or (self._overdue and time.monotonic() < self._drain_by)
        if asked or self._passed_on != self._finished or self._detected or any(self._unsent.values()):
            return
        self._drained = True
        header = self._header
        header["detector_idle"] = header["queued"] = 0
        self._node.send(Drained())

    def _leave(self, order: int, cameras: list[int]) -> None:
        for camera in cameras:
            self._owner.pop(camera, None)
        self._reachable[cameras] = False
        # What is asked for from now on is of others.
        self._leaving = _Leaving(order, set(cameras), set(self._asked_of), time.monotonic() + DRAIN_WITHIN_S)

    def _leave_if_done(self, leaving: _Leaving) -> None:
        """Say so once nothing of these cameras is under way. As for pictures that are overdue, see above."""
        late = time.monotonic() > leaving.until
        leaving.tickets = {
            ticket
            for ticket in leaving.tickets & self._asked_of.keys()
            if ticket not in self._overdue or (self._overdue[ticket][0] in leaving.cameras and not late)
        }
        if leaving.tickets or any(
            done.camera in leaving.cameras for each in self._unsent.values() for done in each
        ):
            return
        self._leaving = None
        self._node.send(Left(leaving.order))

    def _hand_out(self) -> None:
        """Send what the detector found to the cameras' workers."""
        for worker in self._links:
            if self._unsent[worker]:
                self._send_done_to(worker)
        while self._detected:
            batch, found = self._detected.popleft()
            for ticket, (camera, slot) in batch.tickets.items():
                self._free.append(slot)
                self._send_done(_done(ticket, camera, found, self._start))
                if ticket in found.by_ticket:
                    self._table.record_stage(
                        self._place, camera, Stage.INFER, found.inferred_at - found.began
                    )
                    self._table.record_stage(
                        self._place, camera, Stage.POSTPROCESS, found.boxes_at - found.inferred_at
                    )
            if found.by_ticket:
                self._learn(len(found.by_ticket), found.boxes_at - found.began)
        self._header["queued"] = max(0, self._passed_on - self._finished - bool(self._running_since))

    def _learn(self, count: int, took: float) -> None:
        self._rhythm.took(took)
        if self._sizer is not None:
            self._sizer.took(count, took)
        self._header["batches"] += 1
        self._header["inferred"] += count

    def _note_load(self) -> None:
        """How busy the detector was, about once a second."""
        now, header = time.monotonic(), self._header
        passed = now - self._load_at
        if passed < LOAD_EVERY_S:
            return
        busy = float(header["busy_s"])
        if self._running_since:
            busy += max(0.0, now - self._running_since)  # a batch that hangs is no rest
        load = self._table.loads[self._place]
        load["busy"] = min(1.0, max(0.0, busy - self._busy_before) / passed)
        load["at"], load["outbox"] = now, sum(len(unsent) for unsent in self._unsent.values())
        self._busy_before, self._load_at = busy, now

    def _ask_if_time(self) -> float:
        """Ask for the next batch if it is time to; returns how long to listen before looking again, in s."""
        now = time.monotonic()
        if self._pending is not None:
            late = now - self._pending.asked_at - ANSWER_WITHIN_S
            if late > 0:
                self._give_up_waiting()
            return max(0.001, -late)
        if self._drain_by < math.inf:
            return 0.001
        started = self._running_since
        queued = self._passed_on - self._finished
        if queued > 1:
            return self._wait_for_end(started, now)
        if queued and not started:
            # The detector's thread is about to take it.
            return 0.0003
        if started:
            early = self._rhythm.ask_at(started) - now
            if early > 0:
                return early
        return self._ask(now)

    def _wait_for_end(self, started: float, now: float) -> float:
        """The next batch is ready. Waking another thread costs the detector's time, so when the end is near
        this one naps until just after it instead of being woken."""
        left = self._rhythm.ends_at(started) - now if started else 0.0
        if left > NAP_S:
            return left - NAP_S / 2
        self._napping = left > 0 and not self._detected
        return left + NAP_OVER_S if self._napping else IDLE_TURN_S

    def _ask(self, now: float) -> float:
        header = self._header
        # Said before looking: a frame that comes in between rings, so none is slept through.
        header["detector_idle"] = 1
        waiting = self._waiting()
        self._forgive_returned(waiting)
        chosen = choose(waiting, self._room_for(int(np.count_nonzero(waiting.fresh))), now)
        if not chosen:
            due = next_due(waiting, now)
            return IDLE_TURN_S if due is None else min(IDLE_TURN_S, due - now)
        header["detector_idle"] = 0
        charge(waiting, chosen)
        batch = Batch(now, self._sizes.now)
        for camera in chosen:
            self._asked_seq[camera] = self._table.rows["newest_seq"][camera]
            if self._large(camera):
                self._request_aside(batch.size, camera)
            else:
                self._request(batch, camera)
        if not batch.open:
            return 0.0003
        self._pending = batch
        return ANSWER_WITHIN_S

    def _room_for(self, waiting: int) -> int:
        """How many frames the next batch takes."""
        most = min(self._start.batch, len(self._free))
        return most if self._sizer is None or most <= 1 else min(most, self._sizer.size(waiting))

    def _waiting(self) -> Waiting:
        used = self._table.used
        rows = self._table.rows[:used]
        newest = rows["newest_seq"]
        # Where only keyframes are decoded, the next picture is as far away as the next of them.
        interval = rows["interval"].copy()
        keyframes = rows["rung"] == Rung.KEYFRAMES
        interval[keyframes] = np.maximum(interval, rows["keyframe_every"])[keyframes]
        return Waiting(
            captured=rows["newest_captured"],
            not_before=rows["not_before"],
            max_age=rows["max_age"],
            interval=interval,
            weight=rows["weight"],
            served=self._served[:used],
            fresh=(newest >= 0) & (newest != self._asked_seq[:used]) & self._reachable[:used],
        )

    def _forgive_returned(self, waiting: Waiting) -> None:
        epochs = self._table.rows["epoch"][: len(waiting.served)]
        known = self._epochs[: len(epochs)]
        for camera in np.flatnonzero(epochs != known):
            if int(camera) in self._owner:  # else it is another detector's, which writes that
                forgive(waiting, int(camera))
        known[:] = epochs

    def _request(self, batch: Batch, camera: int) -> None:
        link = self._links.get(self._owner.get(camera, -1))
        if link is None:
            return
        ticket, slot = next(self._tickets), self._free.pop()
        if link.send(Fetch(ticket, slot, camera, *self._sizes[batch.size].input_size)):
            batch.tickets[ticket] = (camera, slot)
            batch.open.add(ticket)
            self._asked_of[ticket] = self._owner[camera]
        else:
            self._free.append(slot)

    def _large(self, camera: int) -> bool:
        """Whether its pictures take so long to hand over that no batch should wait for them. A few at a time:
        their answers queue before the detector."""
        large = self._table.rows["decode_s"][camera] > SHORT_S
        return bool(large) and len(self._overdue) < ASIDE_AT_MOST and self._passed_on - self._finished <= 1

    def _request_aside(self, size: int, camera: int) -> None:
        """Ask for a frame that goes to the detector when it comes, in a batch of its own."""
        batch = Batch(time.monotonic(), size)
        self._request(batch, camera)
        for ticket, (_, slot) in batch.tickets.items():
            self._overdue[ticket] = camera, slot, size
            self._reachable[camera] = False

    def _give_up_waiting(self) -> None:
        assert self._pending is not None
        for ticket in self._pending.open:
            camera, slot = self._pending.tickets.pop(ticket)
            self._overdue[ticket] = camera, slot, self._pending.size
            self._reachable[camera] = False
            worker = self._asked_of[ticket]
            if time.monotonic() - self._table.beats[1 + worker] > SWAMPED_S:
                # The worker hangs. Its other cameras must not take up the remaining slots too.
                self._reachable[self._cameras_of(worker)] = False
        batch, self._pending = self._pending, None
        batch.open.clear()
        self._pass_on(batch)

    def _answer(self, answer: Filled) -> None:
        if self._trial is not None and answer.ticket in self._trial.asked:
            self._take_back(answer.ticket, self._trial.asked[answer.ticket][1])
            self._trial.answered(answer)
            return
        late = self._overdue.pop(answer.ticket, None)
        if late is not None:
            camera, slot, size = late
            held_up = [overdue for overdue, _, _ in self._overdue.values()]
            self._reachable[self._cameras_of(self._asked_of[answer.ticket])] = True
            self._reachable[camera] = self._owner.get(camera, -1) in self._links
            self._reachable[held_up] = False
            if answer.filled and not self._drained:
                # It lies in its slot: a batch of its own. If it is still wanted is judged when it returns.
                self._pass_on(
                    Batch(
                        time.monotonic(),
                        size,
                        {answer.ticket: (camera, slot)},
                        deadlines={answer.ticket: answer.deadline},
                        weak={answer.ticket} if answer.weak else set(),
                    )
                )
            else:
                self._take_back(answer.ticket, slot)
            return
        batch = self._pending
        if batch is None or answer.ticket not in batch.open:
            return
        batch.open.discard(answer.ticket)
        if answer.filled:
            batch.deadlines[answer.ticket] = answer.deadline
            if answer.weak:
                batch.weak.add(answer.ticket)
        else:
            self._take_back(answer.ticket, batch.tickets.pop(answer.ticket)[1])
        if not batch.open:
            self._rhythm.answered(time.monotonic() - batch.asked_at)
            self._pending = None
            self._pass_on(batch)

    def _take_back(self, ticket: int, slot: int) -> None:
        """Nothing came of it, and nobody waits for an answer."""
        self._free.append(slot)
        self._asked_of.pop(ticket, None)

    def _pass_on(self, batch: Batch) -> None:
        if batch.tickets:
            self._passed_on += 1
            self._to_detect.put(batch)

    # ---- listening

    def _listen(self, seconds: float) -> None:
        links = {link.fileno(): worker for worker, link in self._links.items()}
        others = [self._wake, self._node.fileno()]
        if self._asks:
            others.append(self._doorbell)
        # select, because it alone waits for fractions of a millisecond.
        # However long a batch takes, this loop turns and beats.
        seconds = min(seconds, IDLE_TURN_S)
        if self._detected and not self._napping:
            seconds = 0.0  # it was finished while nobody was to be woken
        readable, _, _ = select.select([*links, *others], [], [], max(0.0, seconds))
        self._napping = False
        for fd in readable:
            if fd in links:
                self._hear_camera_worker(links[fd])
            elif fd == self._node.fileno():
                self._hear_node()
            else:
                _empty(fd)

    @property
    def _asks(self) -> bool:
        """Whether it is the one that asks for frames. Whoever stands by, or has handed over, has the same
        doorbell as the one that does, and must not take its rings."""
        return (self._begun or not self._start.stand_by) and not self._drained

    def _hear_camera_worker(self, worker: int) -> None:
        link = self._links[worker]
        try:
            while (heard := link.receive()) is not None:
                if isinstance(heard[0], Filled):
                    self._answer(heard[0])
        except EOFError:
            self._lose(worker)

    def _cameras_of(self, worker: int) -> list[int]:
        return [camera for camera, owner in self._owner.items() if owner == worker]

    def _lose(self, worker: int) -> None:
        self._links.pop(worker).close()
        self._unsent.pop(worker, None)
        self._reachable[self._cameras_of(worker)] = False
        asked = [ticket for ticket, whom in self._asked_of.items() if whom == worker]
        for ticket in asked:
            if ticket in self._overdue:
                camera, slot, _ = self._overdue.pop(ticket)
                self._take_back(ticket, slot)
                # It may have moved meanwhile.
                self._reachable[camera] = self._owner.get(camera, -1) in self._links
            else:
                self._answer(Filled(ticket, False))

    def _hear_node(self) -> None:
        try:
            while (heard := self._node.receive()) is not None:
                message, fds = heard
                match message:
                    case Link(worker, cameras):
                        self._meet(worker, cameras, Channel.from_fd(fds[0]))
                    case Cameras(worker, cameras, level):
                        if level:
                            self._level(cameras)
                        self._own(worker, cameras)
                    case Leave(order, cameras):
                        self._leave(order, cameras)
                    case Try(cameras):
                        self._try(cameras)
                    case Begin():
                        self._begun = True
                    case Drain():
                        self._drain_by = time.monotonic() + DRAIN_WITHIN_S
                    case Stop():
                        self._stopped = True
        except EOFError:
            self._stopped = True

    # ---- standing by

    def _try(self, cameras: list[int]) -> None:
        """Look at some pictures before any depends on it."""
        self._trial = Trial(self._sizes[0], self._slots, self._node)
        for camera in cameras[: len(self._free)]:
            link = self._links.get(self._owner.get(camera, -1))
            if link is not None:
                ticket, slot = next(self._tickets), self._free.pop()
                if link.send(Fetch(ticket, slot, camera, *self._sizes[0].input_size, trial=True)):
                    self._trial.asked[ticket] = camera, slot
                    self._asked_of[ticket] = self._owner[camera]
                else:
                    self._free.append(slot)
        self._trial.conclude_if_complete()

    def _meet(self, worker: int, cameras: list[int], link: Channel) -> None:
        if worker in self._links:
            self._lose(worker)
        self._links[worker] = link
        self._own(worker, cameras)
        link.send(Hello(self._slots.count, self._slots.height, self._slots.width), [self._slots_fd])

    def _level(self, cameras: list[int]) -> None:
        """Another detector took frames of theirs, as many as it could: that is no debt among ours."""
        others = [camera for camera in self._owner if camera not in cameras]
        if others:
            self._served[cameras] = np.median(self._served[others])

    def _own(self, worker: int, cameras: list[int]) -> None:
        if self._leaving is not None:
            self._leaving.cameras.difference_update(cameras)
        for camera in cameras:
            self._owner[camera] = worker
            self._asked_seq[camera] = -1
            self._reachable[camera] = worker in self._links
            self._epochs[camera] = self._table.rows["epoch"][camera]


@dataclass(frozen=True, slots=True)
class _Found:
    """What came of a batch. ``by_ticket``: the boxes, or a sentence why there are none; tickets that are not
    in it were too old to be looked at. Times in monotonic seconds."""

    by_ticket: dict[int, Any]
    began: float
    inferred_at: float
    boxes_at: float


@dataclass(slots=True)
class _Leaving:
    """Cameras that another detector is to have. ``tickets``: that were under way then, of any camera, and are
    still. ``until``: when overdue pictures are waited for no longer, in monotonic seconds."""

    order: int
    cameras: set[int]
    tickets: set[int]
    until: float


def _done(ticket: int, camera: int, batch: _Found, whose: StartInference) -> Done:
    found = batch.by_ticket.get(ticket)
    if found is None:
        return Done(ticket, camera, expired=True)
    if isinstance(found, str):
        return Done(ticket, camera, failed=found[:500])
    return Done(
        ticket,
        camera,
        found.xyxy.astype(np.float32, copy=False).tobytes(),
        found.confidence.astype(np.float32, copy=False).tobytes(),
        found.class_id.astype(np.int32, copy=False).tobytes(),
        list(found.class_name),
        times=(batch.began, batch.inferred_at, batch.boxes_at),
        weak=None if found.weak is None else _weak(found.weak),
        detector=whose.number,
        process=whose.process,
    )


def _weak(found: infer.Weak) -> Weak:
    return Weak(
        found.xyxy.astype(np.float32, copy=False).tobytes(),
        found.confidence.astype(np.float32, copy=False).tobytes(),
        found.class_id.astype(np.int32, copy=False).tobytes(),
    )


def _empty(eventfd: int) -> None:
    try:
        os.eventfd_read(eventfd)
    except BlockingIOError:
        pass  # another thread was quicker
