"""``python -m benchmarks.resources leaks``: leaks and the recycling of workers, in simulated time."""

from __future__ import annotations

import argparse
import sys

from benchmarks.machine import machine
from benchmarks.report import markdown, write_json
from benchmarks.resources.leaks import COLUMNS, LEAKS, RULES, measured
from benchmarks.resources.loop import LOOP_COLUMNS, looped
from benchmarks.resources.world import Leaking

LOOPS = {"none": Leaking(), **LEAKS, "2000 MB/h": Leaking(memory=2e9)}


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.resources", description=__doc__)
    parser.add_argument("case", choices=["leaks"])
    parser.add_argument("--worlds", type=int, default=100, help="nodes of 16 workers, a day each")
    parser.add_argument(
        "--others", type=int, default=30, help="worlds for the other rules and kinds of world"
    )
    parser.add_argument("--nodes", type=int, default=4, help="that are watched and recycled sample by sample")
    parser.add_argument("--hours", type=float, default=48.0, help="of each of them")
    options = parser.parse_args()
    before = machine()
    ours = next(iter(RULES))
    rows = [_shown(measured(ours, options.worlds, "usual"))]
    rows += [_shown(measured(name, options.others, "usual")) for name in RULES if name != ours]
    harder = [_shown(measured(ours, options.others, kind)) for kind in ("unlike", "restless")]
    loops = [looped(name, leak, options.nodes, options.hours) for name, leak in LOOPS.items()]
    print(f"\n{markdown(rows, COLUMNS)}\n")
    print(f"{markdown(harder, {'world': '{kind}', **COLUMNS})}\n\n{markdown(loops, LOOP_COLUMNS)}\n")
    command = " ".join(["python -m benchmarks.resources", *sys.argv[1:]])
    print("written to", write_json("resources-leaks", rows + harder, command, before, loops=loops).name)


def _shown(row: dict[str, object]) -> dict[str, object]:
    print(row, flush=True)
    return row


if __name__ == "__main__":
    main()
