"""From frames and looks to decisions, in simulated time."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import pytest
from benchmarks.drift.cost import state_at_most

from vedette.quality.drift.baseline import UnreadableBaseline
from vedette.quality.drift.decisions import (
    BaselineReset,
    ChangedPicture,
    ConditionsKnown,
    Decision,
    Learnt,
    Stage,
    SuspectedLoss,
    SuspicionOver,
    UnseenConditions,
    Why,
)
from vedette.quality.drift.monitor import Monitor
from vedette.quality.drift.settings import Settings
from vedette.quality.drift.windows import Picture

BEGAN = 1_000_000_800.0
LEARN_WINDOWS = 1800


@dataclass
class Site:
    """Cameras that are looked at three times in ten seconds, which is the least."""

    cameras: tuple[str, ...] = ("a",)
    monitor: Monitor = field(default_factory=lambda: Monitor(Settings(learn_days=LEARN_WINDOWS / 8640)))
    rng: np.random.Generator = field(default_factory=lambda: np.random.default_rng(1))
    at: float = BEGAN

    def windows(
        self, count: int, *, weak: float = 0.4, sharpness: float = 0.5, luma: float = 130.0, boxes: int = 12,
        infrared: bool = False, model: str = "model-1",
    ) -> list[Decision]:  # fmt: skip
        told: list[Decision] = []
        for _ in range(count):
            for camera in self.cameras:
                for second in (0, 3, 6):
                    self._frame(camera, model, self.at + second, weak, boxes)
                noise = self.rng.normal(size=4)
                sharp, alike = sharpness + 0.01 * noise[2], 0.86 + 0.01 * noise[3]
                look = Picture(luma + noise[0], 0.4 * luma + noise[1], sharp, alike, infrared)
                self.monitor.look(camera, self.at + 6, look)
            self.at += 10
            told += self.monitor.close(self.at)
        return told

    def _frame(self, camera: str, model: str, at: float, weak: float, boxes: int) -> None:
        is_weak = self.rng.random(boxes) < weak
        draw = self.rng.random(boxes)
        confidence = np.where(is_weak, 0.2 + 0.29 * draw, 0.5 + 0.45 * draw).astype(np.float32)
        classes = self.rng.integers(0, 3, boxes).astype(np.int32)
        self.monitor.frame(camera, model, at, confidence, classes, np.full(boxes, 0.01, np.float32))


@pytest.fixture(scope="module")
def kept() -> bytes:
    """What a camera has learnt in five hours of daylight."""
    site = Site()
    assert [type(each) for each in site.windows(LEARN_WINDOWS)] == [Learnt]
    return site.monitor.dump("a")


@pytest.fixture
def learnt(kept: bytes) -> Site:
    """One that has."""
    site = Site(at=BEGAN + 10 * LEARN_WINDOWS)
    site.monitor.restore("a", kept)
    site.windows(1)
    return site


def test_learning_is_visible_and_ends() -> None:
    site = Site()
    site.windows(LEARN_WINDOWS // 4)
    status = site.monitor.status("a")
    assert (status.stage, status.progress, status.lights) == (Stage.LEARNING, 0.25, ())


def test_a_camera_that_has_learnt_watches(learnt: Site) -> None:
    status = learnt.monitor.status("a")
    assert (status.stage, status.progress, status.lights) == (Stage.WATCHING, 1.0, (4,))
    assert status.judged
    assert learnt.windows(300) == []
    assert learnt.monitor.status("a").evidence < 10


def test_weak_boxes_are_suspected_and_said_since_when(learnt: Site) -> None:
    learnt.windows(50)
    began = learnt.at
    (loss,) = learnt.windows(90, weak=0.75)
    assert isinstance(loss, SuspectedLoss)
    assert (loss.camera, loss.measure, loss.direction) == ("a", "weak", "up")
    assert began - 60 <= loss.since <= began + 120
    assert loss.at - began < 900
    assert loss.usual == pytest.approx(0.4, abs=0.03)
    assert loss.lately > 0.6
    assert loss.evidence >= learnt.monitor.settings.arl_days
    assert learnt.monitor.status("a").stage is Stage.SUSPECTED


def test_blur_is_told_though_boxes_say_nothing_and_is_a_changed_picture(learnt: Site) -> None:
    (told,) = learnt.windows(30, sharpness=0.3)
    assert isinstance(told, ChangedPicture)
    assert (told.measure, told.direction) == ("sharpness", "down")
    assert learnt.monitor.status("a").stage is Stage.CHANGED
    assert learnt.windows(300, sharpness=0.3) == []
    assert [type(each) for each in learnt.windows(300)] == [SuspicionOver]


def test_a_changed_picture_is_a_suspected_loss_once_boxes_say_so(learnt: Site) -> None:
    assert [type(each) for each in learnt.windows(300, sharpness=0.3)] == [ChangedPicture]
    (loss,) = learnt.windows(90, sharpness=0.3, weak=0.75)
    assert isinstance(loss, SuspectedLoss)
    assert learnt.monitor.status("a").stage is Stage.SUSPECTED


def test_a_changed_picture_in_which_most_boxes_are_gone_is_a_suspected_loss(learnt: Site) -> None:
    told = learnt.windows(60, sharpness=0.3, boxes=3)
    assert [type(each) for each in told] == [ChangedPicture, SuspectedLoss]
    assert told[-1].at - told[0].at < 300


def test_a_suspicion_is_over_when_all_is_as_usual_again(learnt: Site) -> None:
    learnt.windows(90, weak=0.75)
    assert [type(each) for each in learnt.windows(300)] == [SuspicionOver]
    assert learnt.monitor.status("a").stage is Stage.WATCHING


def test_an_empty_scene_and_a_busy_one_are_no_loss(learnt: Site) -> None:
    assert learnt.windows(100, boxes=0) == []
    assert learnt.windows(100, boxes=30) == []


def test_two_false_boxes_that_are_left_are_no_loss(learnt: Site) -> None:
    """One is of a class that is rare here, and both are unsure."""
    site = Left(monitor=learnt.monitor, at=learnt.at)
    assert site.windows(400) == []


class Left(Site):
    def _frame(self, camera: str, model: str, at: float, weak: float, boxes: int) -> None:
        confidence = np.array([0.56, 0.51, 0.3, *np.full(60, 0.06)], np.float32)
        classes = np.array([2, 7, 7, *np.full(60, 2)], np.int32)
        self.monitor.frame(camera, model, at, confidence, classes, np.full(63, 0.01, np.float32))


def test_conditions_that_were_never_met_are_told_after_ten_minutes(learnt: Site) -> None:
    began = learnt.at
    (unseen,) = learnt.windows(70, luma=60.0, infrared=True)
    assert isinstance(unseen, UnseenConditions)
    assert unseen.at - began <= 600
    assert unseen.since == began
    assert not learnt.monitor.status("a").judged
    assert [type(each) for each in learnt.windows(10)] == [ConditionsKnown]


def test_conditions_that_were_never_met_can_be_learnt_on_command(learnt: Site) -> None:
    night = {"luma": 60.0, "infrared": True}
    learnt.windows(60, **night)  # type: ignore[arg-type]
    learnt.monitor.learn("a", learnt.at, hours=3.0)
    told = learnt.windows(1100, **night)  # type: ignore[arg-type]
    assert Learnt in [type(each) for each in told]
    assert learnt.monitor.status("a").lights == (4, 7)
    assert learnt.monitor.status("a").stage is Stage.WATCHING


def test_another_model_is_learnt_anew(learnt: Site) -> None:
    told = learnt.windows(100, weak=0.75, model="model-2")
    assert [type(each) for each in told] == [BaselineReset]
    assert isinstance(told[0], BaselineReset)
    assert told[0].why is Why.MODEL
    status = learnt.monitor.status("a")
    assert (status.stage, status.model, status.lights) == (Stage.LEARNING, "model-2", ())


def test_a_moved_camera_is_learnt_anew_and_its_suspicion_ends(learnt: Site) -> None:
    learnt.windows(90, weak=0.75)
    learnt.monitor.moved("a", learnt.at)
    assert [type(each) for each in learnt.windows(1)] == [SuspicionOver, BaselineReset]
    assert learnt.monitor.status("a").stage is Stage.LEARNING


def test_all_is_learnt_anew_on_command(learnt: Site) -> None:
    learnt.monitor.learn("a", learnt.at, anew=True)
    (reset,) = learnt.windows(1)
    assert isinstance(reset, BaselineReset)
    assert reset.why is Why.COMMAND


def test_goes_on_with_what_was_kept(learnt: Site) -> None:
    kept = learnt.monitor.dump("a")
    other = Site(at=learnt.at)
    other.monitor.restore("a", kept)
    assert other.windows(30) == []
    assert other.monitor.status("a").stage is Stage.WATCHING
    assert other.monitor.scores("a").boxes == learnt.monitor.scores("a").boxes + 30 * 3 * 12
    told = other.windows(30, sharpness=0.3)
    assert [type(each) for each in told] == [ChangedPicture]


def test_a_model_that_comes_back_goes_on_with_its_own_baseline(learnt: Site) -> None:
    kept = learnt.monitor.dump("a")
    learnt.windows(10, model="model-2")
    learnt.monitor.restore("a", kept)
    assert learnt.windows(10) == []
    assert learnt.monitor.status("a").stage is Stage.WATCHING


def test_refuses_what_it_did_not_keep() -> None:
    with pytest.raises(UnreadableBaseline):
        Monitor().restore("a", b"nonsense")


def test_cameras_do_not_disturb_each_other_however_many() -> None:
    names = tuple(f"camera-{number}" for number in range(9))
    site = Site(cameras=names)
    site.windows(1)
    site.monitor.forget("camera-4")
    with pytest.raises(KeyError):
        site.monitor.status("camera-4")
    site.windows(1)
    assert site.monitor.status("camera-4").progress == pytest.approx(1 / LEARN_WINDOWS)
    assert site.monitor.status("camera-8").progress == pytest.approx(2 / LEARN_WINDOWS)


def test_a_window_that_is_not_over_says_nothing() -> None:
    site = Site()
    site.windows(2)
    assert site.monitor.close(site.at) == []
    assert site.monitor.status("a").progress == pytest.approx(2 / LEARN_WINDOWS)


def test_a_camera_stays_within_64_kilobytes_whatever_it_sees() -> None:
    assert state_at_most()["in all"] <= 64_000
