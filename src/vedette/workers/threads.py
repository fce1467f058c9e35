"""Names of threads as the system keeps them: what each group of a process's threads costs is read by them."""

from __future__ import annotations

import ctypes
import sys
from collections.abc import Mapping
from types import MappingProxyType

__all__ = ["GROUPS", "PREFIX", "name_thread"]

PREFIX = "vedette-"
"""So that a thread of a user's detector or a library is never taken for one of ours."""

GROUPS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {"camera": ("loop", "decode", "take"), "inference": ("detect", "ask")}
)
"""What is told apart in a process of each kind. Everything else is ``other``."""

_PR_SET_NAME = 15
_LONGEST = 15
"""Bytes that Linux keeps of a name."""


def name_thread(group: str) -> None:
    """Count the calling thread to ``group`` from here on.

    Threads that it starts count there, too, until they are given a name of their own: what a detector's
    runtime does in its threads is the detector's. Costs a microsecond; does nothing where there is no Linux.
    """
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_NAME, f"{PREFIX}{group}".encode()[:_LONGEST], 0, 0, 0)
