"""What was told and found lately, for those who come and ask."""

from __future__ import annotations

import json
import time

import numpy as np
import pytest

from vedette.causes import Blame, Cause, Kind
from vedette.control.protocol import Happening, Happenings, Results
from vedette.facts import (
    Alerted,
    AnyFact,
    Blind,
    CameraAdded,
    CameraRestarted,
    CanaryEnded,
    EndReason,
    Gap,
    GapClosed,
    GapOpened,
    Sees,
    SessionEnded,
    ShadowStarted,
    Stepped,
    Trouble,
    WorkerEnded,
)
from vedette.observe import recent
from vedette.observe.fact_log import log_fact
from vedette.observe.log import configure_logging
from vedette.observe.recent import ASKED_HOLDS_S, HAPPENINGS_AT_MOST, RecentHappenings, RecentResults
from vedette.results import Boxes, Result
from vedette.testing import ManualClock

SECRET = "rtsp://admin:hunter2@10.0.0.5/1"


def result(seq: int, boxes: int = 0) -> Result:
    found = Boxes(
        np.zeros((boxes, 4), np.float32),
        np.full(boxes, 0.5, np.float32),
        np.zeros(boxes, np.int32),
        ("person",) * boxes,
        np.arange(boxes),
    )
    return Result("gate", 0, seq, 1.0, 1.1, 0.1, 640, 360, found)


class Node:
    """Results that leave, remembered where somebody wants them."""

    def __init__(self) -> None:
        self.clock, self.left = ManualClock(), 0
        self.recent = RecentResults(lambda: self.left, self.clock)

    def leaves(self, boxes: int = 0) -> None:
        self.left += 1
        if self.recent.wanted:
            self.recent.put(result(self.left, boxes))


def seqs(lines: list[bytes]) -> list[int]:
    return [json.loads(line)["seq"] for line in lines]


def test_results_are_remembered_only_for_those_who_ask_and_as_sinks_write_them() -> None:
    node = Node()
    node.leaves()
    assert not node.recent.wanted
    begun = node.recent.after(Results(after=-1))
    assert (begun.results, begun.last, begun.missed) == ([], 0, 0)
    node.leaves(boxes=2)
    node.leaves()
    given = node.recent.after(Results(after=begun.last))
    assert given.results == [result(2, 2).to_json(), result(3).to_json()]
    assert (given.last, given.missed) == (2, 0)
    assert node.recent.after(Results(after=2)).results == []


def test_five_seconds_after_the_last_question_nothing_is_remembered_any_more() -> None:
    node = Node()
    node.recent.after(Results())
    node.clock.advance(ASKED_HOLDS_S)
    node.leaves()
    assert node.recent.wanted
    node.clock.advance(0.1)
    node.leaves()
    assert not node.recent.wanted
    assert not node.recent._ring._kept, "what was remembered is let go"


def test_whoever_stayed_away_hears_how_many_were_missed() -> None:
    node = Node()
    node.recent.after(Results())
    node.leaves()
    seen = node.recent.after(Results(after=0)).last
    node.leaves()
    node.clock.advance(60)
    for _ in range(7):
        node.leaves()
    assert not node.recent.wanted
    node.recent.after(Results(after=seen))
    node.leaves()
    given = node.recent.after(Results(after=seen))
    assert seqs(given.results) == [10]
    assert given.missed == 8
    assert given.last == seen + 9


def test_those_there_is_no_room_for_are_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recent, "RESULTS_AT_MOST", 5)
    node = Node()
    node.recent.after(Results())
    for _ in range(8):
        node.leaves()
    given = node.recent.after(Results(after=0, most=3))
    assert seqs(given.results) == [4, 5, 6]
    assert (given.last, given.missed) == (6, 3)
    rest = node.recent.after(Results(after=given.last))
    assert (seqs(rest.results), rest.missed) == ([7, 8], 0)


def test_a_number_from_before_a_restart_begins_anew() -> None:
    node = Node()
    node.recent.after(Results())
    node.leaves()
    given = node.recent.after(Results(after=5000))
    assert (given.results, given.last, given.missed) == ([], 1, 0)


