"""Holds a node's detectors to labelled pictures: new ones before they take over, others now and then.

On the node's loop. Whatever takes time happens in a process that only has what nobody else wants of the
machine (validate/worker.py); when that is, for the one at work, is a pure policy (validate/schedule.py).
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import msgspec

from vedette.clock import Clock
from vedette.errors import DetectorError, VedetteError, WorkerError, redact
from vedette.facts import (
    AnyFact,
    ModelGated,
    Trouble,
    ValidationFailed,
    ValidationPassed,
    ValidationPostponed,
)
from vedette.infer.load import BUNDLED, DetectorSpec
from vedette.infer.made_of import must_be
from vedette.quality.identity import identity as identity_as
from vedette.quality.validate import schedule
from vedette.quality.validate.model import model_of
from vedette.quality.validate.process import Examination
from vedette.quality.validate.run import Model
from vedette.quality.validate.settings import ValidationSettings
from vedette.quality.validate.verdict import Verdict
from vedette.quality.validate.where import LATEST
from vedette.workers.protocol import Examine

__all__ = ["Admitted", "Examiner"]

LOOK_EVERY_S = 1.0
OVERRIDE = "`force` lets it in all the same"


@dataclass(frozen=True, slots=True)
class Admitted:
    """A detector that may take over, or be tried on cameras. ``said``: what is to be said of that, in a line.
    ``made_of``: what was judged; nothing else may be loaded. Empty where nothing was."""

    said: str
    made_of: str = ""


class Examiner:
    """Of one node. ``runs``: where runs and baselines are; ``name``: the node's, whose own runs lie there in
    a folder of that name. ``at_work``: the detector that works now. ``capacity``: what the node has left."""

    def __init__(
        self,
        settings: ValidationSettings,
        *,
        runs: Path,
        name: str,
        at_work: Callable[[], DetectorSpec],
        capacity: Callable[[], schedule.Capacity],
        tell: Callable[[AnyFact], None],
        clock: Clock,
    ) -> None:
        self._settings, self._runs, self._kept = settings, runs, runs / name
        self._at_work, self._capacity, self._tell, self._clock = at_work, capacity, tell, clock
        self.one = asyncio.Lock()
        """Held while a detector is examined and takes over: the next one is compared with that."""
        self.progress = ""
        """How far the examination of a new detector is, in words; empty while there is none."""
        self.latest: Verdict | None = None
        """Of the detector at work; None where there is none yet."""
        self._loaded: asyncio.Task[Model | None] | None = None
        """What the detector at work was made of, by its file just after it was loaded."""
        self._before: tuple[DetectorSpec, Model | None] | None = None
        """The same of the process before, as far as it is known."""
        self._let_in: tuple[DetectorSpec, Admitted] | None = None
        """That may take over, and has not yet."""
        self._doing: asyncio.Task[None] | None = None
        self._there: list[Examination] = []
        """Those whose process may still be there."""
        self._state = schedule.began(clock.wall(), settings.every or 0.0, None)
        self._looked_at = 0.0
        self._identity = ""
        self._closed = False

    @property
    def processes(self) -> list[tuple[str, int]]:
        """Names and pids of those that run."""
        children = [each.child for each in self._there]
        return [(child.name, child.pid) for child in children if child.pid and child.alive]

    def start(self) -> None:
        """Read what was said before the node ended."""
        dataset = self._settings.dataset
        if dataset is None:
            return
        if not dataset.exists():
            self._trouble(f"{dataset}: there is no such labelled set; nothing can be held to it")
        try:
            self.latest = msgspec.json.decode((self._kept / LATEST).read_bytes(), type=Verdict)
        except (OSError, msgspec.DecodeError):
            return  # none was made yet, or not by us: it will be
        if self._settings.every is not None and self.latest.passed:
            self._state = schedule.began(self._clock.wall(), self._settings.every, self.latest.at)

    def close(self) -> None:
        """Whatever is under way is given up. Waits for nothing."""
        self._closed = True
        if self._doing is not None:
            self._doing.cancel()
        for each in self._there:
            each.end("the node was stopped")

    # ---- which detector is at work

    def new_detector(self, made_of: str = "") -> None:
        """Another process detects from now on: another detector, or the same again. ``made_of``: what it was
        loaded from, as it says, for a file may be replaced under its name; empty = what is there now."""
        if self._settings.dataset is None:
            return
        self._loaded = asyncio.get_running_loop().create_task(self._note(self._at_work(), made_of))

    async def _note(self, spec: DetectorSpec, made_of: str) -> Model | None:
        model = await asyncio.to_thread(_model_of, spec, made_of)
        self._look_for_another(spec, model)
        identity = identity_as(spec, model, spec.confidence)
        if identity != self._identity and spec == self._at_work():  # else the next one is looked at already
            self._identity = identity
            if self._doing is not None:
                self._doing.cancel()
            if self.latest is not None and self.latest.identity != identity:
                self.latest = None
            if self.latest is None:
                self._state = schedule.due_now(self._state, self._clock.wall())
        return model

    def _look_for_another(self, spec: DetectorSpec, model: Model | None) -> None:
        """A file that took the place of the one at work is loaded by the next process, whatever was said of
        it: that cannot be helped, but it can be told."""
        before, self._before = self._before, (spec, model)
        if self._let_in is not None and spec == self._let_in[0]:
            judged = self._let_in[1].made_of
            self._let_in = None
            if not judged or model is None or model.hash == judged:
                return
        if before is None or before[0] != spec or not self._settings.gate:
            return
        if model is not None and before[1] is not None and model.hash != before[1].hash:
            why = "its file was replaced, and a worker that was started anew has loaded it"
            self._gated(_name(spec), "not_held", why)

    async def _model_at_work(self) -> Model | None:
        return None if self._loaded is None else await asyncio.shield(self._loaded)

    # ---- a new one

    async def gate(self, candidate: DetectorSpec, *, force: bool = False, tried: str = "") -> Admitted:
        """Whether this detector may take over. To be called with ``one`` held. ``tried``: what it was made of
        when it was tried on cameras; empty where it was not. Raises WorkerError, with the reason, where it
        must not."""
        admitted = await self._asked(candidate, tried, force=force)
        self._let_in = candidate, admitted
        return admitted

    async def trial(self, candidate: DetectorSpec, *, force: bool = False) -> Admitted:
        """Whether this detector may be tried on some cameras: it is held to the same. To be called with
        ``one`` held. Raises WorkerError, with the reason, where it must not."""
        return await self._asked(candidate, force=force)

    async def _asked(self, candidate: DetectorSpec, tried: str = "", *, force: bool) -> Admitted:
        name = _name(candidate)
        if tried and candidate.python is None:
            # Before anybody looks at pictures for minutes. What is loaded in the end is asked again.
            found = await asyncio.to_thread(_model_of, candidate)
            if found is None or found.hash != tried:
                raise WorkerError(f"{name} is not the file any more that was tried")
        if (why := self._no_gate(force)) is not None:
            self._gated(name, "forced" if force else "not_held", why)
            return Admitted(why, tried)
        if (same := await self._the_same(candidate)) is not None:
            why = "it finds what the one before found: there was nothing to compare"
            self._gated(name, "same", why)
            return Admitted(why, same.hash)
        try:
            verdict = await self._examined(candidate)
            must_be(name, verdict.made_of, tried)
        except VedetteError as err:
            why = f"it could not be held to the labelled pictures: {err}"
            self._refuse(name, why)
        if not verdict.passed:
            self._refuse(name, "; ".join(verdict.problems))
        said = f"held to {verdict.pictures} labelled pictures of {verdict.dataset}: {verdict.compared}"
        why = "; ".join([said, *verdict.remarks])
        self._gated(name, "passed", why)
        return Admitted(why, verdict.made_of)

    def _no_gate(self, force: bool) -> str | None:
        """Why nobody looks; None where somebody does."""
        if self._settings.dataset is None:
            return "it was not held to labelled pictures: there are none (validation.dataset)"
        if not self._settings.gate:
            return "it was not held to labelled pictures: validation.gate is off"
        return "it was not held to labelled pictures: that was left out by force" if force else None

    async def _the_same(self, candidate: DetectorSpec) -> Model | None:
        """What it is made of, where only what has no part in what it finds is another: its threshold,
        threads, batches…"""
        ours = await self._model_at_work()
        theirs = await asyncio.to_thread(_model_of, candidate)
        return theirs if ours is not None and theirs is not None and theirs.finds_as(ours) else None

    async def _examined(self, candidate: DetectorSpec) -> Verdict:
        if self._doing is not None:
            self._doing.cancel()  # an operator waits; the one at work has time
        model, running = await self._model_at_work(), self._at_work()
        order = self._order(
            candidate,
            running=msgspec.msgpack.encode(running),
            running_hash="" if model is None else model.hash,
        )
        self.progress = "it is held to labelled pictures"
        try:
            return await self._begun(order, self._say).perform()
        finally:
            self.progress = ""

    def _begun(self, order: Examine, told: Callable[[str], None]) -> Examination:
        examination = Examination(order, told, self._clock)
        self._there.append(examination)
        return examination

    def _say(self, words: str) -> None:
        self.progress = words

    def _refuse(self, name: str, why: str) -> None:
        if self._closed:
            raise WorkerError("the node was stopped")
        self._gated(name, "refused", why)
        raise WorkerError(f"{name} is refused: {why} ({OVERRIDE})")

    def _gated(self, name: str, outcome: str, why: str) -> None:
        self._tell(ModelGated(at=self._clock.monotonic(), model=name, outcome=outcome, why=redact(why)))

    # ---- the one at work

    def tick(self) -> None:
        """Called often; looks every second."""
        now = self._clock.monotonic()
        if now - self._looked_at < LOOK_EVERY_S:
            return
        self._looked_at = now
        self._there = [each for each in self._there if not each.gone]
        every = self._settings.every
        if every is None or self._closed or not self._identity:
            return
        capacity = self._capacity()
        if self._doing is not None and not self._doing.done():
            if schedule.gives_way(capacity):
                self._doing.cancel()
            return
        if self.one.locked():
            return  # an operator's comes first, and another detector may be at work after it
        self._state, decision = schedule.decide(self._state, capacity, self._clock.wall(), every)
        match decision:
            case schedule.Start():
                self._doing = asyncio.get_running_loop().create_task(self._validate(every))
            case schedule.Postpone(since, why):
                began = since + now - self._clock.wall()
                self._tell(ValidationPostponed(at=now, since=began, why=why))

    async def _validate(self, every: float) -> None:
        """It stays due if it is cancelled."""
        failed = True
        try:
            model, identity = await self._model_at_work(), self._identity
            order = self._order(
                self._at_work(), identity=identity, running_hash="" if model is None else model.hash
            )
            verdict = await self._begun(order, lambda _: None).perform()
            failed = False
            if identity == self._identity:
                self.latest = verdict
                self._tell(_fact(verdict, self._clock.monotonic()))
        except VedetteError as err:
            self._trouble(f"the detector at work could not be held to labelled pictures: {err}")
        except Exception as err:  # a mistake of ours must not end in silence
            self._trouble(f"not validated: {type(err).__name__}: {err}")
        self._state = schedule.ended(self._clock.wall(), every, failed=failed)

    def _order(
        self,
        candidate: DetectorSpec,
        *,
        running: bytes = b"",
        running_hash: str = "",
        identity: str = "",
    ) -> Examine:
        settings = self._settings
        return Examine(
            dataset=str(settings.dataset),
            images=None if settings.images is None else str(settings.images),
            runs=str(self._runs),
            kept=str(self._kept),
            candidate=msgspec.msgpack.encode(candidate),
            running=running,
            running_hash=running_hash,
            identity=identity,
            tolerance=settings.tolerance,
            floors={str(name): least for name, least in settings.floors.items()},
        )

    def _trouble(self, message: str) -> None:
        self._tell(Trouble(at=self._clock.monotonic(), where="validation", message=redact(message)))


def _name(spec: DetectorSpec) -> str:
    return spec.python or Path(spec.model or BUNDLED).name


def _model_of(spec: DetectorSpec, loaded: str = "") -> Model | None:
    """None where that is not known: of Python's, whose code is not looked at here, as that would run what is
    imported on the way; and of files that cannot be read."""
    if spec.python is not None:
        return None
    try:
        return model_of(spec, loaded)
    except DetectorError:
        return None


def _fact(verdict: Verdict, at: float) -> AnyFact:
    told = {name: getattr(verdict, name) for name in ("run", "dataset", "pictures", "model", "figures")}
    if verdict.passed:
        return ValidationPassed(at=at, remarks=verdict.remarks, **told)
    return ValidationFailed(at=at, problems=verdict.problems, **told)
