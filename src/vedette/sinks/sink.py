"""Where results go: the protocol of sinks, and what they may say went wrong."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from vedette.errors import VedetteError
from vedette.results import Result

__all__ = ["Sink", "SinkGone", "SinkUnavailable"]


class SinkUnavailable(VedetteError):  # noqa: N818 - a state of the sink, that passes
    """The sink cannot take results now: disk full, not permitted. Worth another try later."""


class SinkGone(VedetteError):  # noqa: N818 - a state of the sink, that stays
    """Nobody will ever take results here again, such as a closed pipe."""


class Sink(Protocol):
    """Takes results. Called from one thread of its own, so it may block; see ``Delivery``."""

    def open(self) -> None:
        """Make ready; also called after a failure, to start afresh. Raises SinkUnavailable or SinkGone."""
        ...

    def write(self, results: Sequence[Result]) -> None:
        """Take all of them, or raise SinkUnavailable having taken none (they come again), or SinkGone."""
        ...

    def close(self) -> None:
        """Let go of what ``open`` took. Never raises; may come without an ``open``."""
        ...
