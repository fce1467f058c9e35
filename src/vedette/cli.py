"""The command line: parse, call, exit code. Whatever is heavy is imported by the command that needs it."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from vedette import __version__, config_commands
from vedette.control.commands import model, recycle
from vedette.errors import VedetteError, redact
from vedette.ledger.command import coverage, gaps
from vedette.observe.metrics.address import parse_address
from vedette.quality.accuracy.command import accuracy
from vedette.quality.commands import drift
from vedette.quality.review.command import review
from vedette.quality.validate.command import validate
from vedette.top.command import top
from vedette.units import parse_duration
from vedette.web.who.command import user

__all__ = ["app", "main"]

INTERRUPTED = 130
"""What shells report for a program that SIGINT ended."""


class LogLevel(StrEnum):
    DEBUG = "debug"
    INFO = "info"
    WARNING = "warning"
    ERROR = "error"


class LogFormat(StrEnum):
    CONSOLE = "console"
    JSON = "json"


app = typer.Typer(
    name="vedette",
    help="Video analytics that keeps watching: cameras in, tracked detections out.",
    no_args_is_help=True,
    add_completion=False,
    # Locals in a traceback would show URLs with their passwords.
    pretty_exceptions_enable=False,
)


def _duration(text: str) -> float:
    try:
        seconds = parse_duration(text)
    except ValueError as error:
        raise typer.BadParameter(str(error)) from None
    if seconds <= 0:
        raise typer.BadParameter("must be longer than nothing")
    return seconds


def _address(text: str) -> str:
    try:
        parse_address(text)
    except ValueError as error:
        raise typer.BadParameter(str(error)) from None
    return text


def _web_address(text: str) -> str:
    return text if text == "no" else _address(text)


def _version(wanted: bool) -> None:
    if wanted:
        print(f"vedette {__version__}")
        raise typer.Exit


ConfigFile = Annotated[
    Path, typer.Argument(metavar="CONFIG", help="The YAML configuration.", show_default=False)
]
For = Annotated[
    float | None,
    typer.Option(
        "--for", metavar="TIME", parser=_duration, help="Stop by itself after 30s, 2m, 1h… from the start."
    ),
]
SaveVideo = Annotated[
    Path | None, typer.Option(metavar="DIR", help="Write annotated video of each camera into this folder.")
]
Report = Annotated[
    Path | None, typer.Option(metavar="FILE.json", help="Write what the run came to, when it ends.")
]
ShowTable = Annotated[bool, typer.Option("--table/--no-table", help="The live table, on a terminal.")]
Metrics = Annotated[
    str | None,
    typer.Option(metavar="ADDRESS", parser=_address, help="Serve Prometheus metrics at :9464, host:9464…"),
]
Web = Annotated[
    str | None,
    typer.Option(
        metavar="ADDRESS|no",
        parser=_web_address,
        help="Serve the dashboard and the API there; by default at 127.0.0.1:8700. 'no': nowhere.",
    ),
]
Level = Annotated[LogLevel, typer.Option("--log-level", help="The least that is logged.")]
Format = Annotated[
    LogFormat, typer.Option("--log-format", help="Logs for people, or one JSON object a line.")
]


@app.callback()
def vedette(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version and exit.")
    ] = False,
) -> None:
    """Video analytics that keeps watching: cameras in, tracked detections out."""


@app.command()
def run(
    config: ConfigFile,
    for_: For = None,
    report: Report = None,
    save_video: SaveVideo = None,
    table: ShowTable = True,
    metrics: Metrics = None,
    web: Web = None,
    log_level: Level = LogLevel.INFO,
    log_format: Format = LogFormat.CONSOLE,
) -> None:
    """Watch the cameras of a configuration until interrupted."""
    with _interruptible():
        from vedette.config import Config, load_config

        json = log_format is LogFormat.JSON
        _log(log_level, json=json)

        def read() -> Config:
            """The file, and what this command line says otherwise."""
            loaded = load_config(config)
            if metrics is not None:
                loaded = loaded.model_copy(update={"metrics": metrics})
            return loaded if web is None else loaded.with_web(web)

        loaded = read()  # first: it is quick, and may be all there is to say

        from vedette.console import run_blocking
        from vedette.lasting import LastingChanges, changes_file

        lasting = LastingChanges(changes_file(loaded))
        code = run_blocking(
            lasting.on(loaded),
            seconds=for_,
            report=report,
            table=table,
            save_video=save_video,
            reread=lambda: lasting.on(read()),
            lasting=lasting,
            json=json,
        )
    raise typer.Exit(code)


@app.command()
def check(
    config: ConfigFile,
    connect: Annotated[
        bool, typer.Option("--connect/--no-connect", help="Open each camera and wait for a picture.")
    ] = True,
) -> None:
    """Check a configuration, its detector and its cameras, without running it."""
    with _interruptible():
        from rich.console import Console

        from vedette import check as checks
        from vedette.config import load_config
        from vedette.lasting import LastingChanges, changes_file

        loaded = load_config(config)
        # As a run would have it: with what was changed over the API, which may not fit any more.
        lines = checks.check(LastingChanges(changes_file(loaded)).on(loaded), connect=connect)
        Console().print(checks.render(lines))
    raise typer.Exit(checks.exit_code(lines))


@app.command()
def demo(
    for_: For = None,
    cameras: Annotated[int, typer.Option(min=1, max=64, help="How many simulated cameras.")] = 8,
    report: Report = None,
    save_video: SaveVideo = None,
    table: ShowTable = True,
    web: Web = None,
    log_level: Level = LogLevel.WARNING,
    log_format: Format = LogFormat.CONSOLE,
) -> None:
    """Watch simulated cameras with the bundled model: nothing to set up."""
    with _interruptible():
        from vedette.demo import demo as run_demo

        json = log_format is LogFormat.JSON
        _log(log_level, json=json)
        code = run_demo(
            cameras=cameras,
            seconds=for_,
            report=report,
            table=table,
            save_video=save_video,
            web=web,
            json=json,
        )
    raise typer.Exit(code)


@app.command(
    context_settings={"ignore_unknown_options": True, "allow_extra_args": True, "help_option_names": []},
    add_help_option=False,
)
def sim(context: typer.Context) -> None:
    """Simulate cameras over real RTSP; see `vedette sim --help`."""
    with _interruptible():
        from vedette.sim.command import sim as simulate

        command = typer.Typer(add_completion=False, pretty_exceptions_enable=False)
        command.command()(simulate)
        command(context.args, prog_name="vedette sim")


app.command()(gaps)
app.command()(coverage)
app.command()(top)
app.command()(recycle)
app.command()(validate)
app.command()(accuracy)
app.command()(review)
app.add_typer(config_commands.config, name="config")
app.add_typer(model, name="model")
app.add_typer(drift, name="drift")
app.add_typer(user, name="user")


@app.command()
def alerts(config: ConfigFile) -> None:
    """Send a test message to everybody who is told of alerts."""
    with _interruptible():
        from vedette.alerts.deliver import send_test
        from vedette.config import load_config

        sent = send_test(load_config(config).alerts)
    for target, arrived, detail in sent:
        print(f"{'told' if arrived else 'NOT told'}  {target}{f': {redact(detail)}' if detail else ''}")
    if not sent:
        print("nobody is told of alerts: the configuration has no alerts.to", file=sys.stderr)
    raise typer.Exit(0 if sent and all(arrived for _, arrived, _ in sent) else 1)


@app.command(
    context_settings={"ignore_unknown_options": True, "allow_extra_args": True, "help_option_names": []},
    add_help_option=False,
)
def chaos(context: typer.Context) -> None:
    """Make simulated cameras fail, and judge what a node makes of it; see `vedette chaos --help`."""
    with _interruptible():
        from vedette.chaos.command import chaos as run_chaos

        command = typer.Typer(add_completion=False, pretty_exceptions_enable=False)
        command.command()(run_chaos)
        command(context.args, prog_name="vedette chaos")


def _log(level: LogLevel, *, json: bool) -> None:
    """Set up how this process, and those it starts, write to standard error."""
    from vedette.observe.json_lines import stderr_as_json
    from vedette.observe.log import configure_logging

    configure_logging(level.value, json=json)
    if json:
        stderr_as_json()


@contextmanager
def _interruptible() -> Iterator[None]:
    """SIGINT where nothing handles it: end quietly."""
    try:
        yield
    except KeyboardInterrupt:
        raise typer.Exit(INTERRUPTED) from None


def main() -> None:
    """Entry point: what we raise on purpose becomes lines on stderr and an exit code."""
    try:
        app()
    except VedetteError as error:
        for line in redact(str(error)).splitlines():
            print(f"error: {line}", file=sys.stderr)
        sys.exit(error.exit_code)
    except KeyboardInterrupt:
        sys.exit(INTERRUPTED)


if __name__ == "__main__":
    main()
