"""A machine in simulated time: cameras, a detector and others share its cores, and the ladder is obeyed."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass, field

from vedette.frame import Rung
from vedette.ladder.policy import State, began, step
from vedette.ladder.steps import Action, CameraLoad, Load, Move, Resize, Step

LOOK_S = 0.5
ANALYSED_S, RECEIVED_S = 0.0012, 0.00005
"""Seconds of a worker's core per analysed and per received frame, besides decoding."""
SMALLER = (1.0, 0.6, 0.38)
KEYFRAME_DEARER = 2.5


@dataclass
class Cam:
    """``decode``: seconds of a core per frame. ``disposable``: share of frames that no other needs."""

    name: str
    worker: int = 0
    weight: float = 1.0
    fps: float = 25.0
    decode: float = 0.0008
    disposable: float = 0.5
    keyframe_every: float = 2.0
    max_fps: float | None = None
    rung: Rung = Rung.ALL
    pooled: bool = False
    step: Step = Step.FULL
    limit: float | None = None
    analysed: float = 0.0
    seen_decode: float = 0.0

    @property
    def decoded(self) -> float:
        rung = max(self.rung, self.step.rung)
        keyframes = min(self.fps, 1 / self.keyframe_every)
        rates = {
            Rung.ALL: self.fps,
            Rung.REFERENCE: self.fps * (1 - self.disposable),
            Rung.KEYFRAMES: keyframes,
        }
        return rates.get(rung, 0.0)

    @property
    def frame_s(self) -> float:
        keyframes = max(self.rung, self.step.rung) is Rung.KEYFRAMES
        return self.decode * (KEYFRAME_DEARER if keyframes else 1.0)

    @property
    def wanted(self) -> float:
        return min(self.decoded, self.max_fps or 1e9, self.limit or 1e9)


