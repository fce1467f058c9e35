"""People are told of candidates that went wrong while nobody looked, and not of those that did as ordered."""

from __future__ import annotations

import pytest

from alerts.alert_world import World
from vedette.alerts.candidates import AGAIN_S
from vedette.alerts.message import Severity
from vedette.alerts.phrases import CAUSES
from vedette.facts import CanaryEnded, ShadowEnded
from vedette.supervise import canary, shadow

AS_TOLD = ("time", "stopped", "set", "node_stopped", "not_started", "detector_changed")


def ended(world: World, why: str = "died", detail: str = "SIGKILL", **more: object) -> CanaryEnded:
    told = {"model": "/models/new.onnx", "cameras": ["gate"], "frames": 90, "boxes": 7, "lasted": 600.0}
    return CanaryEnded(at=world.now, why=why, detail=detail, **(told | more))  # type: ignore[arg-type]


def shown(world: World, why: str) -> ShadowEnded:
    return ShadowEnded(at=world.now, model="/models/new.onnx", why=why, detail="SIGKILL", lasted=60.0)


def test_a_canary_that_was_taken_back_is_told_with_what_when_why_and_what_was_done() -> None:
    world = World()
    world.passes(700)
    world.take(ended(world))
    [message] = world.passes(60)
    assert message.severity is Severity.WARNING
    assert message.title == "Canary new.onnx was taken back: its process died"
    assert message.body.splitlines() == [
        "From 2023-11-15 12:01:40 UTC to 12:11:40.",
        "Cause: its process died.",
        "Detail: SIGKILL",
        "Cameras: gate.",
        "The model before detects for these cameras again, with their tracks; nothing has to be done for "
        "that. It is not tried again by itself.",
    ]
    assert (message.key, message.cameras, message.resolved) == ("canary/new.onnx", ("gate",), False)
    assert world.passes(86_400) == [], "it has no end, and nobody is reminded of it"
    assert world.alerts.active == 0


@pytest.mark.parametrize("why", [each.value for each in canary.Ended])
def test_each_end_that_nobody_asked_for_has_words_and_the_others_raise_nothing(why: str) -> None:
    world = World()
    world.take(ended(world, why))
    said = world.titles(60)
    if why in AS_TOLD:
        assert said == []
    else:
        assert said == [f"Canary new.onnx was taken back: {CAUSES[f'canary_{why}']}"]


@pytest.mark.parametrize("why", [each.value for each in shadow.Ended])
def test_a_shadow_that_fails_is_told_too_and_less_loudly(why: str) -> None:
    world = World()
    world.take(shown(world, why))
    said = world.passes(60)
    assert [message.severity for message in said] == ([] if why in AS_TOLD else [Severity.INFO])
    for message in said:
        assert message.title == f"Candidate new.onnx is shown no more frames: {CAUSES[f'shadow_{why}']}"
        assert "Cameras noticed nothing" in message.body


def test_a_gate_that_said_no_is_told_with_its_reason() -> None:
    world = World()
    world.take(ended(world, "not_set", "new.onnx is refused: AP50 is 31.0 points lower"))
    [message] = world.passes(60)
    assert message.title == "Canary new.onnx was taken back: it could not become the detector of all cameras"
    assert "Detail: new.onnx is refused: AP50 is 31.0 points lower" in message.body


def test_the_next_one_is_told_of_again_though_it_is_the_same_model() -> None:
    world = World()
    world.take(ended(world))
    assert len(world.passes(2 * AGAIN_S)) == 1
    world.take(ended(world, "hung"))
    assert world.titles(60) == ["Canary new.onnx was taken back: it hung, and was killed"]


def test_one_that_fails_again_at_once_is_told_when_a_minute_is_over() -> None:
    world = World(group_within=1.0)
    world.take(ended(world))
    assert len(world.passes(10)) == 1
    world.take(ended(world, "hung"))
    [message] = world.passes(2 * AGAIN_S)
    assert "It happened 2 times." in message.body
    assert "it hung" in message.title


def test_at_night_it_waits_for_the_morning() -> None:
    world = World(quiet="11:00-13:00", tick_s=30.0)
    world.take(ended(world))
    assert world.passes(3000) == []
    assert len(world.passes(3600)) == 1


def test_rules_say_of_which_cameras_and_whether() -> None:
    for rules in (
        {"canary": False, "shadow": False},
        {"canary": {"except_cameras": ["gate"]}, "shadow": False},
    ):
        world = World(rules=rules)
        world.take(ended(world))
        world.take(shown(world, "died"))
        assert world.passes(60) == []
    world = World(rules={"canary": {"cameras": ["yard"]}})
    world.take(ended(world, cameras=["gate", "yard"]))
    assert len(world.passes(60)) == 1


def test_a_file_with_a_password_in_its_name_is_not_shown_with_it() -> None:
    world = World()
    world.take(ended(world, detail="cannot read rtsp://me:hunter2@10.0.0.1/x"))
    [message] = world.passes(60)
    assert "hunter2" not in message.body
