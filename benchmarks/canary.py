"""``python -m benchmarks.canary``: what a canary on some cameras costs all of them.

One node, simulated cameras in a process of their own, the bundled model as detector and as canary; stretches
with and without a canary take turns (:mod:`benchmarks.beside`). What it takes is a second detector that does
a part of the same work: cores are those of everything together.
"""

from __future__ import annotations

import argparse
import sys

from benchmarks.beside import COLUMNS, Beside, in_turns, options_of, watched
from benchmarks.machine import machine
from benchmarks.report import markdown, write_json
from vedette.running import RunningNode

OWN_COLUMNS = {
    "canary": "{beside}",
    **{title: form for title, form in COLUMNS.items() if "beside_" not in form},
    "frames/s by it": "{frames:.2f}",
}
LONGER_THAN_A_STRETCH_S = 3600.0


class Canary:
    """On the first so many cameras, from ``begin`` to ``end``."""

    def __init__(self, node: RunningNode, cameras: int) -> None:
        self._node = node
        self._names = [camera.name for camera in node.view().cameras][:cameras]
        self._before = 0

    def begin(self) -> None:
        self._node.canary(cameras=self._names, seconds=LONGER_THAN_A_STRETCH_S)

    def end(self) -> None:
        self._before += self._frames()
        self._node.stop_canary()

    def counted(self) -> dict[str, float]:
        return {"frames": self._before + self._frames()}

    def _frames(self) -> int:
        canary = self._node.view().canary
        return 0 if canary is None or canary.state == "ended" else canary.frames


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.canary", description=__doc__)
    options_of(parser, name="canary")
    parser.add_argument("--on", type=int, default=2, help="cameras that it detects for")
    options = parser.parse_args()
    before = machine()
    with watched(options) as node:
        canary = Canary(node, options.on)
        what = Beside(f"on {options.on} of {options.cameras}", None, canary.begin, canary.end, canary.counted)
        rows = in_turns(node, what, turns=options.turns, seconds=options.seconds)
    command = " ".join(["python -m benchmarks.canary", *sys.argv[1:]])
    path = write_json(options.name, rows, command, before)
    print(f"\n{markdown(rows, OWN_COLUMNS)}\n\nwritten to {path.name}")


if __name__ == "__main__":
    main()
