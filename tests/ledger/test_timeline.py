"""Facts in, rows out: which, from when to when, and why. Whatever comes, they partition the time watched."""

from __future__ import annotations

from collections.abc import Callable
from itertools import count, pairwise

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from vedette.causes import LINK, PICTURE, Blame, Cause, Kind
from vedette.facts import (
    Blind,
    CameraAdded,
    CameraRemoved,
    Degraded,
    EpochStarted,
    Fact,
    Gap,
    GapChanged,
    GapClosed,
    GapOpened,
    Happened,
    Recovered,
    Sees,
    SessionOpened,
    StoodStill,
)
from vedette.ledger.audit import Watch, partition_problems
from vedette.ledger.claims import DETAIL_AT_MOST
from vedette.ledger.timeline import Timeline, Told

BOOT = 1_700_000_000_000_000
"""Ledger time at monotonic zero."""


def us(seconds: float) -> int:
    return BOOT + round(seconds * 1e6)


class Ledger:
    """Keeps what a timeline tells, and objects to what no ledger could make sense of."""

    def __init__(self) -> None:
        self.rows: dict[str, Gap] = {}
        self.told: list[Told] = []

    def take(self, told: list[Told]) -> list[Told]:
        for fact in told:
            gap, known = fact.gap, self.rows.get(fact.gap.id)
            assert known is None or known.end is None, "a closed row is never touched again"
            if isinstance(fact, GapOpened):
                assert known is None
            elif isinstance(fact, GapChanged):
                assert known is not None
                assert gap != known, "a change changes something"
            assert (gap.end is not None) == isinstance(fact, GapClosed)
            if known is not None:
                assert (gap.camera, gap.kind) == (known.camera, known.kind)
                assert gap.start <= known.start
            self.rows[gap.id] = gap
        self.told += told
        return told

    def of(self, camera: str, kind: Kind = Kind.BLIND) -> list[Gap]:
        return [gap for gap in self.rows.values() if gap.camera == camera and gap.kind is kind]


class Node:
    """A timeline with its ledger; camera ``gate`` is added at second 0 and sees from second 1 on."""

    def __init__(self, interval: float = 0.04, seeing: bool = True, **options: object) -> None:
        ids = count(1)
        self.ledger = Ledger()
        self.timeline = Timeline(
            new_id=lambda: f"g{next(ids)}",
            interval=lambda camera: interval,
            when=us,
            **options,  # type: ignore[arg-type]
        )
        self.says(CameraAdded(at=0.0, camera="gate", host="10.0.0.5"))
        if seeing:
            self.sees(1.0)

    def says(self, fact: Fact) -> list[Told]:
        return self.ledger.take(self.timeline.take(fact))

    def knows(self, told: list[Told]) -> list[Told]:
        return self.ledger.take(told)

    def sees(self, at: float, epoch: int = 1, tracks_cut: int = 0) -> list[Told]:
        return self.says(Sees(at=at, camera="gate", epoch=epoch, tracks_cut=tracks_cut))

    def blind(self, cause: Cause, since: float, at: float | None = None, detail: str = "") -> list[Told]:
        return self.says(
            Blind(
                at=since if at is None else at,
                camera="gate",
                since=since,
                cause=cause,
                blame=Blame.CAMERA,
                detail=detail,
            )
        )

    def degraded(self, cause: Cause, since: float, at: float | None = None, detail: str = "") -> list[Told]:
        return self.says(
            Degraded(
                at=since if at is None else at,
                camera="gate",
                since=since,
                cause=cause,
                blame=Blame.CAMERA,
                detail=detail,
            )
        )

    def recovered(self, cause: Cause, at: float) -> list[Told]:
        return self.says(Recovered(at=at, camera="gate", cause=cause))

    @property
    def stretches(self) -> list[tuple[Cause, float, float | None]]:
        """Cause, start and end in seconds of the blind rows after the start."""
        return [
            (gap.cause, (gap.start - BOOT) / 1e6, None if gap.end is None else (gap.end - BOOT) / 1e6)
            for gap in self.ledger.of("gate")
            if gap.cause is not Cause.STARTING or gap.start > BOOT
        ]


# ---- no stream


def test_a_camera_is_starting_from_the_moment_it_is_added_until_it_sees() -> None:
    node = Node(seeing=False)
    (row,) = node.timeline.open_gaps()
    assert (row.cause, row.blame, row.start, row.end) == (Cause.STARTING, Blame.NODE, us(0), None)
    (closed,) = node.sees(2.5, epoch=7)
    assert (closed.gap.end, closed.gap.epoch_before, closed.gap.epoch_after) == (us(2.5), None, 7)
    assert node.timeline.open_gaps() == []


def test_a_row_begins_with_the_last_good_frame_and_ends_with_the_first_one() -> None:
    node = Node()
    (opened,) = node.blind(Cause.STALLED, since=10.0, at=11.5, detail="no frame for 1.5 s")
    assert (opened.at, opened.gap.start, opened.gap.detail) == (11.5, us(10), "no frame for 1.5 s")
    (closed,) = node.sees(20.0)
    assert closed.gap.id == opened.gap.id
    assert node.stretches == [(Cause.STALLED, 10, 20)]


