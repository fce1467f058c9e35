"""``python -m benchmarks.streams.pictures``: are faults of the picture found, and nothing else?

Prints and writes, for each clip: what was told of the clip as it is, of changes of light, and of every fault,
with seconds to tell it and to take it back; for simulated camera-days: all that was told;
and what a look and a step cost.
"""

from __future__ import annotations

import argparse
import itertools
import json
import time
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any

import av
import numpy as np

from benchmarks.streams.camera_days import camera_days
from benchmarks.streams.clips import (
    FAULTS,
    LIGHTS,
    Told,
    decoded,
    encoded,
    judged,
    looked_at,
    luma,
    with_fault,
    with_luma,
)
from vedette.health.picture import Look
from vedette.sim.clip import bundled_clip

FPS = 5.0
START_S, END_S, LENGTH_S = 60.0, 180.0, 260.0
ENCODINGS: dict[str, tuple[int, dict[str, str]]] = {
    "crf 23": (10, {"crf": "23"}),
    "crf 30": (10, {"crf": "30"}),
    "crf 35, keyframe in 10 s": (50, {"crf": "35"}),
    "crf 40, keyframe in 10 s": (50, {"crf": "40"}),
    "150 kbit/s": (10, {"b": "150000", "maxrate": "200000", "bufsize": "300000"}),
}


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.streams.pictures", description=__doc__)
    parser.add_argument("clips", nargs="*", type=Path, help="besides the one that comes with the package")
    parser.add_argument("--days", type=int, default=100, help="simulated camera-days, a look a second")
    parser.add_argument("--seed", type=int, default=1000, help="of the first of them")
    parser.add_argument("--no-clips", action="store_true", help="camera-days only")
    parser.add_argument("--jobs", type=int, default=1, help="processes for them")
    parser.add_argument("--to", type=Path, default=Path("benchmarks/results/pictures.json"))
    options = parser.parse_args()
    results: dict[str, Any] = {"clips": {}}
    for clip in [] if options.no_clips else [bundled_clip(), *options.clips]:
        print(f"\n{clip.name}")
        results["clips"][clip.name] = _clip(clip)
    results["cost"] = _cost()
    print(f"\ncost: {results['cost']}")
    results["days"] = _days(options.seed, options.days, options.jobs)
    options.to.parent.mkdir(parents=True, exist_ok=True)
    options.to.write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")
    print(f"\nwritten to {options.to}")


def _clip(path: Path) -> dict[str, Any]:
    there = list(decoded(path, FPS))
    both = there + there[::-1]
    results: dict[str, Any] = {"as it is": {}, "light": {}, "faults": {}}

    def note(group: str, name: str, told: Told) -> None:
        results[group][name] = _said(told)
        print(f"  {name:32s} {results[group][name] or 'nothing told'}", flush=True)

    rate = len(list(decoded(path))) / (len(there) / FPS)
    twice = itertools.chain(decoded(path), decoded(path))
    note("as it is", "whole, twice", judged(looked_at(twice, rate)))
    keyframes = [frame for frame in decoded(path) if frame.key_frame]
    if len(keyframes) > 10:
        note("as it is", "keyframes only, twice", judged(looked_at(keyframes * 2, 1.0)))
    for name, (every, encoding) in ENCODINGS.items():
        note("as it is", name, judged(looked_at(encoded(both, FPS, every, **encoding), FPS)))
    for name, change in LIGHTS.items():
        frames = (
            with_luma(frame, np.ascontiguousarray(change(luma(frame))), colourless=name == "infrared")
            if START_S <= at / FPS < END_S
            else frame
            for at, frame in enumerate(_endless(both))
        )
        note("light", name, judged(looked_at(encoded(frames, FPS, 10, crf="26"), FPS)))
    for name, (cause, fault) in FAULTS.items():
        frames = with_fault(_endless(both), FPS, fault, START_S, END_S)
        told = judged(looked_at(encoded(frames, FPS, 10, crf="26"), FPS))
        began, ended = told.began(cause), told.ended(cause)
        results["faults"][name] = {
            "cause": cause,
            "told_after_s": None if began is None else began - START_S,
            "ended_after_s": None if ended is None else ended - END_S,
            "others": sorted(told.causes - {cause}),
        }
        print(f"  {name:32s} {results['faults'][name]}", flush=True)
    return results


def _endless(frames: list[av.VideoFrame]) -> Iterator[av.VideoFrame]:
    return itertools.islice(itertools.cycle(frames), int(LENGTH_S * FPS))


def _said(told: Told) -> list[str]:
    return [f"{at:.0f} s: {type(change).__name__} {change.cause}" for at, change in told.changes]


def _cost() -> dict[str, float]:
    results = {}
    pictures = list(itertools.islice(decoded(bundled_clip(), 1.0), 10))
    for width, height in ((640, 360), (1280, 720), (1920, 1080), (3840, 2160)):
        look, images = Look(), [each.reformat(width, height, "yuv420p") for each in pictures]
        results[f"look {width}x{height}, ms"] = round(_each(lambda i: look.features(images[i % 10]), 500), 3)  # noqa: B023
    features = list(itertools.islice(camera_days(1), 10000))
    began = time.perf_counter()
    judged(features)
    results["step, µs"] = round((time.perf_counter() - began) / len(features) * 1e6, 1)
    return results


def _each(call: Any, times: int) -> float:
    began = time.perf_counter()
    for index in range(times):
        call(index)
    return (time.perf_counter() - began) / times * 1000


def _days(seed: int, days: int, jobs: int) -> dict[str, Any]:
    began, told = time.perf_counter(), []
    with ProcessPoolExecutor(jobs) as pool:
        for day, said in enumerate(pool.map(_day, range(seed, seed + days))):
            told += [f"camera-day {seed + day}: {each}" for each in said]
            if day % 10 == 9 or said:
                print(f"{day + 1} camera-days, {len(told)} told {said[:4]}", flush=True)
    seconds = round(time.perf_counter() - began)
    return {"camera-days": days, "first seed": seed, "told": told, "seconds": seconds}


def _day(seed: int) -> list[str]:
    return _said(judged(camera_days(seed)))


if __name__ == "__main__":
    main()
