"""Run as a script: lives of a process that keeps frames and writes reviews, each killed at some moment.

``folder times seed``. Prints as JSON what each had been told was done.
"""

from __future__ import annotations

import json
import os
import random
import signal
import sys
import time
from hashlib import sha256
from typing import Any

from review_frames import accepted, frame
from vedette.quality.review.frames import StoreSettings
from vedette.quality.review.rows import State
from vedette.quality.review.sampling import Reason
from vedette.quality.review.store import Store

BUDGET = 60_000


def live(folder: str, seed: int, told: int) -> None:
    """Until killed. Every third frame is one of the uniform stream."""
    rng = random.Random(seed)
    with Store.open(folder, StoreSettings(budget=BUDGET)) as store:
        for number in range(10_000):
            reason = None if number % 3 == 0 else Reason.WEAK_BOXES
            added = store.add(frame(seed * 100_000 + number, reason))
            say: dict[str, Any] = {"added": added.item.id if added.item else None}
            waiting = store.items(states=[State.WAITING], limit=1)
            if waiting and rng.random() < 0.2:
                say["reviewed"] = [waiting[0].id, store.review(waiting[0].id, accepted(waiting[0]))]
            os.write(told, json.dumps(say).encode() + b"\n")


def broken(folder: str) -> list[str]:
    """Items whose row says that there is a picture, and there is none, or another one."""
    with Store.open(folder) as store:
        here = [item for item in store.items() if item.bytes]
        return [
            item.id
            for item in here
            if not (store.pictures / item.file).exists()
            or sha256((store.pictures / item.file).read_bytes()).hexdigest() != item.sha256
        ]


def main(folder: str, times: int, seed: int) -> None:
    rng = random.Random(seed)
    said: list[dict[str, Any]] = []
    for life in range(times):
        reading, writing = os.pipe()
        child = os.fork()
        if child == 0:
            os.close(reading)
            live(folder, life, writing)
            os._exit(0)
        os.close(writing)
        with os.fdopen(reading, "rb") as lines:
            first = lines.readline()  # however slow the machine: each gets to do something
            time.sleep(rng.random() * 0.06)
            os.kill(child, signal.SIGKILL)
            os.waitpid(child, 0)
            said += [json.loads(line) for line in [first, *lines] if line.endswith(b"\n")]
        said += [{"broken": id} for id in broken(folder)]
    print(json.dumps(said))


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))
