"""A run in the foreground: the live table, signals, the report, the exit code."""

from __future__ import annotations

import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Any

import structlog
from rich.console import Console

from vedette.causes import Cause, Kind
from vedette.config import Config
from vedette.errors import VedetteError, redact
from vedette.facts import (
    Alerted,
    AnyFact,
    Blind,
    CameraAdded,
    Degraded,
    EndReason,
    EpochStarted,
    GapChanged,
    GapClosed,
    GapOpened,
    IncidentClosed,
    IncidentOpened,
    Recovered,
    Sees,
    SessionEnded,
    TracksEnded,
    Trouble,
    WorkerEnded,
)
from vedette.node import FIXED
from vedette.observe.report import summary, write_report
from vedette.observe.table import make_display
from vedette.running import RunningNode

__all__ = ["run_blocking"]

REFRESH_S = 0.25

BLIND = 1
"""Exit code when a clip ended badly, no camera ever gave a frame, or a sink took none of its results."""


def run_blocking(
    config: Config,
    *,
    seconds: float | None = None,
    report: Path | None = None,
    table: bool = True,
    save_video: Path | None = None,
    reread: Callable[[], Config] | None = None,
) -> int:
    """Run until SIGINT, SIGTERM, ``seconds`` are over or all clips are; returns the exit code.

    SIGHUP reads the configuration anew with ``reread`` and applies what changed in its cameras. The report is
    written in every case. Raises DetectorError and the like after everything was stopped.
    """
    console = Console(stderr=True)
    # Result lines and a live table on one terminal would destroy each other.
    lines_on_terminal = sys.stdout.isatty() and any(getattr(sink, "path", "") == "-" for sink in config.sinks)
    table = table and not lines_on_terminal
    node = RunningNode(config, None, save_video.absolute() if save_video else None, _log_fact, False)
    with _stop_signals() as stop, _on_hangup() as asked:
        node.start()
        try:
            _watch(node, console, stop, seconds, table, lambda: _reload(node, asked, reread))
        finally:
            node.stop()
            view = node.view_in_all()
            if report is not None:
                write_report(node.report(), report)
    node.join()
    console.print(summary(view, width=console.width))
    return _exit_code(node, interrupted=stop.is_set())


def _watch(
    node: RunningNode,
    console: Console,
    stop: threading.Event,
    seconds: float | None,
    table: bool,
    reload: Callable[[], None],
) -> None:
    display = make_display(console, table=table)
    end = None if seconds is None else time.monotonic() + seconds
    try:
        while node.running and not stop.is_set():
            left = REFRESH_S if end is None else min(REFRESH_S, end - time.monotonic())
            if left <= 0:
                return
            stop.wait(left)
            reload()
            display.update(node.view())
    finally:
        display.close()


def _exit_code(node: RunningNode, *, interrupted: bool) -> int:
    cameras = [camera for camera in node.view_in_all().cameras if camera.state != "removed"]
    ended_badly = [name for name, reason in node.finished.items() if reason is not EndReason.ENDED]
    for name in ended_badly:
        print(f"error: {name}: {node.finished[name].value}: {node.finish_detail(name)}", file=sys.stderr)
    blind = [camera.name for camera in cameras if camera.frames.received == 0]
    if blind:
        print(f"warning: no frame ever came from {', '.join(blind)}", file=sys.stderr)
    mute = [sink for sink in node.view_in_all().sinks if sink.dropped + sink.failed]
    for sink in mute:
        lost = f"{sink.dropped} results dropped, {sink.failed} failed, {sink.written} written"
        print(f"warning: sink {redact(sink.name)}: {lost}", file=sys.stderr)
    saw_nothing = len(blind) == len(cameras) and not interrupted
    took_nothing = any(sink.written == 0 for sink in mute)
    return BLIND if ended_badly or saw_nothing or took_nothing else 0


@contextmanager
def _stop_signals() -> Iterator[threading.Event]:
    """An event that SIGINT and SIGTERM set. A second signal does what it always does."""
    stop = threading.Event()
    before: dict[int, Any] = {}

    def asked(number: int, frame: FrameType | None) -> None:
        stop.set()
        signal.signal(number, before[number])

    for number in (signal.SIGINT, signal.SIGTERM):
        before[number] = signal.signal(number, asked)
    try:
        yield stop
    finally:
        for was, handler in before.items():
            signal.signal(was, handler)


