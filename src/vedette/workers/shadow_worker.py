"""A process in which a candidate sees some of the frames that the detector at work has seen, and says how far
the two agree. Nobody waits for it: it gets what the machine has left.

Two threads: the main one looks at pictures and does nothing else; the other one listens to everybody, lets go
of what newer frames have overtaken, and says what came of the others.

Pictures lie in slots that this process makes for each camera worker. That worker converts into a free one,
which is this process's from ``Shown`` until ``Freed``.
"""

from __future__ import annotations

import os
import select
import threading
import time
from collections import deque
from dataclasses import dataclass

import msgspec
import numpy as np

from vedette.errors import DetectorError, redact
from vedette.infer.letterbox import fit, to_source
from vedette.infer.load import DetectorSpec, LoadedDetector, load_detector
from vedette.quality.shadow.compare import Seen, Told, compare
from vedette.workers.exhausted import exhausted
from vedette.workers.newest import Newest
from vedette.workers.protocol import (
    Busy,
    Channel,
    Compared,
    Freed,
    Hello,
    LinkShadow,
    Ready,
    Shown,
    StartShadow,
    Stop,
)
from vedette.workers.slots import Slots
from vedette.workers.table import Table
from vedette.workers.threads import name_thread
from vedette.workers.trial import nonsense

__all__ = ["ShadowWorker"]

SLOTS = 4
"""For each camera worker: one is looked at, one or two wait, and one is being filled."""

TURN_S = 0.1
LOAD_EVERY_S = 1.0
UNSAID_AT_MOST = 256
"""Words that the node has not taken; with more, no further frame is looked at."""


@dataclass(frozen=True, slots=True, eq=False)
class _Frame:
    worker: int
    link: Channel
    slots: Slots
    shown: Shown


