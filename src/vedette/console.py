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

from vedette.config import Config
from vedette.errors import VedetteError, WorkerError, redact
from vedette.facts import EndReason
from vedette.lasting import LastingChanges
from vedette.node import FIXED
from vedette.observe.display import LOGGED_WIDTH, Display, make_display
from vedette.observe.fact_log import FactLog
from vedette.observe.report import build_report, summary, write_report
from vedette.observe.spent import where_the_time_went
from vedette.observe.table import figures
from vedette.observe.tally import Tally
from vedette.running import RunningNode

__all__ = ["asked_by", "run_blocking"]

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
    lasting: LastingChanges | None = None,
    json: bool = False,
) -> int:
    """Run until SIGINT, SIGTERM, ``seconds`` are over or all clips are; returns the exit code.

    SIGHUP reads the configuration anew with ``reread`` and applies what changed in its cameras and of its
    detector. ``lasting``: where changes are kept that are ordered to last. SIGUSR1 prints where the time went
    so far. The report is written in every case. ``json``: what people would be shown is logged. Raises
    DetectorError and the like after everything was stopped.
    """
    console = Console(stderr=True)
    # Result lines and a live table on one terminal would destroy each other.
    lines_on_terminal = sys.stdout.isatty() and any(getattr(sink, "path", "") == "-" for sink in config.sinks)
    table = table and not lines_on_terminal
    video = save_video.absolute() if save_video else None
    node = RunningNode(config, None, video, FactLog(), False, True, lasting)
    whole = Tally(from_start=True)
    # Until the very end: without a handler SIGUSR1 would kill.
    with asked_by(signal.SIGUSR1) as asked_where:
        with _stop_signals() as stop, asked_by(signal.SIGHUP) as asked:
            node.start()
            _log_beginning(node, lasting)
            display = make_display(console, table=table, json=json)
            if node.web_url is not None and console.is_terminal:
                display.say(f"dashboard: {node.web_url}")
            reloads = _Reloads(node, asked, reread)

            def look() -> None:
                reloads.look()
                view = node.view()
                whole.add(view)
                display.update(view)
                if asked_where.take():
                    _say_where(node, display, whole, console.width)

            try:
                _watch(node, display, stop, seconds, look)
            finally:
                node.stop()
                reloads.join()
                view = whole.over(node.view_in_all())
                found = whole.judge(view)
                if report is not None:
                    write_report(build_report(view, found), report)
        node.join()
        if json:
            display.say(where_the_time_went(view, found, gauges=whole.gauges, width=LOGGED_WIDTH))
            structlog.get_logger().info("run over", **figures(view), bottleneck=found.sentence)
        else:
            console.print(summary(view, found, gauges=whole.gauges, width=console.width), highlight=False)
        return _exit_code(node, interrupted=stop.is_set())


def _log_beginning(node: RunningNode, lasting: LastingChanges | None) -> None:
    """What is other than in the configuration, and where the node can be looked at."""
    log = structlog.get_logger()
    for words in lasting.kept.words() if lasting is not None else ():
        log.info("changed over the API", what=words)
    if node.metrics_address is not None:
        log.info("metrics served", address=node.metrics_address, path="/metrics")
    if node.web_url is not None:
        log.info("dashboard served", url=node.web_url)


def _watch(
    node: RunningNode,
    display: Display,
    stop: threading.Event,
    seconds: float | None,
    look: Callable[[], None],
) -> None:
    """Look a few times a second, until it is over."""
    end = None if seconds is None else time.monotonic() + seconds
    try:
        while node.running and not stop.is_set():
            left = REFRESH_S if end is None else min(REFRESH_S, end - time.monotonic())
            if left <= 0:
                return
            stop.wait(left)
            look()
    finally:
        display.close()


def _say_where(node: RunningNode, display: Display, whole: Tally, width: int) -> None:
    view = node.view_in_all()
    found = whole.judge(view)
    display.say(where_the_time_went(view, found, now=display.bottleneck, width=width))


def _exit_code(node: RunningNode, *, interrupted: bool) -> int:
    cameras = [camera for camera in node.view_in_all().cameras if camera.state != "removed"]
    ended_badly = [name for name, reason in node.finished.items() if reason is not EndReason.ENDED]
    for name in ended_badly:
        print(f"error: {name}: {node.finished[name].value}: {node.finish_detail(name)}", file=sys.stderr)
    blind = [camera.name for camera in cameras if camera.frames.received == 0]
    if blind:
        print(f"warning: no frame ever came from {', '.join(blind)}", file=sys.stderr)
    mute = [sink for sink in node.view_in_all().sinks if sink.dropped + sink.failed + sink.expired]
    for sink in mute:
        lost = f"{sink.dropped} results dropped, {sink.failed} failed, {sink.written} written"
        lost += f", {sink.expired} expired" if sink.expired else ""
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


class Asked:
    """That somebody asked, once or several times. No threading.Event: its lock may be held by the very code
    that the signal interrupts."""

    def __init__(self) -> None:
        self._asked = False

    def note(self, number: int, frame: FrameType | None) -> None:
        """A signal's handler."""
        self._asked = True

    def take(self) -> bool:
        """Whether somebody asked since the last time."""
        asked, self._asked = self._asked, False
        return asked


@contextmanager
def asked_by(number: signal.Signals) -> Iterator[Asked]:
    """Notes down this signal, which does nothing else meanwhile. Only in the main thread."""
    asked = Asked()
    before = signal.signal(number, asked.note)
    try:
        yield asked
    finally:
        signal.signal(number, before)


RELOADS_AT_A_TIME = 4
"""Those that wait for another detector, which is being held to labelled pictures, say. Whoever asks once more
is heard when one of them is through."""


class _Reloads:
    """Applies the configuration anew each time somebody asked. In threads: another detector may take minutes,
    and whoever wants the run to stop meanwhile, or other cameras, is to be heard."""

    def __init__(self, node: RunningNode, asked: Asked, reread: Callable[[], Config] | None) -> None:
        self._node, self._asked, self._reread = node, asked, reread
        self._threads: list[threading.Thread] = []

    def look(self) -> None:
        """Begin if somebody asked."""
        self._threads = [each for each in self._threads if each.is_alive()]
        if len(self._threads) < RELOADS_AT_A_TIME and self._asked.take():
            self._threads.append(threading.Thread(target=self._apply, name="vedette-reload", daemon=True))
            self._threads[-1].start()

    def join(self) -> None:
        """Once the node was stopped: then it does not take long."""
        for each in self._threads:
            each.join()

    def _apply(self) -> None:
        log = structlog.get_logger()
        if self._reread is None:
            log.warning("there is no configuration file to read again")
            return
        try:
            self._node.settled()
            _apply(self._node, self._reread())
        except WorkerError as err:
            log.error("the configuration was not applied in whole", reason=str(err))
        except VedetteError as err:
            log.error("the configuration was not applied", reason=str(err))
        except Exception as err:  # a mistake of ours must not end a node that watches
            log.error("the configuration was not applied", reason=f"{type(err).__name__}: {redact(str(err))}")


def _apply(node: RunningNode, config: Config) -> None:
    """The configuration as it is now. A mistake in it changes nothing (raises)."""
    log = structlog.get_logger()
    kept = [name for name in FIXED if getattr(config, name) != getattr(node.config, name)]
    found = node.reload(config)
    told = {name: getattr(found, name) for name in ("added", "removed", "changed", "weighed")}
    log.info("configuration applied", **told)
    if kept:
        log.warning("needs a restart to take effect", settings=kept)
