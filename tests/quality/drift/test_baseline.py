"""Learning what is usual."""

from __future__ import annotations

import msgspec
import numpy as np
import pytest

from vedette.quality.drift.baseline import WINDOWS_LEAST, Baseline, UnreadableBaseline
from vedette.quality.drift.measured import MEASURES, OF_BOXES
from vedette.quality.drift.norms import Care
from vedette.quality.drift.scores import Scores
from vedette.quality.drift.windows import Window

HOUR = 360


def fed(baseline: Baseline, windows: int, light: int = 4, first: int = 0, seed: int = 1) -> bool:
    """Whether learning was complete at one of them. The hour is that of the window's number."""
    rng = np.random.default_rng(seed)
    done = False
    for number in range(first, first + windows):
        values = np.clip(rng.normal(0.5, 0.05, MEASURES), 0, 1)
        done |= baseline.take(Window(number, light, number // HOUR % 24, values, np.full(MEASURES, 10.0)))
    return done


def finished(windows: int = 6 * HOUR, light: int = 4) -> Baseline:
    baseline = Baseline("model", windows)
    assert fed(baseline, windows, light)
    baseline.finish(Scores(), Care())
    return baseline


def test_learning_is_visible() -> None:
    baseline = Baseline("model", 100)
    seen = []
    for number in range(0, 100, 25):
        seen.append(baseline.progress)
        fed(baseline, 25, first=number)
    assert seen == [0.0, 0.25, 0.5, 0.75]
    assert baseline.progress == 1.0


def test_what_was_learnt_covers_its_light_and_hours_around() -> None:
    baseline = finished()
    assert baseline.known == {4}
    assert not baseline.learning
    assert baseline.covers(4, 0)
    assert baseline.covers(4, 8)
    assert not baseline.covers(4, 12)
    assert not baseline.covers(3, 2)


def test_a_minute_in_another_light_is_neither_known_nor_met_and_a_quarter_of_an_hour_is_met() -> None:
    baseline = Baseline("model", 6 * HOUR)
    fed(baseline, 6, light=2)
    fed(baseline, 90, light=3, first=6)
    fed(baseline, 6 * HOUR, first=100)
    baseline.finish(Scores(), Care())
    assert not baseline.covers(3, 0)
    assert baseline.met(3, 0)
    assert not baseline.met(3, 12)
    assert not baseline.met(2, 0)


def test_learns_until_something_is_known() -> None:
    baseline = Baseline("model", 50)
    assert fed(baseline, 50)
    norms = baseline.finish(Scores(), Care())
    assert np.isnan(norms.spread).all()
    assert baseline.learning
    assert (baseline.learnt, baseline.missing) == (50, WINDOWS_LEAST - 50), (
        "it goes on, and says for how long"
    )
    assert not fed(baseline, WINDOWS_LEAST - 51, first=50)
    assert 0.99 < baseline.progress < 1.0
    assert fed(baseline, 1, first=WINDOWS_LEAST - 1)
    baseline.finish(Scores(), Care())
    assert baseline.learning or baseline.known
    assert baseline.learnt == WINDOWS_LEAST, "what was learnt is not learnt again"


def test_what_is_known_does_not_follow_what_comes_after() -> None:
    baseline = finished()
    before = baseline.norms(Care()).mean[4].tolist()
    baseline.learn(1000)
    assert not fed(baseline, 500, first=10)
    assert baseline.norms(Care()).mean[4].tolist() == before
    assert baseline.learnt == 0


def test_lights_that_were_missed_can_be_learnt_later() -> None:
    baseline = finished()
    baseline.learn(6 * HOUR)
    assert fed(baseline, 6 * HOUR, light=7, first=50_000)
    baseline.finish(Scores(), Care())
    assert baseline.known == {4, 7}


def test_written_and_read_it_knows_the_same() -> None:
    baseline = finished()
    read = Baseline.from_bytes(baseline.to_bytes())
    assert (read.model, read.known, read.learning, read.progress) == ("model", {4}, False, 1.0)
    for name in ("mean", "often", "number", "tolerance", "spread", "alike", "expectation", "spacing"):
        one, other = getattr(read.norms(Care()), name), getattr(baseline.norms(Care()), name)
        assert np.array_equal(one, other, equal_nan=True)
    assert all(read.covers(4, hour) == baseline.covers(4, hour) for hour in range(24))


def test_one_that_was_written_before_boxes_were_counted_is_read_as_if_each_window_had_as_many() -> None:
    written = msgspec.msgpack.decode(finished().to_bytes())
    for light in written["lights"].values():
        del light["seen"]
    norms = Baseline.from_bytes(msgspec.msgpack.encode(written)).norms(Care())
    assert norms.number[4] == pytest.approx(norms.often[4, :OF_BOXES], nan_ok=True)
    assert np.isfinite(norms.number[4]).any()


def test_learning_goes_on_after_it_was_written() -> None:
    baseline = Baseline("model", 6 * HOUR)
    fed(baseline, 3 * HOUR)
    read = Baseline.from_bytes(baseline.to_bytes())
    assert read.progress == 0.5
    assert fed(read, 3 * HOUR, first=3 * HOUR)
    read.finish(Scores(), Care())
    assert read.known == {4}


@pytest.mark.parametrize("data", [b"", b"nonsense", Baseline("m", 1).to_bytes()[:-3]])
def test_refuses_what_is_no_baseline(data: bytes) -> None:
    with pytest.raises(UnreadableBaseline):
        Baseline.from_bytes(data)


def test_refuses_another_version() -> None:
    data = Baseline("m", 1).to_bytes().replace(b"\xa7version\x02", b"\xa7version\x09")
    with pytest.raises(UnreadableBaseline, match="version 9"):
        Baseline.from_bytes(data)
