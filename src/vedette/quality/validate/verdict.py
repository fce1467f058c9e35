"""What came of holding a detector to labelled pictures, as far as a node needs it."""

from __future__ import annotations

import msgspec

from vedette.facts import Figure

__all__ = ["Verdict"]


class Verdict(msgspec.Struct, frozen=True, kw_only=True):
    """``at``: Unix seconds. ``run``: id of what was kept of it. ``identity``: by which the node knows the
    detector. ``problems``: why it does not pass, in words; ``remarks``: what to know when reading the rest.
    ``compared``: how it differs from what it was compared with, in words; empty where it was with nothing.
    ``made_of``: a hash of what was loaded."""

    at: float
    run: str
    dataset: str
    pictures: int
    model: str
    identity: str
    figures: dict[str, Figure]
    problems: list[str]
    remarks: list[str]
    compared: str = ""
    made_of: str = ""

    @property
    def passed(self) -> bool:
        return not self.problems
