"""The sequential test. Long runs are in benchmarks/drift."""

from __future__ import annotations

import numpy as np
import pytest
from benchmarks.drift.streams import Floats, Kind, alike

from quality_drift import learnt
from vedette.quality.drift.bets import BETS, factors, payoffs
from vedette.quality.drift.evidence import Evidence
from vedette.quality.drift.measured import JUDGED, LEARNT, Measure, Side
from vedette.quality.drift.norms import Care, norms_of

DAY = 8640
DEVIATION = 0.05
WEAK_UP = JUDGED.index(Side(Measure.WEAK, +1))


def watched(
    cameras: int,
    days: float,
    block: int,
    share: float,
    kind: Kind = "renewed",
    seed: int = 1,
    shift: float = 0.0,
) -> tuple[Evidence, Floats]:
    """After two days of learning: evidence by window. ``shift``: of the weak share, in deviations."""
    rng = np.random.default_rng(seed)
    learn, windows = 2 * DAY, round(days * DAY)
    values = alike(rng, (cameras * LEARNT, learn + windows), block, share, kind)
    values = 0.5 + DEVIATION * values.reshape(cameras, LEARNT, -1)
    evidence = Evidence(cameras)
    for camera in range(cameras):
        evidence.judge(camera, norms_of({0: learnt(values[camera, :, :learn])}, Care()))
    values[:, Measure.WEAK, learn:] += shift * DEVIATION
    rows, lights = np.arange(cameras), np.zeros(cameras, np.int8)
    found = np.empty((windows, cameras))
    for window in range(windows):
        evidence.step(rows, lights, values[:, :, learn + window], np.full((cameras, LEARNT), 10.0), window)
        found[window] = evidence.evidence(rows)
    return evidence, found


@pytest.mark.parametrize(
    ("block", "share", "kind"),
    [
        (1, 0.0, "renewed"), (6, 0.5, "renewed"), (6, 0.9, "autoregressive"), (60, 0.5, "renewed"),
        (60, 0.9, "fixed"), (60, 0.9, "autoregressive"), (60, 0.1, "renewed"),
        (6, 0.9, "heavy"), (60, 0.9, "heavy"),
    ],
)  # fmt: skip
def test_false_alarms_are_rarer_than_stated_however_long_levels_last(
    block: int, share: float, kind: Kind
) -> None:
    cameras, days, arl = 12, 0.25, 2000.0
    _, found = watched(cameras, days, block, share, kind)
    # P(alarm within t windows) ≤ t / ARL: were the bound tight, all of them might.
    assert (found.max(axis=0) >= arl).sum() <= 2
    assert found.mean() <= days * DAY


@pytest.mark.parametrize(
    ("block", "share", "shift", "minutes"),
    [(1, 0.0, 1.0, 60), (1, 0.0, 3.0, 3), (6, 0.5, 6.0, 15), (60, 0.5, 20.0, 60)],
)
def test_a_shift_is_noticed(block: int, share: float, shift: float, minutes: float) -> None:
    _, found = watched(6, minutes / 1440, block, share, shift=shift)
    assert (found.max(axis=0) >= 1000 * DAY).all()


def test_a_shift_within_the_tolerance_is_never_noticed() -> None:
    _, found = watched(10, 0.4, 1, 0.0, shift=0.15)
    assert found.max() < 2000


def test_says_what_has_shifted_and_since_when() -> None:
    evidence, _ = watched(1, 0.01, 1, 0.0, shift=4.0)
    strongest = evidence.strongest(0)
    assert strongest.side == WEAK_UP
    assert 0 <= strongest.since <= 2
    assert strongest.deviations > 1


def test_a_chain_is_the_recursion_of_shiryaev_and_roberts() -> None:
    rng = np.random.default_rng(7)
    norms = norms_of({0: learnt(0.5 + DEVIATION * rng.standard_normal((LEARNT, 2 * DAY)))}, Care())
    assert norms.spacing[WEAK_UP] == 1
    evidence, wealth, before = Evidence(1), np.zeros((1, len(BETS))), np.ones((1, len(BETS)))
    evidence.judge(0, norms)
    expectation = norms.expectation[0, WEAK_UP, 0][None].astype(np.float64)
    for window in range(50):
        values = np.clip(rng.normal(0.55, DEVIATION, (1, LEARNT)), 0, 1)
        evidence.step(np.array([0]), np.zeros(1, np.int8), values, np.full((1, LEARNT), 10.0), window)
        off = values[:, Measure.WEAK] - norms.mean[0, Measure.WEAK]
        paid = payoffs((off - norms.tolerance[0, WEAK_UP, 0]) / norms.spread[0, WEAK_UP, 0], expectation)
        wealth = factors(paid, before, norms.alike[0, WEAK_UP, :1].astype(np.float64)) * (wealth + 1)
        before = paid
    assert evidence.wealth[0, WEAK_UP, 0] == pytest.approx(wealth[0], rel=1e-3)


def test_without_norms_in_this_light_nothing_is_gathered() -> None:
    evidence, _ = watched(1, 0.01, 1, 0.0)
    before = evidence.wealth.copy()
    for window in range(100, 200):
        evidence.step(
            np.array([0]), np.full(1, 5, np.int8), np.ones((1, LEARNT)), np.full((1, LEARNT), 10.0), window
        )
    assert (evidence.wealth == before).all()


def test_measures_that_are_missing_wait() -> None:
    evidence, _ = watched(1, 0.01, 1, 0.0)
    before = evidence.wealth[0, WEAK_UP].copy()
    values = np.full((1, LEARNT), 0.5)
    values[0, Measure.WEAK] = np.nan
    evidence.step(np.array([0]), np.zeros(1, np.int8), values, np.full((1, LEARNT), 10.0), 100)
    assert (evidence.wealth[0, WEAK_UP] == before).all()


