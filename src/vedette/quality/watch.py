"""Watches the detector's word on each camera of a node, on a thread of its own: frames go in, facts come out.

What was learnt is kept in a folder, so that a restart does not begin anew. Whoever feeds it never waits.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from pathlib import Path
from typing import Any

import numpy as np

from vedette.clock import Clock
from vedette.facts import (
    AnyFact,
    ConditionsKnown,
    ConditionsUnseen,
    DriftLearnt,
    DriftReset,
    LossSuspected,
    PictureChanged,
    SuspicionOver,
    Trouble,
)
from vedette.quality.drift import decisions
from vedette.quality.drift.baseline import UnreadableBaseline
from vedette.quality.drift.light import light_words
from vedette.quality.drift.monitor import Monitor, Status
from vedette.quality.drift.scores import UnreadableScores
from vedette.quality.drift.settings import Settings
from vedette.quality.drift.standing import Standing, Standings
from vedette.quality.drift.windows import WINDOW_S, Picture
from vedette.whole_files import write_whole
from vedette.workers.protocol import Studied

__all__ = ["DriftWatch"]

WAITING_AT_MOST = 20_000
"""Frames that were not looked at yet: twenty seconds of a thousand cameras. Of more the oldest are let go."""

KEEP_EVERY_S = 600.0
"""What was learnt is written down."""

_Job = Callable[[], None]


class DriftWatch:
    """``folder``: where what was learnt is kept; None = nowhere. ``sites``: by camera, where it stands.
    ``tell`` is called from the thread."""

    def __init__(
        self,
        settings: Settings,
        *,
        folder: Path | None,
        sites: Mapping[str, str],
        tell: Callable[[AnyFact], None],
        clock: Clock,
    ) -> None:
        self._monitor = Monitor(settings, sites)
        self._folder, self._tell, self._clock = folder, tell, clock
        self._jobs: deque[_Job] = deque(maxlen=WAITING_AT_MOST)
        self._over = threading.Event()
        self._due = clock.wall() + WINDOW_S
        self._keep_due = clock.wall() + KEEP_EVERY_S
        self._models: dict[str, str] = {}
        """By camera: of which model what is known of it was learnt, or is being."""
        self.status: Mapping[str, Status] = {}
        """Of each camera, as of the last ten seconds."""
        self.standing: Mapping[str, Standing] = {}
        """The same: since when, and why."""
        self._standings = Standings()
        self._orders: deque[_Job] = deque()
        """What people asked for: never let go."""
        self._anew: set[str] = set()
        """Cameras to be learnt anew of which nothing has come yet."""
        self._thread = threading.Thread(target=self._run, name="drift", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def put(self, camera: str, model: str, studied: Studied) -> None:
        """What the detector found in a frame of a camera, and what its picture looked like. Never waits.
        ``model``: the identity of that detector."""
        self._jobs.append(lambda: self._look_at(camera, model, studied))

    def moved(self, camera: str) -> None:
        """It looks elsewhere now."""
        self._jobs.append(lambda: self._monitor.moved(camera, self._clock.wall()))

    def learn(self, camera: str, *, keep: bool = False) -> Future[None]:
        """What is usual for it is to be learnt anew. ``keep``: only in lights, and at hours, of which nothing
        is known yet. Done when it has begun, and would survive a crash."""
        done: Future[None] = Future()

        def begin() -> None:
            try:
                self._learn(camera, keep)
            except Exception as err:
                done.set_exception(err)
                raise
            done.set_result(None)

        self._orders.append(begin)
        return done

    def forget(self, camera: str) -> None:
        """It is not watched any more. What was learnt of it stays in the folder, should it come back."""

        def gone() -> None:
            if self._models.pop(camera, None) is not None:
                self._keep(camera)
                self._monitor.forget(camera)
                self._standings.forget(camera)

        self._jobs.append(gone)

    def close(self, timeout: float = 2.0) -> None:
        """Write down what was learnt."""
        self._over.set()
        if self._thread.ident is not None:
            self._thread.join(timeout)

    # ---- the thread

    def _run(self) -> None:
        while not self._over.wait(0.25):
            self.turn()
        self.turn()
        self._keep_all()

    def turn(self) -> None:
        """Look at what came since the last time; and every ten seconds say what that comes to."""
        for waiting in (self._jobs, self._orders):
            while waiting:
                self._guarded(waiting.popleft())
        now = self._clock.wall()
        if now >= self._due:
            self._due = now + WINDOW_S
            self._guarded(lambda: self._judge(now))
        if now >= self._keep_due:
            self._keep_due = now + KEEP_EVERY_S
            self._keep_all()

    def _guarded(self, job: _Job) -> None:
        """A mistake of ours about one camera must not end the watch over all."""
        try:
            job()
        except Exception as err:
            self._trouble(f"{type(err).__name__}: {err}")

    def _judge(self, now: float) -> None:
        for decision in self._monitor.close(now):
            self._standings.decided(decision)
            self._tell(_fact(decision, self._clock.monotonic() - self._clock.wall()))
        self.status = self._monitor.statuses(self._models)
        self.standing = {
            camera: self._standings.stands(camera, status, now) for camera, status in self.status.items()
        }

    def _look_at(self, camera: str, model: str, studied: Studied) -> None:
        at = studied.captured + self._clock.wall() - self._clock.monotonic()
        if self._models.get(camera) != model:
            self._begin(camera, model)
        self._monitor.frame(
            camera,
            model,
            at,
            np.frombuffer(studied.confidence, np.float32),
            np.frombuffer(studied.class_id, np.int32),
            np.frombuffer(studied.area, np.float32),
        )
        if studied.seen is not None:
            seen = studied.seen
            self._monitor.look(
                camera, at, Picture(seen.luma, seen.contrast, seen.sharpness, seen.likeness, seen.infrared)
            )

    def _learn(self, camera: str, keep: bool) -> None:
        if camera in self._models:
            self._monitor.learn(camera, self._clock.wall(), anew=not keep)
            self._keep(camera)  # a crash within the next minutes must not bring the old baseline back
        elif not keep:
            self._anew.add(camera)

    def _begin(self, camera: str, model: str) -> None:
        """Go on with what was learnt of it with this model, or learn."""
        first, self._models[camera] = camera not in self._models, model
        path = self._path(camera, model)
        if not first:
            self._keep(camera)
            self._resume(camera, path)
            return  # another model: the monitor learns anew, and says so
        if camera in self._anew:
            self._anew.discard(camera)
            return
        if path is None or not path.is_file():
            return
        try:
            self._monitor.restore(camera, path.read_bytes())
        except (OSError, UnreadableBaseline, UnreadableScores) as err:
            self._trouble(f"what was learnt of {camera} cannot be used, and is learnt anew: {err}")

    def _resume(self, camera: str, path: Path | None) -> None:
        """After a canary the model is back that was there before: what was learnt of it is still so."""
        if path is None or not path.is_file():
            return
        try:
            self._monitor.resume(camera, path.read_bytes(), self._clock.wall())
        except (OSError, KeyError, UnreadableBaseline, UnreadableScores) as err:
            self._trouble(f"what was learnt of {camera} cannot be used, and is learnt anew: {err}")

    # ---- what was learnt

    def _path(self, camera: str, model: str) -> Path | None:
        if self._folder is None:
            return None
        return self._folder / f"{camera}-{model[:12]}.drift"

    def _keep_all(self) -> None:
        for camera in list(self._models):
            self._guarded(lambda camera=camera: self._keep(camera))  # type: ignore[misc]

    def _keep(self, camera: str) -> None:
        try:
            model = self._monitor.status(camera).model
        except KeyError:
            return  # nothing came of it yet
        path = self._path(camera, model)
        if path is None:
            return
        try:
            write_whole(path, self._monitor.dump(camera))
        except OSError as err:
            self._trouble(f"what was learnt of {camera} cannot be kept: {err.strerror}")

    def _trouble(self, message: str) -> None:
        self._tell(Trouble(at=self._clock.monotonic(), where="drift", message=message))


def _fact(decision: decisions.Decision, to_monotonic: float) -> AnyFact:
    camera, at = decision.camera, decision.at + to_monotonic
    match decision:
        case decisions.Learnt():
            return DriftLearnt(at=at, camera=camera, lights=[light_words(each) for each in decision.lights])
        case decisions.BaselineReset():
            return DriftReset(at=at, camera=camera, why=decision.why.value)
        case decisions.UnseenConditions():
            return ConditionsUnseen(
                at=at,
                camera=camera,
                since=decision.since + to_monotonic,
                light=light_words(decision.light),
                hour=decision.hour,
            )
        case decisions.ConditionsKnown():
            return ConditionsKnown(at=at, camera=camera, since=decision.since + to_monotonic)
        case decisions.SuspectedLoss():
            return LossSuspected(at=at, camera=camera, **_noticed(decision, to_monotonic))
        case decisions.ChangedPicture():
            return PictureChanged(at=at, camera=camera, **_noticed(decision, to_monotonic))
        case decisions.SuspicionOver():
            since = decision.since + to_monotonic
            return SuspicionOver(at=at, camera=camera, since=since, reset=decision.reset)
    raise TypeError(f"{type(decision).__name__} is no decision of drift")


def _noticed(decision: decisions.Noticed, to_monotonic: float) -> dict[str, Any]:
    told: dict[str, Any] = {
        name: getattr(decision, name) for name in ("measure", "direction", "usual", "lately", "evidence")
    }
    return told | {"since": decision.since + to_monotonic, "light": light_words(decision.light)}