def test_a_closed_row_counts_frames_tracks_and_epochs() -> None:
    node = Node(interval=0.04)
    node.blind(Cause.STALLED, since=10.0)
    node.says(EpochStarted(at=19.0, camera="gate", epoch=2, reason="stream_gap"))
    node.sees(20.0, epoch=2, tracks_cut=3)
    gap = node.ledger.of("gate")[-1]
    assert (gap.frames_missed, gap.tracks_cut, gap.epoch_before, gap.epoch_after) == (250, 3, 1, 2)


@pytest.mark.parametrize("interval", [0.0, -1.0, 1e-9, float("inf"), float("nan")])
def test_frames_missed_are_not_made_up_where_the_rate_is_not_known(interval: float) -> None:
    node = Node(interval=interval)
    node.blind(Cause.STALLED, since=10.0)
    node.sees(20.0)
    assert node.ledger.of("gate")[-1].frames_missed is None


def test_the_rate_is_the_one_from_before_the_outage() -> None:
    rates = iter([0.0, 0.5, 99.0])  # at the start, when it goes; nobody asks again
    ids = count()
    timeline = Timeline(new_id=lambda: str(next(ids)), interval=lambda camera: next(rates), when=us)
    timeline.take(CameraAdded(at=0.0, camera="gate", host=""))
    timeline.take(Sees(at=1.0, camera="gate", epoch=1))
    timeline.take(Blind(at=10.0, camera="gate", since=10.0, cause=Cause.STALLED, blame=Blame.CAMERA))
    (closed,) = timeline.take(Sees(at=20.0, camera="gate", epoch=1))
    assert closed.gap.frames_missed == 20


def test_what_explains_more_renames_the_outage_from_its_beginning() -> None:
    node = Node()
    node.blind(Cause.STALLED, since=10.0, at=11.0)
    (changed,) = node.blind(Cause.UNAUTHORISED, since=10.0, at=15.0, detail="401")
    assert isinstance(changed, GapChanged)
    assert changed.gap.detail == "stalled, then unauthorised: 401"
    node.sees(20.0)
    assert node.stretches == [(Cause.UNAUTHORISED, 10, 20)]


def test_a_camera_that_starts_and_is_refused_was_refused_from_the_start() -> None:
    node = Node(seeing=False)
    node.blind(Cause.REFUSED, since=0.1, at=0.2, detail="connection refused")
    (row,) = node.timeline.open_gaps()
    assert (row.cause, row.start, row.detail) == (Cause.REFUSED, us(0), "connection refused")


def test_what_explains_less_only_adds_to_the_detail() -> None:
    node = Node()
    node.blind(Cause.REFUSED, since=10.0)
    node.blind(Cause.STALLED, since=10.0, at=12.0)
    for n in range(12):
        node.blind(Cause.REFUSED, since=10.0, at=13.0 + n, detail=f"503, attempt {n}")
    node.sees(30.0)
    gap = node.ledger.of("gate")[-1]
    assert gap.cause is Cause.REFUSED
    assert gap.detail == "refused ×13, then stalled: 503, attempt 11"


def test_a_camera_that_refuses_all_night_is_told_of_a_handful_of_times() -> None:
    node = Node()
    told = [node.blind(Cause.REFUSED, since=10.0, at=10.0 + n, detail=f"attempt {n}") for n in range(10_000)]
    assert sum(map(len, told)) <= 15
    node.sees(20_000.0)
    assert node.ledger.of("gate")[-1].detail == "refused ×10000: attempt 9999"


def test_details_are_bounded() -> None:
    node = Node()
    for n in range(10):
        for cause in LINK:
            node.blind(cause, since=10.0, at=10.0 + n, detail="x" * 10_000)
    node.degraded(Cause.BLURRED, since=11.0, detail="y" * 10_000)
    node.says(Happened(at=12, camera="gate", cause=Cause.CODEC_CHANGED, blame=Blame.CAMERA, detail="z" * 999))
    assert all(len(gap.detail) <= DETAIL_AT_MOST for gap in node.ledger.rows.values())


def test_a_row_that_turns_out_to_have_begun_earlier_begins_earlier_but_in_no_other_row() -> None:
    node = Node()
    node.blind(Cause.CONNECTION_LOST, since=10.0)
    (changed,) = node.blind(Cause.STALLED, since=8.0, at=11.0)
    assert changed.gap.start == us(8)
    (changed,) = node.blind(Cause.REFUSED, since=0.5, at=12.0)
    assert changed.gap.start == us(1), "it saw at second 1"


def test_a_row_never_begins_before_the_camera_was_added_or_before_the_last_one_ended() -> None:
    node = Node(seeing=False)
    node.sees(5.0)
    node.blind(Cause.STALLED, since=3.0, at=7.0)
    node.sees(8.0)
    node.blind(Cause.STALLED, since=-100.0, at=9.0)
    assert node.stretches == [(Cause.STALLED, 5, 8), (Cause.STALLED, 8, None)]


def test_a_row_never_begins_later_than_it_is_told() -> None:
    node = Node()
    (opened,) = node.blind(Cause.STALLED, since=30.0, at=10.0)
    assert opened.gap.start == us(10)


