"""`vedette gaps` and `vedette coverage` on real ledgers."""

from __future__ import annotations

import csv
import io
import json
import os
import re
import subprocess
import sys
import time
from pathlib import Path

import pyarrow.parquet as pq
import pytest
import typer
from typer.testing import CliRunner

from ledger_values import S, gap, incident, write_ledger
from patience import PATIENCE_S
from vedette.causes import Blame, Cause, Kind
from vedette.errors import LedgerError, VedetteError
from vedette.facts import Gap
from vedette.ledger.command import coverage, gaps
from vedette.ledger.export import COVERAGE_COLUMNS, GAP_COLUMNS, INCIDENT_COLUMNS
from vedette.ledger.sheet import Type

HOUR = 3600 * S
DOCS = (Path(__file__).parents[2] / "docs" / "ledger.md").read_text()

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)
app.command()(gaps)
app.command()(coverage)


class Done:
    """What a command came to; an error of ours as the command line shows it."""

    def __init__(self, *arguments: str | Path) -> None:
        done = CliRunner().invoke(app, [*map(str, arguments)], env={"COLUMNS": "120", "NO_COLOR": "1"})
        self.out, self.err, self.code = done.stdout, done.stderr, done.exit_code
        if isinstance(done.exception, VedetteError):
            self.err, self.code = str(done.exception), done.exception.exit_code
        elif done.exception is not None and not isinstance(done.exception, SystemExit):
            raise done.exception

    @property
    def rows(self) -> list[dict[str, str]]:
        return list(csv.DictReader(io.StringIO(self.out)))


def at(hours_ago: float) -> int:
    """µs, a while ago: the commands count from now."""
    return time.time_ns() // 1000 - round(hours_ago * HOUR)


def moved(made: Gap, start: int, end: int | None) -> Gap:
    values = {name: getattr(made, name) for name in Gap.__struct_fields__}
    return Gap(**values | {"start": start, "end": end})


