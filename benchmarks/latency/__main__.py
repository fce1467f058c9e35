"""``python -m benchmarks.latency CASE``: one case of the table of goals, measured and judged."""

from __future__ import annotations

import argparse
import sys

from benchmarks.latency.big import BIG
from benchmarks.latency.case import Case, Goal, Options, Row
from benchmarks.latency.floor import FLOOR
from benchmarks.latency.hogs import HOGS
from benchmarks.latency.overload import OVERLOAD
from benchmarks.latency.runs import ARMS
from benchmarks.latency.spikes import SPIKES
from benchmarks.latency.thousand_motion import THOUSAND_MOTION
from benchmarks.latency.two_hundred import TWO_HUNDRED
from benchmarks.machine import machine
from benchmarks.peer_env import make_peer_environment
from benchmarks.report import markdown, write_json
from vedette.units import parse_duration

CASES: dict[str, Case] = {
    "overload": OVERLOAD,
    "spikes": SPIKES,
    "hogs": HOGS,
    "two_hundred": TWO_HUNDRED,
    "thousand_motion": THOUSAND_MOTION,
    "floor": FLOOR,
    "big": BIG,
}


def _parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.latency", description=__doc__)
    parser.add_argument("case", choices=[*CASES])
    length = parser.add_mutually_exclusive_group()
    length.add_argument("--seconds", type=float, help="measured, after the warm-up")
    length.add_argument("--for", dest="seconds", type=parse_duration, help="the same, like 30m")
    parser.add_argument("--arms", help=f"of: {','.join(ARMS)}")
    parser.add_argument("--cameras", type=int, help="in place of the case's own number")
    parser.add_argument("--ms", type=float, help="what the paced detector takes a picture")
    parser.add_argument("--hogs", type=int, default=4, help="busy processes in the case of that name")
    parser.add_argument("--name", help="of the file in benchmarks/results")
    options = parser.parse_args()
    options.arms = tuple(options.arms.split(",")) if options.arms else CASES[options.case].arms
    if unknown := [arm for arm in options.arms if arm not in ARMS]:
        parser.error(f"no arm {unknown[0]}; there are: {', '.join(ARMS)}")
    if CASES[options.case].ours_only and options.arms != ("ours",):
        parser.error(f"{options.case} has only the arm ours")
    return options


def _rows(case: Case, options: Options, arm: str) -> list[Row]:
    """An arm that fails is a row that says so; the others go on."""
    try:
        rows = case.run(arm, options)
    except RuntimeError as error:
        print(error, flush=True)
        rows = [{"arm": f"{arm} FAILED", "error": str(error).splitlines()[0]}]
    print("\n".join(markdown(rows, case.columns).splitlines()[2:]), flush=True)
    return rows


def main() -> None:
    given = _parse()
    case = CASES[given.case]
    before = machine()
    if any(arm.startswith("peer") for arm in given.arms):
        make_peer_environment()
    seconds = case.seconds if given.seconds is None else given.seconds
    options = Options(seconds=seconds, cameras=given.cameras, hogs=given.hogs, ms=given.ms)
    rows = [row for arm in given.arms for row in _rows(case, options, arm)]
    goals = [goal.row() for goal in case.goals([row for row in rows if "error" not in row])]
    command = " ".join(["python -m benchmarks.latency", *sys.argv[1:]])
    path = write_json(given.name or f"latency-{given.case}", rows, command, before, goals=goals)
    print(f"\n{markdown(rows, case.columns)}\n\n{markdown(goals, Goal.COLUMNS)}\n\nwritten to {path.name}")


if __name__ == "__main__":
    main()
