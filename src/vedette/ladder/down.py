"""Which cameras do with less when the node cannot do all; or what else does."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from vedette.ladder.pressure import Pressure
from vedette.ladder.standing import PLAIN, Standing, down_from, known
from vedette.ladder.steps import CameraLoad, Load, Step
from vedette.ladder.trial import Trial

__all__ = ["Down", "highest", "next_down", "taken_back"]

AT_ONCE = 16
"""Cameras of one class that are moved together; of more, half of those that are still above."""

FEWEST_FPS = 1.0


@dataclass(frozen=True, slots=True)
class Down:
    """Cameras with what they stand on afterwards, or the detector's next size, or neither: all is done."""

    standings: Mapping[str, Standing]
    size: int | None = None

    def __bool__(self) -> bool:
        return bool(self.standings) or self.size is not None


def next_down(load: Load, standings: Mapping[str, Standing], size: int, pressure: Pressure) -> Down:
    """The lowest class goes down to keyframes, then the next; then the detector's input; then pauses."""
    if pressure.detector:
        return Down({}, size + 1 if size < load.sizes else None)
    # What a camera costs must be known before less is done for it, or nobody knows when there is room again.
    cameras = [camera for camera in load.cameras if camera.live and camera.decode > 0]
    for weight in sorted({camera.weight for camera in cameras}):
        moves = _thinner((camera for camera in cameras if camera.weight == weight), standings)
        if moves:
            return Down(_moved(load, standings, _slice(moves, pressure), moves))
    if size < load.sizes:
        return Down({}, size + 1)
    return Down(_paused(load, standings, pressure))


def taken_back(load: Load, standings: Mapping[str, Standing], size: int, trial: Trial) -> Down:
    """The last step up undone, as far as it still stands."""
    if trial.size is not None:
        return Down({}, trial.size if trial.size > size else None)
    top, back = highest(load), {}
    for camera in load.cameras:
        before, standing = trial.before.get(camera.name), standings.get(camera.name, PLAIN)
        if before is None or before.step <= standing.step:
            continue
        if before.thin < Step.PAUSED or camera.weight < top:
            sparse = before.sparse if before.sparse.on else standing.sparse
            back[camera.name] = replace(
                standing, thin=before.thin, limit=before.limit, sparse=sparse, known=before.known
            )
    return Down(back)


def highest(load: Load) -> float:
    """The weight of those that are never paused."""
    live = [camera.weight for camera in load.cameras if camera.live]
    return max(live or [camera.weight for camera in load.cameras], default=0.0)


def _thinner(
    cameras: Iterable[CameraLoad], standings: Mapping[str, Standing]
) -> dict[str, tuple[CameraLoad, Step]]:
    """Of a class: those on the highest step from which there is one down, and that one."""
    best: dict[str, tuple[CameraLoad, Step]] = {}
    highest = Step.PAUSED
    for camera in cameras:
        standing = standings.get(camera.name, PLAIN)
        if standing.step > highest:
            continue
        step = down_from(camera, standing)
        if step is None:
            continue
        if standing.step < highest:
            best, highest = {}, standing.step
        best[camera.name] = camera, step
    return best


def _slice(moves: Mapping[str, tuple[CameraLoad, Step]], pressure: Pressure) -> list[str]:
    names = sorted(moves, key=lambda name: (moves[name][0].worker not in pressure.workers, name))
    return names if len(names) <= AT_ONCE or pressure.far else names[: (len(names) + 1) // 2]


def _moved(
    load: Load,
    standings: Mapping[str, Standing],
    names: Iterable[str],
    moves: Mapping[str, tuple[CameraLoad, Step]],
) -> dict[str, Standing]:
    return {name: _put(*moves[name], standings.get(name, PLAIN), load) for name in names}


def _put(camera: CameraLoad, step: Step, standing: Standing, load: Load) -> Standing:
    was = standing.known or known(camera, load)
    limit = standing.limit or max(FEWEST_FPS, camera.analysed / 2)
    if camera.max_fps is not None:
        limit = min(limit, camera.max_fps)
    if standing.step is Step.REFERENCE and camera.decoded is not None and camera.fps_in > 0:
        was = replace(was, reference=min(1.0, camera.decoded / camera.fps_in))
    return replace(standing, thin=step, limit=limit, known=was)


def _paused(load: Load, standings: Mapping[str, Standing], pressure: Pressure) -> dict[str, Standing]:
    top = highest(load)
    rest: dict[float, dict[str, tuple[CameraLoad, Step]]] = {}
    for camera in load.cameras:
        if camera.live and camera.weight < top and standings.get(camera.name, PLAIN).step < Step.PAUSED:
            rest.setdefault(camera.weight, {})[camera.name] = camera, Step.PAUSED
    if not rest:
        return {}
    lowest = rest[min(rest)]
    return _moved(load, standings, _slice(lowest, pressure), lowest)
