"""``python -m benchmarks.latency.motion [CLIP …]``: what motion costs a picture, and how much it keeps from
the detector: of the bundled driveway clip and of others."""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import av
import numpy as np

from benchmarks.streams.clips import decoded
from vedette.ingest.motion import Motion
from vedette.sim.clip import bundled_clip

SIZES = ((640, 360), (1280, 720), (1920, 1080), (3840, 2160))
ROUNDS = 400
RATES = (25.0, 5.0, 2.0)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.latency.motion", description=__doc__)
    parser.add_argument("clips", nargs="*", type=Path, help="besides the one that comes with the package")
    options = parser.parse_args()
    print("ms a picture, median   look  moved  both  analysed")
    for width, height in SIZES:
        print(f"{width:>11}×{height:<9}" + "".join(f"{ms:7.3f}" for ms in _cost(width, height)))
    for clip in [bundled_clip(), *options.clips]:
        for fps in RATES:
            first, again = (_gated(list(decoded(clip, fps)), motion, fps) for motion in [Motion()] * 2)
            print(f"{clip.name}, {fps:g} fps: gated {first[0]:.1%}, played again {again[0]:.1%};", end=" ")
            print("by 10 s:", *(f"{share:.0%}" for share in again[1]))


def _cost(width: int, height: int) -> tuple[float, ...]:
    """Milliseconds for noisy pictures, each in memory of its own, as a decoder gives them."""
    pictures = [_noisy(width, height, seed) for seed in range(8)]
    motion = Motion()
    motion.analysed(motion.look(pictures[0]))
    looks = [motion.look(picture) for picture in pictures]
    return (
        _median_ms(motion.look, pictures),
        _median_ms(motion.moved, looks),
        _median_ms(lambda picture: motion.moved(motion.look(picture)), pictures),
        _median_ms(motion.analysed, looks),
    )


def _noisy(width: int, height: int, seed: int) -> av.VideoFrame:
    noise = np.random.default_rng(seed).normal(110, 3, (height * 3 // 2, width))
    return av.VideoFrame.from_ndarray(noise.astype(np.uint8), "yuv420p")


def _median_ms(call: Callable[[Any], object], arguments: Sequence[Any]) -> float:
    took = []
    for index in range(ROUNDS):
        argument = arguments[index % len(arguments)]
        start = time.perf_counter()
        call(argument)
        took.append(time.perf_counter() - start)
    return statistics.median(took) * 1000


def _gated(pictures: list[av.VideoFrame], motion: Motion, fps: float) -> tuple[float, list[float]]:
    """The share of pictures that are not let through, in all and of each ten seconds."""
    kept_back = []
    for picture in pictures:
        look = motion.look(picture)
        moved = motion.moved(look)
        if moved:
            motion.analysed(look)
        kept_back.append(not moved)
    part = round(fps * 10)
    return statistics.mean(kept_back), [
        statistics.mean(kept_back[at : at + part]) for at in range(0, len(kept_back), part)
    ]


if __name__ == "__main__":
    main()