def test_a_row_that_ends_where_it_began_is_closed_all_the_same() -> None:
    node = Node()
    node.blind(Cause.CONNECTION_LOST, since=10.0)
    (closed,) = node.sees(10.0)
    assert closed.gap.start == closed.gap.end == us(10)
    assert closed.gap.frames_missed == 0


def test_only_a_row_after_which_the_camera_sees_has_an_epoch_after_it() -> None:
    node = Node()
    node.blind(Cause.STALLED, since=10.0)
    node.knows(node.timeline.worker_lost(["gate"], 20.0))
    node.sees(30.0, epoch=2)
    assert [gap.epoch_after for gap in node.ledger.of("gate")] == [1, None, 2]


# ---- the worker is lost


def test_a_lost_worker_is_a_row_of_its_own_and_so_is_what_its_successor_finds() -> None:
    node = Node()
    node.blind(Cause.STALLED, since=10.0)
    node.knows(node.timeline.worker_lost(["gate"], 20.0, "cameras-0 was killed by signal 9", {"gate": 4}))
    assert node.blind(Cause.STARTING, since=21.0) == [], "its successor starts because it was lost"
    node.blind(Cause.REFUSED, since=15.0, at=25.0)
    node.sees(30.0)
    assert node.stretches == [
        (Cause.STALLED, 10, 20),
        (Cause.WORKER_LOST, 20, 25),
        (Cause.REFUSED, 25, 30),
    ]
    assert [gap.tracks_cut for gap in node.ledger.of("gate")] == [0, 0, 4, 0]


def test_a_worker_that_had_hung_was_lost_when_it_began_to_hang() -> None:
    node = Node()
    node.knows(node.timeline.worker_lost(["gate"], 20.0, "no sign of life for 10 s", since=10.0))
    assert node.stretches == [(Cause.WORKER_LOST, 10, None)]


def test_a_worker_that_dies_again_and_again_makes_one_row_that_counts() -> None:
    node = Node()
    for at in (20.0, 21.0, 23.0):
        node.knows(node.timeline.worker_lost(["gate"], at, "exit code 1", {"gate": 1}))
    node.sees(30.0, tracks_cut=1)
    gap = node.ledger.of("gate")[-1]
    assert node.stretches == [(Cause.WORKER_LOST, 20, 30)]
    assert (gap.detail, gap.tracks_cut) == ("worker_lost ×3: exit code 1", 4)


def test_a_worker_in_quarantine_says_so_in_the_row_that_its_death_began() -> None:
    node = Node()
    node.says(CameraAdded(at=1.0, camera="yard", host=""))
    node.knows(node.timeline.worker_lost(["gate"], 20.0, "", {"gate": 2}))
    (changed,) = node.knows(node.timeline.quarantined(["gate", "yard", "nobody"], 20.0, "in quarantine"))
    assert isinstance(changed, GapChanged)
    assert (changed.gap.detail, changed.gap.tracks_cut) == ("in quarantine", 2)
    node.sees(30.0)
    assert node.stretches == [(Cause.WORKER_LOST, 20, 30)]
    assert node.knows(node.timeline.quarantined(["gate"], 31.0, "late")) == [], "that is not the matter"


def test_a_detector_in_quarantine_says_so_in_the_row_that_its_death_began() -> None:
    node = Node()
    assert node.knows(node.timeline.detector_quarantined(9.0, "too early")) == []
    node.knows(node.timeline.detector_lost(10.0, "CUDA error"))
    (changed,) = node.knows(node.timeline.detector_quarantined(11.0, "in quarantine"))
    assert (changed.gap.detail, changed.gap.start) == ("in quarantine", us(10))
    node.knows(node.timeline.detector_back(20.0))
    assert node.stretches == [(Cause.DETECTOR_LOST, 10, 20)]


def test_of_two_causes_at_the_very_same_moment_one_makes_the_row() -> None:
    node = Node()
    (opened,) = node.blind(Cause.CONNECTION_LOST, since=20.0)
    (changed,) = node.knows(node.timeline.worker_lost(["gate"], 20.0, tracks={"gate": 2}))
    assert isinstance(changed, GapChanged)
    assert (changed.gap.id, changed.gap.cause, changed.gap.tracks_cut) == (
        opened.gap.id,
        Cause.WORKER_LOST,
        2,
    )


def test_last_words_of_a_dead_worker_are_not_believed() -> None:
    node = Node()
    node.knows(node.timeline.worker_lost(["gate"], 20.0))
    assert node.sees(19.9) == []
    assert node.blind(Cause.CORRUPT, since=19.0, at=19.9) == []
    assert node.degraded(Cause.BLURRED, since=19.0, at=19.9) == []
    assert node.recovered(Cause.BLURRED, 19.9) == []
    assert node.stretches == [(Cause.WORKER_LOST, 20, None)]


# ---- pictures with nothing in them


def test_a_frozen_picture_blinds_and_makes_no_second_row() -> None:
    node = Node()
    node.degraded(Cause.FROZEN, since=10.0, at=40.0)
    node.recovered(Cause.FROZEN, 50.0)
    assert node.stretches == [(Cause.FROZEN, 10, 50)]
    assert node.ledger.of("gate", Kind.DEGRADED) == []


