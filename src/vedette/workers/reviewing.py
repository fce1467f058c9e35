"""Frames that are kept for review: what a camera worker does for it.

It alone has the pictures. Before a frame is looked at :class:`~vedette.quality.review.sampler.Sampler` says
whether its picture is wanted. What was found in it goes to the node at once; the picture follows when a
thread of its own has made a JPEG of it, at the camera's own resolution, in a file without a name. So nothing
is left behind by whoever dies, and of what the node was told it knows if its picture never comes.

That thread runs at the priority of all others, on purpose. Scaling and encoding leave the interpreter's lock
to others; but between them it is needed, and a thread that is put off while it has it puts off everybody.
"""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import msgspec
import numpy as np

from vedette.clock import Clock
from vedette.found import Asked, Found
from vedette.infer.detector import WEAK_FROM, name_of
from vedette.quality.review.news import News
from vedette.quality.review.sampler import Known, Orders, Sampler
from vedette.quality.review.sampling import WEAK_BELOW, Reason, Signs, flickers
from vedette.workers.exhausted import Pool
from vedette.workers.protocol import Channel, Conditions, Drawn, Output, Pictured
from vedette.workers.threads import name_thread

__all__ = ["Reviewing"]

WAITING_AT_MOST = 8
"""Pictures that are not JPEG files yet, or not with the node. Of a frame that finds no room there is only
what was found in it."""

NEXT_WITHIN_S = 2.0
"""Whether a track flickers is known with the next result. A camera that gives none is not waited for."""

SAME_FRAME_S = 0.002
"""The same moment, by two looks at the clock."""

XYXY = tuple[float, float, float, float]


@dataclass(slots=True)
class _Candidate:
    """A frame whose picture is held back. ``before``: the result before it, ``after``: that after it. A
    candidate model was shown it, too (``compared``): what it sees otherwise are ``disagreements``."""

    camera: str
    asked: Asked
    found: Found
    labels: list[str]
    before: Output | None
    many_weak: bool
    new_objects: int
    since: float
    after: Output | None = None
    compared: bool = True
    disagreements: int = 0

    @property
    def complete(self) -> bool:
        """Whether all is known of it that will be."""
        return self.after is not None and self.compared


@dataclass(frozen=True, slots=True, eq=False)
class _Veiled:
    """A picture of a frame that was drawn, in which more may have to be hidden: where such an object is in
    the next result. ``hidden``: by what is known already."""

    number: int
    found: Found
    hidden: list[XYXY]
    since: float


