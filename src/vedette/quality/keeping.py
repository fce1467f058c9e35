"""Frames that are kept for review, where the node is: camera workers draw them and send them here, and a
thread of its own writes them into the review store.

The node's loop is never held up: whatever touches the disk happens in that thread. Where the store cannot be
written, that is told, frames are counted as failed, and everything else goes on.
"""

from __future__ import annotations

import hashlib
import os
import secrets
import threading
from collections import Counter, deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
import numpy as np
from msgspec.structs import replace

from vedette.clock import Clock
from vedette.errors import ReviewError
from vedette.facts import AnyFact, Trouble
from vedette.quality.drift.decisions import Stage
from vedette.quality.drift.light import UNKNOWN, light_of, light_words
from vedette.quality.drift.monitor import Status
from vedette.quality.labels.check import box_problem
from vedette.quality.review.counts import PERIOD_S, Counts
from vedette.quality.review.frames import Encoded, StoreSettings
from vedette.quality.review.rows import Prediction
from vedette.quality.review.sampler import Orders
from vedette.quality.review.sampling import Reason
from vedette.quality.review.store import Store
from vedette.quality.settings import ReviewSettings
from vedette.workers.protocol import Conditions, Drawn, Pictured, Review, Studied

if TYPE_CHECKING:
    from vedette.roster import Entry
    from vedette.supervise.child import Child

__all__ = ["UNIFORM", "ReviewKeeper"]

UNIFORM = "uniform"
"""What the stream without a reason is called where streams are counted."""

KEPT, NO_ROOM, FAILED = "kept", "no_room", "failed"

INSTRUCT_EVERY_S = 1.0
WRITE_COUNTS_EVERY_S = 60.0
PICTURES_AT_MOST = 64
"""That the thread has not got to: a disk that hangs costs frames, not memory."""
JOBS_AT_MOST = 1000
"""The same, with frames whose pictures were lost."""
OPEN_EVERY_S = 30.0
SWEEP_EVERY_S = 2 * 3600.0
"""Files that a crash left without a row are let go once they are an hour old: not only at the next start."""
SAY_EVERY_S = 600.0
"""The same trouble."""


@dataclass(frozen=True, slots=True)
class _Frame:
    camera: str
    model: str
    """The identity of the one that looked at it."""
    drawn: Drawn

    @property
    def stream(self) -> str:
        return self.drawn.reason or UNIFORM