# ---- happenings


def gap(cause: Cause, kind: Kind = Kind.BLIND, **more: object) -> Gap:
    return Gap(id="1", camera="gate", kind=kind, start=1, cause=cause, blame=Blame.CAMERA, **more)  # type: ignore[arg-type]


FACTS: list[AnyFact] = [
    GapOpened(at=1.0, gap=gap(Cause.REFUSED, detail=f"503 from {SECRET}")),
    GapClosed(at=2.0, gap=gap(Cause.REFUSED, end=2_500_001, epoch_after=3)),
    SessionEnded(at=1, camera="gate", reason=EndReason.REFUSED, detail="503.", frames=7, retry_in=2.345),
    Stepped(at=1, cameras=["a", "b"], was="full", step="fewer", why="behind"),
    WorkerEnded(at=1, worker="cameras-0", exit_code=-9, planned=False, detail="", tracks={"gate": 2}),
    Alerted(
        at=1, severity="critical", title="gate is down", body="Since 3 min.", cameras=["gate"], resolved=False
    ),
    Trouble(at=1, where="sink", message=f"{SECRET} cannot be written"),
    CanaryEnded(at=1, model="m.onnx", cameras=["gate"], why="died", detail="x", frames=3, boxes=4),
    ShadowStarted(at=1, model="m.onnx", detector="d", share=0.1, lasts=60.0),
    CameraRestarted(at=1, camera="gate", detail="because"),
]


def heard(*facts: AnyFact) -> list[Happening]:
    happenings = RecentHappenings()
    for fact in facts:
        happenings.put(fact)
    return happenings.after(Happenings()).happenings


def test_a_happening_is_what_the_log_says_in_the_same_words(capsys: pytest.CaptureFixture[str]) -> None:
    configure_logging("info", json=True)
    for fact in FACTS:
        log_fact(fact)
    lines = [json.loads(line) for line in capsys.readouterr().err.splitlines()]
    told = heard(*FACTS)
    assert [(each.level, each.kind) for each in told] == [(line["level"], line["event"]) for line in lines]
    for line, each in zip(lines, told, strict=True):
        assert (each.camera, each.worker) == (line.get("camera", ""), line.get("worker", ""))
        for name in ("cause", "reason", "why", "title", "message", "model"):
            if name in line:
                assert str(line[name]).rstrip(".") in each.text


def test_words_are_put_together_for_people() -> None:
    told = [each.text for each in heard(FACTS[2], FACTS[5])]
    assert told[0] == "Session ended: reason refused, retry in 2.35. 503"
    assert told[1] == "Alert: severity critical. gate is down. Since 3 min"


def test_no_credential_is_in_a_happening() -> None:
    for each in heard(*FACTS):
        assert "hunter2" not in each.text


def test_when_it_happened_is_told_in_unix_time() -> None:
    (each,) = heard(Trouble(at=time.monotonic() - 10, where="sink", message="x"))
    assert abs(each.at - (time.time() - 10)) < 5


def test_what_the_log_is_quiet_about_is_no_happening() -> None:
    quiet = [
        Blind(at=1, camera="gate", since=1, cause=Cause.REFUSED, blame=Blame.CAMERA),
        Sees(at=1, camera="gate", epoch=1),
        CameraAdded(at=1, camera="gate", host="h"),
        GapOpened(at=1, gap=gap(Cause.THINNED, Kind.DEGRADED)),
    ]
    assert heard(*quiet) == []


def test_the_oldest_make_room_and_are_counted() -> None:
    happenings = RecentHappenings()
    for number in range(HAPPENINGS_AT_MOST + 3):
        happenings.put(Trouble(at=1.0, where="sink", message=str(number)))
    told = happenings.after(Happenings(after=0, most=2))
    assert [each.number for each in told.happenings] == [4, 5]
    assert (told.last, told.missed) == (5, 3)
    rest = happenings.after(Happenings(after=HAPPENINGS_AT_MOST + 1))
    assert [each.text[-4:] for each in rest.happenings] == ["2001", "2002"]
