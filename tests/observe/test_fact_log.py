"""What is logged of a node: one line for what many cameras share."""

from __future__ import annotations

import json

import msgspec
import pytest

from vedette.causes import Blame, Cause, kind_of
from vedette.facts import (
    AnyFact,
    CameraRemoved,
    EndReason,
    Figure,
    Gap,
    GapClosed,
    GapOpened,
    LossConfirmed,
    LossOver,
    ModelGated,
    ReplacementFailed,
    ReplacementPostponed,
    Resized,
    SessionEnded,
    Stepped,
    Trouble,
    ValidationFailed,
    ValidationPassed,
    ValidationPostponed,
    WorkerReplaced,
)
from vedette.observe.fact_log import FactLog, log_fact
from vedette.observe.log import configure_logging


def logged(
    facts: list[AnyFact], capsys: pytest.CaptureFixture[str], level: str = "info"
) -> list[dict[str, object]]:
    configure_logging(level, json=True)
    for fact in facts:
        log_fact(fact)
    return [json.loads(line) for line in capsys.readouterr().err.splitlines()]


def stepped(was: str, step: str, cameras: int = 200) -> Stepped:
    names = [f"cam{number}" for number in range(cameras)]
    return Stepped(at=1.0, cameras=names, was=was, step=step, why="decoding is behind: 41 frames wait")


def test_an_attempt_that_fails_as_the_one_before_is_no_news(capsys: pytest.CaptureFixture[str]) -> None:
    def end(reason: EndReason, frames: int = 0, camera: str = "gate") -> SessionEnded:
        return SessionEnded(at=1.0, camera=camera, reason=reason, detail="", frames=frames, retry_in=2.0)

    configure_logging("info", json=True)
    log = FactLog()
    facts = [
        (end(EndReason.REFUSED), "warning"),
        (end(EndReason.REFUSED), "info"),
        (end(EndReason.REFUSED, camera="yard"), "warning"),
        (end(EndReason.UNREACHABLE), "warning"),
        (end(EndReason.UNREACHABLE), "info"),
        (end(EndReason.UNREACHABLE, frames=9), "warning"),
        (end(EndReason.UNREACHABLE), "info"),
        (CameraRemoved(at=1.0, camera="gate"), "info"),
        (end(EndReason.UNREACHABLE), "warning"),
    ]
    for fact, _ in facts:
        log(fact)
    lines = [json.loads(line) for line in capsys.readouterr().err.splitlines()]
    assert [line["level"] for line in lines] == [level for _, level in facts]
    assert lines[0]["event"] == lines[1]["event"] == "session ended"


def test_a_step_down_is_one_warning_with_its_reason_and_the_first_names(
    capsys: pytest.CaptureFixture[str],
) -> None:
    (line,) = logged([stepped("full", "keyframes")], capsys)
    assert (line["level"], line["event"]) == ("warning", "ladder down")
    assert (line["step"], line["was"], line["cameras"]) == ("keyframes", "full", 200)
    assert line["names"] == [f"cam{number}" for number in range(10)]
    assert line["why"] == "decoding is behind: 41 frames wait"


def test_a_step_up_is_told_as_loudly_as_the_one_down(capsys: pytest.CaptureFixture[str]) -> None:
    facts: list[AnyFact] = [stepped("full", "keyframes", 1), stepped("keyframes", "full", 1)]
    lines = logged(facts, capsys, "warning")
    assert [line["event"] for line in lines] == ["ladder down", "ladder up"]
    assert lines[1]["names"] == ["cam0"]


def test_a_step_that_was_asked_for_is_no_warning(capsys: pytest.CaptureFixture[str]) -> None:
    fact = msgspec.structs.replace(stepped("full", "fewer"), wanted=True)
    (line,) = logged([fact], capsys)
    assert (line["level"], line["event"]) == ("info", "ladder down")


def test_trouble_names_a_camera_only_where_there_is_one(capsys: pytest.CaptureFixture[str]) -> None:
    facts: list[AnyFact] = [
        Trouble(at=1.0, where="detector", message="it raised"),
        Trouble(at=1.0, where="pipeline", message="it raised", camera="gate"),
    ]
    node, gate = logged(facts, capsys)
    assert "camera" not in node
    assert (gate["camera"], gate["level"], node["level"]) == ("gate", "error", "error")


def test_traces_that_are_lost_are_no_error(capsys: pytest.CaptureFixture[str]) -> None:
    (line,) = logged([Trouble(at=1.0, where="traces", message="not sent")], capsys)
    assert (line["level"], line["where"]) == ("warning", "traces")


def test_a_confirmed_loss_is_an_error_with_its_figures_and_its_end_a_warning(
    capsys: pytest.CaptureFixture[str],
) -> None:
    lost = LossConfirmed(
        at=1.0, camera="gate", site="", cameras=["gate"], measure="recall", model="m", since=1.0,
        value=0.6123, lower=0.5, upper=0.72, floor=0.8, level=0.99, frames=70,
    )  # fmt: skip
    known = msgspec.structs.replace(lost, known=True, camera="", site="north")
    over = LossOver(at=2.0, camera="gate", site="north", measure="recall", why="again")
    first, again, end = logged([lost, known, over], capsys)
    assert (first["level"], first["event"], first["camera"]) == ("error", "loss confirmed", "gate")
    assert (first["value"], first["floor"], first["frames"]) == (0.612, 0.8, 70)
    assert (again["event"], again["site"], "camera" in again) == ("loss known from before", "north", False)
    assert (end["level"], end["event"], end["why"]) == ("warning", "loss over", "again")


