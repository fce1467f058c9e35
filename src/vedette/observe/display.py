"""What people see of a running node: a table that is drawn anew, or a line now and then."""

from __future__ import annotations

import time
from collections.abc import Callable
from io import StringIO
from typing import Any, Protocol

import structlog
from rich.console import Console, RenderableType
from rich.live import Live

from vedette.observe.bottleneck import Bottleneck
from vedette.observe.table import ROWS_AT_MOST, figures, line, render
from vedette.observe.tally import Lately
from vedette.observe.views import NodeView

__all__ = ["LOGGED_WIDTH", "Display", "make_display"]

LINE_EVERY_S = 5.0
LOGGED_WIDTH = 120
"""Columns of text that goes into a log."""


class Display(Protocol):
    """Shows a node to people. ``update`` may be called as often as one likes; it writes to a terminal, so
    call it from where that may take a while."""

    def update(self, view: NodeView) -> None: ...

    def say(self, what: RenderableType) -> None:
        """Print something once, without disturbing what is shown."""
        ...

    @property
    def bottleneck(self) -> Bottleneck:
        """The verdict on the last seconds, as of the last update."""
        ...

    def close(self) -> None:
        """Leave the terminal as it was."""
        ...


def make_display(console: Console, *, table: bool = True, json: bool = False) -> Display:
    """The live table on a terminal; else a line every five seconds. ``console`` is best one of stderr,
    because results may go to standard output. ``json``: it is logged, and the console left alone."""
    if json:
        return _Logged(time.monotonic)
    return _LiveTable(console) if table and console.is_terminal else _Lines(console, time.monotonic)


class _LiveTable:
    def __init__(self, console: Console) -> None:
        self._console = console
        self._live = Live(console=console, auto_refresh=False, transient=True)
        self._shown = False
        self._lately = Lately()

    @property
    def bottleneck(self) -> Bottleneck:
        return self._lately.verdict

    def say(self, what: RenderableType) -> None:
        # Its own console puts it above the table.
        self._live.console.print(what, highlight=False)

    def update(self, view: NodeView) -> None:
        found = self._lately.judge(view)
        if not self._shown:
            self._live.start()
            self._shown = True
        # Title, head and the lines below the table take ten lines.
        rows = max(3, min(ROWS_AT_MOST, self._console.height - 10))
        self._live.update(render(view, found, width=self._console.width, rows=rows), refresh=True)

    def close(self) -> None:
        if self._shown:
            self._live.stop()
            self._shown = False


class _Lines:
    def __init__(self, console: Console, now: Callable[[], float]) -> None:
        self._console, self._now = console, now
        self._next = now() + LINE_EVERY_S
        self._lately = Lately()

    @property
    def bottleneck(self) -> Bottleneck:
        return self._lately.verdict

    def say(self, what: RenderableType) -> None:
        self._console.print(what, highlight=False)

    def update(self, view: NodeView) -> None:
        self._lately.judge(view)
        if self._now() >= self._next:
            self._next = self._now() + LINE_EVERY_S
            self._console.print(line(view), highlight=False, markup=False, soft_wrap=True)

    def close(self) -> None:
        pass


class _Logged:
    """For programs that read the log: what the node does as an event of its own."""

    def __init__(self, now: Callable[[], float], log: Any = None) -> None:
        self._now, self._log = now, log or structlog.get_logger()
        self._next = now() + LINE_EVERY_S
        self._lately = Lately()

    @property
    def bottleneck(self) -> Bottleneck:
        return self._lately.verdict

    def say(self, what: RenderableType) -> None:
        """The first line is what happened, all of them its text."""
        text = _plain(what)
        self._log.info(text.partition("\n")[0].strip(), text=text)

    def update(self, view: NodeView) -> None:
        self._lately.judge(view)
        if self._now() >= self._next:
            self._next = self._now() + LINE_EVERY_S
            self._log.info("progress", **figures(view))

    def close(self) -> None:
        pass


def _plain(what: RenderableType) -> str:
    held = StringIO()
    console = Console(file=held, width=LOGGED_WIDTH, color_system=None)
    console.print(what, highlight=False)
    return "\n".join(each.rstrip() for each in held.getvalue().rstrip().splitlines())
