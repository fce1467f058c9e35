"""``vedette gaps`` and ``vedette coverage``: options in, rows out."""

from __future__ import annotations

import time
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from vedette.ledger.output import Format, Output

__all__ = ["coverage", "gaps"]


class By(StrEnum):
    HOUR = "hour"
    DAY = "day"
    ALL = "all"


LedgerAt = Annotated[
    str | None,
    typer.Option(
        "--ledger",
        metavar="PATH|URL",
        envvar="VEDETTE_LEDGER",
        help="The ledger; else the configuration's, else vedette.db.",
    ),
]
ConfigAt = Annotated[
    Path | None, typer.Option("--config", metavar="FILE", help="The configuration whose ledger to read.")
]
Cameras = Annotated[
    list[str] | None,
    typer.Option("--camera", metavar="NAME", help="Only this camera, or gate_*; may be repeated."),
]
Since = Annotated[
    str, typer.Option(metavar="TIME", help="24h (ago), 2026-11-01, 2026-11-01T14:30, today, yesterday.")
]
Until = Annotated[str, typer.Option(metavar="TIME", help="Likewise.")]
Node = Annotated[str | None, typer.Option(metavar="NAME", help="Only what this node wrote.")]
As = Annotated[Format | None, typer.Option("--format", help="Else by the name of --output, else table.")]
Into = Annotated[
    Path | None, typer.Option(metavar="FILE", help="Write into this file, not to standard output.")
]


def gaps(
    ledger: LedgerAt = None,
    config: ConfigAt = None,
    camera: Cameras = None,
    since: Since = "24h",
    until: Until = "now",
    cause: Annotated[
        list[str] | None,
        typer.Option("--cause", metavar="CAUSE", help="Only of this cause; may be repeated."),
    ] = None,
    kind: Annotated[
        list[str] | None,
        typer.Option("--kind", metavar="KIND", help="blind, degraded or event; may be repeated."),
    ] = None,
    open_: Annotated[bool, typer.Option("--open", help="Only what is not over.")] = False,
    node: Node = None,
    format_: As = None,
    output: Into = None,
    plot: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Draw cameras x time into this .svg or .png."),
    ] = None,
    incidents: Annotated[
        bool, typer.Option("--incidents", help="What cameras have in common that went together.")
    ] = False,
    audit: Annotated[
        bool, typer.Option("--audit", help="Check that the rows partition the time; 1 if they do not.")
    ] = False,
) -> None:
    """Show when cameras were not seen, and why."""
    from vedette.ledger import reading

    asked = reading.Asked.of(
        ledger=ledger,
        config=config,
        cameras=camera or (),
        since=since,
        until=until,
        node=node,
        causes=cause or (),
        kinds=kind or (),
        only_open=open_,
        now=_now(),
    )
    if audit:
        raise typer.Exit(reading.audit(asked))
    out = Output.of(format_, output)
    if incidents:
        reading.incidents(asked, out)
        return
    if plot is not None:
        reading.picture(asked, plot)
    if plot is None or format_ is not None or output is not None:
        reading.gaps(asked, out)


def coverage(
    ledger: LedgerAt = None,
    config: ConfigAt = None,
    camera: Cameras = None,
    since: Since = "7d",
    until: Until = "now",
    by: Annotated[
        By, typer.Option(help="A row per camera and hour, or day, or one for all of the time.")
    ] = By.ALL,
    node: Node = None,
    format_: As = None,
    output: Into = None,
    below: Annotated[
        str | None,
        typer.Option(metavar="SHARE", help="Exit with 1 if anything was seen less than, say, 99%."),
    ] = None,
) -> None:
    """Show how much of the time each camera was seen, and what the rest was lost to."""
    from vedette.ledger import reading
    from vedette.ledger.question import share

    least = None if below is None else share(below)
    asked = reading.Asked.of(
        ledger=ledger, config=config, cameras=camera or (), since=since, until=until, node=node, now=_now()
    )
    raise typer.Exit(reading.coverage(asked, by.value, Output.of(format_, output), least))


def _now() -> int:
    return time.time_ns() // 1000
