"""Workers fail in every way there is, at random moments: when is it noticed, when is everything back?

``python -m benchmarks.resources.crashes --times 50``. Each failure is the first in a long time as far as its
worker is concerned: what the node remembers of earlier ones (it waits longer after each) is taken away. A
camera whose stream crashed its decoder once is read apart from then on, as in production.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from statistics import median
from typing import Any

import vedette
from benchmarks.machine import machine, today
from vedette.facts import Quarantined, WorkerEnded
from vedette.supervise.child import Child

CRASHING = Path(__file__).parents[2] / "tests" / "integration" / "crashing"
"""A folder with a ``sitecustomize`` that makes workers fail when it is asked to."""

CAMERAS, WORKERS = 8, 3
DEADLY_SIZE = "192x112"
"""Of the camera whose decoder fails."""

TIMEOUT_S = 2.0
"""``detector.timeout``."""

DETECTED_WITHIN_S, BACK_WITHIN_S = 3.0, 5.0
SETTLED_WITHIN_S, GIVE_UP_S = 60.0, 60.0


@dataclass(frozen=True)
class Failure:
    """``worker``: whose process fails, ``camera`` or ``inference``. ``signal``: that it is sent, or else
    ``trigger``: what it is asked to do."""

    name: str
    worker: str
    trigger: str = ""
    signal: signal.Signals | None = None


FAILURES = (
    Failure("kill -9, camera worker", "camera", signal=signal.SIGKILL),
    Failure("kill -9, detector", "inference", signal=signal.SIGKILL),
    Failure("SIGSTOP, camera worker", "camera", signal=signal.SIGSTOP),
    Failure("SIGSTOP, detector", "inference", signal=signal.SIGSTOP),
    Failure("segfault in a decoder", "camera", "segfault-once"),
    Failure("MemoryError, camera worker", "camera", "memory"),
    Failure("MemoryError, detector", "inference", "detector-memory"),
    Failure("hang, camera worker", "camera", "hang"),
    Failure(f"hang of the model ({TIMEOUT_S:g} s)", "inference", "detector-hang"),
)


@dataclass
class Found:
    """Seconds from each failure on. ``touched``: cameras of other workers that began anew."""

    detected: list[float] = field(default_factory=list)
    back: list[float] = field(default_factory=list)
    touched: list[str] = field(default_factory=list)


class Watched:
    """A node in this process, and when each camera's latest result came."""

    def __init__(self, cameras: dict[str, Any]) -> None:
        self.latest: dict[str, float] = {}
        self.ended: list[tuple[float, WorkerEnded]] = []
        self.quarantined = 0
        config = vedette.Config(
            cameras=cameras,
            detector={
                "python": "vedette.testing:FakeDetector",
                "options": {"seconds": 0.005},
                "timeout": f"{TIMEOUT_S:g}s",
            },
            workers=WORKERS,
            # On a machine that is busy with something else only a new worker begins a new epoch.
            defaults={"track_grace": "1m"},
        )
        self.node = vedette.run(config, on_result=self._result, on_fact=self._fact)

    def _result(self, result: vedette.Result) -> None:
        self.latest[result.camera] = time.monotonic()

    def _fact(self, fact: Any) -> None:
        if isinstance(fact, WorkerEnded):
            self.ended.append((time.monotonic(), fact))
        self.quarantined += isinstance(fact, Quarantined)

    @property
    def children(self) -> list[Child]:
        return self.node._node.children

    def cameras_of(self, child: Child) -> set[str]:
        """Those that nobody sees without it."""
        if child.kind == "inference":
            return set(self.latest)
        return {entry.name for entry in self.node._node.roster.of_worker(child.place - 1)}

    def epochs(self) -> dict[str, int]:
        return {camera.name: camera.epoch for camera in self.node.view().cameras}

    def all_seen_since(self, moment: float, names: set[str]) -> bool:
        return all(self.latest.get(name, 0.0) > moment for name in names)


def until(happened: Callable[[], Any], seconds: float) -> float | None:
    """When it did; None where it did not in time."""
    deadline = time.monotonic() + seconds
    while not happened():
        if time.monotonic() > deadline:
            return None
        time.sleep(0.005)
    return time.monotonic()


def once(watched: Watched, failure: Failure, folder: Path, rng: random.Random, found: Found) -> None:
    """Let it fail, and note what comes of it."""
    settle(watched)
    time.sleep(rng.uniform(0.0, 1.0))
    victim = victim_of(watched, failure, rng)
    affected, epochs, count = watched.cameras_of(victim), watched.epochs(), len(watched.ended)
    began = time.monotonic()
    if failure.signal is None:
        (folder / failure.trigger).touch()
    else:
        assert victim.pid is not None
        os.kill(victim.pid, failure.signal)
    detected = until(lambda: len(watched.ended) > count, GIVE_UP_S)
    at = watched.ended[count][0] if detected else GIVE_UP_S + began
    found.detected.append(at - began)
    back = until(lambda: watched.all_seen_since(at, affected), GIVE_UP_S) if detected else None
    found.back.append((back or began + GIVE_UP_S) - began)
    others = set(epochs) if victim.kind == "inference" else set(epochs) - affected
    now = watched.epochs()
    found.touched += [name for name in sorted(others) if now[name] != epochs[name]]


