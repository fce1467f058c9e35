"""What people may do, in four steps; each may all that the ones before it may."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

__all__ = ["ROLES", "Role", "Who", "covers", "lesser"]

Role = Literal["viewer", "reviewer", "operator", "admin"]

ROLES: tuple[Role, ...] = get_args(Role)
"""From the least: a viewer looks; a reviewer also reviews and learns; an operator also pauses, restarts and
recycles; an admin also adds, changes and removes."""


def covers(role: str, wanted: str) -> bool:
    """Whether who has ``role`` may what needs ``wanted``. Raises ValueError for a role there is not."""
    return _step(role) >= _step(wanted)


def lesser(one: Role, other: Role) -> Role:
    """What both may."""
    return min(one, other, key=_step)


def _step(role: str) -> int:
    return [str(each) for each in ROLES].index(role)


@dataclass(frozen=True, slots=True)
class Who:
    """Somebody who asks. ``by``: how it is known: ``local`` (this machine, and nobody has to log in),
    ``session``, or ``token NAME``."""

    name: str
    role: Role
    by: str = "local"

    def may(self, role: str) -> bool:
        return covers(self.role, role)


LOCAL = Who("local", "admin")
"""Whoever asks, where only this machine can ask."""
