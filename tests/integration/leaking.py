"""A detector that keeps a part of every picture it has seen."""

from __future__ import annotations

from typing import Any

import numpy as np

from vedette.testing import FakeDetector


class LeakyDetector(FakeDetector):
    """As :class:`FakeDetector`; ``leaks``: bytes that each picture leaves behind."""

    def __init__(self, leaks: int, **options: Any) -> None:
        super().__init__(**options)
        self._leaks, self._kept = leaks, []  # type: ignore[var-annotated]

    def detect(self, images: Any) -> Any:
        self._kept += [np.ones(self._leaks, np.uint8) for _ in images]
        return super().detect(images)
