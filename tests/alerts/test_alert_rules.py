"""What is told, when, and what is not."""

from __future__ import annotations

from pathlib import Path

import vedette
from alerts.alert_world import World
from vedette.alerts.happenings import WRITTEN_AGAIN
from vedette.alerts.message import Severity
from vedette.alerts.rules import CAMERAS_AT_MOST
from vedette.causes import Blame, Cause, Kind
from vedette.facts import (
    CameraAdded,
    CameraFinished,
    CameraRemoved,
    Gap,
    GapClosed,
    Quarantined,
    Released,
    Trouble,
    ValidationFailed,
    ValidationPassed,
    WorkerEnded,
)


def test_a_camera_that_is_down_for_a_minute_is_told_of_once_and_so_is_its_return() -> None:
    world = World()
    world.goes("gate", Cause.UNREACHABLE, detail="no route to host")
    assert world.passes(59) == []
    (told,) = world.passes(15)
    assert told.title == "gate is down: not reachable"
    assert (told.key, told.cameras, told.resolved) == ("down/gate", ("gate",), False)
    assert told.severity is Severity.WARNING
    assert "no route to host" in told.body
    assert "cable" in told.body
    assert world.passes(600) == []
    world.back("gate")
    (back,) = world.passes(15)
    assert back.title == "gate is back after 11 min"
    assert (back.key, back.resolved, back.recovered) == ("down/gate", True, ("down/gate",))
    assert back.ended is not None
    assert back.ended - back.began == 674
    assert world.passes(100_000) == []
    assert world.alerts.active == 0


def test_a_short_outage_is_nobodys_business() -> None:
    world = World()
    world.goes("gate")
    world.passes(50)
    world.back("gate")
    assert world.passes(1000) == []


def test_an_outage_that_goes_on_as_something_else_is_one_outage() -> None:
    world = World()
    world.goes("gate", Cause.CONNECTION_LOST)
    world.passes(40)
    world.back("gate")
    world.goes("gate", Cause.WORKER_LOST)
    (told,) = world.passes(35)
    assert told.title == "gate is down: its worker process died"
    world.back("gate")
    world.goes("gate", Cause.REFUSED)
    assert world.passes(60) == []
    world.back("gate")
    assert world.titles(15) == ["gate is back after 2 min"]


def test_a_lost_end_of_a_gap_does_not_leave_an_alert_behind() -> None:
    world = World()
    first = world.goes("gate")
    world.passes(5)
    world.goes("gate")
    world.take(GapClosed(at=world.now, gap=first))
    world.back("gate")
    assert world.passes(100) == []
    assert world.alerts.active == 0


def test_a_new_camera_has_two_minutes_for_its_first_picture() -> None:
    world = World()
    world.goes("gate", Cause.STARTING)
    assert world.passes(120) == []
    assert world.titles(15) == ["gate is down: no picture since it was added"]


def test_a_pause_is_not_told_of_and_ends_what_was() -> None:
    world = World()
    world.goes("gate", Cause.PAUSED)
    assert world.passes(10_000) == []
    world.goes("gate", Cause.STALLED)
    assert len(world.passes(75)) == 1
    world.back("gate")
    world.goes("gate", Cause.PAUSED)
    (closed,) = world.passes(15)
    assert closed.resolved


def test_a_camera_paused_or_removed_while_down_is_not_said_to_be_back() -> None:
    world = World(most_per_hour=100)
    for name in ("gate", "yard", "clip"):
        world.goes(name, Cause.STALLED)
        world.passes(75)
    world.goes("gate", Cause.PAUSED)
    (paused,) = world.passes(15)
    assert paused.title == "Closed: gate is down: connected, but nothing comes"
    assert paused.resolved
    assert "paused" in paused.body
    world.take(CameraRemoved(at=world.now, camera="yard"))
    (removed,) = world.passes(15)
    assert "no longer watched" in removed.body
    world.passes(3600)
    world.take(CameraFinished(at=world.now, camera="clip", reason="ended", detail=""))  # type: ignore[arg-type]
    (finished,) = world.passes(15)
    assert finished.recovered == ("down/clip",)


