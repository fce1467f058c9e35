"""What the ladder did, from the facts ``Stepped`` that a node told."""

from __future__ import annotations

from collections import Counter
from typing import Any

__all__ = ["Steps"]

FULL = "full"
_ORDER = ("full", "fewer", "reference", "keyframes", "paused")


class Steps:
    """``facts``: as our arm wrote them, in the order of their times."""

    def __init__(self, facts: list[dict[str, Any]]) -> None:
        stepped = [fact for fact in facts if fact["type"] == "Stepped"]
        self.moves = sorted(stepped, key=lambda fact: float(fact["at"]))

    def between(self, begin: float, end: float) -> list[dict[str, Any]]:
        return [move for move in self.moves if begin <= move["at"] < end]

    def first_down(self, begin: float, end: float) -> float | None:
        """Seconds from ``begin`` to the first step down, if there is one before ``end``."""
        down = [move["at"] - begin for move in self.between(begin, end) if _is_down(move)]
        return round(down[0], 2) if down else None

    def at(self, moment: float) -> dict[str, str]:
        """The step of each camera that ever moved, at a moment."""
        found: dict[str, str] = {}
        for move in self.moves:
            if move["at"] > moment:
                break
            found |= dict.fromkeys(move["cameras"], move["step"])
        return found

    def back_to_full(self, begin: float, end: float) -> float | None:
        """Seconds from ``begin`` until every camera is on full again and stays so until ``end``; 0.0 where
        none was on another step, None where they do not come back."""
        if any(step != FULL for step in self.at(end).values()):
            return None
        if all(step == FULL for step in self.at(begin).values()) and not self.between(begin, end):
            return 0.0
        moves = self.between(begin, end)
        return round(moves[-1]["at"] - begin, 2) if moves else 0.0

    def per_minute(self, begin: float, end: float) -> dict[str, float]:
        """How often a camera moved down and up per minute: the one that moved most, of each."""
        down, up = Counter[str](), Counter[str]()
        for move in self.between(begin, end):
            (down if _is_down(move) else up).update(move["cameras"])
        minutes = max(1e-9, (end - begin) / 60)
        most = {"down": max(down.values(), default=0), "up": max(up.values(), default=0)}
        return {name: round(count / minutes, 2) for name, count in most.items()}

    def told(self, zero: float) -> list[dict[str, Any]]:
        """All moves, for the file: when (seconds after ``zero``), how many cameras, whence and where, why."""
        return [
            {
                "at_s": round(move["at"] - zero, 2),
                "cameras": len(move["cameras"]),
                "was": move["was"],
                "step": move["step"],
                "why": move["why"],
            }
            for move in self.moves
        ]


def _is_down(move: dict[str, Any]) -> bool:
    return _ORDER.index(move["step"]) > _ORDER.index(move["was"])
