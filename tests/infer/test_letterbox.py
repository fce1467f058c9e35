from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from vedette.infer.letterbox import Placement, fit, place, to_source

sides = st.integers(1, 4000)
sizes = st.tuples(sides, sides)
inputs = st.tuples(st.integers(8, 1500), st.integers(8, 1500))


def test_widescreen_fills_the_width_and_is_centred() -> None:
    assert fit((1080, 1920), (256, 416)) == Placement(416 / 1920, 0, 10, 416, 234)


def test_a_picture_of_that_very_size_stays_as_it_is() -> None:
    assert fit((333, 415), (333, 415)) == Placement(1.0, 0, 0, 415, 333)


def test_a_small_picture_is_enlarged() -> None:
    assert fit((100, 100), (256, 416)) == Placement(2.56, 80, 0, 256, 256)


@given(sizes, inputs)
def test_the_picture_lies_inside_centred_and_even(source: tuple[int, int], wanted: tuple[int, int]) -> None:
    placed = fit(source, wanted)
    assert 0 <= placed.pad_x <= placed.pad_x + placed.width <= wanted[1]
    assert 0 <= placed.pad_y <= placed.pad_y + placed.height <= wanted[0]
    assert abs((wanted[1] - placed.width) - 2 * placed.pad_x) < 4
    assert abs((wanted[0] - placed.height) - 2 * placed.pad_y) < 4
    if source != wanted:
        assert not any(length % 2 for length in (placed.pad_x, placed.pad_y, placed.width, placed.height))
        # One of the two sides fills the input, up to the rounding to even numbers.
        assert wanted[1] - placed.width < 2 or wanted[0] - placed.height < 2


@given(sizes, inputs, st.lists(st.tuples(*[st.floats(0, 1)] * 4), min_size=1, max_size=5))
def test_boxes_come_back_where_they_were(
    source: tuple[int, int], wanted: tuple[int, int], shares: list[tuple[float, ...]]
) -> None:
    placed = fit(source, wanted)
    boxes = np.array(shares, np.float32) * np.array([source[1], source[0]] * 2, np.float32)
    inside = place(boxes, placed, source)
    assert (inside >= -0.01).all()
    assert (inside <= np.array([wanted[1], wanted[0]] * 2) + 0.01).all()
    # Of a pixel of the input, at the picture's scale.
    tolerance = 0.01 * max(1, source[0] / placed.height, source[1] / placed.width)
    np.testing.assert_allclose(to_source(inside, placed, source), boxes, atol=tolerance)


@given(sizes, inputs)
def test_boxes_that_reach_into_the_padding_are_clipped(
    source: tuple[int, int], wanted: tuple[int, int]
) -> None:
    far = np.array([[-50, -50, wanted[1] + 50, wanted[0] + 50]], np.float32)
    assert to_source(far, fit(source, wanted), source).tolist() == [[0, 0, source[1], source[0]]]


def test_no_boxes_stay_no_boxes() -> None:
    empty = np.zeros((0, 4), np.float32)
    assert to_source(empty, fit((480, 640), (256, 416)), (480, 640)).shape == (0, 4)
