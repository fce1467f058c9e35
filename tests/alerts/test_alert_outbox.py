"""Few messages: quiet hours, limits, and what always holds of them."""

from __future__ import annotations

import heapq
import random
from collections import Counter

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from alerts.alert_world import NOON, World
from vedette.alerts.message import Message, Severity
from vedette.alerts.outbox import Bucket
from vedette.causes import BLINDING, Cause
from vedette.facts import CameraRemoved, Trouble, WorkerEnded

EVENING = NOON + 9 * 3600.0
"""21:00 UTC."""
QUIET = "22:00-06:00"


def clock_hour(world: World, at: float) -> float:
    return ((at - world.now + world.wall) % 86_400) / 3600


def check_pairs(said: list[Message]) -> None:
    """Every alert is resolved at most once for each time it was told, and never before."""
    on: set[str] = set()
    for message in said:
        assert not set(message.alerts) & set(message.recovered)
        for key in message.recovered:
            assert key in on
            on.discard(key)
        on |= set(message.alerts)
        assert message.resolved == (not message.alerts)


def check_rate(world: World, at_most: int) -> None:
    times = world.said_at
    for first, last in zip(times, times[at_most:], strict=False):
        assert last - first > 3600 - 1e-6


def test_during_quiet_hours_only_what_is_critical_is_told_and_the_rest_at_their_end() -> None:
    world = World(start=EVENING, quiet=QUIET, tick_s=5)
    world.passes(3700)
    world.goes("gate", Cause.STALLED)
    world.goes("yard", Cause.FROZEN)
    world.passes(600)
    world.goes("pond")
    world.passes(600)
    world.back("pond")  # told of neither
    assert world.said == []
    world.take(Trouble(at=0, where="ledger", message="the ledger cannot be written: disk full"))
    (critical,) = world.passes(120)
    assert critical.severity is Severity.CRITICAL
    assert world.passes(7 * 3600) == []
    (morning,) = world.passes(3600)
    assert morning.key == "several"
    assert morning.title == ("gate is down: connected, but nothing comes; yard: the picture is frozen")
    assert morning.cameras == ("gate", "yard")
    assert clock_hour(world, world.said_at[-1]) < 6.1
    check_pairs(world.said)


def test_outages_that_came_and_went_in_quiet_hours_are_counted_in_the_next_message() -> None:
    world = World(start=EVENING + 3700, quiet=QUIET, tick_s=5)
    for number in range(7):
        world.goes(f"cam_{number}")
        world.passes(300)
        world.back(f"cam_{number}")
    world.passes(9 * 3600)
    assert world.said == []
    world.goes("gate")
    (told,) = world.passes(100)
    assert "Came and went before it could be told: 7 (down 7)." in told.body


def test_the_return_of_a_camera_told_before_quiet_hours_waits_for_their_end() -> None:
    world = World(start=EVENING, quiet=QUIET, tick_s=5)
    world.goes("gate")
    assert len(world.passes(120)) == 1
    world.passes(3600)
    world.back("gate")
    assert world.passes(7 * 3600) == []
    (back,) = world.passes(3600)
    assert back.resolved
    assert back.title.startswith("gate is back after")


def test_the_return_of_something_critical_is_told_at_night_too() -> None:
    world = World(start=EVENING + 7200, quiet=QUIET, tick_s=5)
    world.goes("gate", Cause.DETECTOR_LOST)
    assert len(world.passes(120)) == 1
    world.back("gate")
    assert world.titles(60) == ["The detector runs again after 2 min"]


def test_quiet_hours_are_those_of_the_zone() -> None:
    # 21:00 UTC is 22:00 in Berlin.
    world = World(start=EVENING, quiet=QUIET, zone="Europe/Berlin")
    world.goes("gate")
    assert world.passes(200) == []