def test_a_wrong_password_is_told_soon_with_what_to_do_and_again_only_the_next_day() -> None:
    world = World()
    world.goes("gate", Cause.UNAUTHORISED)
    (told,) = world.passes(25)
    assert told.title == "gate cannot be read: wrong user or password"
    assert "right user and password" in told.body
    assert world.passes(23 * 3600) == []
    (again,) = world.passes(2 * 3600)
    assert again.title.startswith("Still: gate cannot be read")


def test_an_outage_that_turns_out_to_be_the_password_is_updated_and_remains_one_alert() -> None:
    world = World()
    world.goes("gate", Cause.CONNECTION_LOST)
    assert world.titles(75) == ["gate is down: the connection broke"]
    world.turns_out("gate", cause=Cause.UNREACHABLE)
    assert world.passes(60) == []
    world.turns_out("gate", cause=Cause.UNAUTHORISED)
    (update,) = world.passes(15)
    assert update.title == "Update: gate cannot be read: wrong user or password"
    assert update.alerts == ("down/gate",)
    world.back("gate")
    (back,) = world.passes(15)
    assert back.recovered == ("down/gate",)


def test_what_comes_together_is_one_message_with_ten_names_at_most() -> None:
    world = World()
    for number in range(12):
        world.goes(f"cam_{number:02}", Cause.UNREACHABLE if number else Cause.STALLED)
        world.passes(0.5)
    (told,) = world.passes(90)
    assert told.title == "12 cameras are down"
    assert (told.key, len(told.cameras), len(told.alerts)) == ("down", 12, 12)
    assert told.body.count("cam_") == 10
    assert "not reachable (11)" in told.body
    for number in range(12):
        world.back(f"cam_{number:02}")
    (back,) = world.passes(20)
    assert back.title == "12 cameras are back"
    assert back.resolved


def test_an_incident_is_one_message_in_place_of_one_for_each_camera() -> None:
    world = World()
    names = [f"cam_{number}" for number in range(40)]
    for name in names:
        world.goes(name, Cause.UNREACHABLE)
    incident = world.incident(names)
    world.passes(2)
    for name in names:
        world.turns_out(name, incident=incident.id)
    (told,) = world.passes(200)
    assert told.title == "40 cameras went at once: host 10.0.0.5"
    assert told.severity is Severity.CRITICAL
    assert told.alerts == ("incident/i1",)
    assert world.passes(3600) == []
    for name in names:
        world.back(name)
    world.incident_over(incident)
    (over,) = world.passes(20)
    assert over.title == "Incident over after 63 min: host 10.0.0.5"
    assert world.passes(10_000) == []
    assert world.alerts.active == 0


def test_an_incident_is_over_when_most_are_back_and_the_others_are_told_by_name() -> None:
    world = World()
    names = [f"cam_{number}" for number in range(10)]
    for name in names:
        world.goes(name, incident="i1")
    world.incident(names)
    assert len(world.passes(100)) == 1
    for name in names[:8]:
        world.back(name)
    over, left = world.passes(30)
    assert over.resolved
    assert "Still away: 2 of 10" in over.body
    assert left.title == "2 cameras are down"
    assert left.cameras == ("cam_8", "cam_9")
    for name in names[8:]:
        world.back(name)
    assert world.titles(30) == ["2 cameras are back"]


def test_an_incident_that_grows_a_lot_is_told_of_again() -> None:
    world = World()
    names = [f"cam_{number}" for number in range(50)]
    for name in names[:10]:
        world.goes(name, incident="i1")
    world.incident(names[:10])
    assert len(world.passes(100)) == 1
    world.incident(names[:14])
    assert world.passes(30) == []
    for name in names[10:]:
        world.goes(name, incident="i1")
    world.incident(names)
    (grown,) = world.passes(60)
    assert grown.title == "Update: 50 cameras went at once: host 10.0.0.5"


