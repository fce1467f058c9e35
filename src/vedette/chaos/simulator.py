"""Simulated cameras that fail by plan, in a process of their own: ``python -m vedette.chaos.simulator``.

So they cannot disturb the timing of the node that watches them. The first line of standard input is an
:class:`Order`; once the cameras answer, a line says so. The next line lets the plan begin, and each beginning
and end of a fault is a line. They end with standard input, that is, with whoever started them.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import sys
from pathlib import Path

import msgspec

from vedette.errors import VedetteError, redact
from vedette.sim.faults import FaultEvent

__all__ = ["Began", "Failed", "Note", "Order", "Ready", "Word", "camera_name"]


class Order(msgspec.Struct, frozen=True):
    """``clip`` None: the bundled one. ``events`` name cameras as :func:`camera_name` does."""

    cameras: int
    events: list[FaultEvent]
    clip: str | None = None
    fps: float = 25.0
    seed: int = 0


class Ready(msgspec.Struct, frozen=True, tag=True):
    """``kbps``: of the clip, on the mean. ``keyframe_every``: seconds."""

    port: int
    kbps: float
    keyframe_every: float


class Began(msgspec.Struct, frozen=True, tag=True):
    """Times of the plan count from this monotonic second."""

    at: float


class Note(msgspec.Struct, frozen=True, tag=True):
    """The fault of that id began or ended, at a monotonic second."""

    id: str
    ended: bool
    at: float


class Failed(msgspec.Struct, frozen=True, tag=True):
    """There will be no cameras."""

    message: str


Word = Ready | Began | Note | Failed


def camera_name(index: int) -> str:
    return f"cam{index}"


def main() -> None:
    order = msgspec.json.decode(sys.stdin.buffer.readline(), type=Order)
    try:
        asyncio.run(_serve(order))
    except VedetteError as error:
        _say(Failed(redact(str(error))))
        sys.exit(error.exit_code)


async def _serve(order: Order) -> None:
    from vedette.sim.clip import bundled_clip, prepare_clip
    from vedette.sim.faults.player import Player
    from vedette.sim.server import SimulatedCameras

    clip = prepare_clip(Path(order.clip) if order.clip else bundled_clip(), fps=order.fps)
    server = SimulatedCameras(clip, cameras=order.cameras, port=0, seed=order.seed)
    player = Player(server, order.events)
    server.on_fault(lambda note: _say(Note(note.event.id, note.ended, note.at)))
    await player.prepare()
    await server.start()
    try:
        size = sum(len(payload) for unit in clip.units for payload in unit.payloads)
        keyframes = sum(unit.keyframe for unit in clip.units)
        _say(Ready(server.port, size * 8 / 1000 / clip.seconds, clip.seconds / keyframes))
        words = await _standard_input()
        if await words.readline():
            player.start()
            _say(Began(player.began_at))
            await words.read()
    finally:
        await player.stop()
        await server.stop()


async def _standard_input() -> asyncio.StreamReader:
    reader = asyncio.StreamReader()
    loop = asyncio.get_running_loop()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    return reader


def _say(word: Word) -> None:
    # Whoever listened may be gone: then standard input ends, too.
    with contextlib.suppress(BrokenPipeError):
        os.write(sys.stdout.fileno(), msgspec.json.encode(word) + b"\n")


if __name__ == "__main__":
    main()
