"""What is known of the resources of a node's processes and of its machine, as plain values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

__all__ = ["MachineUsage", "Peak", "ProcessUsage"]


@dataclass(frozen=True, slots=True)
class ProcessUsage:
    """One process at one moment. ``worker``: its name, or ``node``. ``at``: monotonic seconds.

    ``pss``, ``uss``: bytes of memory, shared pages counted in parts, and not counted. ``gpu``: bytes of GPU
    memory; None where it has none or nothing is known of it. ``fds``, ``threads``: how many.

    ``cpu_s``: seconds of processor time since it began, by group of its threads (see
    :mod:`vedette.workers.threads`), which never fall. ``cpu``: by the same groups, the cores that were in use
    since the last reading, on average; empty in the first one.
    """

    worker: str
    pid: int
    at: float
    pss: int
    uss: int
    gpu: int | None
    fds: int
    threads: int
    cpu_s: Mapping[str, float] = field(default_factory=dict)
    cpu: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Peak:
    """The most that a worker had of each, in all its processes so far. Units as in :class:`ProcessUsage`."""

    pss: int = 0
    uss: int = 0
    gpu: int | None = None
    fds: int = 0
    threads: int = 0

    def raised_by(self, usage: ProcessUsage) -> Peak:
        gpu = max((known for known in (self.gpu, usage.gpu) if known is not None), default=None)
        return Peak(
            max(self.pss, usage.pss),
            max(self.uss, usage.uss),
            gpu,
            max(self.fds, usage.fds),
            max(self.threads, usage.threads),
        )


@dataclass(frozen=True, slots=True)
class MachineUsage:
    """``memory_available``: bytes that the node's processes can still have, by the machine and by the limits
    of their control groups. ``cpu``: share of the machine's cores in use, by anybody. ``disk_free``: bytes
    where the ledger lies; None where that is not a file, or there is none. ``cores``: of the machine.
    """

    memory_available: int
    cpu: float = 0.0
    disk_free: int | None = None
    cores: int = 1
