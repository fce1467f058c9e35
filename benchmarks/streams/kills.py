"""A whole node is killed at random moments, over and over, while its cameras come and go.

``python -m benchmarks.streams.kills --times 200``. After each death its ledger must open, its rows
partition the time that was watched, and every row that was ever read closed must still be there, as it was.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

from vedette.causes import Kind
from vedette.errors import LedgerError
from vedette.ledger.audit import partition_problems
from vedette.ledger.rows import LedgerGap
from vedette.ledger.store import Ledger

CAMERAS = 4
SIM = [
    sys.executable,
    "-m",
    "vedette.cli",
    "sim",
    "--port",
    "0",
    "--cameras",
    str(CAMERAS),
    "--size",
    "160x96",
]


def simulator(folder: Path) -> tuple[subprocess.Popen[bytes], list[str]]:
    faults = folder / "faults.yaml"
    faults.write_text(
        "seed: 5\nduration: 6h\nrandom: {kinds: [drop, end, stall, refuse, wrong_password], cameras: 50%, "
        "every: 4s, for: 1s-3s}\n"
    )
    command = [*SIM, "--faults", str(faults), "--print-config", "--while-stdin"]
    process = subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    )
    assert process.stdout is not None
    lines: list[str] = []
    while sum("url:" in line for line in lines) < CAMERAS:
        lines.append(process.stdout.readline().decode())
    return process, lines


def life(config: Path, seconds: float) -> int:
    """One node, killed ``seconds`` after it was started; returns its pid."""
    command = [sys.executable, "-m", "vedette.cli", "run", str(config), "--no-table", "--log-level", "error"]
    process = subprocess.Popen(
        command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    threading.Timer(seconds, os.kill, (process.pid, signal.SIGKILL)).start()
    process.wait()
    return process.pid


class Witness:
    """Remembers what was in the ledger once, and says what is wrong with it now."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._closed: dict[str, LedgerGap] = {}
        self.problems: list[str] = []
        self.lives = 0

    def look(self) -> None:
        try:
            self._look()
        except LedgerError as err:
            # Killed between making the file and its first transaction: there was nothing to lose yet.
            if self.lives or "it is empty" not in str(err):
                raise

    def _look(self) -> None:
        with Ledger.open(self._url, migrate=False) as ledger, ledger.snapshot():
            gaps, watches, nodes = ledger.gaps(), ledger.watches(), ledger.nodes()
        self.lives = nodes[0].life if nodes else 0
        self.problems += partition_problems(watches, gaps)
        now = {gap.id: gap for gap in gaps}
        if len(now) != len(gaps):
            self.problems.append("two rows have one id")
        for name, gap in self._closed.items():
            if now.get(name) != gap:
                self.problems.append(f"a closed row changed or is gone: {gap} → {now.get(name)}")
        self._closed |= {gap.id: gap for gap in gaps if gap.end is not None}

    @property
    def rows(self) -> dict[str, int]:
        kinds = [gap.cause.value for gap in self._closed.values() if gap.kind is Kind.BLIND]
        return {cause: kinds.count(cause) for cause in sorted(set(kinds))}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--times", type=int, default=200)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--output", type=Path)
    options = parser.parse_args()
    rng = random.Random(options.seed)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        process, lines = simulator(folder)
        config = folder / "cameras.yaml"
        detector = 'detector: {python: "vedette.testing:FakeDetector", options: {seconds: 0.005}}\n'
        config.write_text("".join(lines) + detector)
        witness = Witness(str(folder / "vedette.db"))
        began = time.monotonic()
        try:
            for number in range(options.times):
                # A node needs about a second before it writes: some die before that, most after.
                life(config, rng.uniform(0.3, 5.0))
                if (folder / "vedette.db").exists():
                    witness.look()
                if number % 20 == 19:
                    print(number + 1, witness.rows, witness.problems[:3], flush=True)
        finally:
            process.kill()
        found = {
            "kills": options.times,
            "lives": witness.lives,
            "seconds": round(time.monotonic() - began),
            "rows": witness.rows,
            "problems": witness.problems[:20],
        }
    print(json.dumps(found, indent=2))
    if options.output:
        options.output.write_text(json.dumps(found, indent=2) + "\n")
    sys.exit(bool(witness.problems))


if __name__ == "__main__":
    main()
