"""Cameras that are looked at less often than their keyframes come: frames between are decoded for nobody."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from vedette.frame import Rung
from vedette.ladder.standing import NEVER_SPARSE, Sparse, Standing
from vedette.ladder.steps import CameraLoad, Load, Step

__all__ = ["Shares", "by_settings", "leave", "look", "may_leave", "shares", "starved", "why_down"]

SETTINGS_ON, SETTINGS_OFF = 1.02, 1.15
"""Looks per keyframe. Keyframes that come once a second are measured as a little more or less than that."""
LOAD_ON, LOAD_OFF = 0.8, 1.3
DETECTOR_BUSY = 0.9
ALL_KEYFRAMES = 1.5
"""Frames per keyframe below which there is next to nothing between them (MJPEG)."""
SUPERSEDED_FPS = 1.0

SURE_SETTINGS_S = 2.0
SURE_LOAD_S = 3.0
WELL_S = 5.0
HOLD_FIRST_S, HOLD_MOST_S = 60.0, 900.0


@dataclass(frozen=True, slots=True)
class Shares:
    """Looks a second that a camera of weight 1 can get. ``now``: those that could use more. ``joined``: if
    all that have only keyframes decoded for want of looks had everything decoded again.

    Of all cameras together, because a camera that is looked at every three seconds shows nothing of its rate
    within one.
    """

    now: float = float("inf")
    joined: float = float("inf")


def shares(load: Load, standings: Mapping[str, Standing]) -> Shares:
    """What the detector has for each."""
    want = want_weight = rest = rest_weight = 0.0
    for camera in load.cameras:
        if camera.name in standings and standings[camera.name].sparse.on:
            rest += camera.analysed
            rest_weight += camera.weight
        elif camera.superseded >= SUPERSEDED_FPS:
            want += camera.analysed
            want_weight += camera.weight
    used = max(load.detector, 0.05)
    now = want / want_weight if want_weight and load.detector > DETECTOR_BUSY else float("inf")
    joined = (want + rest) / used / (want_weight + rest_weight) if rest_weight else float("inf")
    return Shares(now, joined)


def by_settings(camera: CameraLoad, most: float = SETTINGS_ON) -> bool:
    """Whether its own ``max_fps`` leaves it fewer looks than keyframes."""
    if camera.max_fps is None or camera.max_fps * camera.keyframe_every > most:
        return False
    return _between(camera)


def starved(camera: CameraLoad, share: Shares) -> bool:
    """Whether the detector is without rest and comes to it more seldom than its keyframes do."""
    looks = share.now * camera.weight * camera.keyframe_every
    return looks <= LOAD_ON and camera.superseded >= SUPERSEDED_FPS and _between(camera)


def _between(camera: CameraLoad) -> bool:
    return camera.keyframe_every > 0 and camera.fps_in * camera.keyframe_every >= ALL_KEYFRAMES


def why_down(camera: CameraLoad, sparse: Sparse) -> str:
    """A sentence with the numbers, the same for cameras that are alike."""
    if sparse.settings:
        return f"Analysed at most {camera.max_fps:g} times a second, which its keyframes are enough for"
    return "The detector has no rest, and gets to it less often than its keyframes come"


def look(camera: CameraLoad, standing: Standing, share: Shares, now: float) -> Sparse:
    """Its affairs after this moment. One that was starved does not go back by itself: see :func:`leave`."""
    sparse = standing.sparse
    if camera.rung >= Rung.KEYFRAMES or camera.keyframe_every <= 0:
        return NEVER_SPARSE
    if not sparse.on:
        return _enters(camera, standing, share, now)
    if sparse.settings:
        stays = by_settings(camera, SETTINGS_OFF) or camera.fps_in == 0
        well = None if stays else _since(sparse.well, now)
        if well is not None and now - well >= SURE_SETTINGS_S:
            return NEVER_SPARSE
        return sparse if well == sparse.well else replace(sparse, well=well)
    if by_settings(camera):
        return Sparse(on=True, settings=True)
    enough = share.joined * camera.weight * camera.keyframe_every >= LOAD_OFF
    well = _since(sparse.well, now) if enough else None
    return sparse if well == sparse.well else replace(sparse, well=well)


def _enters(camera: CameraLoad, standing: Standing, share: Shares, now: float) -> Sparse:
    sparse = standing.sparse
    settings = by_settings(camera)
    # One that the node limits is not starved by the others.
    if not settings and (standing.thin > Step.FULL or not starved(camera, share)):
        return _forgets(sparse, now)
    since = _since(sparse.trouble, now)
    if now - since < (SURE_SETTINGS_S if settings else SURE_LOAD_S):
        return sparse if since == sparse.trouble else replace(sparse, trouble=since)
    hold = until = 0.0
    if not settings and sparse.left is not None:
        hold = min(HOLD_MOST_S, max(HOLD_FIRST_S, 2 * sparse.hold))
        until = now + hold
    return Sparse(on=True, settings=settings, hold=hold, until=until)


def _forgets(sparse: Sparse, now: float) -> Sparse:
    if sparse.left is not None and now - sparse.left > HOLD_FIRST_S:
        return NEVER_SPARSE
    return sparse if sparse.trouble is None else replace(sparse, trouble=None)


def may_leave(standing: Standing, now: float) -> bool:
    """Whether, as far as the detector goes, everything may be decoded again of one that was starved."""
    sparse = standing.sparse
    return sparse.on and not sparse.settings and _long(sparse.well, now) and now >= sparse.until


def leave(sparse: Sparse, now: float) -> Sparse:
    """It is decoded again as before."""
    return Sparse(left=now, hold=sparse.hold)


def _since(moment: float | None, now: float) -> float:
    return now if moment is None else moment


def _long(moment: float | None, now: float) -> bool:
    return moment is not None and now - moment >= WELL_S
