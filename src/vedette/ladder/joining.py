"""Cameras that were not seen yet stand where those like them stand. Of a thousand that connect one after the
other to a node that cannot do all, each would begin with everything otherwise, and undo what was gained."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from vedette.ladder.standing import KEYFRAMES_APART_MOST_S, NEVER_SLOW, NEVER_SPARSE, PLAIN, Standing
from vedette.ladder.steps import CameraLoad, Load, Step

__all__ = ["KEYLESS", "WHY", "joined", "keyless"]

WHY = "Those like it that are live stand there"
KEYLESS = "No keyframe comes of it that could be decoded alone"

FEW = 8
"""Live cameras of a class that do not show yet what the node can do for many."""


def joined(load: Load, standings: Mapping[str, Standing]) -> dict[str, Standing]:
    """Standings of the cameras that are to come, where they are not that already."""
    coming = [camera for camera in load.cameras if not camera.live and not camera.decode]
    if not coming:
        return {}
    usual = {
        weight: _usual([standings.get(camera.name, PLAIN) for camera in _live(load, weight)])
        for weight in {camera.weight for camera in coming}
    }
    changed = {}
    for camera in coming:
        before = standings.get(camera.name, PLAIN)
        after = _limited(camera, usual[camera.weight])
        if (before.thin, before.limit) != (after.thin, after.limit):
            changed[camera.name] = after
    return changed


def _live(load: Load, weight: float) -> list[CameraLoad]:
    return [each for each in load.cameras if each.live and each.decode > 0 and each.weight == weight]


def _usual(standings: list[Standing]) -> Standing:
    """The median's; nobody is let go before anything was seen of it."""
    if len(standings) < FEW:
        return PLAIN
    ordered = sorted(standings, key=lambda each: (each.thin, each.limit))
    found = ordered[len(ordered) // 2]
    thin = min(found.thin, Step.KEYFRAMES)
    return replace(found, thin=thin, slow=NEVER_SLOW, sparse=NEVER_SPARSE)


def _limited(camera: CameraLoad, usual: Standing) -> Standing:
    if camera.max_fps is None or not usual.limit:
        return usual
    return replace(usual, limit=min(usual.limit, camera.max_fps))


def keyless(
    load: Load, standings: Mapping[str, Standing], since: Mapping[str, float], now: float
) -> tuple[dict[str, float], dict[str, Standing]]:
    """Cameras of which only keyframes are decoded though none was seen to follow another: since when; and the
    standings of those of which that has been so for too long."""
    waiting, lifted = {}, {}
    for camera in load.cameras:
        standing = standings.get(camera.name, PLAIN)
        if not camera.live or camera.keyframe_every or standing.thin is not Step.KEYFRAMES:
            continue
        waiting[camera.name] = since.get(camera.name, now)
        if now - waiting[camera.name] > KEYFRAMES_APART_MOST_S:
            lifted[camera.name] = replace(standing, thin=Step.REFERENCE)
            del waiting[camera.name]
    return waiting, lifted
