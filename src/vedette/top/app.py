"""The terminal view: asks a node again and again, and shows its cameras."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import ClassVar

from rich.text import Text
from textual import events
from textual.app import App, ComposeResult
from textual.binding import Binding, BindingType
from textual.widgets import Input, Static

from vedette.control.protocol import ControlError
from vedette.observe.views import CameraView, NodeView
from vedette.top.cameras import CAMERA_COLUMNS, matches
from vedette.top.column import arrange
from vedette.top.grid import Grid
from vedette.top.header import bottleneck_line, node_lines, stage_lines, table_line
from vedette.top.keys import CAMERA_KEYS
from vedette.top.lately import Lately
from vedette.top.link import Link
from vedette.top.screens import DetailsScreen, HelpScreen, ShowsView, WorkersScreen
from vedette.top.words import seconds, watched

__all__ = ["TopApp"]

LOW = 18
"""Lines of a terminal below which the stages make room for cameras."""
VERY_LOW = 10
"""And below which all but the first line does."""

CSS = """
Screen { overflow: hidden; }
Static { height: auto; text-wrap: nowrap; text-overflow: ellipsis; }
#bottleneck { max-height: 2; text-wrap: wrap; }
#filter { border: none; height: 1; padding: 0; background: $surface; display: none; }
.hint { dock: bottom; height: 1; }
"""


class TopApp(App[None]):
    """``link``: to the node. ``sort``: key of a column. ``every``: seconds between two looks."""

    TITLE = "vedette top"
    CSS = CSS
    ENABLE_COMMAND_PALETTE = False
    BINDINGS: ClassVar[list[BindingType]] = [
        *(Binding(key.name, key.action, key.brief, show=False) for key in CAMERA_KEYS if key.name != "enter"),
        # Esc and then q, as a terminal has it that sends both at once.
        Binding("alt+q", "quit", show=False, priority=True),
    ]

    def __init__(
        self,
        link: Link,
        *,
        sort: str = "state",
        every: float = 1.0,
        filter: str = "",
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        super().__init__()
        self._link, self._every, self._now = link, every, now
        self._sort, self._backwards, self._filter = sort, False, filter
        self._paused = False
        self._view: NodeView | None = None
        self._lost: tuple[float, str] | None = None
        self._lately = Lately()
        self._look_now = asyncio.Event()

        self._lines = {name: Static("", id=name) for name in ("node", "bottleneck", "stages", "order")}
        self._entry = Input(placeholder="words in name, state, blame, step or drift", id="filter")
        self.grid = Grid[CameraView](CAMERA_COLUMNS, lambda camera: camera.name, id="cameras")

    def compose(self) -> ComposeResult:
        yield from self._lines.values()
        yield self.grid
        yield self._entry
        yield Static(_hints(), classes="hint")

    def on_mount(self) -> None:
        self._entry.value = self._filter
        self.grid.focus()
        self._head()
        self.run_worker(self._look(), name="look")

    def on_unmount(self) -> None:
        self._link.close()

    def on_resize(self, event: events.Resize) -> None:
        height = event.size.height
        self._lines["stages"].display = height >= LOW
        self._lines["bottleneck"].display = height >= VERY_LOW
        self._lines["node"].styles.max_height = 3 if height >= VERY_LOW else 1

    # ---- looking

    async def _look(self) -> None:
        while True:
            if not self._paused:
                await self._look_once()
            try:
                await asyncio.wait_for(self._look_now.wait(), self._every)
            except TimeoutError:
                pass
            self._look_now.clear()

    async def _look_once(self) -> None:
        view, why = None, ""
        try:
            view = await asyncio.to_thread(self._link.fetch, self._wants_details())
        except ControlError as err:
            why = str(err).splitlines()[0]
        if not self.grid.is_attached:
            return  # somebody left meanwhile
        if view is None:
            self._lost = (self._lost[0] if self._lost else self._now()), why
            self._head()
            return
        self._lost = None
        if not self._paused:
            self.show(view)

    def _wants_details(self) -> bool:
        """They cost the node time, so only while somebody sees them."""
        columns = (column.key for column in self.grid.visible_columns)
        return len(self.screen_stack) > 1 or self._sort == "slowest" or "slowest" in columns

    # ---- showing

    def show(self, view: NodeView) -> None:
        """Show this view of the node."""
        self._view = view
        sentence = self._lately.bottleneck(view)
        self._head()
        self._put("bottleneck", bottleneck_line(sentence) if sentence else Text(""))
        self._put("stages", stage_lines(view))
        self._table()
        # One that is only just coming begins with the view it was made with.
        if isinstance(self.screen, ShowsView) and self.screen.is_mounted:
            self.screen.show_view(view)

    def _head(self) -> None:
        self._put("node", node_lines(self._view or NodeView(), self._link.label, self._said()))

    def _table(self) -> None:
        if self._view is None:
            return
        cameras = watched(self._view)
        shown = [camera for camera in cameras if matches(camera, self._filter)] if self._filter else cameras
        column = next(column for column in CAMERA_COLUMNS if column.key == self._sort)
        rows = arrange(shown, column, backwards=self._backwards)
        self.grid.show(rows, column.key, backwards=self._backwards)
        self._put("order", table_line(len(shown), len(cameras), self._sort, self._backwards, self._filter))

    def _said(self) -> str:
        if self._lost is not None:
            since, why = self._lost
            return f"not connected for {seconds(self._now() - since)}, trying again: {why}"
        if self._paused:
            return "paused"
        return "" if self._view else "connecting"

    def _put(self, name: str, text: Text) -> None:
        """Only what is different is drawn again."""
        static = self._lines[name]
        if static.content != text:
            static.update(text)

    # ---- keys

    def action_sort(self, by: int) -> None:
        keys = [column.key for column in self.grid.visible_columns] or ["state"]
        place = keys.index(self._sort) if self._sort in keys else 0
        self._sort, self._backwards = keys[(place + by) % len(keys)], False
        self._table()

    def action_reverse(self) -> None:
        self._backwards = not self._backwards
        self._table()

    def on_grid_sort_asked(self, event: Grid.SortAsked) -> None:
        again = event.column == self._sort
        self._sort, self._backwards = event.column, again and not self._backwards
        self._table()

    def action_filter(self) -> None:
        self._entry.display = True
        self._entry.focus()

    def action_unfilter(self) -> None:
        if not self._entry.display:
            self._entry.value = ""
        self._leave_filter()

    def _leave_filter(self) -> None:
        self._entry.display = False
        self.grid.focus()

    def on_input_changed(self, event: Input.Changed) -> None:
        self._filter = event.value.strip()
        self._table()

    def on_input_submitted(self) -> None:
        self._leave_filter()

    def action_pause(self) -> None:
        self._paused = not self._paused
        if not self._paused:
            self._look_now.set()
        self._head()

    def on_grid_chosen(self, event: Grid.Chosen) -> None:
        if self._view is not None:
            self.push_screen(DetailsScreen(event.key, self._view))
            self._look_now.set()

    def action_workers(self) -> None:
        if self._view is not None:
            self.push_screen(WorkersScreen(self._view))

    def action_help(self) -> None:
        self.push_screen(HelpScreen())

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """The table's keys are of no use on another page."""
        ours = {key.action.partition("(")[0] for key in CAMERA_KEYS} - {"quit"}
        return not (action in ours and len(self.screen_stack) > 1)


def _hints() -> Text:
    line = Text(no_wrap=True, overflow="ellipsis")
    for key in CAMERA_KEYS:
        if key.brief:
            line.append(key.shown, style="bold cyan").append(f" {key.brief}  ", style="dim")
    return line
