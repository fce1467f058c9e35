"""``vedette drift``: how the detector does on the cameras of a running node, and learning that anew."""

from __future__ import annotations

from typing import Annotated

import typer

from vedette.control.commands import Node, tell

__all__ = ["drift"]

WIDE = 200
"""Columns of text where it goes into a file."""

drift = typer.Typer(
    help="Whether the detector of a running node does worse than it did.", no_args_is_help=True
)


@drift.command()
def status(
    node: Annotated[
        str | None,
        typer.Argument(
            metavar="NODE",
            help="Name, pid or socket of a running node; may be left out where only one runs.",
            show_default=False,
        ),
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")] = False,
) -> None:
    """Say of each camera how the detector does, since when, and what is learnt."""
    from rich.console import Console

    from vedette.errors import ConfigError
    from vedette.quality.drift_shown import as_json, render
    from vedette.top.link import Link

    link = Link(node)
    view = link.fetch()
    label = link.label or str(node)
    link.close()
    if not view.drift:
        raise ConfigError(f"{label} does not watch its detector: drift.enabled is false")
    if json:
        print(as_json(view))
        return
    console = Console()
    if not console.is_terminal:
        console = Console(width=WIDE, color_system=None)
    console.print(render(view, label))


@drift.command()
def learn(
    cameras: Annotated[
        list[str] | None, typer.Argument(metavar="CAMERA…", help="By name.", show_default=False)
    ] = None,
    everyone: Annotated[bool, typer.Option("--all", help="All cameras of the node.")] = False,
    keep: Annotated[
        bool, typer.Option("--keep", help="Keep what is known; learn only lights and hours that are not.")
    ] = False,
    node: Node = None,
) -> None:
    """Learn anew what is usual for cameras, because it has changed for good."""
    names = list(dict.fromkeys(cameras or ()))
    if bool(names) is everyone:
        raise typer.BadParameter("name cameras, or say --all")
    if strange := [name for name in names if "," in name or not name]:
        raise typer.BadParameter(f"{strange[0]!r} is no camera's name")
    tell("learn_more" if keep else "learn", ",".join(names), node)
    who = "all cameras" if everyone else ", ".join(names)
    many = everyone or len(names) > 1
    if keep:
        print(f"{who}: lights and hours that are not known yet are learnt from now on")
    else:
        print(f"{who} {'are' if many else 'is'} learnt anew from now on (vedette drift status shows how far)")
