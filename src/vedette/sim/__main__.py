"""``python -m vedette.sim``: ``vedette sim`` by itself, as a child process of demos, tests and benchmarks."""

from __future__ import annotations

import sys

import typer

from vedette.errors import VedetteError
from vedette.sim.command import sim


def main() -> None:
    try:
        typer.run(sim)
    except VedetteError as error:
        print(f"error: {error}", file=sys.stderr)
        sys.exit(error.exit_code)


if __name__ == "__main__":
    main()
