from itertools import product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vedette.quality.estimates import Floor, confirmed_loss
from vedette.quality.estimates.loss import doubt, upper_bound
from vedette.quality.estimates.ratio import Shares

FRAMES = st.lists(st.tuples(st.integers(0, 6), st.integers(0, 6)), min_size=1, max_size=40)


def frames(seen: list[tuple[int, int]]) -> Shares:
    right, wrong = np.array(seen, np.float64).T
    return Shares(np.ones(len(seen)), right, right + wrong)


def drawn(share: float, count: int, seed: int, alike: float = 3.0) -> Shares:
    """Frames of 0 to 8 boxes, alike within each."""
    rng = np.random.default_rng(seed)
    wholes = rng.integers(0, 9, count)
    own = rng.beta(alike * share, alike * (1 - share), count)
    return Shares(np.ones(count), rng.binomial(wholes, own).astype(float), wholes.astype(float))


def test_at_the_floor_a_bet_is_fair() -> None:
    """Every way three frames can turn out, each as often as it does."""
    seen = {(0.0, 0.0): 0.3, (4.0, 4.0): 0.3, (1.0, 2.0): 0.25, (1.0, 4.0): 0.15}
    share = sum(p * right for (right, _), p in seen.items()) / sum(p * all_ for (_, all_), p in seen.items())
    mean = 0.0
    for ways in product(seen, repeat=3):
        right, wholes = np.array(ways).T
        chance = float(np.prod([seen[way] for way in ways]))
        mean += chance * doubt(Shares(np.ones(3), right, wholes), share, 4.0)[-1]
    assert mean == pytest.approx(1)


def test_no_loss_is_confirmed_where_there_is_none_however_often_it_is_asked() -> None:
    rule = Floor(share=0.8, most=8, level=0.9)
    confirmed = sum(confirmed_loss(drawn(0.8, 300, seed), rule) is not None for seed in range(400))
    assert confirmed <= 40


def test_a_loss_is_confirmed_and_stays_so() -> None:
    rule = Floor(share=0.9, most=8)
    seen = drawn(0.6, 200, 1)
    loss = confirmed_loss(seen, rule)
    assert loss is not None
    assert loss.value < loss.upper < loss.floor == 0.9
    assert (loss.level, loss.frames) == (0.99, 200)
    assert 5 < loss.after < 100
    assert confirmed_loss(_first(seen, loss.after - 1), rule) is None
    good = np.full(500, 8.0)
    better = Shares(np.ones(700), np.append(seen.parts, good), np.append(seen.wholes, good))
    assert confirmed_loss(better, rule) is not None


def _first(shares: Shares, count: int) -> Shares:
    return Shares(shares.weight[:count], shares.parts[:count], shares.wholes[:count])


@given(FRAMES, st.floats(0.05, 0.95), st.floats(0.05, 0.95))
def test_the_higher_the_floor_the_more_doubt(seen: list[tuple[int, int]], one: float, other: float) -> None:
    low, high = sorted((one, other))
    assert (doubt(frames(seen), low, 12) <= doubt(frames(seen), high, 12) * (1 + 1e-9)).all()


@given(FRAMES)
def test_a_loss_is_confirmed_where_the_upper_bound_lies_below_the_floor(seen: list[tuple[int, int]]) -> None:
    some = frames(seen)
    upper = upper_bound(some, 12, 0.9)
    for share in (0.3, 0.6, 0.9):
        loss = confirmed_loss(some, Floor(share=share, most=12, level=0.9))
        if abs(upper - share) > 1e-3:
            assert (loss is not None) == (upper < share)


@given(FRAMES, st.floats(1e-3, 1e3))
def test_the_unit_of_weights_does_not_matter(seen: list[tuple[int, int]], unit: float) -> None:
    one = frames(seen)
    two = Shares(one.weight * unit, one.parts, one.wholes)
    assert doubt(one, 0.8, 12) == pytest.approx(doubt(two, 0.8, 12 * unit), rel=1e-6)


def test_more_in_a_frame_than_there_can_be_is_an_error() -> None:
    with pytest.raises(ValueError, match="more than"):
        confirmed_loss(frames([(4, 4)]), Floor(share=0.8, most=6))


@pytest.mark.parametrize("wrong", [{"share": 1.0}, {"share": 0.0}, {"level": 1.0}, {"most": 0.0}])
def test_a_floor_that_makes_no_sense_is_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(ValueError, match="floor"):
        Floor(**{"share": 0.8, "most": 6.0, "level": 0.99, **wrong})
