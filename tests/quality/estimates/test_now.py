import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vedette.quality.estimates import (
    SIZES,
    BoxSeen,
    Emitted,
    Estimate,
    Judged,
    Method,
    ObjectThere,
    Prediction,
    TooFew,
    grouped,
    judged,
    more_frames,
    of_label,
    precision,
    recall,
)
from vedette.quality.estimates.intervals import estimate
from vedette.quality.labels.dataset import Box, Picture

EDGES = np.linspace(0.25, 1, 16)


def made(
    count: int, seed: int = 1, probability: float | None = 0.01, camera: str = "", light: str = "day"
) -> list[Judged]:
    """Frames whose boxes are right as often as their score says."""
    rng = np.random.default_rng(seed)
    frames = []
    for _ in range(count):
        scores = rng.uniform(0.25, 1, rng.integers(0, 6))
        boxes = tuple(BoxSeen("car", float(score), bool(rng.random() < score)) for score in scores)
        there = tuple(
            ObjectThere("car", float(area), bool(rng.random() < 0.7))
            for area in rng.uniform(100, 20000, rng.integers(0, 5))
        )
        frames.append(Judged(boxes=boxes, objects=there, probability=probability, camera=camera, light=light))
    return frames


def histogram(frames: list[Judged], lights: tuple[str, ...] = ("day",)) -> Emitted:
    empty = Emitted(np.zeros((len(lights), 15), np.int64), EDGES, lights)
    cells = [empty.cell(frame.light, box.score) for frame in frames for box in frame.boxes]
    counts = np.bincount(cells, minlength=15 * len(lights)).reshape(len(lights), 15)
    return Emitted(counts.astype(np.int64), EDGES, lights)


PERIOD = made(3000)
EMITTED = histogram(PERIOD)


def test_precision_is_that_of_all_boxes_with_an_interval_that_the_scores_narrow() -> None:
    truth = np.mean([box.right for frame in PERIOD for box in frame.boxes])
    found, alone = precision(PERIOD[:150], EMITTED), precision(PERIOD[:150])
    assert isinstance(found, Estimate)
    assert isinstance(alone, Estimate)
    assert (found.method, alone.method) == (Method.POWERED, Method.CLASSICAL)
    assert found.lower <= truth <= found.upper
    assert found.half_width < alone.half_width
    assert found.frames == 150


@pytest.mark.parametrize("method", list(Method))
def test_a_method_that_is_asked_for_is_the_one_that_is_used(method: Method) -> None:
    found = precision(PERIOD[:150], EMITTED, method=method)
    assert isinstance(found, Estimate)
    assert found.method is method


def test_too_few_frames_are_plainly_said_to_be_too_few() -> None:
    assert precision([], EMITTED) == TooFew(0)
    boxes = [frame for frame in PERIOD if frame.boxes]
    assert precision(boxes[:9], EMITTED) == TooFew(9)
    assert isinstance(precision(boxes[:10], EMITTED), Estimate)


def test_frames_that_were_picked_make_no_share() -> None:
    picked = made(500, seed=3, probability=None)
    assert precision(picked, EMITTED) == TooFew(0)
    assert recall(picked) == TooFew(0)
    for method in (Method.CLASSICAL, Method.STRATIFIED):
        assert precision(PERIOD[:99] + picked, EMITTED, method=method) == precision(
            PERIOD[:99], EMITTED, method=method
        )


def test_frames_drawn_half_as_often_count_twice() -> None:
    rare = [Judged(boxes=(BoxSeen("car", 0.5, False),), objects=(), probability=0.01)] * 20
    often = [Judged(boxes=(BoxSeen("car", 0.5, True),), objects=(), probability=0.02)] * 20
    found = precision(rare + often)
    assert isinstance(found, Estimate)
    assert found.value == pytest.approx(1 / 3)


def test_a_box_below_the_threshold_was_not_emitted() -> None:
    stray = Judged(boxes=(BoxSeen("car", 0.1, True),), objects=(), probability=0.1, light="day")
    with pytest.raises(ValueError, match=r"0\.1 lies outside"):
        precision([*PERIOD[:50], stray], EMITTED)


def test_a_light_in_which_nothing_was_counted_is_an_error() -> None:
    night = Judged(boxes=(BoxSeen("car", 0.5, True),), objects=(), probability=0.1, light="night")
    with pytest.raises(ValueError, match="night"):
        precision([*PERIOD[:50], night], EMITTED)


def test_recall_is_told_by_size() -> None:
    found = {name: recall(PERIOD[:400], size=size) for name, size in SIZES.items()}
    whole = recall(PERIOD[:400])
    assert isinstance(whole, Estimate)
    assert whole.lower <= 0.7 <= whole.upper
    parts = [each.judged for each in found.values() if isinstance(each, Estimate)]
    assert sum(parts) == whole.judged


