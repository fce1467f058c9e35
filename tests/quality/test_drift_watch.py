"""The detector is watched on each camera of a node: frames go in, facts come out, what was learnt is kept."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from patience import PATIENCE_S
from vedette.facts import ConditionsUnseen, DriftLearnt, DriftReset, LossSuspected, PictureChanged, Trouble
from vedette.quality.drift.settings import Settings
from vedette.quality.watch import DriftWatch
from vedette.testing import ManualClock
from vedette.workers.protocol import Seen, Studied

MODEL, OTHER = "ab" * 32, "cd" * 32
SETTINGS = Settings(learn_days=0.25, arl_days=10.0)


class World:
    """A camera with some objects in it, one frame a second, on a clock that moves when told."""

    def __init__(self, folder: Path | None = None, seed: int = 1) -> None:
        self.clock = ManualClock(wall_offset=1_700_000_000.0 - 1000.0)
        self.told: list[Any] = []
        self.rng = np.random.default_rng(seed)
        self.watch = self.watched(folder)

    def watched(self, folder: Path | None) -> DriftWatch:
        return DriftWatch(SETTINGS, folder=folder, sites={}, tell=self.told.append, clock=self.clock)

    def passes(self, seconds: int, *, model: str = MODEL, **conditions: float) -> None:
        for _ in range(seconds):
            self.clock.advance(1.0)
            self.watch.put("gate", model, self._frame(**conditions))
            self.watch.turn()

    def _frame(self, weak: float = 0.3, luma: float = 120.0, sharpness: float = 1.0) -> Studied:
        """``weak``: share of such boxes."""
        rng = self.rng
        count = int(rng.poisson(6)) + 1
        sure = rng.uniform(0.5, 0.95, count)
        confidence = np.where(rng.random(count) < weak, rng.uniform(0.05, 0.5, count), sure)
        return Studied(
            0,
            self.clock.now,
            confidence.astype(np.float32).tobytes(),
            np.zeros(count, np.int32).tobytes(),
            np.full(count, 0.01, np.float32).tobytes(),
            True,
            Seen(
                luma=luma + rng.normal(0, 2),
                contrast=40.0 + rng.normal(0, 1),
                sharpness=sharpness + rng.normal(0, 0.02),
                likeness=0.9 + rng.normal(0, 0.02),
                infrared=False,
            ),
        )

    def of(self, kind: type) -> list[Any]:
        return [fact for fact in self.told if isinstance(fact, kind)]


LEARN_S = int(SETTINGS.learn_days * 86_400) + 60


@pytest.fixture(scope="module")
def learnt(tmp_path_factory: pytest.TempPathFactory) -> tuple[World, Path]:
    """One that has learnt, and the folder where that is kept."""
    folder = tmp_path_factory.mktemp("drift")
    world = World(folder)
    world.passes(LEARN_S)
    world.watch._keep_all()
    return world, folder


def test_it_learns_and_says_so(learnt: tuple[World, Path]) -> None:
    world, _ = learnt
    [fact] = world.of(DriftLearnt)
    assert fact.camera == "gate"
    assert fact.lights
    assert "luma" in fact.lights[0]
    assert abs(fact.at - world.clock.now) < 2 * 60 + 30
    assert world.watch.status["gate"].stage == "watching"
    assert world.watch.status["gate"].progress == 1.0
    assert not world.of(Trouble)


def test_after_a_restart_it_goes_on(learnt: tuple[World, Path]) -> None:
    _, folder = learnt
    again = World(folder, seed=2)
    again.passes(60)
    assert again.watch.status["gate"].stage == "watching"
    assert not again.told


def test_a_detector_that_does_worse_is_suspected_and_the_measure_named(learnt: tuple[World, Path]) -> None:
    _, folder = learnt
    world = World(folder, seed=3)
    world.passes(600)
    began = world.clock.now
    for _ in range(60):
        world.passes(60, weak=0.7, sharpness=0.5)
        if world.of(LossSuspected):
            break
    [fact] = world.of(LossSuspected)
    assert fact.measure in ("weak", "sharpness")
    assert fact.since > began - 600
    assert fact.evidence >= SETTINGS.arl_days
    assert world.watch.status["gate"].stage == "suspected"


def test_a_picture_that_changes_and_nothing_else_is_told_by_another_word(learnt: tuple[World, Path]) -> None:
    _, folder = learnt
    world = World(folder, seed=8)
    world.passes(600)
    world.passes(600, sharpness=0.5)
    [fact] = world.of(PictureChanged)
    assert (fact.measure, fact.direction) == ("sharpness", "down")
    assert not world.of(LossSuspected)
    standing = world.watch.standing["gate"]
    assert (standing.stage, standing.suspicions) == ("changed", 0)
    assert standing.noticed is not None


def test_a_light_that_was_never_met_is_told(learnt: tuple[World, Path]) -> None:
    _, folder = learnt
    world = World(folder, seed=4)
    world.passes(120)
    world.passes(900, luma=15.0)
    [fact] = world.of(ConditionsUnseen)
    assert fact.light == "colour, luma 0 to 20"
    assert not world.of(LossSuspected), "nobody knows what is usual here"


def test_another_detector_is_learnt_anew(learnt: tuple[World, Path]) -> None:
    _, folder = learnt
    world = World(folder, seed=5)
    world.passes(60)
    world.passes(60, model=OTHER)
    [fact] = world.of(DriftReset)
    assert fact.why == "model"
    assert world.watch.status["gate"].stage == "learning"
    world.watch.forget("gate")
    world.watch.turn()
    assert sorted(path.suffix for path in folder.iterdir()) == [".drift", ".drift"]


def test_what_was_learnt_goes_on_when_the_model_before_is_back(learnt: tuple[World, Path]) -> None:
    _, folder = learnt
    world = World(folder, seed=8)
    world.passes(60)
    before = world.watch.status["gate"]
    world.passes(60, model=OTHER)
    world.passes(60)
    after = world.watch.status["gate"]
    assert (after.stage, after.model, after.met) == (before.stage, before.model, before.met)
    assert not world.of(Trouble)


def test_what_cannot_be_read_is_told_and_learnt_anew(tmp_path: Path, learnt: tuple[World, Path]) -> None:
    _, folder = learnt
    kept = max(folder.iterdir(), key=lambda path: path.stat().st_size)
    (tmp_path / kept.name).write_bytes(kept.read_bytes()[:1000])
    world = World(tmp_path, seed=6)
    world.passes(30)
    [trouble] = world.of(Trouble)
    assert "cannot be used" in trouble.message
    assert world.watch.status["gate"].stage == "learning"


def test_a_folder_that_cannot_be_written_costs_nothing_but_what_was_learnt(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("not a folder")
    world = World(tmp_path / "file")
    world.passes(700)
    assert {trouble.where for trouble in world.of(Trouble)} == {"drift"}
    assert world.watch.status["gate"].stage == "learning"


def test_it_runs_on_a_thread_of_its_own_and_keeps_what_was_learnt_at_the_end(tmp_path: Path) -> None:
    world = World(tmp_path)
    world.watch.start()
    world.watch.put("gate", MODEL, Studied(0, world.clock.now, b"", b"", b"", False, None))
    world.watch.close(PATIENCE_S)
    assert [path.name.partition("-")[0] for path in tmp_path.iterdir()] == ["gate"]


def test_it_is_seen_since_when_and_by_which_measure_a_loss_is_suspected(
    learnt: tuple[World, Path],
) -> None:
    _, folder = learnt
    world = World(folder, seed=7)
    world.passes(600)
    assert world.watch.standing["gate"].stage == "watching"
    began = world.clock.wall()
    for _ in range(60):
        world.passes(60, weak=0.7, sharpness=0.5)
        if world.of(LossSuspected):
            break
    standing = world.watch.standing["gate"]
    assert (standing.stage, standing.suspicions) == ("suspected", 1)
    assert standing.noticed is not None
    assert standing.noticed.measure == world.of(LossSuspected)[0].measure
    assert began - 600 < standing.since < world.clock.wall()
    status = world.watch.status["gate"]
    assert set(status.lights) <= set(status.met)
    assert status.missing == 0


def test_what_is_usual_is_learnt_anew_when_somebody_says_so(
    learnt: tuple[World, Path], tmp_path: Path
) -> None:
    _, folder = learnt
    [kept] = [path for path in folder.iterdir() if path.name.startswith("gate-")][:1]
    (tmp_path / kept.name).write_bytes(kept.read_bytes())
    world = World(tmp_path, seed=8)
    world.passes(60)
    done = world.watch.learn("gate")
    world.passes(60)
    assert done.result(0) is None
    [fact] = world.of(DriftReset)
    assert fact.why == "command"
    status = world.watch.status["gate"]
    assert (status.stage, status.lights) == ("learning", ())
    assert 0 < status.missing < SETTINGS.learn_windows
    again = World(tmp_path, seed=9)
    again.passes(60)
    assert again.watch.status["gate"].stage == "learning", "a crash right after it would not bring it back"


def test_what_is_known_can_be_kept_while_more_is_learnt(learnt: tuple[World, Path], tmp_path: Path) -> None:
    _, folder = learnt
    for path in folder.iterdir():
        (tmp_path / path.name).write_bytes(path.read_bytes())
    world = World(tmp_path, seed=10)
    world.passes(60)
    known = world.watch.status["gate"].lights
    world.watch.learn("gate", keep=True)
    world.passes(60)
    assert world.watch.status["gate"].lights == known
    assert world.watch.status["gate"].stage == "learning"
    assert not world.of(DriftReset)
    world.passes(LEARN_S, luma=15.0)
    assert set(world.watch.status["gate"].lights) > set(known), "the dark is known now, too"


def test_a_camera_of_which_nothing_came_yet_is_learnt_anew_when_it_does(learnt: tuple[World, Path]) -> None:
    _, folder = learnt
    world = World(folder, seed=11)
    done = world.watch.learn("gate")
    world.watch.turn()
    assert done.done()
    world.passes(30)
    assert world.watch.status["gate"].stage == "learning"


def test_an_order_is_carried_out_however_much_waits(learnt: tuple[World, Path]) -> None:
    world = World()
    done = world.watch.learn("gate")
    for _ in range(20_100):
        world.watch.forget("nobody")
    world.watch.turn()
    assert done.done()
