"""Which of a set's labels a detector's names mean. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

__all__ = ["Classes"]

_SAME = {
    "aeroplane": "airplane",
    "motorbike": "motorcycle",
    "sofa": "couch",
    "diningtable": "diningtable",
    "pottedplant": "pottedplant",
    "tvmonitor": "tv",
    "mobilephone": "cellphone",
    "bike": "bicycle",
}
"""Spellings of COCO's classes in older sets and models (Pascal VOC, the first COCO name lists)."""


def _key(name: str) -> str:
    plain = re.sub(r"[\s_-]+", "", name).casefold()
    return _SAME.get(plain, plain)


@dataclass(frozen=True, slots=True)
class Classes:
    """``labels``: what was looked for. ``names``: what the detector can say; empty where only it knows."""

    labels: tuple[str, ...]
    names: tuple[str, ...] = ()

    def label_of(self, names: Sequence[str]) -> list[int]:
        """The label's number for each of the detector's names; -1 for what the set did not look for.

        The very same word goes first, then the same but for case, spaces, ``_``, ``-`` and old spellings.
        """
        exact = {label: number for number, label in reversed(list(enumerate(self.labels)))}
        alike = {_key(label): number for number, label in reversed(list(enumerate(self.labels)))}
        return [exact.get(name, alike.get(_key(name), -1)) for name in names]

    @property
    def unknown(self) -> tuple[str, ...]:
        """Labels that the detector cannot say. Empty where nobody knows what it can say."""
        if not self.names:
            return ()
        said = set(self.label_of(self.names))
        return tuple(label for number, label in enumerate(self.labels) if number not in said)
