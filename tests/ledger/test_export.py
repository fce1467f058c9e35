"""Rows as CSV, JSON, Parquet and tables: exact, clean, and the same in each."""

from __future__ import annotations

import csv
import io
import json
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

import pyarrow.parquet as pq
import pytest
from rich.console import Console
from rich.table import Table

from ledger_values import NOON, S, gap, incident
from vedette.causes import BLINDING, Cause
from vedette.facts import Gap
from vedette.ledger.answers import Covered, Record, covered, known_only
from vedette.ledger.axis import ticks
from vedette.ledger.export import coverage_sheet, gap_sheet, incident_sheet
from vedette.ledger.rows import LedgerGap, LedgerNode, LedgerWatch
from vedette.ledger.sheet import csv_lines, json_lines, parquet
from vedette.ledger.tables import ROWS_AT_MOST, coverage_table, gap_table, incident_table
from vedette.ledger.when import LOCAL, local, moment, percent, seconds_text, stretch

BERLIN = ZoneInfo("Europe/Berlin")
HOUR = 3600 * S


@pytest.fixture
def in_berlin(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("TZ", "Europe/Berlin")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


def csv_of(gaps: list[Gap]) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO("".join(csv_lines(gap_sheet(gaps), BERLIN)))))


def text_of(table: Table, width: int = 80) -> str:
    console = Console(file=io.StringIO(), width=width)
    with console.capture() as captured:
        console.print(table)
    return captured.get()


def test_moments_have_an_offset_and_microseconds() -> None:
    (row,) = csv_of([gap("gate", Cause.STALLED, 0, 90)])
    assert row["start"] == "2026-11-01T13:00:00.000000+01:00"
    assert row["end"] == "2026-11-01T13:01:30.000000+01:00"
    assert (row["seconds"], row["start_us"]) == ("90.000000", str(NOON))


def test_an_open_gap_has_neither_end_nor_length() -> None:
    (row,) = csv_of([gap("gate", Cause.STALLED, 0, None)])
    assert (row["end"], row["end_us"], row["seconds"]) == ("", "", "")
    (values,) = json.loads("".join(json_lines(gap_sheet([gap("gate", Cause.STALLED, 0, None)]))))
    assert values["end"] is values["seconds"] is None


def test_json_is_an_array_with_an_object_a_line() -> None:
    gaps = [gap("gate", Cause.STALLED, 0, 5), gap("yard", Cause.DARK, 0, 9)]
    lines = "".join(json_lines(gap_sheet(gaps))).splitlines()
    assert [json.loads(line.rstrip(","))["camera"] for line in lines[1:-1]] == ["gate", "yard"]
    assert "".join(json_lines(gap_sheet([]))) == "[]\n"


def test_what_a_server_said_steers_neither_terminal_nor_spreadsheet() -> None:
    rude = "=HYPERLINK(1)\x1b[31m\r\nnext\x9b2J"
    line = "".join(csv_lines(gap_sheet([gap("gate", Cause.REFUSED, 0, 5, detail=rude)])))
    assert line.count("\n") == 2
    assert ",'=HYPERLINK(1)" in line
    written = line + "".join(json_lines(gap_sheet([gap("gate", Cause.REFUSED, 0, 5, detail=rude)])))
    assert not {"\x1b", "\x9b", "\r"} & set(written)
    table = text_of(gap_table([gap("gate", Cause.REFUSED, 0, 5, detail="[red]\x1b[2J")], 0, NOON, width=80))
    assert "[red]" in table
    assert "\x1b" not in table


def test_parquet_has_types() -> None:
    buffer = io.BytesIO()
    parquet(gap_sheet([gap("gate", Cause.STALLED, 0, 90), gap("gate", Cause.STALLED, 91, None)]), buffer)
    table = pq.read_table(io.BytesIO(buffer.getvalue()))
    types = {field.name: str(field.type) for field in table.schema}
    assert types["start"] == types["end"] == "timestamp[us, tz=UTC]"
    assert (types["camera"], types["seconds"], types["tracks_cut"]) == ("string", "double", "int64")
    assert table["start"][0].as_py() == datetime(2026, 11, 1, 12, tzinfo=UTC)
    assert table["end"].to_pylist()[1] is None


def test_parquet_of_nothing_has_the_same_types() -> None:
    some, none = io.BytesIO(), io.BytesIO()
    parquet(gap_sheet([gap("gate", Cause.STALLED, 0, 90)]), some)
    parquet(gap_sheet([]), none)
    assert pq.read_schema(none) == pq.read_schema(some)


