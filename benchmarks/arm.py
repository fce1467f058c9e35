"""Runs one arm beside a fresh simulator and measures from outside what its processes cost."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks import ROOT
from benchmarks.cost import Costs, cpu_columns, cpu_s, pss_columns, pss_samples, total
from benchmarks.sim_process import SimProcess

__all__ = ["ARMS", "Arm", "run_arm"]

PEER_PYTHON = ROOT / ".venv-peer" / "bin" / "python"
WARM_UP_S = 5.0

GRAIN = 10.0
"""At 25 fps this gives 455 kbit/s and keyframes of 26 kB, like a camera's second stream."""


@dataclass(frozen=True)
class Arm:
    """A program that speaks :mod:`benchmarks.recorder`'s events, and its own arguments."""

    module: str
    python: str | Path = sys.executable
    arguments: tuple[str, ...] = ()

    def command(self, *arguments: str) -> list[str]:
        return [str(self.python), "-m", self.module, *self.arguments, *arguments]


ARMS = {
    "ours": Arm("benchmarks.ours"),
    "ours-bytetrack": Arm("benchmarks.ours", arguments=("--tracker=bytetrack",)),
    "peer": Arm("benchmarks.peer", PEER_PYTHON),
    # Its own defaults keep up to 64 decoded frames per source.
    "peer-buffer-1": Arm("benchmarks.peer", PEER_PYTHON, ("--buffer=1",)),
}


def run_arm(name: str, *, cameras: int, fps: float, seconds: float) -> dict[str, Any]:
    """One row of the table. Raises RuntimeError, with what the arm said last, where it fails."""
    with (
        tempfile.TemporaryDirectory(prefix="vedette-bench-") as folder,
        SimProcess(Path(folder), cameras=cameras, fps=fps, grain=GRAIN) as sim,
    ):
        command = ARMS[name].command(
            f"--port={sim.port}",
            f"--cameras={cameras}",
            f"--sent={sim.sent}",
            f"--warm-up={WARM_UP_S}",
            f"--seconds={seconds}",
        )
        with (Path(folder) / "stderr.txt").open("w+") as errors:
            process = subprocess.Popen(
                command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=errors, text=True
            )
            try:
                row = _watch(process, sim)
            except (RuntimeError, OSError, ValueError) as error:
                errors.seek(0)
                raise RuntimeError(f"{name}: {error}\n{errors.read()[-4000:]}") from error
            finally:
                process.kill()
                process.wait()
    return {"arm": name, "cameras": cameras, "fps": fps, "seconds": seconds, "clip": sim.clip, **row}


def _watch(process: subprocess.Popen[str], sim: SimProcess) -> dict[str, Any]:
    assert process.stdin is not None
    assert process.stdout is not None
    at: dict[str, float] = {}
    row: dict[str, Any] = {}
    cpu: Costs = {}
    simulator_cpu = 0.0
    for line in process.stdout:
        if not line.startswith("{"):
            continue
        event = json.loads(line)
        kind = event.pop("event")
        at[kind] = event.get("at", 0.0)
        match kind:
            case "begin":
                cpu, simulator_cpu = cpu_s(process.pid), total(cpu_s(sim.pid))
            case "end":
                span = at["end"] - at["begin"]
                row |= cpu_columns(cpu, cpu_s(process.pid), span)
                row["simulator_cpu_cores"] = round((total(cpu_s(sim.pid)) - simulator_cpu) / span, 3)
                # After the measured stretch, at the same load: reading a process's memory map stops it.
                row |= pss_columns(pss_samples(process.pid))
                process.stdin.close()
            case "trouble":
                row.setdefault("trouble", []).append(event)
            case "result" | "stages":
                row |= event if kind == "result" else {"stages_ms": event}
            case "live":
                row["cameras_live"] = event["cameras"]
    if "results" not in row:
        raise RuntimeError(f"ended before it had measured (exit code {process.wait()})")
    row["start_to_up_s"] = round(at["up"] - at["start"], 2)
    row["up_to_first_results_s"] = round(at["live"] - at["up"], 2)
    if "open" in at:
        row["up_to_open_s"] = round(at["open"] - at["up"], 2)
    return row
