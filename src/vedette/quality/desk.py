"""Those in a node who judge what its detector says: built, started, told and closed together.

Each may be absent: nobody watches for drift, there is no place for frames, nobody reviews. The node tells all
of them what happens here, and need not know which of them there are.
"""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Callable, Sequence

from vedette.clock import Clock
from vedette.config import Config
from vedette.errors import ConfigError
from vedette.facts import AnyFact, CameraRemoved, EpochStarted
from vedette.quality.confirm.watch import LossWatch
from vedette.quality.keeping import ReviewKeeper
from vedette.quality.learning import to_learn
from vedette.quality.models_at_work import ModelsAtWork
from vedette.quality.watch import DriftWatch
from vedette.roster import Entry, Roster
from vedette.supervise.child import Child
from vedette.supervise.machine import store_folder
from vedette.tasks import keeps_frames, review_folder
from vedette.workers.protocol import Drawn, Pictured, Studied

__all__ = ["QualityDesk"]

Tell = Callable[[AnyFact], None]


class QualityDesk:
    """Of one node, whose loop calls all methods. ``now``: its configuration, which changes while it runs;
    ``running``: the identity of the model that detects on a camera. ``tell`` is called from any thread."""

    def __init__(
        self,
        config: Config,
        *,
        now: Callable[[], Config],
        running: Callable[[str], str],
        tell: Tell,
        clock: Clock,
    ) -> None:
        self.models = ModelsAtWork()
        self.drift = _drift_watch(config, tell, clock)
        """Who watches what the detector says of each camera; None where nobody does."""
        self.losses = _loss_watch(config, now, running, tell, clock)
        """Who reads what people reviewed; None where there is no place for that."""
        self.review = _review_keeper(config, tell, clock)
        """Who keeps frames for people to look at; None where nobody does."""

    def start(self) -> None:
        for each in (self.drift, self.losses, self.review):
            if each is not None:
                each.start()

    def closing(self) -> list[Callable[[], None]]:
        """What is to be called in the end: each may take its time, in a thread of its own."""
        return [each.close for each in (self.drift, self.losses, self.review) if each is not None]

    # ---- what happens

    def take(self, fact: AnyFact) -> None:
        """A fact of this node."""
        if isinstance(fact, CameraRemoved):
            if self.drift is not None:
                self.drift.forget(fact.camera)
            if self.review is not None:
                self.review.forget(fact.camera)
        elif isinstance(fact, EpochStarted) and fact.reason == "camera_moved" and self.drift is not None:
            self.drift.moved(fact.camera)

    def studied(self, entry: Entry, message: Studied) -> None:
        """What a detector found in a frame."""
        # What is still on its way of a camera that was removed begins nothing anew.
        if self.drift is not None and entry.watched:
            self.drift.put(entry.name, self.models.of(message.process), message)
        if self.review is not None:
            self.review.studied(entry.name, message)

    def drawn(self, worker: int, entry: Entry, message: Drawn) -> None:
        """A frame is kept. ``worker``: the process that has its picture."""
        if self.review is not None:
            self.review.drawn(worker, entry.name, self.models.of(message.process), message)

    def pictured(self, worker: int, message: Pictured, fd: int | None) -> None:
        """Its picture."""
        if self.review is not None:
            self.review.pictured(worker, message, fd)
        elif fd is not None:
            os.close(fd)

    def worker_gone(self, worker: int) -> None:
        """Pictures that this process had come no more."""
        if self.review is not None:
            self.review.worker_gone(worker)

    # ---- what is to be done

    def instruct(
        self,
        workers: Sequence[Child],
        roster: Roster,
        *,
        names: list[str],
        spec: bytes,
        canary_names: list[str],
        at_once: bool,
    ) -> None:
        """Tell camera workers which frames to keep, where that has changed. ``names``: of the classes of the
        detector at work, and of a canary's; ``spec``: of the former, packed."""
        if self.review is not None:
            status = {} if self.drift is None else self.drift.status
            self.review.instruct(
                workers, roster, names, spec, status, canary_names=canary_names, at_once=at_once
            )

    async def learn(self, cameras: Sequence[str], roster: Roster, *, keep: bool) -> None:
        """Learn anew what is usual for these cameras, or all. Raises ConfigError: nothing has changed."""
        if self.drift is None:
            raise ConfigError("the detector is not watched for drift here: drift.enabled is false")
        studied = {entry.name: entry.settings.study_every > 0 for entry in roster if not entry.removed}
        begun = [self.drift.learn(name, keep=keep) for name in to_learn(cameras, studied)]
        await asyncio.gather(*(asyncio.wrap_future(each) for each in begun))


def _drift_watch(config: Config, tell: Tell, clock: Clock) -> DriftWatch | None:
    if not config.drift.enabled:
        return None
    store = store_folder(config.ledger.url, enabled=config.ledger.enabled)
    return DriftWatch(
        config.drift.settings(time.localtime().tm_gmtoff),
        folder=store / f"drift-{config.ledger.node}" if store is not None else None,
        sites={name: camera.site for name, camera in config.cameras.items() if camera.site},
        tell=tell,
        clock=clock,
    )


def _loss_watch(
    config: Config, now: Callable[[], Config], running: Callable[[str], str], tell: Tell, clock: Clock
) -> LossWatch | None:
    folder = review_folder(config)
    if folder is None:
        return None
    store = store_folder(config.ledger.url, enabled=config.ledger.enabled)
    return LossWatch(
        folder,
        config.review.floor,
        kept=(store or folder) / f"accuracy-{config.ledger.node}.json",
        cameras=lambda: {name: camera.site or "" for name, camera in now().cameras.items()},
        threshold=lambda: now().detector.confidence,
        running=running,
        tell=tell,
        clock=clock,
    )


def _review_keeper(config: Config, tell: Tell, clock: Clock) -> ReviewKeeper | None:
    folder = review_folder(config)
    if folder is None or not keeps_frames(config):
        return None
    return ReviewKeeper(config.review, folder=folder, every=config.drift.every, tell=tell, clock=clock)