def test_each_of_several_picture_causes_has_the_time_in_which_it_was_the_first() -> None:
    node = Node()
    node.degraded(Cause.DARK, since=10.0, at=12.0)
    node.degraded(Cause.WASHED_OUT, since=11.0, at=13.0)
    node.degraded(Cause.FROZEN, since=20.0, at=25.0)
    node.recovered(Cause.DARK, 30.0)
    node.recovered(Cause.FROZEN, 40.0)
    node.recovered(Cause.WASHED_OUT, 50.0)
    assert node.stretches == [(Cause.DARK, 10, 20), (Cause.FROZEN, 20, 40), (Cause.WASHED_OUT, 40, 50)]


def test_a_frozen_camera_that_stalls_is_still_frozen_when_it_sends_again() -> None:
    node = Node()
    node.degraded(Cause.FROZEN, since=10.0, at=15.0)
    node.blind(Cause.STALLED, since=20.0, at=21.5)
    node.sees(30.0)
    node.recovered(Cause.FROZEN, 40.0)
    assert node.stretches == [(Cause.FROZEN, 10, 20), (Cause.STALLED, 20, 30), (Cause.FROZEN, 30, 40)]


def test_a_picture_that_recovers_unseen_is_not_taken_up_again() -> None:
    node = Node()
    node.degraded(Cause.FROZEN, since=10.0)
    node.blind(Cause.STALLED, since=20.0)
    node.recovered(Cause.FROZEN, 25.0)
    node.sees(30.0)
    assert node.stretches == [(Cause.FROZEN, 10, 20), (Cause.STALLED, 20, 30)]


def test_what_went_wrong_with_the_picture_behind_a_stall_shows_only_after_it() -> None:
    node = Node()
    node.blind(Cause.STALLED, since=10.0)
    assert node.degraded(Cause.COVERED, since=15.0) == []
    node.sees(20.0)
    assert node.stretches == [(Cause.STALLED, 10, 20), (Cause.COVERED, 20, None)]


def test_seeing_ends_no_picture_cause() -> None:
    node = Node()
    node.degraded(Cause.DARK, since=10.0)
    assert node.sees(11.0) == []
    assert node.stretches == [(Cause.DARK, 10, None)]


# ---- the detector


def test_without_a_detector_every_camera_that_sees_is_blind() -> None:
    node = Node()
    node.says(CameraAdded(at=1.0, camera="yard", host=""))
    node.knows(node.timeline.detector_lost(10.0, "CUDA error"))
    assert node.knows(node.timeline.detector_lost(11.0)) == []
    node.knows(node.timeline.detector_back(20.0))
    assert node.stretches == [(Cause.DETECTOR_LOST, 10, 20)]
    assert [gap.cause for gap in node.ledger.of("yard")] == [Cause.STARTING]
    gap = node.ledger.of("gate")[-1]
    assert (gap.blame, gap.detail, gap.epoch_after) == (Blame.INFERENCE, "CUDA error", 1)


def test_a_camera_that_sees_while_no_detector_runs_goes_from_row_to_row() -> None:
    node = Node(seeing=False)
    node.knows(node.timeline.detector_lost(0.5))
    node.sees(2.0)
    node.says(CameraAdded(at=3.0, camera="late", host=""))
    node.says(Sees(at=4.0, camera="late", epoch=1))
    assert node.stretches == [(Cause.DETECTOR_LOST, 2, None)]
    assert [(gap.cause, gap.start) for gap in node.ledger.of("late")] == [
        (Cause.STARTING, us(3)),
        (Cause.DETECTOR_LOST, us(4)),
    ]


def test_a_stall_found_late_takes_over_a_row_that_began_meanwhile() -> None:
    """The alternative would be a row of no length, and two seconds that count as seen."""
    node = Node()
    (opened,) = node.knows(node.timeline.detector_lost(10.0))
    (changed,) = node.blind(Cause.STALLED, since=8.0, at=10.5)
    assert isinstance(changed, GapChanged)
    assert changed.gap.id == opened.gap.id
    node.sees(12.0)
    assert node.stretches == [(Cause.STALLED, 8, 12), (Cause.DETECTOR_LOST, 12, None)]


# ---- paused, removed, finished, asleep


def test_a_paused_camera_is_paused_whatever_else_is_said_and_starts_afterwards() -> None:
    node = Node()
    node.blind(Cause.STALLED, since=10.0)
    node.knows(node.timeline.paused("gate", 20.0, "by the operator"))
    node.blind(Cause.REFUSED, since=21.0)
    node.degraded(Cause.FROZEN, since=21.0)
    node.sees(22.0)
    node.knows(node.timeline.worker_lost(["gate"], 23.0))
    assert node.knows(node.timeline.paused("gate", 24.0)) == []
    node.knows(node.timeline.resumed("gate", 30.0))
    assert node.knows(node.timeline.resumed("gate", 31.0)) == []
    node.sees(32.0)
    assert node.stretches == [
        (Cause.STALLED, 10, 20),
        (Cause.PAUSED, 20, 30),
        (Cause.STARTING, 30, 32),
    ]


