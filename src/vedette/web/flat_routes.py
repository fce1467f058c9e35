"""All routes of an application, those of included routers in their place."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from starlette.routing import BaseRoute

__all__ = ["flat_routes"]


def flat_routes(routes: Iterable[BaseRoute]) -> Iterator[BaseRoute]:
    """FastAPI keeps an included router as one route, which leads to its own."""
    for route in routes:
        included = getattr(route, "original_router", None)
        if included is None:
            yield route
        else:
            yield from flat_routes(included.routes)