class ReviewKeeper:
    """``folder``: of the review store. ``every``: seconds between two frames of a camera that are studied.
    ``tell`` is called from the thread. All other methods are for the node's loop, and never wait."""

    def __init__(
        self,
        settings: ReviewSettings,
        *,
        folder: Path,
        every: float,
        tell: Callable[[AnyFact], None],
        clock: Clock,
    ) -> None:
        self._settings, self._folder, self._every = settings, folder, every
        self._tell, self._clock = tell, clock
        self._seed = secrets.randbits(64)
        self.frames: dict[str, Counter[tuple[str, str]]] = {}
        """By camera: how many of each stream were kept, found no room, or failed."""
        self._said: dict[int, tuple[Review, Conditions]] = {}
        """What each worker was told last, by its process."""
        self._instruct_due = 0.0
        self._pending: dict[tuple[int, int], _Frame] = {}
        """Frames whose picture has not come, by worker and number."""
        self._lights: dict[str, int] = {}
        self._counts, self._counting = Counts(), threading.Lock()
        self._write_due = clock.monotonic() + WRITE_COUNTS_EVERY_S
        self._sweep_due = clock.monotonic() + SWEEP_EVERY_S
        self._jobs: deque[Callable[[], object]] = deque()
        self._pictures = 0
        """In the jobs."""
        self._store: Store | None = None
        self._unopened: tuple[float, str] | None = None
        """When it was tried, and what came of it."""
        self._troubles: dict[str, float] = {}
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run, name="review", daemon=True)

    def start(self) -> None:
        self._jobs.append(self._opened)
        self._thread.start()

    def close(self, timeout: float = 2.0) -> None:
        """Write down what has come."""
        self._over.set()
        if self._thread.ident is not None:
            self._thread.join(timeout)

    # ---- what workers are told

    def instruct(
        self,
        workers: Iterable[Child],
        cameras: Iterable[Entry],
        names: list[str],
        spec: bytes,
        status: Mapping[str, Status],
        *,
        canary_names: Sequence[str] = (),
        at_once: bool = False,
    ) -> None:
        """Tell each camera worker what to do, where that has changed. To be called often. ``names``: of the
        detector's classes, and of a canary's; ``spec``: its settings, packed, and what it was loaded from.
        ``status``: of drift."""
        now = self._clock.monotonic()
        if now < self._instruct_due and not at_once:
            return
        self._instruct_due = now + INSTRUCT_EVERY_S
        by_worker: dict[int, list[Entry]] = {}
        count = 0
        for entry in cameras:
            if entry.watched and entry.settings.study_every:
                by_worker.setdefault(entry.worker, []).append(entry)
                count += 1
        model = hashlib.sha256(spec).digest()
        for worker in workers:
            if not worker.ready or worker.pid is None:
                continue
            mine = by_worker.get(worker.place - 1, [])
            orders = replace(
                self._orders(len(mine), count), names=names, model=model, canary_names=list(canary_names)
            )
            review = Review(msgspec.msgpack.encode(orders))
            conditions = Conditions(
                [each.index for each in mine if _stage(status, each) is Stage.SUSPECTED],
                [each.index for each in mine if _stage(status, each) in (Stage.UNSEEN, Stage.CHANGED)],
            )
            before = self._said.get(worker.pid)
            if before is None or before[0] != review:
                worker.send(review)
            if before is None or before[1] != conditions:
                worker.send(conditions)
            self._said[worker.pid] = review, conditions

    def _orders(self, cameras: int, of: int) -> Orders:
        settings = self._settings
        return Orders(
            seed=self._seed,
            per_hour=min(settings.per_hour, settings.node_per_hour / max(1, of)),
            expected=PERIOD_S / self._every,
            by_reason={reason.value: per_hour for reason, per_hour in settings.targeted.items()},
            camera_per_hour=settings.targeted_per_hour,
            worker_per_hour=settings.targeted_node_per_hour * cameras / max(1, of),
            redact=list(settings.redact),
            quality=settings.quality,
        )

    # ---- what workers say

    def studied(self, camera: str, studied: Studied) -> None:
        """A frame was looked at."""
        if studied.seen is not None:
            before = self._lights.get(camera, UNKNOWN)
            self._lights[camera] = light_of(studied.seen.luma, studied.seen.infrared, before)
        if studied.chance:
            at = studied.captured + self._clock.wall() - self._clock.monotonic()
            with self._counting:
                self._counts.frame(camera, at, studied.chance)

    def drawn(self, worker: int, camera: str, model: str, drawn: Drawn) -> None:
        """A frame is to be kept. ``worker``: its process. ``model``: the identity of the detector that looked
        at it."""
        frame = _Frame(camera, model, drawn)
        self._pending[worker, drawn.number] = frame
        if not drawn.reason:
            with self._counting:
                self._counts.frame(camera, drawn.at, drawn.probability)

    def pictured(self, worker: int, pictured: Pictured, fd: int | None) -> None:
        """Its picture is there, or is not coming. ``fd`` is closed here."""
        frame = self._pending.pop((worker, pictured.number), None)
        problem = pictured.problem or ("" if fd is not None else "its picture did not come through")
        if fd is not None and (frame is None or self._pictures >= PICTURES_AT_MOST):
            os.close(fd)
            fd, problem = None, "the disk is too slow"
        if frame is None:
            return
        if fd is None:
            self._lose(frame, problem)
            return
        self._pictures += 1
        light = self._light(frame.camera)
        self._jobs.append(lambda: self._take(frame, light, fd))

    def worker_gone(self, worker: int) -> None:
        """Pictures that have not come do not come any more."""
        self._said.pop(worker, None)
        for key in [key for key in self._pending if key[0] == worker]:
            self._lose(self._pending.pop(key), "its worker ended before its picture was made")

    def forget(self, camera: str) -> None:
        """It is not watched any more."""
        self._lights.pop(camera, None)

    def _light(self, camera: str) -> str:
        return light_words(self._lights.get(camera, UNKNOWN))

    def _lose(self, frame: _Frame, why: str) -> None:
        if len(self._jobs) >= JOBS_AT_MOST:
            self._count(frame, FAILED)
            return
        light = self._light(frame.camera)
        self._jobs.append(lambda: self._lost(frame, light, why))

    # ---- the thread

    def _run(self) -> None:
        while not self._over.wait(0.25):
            self.turn()
        self.turn()
        self._guarded(self._write_counts)
        if self._store is not None:
            self._store.close()

    def turn(self) -> None:
        """Do what came since the last time."""
        while self._jobs:
            self._guarded(self._jobs.popleft())
        now = self._clock.monotonic()
        if now >= self._write_due:
            self._write_due = now + WRITE_COUNTS_EVERY_S
            self._guarded(self._write_counts)
        if now >= self._sweep_due:
            self._sweep_due = now + SWEEP_EVERY_S
            self._guarded(lambda: self._opened().sweep(self._clock.wall()))

    def _guarded(self, job: Callable[[], object]) -> None:
        try:
            job()
        except (ReviewError, OSError) as err:
            self._trouble("store", str(err))
        except Exception as err:  # a mistake of ours about one frame must not end the thread
            self._trouble(type(err).__name__, f"{type(err).__name__}: {err}")

    def _opened(self) -> Store:
        """Raises ReviewError; one that could not be opened is tried again now and then."""
        if self._store is not None:
            return self._store
        now = self._clock.monotonic()
        if self._unopened is not None and now - self._unopened[0] < OPEN_EVERY_S:
            raise ReviewError(self._unopened[1])
        settings = self._settings
        try:
            store = Store.open(
                self._folder, StoreSettings(settings.budget, drop_reviewed=settings.drop_reviewed)
            )
            store.sweep(self._clock.wall())
        except ReviewError as err:
            self._unopened = now, str(err)
            raise
        self._store, self._unopened = store, None
        return store

    def _take(self, frame: _Frame, light: str, fd: int) -> None:
        self._pictures -= 1
        try:
            jpeg = os.pread(fd, os.fstat(fd).st_size, 0)
        finally:
            os.close(fd)
        self._add(frame, light, jpeg)

    def _lost(self, frame: _Frame, light: str, why: str) -> None:
        self._trouble(why, f"a frame of {frame.camera} is kept without its picture: {why}")
        if frame.drawn.reason:
            self._count(frame, FAILED)
        else:
            self._add(frame, light, b"")

    def _add(self, frame: _Frame, light: str, jpeg: bytes) -> None:
        outcome = FAILED
        try:
            added = self._opened().add(self._encoded(frame, light, jpeg))
            if jpeg:
                outcome = KEPT if added.item is not None else NO_ROOM
        finally:
            self._count(frame, outcome)
        if outcome == NO_ROOM:
            budget = f"{self._settings.budget / 1e6:,.0f} MB"
            self._trouble(NO_ROOM, f"no picture may make room for another: the budget of {budget} is spent")
        if not frame.drawn.reason:
            with self._counting:
                self._counts.kept(frame.camera, frame.drawn.at)
            # At once: what is kept, and of how many it is a part, belong together.
            self._write_counts(frame.camera)

    def _encoded(self, frame: _Frame, light: str, jpeg: bytes) -> Encoded:
        drawn = frame.drawn
        return Encoded(
            jpeg=jpeg,
            width=drawn.width,
            height=drawn.height,
            camera=frame.camera,
            captured_at=drawn.at,
            model=frame.model,
            predictions=_predictions(drawn),
            light=light,
            reason=Reason(drawn.reason) if drawn.reason else None,
            probability=None if drawn.reason else drawn.probability,
        )

    def _count(self, frame: _Frame, outcome: str) -> None:
        with self._counting:
            self.frames.setdefault(frame.camera, Counter())[frame.stream, outcome] += 1

    def _write_counts(self, camera: str | None = None) -> None:
        """Of one camera, or of all."""
        with self._counting:
            periods = self._counts.take(camera)
        if not periods:
            return
        try:
            self._opened().add_periods(periods)
        except ReviewError:
            with self._counting:
                self._counts.give_back(periods)
            raise

    def _trouble(self, kind: str, message: str) -> None:
        now = self._clock.monotonic()
        if now - self._troubles.get(kind, -SAY_EVERY_S) < SAY_EVERY_S:
            return
        self._troubles[kind] = now
        self._tell(Trouble(at=now, where="review", message=message))


def _stage(status: Mapping[str, Status], camera: Entry) -> Stage | None:
    known = status.get(camera.name)
    return None if known is None else known.stage


def _predictions(drawn: Drawn) -> tuple[Prediction, ...]:
    """Those that can be stored: a detector may say anything."""
    boxes = np.frombuffer(drawn.xyxy, np.float32).reshape(-1, 4).tolist()
    scores = np.frombuffer(drawn.confidence, np.float32).tolist()
    tracks = np.frombuffer(drawn.track_id, np.int64).tolist()
    return tuple(
        Prediction((box[0], box[1], box[2], box[3]), label, score, track if track >= 0 else None)
        for box, label, score, track in zip(boxes, drawn.labels, scores, tracks, strict=True)
        if box_problem(*box) is None
    )