@dataclass
class Machine:
    """``others``: how many threads of somebody else want a core each. ``noise``: of every figure."""

    cams: list[Cam]
    cores: int = 2
    others: float = 0.0
    detector_s: float = 0.005
    noise: float = 0.0
    seed: int = 0
    now: float = 1000.0
    size: int = 0
    sizes: int = 2
    spike: bool = False
    state: State = field(default_factory=began)
    done: list[tuple[float, Action]] = field(default_factory=list)
    ladder: bool = True
    tell_decoded: bool = True

    def __post_init__(self) -> None:
        self._rng = random.Random(self.seed)
        self._before: Load | None = None

    def cam(self, name: str) -> Cam:
        return next(cam for cam in self.cams if cam.name == name)

    def run(self, seconds: float, until: Callable[[], bool] = lambda: False) -> float:
        """Seconds that passed until it was so, or all."""
        began_at = self.now
        while self.now - began_at < seconds and not until():
            self.tick()
        return self.now - began_at

    def tick(self) -> list[Action]:
        self.now += LOOK_S
        half = self.load()
        load = half if self._before is None else _over_a_second(self._before, half)
        self._before = half
        if not self.ladder:
            return []
        self.state, actions = step(self.state, load, self.now)
        for action in actions:
            self.done.append((self.now, action))
            self._obey(action)
        return actions

    def _obey(self, action: Action) -> None:
        if isinstance(action, Resize):
            assert 0 <= action.size <= self.sizes
            assert abs(action.size - self.size) == 1
            self.size = action.size
            return
        assert isinstance(action, Move)
        assert action.why
        assert set(action.limit) <= set(action.cameras)
        for name in action.cameras:
            cam = self.cam(name)
            assert cam.step is action.was, "`was` is the step that the camera is on"
            cam.step, cam.limit = action.step, action.limit.get(name)
            assert cam.limit is None or cam.limit <= (cam.max_fps or 1e9)

    def load(self) -> Load:
        workers = 1 + max(cam.worker for cam in self.cams)
        demands = [
            sum(self._needs(cam) for cam in self.cams if cam.worker == w and not cam.pooled)
            for w in range(workers)
        ]
        pooled = [min(1.0, self._needs(cam)) for cam in self.cams if cam.pooled]
        looks_s = self.detector_s * SMALLER[self.size]
        detector = min(1.0, sum(cam.wanted for cam in self.cams) * looks_s)
        everybody = [*(min(1.0, d) for d in demands), *pooled, detector, *[1.0] * int(self.others)]
        got = _shared(everybody, self.cores)
        stretch = max(1.0, sum(everybody) / self.cores)
        busy, waited, late = [], [], []
        for demand, core in zip(demands, got, strict=False):
            share = min(1.0, self._noisy(demand * stretch))
            busy.append(share)
            waited.append(max(0.0, share - min(core, demand)))
            late.append(0.05 * stretch + max(0.0, demand - core) * 0.5 + (0.4 if self.spike else 0.0))
        behind = max(
            (1 - core / demand for demand, core in zip(demands, got, strict=False) if demand), default=0.0
        )
        self._look(got[workers + len(pooled)] / looks_s)
        return Load(
            cameras=tuple(self._camera_load(cam, stretch) for cam in self.cams),
            busy=tuple([1.0] * workers if self.spike else busy),
            waited=tuple(waited),
            late=tuple(late),
            cpu=min(1.0, sum(got) / self.cores),
            age=0.02 + looks_s * stretch + max(0.0, behind),
            expired=max(0.0, behind - 0.2) * 0.3,
            detector=min(1.0, detector * stretch),
            sizes=self.sizes,
            size=self.size,
        )

    def _needs(self, cam: Cam) -> float:
        received = 0.0 if cam.step is Step.PAUSED else cam.fps * RECEIVED_S
        return cam.decoded * cam.frame_s + cam.analysed * ANALYSED_S + received

    def _look(self, capacity: float) -> None:
        """Share the detector's looks by weight; nobody is given more than it wants."""
        left = [cam for cam in self.cams if cam.wanted > 0]
        for cam in self.cams:
            cam.analysed = 0.0
        while left:
            level = capacity / sum(cam.weight for cam in left)
            sated = [cam for cam in left if cam.wanted <= level * cam.weight]
            for cam in sated or left:
                cam.analysed = min(cam.wanted, level * cam.weight)
                capacity -= cam.analysed
            left = [cam for cam in left if cam not in sated] if sated else []

    def _camera_load(self, cam: Cam, stretch: float) -> CameraLoad:
        paused = cam.step is Step.PAUSED
        took = cam.frame_s * stretch
        cam.seen_decode = took if not cam.seen_decode else cam.seen_decode + 0.4 * (took - cam.seen_decode)
        behind = cam.pooled and cam.decoded * took > 1.0
        return CameraLoad(
            name=cam.name,
            worker=cam.worker,
            weight=cam.weight,
            fps_in=0.0 if paused else cam.fps,
            analysed=cam.analysed,
            superseded=max(0.0, min(cam.decoded, cam.limit or 1e9, cam.max_fps or 1e9) - cam.analysed),
            decode=self._noisy(cam.seen_decode),
            backlog=16 if behind else 0,
            left_out=cam.decoded - 1 / took if behind else 0.0,
            decoded=(min(cam.decoded, 1 / took) if behind else cam.decoded) if self.tell_decoded else None,
            keyframe_every=cam.keyframe_every,
            max_fps=cam.max_fps,
            rung=cam.rung,
        )

    def _noisy(self, figure: float) -> float:
        return figure * (1 + self._rng.uniform(-self.noise, self.noise))


def _shared(wanted: list[float], cores: float) -> list[float]:
    """Max-min fair shares, as a scheduler gives them."""
    got = [0.0] * len(wanted)
    left = {index for index, want in enumerate(wanted) if want > 0}
    while left:
        level = cores / len(left)
        sated = {index for index in left if wanted[index] <= level}
        for index in sated or left:
            got[index] = min(wanted[index], level)
            cores -= got[index]
        left = left - sated if sated else set()
    return got


def _over_a_second(a: Load, b: Load) -> Load:
    def mean(x: tuple[float, ...], y: tuple[float, ...]) -> tuple[float, ...]:
        return tuple((p + q) / 2 for p, q in zip(x, y, strict=True)) if len(x) == len(y) else y

    return Load(
        cameras=b.cameras,
        busy=mean(a.busy, b.busy),
        waited=mean(a.waited, b.waited),
        late=tuple(max(each) for each in zip(a.late, b.late, strict=False)),
        cpu=(a.cpu + b.cpu) / 2,
        age=max(a.age, b.age),
        expired=(a.expired + b.expired) / 2,
        detector=(a.detector + b.detector) / 2,
        sizes=b.sizes,
        size=b.size,
    )
