"""``python -m benchmarks.validation_aside``: what it costs live cameras that the detector at work is held to
labelled pictures beside them.

One node, simulated cameras in a process of their own, the bundled model. Stretches take turns with and
without the very process that a node starts for it (``validation.every``), on the labelled frames of the
driveway, again and again for as long as the stretch lasts (:mod:`benchmarks.beside`). A node would not begin
while its machine is busy, and would break off where a camera gets less than it asked for; here that is only
counted: ``gives way`` is the share of the time in which it would have.
"""

from __future__ import annotations

import argparse
import asyncio
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

import msgspec

from benchmarks import ROOT
from benchmarks.beside import COLUMNS, Beside, in_turns, options_of, watched
from benchmarks.machine import machine
from benchmarks.report import markdown, write_json
from vedette.clock import SystemClock
from vedette.quality.validate.process import Examination
from vedette.quality.validate.schedule import gives_way
from vedette.running import RunningNode
from vedette.tasks import detector_spec
from vedette.workers.protocol import Examine

OWN_COLUMNS = {
    "validation": "{beside}",
    **COLUMNS,
    "runs/min": "{runs_per_minute:.2f}",
    "gives way": "{gave_way:.0%}",
}

LABELS = ROOT / "tests/data/labelled/driveway.json"
CLIP = ROOT / "src/vedette/assets/driveway.mov"
LOOK_EVERY_S = 0.5


class Validating:
    """One validation after the other, in a thread, from ``begin`` to ``end``."""

    def __init__(self, node: RunningNode, dataset: Path, folder: Path) -> None:
        self._node, self._dataset, self._folder = node, dataset, folder
        self._over = threading.Event()
        self._thread: threading.Thread | None = None
        self.runs = 0
        self.gave_way_s = 0.0

    def begin(self) -> None:
        self._over.clear()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._run()))
        self._thread.start()

    def end(self) -> None:
        assert self._thread is not None
        self._over.set()
        self._thread.join()

    async def _run(self) -> None:
        looking = asyncio.create_task(self._look())
        while not self._over.is_set():
            examination = Examination(self._order(), lambda _: None, SystemClock())
            task = asyncio.create_task(examination.perform())
            while not (task.done() or self._over.is_set()):
                await asyncio.sleep(0.1)
            if task.done():
                task.result()
                self.runs += 1
            else:
                task.cancel()
                await asyncio.gather(task, return_exceptions=True)
            while not examination.gone:
                await asyncio.sleep(0.1)
        looking.cancel()

    async def _look(self) -> None:
        """Whether a node would go on with it now."""
        last = time.monotonic()
        while True:
            await asyncio.sleep(LOOK_EVERY_S)
            now = time.monotonic()
            if gives_way(self._node._node._capacity()):
                self.gave_way_s += now - last
            last = now

    def _order(self) -> Examine:
        return Examine(
            dataset=str(self._dataset),
            images=None,
            runs=str(self._folder),
            kept=str(self._folder / "node"),
            candidate=msgspec.msgpack.encode(detector_spec(self._node.config)),
        )

    def counted(self) -> dict[str, float]:
        return {"runs": self.runs, "gave_way": self.gave_way_s}


def labelled(folder: Path) -> Path:
    """The set, with its pictures."""
    command = [sys.executable, str(ROOT / "tools/labelled_frames.py"), "pictures"]
    subprocess.run([*command, str(LABELS), str(CLIP), str(folder)], check=True, stdout=subprocess.DEVNULL)
    return folder / LABELS.name


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.validation_aside", description=__doc__)
    options_of(parser, name="validation-aside")
    options = parser.parse_args()
    before = machine()
    with tempfile.TemporaryDirectory() as folder:
        dataset = labelled(Path(folder) / "set")
        with watched(options) as node:
            validating = Validating(node, dataset, Path(folder) / "runs")
            what = Beside(
                "one after the other", "validation", validating.begin, validating.end, validating.counted
            )
            rows = in_turns(node, what, turns=options.turns, seconds=options.seconds)
    for row in rows:
        row["runs_per_minute"] = 60 * row["runs"]
    command = " ".join(["python -m benchmarks.validation_aside", *sys.argv[1:]])
    path = write_json(options.name, rows, command, before)
    print(f"\n{markdown(rows, OWN_COLUMNS)}\n\nwritten to {path.name}")


if __name__ == "__main__":
    main()
