"""Which cameras went together, and what they have in common."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import count

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from vedette.causes import Blame, Cause, Kind, kind_of
from vedette.facts import Gap, GapChanged, GapClosed, GapOpened, Incident, IncidentClosed, IncidentOpened
from vedette.ledger.camera_rows import Told
from vedette.ledger.incidents import HOST_LEAST, SUBNET_LEAST, WORKER_LEAST, Incidents, subnet_of

HOSTS = {
    "nvr-1": "10.0.0.5",
    "nvr-2": "10.0.0.5",
    "nvr-3": "10.0.0.5",
    "gate": "10.0.0.20",
    "yard": "10.0.0.21",
    "door": "10.0.0.22",
    "far": "10.9.9.9",
    "named-1": "cams.example",
    "named-2": "cams.example",
    "file-1": "local",
    "file-2": "local",
}


class Desk:
    """Incidents, and what came out of them."""

    def __init__(self, hosts: Mapping[str, str] = HOSTS) -> None:
        ids = count(1)
        self.incidents = Incidents(
            new_id=lambda: f"i{next(ids)}",
            host_of=hosts.__getitem__,
            worker_of=lambda camera: f"cameras-{len(camera) % 2}",
        )
        self.rows: dict[str, Gap] = {}
        self.told: list[Incident] = []
        self.over: list[Incident] = []

    def take(self, *facts: Told) -> list[object]:
        out = self.incidents.take(facts)
        for fact in out:
            if isinstance(fact, IncidentOpened):
                self.told.append(fact.incident)
            elif isinstance(fact, IncidentClosed):
                self.over.append(fact.incident)
            else:
                self.rows[fact.gap.id] = fact.gap
        return list(out)

    def goes(self, camera: str, at: float, cause: Cause = Cause.STALLED, blame: Blame = Blame.NETWORK) -> Gap:
        gap = row(camera, at, cause, blame)
        self.take(GapOpened(at=at, gap=gap))
        return gap

    def comes_back(self, gap: Gap, at: float) -> None:
        self.take(GapClosed(at=at, gap=replace(gap, end=us(at))))

    def of(self, camera: str) -> str | None:
        """The incident of its latest row."""
        return [gap.incident for gap in self.rows.values() if gap.camera == camera][-1]


_numbers = count(1)


def us(seconds: float) -> int:
    return round(seconds * 1e6)


def row(camera: str, at: float, cause: Cause = Cause.STALLED, blame: Blame = Blame.NETWORK) -> Gap:
    return Gap(
        id=f"g{next(_numbers)}",
        camera=camera,
        kind=kind_of(cause),
        start=us(at),
        cause=cause,
        blame=blame,
    )


def test_two_cameras_of_one_host_are_an_incident() -> None:
    desk = Desk()
    desk.goes("nvr-1", 100.0)
    assert desk.told == []
    desk.goes("nvr-2", 103.0)
    (incident,) = desk.told
    assert incident == Incident(
        id="i1", scope="host 10.0.0.5", start=us(100), cause=Cause.STALLED, cameras=["nvr-1", "nvr-2"]
    )
    assert desk.of("nvr-1") == desk.of("nvr-2") == "i1"


def test_the_incident_is_told_of_before_the_rows_that_name_it_and_its_end_after_them() -> None:
    desk = Desk()
    first, second = row("nvr-1", 100.0), row("nvr-2", 101.0)
    out = desk.take(GapOpened(at=101.0, gap=first), GapOpened(at=101.0, gap=second))
    assert [type(fact) for fact in out] == [IncidentOpened, GapOpened, GapOpened, GapChanged]
    out = desk.take(
        GapClosed(at=120.0, gap=replace(first, end=us(120))),
        GapClosed(at=120.0, gap=replace(second, end=us(119))),
    )
    assert [type(fact) for fact in out] == [GapClosed, GapClosed, IncidentClosed]
    assert (desk.over[0].start, desk.over[0].end) == (us(100), us(120))


def test_two_neighbours_in_a_subnet_are_a_coincidence_and_three_are_not() -> None:
    desk = Desk()
    desk.goes("gate", 100.0)
    desk.goes("yard", 101.0)
    desk.goes("far", 101.5)
    assert desk.told == []
    desk.goes("door", 102.0)
    assert [(incident.scope, incident.cameras) for incident in desk.told] == [
        ("subnet 10.0.0.0/24", ["gate", "yard", "door"])
    ]
    assert desk.of("far") is None


def test_a_host_is_looked_at_before_a_subnet() -> None:
    desk = Desk()
    for camera in ("gate", "yard", "nvr-1", "nvr-2", "door"):
        desk.goes(camera, 100.0)
    assert desk.told[-1].scope == "subnet 10.0.0.0/24", (
        "the third of the subnet came before the host's second"
    )
    desk = Desk()
    for camera in ("gate", "nvr-1", "nvr-2", "yard"):
        desk.goes(camera, 100.0)
    assert [(incident.scope, incident.cameras) for incident in desk.told] == [
        ("host 10.0.0.5", ["nvr-1", "nvr-2"])
    ]


def test_hosts_that_are_names_group_and_files_do_not() -> None:
    desk = Desk()
    for camera in ("file-1", "file-2", "named-1", "named-2"):
        desk.goes(camera, 100.0)
    assert [incident.scope for incident in desk.told] == ["host cams.example"]


def test_a_lost_worker_is_an_incident_of_its_cameras_wherever_they_are() -> None:
    desk = Desk()
    for camera in ("far", "nvr-1", "door"):  # names of three, five and four letters
        desk.goes(camera, 100.0, Cause.WORKER_LOST, Blame.NODE)
    assert [(incident.scope, incident.cause, incident.cameras) for incident in desk.told] == [
        ("worker cameras-1", Cause.WORKER_LOST, ["far", "nvr-1"])
    ]


@pytest.mark.parametrize(
    ("cause", "blame"),
    [
        (Cause.STARTING, Blame.NODE),
        (Cause.PAUSED, Blame.OPERATOR),
        (Cause.FROZEN, Blame.CAMERA),
        (Cause.DARK, Blame.CAMERA),
        (Cause.NODE_DOWN, Blame.NODE),
        (Cause.NODE_ASLEEP, Blame.NODE),
        (Cause.DETECTOR_LOST, Blame.INFERENCE),
        (Cause.UNAUTHORISED, Blame.OPERATOR),
        (Cause.DECODE_BEHIND, Blame.DECODE),
        (Cause.BLURRED, Blame.CAMERA),
    ],
)
def test_what_does_not_come_from_outside_is_no_incident(cause: Cause, blame: Blame) -> None:
    desk = Desk()
    for camera in ("nvr-1", "nvr-2", "nvr-3"):
        desk.goes(camera, 100.0, cause, blame)
    assert desk.told == []
    assert [gap.incident for gap in desk.rows.values()] == [None] * 3


def test_cameras_that_went_further_apart_are_not_together() -> None:
    desk = Desk()
    desk.goes("nvr-1", 100.0)
    desk.goes("nvr-2", 110.1)
    assert desk.told == []
    desk.goes("nvr-3", 105.0)
    assert desk.told[-1].cameras == ["nvr-1", "nvr-2", "nvr-3"], "the one between them ties them together"
    assert desk.told[-1].start == us(100)


def test_cameras_that_go_one_by_one_are_one_incident() -> None:
    desk = Desk({f"camera-{n}": f"10.0.0.{n}" for n in range(1, 200)})
    for n in range(1, 200):
        desk.goes(f"camera-{n}", 100.0 + 4 * n)
    assert {incident.id for incident in desk.told} == {"i1"}
    assert len(desk.told[-1].cameras) == 199


def test_what_was_told_at_once_is_an_incident_told_once() -> None:
    cameras = {f"camera-{n}": f"10.0.0.{n}" for n in range(1, 200)}
    desk = Desk(cameras)
    desk.take(*[GapOpened(at=101.0, gap=row(camera, 100.0)) for camera in cameras])
    (incident,) = desk.told
    assert incident.cameras == list(cameras)
    assert {gap.incident for gap in desk.rows.values()} == {incident.id}


def test_a_camera_that_went_and_came_back_alone_is_forgotten() -> None:
    desk = Desk()
    desk.comes_back(desk.goes("nvr-1", 100.0), 102.0)
    desk.goes("nvr-2", 103.0)
    assert desk.told == []


def test_an_incident_is_over_when_all_its_cameras_are_back_and_the_next_is_another() -> None:
    desk = Desk()
    first, second = desk.goes("nvr-1", 100.0), desk.goes("nvr-2", 100.0)
    desk.comes_back(first, 150.0)
    assert desk.over == []
    desk.comes_back(second, 140.0)
    assert [(incident.id, incident.end) for incident in desk.over] == [("i1", us(150))]
    desk.goes("nvr-1", 151.0)
    desk.goes("nvr-2", 151.0)
    assert desk.told[-1].id == "i2"


def test_a_camera_that_comes_back_and_goes_again_much_later_has_its_own_trouble() -> None:
    desk = Desk()
    first, _ = desk.goes("nvr-1", 100.0), desk.goes("nvr-2", 100.0)
    desk.comes_back(first, 150.0)
    desk.goes("nvr-1", 500.0)
    assert desk.of("nvr-1") is None


def test_the_cause_is_the_one_most_of_its_cameras_have() -> None:
    desk = Desk()
    gaps = [desk.goes(camera, 100.0) for camera in ("nvr-1", "nvr-2", "nvr-3")]
    told = len(desk.told)
    for gap in gaps[:2]:
        desk.take(GapChanged(at=105.0, gap=replace(gap, cause=Cause.UNREACHABLE)))
    assert len(desk.told) == told + 1, "told again when that changes"
    assert desk.told[-1].cause is Cause.UNREACHABLE
    assert desk.of("nvr-1") == "i1", "a change does not lose the incident"


def test_a_row_that_turns_out_to_come_from_outside_is_grouped_then() -> None:
    """At the start of a node, before a dead recorder: its cameras are starting, then unreachable."""
    desk = Desk()
    gaps = [desk.goes(camera, 0.0, Cause.STARTING, Blame.NODE) for camera in ("nvr-1", "nvr-2")]
    for gap in gaps:
        desk.take(
            GapChanged(at=5.0, gap=replace(gap, cause=Cause.UNREACHABLE, blame=Blame.NETWORK)),
        )
    assert [incident.cause for incident in desk.told] == [Cause.UNREACHABLE]


def test_a_row_that_turns_out_to_be_a_wrong_password_is_grouped_no_more() -> None:
    desk = Desk()
    gap = desk.goes("nvr-1", 100.0)
    desk.take(GapChanged(at=101.0, gap=replace(gap, cause=Cause.UNAUTHORISED, blame=Blame.OPERATOR)))
    desk.goes("nvr-2", 102.0)
    assert desk.told == []


@pytest.mark.parametrize(
    ("host", "subnet"),
    [
        ("10.1.2.3", "10.1.2.0/24"),
        ("2001:db8:1:2::3", "2001:db8:1:2::/64"),
        ("[2001:db8:1:2::3]", "2001:db8:1:2::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        ("::ffff:10.1.2.3", "10.1.2.0/24"),
        ("cams.example", None),
        ("", None),
    ],
)
def test_subnets(host: str, subnet: str | None) -> None:
    assert subnet_of(host) == subnet


def test_nothing_is_remembered_of_what_is_over() -> None:
    desk = Desk()
    for n in range(50):
        gaps = [desk.goes(camera, 1000.0 * n) for camera in HOSTS]
        for gap in gaps:
            desk.comes_back(gap, 1000.0 * n + 100)
    remembered = [value for value in vars(desk.incidents).values() if isinstance(value, dict)]
    assert len(remembered) == 4
    assert not any(remembered)


CAUSES = st.sampled_from(
    [Cause.STALLED, Cause.REFUSED, Cause.UNREACHABLE, Cause.WORKER_LOST, Cause.STARTING, Cause.DARK]
)
BLAMES = st.sampled_from([Blame.CAMERA, Blame.NETWORK, Blame.NODE, Blame.OPERATOR])


@given(
    st.lists(
        st.tuples(st.sampled_from(sorted(HOSTS)), st.floats(0.0, 8.0), CAUSES, BLAMES, st.integers(0, 2)),
        max_size=60,
    )
)
def test_every_row_is_in_at_most_one_incident_and_every_incident_ends_with_its_rows(
    steps: list[tuple[str, float, Cause, Blame, int]],
) -> None:
    """Of a camera: it goes; more is known; it comes back. Whatever the order among cameras."""
    desk = Desk()
    at, rows, incident_of = 0.0, dict[str, Gap](), dict[str, str]()
    for camera, wait, cause, blame, more in steps:
        at += wait
        if camera not in rows:
            rows[camera] = desk.goes(camera, at, cause, blame)
        elif more:
            rows[camera] = replace(rows[camera], cause=cause, blame=blame, detail=str(at))
            desk.take(GapChanged(at=at, gap=rows[camera]))
        else:
            desk.comes_back(rows.pop(camera), at)
        for gap in desk.rows.values():
            assert incident_of.get(gap.id) in (None, gap.incident), "once in an incident, always in it"
            if gap.incident is not None:
                incident_of[gap.id] = gap.incident
        check(desk)
    for gap in rows.values():
        desk.comes_back(gap, at + 1)
    check(desk)
    assert {incident.id for incident in desk.over} == {incident.id for incident in desk.told}
    assert not any(value for value in vars(desk.incidents).values() if isinstance(value, dict))


def check(desk: Desk) -> None:
    """What has been told so far is true."""
    over = [incident.id for incident in desk.over]
    assert len(over) == len(set(over)), "closed once"
    latest = {incident.id: incident for incident in desk.told}
    for incident in latest.values():
        members = [gap for gap in desk.rows.values() if gap.incident == incident.id]
        assert {gap.camera for gap in members} == set(incident.cameras)
        least = {"host": HOST_LEAST, "subnet": SUBNET_LEAST, "worker": WORKER_LEAST}
        assert len(incident.cameras) >= least[incident.scope.split()[0]]
        assert incident.start == min(gap.start for gap in members)
        assert all(gap.kind is Kind.BLIND for gap in members)
        assert (incident.id in over) == all(gap.end is not None for gap in members)
