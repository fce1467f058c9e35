"""What a camera usually looks like, learnt from its own looks, and how well a look fits that."""

from __future__ import annotations

import math

import msgspec
import numpy as np
import numpy.typing as npt

from vedette.health.picture import CELLS, REGIONS, Features

__all__ = [
    "INFRARED_BELOW",
    "LIGHTS",
    "LIKE_CLEARLY",
    "Reference",
    "averaged",
    "blended",
    "intact_regions",
    "light",
    "likeness",
    "likeness_shifted",
    "likest",
    "lost_share",
    "ready",
]

LIGHTS = 4
"""Colour or infrared, dim or bright: in each a view has its own reference."""
INFRARED_BELOW = 1.2
"""Mean distance of chroma from neutral. Black and white has none; overcast winter days about 3."""
DIM_BELOW = 70.0

LEARNING_LOOKS = 30
READY_LOOKS = 10
SLOWLY = 1 / 60
"""The first 30 looks are averaged; each later one that is taken enters with 1/60."""

BLANK_BELOW, EDGES_FROM = 0.45, 0.55
"""Texture of a region. Noise and a featureless cover give 0.15 to 0.35."""
LIT_FROM, LIT_TO = 24.0, 245.0
"""Luma of a region. Where it is darker or brighter, missing edges are a matter of light."""
LIKE_CLEARLY = 0.6

Floats = npt.NDArray[np.float32]


class Reference(msgspec.Struct, frozen=True):
    """A view in one light. ``edges``: float32 [12, 96] and ``texture``: float32 [12], as bytes."""

    edges: bytes
    texture: bytes
    sharpness: float
    looks: int


def light(features: Features) -> int:
    """Which of the four kinds of light a look was taken in."""
    return 2 * (features.colour < INFRARED_BELOW) + (features.luma < DIM_BELOW)


def ready(reference: Reference | None) -> bool:
    return reference is not None and reference.looks >= READY_LOOKS


def averaged(reference: Reference | None, features: Features) -> Reference:
    """The reference with one more look in it."""
    if reference is None:
        return Reference(features.edges.tobytes(), features.texture.tobytes(), features.sharpness, 1)
    weight = 1 / (reference.looks + 1) if reference.looks < LEARNING_LOOKS else SLOWLY
    return Reference(
        blended(reference.edges, features.edges.ravel(), weight),
        blended(reference.texture, features.texture, weight),
        reference.sharpness + weight * (features.sharpness - reference.sharpness),
        min(reference.looks + 1, LEARNING_LOOKS),
    )


def blended(old: bytes, new: Floats, weight: float) -> bytes:
    """``old`` moved towards ``new`` by a share of ``weight``."""
    before = np.frombuffer(old, np.float32)
    return (before + np.float32(weight) * (new - before)).tobytes()


def likest(references: tuple[Reference | None, ...], features: Features) -> tuple[float, Reference | None]:
    """How well the edges fit what is known, and what they fit best: this light's reference or another's.

    Lamps, shadows and infrared change edges; a view that looks like any light's is no other view.
    """
    own = references[light(features)]
    best: tuple[float, Reference | None] = (0.0, None)
    if own is not None and ready(own):
        best = (likeness(features, own), own)
        if best[0] >= LIKE_CLEARLY:
            return best
    for other in references:
        if other is not None and other is not own and ready(other):
            alike = likeness(features, other)
            if best[1] is None or alike > best[0]:
                best = (alike, other)
    return best


def likeness(features: Features, reference: Reference) -> float:
    """Correlation of edges, −1…1: of the whole picture, or of its lit regions where that is more."""
    edges = np.frombuffer(reference.edges, np.float32)
    mine, theirs = float(features.texture @ features.texture), float(edges @ edges)
    whole: float = float(features.edges.ravel() @ edges) / max(math.sqrt(mine * theirs), 1e-6)
    if whole >= LIKE_CLEARLY:
        return whole
    # Regions in the dark hold nothing but noise.
    lit = features.region_luma >= LIT_FROM
    if not 3 <= int(np.count_nonzero(lit)) < lit.size:
        return whole
    some, other = features.edges[lit], edges.reshape(features.edges.shape)[lit]
    size = math.sqrt(float(np.vdot(some, some)) * float(np.vdot(other, other)))
    return max(whole, float(np.vdot(some, other)) / max(size, 1e-6))


def lost_share(reference: Reference, recent: bytes, features: Features) -> float:
    """Share of the regions that have edges, usually and until ``recent``\\ ly, and now are lit and have none.

    0 for views with fewer than three such regions: of them nothing can be said.
    """
    had = np.frombuffer(reference.texture, np.float32) >= EDGES_FROM
    had &= np.frombuffer(recent, np.float32) >= EDGES_FROM
    count = int(np.count_nonzero(had))
    if count < 3:
        return 0.0
    luma = features.region_luma
    lost = had & (features.texture < BLANK_BELOW) & (luma >= LIT_FROM) & (luma <= LIT_TO)
    return int(np.count_nonzero(lost)) / count


def intact_regions(reference: Reference, features: Features) -> int:
    """How many of the regions that usually have edges look as usual."""
    had = np.frombuffer(reference.texture, np.float32) >= EDGES_FROM
    edges = np.frombuffer(reference.edges, np.float32).reshape(features.edges.shape)
    sizes = features.texture * np.sqrt(np.einsum("ij,ij->i", edges, edges))
    alike = np.einsum("ij,ij->i", edges, features.edges) >= LIKE_CLEARLY * sizes
    return int(np.count_nonzero(alike & had))


def likeness_shifted(reference: Reference, features: Features) -> float:
    """The best correlation of edges when one is shifted by up to a quarter of the picture. Takes 1 ms."""
    usual, now = _laid_out(np.frombuffer(reference.edges, np.float32)), _laid_out(features.edges.ravel())
    rows, columns = usual.shape[1:]
    best = 0.0
    for down in range(-(rows // 4), rows // 4 + 1):
        for right in range(-(columns // 4) - 1, columns // 4 + 2):
            one = usual[:, max(0, down) : rows + min(0, down), max(0, right) : columns + min(0, right)]
            other = now[:, max(0, -down) : rows + min(0, -down), max(0, -right) : columns + min(0, -right)]
            size = math.sqrt(float(np.vdot(one, one)) * float(np.vdot(other, other)))
            best = max(best, float(np.vdot(one, other)) / max(size, 1e-6))
    return best


def _laid_out(edges: Floats) -> Floats:
    """[12 × 96] as a picture: [2 directions, 18 rows, 32 columns]."""
    regions = edges.reshape(*REGIONS, 2, *CELLS)
    return regions.transpose(2, 0, 3, 1, 4).reshape(2, REGIONS[0] * CELLS[0], REGIONS[1] * CELLS[1])
