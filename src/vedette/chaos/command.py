"""``vedette chaos``: options in, a run, verdicts out."""

from __future__ import annotations

import dataclasses
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from vedette.errors import ConfigError
from vedette.sim.faults import Schedule, parse_flag, read_schedule
from vedette.units import parse_duration

if TYPE_CHECKING:
    from vedette.chaos.run import Outcome

__all__ = ["chaos", "schedule_of"]

FAILED = 1
WIDE = 140


def _duration(text: str) -> float:
    try:
        seconds = parse_duration(text)
    except ValueError as error:
        raise typer.BadParameter(str(error)) from None
    return seconds


def _length(text: str) -> float:
    seconds = _duration(text)
    if seconds <= 0:
        raise typer.BadParameter("must be longer than nothing")
    return seconds


def chaos(
    config: Annotated[Path, typer.Argument(metavar="CONFIG", help="The YAML configuration.")],
    faults: Annotated[Path | None, typer.Option(help="What goes wrong when: a schedule (YAML).")] = None,
    fault: Annotated[
        list[str] | None, typer.Option(help='One fault, like "stall gate at=10s for=20s"; repeatable.')
    ] = None,
    for_: Annotated[
        float | None,
        typer.Option(
            "--for", metavar="TIME", parser=_length, help="How long faults go on; else to the last one's end."
        ),
    ] = None,
    seed: Annotated[
        int | None, typer.Option(help="Draws shares and random faults; else the schedule's.")
    ] = None,
    clip: Annotated[
        Path | None, typer.Option(help="What the cameras play; the bundled driveway otherwise.")
    ] = None,
    fps: Annotated[float, typer.Option(min=1, max=240, help="Frames per second of each camera.")] = 25,
    settle: Annotated[
        float | None,
        typer.Option(
            metavar="TIME", parser=_duration, help="How long cameras are seen before; else as faults need."
        ),
    ] = None,
    ledger: Annotated[
        str | None, typer.Option(metavar="FILE|URL", help="Keep the run's ledger here; else thrown away.")
    ] = None,
    report: Annotated[Path | None, typer.Option(metavar="FILE.json", help="Write all verdicts here.")] = None,
    json_: Annotated[bool, typer.Option("--json", help="Print them as JSON, not as tables.")] = False,
    log_level: Annotated[
        str, typer.Option(help="The least that is logged: debug, info, warning, error.")
    ] = "error",
) -> None:
    """Run a node with simulated cameras in place of the real ones, make them fail, and judge it.

    Exit code: 0 all is right, 1 a verdict or a check failed, 2 the configuration or the schedule is wrong.
    """
    # Heavy, and needed only when there is something to run.
    from vedette.chaos.run import Chaos, run_chaos
    from vedette.config import load_config
    from vedette.observe.log import configure_logging

    if log_level not in ("debug", "info", "warning", "error"):
        raise ConfigError(f"--log-level {log_level}: must be debug, info, warning or error")
    configure_logging(log_level, json=False)
    loaded = load_config(config)
    wanted = Chaos(
        schedule=schedule_of(faults, fault or ()),
        seconds=for_,
        seed=seed,
        clip=clip,
        fps=fps,
        ledger=ledger,
        settle=settle,
    )
    outcome = run_chaos(loaded, wanted, say=lambda line: print(line, file=sys.stderr, flush=True))
    _tell(outcome, report, as_json=json_)
    raise typer.Exit(0 if outcome.passed else FAILED)


def _tell(outcome: Outcome, report: Path | None, *, as_json: bool) -> None:
    """Write the verdicts to ``report``, and print them."""
    from rich.console import Console

    from vedette.chaos.report import render
    from vedette.chaos.summary import document
    from vedette.observe.report import write_report

    found = document(outcome)
    if report is not None:
        write_report(found, report)
    if as_json:
        print(json.dumps(found, indent=2))
        return
    console = Console()
    # Where nobody knows how wide it is (CI), it need not be narrow.
    console = console if console.is_terminal else Console(width=max(WIDE, console.width))
    console.print(render(outcome))


def schedule_of(file: Path | None, flags: list[str] | tuple[str, ...]) -> Schedule:
    """The schedule of a file and of flags together.

    Raises:
        ConfigError: there is no fault at all, or one cannot be read.
    """
    schedule = Schedule() if file is None else read_schedule(file)
    schedule = dataclasses.replace(schedule, faults=(*schedule.faults, *(parse_flag(text) for text in flags)))
    if not schedule.faults and not schedule.random:
        raise ConfigError("nothing goes wrong: give --faults FILE or --fault")
    return schedule
