"""Which cameras are given more again when there is room: the way down in reverse."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from vedette.ladder.cost import ROOM, Rooms
from vedette.ladder.sparse import leave, may_leave
from vedette.ladder.standing import PLAIN, Standing, up_from
from vedette.ladder.steps import CameraLoad, Load, Step

__all__ = ["Up", "next_up", "probe"]

LARGER = 1.7
"""How many times the pixels the detector's input has one size up: about (416 ÷ 320)²."""
LARGER_AGE = 0.4
"""Share of ``max_age`` that the results' age may be foretold for it."""


@dataclass(frozen=True, slots=True)
class Up:
    """Cameras with what they stand on afterwards, or the detector's next size."""

    standings: Mapping[str, Standing]
    size: int | None = None

    def __bool__(self) -> bool:
        return bool(self.standings) or self.size is not None


def next_up(load: Load, standings: Mapping[str, Standing], size: int, now: float, most: int = 0) -> Up:
    """What there is room for by what can be foretold; of ``most`` cameras if that is not 0.

    First those that are paused, then the detector's input, then all cameras by one step, the highest class
    and the most thinned of it first.
    """
    candidates = _candidates(load, standings, now)
    paused = [each for each in candidates if each[1].step is Step.PAUSED]
    if paused:
        return Up(_fitting(load, paused, now, most))
    if size:
        return Up({}, size - 1) if _larger_fits(load) else Up({})
    return Up(_fitting(load, candidates, now, most))


def probe(load: Load, standings: Mapping[str, Standing], size: int, now: float, most: int) -> Up:
    """What comes next although it is foretold not to fit, of ``most`` cameras: foretelling may be wrong."""
    candidates = _candidates(load, standings, now)
    paused = [each for each in candidates if each[1].step is Step.PAUSED]
    if size and not paused:
        return Up({}, size - 1) if max(load.busy, default=0.0) < ROOM else Up({})
    # The worker that has most room first.
    roomy = [each for each in paused or candidates if _busy(load, each[0].worker) < ROOM]
    roomy.sort(key=lambda each: (_order(each), _busy(load, each[0].worker), each[0].name))
    return Up({camera.name: _higher(camera, standing, now) for camera, standing in roomy[:most]})


_Candidate = tuple[CameraLoad, Standing]


def _candidates(load: Load, standings: Mapping[str, Standing], now: float) -> list[_Candidate]:
    """Cameras that may go up as far as they themselves go."""
    found = []
    for camera in load.cameras:
        if not camera.live and not camera.decode:
            continue  # it joins the others
        standing = standings.get(camera.name, PLAIN)
        if standing.thin > Step.FULL or may_leave(standing, now):
            found.append((camera, standing))
    return found


def _higher(camera: CameraLoad, standing: Standing, now: float) -> Standing:
    if standing.thin > Step.FULL:
        return up_from(camera, standing)
    return replace(standing, sparse=leave(standing.sparse, now))


def _order(candidate: _Candidate) -> tuple[float, int]:
    camera, standing = candidate
    return -camera.weight, -standing.step


def _busy(load: Load, worker: int) -> float:
    return load.busy[worker] if worker < len(load.busy) else 0.0


def _fitting(load: Load, candidates: Iterable[_Candidate], now: float, most: int) -> dict[str, Standing]:
    rooms = Rooms(load)
    full = {worker for worker, busy in enumerate(load.busy) if busy >= ROOM}
    fitting: dict[str, Standing] = {}
    roomy = [each for each in candidates if each[0].worker not in full]
    for camera, standing in sorted(roomy, key=lambda each: (_order(each), each[0].name)):
        if camera.worker in full:
            continue
        then = _higher(camera, standing, now)
        if not rooms.take(camera, standing, then):
            # Nobody is given more before those that matter more.
            full.add(camera.worker)
            continue
        fitting[camera.name] = then
        if len(fitting) == most:
            break
    return fitting


def _larger_fits(load: Load) -> bool:
    """Whether a larger input leaves the results young and the workers their rest."""
    return load.age * LARGER < LARGER_AGE * load.max_age and max(load.busy, default=0.0) < ROOM
