"""The words that a verdict on a node's bottleneck is put together from."""

from __future__ import annotations

from vedette.ladder.steps import Step
from vedette.observe.evidence import SPEAKS, Evidence, Part

__all__ = [
    "arrive_late",
    "besides",
    "few",
    "frames_wait",
    "nothing",
    "of_cores",
    "of_it_waiting",
    "of_them_wanted",
    "percent",
    "rate",
    "share_let_go",
    "who_has_cores",
]

MEMORY_SHORT = 150_000_000
"""Bytes. A worker that has to be started anew takes about so much."""
DISK_SHORT = 100_000_000
"""Bytes. Some days of a ledger of many cameras; a log that runs wild takes it in minutes."""

_STEPS = tuple(step.name.lower() for step in Step)


def nothing(it: Evidence) -> str:
    if not it.wanted:
        return "Nothing: no frame was wanted yet"
    others = {
        outcome: sum(count for name, count in it.ended.items() if name.startswith(f"{outcome}."))
        for outcome in ("failed", "orphaned")
    }
    but = ", ".join(f"{count} {outcome}" for outcome, count in others.items() if count)
    if it.let_go.total():
        told = f"Nothing to speak of: {share_let_go(it)}"
    elif but:
        told = "Nothing: no frame was let go for want of time"
    else:
        told = "Nothing: every frame that was wanted was analysed"
    return f"{told} ({but})" if but else told


def besides(it: Evidence, stage: str) -> str:
    """What is true beside the verdict that this stage is the bottleneck."""
    told = ""
    if it.late and stage != "lag":
        # What a worker without rest reads late arrives late.
        ours = it.has_no_rest(it.gauges.camera)
        whose = "the network, the cameras, or our own late reading" if ours else "the network, or the cameras"
        told += f"; besides, {arrive_late(it)}: {whose}"
    if short := _running_out(it):
        told += f"; besides, only {' and '.join(short)} are left"
    # In the ladder's order, so that the same always reads the same.
    below = [f"{name} {it.below[name]}" for name in _STEPS if it.below[name]]
    return f"{told}; below full: {', '.join(below)}" if below else told


def _running_out(it: Evidence) -> list[str]:
    found = []
    if it.gauges.memory < MEMORY_SHORT:
        found.append(f"{it.gauges.memory / 1e6:.0f} MB of memory")
    if it.gauges.disk < DISK_SHORT:
        found.append(f"{it.gauges.disk / 1e6:.0f} MB of disk for the ledger")
    return found


def who_has_cores(it: Evidence) -> str:
    """Said where there are too few."""
    if not (it.gauges.cameras or it.gauges.detecting):
        return ""
    cameras, detecting = f"{it.gauges.cameras:.1f}", f"{it.gauges.detecting:.1f}"
    trying = f", candidates {it.gauges.trying:.1f}" if it.gauges.trying >= 0.05 else ""
    return f"; the cameras' workers have {cameras} of them, the detector {detecting}{trying}"


def of_cores(used: float, cores: int) -> str:
    return f"{used:.1f} of {cores} cores" if cores else f"{used:.1f} cores"


def arrive_late(it: Evidence) -> str:
    worst = max(it.late, key=lambda camera: camera.lag_ms)
    if len(it.late) == 1:
        return f"{worst.name}'s frames arrive {worst.lag_ms:.0f} ms after they were captured"
    numbers = f"{worst.lag_ms:.0f} ms after they were captured at worst ({worst.name})"
    return f"frames of {len(it.late)} cameras arrive {numbers}"


def share_let_go(it: Evidence) -> str:
    share = f"{it.loss:.0%}" if it.loss >= 0.1 else f"{it.loss:.1%}" if it.loss >= 0.001 else "under 0.1%"
    return f"{share} of the frames that were wanted were let go"


def of_them_wanted(it: Part) -> str:
    """Said where a good part of what comes is left out on purpose."""
    share = it.wanted / max(1, it.ended.total())
    return "" if share > 1 - SPEAKS else f"{few(it.bring * share)} of them wanted, "


def of_it_waiting(busy: float, waited: float) -> str:
    share = waited / busy if busy else 0.0
    return f", {percent(share)} of it waiting for a core" if share >= 0.05 else ""


def frames_wait(frames: float) -> str:
    count = round(frames)
    return f"{count} frame waits" if count == 1 else f"{count} frames wait"


def percent(share: float) -> str:
    return f"{min(1.0, share):.0%}"


def rate(frames: float) -> str:
    """A second."""
    return f"{few(frames)} frames/s"


def few(count: float) -> str:
    """With a decimal where it says something."""
    return f"{count:.0f}" if count >= 10 or count == int(count) else f"{count:.1f}"
