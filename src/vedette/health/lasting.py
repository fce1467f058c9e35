"""A condition that must last before it is believed, and must be gone for a while before it is over."""

from __future__ import annotations

import msgspec

__all__ = ["Lasting", "lasting"]


class Lasting(msgspec.Struct, frozen=True):
    """``on``: it is believed. ``since``: when what would change that began; None while nothing would."""

    on: bool = False
    since: float | None = None


_OFF = Lasting()
_ON = Lasting(on=True)


def lasting(
    state: Lasting, bad: bool, good: bool, now: float, seconds: float
) -> tuple[Lasting, float | None]:
    """The next state, and when the stretch began if it was just believed or just ended (else None).

    ``bad`` and ``good`` are the two sides of a hysteresis: both False between them. Each must hold for
    ``seconds`` at a stretch.
    """
    if not (good if state.on else bad):
        return (_ON if state.on else _OFF) if state.since is not None else state, None
    if state.since is None:
        return Lasting(state.on, now), None
    if now - state.since < seconds:
        return state, None
    return (_OFF if state.on else _ON), state.since