def test_one_class_is_told_alone() -> None:
    other = Judged(
        boxes=(BoxSeen("dog", 0.5, True),), objects=(ObjectThere("dog", 9.0, True),), probability=0.01
    )
    mixed = [*PERIOD[:100], *[other] * 30]
    dogs, cars = recall(of_label(mixed, "dog")), precision(of_label(mixed, "car"))
    assert isinstance(dogs, Estimate)
    assert isinstance(cars, Estimate)
    assert (dogs.value, dogs.judged, dogs.frames) == (1, 30, 130)
    assert cars.value == pytest.approx(classical_share(PERIOD[:100]))


def classical_share(frames: list[Judged]) -> float:
    return float(np.mean([box.right for frame in frames for box in frame.boxes]))


def test_each_group_stands_on_its_own_frames() -> None:
    frames = made(60, 4, camera="gate") + made(60, 5, camera="yard") + made(3, 6, camera="attic")
    found = grouped(frames, lambda frame: frame.camera, lambda _, its: precision(its))
    assert list(found) == ["attic", "gate", "yard"]
    assert isinstance(found["attic"], TooFew)
    assert found["gate"] == precision(made(60, 4))


def test_a_light_is_held_against_what_was_emitted_in_it() -> None:
    day, night = made(2000, 7), made(2000, 8, light="night")
    both = histogram(day + night, ("day", "night"))
    found = grouped(
        day[:80] + night[:80],
        lambda frame: frame.light,
        lambda light, its: precision(its, both.under(light)),
    )
    assert found["night"] == precision(night[:80], histogram(night, ("night",)))


def test_histograms_of_two_cameras_add_up() -> None:
    one, two = histogram(made(200, 1)), histogram(made(200, 2, light="night"), ("night",))
    both = one + two
    assert both.lights == ("day", "night")
    assert both.total == one.total + two.total
    assert (both.under("night").counts == two.counts).all()
    with pytest.raises(ValueError, match="different bins"):
        _ = one + Emitted(np.zeros((1, 2), np.int64), np.array([0.2, 0.5, 1.0]))


@settings(deadline=None)
@given(
    st.floats(0.02, 0.98),
    st.floats(5, 500),
    st.integers(20, 400),
    st.floats(0.01, 0.2),
    st.sampled_from(list(Method)),
)
def test_so_many_more_frames_are_enough_and_one_less_is_not(
    value: float, draws: float, frames: int, wanted: float, method: Method
) -> None:
    def with_more(more: int) -> Estimate:
        grown = 1 + more / frames
        return estimate(value, draws * grown, 30 * grown, 0.95, method, frames=frames + more, judged=9)

    more = more_frames(with_more(0), wanted)
    assert more is not None
    assert with_more(more).half_width <= wanted
    assert more == 0 or with_more(more - 1).half_width > wanted


def test_a_width_that_no_review_reaches_is_said_to_be_out_of_reach() -> None:
    found = precision(PERIOD[:150])
    assert isinstance(found, Estimate)
    assert more_frames(found, 1e-6) is None
    with pytest.raises(ValueError, match="width"):
        more_frames(found, 0.0)


def test_the_forecast_is_about_what_then_comes() -> None:
    found = precision(PERIOD[:100], EMITTED)
    assert isinstance(found, Estimate)
    more = more_frames(found, found.half_width * 2 / 3)
    assert more is not None
    later = precision(PERIOD[: 100 + more], EMITTED)
    assert isinstance(later, Estimate)
    assert later.half_width == pytest.approx(found.half_width * 2 / 3, rel=0.15)


def test_a_reviewed_picture_says_what_was_right_and_what_was_found() -> None:
    picture = Picture(
        "a.jpg",
        100,
        100,
        (
            Box((0, 0, 10, 10), "car"),
            Box((50, 50, 60, 60), "car"),
            Box((80, 0, 90, 9), "car", difficult=True),
        ),
        camera="gate",
        light="day",
    )
    boxes = [
        Prediction((0, 0, 10, 9), "car", 0.8),
        Prediction((50, 50, 60, 60), "car", 0.1),
        Prediction((20, 20, 30, 30), "car", 0.5),
        Prediction((80, 0, 90, 9), "car", 0.4),
    ]
    frame = judged(picture, boxes, probability=0.5, threshold=0.3, model="v2")
    assert [(box.score, box.right) for box in frame.boxes] == [(0.8, True), (0.5, False), (0.4, None)]
    assert [(each.area, each.found) for each in frame.objects] == [(100, True), (100, False), (90, None)]
    assert (frame.camera, frame.light, frame.model, frame.probability) == ("gate", "day", "v2", 0.5)


@pytest.mark.parametrize("probability", [0.0, -0.1, 1.1])
def test_a_frame_that_could_not_be_drawn_was_not(probability: float) -> None:
    with pytest.raises(ValueError, match="drawn"):
        Judged(boxes=(), objects=(), probability=probability)
