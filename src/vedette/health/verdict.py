"""What one look shows of each condition, next to what is usual for the camera."""

from __future__ import annotations

import msgspec
import numpy as np

from vedette.causes import Cause
from vedette.health.picture import Features
from vedette.health.picture_state import PictureState
from vedette.health.view import (
    BLANK_BELOW,
    EDGES_FROM,
    LIKE_CLEARLY,
    Reference,
    intact_regions,
    light,
    likeness,
    likest,
    lost_share,
    ready,
)

__all__ = ["COVERED_MOSTLY", "Seen", "compared"]

SAME_FROM, SAME_BELOW = 0.90, 0.85
"""Share of identical pixels. Measured: frozen ≥ 0.99 once the encoder has settled; quiet scenes across a
keyframe ≤ 0.78, down to noise of 0.3 levels at crf 40."""
COVERED_FROM, COVERED_BELOW = 0.45, 0.3
"""Share of the regions that had edges."""
COVERED_MOSTLY = 0.7
"""In a light that was not seen before, edges have to be gone from so much."""

DARK_HIGH, DARK_CLEAR_HIGH = 30.0, 45.0
"""90th percentile of luma. Lit cameras at night have 35 and more."""
EDGES_LEFT, EDGES_CLEAR = 2, 4
"""So many regions may have edges in the dark: burnt-in names and clocks."""
WASHED_OUT_BRIGHT, WASHED_OUT_LOW = 0.85, 225.0
WASHED_OUT_CLEAR_BRIGHT, WASHED_OUT_CLEAR_LOW = 0.75, 205.0

BLURRED_BELOW, BLURRED_CLEAR = 0.4, 0.55
"""Share of the usual sharpness. Measured: blur of 1.5 pixels at 640×480 0.1 to 0.18, fog 0.2 to 0.26; other
gains and gammas ≥ 0.85."""
BLURRED_LIT = 50.0

ALIKE = 0.42
UNLIKE, UNLIKE_OTHER_LIGHT = 0.28, 0.12
"""Correlation of edges with the reference. Measured: objects passing ≥ 0.6; gains, gammas and synthetic
infrared 0.37 to 0.9; other views −0.2 to 0.25; nudged by 5% of the width 0.34 to 0.53, by 2% 0.65."""
INTACT_MOST = 1
"""So many regions may look as usual: of a moved camera one does by chance; behind a bus some do."""
STABLE = 0.6
MOVED_REGIONS = 4


class Seen(msgspec.Struct):
    """One look compared with what is usual. ``shows``: True, False, or None where that cannot be said."""

    shows: dict[Cause, bool | None]
    alike: float
    lost: float
    turns: bool
    """The view is neither the usual one nor the new one that was being learnt."""


def compared(state: PictureState, features: Features) -> Seen:
    own = state.references[light(features)]
    if not ready(own):
        own = None
    alike, reference = likest(state.references, features)
    dark, washed = _dark(features), _washed_out(features)
    lost = 0.0
    if reference is not None and state.recent and not dark and not washed and alike < LIKE_CLEARLY + 0.15:
        lost = lost_share(reference, state.recent, features)
    covered = lost >= (COVERED_FROM if own is not None else COVERED_MOSTLY)
    nothing = bool(dark or washed or covered)
    blurred = _blurred(features, own, nothing)
    shows: dict[Cause, bool | None] = {
        Cause.DARK: dark,
        Cause.WASHED_OUT: washed,
        Cause.COVERED: covered or (None if lost >= COVERED_BELOW or dark or washed else False),
        Cause.FROZEN: _same(features, nothing),
        Cause.BLURRED: blurred,
        Cause.MOVED: False,
    }
    turns = False
    if alike < ALIKE and reference is not None:
        limit = UNLIKE if own is not None else UNLIKE_OTHER_LIGHT
        judged = not nothing and not blurred and lost < COVERED_BELOW
        unlike = judged and alike < limit and intact_regions(reference, features) <= INTACT_MOST
        shows[Cause.MOVED] = _moved(state, features, unlike) if judged else None
        turns = judged and shows[Cause.MOVED] is None
    return Seen(shows, alike, lost, turns)


def _dark(features: Features) -> bool | None:
    if features.high > DARK_CLEAR_HIGH:
        return False
    left = int(np.count_nonzero(features.texture >= BLANK_BELOW))
    if features.high <= DARK_HIGH and left <= EDGES_LEFT:
        return True
    return False if left > EDGES_CLEAR else None


def _washed_out(features: Features) -> bool | None:
    if features.bright >= WASHED_OUT_BRIGHT and features.low >= WASHED_OUT_LOW:
        return True
    clear = features.bright < WASHED_OUT_CLEAR_BRIGHT or features.low < WASHED_OUT_CLEAR_LOW
    return False if clear else None


def _same(features: Features, nothing: bool) -> bool | None:
    if nothing or features.same != features.same:
        return None
    if features.same >= SAME_FROM:
        return True
    return False if features.same < SAME_BELOW else None


def _blurred(features: Features, own: Reference | None, nothing: bool) -> bool | None:
    if own is None or nothing or features.high < BLURRED_LIT:
        return None
    share = features.sharpness / max(own.sharpness, 1e-6)
    if share < BLURRED_BELOW:
        return True
    return False if share > BLURRED_CLEAR else None


def _moved(state: PictureState, features: Features, unlike: bool) -> bool | None:
    if state.candidate is None:
        enough = int(np.count_nonzero(features.texture >= EDGES_FROM)) >= MOVED_REGIONS
        return True if unlike and enough else None
    # The new view must hold still: while a camera turns, or a lorry passes, nothing is learnt.
    return True if likeness(features, state.candidate) >= STABLE else None
