"""What is wrong now, for those who look on."""

from __future__ import annotations

from alerts.alert_world import World
from vedette.alerts.open import open_alert, worst_first
from vedette.causes import Cause
from vedette.facts import LossConfirmed, Quarantined, Trouble
from vedette.observe.views import AlertView


def now(world: World) -> tuple[AlertView, ...]:
    return worst_first(open_alert(each, world.wall) for each in world.alerts.now(world.now))


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


def test_the_worst_comes_first() -> None:
    made = [
        AlertView("down", severity, since, "")
        for severity, since in (("warning", 2.0), ("info", 1.0), ("critical", 3.0), ("critical", 1.0))
    ]
    assert [(each.severity, each.since) for each in worst_first(made)] == [
        ("critical", 1.0),
        ("critical", 3.0),
        ("warning", 2.0),
        ("info", 1.0),
    ]
