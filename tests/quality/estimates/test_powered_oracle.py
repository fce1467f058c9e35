"""The plain prediction-powered mean against the authors' own package, ``ppi-python``.

That brings numba, pandas, scikit-learn and statsmodels along (400 MB), so what it says of these cases was
written down once, by ``tools/record_ppi_oracle.py``.
"""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from quality.estimates.ppi_cases import CASES, drawn
from vedette.quality.estimates.powered import powered_mean

RECORDED = json.loads(Path(__file__).with_name("ppi_oracle.json").read_text())


def test_all_cases_were_recorded() -> None:
    assert [(seed, worth) for seed, worth, *_ in RECORDED["cases"]] == CASES


@pytest.mark.parametrize(("seed", "worth", "value", "lower", "upper"), RECORDED["cases"])
def test_the_plain_mean_is_that_of_ppi_py(
    seed: int, worth: float, value: float, lower: float, upper: float
) -> None:
    ours = powered_mean(*drawn(seed, worth), 0.95)
    assert (ours.value, ours.lower, ours.upper) == pytest.approx((value, lower, upper), abs=1e-9)
