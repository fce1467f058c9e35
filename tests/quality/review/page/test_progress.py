"""What is told of precision and recall while people review."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from review_frames import accepted, frame, rejected
from vedette.quality.estimates import Estimate, precision
from vedette.quality.review.frames import StoreSettings, prepared
from vedette.quality.review.page.progress import figures, judged_frames
from vedette.quality.review.rows import Item, Review, State
from vedette.quality.review.sampling import Reason

BOTH = ("person", "car")


def item(number: int, reason: Reason | None = None) -> Item:
    return prepared(frame(number, reason), StoreSettings())[0]


def reviews(right: int, wrong: int) -> list[tuple[Item, Review]]:
    items = [item(number) for number in range(right + wrong)]
    return [(each, accepted(each) if number < right else rejected(each)) for number, each in enumerate(items)]


def test_too_few_frames_give_no_number() -> None:
    precision, recall = figures(judged_frames(reviews(4, 3), BOTH, 0.4, "m1"))
    assert (precision.value, precision.outlook) == (None, "3 more frames with boxes until it can be told")
    assert (recall.value, recall.outlook) == (None, "6 more frames with objects until it can be told")
    assert figures([])[0].frames == 0


def test_precision_counts_strong_boxes_and_recall_all_objects() -> None:
    found = {each.name: each for each in figures(judged_frames(reviews(45, 15), BOTH, 0.4, "m1"))}
    assert found["precision"].value == pytest.approx(0.75)
    assert found["recall"].value == pytest.approx(0.5)  # the weak car was there, and was not found
    assert re.fullmatch(r"75%, \d\d% to \d\d%", found["precision"].said)


def test_what_more_frames_bring_is_what_they_bring() -> None:
    frames = judged_frames(reviews(45, 15), BOTH, 0.4, "m1")
    known = precision(frames)
    assert isinstance(known, Estimate)
    told = re.fullmatch(r"(\d+) more frames narrow ±(\d+) to ±(\d+)", figures(frames)[0].outlook)
    assert told
    more, now, then = map(int, told.groups())
    assert now == round(100 * known.half_width)
    assert then < now
    later = precision(frames + judged_frames(reviews(45, 15), BOTH, 0.4, "m1") * (more // 60 + 1))
    assert isinstance(later, Estimate)
    assert later.half_width * 100 < now


def test_only_frames_that_say_something_of_this_model_and_these_classes_count() -> None:
    pairs = reviews(2, 0)
    other_model = (replace(item(9), model="m0"), accepted(item(9)))
    fewer_classes = (item(10), accepted(item(10), boxes=(), looked_for=("person",)))
    skipped = (item(11), accepted(item(11), state=State.SKIPPED))
    picked = (item(12, Reason.WEAK_BOXES), accepted(item(12)))
    frames = judged_frames([*pairs, other_model, fewer_classes, skipped, picked], BOTH, 0.4, "m1")
    assert [each.probability for each in frames] == [0.25, 0.25, None]


def test_a_picture_that_is_gone_still_counts() -> None:
    [(there, said)] = reviews(1, 0)
    assert len(judged_frames([(replace(there, bytes=0), said)], BOTH, 0.4, "m1")) == 1
