"""Which role the route that a request is meant for asks for."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from fastapi.dependencies.models import Dependant
from starlette.routing import BaseRoute, Match, Mount
from starlette.types import Scope

from vedette.web.flat_routes import flat_routes
from vedette.web.who.roles import ROLES

__all__ = ["ROLE", "role_of"]

ROLE = "vedette_role"
"""Attribute of a dependency that lets only those in who have this role."""


def role_of(routes: Iterable[BaseRoute], scope: Scope) -> str | None:
    """The most that the route asks for which would answer; None where there is none, or where it says
    nothing."""
    for route in flat_routes(routes):
        match, more = route.matches(scope)
        if match is not Match.FULL:
            continue
        if isinstance(route, Mount):
            return role_of(route.routes, {**scope, **more})
        roles = list(_asked(getattr(route, "dependant", None)))
        return max(roles, key=ROLES.index, default=None)
    return None


def _asked(dependant: Dependant | None) -> Iterator[str]:
    if dependant is None:
        return
    role = getattr(dependant.call, ROLE, None)
    if role is not None:
        yield role
    for each in dependant.dependencies:
        yield from _asked(each)
