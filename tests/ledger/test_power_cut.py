"""A node that is killed at random moments, over and over: its ledger opens, adds up, and has lost nothing."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

import ledger_lives
from vedette.causes import Cause, Kind
from vedette.ledger.audit import partition_problems
from vedette.ledger.coverage import coverage
from vedette.ledger.rows import LedgerGap
from vedette.ledger.store import Ledger


@dataclass
class Ending:
    """What a life had said when it was killed."""

    begun: dict[str, Any] | None = None
    committed: dict[str, tuple[str, int, int | None]] = field(default_factory=dict)


class Lives:
    """Lets nodes live, one after the other."""

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        self._process = process

    def one(self, url: str, seed: int, clock: float, since: str, seconds: float) -> Ending:
        """Killed so many seconds after it was ``born``, had ``begun``, or had first ``committed``."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps({"url": url, "seed": seed, "clock": clock}).encode() + b"\n")
        self._process.stdin.flush()
        ending, pid, killer = Ending(), 0, None
        for line in self._process.stdout:
            said = json.loads(line)
            assert "failed" not in said, said
            pid = said.get("born", pid)
            if since in said and killer is None:
                killer = threading.Timer(seconds, os.kill, [pid, signal.SIGKILL])
                killer.start()
            if "begun" in said:
                ending.begun = said
            elif "committed" in said:
                ending.committed |= {row[0]: tuple(row[1:]) for row in said["committed"]}
            elif "ended" in said:
                break
        if killer is not None:
            killer.join()
        return ending


@contextmanager
def living() -> Iterator[Lives]:
    process = subprocess.Popen(
        [sys.executable, ledger_lives.__file__], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    try:
        yield Lives(process)
    finally:
        process.kill()
        process.communicate()


class Judge:
    """Looks at the ledger after each death, and remembers what must never change any more."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.committed: dict[str, tuple[str, int, int | None]] = {}
        self.known: list[int] = []
        """Each life's last heartbeat."""
        self.begun: list[int] = []
        self.tracks = dict.fromkeys(ledger_lives.CAMERAS, 0)
        self.rows: list[LedgerGap] = []

    def look(self, ending: Ending) -> None:
        with Ledger.open(self.url, migrate=False) as reader:
            nodes = reader.nodes()
            if not nodes:
                assert ending.begun is None
                return
            self.rows, watches = reader.gaps(), reader.watches()
        (node,) = nodes
        self._count_lives(node.life, node.started, node.heartbeat, ending)
        assert partition_problems(watches, self.rows) == []
        self._nothing_lost(ending)
        self._only_the_last_life_left_anything_open(node.started)
        assert [(w.start, w.end) for w in watches] == [(self.begun[0], None)] * len(ledger_lives.CAMERAS)
        for row in coverage(watches, self.rows, self.begun[0], node.heartbeat):
            assert row.watched == node.heartbeat - self.begun[0] == row.seen + sum(row.blind.values())

    def _count_lives(self, life: int, started: int, heartbeat: int, ending: Ending) -> None:
        """A life may be killed after it began and before it could say so."""
        assert life in (len(self.begun), len(self.begun) + 1)
        if ending.begun is not None:
            assert (ending.begun["life"], ending.begun["begun"]) == (life, started)
            assert all(ending.begun["tracks"][camera] > used for camera, used in self.tracks.items())
            self.tracks = ending.begun["tracks"]
        if life > len(self.begun):
            self.begun.append(started)
            self.known.append(heartbeat)
        else:
            assert ending.begun is None
            assert (self.begun[-1], self.known[-1]) == (started, heartbeat)

    def _nothing_lost(self, ending: Ending) -> None:
        self.committed |= ending.committed
        there = {row.id: row for row in self.rows}
        assert len(there) == len(self.rows)
        for id, (camera, start, end) in self.committed.items():
            row = there[id]
            assert (row.camera, row.start) == (camera, start)
            assert row.end == end or end is None, "what was open may have been closed since"

    def _only_the_last_life_left_anything_open(self, started: int) -> None:
        assert all(row.start >= started for row in self.rows if row.end is None)

    def downtime(self) -> None:
        """Between two lives each camera was blind because of that, exactly; nothing else is written there."""
        away = [pair for pair in zip(self.known, self.begun[1:], strict=False) if pair[0] < pair[1]]
        for camera in ledger_lives.CAMERAS:
            mine = [row for row in self.rows if row.camera == camera and row.kind is Kind.BLIND]
            down = [row for row in mine if row.cause is Cause.NODE_DOWN and row.start != row.end]
            assert [(row.start, row.end) for row in down] == away
            assert len({(row.start, row.cause) for row in mine if row.start != row.end}) == len(
                [row for row in mine if row.start != row.end]
            ), "no gap is there twice"
        assert all(before <= after for before, after in pairwise(self.begun))


def _killed_over_and_over(url: str, times: int, longest: float) -> Judge:
    rng, judge = random.Random(1914), Judge(url)
    Ledger.open(url).close()  # a ledger that is not there yet cannot be looked at
    with living() as lives:
        for seed in range(times):
            clock = rng.choice([0, 0, 0, -5, -0.05, 3])
            # Half of them get to write something, however slow the machine.
            since = rng.choice(["born", "begun", "committed", "committed"])
            judge.look(lives.one(url, seed, clock, since, rng.random() * longest))
    judge.downtime()
    return judge


@pytest.mark.timeout(800)
def test_an_sqlite_ledger_survives_200_kills(tmp_path: Path) -> None:
    judge = _killed_over_and_over(str(tmp_path / "ledger.db"), 200, 0.08)
    assert len(judge.begun) > 100, "most of them lived for a while"
    assert len(judge.committed) > 500


@pytest.mark.timeout(800)
def test_a_postgresql_ledger_survives_20_killed_nodes(postgres: Any) -> None:
    judge = _killed_over_and_over(postgres.database(), 20, 0.4)
    assert len(judge.begun) > 10
    assert len(judge.committed) > 100
