"""Where an epoch begins: by what was missed, not by how often somebody connected."""

from __future__ import annotations

from typing import Any

import pytest

from test_pipeline import BOX, STALLED, Rig
from vedette.facts import EpochStarted, TracksEnded


@pytest.fixture
def rig() -> Rig:
    return opened()


def opened(**settings: Any) -> Rig:
    rig = Rig(track_grace=settings.pop("track_grace", None), **settings)
    rig.open()
    # Six seconds: by then it is known how its frames usually come.
    watch(rig, 150)
    return rig


def watch(rig: Rig, frames: int) -> None:
    for _ in range(frames):
        rig.give()
        rig.analyse(BOX)


def ids(rig: Rig) -> set[int]:
    return {int(each) for result in rig.results[-3:] for each in result.boxes.track_id if each >= 0}


def end_and_open(rig: Rig, away: float) -> None:
    rig.pipeline.ended(STALLED)
    rig.clock.advance(away)
    rig.open()


def test_a_gap_that_the_tracker_can_bridge_keeps_the_ids(rig: Rig) -> None:
    before = ids(rig)
    end_and_open(rig, 0.5)
    watch(rig, 10)
    assert (rig.row["sessions"], rig.row["epoch"]) == (2, 0)
    assert ids(rig) == before


def test_a_longer_gap_begins_an_epoch_and_says_which_tracks_it_cut(rig: Rig) -> None:
    before = ids(rig)
    end_and_open(rig, 3.0)
    watch(rig, 10)
    assert rig.row["epoch"] == 1
    assert [(fact.epoch, fact.reason) for fact in rig.kinds(EpochStarted)] == [(1, "stream_gap")]
    (ended,) = rig.kinds(TracksEnded)
    assert (set(ended.track_ids), ended.epoch, ended.reason) == (before, 0, "stream_gap")
    assert not ids(rig) & before
    assert [count for _, count in rig.pipeline.notes.cuts] == [len(before)]


def test_a_pause_within_a_session_is_a_gap_like_any_other(rig: Rig) -> None:
    rig.clock.advance(4.0)
    watch(rig, 10)
    assert (rig.row["sessions"], rig.row["epoch"]) == (1, 1)
    assert rig.outcomes.get("orphaned", 0) == 0, "the first picture after the gap belongs to the new epoch"


def test_the_grace_may_be_set() -> None:
    rig = opened(track_grace=6.0)
    end_and_open(rig, 5.0)
    watch(rig, 3)
    assert rig.row["epoch"] == 0
    end_and_open(rig, 7.0)
    watch(rig, 3)
    assert rig.row["epoch"] == 1


def test_a_slow_camera_is_given_more_grace_than_a_fast_one() -> None:
    rig = Rig(track_grace=None)
    rig.open()
    for _ in range(12):
        rig.give(every=2.0)
        rig.analyse(BOX)
    assert rig.row["epoch"] == 0, "its usual intervals are no gaps"
    end_and_open(rig, 4.0)
    rig.give(every=0.1)
    rig.analyse(BOX)
    assert rig.row["epoch"] == 0


def test_frames_that_the_rung_leaves_out_are_no_gap(rig: Rig) -> None:
    for _ in range(100):
        rig.clock.advance(0.04)
        rig.pipeline.skipped()
    watch(rig, 3)
    assert rig.row["epoch"] == 0


def test_a_camera_that_was_moved_begins_an_epoch_at_once(rig: Rig) -> None:
    before = ids(rig)
    rig.pipeline.start_epoch("camera_moved")
    watch(rig, 10)
    assert rig.row["epoch"] == 1
    assert rig.kinds(TracksEnded)[0].reason == "camera_moved"
    assert not ids(rig) & before


def test_a_picture_of_another_size_begins_an_epoch(rig: Rig) -> None:
    from vedette.testing import PacketSequence

    other = PacketSequence(width=320, height=192)
    for sent in (next(frames) for frames in [other.frames(0.0)]):
        rig.clock.advance(0.04)
        sent.pts = sent.arrived = rig.clock.now
        rig.pipeline.frame(sent)
    rig.analyse(BOX)
    assert rig.row["epoch"] == 1
    assert rig.kinds(EpochStarted)[0].reason == "resolution_changed"
    assert (rig.results[-1].width, rig.results[-1].epoch) == (320, 1)