@pytest.fixture
def ledger(tmp_path: Path) -> Path:
    """Two cameras for ten hours: gate was blind for two of them and is again, yard was slow."""
    now = at(0)
    rows = [
        moved(gap("gate", Cause.STALLED, 0, 1), now - 8 * HOUR, now - 7 * HOUR),
        moved(gap("gate", Cause.REFUSED, 0, 1), now - 7 * HOUR, now - 6 * HOUR),
        moved(gap("yard", Cause.SLOW, 0, 1), now - 5 * HOUR, now - 4 * HOUR),
        moved(gap("yard", Cause.CODEC_CHANGED, 0, 1), now - 3 * HOUR, now - 3 * HOUR),
        moved(gap("gate", Cause.UNREACHABLE, 0, 1), now - HOUR // 2, None),
    ]
    one = incident(0, None, ["gate", "yard"])
    one = type(one)(**{f: getattr(one, f) for f in one.__struct_fields__} | {"start": now - HOUR // 2})
    path = tmp_path / "vedette.db"
    return write_ledger(path, ["gate", "yard"], rows, now, [one], began=now - 10 * HOUR)


def test_shows_the_gaps_of_the_last_day_as_a_table(ledger: Path) -> None:
    done = Done("gaps", "--ledger", ledger)
    assert done.code == 0
    for word in ("gate", "stalled", "refused", "unreachable", "yard", "slow", "codec_changed", "30m00s+"):
        assert word in done.out
    assert "5 rows of 2 cameras: 3 blind, 1 degraded, 1 event" in done.out


def test_the_ledger_of_the_current_folder_is_read_when_none_is_named(
    ledger: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(ledger.parent)
    assert "stalled" in Done("gaps").out


def test_the_configuration_says_where_the_ledger_is(ledger: Path, tmp_path: Path) -> None:
    folder = tmp_path / "site"
    folder.mkdir()
    ledger.rename(folder / "record.db")
    (folder / "cameras.yaml").write_text(
        "cameras: {gate: {url: 'rtsp://127.0.0.1/gate'}, roof: {url: 'rtsp://127.0.0.1/roof'}}\n"
        "ledger: {url: record.db}\n"
    )
    assert "stalled" in Done("gaps", "--config", folder / "cameras.yaml").out
    done = Done("coverage", "--config", folder / "cameras.yaml", "--below", "1%")
    assert done.code == 1
    assert "not watched at all: roof" in done.err


def test_a_ledger_that_is_not_there_is_an_error_and_is_not_made(tmp_path: Path) -> None:
    done = Done("gaps", "--ledger", tmp_path / "none.db")
    assert done.code == LedgerError.exit_code
    assert "there is no such ledger" in done.err
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("options", "causes"),
    [
        (["--camera", "yard"], {"slow", "codec_changed"}),
        (
            ["--camera", "g*", "--camera", "y??d"],
            {"stalled", "refused", "unreachable", "slow", "codec_changed"},
        ),
        (["--cause", "stalled", "--cause", "codec-changed"], {"stalled", "codec_changed"}),
        (["--kind", "degraded"], {"slow"}),
        (["--open"], {"unreachable"}),
        (["--since", "2h"], {"unreachable"}),
        (["--since", "9h", "--until", "6.5h"], {"stalled", "refused"}),
        (["--node", "node", "--kind", "event"], {"codec_changed"}),
    ],
)
def test_only_what_was_asked_for_is_shown(ledger: Path, options: list[str], causes: set[str]) -> None:
    done = Done("gaps", "--ledger", ledger, "--format", "csv", *options)
    assert {row["cause"] for row in done.rows} == causes


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (["--camera", "gaet"], "no camera 'gaet' (did you mean gate"),
        (["--camera", "zzz*"], "there are gate, yard"),
        (["--cause", "staled"], "did you mean stalled?"),
        (["--kind", "blidn"], "did you mean blind?"),
        (["--node", "nod"], "did you mean node?"),
        (["--since", "soon"], "--since: must be a time ago"),
        (["--since", "1h", "--until", "2h"], "must lie before --until"),
        (["--since", "2999-01-01"], "lies in the future"),
        (["--plot", "picture.gif"], "must end with .svg or .png"),
    ],
)
def test_mistakes_are_told_with_what_was_perhaps_meant(ledger: Path, options: list[str], says: str) -> None:
    done = Done("gaps", "--ledger", ledger, *options)
    assert done.code == 2
    assert says in done.err
    assert not done.out


def test_nothing_found_is_no_error_and_is_said_beside_the_answer(ledger: Path) -> None:
    done = Done("gaps", "--ledger", ledger, "--cause", "covered")
    assert (done.code, done.out) == (0, "")
    assert "no such gap from" in done.err
    done = Done("gaps", "--ledger", ledger, "--cause", "covered", "--format", "json")
    assert json.loads(done.out) == []


def test_a_file_gets_the_format_of_its_name(ledger: Path, tmp_path: Path) -> None:
    for name in ("gaps.csv", "gaps.json", "gaps.parquet", "gaps.txt"):
        assert Done("gaps", "--ledger", ledger, "--output", tmp_path / name).out == ""
    assert len(list(csv.DictReader((tmp_path / "gaps.csv").open()))) == 5
    assert len(json.loads((tmp_path / "gaps.json").read_text())) == 5
    assert pq.read_table(tmp_path / "gaps.parquet").num_rows == 5
    assert "stalled" in (tmp_path / "gaps.txt").read_text()
    assert "\x1b" not in (tmp_path / "gaps.txt").read_text()


def test_a_file_that_cannot_be_written_is_an_error(ledger: Path, tmp_path: Path) -> None:
    for option in ("--output", "--plot"):
        done = Done("gaps", "--ledger", ledger, option, tmp_path / "no" / "folder.svg")
        assert done.code == LedgerError.exit_code
        assert "cannot be written" in done.err


def test_draws_a_picture_and_shows_the_rows_only_if_asked(ledger: Path, tmp_path: Path) -> None:
    done = Done("gaps", "--ledger", ledger, "--plot", tmp_path / "p.svg")
    assert (done.code, done.out) == (0, "")
    assert "unreachable" in (tmp_path / "p.svg").read_text()
    done = Done("gaps", "--ledger", ledger, "--plot", tmp_path / "p.png", "--format", "csv")
    assert len(done.rows) == 5
    assert (tmp_path / "p.png").read_bytes().startswith(b"\x89PNG")


def test_incidents_are_shown_with_what_their_cameras_share(ledger: Path) -> None:
    assert "subnet 10.0.0.0/24" in Done("gaps", "--ledger", ledger, "--incidents").out
    (row,) = Done("gaps", "--ledger", ledger, "--incidents", "--camera", "yard", "--format", "csv").rows
    assert row["cameras"] == "gate yard"


def test_the_audit_of_a_sound_ledger_finds_nothing(ledger: Path) -> None:
    done = Done("gaps", "--ledger", ledger, "--audit")
    assert (done.code, done.out) == (0, "")
    assert "5 rows of 2 cameras" in done.err


def test_the_audit_finds_rows_that_overlap(tmp_path: Path) -> None:
    now = at(0)
    rows = [moved(gap("gate", Cause.STALLED, 0, 1), now - each * HOUR, now - HOUR) for each in (3, 2)]
    path = write_ledger(tmp_path / "v.db", ["gate"], rows, now, began=now - 4 * HOUR)
    done = Done("gaps", "--ledger", path, "--audit")
    assert done.code == 1
    assert "overlaps" in done.out


def test_coverage_adds_up(ledger: Path) -> None:
    rows = Done("coverage", "--ledger", ledger, "--format", "csv", "--since", "24h").rows
    assert [row["camera"] for row in rows] == ["gate", "yard"]
    gate = {name: float(value) for name, value in rows[0].items() if name.endswith("_s")}
    assert gate["seen_s"] + gate["blind_s"] == pytest.approx(gate["watched_s"], abs=1e-6)
    assert gate["watched_s"] == pytest.approx(36_000, abs=PATIENCE_S)
    assert gate["stalled_s"] == 3600
    assert float(rows[1]["share"]) == 1


def test_coverage_by_hour_has_a_row_for_each(ledger: Path) -> None:
    rows = Done("coverage", "--ledger", ledger, "--format", "json", "--camera", "gate", "--by", "hour").out
    values = json.loads(rows)
    assert 10 <= len(values) <= 12
    assert values == sorted(values, key=lambda row: row["start_us"])


@pytest.mark.parametrize(("below", "code"), [("70%", 0), ("0.70", 0), ("99%", 1), ("100%", 1), ("0%", 0)])
def test_coverage_below_what_is_asked_for_is_exit_code_1(ledger: Path, below: str, code: int) -> None:
    done = Done("coverage", "--ledger", ledger, "--below", below)
    assert done.code == code
    assert ("below" in done.err) == bool(code)
    assert "gate" in done.out


@pytest.mark.parametrize("below", ["99", "much", "-1%", "101%"])
def test_what_is_no_share_is_refused(ledger: Path, below: str) -> None:
    assert Done("coverage", "--ledger", ledger, "--below", below).code == 2


def test_a_node_that_does_not_run_any_more_has_not_seen_everything_since(tmp_path: Path) -> None:
    path = write_ledger(tmp_path / "v.db", ["gate"], [], at(3), began=at(6))
    done = Done("coverage", "--ledger", path, "--since", "6h", "--format", "csv")
    (row,) = done.rows
    assert float(row["unknown_s"]) == pytest.approx(3 * 3600, abs=PATIENCE_S)
    assert float(row["watched_s"]) == pytest.approx(3 * 3600, abs=PATIENCE_S)
    assert "node node was last heard of at" in done.err
    assert Done("coverage", "--ledger", path, "--since", "6h", "--below", "90%").code == 1
    assert Done("coverage", "--ledger", path, "--since", "1h", "--below", "90%").code == 1


def test_where_nothing_was_watched_no_share_is_reached(tmp_path: Path) -> None:
    path = write_ledger(tmp_path / "v.db", ["gate"], [], at(3), began=at(6))
    done = Done("coverage", "--ledger", path, "--since", "48h", "--until", "24h", "--below", "1%")
    assert done.code == 1
    assert "no camera was watched" in done.err


def test_two_nodes_in_one_ledger_are_told_apart(tmp_path: Path) -> None:
    for node in ("north", "south"):
        row = moved(gap("gate", Cause.STALLED, 0, 1), at(2), at(1))
        write_ledger(tmp_path / "v.db", ["gate"], [row], at(0), node=node, began=at(4))
    assert {row["node"] for row in Done("gaps", "--ledger", tmp_path / "v.db", "--format", "csv").rows} == {
        "north",
        "south",
    }
    Done("gaps", "--ledger", tmp_path / "v.db", "--plot", tmp_path / "p.svg")
    assert "north/gate" in (tmp_path / "p.svg").read_text()
    assert (
        len(Done("coverage", "--ledger", tmp_path / "v.db", "--node", "south", "--format", "csv").rows) == 1
    )


# ---- as a process

SCRIPT = (
    "import typer\nfrom vedette.ledger.command import coverage, gaps\n"
    "app = typer.Typer(pretty_exceptions_enable=False)\napp.command()(gaps)\napp.command()(coverage)\napp()\n"
)


@pytest.mark.parametrize("format_", ["csv", "json", "table"])
def test_a_reader_that_has_enough_is_no_error(tmp_path: Path, format_: str) -> None:
    now = at(0)
    rows = [
        moved(
            gap("gate", Cause.STALLED, 0, 1, detail="x" * 500),
            now - HOUR - 2 * n * S,
            now - HOUR - (2 * n - 1) * S,
        )
        for n in range(1, 3000)
    ]
    path = write_ledger(tmp_path / "v.db", ["gate"], rows, now, began=now - 4 * HOUR)
    command = [sys.executable, "-c", SCRIPT, "gaps", "--ledger", str(path), "--format", format_]
    with subprocess.Popen(
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=os.environ | {"COLUMNS": "600"},
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline()
        process.stdout.close()
        assert process.wait(PATIENCE_S) == 0
        assert process.stderr is not None
        assert process.stderr.read() == b""


def test_help_loads_nothing_heavy() -> None:
    heavy = ("sqlalchemy", "pyarrow", "PIL", "pydantic", "numpy", "alembic")
    code = f"import sys, vedette.ledger.command\nprint([name for name in {heavy} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


# ---- documented

WORDS = [*Cause, *Blame, *Kind]


@pytest.mark.parametrize("word", [word.value for word in WORDS])
def test_every_cause_blame_and_kind_is_explained(word: str) -> None:
    (line, *_) = re.findall(rf"^\| `{word}` \|(.*)\|$", DOCS, re.MULTILINE) or [""]
    assert len(line.split()) >= 3


def test_every_option_of_both_commands_is_documented() -> None:
    group = typer.main.get_command(app)
    for name, command in group.commands.items():  # type: ignore[attr-defined]
        assert f"vedette {name}" in DOCS
        for option in (option for parameter in command.params for option in parameter.opts):
            assert option == "--help" or f"`{option}" in DOCS, option


def test_every_column_is_documented() -> None:
    for column in (*GAP_COLUMNS, *INCIDENT_COLUMNS, *COVERAGE_COLUMNS):
        per_cause = column.type is Type.STRETCH and column.name.removesuffix("_s") in set(Cause)
        assert per_cause or f"`{column.name}`" in DOCS, column.name
