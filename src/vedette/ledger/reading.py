"""Questions of the command line, put to a ledger: what to read, what to make of it, what to say beside it."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path

import msgspec

from vedette.causes import Cause, Kind
from vedette.errors import LedgerError
from vedette.facts import Gap
from vedette.ledger.answers import Covered, Record, covered, known_only, silent
from vedette.ledger.audit import partition_problems
from vedette.ledger.buckets import Bucket
from vedette.ledger.export import coverage_sheet, gap_sheet, incident_sheet
from vedette.ledger.output import Output, drawn, note
from vedette.ledger.plot import FORMATS, plot
from vedette.ledger.question import QuestionError, cameras_like, near, span, words
from vedette.ledger.store import Ledger
from vedette.ledger.tables import coverage_table, gap_table, incident_table
from vedette.ledger.when import LOCAL, counted, local, percent, period

__all__ = ["DEFAULT_LEDGER", "Asked", "audit", "coverage", "gaps", "incidents", "picture"]

DEFAULT_LEDGER = "vedette.db"

FAILED = 1
"""Exit code where coverage lies below what was asked for, or rows contradict each other, not of errors."""

_NAMED = 5


@dataclass(frozen=True, slots=True)
class Asked:
    """``since``, ``until``: µs. ``expected``: cameras of the configuration that ought to be watched."""

    ledger: str
    cameras: Sequence[str]
    since: int
    until: int
    node: str | None = None
    causes: Collection[Cause] = ()
    kinds: Collection[Kind] = ()
    only_open: bool = False
    expected: Collection[str] = ()

    @classmethod
    def of(
        cls,
        *,
        ledger: str | None,
        config: Path | None,
        cameras: Sequence[str],
        since: str,
        until: str,
        node: str | None,
        now: int,
        causes: Sequence[str] = (),
        kinds: Sequence[str] = (),
        only_open: bool = False,
    ) -> Asked:
        """Of what was typed; ``now`` in µs. Raises QuestionError, ConfigError."""
        begin, end = span(since, until, now)
        named, kept = words("--cause", causes, Cause), words("--kind", kinds, Kind)
        configured, expected = ("", ()) if config is None else _configured(config)
        where = ledger or configured or DEFAULT_LEDGER
        if ledger is None and "://" not in where and not Path(where).exists():
            raise LedgerError(
                f"{Path(where).absolute()}: there is no such ledger (--ledger says where it is)"
            )
        return cls(where, cameras, begin, end, node, named, kept, only_open, expected)

    def wants(self, gap: Gap) -> bool:
        """Whether it is of the causes and kinds asked for, and open if only such are."""
        return (
            (not self.causes or gap.cause in self.causes)
            and (not self.kinds or gap.kind in self.kinds)
            and (not self.only_open or gap.end is None)
        )

    @property
    def narrows(self) -> bool:
        return bool(self.causes or self.kinds or self.only_open)


def _configured(path: Path) -> tuple[str, tuple[str, ...]]:
    """Where a configuration has its ledger, and its cameras that go on for ever. The one place that knows how
    configurations are built."""
    from vedette.config import load_config

    config = load_config(path)
    lasting = tuple(name for name, camera in config.cameras.items() if camera.enabled and not camera.is_file)
    return config.ledger.url, lasting


@contextmanager
def _opened(asked: Asked) -> Iterator[tuple[Ledger, list[str] | None]]:
    """The ledger as it is at one moment, and the cameras asked for."""
    with Ledger.open(asked.ledger, migrate=False) as ledger, ledger.snapshot():
        if asked.node is not None:
            names = [node.node for node in ledger.nodes()]
            if asked.node not in names:
                raise QuestionError(
                    f"--node: the ledger knows no node {asked.node!r}{near(asked.node, names)}"
                )
        known = {watch.camera for watch in ledger.watches(node=asked.node)} if asked.cameras else set()
        yield ledger, cameras_like(asked.cameras, known | set(asked.expected))


def _read(asked: Asked, *, incidents: bool = False, all_causes: bool = True) -> Record:
    with _opened(asked) as (ledger, cameras):
        place = {"since": asked.since, "until": asked.until}
        rows = ledger.gaps(
            cameras=cameras,
            node=asked.node,
            causes=None if all_causes or not asked.causes else asked.causes,
            kinds=None if all_causes or not asked.kinds else asked.kinds,
            **place,
        )
        found = ledger.incidents(node=asked.node, **place) if incidents else []
        if cameras is not None:
            found = [one for one in found if not set(cameras).isdisjoint(one.cameras)]
        watches = ledger.watches(cameras=cameras, node=asked.node, **place)
        return Record(rows, watches, found, ledger.nodes())


def gaps(asked: Asked, out: Output) -> None:
    """Raises LedgerError."""
    record = _read(asked, all_causes=False)
    rows = [gap for gap in record.gaps if asked.wants(gap)]
    heard = silent(record.nodes, asked.until)
    if not rows:
        what = "such gap" if asked.narrows or asked.cameras else "gap"
        note(
            f"no {what} from {period(asked.since, asked.until)}{'' if record.watches else '; ' + _UNWATCHED}"
        )
    if rows or out.format is not out.format.TABLE:
        out.write(
            lambda: gap_sheet(rows),
            lambda width: gap_table(rows, asked.since, asked.until, width=width, heard=heard),
        )
    _tell_silent(record, asked, {gap.node for gap in rows if gap.end is None})


_UNWATCHED = "no camera was watched in that time"


def _tell_silent(record: Record, asked: Asked, concerned: Collection[str]) -> None:
    for node, heard in silent(record.nodes, asked.until).items():
        if node in concerned:
            note(f"node {node} was last heard of at {_clock(heard)}; what it has open is known up to then")


def _clock(at: int) -> str:
    return f"{local(at):%Y-%m-%d %H:%M:%S}"


def incidents(asked: Asked, out: Output) -> None:
    """Raises LedgerError."""
    rows = [
        one
        for one in _read(asked, incidents=True).incidents
        if (not asked.causes or one.cause in asked.causes) and (not asked.only_open or one.end is None)
    ]
    if not rows:
        note(f"no incident from {period(asked.since, asked.until)}")
    if rows or out.format is not out.format.TABLE:
        out.write(lambda: incident_sheet(rows), lambda _: incident_table(rows, asked.since, asked.until))


def picture(asked: Asked, path: Path) -> None:
    """Raises LedgerError."""
    if path.suffix.lower() not in FORMATS:
        raise QuestionError(f"--plot: must end with {' or '.join(FORMATS)}")
    record = _with_nodes_named(known_only(_read(asked, incidents=True), asked.until))
    drawn(
        path,
        lambda into: plot(
            *(record.gaps, record.watches, record.incidents, asked.since, asked.until, into),
            asked=lambda gap: not asked.narrows or asked.wants(gap),
        ),
    )
    if not record.watches:
        note(_UNWATCHED)
    note(f"{path}: {counted(len({watch.camera for watch in record.watches}), 'camera')}")


def audit(asked: Asked) -> int:
    """Look at all rows there are, whatever the period. Returns the exit code. Raises LedgerError."""
    with _opened(asked) as (ledger, cameras):
        rows = ledger.gaps(cameras=cameras, node=asked.node)
        watches = ledger.watches(cameras=cameras, node=asked.node)
        nodes = [node.node for node in ledger.nodes()]
    problems = 0
    for node in nodes:
        found = partition_problems(
            [watch for watch in watches if watch.node == node], [gap for gap in rows if gap.node == node]
        )
        problems += len(found)
        for problem in found:
            print(f"node {node}: {problem}" if len(nodes) > 1 else problem)
    cameras_seen = counted(len({(watch.node, watch.camera) for watch in watches}), "camera")
    verdict = counted(problems, "problem") if problems else "time seen and rows partition the time watched"
    note(f"{counted(len(rows), 'row')} of {cameras_seen}: {verdict}")
    return FAILED if problems else 0


def coverage(asked: Asked, by: Bucket, out: Output, least: float | None) -> int:
    """Returns the exit code: 1 where a row lies below ``least`` (a share). Raises LedgerError."""
    record = _read(asked)
    rows = covered(record, asked.since, asked.until, by, LOCAL)
    if not rows:
        note(f"{_UNWATCHED}: {period(asked.since, asked.until)}")
    if rows or out.format is not out.format.TABLE:
        out.write(
            lambda: coverage_sheet(rows),
            lambda _: coverage_table(rows, asked.since, asked.until, by=by),
        )
    _tell_silent(record, asked, {row.node for row in rows if row.unknown})
    return 0 if least is None else _verdict(asked, rows, least)


def _verdict(asked: Asked, rows: Sequence[Covered], least: float) -> int:
    """Says what is not enough. What is unknown counts as not seen, and so do cameras that nobody watched."""
    low = sorted((row for row in rows if row.sure < least), key=lambda row: row.sure)
    seen = {row.camera for row in rows}
    wanted = {name for name in asked.expected if _matches(name, asked.cameras)}
    wanted |= {name for name in asked.cameras if not set(name) & set("*?[")}
    unwatched = sorted(wanted - seen)
    if low:
        cameras = counted(len({(row.node, row.camera) for row in low}), "camera")
        named = [f"{row.camera} {percent(row.seen, row.watched + row.unknown)}" for row in low[:_NAMED]]
        more = f" and {len(low) - _NAMED} more" if len(low) > _NAMED else ""
        note(f"below {least:.4%}: {cameras} ({', '.join(named)}{more})")
    if unwatched:
        more = f" and {len(unwatched) - _NAMED} more" if len(unwatched) > _NAMED else ""
        note(f"not watched at all: {', '.join(unwatched[:_NAMED])}{more}")
    return FAILED if low or unwatched or not rows else 0


def _matches(name: str, patterns: Sequence[str]) -> bool:
    return not patterns or any(fnmatchcase(name, pattern) for pattern in patterns)


def _with_nodes_named(record: Record) -> Record:
    """Where several nodes share a ledger, their cameras are told apart by the node's name before theirs."""
    if len({watch.node for watch in record.watches}) < 2:
        return record
    rename = msgspec.structs.replace
    return Record(
        [rename(gap, camera=f"{gap.node}/{gap.camera}", id=f"{gap.node}/{gap.id}") for gap in record.gaps],
        [rename(watch, camera=f"{watch.node}/{watch.camera}") for watch in record.watches],
        record.incidents,
        record.nodes,
    )
