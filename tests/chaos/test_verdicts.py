"""Verdicts over faults and what was told of them, in simulated time."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import count

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vedette.causes import Blame, Cause, kind_of
from vedette.chaos.expect import PICTURE_KINDS, expected, warm_up
from vedette.chaos.seen import Results, Row, Seen, Setting, Struck, Told
from vedette.chaos.summary import by_kind, summed
from vedette.chaos.verdict import Excuse, Judgement, Verdict, judge
from vedette.sim.faults import KINDS
from vedette.sim.faults.kinds import options_of

_numbers = count()


def struck(
    kind: str, began: float = 100.0, lasted: float = 0.0, camera: str = "gate", **options: object
) -> Struck:
    filled, wrong = options_of(KINDS[kind], options)
    assert not wrong
    return Struck(f"{kind}-{next(_numbers)}", kind, camera, began, began + lasted, filled)


def row(
    start: float,
    end: float | None,
    *told: tuple[float, Cause],
    camera: str = "gate",
) -> Row:
    """``told``: when which cause was heard of."""
    story = tuple(Told(at, cause, Blame.CAMERA) for at, cause in told)
    return Row(f"row-{next(_numbers)}", camera, kind_of(told[0][1]), start, end, story)


def event(at: float, cause: Cause) -> Row:
    return row(at, at, (at + 0.1, cause))


def results(*stretches: tuple[float, float]) -> Results:
    """Ten results a second, each 50 ms old, of frames captured in these stretches."""
    captured = [start + n / 10 for start, end in stretches for n in range(int((end - start) * 10))]
    return Results(captured, [at + 0.05 for at in captured])


def judged(
    faults: Sequence[Struck],
    rows: Sequence[Row] = (),
    came: Results | None = None,
    cameras: Sequence[str] = ("gate",),
    since: float = 0.0,
    until: float = 500.0,
) -> Judgement:
    came = came or results((0.0, until))
    settings = {name: Setting() for name in cameras}
    return judge(Seen(faults, rows, dict.fromkeys(cameras, came), settings, since, until))


def verdict(faults: Sequence[Struck], rows: Sequence[Row] = (), came: Results | None = None) -> Verdict:
    """Of the first fault; the others are as told as may be."""
    return next(v for v in judged(faults, rows, came).verdicts if v.fault is faults[0])


# ---- noticed


def test_a_stall_that_is_told_in_time_and_overcome_is_right() -> None:
    found = verdict(
        [struck("stall", 100, 20)],
        [row(100, 120.1, (101.2, Cause.STALLED))],
        results((0, 100), (120.05, 500)),
    )
    assert found.passed
    assert found.right
    assert found.told_after == pytest.approx(1.2)
    assert found.back_after == pytest.approx(0.1)
    assert found.first_result_after == pytest.approx(0.1)
    assert found.cause is Cause.STALLED


def test_a_stall_that_is_not_told_is_missed() -> None:
    found = verdict([struck("stall", 100, 20)])
    assert found.problems == ("not told within 2.6 s",)
    assert found.right is None


def test_a_stall_that_is_told_too_late_is_a_failure() -> None:
    found = verdict([struck("stall", 100, 20)], [row(100, 120.1, (108, Cause.STALLED))])
    assert found.told_after == 8
    assert found.problems[0].startswith("told only after 8.0 s")


def test_a_stall_told_as_something_else_is_wrong() -> None:
    found = verdict([struck("stall", 100, 20)], [row(100, 120.1, (101.2, Cause.FROZEN))])
    assert found.right is False
    assert found.cause is Cause.FROZEN
    assert "told as frozen" in found.problems
    # It is this fault's, and so not false.
    assert not judged([struck("stall", 100, 20)], [row(100, 120.1, (101.2, Cause.FROZEN))]).unexplained


def test_a_stall_shorter_than_its_threshold_need_not_be_told() -> None:
    found = verdict([struck("stall", 100, 0.8)])
    assert found.passed
    assert found.excuse == Excuse.TOO_SHORT
    assert found.told_after is None


def test_a_short_stall_that_is_told_all_the_same_is_judged() -> None:
    found = verdict([struck("stall", 100, 1.5)], [row(100, 101.6, (101.3, Cause.DARK))])
    assert not found.passed


def test_a_camera_that_sends_rarely_is_given_more_time() -> None:
    fault = struck("stall", 100, 20)
    assert (expected(fault, Setting(fps=1)).within or 0) > (expected(fault, Setting()).within or 0) + 1


def test_pauses_that_earlier_faults_taught_are_allowed_for() -> None:
    fault, burst = struck("stall", 100, 20), struck("burst", 50, 20, hold="4s")
    assert (expected(fault, Setting(), [burst]).within or 0) >= 1.5 * 4


# ---- for what it is


def test_a_wrong_password_may_begin_as_a_lost_connection() -> None:
    fault = struck("wrong_password", 100, 20)
    outage = row(100, 130, (100.1, Cause.CONNECTION_LOST), (100.6, Cause.UNAUTHORISED))
    found = verdict([fault], [outage], results((0, 100), (130, 500)))
    assert found.passed
    assert found.cause is Cause.UNAUTHORISED
    assert found.told_after == pytest.approx(0.1)


def test_a_wrong_password_that_stays_a_lost_connection_is_wrong() -> None:
    found = verdict([struck("wrong_password", 100, 20)], [row(100, 125, (100.1, Cause.CONNECTION_LOST))])
    assert found.right is False
    assert "told as connection_lost" in found.problems


def test_one_that_lasts_only_a_moment_may_stay_one() -> None:
    found = verdict([struck("wrong_password", 100, 0.3)], [row(100, 101, (100.1, Cause.ENDED))])
    assert found.passed


@pytest.mark.parametrize("cause", [Cause.ENDED, Cause.CONNECTION_LOST, Cause.REFUSED])
def test_a_restart_may_be_told_in_three_ways(cause: Cause) -> None:
    found = verdict(
        [struck("restart", 100, 5)], [row(100, 106, (100.1, cause))], results((0, 100), (106, 500))
    )
    assert found.passed


@pytest.mark.parametrize(
    ("by", "cause"),
    [("-10s", Cause.TIMESTAMP_JUMP), ("1h", Cause.TIMESTAMP_JUMP), ("5s", Cause.TIMESTAMP_GAP)],
)
def test_a_jump_of_timestamps_is_told_by_its_size(by: str, cause: Cause) -> None:
    fault = struck("pts_jump", 100, by=by)
    assert verdict([fault], [event(100.0, cause)]).passed
    other = {Cause.TIMESTAMP_JUMP, Cause.TIMESTAMP_GAP} - {cause}
    assert not verdict([fault], [event(100.0, other.pop())]).passed


def test_a_change_of_codec_comes_with_a_gap() -> None:
    ended, back = row(100, 100.6, (100.1, Cause.ENDED)), row(120, 120.6, (120.1, Cause.ENDED))
    changed = [event(100.5, Cause.CODEC_CHANGED), event(120.5, Cause.CODEC_CHANGED)]
    came = results((0, 100), (100.6, 120), (120.6, 500))
    whole = judged([struck("codec", 100, 20)], [ended, back, *changed], came)
    assert whole.passed
    assert whole.verdicts[0].cause is Cause.CODEC_CHANGED


def test_a_change_of_size_shows_at_both_ends() -> None:
    rows = [event(100.2, Cause.RESOLUTION_CHANGED), event(120.2, Cause.RESOLUTION_CHANGED)]
    assert judged([struck("resolution", 100, 20)], rows).passed


@pytest.mark.parametrize(("kind", "cause"), PICTURE_KINDS.items())
def test_a_fault_of_the_picture_has_the_time_that_its_check_takes(kind: str, cause: Cause) -> None:
    fault = struck(kind, 100, 90)
    within = expected(fault, Setting()).within or 0.0
    opened = 100 + within - 0.5
    assert verdict([fault], [row(102, 193, (opened, cause))]).passed
    assert not verdict([fault], []).passed
    assert verdict([struck(kind, 100, within - 1)], []).excuse == Excuse.TOO_SHORT


def test_each_kind_of_fault_has_a_rule() -> None:
    for kind in KINDS:
        rule = expected(struck(kind, 100, 0 if KINDS[kind].moment else 30), Setting())
        assert rule.right or rule.within is None
        assert rule.back_within > 0


# ---- what need not be told


@pytest.mark.parametrize("kind", ["jitter", "burst", "loss"])
def test_what_a_camera_survives_need_not_be_told(kind: str) -> None:
    found = verdict([struck(kind, 100, 30)])
    assert found.passed
    assert found.excuse == Excuse.NOT_NEEDED


def test_a_stall_told_of_a_little_jitter_is_wrong() -> None:
    found = verdict([struck("jitter", 100, 30)], [row(110, 112, (111.2, Cause.STALLED))])
    assert found.problems == ("told as stalled",)


def test_a_line_that_is_far_too_narrow_has_to_be_told() -> None:
    fault = struck("slow", 100, 60, kbps=50)
    assert not verdict([fault]).passed
    assert verdict([fault], [row(103, 170, (108, Cause.LATE))], results((0, 103), (161, 500))).passed
    assert verdict([struck("slow", 100, 60, kbps=5000)]).excuse == Excuse.NOT_NEEDED


def test_a_fault_on_a_camera_that_is_blind_already_is_masked() -> None:
    stall = struck("stall", 95, 20)
    found = verdict([struck("drop", 100), stall], [row(95, 115.2, (96.2, Cause.STALLED))])
    assert found.passed
    assert found.excuse == Excuse.MASKED


def test_a_blur_soon_after_another_size_cannot_be_told() -> None:
    size = struck("resolution", 60, 35)
    rows = [event(60.1, Cause.RESOLUTION_CHANGED), event(95.1, Cause.RESOLUTION_CHANGED)]
    found = verdict([struck("blur", 100, 30), size], rows)
    assert found.excuse == Excuse.TOO_SOON


def test_faults_at_the_very_end_are_not_held_against_anybody() -> None:
    found = judged([struck("blur", 100, 30)], until=105, came=results((0, 105)))
    assert found.passed
    assert judged([struck("drop", 104.9)], until=105, came=results((0, 105))).passed


# ---- overcome


def test_a_camera_that_does_not_come_back_is_a_failure() -> None:
    found = verdict([struck("stall", 100, 20)], [row(100, None, (101.2, Cause.STALLED))], results((0, 100)))
    assert found.back_after is None
    assert found.first_result_after is None
    assert any("not over within" in problem for problem in found.problems)
    assert any("no result within" in problem for problem in found.problems)


def test_a_camera_that_comes_back_late_is_a_failure() -> None:
    found = verdict(
        [struck("stall", 100, 20)], [row(100, 140, (101.2, Cause.STALLED))], results((0, 100), (140, 500))
    )
    assert found.back_after == pytest.approx(20)
    assert not found.passed


def test_the_longer_a_password_was_wrong_the_later_a_camera_may_come_back() -> None:
    short, long = (expected(struck("wrong_password", 100, s), Setting()) for s in (5, 100))
    assert short.back_within < 40 < long.back_within <= 1.5 * 120 + 5


def test_what_the_next_fault_prolongs_is_not_held_against_the_first() -> None:
    first, second = struck("stall", 100, 10), struck("stall", 110.5, 30)
    rows = [row(100, 141, (101.2, Cause.STALLED))]
    found = judged([first, second], rows, results((0, 100), (141, 500)))
    assert found.passed


def test_only_what_keeps_results_away_has_a_first_result() -> None:
    found = verdict([struck("black", 100, 20)], [row(101, 123, (105, Cause.DARK))])
    assert found.passed
    assert found.first_result_after is None


# ---- false


def test_what_is_told_of_a_healthy_camera_is_false() -> None:
    rows = [
        row(100, 120.1, (101.2, Cause.STALLED)),
        row(105, 106, (106, Cause.STALLED), camera="yard"),
    ]
    found = judged([struck("stall", 100, 20)], rows, results((0, 100), (120, 500)), ["gate", "yard"])
    assert [each.camera for each in found.unexplained] == ["yard"]
    assert not found.passed
    assert found.verdicts[0].passed


def test_what_is_told_long_after_a_fault_is_false() -> None:
    found = judged(
        [struck("stall", 100, 20)],
        [row(100, 120.1, (101.2, Cause.STALLED)), row(140, 141, (141, Cause.STALLED))],
    )
    assert [each.told.at for each in found.unexplained] == [141]


def test_what_follows_at_once_from_a_fault_is_not_false() -> None:
    found = judged(
        [struck("stall", 100, 20)],
        [row(100, 120.1, (101.2, Cause.STALLED)), row(121, 122.3, (122.2, Cause.STALLED))],
    )
    assert not found.unexplained


def test_nothing_is_explained_before_it_began() -> None:
    found = judged([struck("stall", 100, 20)], [row(90, 92, (91.2, Cause.STALLED))])
    assert len(found.unexplained) == 1


def test_what_was_told_before_all_cameras_saw_does_not_count() -> None:
    assert judged([], [row(0, 2, (0.1, Cause.STARTING))], since=5).passed


@pytest.mark.parametrize("cause", [Cause.WORKER_LOST, Cause.DETECTOR_LOST, Cause.DECODE_BEHIND])
def test_our_own_failures_are_never_explained_by_a_camera(cause: Cause) -> None:
    found = judged([struck("stall", 100, 20)], [row(102, 103, (102.5, cause))])
    assert not found.passed


def test_the_way_back_of_a_moved_camera_is_a_move_itself() -> None:
    fault = struck("moved", 100, 70)
    rows = [row(101, 143, (113, Cause.MOVED)), row(171, 200, (184, Cause.MOVED))]
    assert judged([fault], rows).passed


# ---- in all


def test_kinds_are_summed_up() -> None:
    faults = [struck("stall", at, 20) for at in (100, 200, 300)] + [struck("stall", 400, 0.5)]
    rows = [
        row(100, 120.1, (101.0, Cause.STALLED)),
        row(200, 220.3, (202.0, Cause.STALLED)),
        row(300, 320.2, (301.5, Cause.DARK)),
    ]
    came = results((0, 100), (120, 200), (220, 300), (320, 500))
    (stalls,) = by_kind(judged(faults, rows, came).verdicts)
    assert (stalls.faults, stalls.told, stalls.right, stalls.passed) == (4, 2, 2, 3)
    assert stalls.excused == {Excuse.TOO_SHORT: 1}
    assert stalls.told_after is not None
    assert (stalls.told_after.p50, stalls.told_after.max) == (1.0, 2.0)
    assert stalls.share_right == pytest.approx(2 / 3)
    assert summed("nothing", []).share_right is None


def test_the_warm_up_is_as_long_as_the_slowest_kind_needs() -> None:
    assert warm_up(frozenset({"stall"})) < warm_up(frozenset({"blur"})) < warm_up(frozenset({"rate", "blur"}))


CAUSES = st.sampled_from(sorted(Cause))
MOMENTS = st.floats(0, 500, allow_nan=False)


@st.composite
def stories(draw: st.DrawFn) -> tuple[list[Struck], list[Row]]:
    faults = []
    for _ in range(draw(st.integers(0, 6))):
        kind = draw(st.sampled_from(sorted(KINDS)))
        lasted = 0.0 if KINDS[kind].moment else draw(st.floats(0, 60))
        faults.append(struck(kind, draw(MOMENTS), lasted))
    rows = []
    for _ in range(draw(st.integers(0, 6))):
        start, wait = draw(MOMENTS), draw(st.floats(0, 20))
        causes = draw(st.lists(CAUSES, min_size=1, max_size=3))
        told = [(start + wait + n, cause) for n, cause in enumerate(causes)]
        rows.append(row(start, draw(st.none() | st.just(start + wait + 5)), *told))
    return faults, rows


@given(stories())
def test_every_fault_gets_one_verdict_and_everything_told_is_somebodys(
    story: tuple[list[Struck], list[Row]],
) -> None:
    faults, rows = story
    found = judged(faults, rows)
    assert sorted(v.fault.id for v in found.verdicts) == sorted(fault.id for fault in faults)
    for each in found.verdicts:
        assert each.told_after is None or each.told_after >= 0
        assert each.back_after is None or each.back_after >= 0
        assert (each.excuse is None) or each.told_after is None
    if not faults:
        told = sum(0 <= t.at <= 500 for r in rows for t in r.told)
        assert len(found.unexplained) == told
