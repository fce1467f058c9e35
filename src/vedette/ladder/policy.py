"""What the node does when it cannot do all it is asked for: a pure function of the load and the time.

Two things are told apart. A camera whose own decoder does not keep up, or that is looked at less often than
its keyframes come, has fewer of its frames decoded, and no other camera notices. And when the node has too
much to do, the cameras that matter least are thinned first: analysed less often, then fewer frames decoded,
the next class after that; then the detector's input is made smaller; and at last cameras are let go, but
never those of the highest class. Each camera is on the lowest step that any of this puts it on.

Down it goes about a step a second while there is pressure. Up it goes when there was none for a while and
what can be foretold of the next step leaves room. A step up that has to be taken back is tried again after a
minute, then after two, and so on, unless the machine has much less to do by then.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from vedette.ladder import climb, down, slow, sparse
from vedette.ladder.joining import KEYLESS, WHY, joined, keyless
from vedette.ladder.pressure import Pressure, pressure, rested, seen
from vedette.ladder.standing import NEVER_SLOW, NEVER_SPARSE, PLAIN, Slow, Sparse, Standing, known
from vedette.ladder.steps import Action, CameraLoad, Load, Move, Resize, Step
from vedette.ladder.trial import Trial, climbed, looked, lowered

__all__ = ["State", "began", "step", "thinned", "without"]

DOWN_APART_S = 1.2
"""The load is measured over a second, and a step must be in all of it before the next one is judged."""
UP_APART_S = 1.4
CALM_S = 3.0
PROBE_S = 60.0
"""After so long without pressure a step is tried even if it is foretold not to fit."""
OWN_FIRST_S = 2.4
"""Pressure waits for a camera's own step to show, but not for longer than this in all."""
ASLEEP_S = 5.0
"""If our own last look was longer ago, the machine was asleep or starved: what began then began now."""


@dataclass(frozen=True)
class State:
    """Not to be changed, only replaced. ``cameras``: those of which there is something to remember.

    Moments in monotonic seconds: ``at`` the last look, ``pressed`` and ``calm`` since when there has been
    pressure or none, ``lowered`` the last step down of the node, ``own`` the last of a camera by itself.
    """

    cameras: Mapping[str, Standing] = field(default_factory=dict)
    size: int = 0
    at: float | None = None
    pressed: float | None = None
    calm: float | None = None
    lowered: float = float("-inf")
    own: float = float("-inf")
    keyless: Mapping[str, float] = field(default_factory=dict)
    """Cameras on keyframes of which it is not known that they have any; since when."""
    trial: Trial = field(default_factory=Trial)

    def step(self, camera: str) -> Step:
        """The step this camera is on."""
        return self.cameras.get(camera, PLAIN).step

    def limit(self, camera: str) -> float | None:
        """Frames a second that are analysed of it at most, for the ladder's sake; None = no limit."""
        return self.cameras.get(camera, PLAIN).limit or None


def began() -> State:
    """Everything at full rate."""
    return State()


def thinned(state: State, camera: str) -> bool:
    """Whether less is done for this camera than was asked for. One that is to be analysed so seldom that its
    keyframes are enough lacks nothing."""
    standing = state.cameras.get(camera, PLAIN)
    asked_for = standing.sparse.settings and standing.thin <= Step.FULL and standing.slow.step <= Step.FULL
    return standing.step > Step.FULL and not asked_for


def without(state: State, camera: str) -> State:
    """As if this camera had never been there."""
    return replace(state, cameras={name: each for name, each in state.cameras.items() if name != camera})


def step(state: State, load: Load, now: float) -> tuple[State, list[Action]]:
    """What to do now, ``now`` in monotonic seconds. To be called about twice a second.

    Cameras that are not in ``load`` are forgotten: they are on no step when they come again.
    """
    if state.size > load.sizes:  # one of them could not be made after all
        state = replace(state, size=load.sizes)
    present = {camera.name for camera in load.cameras}
    standings = {name: standing for name, standing in state.cameras.items() if name in present}
    whys = _own(standings, load, now)
    found = pressure(load)
    after = _times(state, found, now)
    if any(standings[name].step > state.step(name) for name in whys if name in standings):
        after = replace(after, own=now)
    whys |= _spare_the_highest(standings, load)
    coming = joined(load, standings)
    waiting, lifted = keyless(load, standings, state.keyless, now)
    standings.update(coming | lifted)
    whys |= dict.fromkeys(coming, WHY) | dict.fromkeys(lifted, KEYLESS)
    after = replace(after, cameras=standings, keyless=waiting)
    if found is not None and _must_go_down(after, found, now):
        after, why = _down(after, standings, load, found, now)
    else:
        after, why = _up(after, standings, load, now)
    changed = {name for name, standing in standings.items() if standing is not state.cameras.get(name)}
    moves = _moves(state, standings, changed, whys, why)
    resizes: list[Action] = [Resize(after.size, why)] if after.size != state.size else []
    kept = {name: standing for name, standing in standings.items() if not standing.plain}
    return replace(after, cameras=kept), [*moves, *resizes]


def _times(state: State, found: Pressure | None, now: float) -> State:
    if state.at is None or now - state.at > ASLEEP_S:
        state = replace(state, pressed=None, calm=None)
    if found is None:
        return replace(state, at=now, pressed=None, calm=now if state.calm is None else state.calm)
    return replace(state, at=now, calm=None, pressed=now if state.pressed is None else state.pressed)


