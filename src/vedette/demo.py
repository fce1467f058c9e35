"""``vedette demo``: simulated cameras over real RTSP, watched with the bundled model."""

from __future__ import annotations

import asyncio
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from vedette.config import Config
from vedette.console import asked_by, run_blocking
from vedette.errors import WorkerError
from vedette.sim.child import sim_process

__all__ = ["demo"]


def demo(
    *,
    cameras: int = 8,
    seconds: float | None = None,
    report: Path | None = None,
    table: bool = True,
    save_video: Path | None = None,
    web: str | None = None,
    json: bool = False,
) -> int:
    """Run the demo; returns the exit code. The first start encodes the clip, which takes some seconds. What
    it puts on record, for its dashboard to show, is gone with it."""
    # Signals that are answered later must not end it before there is anything to tell.
    with (
        asked_by(signal.SIGUSR1),
        TemporaryDirectory(prefix="vedette-demo-") as folder,
        _cameras(cameras) as urls,
    ):
        config = Config(
            cameras={f"camera_{number}": {"url": url} for number, url in enumerate(urls, 1)},
            ledger={"node": "demo"},
            folder=folder,
        )
        if web is not None:
            config = config.with_web(web)
        return run_blocking(
            config, seconds=seconds, report=report, table=table, save_video=save_video, json=json
        )


@contextmanager
def _cameras(count: int) -> Iterator[list[str]]:
    """Cameras in a process of their own, looked after by a loop in a thread of ours."""
    ready: threading.Event = threading.Event()
    found: list[str] = []
    failure: list[BaseException] = []
    loop = asyncio.new_event_loop()
    done = asyncio.Event()

    async def simulate() -> None:
        try:
            async with sim_process("--cameras", str(count), "--port", "0") as sim:
                found.extend(f"rtsp://{sim.host}:{sim.port}/cam{index}" for index in range(count))
                ready.set()
                await done.wait()
        except (WorkerError, OSError) as err:
            failure.append(err)
        finally:
            ready.set()

    thread = threading.Thread(target=lambda: loop.run_until_complete(simulate()), daemon=True)
    thread.start()
    ready.wait()
    try:
        if failure:
            raise failure[0]
        yield found
    finally:
        loop.call_soon_threadsafe(done.set)
        thread.join()
        loop.close()
