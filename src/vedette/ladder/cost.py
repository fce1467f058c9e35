"""What a camera costs on a step, and what a camera worker's time would be with it: foretold, in cores."""

from __future__ import annotations

from vedette.frame import Rung
from vedette.ladder.standing import Standing, contention, known
from vedette.ladder.steps import CameraLoad, Load, Step

__all__ = ["ROOM", "Rooms", "cost"]

ROOM = 0.8
"""Share of a loop's time up to which more is given to it; well below what counts as pressure."""

ANALYSED_S = 0.001
"""Of a camera worker's time per analysed frame: convert, track, emit. Decoding is what differs by camera."""

MAYBE_DISPOSABLE = 0.5
"""Share of frames taken to be reference frames where it was never seen; streams have half, or all."""


def cost(camera: CameraLoad, standing: Standing, load: Load) -> float:
    """Cores that this camera takes where it stands, had it never to wait for one."""
    was = standing.known or known(camera, load)
    lately = camera.decode / contention(load, camera.worker)
    # Either may be unknown: thinned before anything of it was decoded, or nothing is decoded now.
    decode = min(was.decode or lately, lately or was.decode)
    fps = camera.fps_in or was.fps
    rung = max(camera.rung, standing.step.rung)
    if rung is Rung.PAUSED:
        return 0.0
    looks = was.analysed if standing.thin is Step.FULL else min(was.analysed, standing.limit)
    if rung is Rung.KEYFRAMES:
        keyframes = 1.0 / camera.keyframe_every if camera.keyframe_every else 1.0
        # Only those are decoded that the detector asks for, once it is so.
        return min(camera.decoded or keyframes, keyframes) * decode + min(looks, keyframes) * ANALYSED_S
    share = _reference_share(camera, standing) if rung is Rung.REFERENCE else 1.0
    return fps * share * decode + looks * ANALYSED_S


def _reference_share(camera: CameraLoad, standing: Standing) -> float:
    if standing.known is not None and standing.known.reference is not None:
        return standing.known.reference
    return MAYBE_DISPOSABLE


class Rooms:
    """What each camera worker still has room for; taken from as cameras are given more."""

    def __init__(self, load: Load) -> None:
        self._load = load
        self._busy = dict(enumerate(load.busy))

    def foretold(self, worker: int) -> float:
        """Share of its time that this worker would be busy with all that was given to it."""
        return self._busy.get(worker, 0.0)

    def take(self, camera: CameraLoad, now: Standing, then: Standing) -> bool:
        """Whether there is room for this camera to stand there; if so it is taken."""
        more = cost(camera, then, self._load) - cost(camera, now, self._load)
        busy = self.foretold(camera.worker) + max(0.0, more) * contention(self._load, camera.worker)
        if busy > ROOM:
            return False
        self._busy[camera.worker] = busy
        return True
