"""What the page must be told: it is not in the review folder."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["PageSettings"]


@dataclass(frozen=True, slots=True)
class PageSettings:
    """``threshold``: the score from which a box is one of the detector's, ``confidence`` of its
    configuration; those below are offered only. ``reviewer``: who looks, until they say otherwise."""

    threshold: float = 0.4
    reviewer: str = ""