def test_a_limit_makes_fewer_and_larger_messages_and_loses_nothing() -> None:
    world = World(most_per_hour=4)
    for number in range(60):
        world.goes(f"cam_{number:02}", Cause.STALLED if number % 2 else Cause.FROZEN)
        world.passes(60)
    world.passes(3600)
    check_rate(world, 4)
    told = Counter(key for message in world.said for key in message.alerts)
    assert len(told) == 60
    assert set(told.values()) == {1}


def test_critical_messages_do_not_wait_for_others() -> None:
    world = World(most_per_hour=2)
    for number in range(10):
        world.goes(f"cam_{number}", Cause.STALLED)
        world.passes(70)
    world.goes("gate", Cause.DETECTOR_LOST)
    (critical,) = [message for message in world.passes(75) if message.severity is Severity.CRITICAL]
    assert critical.title == "No detector is running"


def test_a_bucket_never_gives_more_than_its_number_in_any_hour() -> None:
    for per_hour in (2, 3, 8, 21):
        bucket, times, now = Bucket(per_hour), [], 0.0
        while now < 5 * 3600:
            left = bucket.left(now)
            bucket.take(left)
            times += [now] * left
            now += 7
        assert all(last - first > 3600 - 1e-6 for first, last in zip(times, times[per_hour:], strict=False))
        assert len(times) >= 4 * (per_hour // 2)


class Fleet:
    """Random outages of many cameras, and a switch that fails now and then."""

    def __init__(self, cameras: int, outages_per_hour: float, seed: int) -> None:
        self.names = [f"cam_{number:04}" for number in range(cameras)]
        self.rate, self.random = outages_per_hour / 3600, random.Random(seed)
        self.ends: list[tuple[float, str]] = []
        self.outages = 0

    def turn(self, world: World, seconds: float) -> None:
        while self.ends and self.ends[0][0] <= world.now:
            world.back(heapq.heappop(self.ends)[1])
        if self.random.random() < self.rate * seconds:
            self.go(world, self.random.choice(self.names))

    def go(self, world: World, name: str) -> None:
        if name in world.open:
            return
        self.outages += 1
        cause = self.random.choice([Cause.STALLED, Cause.CONNECTION_LOST, Cause.UNREACHABLE, Cause.REFUSED])
        world.goes(name, cause)
        # Most are short, a few last for hours.
        heapq.heappush(self.ends, (world.now + self.random.lognormvariate(4.5, 1.5), name))


def test_a_night_with_a_thousand_cameras_and_many_failures_an_hour_brings_few_messages() -> None:
    world = World(start=EVENING, quiet=QUIET, tick_s=5)
    fleet = Fleet(1000, outages_per_hour=12, seed=1)
    for _ in range(12 * 3600 // 5):  # 21:00 to 09:00
        fleet.turn(world, 5)
        world.passes(5)
    assert fleet.outages > 100
    at_night = [at for at in world.said_at if not 6 <= clock_hour(world, at) < 22]
    assert at_night == []
    assert len(world.said) <= 30
    check_pairs(world.said)


def test_without_quiet_hours_a_pager_that_wants_what_is_critical_stays_silent_too() -> None:
    world = World(start=EVENING, tick_s=5)
    fleet = Fleet(1000, outages_per_hour=12, seed=2)
    for _ in range(12 * 3600 // 5):
        fleet.turn(world, 5)
        world.passes(5)
    assert [message for message in world.said if message.severity is Severity.CRITICAL] == []
    assert len(world.said) <= 60  # for 150 outages, one of three long enough to be told with its return
    check_pairs(world.said)
    check_rate(world, 8)


def test_a_switch_with_a_thousand_cameras_that_restarts_all_night_is_a_handful_of_messages() -> None:
    world = World(start=EVENING, quiet=QUIET, tick_s=5)
    names = [f"cam_{number:04}" for number in range(1000)]
    for hour in range(8):
        for name in names:
            world.goes(name, Cause.UNREACHABLE, incident=f"i{hour}")
        incident = world.incident(names, name=f"i{hour}")
        world.passes(240)
        for name in names:
            world.back(name)
        world.incident_over(incident)
        world.passes(3360)
    assert len(world.said) == 16
    check_pairs(world.said)


CAMERAS = st.sampled_from(["a", "b", "c", "d", "e"])
STEPS = st.one_of(
    st.tuples(st.just("goes"), CAMERAS, st.sampled_from(sorted(BLINDING | {Cause.MOVED, Cause.BLURRED}))),
    st.tuples(st.just("back"), CAMERAS),
    st.tuples(
        st.just("turns out"), CAMERAS, st.sampled_from([Cause.UNAUTHORISED, Cause.STALLED, Cause.REFUSED])
    ),
    st.tuples(st.just("incident"), st.lists(CAMERAS, min_size=1, unique=True)),
    st.tuples(
        st.just("incident over"),
    ),
    st.tuples(st.just("removed"), CAMERAS),
    st.tuples(
        st.just("worker"),
    ),
    st.tuples(st.just("ledger"), st.booleans()),
    st.tuples(st.just("passes"), st.sampled_from([1, 15, 70, 700, 7200])),
)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    steps=st.lists(STEPS, max_size=40),
    most=st.integers(2, 10),
    quiet=st.sampled_from([None, QUIET, "00:00-12:30"]),
)
def test_whatever_happens_alerts_are_paired_rare_and_silent_at_night(
    steps: list[tuple], most: int, quiet: str | None
) -> None:
    world = World(most_per_hour=most, most_critical_per_hour=most, quiet=quiet, tick_s=10)
    incidents = []
    for step in steps:
        match step:
            case ("goes", camera, cause):
                if camera in world.open:
                    world.back(camera)  # a row ends where another begins: no cause is open twice
                world.goes(camera, cause)
            case ("back", camera) if camera in world.open:
                world.back(camera)
            case ("turns out", camera, cause) if camera in world.open:
                world.turns_out(camera, cause=cause)
            case ("incident", cameras):
                incidents.append(world.incident(cameras, name=f"i{len(incidents)}"))
            case ("incident over",) if incidents:
                world.incident_over(incidents[-1])
            case ("removed", camera):
                world.take(CameraRemoved(at=0, camera=camera))
            case ("worker",):
                world.take(WorkerEnded(at=0, worker="w", exit_code=1, planned=False, detail=""))
            case ("ledger", works):
                word = "the ledger is written again" if works else "the ledger cannot be written"
                world.take(Trouble(at=0, where="ledger", message=word))
            case ("passes", seconds):
                world.passes(seconds)
    for camera in list(world.open):
        world.take(CameraRemoved(at=0, camera=camera))
    for incident in incidents:
        world.incident_over(incident)
    world.take(Trouble(at=0, where="ledger", message="the ledger is written again"))
    world.tick_s = 60
    world.passes(2 * 86_400)
    check_pairs(world.said)
    check_rate(world, 2 * most)
    for at, message in zip(world.said_at, world.said, strict=True):
        if quiet is not None and message.severity is not Severity.CRITICAL:
            hour = clock_hour(world, at)
            assert hour >= 12.5 if quiet == "00:00-12:30" else 6 <= hour < 22
    told = {key for message in world.said for key in message.alerts}
    over = {key for message in world.said for key in message.recovered}
    assert {key for key in told - over if not key.startswith(("moved", "node"))} == set()
    assert world.alerts.active == 0


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 1000))
def test_nothing_grows_without_bound(seed: int) -> None:
    chance = random.Random(seed)
    world = World(tick_s=60)
    for number in range(3000):
        camera = f"cam_{chance.randrange(40)}"
        if camera in world.open and chance.random() < 0.5:
            world.back(camera)
        else:
            world.goes(camera, chance.choice(sorted(BLINDING)))
        if number % 20 == 0:
            world.passes(60)
    assert world.alerts.active <= 40 * 10
    for number in range(40):
        world.take(CameraRemoved(at=0, camera=f"cam_{number}"))
    world.passes(2 * 86_400)
    assert world.alerts.active == 0
    check_pairs(world.said)
