"""The node as it is now, once, as plain text."""

from __future__ import annotations

from rich.console import Console, Group, RenderableType
from rich.table import Table
from rich.text import Text

from vedette.observe.views import NodeView
from vedette.top.cameras import CAMERA_COLUMNS, matches
from vedette.top.column import arrange, fitting
from vedette.top.header import bottleneck_line, node_lines, stage_lines, table_line
from vedette.top.lately import Lately
from vedette.top.words import watched

__all__ = ["WIDE", "print_once", "render"]

WIDE = 240
"""Columns of text where it goes into a file: room for everything."""


def print_once(view: NodeView, node: str, *, sort: str, filter_: str, console: Console | None = None) -> None:
    """Print it to standard output; as wide as the terminal, or as wide as it takes where there is none."""
    console = console or Console()
    if not console.is_terminal:
        console = Console(file=console.file, width=WIDE, color_system=None)
    console.print(render(view, node, sort=sort, filter_=filter_, width=console.width), soft_wrap=False)


def render(view: NodeView, node: str, *, sort: str, filter_: str, width: int) -> RenderableType:
    cameras = watched(view)
    shown = [camera for camera in cameras if matches(camera, filter_)] if filter_ else cameras
    column = next(column for column in CAMERA_COLUMNS if column.key == sort)
    table = Table(box=None, pad_edge=False, padding=(0, 1, 0, 0), header_style="bold")
    columns = fitting(CAMERA_COLUMNS, width)
    for each, room in columns:
        table.add_column(
            each.title,
            justify="right" if each.number else "left",
            no_wrap=True,
            overflow="ellipsis",
            max_width=room,
        )
    for camera in arrange(shown, column):
        table.add_row(*(Text(*each.cell(camera)) for each, _ in columns))
    sentence = Lately().bottleneck(view)
    parts = [node_lines(view, node), *([bottleneck_line(sentence)] if sentence else []), stage_lines(view)]
    order = table_line(len(shown), len(cameras), sort, False, filter_)
    return Group(*parts, Text(""), order, table)