class Reviewing:
    """Of one worker. ``tell`` sends a message to the node, ``told`` says whether it has taken all of them;
    ``on_loop`` has something done by the worker's loop, from any thread. All methods but ``asks`` are for the
    loop; before the first orders nothing is kept."""

    def __init__(
        self,
        node: Channel,
        *,
        tell: Callable[[Any], None],
        told: Callable[[], bool],
        on_loop: Callable[[Callable[[], None]], None],
        clock: Clock,
    ) -> None:
        self._node, self._tell, self._told = node, tell, told
        self._on_loop, self._clock = on_loop, clock
        self._orders: Orders | None = None
        self._sampler: Sampler | None = None
        self._news = News()
        self._conditions = Conditions([], [])
        self._names: dict[tuple[int, int], str] = {}
        """Of classes, as each detector gave them with its detections."""
        self._detectors: dict[int, int] = {}
        """By camera: which one has looked at it last."""
        self._last: dict[int, Output] = {}
        self._before: dict[int, Output] = {}
        """The results before those."""
        self._candidates: dict[int, deque[_Candidate]] = {}
        """By camera, oldest first: where each frame is studied, one waits for the next one's result."""
        self._veiled: dict[int, list[_Veiled]] = {}
        """By camera."""
        self._number = 0
        self._under_way = 0
        self._ready: deque[tuple[Pictured, int | None]] = deque()
        self._pool = Pool(1, "review", initializer=name_thread, initargs=("review",))

    # ---- what the node wants

    def follow(self, orders: bytes) -> None:
        """Keep frames from now on, or keep them so."""
        self._orders = wanted = msgspec.msgpack.decode(orders, type=Orders)
        if self._sampler is None:
            self._sampler = Sampler(wanted)
            self._pool.submit(_warm)
        else:
            self._sampler.follow(wanted)
        self._news.follow(wanted.model)
        self._names.clear()

    def regard(self, conditions: Conditions) -> None:
        """How the detector does on these cameras."""
        self._conditions = conditions

    # ---- frames

    def asks(self, camera: str, captured: float) -> Asked | None:
        """Before anybody has looked at a frame. ``captured``: monotonic seconds. From any thread."""
        if self._sampler is None:
            return None
        return self._sampler.asks(camera, captured + self._clock.wall() - self._clock.monotonic())

    def found(self, index: int, camera: str, found: Found) -> float:
        """What the detector found. Returns the probability with which a frame that was not drawn might have
        been; 0.0 where none was asked for, and where it was drawn: then the node is told by itself."""
        asked = found.asked
        if asked is None or self._sampler is None:
            return 0.0
        if self._detectors.setdefault(index, found.detector) != found.detector:
            self._detectors[index] = found.detector
            self._news.forget(index)  # what another one half sees is news of its own
        ids = found.class_id.tolist()
        self._names.update(zip(((found.detector, each) for each in ids), found.names, strict=False))
        many_weak = self._sampler.analysed(camera, asked, _weak(found))
        new_objects = self._news.frame(index, asked.at, found)
        before = self._result_before(index, found)
        if asked.drawn:
            self._keep(index, found, self._labels(found), asked, None, [before])
            return 0.0
        if found.image is not None:
            now, waiting = self._clock.monotonic(), self._candidates.setdefault(index, deque())
            # Names as they are now: another detector may have other ones when it is decided.
            labels = self._labels(found)
            waiting.append(_Candidate(camera, asked, found, labels, before, many_weak, new_objects, now))
        return asked.probability

    def result(self, index: int, output: Output) -> None:
        """Every result of a camera."""
        if self._sampler is None:
            return
        for candidate in self._candidates.get(index, ()):
            candidate.after = candidate.after or output
        self._settle_complete(index)
        self._unveil(index, output)
        if index in self._last:
            self._before[index] = self._last[index]
        self._last[index] = output

    def _result_before(self, index: int, found: Found) -> Output | None:
        """What was found in a frame is told after its result has left, if that has."""
        last = self._last.get(index)
        return self._before.get(index) if last is not None and last.seq == found.seq else last

    def compared_later(self, index: int) -> None:
        """The frame of the newest result is shown to a candidate model: what differs comes with
        ``disagrees``, or not at all."""
        waiting, last = self._candidates.get(index), self._last.get(index)
        if waiting and last is not None and waiting[-1].found.seq == last.seq:
            waiting[-1].compared = False

    def disagrees(self, index: int, captured_at: float, boxes: int) -> None:
        """Of so many boxes, in the frame of that Unix second."""
        for candidate in self._candidates.get(index, ()):
            if abs(candidate.asked.at - captured_at) < SAME_FRAME_S:
                candidate.compared, candidate.disagreements = True, boxes
        self._settle_complete(index)

    def tick(self) -> None:
        """Now and then: whoever waits for a result that does not come waits no longer."""
        now = self._clock.monotonic()
        for index, waiting in self._candidates.items():
            while waiting and now - waiting[0].since > NEXT_WITHIN_S:
                self._settle(index, waiting.popleft())
        for index in [index for index, each in self._veiled.items() if now - each[0].since > NEXT_WITHIN_S]:
            self._unveil(index, None)

    def hurry(self) -> None:
        """No result comes any more."""
        for index in list(self._veiled):
            self._unveil(index, None)

    def _settle_complete(self, index: int) -> None:
        waiting = self._candidates.get(index)
        while waiting and waiting[0].complete:
            self._settle(index, waiting.popleft())

    def _settle(self, index: int, candidate: _Candidate) -> None:
        """Decide about a frame whose picture was held back."""
        assert self._sampler is not None
        signs = Signs(
            suspected=index in self._conditions.suspected,
            unseen=index in self._conditions.unseen,
            new_objects=candidate.new_objects,
            disagreements=candidate.disagreements,
            flickers=_flickers(candidate.before, candidate.found, candidate.after),
        )
        reason = self._sampler.choose(candidate.camera, candidate.asked, signs, many_weak=candidate.many_weak)
        if reason is not None:
            neighbours = [candidate.before, candidate.after]
            self._keep(index, candidate.found, candidate.labels, candidate.asked, reason, neighbours)

    # ---- a frame is kept

    def _keep(
        self,
        index: int,
        found: Found,
        labels: list[str],
        asked: Asked,
        reason: Reason | None,
        neighbours: list[Output | None],
    ) -> None:
        assert self._orders is not None
        self._number += 1
        number, redact = self._number, self._orders.redact
        nobody = np.full(len(found.class_id) - found.sure, -1, np.int64)
        self._tell(
            Drawn(
                index,
                number,
                asked.at,
                found.width,
                found.height,
                found.xyxy.astype(np.float32, copy=False).tobytes(),
                found.confidence.tobytes(),
                np.concatenate([found.track_id, nobody]).tobytes(),
                labels,
                reason.value if reason else "",
                0.0 if reason else asked.probability,
                found.detector,
                found.process,
            )
        )
        if self._under_way >= WAITING_AT_MOST:
            self._give(Pictured(number, "pictures come faster than they can be written"), None)
            return
        self._under_way += 1
        hidden = _hidden(redact, found, labels, neighbours)
        if reason is None and redact:
            veiled = _Veiled(number, found, hidden, self._clock.monotonic())
            self._veiled.setdefault(index, []).append(veiled)
        else:
            self._pool.submit(self._picture, number, found.image, hidden, self._orders.quality)

    def _unveil(self, index: int, after: Output | None) -> None:
        """The next result of a camera is there, or does not come."""
        for each in self._veiled.pop(index, ()):
            assert self._orders is not None
            hidden = each.hidden + _nearby(self._orders.redact, each.found, after)
            self._pool.submit(self._picture, each.number, each.found.image, hidden, self._orders.quality)

    def _labels(self, found: Found) -> list[str]:
        assert self._orders is not None
        whose = found.detector
        declared = self._orders.canary_names if whose else self._orders.names
        ids = found.class_id.tolist()
        weak = (self._names.get((whose, each)) or name_of(each, declared) for each in ids[found.sure :])
        return [*found.names, *weak]

    def _picture(self, number: int, image: Any, hidden: list[XYXY], quality: int) -> None:
        """In the thread for it."""
        message, fd = Pictured(number), None
        try:
            fd = _jpeg(image, hidden, quality)
        except MemoryError:
            raise
        except Exception as err:  # whatever it is: the node waits for a word about this frame
            message = Pictured(number, f"{type(err).__name__}: {err}")
        self._on_loop(lambda: self._made(message, fd))

    def _made(self, message: Pictured, fd: int | None) -> None:
        self._under_way -= 1
        self._give(message, fd)

    def _give(self, message: Pictured, fd: int | None) -> None:
        self._under_way += 1
        self._ready.append((message, fd))
        self.flush()

    def flush(self) -> None:
        """Send pictures that the node did not take before; never ahead of what was found in them."""
        while self._ready and self._told():
            message, fd = self._ready[0]
            if not self._node.send(message, [] if fd is None else [fd]):
                return
            self._ready.popleft()
            self._under_way -= 1
            if fd is not None:
                os.close(fd)

    # ---- cameras come and go

    def left(self, index: int, camera: str) -> tuple[Known, bytes | None] | None:
        """A camera moves to another worker; what that one needs to know."""
        news = self._news.left(index)
        self.gone(index)
        return (self._sampler.left(camera), news) if self._sampler is not None else None

    def go_on(self, index: int, camera: str, known: tuple[Known, bytes | None] | None) -> None:
        """A camera comes from another worker."""
        if self._sampler is not None and known is not None:
            drawn, news = known
            self._sampler.go_on(camera, drawn)
            self._news.go_on(index, news)

    def moved(self, index: int) -> None:
        """A camera looks elsewhere now."""
        self._news.forget(index)

    def gone(self, index: int) -> None:
        """A camera is not this worker's any more."""
        self._news.forget(index)
        self._detectors.pop(index, None)
        for candidate in self._candidates.pop(index, ()):
            self._settle(index, candidate)
        self._unveil(index, None)
        self._last.pop(index, None)
        self._before.pop(index, None)

    @property
    def idle(self) -> bool:
        """Whether no picture is under way."""
        return not self._under_way

    def close(self) -> None:
        """Pictures that were not begun are given up."""
        self._pool.shutdown(wait=False, cancel_futures=True)