def test_a_paused_camera_that_is_changed_stays_paused() -> None:
    node = Node()
    node.knows(node.timeline.paused("gate", 20.0))
    node.says(CameraAdded(at=30.0, camera="gate", host="10.0.0.5"))
    assert node.stretches == [(Cause.PAUSED, 20, None)]
    node.knows(node.timeline.resumed("gate", 40.0))
    assert node.stretches == [(Cause.PAUSED, 20, 40), (Cause.STARTING, 40, None)]


def test_what_was_the_matter_with_a_camera_before_it_was_changed_is_not_any_more() -> None:
    node = Node()
    node.says(
        Blind(at=20.0, camera="gate", since=19.0, cause=Cause.UNAUTHORISED, blame=Blame.OPERATOR, detail="")
    )
    node.says(CameraAdded(at=30.0, camera="gate", host="10.0.0.6"))
    node.says(Blind(at=31.0, camera="gate", since=30.0, cause=Cause.REFUSED, blame=Blame.CAMERA, detail=""))
    assert node.stretches == [
        (Cause.UNAUTHORISED, 19, 30),
        (Cause.STARTING, 30, 31),
        (Cause.REFUSED, 31, None),
    ]


def test_what_is_said_of_the_time_before_a_change_is_not_believed() -> None:
    node = Node()
    node.says(CameraAdded(at=30.0, camera="gate", host="10.0.0.6"))
    node.sees(29.9)
    node.says(Degraded(at=29.9, camera="gate", since=20.0, cause=Cause.FROZEN, blame=Blame.CAMERA))
    node.sees(31.0)
    assert node.stretches[-1] == (Cause.STARTING, 30, 31)


def test_a_worker_that_stood_still_is_on_record_for_exactly_that_time() -> None:
    node = Node()
    node.says(StoodStill(at=30.0, camera="gate", since=24.0, detail="6 s"))
    assert node.stretches == [(Cause.DECODE_BEHIND, 24, 30)]
    assert node.timeline.open_gaps() == []


def test_adding_a_watched_camera_begins_it_again() -> None:
    node = Node()
    node.degraded(Cause.BLURRED, since=9.0)
    node.degraded(Cause.FROZEN, since=10.0)
    node.says(CameraAdded(at=20.0, camera="gate", host="10.0.0.6"))
    node.sees(21.0)
    assert node.stretches == [(Cause.FROZEN, 10, 20), (Cause.STARTING, 20, 21)]
    assert node.timeline.open_gaps() == []


@pytest.mark.parametrize("ends", ["removed", "finished"])
def test_when_nobody_is_responsible_any_more_everything_open_ends(ends: str) -> None:
    node = Node()
    node.degraded(Cause.MOVED, since=9.0)
    node.blind(Cause.STALLED, since=10.0)
    if ends == "removed":
        node.says(CameraRemoved(at=20.0, camera="gate"))
    else:
        node.knows(node.timeline.finished("gate", 20.0))
    assert [gap.end for gap in node.ledger.rows.values()] == [us(1), us(20), us(20)]
    assert node.timeline.open_gaps() == []
    assert node.timeline.edge("gate") == us(20)
    assert node.blind(Cause.REFUSED, since=21.0) == [], "nobody watches"
    assert node.knows(node.timeline.paused("gate", 22.0)) == []


def test_a_camera_added_again_knows_its_last_epoch_and_begins_after_its_last_row() -> None:
    node = Node()
    node.sees(2.0, epoch=5)
    node.says(CameraRemoved(at=20.0, camera="gate"))
    node.says(CameraAdded(at=15.0, camera="gate", host=""))
    (row,) = node.timeline.open_gaps()
    assert (row.start, row.epoch_before, node.timeline.edge("gate")) == (us(20), 5, us(20))


def test_what_an_earlier_life_of_the_node_knew_is_gone_on_from() -> None:
    node = Node(seeing=False, epochs={"gate": 41}, not_before=us(3))
    (row,) = node.timeline.open_gaps()
    assert (row.epoch_before, row.start, node.timeline.edge("gate")) == (41, us(3), us(3))
    assert node.timeline.edge("nobody") is None


def test_a_machine_that_slept_leaves_a_row_for_those_who_saw() -> None:
    node = Node()
    node.says(CameraAdded(at=2.0, camera="yard", host=""))
    (closed,) = node.knows(node.timeline.asleep(us(10), us(70), at=10.0))
    assert isinstance(closed, GapClosed)
    gap = closed.gap
    assert (gap.camera, gap.cause, gap.start, gap.end) == ("gate", Cause.NODE_ASLEEP, us(10), us(70))
    assert (gap.frames_missed, gap.epoch_after) == (1500, 1)
    node.blind(Cause.STALLED, since=60.0, at=72.0)
    assert node.stretches[-1] == (Cause.STALLED, 70, None), "after the sleep"
    assert [gap.end for gap in node.ledger.of("yard")] == [None], "it was blind anyway"


@pytest.mark.parametrize(("start", "end"), [(10.0, 10.0), (10.0, 5.0), (-5.0, 1.0), (0.2, 0.5)])
def test_a_sleep_of_no_length_leaves_no_row(start: float, end: float) -> None:
    assert Node().timeline.asleep(us(start), us(end), at=2.0) == []


