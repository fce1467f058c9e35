"""A thousand cameras on two cores, keyframes decoded: do they all open, is every keyframe decoded, what
does it cost?"""

from __future__ import annotations

import json
import os
import resource
import select
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from benchmarks import ROOT
from benchmarks.cost import cpu_columns, cpu_s, pss_columns, pss_mb, pss_samples, total
from benchmarks.sim_process import SimProcess

__all__ = ["THOUSAND_COLUMNS", "run_thousand"]

FPS = 5.0
OPEN_WITHIN_S = 120.0
SETTLE_S = 5.0
DRAIN_S = 2.0

THOUSAND_COLUMNS = {
    "cameras": "{cameras}",
    "all open s": "{up_to_open_s:.2f}",
    "keyframes sent": "{keyframes_sent}",
    "decoded": "{keyframes_decoded}",
    "failed": "{outcomes[failed]}",
    "sessions": "{sessions}",
    "CPU cores": "{cpu_cores:.2f}",
    "PSS MB": "{pss_peak_mb:.0f}",
    "simulator CPU": "{simulator_cpu_cores:.2f}",
    "simulator PSS MB": "{simulator_pss_mb:.0f}",
}


def run_thousand(cameras: int, *, seconds: float) -> dict[str, Any]:
    """One row. Raises RuntimeError where the node ends before it was measured."""
    # A camera is a socket, at both ends.
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    with (
        tempfile.TemporaryDirectory(prefix="vedette-bench-") as folder,
        SimProcess(Path(folder), cameras=cameras, fps=FPS, grain=0.0) as sim,
    ):
        command = [sys.executable, "-m", "benchmarks.thousand_node"]
        node = subprocess.Popen(
            [*command, f"--port={sim.port}", f"--cameras={cameras}"],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        try:
            row = _measure(node, sim, seconds)
        finally:
            # It may have been halted to be counted.
            os.kill(sim.pid, signal.SIGCONT)
            node.kill()
            node.wait()
    return {"cameras": cameras, "fps": FPS, "seconds": seconds, "clip": sim.clip, **row}


def _measure(node: subprocess.Popen[bytes], sim: SimProcess, seconds: float) -> dict[str, Any]:
    assert node.stdin is not None
    events = _events(node, until="open", within=OPEN_WITHIN_S)
    row: dict[str, Any] = {}
    if "open" in events:
        row["start_to_up_s"] = round(events["up"]["at"] - events["start"]["at"], 2)
        row["up_to_open_s"] = round(events["open"]["at"] - events["up"]["at"], 2)
    time.sleep(SETTLE_S)
    began, cpu, simulator_cpu = time.monotonic(), cpu_s(node.pid), total(cpu_s(sim.pid))
    time.sleep(seconds)
    span = time.monotonic() - began
    row |= cpu_columns(cpu, cpu_s(node.pid), span)
    row["simulator_cpu_cores"] = round((total(cpu_s(sim.pid)) - simulator_cpu) / span, 3)
    row |= pss_columns(pss_samples(node.pid, 4))
    row["simulator_pss_mb"] = round(total(pss_mb(sim.pid)), 1)
    # Halted in mid-air, the simulator sends nothing more, and both sides can be counted exactly.
    os.kill(sim.pid, signal.SIGSTOP)
    time.sleep(DRAIN_S)
    counts = sim.counts()
    node.stdin.close()
    result = _events(node, until="result", within=30.0).get("result")
    if result is None:
        raise RuntimeError("the node ended before it was measured")
    row["frames_sent"], row["keyframes_sent"] = int(counts.sum()), int(counts[:, sim.keyframes].sum())
    # Of the frames that were given to a decoder, those that gave no picture.
    row["keyframes_decoded"] = result.pop("decoded") - result["outcomes"]["failed"]
    row |= result
    return row


def _events(node: subprocess.Popen[bytes], *, until: str, within: float) -> dict[str, Any]:
    """What the node said, by event, until it said ``until``, ended, or took too long."""
    assert node.stdout is not None
    events: dict[str, Any] = {}
    deadline = time.monotonic() + within
    # Unbuffered on purpose: a line that waits in a buffer would not wake select.
    pending = b""
    while until not in events and (left := deadline - time.monotonic()) > 0:
        if not select.select([node.stdout], [], [], left)[0]:
            break
        data = os.read(node.stdout.fileno(), 65536)
        if not data:
            break
        *lines, pending = (pending + data).split(b"\n")
        for line in lines:
            if line.startswith(b"{"):
                event = json.loads(line)
                events[event.pop("event")] = event
    return events