def _own(standings: dict[str, Standing], load: Load, now: float) -> dict[str, str]:
    """What cameras do by themselves; why, by name, of those that moved."""
    whys = {}
    shares = sparse.shares(load, standings)
    for camera in load.cameras:
        standing = standings.get(camera.name, PLAIN)
        if standing.slow is NEVER_SLOW and standing.sparse is NEVER_SPARSE and not _notable(camera, shares):
            continue
        slower = slow.look(camera, standing, load, now)
        sparser = sparse.look(camera, standing, shares, now)
        if slower is standing.slow and sparser is standing.sparse:
            continue
        was = standing.known or known(camera, load)
        standings[camera.name] = replace(standing, slow=slower, sparse=sparser, known=was)
        why = _own_why(camera, standing, slower, sparser)
        if why:
            whys[camera.name] = why
    return whys


def _notable(camera: CameraLoad, shares: sparse.Shares) -> bool:
    """Whether there can be anything the matter with a camera that was well until now. Asked of each."""
    return (
        camera.fps_in * camera.decode >= slow.CORE_FULL
        or camera.backlog > slow.BACKLOG
        or camera.left_out > 0
        or sparse.by_settings(camera)
        or sparse.starved(camera, shares)
    )


def _own_why(camera: CameraLoad, standing: Standing, slower: Slow, sparser: Sparse) -> str:
    if slower.step > standing.slow.step:
        return slow.why_down(camera, standing.step)
    if slower.step < standing.slow.step:
        return f"{camera.name} has kept up: more of it is decoded again"
    if sparser.on == standing.sparse.on:
        return ""
    if sparser.on:
        return sparse.why_down(camera, sparser)
    return "It may be looked at more often than its keyframes come"


def _spare_the_highest(standings: dict[str, Standing], load: Load) -> dict[str, str]:
    """Those of the highest class are not paused, also when that only became the highest."""
    paused = {name for name, standing in standings.items() if standing.thin is Step.PAUSED}
    if not paused:
        return {}
    top = down.highest(load)
    spared = [camera.name for camera in load.cameras if camera.weight >= top and camera.name in paused]
    for name in spared:
        standings[name] = replace(standings[name], thin=Step.KEYFRAMES)
    return dict.fromkeys(spared, "No live camera matters more now")


def _must_go_down(state: State, found: Pressure, now: float) -> bool:
    lasted = now - (now if state.pressed is None else state.pressed)
    if lasted < found.sure_after or now - state.lowered < DOWN_APART_S:
        return False
    return now - state.own >= DOWN_APART_S or lasted >= OWN_FIRST_S


def _down(
    state: State, standings: dict[str, Standing], load: Load, found: Pressure, now: float
) -> tuple[State, str]:
    lower = down.Down({})
    if state.trial.fails(now):
        lower = down.taken_back(load, standings, state.size, state.trial)
    lower = lower or down.next_down(load, standings, state.size, found)
    if not lower:
        return state, ""
    standings.update(lower.standings)
    size = state.size if lower.size is None else lower.size
    trial = lowered(state.trial, now, _depth(standings, size))
    return replace(state, size=size, lowered=now, trial=trial), found.why


def _up(state: State, standings: dict[str, Standing], load: Load, now: float) -> tuple[State, str]:
    calm = 0.0 if state.calm is None else now - state.calm
    depth, machine = _depth(standings, state.size), seen(load)
    trial = Trial() if depth == (0, 0) and not state.trial.open else state.trial
    trial = looked(trial, now, calm, machine)
    state = replace(state, trial=trial)
    if depth == (0, 0) or calm < CALM_S or not rested(load) or not trial.due(now, UP_APART_S):
        return state, ""
    higher = climb.next_up(load, standings, state.size, now, trial.most)
    if not higher and calm >= PROBE_S and now - trial.at >= PROBE_S:
        higher = climb.probe(load, standings, state.size, now, max(1, trial.most))
        trial = replace(trial, careful=True, most=max(1, trial.most))
    if not higher:
        return state, ""
    before = {name: standings[name] for name in higher.standings}
    resized = None if higher.size is None else state.size
    standings.update(higher.standings)
    size = state.size if higher.size is None else higher.size
    trial = climbed(trial, now, before, resized, depth, machine)
    return replace(state, size=size, trial=trial), _room(load, higher.standings)


def _room(load: Load, names: Iterable[str]) -> str:
    """A sentence with the numbers; of the workers whose cameras go up, or of all."""
    going = set(names)
    workers = {camera.worker for camera in load.cameras if camera.name in going or not going}
    busy = max((load.busy[worker] for worker in workers if worker < len(load.busy)), default=0.0)
    return f"There is room again (the camera workers concerned are {busy:.0%} busy at most)"


def _depth(standings: Mapping[str, Standing], size: int) -> tuple[int, int]:
    """How far down everything is: the cameras' steps together, and the detector's size."""
    return sum(standing.step for standing in standings.values() if not standing.sparse.settings), size


def _moves(
    state: State, standings: Mapping[str, Standing], changed: Iterable[str], whys: Mapping[str, str], why: str
) -> list[Action]:
    groups: dict[tuple[Step, Step, str], list[str]] = {}
    for name in sorted(changed):
        before, after = state.cameras.get(name, PLAIN), standings[name]
        if before.step != after.step or before.limit != after.limit:
            groups.setdefault((before.step, after.step, whys.get(name) or why), []).append(name)
    return [
        Move(tuple(names), was, to, said, {name: limit for name in names if (limit := standings[name].limit)})
        for (was, to, said), names in groups.items()
    ]
