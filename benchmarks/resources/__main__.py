"""``python -m benchmarks.resources CASE``: leaks and the recycling of workers, in simulated time."""

from __future__ import annotations

import argparse
import sys
from typing import Any

from benchmarks.machine import machine
from benchmarks.report import markdown, write_json
from benchmarks.resources.leaks import COLUMNS, LEAKS, RULES, measured
from benchmarks.resources.loop import LOOP_COLUMNS, looped
from benchmarks.resources.world import Leaking

LOOPS = {"none": Leaking(), **LEAKS, "2000 MB/h": Leaking(memory=2e9)}
OURS = next(iter(RULES))
Rows = list[dict[str, Any]]


def _leaks(options: argparse.Namespace) -> tuple[Rows, dict[str, str]]:
    rows = [_shown(measured(OURS, options.worlds, "usual"))]
    return rows + [_shown(measured(name, options.others, "usual")) for name in RULES if name != OURS], COLUMNS


def _worlds(options: argparse.Namespace) -> tuple[Rows, dict[str, str]]:
    rows = [_shown(measured(OURS, options.others, kind)) for kind in ("unlike", "restless")]
    return rows, {"world": "{kind}", **COLUMNS}


def _recycle(options: argparse.Namespace) -> tuple[Rows, dict[str, str]]:
    rows = [_shown(looped(name, leak, options.nodes, options.hours)) for name, leak in LOOPS.items()]
    return rows, LOOP_COLUMNS


CASES = {"leaks": _leaks, "worlds": _worlds, "recycle": _recycle}


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.resources", description=__doc__)
    parser.add_argument("case", choices=[*CASES])
    parser.add_argument("--worlds", type=int, default=100, help="nodes of 16 workers, a day each")
    parser.add_argument("--others", type=int, default=30, help="the same, for other rules and kinds of world")
    parser.add_argument("--nodes", type=int, default=4, help="that are watched and recycled sample by sample")
    parser.add_argument("--hours", type=float, default=48.0, help="of each of them")
    options = parser.parse_args()
    before = machine()
    rows, columns = CASES[options.case](options)
    command = " ".join(["python -m benchmarks.resources", *sys.argv[1:]])
    path = write_json(f"resources-{options.case}", rows, command, before)
    print(f"\n{markdown(rows, columns)}\n\nwritten to {path.name}")


def _shown(row: dict[str, Any]) -> dict[str, Any]:
    print(row, flush=True)
    return row


if __name__ == "__main__":
    main()
