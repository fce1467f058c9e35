"""Lives of a node that are ended by SIGKILL: a warm process that forks a child for each one it is asked for.

Run as a script. Reads ``{"url", "seed", "clock"}`` per line; each child writes lines of JSON to the same
standard output: that it was born, that it began, what it has seen committed. When it is dead, ``{"ended":
pid}`` follows.
"""

from __future__ import annotations

import json
import os
import random
import sys
import time
from typing import Any

CAMERAS = {f"camera-{number}": f"10.0.0.{number}" for number in range(4)}
CAUSES = ("stalled", "refused", "connection_lost", "frozen")


def say(**line: Any) -> None:
    # One write: lines of the child and of its parent must not mix, nor be torn when it is killed.
    os.write(1, (json.dumps(line) + "\n").encode())


class Life:
    """Opens and closes gaps of random cameras as fast as it can until it is killed."""

    def __init__(self, url: str, seed: int, clock: float) -> None:
        """``clock``: seconds by which the wall clock is wrong in this life."""
        from vedette.ledger.store import Ledger
        from vedette.ledger.writer import LedgerWriter

        self.random = random.Random(seed)
        self.prefix = f"{seed}-{os.getpid()}"
        ledger = Ledger.open(url)
        wall = time.time() + clock
        begun = ledger.begin("n", CAMERAS, round(wall * 1e6), wait=20)
        say(begun=begun.not_before, life=begun.life, tracks=begun.next_track_ids, epochs=begun.epochs)
        self.start, self.started = begun.not_before, time.monotonic()
        self.tracks = dict(begun.next_track_ids)
        self.rows: dict[str, Any] = {}
        self.unsaid: list[Any] = []
        self.count = 0
        self.writer = LedgerWriter(ledger, now=self.now, tell=lambda _: None, beat_every=0.005)

    def now(self) -> int:
        return self.start + round((time.monotonic() - self.started) * 1e6)

    def run(self) -> None:
        for camera in CAMERAS:
            self.open(camera, self.start, "starting")
        self.writer.start()
        while True:
            for _ in range(self.random.randrange(1, 12)):
                self.change(self.random.choice(list(CAMERAS)))
                if self.random.random() < 0.3:
                    time.sleep(self.random.random() * 0.002)
            if self.writer.flush(10):
                say(committed=[[row.id, row.camera, row.start, row.end] for row in self.unsaid])
                self.unsaid.clear()

    def open(self, camera: str, start: int, cause: str) -> None:
        from vedette.causes import Blame, Cause, Kind
        from vedette.facts import Gap, GapOpened

        self.count += 1
        gap = Gap(
            id=f"{self.prefix}-{self.count}",
            camera=camera,
            kind=Kind.BLIND,
            start=start,
            cause=Cause(cause),
            blame=Blame.CAMERA,
        )
        self.rows[camera] = gap
        self.unsaid.append(gap)
        self.writer.put(GapOpened(at=0.0, gap=gap))

    def change(self, camera: str) -> None:
        import msgspec

        from vedette.facts import GapClosed

        gap = self.rows.pop(camera, None)
        now = self.now()
        if gap is None:
            self.open(camera, now, self.random.choice(CAUSES))
            return
        gap = msgspec.structs.replace(gap, end=now)
        self.unsaid.append(gap)
        self.writer.put(GapClosed(at=0.0, gap=gap))
        if self.random.random() < 0.3:  # one reason gives way to another
            self.open(camera, now, self.random.choice(CAUSES))


def main() -> None:
    import alembic.command  # noqa: F401
    import psycopg  # noqa: F401
    import sqlalchemy.dialects.postgresql.psycopg  # noqa: F401

    import vedette.ledger.writer  # noqa: F401

    for line in sys.stdin:
        asked = json.loads(line)
        child = os.fork()
        if child == 0:
            say(born=os.getpid())
            try:
                Life(**asked).run()
            except BaseException as err:
                say(failed=repr(err))
            os._exit(1)
        os.waitpid(child, 0)
        say(ended=child)


if __name__ == "__main__":
    main()
