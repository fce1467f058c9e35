"""Strips of coverage are made in another way than coverage itself, and say the same."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vedette.causes import Blame, Cause, Kind
from vedette.errors import LedgerError
from vedette.ledger.answers import RUNS_WITHIN_US, Record, covered
from vedette.ledger.rows import LedgerGap, LedgerNode, LedgerWatch, WatchChange
from vedette.ledger.store import Ledger
from vedette.ledger.when import SECOND
from vedette.web.api.strips import NOT_KNOWN, NOT_WATCHED, Blindness, Strips, blind_s, strips

HOUR = 3600 * SECOND
UNTIL = 5 * HOUR
CAUSES = (Cause.STALLED, Cause.UNREACHABLE, Cause.PAUSED)


def gap(camera: str, start: int, end: int | None, cause: Cause = Cause.STALLED) -> LedgerGap:
    return LedgerGap(
        node="node",
        id=f"{camera} {start}",
        camera=camera,
        kind=Kind.BLIND,
        start=start,
        end=end,
        cause=cause,
        blame=Blame.CAMERA,
    )


def watch(camera: str, start: int, end: int | None = None) -> LedgerWatch:
    return LedgerWatch(node="node", camera=camera, host="h", start=start, end=end)


def by_coverage(record: Record, since: int, until: int) -> tuple[dict[str, list[int]], dict[str, list[str]]]:
    """Shares, and the worst causes, of rows of coverage."""
    rows = covered(record, since, until, "hour", UTC)
    edges = sorted({row.start for row in covered_everywhere(record, since, until)})
    shares: dict[str, list[int]] = {}
    causes: dict[str, list[str]] = {}
    for row in rows:
        mine = shares.setdefault(row.camera, [NOT_WATCHED] * len(edges))
        worst = causes.setdefault(row.camera, [""] * len(edges))
        place = edges.index(row.start)
        mine[place] = row.seen * 1000 // row.watched if row.watched else NOT_KNOWN
        worst[place] = max(row.blind, key=lambda cause: row.blind[cause]).value if row.blind else ""
    return shares, causes


def covered_everywhere(record: Record, since: int, until: int) -> Sequence[object]:
    """With a camera that is watched all the time, for all buckets to be there."""
    always = LedgerWatch(node="always", camera="c", host="h", start=since - 1, end=until)
    return covered(Record([], [always], [], record.nodes), since, until, "hour", UTC)


def named(found: Strips) -> dict[str, list[str]]:
    return {
        camera: [found.names[each] if each >= 0 else "" for each in causes]
        for camera, causes in found.causes.items()
    }


times = st.integers(-2 * HOUR, 6 * HOUR)
ends = st.none() | times
names = st.sampled_from(["gate", "yard", "lobby"])
gaps = st.builds(gap, names, times, ends, st.sampled_from(CAUSES))
watches = st.builds(watch, names, times, ends)


@given(
    st.lists(gaps, max_size=20),
    st.lists(watches, max_size=6),
    st.integers(-HOUR, UNTIL) | st.just(UNTIL),
    st.booleans(),
)
def test_strips_say_what_coverage_says(
    rows: list[LedgerGap], watched: list[LedgerWatch], heartbeat: int, stopped: bool
) -> None:
    """Whatever is in the ledger, and whether the node runs or not."""
    node = LedgerNode(
        node="node", life=1, started=0, heartbeat=heartbeat, stopped=heartbeat if stopped else None
    )
    rows = sorted(rows, key=lambda row: (row.start, row.id))
    record = Record(rows, watched, [], [node])
    blind: dict[str, list[tuple[int, int | None, Cause]]] = {}
    for row in rows:
        blind.setdefault(row.camera, []).append((row.start, row.end, row.cause))
    silent = UNTIL - heartbeat > (0 if stopped else RUNS_WITHIN_US)
    found = Blindness(blind, watched, heartbeat if silent else None)

    got = strips(found, 0, UNTIL, "hour", UTC)
    shares, causes = by_coverage(record, 0, UNTIL)
    assert got.shares == shares
    assert named(got) == causes
    whole = covered(record, 0, UNTIL, "all", UTC)
    assert got.day == {row.camera: row.share for row in whole}
    lost = sum(time for row in whole for cause, time in row.blind.items() if cause is not Cause.PAUSED)
    assert blind_s(found, 0, UNTIL) == pytest.approx(lost / SECOND)


def test_no_time_has_no_strips() -> None:
    found = Blindness({"gate": [(0, None, Cause.STALLED)]}, [watch("gate", 0)], None)
    assert strips(found, 5, 5, "hour", UTC).shares == {}
    assert blind_s(found, 5, 5) == 0


def test_a_ledger_gives_what_was_blind_by_camera_and_by_start(tmp_path: object) -> None:
    with Ledger.open(f"{tmp_path}/vedette.db") as ledger:
        ledger.begin("node", {"gate": "h", "yard": "h"}, 0)
        written = [gap("gate", 9, 12), gap("gate", 3, 5, Cause.PAUSED), gap("yard", 20, None)]
        written.append(gap("gate", 1, 2))
        moved = LedgerGap(
            node="node", id="m", camera="gate", kind=Kind.DEGRADED, start=3, end=None, cause=Cause.MOVED,
            blame=Blame.CAMERA,
        )  # fmt: skip
        ledger.write(heartbeat=30, gaps=[*written, moved], watches=[WatchChange(camera="gate", at=25)])
        assert ledger.blind(since=2, until=15, node="node") == {
            "gate": [(3, 5, Cause.PAUSED), (9, 12, Cause.STALLED)]
        }
        assert set(ledger.blind()) == {"gate", "yard"}
        assert ledger.blind(node="other") == {}


def test_a_cause_of_a_later_version_is_told_of(tmp_path: object) -> None:
    import sqlite3

    with Ledger.open(f"{tmp_path}/vedette.db") as ledger:
        ledger.begin("node", {"gate": "h"}, 0)
        ledger.write(heartbeat=30, gaps=[gap("gate", 9, 12)])
        with sqlite3.connect(f"{tmp_path}/vedette.db") as database:
            database.execute("UPDATE gaps SET cause = 'hypnotised'")
        with pytest.raises(LedgerError, match="hypnotised"):
            ledger.blind()