# ---- beside the blind rows


def test_degraded_rows_lie_beside_others_one_for_each_cause() -> None:
    node = Node()
    node.degraded(Cause.BLURRED, since=10.0, at=15.0)
    node.degraded(Cause.SLOW, since=12.0)
    assert node.degraded(Cause.BLURRED, since=10.0, at=20.0) == []
    (changed,) = node.degraded(Cause.BLURRED, since=10.0, at=21.0, detail="very")
    assert isinstance(changed, GapChanged)
    node.blind(Cause.STALLED, since=30.0)
    assert len(node.timeline.open_gaps()) == 3
    node.recovered(Cause.BLURRED, 40.0)
    assert node.recovered(Cause.BLURRED, 41.0) == []
    blurred, slow = node.ledger.of("gate", Kind.DEGRADED)
    assert (blurred.start, blurred.end, blurred.detail) == (us(10), us(40), "very")
    assert (slow.start, slow.end) == (us(12), None)


def test_degraded_rows_of_one_cause_do_not_overlap() -> None:
    node = Node()
    node.degraded(Cause.SLOW, since=10.0)
    node.recovered(Cause.SLOW, 20.0)
    node.degraded(Cause.SLOW, since=15.0, at=25.0)
    assert [gap.start for gap in node.ledger.of("gate", Kind.DEGRADED)] == [us(10), us(20)]


@pytest.mark.parametrize("ends", ["lost", "paused"])
def test_degraded_rows_and_picture_causes_end_with_whoever_knew_of_them(ends: str) -> None:
    node = Node()
    node.degraded(Cause.BLURRED, since=10.0)
    node.degraded(Cause.FROZEN, since=10.0)
    if ends == "lost":
        node.knows(node.timeline.worker_lost(["gate"], 20.0))
    else:
        node.knows(node.timeline.paused("gate", 20.0))
        node.knows(node.timeline.resumed("gate", 25.0))
    node.sees(30.0)
    assert node.ledger.of("gate", Kind.DEGRADED)[0].end == us(20)
    assert node.timeline.open_gaps() == []


def test_what_is_missed_while_an_operator_has_it_opened_anew_is_the_operators_doing() -> None:
    node = Node()
    node.degraded(Cause.BLURRED, since=10.0)
    (ended, opened) = node.knows(node.timeline.restarted("gate", 20.0, "the picture was green", tracks=2))
    assert (ended.gap.cause, ended.gap.end) == (Cause.BLURRED, us(20))
    gap = opened.gap
    assert (gap.cause, gap.blame, gap.detail) == (Cause.STARTING, Blame.OPERATOR, "the picture was green")
    # Its worker says that it starts, too; and the one before may have had a last word.
    node.blind(Cause.STARTING, since=20.1)
    node.blind(Cause.STALLED, since=19.0, at=19.5)
    node.sees(21.0, epoch=2)
    row = node.ledger.of("gate")[-1]
    assert (row.start, row.end, row.blame) == (us(20), us(21), Blame.OPERATOR)
    assert (row.frames_missed, row.tracks_cut) == (25, 2)
    assert (row.epoch_before, row.epoch_after) == (1, 2)
    assert node.timeline.open_gaps() == []
    assert node.timeline.restarted("nobody", 22.0) == []


def test_a_camera_that_is_not_there_when_it_is_opened_anew_is_away_by_itself() -> None:
    node = Node()
    node.knows(node.timeline.restarted("gate", 20.0, "because"))
    node.blind(Cause.REFUSED, since=20.5, detail="503")
    (ours, its) = node.ledger.of("gate")[-2:]
    assert (ours.blame, ours.end) == (Blame.OPERATOR, its.start)
    assert (its.cause, its.blame, its.end) == (Cause.REFUSED, Blame.CAMERA, None)


def test_an_event_is_told_once_and_whole() -> None:
    node = Node()
    (told,) = node.says(
        Happened(
            at=10.0, camera="gate", cause=Cause.TIMESTAMP_JUMP, blame=Blame.CAMERA, detail="back by 3600 s"
        )
    )
    assert isinstance(told, GapClosed)
    gap = told.gap
    assert (gap.kind, gap.start, gap.end, gap.detail) == (Kind.EVENT, us(10), us(10), "back by 3600 s")


def test_other_facts_change_nothing() -> None:
    assert Node().says(SessionOpened(at=2.0, camera="gate", codec="h264", width=640, height=360)) == []


@pytest.mark.parametrize("fact_of", [Blind, Degraded])
def test_the_cause_decides_whichever_fact_carries_it(fact_of: Callable[..., Fact]) -> None:
    node = Node()
    node.says(fact_of(at=10.0, camera="gate", since=10.0, cause=Cause.FROZEN, blame=Blame.CAMERA))
    node.says(fact_of(at=11.0, camera="gate", since=11.0, cause=Cause.BLURRED, blame=Blame.CAMERA))
    node.says(fact_of(at=12.0, camera="gate", since=12.0, cause=Cause.STALLED, blame=Blame.CAMERA))
    node.sees(13.0)
    assert node.stretches == [(Cause.FROZEN, 10, 12), (Cause.STALLED, 12, 13), (Cause.FROZEN, 13, None)]
    assert [gap.cause for gap in node.ledger.of("gate", Kind.DEGRADED)] == [Cause.BLURRED]


