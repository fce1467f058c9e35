"""Programs that are not ours read the cameras."""

from __future__ import annotations

import asyncio
import re
from itertools import pairwise

import av
import pytest

from patience import PATIENCE_S
from servers import FFMPEG
from vedette.sim import Clip, SimulatedCameras


async def ffmpeg(url: str, transport: str, frames: int) -> tuple[int, int, str]:
    """Exit code, frames decoded and what it said."""
    process = await asyncio.create_subprocess_exec(
        *(FFMPEG, "-hide_banner", "-nostdin", "-loglevel", "warning", "-stats", "-xerror"),
        *("-rtsp_transport", transport, "-i", url, "-frames:v", str(frames), "-f", "null", "-"),
        stderr=asyncio.subprocess.PIPE,
    )
    _, output = await asyncio.wait_for(process.communicate(), PATIENCE_S)
    said = output.decode(errors="replace")
    counts = re.findall(r"frame=\s*(\d+)", said)
    return process.returncode or 0, int(counts[-1]) if counts else 0, said


@pytest.mark.parametrize("transport", ["tcp", "udp"])
async def test_ffmpeg_decodes_every_frame(serve, transport: str) -> None:
    # Slow enough for a UDP buffer to hold what is sent while ffmpeg stands still.
    server = await serve(cameras=2, fps=25)
    code, frames, said = await ffmpeg(server.url(1), transport, 60)
    assert (code, frames) == (0, 60)
    assert "error" not in said.lower()
    assert server.cameras[1].counts.dropped == 0


@pytest.mark.parametrize("auth", ["digest", "basic"])
async def test_ffmpeg_gets_in_with_the_password_and_not_without(serve, auth: str) -> None:
    server: SimulatedCameras = await serve(cameras=1, user="viewer", password="p@ss:word/1", auth=auth)
    assert (await ffmpeg(server.url(0, credentials=True), "tcp", 10))[:2] == (0, 10)
    for url in (server.url(0), server.url(0).replace("://", "://viewer:wrong@")):
        code, frames, said = await ffmpeg(url, "tcp", 10)
        assert (code != 0, frames) == (True, 0)
        assert "401" in said


async def test_pyav_decodes_the_clip_with_its_timestamps(serve, clip: Clip) -> None:
    server = await serve(cameras=1)

    def read() -> list[tuple[int, int, float]]:
        with av.open(server.url(0), options={"rtsp_transport": "tcp"}, timeout=PATIENCE_S) as container:
            frames = container.decode(video=0)
            return [(f.width, f.height, float(f.time or 0)) for f, _ in zip(frames, range(50), strict=False)]

    seen = await asyncio.to_thread(read)
    assert {(width, height) for width, height, _ in seen} == {(64, 48)}
    times = [time for _, _, time in seen]
    assert all(abs(b - a - 1 / clip.fps) < 0.002 for a, b in pairwise(times))
