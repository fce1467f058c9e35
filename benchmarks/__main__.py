"""``python -m benchmarks`` runs everything; ``age`` and ``thousand`` run by themselves."""

from __future__ import annotations

import argparse
import sys

from benchmarks.age import COLUMNS, run_age
from benchmarks.arm import ARMS
from benchmarks.machine import machine
from benchmarks.report import markdown, write_json


def _words(text: str) -> list[str]:
    return [word for word in text.split(",") if word]


def _parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("what", nargs="?", choices=["all", "age", "thousand"], default="all")
    parser.add_argument("--arms", type=_words, default=["ours", "peer"], help=f"of: {', '.join(ARMS)}")
    parser.add_argument("--cameras", type=_words, default=None, help="like 8,32 (thousand: one number)")
    parser.add_argument("--seconds", type=float, default=20.0, help="measured, after the warm-up")
    parser.add_argument("--repeat", type=int, default=1, help="arms take turns so many times")
    parser.add_argument("--name", default=None, help="of the file in benchmarks/results")
    options = parser.parse_args()
    if unknown := [arm for arm in options.arms if arm not in ARMS]:
        parser.error(f"no arm {unknown[0]}; there are: {', '.join(ARMS)}")
    return options


def main() -> None:
    options = _parse()
    before = machine()
    command = " ".join(["python -m benchmarks", *sys.argv[1:]])
    if options.what in ("all", "age"):
        cameras = [int(count) for count in options.cameras or ("8", "32")]
        rows = run_age(options.arms, cameras, fps=25, seconds=options.seconds, repeat=max(1, options.repeat))
        path = write_json(options.name or "age", rows, command, before)
        print(f"\n{markdown(rows, COLUMNS)}\n\nwritten to {path.name}", flush=True)
    if options.what in ("all", "thousand"):
        from benchmarks.thousand import THOUSAND_COLUMNS, run_thousand

        count = int((options.cameras or ["1000"])[0]) if options.what == "thousand" else 1000
        row = run_thousand(count, seconds=options.seconds)
        path = write_json(options.name or "thousand", [row], command, before)
        print(f"\n{markdown([row], THOUSAND_COLUMNS)}\n\nwritten to {path.name}", flush=True)


if __name__ == "__main__":
    main()
