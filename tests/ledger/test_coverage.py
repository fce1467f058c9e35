"""Seen and blind make up the time watched, to the microsecond, in any bucket of any time zone."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta, tzinfo
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from vedette.causes import Blame, Cause, Kind, kind_of
from vedette.facts import Gap
from vedette.ledger.audit import PROBLEMS_AT_MOST, Watch, partition_problems
from vedette.ledger.buckets import Bucket, bucket_edges
from vedette.ledger.coverage import CoverageRow, coverage

SECOND = 1_000_000
HOUR = 3600 * SECOND
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
BERLIN = ZoneInfo("Europe/Berlin")


def at(text: str, zone: tzinfo = UTC) -> int:
    return (datetime.fromisoformat(text).replace(tzinfo=zone) - EPOCH) // timedelta(microseconds=1)


def row(
    start: int, end: int | None, cause: Cause = Cause.STALLED, camera: str = "gate", name: str = ""
) -> Gap:
    return Gap(
        id=name or f"{camera}-{cause}-{start}",
        camera=camera,
        kind=kind_of(cause),
        start=start,
        end=end,
        cause=cause,
        blame=Blame.CAMERA,
    )


def test_one_camera_in_one_stretch() -> None:
    gaps = [row(10, 20), row(20, 25, Cause.WORKER_LOST), row(90, None, Cause.REFUSED)]
    (got,) = coverage([Watch("gate", 5)], gaps, since=0, until=100)
    assert got == CoverageRow(
        "gate",
        start=0,
        end=100,
        watched=95,
        seen=70,
        blind={Cause.STALLED: 10, Cause.WORKER_LOST: 5, Cause.REFUSED: 10},
    )
    assert got.share == pytest.approx(70 / 95)


def test_degraded_rows_and_events_are_seen() -> None:
    gaps = [row(10, 20, Cause.BLURRED), row(15, 15, Cause.TIMESTAMP_JUMP)]
    (got,) = coverage([Watch("gate", 0)], gaps, 0, 100)
    assert (got.seen, got.blind) == (100, {})


def test_only_time_for_which_somebody_was_responsible_counts() -> None:
    watches = [Watch("gate", 60), Watch("gate", 10, 30)]
    (got,) = coverage(watches, [row(20, 70)], 0, 100)
    assert (got.watched, got.seen, got.blind) == (60, 40, {Cause.STALLED: 20})


def test_what_reaches_over_the_period_counts_within_it() -> None:
    (got,) = coverage([Watch("gate", -1000)], [row(-500, 10), row(95, 300)], 0, 100)
    assert (got.watched, got.blind) == (100, {Cause.STALLED: 15})


def test_a_bucket_in_which_nobody_watched_has_no_share() -> None:
    rows = coverage([Watch("gate", HOUR, 2 * HOUR)], [], 0, 3 * HOUR, "hour")
    assert [got.share for got in rows] == [None, 1.0, None]


def test_cameras_that_were_not_watched_in_the_period_are_left_out() -> None:
    watches = [Watch("gate", 0, 10), Watch("yard", 200), Watch("door", 5, 5), Watch("here", 50)]
    assert [got.camera for got in coverage(watches, [row(20, 30)], 20, 100)] == ["here"]


@pytest.mark.parametrize("until", [0, -5])
def test_no_time_has_no_rows(until: int) -> None:
    assert coverage([Watch("gate", -10)], [], 0, until, "day") == []


def test_rows_that_overlap_in_a_broken_ledger_still_add_up() -> None:
    (got,) = coverage(
        [Watch("gate", 0), Watch("gate", 50, 80)],
        [row(10, 50), row(20, 30, Cause.REFUSED), row(40, 60, Cause.CORRUPT), row(99, 98)],
        0,
        100,
    )
    assert (got.watched, got.seen) == (100, 50)
    assert got.blind == {Cause.STALLED: 40, Cause.CORRUPT: 10}


# ---- buckets


def lengths(since: str, until: str, bucket: Bucket, zone: tzinfo) -> list[float]:
    """In hours."""
    edges = bucket_edges(at(since, zone), at(until, zone), bucket, zone)
    return [(end - start) / HOUR for start, end in pairwise(edges)]


@pytest.mark.parametrize(
    ("zone", "since", "until", "hours"),
    [
        ("Europe/Berlin", "2026-03-28", "2026-03-31", [24, 23, 24]),
        ("Europe/Berlin", "2026-10-24", "2026-10-27", [24, 25, 24]),
        ("Australia/Lord_Howe", "2026-04-04", "2026-04-07", [24, 24.5, 24]),
        # Clocks that change at midnight: the day begins at one o'clock, or its first hour comes twice.
        ("America/Santiago", "2026-09-05", "2026-09-08", [24, 23, 24]),
        ("Atlantic/Azores", "2026-10-24", "2026-10-27", [24, 25, 24]),
        # They went back to 23:01, into the day before, of which a minute less than an hour is left over.
        ("America/St_Johns", "2010-11-06", "2010-11-09", [24, 25, 24]),
        # Samoa had no 30 December 2011.
        ("Pacific/Apia", "2011-12-29", "2012-01-01", [24, 24]),
        ("UTC", "2026-03-28", "2026-03-30", [24, 24]),
    ],
)
def test_days_are_the_days_of_the_zone(zone: str, since: str, until: str, hours: list[float]) -> None:
    assert lengths(since, until, "day", ZoneInfo(zone)) == hours


def test_of_a_midnight_that_comes_twice_the_first_begins_the_day() -> None:
    """In Newfoundland the clocks once went from 00:01 back to 23:01 of the day before."""
    zone = ZoneInfo("America/St_Johns")
    since, until = at("2010-11-07T02:45"), at("2010-11-09T03:30")
    assert bucket_edges(since, until, "day", zone) == [since, at("2010-11-08T03:30"), until]


def test_the_first_and_the_last_bucket_are_cut_off() -> None:
    assert lengths("2026-01-01T22:30", "2026-01-02T01:15", "hour", UTC) == [0.5, 1, 1, 0.25]
    assert lengths("2026-01-01T22:30", "2026-01-02T01:15", "day", UTC) == [1.5, 1.25]
    assert lengths("2026-01-01T22:30", "2026-01-02T01:15", "all", UTC) == [2.75]


def test_hours_begin_at_the_local_full_hour() -> None:
    india = ZoneInfo("Asia/Kolkata")
    assert lengths("2026-01-01T10:30", "2026-01-01T13:00", "hour", india) == [0.5, 1, 1]


def test_the_hour_that_comes_twice_is_two() -> None:
    edges = bucket_edges(at("2026-10-25", BERLIN), at("2026-10-26", BERLIN), "hour", BERLIN)
    assert len(edges) == 26
    assert all(end - start == HOUR for start, end in pairwise(edges))


def test_where_clocks_change_by_half_an_hour_so_do_the_hours() -> None:
    lord_howe = ZoneInfo("Australia/Lord_Howe")
    hours = lengths("2026-04-05", "2026-04-05T05:00", "hour", lord_howe)
    assert hours == [1, 1, 0.5, 1, 1, 1]
    assert sum(hours) == 5.5


# ---- whatever lies in the ledger

ZONES = st.sampled_from(
    ["UTC", "Europe/Berlin", "Asia/Kolkata", "Australia/Lord_Howe", "America/St_Johns", "America/Santiago"]
).map(ZoneInfo)
CAUSES = st.sampled_from([Cause.STALLED, Cause.REFUSED, Cause.FROZEN, Cause.NODE_DOWN, Cause.BLURRED])
BUCKETS: list[Bucket] = ["hour", "day", "all"]
CHANGES = [at("2026-03-29"), at("2026-10-25"), at("2026-04-04T15:00"), at("2010-11-07T02:31")]
SPAN = 5 * 24 * HOUR


@st.composite
def stretches(draw: st.DrawFn, around: int) -> list[tuple[int, int | None]]:
    """In turn, beside each other, some of them touching; the last one perhaps open."""
    steps = draw(st.lists(st.integers(0, 30 * HOUR), max_size=12))
    edges = [around - SPAN // 2]
    for step in steps:
        edges.append(edges[-1] + step)
    pairs: list[tuple[int, int | None]] = list(pairwise(edges))
    kept = [pair for pair in pairs if draw(st.booleans())]
    if draw(st.booleans()):
        kept.append((edges[-1], None))
    return kept


@st.composite
def ledgers(draw: st.DrawFn) -> tuple[list[Watch], list[Gap], int, int]:
    around = draw(st.sampled_from(CHANGES))
    watches, gaps = [], []
    for camera in ("gate", "yard"):
        watches += [Watch(camera, start, end) for start, end in draw(stretches(around))]
        gaps += [row(start, end, draw(CAUSES), camera) for start, end in draw(stretches(around))]
    since = around + draw(st.integers(-SPAN, SPAN))
    return watches, draw(st.permutations(gaps)), since, since + draw(st.integers(1, SPAN))


@given(ledger=ledgers(), zone=ZONES)
def test_seen_and_blind_partition_the_time_watched_in_every_bucket(
    ledger: tuple[list[Watch], list[Gap], int, int], zone: ZoneInfo
) -> None:
    watches, gaps, since, until = ledger
    whole = {got.camera: got for got in coverage(watches, gaps, since, until, "all", zone)}
    for bucket in BUCKETS:
        rows = coverage(watches, gaps, since, until, bucket, zone)
        for camera, total in whole.items():
            parts = [got for got in rows if got.camera == camera]
            assert parts[0].start == since
            assert parts[-1].end == until
            assert all(before.end == after.start for before, after in pairwise(parts))
            assert sum(part.watched for part in parts) == total.watched
            assert sum(part.seen for part in parts) == total.seen
            for cause in Cause:
                assert sum(part.blind.get(cause, 0) for part in parts) == total.blind.get(cause, 0)
        for got in rows:
            assert got.seen >= 0
            assert got.seen + sum(got.blind.values()) == got.watched <= got.end - got.start
            assert all(lost > 0 for lost in got.blind.values())


@given(ledger=ledgers())
def test_coverage_agrees_with_asking_at_every_edge(
    ledger: tuple[list[Watch], list[Gap], int, int],
) -> None:
    """Between two neighbouring edges of anything, the camera is in one state all the time."""
    watches, gaps, since, until = ledger
    for got in coverage(watches, gaps, since, until):
        mine = [watch for watch in watches if watch.camera == got.camera]
        blind = [gap for gap in gaps if gap.camera == got.camera and gap.kind is Kind.BLIND]
        moments = {since, until} | {
            edge for thing in [*mine, *blind] for edge in (thing.start, thing.end or 0)
        }
        seen = 0
        for start, end in pairwise(sorted(moment for moment in moments if since <= moment <= until)):
            if holds(mine, start) and not holds(blind, start):
                seen += end - start
        assert got.seen == seen


def holds(things: list[Watch] | list[Gap], moment: int) -> bool:
    return any(thing.start <= moment and (thing.end is None or moment < thing.end) for thing in things)


@given(
    zone=ZONES, since=st.sampled_from(CHANGES), before=st.integers(0, SPAN), length=st.integers(1, 2 * SPAN)
)
def test_buckets_grow_and_are_never_longer_than_they_may_be(
    zone: ZoneInfo, since: int, before: int, length: int
) -> None:
    since -= before
    for bucket, most in (("hour", HOUR), ("day", 25 * HOUR)):
        edges = bucket_edges(since, since + length, bucket, zone)  # type: ignore[arg-type]
        assert (edges[0], edges[-1]) == (since, since + length)
        assert all(0 < end - start <= most for start, end in pairwise(edges))
        for edge in edges[1:-1]:
            local = (EPOCH + timedelta(microseconds=edge)).astimezone(zone)
            before_it = (EPOCH + timedelta(microseconds=edge - 1)).astimezone(zone)
            if local.utcoffset() == before_it.utcoffset():
                assert (local.minute, local.second, local.microsecond) == (0, 0, 0)
                assert bucket == "hour" or local.hour == 0


# ---- the auditor


def test_a_sound_ledger_has_no_problems() -> None:
    watches = [Watch("gate", 0, 50), Watch("gate", 50, 100), Watch("yard", 0)]
    gaps = [
        row(0, 10, Cause.STARTING),
        row(10, 60),
        row(60, 60, Cause.REFUSED),
        row(70, 70, Cause.TIMESTAMP_JUMP),
        row(5, 90, Cause.BLURRED),
        row(5, 90, Cause.SLOW),
        row(0, None, Cause.STARTING, "yard"),
        row(7, None, Cause.MOVED, "yard"),
    ]
    assert partition_problems(watches, gaps) == []


def broken() -> Iterator[tuple[str, list[Gap]]]:
    yield "ends before it begins", [row(20, 10)]
    yield "overlaps", [row(10, 30), row(20, 40)]
    yield "overlaps", [row(10, 90), row(20, 30), row(50, 60)]
    yield "overlaps", [row(10, None), row(50, 60)]
    yield "is open while", [row(10, None), row(20, None)]
    yield "is open while", [row(10, None, Cause.BLURRED), row(20, None, Cause.BLURRED)]
    yield "overlaps", [row(10, 50, Cause.BLURRED), row(20, 30, Cause.BLURRED)]
    yield "lies outside", [row(-5, 5)]
    yield "lies outside", [row(150, 160)]
    yield "lies outside", [row(90, 120)]
    yield "lies outside", [row(90, None, camera="door")]
    yield "lies outside", [row(10, 20, camera="nobody")]
    yield "there twice", [row(10, 20, name="a"), row(30, 40, name="a")]
    yield "does not end where it begins", [row(10, 20, Cause.CODEC_CHANGED)]
    yield "does not end where it begins", [row(10, None, Cause.CODEC_CHANGED)]


@pytest.mark.parametrize(("problem", "gaps"), list(broken()))
def test_each_problem_is_said_in_a_sentence(problem: str, gaps: list[Gap]) -> None:
    watches = [Watch("gate", 0, 100), Watch("gate", 200), Watch("door", 0, 100)]
    problems = partition_problems(watches, gaps)
    assert problems
    assert any(problem in sentence for sentence in problems), problems
    assert all(gaps[0].camera in sentence for sentence in problems)


def test_watches_are_looked_at_too() -> None:
    overlapping, twice_open = partition_problems(
        [Watch("gate", 0, 100), Watch("gate", 50), Watch("gate", 60)], []
    )
    assert overlapping == (
        "camera gate: the watch 1970-01-01T00:00:00.000050Z – open overlaps "
        "1970-01-01T00:00:00.000000Z – 1970-01-01T00:00:00.000100Z"
    )
    assert "is open while" in twice_open


def test_a_sentence_names_the_rows_and_their_times() -> None:
    start = at("2026-11-01T12:00:00")
    first, second = row(start, start + 2 * SECOND, name="a"), row(start + SECOND, None, name="b")
    (sentence,) = partition_problems([Watch("gate", start)], [first, second])
    assert sentence == (
        "camera gate: the blind row b (stalled) 2026-11-01T12:00:01.000000Z – open overlaps "
        "a (stalled) 2026-11-01T12:00:00.000000Z – 2026-11-01T12:00:02.000000Z"
    )


def test_of_a_broken_ledger_only_so_many_problems_are_told() -> None:
    gaps = [row(10, 20, name=str(n)) for n in range(PROBLEMS_AT_MOST + 50)]
    problems = partition_problems([Watch("gate", 0)], gaps)
    assert len(problems) == PROBLEMS_AT_MOST + 1
    assert problems[-1] == "and 49 more"


def test_a_thousand_cameras_with_a_month_of_gaps_are_counted_in_moments() -> None:
    start = at("2026-10-01", BERLIN)
    gaps = [
        row(start + n * 2 * HOUR, start + n * 2 * HOUR + HOUR, camera=f"camera-{camera}")
        for camera in range(1000)
        for n in range(100)
    ]
    watches = [Watch(f"camera-{camera}", start) for camera in range(1000)]
    rows = coverage(watches, gaps, start, start + 200 * HOUR, "day", BERLIN)
    assert sum(got.seen for got in rows) == 1000 * 100 * HOUR
    assert partition_problems(watches, [replace(gap, id=str(n)) for n, gap in enumerate(gaps)]) == []
