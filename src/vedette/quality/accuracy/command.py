"""``vedette accuracy``: a folder of reviewed frames in, precision and recall out."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

__all__ = ["accuracy"]

CONFIDENCE = 0.4
"""As a configuration has it that says nothing."""
WIDE = 200
"""Columns of text where it goes into a file."""


class How(StrEnum):
    POWERED = "powered"
    STRATIFIED = "stratified"
    CLASSICAL = "classical"


def accuracy(
    folder: Annotated[Path, typer.Argument(metavar="FOLDER", help="Of the review store.")],
    camera: Annotated[
        list[str] | None,
        typer.Option("--camera", metavar="NAME", help="Only this camera, or gate_*; may be repeated."),
    ] = None,
    config: Annotated[
        Path | None,
        typer.Option("--config", metavar="FILE", help="The configuration, for its confidence and sites."),
    ] = None,
    confidence: Annotated[
        float | None,
        typer.Option(
            min=0.05, max=1.0, help="Score from which boxes count; else the configuration's, or 0.4."
        ),
    ] = None,
    model: Annotated[
        str | None,
        typer.Option(metavar="HASH", help="Frames of this model; else that of the newest frame."),
    ] = None,
    drift: Annotated[
        Path | None,
        typer.Option("--drift", metavar="DIR", help="Where drift keeps its counts: narrows precision."),
    ] = None,
    method: Annotated[How, typer.Option(help="How precision is told with --drift.")] = How.POWERED,
    json: Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")] = False,
) -> None:
    """Say how often the detector is right, and what it finds, by what people reviewed."""
    from rich.console import Console

    from vedette.config import load_config
    from vedette.quality.accuracy.asked import Asked
    from vedette.quality.accuracy.words import as_json, render
    from vedette.quality.estimates import Method

    loaded = None if config is None else load_config(config)
    usual = CONFIDENCE if loaded is None else loaded.detector.confidence
    sites = {} if loaded is None else {name: each.site or "" for name, each in loaded.cameras.items()}
    threshold = usual if confidence is None else confidence
    asked = Asked(
        folder=folder,
        confidence=threshold,
        cameras=camera or (),
        model=model,
        drift=drift,
        method=Method(method.value),
        sites=sites,
    )
    found = asked.figures()
    if json:
        print(as_json(found, threshold))
        return
    console = Console()
    if not console.is_terminal:
        console = Console(width=WIDE, color_system=None)
    console.print(render(found, threshold))
