"""Which classes are offered to whoever begins; how roughly is told how many frames wait."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from review_frames import accepted, frame
from vedette.quality.labels.dataset import Box
from vedette.quality.review.frames import StoreSettings, prepared
from vedette.quality.review.page.offer import AT_MOST, suggested
from vedette.quality.review.page.progress import about
from vedette.quality.review.rows import Final, Item, Prediction

EIGHTY = tuple(f"class {number}" for number in range(80))


def item(number: int, *labels: str) -> Item:
    made = prepared(frame(number), StoreSettings())[0]
    return replace(made, predictions=tuple(Prediction((1, 1, 9, 9), label, 0.9) for label in labels))


def test_of_eighty_classes_those_are_offered_that_are_found_often() -> None:
    items = [item(number, "person", EIGHTY[number]) for number in range(80)]
    items += [item(100 + number, "car") for number in range(20)]
    assert suggested([], items, 0.4) == (["person", "car"], False)
    assert suggested([], [], 0.4) == ([], False)


def test_what_was_looked_for_last_is_looked_for_again() -> None:
    one = item(0)
    said = [accepted(one, at=2.0, looked_for=("car", "bus")), accepted(one, at=1.0)]
    assert suggested(said, [one], 0.4) == (["car", "bus"], True)


def test_of_an_import_that_looked_for_everything_those_are_offered_that_were_found() -> None:
    one = item(0, "truck")
    boxes = tuple(Final(Box((1, 1, 9, 9), label)) for label in EIGHTY[7:9])
    said = [accepted(one, boxes=boxes, verdicts=(None,), looked_for=EIGHTY)]
    found, chosen = suggested(said, [one], 0.4)
    assert (sorted(found), chosen) == (list(EIGHTY[7:9]), False)


@given(st.integers(0, 10**6))
def test_how_many_wait_is_told_roughly(count: int) -> None:
    words = about(count)
    if count == 0:
        assert words == "none"
    elif count < 20:
        assert words == "fewer than 20"
    else:
        told = int(words.removeprefix("about "))
        assert abs(told - count) <= (5 if count < 1000 else count * 0.05)
        assert told % 10 == 0


def test_at_most_nine_are_offered() -> None:
    assert len(suggested([], [item(0, *EIGHTY)], 0.4)[0]) == AT_MOST
