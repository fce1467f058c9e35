"""Cameras that went within seconds of each other, and have a host, a subnet or a worker in common. Pure."""

from __future__ import annotations

import ipaddress
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from msgspec.structs import replace

from vedette.causes import LINK, Blame, Cause, Kind
from vedette.facts import Gap, GapChanged, GapClosed, Incident, IncidentClosed, IncidentOpened
from vedette.ledger.camera_rows import Told

__all__ = ["Incidents", "subnet_of"]

WITHIN_S = 10.0
HOST_LEAST, SUBNET_LEAST, WORKER_LEAST = 2, 3, 2
"""So many cameras are no coincidence. Two neighbours in a subnet of two hundred may be."""

_CAUSES = frozenset(LINK) - {Cause.STARTING} | {Cause.WORKER_LOST}
_BLAMES = frozenset({Blame.CAMERA, Blame.NETWORK, Blame.NODE})
_HERE = frozenset({"", "local"})
"""What stands for the host of a file or a device of this machine: nothing that fails as one."""


@dataclass(slots=True)
class _Incident:
    id: str
    scope: str
    start: int
    latest: int
    """When the last of its cameras went."""
    end: int
    causes: dict[str, Cause] = field(default_factory=dict)
    """Of its cameras, in the order in which they joined."""
    open: set[str] = field(default_factory=set)
    """Ids of its rows that are open."""

    @property
    def cause(self) -> Cause:
        """The one most of its cameras have."""
        said = list(self.causes.values())
        return max(dict.fromkeys(said), key=said.count)

    def told(self, end: int | None) -> Incident:
        return Incident(
            id=self.id,
            scope=self.scope,
            start=self.start,
            end=end,
            cause=self.cause,
            cameras=list(self.causes),
        )


