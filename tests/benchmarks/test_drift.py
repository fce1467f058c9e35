"""What the drift benchmark makes of alarms, and that its arms run."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from benchmarks.drift.__main__ import judged
from benchmarks.drift.arms import ARMS
from benchmarks.drift.cases import CASES, DAY, Run, simulated
from benchmarks.drift.streams import Kind, alike


def run(case: str, seed: int = 1, days: float = 0.25, learn_days: float = 0.25) -> Run:
    return simulated(CASES[case], np.random.default_rng(seed), 2, days, learn_days, block=1)


@pytest.mark.parametrize("kind", ["renewed", "heavy", "fixed", "autoregressive"])
def test_levels_have_the_variance_and_the_memory_they_are_asked_for(kind: Kind) -> None:
    values = alike(np.random.default_rng(1), (400, 600), block=6, share=0.5, kind=kind)
    assert values.var() == pytest.approx(1.0, abs=0.05)
    assert (values[:, 1:] * values[:, :-1]).mean() == pytest.approx(0.42, abs=0.05)
    assert abs((values[:, 60:] * values[:, :-60]).mean()) < 0.03


@pytest.mark.parametrize("case", CASES)
def test_every_case_is_the_same_with_the_same_seed_and_within_bounds(case: str) -> None:
    one, other = run(case), run(case)
    assert np.array_equal(one.values, other.values, equal_nan=True)
    assert np.nanmin(one.values) >= 0
    assert np.nanmax(one.values) <= 1
    assert (one.change >= one.learn).all()
    assert one.values.shape[:2] == one.lights.shape == one.counts.shape


def test_alarms_before_the_change_are_false_and_the_first_after_it_notices_it() -> None:
    changing = replace(run("blur"), change=np.array([2400, 2600]))
    row = judged("arm", [[2300, 2405, 2500], []], changing)
    assert (row["false"], row["changed"], row["noticed"]) == (1, 2, 1)
    assert row["delays_min"] == [1.0, np.inf]
    assert row["p95_min"] is None
    assert row["days_before"] == pytest.approx((240 + 440) / DAY)


def test_where_nothing_is_lost_every_alarm_is_false() -> None:
    row = judged("arm", [[2300, 4000], [4001]], run("traffic"))
    assert (row["false"], row["days_before"]) == (3, 0.5)
    assert row["false_a_day_most"] > row["false_a_day"] == 6.0


@pytest.mark.parametrize("arm", ARMS)
def test_every_arm_notices_what_nobody_could_miss(arm: str) -> None:
    blurred = run("blur")
    told = ARMS[arm](blurred, 1000.0)
    assert any(
        all(any(at >= change for at in each) for each, change in zip(alarms, blurred.change, strict=True))
        for alarms in told.values()
    )
