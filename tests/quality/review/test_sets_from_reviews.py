"""Reviews become labelled sets, labels become reviews, and whole days are held out."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from labelled_sets import simple
from review_frames import DAY_S, START, accepted, frame, predictions, rejected
from vedette.errors import ReviewError
from vedette.quality.labels.content import content_hash
from vedette.quality.labels.dataset import Box, Dataset, Picture
from vedette.quality.labels.formats import FORMATS, read, write
from vedette.quality.review.convert import reviews_of, to_dataset
from vedette.quality.review.frames import StoreSettings, prepared
from vedette.quality.review.rows import Final, Item, State, Verdict
from vedette.quality.review.split import SplitSettings, is_held_out, split

LABELS = ("person", "car")


def item(number: int = 0) -> Item:
    return prepared(frame(number), StoreSettings())[0]


def test_a_set_has_what_people_said_in_the_order_of_capture() -> None:
    late, early = item(9), item(1)
    missed = Final(Box((1.0, 1.0, 5.0, 5.0), "car", track_id=2))
    dataset = to_dataset(
        [(late, rejected(late)), (early, accepted(early, boxes=(missed, *accepted(early).boxes)))], LABELS
    )
    first, second = dataset.pictures
    assert (first.name, first.camera, first.captured_at, first.light) == (
        early.file,
        "gate",
        START + 1,
        "day",
    )
    assert first.boxes == (missed.box, *(Box(each.xyxy, each.label) for each in predictions()))
    assert second.boxes == ()
    assert first.attributes["item"] == early.id
    assert first.attributes["probability"] == 0.25
    assert first.attributes["sha256"] == early.sha256


def test_pictures_that_would_blame_the_innocent_are_left_out() -> None:
    one = item()
    for state in (State.SKIPPED, State.DIFFICULT):
        assert to_dataset([(one, accepted(one, state=state))], LABELS).pictures == ()
    assert to_dataset([(replace(one, bytes=0), accepted(one))], LABELS).pictures == ()
    assert to_dataset([(one, accepted(one))], ("person", "dog")).pictures == (), "nobody looked for dogs"
    (only,) = to_dataset([(one, accepted(one))], ("person",)).pictures
    assert [box.label for box in only.boxes] == ["person"]


@pytest.mark.parametrize("format", FORMATS)
def test_labels_come_back_from_other_tools(format: str, tmp_path: Path) -> None:
    one, two = item(1), item(2)
    dataset = to_dataset([(one, accepted(one)), (two, rejected(two))], LABELS)
    write(dataset, tmp_path / ("set" if format == "yolo" else "set.json"), format)
    found = read(tmp_path / ("set" if format == "yolo" else "set.json"), format)
    imported = reviews_of(found, [two, one], reviewer="ada", at=START + DAY_S, shown_from=0.1)
    assert imported.unknown == ()
    for (which, review), expected in zip(
        imported.reviews, ((one, accepted(one)), (two, rejected(two))), strict=True
    ):
        assert which == expected[0]
        assert replace(review, seconds=4.5) == expected[1]


def test_verdicts_follow_from_the_boxes() -> None:
    one = item()
    _, car = predictions()
    moved = Box((6.0, 4.0, 26.0, 40.0), "person")
    named = Box(car.xyxy, "truck")
    new = Box((50.0, 40.0, 60.0, 47.0), "person")
    picture = Picture("elsewhere/" + one.file.rsplit("/", 1)[-1], 64, 48, (new, named, moved))
    (found,) = reviews_of(
        Dataset(("person", "car", "truck"), (picture,)), [one], reviewer="x", at=1.0, shown_from=0.1
    ).reviews
    review = found[1]
    assert review.verdicts == (Verdict.CORRECTED, Verdict.CORRECTED)
    assert review.boxes == (Final(new), Final(named, 1), Final(moved, 0))
    assert review.looked_for == ("person", "car", "truck")
    gone = Dataset(("person",), (replace(picture, boxes=()),))
    ((_, review),) = reviews_of(gone, [one], reviewer="x", at=1.0, shown_from=0.1).reviews
    assert review.verdicts == (Verdict.REJECTED, None), "nobody was asked about cars"
    ((_, review),) = reviews_of(gone, [one], reviewer="x", at=1.0, shown_from=0.95).reviews
    assert review.verdicts == (None, None)


def test_a_tool_that_shows_pictures_smaller_is_understood() -> None:
    one = item()
    half = tuple(Box(tuple(c / 2 for c in each.xyxy), each.label) for each in predictions())  # type: ignore[arg-type]
    dataset = Dataset(LABELS, (Picture(one.file, 32, 24, half),))
    ((_, review),) = reviews_of(dataset, [one], reviewer="ada", at=START + DAY_S, shown_from=0.1).reviews
    assert replace(review, seconds=4.5) == accepted(one)


def test_pictures_that_belong_to_nothing_are_named() -> None:
    assert reviews_of(simple(), [item()], reviewer="x", at=0.0).unknown == ("yard/1.jpg", "yard/2.jpg")


# ---- held out


def at_noon(days: int, zone: ZoneInfo) -> float:
    return (datetime(2026, 3, 1, 12, tzinfo=zone) + timedelta(days=days)).timestamp()


def test_one_day_of_five_is_held_out() -> None:
    zone = ZoneInfo("Europe/Berlin")
    held = [is_held_out(at_noon(day, zone), SplitSettings(seed=4), zone) for day in range(500)]
    assert 99 <= sum(held) <= 101
    assert len({day % 5 for day, each in enumerate(held) if each}) == 5, "no day of the week is special"


@given(
    hours=st.lists(st.integers(0, 24 * 60), min_size=1, max_size=40, unique=True),
    seed=st.integers(0, 5),
    zone=st.sampled_from(["UTC", "Europe/Berlin", "America/Los_Angeles", "Asia/Kolkata"]),
)
def test_no_day_is_in_two_sets(hours: list[int], seed: int, zone: str) -> None:
    pictures = tuple(Picture(f"{hour}.jpg", 1, 1, captured_at=START + hour * 3600 + 0.5) for hour in hours)
    settings = SplitSettings(seed=seed, apart=3 * 3600)
    found = split(Dataset((), pictures), settings, ZoneInfo(zone))
    parts = (found.train, found.held_out, found.between)
    assert sorted(each.name for part in parts for each in part.pictures) == sorted(
        each.name for each in pictures
    )

    def days(part: Dataset) -> set[int]:
        return {
            datetime.fromtimestamp(each.captured_at or 0, ZoneInfo(zone)).toordinal()
            for each in part.pictures
        }

    assert not days(found.held_out) & (days(found.train) | days(found.between))
    for one in found.train.pictures:
        for other in found.held_out.pictures:
            assert abs((one.captured_at or 0) - (other.captured_at or 0)) > 3 * 3600


def test_a_picture_without_a_time_cannot_be_split() -> None:
    with pytest.raises(ReviewError, match=r"picture 'a.jpg': nobody knows when it was taken"):
        split(Dataset((), (Picture("a.jpg", 1, 1),)))


# ---- versions


@pytest.mark.parametrize("format", FORMATS)
def test_the_hash_is_of_the_content_and_not_of_the_format(format: str, tmp_path: Path) -> None:
    path = tmp_path / ("set" if format == "yolo" else "set.json")
    write(simple(), path, format)
    assert content_hash(read(path, format)) == content_hash(simple())


def test_the_order_of_pictures_and_boxes_does_not_matter_and_all_else_does() -> None:
    dataset = simple()
    first, second = dataset.pictures
    turned = replace(first, boxes=first.boxes[::-1])
    assert content_hash(replace(dataset, pictures=(second, turned))) == content_hash(dataset)
    others = [
        replace(dataset, labels=dataset.labels[::-1]),
        replace(dataset, pictures=(first,)),
        replace(dataset, pictures=(first, replace(second, light="night"))),
        replace(
            dataset, pictures=(first, replace(second, boxes=(replace(second.boxes[0], difficult=True),)))
        ),
        replace(dataset, attributes={"a": 1}),
    ]
    assert len({content_hash(each) for each in [dataset, *others]}) == 6
