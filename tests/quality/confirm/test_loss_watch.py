"""People review frames in a real store; what that says of the detector is told once, and remembered."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from patience import PATIENCE_S
from reviewed import Shelf
from vedette.facts import LossConfirmed, LossOver, Trouble
from vedette.quality.confirm.settings import FloorSettings
from vedette.quality.confirm.watch import LossWatch
from vedette.quality.estimates import Estimate, TooFew
from vedette.quality.review.rows import State
from vedette.testing import ManualClock

FLOORS = FloorSettings(recall=0.8, precision=0.6)


class World:
    """A store, and who reads it; with all that was told."""

    def __init__(self, folder: Path, floors: FloorSettings = FLOORS, **cameras: str) -> None:
        self.folder, self.floors = folder, floors
        self.shelf = Shelf(folder / "review")
        self.clock = ManualClock(wall_offset=self.shelf.at + 1e6)
        self.cameras = cameras or {"gate": ""}
        self.threshold = 0.4
        self.running: str | None = None
        self.told: list[Any] = []
        self.watch = self.watched()

    def watched(self) -> LossWatch:
        return LossWatch(
            self.folder / "review",
            self.floors,
            kept=self.folder / "accuracy-node.json",
            cameras=lambda: self.cameras,
            threshold=lambda: self.threshold,
            running=lambda _: self.running,
            tell=self.told.append,
            clock=self.clock,
        )

    def look(self) -> list[Any]:
        """What is told now."""
        self.told.clear()
        self.watch.turn()
        return list(self.told)

    def restart(self) -> list[Any]:
        self.watch = self.watched()
        return self.look()


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


def test_a_loss_is_told_once_with_its_figures(world: World) -> None:
    world.shelf.reviewed(["right"] * 5)
    assert world.look() == []
    world.shelf.reviewed(["missed"] * 20)
    facts = world.look()
    assert {fact.measure for fact in facts} == {"recall", "precision"}
    [recall] = [fact for fact in facts if fact.measure == "recall"]
    assert isinstance(recall, LossConfirmed)
    assert (recall.camera, recall.cameras, recall.site, recall.model) == ("gate", ["gate"], "", "m1")
    assert recall.lower <= recall.value <= recall.upper <= recall.floor == 0.8
    assert recall.frames < 26
    assert not recall.known
    world.shelf.reviewed(["missed"] * 5)
    assert world.look() == []


def test_a_restart_neither_repeats_nor_forgets(world: World) -> None:
    world.shelf.reviewed(["missed"] * 20)
    first = world.look()
    again = world.restart()
    assert [(fact.measure, fact.known) for fact in again] == [("precision", True), ("recall", True)]
    assert {fact.since for fact in again} == {fact.since for fact in first}
    assert world.look() == []
    world.shelf.reviewed(["right"] * 80)
    over = world.look()
    assert {(type(fact), fact.why) for fact in over} == {(LossOver, "again")}
    assert world.restart() == []


def test_frames_of_another_model_do_not_count_and_a_swap_ends_a_loss(world: World) -> None:
    world.shelf.reviewed(["missed"] * 20)
    world.look()
    world.shelf.reviewed(["none"], model="m2")
    over = world.look()
    assert {(fact.measure, fact.why) for fact in over} == {("recall", "model"), ("precision", "model")}
    world.shelf.reviewed(["missed"] * 20, model="m1")
    world.shelf.reviewed(["none"], model="m2")
    assert world.look() == [], "somebody goes on with the old frames"


def test_it_may_be_known_which_model_is_at_work(world: World) -> None:
    world.running = "m2"
    world.shelf.reviewed(["missed"] * 20)
    assert world.look() == []
    world.running = "m1"
    assert len(world.look()) == 2


def test_a_model_that_comes_back_goes_on_with_what_was_known_of_it(world: World) -> None:
    world.running = "m1"
    world.shelf.reviewed(["missed"] * 20)
    assert {(fact.measure, fact.known) for fact in world.look()} == {("recall", False), ("precision", False)}
    world.running = "m2"  # a canary
    assert {fact.why for fact in world.look()} == {"model"}
    world.running = "m1"
    assert {(fact.measure, fact.known) for fact in world.look()} == {("recall", True), ("precision", True)}
    world.shelf.reviewed(["right"] * 80)
    assert {fact.why for fact in world.look()} == {"again"}
    for model in ("m2", "m1"):
        world.running = model
        assert world.look() == [], "what is over is not judged anew"


def test_while_nobody_knows_which_model_is_at_work_nothing_is_judged(world: World) -> None:
    world.running = "m1"
    world.shelf.reviewed(["missed"] * 20)
    assert len(world.look()) == 2
    world.shelf.reviewed(["none"], model="m2")
    world.running = ""
    assert [fact.known for fact in world.restart()] == [True, True]
    assert world.look() == []
    world.running = "m1"
    assert world.look() == []
    assert all(each.lost for each in world.watch.status["gate"])


def test_frames_that_were_picked_or_skipped_or_repeated_confirm_nothing(world: World) -> None:
    world.shelf.picked(20)
    [item] = world.shelf.reviewed(["missed"])
    [first] = [each for each in world.shelf.store.reviews() if each.item == item.id]
    for _ in range(1):
        world.shelf.store.review(item.id, first.review, repeat_of=first.id)
    for each in world.shelf.reviewed(["none"] * 20):
        skipped = type(first.review)(State.SKIPPED, (), (), (), "ada", 1.0, world.shelf.at)
        world.shelf.store.review(each.id, skipped)
    assert world.look() == []
    known = {each.key.measure: each.known for each in world.watch.status["gate"]}
    assert known == {"recall": TooFew(1), "precision": TooFew(1)}


def test_a_review_that_is_taken_back_or_replaced_counts_no_more(world: World) -> None:
    items = world.shelf.reviewed(["right"] * 12)
    world.look()
    before = {each.known.value for each in world.watch.status["gate"] if isinstance(each.known, Estimate)}
    assert before == {1.0}
    last = world.shelf.store.reviews()[-1]
    world.shelf.store.withdraw(last.id)
    world.look()
    assert {each.known.frames for each in world.watch.status["gate"]} == {11}
    world.shelf.at += 1
    world.shelf.store.review(items[0].id, world.shelf._review(items[0], "missed"))
    world.look()
    recall = next(each.known for each in world.watch.status["gate"] if each.key.measure == "recall")
    assert isinstance(recall, Estimate)
    assert recall.value == pytest.approx(10 / 12)


def test_a_site_is_judged_by_all_of_its_cameras(tmp_path: Path) -> None:
    world = World(tmp_path, FloorSettings(recall=0.8), gate="north", yard="north", dock="")
    for camera in ("gate", "yard", "dock"):
        world.shelf.reviewed(["right", "missed"] * 3, camera=camera)
    facts = world.look()
    known = world.watch.status
    assert {each.key.site for each in known[""]} == {"north"}
    assert {each.known.frames for each in known[""]} == {12}
    world.shelf.reviewed(["missed"] * 15, camera="gate")
    world.shelf.reviewed(["missed"] * 15, camera="yard")
    facts += world.look()
    whole = [fact for fact in facts if not fact.camera]
    assert [(fact.site, fact.cameras) for fact in whole] == [("north", ["gate", "yard"])]


def test_a_camera_may_have_a_floor_of_its_own(tmp_path: Path) -> None:
    floors = FloorSettings(recall=0.8, cameras={"gate": {"recall": None}, "yard": {"precision": 0.9}})  # type: ignore[dict-item]
    world = World(tmp_path, floors, gate="", yard="")
    for camera in world.cameras:
        world.shelf.reviewed(["missed"] * 20, camera=camera)
    told = {(fact.camera, fact.measure, fact.floor) for fact in world.look()}
    assert told == {("yard", "recall", 0.8), ("yard", "precision", 0.9)}


def test_without_floors_accuracy_is_shown_and_nothing_told(tmp_path: Path) -> None:
    world = World(tmp_path, FloorSettings())
    world.shelf.reviewed(["missed"] * 20)
    assert world.look() == []
    [recall, precision] = world.watch.status["gate"]
    assert (recall.key.measure, recall.known.value, recall.floor) == ("recall", 0.0, None)  # type: ignore[union-attr]
    assert precision.lost is None


def test_a_camera_that_is_gone_is_over(world: World) -> None:
    world.shelf.reviewed(["missed"] * 20)
    world.look()
    world.cameras = {"yard": ""}
    assert {(fact.camera, fact.why) for fact in world.look()} == {("gate", "gone")}
    assert world.look() == []


def test_another_threshold_judges_all_anew(world: World) -> None:
    world.shelf.reviewed(["wrong"] * 20)
    assert [fact.measure for fact in world.look()] == ["precision"]
    world.threshold = 0.95
    world.look()
    assert {type(each.known) for each in world.watch.status["gate"]} == {TooFew}


def test_a_store_that_is_not_there_yet_is_waited_for(tmp_path: Path) -> None:
    world = World(tmp_path)
    world.watch = LossWatch(
        tmp_path / "later", FLOORS, kept=None, cameras=lambda: {"gate": ""}, threshold=lambda: 0.4,
        tell=world.told.append, clock=world.clock,
    )  # fmt: skip
    assert world.look() == []
    Shelf(tmp_path / "later").reviewed(["missed"] * 20)
    assert len(world.look()) == 2


def test_what_is_no_store_is_told_once(tmp_path: Path) -> None:
    world = World(tmp_path)
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "review.db").write_bytes(b"this is no database" * 100)
    world.watch = LossWatch(
        tmp_path / "other", FLOORS, kept=None, cameras=dict, threshold=lambda: 0.4, tell=world.told.append,
        clock=world.clock,
    )  # fmt: skip
    world.watch.turn()
    world.watch.turn()
    world.watch.turn()
    [trouble] = world.told
    assert isinstance(trouble, Trouble)
    assert "is not a review store" in trouble.message


def test_a_memory_that_cannot_be_read_is_told_and_costs_a_repetition(world: World) -> None:
    world.shelf.reviewed(["missed"] * 20)
    world.look()
    (world.folder / "accuracy-node.json").write_bytes(b"{")
    facts = world.restart()
    assert [type(fact) for fact in facts] == [Trouble, LossConfirmed, LossConfirmed]


def test_a_memory_that_cannot_be_written_is_told_and_written_when_it_can_be(world: World) -> None:
    blocked = world.folder / "accuracy-node.json"
    blocked.mkdir()
    world.shelf.reviewed(["missed"] * 20)
    world.watch._known = {}  # it was not there when the watch began
    facts = world.look() + world.look() + world.look()
    assert sorted(type(fact).__name__ for fact in facts) == ["LossConfirmed", "LossConfirmed", "Trouble"]
    blocked.rmdir()
    assert world.look() == []
    assert [fact.known for fact in world.restart()] == [True, True]


def test_it_runs_on_a_thread_of_its_own(world: World) -> None:
    world.shelf.reviewed(["missed"] * 20)
    world.watch.start()
    world.watch.close(PATIENCE_S)
    assert {type(fact) for fact in world.told} == {LossConfirmed}
