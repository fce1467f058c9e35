"""What is told of a camera, and when it is over."""

from __future__ import annotations

from dataclasses import dataclass, field

from hypothesis import given
from hypothesis import strategies as st

from vedette.quality.drift.decisions import (
    ChangedPicture,
    ConditionsKnown,
    Decision,
    Noticed,
    Stage,
    SuspectedLoss,
    SuspicionOver,
    UnseenConditions,
)
from vedette.quality.drift.settings import Settings
from vedette.quality.drift.state import Said, State, next_state, stage

SETTINGS = Settings(arl_days=1.0, unseen_after_s=600.0)
ARL = SETTINGS.arl


@dataclass
class Story:
    """Windows of ten seconds, one after the other."""

    at: float = 1000.0
    state: State = field(default_factory=State)
    told: list[Decision] = field(default_factory=list)

    def windows(
        self,
        count: int,
        *,
        known: bool | None = True,
        evidence: float = 0.0,
        named: bool = False,
        kind: type[Noticed] = SuspectedLoss,
    ) -> None:
        for _ in range(count):
            began, self.at = self.at, self.at + 10
            noticed = kind(
                camera="a", at=self.at, since=began, measure="weak", direction="up", usual=0.5, lately=0.7,
                deviations=4.0, light=4, evidence=evidence,
            )  # fmt: skip
            said = Said("a", began, self.at, known, 4, 12, evidence, noticed if named else None)
            self.state, told = next_state(self.state, said, SETTINGS)
            self.told += told

    def kinds(self) -> list[type[Decision]]:
        return [type(each) for each in self.told]


def test_unseen_conditions_are_told_once_when_they_have_lasted_ten_minutes() -> None:
    story = Story()
    story.windows(59, known=False)
    assert not story.told
    assert stage(story.state, learning=False) is Stage.UNSEEN
    story.windows(100, known=False)
    assert story.kinds() == [UnseenConditions]
    assert story.told[0].at == 1000 + 600


def test_unseen_conditions_are_over_when_known_ones_have_lasted_a_minute() -> None:
    story = Story()
    story.windows(60, known=False)
    story.windows(5)
    story.windows(1, known=False)
    assert story.kinds() == [UnseenConditions]
    story.windows(6)
    assert story.kinds() == [UnseenConditions, ConditionsKnown]
    assert stage(story.state, learning=False) is Stage.WATCHING


def test_unseen_conditions_that_pass_are_not_told() -> None:
    story = Story()
    for _ in range(10):
        story.windows(30, known=False)
        story.windows(6)
    assert not story.told


def test_conditions_are_not_unseen_while_nothing_was_learnt() -> None:
    story = Story()
    story.windows(200, known=None)
    assert not story.told
    assert stage(story.state, learning=True) is Stage.LEARNING


def test_loss_is_told_once_and_over_after_ten_calm_minutes() -> None:
    story = Story()
    story.windows(50, evidence=2 * ARL, named=True)
    story.windows(30, evidence=0.5 * ARL)
    assert story.kinds() == [SuspectedLoss]
    story.windows(59, evidence=0.0)
    assert stage(story.state, learning=False) is Stage.SUSPECTED
    story.windows(1, evidence=0.0)
    assert story.kinds() == [SuspectedLoss, SuspicionOver]


def test_a_changed_picture_is_told_once_and_a_loss_after_it_once() -> None:
    story = Story()
    story.windows(50, evidence=2 * ARL, named=True, kind=ChangedPicture)
    assert stage(story.state, learning=False) is Stage.CHANGED
    story.windows(50, evidence=2 * ARL, named=True)
    story.windows(50, evidence=2 * ARL, named=True, kind=ChangedPicture)
    assert story.kinds() == [ChangedPicture, SuspectedLoss]
    assert stage(story.state, learning=False) is Stage.SUSPECTED
    story.windows(60, evidence=0.0)
    assert story.kinds() == [ChangedPicture, SuspectedLoss, SuspicionOver]
    story.windows(1, evidence=2 * ARL, named=True, kind=ChangedPicture)
    assert stage(story.state, learning=False) is Stage.CHANGED


def test_a_suspicion_that_comes_back_before_it_is_over_is_the_same() -> None:
    story = Story()
    for _ in range(5):
        story.windows(10, evidence=2 * ARL, named=True)
        story.windows(40, evidence=0.0)
    assert story.kinds() == [SuspectedLoss]


def test_conditions_in_which_nothing_is_judged_do_not_clear_a_camera() -> None:
    story = Story()
    story.windows(1, evidence=2 * ARL, named=True)
    story.windows(55, evidence=0.0, known=False)
    story.windows(55, evidence=0.0)
    assert story.kinds() == [SuspectedLoss]


@given(
    st.lists(
        st.tuples(st.integers(1, 80), st.sampled_from([True, False, None]), st.floats(0, 2 * ARL)),
        max_size=20,
    )
)
def test_what_is_told_begins_and_ends_by_turns(story_of: list[tuple[int, bool | None, float]]) -> None:
    story = Story()
    for count, known, evidence in story_of:
        story.windows(count, known=known, evidence=evidence, named=evidence >= ARL)
    for begin, end in ((UnseenConditions, ConditionsKnown), (SuspectedLoss, SuspicionOver)):
        turns = [kind for kind in story.kinds() if kind in (begin, end)]
        assert turns == [(begin, end)[place % 2] for place in range(len(turns))]
