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
    ``count_path``: int64 of that shape, how often. ``clip``: ``index``, numbered pictures, or ``driveway``,
    the bundled one. ``big``: so many of the cameras, the last ones, send 3840×2160. ``keep``: a file for the
    clip's frames, as msgpack: a list of access units, Annex B.
    """

    def __init__(
        self,
        folder: Path,
        *,
        cameras: int,
        fps: float,
        grain: float,
        clip: str = "index",
        big: int = 0,
        keep: Path | None = None,
    ) -> None:
        self.sent, self.count_path = folder / "sent.npy", folder / "counts.npy"
        self._command = [sys.executable, "-m", "benchmarks.sim_process"]
        self._command += [f"--cameras={cameras}", f"--fps={fps}", f"--grain={grain}"]
        self._command += [f"--sent={self.sent}", f"--counts={self.count_path}"]
        self._command += [f"--clip={clip}", f"--big={big}", *([f"--keep={keep}"] if keep else [])]

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
    import msgspec

    from vedette.sim import SentLog, SimulatedCameras
    from vedette.sim.h264 import annexb

    class CountingLog(SentLog):
        def __init__(self, path: Path, cameras: int, slots: int, counts: Path) -> None:
            super().__init__(path, cameras, slots)
            self._counts: Any = np.lib.format.open_memmap(counts, "w+", np.int64, (cameras, slots))

        def record(self, camera: int, slot: int, at: float) -> None:
            super().record(camera, slot, at)
            self._counts[camera, slot] += 1

    clips = _clips(options)
    clip = clips[0]
    if options.keep:
        options.keep.write_bytes(msgspec.msgpack.encode([annexb(unit.payloads) for unit in clip.units]))
    slots = max(len(each.units) for each in clips)
    log = CountingLog(options.sent, options.cameras, slots, options.counts)
    server = SimulatedCameras(clips, cameras=options.cameras, port=0, sent_log=log)
    await server.start()
    print(json.dumps({"port": server.port, **_facts(clip)}), flush=True)
    over = asyncio.Event()
    # The harness holds our standard input: it ends when the harness does, however it does.
    asyncio.get_running_loop().add_reader(sys.stdin, over.set)
    await over.wait()
    await server.stop()


def _clips(options: argparse.Namespace) -> list[Clip]:
    """One for each camera, or one for all."""
    from benchmarks.index_clip import big_index_clip, index_clip
    from vedette.sim.clip import bundled_clip, prepare_clip

    if options.clip == "driveway":
        clip = prepare_clip(bundled_clip(), fps=options.fps, width=640, height=360)
    else:
        clip = index_clip(options.fps, options.grain)
    if not options.big:
        return [clip]
    return [clip] * (options.cameras - options.big) + [big_index_clip(options.fps)] * options.big


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
    parser.add_argument("--clip", choices=["index", "driveway"], default="index")
    parser.add_argument("--big", type=int, default=0)
    parser.add_argument("--keep", type=Path)
    options = parser.parse_args()
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    import uvloop

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(_serve(options))


if __name__ == "__main__":
    main()