def test_without_pyarrow_the_message_says_what_to_install() -> None:
    code = (
        "import io, sys\nsys.modules['pyarrow'] = None\n"
        "from vedette.errors import LedgerError\nfrom vedette.ledger.export import gap_sheet\n"
        "from vedette.ledger.sheet import parquet\n"
        "try:\n    parquet(gap_sheet([]), io.BytesIO())\nexcept LedgerError as error:\n    print(error)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "vedette[parquet]" in done.stdout


def test_incidents_name_their_cameras() -> None:
    (values,) = json.loads("".join(json_lines(incident_sheet([incident(0, 60, ["gate", "yard"])]))))
    assert (values["camera_count"], values["cameras"], values["seconds"]) == (2, "gate yard", 60.0)


def some_coverage(unknown: int = 0) -> Covered:
    blind = {Cause.STALLED: 1_000_001, Cause.DARK: 2}
    return Covered("node", "gate", NOON, NOON + HOUR, HOUR, HOUR - 1_000_003, unknown, blind)


def test_the_columns_of_coverage_add_up_to_the_microsecond() -> None:
    (row,) = csv.DictReader(io.StringIO("".join(csv_lines(coverage_sheet([some_coverage()])))))
    assert Decimal(row["seen_s"]) + Decimal(row["blind_s"]) == Decimal(row["watched_s"]) == 3600
    assert sum(Decimal(row[f"{cause.value}_s"]) for cause in BLINDING) == Decimal(row["blind_s"])


@pytest.mark.parametrize("width", [80, 100, 200])
def test_tables_keep_within_the_terminal(width: int) -> None:
    long = "no frame for 3.2 s although the connection is open, and nobody knows why that may be"
    gaps = [
        gap(f"a_camera_with_a_long_name_{n}", cause, n, n + 1, detail=long) for n, cause in enumerate(Cause)
    ]
    rows = [replace(some_coverage(), camera=f"a_camera_with_a_long_name_{n}", unknown=n) for n in range(40)]
    tables = [
        gap_table(gaps, NOON, NOON + HOUR, width=width),
        coverage_table(rows, NOON, NOON + HOUR, by="day"),
        incident_table([incident(0, 60, ["gate"] * 50)], NOON, NOON + HOUR),
    ]
    for table in tables:
        assert max(len(line.rstrip()) for line in text_of(table, width).splitlines()) <= width


def test_at_80_columns_a_row_is_a_line_with_all_that_matters() -> None:
    text = text_of(
        gap_table([gap("loading_dock_2", Cause.CONNECTION_LOST, 0, 75)], NOON, NOON + HOUR, width=80)
    )
    (line,) = [line for line in text.splitlines() if "loading_dock_2" in line]
    assert "connection_lost" in line
    assert "1m15s" in line


@pytest.mark.parametrize("width", [60, 80, 100, 120])
def test_only_the_detail_gives_way_and_says_so(width: int) -> None:
    detail = "no frame for 3.2 s while the connection stayed open and everything that was asked was answered"
    row = gap("loading_dock_2", Cause.CONNECTION_LOST, 0, 75, detail=detail)
    lines = text_of(gap_table([row], NOON, NOON + HOUR, width=width), width).splitlines()
    head = next(line for line in lines if line.startswith("start"))
    assert head.split()[:4] == ["start", "for", "camera", "cause"]
    shown = next(line for line in lines if "loading_dock_2" in line).rstrip()
    assert all(part in shown for part in ("1m15s", "connection_lost"))
    assert shown.endswith("…")
    assert detail.startswith(shown[head.index("detail") : -1])


def test_coverage_shows_the_worst_first() -> None:
    rows = [replace(some_coverage(), camera=f"cam{lost}", seen=HOUR - lost * S) for lost in (5, 900, 60)]
    text = text_of(coverage_table(rows, NOON, NOON + HOUR, by="all"))
    assert text.index("cam900") < text.index("cam60") < text.index("cam5 ")


def test_a_table_shows_the_newest_rows_and_says_that_there_are_more() -> None:
    gaps = [
        gap("gate", Cause.STALLED, n * 2, n * 2 + 1, detail=f"number {n}.") for n in range(ROWS_AT_MOST + 7)
    ]
    text = text_of(gap_table(gaps, NOON, NOON + HOUR, width=80))
    assert "number 6." not in text
    assert f"number {ROWS_AT_MOST + 6}." in text
    assert f"only the last {ROWS_AT_MOST}" in text


# ---- where knowledge ends


def record(heartbeat: int, gaps: list[LedgerGap], node: str = "a") -> Record:
    watches = [LedgerWatch(node=node, camera="gate", host="h", start=NOON)]
    return Record(gaps, watches, [], [LedgerNode(node=node, life=1, started=NOON, heartbeat=heartbeat)])


def open_gap(start: int) -> LedgerGap:
    made = gap("gate", Cause.STALLED, start, None, node="a")
    assert isinstance(made, LedgerGap)
    return made


def test_after_a_node_was_last_heard_of_time_is_unknown_and_not_seen() -> None:
    (row,) = covered(record(NOON + HOUR, []), NOON, NOON + 3 * HOUR, "all", UTC)
    assert (row.watched, row.seen, row.unknown) == (HOUR, HOUR, 2 * HOUR)
    assert row.share == 1
    assert row.sure == pytest.approx(1 / 3)


def test_a_gap_that_was_open_then_is_not_blind_for_ever() -> None:
    found = record(NOON + HOUR, [open_gap(1800)])
    (row,) = covered(found, NOON, NOON + 3 * HOUR, "all", UTC)
    assert (row.seen, row.blind) == (HOUR // 2, {Cause.STALLED: HOUR // 2})
    assert known_only(found, NOON + 3 * HOUR).gaps[0].end == NOON + HOUR


def test_of_a_node_that_runs_nothing_is_unknown() -> None:
    (row,) = covered(record(NOON + HOUR - S, [open_gap(1800)]), NOON, NOON + HOUR, "all", UTC)
    assert (row.watched, row.unknown) == (HOUR, 0)
    assert row.blind == {Cause.STALLED: HOUR // 2}


def test_unknown_time_is_divided_into_hours_like_all_other() -> None:
    rows = covered(record(NOON + HOUR * 3 // 2, []), NOON, NOON + 3 * HOUR, "hour", UTC)
    assert [(row.watched, row.unknown) for row in rows] == [
        (HOUR, 0),
        (HOUR // 2, HOUR // 2),
        (0, HOUR),
    ]


def test_cameras_of_one_name_on_two_nodes_are_two() -> None:
    one, other = record(NOON + HOUR, []), record(NOON + HOUR, [], node="b")
    both = Record([], [*one.watches, *other.watches], [], [*one.nodes, *other.nodes])
    assert [row.node for row in covered(both, NOON, NOON + HOUR, "all", UTC)] == ["a", "b"]


# ---- moments


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("now", NOON),
        ("90m", NOON - 5400 * S),
        ("24h", NOON - 24 * HOUR),
        ("1.5d", NOON - 36 * HOUR),
        ("2w", NOON - 336 * HOUR),
        ("2026-11-01T12:00Z", NOON),
        ("2026-11-01T12:00:00.000001+00:00", NOON + 1),
        ("2026-11-01", NOON - 13 * HOUR),
        ("2026-11-01T13:00", NOON),
        ("today", NOON - 13 * HOUR),
        ("yesterday", NOON - 37 * HOUR),
    ],
)
def test_moments_are_read_as_people_write_them(text: str, meant: int, in_berlin: None) -> None:
    assert moment(text, NOON) == meant


@pytest.mark.parametrize("text", ["", "soon", "24", "-3h", "2026-13-01", "12:00", "9999999999h", "1e9d"])
def test_what_is_no_moment_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="24h or 7d"):
        moment(text, NOON)


def test_this_machines_zone_knows_when_its_clocks_change(in_berlin: None) -> None:
    for day in range(400):
        for half in range(48):
            at = datetime.fromtimestamp(NOON / S + day * 86_400 + half * 1800 + 7, UTC)
            there, wanted = at.astimezone(LOCAL), at.astimezone(BERLIN)
            assert (there.replace(tzinfo=None), there.fold) == (wanted.replace(tzinfo=None), wanted.fold)
            assert there.astimezone(UTC) == at


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "0s"),
        (0.0004, "0.1s"),
        (2.34, "2.3s"),
        (42, "42s"),
        (192, "3m12s"),
        (7500, "2h05m"),
        (273_600, "3d04h"),
    ],
)
def test_stretches_are_short(seconds: float, text: str) -> None:
    assert stretch(round(seconds * S)) == text


def test_seconds_are_exact_and_percent_are_never_rounded_up() -> None:
    assert seconds_text(1_000_001) == "1.000001"
    assert percent(99_999, 100_000) == "99.99%"
    assert percent(5, 5) == "100.00%"


@pytest.mark.parametrize("hours", [0.02, 1, 5, 24, 26, 24 * 7, 24 * 40, 24 * 400])
def test_the_axis_has_a_bearable_number_of_round_local_times(hours: float) -> None:
    since = NOON - 8 * 24 * HOUR  # over the end of summer time
    found = ticks(since, since + round(hours * HOUR), 12, BERLIN)
    assert 2 <= len(found) <= 14
    assert [tick.at for tick in found] == sorted({tick.at for tick in found})
    for tick in found:
        if hours >= 5:
            assert local(tick.at, BERLIN).minute in (0, 30)
    assert found[0].day
