"""Simulated cameras in a child process, so that they share no event loop with what they test."""

from __future__ import annotations

import asyncio
import contextlib
import re
import sys
from collections.abc import AsyncIterator
from dataclasses import dataclass

from vedette.errors import WorkerError

__all__ = ["SimProcess", "sim_process"]

_READY = re.compile(r"(?:# )?ready: .*on (\S+) port (\d+)$")
_STOP_S = 5.0


@dataclass(frozen=True, slots=True)
class SimProcess:
    """A running ``python -m vedette.sim``. ``lines``: what it printed until it was ready."""

    process: asyncio.subprocess.Process
    host: str
    port: int
    lines: tuple[str, ...]

    @property
    def pid(self) -> int:
        return self.process.pid

    def url(self, index: int) -> str:
        return f"rtsp://{self.host}:{self.port}/cam{index}"


@contextlib.asynccontextmanager
async def sim_process(*options: str, ready_within_s: float = 120.0) -> AsyncIterator[SimProcess]:
    """Run ``python -m vedette.sim OPTIONS`` (``--port 0`` takes a free one) for the length of the block.

    It also ends when this process does, however it does: it holds on to a pipe of ours.

    Raises:
        WorkerError: it did not get ready; the message holds what it said.
    """
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "vedette.sim", "--while-stdin", *options),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    try:
        yield await asyncio.wait_for(_ready(process), ready_within_s)
    except TimeoutError as error:
        raise WorkerError(f"simulated cameras were not ready within {ready_within_s:g} s") from error
    finally:
        await _stop(process)


async def _ready(process: asyncio.subprocess.Process) -> SimProcess:
    assert process.stdout is not None
    lines: list[str] = []
    async for raw in process.stdout:
        lines.append(raw.decode().rstrip())
        if (match := _READY.match(lines[-1])) is not None:
            return SimProcess(process, match[1], int(match[2]), tuple(lines))
    code = await process.wait()
    raise WorkerError(f"simulated cameras ended before they were ready (exit code {code}); see above")


async def _stop(process: asyncio.subprocess.Process) -> None:
    if process.returncode is None:
        with contextlib.suppress(ProcessLookupError):
            process.terminate()
        try:
            await asyncio.wait_for(process.wait(), _STOP_S)
        except TimeoutError:
            process.kill()
            await process.wait()
