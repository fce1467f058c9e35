"""Which light a picture was taken in: what is usual for a camera is learnt in each by itself."""

from __future__ import annotations

from bisect import bisect_right

__all__ = ["LIGHTS", "UNKNOWN", "light_of", "light_words"]

_COLOUR_EDGES = (20.0, 40.0, 70.0, 110.0, 160.0)
"""Mean luma, 0…255. Finer where it is dark: there the same step changes more of what can be made out."""
_INFRARED_EDGES = (40.0, 110.0)

_STICKS = 0.06
"""Share of an edge by which luma has to be beyond it to leave a light: a camera whose luma lies just there
would otherwise change with every cloud, and no block of windows would be of one light."""

LIGHTS = len(_COLOUR_EDGES) + 1 + len(_INFRARED_EDGES) + 1
UNKNOWN = -1
"""Nobody has looked at a picture yet."""


def light_of(luma: float, infrared: bool, before: int = UNKNOWN) -> int:
    """0…8 of mean ``luma`` (0…255): six of colour, then three of infrared. ``before``: the one it was in."""
    edges = _INFRARED_EDGES if infrared else _COLOUR_EDGES
    first = len(_COLOUR_EDGES) + 1 if infrared else 0
    here = bisect_right(edges, luma)
    was = before - first
    if before == UNKNOWN or not 0 <= was <= len(edges) or abs(here - was) != 1:
        return first + here
    edge = edges[min(here, was)]
    return first + (here if abs(luma - edge) > _STICKS * edge else was)


def light_words(light: int) -> str:
    """Like ``colour, luma 70 to 110``."""
    if light == UNKNOWN:
        return "unknown light"
    infrared = light > len(_COLOUR_EDGES)
    edges = (0.0, *(_INFRARED_EDGES if infrared else _COLOUR_EDGES), 255.0)
    place = light - (len(_COLOUR_EDGES) + 1 if infrared else 0)
    return f"{'infrared' if infrared else 'colour'}, luma {edges[place]:g} to {edges[place + 1]:g}"
