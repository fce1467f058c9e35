"""``python -m benchmarks.shadow``: what a candidate beside the detector costs the cameras that are live.

One node, simulated cameras in a process of their own, the bundled model as detector and as candidate;
stretches with and without a candidate take turns (:mod:`benchmarks.beside`).
"""

from __future__ import annotations

import argparse
import sys

from benchmarks.beside import COLUMNS, Beside, in_turns, options_of, watched
from benchmarks.machine import machine
from benchmarks.report import markdown, write_json
from vedette.running import RunningNode

OWN_COLUMNS = {
    "candidate": "{beside}",
    **COLUMNS,
    "frames/s it saw": "{seen:.2f}",
    "left out/s": "{left_out:.2f}",
}


def candidate(node: RunningNode, share: float) -> Beside:
    def counted() -> dict[str, float]:
        shadow = node.view().shadow
        if shadow is None or shadow.state == "ended":
            return {"seen": 0, "left_out": 0}
        return {"seen": shadow.in_all.frames, "left_out": sum(shadow.in_all.left_out.values())}

    return Beside(
        f"share {share:g}", "shadow", lambda: node.shadow(share=share), lambda: node.stop_shadow(), counted
    )


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.shadow", description=__doc__)
    options_of(parser, name="shadow")
    parser.add_argument("--share", type=float, default=0.1)
    options = parser.parse_args()
    before = machine()
    with watched(options) as node:
        rows = in_turns(node, candidate(node, options.share), turns=options.turns, seconds=options.seconds)
    command = " ".join(["python -m benchmarks.shadow", *sys.argv[1:]])
    path = write_json(options.name, rows, command, before)
    print(f"\n{markdown(rows, OWN_COLUMNS)}\n\nwritten to {path.name}")


if __name__ == "__main__":
    main()
