"""What is shown when, and how far two looks agree."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from review_frames import START, accepted, predictions, rejected
from vedette.quality.labels.dataset import Box
from vedette.quality.review.agreement import Agreement, agreement
from vedette.quality.review.matching import iou, pairs
from vedette.quality.review.queue import Look, in_turn, repeatable
from vedette.quality.review.rows import Final, Item, Prediction, Review, State, Task, Verdict
from vedette.quality.review.sampling import Reason


def item(number: int = 0, reason: Reason | None = None, said: tuple[Prediction, ...] | None = None) -> Item:
    said = predictions() if said is None else said
    probability = 0.1 if reason is None else None
    return Item(
        f"{number:04}", f"{number}.jpg", "gate", START + number, 64, 48, "", "m", said, reason, probability,
        State.WAITING, 100, "",
    )  # fmt: skip


def test_uniform_and_targeted_frames_take_turns() -> None:
    waiting = [
        item(1),
        item(2),
        item(3, Reason.WEAK_BOXES),
        item(4, Reason.SUSPECTED_LOSS),
        item(5, Reason.WEAK_BOXES),
    ]
    shown = [task.item.id for task in in_turn(waiting, [], done=0, count=9, seed=1)]
    assert shown == ["0001", "0004", "0002", "0005", "0003"], "suspected loss first, then the newest"


def test_turns_go_on_when_frames_are_asked_for_one_at_a_time() -> None:
    waiting = [item(number, None if number < 5 else Reason.WEAK_BOXES) for number in range(10)]
    kinds = []
    for done in range(6):
        (task,) = in_turn(waiting, [], done=done, count=1, seed=1)
        waiting.remove(task.item)
        kinds.append(task.item.uniform)
    assert kinds == [True, False] * 3


def test_repeats_come_by_chance_and_stop_when_there_is_nothing_else() -> None:
    waiting = [item(number) for number in range(1000)]
    again = [Task(item(number), number) for number in range(2000, 3000)]
    tasks = in_turn(waiting, again, done=0, count=1000, seed=3)
    where = [number for number, task in enumerate(tasks) if task.repeat_of is not None]
    assert 30 <= len(where) <= 72
    assert len({b - a for a, b in pairwise(where)}) > 10, "nobody can foresee them"
    assert in_turn(waiting, again, done=0, count=1000, seed=3) == tasks
    assert len(in_turn([], again, done=0, count=1000, seed=3)) <= 1


def test_what_somebody_may_remember_is_not_repeated_nor_what_was_repeated() -> None:
    looks = [Look(number, f"{number}", None) for number in range(40)]
    looks.append(Look(40, "3", 3))
    found = {each.item for each in repeatable({f"{number}" for number in range(1, 40)}, looks, seed=1)}
    assert found == {f"{number}" for number in range(1, 21)} - {"3"}, "0 cannot be shown, 3 was repeated"


def test_the_same_answers_agree_entirely() -> None:
    looks = [(accepted(item()), accepted(item())), (rejected(item()), rejected(item()))]
    assert agreement(looks) == Agreement(2, 1.0, 1.0, 4)


def test_opposite_answers_disagree_entirely() -> None:
    looks = [(accepted(item()), rejected(item())), (rejected(item()), accepted(item()))]
    assert agreement(looks) == Agreement(2, 0.0, -1.0, 4)


def test_kappa_is_cohens() -> None:
    """The textbook's 50 grants: 20 yes-yes, 5 yes-no, 10 no-yes, 15 no-no give 0.4."""
    said = tuple(Prediction((float(n), 0.0, n + 1.0, 1.0), "car", 0.5) for n in range(50))
    one = item(said=said)
    yes, no = Verdict.ACCEPTED, Verdict.REJECTED

    def look(verdicts: list[Verdict]) -> Review:
        boxes = tuple(Final(Box(said[n].xyxy, "car"), n) for n in range(50) if verdicts[n] is yes)
        return accepted(one, verdicts=tuple(verdicts), boxes=boxes)

    found = agreement([(look([yes] * 25 + [no] * 25), look([yes] * 20 + [no] * 5 + [yes] * 10 + [no] * 15))])
    assert found.kappa == pytest.approx(0.4)
    assert found.f1 == pytest.approx(2 * 20 / 55)


def test_there_is_no_kappa_where_both_said_one_word_only() -> None:
    assert agreement([(accepted(item()), accepted(item()))]).kappa is None
    assert agreement([]) == Agreement(0, None, None, 0)


def test_skipped_looks_do_not_count() -> None:
    looks = [(accepted(item()), accepted(item(), state=State.SKIPPED))]
    assert agreement(looks) == Agreement(0, None, None, 0)


def test_boxes_agree_from_half_an_overlap_on_and_in_their_class() -> None:
    def look(xyxy: tuple[float, float, float, float], label: str = "car", difficult: bool = False) -> Review:
        return accepted(item(said=()), boxes=(Final(Box(xyxy, label, difficult=difficult)),))

    one = look((0.0, 0.0, 10.0, 10.0))
    assert agreement([(one, look((0.0, 0.0, 10.0, 5.0)))]).f1 == 1.0
    assert agreement([(one, look((0.0, 0.0, 10.0, 4.9)))]).f1 == 0.0
    assert agreement([(one, look((0.0, 0.0, 10.0, 10.0), "person"))]).f1 == 0.0
    assert agreement([(one, look((0.0, 0.0, 10.0, 10.0), difficult=True))]).f1 is None, "nobody was sure"


corner = st.floats(0, 50)
boxes = st.lists(
    st.tuples(corner, corner, corner, corner).map(
        lambda c: ((min(c[0], c[2]), min(c[1], c[3]), max(c[0], c[2]), max(c[1], c[3])), "car")
    ),
    max_size=6,
)


@given(first=boxes, second=boxes)
def test_pairs_are_of_boxes_that_overlap_each_once(
    first: list[tuple[tuple[float, float, float, float], str]],
    second: list[tuple[tuple[float, float, float, float], str]],
) -> None:
    found = pairs(first, second, 0.5)
    assert len({i for i, _ in found}) == len({j for _, j in found}) == len(found)
    for i, j in found:
        assert first[i] == second[j] or iou(first[i][0], second[j][0]) >= 0.5
    assert len(pairs(first, first, 0.5)) == len(first)
    left = {i for i, _ in found}
    right = {j for _, j in found}
    for i in set(range(len(first))) - left:
        for j in set(range(len(second))) - right:
            assert iou(first[i][0], second[j][0]) < 0.5, "nothing that could be paired is left"
