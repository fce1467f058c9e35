"""One detector at several input sizes: smaller ones are made when they are wanted, while the others run."""

from __future__ import annotations

import threading
from collections.abc import Callable

from vedette.errors import DetectorError, redact
from vedette.infer.load import LoadedDetector
from vedette.workers.threads import name_thread

__all__ = ["Sizes"]


class Sizes:
    """``sizes[0]`` is the full one. ``trouble`` hears of a size that cannot be made, from another thread."""

    def __init__(self, detector: LoadedDetector, trouble: Callable[[str], None]) -> None:
        self._made: dict[int, LoadedDetector] = {0: detector}
        self._smaller = detector.smaller
        self._trouble = trouble
        self._making: threading.Thread | None = None
        self._refused: set[int] = set()
        self.now = 0
        """Which size frames are asked for in."""

    @property
    def smaller(self) -> int:
        """How many sizes smaller it can be, as far as is known."""
        return min(self._refused, default=len(self._smaller) + 1) - 1

    def __getitem__(self, size: int) -> LoadedDetector:
        return self._made[size]

    def follow(self, wanted: int) -> int:
        """Use the wanted size as soon as it is there; returns the one in use. Never blocks."""
        if wanted != self.now and 0 <= wanted <= len(self._smaller):
            if wanted in self._made:
                self.now = wanted
            elif wanted not in self._refused and self._making is None:
                self._making = threading.Thread(target=self._make, args=(wanted,), daemon=True)
                self._making.start()
        return self.now

    def _make(self, size: int) -> None:
        name_thread("detect")  # with all that the runtime starts here
        try:
            smaller = self._made[0].resized(self._smaller[size - 1])
            smaller.warm_up()
            self._made[size] = smaller
        except Exception as err:  # whatever a runtime trips over: the sizes that are there go on
            self._refused.add(size)
            why = str(err) if isinstance(err, DetectorError) else f"{type(err).__name__}: {err}"
            self._trouble(f"the detector cannot be made smaller: {redact(why)[:500]}")
        finally:
            self._making = None