class ShadowWorker:
    """Runs until the node says stop or is gone."""

    def __init__(self, start: StartShadow, node: Channel, table: Table) -> None:
        self._start, self._node, self._table = start, node, table
        self._links: dict[int, tuple[Channel, Slots]] = {}
        self._waiting: Newest[_Frame] = Newest()
        self._said: deque[Compared] = deque()
        """Said by the main thread, and sent by the other one."""
        self._changed = threading.Condition()
        """Guards what waits, and the links."""
        self._wake = os.eventfd(0, os.EFD_NONBLOCK | os.EFD_CLOEXEC)
        self._stopped = False
        self._looked_s = 0.0
        """Seconds in all; written by the candidate's thread."""
        self._load_at, self._looked_before = time.monotonic(), 0.0

    def run(self) -> None:
        self._table.header["shadow_beat"] = time.monotonic()
        try:
            spec = msgspec.msgpack.decode(self._start.spec, type=DetectorSpec)
            self._detector: LoadedDetector = load_detector(spec)
            self._detector.warm_up()
        except DetectorError as err:
            self._node.send(Busy(type(err).__name__, redact(str(err))[:2000]))
            return
        self._table.header["shadow_beat"] = time.monotonic()
        detector = self._detector
        self._node.send(
            Ready(
                detector.describe,
                list(detector.names),
                made_of=detector.made_of,
                precision=detector.precision,
            )
        )
        threading.Thread(target=self._listen_forever, name="listen", daemon=True).start()
        while not self._stopped:
            self._look_at_next()

    # ---- the candidate's thread

    def _look_at_next(self) -> None:
        with self._changed:
            frame = self._waiting.take() if len(self._said) < UNSAID_AT_MOST else None
            if frame is None:
                self._changed.wait(TURN_S)
                return
        header, shown = self._table.header, frame.shown
        began = header["shadow_began"] = time.monotonic()
        told, failed = self._look_at(frame)
        took = time.monotonic() - began
        self._looked_s += took
        header["shadow_began"] = 0.0
        self._free(frame)
        self._said.append(
            Compared(
                shown.index,
                shown.captured_at,
                told.both,
                told.only_running,
                told.only_candidate,
                took,
                failed,
            )
        )
        os.eventfd_write(self._wake, 1)

    def _look_at(self, frame: _Frame) -> tuple[Told, str]:
        """How the two compare, or why that cannot be said."""
        nothing = Told(0, 0, 0)
        try:
            [found] = self._detector.detect_boxes(frame.slots[frame.shown.slot][np.newaxis])
            wrong = nonsense(found, *self._detector.input_size)
        except MemoryError:
            exhausted("the candidate")
            raise
        except Exception as err:  # whatever a model does wrong, it does it here
            what = str(err) if isinstance(err, DetectorError) else f"{type(err).__name__}: {err}"
            return nothing, redact(what)[:500] or "it failed"
        if wrong:
            return nothing, wrong
        shown, source = frame.shown, (frame.shown.height, frame.shown.width)
        xyxy = to_source(found.xyxy, fit(source, self._detector.input_size), source)
        running = Seen(np.frombuffer(shown.xyxy, np.float32).reshape(-1, 4), shown.class_names)
        return compare(running, Seen(xyxy, found.class_name)), ""

    # ---- the listener's thread

    def _listen_forever(self) -> None:
        name_thread("listen")
        while not self._stopped:
            self._table.header["shadow_beat"] = time.monotonic()
            self._note_load()
            self._say()
            links = {link.fileno(): worker for worker, (link, _) in self._links.items()}
            known = [self._wake, self._node.fileno(), *links]
            readable, _, _ = select.select(known, [], [], TURN_S)
            for fd in readable:
                if fd == self._wake:
                    os.eventfd_read(fd)
                elif fd == self._node.fileno():
                    self._hear_node()
                else:
                    self._hear_camera_worker(links[fd])
        # The candidate may hang, or have just begun with a picture: nobody waits for it any more.
        os._exit(0)

    def _note_load(self) -> None:
        """How busy the candidate was, about once a second."""
        now, header = time.monotonic(), self._table.header
        passed = now - self._load_at
        if passed < LOAD_EVERY_S:
            return
        looked, began = self._looked_s, float(header["shadow_began"])
        if began:
            looked += max(0.0, now - began)  # it has not finished with that one
        header["shadow_busy"] = min(1.0, max(0.0, looked - self._looked_before) / passed)
        self._looked_before, self._load_at = looked, now

    def _say(self) -> None:
        while self._said and self._node.send(self._said[0]):
            self._said.popleft()

    def _hear_node(self) -> None:
        try:
            while (heard := self._node.receive()) is not None:
                message, fds = heard
                match message:
                    case LinkShadow(worker):
                        self._meet(worker, Channel.from_fd(fds[0]))
                    case Stop():
                        self._stopped = True
        except EOFError:
            self._stopped = True

    def _meet(self, worker: int, link: Channel) -> None:
        if worker in self._links:
            self._lose(worker)
        slots, fd = Slots.create(SLOTS, *self._detector.input_size)
        self._links[worker] = link, slots
        link.send(Hello(slots.count, slots.height, slots.width), [fd])
        os.close(fd)

    def _hear_camera_worker(self, worker: int) -> None:
        link, slots = self._links[worker]
        try:
            while (heard := link.receive()) is not None:
                if isinstance(heard[0], Shown):
                    self._put(_Frame(worker, link, slots, heard[0]))
        except EOFError:
            self._lose(worker)

    def _put(self, frame: _Frame) -> None:
        with self._changed:
            overtaken = self._waiting.put(frame.shown.index, frame)
            self._changed.notify()
        if overtaken is not None:
            self._table.rows["shadow_superseded"][overtaken.shown.index] += 1
            self._free(overtaken)

    def _lose(self, worker: int) -> None:
        link, _ = self._links.pop(worker)
        with self._changed:
            self._waiting.forget(lambda frame: frame.link is link)
        link.close()

    def _free(self, frame: _Frame) -> None:
        """From either thread. A worker that is gone needs no slot."""
        frame.link.send(Freed(frame.shown.slot))
