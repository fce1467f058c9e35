"""The pages beside the table of cameras: one camera, the workers, the help. All are kept up to date."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, ClassVar, Protocol, runtime_checkable

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.screen import Screen
from textual.widgets import Static

from vedette.observe.canary_words import canary_words
from vedette.observe.shadow_words import headline
from vedette.observe.views import NodeView, SinkView, WorkerView
from vedette.top.cameras import CAMERA_COLUMNS
from vedette.top.column import Column, arrange
from vedette.top.details import details, find, gone
from vedette.top.grid import Grid
from vedette.top.keys import CAMERA_KEYS, MOVING
from vedette.top.words import plain_name
from vedette.top.workers import WORKER_COLUMNS, processes

__all__ = ["DetailsScreen", "HelpScreen", "ShowsView", "WorkersScreen"]

_BACK: list[BindingType] = [Binding("escape,enter", "back", "back", show=False)]


@runtime_checkable
class ShowsView(Protocol):
    """A screen that wants each new view."""

    def show_view(self, view: NodeView) -> None: ...


class Page(Screen[None]):
    """One text that may be longer than the screen, and a last line that says how to leave."""

    CSS = "#text { height: auto; padding: 0 1; }"
    BINDINGS: ClassVar[list[BindingType]] = _BACK

    def compose(self) -> ComposeResult:
        with VerticalScroll():
            yield Static(id="text")
        yield Static(_hint("Esc back", "Up Down scroll", "q quit"), classes="hint")

    def action_back(self) -> None:
        self.dismiss()

    def put(self, text: RenderableType) -> None:
        self.query_one("#text", Static).update(text)


class DetailsScreen(Page):
    """Everything about one camera."""

    def __init__(self, camera: str, view: NodeView) -> None:
        super().__init__()
        self._camera, self._view = camera, view

    def on_mount(self) -> None:
        self.show_view(self._view)

    def show_view(self, view: NodeView) -> None:
        camera = find(view, self._camera)
        self.put(gone(self._camera) if camera is None else details(camera))


class HelpScreen(Page):
    def on_mount(self) -> None:
        self.put(
            Group(
                _list("Keys", [(key.shown, key.about) for key in CAMERA_KEYS]),
                _list("Moving", MOVING),
                _list("Columns (the narrower the terminal, the fewer)", _columns(CAMERA_COLUMNS)),
                _list("Workers", _columns(WORKER_COLUMNS)),
            )
        )


class WorkersScreen(Screen[None]):
    """The node's processes, and below them its sinks."""

    CSS = "#candidates { height: auto; max-height: 30%; } #sinks { height: auto; max-height: 50%; }"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,w", "back", "back", show=False),
        Binding("s", "sort(1)", show=False),
        Binding("S", "sort(-1)", show=False),
        Binding("r", "reverse", show=False),
    ]

    def __init__(self, view: NodeView) -> None:
        super().__init__()
        self._view, self._sort, self._backwards = view, 0, False

    def compose(self) -> ComposeResult:
        yield Grid[WorkerView](WORKER_COLUMNS, lambda worker: worker.name, id="workers")
        yield Static(id="candidates")
        yield Static(id="sinks")
        yield Static(_hint("Esc back", "s sort", "r reverse", "q quit"), classes="hint")

    def on_mount(self) -> None:
        self.query_one(Grid).focus()
        self.show_view(self._view)

    def show_view(self, view: NodeView) -> None:
        self._view = view
        column = WORKER_COLUMNS[self._sort]
        rows = arrange(processes(view), column, backwards=self._backwards)
        self.query_one(Grid).show(rows, column.key, backwards=self._backwards)
        candidates = self.query_one("#candidates", Static)
        candidates.update(said := _candidates(view))
        candidates.display = bool(said)
        self.query_one("#sinks", Static).update(_sinks(view.sinks))

    def action_sort(self, by: int) -> None:
        self._sort, self._backwards = (self._sort + by) % len(WORKER_COLUMNS), False
        self.show_view(self._view)

    def action_reverse(self) -> None:
        self._backwards = not self._backwards
        self.show_view(self._view)

    def on_grid_sort_asked(self, event: Grid.SortAsked) -> None:
        keys = [column.key for column in WORKER_COLUMNS]
        again = keys[self._sort] == event.column
        self._sort, self._backwards = keys.index(event.column), again and not self._backwards
        self.show_view(self._view)

    def action_back(self) -> None:
        self.dismiss()


def _hint(*parts: str) -> Text:
    return Text("  ".join(parts), style="dim")


def _columns(columns: Iterable[Column[Any]]) -> list[tuple[str, str]]:
    return [(column.key, column.about) for column in columns]


def _list(title: str, rows: Iterable[tuple[str, str]]) -> RenderableType:
    table = Table.grid(padding=(0, 2, 0, 0))
    table.add_column(min_width=12, no_wrap=True)
    table.add_column()
    for name, about in rows:
        table.add_row(Text(name, style="bold cyan"), Text(about))
    return Group(Text(title, style="bold underline"), table, Text(""))


def _candidates(view: NodeView) -> Text:
    """Of those that are tried, or were last: for which cameras, how long, and what they are compared with."""
    said = [] if view.canary is None else canary_words(view.canary).splitlines()
    said += [] if view.shadow is None else [headline(view.shadow)]
    return Text("\n", no_wrap=True, overflow="ellipsis").join(Text(plain_name(line)) for line in said)


def _sinks(sinks: Iterable[SinkView]) -> RenderableType:
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="bold dim")
    table.add_column("sink", no_wrap=True, overflow="ellipsis", max_width=30)
    for title in ("written", "dropped", "expired", "failed", "waiting"):
        table.add_column(title, justify="right")
    for sink in sinks:
        lost = (sink.dropped, sink.expired, sink.failed)
        cells = [Text(str(number), style="yellow" if number else "dim") for number in lost]
        table.add_row(Text(plain_name(sink.name)), str(sink.written), *cells, str(sink.waiting))
    return table if table.row_count else Text("no sinks", style="dim")