class Incidents:
    """Rows in, the same rows out with their incident in them, and the incidents.

    A row belongs to at most one incident. It joins one that is still open if its camera went within
    ``within`` of any of the incident's cameras; so a switch that takes its cameras down one by one makes one
    incident. A host is looked at before a subnet. A row whose cause changes later stays where it is. What is
    remembered are the open rows and the cameras of the open incidents.
    """

    def __init__(
        self,
        *,
        new_id: Callable[[], str],
        host_of: Callable[[str], str],
        worker_of: Callable[[str], str],
        within: float = WITHIN_S,
    ) -> None:
        """``host_of``, ``worker_of``: of a camera. A host that is a name has no subnet. ``within``: s."""
        self._new_id, self._host_of, self._worker_of = new_id, host_of, worker_of
        self._within = round(within * 1e6)
        self._joined: dict[str, _Incident] = {}
        """By the id of an open row."""
        self._loose: dict[str, dict[str, Gap]] = {}
        """Open rows that belong to none, by what they have in common with others and their id."""
        self._scopes: dict[str, list[str]] = {}
        """Of each open row that belongs to none."""
        self._incidents: dict[str, list[_Incident]] = {}
        """The open ones, by scope."""

    def take(self, facts: Iterable[Told]) -> list[Told | IncidentOpened | IncidentClosed]:
        """What came at once is taken at once: each incident is told of once, before the rows that name it.

        Each row that came in goes out, in the same order and with its incident. Rows that came earlier and
        turn out to belong to an incident follow as ``GapChanged``; incidents that are over come last.
        """
        rows: list[Told] = []
        touched: dict[str, _Incident] = {}
        over: dict[str, _Incident] = {}
        at = 0.0
        for fact in facts:
            at = fact.at
            rows += self._row(fact, touched, over)
        opened = [IncidentOpened(at=at, incident=incident.told(None)) for incident in touched.values()]
        closed = [IncidentClosed(at=at, incident=incident.told(incident.end)) for incident in over.values()]
        return [*opened, *rows, *closed]

    # ---- a row

    def _row(self, fact: Told, touched: dict[str, _Incident], over: dict[str, _Incident]) -> list[Told]:
        gap, joined = fact.gap, self._joined.get(fact.gap.id)
        if isinstance(fact, GapClosed):
            self._forget(gap.id)
            if joined is None:
                return [fact]
            self._leave(joined, gap, over)
            return [_in(fact, joined)]
        if joined is not None:
            self._follow(joined, gap, touched)
            return [_in(fact, joined)]
        self._forget(gap.id)
        scopes = self._scopes_of(gap)
        found = self._incident_for(gap, scopes)
        if found is None:
            self._keep(gap, scopes)
            return [fact]
        incident, others = found
        touched[incident.id] = incident
        for other in [*others, gap]:
            self._forget(other.id)
            self._join(incident, other)
        return [_in(fact, incident)] + [_in(GapChanged(at=fact.at, gap=other), incident) for other in others]

    def _incident_for(self, gap: Gap, scopes: dict[str, int]) -> tuple[_Incident, list[Gap]] | None:
        """The incident that the row belongs to, and which earlier rows do with it; None if it is alone."""
        for scope, least in scopes.items():
            for incident in self._incidents.get(scope, []):
                if incident.start - self._within <= gap.start <= incident.latest + self._within:
                    return incident, self._near(scope, gap)
            others = self._near(scope, gap)
            if len({other.camera for other in others} | {gap.camera}) >= least:
                incident = _Incident(self._new_id(), scope, gap.start, gap.start, gap.start)
                self._incidents.setdefault(scope, []).append(incident)
                return incident, others
        return None

    def _near(self, scope: str, gap: Gap) -> list[Gap]:
        loose = self._loose.get(scope, {}).values()
        return [other for other in loose if abs(other.start - gap.start) <= self._within]

    def _scopes_of(self, gap: Gap) -> dict[str, int]:
        """What the row may have in common with others, and how many cameras make an incident of it."""
        if gap.kind is not Kind.BLIND or gap.cause not in _CAUSES or gap.blame not in _BLAMES:
            return {}
        if gap.cause is Cause.WORKER_LOST:
            return {f"worker {self._worker_of(gap.camera)}": WORKER_LEAST}
        host = self._host_of(gap.camera)
        if host in _HERE:
            return {}
        subnet = subnet_of(host)
        return {f"host {host}": HOST_LEAST} | ({} if subnet is None else {f"subnet {subnet}": SUBNET_LEAST})

    # ---- rows that belong to none

    def _keep(self, gap: Gap, scopes: Iterable[str]) -> None:
        for scope in scopes:
            self._loose.setdefault(scope, {})[gap.id] = gap
            self._scopes.setdefault(gap.id, []).append(scope)

    def _forget(self, gap_id: str) -> None:
        for scope in self._scopes.pop(gap_id, []):
            del self._loose[scope][gap_id]
            if not self._loose[scope]:
                del self._loose[scope]

    # ---- rows that belong to one

    def _join(self, incident: _Incident, gap: Gap) -> None:
        self._joined[gap.id] = incident
        incident.open.add(gap.id)
        incident.causes[gap.camera] = gap.cause
        incident.start, incident.latest = min(incident.start, gap.start), max(incident.latest, gap.start)

    def _follow(self, incident: _Incident, gap: Gap, touched: dict[str, _Incident]) -> None:
        """More is known of one of its rows."""
        before = (incident.start, incident.cause)
        incident.causes[gap.camera] = gap.cause
        incident.start = min(incident.start, gap.start)
        if before != (incident.start, incident.cause):
            touched[incident.id] = incident

    def _leave(self, incident: _Incident, gap: Gap, over: dict[str, _Incident]) -> None:
        del self._joined[gap.id]
        incident.open.discard(gap.id)
        incident.end = max(incident.end, incident.latest, gap.start if gap.end is None else gap.end)
        if incident.open:
            return
        self._incidents[incident.scope].remove(incident)
        if not self._incidents[incident.scope]:
            del self._incidents[incident.scope]
        over[incident.id] = incident


def _in(fact: Told, incident: _Incident) -> Told:
    return replace(fact, gap=replace(fact.gap, incident=incident.id))


def subnet_of(host: str) -> str | None:
    """The /24 (IPv4) or /64 (IPv6) that an address lies in; None for a name, which is not resolved."""
    try:
        address = ipaddress.ip_address(host.strip("[]").partition("%")[0])
    except ValueError:
        return None
    if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped is not None:
        address = address.ipv4_mapped
    bits = 24 if isinstance(address, ipaddress.IPv4Address) else 64
    return str(ipaddress.ip_network((address.packed, bits), strict=False))
