"""Who asks, and whether they may: before anything else sees a request."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from fastapi import FastAPI
from starlette.requests import HTTPConnection

from vedette.web.served import Served

__all__ = ["Guard", "Who"]


@dataclass(frozen=True, slots=True)
class Who:
    """Somebody who asks. ``role``: viewer, reviewer, operator or admin."""

    name: str
    role: str


class Guard:
    """Of one dashboard."""

    def __init__(self, served: Served) -> None:
        self._served = served

    def protect(self, app: FastAPI) -> None:
        """Put it before everything that ``app`` serves."""

    def may(self, role: str) -> Callable[[HTTPConnection], Who]:
        """What a route depends on, that those who have this role may use."""

        def who(connection: HTTPConnection) -> Who:
            return Who("anybody", "admin")

        return who

    def audit(self, who: Who, action: str, what: str, outcome: str) -> None:
        """Write down a change."""
