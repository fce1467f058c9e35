"""Which light it is."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from vedette.quality.drift.light import LIGHTS, UNKNOWN, light_of, light_words


@given(st.floats(0, 255), st.booleans(), st.integers(UNKNOWN, LIGHTS - 1))
def test_every_picture_is_in_one_of_the_lights(luma: float, infrared: bool, before: int) -> None:
    light = light_of(luma, infrared, before)
    assert 0 <= light < LIGHTS
    assert light_words(light).startswith("infrared" if infrared else "colour")


def test_luma_at_an_edge_does_not_change_the_light_back_and_forth() -> None:
    day = light_of(111.0, False)
    assert light_of(108.0, False, day) == day
    dusk = light_of(100.0, False, day)
    assert dusk == day - 1
    assert light_of(112.0, False, dusk) == dusk
    assert light_of(120.0, False, dusk) == day


def test_infrared_is_another_light_at_once() -> None:
    assert light_of(100.0, True, light_of(100.0, False)) != light_of(100.0, False)


def test_a_leap_over_a_light_is_followed_at_once() -> None:
    assert light_of(41.0, False, light_of(200.0, False)) == light_of(41.0, False)
