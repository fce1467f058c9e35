"""``vedette top``: options in, a view of a running node out."""

from __future__ import annotations

import sys
import time
from typing import Annotated

import typer

from vedette.errors import VedetteError
from vedette.units import parse_duration

__all__ = ["top"]

OFTEN_S = 0.1
RATES_AFTER_S = 1.1


def _every(text: str) -> float:
    try:
        seconds = parse_duration(text)
    except ValueError as error:
        raise typer.BadParameter(str(error)) from None
    if seconds < OFTEN_S:
        raise typer.BadParameter("must be 100ms or longer")
    return seconds


def _sort(text: str) -> str:
    from vedette.top.cameras import CAMERA_COLUMNS

    keys = [column.key for column in CAMERA_COLUMNS]
    if text not in keys:
        raise typer.BadParameter(f"is one of {', '.join(keys)}")
    return text


def _need_textual() -> None:
    try:
        import textual  # noqa: F401
    except ImportError as err:
        raise VedetteError(
            "vedette top needs a package that is not installed: pip install 'vedette[top]'"
        ) from err


def top(
    node: Annotated[
        str | None,
        typer.Argument(
            metavar="NODE",
            help="Name, pid or socket of a running node; may be left out where only one runs.",
            show_default=False,
        ),
    ] = None,
    once: Annotated[
        bool, typer.Option("--once", help="Print the table once; so it is where there is no terminal.")
    ] = False,
    sort: Annotated[
        str,
        typer.Option("--sort", metavar="COLUMN", parser=_sort, help="state (worst first), age, in, name…"),
    ] = "state",
    every: Annotated[
        float, typer.Option("--every", metavar="TIME", parser=_every, help="How often to look: 500ms, 2s…")
    ] = 1.0,
    filter_: Annotated[
        str, typer.Option("--filter", metavar="TEXT", help="Only cameras with these words in name or state.")
    ] = "",
) -> None:
    """Watch a running node: its cameras, their ages, and where the time goes."""
    from vedette.top.link import Link

    once = once or not sys.stdout.isatty()
    if not once:
        _need_textual()
    link = Link(node)
    view = link.fetch(details=True)  # what is wrong is said before the screen is taken
    if once:
        from vedette.top.once import print_once

        # Rates are of the time since somebody looked last, which may have been never.
        time.sleep(RATES_AFTER_S)
        view = link.fetch(details=True)
        link.close()
        print_once(view, link.label, sort=sort, filter_=filter_)
        return
    from vedette.top.app import TopApp

    TopApp(link, sort=sort, every=every, filter=filter_).run()