def test_two_cameras_of_one_host_are_no_incident_to_alert_of() -> None:
    world = World()
    for name in ("a", "b"):
        world.goes(name, incident="i1")
    world.incident(["a", "b"])
    assert world.titles(100) == ["2 cameras are down"]


def test_a_short_incident_is_not_told_of() -> None:
    world = World()
    names = ["a", "b", "c", "d"]
    for name in names:
        world.goes(name, incident="i1")
    incident = world.incident(names)
    world.passes(40)
    for name in names:
        world.back(name)
    world.incident_over(incident)
    assert world.passes(1000) == []


def test_a_camera_that_comes_and_goes_is_one_alert_until_it_is_steady() -> None:
    world = World()
    for _ in range(30):
        world.goes("gate")
        world.passes(70)
        world.back("gate")
        world.passes(40)
    titles = [message.title for message in world.said]
    assert titles.count("gate comes and goes") == 1
    assert len(titles) <= 8
    after = world.titles(1200)
    assert "gate is steady again" in after
    on = {key for message in world.said for key in message.alerts}
    assert on == {"down/gate", "flapping/gate"}
    assert world.alerts.active == 0


def test_cameras_do_not_come_and_go_because_our_own_worker_dies() -> None:
    world = World()
    for _ in range(10):
        world.goes("gate", cause=Cause.WORKER_LOST)
        world.passes(5)
        world.back("gate")
        world.passes(40)
    assert not [title for title in world.titles(0) if "comes and goes" in title]
    assert not [message.title for message in world.said if "comes and goes" in message.title]


def test_a_camera_that_stays_away_after_flapping_is_told_as_down() -> None:
    world = World()
    for _ in range(5):
        world.goes("gate")
        world.passes(20)
        world.back("gate")
        world.passes(20)
    world.goes("gate")
    assert set(world.titles(700)) == {"gate is steady again", "gate is down: the connection broke"}


def test_a_frozen_picture_is_told_and_its_end_only_when_the_camera_is_seen() -> None:
    world = World()
    world.goes("gate", Cause.FROZEN)
    assert world.titles(75) == ["gate: the picture is frozen"]
    world.back("gate")
    world.goes("gate", Cause.STALLED)
    assert world.titles(30) == []
    world.back("gate")
    assert world.titles(15) == ["gate: the picture moves again after 75 s"]


def test_dark_is_not_told_unless_asked_for() -> None:
    world = World()
    world.goes("gate", Cause.DARK)
    assert world.passes(50_000) == []
    world = World(rules={"dark": {"after": "1h"}})
    world.goes("gate", Cause.DARK)
    assert world.passes(3500) == []
    assert world.titles(200) == ["gate: the picture is dark"]


def test_a_moved_camera_is_told_once_and_has_no_recovery() -> None:
    world = World()
    world.goes("gate", Cause.MOVED)
    assert world.titles(75) == ["gate looks elsewhere than it used to"]
    world.back("gate")
    assert world.passes(3600) == []
    for _ in range(20):  # a camera on its tour
        world.goes("gate", Cause.MOVED)
        world.passes(120)
        world.back("gate")
    assert len(world.said) == 1
    world.passes(86_400)
    assert len(world.said) == 2
    assert world.alerts.active == 0


def test_a_camera_that_was_only_nudged_is_not_told_of() -> None:
    world = World()
    world.goes("gate", Cause.MOVED)
    world.passes(30)
    world.back("gate")
    assert world.passes(1000) == []


def test_a_detector_that_is_lost_is_one_alert_for_all_cameras() -> None:
    world = World()
    for number in range(100):
        world.goes(f"cam_{number}", Cause.DETECTOR_LOST)
    (told,) = world.passes(90)
    assert (told.title, told.severity) == ("No detector is running", Severity.CRITICAL)
    for number in range(100):
        assert world.passes(1) == []
        world.back(f"cam_{number}")
    assert world.titles(15) == ["The detector runs again after 3 min"]


