"""``python -m benchmarks.streams.stalls``: stalls told and not told, and a dead switch, in simulated time.

Camera-days feed the real :class:`~vedette.health.arrivals.Arrivals`, looked at four times a second: each
stall told is a false one. Then streams are cut at random moments, and the whole of stream health says how
long it took to notice. Takes about a minute.
"""

from __future__ import annotations

import argparse
import sys
import time
from typing import Any

import numpy as np

from benchmarks.machine import machine
from benchmarks.report import markdown, write_json
from benchmarks.streams.arriving import PATTERNS, Times, arrivals
from benchmarks.streams.switch import dead_switch
from vedette.health import stream
from vedette.health.arrivals import LEAST_S, Arrivals
from vedette.health.observed import Opened, SayBlind, Snapshot
from vedette.health.stream import LOOK_EVERY_S

__all__ = ["camera_days", "detect", "false_stalls"]

FPS = (25.0, 10.0, 5.0, 1.0)
DAY_S = 86400.0
SLICE = 50_000


def false_stalls(came: Times, pattern: Arrivals) -> list[float]:
    """When stalls are told of a camera that never stalls. Looks are only made where they could tell one."""
    told: list[float] = []
    pauses = np.flatnonzero(np.diff(came) > LEAST_S / 2) + 1
    begin = 0
    for end in [*pauses.tolist(), len(came)]:
        for low in range(begin, end, SLICE):
            note = pattern.note
            for at in came[low : min(end, low + SLICE)].tolist():
                note(at)
        if end < len(came):
            told += _looks_between(float(came[end - 1]), float(came[end]), pattern)
        begin = end
    return told


def _looks_between(last: float, following: float, pattern: Arrivals) -> list[float]:
    look = (last // LOOK_EVERY_S + 1) * LOOK_EVERY_S
    while look < following:
        if look - last > pattern.threshold(LEAST_S):
            return [look]
        look += LOOK_EVERY_S
    return []


def camera_days(pattern: str, fps: float, days: int, seed: int) -> dict[str, Any]:
    """``days`` cameras for a day each."""
    told: list[list[float]] = []
    frames, took = 0, 0.0
    for day in range(days):
        came = arrivals(pattern, fps, DAY_S, np.random.default_rng([seed, day]))
        frames += len(came)
        began = time.process_time()
        told.append(false_stalls(came, Arrivals()))
        took += time.process_time() - began
    return {
        "what": "camera-days",
        "pattern": pattern,
        "fps": fps,
        "days": days,
        "false_stalls": sum(map(len, told)),
        "false_stalls_a_day_at_most": max(map(len, told)),
        "us_a_frame": round(1e6 * took / frames, 2),
    }


def detect(pattern: str, fps: float, stalls: int, seed: int) -> dict[str, Any]:
    """Cut a stream at random moments; how long after its last frame is it told? 20 s later it goes on."""
    rng = np.random.default_rng([seed, int(fps)])
    found: list[float] = []
    cameras = max(1, stalls // 10)
    for _ in range(cameras):
        came = arrivals(pattern, fps, 1800.0, rng)
        cuts = np.arange(60.0, 1740.0, 1680.0 * cameras / stalls) + rng.uniform(0.0, 30.0)
        cuts += rng.uniform(0.0, 60.0, len(cuts))
        for cut in cuts:
            came = came[(came < cut) | (came > cut + 20.0)]
        found += _told_after(came, cuts, float(rng.uniform(0.0, LOOK_EVERY_S)))
    return {
        "what": "stalls",
        "pattern": pattern,
        "fps": fps,
        "stalls": len(found),
        "told_p50_s": round(float(np.percentile(found, 50)), 2),
        "told_p99_s": round(float(np.percentile(found, 99)), 2),
        "told_most_s": round(max(found), 2),
    }


def _told_after(came: Times, cuts: Times, phase: float) -> list[float]:
    """Seconds from each stall's last frame until it was said, by the whole of stream health."""
    pattern, told = Arrivals(), []
    state, _ = stream.step(stream.began(0.0), Opened("h264"), 0.0)
    frames, at, last = came.tolist(), 0, 0.0
    cut_frames = {float(came[came < cut][-1]) for cut in cuts}
    now = phase
    while at < len(frames):
        before = at
        while at < len(frames) and frames[at] <= now:
            last = frames[at]
            pattern.note(last)
            at += 1
        shot = Snapshot(
            last_arrival=last,
            last_picture=last,
            threshold=pattern.threshold(LEAST_S),
            received=at - before,
            given=at - before,
            ratio=pattern.ratio(now),
        )
        state, actions = stream.step(state, shot, now)
        if last in cut_frames and any(isinstance(action, SayBlind) for action in actions):
            told.append(now - last)
        now += LOOK_EVERY_S
    return told


def _parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.streams.stalls", description=__doc__)
    parser.add_argument("--days", type=int, default=100, help="camera-days of patterns that must not trip")
    parser.add_argument("--stalls", type=int, default=400, help="for each pattern and rate")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--name", default="stalls", help="of the file in benchmarks/results")
    return parser.parse_args()


DAYS = {"pattern": "{pattern}", "fps": "{fps:g}", "camera-days": "{days}", "false stalls": "{false_stalls}"}
DAYS |= {"most of one camera": "{false_stalls_a_day_at_most}", "µs a frame": "{us_a_frame}"}
STALLS = {"pattern": "{pattern}", "fps": "{fps:g}", "stalls": "{stalls}", "told after p50": "{told_p50_s} s"}
STALLS |= {"p99": "{told_p99_s} s", "most": "{told_most_s} s"}
SWITCH = {
    "cameras": "{cameras}",
    "hosts": "{hosts}",
    "dead for": "{outage_s:g} s",
    "back p50": "{back_p50_s} s",
}
SWITCH |= {
    "p99": "{back_p99_s} s",
    "all": "{back_all_s} s",
    "connects at once": "{connects_at_once}/{budget}",
}
SWITCH |= {"per host": "{connects_at_once_per_host}/{budget_per_host}", "attempts": "{attempts}"}


def main() -> None:
    options = _parse()
    before = machine()
    quiet = [(pattern, fps) for pattern in ("jitter", "bursts", "gops") for fps in FPS]
    share = max(1, -(-options.days // len(quiet)))
    days = [camera_days(pattern, fps, share, options.seed) for pattern, fps in quiet]
    learnt = [(pattern, fps) for pattern in ("heavy", "rarely heavy") for fps in FPS]
    days += [camera_days(pattern, fps, max(1, share // 3), options.seed) for pattern, fps in learnt]
    stalls = [detect(pattern, fps, options.stalls, options.seed) for pattern in PATTERNS for fps in FPS]
    switches = [
        dead_switch(cameras, hosts, outage, options.seed)
        for cameras, hosts in ((1000, 125), (1000, 1000), (1000, 1), (64, 1), (32, 32))
        for outage in (20.0, 600.0, 3600.0)
    ]
    for rows, columns in ((days, COLUMNS[0]), (stalls, COLUMNS[1]), (switches, COLUMNS[2])):
        print(f"\n{markdown(rows, columns)}", flush=True)
    command = " ".join(["python -m benchmarks.streams.stalls", *sys.argv[1:]])
    path = write_json(options.name, [*days, *stalls, *switches], command, before)
    print(f"\nwritten to {path.name}", flush=True)


COLUMNS = (DAYS, STALLS, SWITCH)

if __name__ == "__main__":
    main()
