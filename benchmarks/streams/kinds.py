"""``python -m benchmarks.streams.kinds``: every kind of fault, several times over, on 32 cameras.

How soon each is told, whether for what it is, and how soon results come again. Writes
``results/streams-kinds.json``. Server-wide kinds have the end of the run to themselves.
"""

from __future__ import annotations

import argparse
import json
import random
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from rich.console import Console

from benchmarks import ROOT
from benchmarks.machine import machine, today
from vedette.chaos.expect import PICTURE_KINDS, expected
from vedette.chaos.report import render
from vedette.chaos.run import Chaos, Outcome, run_chaos
from vedette.chaos.seen import Setting, Struck
from vedette.chaos.summary import document
from vedette.config import Config
from vedette.sim.faults import EVERY, KINDS, FaultEvent
from vedette.sim.faults.kinds import options_of
from vedette.units import parse_duration

__all__ = ["config_of", "every_kind", "write"]

RESULTS = ROOT / "benchmarks" / "results"
CAMERA_KINDS = tuple(name for name, kind in KINDS.items() if not kind.server)
SERVER_KINDS = (("outage", 10.0), ("restart", 5.0))
SERVER_SHARE = 0.25
"""Of the run, at its end."""
REST_S, SERVER_REST_S = 25.0, 30.0
"""After each fault: what it changed is forgotten, and reconnects are quick again."""
PLAIN_S = 12.0
"""How long a fault lasts that is told within less."""
CERTAIN = 1.2
"""Faults last so much longer than they may take to be told of."""


def config_of(cameras: int, detector: str) -> Config:
    """``detector``: milliseconds that a fake one takes, or ``bundled``."""
    told: dict[str, Any] = {}
    if detector != "bundled":
        seconds = float(detector) / 1000
        told = {"python": "vedette.testing:FakeDetector", "options": {"seconds": seconds}}
    # The addresses are never asked: simulated cameras take their place.
    section = {f"cam{number}": {"url": f"rtsp://127.0.0.1/{number}"} for number in range(cameras)}
    return Config(cameras=section, detector=told)


def every_kind(cameras: int, seconds: float, seed: int) -> list[FaultEvent]:
    """A plan in which each camera goes through all kinds, one after the other, from a kind of its own on."""
    events: list[FaultEvent] = []
    alone = seconds * (1 - SERVER_SHARE) if seconds >= 60 else seconds
    for number in range(cameras):
        draw = random.Random(f"{seed}/{number}")
        kinds = draw.sample(CAMERA_KINDS, len(CAMERA_KINDS))
        # So that all kinds come early on some camera, however short the run is.
        first = CAMERA_KINDS[number % len(CAMERA_KINDS)]
        kinds.remove(first)
        events += _in_turn(f"cam{number}", [first, *kinds], draw, alone)
    at = alone + 5.0
    while at + 10.0 < seconds:
        for kind, lasts in SERVER_KINDS:
            if at + lasts < seconds:
                events.append(_event(kind, EVERY, at, lasts))
            at += lasts + SERVER_REST_S
    return events


def _in_turn(camera: str, kinds: list[str], draw: random.Random, seconds: float) -> Iterator[FaultEvent]:
    at = draw.uniform(1.0, 10.0)
    while True:
        for kind in kinds:
            lasts = _lasts(kind)
            if at + lasts >= seconds:
                return
            yield _event(kind, camera, at, lasts)
            at += lasts + REST_S + draw.uniform(0.0, 3.0)


def _lasts(kind: str) -> float:
    if KINDS[kind].moment:
        return 0.0
    options = options_of(KINDS[kind], {})[0]
    within = expected(Struck("", kind, "", 0.0, PLAIN_S, options), Setting()).within or 0.0
    return max(PLAIN_S, CERTAIN * within) if kind in PICTURE_KINDS or within > PLAIN_S else PLAIN_S


def _event(kind: str, camera: str, at: float, lasts: float) -> FaultEvent:
    options = options_of(KINDS[kind], {})[0]
    return FaultEvent(f"{kind}@{at:.2f}@{camera}", kind, camera, at, at + lasts, options)


def write(name: str, outcome: Outcome, before: dict[str, Any], **more: Any) -> Path:
    """``results/NAME.json``: the verdicts, and where and when they were come by."""
    # Of the program only its name: where it lies is nobody's business.
    command = " ".join([f"python -m benchmarks.streams.{Path(sys.argv[0]).stem}", *sys.argv[1:]])
    found = {"date": today(), "command": command, "machine": before, **more, **document(outcome)}
    path = RESULTS / f"{name}.json"
    path.write_text(json.dumps(found, indent=1) + "\n")
    return path


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--cameras", type=int, default=32)
    parser.add_argument("--for", dest="seconds", type=parse_duration, default=600.0)
    parser.add_argument("--detector", default="5", help="milliseconds of a fake one, or bundled")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--name", default="streams-kinds")
    options = parser.parse_args()
    before = machine()
    events = every_kind(options.cameras, options.seconds, options.seed)
    outcome = run_chaos(
        config_of(options.cameras, options.detector),
        Chaos(events=events, seconds=options.seconds, seed=options.seed),
        say=lambda line: print(line, flush=True),
    )
    Console(width=140).print(render(outcome))
    path = write(options.name, outcome, before, seed=options.seed, detector=options.detector)
    print(f"\nwritten to {path.name}", flush=True)


if __name__ == "__main__":
    main()
