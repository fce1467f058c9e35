"""That a camera is thinned is the node's own knowledge: no worker takes it along when it dies."""

from __future__ import annotations

from itertools import count

from vedette.causes import Blame, Cause
from vedette.facts import (
    CameraAdded,
    CameraRemoved,
    Degraded,
    GapChanged,
    GapClosed,
    GapOpened,
    Recovered,
    Sees,
)
from vedette.ledger.timeline import Timeline, Told


def watched() -> Timeline:
    ids = count()
    timeline = Timeline(
        new_id=lambda: f"{next(ids)}", interval=lambda _: 0.04, when=lambda at: round(at * 1e6), not_before=0
    )
    timeline.take(CameraAdded(at=1.0, camera="gate", host="h"))
    timeline.take(Sees(at=2.0, camera="gate", epoch=0))
    for cause, blame in ((Cause.THINNED, Blame.NODE), (Cause.LATE, Blame.NETWORK)):
        timeline.take(Degraded(at=10.0, camera="gate", since=10.0, cause=cause, blame=blame, detail="x"))
    return timeline


def closed(told: list[Told]) -> list[Cause]:
    return [fact.gap.cause for fact in told if isinstance(fact, GapClosed)]


def open_causes(timeline: Timeline) -> set[Cause]:
    return {gap.cause for gap in timeline.open_gaps()}


def test_it_outlives_the_worker_and_a_change_of_settings() -> None:
    for happens in (
        lambda timeline: timeline.worker_lost(["gate"], 20.0, "killed"),
        lambda timeline: timeline.take(CameraAdded(at=20.0, camera="gate", host="h")),
    ):
        timeline = watched()
        assert closed(happens(timeline)) == [Cause.LATE]
        timeline.take(Sees(at=22.0, camera="gate", epoch=1))
        assert open_causes(timeline) == {Cause.THINNED}
        told = timeline.take(Recovered(at=30.0, camera="gate", cause=Cause.THINNED))
        (row,) = [fact.gap for fact in told if isinstance(fact, GapClosed)]
        assert (row.start, row.end) == (10_000_000, 30_000_000)


def test_it_ends_with_the_watch_and_what_is_said_later_changes_nothing() -> None:
    timeline = watched()
    assert set(closed(timeline.take(CameraRemoved(at=20.0, camera="gate")))) == {Cause.THINNED, Cause.LATE}
    assert timeline.take(Recovered(at=20.5, camera="gate", cause=Cause.THINNED)) == []
    timeline.take(CameraAdded(at=21.0, camera="gate", host="h"))
    assert timeline.take(Recovered(at=21.5, camera="gate", cause=Cause.THINNED)) == []


def test_a_pause_ends_it() -> None:
    timeline = watched()
    assert Cause.THINNED in closed(timeline.paused("gate", 20.0))
    assert timeline.take(Recovered(at=20.5, camera="gate", cause=Cause.THINNED)) == []


def test_step_by_step_it_is_one_row() -> None:
    timeline = watched()
    for at, detail in ((11.0, "fewer"), (12.0, "keyframes"), (12.5, "keyframes")):
        told = timeline.take(
            Degraded(at=at, camera="gate", since=at, cause=Cause.THINNED, blame=Blame.NODE, detail=detail)
        )
        assert not [fact for fact in told if isinstance(fact, GapOpened)]
        assert len([fact for fact in told if isinstance(fact, GapChanged)]) == (at != 12.5)
    (row,) = [gap for gap in timeline.open_gaps() if gap.cause is Cause.THINNED]
    assert (row.start, row.detail) == (10_000_000, "keyframes")
