"""``vedette sim``: options in, cameras up, until told to stop."""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import os
import re
import resource
import signal
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from vedette.errors import ConfigError
from vedette.sim.auth import Scheme
from vedette.sim.clip import Clip, bundled_clip, prepare_clip
from vedette.sim.faults import Fault, Schedule, parse_flag, plan, read_schedule
from vedette.sim.faults.player import FaultLog, Player, say
from vedette.sim.sentlog import SentLog
from vedette.sim.server import SimulatedCameras

__all__ = ["SimOptions", "run_sim", "sim"]

_SHOWN = 8
"""Addresses printed one by one; of more cameras the first, the last and the count."""

_SIZE = re.compile(r"(\d{1,5})[x×](\d{1,5})")
_SECONDS = re.compile(r"(\d+(?:\.\d+)?)(ms|s|m)?")


@dataclass(frozen=True, slots=True)
class SimOptions:
    """What ``vedette sim`` was asked for. ``size`` in pixels, width first; None keeps the clip's aspect."""

    cameras: int = 8
    clip: Path | None = None
    host: str = "127.0.0.1"
    port: int = 8554
    fps: float = 25
    size: tuple[int, int] | None = None
    keyframe_every_s: float = 2.0
    user: str | None = None
    password: str | None = None
    auth: Scheme = "digest"
    seed: int = 0
    sent_log: Path | None = None
    faults: Path | None = None
    fault: tuple[Fault, ...] = ()
    fault_log: Path | None = None
    print_config: bool = False
    while_stdin: bool = False


def sim(
    cameras: Annotated[int, typer.Option(min=1, help="How many cameras.")] = 8,
    clip: Annotated[Path | None, typer.Option(help="Any video file; the bundled driveway otherwise.")] = None,
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="RTSP port; 0 takes a free one.")] = 8554,
    fps: Annotated[float, typer.Option(help="Frames per second of each camera.")] = 25,
    size: Annotated[
        str | None, typer.Option(help="WIDTHxHEIGHT; else as the clip, at most 640 wide.")
    ] = None,
    keyframe_every: Annotated[str, typer.Option(help="Time between keyframes, like 2s or 500ms.")] = "2s",
    user: Annotated[str | None, typer.Option(help="User that readers must name.")] = None,
    password: Annotated[
        str | None, typer.Option(envvar="VEDETTE_SIM_PASSWORD", help="Password that readers must know.")
    ] = None,
    auth: Annotated[str, typer.Option(help="digest or basic.")] = "digest",
    seed: Annotated[
        int, typer.Option(help="Decides each camera's place in the clip, its phase, and drawn faults.")
    ] = 0,
    sent_log: Annotated[Path | None, typer.Option(help="Write when each frame was sent (.npy).")] = None,
    faults: Annotated[Path | None, typer.Option(help="What goes wrong when: a schedule (YAML).")] = None,
    fault: Annotated[
        list[str] | None, typer.Option(help='One fault, like "stall cam0 at=10s for=20s"; repeatable.')
    ] = None,
    fault_log: Annotated[
        Path | None, typer.Option(help="Write when each fault began and ended (JSON lines).")
    ] = None,
    print_config: Annotated[bool, typer.Option("--print-config", help="Print a `cameras:` block.")] = False,
    while_stdin: Annotated[
        bool, typer.Option("--while-stdin", help="Stop when standard input ends.")
    ] = False,
) -> None:
    """Simulate cameras: a clip, played by many cameras over real RTSP (TCP and UDP), until interrupted."""
    run_sim(
        SimOptions(
            cameras=cameras,
            clip=clip,
            host=host,
            port=port,
            fps=fps,
            size=None if size is None else _parse_size(size),
            keyframe_every_s=_parse_seconds(keyframe_every),
            user=user,
            password=password,
            auth=_parse_scheme(auth),
            seed=seed,
            sent_log=sent_log,
            faults=faults,
            fault=tuple(parse_flag(text) for text in fault or ()),
            fault_log=fault_log,
            print_config=print_config,
            while_stdin=while_stdin,
        )
    )


def run_sim(options: SimOptions) -> None:
    """Prepare the clip, serve it, return on SIGINT, SIGTERM or (``while_stdin``) the end of standard input.

    Raises:
        ConfigError, SourceError: an option makes no sense, the clip or the port cannot be used.
    """
    width, height = options.size or (None, None)
    clip = prepare_clip(
        options.clip or bundled_clip(),
        fps=options.fps,
        width=width,
        height=height,
        keyframe_every_s=options.keyframe_every_s,
    )
    _allow_many_files()
    with asyncio.Runner(loop_factory=_loop_factory()) as runner:
        runner.run(_serve(options, clip))


