"""Some frames are studied: what the detector found in them, weak boxes too, goes to those who judge it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

from test_pipeline import BOX, Rig
from vedette.found import Asked
from vedette.workers.protocol import Done, Weak


@pytest.fixture
def rig_of() -> Iterator[Callable[..., Rig]]:
    rigs: list[Rig] = []

    def build(**arguments: Any) -> Rig:
        rigs.append(Rig(**arguments))
        rigs[-1].open()
        return rigs[-1]

    yield build
    for rig in rigs:
        rig.close()


def bytes_of(boxes: list[tuple[float, ...]], confidence: list[float]) -> dict[str, bytes]:
    return {
        "xyxy": np.array(boxes, np.float32).tobytes(),
        "confidence": np.array(confidence, np.float32).tobytes(),
        "class_id": np.arange(len(boxes), dtype=np.int32).tobytes(),
    }


def test_one_frame_a_second_is(rig_of: Callable[..., Rig]) -> None:
    rig = rig_of()
    studied = 0
    for _ in range(100):  # four seconds
        rig.give()
        ticket = rig.take()
        assert ticket is not None
        studied += rig.pipeline.studies(ticket)
        rig.finish(ticket, BOX)
    assert studied == len(rig.found_in) == 4
    assert len(rig.results) == 100


def test_none_is_where_nobody_judges(rig_of: Callable[..., Rig]) -> None:
    rig = rig_of(study_every=0.0)
    for _ in range(50):
        rig.give()
        rig.analyse()
    assert not rig.found_in


def test_weak_boxes_lie_where_they_are_in_the_frame_and_are_no_detections(rig_of: Callable[..., Rig]) -> None:
    rig = rig_of()
    rig.give()
    ticket = rig.take()
    assert ticket is not None
    weak = Weak(**bytes_of([BOX, BOX], [0.2, 0.1]))
    rig.pipeline.finish(ticket, Done(ticket, 0, names=["car"], weak=weak, **bytes_of([BOX], [0.9])))
    [result] = rig.results
    assert len(result.boxes) == 1
    [found] = rig.found_in
    assert found.weak_known
    assert found.sure == 1
    assert found.confidence.tolist() == pytest.approx([0.9, 0.2, 0.1])
    assert found.class_id.tolist() == [0, 0, 1]
    assert np.allclose(found.xyxy, result.boxes.xyxy[0])
    assert (found.width, found.height) == (result.width, result.height)


def test_where_there_are_none_that_is_known(rig_of: Callable[..., Rig]) -> None:
    rig = rig_of()
    rig.give()
    ticket = rig.take()
    assert ticket is not None
    rig.pipeline.finish(ticket, Done(ticket, 0, weak=Weak(b"", b"", b"")))
    [found] = rig.found_in
    assert found.weak_known
    assert found.xyxy.shape == (0, 4)
    assert len(found.confidence) == found.sure == 0


def test_a_frame_that_fails_tells_nothing(rig_of: Callable[..., Rig]) -> None:
    rig = rig_of()
    rig.give()
    rig.finish(rig.take(), failed="it raised")
    assert not rig.found_in


def test_a_picture_that_is_wanted_for_review_comes_with_what_was_found(rig_of: Callable[..., Rig]) -> None:
    rig = rig_of()
    rig.asks_for = Asked(at=1.0, probability=0.5, drawn=True, picture=True)
    rig.give()
    rig.finish(rig.take(), BOX)
    [found] = rig.found_in
    assert found.asked is rig.asks_for
    assert (found.image.width, found.image.height) == (found.width, found.height)
    assert found.names == ["car"]
    assert found.track_id.tolist() == rig.results[0].boxes.track_id.tolist()
    assert (found.epoch, found.seq) == (rig.results[0].epoch, rig.results[0].seq)


def test_a_picture_that_is_wanted_for_review_is_not_taken_away_by_a_candidate(
    rig_of: Callable[..., Rig],
) -> None:
    rig = rig_of()
    rig.asks_for = Asked(at=1.0, probability=0.5, drawn=True, picture=True)
    rig.give()
    ticket = 7
    assert rig.pipeline.take(ticket, rig.target, aside=True)
    shown = rig.pipeline.picture(ticket)
    rig.finish(ticket, BOX)
    [found] = rig.found_in
    assert found.image is shown is not None


def test_no_other_picture_is_held(rig_of: Callable[..., Rig]) -> None:
    rig = rig_of()
    rig.asks_for = Asked(at=1.0, probability=0.5, drawn=False, picture=False)
    for _ in range(50):  # two seconds
        rig.give()
        rig.analyse()
    assert len(rig.asked_at) == len(rig.found_in) == 2, "only those that are studied are asked about"
    assert not any(found.image for found in rig.found_in)
    assert not any(rig.images)
