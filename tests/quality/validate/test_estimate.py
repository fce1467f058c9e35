"""Intervals: they hold what they should, and pairs see what single runs cannot."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from quality.validate.drawn_sets import drawn_set, hours, seen, seen_by_the_hour
from vedette.quality.labels.dataset import Dataset
from vedette.quality.validate.coco_eval import Found, records_of
from vedette.quality.validate.estimate import CLUSTERS_FROM, FIGURES, differences, estimates, units_of
from vedette.quality.validate.records import Records


def kept(dataset: Dataset, found: list[Found]) -> Records:
    return records_of(dataset, found, [picture.name for picture in dataset.pictures])


def test_an_interval_holds_its_figure_and_narrows_with_more_pictures() -> None:
    widths = []
    for pictures in (30, 300):
        dataset = drawn_set(1, pictures)
        found = estimates(kept(dataset, seen(dataset, 2)), 0.4, resamples=300)
        assert set(found) == set(FIGURES)
        for each in found.values():
            assert each.low < each.value < each.high  # type: ignore[operator]
        widths.append(found["ap50"].high - found["ap50"].low)  # type: ignore[operator]
    assert widths[1] < widths[0] / 2


def test_the_same_draw_gives_the_same_interval() -> None:
    dataset = drawn_set(1)
    records = kept(dataset, seen(dataset, 2))
    assert estimates(records, 0.4, resamples=50) == estimates(records, 0.4, resamples=50)
    other = estimates(records, 0.4, resamples=50, seed=1)
    assert other["ap50"].value == estimates(records, 0.4, resamples=50)["ap50"].value
    assert other["ap50"].low != estimates(records, 0.4, resamples=50)["ap50"].low


def test_a_run_does_not_differ_from_itself() -> None:
    dataset = drawn_set(3)
    run = (kept(dataset, seen(dataset, 4)), 0.4)
    for difference in differences(run, run, resamples=50).values():
        assert (difference.value, difference.low, difference.high) == (0, 0, 0)
        assert difference.lies_below == 0


def test_a_pair_shows_a_loss_that_two_intervals_hide() -> None:
    dataset = drawn_set(5, 60)
    good = seen(dataset, 6, noise=1)
    rng = np.random.default_rng(7)
    # The same detector, but for one box in ten that it does not find any more.
    kept_boxes = [rng.random(len(each.score)) > 0.1 for each in good]
    worse = [
        Found(each.xyxy[keep], each.score[keep], each.label[keep])
        for each, keep in zip(good, kept_boxes, strict=True)
    ]
    before, after = kept(dataset, good), kept(dataset, worse)
    alone = [estimates(records, 0.4, resamples=300)["recall"] for records in (before, after)]
    assert alone[1].high > alone[0].low  # type: ignore[operator]
    assert differences((after, 0.4), (before, 0.4), resamples=300)["recall"].lies_below > 0


def test_detectors_that_are_alike_are_seldom_told_apart() -> None:
    told = {"ap50": 0, "recall": 0}
    trials = 50
    for trial in range(trials):
        dataset = drawn_set(1000 + trial, 30)
        one, other = (kept(dataset, seen(dataset, 2 * trial + side)) for side in (1, 2))
        found = differences((one, 0.4), (other, 0.4), resamples=150)
        for name in told:
            told[name] += found[name].lies_below > 0
    # 2.5% of 50 are about one; with probability 0.998 no more than 5.
    assert max(told.values()) <= 5


def test_runs_on_other_pictures_are_not_compared() -> None:
    one, other = drawn_set(1, 5), drawn_set(2, 6)
    with pytest.raises(ValueError, match="same pictures"):
        differences((kept(one, seen(one, 1)), 0.4), (kept(other, seen(other, 1)), 0.4), resamples=10)


def test_where_nothing_was_found_precision_is_unknown_and_recall_is_none() -> None:
    dataset = drawn_set(1, 10)
    nothing = [Found(np.zeros((0, 4)), np.zeros(0), np.zeros(0, int)) for _ in dataset.pictures]
    found = estimates(kept(dataset, nothing), 0.4, resamples=20)
    assert found["recall"].value == found["ap50"].value == 0
    assert found["recall"].high > 0.25  # type: ignore[operator]
    assert found["precision"].value is None


def test_an_interval_ends_at_the_edge_and_holds_its_figure() -> None:
    dataset = drawn_set(1, 40, crowded=0)
    perfect = [
        Found(
            np.array([box.xyxy for box in picture.boxes], float).reshape(-1, 4),
            np.full(len(picture.boxes), 0.9),
            np.array([dataset.labels.index(box.label) for box in picture.boxes], int),
        )
        for picture in dataset.pictures
    ]
    lacking = [perfect[0], *(perfect[1:-1]), Found(np.zeros((0, 4)), np.zeros(0), np.zeros(0, int))]
    low = estimates(kept(dataset, perfect), 0.4, resamples=100)["recall"].low
    telling = sum(bool(picture.boxes) for picture in dataset.pictures)
    assert low == pytest.approx(0.025 ** (1 / telling)), "pictures without a mistake are few all the same"
    for each in estimates(kept(dataset, lacking), 0.4, resamples=100).values():
        assert 0 <= each.low <= each.value <= each.high <= 1  # type: ignore[operator]


def test_one_picture_has_no_interval() -> None:
    dataset = drawn_set(4, 1)
    found = estimates(kept(dataset, seen(dataset, 2)), 0.4, resamples=20)
    assert {(each.low, each.high) for each in found.values()} == {(None, None)}
    assert (
        differences((kept(dataset, seen(dataset, 2)), 0.4), (kept(dataset, seen(dataset, 3)), 0.4))[
            "recall"
        ].lies_below
        == 0
    )


# ---- pictures that are nearly the same one


def test_pictures_of_one_hour_count_as_one_where_there_are_enough_hours() -> None:
    dataset = hours(drawn_set(1, 240), 12)
    found = seen_by_the_hour(dataset, 3, 12)
    assert len(set(units_of(kept(dataset, found)))) == 20
    together = estimates(kept(dataset, found), 0.4, resamples=300)
    alone = estimates(kept(drawn_set(1, 240), found), 0.4, resamples=300)
    for name in ("ap50", "recall"):
        assert together[name].value == alone[name].value
        width, usual = (each[name].high - each[name].low for each in (together, alone))  # type: ignore[operator]
        assert width > 1.5 * usual, name


def test_of_a_few_hours_each_picture_counts() -> None:
    pictures = 12 * (CLUSTERS_FROM - 1)
    plain = drawn_set(1, pictures)
    found = seen(plain, 2)
    few, none = kept(hours(plain, 12), found), kept(plain, found)
    assert estimates(few, 0.4, resamples=50) == estimates(none, 0.4, resamples=50)


def test_where_a_picture_has_no_time_each_counts() -> None:
    dataset = hours(drawn_set(1, 240), 12)
    one = replace(dataset.pictures[7], captured_at=None)
    mixed = replace(dataset, pictures=(*dataset.pictures[:7], one, *dataset.pictures[8:]))
    assert len(set(units_of(kept(mixed, seen(mixed, 2))))) == 240


def test_two_cameras_do_not_share_an_hour() -> None:
    plain = drawn_set(1, 120)
    half = replace(plain, pictures=plain.pictures[:60])
    gate, yard = hours(half, 6, "gate"), hours(half, 6, "yard")
    both = replace(plain, pictures=gate.pictures + yard.pictures)
    assert len(set(units_of(kept(both, seen(both, 2))))) == 20


def test_pairs_are_drawn_by_the_hour_also_where_only_one_run_knows_them() -> None:
    dataset = hours(drawn_set(1, 240), 12)
    good, worse = seen(dataset, 3), seen_by_the_hour(dataset, 3, 12)
    runs = [(kept(each, found), 0.4) for each in (dataset, drawn_set(1, 240)) for found in (worse, good)]
    together = differences(runs[0], runs[1], resamples=300)
    assert differences(runs[0], runs[3], resamples=300) == together
    assert differences(runs[2], runs[1], resamples=300) == together
    alone = differences(runs[2], runs[3], resamples=300)
    width, usual = (each["recall"].high - each["recall"].low for each in (together, alone))  # type: ignore[operator]
    assert width > 1.5 * usual
