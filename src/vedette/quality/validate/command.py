"""``vedette validate``: options in, a run out, and an exit code for CI."""

from __future__ import annotations

import sys
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from vedette.quality.validate.judgement import Judgement
    from vedette.quality.validate.perform import Outcome

__all__ = ["validate"]

FAILED = 1


class Baseline(StrEnum):
    USE = "use"
    SET = "set"
    IGNORE = "ignore"


def _floor(text: str) -> tuple[str, float]:
    from vedette.quality.validate.gate import WORDS

    name, separator, number = text.rpartition("=")
    name = name.strip().lower() if separator else "ap50"
    try:
        value = float(number.strip().removesuffix("%")) / (100 if number.strip().endswith("%") else 1)
    except ValueError:
        value = -1.0
    if name not in WORDS or not 0 <= value <= 1:
        raise typer.BadParameter(f"must be such as 0.30 (of AP50), or {'=, '.join(WORDS)}= with a share")
    return name, value


def validate(
    config: Annotated[
        Path | None,
        typer.Argument(
            metavar="[CONFIG]", help="Its detector is the one; else the bundled.", show_default=False
        ),
    ] = None,
    dataset: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="The labelled set; else the configuration's.", show_default=False),
    ] = None,
    images: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="Where its pictures lie; else beside it or in images/."),
    ] = None,
    model: Annotated[
        Path | None, typer.Option(metavar="FILE", help="An ONNX file in place of the configuration's.")
    ] = None,
    runs: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="Where runs are kept; else in validation/ by the ledger."),
    ] = None,
    baseline: Annotated[
        Baseline, typer.Option(help="Compare with the baseline, make this run the baseline, or neither.")
    ] = Baseline.USE,
    floor: Annotated[
        list[str] | None,
        typer.Option(
            metavar="0.30|recall=0.60",
            help="Exit with 1 below it; may be repeated; else the configuration's.",
        ),
    ] = None,
    tolerance: Annotated[
        float | None,
        typer.Option(
            min=0.0,
            max=1.0,
            help="So far below the baseline the whole interval may lie; else the configuration's, or 0.",
        ),
    ] = None,
    report: Annotated[
        str | None,
        typer.Option(metavar="html|FILE.html", help="Write a page to look at by the run, or there."),
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="Print JSON instead of tables.")] = False,
) -> None:
    """Hold the detector to labelled pictures, and to what it was."""
    floors = dict(_floor(text) for text in floor or ())
    if report is not None and report != "html" and not report.endswith(".html"):
        raise typer.BadParameter("is html, or a file that ends with .html", param_hint="--report")
    try:
        import hotcoco  # noqa: F401
    except ImportError as err:
        from vedette.errors import VedetteError

        raise VedetteError(
            "vedette validate needs a package that is not installed: pip install 'vedette[validate]'"
        ) from err

    from vedette.quality.validate.asked import Asked
    from vedette.quality.validate.judgement import judge

    asked = Asked.of(config, dataset, images, model, runs, floors, tolerance)
    before = asked.runs.baseline(asked.name) if baseline is Baseline.USE else None
    with _progress(len(asked.dataset.pictures)) as told:
        outcome = asked.run(told)
    file = asked.runs.keep(outcome.run)  # first: what comes after must not lose it
    judged = judge(outcome.run, before, asked.rules)
    becomes = baseline is Baseline.SET and judged.passed
    if becomes:
        asked.runs.make_baseline(outcome.run)
    _say(outcome, judged, file, report, json=json, becomes_baseline=becomes)
    raise typer.Exit(0 if judged.passed else FAILED)


def _say(
    outcome: Outcome, judged: Judgement, file: Path, report: str | None, *, json: bool, becomes_baseline: bool
) -> None:
    from vedette.quality.validate.words import as_json, render

    page = None
    if report is not None:
        from vedette.quality.validate.page import page_of
        from vedette.quality.validate.store import write_whole

        page = file.with_suffix(".html") if report == "html" else Path(report)
        write_whole(page, page_of(outcome, judged).encode())
    if json:
        print(as_json(outcome.run, judged, file, page))
    else:
        from rich.console import Console

        Console().print(render(outcome.run, judged, file, page, became_baseline=becomes_baseline))


@contextmanager
def _progress(total: int) -> Iterator[Callable[[int], None]]:
    """A bar on standard error, where that is a terminal."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (TextColumn("looking at pictures"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    console = Console(file=sys.stderr)
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as bar:
        task = bar.add_task("", total=total)
        yield lambda done: bar.update(task, completed=done)