def settle(watched: Watched) -> None:
    """Every camera is seen, every worker is there, and nothing is held against any."""
    names = {camera.name for camera in watched.node.view().cameras}
    now = time.monotonic()
    if until(lambda: watched.all_seen_since(now, names), SETTLED_WITHIN_S) is None:
        raise SystemExit(f"not all cameras are seen: {sorted(names - set(watched.latest))}")
    until(lambda: all(child.ready for child in watched.children), SETTLED_WITHIN_S)
    for child in watched.children:
        child.deaths.clear()


def victim_of(watched: Watched, failure: Failure, rng: random.Random) -> Child:
    """What is in a decoder happens to whoever reads the camera that fails."""
    of_kind = [child for child in watched.children if child.kind == failure.worker]
    if failure.worker == "camera" and failure.signal is None:
        return next(child for child in of_kind if "deadly" in watched.cameras_of(child))
    return rng.choice(of_kind)


@contextmanager
def simulated(count: int, size: str) -> Iterator[list[str]]:
    """URLs of so many cameras."""
    command = [sys.executable, "-m", "vedette.cli", "sim", "--port", "0", "--cameras", str(count)]
    command += ["--size", size, "--print-config", "--while-stdin"]
    process = subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    )
    assert process.stdout is not None
    urls: list[str] = []
    try:
        while len(urls) < count and (line := process.stdout.readline()):
            if "url:" in line:
                urls.append(line.split("url:")[1].strip().strip("'\"} "))
        yield urls
    finally:
        process.kill()
        process.wait()


def measure(times: int, seed: int, failures: tuple[Failure, ...] = FAILURES) -> dict[str, Any]:
    rng, found = random.Random(seed), {failure.name: Found() for failure in failures}
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        os.environ["CRASHING"] = str(folder)
        os.environ["PYTHONPATH"] = os.pathsep.join([str(CRASHING), os.environ.get("PYTHONPATH", "")])
        healthy = stack.enter_context(simulated(CAMERAS, "160x96"))
        deadly = stack.enter_context(simulated(1, DEADLY_SIZE))
        cameras = {f"cam{number}": {"url": url} for number, url in enumerate(healthy)}
        watched = Watched({"deadly": {"url": deadly[0]}, **cameras})
        stack.callback(watched.node.stop)
        order = [failure for failure in failures for _ in range(times)]
        rng.shuffle(order)
        for number, failure in enumerate(order, 1):
            once(watched, failure, folder, rng, found[failure.name])
            print(f"{number}/{len(order)} {failure.name}", end="\r", flush=True, file=sys.stderr)
        settle(watched)
        watched.node.stop()
        frames = [camera["frames"] for camera in watched.node.report()["cameras"].values()]
    return {
        "failures": {name: asdict(each) for name, each in found.items()},
        "adds_up": all(adds_up(each) for each in frames),
        "worker_deaths": len(watched.ended),
        "expected_deaths": len(order),
        "quarantined": watched.quarantined,
    }


def adds_up(frames: dict[str, int]) -> bool:
    """Whether every received frame has one outcome."""
    outcomes = sum(count for name, count in frames.items() if name not in ("received", "in_flight"))
    return frames["received"] == outcomes and not frames["in_flight"]


def kept(failures: dict[str, Any]) -> bool:
    return all(
        max(each["detected"]) <= DETECTED_WITHIN_S
        and max(each["back"]) <= BACK_WITHIN_S
        and not each["touched"]
        for each in failures.values()
    )


def table(result: dict[str, Any]) -> str:
    head = f"{'failure':30} {'times':>5} {'noticed, s':>14} {'all back, s':>14} {'others touched':>15}"
    lines = [head, f"{'':30} {'':>5} {'p50    most':>14} {'p50    most':>14}"]
    for name, each in result["failures"].items():
        noticed, back = each["detected"], each["back"]
        lines.append(
            f"{name:30} {len(noticed):5} {median(noticed):7.2f} {max(noticed):6.2f}"
            f" {median(back):7.2f} {max(back):6.2f} {len(each['touched']):15}"
        )
    lines.append(f"{'goal':30} {'':5} {DETECTED_WITHIN_S:14.2f} {BACK_WITHIN_S:14.2f} {0:15}")
    lines.append(
        f"outcomes add up: {'yes' if result['adds_up'] else 'NO'}; workers died {result['worker_deaths']} "
        f"times, {result['expected_deaths']} were made to; quarantined: {result['quarantined']}"
    )
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--times", type=int, default=50, help="failures of each kind")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument(
        "--only", default="", help="failures whose names have one of these words, with commas"
    )
    parser.add_argument("--output", type=Path)
    options = parser.parse_args()
    words = options.only.split(",")
    failures = tuple(each for each in FAILURES if any(word in each.name for word in words))
    if not failures:
        parser.error(f"no failure is called so; there are: {', '.join(each.name for each in FAILURES)}")
    before = machine()
    result = {"date": today(), "machine": before, **measure(options.times, options.seed, failures)}
    result["passed"] = bool(
        kept(result["failures"])
        and result["adds_up"]
        and result["worker_deaths"] == result["expected_deaths"]
        and not result["quarantined"]
    )
    print(table(result))
    if options.output:
        options.output.write_text(json.dumps(result, indent=2) + "\n")
    sys.exit(not result["passed"])


if __name__ == "__main__":
    main()
