"""Schedules as people write them: a YAML file, or one flag for each fault."""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeVar

from vedette.config_yaml import Document, Location, Problem, read_yaml
from vedette.errors import ConfigError
from vedette.sim.faults.kinds import KINDS, Kind, kind_named, options_of, share_of
from vedette.sim.faults.schedule import Fault, RandomFaults, Schedule, Who
from vedette.units import parse_duration

__all__ = ["parse_flag", "read_schedule"]

_T = TypeVar("_T")

_OWN = ("kind", "cameras", "at", "for", "every")
_RANDOM = ("kinds", "cameras", "at", "for", "every", "same")
_TOP = ("seed", "duration", "faults", "random")
_RANGE = re.compile(r"(.+?)\s*(?:-|–|to)\s*(.+)")


def read_schedule(path: Path) -> Schedule:
    """A schedule from a YAML file.

    Raises:
        ConfigError: it cannot be read, or is not a schedule; each line names file, line and key.
    """
    document = read_yaml(path)
    reader = _Reader(str(path), document)
    schedule = reader.schedule(document.values)
    problems = [*document.problems, *reader.problems]
    if problems:
        raise ConfigError("\n".join(_line(str(path), document, each) for each in problems))
    return schedule


def parse_flag(text: str) -> Fault:
    """``"stall cam0,cam3 at=10s for=20s"``: a kind, cameras (all, if left out), and the keys of a file.

    Raises:
        ConfigError: which names the key.
    """
    words = text.split()
    given: dict[str, Any] = {"kind": words.pop(0) if words else ""}
    if words and "=" not in words[0]:
        given["cameras"] = words.pop(0).split(",")
    for word in words:
        key, equals, value = word.partition("=")
        if not equals or not value or key in given:
            raise ConfigError(f'--fault "{text}": {key}: must be key=value, each key once')
        given[key] = value
    reader = _Reader("", Document(given))
    fault = reader.fault(given, ())
    if fault is None or reader.problems:
        said = "; ".join(f"{_dotted(each.where)}: {each.message}" for each in reader.problems)
        raise ConfigError(f'--fault "{text}": {said}')
    return fault


