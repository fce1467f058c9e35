"""Since when a camera has been as it is, and why."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from vedette.quality.drift.decisions import Decision, Stage, SuspectedLoss, SuspicionOver
from vedette.quality.drift.monitor import Status
from vedette.quality.drift.standing import Standings

WATCHING = Status(
    stage=Stage.WATCHING, model="m", progress=1.0, light=4, lights=(4,), judged=True, evidence=0.1,
    left_out=0, nbytes=0,
)  # fmt: skip
LOSS = SuspectedLoss(
    camera="gate", at=500.0, since=380.0, measure="weak", direction="up", usual=0.3, lately=0.6,
    deviations=4.0, light=4, evidence=1200.0,
)  # fmt: skip
OVER = SuspicionOver(camera="gate", at=2000.0, since=1400.0, reset=False)


def stands(standings: Standings, stage: Stage, now: float, unseen_since: float | None = None) -> float:
    status = replace(WATCHING, stage=stage, unseen_since=unseen_since)
    return standings.stands("gate", status, now).since


def test_a_stage_began_when_it_was_first_seen() -> None:
    standings = Standings()
    assert stands(standings, Stage.LEARNING, 100.0) == 100.0
    assert stands(standings, Stage.LEARNING, 110.0) == 100.0
    assert stands(standings, Stage.WATCHING, 120.0) == 120.0
    assert stands(standings, Stage.WATCHING, 900.0) == 120.0


def test_a_suspicion_began_with_the_loss_and_says_by_which_measure() -> None:
    standings = Standings()
    stands(standings, Stage.WATCHING, 100.0)
    standings.decided(LOSS)
    assert stands(standings, Stage.SUSPECTED, 500.0) == 380.0
    found = standings.stands("gate", replace(WATCHING, stage=Stage.SUSPECTED), 510.0)
    assert (found.noticed, found.suspicions) == (LOSS, 1)
    standings.decided(OVER)
    found = standings.stands("gate", WATCHING, 2000.0)
    assert (found.since, found.noticed, found.suspicions) == (2000.0, None, 1)


def test_an_unseen_light_began_when_it_came() -> None:
    assert stands(Standings(), Stage.UNSEEN, 700.0, unseen_since=90.0) == 90.0


def test_a_camera_that_is_gone_is_forgotten() -> None:
    standings = Standings()
    standings.decided(LOSS)
    standings.forget("gate")
    assert standings.stands("gate", WATCHING, 900.0).suspicions == 0


@given(st.lists(st.sampled_from([LOSS, OVER, None]), max_size=30))
def test_suspicions_only_become_more(story: list[Decision | None]) -> None:
    standings, before = Standings(), 0
    for number, decision in enumerate(story):
        if decision is not None:
            standings.decided(decision)
        found = standings.stands("gate", WATCHING, 1000.0 + number)
        assert before <= found.suspicions <= before + 1
        assert found.suspicions == story[: number + 1].count(LOSS)
        before = found.suspicions
