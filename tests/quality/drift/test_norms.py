"""How far apart blocks are to be, and how well the usual is known."""

from __future__ import annotations

import numpy as np
import pytest
from benchmarks.drift.streams import Floats, Kind, alike

from quality_drift import learnt
from vedette.quality.drift.measured import JUDGED, LEARNT, Measure, Side
from vedette.quality.drift.moments import Moments
from vedette.quality.drift.norms import Care, norms_of, spacings

DAY = 8640


def stream(block: int, share: float, days: float, kind: Kind = "renewed", seed: int = 1) -> Floats:
    rng = np.random.default_rng(seed)
    return 0.5 + 0.05 * alike(rng, (LEARNT, round(days * DAY)), block, share, kind)


@pytest.mark.parametrize(
    ("block", "share", "spacing"),
    [(1, 0.0, 1), (6, 0.5, 6), (60, 0.9, 60), (60, 0.5, 60), (60, 0.2, 60)],
    ids=["independent", "a minute", "ten minutes", "half noise", "mostly noise"],
)
def test_blocks_are_as_far_apart_as_levels_last(block: int, share: float, spacing: int) -> None:
    moments = learnt(stream(block, share, days=3))
    assert set(spacings({0: moments}).tolist()) == {spacing}


def test_without_hours_of_reference_blocks_are_ten_minutes_apart() -> None:
    assert set(spacings({0: learnt(stream(1, 0.0, days=0.05))}).tolist()) == {60}


def test_moments_in_pieces_are_those_of_the_whole() -> None:
    values = stream(6, 0.5, days=0.5)
    pieces = Moments()
    for measure, each in enumerate(values):
        before = np.zeros(0)
        for first in range(0, len(each), 60):
            now = each[first : first + 60]
            pieces.add(measure, now, before, np.full(len(now), 10.0))
            before = now
    whole = learnt(values)
    assert np.allclose(pieces.sums, whole.sums)
    assert np.allclose(pieces.pairs, whole.pairs)
    assert np.allclose(pieces.rarity, whole.rarity)
    assert np.allclose(pieces.seen, whole.seen)


def test_the_mean_number_of_boxes_is_more_than_what_a_mean_over_them_varies_by() -> None:
    moments = Moments()
    for measure, each in enumerate(stream(1, 0.0, days=1)):
        moments.add(measure, each, np.zeros(0), np.tile([5.0, 20.0], DAY // 2))
    norms = norms_of({0: moments}, Care())
    assert norms.often[0] == pytest.approx(8.0)
    assert norms.number[0] == pytest.approx(12.5)


def test_a_shorter_reference_tolerates_more() -> None:
    long, short = (norms_of({0: learnt(stream(6, 0.5, days))}, Care()) for days in (3, 0.5))
    judged = ~np.isnan(short.tolerance[0, :, 0])
    assert judged.all()
    assert (short.tolerance[0, :, 0] > long.tolerance[0, :, 0]).all()


def test_the_usual_is_the_mean_and_its_spread_covers_the_blocks() -> None:
    values = stream(1, 0.0, days=2)
    norms = norms_of({3: learnt(values)}, Care())
    assert norms.mean[3] == pytest.approx(values.mean(axis=1), abs=1e-5)
    assert norms.often[3] == pytest.approx(10.0)
    of_each = values.std(axis=1)[[side.measure for side in JUDGED]]
    assert (norms.spread[3, :, 0] >= of_each * 0.999).all()
    assert (norms.spread[3, :, 0] <= of_each * 1.2).all()
    assert np.isnan(norms.mean[2]).all()


def test_an_hour_of_which_nothing_is_known_is_not_judged() -> None:
    norms = norms_of({0: learnt(stream(60, 0.5, days=1 / 24))}, Care())
    assert np.isnan(norms.spread).all()


def test_what_never_varied_has_the_least_spread_there_is() -> None:
    norms = norms_of({0: learnt(np.full((LEARNT, DAY), 0.25))}, Care())
    weak = JUDGED.index(Side(Measure.WEAK, +1))
    assert norms.spread[0, weak, 0] == pytest.approx(0.02, rel=0.2)
    assert norms.tolerance[0, weak, 0] >= 0.02


def test_bumps_that_are_learnt_are_expected() -> None:
    """A measure that leaps up now and then pays less for leaps up than for leaps down."""
    rng = np.random.default_rng(5)
    values = np.where(rng.random((LEARNT, 3 * DAY)) < 0.01, 0.7, 0.3)
    norms = norms_of({0: learnt(values + rng.normal(0, 0.02, values.shape))}, Care())
    up, down = (JUDGED.index(Side(Measure.WEAK, sign)) for sign in (+1, -1))
    assert norms.expectation[0, up, 0, 2] > norms.expectation[0, down, 0, 2]


def test_usual_is_an_empty_scene_where_it_often_was_one() -> None:
    busy = learnt(stream(1, 0.0, days=1))
    assert norms_of({0: busy}, Care()).sure[0] == pytest.approx(10.0)
    # As many windows again in which hardly anything was sure.
    for measure in (Measure.WEAK, Measure.SHARPNESS):
        busy.add(measure, stream(1, 0.0, days=1)[measure], np.zeros(0), np.full(DAY, 10.0))
    assert norms_of({0: busy}, Care()).sure[0] == pytest.approx(1 / (0.5 * 0.1 + 0.5 * 1))