async def _serve(options: SimOptions, clip: Clip) -> None:
    log = options.sent_log
    server = SimulatedCameras(
        clip,
        cameras=options.cameras,
        host=options.host,
        port=options.port,
        user=options.user,
        password=options.password,
        auth=options.auth,
        seed=options.seed,
        sent_log=None if log is None else SentLog(log, options.cameras, len(clip.units)),
    )
    stop = _stop_event(options.while_stdin)
    async with contextlib.AsyncExitStack() as stack:
        player = _player(options, server, stack)
        await player.prepare()
        await server.start()
        stack.push_async_callback(server.stop)
        stack.push_async_callback(player.stop)
        player.start()
        lines = _config(server, options) if options.print_config else _addresses(server)
        print("\n".join(lines), flush=True)
        await stop.wait()


def _player(options: SimOptions, server: SimulatedCameras, stack: contextlib.AsyncExitStack) -> Player:
    """Plays the faults that were asked for; each is told on standard error, and logged where wanted."""
    schedule = Schedule(seed=options.seed) if options.faults is None else read_schedule(options.faults)
    schedule = dataclasses.replace(schedule, faults=(*schedule.faults, *options.fault))
    if options.fault_log is not None:
        server.on_fault(stack.enter_context(FaultLog(options.fault_log)).write)
    player = Player(server, plan(schedule, [camera.name for camera in server.cameras]))
    server.on_fault(lambda note: say(note, player.began_at))
    return player


def _stop_event(while_stdin: bool) -> asyncio.Event:
    loop, stop = asyncio.get_running_loop(), asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)

    def on_stdin() -> None:
        if not os.read(sys.stdin.fileno(), 4096):
            loop.remove_reader(sys.stdin)
            stop.set()

    if while_stdin:
        loop.add_reader(sys.stdin, on_stdin)
    return stop


def _addresses(server: SimulatedCameras) -> list[str]:
    """One line per camera, or the first and the last of many; the last line begins with ``ready``."""
    count = len(server.cameras)
    urls = [server.url(index) for index in range(count)]
    shown = urls if count <= _SHOWN else [urls[0], "…", urls[-1]]
    clip, fps = server.cameras[0].clip, server.cameras[0].fps
    what = f"{count} camera{'s' if count > 1 else ''}, {clip.width}x{clip.height}, {fps:g} fps"
    return [*shown, f"ready: {what}, on {server.host} port {server.port}"]


def _config(server: SimulatedCameras, options: SimOptions) -> list[str]:
    """A ``cameras:`` block; credentials stand in it as variables, never as themselves."""
    urls = [(camera.name, server.url(camera.index)) for camera in server.cameras]
    if options.user is not None:
        urls = [(name, url.replace("://", "://${CAM_USER}:${CAM_PASSWORD}@")) for name, url in urls]
    lines = [f"  {name}:\n    url: {url}" for name, url in urls]
    return ["cameras:", *lines, f"# ready: {len(urls)} cameras, on {server.host} port {server.port}"]


def _parse_size(text: str) -> tuple[int, int]:
    if (match := _SIZE.fullmatch(text.strip().lower())) is None:
        raise ConfigError(f"--size {text}: must be WIDTHxHEIGHT, like 640x360")
    return int(match[1]), int(match[2])


def _parse_seconds(text: str) -> float:
    if (match := _SECONDS.fullmatch(text.strip().lower())) is None:
        raise ConfigError(f"--keyframe-every {text}: must be a time, like 2s or 500ms")
    return float(match[1]) * {"ms": 0.001, "m": 60.0}.get(match[2] or "s", 1.0)


def _parse_scheme(text: str) -> Scheme:
    if text == "digest":
        return "digest"
    if text == "basic":
        return "basic"
    raise ConfigError(f"--auth {text}: must be digest or basic")


def _allow_many_files() -> None:
    """A reader is an open file; the usual limit of 1024 is too low for a thousand cameras."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != hard:
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


def _loop_factory() -> type[asyncio.AbstractEventLoop] | None:
    try:
        import uvloop
    except ImportError:
        return None
    return uvloop.Loop
