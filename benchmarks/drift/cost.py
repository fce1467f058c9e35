"""``python -m benchmarks.drift.cost``: what drift costs a box, a window, a camera."""

from __future__ import annotations

import time

import numpy as np

from vedette.quality.drift.baseline import Baseline
from vedette.quality.drift.bets import BETS
from vedette.quality.drift.evidence import CHAINS, Evidence
from vedette.quality.drift.measured import LEARNT, MEASURES, SIDES
from vedette.quality.drift.moments import Moments
from vedette.quality.drift.norms import Care, norms_of
from vedette.quality.drift.scores import Scores
from vedette.quality.drift.windows import WINDOW_S, Observer, Picture, Window

__all__ = ["a_box", "an_update", "learning", "state_at_most"]


def a_box(boxes: int, fps: int, windows: int = 200) -> float:
    """Microseconds a box, all in: frames are fed, looked at once a second, and windows closed."""
    rng = np.random.default_rng(1)
    frames = [
        (rng.uniform(0.05, 1, boxes).astype(np.float32), rng.integers(0, 20, boxes).astype(np.int32),
         rng.uniform(1e-4, 0.2, boxes).astype(np.float32))
        for _ in range(50)
    ]  # fmt: skip
    observer = Observer(Scores())
    began = time.process_time()
    for window in range(windows):
        for frame in range(round(fps * WINDOW_S)):
            at = window * WINDOW_S + frame / fps
            observer.frame(at, *frames[frame % 50])
            if frame % fps == 0:
                observer.look(at, Picture(120.0, 40.0, 0.5, 0.9, False))
        observer.close(window)
    return (time.process_time() - began) * 1e6 / (windows * round(fps * WINDOW_S) * boxes)


def an_update(cameras: int, steps: int = 60) -> tuple[float, float]:
    """Microseconds a camera and window of the sequential test; nanoseconds for each bet of each chain due."""
    rng = np.random.default_rng(2)
    evidence = Evidence(cameras)
    moments = Moments()
    for measure in range(LEARNT):
        moments.add(measure, rng.normal(0.5, 0.05, 8640), np.zeros(0), np.full(8640, 10.0))
    norms = norms_of({0: moments}, Care())
    for camera in range(cameras):
        evidence.judge(camera, norms)
    rows, lights = np.arange(cameras), np.zeros(cameras, np.int8)
    values, counts = rng.normal(0.5, 0.05, (steps, cameras, LEARNT)), np.full((cameras, LEARNT), 10.0)
    began = time.process_time()
    for step in range(steps):
        evidence.step(rows, lights, values[step], counts, step)
        evidence.evidence(rows)
    took = (time.process_time() - began) / (steps * cameras)
    return took * 1e6, took * 1e9 / (SIDES * len(BETS))


def learning(windows: int = 5000) -> float:
    """Microseconds a window, while learning."""
    rng = np.random.default_rng(3)
    baseline = Baseline("model", windows + 1)
    values = np.clip(rng.normal(0.5, 0.05, (windows, MEASURES)), 0, 1)
    counts = np.full(MEASURES, 10.0)
    began = time.process_time()
    for number in range(windows):
        baseline.take(Window(number, 0, 0, values[number], counts))
    return (time.process_time() - began) * 1e6 / windows


def state_at_most() -> dict[str, int]:
    """Bytes of numpy arrays of a camera that saw all lights, and more classes than there is room for."""
    rng = np.random.default_rng(4)
    observer, baseline = Observer(Scores()), Baseline("model", 10**9)
    for light in range(9):
        for number in range(70):
            values = np.clip(rng.normal(0.5, 0.05, MEASURES), 0, 1)
            baseline.take(Window(light * 1000 + number, light, 0, values, np.full(MEASURES, 10.0)))
        some = np.arange(200, dtype=np.int32)
        share = np.full(200, 0.5, np.float32)
        observer.scores.add(light, 0, share, some, share, np.array([200]))
    parts = {
        "scores and windows": observer.nbytes,
        "baseline": baseline.nbytes,
        "evidence": Evidence(1).nbytes,
    }
    return parts | {"in all": sum(parts.values())}


def main() -> None:
    for boxes, fps in ((5, 1), (20, 5), (20, 25), (100, 5)):
        print(f"{boxes} boxes a frame, {fps} fps: {a_box(boxes, fps):.3f} µs a box")
    for cameras in (1, 100, 1000):
        camera, bet = an_update(cameras)
        print(
            f"{cameras} cameras, each window a block: {camera:.1f} µs a camera and window, {bet:.0f} ns a bet"
        )
    print(f"learning: {learning():.1f} µs a window")
    print(f"state: {state_at_most()} bytes; {SIDES} sides, {CHAINS} chains")


if __name__ == "__main__":
    main()
