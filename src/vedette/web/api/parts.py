"""What all routers of the API share."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from fastapi import Depends

from vedette.web.api.books import Books
from vedette.web.api.fleet import Fleet
from vedette.web.api.giving import Giving
from vedette.web.api.live import Lives
from vedette.web.api.past import Past
from vedette.web.api.uploads import Uploads
from vedette.web.served import Served
from vedette.web.who.guard import Guard

__all__ = ["Parts"]


@dataclass(frozen=True, slots=True)
class Parts:
    """Of one dashboard."""

    served: Served
    guard: Guard
    books: Books
    fleet: Fleet
    giving: Giving
    lives: Lives
    uploads: Uploads
    past: Past

    @classmethod
    def of(cls, served: Served, guard: Guard) -> Parts:
        """Opens and asks nothing yet."""
        books = Books(served)
        fleet = Fleet(served, books)
        return cls(
            served,
            guard,
            books,
            fleet,
            Giving(served, guard, fleet),
            Lives(served.asked),
            Uploads(served.store),
            Past(served.asked, served.clock.wall),
        )

    def may(self, role: str) -> Any:
        """What a route depends on, that those who have this role may use: gives the ``Who``."""
        return Depends(self.guard.may(role))