def test_the_time_the_node_was_down_is_told_once_for_all_cameras() -> None:
    world = World()
    start, end = world.micro() - 720_000_000, world.micro()
    for number in range(100):
        gap = Gap(
            id=f"down-{number}",
            camera=f"cam_{number}",
            kind=Kind.BLIND,
            start=start,
            end=end,
            cause=Cause.NODE_DOWN,
            blame=Blame.NODE,
            detail="ended without a word",
        )
        world.take(GapClosed(at=world.now, gap=gap))
    (told,) = world.passes(30)
    assert told.title == "Vedette was not running for 12 min"
    assert "From 2023-11-15 11:48:00 UTC to 12:00:00" in told.body
    assert world.passes(100_000) == []
    assert world.alerts.active == 0


def test_a_quick_restart_is_not_told_of() -> None:
    world = World()
    gap = Gap(
        id="down",
        camera="gate",
        kind=Kind.BLIND,
        start=world.micro() - 20_000_000,
        end=world.micro(),
        cause=Cause.NODE_DOWN,
        blame=Blame.NODE,
    )
    world.take(GapClosed(at=world.now, gap=gap))
    assert world.passes(100) == []


def test_a_worker_that_dies_again_and_again_is_told_of() -> None:
    world = World()
    dies = WorkerEnded(at=0, worker="cameras-0", exit_code=-11, planned=False, detail="signal 11")
    world.take(dies)
    world.passes(100)
    world.take(WorkerEnded(at=0, worker="cameras-1", exit_code=0, planned=True, detail=""))
    world.take(dies)
    assert world.passes(100) == []
    world.take(dies)
    (told,) = world.passes(15)
    assert told.title == "Worker cameras-0 dies again and again"
    assert "signal 11" in told.body
    assert world.titles(700) == ["Worker cameras-0 is steady again"]


def test_a_worker_in_quarantine_is_critical_and_its_release_is_told() -> None:
    world = World()
    dies = WorkerEnded(at=0, worker="cameras-0", exit_code=-11, planned=False, detail="")
    for _ in range(3):
        world.take(dies)
    held = Quarantined(
        at=0,
        worker="cameras-0",
        why="12 deaths in 5 min",
        again_in=600.0,
        detail="exit code -11 (SIGSEGV)",
        cameras=["gate", "yard"],
    )
    world.take(held)
    (told,) = (each for each in world.passes(15) if "is in quarantine" in each.title)
    assert told.title == "Worker cameras-0 is in quarantine"
    assert told.severity is Severity.CRITICAL
    assert "12 deaths in 5 min; the last time: exit code -11 (SIGSEGV)" in told.body
    assert set(told.cameras) >= {"gate", "yard"}
    world.passes(650)
    world.take(dies)
    world.take(held)
    assert world.passes(900) == [], "it is told once, and nobody says that it is steady"
    world.take(Released(at=0, worker="cameras-0"))
    titles = world.titles(700)
    assert any(title.startswith("Worker cameras-0 is out of quarantine") for title in titles)
    assert any("Worker cameras-0 is steady again" in title for title in titles)


def test_a_detector_that_does_worse_on_labelled_pictures_is_told_of_until_it_passes() -> None:
    world, told = World(), {"run": "r", "dataset": "yard", "pictures": 80, "figures": {}}
    failed = ValidationFailed(at=0, model="new.onnx", problems=["recall is 0.500, below 0.600"], **told)
    world.take(failed)
    [message] = world.passes(15)
    assert message.title == "The detector does worse than it should"
    assert message.severity is Severity.WARNING
    assert "new.onnx on 80 pictures of yard: recall is 0.500, below 0.600" in message.body
    world.take(failed)
    assert world.passes(3600) == [], "once is enough"
    world.take(ValidationPassed(at=0, model="better.onnx", remarks=[], **told))
    assert world.titles(15) == ["The detector does as well as it should again, after 60 min"]
    quiet = World(rules={"validation": False})
    quiet.take(failed)
    assert quiet.passes(60) == []


