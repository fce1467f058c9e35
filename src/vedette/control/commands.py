"""``vedette recycle`` and ``vedette model``: tell a running node, and wait for what becomes of it."""

from __future__ import annotations

import sys
import time
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

if TYPE_CHECKING:
    from vedette.control.client import ControlClient
    from vedette.control.protocol import Doing

__all__ = ["Node", "model", "recycle", "tell"]

ASK_EVERY_S = 0.2

Node = Annotated[
    str | None,
    typer.Option("--node", metavar="NODE", help="Its name, pid or socket, where several run."),
]


def _seconds(text: str | float) -> float:
    from vedette.units import parse_duration

    try:
        seconds = parse_duration(text)
    except ValueError as error:
        raise typer.BadParameter(str(error)) from None
    if seconds <= 0:
        raise typer.BadParameter("must be longer than nothing")
    return seconds


model = typer.Typer(help="The model of a running node.", no_args_is_help=True)


def recycle(
    worker: Annotated[str, typer.Argument(help="Its name, as in `vedette top`: inference-0, cameras-0…")],
    node: Node = None,
) -> None:
    """Put another process in a worker's place, with nothing lost."""
    took, _ = _done("recycle", worker, node)
    print(f"{worker} was replaced in {took:.1f} s")


@model.command("set")
def model_set(
    file: Annotated[Path, typer.Argument(help="An ONNX file, on the node's machine.")],
    force: Annotated[
        bool, typer.Option("--force", help="Do not hold it to the labelled pictures of the configuration.")
    ] = False,
    node: Node = None,
) -> None:
    """Let another model detect, with nothing lost. If it cannot be used, or is worse on the labelled pictures
    of the node's configuration, the one before goes on."""
    took, words = _done("model", str(file.absolute()), node, force=force)
    print(f"{file} detects since {took:.1f} s after it was asked for")
    if words:
        print(words)


@model.command("shadow")
def model_shadow(
    file: Annotated[
        Path | None, typer.Argument(help="An ONNX file, on the node's machine.", show_default=False)
    ] = None,
    share: Annotated[
        float, typer.Option(metavar="SHARE", help="Of the frames that are analysed, above 0 and up to 1.")
    ] = 0.1,
    for_: Annotated[
        float, typer.Option("--for", metavar="TIME", parser=_seconds, help="How long: 30m, 1h, 48h…")
    ] = 3600.0,
    stop: Annotated[bool, typer.Option("--stop", help="Show the candidate nothing more.")] = False,
    node: Node = None,
) -> None:
    """Show a candidate a share of the live frames, beside the model that detects; `model status` says how far
    the two agree."""
    if stop == (file is not None):
        raise typer.BadParameter("give either a file or --stop")
    if file is None:
        _done("unshadow", "", node)
        print("it is shown no more frames; `vedette model status` has what it came to")
        return
    took, _ = _done("shadow", str(file.absolute()), node, share=share, seconds=for_)
    print(f"{file} is shown frames since {took:.1f} s after it was asked for; see `vedette model status`")


class Then(StrEnum):
    BACK = "back"
    SET = "set"


@model.command("canary")
def model_canary(
    file: Annotated[
        Path | None, typer.Argument(help="An ONNX file, on the node's machine.", show_default=False)
    ] = None,
    cameras: Annotated[
        str,
        typer.Option(metavar="CAMERAS", help="Names, with commas between; * and ? stand for others."),
    ] = "",
    for_: Annotated[
        float, typer.Option("--for", metavar="TIME", parser=_seconds, help="How long: 30m, 1h, 48h…")
    ] = 3600.0,
    then: Annotated[
        Then, typer.Option(help="When the time is over: back to the model before, or set for all cameras.")
    ] = Then.BACK,
    force: Annotated[
        bool, typer.Option("--force", help="Do not hold it to the labelled pictures of the configuration.")
    ] = False,
    stop: Annotated[bool, typer.Option("--stop", help="Give its cameras back now.")] = False,
    node: Node = None,
) -> None:
    """Let another model detect for some cameras, for a while. If it cannot be used, or is worse on the
    labelled pictures of the node's configuration, it has none. If it dies, hangs, or does worse, the one
    before has them again at once; `model status` says what became of it."""
    names = tuple(name.strip() for name in cameras.split(",") if name.strip())
    if stop == (file is not None) or bool(names) == stop:
        raise typer.BadParameter("give either a file and --cameras, or --stop")
    if file is None:
        _done("uncanary", "", node)
        print("the model before detects for all cameras again")
        return
    took, words = _done(
        "canary",
        str(file.absolute()),
        node,
        force=force,
        seconds=for_,
        cameras=names,
        then="set" if then is Then.SET else "back",
    )
    print(
        f"{file} detects for {cameras} since {took:.1f} s after it was asked for; see `vedette model status`"
    )
    if words:
        print(words)


@model.command("status")
def model_status(node: Node = None) -> None:
    """Say which model detects, and how far the one that is shown frames beside it agrees."""
    from rich.console import Console

    from vedette.observe.shadow_words import status

    with _connected(node) as client:
        view = client.view()
    Console().print(status(view), soft_wrap=True)


def _connected(node: str | None) -> ControlClient:
    from vedette.control.client import ControlClient
    from vedette.control.where import choose_node, find_nodes

    if node is not None and "/" in node:
        return ControlClient.connect(node)
    return ControlClient.connect(choose_node(node, find_nodes()).path)


def _done(
    kind: Doing,
    what: str,
    node: str | None,
    *,
    force: bool = False,
    share: float = 0.0,
    seconds: float = 0.0,
    cameras: tuple[str, ...] = (),
    then: Literal["back", "set"] = "back",
) -> tuple[float, str]:
    """Seconds it took, and what is to be said of it. Raises ControlError with the reason where it was not
    done."""
    # Imported here: `--help` loads nothing heavy.
    from vedette.control.protocol import ControlError, Order

    began = time.monotonic()
    with _connected(node) as client:
        order = Order(
            kind=kind, what=what, force=force, share=share, seconds=seconds, cameras=cameras, then=then
        )
        number = client.order(order)
        while not (became := client.became(number)).done:
            _show(became.words)
            time.sleep(ASK_EVERY_S)
    _show("")
    if became.failed:
        raise ControlError(f"it was not done: {became.failed}")
    if became.unkept:
        raise ControlError(became.unkept)
    return time.monotonic() - began, became.words


def _show(words: str) -> None:
    """How far it is, on one line of a terminal."""
    if sys.stderr.isatty():
        print(f"\r\x1b[K{words}", end="", file=sys.stderr, flush=True)


def tell(kind: Literal["learn", "learn_more"], what: str, node: str | None) -> None:
    """Have a running node do it, and wait until it is done. Raises ControlError with the reason where it was
    not."""
    _done(kind, what, node)
