"""When reviews confirm a loss, and when it is over."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vedette.quality.confirm.policy import (
    EVERY,
    Known,
    Lost,
    Over,
    Rule,
    Seen,
    bounds,
    most_of,
    next_known,
)
from vedette.quality.estimates.ratio import Shares

RULE = Rule(0.8, 8.0)


def frames(share: float, count: int, seed: int = 1, start: float = 0.0) -> Seen:
    """Of 1 to 8 objects, alike within each; reviewed a second apart."""
    rng = np.random.default_rng(seed)
    wholes = rng.integers(1, 9, count)
    own = rng.beta(4 * share, 4 * (1 - share), count) if 0 < share < 1 else np.full(count, share)
    shares = Shares(np.ones(count), rng.binomial(wholes, own).astype(float), wholes.astype(float))
    return Seen(shares, start + 1 + np.arange(count, dtype=float))


def together(*parts: Seen) -> Seen:
    arrays = (
        np.concatenate([getattr(part.shares, name) for part in parts])
        for name in ("weight", "parts", "wholes")
    )
    times = 1.0 + np.arange(sum(len(part) for part in parts), dtype=float)
    return Seen(Shares(*arrays), times)


def told(seen: Seen, rule: Rule | None = RULE, known: Known | None = None) -> tuple[Known, list[Lost | Over]]:
    after, news = next_known(known or Known(), "m", seen, rule, 1e6)
    return after, list(news)


def test_what_is_at_its_floor_is_rarely_confirmed_to_be_lost() -> None:
    """2000 times 400 frames: at the usual level at most one in 25 of them, and far fewer in fact."""
    false = sum(bool(told(frames(0.8, 400, seed))[1]) for seed in range(2000))
    assert false <= 2000 * 400 / EVERY * 0.01
    assert false < 40


def test_a_loss_is_confirmed_within_a_hundred_frames_with_an_interval_below_the_floor() -> None:
    took = []
    for seed in range(40):
        known, news = told(frames(0.6, 200, seed))
        [lost] = news
        assert isinstance(lost, Lost)
        assert known.lost == lost
        assert lost.lower <= lost.value <= lost.upper <= lost.floor == 0.8
        took.append(lost.at)
    assert np.median(took) < 60


def test_a_loss_after_a_long_good_time_is_found_as_if_that_had_not_been() -> None:
    soon = [told(together(frames(0.95, 1000, seed), frames(0.6, 200, seed + 1)))[1] for seed in range(20)]
    assert all(news and isinstance(news[0], Lost) for news in soon)
    late = [news[0].at - 1000 for news in soon]
    assert 0 < np.median(late) < 120


def test_it_is_over_when_what_was_reviewed_since_is_at_the_floor_and_may_be_lost_again() -> None:
    seen = together(frames(0.5, 60), frames(0.95, 120), frames(0.4, 120))
    known, news = told(seen)
    assert [type(each) for each in news] == [Lost, Over, Lost]
    lost, over, again = news
    assert isinstance(over, Over)
    assert over.why == "again"
    assert over.at >= lost.at + 30
    assert again.at > 180
    assert known.lost == again
    assert known.origin == over.at


def test_a_loss_that_goes_on_is_told_once() -> None:
    known, news = told(frames(0.6, 300))
    assert len(news) == 1
    assert told(frames(0.6, 300), known=known) == (known, [])


def test_another_model_ends_a_loss_and_begins_with_nothing() -> None:
    known, _ = told(frames(0.5, 100))
    after, news = next_known(known, "other", frames(0.5, 0), RULE, 500.0)
    assert news == (Over(500.0, "model"),)
    assert after == Known("other")


@pytest.mark.parametrize("rule", [None, Rule(0.3, 8.0)])
def test_a_floor_that_is_lowered_or_taken_away_ends_a_loss(rule: Rule | None) -> None:
    known, _ = told(frames(0.5, 100))
    after, news = told(frames(0.5, 100), rule, known)
    assert [each.why for each in news if isinstance(each, Over)] == ["floor"]
    assert after.lost is None


def test_a_floor_that_is_raised_changes_nothing_about_a_loss() -> None:
    known, _ = told(frames(0.5, 100))
    assert told(frames(0.5, 100), Rule(0.9, 8.0), known) == (known, [])


def test_a_frame_counts_no_more_than_most_do() -> None:
    assert most_of(np.array([])) == 1.0
    assert 1.0 < most_of(np.array([1.0] * 94 + [50.0] * 6)) <= 50.0
    crowd = Seen(Shares(np.full(40, 1e6), np.zeros(40), np.full(40, 100.0)), 1 + np.arange(40.0))
    assert isinstance(told(crowd)[1][0], Lost), "and a bet is never ruined by one"


def test_the_interval_holds_the_truth() -> None:
    inside = 0
    for seed in range(300):
        low, high = bounds(frames(0.7, 150, seed).shares, RULE)
        inside += low <= 0.7 <= high
    assert inside >= 294


pieces = st.lists(st.tuples(st.floats(0, 1), st.integers(0, 120)), min_size=1, max_size=4)


@settings(deadline=None, max_examples=60)
@given(pieces, st.floats(0.2, 0.95), st.integers(0, 300))
def test_it_does_not_matter_how_often_one_looks(
    parts: list[tuple[float, int]], share: float, cut: int
) -> None:
    """Looking after any number of frames, and again after all, tells the same as looking once."""
    seen = together(*(frames(level, count, number) for number, (level, count) in enumerate(parts)))
    rule = Rule(share, 8.0)
    once, all_news = told(seen, rule)
    early, first = told(seen.between(0, min(cut, len(seen))), rule)
    late, then = told(seen, rule, early)
    assert (late, [*first, *then]) == (once, all_news)


@settings(deadline=None, max_examples=60)
@given(pieces, st.floats(0.2, 0.95))
def test_losses_and_their_ends_take_turns(parts: list[tuple[float, int]], share: float) -> None:
    seen = together(*(frames(level, count, number) for number, (level, count) in enumerate(parts)))
    known, news = told(seen, Rule(share, 8.0))
    kinds = [type(each) for each in news]
    assert kinds == ([Lost, Over] * len(kinds))[: len(kinds)]
    assert (known.lost is not None) == (len(kinds) % 2 == 1)
    times = [each.at for each in news]
    assert times == sorted(times)
