"""Workers are killed and stopped and cameras cut, at random; what must always hold, holds throughout."""

from __future__ import annotations

import random
import signal
import threading
import time
from collections.abc import Callable
from contextlib import ExitStack, suppress
from dataclasses import asdict
from typing import Any

import psutil

import vedette
from integration.harness import (
    CALM,
    Cameras,
    adds_up,
    assert_in_order,
    assert_no_track_id_in_two_epochs,
    fake,
    gone,
    wait_until,
    workers_of,
)
from vedette.facts import AnyFact, WorkerEnded

SECONDS = 18.0
MAX_AGE_S = 0.5


class Observed:
    """Six cameras, each with a server of its own, in two workers; looked at 50 times a second."""

    def __init__(self, servers: list[Cameras]) -> None:
        self.results: list[vedette.Result] = []
        self.wrong: list[str] = []
        self.lost: list[WorkerEnded] = []
        section = {f"cam{i}": {"url": server.url(0)} for i, server in enumerate(servers)}
        config = vedette.Config(
            cameras=section,
            detector=fake(seconds=0.01),
            workers=2,
            max_age=MAX_AGE_S,
            # Only what is cut ends a session: servers that are frozen are none of this test's harm.
            defaults={**CALM, "track_grace": 0},
        )
        self.names = list(section)
        self.node = vedette.run(config, on_result=self.results.append, on_fact=self._heard)
        self._over = threading.Event()
        self._auditor = threading.Thread(target=self._audit)

    def _heard(self, fact: AnyFact) -> None:
        if isinstance(fact, WorkerEnded):
            self.lost.append(fact)

    def _audit(self) -> None:
        while not self._over.wait(0.02):
            for camera in self.node.view().cameras:
                frames = asdict(camera.frames)
                if not adds_up(frames) or not 0 <= frames["in_flight"] <= 30:
                    self.wrong.append(f"{camera.name}: {frames}")

    def __enter__(self) -> Observed:
        self._auditor.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._auditor.join()
        self.node.stop()

    def all_seen_since(self, moment: float) -> bool:
        fresh = {result.camera for result in self.results[-2000:] if result.captured_at > moment}
        return fresh >= set(self.names)

    def all_are_live(self) -> bool:
        return all(camera.state == "live" for camera in self.node.view().cameras)

    def wait_for_all(self) -> None:
        now = time.time()
        wait_until(lambda: self.all_seen_since(now), "every camera is analysed again")


def pick(rng: random.Random, kind: str) -> psutil.Process | None:
    workers = workers_of(psutil.Process().pid, kind)
    return rng.choice(workers) if workers else None


def kill(rng: random.Random, kind: str) -> int | None:
    """The process id of what was killed; None when there was nothing to kill just then."""
    worker = pick(rng, kind)
    if worker is None:
        return None
    with suppress(psutil.NoSuchProcess):
        worker.kill()
        gone([worker])
        return worker.pid
    return None


def freeze(rng: random.Random, kind: str) -> None:
    """For less long than makes it a hang."""
    if worker := pick(rng, kind):
        with suppress(psutil.NoSuchProcess):
            worker.send_signal(signal.SIGSTOP)
            time.sleep(rng.uniform(0.2, 1.0))
            worker.send_signal(signal.SIGCONT)


def cut(rng: random.Random, servers: list[Cameras]) -> None:
    server = rng.choice(servers)
    server.stop()
    time.sleep(rng.uniform(0.0, 0.5))
    server.start()


def wreak(rng: random.Random, servers: list[Cameras], until: float) -> list[tuple[str, int | None]]:
    """Do random harm until then; returns what was done, and the process that was killed."""
    harms: dict[str, Callable[[], Any]] = {
        "kill inference": lambda: kill(rng, "inference"),
        "kill camera worker": lambda: kill(rng, "camera"),
        "freeze inference": lambda: freeze(rng, "inference"),
        "freeze camera worker": lambda: freeze(rng, "camera"),
        "cut a camera": lambda: cut(rng, servers),
        "cut another": lambda: cut(rng, servers),
    }
    done = []
    while time.monotonic() < until:
        harm = rng.choice(list(harms))
        done.append((harm, harms[harm]()))
        time.sleep(rng.uniform(0.1, 1.2))
    return done


def test_whatever_is_killed_stopped_or_cut_the_books_balance_and_tracks_stay_apart(
    rng: random.Random,
) -> None:
    with ExitStack() as stack:
        servers = [stack.enter_context(Cameras(1, seed=i)) for i in range(6)]
        observed = stack.enter_context(Observed(servers))
        observed.wait_for_all()
        done = wreak(rng, servers, time.monotonic() + SECONDS)
        assert observed.node.running, f"the node did not survive {done}"
        observed.wait_for_all()
        wait_until(observed.all_are_live, "every camera is live")
        observed.node.stop()
        report = observed.node.report()

    assert not observed.wrong, (done, observed.wrong[:5])
    assert max(result.age for result in observed.results) <= MAX_AGE_S
    killed = [pid for _, pid in done if pid is not None]
    # Those with a reason were killed by their node: on a machine that stands still, they hung.
    lost = [fact for fact in observed.lost if not fact.detail]
    assert len(lost) == len(killed), (done, observed.lost)
    # None: it took longer to die than the node waits to learn how.
    assert {fact.exit_code for fact in observed.lost} <= {-signal.SIGKILL, None}
    for name in observed.names:
        assert adds_up(report["cameras"][name]["frames"], in_flight=0)
        # A session has an epoch, and an epoch a session.
        assert report["cameras"][name]["sessions"] == report["cameras"][name]["epoch"] + 1
        lines = [
            {
                "epoch": result.epoch,
                "seq": result.seq,
                "detections": [{"track_id": int(i)} for i in result.boxes.track_id if i >= 0],
            }
            for result in observed.results
            if result.camera == name
        ]
        assert_in_order(lines)
        assert_no_track_id_in_two_epochs(lines)
