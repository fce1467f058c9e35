"""Which of many e-detectors to believe at a moment: e-d-BH and e-d-Bonferroni, sites before cameras.

With evidence in windows and α = 1 / ARL, e-d-BH holds the rate of false among all that are named, over the
time waited: E[false share at any stopping time] ≤ α E[that time]; e-d-Bonferroni the number of false ones
likewise, under any dependence. Dandapanthula, Ramdas, "Multiple testing in multi-stream sequential change
detection" (2025), which calls this *error over patience*. e-BH itself: Wang, Ramdas, "False discovery rate
control with e-values" (2022).

``EACH`` is neither: every camera has the whole ARL, so a thousand cameras have a thousand times the false
alarms, which is what "camera-days" says.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

import numpy as np

from vedette.quality.drift.measured import Floats

__all__ = ["Across", "chosen", "e_d_bh", "e_d_bonferroni", "of_sites"]


class Across(StrEnum):
    """Over what the ARL counts."""

    EACH = "each"
    """Each camera by itself."""
    BONFERRONI = "bonferroni"
    """The whole fleet: expected false alarms of all cameras within the ARL, at most one."""
    BH = "bh"
    """The share of false ones among those named."""


def e_d_bonferroni(evidence: Floats, arl: float) -> np.ndarray:
    """Of K e-detectors [K] those that reach K · ``arl``: bool [K]."""
    return np.asarray(evidence >= len(evidence) * arl)


def e_d_bh(evidence: Floats, arl: float) -> np.ndarray:
    """The k largest, k the largest number whose k-th is at least K · ``arl`` / k: bool [K]."""
    total = len(evidence)
    order = np.argsort(-evidence, kind="stable")
    reached = np.flatnonzero(evidence[order] * np.arange(1, total + 1) >= total * arl)
    named = np.zeros(total, bool)
    if len(reached):
        named[order[: reached[-1] + 1]] = True
    return named


def of_sites(evidence: Floats, sites: np.ndarray) -> dict[int, float]:
    """By site: the mean of its cameras, which is an e-detector of "nothing changed at this site".

    Weather comes to all cameras of a site; their evidence is one observation, not ten. ``sites``: int [K].
    """
    return {int(site): float(evidence[sites == site].mean()) for site in np.unique(sites)}


def chosen(evidence: Mapping[str, float], sites: Mapping[str, str], arl: float, across: Across) -> set[str]:
    """The cameras to name. ``sites``: by camera; one that has none is a site by itself.

    Sites are chosen first, then, within each that was, cameras by the same rule; at least its foremost one.
    """
    cameras = sorted(evidence)
    if across is Across.EACH or not cameras:
        return {camera for camera in cameras if evidence[camera] >= arl}
    rule = e_d_bh if across is Across.BH else e_d_bonferroni
    names = sorted({_site(camera, sites) for camera in cameras})
    number = {name: place for place, name in enumerate(names)}
    values = np.array([evidence[camera] for camera in cameras])
    at = np.array([number[_site(camera, sites)] for camera in cameras])
    means = of_sites(values, at)
    named: set[str] = set()
    for site in np.flatnonzero(rule(np.array([means[place] for place in range(len(names))]), arl)):
        members = np.flatnonzero(at == site)
        within = rule(values[members], arl)
        within[values[members].argmax()] = True
        named |= {cameras[place] for place in members[within]}
    return named


def _site(camera: str, sites: Mapping[str, str]) -> str:
    site = sites.get(camera)
    # A camera may be called as a site is.
    return f"site {site}" if site else f"camera {camera}"
