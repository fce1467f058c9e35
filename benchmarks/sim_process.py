"""Simulated cameras in a process of their own, as ``python -m benchmarks.sim_process``; and its handle."""

from __future__ import annotations

import argparse
import asyncio
import json
import resource
import subprocess
import sys
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

import numpy as np
import numpy.typing as npt

from benchmarks import ROOT

if TYPE_CHECKING:
    from vedette.sim import Clip

__all__ = ["SimProcess"]


class SimProcess:
    """``with SimProcess(folder, cameras=32, fps=25, grain=10) as sim``: ``port``, ``pid``, and the logs.

    ``sent``: path of float64 [cameras, frames of the clip], the monotonic second at which each was last sent;
    ``count_path``: int64 of that shape, how often.
    """

    def __init__(self, folder: Path, *, cameras: int, fps: float, grain: float) -> None:
        self.sent, self.count_path = folder / "sent.npy", folder / "counts.npy"
        self._command = [sys.executable, "-m", "benchmarks.sim_process"]
        self._command += [f"--cameras={cameras}", f"--fps={fps}", f"--grain={grain}"]
        self._command += [f"--sent={self.sent}", f"--counts={self.count_path}"]

    def __enter__(self) -> Self:
        self._process = subprocess.Popen(
            self._command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        assert self._process.stdout is not None
        ready: dict[str, Any] = json.loads(self._process.stdout.readline())
        self.port, self.pid = int(ready["port"]), self._process.pid
        self.keyframes: list[int] = ready["keyframes"]
        self.clip = {"kbit_per_s": ready["kbit_per_s"], "keyframe_bytes": ready["keyframe_bytes"]}
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._process.stdin is not None
        self._process.stdin.close()
        try:
            self._process.wait(10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def counts(self) -> npt.NDArray[np.int64]:
        """How often each frame of the clip was sent so far, per camera: int64 [cameras, frames]."""
        found: npt.NDArray[np.int64] = np.load(self.count_path)
        return found


async def _serve(options: argparse.Namespace) -> None:
    # Here, because whoever only wants the handle needs none of it.
    from benchmarks.index_clip import index_clip
    from vedette.sim import SentLog, SimulatedCameras

    class CountingLog(SentLog):
        def __init__(self, path: Path, cameras: int, slots: int, counts: Path) -> None:
            super().__init__(path, cameras, slots)
            self._counts: Any = np.lib.format.open_memmap(counts, "w+", np.int64, (cameras, slots))

        def record(self, camera: int, slot: int, at: float) -> None:
            super().record(camera, slot, at)
            self._counts[camera, slot] += 1

    clip = index_clip(options.fps, options.grain)
    log = CountingLog(options.sent, options.cameras, len(clip.units), options.counts)
    server = SimulatedCameras(clip, cameras=options.cameras, port=0, sent_log=log)
    await server.start()
    print(json.dumps({"port": server.port, **_facts(clip)}), flush=True)
    over = asyncio.Event()
    # The harness holds our standard input: it ends when the harness does, however it does.
    asyncio.get_running_loop().add_reader(sys.stdin, over.set)
    await over.wait()
    await server.stop()


def _facts(clip: Clip) -> dict[str, Any]:
    sizes = [sum(map(len, unit.payloads)) for unit in clip.units]
    keyframes = [slot for slot, unit in enumerate(clip.units) if unit.keyframe]
    return {
        "keyframes": keyframes,
        "kbit_per_s": round(sum(sizes) * 8 / clip.seconds / 1000),
        "keyframe_bytes": round(sum(sizes[slot] for slot in keyframes) / len(keyframes)),
    }


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--cameras", type=int, required=True)
    parser.add_argument("--fps", type=float, required=True)
    parser.add_argument("--grain", type=float, required=True)
    parser.add_argument("--sent", type=Path, required=True)
    parser.add_argument("--counts", type=Path, required=True)
    options = parser.parse_args()
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    import uvloop

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(_serve(options))


if __name__ == "__main__":
    main()
