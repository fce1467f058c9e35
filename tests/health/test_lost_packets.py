"""Packets lost on the way to us: counted where they are missed, and told as the network's doing.

A simulated camera over real RTSP; from the socket to what is said of it. A few seconds.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Any

import numpy as np
import pytest

from patience import PATIENCE_S
from test_pipeline import Rig
from vedette.causes import Blame, Cause
from vedette.clock import SystemClock
from vedette.facts import Blind, Sees
from vedette.health.camera import CameraHealth
from vedette.health.stream import LOOK_EVERY_S
from vedette.ingest.lane import Lane
from vedette.ingest.rtsp.client import RtspSource
from vedette.sim import SimulatedCameras, encode_frames


@pytest.fixture
async def server() -> AsyncIterator[SimulatedCameras]:
    """One camera of noise: its frames take several packets each, at 25 fps with a keyframe a second."""
    rng = np.random.default_rng(7)
    pictures = (rng.integers(0, 255, (144, 256, 3), np.uint8) for _ in range(25))
    server = SimulatedCameras(encode_frames(pictures, fps=25, keyframe_every_s=1), cameras=1, port=0)
    await server.start()
    yield server
    await server.stop()


async def test_a_stream_of_which_packets_are_lost_is_corrupt_by_the_networks_doing(
    server: SimulatedCameras,
) -> None:
    clock = SystemClock()
    rig = Rig(clock=clock)  # type: ignore[arg-type]
    source = RtspSource(server.url(0), clock=clock, connect_timeout=PATIENCE_S)
    lane = Lane(rig.pipeline, clock, None)
    health = CameraHealth(rig.pipeline, lane, source, clock=clock, tell=rig.facts.append)
    reading = asyncio.create_task(source.run(lane))

    async def look_until(told: Callable[[Any], bool]) -> None:
        async with asyncio.timeout(PATIENCE_S):
            while not any(map(told, rig.facts)):
                assert not reading.done(), reading.result()
                await asyncio.sleep(LOOK_EVERY_S)
                health.look()

    def corrupt(fact: Any) -> bool:
        return isinstance(fact, Blind) and fact.cause is Cause.CORRUPT

    await look_until(lambda fact: isinstance(fact, Sees))
    assert rig.pipeline.notes.lost_packets == 0
    await server.set_fault("cam0", "loss", share=0.2)
    await look_until(corrupt)
    reading.cancel()
    with pytest.raises(asyncio.CancelledError):
        await reading
    (blind,) = filter(corrupt, rig.facts)
    assert blind.blame is Blame.NETWORK
    assert "missing" in blind.detail
    assert rig.pipeline.notes.lost_packets > 3
