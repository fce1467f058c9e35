"""Runs one arm beside a fresh simulator, and brings home what it wrote down."""

from __future__ import annotations

import json
import resource
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from benchmarks import ROOT
from benchmarks.cost import cpu_columns, cpu_s, pss_columns, pss_samples, total
from benchmarks.latency.child import Child
from benchmarks.latency.figures import between
from benchmarks.latency.log import read_results
from benchmarks.latency.pace import Pace
from benchmarks.sim_process import SimProcess

__all__ = ["ARMS", "GRAIN", "Measured", "Plan", "measure"]

PEER_PYTHON = ROOT / ".venv-peer" / "bin" / "python"

ARMS = {
    "ours": [sys.executable, "-m", "benchmarks.latency.our_arm"],
    "peer-auto": [str(PEER_PYTHON), "-m", "benchmarks.latency.peer_arm", "--mode=auto"],
    "peer-freshest": [str(PEER_PYTHON), "-m", "benchmarks.latency.peer_arm", "--mode=freshest"],
}

GRAIN = 10.0
"""At 25 fps this gives 455 kbit/s and keyframes of 26 kB, like a camera's second stream."""

_LIVE_WITHIN_S = 330.0


@dataclass(frozen=True, kw_only=True)
class Plan:
    """What an arm is put before.

    ``clip``: ``index``, whose pictures carry their number, or ``driveway``, the bundled one, mostly still.
    ``big``: so many of the cameras, the last ones, send 3840×2160. ``node``: keys of our configuration; a
    detector among them takes the place of the paced one. ``sample``: seconds from one sample of the node's
    totals to the next. ``warm_up``: seconds after all cameras answered.
    """

    cameras: int
    fps: float = 25.0
    clip: str = "index"
    grain: float = GRAIN
    big: int = 0
    pace: Pace = field(default_factory=Pace)
    node: dict[str, Any] = field(default_factory=dict)
    sample: float = 1.0
    warm_up: float = 5.0


@dataclass(frozen=True, kw_only=True)
class Measured:
    """``results``: float64 [n, 4] as in :func:`benchmarks.latency.log.read_results`, of the whole run; the
    measured stretch is from ``begin`` to ``end`` (monotonic s). ``facts``, ``samples``: as our arm wrote
    them. ``before``, ``after``: its marks at begin and end. ``costs``: columns for the table. ``extra``: what
    came of the stretch itself; ``beside``: of what was done before and after the arm."""

    arm: str
    plan: Plan
    begin: float
    end: float
    results: npt.NDArray[np.float64]
    facts: list[dict[str, Any]]
    samples: list[dict[str, Any]]
    before: dict[str, Any]
    after: dict[str, Any]
    costs: dict[str, Any]
    clip: dict[str, Any]
    extra: Any = None
    beside: list[Any] = field(default_factory=list)

    @property
    def stretch(self) -> npt.NDArray[np.float64]:
        """Results that reached the user in the measured stretch."""
        return between(self.results, self.begin, self.end)


During = Callable[[Child, float], Any]
"""What happens in the measured stretch, given the arm and its seconds; returns when they are over. What it
returns is ``extra``."""


def measure(
    arm: str,
    plan: Plan,
    seconds: float,
    during: During | None = None,
    *,
    keep_clip: Path | None = None,
    before_and_after: Callable[[], Any] | None = None,
) -> Measured:
    """One arm, from its start to its end. ``keep_clip``: a file to which the clip's frames are written.
    ``before_and_after`` is called when only the simulator runs.

    Raises RuntimeError, with what the arm said last, where it fails.
    """
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    with tempfile.TemporaryDirectory(prefix="vedette-bench-") as name:
        folder = Path(name)
        simulator = SimProcess(
            folder,
            cameras=plan.cameras,
            fps=plan.fps,
            grain=plan.grain,
            clip=plan.clip,
            big=plan.big,
            keep=keep_clip,
        )
        with simulator as sim:
            beside = [before_and_after()] if before_and_after else []
            with Child(_command(arm, plan, sim, folder), folder) as child:
                try:
                    measured = _measured(arm, plan, seconds, during or _wait, sim, child, folder)
                except RuntimeError as error:
                    raise RuntimeError(f"{arm}: {error}") from error
            if before_and_after:
                beside.append(before_and_after())
    return replace(measured, beside=beside)


def _command(arm: str, plan: Plan, sim: SimProcess, folder: Path) -> list[str]:
    return [
        *ARMS[arm],
        f"--port={sim.port}",
        f"--cameras={plan.cameras}",
        f"--sent={sim.sent}",
        f"--folder={folder}",
        f"--pace={json.dumps(plan.pace.options())}",
        f"--node={json.dumps(plan.node)}",
        f"--sample={plan.sample}",
    ]


def _measured(
    arm: str, plan: Plan, seconds: float, during: During, sim: SimProcess, child: Child, folder: Path
) -> Measured:
    started = time.monotonic()
    live = child.expect("live", _LIVE_WITHIN_S)
    time.sleep(plan.warm_up)
    before = child.ask()
    begin, cpu, simulator = time.monotonic(), cpu_s(child.pid), total(cpu_s(sim.pid))
    extra = during(child, seconds)
    end = time.monotonic()
    costs = cpu_columns(cpu, cpu_s(child.pid), end - begin)
    costs["cpu_s"] = round(costs["cpu_cores"] * (end - begin), 3)
    costs["simulator_cpu_cores"] = round((total(cpu_s(sim.pid)) - simulator) / (end - begin), 3)
    costs["start_to_answered_s"] = round(live["at"] - started, 2)
    costs["cameras_live"] = live["cameras"]
    after = child.ask()
    # After the measured stretch, at the same load: reading a process's memory map stops it.
    costs |= pss_columns(pss_samples(child.pid, 4))
    child.end()
    return Measured(
        arm=arm,
        plan=plan,
        begin=begin,
        end=end,
        results=read_results(folder / "results.bin"),
        facts=_lines(folder / "facts.jsonl"),
        samples=_lines(folder / "samples.jsonl"),
        before=before,
        after=after,
        costs=costs,
        clip=sim.clip,
        extra=extra,
    )


def _wait(_: Child, seconds: float) -> None:
    time.sleep(seconds)


def _lines(path: Path) -> list[dict[str, Any]]:
    """Of a file that only our arm writes."""
    if not path.exists():
        return []
    return [json.loads(line) for line in path.read_text().splitlines() if line.endswith("}")]
