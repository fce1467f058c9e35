"""What is wrong now, for those who look on."""

from __future__ import annotations

from alerts.alert_world import World
from vedette.alerts.conditions import Condition
from vedette.alerts.message import Severity
from vedette.alerts.open import OPEN_AT_MOST, open_alerts
from vedette.causes import Cause
from vedette.facts import LossConfirmed, Quarantined, Trouble
from vedette.observe.views import AlertView


def now(world: World) -> tuple[AlertView, ...]:
    return open_alerts(world.alerts.now(world.now), world.wall)


def test_an_alert_is_open_from_when_it_is_due_until_it_is_over() -> None:
    world = World()
    world.goes("gate", Cause.UNREACHABLE)
    began = world.wall
    world.passes(5)
    assert now(world) == ()
    world.passes(120)
    (alert,) = now(world)
    assert (alert.rule, alert.camera, alert.cameras, alert.since) == ("down", "gate", ("gate",), began)
    assert alert.text == "gate is down: not reachable"
    assert alert.severity in ("warning", "critical")
    world.back("gate")
    assert now(world) == ()


def test_what_an_incident_speaks_for_is_not_said_of_each() -> None:
    world = World()
    names = [f"cam{number}" for number in range(5)]
    for name in names:
        world.goes(name, Cause.UNREACHABLE, incident="i1")
    world.incident(names)
    world.passes(120)
    (alert,) = now(world)
    assert (alert.rule, alert.camera) == ("incident", "")
    assert set(alert.cameras) == set(names)


def test_it_is_said_what_it_is_about() -> None:
    world = World()
    world.take(
        Quarantined(
            at=world.now, worker="cameras-1", why="12 deaths", again_in=60, detail="SIGSEGV", cameras=["gate"]
        )
    )
    world.take(
        LossConfirmed(
            at=world.now,
            camera="",
            site="north",
            cameras=["a", "b"],
            measure="recall",
            model="m",
            since=world.now,
            value=0.5,
            lower=0.4,
            upper=0.6,
            floor=0.8,
            level=0.95,
            frames=99,
        )
    )
    world.passes(30)
    about = {alert.rule: (alert.camera, alert.site, alert.worker) for alert in now(world)}
    assert about == {"quarantine": ("", "", "cameras-1"), "accuracy": ("", "north", "")}


def test_what_has_no_end_is_never_open() -> None:
    world = World()
    world.take(Trouble(at=world.now, where="sink", message="cannot be written"))
    world.passes(30)
    assert now(world) == ()


def condition(name: str, severity: str, began: float) -> Condition:
    return Condition(f"down/{name}", "down", Severity(severity), (name,), began, due=0.0, remind_every=60.0)


def test_the_worst_comes_first_and_there_is_an_end_to_it() -> None:
    made = [
        condition("a", "warning", 2.0),
        condition("b", "info", 1.0),
        condition("c", "critical", 3.0),
        condition("d", "critical", 1.0),
    ]
    assert [each.camera for each in open_alerts(made, 9.0)] == ["d", "c", "a", "b"]
    many = [condition(f"cam{number}", "info", number) for number in range(OPEN_AT_MOST + 7)] + made
    found = open_alerts(many, 9.0)
    assert len(found) == OPEN_AT_MOST
    assert found[0].camera == "d"
