import subprocess
import sys
from math import comb

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vedette.quality.estimates.intervals import Method, clopper_pearson, estimate, student, wilson

SHARES = st.floats(0, 1)
DRAWS = st.floats(0.5, 1e6)


@given(SHARES, DRAWS, st.floats(0.5, 0.999))
def test_an_interval_contains_its_value_and_has_a_width(value: float, draws: float, level: float) -> None:
    for method in Method:
        found = estimate(value, draws, 5, level, method, frames=9, judged=9)
        assert 0 <= found.lower <= value <= found.upper <= 1
        assert found.half_width > 0


@given(st.floats(0.01, 0.99), st.floats(2, 1e5))
def test_bounds_of_wilson_are_shares_from_which_the_value_is_just_so_many_deviations_off(
    value: float, draws: float
) -> None:
    for bound in wilson(value, draws, 2.0):
        assert (value - bound) ** 2 == pytest.approx(4 * bound * (1 - bound) / draws, rel=1e-6)


@pytest.mark.parametrize("share", np.linspace(0.02, 0.98, 25))
def test_clopper_pearson_holds_for_every_share(share: float) -> None:
    chance = [comb(20, hits) * share**hits * (1 - share) ** (20 - hits) for hits in range(21)]
    bounds = [clopper_pearson(hits / 20, 20, 0.95) for hits in range(21)]
    held = sum(each for each, (low, high) in zip(chance, bounds, strict=True) if low <= share <= high)
    assert held >= 0.95


def test_clopper_pearson_of_none_wrong_is_the_rule_of_three() -> None:
    lower, upper = clopper_pearson(1.0, 100, 0.9)
    assert lower == pytest.approx(0.05 ** (1 / 100))
    assert upper == 1


def test_few_degrees_of_freedom_make_an_interval_wider() -> None:
    assert student(10, 0.95) == pytest.approx(2.228, abs=1e-3)
    assert student(1e9, 0.95) == pytest.approx(1.960, abs=1e-3)


def test_a_node_that_has_nothing_to_estimate_does_without_scipy() -> None:
    code = "import sys, vedette.node; print('scipy' in sys.modules)"
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert told.strip() == "False"