def _warm() -> None:
    """What a JPEG needs is imported before there is a frame that waits for it."""
    import vedette.ingest.convert
    import vedette.quality.review.pictures  # noqa: F401


def _jpeg(image: Any, hidden: list[XYXY], quality: int) -> int:
    """The descriptor of a file that has no name. ``image``: as the decoder gave it."""
    from vedette.ingest.convert import Converter
    from vedette.quality.review.pictures import encode_into

    fd = os.memfd_create("picture", os.MFD_CLOEXEC)
    try:
        with os.fdopen(fd, "w+b", closefd=False) as file:
            encode_into(file, Converter().to_rgb(image), quality, hidden)
    except BaseException:
        os.close(fd)
        raise
    return fd


def _weak(found: Found) -> int:
    return int(((found.confidence >= WEAK_FROM) & (found.confidence < WEAK_BELOW)).sum())


def _flickers(before: Output | None, found: Found, after: Output | None) -> int:
    if before is None or after is None or not before.epoch == found.epoch == after.epoch:
        return 0
    return flickers(
        _tracks(np.frombuffer(before.track_id, np.int64), before.names),
        _tracks(found.track_id, found.names),
        _tracks(np.frombuffer(after.track_id, np.int64), after.names),
    )


def _tracks(ids: Any, names: list[str]) -> dict[int, str]:
    return {track: name for track, name in zip(ids.tolist(), names, strict=True) if track >= 0}


def _hidden(
    classes: list[str], found: Found, labels: list[str], neighbours: list[Output | None]
) -> list[XYXY]:
    """Boxes to be made unrecognisable: also where such an object was a moment before, or is a moment later. A
    frame may be kept just because the detector has missed it there."""
    if not classes:
        return []
    boxes = _of(classes, found.xyxy, labels)
    for output in neighbours:
        boxes += _nearby(classes, found, output)
    return boxes


def _nearby(classes: list[str], found: Found, output: Output | None) -> list[XYXY]:
    """Boxes of the result before, or after."""
    if output is None or output.epoch != found.epoch:
        return []
    return _of(classes, np.frombuffer(output.xyxy, np.float32).reshape(-1, 4), output.names)


def _of(classes: list[str], xyxy: Any, labels: list[str]) -> list[XYXY]:
    lying = zip(xyxy.tolist(), labels, strict=True)
    return [(box[0], box[1], box[2], box[3]) for box, label in lying if label in classes]
