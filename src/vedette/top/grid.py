"""A table for a terminal that draws only what is on the screen, and of that only what has changed.

Rows are plain values; a thousand of them cost no more than a screenful.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import ClassVar, Generic, TypeVar

from rich.cells import set_cell_size
from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.binding import Binding, BindingType
from textual.geometry import Region, Size
from textual.message import Message
from textual.scroll_view import ScrollView
from textual.strip import Strip

from vedette.top.column import GAP, Cell, Column, fitting

__all__ = ["Grid"]

T = TypeVar("T")

CURSOR = Style(bgcolor="grey30", bold=True, dim=False)
"""A ground of its own: the colours on it still say how the camera is."""
HEAD = Style(bold=True, underline=True)
SORTED = Style(bold=True, underline=True, color="cyan")


class Grid(ScrollView, Generic[T], can_focus=True):
    """``columns``: all there are; those that have no room are left out. ``key``: of a row, what stays the
    same when its values change.

    The cursor stays on its row however the order changes, and that row on its line of the screen; but on the
    first row, where it begins, it stays first."""

    DEFAULT_CSS = "Grid { height: 1fr; overflow-x: hidden; overflow-y: scroll; scrollbar-size-vertical: 1; }"

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up,k", "move(-1)", "up", show=False),
        Binding("down,j", "move(1)", "down", show=False),
        Binding("pageup", "page(-1)", "page up", show=False),
        Binding("pagedown", "page(1)", "page down", show=False),
        Binding("home,g", "edge(-1)", "first", show=False),
        Binding("end,G", "edge(1)", "last", show=False),
        Binding("enter", "choose", "details", show=False),
    ]

    class Chosen(Message):
        """Somebody wants to see more of the row with this key."""

        def __init__(self, key: str) -> None:
            super().__init__()
            self.key = key

    class SortAsked(Message):
        """The head of this column was clicked."""

        def __init__(self, column: str) -> None:
            super().__init__()
            self.column = column

    def __init__(
        self, columns: Sequence[Column[T]], key: Callable[[T], str], *, id: str | None = None
    ) -> None:
        super().__init__(id=id)
        self._columns, self._key = columns, key
        self._rows: list[T] = []
        self._drawn: dict[int, tuple[Cell, ...]] = {}
        self._fitting: tuple[tuple[Column[T], int], ...] = ()
        self._sort: tuple[str, bool] = ("", False)
        self.cursor = 0
        """Index of the row it is on."""

    @property
    def visible_columns(self) -> tuple[Column[T], ...]:
        return tuple(column for column, _ in self._fitting)

    @property
    def rows(self) -> list[T]:
        return self._rows

    @property
    def cursor_key(self) -> str | None:
        """Of the row the cursor is on; None while there are no rows."""
        return self._key(self._rows[self.cursor]) if self._rows else None

    @property
    def _page(self) -> int:
        """Rows on the screen."""
        return max(1, self.size.height - 1)

    def show(self, rows: list[T], sort: str, *, backwards: bool = False) -> None:
        """These rows from now on, in this order. ``sort``: the column whose head is marked."""
        before, was_at, top = self.cursor_key, self.cursor, round(self.scroll_y)
        self._rows = rows
        self.cursor = self._place_of(before) if was_at or top else 0
        size = Size(self.size.width, len(rows) + 1)
        if size != self.virtual_size:
            self.virtual_size = size
        if top <= was_at < top + self._page and self.cursor != was_at:
            top += self.cursor - was_at
        top = max(0, min(top, len(rows) - self._page))
        if top != round(self.scroll_y):
            self.scroll_to(y=top, animate=False)
        if self._sort != (sort, backwards):
            self._sort = sort, backwards
            self.refresh()
        self._refresh_changed()

    def _place_of(self, key: str | None) -> int:
        for place, row in enumerate(self._rows):
            if self._key(row) == key:
                return place
        return max(0, min(self.cursor, len(self._rows) - 1))

    def _refresh_changed(self) -> None:
        """Have those lines drawn again that would look different."""
        top = round(self.scroll_y)
        changed = [
            Region(0, place - top + 1, self.size.width, 1)
            for place in range(top, top + self._page)
            if self._drawn.get(place) != self._cells(place)
        ]
        if changed:
            self.refresh(*changed)

    def _cells(self, place: int) -> tuple[Cell, ...]:
        if place >= len(self._rows):
            return ()
        row, here = self._rows[place], ("cursor", "") if place == self.cursor else ("", "")
        return (here, *(column.cell(row) for column, _ in self._fitting))

    def render_line(self, y: int) -> Strip:
        if y == 0:
            return self._head()
        place = y - 1 + round(self.scroll_y)
        cells = self._cells(place)
        self._drawn[place] = cells
        if not cells:
            return Strip.blank(self.size.width, self.rich_style)
        segments = []
        for (text, style), (column, width) in zip(cells[1:], self._fitting, strict=True):
            segments.append(Segment(_fit(text, width, column.number), Style.parse(style)))
            segments.append(Segment(" " * GAP))
        strip = Strip(segments).adjust_cell_length(self.size.width)
        if place == self.cursor:
            strip = Strip([Segment(text, (style or Style()) + CURSOR) for text, style, _ in strip])
        return strip.apply_style(self.rich_style)

    def _head(self) -> Strip:
        segments = []
        for column, width in self._fitting:
            sort, backwards = self._sort
            mark = ("▲" if column.down == backwards else "▼") if column.key == sort else ""
            title = _fit(column.title, width - len(mark), False).rstrip() + mark
            style = SORTED if mark else HEAD
            segments.append(Segment(_fit(title, width, column.number), style))
            segments.append(Segment(" " * GAP))
        return Strip(segments).adjust_cell_length(self.size.width).apply_style(self.rich_style)

    def on_resize(self, event: events.Resize) -> None:
        self._fitting = fitting(self._columns, self.scrollable_content_region.width)
        self.virtual_size = Size(event.size.width, len(self._rows) + 1)
        self._drawn.clear()
        self._into_view()
        self.refresh()

    def watch_scroll_y(self, old_value: float, new_value: float) -> None:
        super().watch_scroll_y(old_value, new_value)
        self._drawn.clear()

    def _move_to(self, place: int) -> None:
        self.cursor = max(0, min(place, len(self._rows) - 1))
        self._into_view()
        self._refresh_changed()

    def _into_view(self) -> None:
        top = round(self.scroll_y)
        wanted = min(max(top, self.cursor - self._page + 1), self.cursor)
        if wanted != top:
            self.scroll_to(y=wanted, animate=False)

    def action_move(self, by: int) -> None:
        self._move_to(self.cursor + by)

    def action_page(self, by: int) -> None:
        self._move_to(self.cursor + by * self._page)

    def action_edge(self, side: int) -> None:
        self._move_to(0 if side < 0 else len(self._rows) - 1)

    def action_choose(self) -> None:
        if (key := self.cursor_key) is not None:
            self.post_message(self.Chosen(key))

    def on_click(self, event: events.Click) -> None:
        if event.y == 0:
            left = 0
            for column, width in self._fitting:
                if left <= event.x < left + width + GAP:
                    self.post_message(self.SortAsked(column.key))
                left += width + GAP
            return
        place = event.y - 1 + round(self.scroll_y)
        if place < len(self._rows):
            again = place == self.cursor
            self._move_to(place)
            if again:
                self.action_choose()


def _fit(text: str, width: int, right: bool) -> str:
    """Exactly ``width`` cells."""
    if len(text) > width:
        return set_cell_size(text, width - 1) + "…"
    sized = set_cell_size(text, width)
    return sized.rstrip().rjust(width) if right and len(sized) == width else sized