class _Reader:
    """Turns values into a schedule, and collects what is wrong on the way."""

    def __init__(self, path: str, document: Document) -> None:
        self._path, self._document = path, document
        self.problems: list[Problem] = []

    def schedule(self, values: Any) -> Schedule:
        top = self._mapping(values, (), _TOP)
        entries = top.get("faults") or []
        if not isinstance(entries, list):
            self._wrong(("faults",), "must be a list")
            entries = []
        faults = [self.fault(entry, ("faults", index)) for index, entry in enumerate(entries)]
        drawn = top.get("random") or []
        many = isinstance(drawn, list)
        places: list[tuple[Any, Location]] = [
            (entry, ("random", index) if many else ("random",))
            for index, entry in enumerate(drawn if many else [drawn])
        ]
        seed = top.get("seed", 0)
        if not isinstance(seed, int) or isinstance(seed, bool):
            self._wrong(("seed",), "must be a whole number")
        return Schedule(
            faults=tuple(fault for fault in faults if fault),
            random=tuple(filter(None, (self.random(entry, where) for entry, where in places))),
            seed=seed,
            duration=self._seconds(top, "duration", (), positive=True) or 3600.0,
        )

    def fault(self, values: Any, where: Location) -> Fault | None:
        entry = self._mapping(values, where, None)
        kind = self._kind(entry.get("kind"), (*where, "kind")) if entry else None
        if kind is None:
            if not entry:
                self._wrong(where, "needs a kind")
            return None
        options, wrong = options_of(kind, {key: entry[key] for key in entry if key not in _OWN})
        for key, message in wrong.items():
            self._wrong((*where, key), message)
        self._refuse_pointless(kind, entry, where)
        lasts = self._seconds(entry, "for", where, positive=True)
        every = self._seconds(entry, "every", where, positive=True)
        if every is not None and lasts is None and not kind.moment:
            self._wrong((*where, "every"), "needs a `for`: how long it lasts each time")
        if every is not None and lasts is not None and every <= lasts:
            self._wrong((*where, "every"), "must be longer than `for`")
        return Fault(
            kind=kind.name,
            who=self._who(entry, where),
            at=self._seconds(entry, "at", where) or 0.0,
            lasts=lasts,
            every=every,
            options=options,
            origin=self._origin(where),
        )

    def random(self, values: Any, where: Location) -> RandomFaults | None:
        entry = self._mapping(values, where, _RANDOM)
        kinds = self._kinds(entry.get("kinds", "all"), (*where, "kinds"))
        every = self._seconds(entry, "every", where, positive=True)
        if every is None:
            self._wrong((*where, "every") if "every" in entry else where, "needs every: time between rounds")
        shortest, longest = self._range(entry.get("for", "5s-15s"), (*where, "for"))
        if every is not None and longest > every:
            self._wrong((*where, "for"), "must not be longer than `every`")
        same = entry.get("same", False)
        if not isinstance(same, bool):
            self._wrong((*where, "same"), "must be true or false")
        return RandomFaults(
            kinds=kinds,
            every=every or 1.0,
            shortest=shortest,
            longest=longest,
            who=self._who(entry, where),
            at=self._seconds(entry, "at", where) or 0.0,
            same=bool(same),
            origin=self._origin(where),
        )

    def _refuse_pointless(self, kind: Kind, entry: Mapping[str, Any], where: Location) -> None:
        if kind.moment and "for" in entry:
            self._wrong((*where, "for"), f"{kind.name} happens at one moment; leave it out, or use `every`")
        if kind.server and entry.get("cameras", "all") not in ("all", "*", ["all"], ["*"]):
            self._wrong((*where, "cameras"), f"{kind.name} strikes all cameras; leave it out")

    def _kind(self, name: object, where: Location) -> Kind | None:
        return self._try(lambda: kind_named(name), where)

    def _kinds(self, given: object, where: Location) -> tuple[str, ...]:
        if given == "all":
            return tuple(kind.name for kind in KINDS.values() if not kind.server)
        if not isinstance(given, list) or not given:
            self._wrong(where, "must be all, or a list of kinds")
            return ("stall",)
        for index, name in enumerate(given):
            kind = self._kind(name, (*where, index))
            if kind is not None and kind.server:
                self._wrong((*where, index), f"{kind.name} strikes all cameras; schedule it under faults")
        return tuple(str(name) for name in given)

    def _who(self, entry: Mapping[str, Any], where: Location) -> Who:
        given, place = entry.get("cameras", "all"), (*where, "cameras")
        names = given if isinstance(given, list) else [given]
        if len(names) == 1 and isinstance(names[0], str) and names[0].strip().endswith("%"):
            return Who((), self._try(lambda: share_of(names[0]), place) or 0.0)
        if not names or not all(isinstance(name, str) and name for name in names):
            self._wrong(place, "must be all, a share like 30%, a name, or a list of names")
            return Who()
        return Who(tuple("*" if name == "all" else name for name in names))

    def _range(self, given: object, where: Location) -> tuple[float, float]:
        ends = given
        if isinstance(given, str) and (match := _RANGE.fullmatch(given.strip())):
            ends = [match[1], match[2]]
        both = ends if isinstance(ends, list) and len(ends) == 2 else [given, given]
        found = [self._try(lambda end=end: parse_duration(end), where) for end in both]  # type: ignore[misc]
        shortest, longest = (end or 0.0 for end in found)
        if None not in found and not 0 < shortest <= longest:
            self._wrong(where, "must be a time, or a range like 5s-15s")
        return shortest, longest

    def _seconds(
        self, entry: Mapping[str, Any], key: str, where: Location, *, positive: bool = False
    ) -> float | None:
        if key not in entry:
            return None
        seconds = self._try(lambda: parse_duration(entry[key]), (*where, key))
        if positive and seconds == 0:
            self._wrong((*where, key), "must be longer than nothing")
            return None
        return seconds

    def _mapping(self, values: Any, where: Location, keys: tuple[str, ...] | None) -> dict[str, Any]:
        if not isinstance(values, dict):
            self._wrong(where, "must be a mapping (key: value)")
            return {}
        for key in values if keys else ():
            if keys and key not in keys:
                near = difflib.get_close_matches(key, keys, 1)
                self._wrong((*where, key), f"unknown key{f' (did you mean {near[0]}?)' if near else ''}")
        return values

    def _try(self, read: Callable[[], _T], where: Location) -> _T | None:
        try:
            return read()
        except ValueError as error:
            self._wrong(where, str(error))
            return None

    def _wrong(self, where: Location, message: str) -> None:
        self.problems.append(Problem(where, message))

    def _origin(self, where: Location) -> str:
        return f"{self._path}:{self._document.line_of(where)}: {_dotted(where)}" if self._path else "--fault"


def _line(path: str, document: Document, problem: Problem) -> str:
    key = f"{_dotted(problem.where)}: " if problem.where else ""
    return f"{path}:{problem.line or document.line_of(problem.where)}: {key}{problem.message}"


def _dotted(where: Location) -> str:
    """``("faults", 0, "kind")`` as ``faults[0].kind``."""
    return "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in where).removeprefix(".")
