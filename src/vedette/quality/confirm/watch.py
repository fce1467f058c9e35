"""Reads what people reviewed, on a thread of its own, and tells when that confirms a loss."""

from __future__ import annotations

import threading
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from vedette.clock import Clock
from vedette.errors import ReviewError
from vedette.facts import AnyFact, LossConfirmed, LossOver, Trouble
from vedette.quality.confirm.kept import Key, UnreadableKept, load, save
from vedette.quality.confirm.looks import Look, in_order, look_of, masses, shares_of
from vedette.quality.confirm.policy import Known, Lost, Over, Rule, Seen, most_of, next_known
from vedette.quality.confirm.settings import FloorSettings, Measure
from vedette.quality.estimates import Estimate, Judged, TooFew, precision, recall
from vedette.quality.estimates.ratio import Floats
from vedette.quality.review.store import Store

__all__ = ["Accuracy", "LossWatch"]

LOOK_EVERY_S = 60.0
LATELY = 200
"""Frames, the last that were reviewed, of which accuracy is shown."""
MASSES_OF = 300
"""Frames of a camera, the newest, by which it is known what a frame can count at most."""
FAILS = 2
MEASURES: tuple[Measure, ...] = ("recall", "precision")


@dataclass(frozen=True, slots=True)
class Accuracy:
    """Of a camera or site, by the last reviewed frames; ``lost``: a loss that is confirmed."""

    key: Key
    known: Estimate | TooFew
    floor: float | None
    lost: Lost | None


@dataclass(frozen=True, slots=True)
class _Read:
    """What was read of the store. ``stamp``: of its reviews; ``threshold``: by which boxes were judged.
    ``looks``: by item; None where nobody can be judged by it."""

    stamp: tuple[int, int, int]
    threshold: float
    looks: dict[str, Look | None]

    @property
    def judged(self) -> list[Look]:
        return [look for look in self.looks.values() if look is not None]


_NOTHING = _Read((-1, -1, -1), -1.0, {})


