"""A chaos run from beginning to end: cameras up, node up, faults, recovery, stop, judge."""

from __future__ import annotations

import contextlib
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from vedette.chaos import checks
from vedette.chaos.cameras import FailingCameras
from vedette.chaos.collect import Collector
from vedette.chaos.expect import expected, warm_up
from vedette.chaos.seen import Seen, Setting, Struck
from vedette.chaos.tested import NODE, under_test
from vedette.chaos.verdict import Judgement, judge
from vedette.config import Config
from vedette.errors import ConfigError, WorkerError
from vedette.facts import AnyFact
from vedette.results import Result
from vedette.running import RunningNode
from vedette.sim.faults import FaultEvent, Schedule, plan

__all__ = ["Chaos", "Listeners", "Outcome", "run_chaos"]

SEEN_WITHIN_S = 60.0
"""From the start of the node until every camera has given a picture; a model may have to be loaded."""

CALM_S = 3.0
"""Nothing is open any more, for so long: then the run may end."""


@dataclass(frozen=True, slots=True)
class Chaos:
    """What is to happen. ``seconds`` None: until the last fault is over. ``ledger`` None: one that is thrown
    away. ``settle``: seconds that cameras are seen before the first fault; None: as long as the faults need.
    ``events``: planned already, in place of the schedule's.
    """

    schedule: Schedule = field(default_factory=Schedule)
    events: Sequence[FaultEvent] | None = None
    seconds: float | None = None
    seed: int | None = None
    clip: Path | None = None
    fps: float = 25.0
    ledger: str | None = None
    settle: float | None = None


@dataclass(frozen=True, slots=True)
class Outcome:
    """``seen`` and its ``judgement``; ``checks``: problems by what was checked (empty: it held); ``report``:
    the node's own."""

    seen: Seen
    judgement: Judgement
    checks: dict[str, list[str]]
    report: dict[str, Any]
    files: list[str] = field(default_factory=list)
    """Cameras that were not judged, because files do not fail."""

    @property
    def passed(self) -> bool:
        return self.judgement.passed and not any(self.checks.values())


Say = Callable[[str], None]


@dataclass(slots=True)
class Listeners:
    """Whoever wants to hear more than the verdict: called as :func:`vedette.run` calls its own, and with the
    monotonic second at which the plan began."""

    on_result: Callable[[Result], None] | None = None
    on_fact: Callable[[AnyFact], None] | None = None
    on_begin: Callable[[float], None] | None = None


def run_chaos(
    config: Config, chaos: Chaos, *, say: Say = lambda _: None, listeners: Listeners | None = None
) -> Outcome:
    """Run a node with this configuration under these faults, and judge it.

    Raises:
        ConfigError: no camera is live, or the schedule does not fit the cameras.
        WorkerError: cameras or node did not get started.
    """
    listeners = listeners or Listeners()
    names = [name for name, camera in config.cameras.items() if camera.enabled and not camera.is_file]
    if not names:
        raise ConfigError("no camera is live: files do not fail")
    events = _planned(chaos, names)
    length = chaos.seconds or max((event.end for event in events), default=0.0)
    with contextlib.ExitStack() as stack:
        ledger = chaos.ledger or f"{stack.enter_context(_folder())}/chaos.db"
        say("starting simulated cameras; their clips are made at the first start")
        cameras = stack.enter_context(
            FailingCameras(
                names, events, clip=chaos.clip, fps=chaos.fps, seed=chaos.seed or chaos.schedule.seed
            )
        )
        tested = under_test(config, {name: cameras.url(i) for i, name in enumerate(names)}, ledger)
        run = _Run(tested, names, events, length, cameras, Collector(), listeners, say)
        started = round(time.time() * 1e6)
        report = run.play(
            warm_up(frozenset(event.kind for event in events)) if chaos.settle is None else chaos.settle
        )
        return run.judged(report, checks.ledger(ledger, NODE, started))


def _planned(chaos: Chaos, names: list[str]) -> list[FaultEvent]:
    if chaos.events is not None:
        return sorted(chaos.events, key=lambda event: (event.start, event.id))
    return plan(chaos.schedule, names, chaos.seconds, chaos.seed)


@contextlib.contextmanager
def _folder() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="vedette-chaos-") as name:
        yield Path(name)