def test_another_input_size_is_a_warning(capsys: pytest.CaptureFixture[str]) -> None:
    (line,) = logged([Resized(at=1.0, height=192, width=320, why="the detector is behind")], capsys)
    assert (line["level"], line["height"], line["width"]) == ("warning", 192, 320)


def test_a_worker_that_was_replaced_as_planned_is_no_warning(capsys: pytest.CaptureFixture[str]) -> None:
    fact = WorkerReplaced(at=1.0, worker="inference-0", reason="operator", detail="", pid=4711, took=1.23456)
    plain, model = logged([fact, msgspec.structs.replace(fact, reason="model", detail="a.onnx")], capsys)
    assert (plain["level"], plain["event"], plain["worker"]) == ("info", "worker replaced", "inference-0")
    assert (plain["reason"], plain["pid"], plain["took"]) == ("operator", 4711, 1.23)
    assert "detail" not in plain
    assert (model["reason"], model["detail"]) == ("model", "a.onnx")


def test_a_replacement_that_came_to_nothing_is_a_warning_with_its_reason(
    capsys: pytest.CaptureFixture[str],
) -> None:
    facts: list[AnyFact] = [
        ReplacementFailed(at=1.0, worker="inference-0", reason="reload", why="it has no outputs"),
        ReplacementPostponed(at=2.0, worker="cameras-0", reason="lifetime", why="memory is short"),
    ]
    failed, later = logged(facts, capsys, "warning")
    assert (failed["event"], failed["worker"], failed["reason"], failed["why"]) == (
        "worker not replaced",
        "inference-0",
        "reload",
        "it has no outputs",
    )
    assert (later["event"], later["why"]) == ("worker not replaced yet", "memory is short")


def rows(cause: Cause) -> list[AnyFact]:
    gap = Gap(
        id="1",
        camera="gate",
        start=1_000_000,
        end=3_000_000,
        cause=cause,
        blame=Blame.NODE,
        kind=kind_of(cause),
        detail="",
    )
    return [GapOpened(at=1.0, gap=gap), GapClosed(at=3.0, gap=gap)]


@pytest.mark.parametrize("cause", [Cause.THINNED, Cause.OVERLOADED])
def test_rows_that_follow_from_a_step_do_not_flood_the_log(
    cause: Cause, capsys: pytest.CaptureFixture[str]
) -> None:
    assert logged(rows(cause), capsys) == []
    lines = logged(rows(cause), capsys, "debug")
    assert [line["event"] for line in lines] == ["gap opened", "gap closed"]
    assert all(line["camera"] == "gate" and line["cause"] == cause.value for line in lines)


def test_other_rows_are_told(capsys: pytest.CaptureFixture[str]) -> None:
    lines = logged(rows(Cause.STALLED), capsys)
    assert [line["event"] for line in lines] == ["camera blind", "gap over"]
    assert lines[1]["seconds"] == 2.0


def test_what_the_gate_said_of_a_model_is_logged_with_the_reason(capsys: pytest.CaptureFixture[str]) -> None:
    outcomes = ("passed", "same", "refused", "forced", "not_held")
    lines = logged([ModelGated(at=1, model="m.onnx", outcome=each, why="so") for each in outcomes], capsys)
    assert [(line["level"], line["event"]) for line in lines] == [
        ("info", "model held to labelled pictures"),
        ("info", "model held to labelled pictures"),
        ("warning", "model refused"),
        ("warning", "model not held to labelled pictures"),
        ("warning", "model not held to labelled pictures"),
    ]
    assert {(line["model"], line["why"]) for line in lines} == {("m.onnx", "so")}


def test_a_validation_is_logged_with_its_figures(capsys: pytest.CaptureFixture[str]) -> None:
    figures = {"ap50": Figure(0.71234, 0.65, 0.75), "recall": Figure(None)}
    told = {
        "at": 7200.0,
        "run": "r",
        "dataset": "yard",
        "pictures": 80,
        "model": "m.onnx",
        "figures": figures,
    }
    facts: list[AnyFact] = [
        ValidationPassed(**told, remarks=["few pictures"]),  # type: ignore[arg-type]
        ValidationFailed(**told, problems=["AP50 is 0.712, below 0.800"]),  # type: ignore[arg-type]
        ValidationPostponed(at=7200.0, since=0.0, why="the detector has no rest"),
    ]
    passed, failed, postponed = logged(facts, capsys)
    assert (passed["level"], passed["event"]) == ("info", "detector validated")
    assert (passed["ap50"], passed["pictures"], passed["remarks"]) == (0.712, 80, ["few pictures"])
    assert "recall" not in passed
    assert (failed["level"], failed["event"]) == ("error", "detector failed validation")
    assert failed["problems"] == ["AP50 is 0.712, below 0.800"]
    assert (postponed["event"], postponed["hours"]) == ("validation put off", 2.0)
