"""What is left on the machine: memory, under the limits of control groups, and disk where the ledger lies."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from vedette.supervise.figures import MachineUsage

__all__ = ["read_machine", "store_folder"]

_CGROUPS = Path("/sys/fs/cgroup")


def read_machine(cpu: float, folder: Path | None, *, proc: Path = Path("/proc")) -> MachineUsage | None:
    """``cpu``: share of the cores in use, which others measure. ``folder``: where the ledger lies. None where
    the system does not say."""
    available = memory_available(proc)
    if available is None:
        return None
    return MachineUsage(available, cpu, disk_free(folder), os.cpu_count() or 1)


def memory_available(proc: Path = Path("/proc"), cgroups: Path = _CGROUPS) -> int | None:
    """Bytes: of the machine, or what the strictest control group (version 2) of this process leaves."""
    try:
        lines = (proc / "meminfo").read_text().splitlines()
        (free,) = (int(line.split()[1]) * 1024 for line in lines if line.startswith("MemAvailable:"))
    except (OSError, ValueError):
        return None
    return min([free, *_left_by_groups(proc, cgroups)])


def memory_total(proc: Path = Path("/proc"), cgroups: Path = _CGROUPS) -> int | None:
    """Bytes that there are: of the machine, or what the strictest control group of this process allows."""
    try:
        lines = (proc / "meminfo").read_text().splitlines()
        (total,) = (int(line.split()[1]) * 1024 for line in lines if line.startswith("MemTotal:"))
    except (OSError, ValueError):
        return None
    limits = [_limit_of(group) for group in _groups(proc, cgroups)]
    return min([total, *(limit for limit in limits if limit is not None)])


def _limit_of(group: Path) -> int | None:
    try:
        return int((group / "memory.max").read_text())
    except (OSError, ValueError):
        return None


def _left_by_groups(proc: Path, cgroups: Path) -> list[int]:
    """What each group on the way up leaves: a limit holds for all that is below it."""
    return [left for each in _groups(proc, cgroups) if (left := _left_by(each)) is not None]


def _groups(proc: Path, cgroups: Path) -> list[Path]:
    """This process's control group and those above it."""
    try:
        lines = (proc / "self" / "cgroup").read_text().splitlines()
    except OSError:
        return []
    own = next((line[3:] for line in lines if line.startswith("0::")), None)
    if own is None or ".." in own:
        return []  # version 1, or a group that cannot be seen from here
    group = cgroups / own.strip("/")
    return [each for each in (group, *group.parents) if each == cgroups or cgroups in each.parents]


def _left_by(group: Path) -> int | None:
    try:
        limit = int((group / "memory.max").read_text())
        used = int((group / "memory.current").read_text())
        # Files that were read once fill a group up to its limit, and make room when it is needed: without
        # them a node in a container would seem to run out of memory for ever.
        lines = (group / "memory.stat").read_text().splitlines()
        kept = sum(int(line.split()[1]) for line in lines if line.startswith("inactive_file "))
    except (OSError, ValueError):
        return None  # no limit ("max"), no such group, or no control of memory
    return max(0, limit - max(0, used - kept))


def disk_free(folder: Path | None) -> int | None:
    """Bytes that we may still write there."""
    if folder is None:
        return None
    try:
        return shutil.disk_usage(folder).free
    except OSError:
        return None


def store_folder(url: str, *, enabled: bool = True) -> Path | None:
    """Where a ledger lies on this machine; None if it does not. ``url``: a path, or an address with ``://``."""
    return Path(url).absolute().parent if enabled and "://" not in url else None