class LossWatch:
    """``folder``: of the review store; it may be made later. ``kept``: the file that remembers what was told;
    None = nowhere. ``cameras``: those that are watched, and the site of each, empty where it has none.
    ``threshold``: the score from which the detector emits now. ``running``: the model that works on a camera,
    as items call it; None = that of its newest frame, empty = nobody knows yet, so nothing of it is judged.
    ``tell`` is called from the thread."""

    def __init__(
        self,
        folder: Path,
        floors: FloorSettings,
        *,
        kept: Path | None,
        cameras: Callable[[], Mapping[str, str]],
        threshold: Callable[[], float],
        tell: Callable[[AnyFact], None],
        clock: Clock,
        running: Callable[[str], str | None] = lambda _: None,
    ) -> None:
        self._folder, self._floors, self._kept = folder, floors, kept
        self._cameras, self._threshold, self._running = cameras, threshold, running
        self._tell, self._clock = tell, clock
        self._known: dict[Key, Known] | None = None
        self._saved: dict[Key, Known] = {}
        self._aside: dict[tuple[Key, str], Known] = {}
        """Of models that do not detect now, and may again: after a canary, for one. Not over a restart."""
        self._read = _NOTHING
        self._judged: object = None
        """By what was judged last: nothing need be done while it is the same."""
        self._sizes: dict[str, tuple[object, Floats]] = {}
        self._failed = 0
        self._store: Store | None = None
        self.status: Mapping[str, tuple[Accuracy, ...]] = {}
        """By camera of which something was reviewed, empty for whole sites; as of the last look."""
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run, name="accuracy", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def close(self, timeout: float = 2.0) -> None:
        self._over.set()
        if self._thread.ident is not None:
            self._thread.join(timeout)

    def _run(self) -> None:
        while True:
            self.turn()
            if self._over.wait(LOOK_EVERY_S):
                break
        if self._store is not None:
            self._store.close()

    def turn(self) -> None:
        """Look at what was reviewed since the last time, and tell what follows from it."""
        try:
            if self._known is None:
                self._known = self._remember()
            self._look()
        except (ReviewError, OSError) as err:
            self._broken(str(err))
        except Exception as err:  # a mistake of ours must not end the watch
            self._broken(f"{type(err).__name__}: {err}")
        else:
            self._failed = 0

    def _remember(self) -> dict[Key, Known]:
        """What was told before a restart. It is told again, as known, to those who do not remember."""
        if self._kept is None:
            return {}
        try:
            known = load(self._kept)
        except UnreadableKept as err:
            self._trouble(
                f"{self._kept}: what was told of losses cannot be read, and may be told again: {err}"
            )
            return {}
        for key, each in known.items():
            if each.lost is not None:
                self._tell(self._confirmed(key, each, each.lost, known=True))
        return known

    # ---- reading

    def _look(self) -> None:
        if not (self._folder / "review.db").exists():
            return
        self._store = store = self._store or Store.open(self._folder, readonly=True)
        cameras, threshold = dict(self._cameras()), self._threshold()
        self._reread(store, threshold)
        looked_at = {look.frame.camera for look in self._read.judged} & set(cameras)
        found = {camera: self._model_of(store, camera) for camera in sorted(looked_at)}
        models = {camera: model for camera, model in found.items() if model}
        state = (self._read.stamp, threshold, cameras, models)
        if state != self._judged:
            self._judge(store, cameras, models)
            self._judged = state

    def _reread(self, store: Store, threshold: float) -> None:
        """Only what is new, where that is all that has changed."""
        stamp, before = store.stamp(), self._read
        if (stamp, threshold) == (before.stamp, before.threshold):
            return
        looks: dict[str, Look | None] = {}
        if threshold == before.threshold:
            newer = store.reviewed(since=before.stamp[2] / 1e6)
            looks = before.looks | {item.id: look_of(item, it, threshold=threshold) for item, it in newer}
        if len(looks) != stamp[0]:
            # Something was taken back, or is older than what was known; or all is judged anew.
            looks = {item.id: look_of(item, it, threshold=threshold) for item, it in store.reviewed()}
        self._read = _Read(stamp, threshold, looks)

    def _model_of(self, store: Store, camera: str) -> str:
        """The model whose frames count."""
        running = self._running(camera)
        if running is not None:
            return running
        newest = store.items(camera=camera, uniform=True, limit=1)
        return newest[0].model if newest else ""

    # ---- judging

    def _judge(self, store: Store, cameras: Mapping[str, str], models: Mapping[str, str]) -> None:
        now = self._clock.wall()
        looks: dict[str, list[Look]] = defaultdict(list)
        for look in in_order(self._read.judged):
            if look.frame.model == models.get(look.frame.camera):
                looks[look.frame.camera].append(look)
        sizes = {
            camera: self._sizes_of(store, camera, model, len(looks[camera]))
            for camera, model in models.items()
        }
        known: dict[Key, Known] = {}
        status: dict[str, tuple[Accuracy, ...]] = {}
        for key, members in _keys(cameras, models):
            chosen = in_order(look for camera in members for look in looks[camera])
            model = " ".join(sorted({models[camera] for camera in members}))
            floor = self._floors.of(key.camera, key.measure)
            found = self._judge_one(key, model, chosen, floor, [sizes[each] for each in members], now)
            known[key] = found
            shown = Accuracy(key, _accuracy(key.measure, chosen), floor, found.lost)
            status[key.camera] = (*status.get(key.camera, ()), shown)
        for key, each in (self._known or {}).items():
            if key not in known and each.lost is not None and not self._watched(key, cameras):
                self._tell(self._ended(key, now, "gone"))
            elif key not in known and self._watched(key, cameras):
                known[key] = each
        self.status = status
        self._known = known
        if self._kept is not None and known != self._saved:
            save(self._kept, known)
            self._saved = known

    def _sizes_of(self, store: Store, camera: str, model: str, looks: int) -> Floats:
        """How much its drawn frames count; looked up when more of them were reviewed."""
        by = (model, looks, self._read.threshold)
        known = self._sizes.get(camera)
        if known is None or known[0] != by:
            newest = store.items(camera=camera, uniform=True, limit=MASSES_OF)
            own = [item for item in newest if item.model == model]
            known = self._sizes[camera] = by, masses(own, self._read.threshold)
        return known[1]

    def _judge_one(
        self,
        key: Key,
        model: str,
        looks: Sequence[Look],
        floor: float | None,
        sizes: Sequence[Floats],
        now: float,
    ) -> Known:
        shares, times = shares_of(looks, key.measure)
        most = most_of(np.concatenate(sizes))
        rule = None if floor is None else Rule(floor, most, self._floors.level)
        before = self._before(key, model, now)
        found, news = next_known(before, model, Seen(shares, times), rule, now)
        for each in news:
            if isinstance(each, Over):
                self._tell(self._ended(key, each.at, each.why))
            else:
                self._tell(self._confirmed(key, Known(model), each, known=False))
        return found

    def _before(self, key: Key, model: str, now: float) -> Known:
        """What is known of it. A model that is back goes on with what was known of it: neither is what was
        judged judged anew, nor is anybody paged again for a loss that was there before."""
        before = (self._known or {}).get(key, Known())
        if not before.model or before.model == model:
            return before
        self._aside[key, before.model] = before
        back = self._aside.pop((key, model), None)
        if back is None:
            return before
        if before.lost is not None:
            self._tell(self._ended(key, now, "model"))
        if back.lost is not None:
            self._tell(self._confirmed(key, back, back.lost, known=True))
        return back

    def _watched(self, key: Key, cameras: Mapping[str, str]) -> bool:
        return cameras.get(key.camera) == key.site if key.camera else key.site in cameras.values()

    # ---- telling

    def _monotonic(self, at: float) -> float:
        return at + self._clock.monotonic() - self._clock.wall()

    def _confirmed(self, key: Key, about: Known, lost: Lost, *, known: bool) -> LossConfirmed:
        return LossConfirmed(
            at=self._clock.monotonic(),
            camera=key.camera,
            site=key.site,
            cameras=self._members(key),
            measure=key.measure,
            model=about.model,
            since=self._monotonic(lost.at),
            value=lost.value,
            lower=lost.lower,
            upper=lost.upper,
            floor=lost.floor,
            level=lost.level,
            frames=lost.frames,
            known=known,
        )

    def _ended(self, key: Key, at: float, why: str) -> LossOver:
        return LossOver(
            at=self._monotonic(at), camera=key.camera, site=key.site, measure=key.measure, why=why
        )

    def _members(self, key: Key) -> list[str]:
        if key.camera:
            return [key.camera]
        return sorted(camera for camera, site in self._cameras().items() if site == key.site)

    def _broken(self, message: str) -> None:
        """Told when it fails twice in a row, once: a store that is only just being made is no trouble."""
        self._failed += 1
        if self._failed == FAILS:
            self._trouble(message)

    def _trouble(self, message: str) -> None:
        self._tell(Trouble(at=self._clock.monotonic(), where="accuracy", message=message))


def _keys(cameras: Mapping[str, str], models: Mapping[str, str]) -> Iterable[tuple[Key, list[str]]]:
    """All that is judged, and the reviewed cameras it is of. A site of which one camera was reviewed is no
    more than that camera."""
    sites: dict[str, list[str]] = defaultdict(list)
    for camera in models:
        for measure in MEASURES:
            yield Key(camera, cameras[camera], measure), [camera]
        if cameras[camera]:
            sites[cameras[camera]].append(camera)
    for site, members in sites.items():
        if len(members) > 1:
            for measure in MEASURES:
                yield Key("", site, measure), members


def _accuracy(measure: Measure, looks: Sequence[Look]) -> Estimate | TooFew:
    frames: list[Judged] = [look.frame for look in looks[-LATELY:]]
    return precision(frames) if measure == "precision" else recall(frames)