def test_a_ledger_that_cannot_be_written_is_critical_and_its_return_is_told() -> None:
    world = World()
    world.take(Trouble(at=0, where="ledger", message="the ledger cannot be written, rows wait: disk full"))
    assert world.passes(29) == []
    (told,) = world.passes(15)
    assert (told.title, told.severity) == ("Gaps cannot be recorded", Severity.CRITICAL)
    assert "disk full" in told.body
    world.take(Trouble(at=0, where="ledger", message="the ledger is written again; nothing is missing"))
    (back,) = world.passes(15)
    assert back.title.startswith("Gaps are recorded again")


def test_trouble_is_told_once_for_each_place_and_holds_no_credentials() -> None:
    world = World()
    for _ in range(100):
        world.take(Trouble(at=0, where="sink", message="cannot reach http://me:pw@10.0.0.1/x?token=abc"))
        world.passes(30)
    (told,) = world.said
    assert told.title == "Trouble: sink"
    assert "pw" not in told.body
    assert "abc" not in told.body


def test_coverage_below_the_threshold_is_one_message_a_day_for_all_cameras() -> None:
    asked: list[str] = []

    def coverage(camera: str, seconds: float) -> float | None:
        asked.append(camera)
        assert seconds == 86_400
        return {"cam_1": 0.5, "cam_2": 0.9, "cam_3": None}.get(camera, 0.99)

    world = World(coverage, tick_s=10)
    for number in range(200):
        world.take(CameraAdded(at=0, camera=f"cam_{number}", host="h"))
    world.passes(3 * 86_400)
    assert [message.title for message in world.said] == ["2 cameras saw too little last day"] * 3
    assert world.said[0].severity is Severity.INFO
    assert "cam_1 50.0%, cam_2 90.0%" in world.said[0].body
    assert len(asked) <= 200 * 3


def test_coverage_is_asked_for_at_most_once_an_hour_while_all_is_well() -> None:
    asked: list[str] = []
    world = World(lambda camera, _: asked.append(camera) or 1.0, tick_s=10)
    world.take(CameraAdded(at=0, camera="gate", host="h"))
    assert world.passes(86_400) == []
    assert len(asked) <= 24


def test_rules_can_be_switched_off_and_hold_for_some_cameras_only() -> None:
    world = World(
        rules={
            "down": {"cameras": ["gate_*"], "except_cameras": "gate_old"},
            "frozen": False,
            "incident": False,
        }
    )
    for name in ("gate_1", "gate_old", "yard"):
        world.goes(name)
    world.incident(["gate_1", "gate_old", "yard"])
    world.goes("pond", Cause.FROZEN)
    assert world.titles(100) == ["gate_1 is down: the connection broke"]


def test_what_is_still_wrong_is_told_again_in_one_message() -> None:
    world = World(tick_s=10)
    for number in range(5):
        world.goes(f"cam_{number}")
        world.passes(600)
    world.said.clear()
    (again,) = world.passes(12 * 3600 + 3600)
    assert again.title == "Still: 5 cameras are down"


def test_a_clock_that_is_set_does_not_hold_alerts_up() -> None:
    for step in (-7200.0, 7200.0):
        world = World()
        world.wall += step
        gap = world.goes("gate")
        world.wall -= step
        world.turns_out("gate", detail="more")
        assert gap.start != world.micro()
        assert len(world.passes(75)) == 1


def test_the_ledgers_writer_still_says_what_the_rule_listens_for() -> None:
    writer = Path(vedette.__file__).parent / "ledger" / "writer.py"
    assert WRITTEN_AGAIN in writer.read_text()


def test_more_cameras_than_can_be_followed_are_counted_and_the_count_is_told() -> None:
    world = World()
    for number in range(CAMERAS_AT_MOST + 500):
        world.goes(f"cam_{number}")
    (told,) = world.passes(75)
    assert told.title == f"{CAMERAS_AT_MOST} cameras are down"
    assert "Too much at once: 500 more could not be followed." in told.body
    assert world.alerts.active == CAMERAS_AT_MOST
