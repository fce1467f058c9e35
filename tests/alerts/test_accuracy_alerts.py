"""People are told of losses that reviews confirm, and not again after a restart."""

from __future__ import annotations

from typing import Any

from alerts.alert_world import World
from vedette.alerts.message import Severity
from vedette.facts import LossConfirmed, LossOver

DAY = 86_400.0


def confirmed(world: World, **changes: Any) -> LossConfirmed:
    told: dict[str, Any] = {
        "at": world.now, "camera": "gate", "site": "north", "cameras": ["gate"], "measure": "recall",
        "model": "m1", "since": world.now, "value": 0.61, "lower": 0.5, "upper": 0.72, "floor": 0.8,
        "level": 0.99, "frames": 70,
    }  # fmt: skip
    return LossConfirmed(**(told | changes))


def over(world: World, why: str = "again", **changes: Any) -> LossOver:
    told: dict[str, Any] = {"at": world.now, "camera": "gate", "site": "north", "measure": "recall"}
    return LossOver(**(told | {"why": why} | changes))


def test_a_confirmed_loss_pages_with_its_figures_also_at_night() -> None:
    world = World(quiet="11:00-13:00")
    world.take(confirmed(world))
    [message] = world.passes(60)
    assert message.severity is Severity.CRITICAL
    assert message.title == (
        "recall of gate is below its floor: 61% (50% to 72%) in 70 reviewed frames, floor 80%"
    )
    assert "vedette model set" in message.body
    assert message.cameras == ("gate",)
    assert world.passes(3600) == []


def test_it_is_told_again_once_a_day_and_when_it_is_over() -> None:
    world = World(tick_s=60.0)
    world.take(confirmed(world))
    world.passes(120)
    [still] = world.passes(DAY + 60)
    assert still.title.startswith("Still: recall of gate")
    world.take(over(world))
    [message] = world.passes(180)
    assert message.resolved
    assert message.title.startswith("recall of gate is at its floor again, 24 h")


def test_after_a_restart_it_is_known_and_its_end_is_told() -> None:
    world = World(tick_s=60.0)
    world.take(confirmed(world, since=world.now - 3 * DAY, known=True))
    assert world.passes(3600) == []
    assert world.alerts.active == 1
    world.take(over(world))
    [message] = world.passes(180)
    assert message.title.startswith("recall of gate is at its floor again, 3 d 1 h")


def test_what_ends_for_another_reason_is_closed_with_it() -> None:
    world = World()
    world.take(confirmed(world))
    world.passes(60)
    world.take(over(world, "model"))
    [message] = world.passes(60)
    assert message.title.startswith("Closed: recall of gate")
    assert "Another model detects" in message.body


def test_a_site_is_told_as_one() -> None:
    world = World()
    world.take(confirmed(world, camera="", cameras=["gate", "yard"], measure="precision"))
    [message] = world.passes(60)
    assert message.title.startswith("precision of site north is below its floor")
    assert "Cameras: gate, yard" in message.body


def test_rules_say_of_which_cameras_and_whether() -> None:
    for rules in ({"accuracy": False}, {"accuracy": {"except_cameras": ["gate"]}}):
        world = World(rules=rules)
        world.take(confirmed(world))
        world.take(over(world))
        assert world.passes(60) == []
