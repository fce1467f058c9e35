"""Frames are chosen alike by the database and by the page."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product
from pathlib import Path

import pytest

from review_frames import accepted, frame
from vedette.quality.labels.dataset import Box
from vedette.quality.review.rows import Final, Item, Prediction, Review
from vedette.quality.review.sampling import Reason
from vedette.quality.review.selection import UNIFORM, Selection
from vedette.quality.review.store import Store

CAR, PERSON = Prediction((1, 1, 9, 9), "car", 0.8), Prediction((1, 1, 9, 9), "per%son'", 0.3)


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    with Store.open(tmp_path_factory.mktemp("chosen")) as opened:
        kinds = product(("gate", "ya_d"), (None, Reason.WEAK_BOXES), ("m1", "m_2"), ((CAR,), (PERSON,), ()))
        for number, (camera, reason, model, said) in enumerate(kinds):
            opened.add(frame(number, reason, camera=camera, model=model, predictions=said))
        yield opened


@pytest.mark.parametrize("cameras", [(), ("gate",), ("gate", "ya_d"), ("nowhere",)])
@pytest.mark.parametrize("reasons", [(), (UNIFORM,), ("weak_boxes",), (UNIFORM, "weak_boxes"), ("none",)])
@pytest.mark.parametrize("classes", [(), ("car",), ("per%son'", "car")])
@pytest.mark.parametrize("models", [(), ("m1",), ("m",), ("m_",)])
def test_the_database_chooses_what_holds(
    store: Store,
    cameras: tuple[str, ...],
    reasons: tuple[str, ...],
    classes: tuple[str, ...],
    models: tuple[str, ...],
) -> None:
    chosen = Selection(cameras, reasons, classes, models, score_from=0.4)
    found = {task.item.id for task in store.next(100, seed=1, chosen=chosen)}
    assert found == {item.id for item in store.items() if chosen.holds(item)}
    assert bool(chosen) or len(found) == 24


def test_frames_of_the_uniform_stream_are_not_chosen_by_what_is_in_them(store: Store) -> None:
    chosen = store.next(100, seed=1, chosen=Selection(classes=("car",), score_from=0.4))
    assert [task.item for task in chosen]
    assert not any(task.item.uniform for task in chosen)


def test_what_there_is_to_choose_from(store: Store) -> None:
    known = store.facets()
    assert (known.cameras, known.reasons) == (["gate", "ya_d"], ["weak_boxes"])
    assert known.models == ["m_2", "m1"], "the newest first"


def test_history_finds_a_class_that_only_people_saw(tmp_path: Path) -> None:
    with Store.open(tmp_path) as store:
        item = store.add(frame(predictions=())).item
        assert item is not None
        store.review(item.id, _with(item, "bicycle"))
        assert [each.item.id for each in store.history(5, chosen=Selection(classes=("bicycle",)))] == [
            item.id
        ]
        assert store.history(5, chosen=Selection(classes=("car",))) == []


def _with(item: Item, label: str) -> Review:
    return accepted(item, boxes=(Final(Box((1, 1, 9, 9), label)),), looked_for=(label,))