def test_few_boxes_that_vary_more_are_no_evidence() -> None:
    rng = np.random.default_rng(11)
    evidence, _ = watched(1, 0.01, 1, 0.0)
    most = 0.0
    for window in range(100, 1500):
        wild = np.clip(0.5 + DEVIATION * 3 * rng.standard_normal((1, LEARNT)), 0, 1)
        evidence.step(np.array([0]), np.zeros(1, np.int8), wild, np.full((1, LEARNT), 10.0 / 9), window)
        most = max(most, float(evidence.evidence(np.array([0]))[0]))
    assert most < 2000


USUAL = np.full(LEARNT, 0.5)
LEFT_BEHIND = np.array([0.9, 0.2, 0.95, 0.5, 0.5, 0.5])
"""By measure, where nobody is there but two false boxes, of which one is unsure."""


def after_an_hour(values: Floats, boxes: float, sure: float) -> float:
    evidence, _ = watched(1, 0.01, 1, 0.0)
    counts = np.full((1, LEARNT), boxes)
    counts[0, Measure.CONFIDENCE] = counts[0, Measure.UNUSUAL] = sure
    for window in range(100, 460):
        evidence.step(np.array([0]), np.zeros(1, np.int8), values[None], counts, window)
    return float(evidence.evidence(np.array([0]))[0])


@pytest.mark.parametrize("sure", [1.0, 2.0, 4.0])
def test_boxes_that_stay_when_everybody_has_left_are_no_evidence(sure: float) -> None:
    assert after_an_hour(LEFT_BEHIND, boxes=5.0, sure=sure) < 2000


def test_nobody_for_an_hour_where_it_is_usually_empty_is_no_evidence() -> None:
    """As many weak boxes as there are usually, and not the sure one that comes now and then."""
    evidence, _ = watched(1, 0.01, 1, 0.0)
    evidence._sure[0, 0] = 1.2
    counts = np.full((1, LEARNT), 6.0)
    counts[0, Measure.CONFIDENCE] = 1.0
    values = np.array([0.83, np.nan, np.nan, 0.5, 0.5, 0.5])
    for window in range(100, 460):
        evidence.step(np.array([0]), np.zeros(1, np.int8), values[None], counts, window)
    assert evidence.evidence(np.array([0]))[0] < 2000
    assert evidence.emptiness[0] == 0, "that is nothing unusual here"


def test_nobody_for_an_hour_is_no_evidence_where_crowds_come_now_and_then() -> None:
    """As many weak boxes as in most windows are fewer than in the mean, of which crowds have their part."""
    evidence, _ = watched(1, 0.01, 1, 0.0)
    evidence._sure[0, 0], evidence._often[0, 0], evidence._number[0, 0] = 1.2, 6.0, 12.0
    counts = np.full((1, LEARNT), 6.0)
    counts[0, Measure.CONFIDENCE] = 1.0
    values = np.array([1.0, np.nan, np.nan, 0.5, 0.5, 0.5])
    for window in range(100, 460):
        evidence.step(np.array([0]), np.zeros(1, np.int8), values[None], counts, window)
    assert evidence.evidence(np.array([0]))[0] < 2000


def test_the_same_of_as_many_boxes_as_usual_is_evidence() -> None:
    assert after_an_hour(LEFT_BEHIND, boxes=10.0, sure=10.0) > 1e6 * DAY


@pytest.mark.parametrize("measure", [Measure.SHARPNESS, Measure.EDGES])
def test_a_picture_is_judged_when_nobody_is_there(measure: Measure) -> None:
    values = USUAL.copy()
    values[measure] = 0.2
    assert after_an_hour(values, boxes=2.0, sure=1.0) > 1000 * DAY


def test_objects_that_are_only_half_seen_are_no_empty_scene() -> None:
    """As many boxes as usual; most of those that were sure are weak now."""
    values = np.array([0.9, 0.5, 0.5, 0.5, 0.5, 0.5])
    assert after_an_hour(values, boxes=10.0, sure=1.0) > 1000 * DAY


def test_what_comes_to_an_empty_scene_and_was_never_there_is_evidence() -> None:
    """Fewer than usual, yet more of the unusual than there is usually."""
    values = np.array([0.5, 0.5, 1.0, 0.5, 0.5, 0.5])
    evidence, _ = watched(1, 0.01, 1, 0.0)
    evidence._mean[0, 0, Measure.UNUSUAL] = 0.1
    counts = np.full((1, LEARNT), 4.0)
    for window in range(100, 460):
        evidence.step(np.array([0]), np.zeros(1, np.int8), values[None], counts, window)
    assert evidence.evidence(np.array([0]))[0] > 1000 * DAY


def test_evidence_is_held_and_falls_when_it_is_as_usual_again() -> None:
    evidence, _ = watched(1, 0.01, 1, 0.0, shift=5.0)
    evidence.hold(0, 1e6)
    assert evidence.evidence(np.array([0]))[0] == pytest.approx(1e6, rel=1e-3)
    for window in range(100, 160):
        evidence.step(
            np.array([0]), np.zeros(1, np.int8), np.full((1, LEARNT), 0.5), np.full((1, LEARNT), 10.0), window
        )
    assert evidence.evidence(np.array([0]))[0] < 1e3


def test_more_room_changes_nothing_and_a_camera_judged_anew_begins_anew() -> None:
    evidence, _ = watched(3, 0.01, 6, 0.5)
    grown = evidence.grown(8)
    rows = np.arange(3)
    assert (grown.evidence(rows) == evidence.evidence(rows)).all()
    grown.judge(1, None)
    assert grown.evidence(rows)[1] == 0
    assert grown.evidence(rows)[2] == evidence.evidence(rows)[2]