# ---- whatever comes

CAMERAS = st.sampled_from(["gate", "yard"])
STEPS = st.one_of(st.just(0.0), st.floats(0.000001, 30.0), st.floats(-50.0, 50.0))
TRACKS = st.integers(0, 5)


class Model:
    """What is the matter with one camera, told once more and more simply."""

    def __init__(self) -> None:
        self.paused = False
        self.stream: Cause | None = Cause.STARTING
        self.picture: set[Cause] = set()
        self.lost_at = float("-inf")

    def blind(self, cause: Cause) -> None:
        if self.paused:
            return
        if self.stream is Cause.WORKER_LOST:
            self.stream = self.stream if cause is Cause.STARTING else cause
        else:
            self.stream = max([cause] if self.stream is None else [self.stream, cause], key=LINK.index)

    def cause(self, detector: bool) -> Cause | None:
        if self.paused:
            return Cause.PAUSED
        picture = sorted(self.picture, key=PICTURE.index)
        return self.stream or next(iter(picture), None) or (None if detector else Cause.DETECTOR_LOST)


class AnyFacts(RuleBasedStateMachine):
    """Facts in any order, monotonic times that jump both ways, a wall clock that is set while it runs."""

    def __init__(self) -> None:
        super().__init__()
        ids = count()
        self.at, self.offset = 1000.0, 0
        self.ledger = Ledger()
        self.timeline = Timeline(
            new_id=lambda: str(next(ids)), interval=lambda camera: 0.04, when=lambda at: us(at) + self.offset
        )
        self.models: dict[str, Model] = {}
        self.watches: list[Watch] = []
        self.detector = True

    def take(self, told: list[Told]) -> list[Told]:
        self.ledger.take(told)
        assert all(fact.at == self.at for fact in told)
        blind = [fact for fact in told if fact.gap.kind is Kind.BLIND]
        for before, after in pairwise(blind):
            if isinstance(before, GapClosed) and before.gap.camera == after.gap.camera:
                assert after.gap.start == before.gap.end, "one row ends where the next begins"
                assert before.gap.end != before.gap.start, "a row of no length only before it sees"
        return told

    def says(self, fact: Fact) -> list[Told]:
        return self.take(self.timeline.take(fact))

    def fresh(self, camera: str) -> Model | None:
        """The camera's model, unless it would not believe what its worker says now."""
        model = self.models.get(camera)
        return None if model is None or self.at < model.lost_at else model

    @rule(step=STEPS)
    def time_goes(self, step: float) -> None:
        self.at += step

    @rule(step=st.integers(-100_000_000, 100_000_000))
    def the_clock_is_set(self, step: int) -> None:
        self.offset += step

    @initialize()
    def the_gate_is_added(self) -> None:
        self.added("gate")

    @rule(camera=CAMERAS)
    def added(self, camera: str) -> None:
        self.says(CameraAdded(at=self.at, camera=camera, host=""))
        model = self.models.get(camera)
        if model is None:
            self.models[camera] = Model()
            self.models[camera].lost_at = self.at
            start = self.timeline.edge(camera)
            assert start is not None
            self.watches.append(Watch(camera, start))
        else:
            model.picture, model.lost_at = set(), self.at
            model.stream = None if model.paused else Cause.STARTING

    @rule(camera=CAMERAS)
    def removed(self, camera: str) -> None:
        told = self.says(CameraRemoved(at=self.at, camera=camera))
        if self.models.pop(camera, None) is None:
            assert told == []
            return
        (watch,) = (w for w in self.watches if w.camera == camera and w.end is None)
        self.watches.remove(watch)
        self.watches.append(Watch(camera, watch.start, self.timeline.edge(camera)))
        blind = [fact.gap for fact in told if fact.gap.kind is Kind.BLIND]
        assert all(gap.end == self.timeline.edge(camera) for gap in blind), "nothing after it counts as seen"

    @rule(camera=CAMERAS, cause=st.sampled_from(LINK), ago=st.floats(-5.0, 60.0))
    def blind(self, camera: str, cause: Cause, ago: float) -> None:
        self.says(
            Blind(at=self.at, camera=camera, since=self.at - ago, cause=cause, blame=Blame.CAMERA, detail="x")
        )
        if model := self.fresh(camera):
            model.blind(cause)

    @rule(camera=CAMERAS, tracks=TRACKS)
    def sees(self, camera: str, tracks: int) -> None:
        self.says(Sees(at=self.at, camera=camera, epoch=3, tracks_cut=tracks))
        if (model := self.fresh(camera)) and not model.paused:
            model.stream = None

    @rule(camera=CAMERAS, cause=st.sampled_from([*PICTURE, Cause.BLURRED]), ago=st.floats(-5.0, 60.0))
    def degraded(self, camera: str, cause: Cause, ago: float) -> None:
        self.says(Degraded(at=self.at, camera=camera, since=self.at - ago, cause=cause, blame=Blame.CAMERA))
        if (model := self.fresh(camera)) and not model.paused and cause in PICTURE:
            model.picture.add(cause)

    @rule(camera=CAMERAS, cause=st.sampled_from([*PICTURE, Cause.BLURRED]))
    def recovered(self, camera: str, cause: Cause) -> None:
        self.says(Recovered(at=self.at, camera=camera, cause=cause))
        if model := self.fresh(camera):
            model.picture.discard(cause)

    @rule(camera=CAMERAS)
    def happened(self, camera: str) -> None:
        self.says(Happened(at=self.at, camera=camera, cause=Cause.TIMESTAMP_GAP, blame=Blame.CAMERA))

    @rule(camera=CAMERAS)
    def paused(self, camera: str) -> None:
        self.take(self.timeline.paused(camera, self.at))
        if model := self.models.get(camera):
            model.paused, model.stream, model.picture = True, None, set()

    @rule(camera=CAMERAS, tracks=TRACKS)
    def restarted(self, camera: str, tracks: int) -> None:
        self.take(self.timeline.restarted(camera, self.at, "because", tracks))
        if model := self.models.get(camera):
            model.lost_at, model.picture = self.at, set()
            model.stream = None if model.paused else Cause.STARTING

    @rule(camera=CAMERAS)
    def resumed(self, camera: str) -> None:
        self.take(self.timeline.resumed(camera, self.at))
        model = self.models.get(camera)
        if model and model.paused:
            model.paused, model.stream = False, Cause.STARTING
            model.lost_at = self.at

    @rule(cameras=st.sets(CAMERAS), tracks=TRACKS, ago=st.floats(0.0, 10.0))
    def worker_lost(self, cameras: set[str], tracks: int, ago: float) -> None:
        cut = dict.fromkeys(cameras, tracks)
        self.take(self.timeline.worker_lost(sorted(cameras), self.at, "", cut, since=self.at - ago))
        for model in (self.models[camera] for camera in cameras if camera in self.models):
            model.lost_at = self.at
            if not model.paused:
                model.stream, model.picture = Cause.WORKER_LOST, set()

    @rule()
    def detector_lost(self) -> None:
        self.take(self.timeline.detector_lost(self.at))
        self.detector = False

    @precondition(lambda self: not self.detector)
    @rule()
    def detector_back(self) -> None:
        self.take(self.timeline.detector_back(self.at))
        self.detector = True

    @rule(ago=st.floats(-5.0, 60.0), length=st.floats(-1.0, 60.0))
    def asleep(self, ago: float, length: float) -> None:
        start = us(self.at - ago) + self.offset
        self.take(self.timeline.asleep(start, start + round(length * 1e6), self.at))

    @invariant()
    def every_camera_is_seen_or_blind_for_the_first_of_its_reasons(self) -> None:
        open_rows = {gap.camera: gap for gap in self.timeline.open_gaps() if gap.kind is Kind.BLIND}
        expected = {camera: model.cause(self.detector) for camera, model in self.models.items()}
        named = {camera: gap.cause for camera, gap in open_rows.items()}
        assert named == {camera: cause for camera, cause in expected.items() if cause is not None}

    @invariant()
    def what_is_open_in_the_ledger_is_open_in_the_timeline(self) -> None:
        open_rows = {gap.id: gap for gap in self.timeline.open_gaps()}
        stored = {gap.id: gap for gap in self.ledger.rows.values() if gap.end is None}
        assert open_rows.keys() == stored.keys()
        for gap_id, gap in open_rows.items():
            assert (gap.start, gap.cause, gap.blame) == (
                stored[gap_id].start,
                stored[gap_id].cause,
                stored[gap_id].blame,
            ), "at most the detail is ahead"

    @invariant()
    def rows_partition_the_time_watched(self) -> None:
        assert partition_problems(self.watches, self.ledger.rows.values()) == []

    def teardown(self) -> None:
        for camera in list(self.models):
            self.removed(camera)
        assert all(gap.end is not None for gap in self.ledger.rows.values())
        assert partition_problems(self.watches, self.ledger.rows.values()) == []


AnyFacts.TestCase.settings = settings(max_examples=150, stateful_step_count=40, deadline=None)
TestWhateverComesRowsPartitionTheTimeWatched = AnyFacts.TestCase


def test_a_thousand_cameras_that_fail_all_day_are_kept_apart_in_moments() -> None:
    ids = count()
    ledger = Ledger()
    timeline = Timeline(new_id=lambda: str(next(ids)), interval=lambda camera: 0.04, when=us)
    cameras = [f"camera-{n}" for n in range(1000)]
    for camera in cameras:
        ledger.take(timeline.take(CameraAdded(at=0.0, camera=camera, host="")))
    for hour in range(10):
        for n, camera in enumerate(cameras):
            since = 3600.0 * hour + n
            ledger.take(timeline.take(Sees(at=since + 1, camera=camera, epoch=hour)))
            ledger.take(
                timeline.take(
                    Blind(
                        at=since + 9,
                        camera=camera,
                        since=since + 7,
                        cause=Cause.STALLED,
                        blame=Blame.CAMERA,
                    )
                )
            )
    assert len(ledger.rows) == 11_000
    assert partition_problems([Watch(camera, us(0)) for camera in cameras], ledger.rows.values()) == []