@dataclass(slots=True)
class _Run:
    config: Config
    names: list[str]
    events: list[FaultEvent]
    length: float
    cameras: FailingCameras
    collector: Collector
    listeners: Listeners
    say: Say
    since: float = 0.0
    until: float = 0.0

    def play(self, settle: float) -> dict[str, Any]:
        """Until the node has stopped; its report."""
        node = RunningNode(self.config, self._on_result, None, self._on_fact, False).start()
        with node:
            self._wait_until_all_see(node)
            self.say(f"{len(self.names)} cameras see; faults begin in {settle:.0f} s")
            self.since = time.monotonic()
            self._sleep(settle, node)
            began = self.cameras.begin()
            if self.listeners.on_begin is not None:
                self.listeners.on_begin(began)
            self.say(f"{len(self.events)} faults within {self.length:.0f} s")
            self._sleep(began + self.length - time.monotonic(), node)
            self._wait_until_well(node)
            self.until = time.monotonic()
        return node.report()

    def judged(self, report: dict[str, Any], ledger: list[str]) -> Outcome:
        seen = Seen(
            faults=self.cameras.struck(self.until),
            rows=self.collector.rows,
            results=self.collector.results(),
            settings=self._settings(),
            since=self.since,
            until=self.until,
        )
        max_age = dict.fromkeys(self.names, self.config.max_age)
        found = {
            "every planned fault was shown": [
                f"{event.kind} of {event.camera} at {event.start:.1f} s"
                for event in self.cameras.not_shown(self.length)
            ],
            "frames and their outcomes add up": checks.outcomes(report),
            "gaps and the time seen partition the ledger": ledger,
            "no worker died": checks.workers(self.collector.lost),
            "no result was older than max_age": checks.ages(self.collector.oldest(), max_age),
            "no track id lives in two epochs": checks.tracks(self.collector.reused()),
            "nothing went wrong otherwise": self._troubles(),
        }
        files = [name for name, camera in self.config.cameras.items() if camera.enabled and camera.is_file]
        return Outcome(seen, judge(seen), found, report, files)

    def _troubles(self) -> list[str]:
        left_out = self.collector.left_out
        return [
            *self.collector.troubles,
            *([f"{left_out} rows or results found no room"] if left_out else []),
        ]

    def _settings(self) -> dict[str, Setting]:
        ready = self.cameras.ready
        assert ready is not None
        found = {}
        for name in self.names:
            camera = self.config.cameras[name]
            found[name] = Setting(
                stall_after=camera.stall_after,
                hang_up_after=camera.hang_up_after,
                late_after=camera.late_after,
                connect_timeout=camera.connect_timeout,
                fps=self.cameras.fps,
                keyframe_every=ready.keyframe_every,
                kbps=ready.kbps,
            )
        return found

    # ---- waiting

    def _wait_until_all_see(self, node: RunningNode) -> None:
        deadline = time.monotonic() + SEEN_WITHIN_S
        while missing := [name for name in self.names if name not in self.collector.seeing]:
            if time.monotonic() > deadline:
                raise WorkerError(f"no picture came within {SEEN_WITHIN_S:g} s from {', '.join(missing[:5])}")
            self._sleep(0.1, node)

    def _wait_until_well(self, node: RunningNode) -> None:
        """Nothing is open any more, or nothing is to be expected any more."""
        end = time.monotonic()
        deadline = max(self._well_by(end), end)
        self.say(f"waiting for the cameras to be well again, {deadline - end:.0f} s at most")
        calm_since = end
        while (now := time.monotonic()) < deadline + CALM_S and now - calm_since < CALM_S:
            if self.collector.open_rows(set(self.names)):
                calm_since = now
            self._sleep(0.1, node)

    def _well_by(self, now: float) -> float:
        """When the last of the faults so far should be over and gone."""
        settings, latest = self._settings(), now
        before: dict[str, list[Struck]] = defaultdict(list)
        for fault in self.cameras.struck(now):
            rule = expected(fault, settings[fault.camera], before[fault.camera])
            before[fault.camera].append(fault)
            latest = max(latest, fault.ended + rule.back_within + rule.settle)
        return latest

    def _sleep(self, seconds: float, node: RunningNode) -> None:
        deadline = time.monotonic() + seconds
        while (left := deadline - time.monotonic()) > 0:
            time.sleep(min(left, 0.1))
            if not node.running:
                node.join()
                raise WorkerError("the node ended by itself")
            if not self.cameras.alive:
                raise WorkerError("the simulated cameras ended")

    # ---- listening

    def _on_result(self, result: Result) -> None:
        self.collector.result(result)
        if self.listeners.on_result is not None:
            self.listeners.on_result(result)

    def _on_fact(self, fact: AnyFact) -> None:
        self.collector.fact(fact)
        if self.listeners.on_fact is not None:
            self.listeners.on_fact(fact)
