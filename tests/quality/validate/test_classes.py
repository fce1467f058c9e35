"""Labels meet the detector's names."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from vedette.infer.labels import coco
from vedette.quality.validate.classes import Classes


def test_case_spaces_and_old_spellings_do_not_matter() -> None:
    classes = Classes(("Person", "traffic_light", "motorbike", "TV-monitor"), coco())
    assert classes.label_of(["person", "traffic light", "motorcycle", "tv"]) == [0, 1, 2, 3]
    assert classes.unknown == ()


def test_the_very_same_word_goes_first() -> None:
    assert Classes(("Car", "car")).label_of(["car", "Car", "CAR"]) == [1, 0, 0]


def test_what_the_detector_cannot_say_is_named() -> None:
    assert Classes(("person", "forklift"), coco()).unknown == ("forklift",)


def test_of_a_detector_that_does_not_tell_its_names_nothing_is_unknown() -> None:
    assert Classes(("person", "forklift")).unknown == ()


def test_what_was_not_looked_for_has_no_label() -> None:
    assert Classes(("person",), coco()).label_of(["dog", "person", ""]) == [-1, 0, -1]


@given(st.lists(st.text(min_size=1), min_size=1, unique=True))
def test_a_detector_that_has_the_sets_own_labels_knows_them_all(labels: list[str]) -> None:
    classes = Classes(tuple(labels), tuple(labels))
    assert classes.label_of(labels) == list(range(len(labels)))
    assert classes.unknown == ()
