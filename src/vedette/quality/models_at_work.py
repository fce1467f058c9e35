"""Which model each process of a node detects with: what it found is that model's, whenever it is told.

A frame may be told of when another process detects already; and a model's file may be another one by then. So
frames carry the number of the process that looked at them, and the process says what it was loaded from.
"""

from __future__ import annotations

from vedette.quality.identity import identity_of

__all__ = ["ModelsAtWork"]

REMEMBERED = 64
"""Processes, the latest: none has frames under way for so long that so many others come meanwhile."""


class ModelsAtWork:
    """Numbers are from 1 on. Written by the node's loop, read by any thread."""

    def __init__(self) -> None:
        self._number = 0
        self._specs: dict[int, bytes] = {}
        self._identities: dict[int, str] = {}

    def begins(self, spec: bytes) -> int:
        """A process begins, with a detector of these settings (packed); returns its number."""
        self._number += 1
        self._specs[self._number] = spec
        for known in (self._specs, self._identities):
            known.pop(self._number - REMEMBERED, None)
        return self._number

    def loaded(self, process: int, made_of: str) -> None:
        """It says what its detector was loaded from."""
        if (spec := self._specs.get(process)) is not None:
            self._identities[process] = identity_of(spec, made_of)

    def of(self, process: int) -> str:
        """By which what its detector finds is kept; empty where that is not known."""
        return self._identities.get(process, "")
