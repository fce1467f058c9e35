"""What is read of a worker now and then, and how much of each it may have: plain values for pure policies."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

__all__ = ["Kind", "Limits", "Measure", "Seen"]


class Kind(StrEnum):
    CAMERA = "camera"
    INFERENCE = "inference"


class Measure(StrEnum):
    """What a worker can leak."""

    MEMORY = "memory"
    """USS, bytes: what would be free if the process ended."""
    GPU = "gpu"
    """Bytes on its device."""
    FILES = "files"
    """Open descriptors."""
    THREADS = "threads"

    def written(self, amount: float) -> str:
        """An amount of it for people: ``312 MB``, ``2.5 threads``."""
        if self in (Measure.MEMORY, Measure.GPU):
            return f"{amount / 1e6:.3g} MB" if abs(amount) < 1e9 else f"{amount / 1e9:.3g} GB"
        return f"{amount:.3g} {'descriptors' if self is Measure.FILES else 'threads'}"


_FIELDS = {Measure.MEMORY: "uss", Measure.GPU: "gpu", Measure.FILES: "files", Measure.THREADS: "threads"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """A worker at one moment. ``started_at`` in monotonic seconds, and which instance of this name it is.

    ``frames``: handled since then. ``uss``, ``gpu``: bytes. None: not known, or it has none. ``movable``:
    a replacement can take its work over now; a clip that must be read to its end in one piece cannot move.
    """

    name: str
    kind: Kind
    started_at: float
    frames: int = 0
    uss: int | None = None
    gpu: int | None = None
    files: int | None = None
    threads: int | None = None
    ready: bool = True
    movable: bool = True

    def amount(self, measure: Measure) -> int | None:
        """How much it has of this."""
        amount: int | None = getattr(self, _FIELDS[measure])
        return amount


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What one worker may have and how it is recycled; None = no limit.

    ``most``: by measure, bytes or numbers. ``lifetime`` in seconds, ``frames`` handled. ``apart``: seconds
    between two planned replacements, at least. ``leak``: whether leaks are a reason to replace.
    """

    most: Mapping[Measure, float] = field(default_factory=dict)
    lifetime: float | None = None
    frames: int | None = None
    apart: float = 600.0
    leak: bool = True