@contextmanager
def _on_hangup() -> Iterator[threading.Event]:
    """An event that SIGHUP sets."""
    asked = threading.Event()
    before = signal.signal(signal.SIGHUP, lambda number, frame: asked.set())
    try:
        yield asked
    finally:
        signal.signal(signal.SIGHUP, before)


def _reload(node: RunningNode, asked: threading.Event, reread: Callable[[], Config] | None) -> None:
    """Apply the configuration as it is now. A mistake in it changes nothing, and is told."""
    if not asked.is_set():
        return
    asked.clear()
    log = structlog.get_logger()
    if reread is None:
        log.warning("there is no configuration file to read again")
        return
    try:
        config = reread()
        kept = [name for name in FIXED if getattr(config, name) != getattr(node.config, name)]
        found = node.reload(config)
    except VedetteError as err:
        log.error("the configuration was not applied", reason=str(err))
        return
    except Exception as err:  # a mistake of ours must not end a node that watches
        log.error("the configuration was not applied", reason=f"{type(err).__name__}: {redact(str(err))}")
        return
    log.info("configuration applied", added=found.added, removed=found.removed, changed=found.changed)
    if kept:
        log.warning("needs a restart to take effect", settings=kept)


def _log_gap(fact: GapOpened | GapClosed) -> None:
    gap = fact.gap
    fields = {"camera": gap.camera, "cause": gap.cause.value, "blame": gap.blame.value}
    if gap.detail:
        fields["detail"] = gap.detail
    log = structlog.get_logger()
    if isinstance(fact, GapOpened):
        say = log.info if gap.cause is Cause.STARTING else log.warning
        say("camera blind" if gap.kind is Kind.BLIND else "camera degraded", **fields)
        return
    if gap.kind is Kind.EVENT:
        log.warning("stream changed", **fields)
        return
    seconds = round(((gap.end or gap.start) - gap.start) / 1e6, 2)
    what = "camera recovered"
    if gap.kind is Kind.BLIND:
        # A row also ends where another begins: the camera was not seen in between.
        what = "camera sees again" if gap.epoch_after is not None else "gap over"
    log.info(what, seconds=seconds, **fields)


_SAID_OTHERWISE = (Blind, Sees, Degraded, Recovered, GapChanged, CameraAdded)
"""What these say is in the gaps that they lead to."""


def _log_fact(fact: AnyFact) -> None:
    log = structlog.get_logger()
    match fact:
        case GapOpened() | GapClosed():
            _log_gap(fact)
        case IncidentOpened() | IncidentClosed():
            incident = fact.incident
            log.warning(
                "incident" if incident.end is None else "incident over",
                scope=incident.scope,
                cause=incident.cause.value,
                cameras=len(incident.cameras),
                names=incident.cameras[:10],
            )
        case Alerted():
            say = log.error if fact.severity == "critical" and not fact.resolved else log.warning
            say("alert", severity=fact.severity, title=fact.title, body=fact.body)
        case TracksEnded():
            log.info("tracks ended", camera=fact.camera, tracks=len(fact.track_ids), reason=fact.reason)
        case _ if isinstance(fact, _SAID_OTHERWISE):
            log.debug(_words(type(fact).__name__), camera=fact.camera if hasattr(fact, "camera") else None)
        case SessionEnded():
            log.warning(
                "session ended",
                camera=fact.camera,
                reason=fact.reason.value,
                detail=fact.detail,
                retry_in=None if fact.retry_in is None else round(fact.retry_in, 2),
            )
        case WorkerEnded():
            log.error("worker lost", worker=fact.worker, exit_code=fact.exit_code, detail=fact.detail)
        case Trouble():
            log.error("trouble", where=fact.where, camera=fact.camera, message=fact.message)
        case EpochStarted():
            log.info("epoch started", camera=fact.camera, epoch=fact.epoch, reason=fact.reason)
        case _:
            fields = {name: getattr(fact, name) for name in fact.__struct_fields__ if name != "at"}
            log.info(_words(type(fact).__name__), **fields)


def _words(name: str) -> str:
    """``SessionOpened`` → ``session opened``."""
    return "".join(f" {letter.lower()}" if letter.isupper() else letter for letter in name).strip()
