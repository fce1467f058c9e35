"""The ledger's database, on SQLite and PostgreSQL: what is written, who may, what a start makes of it."""

from __future__ import annotations

import multiprocessing
import subprocess
import sys
import threading
import traceback
from collections.abc import Iterator
from typing import Any

import pytest

from ledger_rows import HOSTS, blind, degraded, event, incident
from patience import PATIENCE_S
from vedette.causes import Blame, Cause, Kind
from vedette.errors import LedgerError
from vedette.facts import Gap
from vedette.ledger.audit import partition_problems
from vedette.ledger.coverage import coverage
from vedette.ledger.recovery import EPOCHS, TRACK_IDS
from vedette.ledger.rows import Counters, WatchChange
from vedette.ledger.schema import REVISIONS
from vedette.ledger.store import Ledger


@pytest.fixture
def ledger(url: str) -> Iterator[Ledger]:
    with Ledger.open(url) as opened:
        yield opened


def sound(url: str) -> None:
    with Ledger.open(url, migrate=False) as reader:
        assert partition_problems(reader.watches(), reader.gaps()) == []


def lines(gaps: list[Any]) -> list[tuple[str, int, int | None, str]]:
    return [(gap.camera, gap.start, gap.end, gap.cause.value) for gap in gaps]


# ---- written and read


def test_a_gap_comes_back_as_it_was_written(ledger: Ledger, url: str) -> None:
    ledger.begin("n", HOSTS, 1000)
    gap = Gap(
        id="g1",
        camera="a",
        kind=Kind.BLIND,
        start=1200,
        end=1_800_000_000_000_000,
        cause=Cause.UNAUTHORISED,
        blame=Blame.OPERATOR,
        detail="401 “Zutritt verweigert” 拒绝",
        frames_missed=12,
        tracks_cut=3,
        epoch_before=4,
        epoch_after=5,
        incident="i1",
    )
    ledger.write(heartbeat=2000, gaps=[gap], incidents=[incident("i1", 1200, cameras=["a", "b"])])
    with Ledger.open(url, migrate=False) as reader:
        (row,) = reader.gaps()
        assert row.node == "n"
        assert {name: getattr(row, name) for name in Gap.__struct_fields__} == {
            name: getattr(gap, name) for name in Gap.__struct_fields__
        }
        (found,) = reader.incidents()
        assert (found.node, found.cameras, found.end) == ("n", ["a", "b"], None)


def test_a_row_written_again_takes_the_place_of_the_old_one(ledger: Ledger) -> None:
    ledger.begin("n", HOSTS, 1000)
    ledger.write(heartbeat=1000, gaps=[blind("g", "a", 1000)])
    ledger.write(heartbeat=1100, gaps=[blind("g", "a", 1000, cause=Cause.REFUSED)])
    ledger.write(heartbeat=1200, gaps=[blind("g", "a", 1000, 1200, cause=Cause.REFUSED)])
    assert lines(ledger.gaps()) == [("a", 1000, 1200, "refused")]


def test_gaps_are_found_by_time_camera_cause_kind_and_node(ledger: Ledger, url: str) -> None:
    ledger.begin("n", HOSTS, 0)
    ledger.write(
        heartbeat=900,
        gaps=[
            blind("1", "a", 100, 200),
            blind("2", "b", 150, 300, cause=Cause.REFUSED),
            degraded("3", "a", 250, 400),
            event("4", "b", 500),
            blind("5", "a", 600),
        ],
    )

    def ids(**wanted: Any) -> list[str]:
        return [gap.id for gap in ledger.gaps(**wanted)]

    assert ids() == ["1", "2", "3", "4", "5"]
    assert ids(since=200, until=250) == ["2"], "what ended at since and what begins at until lie outside"
    assert ids(since=500) == ["4", "5"]
    assert ids(since=501) == ["5"]
    assert ids(until=500) == ["1", "2", "3"]
    assert ids(since=10_000) == ["5"], "what is open lasts"
    assert ids(cameras=["b"]) == ["2", "4"]
    assert ids(cameras=[]) == []
    assert ids(causes=[Cause.REFUSED]) == ["2"]
    assert ids(kinds=[Kind.DEGRADED, Kind.EVENT]) == ["3", "4"]
    assert ids(node="n", limit=2) == ["4", "5"]
    assert ids(node="m") == []


def test_two_nodes_share_a_ledger_and_neither_touches_the_others_rows(url: str) -> None:
    with Ledger.open(url) as one, Ledger.open(url) as two:
        one.begin("one", HOSTS, 0)
        two.begin("two", HOSTS, 0)
        one.write(heartbeat=100, gaps=[blind("same", "a", 10)])
        two.write(heartbeat=200, gaps=[blind("same", "a", 20)])
        one.end(300)
        with Ledger.open(url, migrate=False) as reader:
            assert [(gap.node, gap.start, gap.end) for gap in reader.gaps()] == [
                ("one", 10, 300),
                ("two", 20, None),
            ]
            assert [(node.node, node.heartbeat, node.stopped) for node in reader.nodes()] == [
                ("one", 300, 300),
                ("two", 200, None),
            ]


def test_text_and_numbers_no_database_takes_do_not_hold_up_the_rest(ledger: Ledger) -> None:
    ledger.begin("n", HOSTS, 0)
    bad = blind("g", "a", 10, detail="a\0b \udc80", frames_missed=2**70)
    ledger.write(heartbeat=100, gaps=[bad, blind("h", "b", 20)])
    assert [(gap.detail, gap.frames_missed) for gap in ledger.gaps()] == [
        ("a\\0b ?", 2**63 - 1),
        ("", None),
    ]


def test_all_reads_in_a_snapshot_are_of_one_moment(ledger: Ledger, url: str) -> None:
    ledger.begin("n", HOSTS, 0)
    with Ledger.open(url, migrate=False) as reader:
        with reader.snapshot():
            assert reader.known_until("n") == 0
            ledger.write(heartbeat=100, gaps=[blind("g", "a", 10)])
            assert reader.known_until("n") == 0
            assert reader.gaps() == []
        assert reader.known_until("n") == 100
        assert len(reader.gaps()) == 1
        assert reader.known_until("nobody") is None


def test_readers_see_whole_transactions_while_a_node_writes(ledger: Ledger, url: str) -> None:
    ledger.begin("n", HOSTS, 0)
    seen: list[int] = []
    done = threading.Event()

    def read() -> None:
        with Ledger.open(url, migrate=False) as reader:
            while not done.is_set():
                with reader.snapshot():
                    gaps, known = reader.gaps(), reader.known_until("n")
                assert known is not None
                assert len(gaps) == 2 * (known // 10), "both rows of each heartbeat, and none beyond it"
                seen.append(known)

    reading = [threading.Thread(target=read) for _ in range(2)]
    for thread in reading:
        thread.start()
    for step in range(1, 101):
        at = step * 10
        pair = [blind(f"{camera}{step}", camera, at - 5, at) for camera in ("a", "b")]
        ledger.write(heartbeat=at, gaps=pair)
    while not any(known == 1000 for known in list(seen)) and all(thread.is_alive() for thread in reading):
        threading.Event().wait(0.01)
    done.set()
    for thread in reading:
        thread.join(PATIENCE_S)
    assert max(seen) == 1000


# ---- a node's start


def test_the_first_start_watches_all_cameras_from_now_on(ledger: Ledger, url: str) -> None:
    begun = ledger.begin("n", HOSTS, 1000)
    assert begun.not_before == 1000
    assert begun.downtime == []
    assert begun.epochs == {"a": -1, "b": -1}
    assert begun.next_track_ids == {"a": 1, "b": 1}
    assert [(w.camera, w.host, w.start, w.end) for w in ledger.watches()] == [
        ("a", "10.0.0.1", 1000, None),
        ("b", "10.0.0.2", 1000, None),
    ]


def test_a_node_that_died_was_down_from_its_last_heartbeat_on(ledger: Ledger, url: str) -> None:
    ledger.begin("n", HOSTS, 1000)
    rows = [blind("g", "a", 1500), degraded("d", "b", 1600)]
    ledger.write(heartbeat=2000, gaps=rows, incidents=[incident("i", 1500, cameras=["a", "b"])])
    ledger.write(heartbeat=3000)
    ledger.close()
    with Ledger.open(url) as again:
        begun = again.begin("n", HOSTS, 9000)
        assert lines(again.gaps()) == [
            ("a", 1500, 3000, "stalled"),
            ("b", 1600, 3000, "blurred"),
            ("a", 3000, 9000, "node_down"),
            ("b", 3000, 9000, "node_down"),
        ]
        assert [gap.id for gap in begun.downtime] == [gap.id for gap in again.gaps(causes=[Cause.NODE_DOWN])]
        assert {gap.blame for gap in begun.downtime} == {Blame.NODE}
        assert "killed, crashed or power cut" in begun.downtime[0].detail
        assert [each.end for each in again.incidents()] == [3000]
        assert [each.id for each in begun.incidents] == ["i"]
        assert (begun.life, begun.not_before) == (2, 9000)
        assert [watch.start for watch in again.watches()] == [1000, 1000]
    sound(url)


def test_after_an_orderly_stop_nothing_is_open_and_the_next_start_adds_the_downtime(
    ledger: Ledger, url: str
) -> None:
    ledger.begin("n", HOSTS, 1000)
    ledger.write(heartbeat=2000, gaps=[blind("g", "a", 1500)], incidents=[incident("i", 1500)])
    ledger.end(2500)
    with Ledger.open(url, migrate=False) as reader:
        assert lines(reader.gaps()) == [("a", 1500, 2500, "stalled")]
        assert [each.end for each in reader.incidents()] == [2500]
        assert [watch.end for watch in reader.watches()] == [None, None]
        assert reader.nodes()[0].stopped == reader.known_until("n") == 2500
    with Ledger.open(url) as again:
        begun = again.begin("n", HOSTS, 4000)
        assert {gap.detail for gap in begun.downtime} == {"stopped in order"}
        assert {(gap.start, gap.end) for gap in begun.downtime} == {(2500, 4000)}
        assert again.nodes()[0].stopped is None
        assert len(again.gaps()) == 3
    sound(url)


def test_rows_never_reach_beyond_what_is_known(ledger: Ledger, url: str) -> None:
    ledger.begin("n", HOSTS, 1000)
    ledger.write(heartbeat=2000, gaps=[blind("g", "a", 1500, 2700), blind("h", "b", 2800)])
    assert ledger.known_until("n") == 2800
    ledger.write(heartbeat=2100)
    assert ledger.known_until("n") == 2800, "it never goes back"
    ledger.close()
    with Ledger.open(url) as again:
        begun = again.begin("n", HOSTS, 5000)
        assert {(gap.start, gap.end) for gap in begun.downtime} == {(2800, 5000)}
    sound(url)


def test_when_the_clock_was_set_back_the_ledgers_time_goes_on(ledger: Ledger, url: str) -> None:
    ledger.begin("n", HOSTS, 1_000_000)
    ledger.write(heartbeat=9_000_000, gaps=[blind("g", "a", 8_000_000)])
    ledger.close()
    for now in (2_000_000, 3_000_000):
        with Ledger.open(url) as again:
            begun = again.begin("n", HOSTS, now)
            assert begun.not_before == 9_000_000
            assert {(gap.start, gap.end) for gap in begun.downtime} == {(9_000_000, 9_000_000)}
            assert f"set back by {(9_000_000 - now) / 1e6:.1f} s" in begun.downtime[0].detail
        sound(url)
    with Ledger.open(url) as again:
        begun = again.begin("n", HOSTS, 9_500_000)
        assert begun.not_before == 9_500_000
        assert lines(again.gaps()) == [
            ("a", 8_000_000, 9_000_000, "stalled"),
            ("a", 9_000_000, 9_500_000, "node_down"),
            ("b", 9_000_000, 9_500_000, "node_down"),
        ]
    sound(url)


def test_cameras_come_go_and_move_to_another_host_while_the_node_is_down(ledger: Ledger, url: str) -> None:
    ledger.begin("n", {"stays": "h1", "goes": "h1", "moves": "h1"}, 1000)
    ledger.write(heartbeat=2000)
    ledger.close()
    with Ledger.open(url) as again:
        begun = again.begin("n", {"stays": "h1", "comes": "h1", "moves": "h2"}, 3000)
        assert sorted(gap.camera for gap in begun.downtime) == ["moves", "stays"]
        assert sorted((w.camera, w.host, w.start, w.end) for w in again.watches()) == [
            ("comes", "h1", 3000, None),
            ("goes", "h1", 1000, 2000),
            ("moves", "h1", 1000, 3000),
            ("moves", "h2", 3000, None),
            ("stays", "h1", 1000, None),
        ]
    sound(url)


def test_a_start_that_fails_leaves_everything_as_it_was(url: str) -> None:
    with Ledger.open(url) as first:
        first.begin("n", HOSTS, 1000)
        first.write(heartbeat=2000, gaps=[blind("g", "a", 1500)])
    with Ledger.open(url) as second:
        with pytest.raises(AttributeError):
            second.begin("n", {"a": "h", "b": 5}, 3000)  # type: ignore[dict-item]
        begun = second.begin("n", HOSTS, 4000)
        assert begun.life == 2
        assert {(gap.start, gap.end) for gap in begun.downtime} == {(2000, 4000)}
    sound(url)


# ---- while it runs


def test_cameras_are_added_changed_and_removed_while_it_runs(ledger: Ledger, url: str) -> None:
    ledger.begin("n", {"a": "h1"}, 1000)
    ledger.write(heartbeat=1000, watches=[WatchChange(camera="a", host="h1", at=1001)])
    ledger.write(
        heartbeat=2000,
        gaps=[blind("g", "b", 1500), blind("h", "c", 1500)],
        watches=[
            WatchChange(camera="b", host="h1", at=1500),
            WatchChange(camera="c", host="h1", at=1500),
            WatchChange(camera="a", host="h2", at=1600),
        ],
    )
    ledger.write(
        heartbeat=3000,
        gaps=[blind("i", "c", 2700)],
        watches=[
            WatchChange(camera="b", at=2500),
            WatchChange(camera="c", at=2600),
            WatchChange(camera="c", host="h1", at=2700),
        ],
    )
    assert sorted((w.camera, w.host, w.start, w.end) for w in ledger.watches()) == [
        ("a", "h1", 1000, 1600),
        ("a", "h2", 1600, None),
        ("b", "h1", 1500, 2500),
        ("c", "h1", 1500, 2600),
        ("c", "h1", 2700, None),
    ]
    assert [(gap.id, gap.end) for gap in ledger.gaps()] == [("g", 2500), ("h", 2600), ("i", None)]
    sound(url)


def test_a_camera_removed_and_added_in_the_same_microsecond_is_watched_on(ledger: Ledger, url: str) -> None:
    ledger.begin("n", {"a": "h"}, 1000)
    ledger.write(
        heartbeat=1000,
        watches=[WatchChange(camera="a", at=1000), WatchChange(camera="a", host="h", at=1000)],
    )
    assert [(w.start, w.end) for w in ledger.watches()] == [(1000, None)]


# ---- numbers that are used once


def test_no_epoch_and_no_track_id_is_used_by_two_lives(url: str) -> None:
    used_epoch, used_track = -1, 0
    for life in range(6):
        with Ledger.open(url) as ledger:
            begun = ledger.begin("n", HOSTS, 1000 + life)
            assert begun.epochs["a"] >= used_epoch
            assert begun.next_track_ids["a"] > used_track
            epoch, track = begun.epochs["a"], begun.next_track_ids["a"]
            for step in range(10):  # half a block each time, then it dies with that much unsaid
                epoch, track = epoch + EPOCHS // 2, track + TRACK_IDS // 2
                ledger.write(
                    heartbeat=2000 + step, counters={"a": Counters(epoch=epoch, next_track_id=track)}
                )
            used_epoch, used_track = epoch + EPOCHS // 2, track + TRACK_IDS // 2 - 1


def test_a_node_killed_before_it_wrote_a_word_has_used_nothing_twice(url: str) -> None:
    starts = []
    for life in range(3):
        with Ledger.open(url) as ledger:
            starts.append(ledger.begin("n", HOSTS, 1000 + life).next_track_ids["a"])
    assert starts == [1, 1 + TRACK_IDS, 1 + 2 * TRACK_IDS]


def test_after_an_orderly_stop_numbers_go_on_without_a_hole(ledger: Ledger, url: str) -> None:
    ledger.begin("n", HOSTS, 1000)
    ledger.end(2000, {"a": Counters(epoch=7, next_track_id=42)})
    with Ledger.open(url) as again:
        begun = again.begin("n", HOSTS, 3000)
        assert (begun.epochs["a"], begun.next_track_ids["a"]) == (7, 42)
        assert begun.next_track_ids["b"] > TRACK_IDS, "nothing was said of this one"


def test_a_camera_added_while_it_runs_goes_on_where_it_once_was(ledger: Ledger, url: str) -> None:
    ledger.begin("n", {"a": "h", "b": "h"}, 1000)
    ledger.end(2000, {"a": Counters(epoch=7, next_track_id=42), "b": Counters(epoch=8, next_track_id=43)})
    with Ledger.open(url) as again:
        again.begin("n", {"a": "h"}, 3000)
        assert again.reserve("b") == Counters(epoch=8, next_track_id=43)
        assert again.reserve("b").next_track_id == 43 + TRACK_IDS, "never the same twice"
        assert again.reserve("new") == Counters(epoch=-1, next_track_id=1)


# ---- one node of a name


def test_a_second_node_of_the_same_name_is_refused_until_the_first_is_gone(ledger: Ledger, url: str) -> None:
    ledger.begin("n", HOSTS, 1000)
    with Ledger.open(url) as other:
        with pytest.raises(LedgerError, match="another node named n is writing this ledger"):
            other.begin("n", HOSTS, 2000)
        with pytest.raises(LedgerError, match="nobody has begun"):
            other.write(heartbeat=2000)
    ledger.write(heartbeat=1500)
    ledger.end(2000)
    with Ledger.open(url) as other:
        assert other.begin("n", HOSTS, 3000).life == 2


def test_another_process_is_refused_and_let_in_once_the_first_was_killed(url: str) -> None:
    holder = subprocess.Popen(
        [
            *(sys.executable, "-c"),
            "import sys, time; from vedette.ledger.store import Ledger\n"
            "ledger = Ledger.open(sys.argv[1]); ledger.begin('n', {'a': 'h'}, 1000)\n"
            "print('begun', flush=True); time.sleep(60)",
            url,
        ],
        stdout=subprocess.PIPE,
    )
    try:
        assert holder.stdout is not None
        assert holder.stdout.readline() == b"begun\n"
        with Ledger.open(url) as ledger, pytest.raises(LedgerError, match="another node named n"):
            ledger.begin("n", HOSTS, 2000)
        holder.kill()
        holder.wait(PATIENCE_S)
        with Ledger.open(url) as ledger:  # the server notices a little later than we that its client is dead
            assert ledger.begin("n", HOSTS, 2000, wait=PATIENCE_S).life == 2
    finally:
        holder.kill()
        holder.communicate()


def test_a_ledger_begins_once_and_writes_only_then(ledger: Ledger) -> None:
    with pytest.raises(LedgerError, match="nobody has begun"):
        ledger.write(heartbeat=1)
    ledger.begin("n", HOSTS, 1000)
    with pytest.raises(LedgerError, match="already, as node n"):
        ledger.begin("m", HOSTS, 1000)


def test_a_node_whose_place_was_taken_writes_nothing_more(postgres: Any) -> None:
    """Only where the server lost its connection: for a moment nobody holds the lock."""
    url = postgres.database()
    with Ledger.open(url) as first, Ledger.open(url) as second:
        first.begin("n", HOSTS, 1000)
        name = url.split("@/")[1].split("?")[0]
        postgres.admin(
            f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}' AND pid IN "
            "(SELECT pid FROM pg_locks WHERE locktype = 'advisory')"
        )
        assert second.begin("n", HOSTS, 2000, wait=PATIENCE_S).life == 2
        with pytest.raises(LedgerError):
            first.write(heartbeat=5000)
        with pytest.raises(LedgerError, match="another node named n is writing"):
            first.write(heartbeat=5000)
        second.end(6000)
        with pytest.raises(LedgerError, match="another life of node n has begun"):
            first.write(heartbeat=7000)
        with Ledger.open(url, migrate=False) as reader:
            assert reader.known_until("n") == 6000


# ---- forgetting


def test_what_is_forgotten_counts_as_never_watched_and_not_as_seen(ledger: Ledger, url: str) -> None:
    ledger.begin("n", HOSTS, 0)
    ledger.write(
        heartbeat=1000,
        gaps=[
            blind("old", "a", 100, 200),
            blind("across", "a", 450, 600),
            degraded("dim", "b", 300, 700),
            event("then", "b", 250),
            blind("new", "b", 800, 900),
            blind("open", "a", 950),
        ],
        incidents=[incident("i", 100, 200), incident("j", 100)],
        watches=[WatchChange(camera="gone", host="h", at=50), WatchChange(camera="gone", at=400)],
    )
    assert ledger.prune(500) == 4  # two rows, an incident and a watch
    assert sorted(gap.id for gap in ledger.gaps()) == ["across", "dim", "new", "open"]
    assert [each.id for each in ledger.incidents()] == ["j"]
    assert sorted((w.camera, w.start, w.end) for w in ledger.watches()) == [
        ("a", 450, None),
        ("b", 500, None),
    ]
    sound(url)
    rows = coverage(ledger.watches(), ledger.gaps(), 0, 1000)
    assert {row.camera: (row.watched, row.seen) for row in rows} == {"a": (550, 350), "b": (500, 400)}
    assert ledger.prune(500) == 0


def test_nothing_beyond_the_heartbeat_is_forgotten(ledger: Ledger, url: str) -> None:
    ledger.begin("n", HOSTS, 0)
    ledger.write(heartbeat=100, gaps=[blind("g", "a", 50)])
    ledger.prune(10_000)
    assert [gap.id for gap in ledger.gaps()] == ["g"]
    assert sorted((w.camera, w.start) for w in ledger.watches()) == [("a", 50), ("b", 100)]


# ---- schema


def test_the_migrations_make_exactly_the_tables_the_code_knows(url: str, ledger: Ledger) -> None:
    from alembic.autogenerate import compare_metadata
    from alembic.migration import MigrationContext

    from vedette.ledger.address import address_of, connect
    from vedette.ledger.schema import METADATA, VERSION_TABLE

    with connect(address_of(url), readonly=False) as connection:
        context = MigrationContext.configure(connection, opts={"version_table": VERSION_TABLE})
        assert compare_metadata(context, METADATA) == []
        assert context.get_current_revision() == REVISIONS[-1]


def _sql(url: str, *statements: str) -> None:
    from sqlalchemy import text

    from vedette.ledger.address import address_of, connect

    with connect(address_of(url), readonly=False) as connection, connection.begin():
        for statement in statements:
            connection.execute(text(statement))


def test_a_ledger_made_by_a_newer_vedette_is_refused_and_left_alone(url: str) -> None:
    Ledger.open(url).close()
    _sql(url, "UPDATE vedette_schema SET version_num = '9999'")
    for migrate in (True, False):
        with pytest.raises(LedgerError, match="newer Vedette \\(schema 9999"):
            Ledger.open(url, migrate=migrate)


def test_an_older_ledger_is_brought_up_to_date_by_a_node_and_refused_by_a_reader(url: str) -> None:
    """The oldest there can be: its tables' history has begun, and nothing more."""
    _sql(url, "CREATE TABLE vedette_schema (version_num VARCHAR(32) NOT NULL PRIMARY KEY)")
    with pytest.raises(LedgerError, match=r"is not a ledger|older"):
        Ledger.open(url, migrate=False)
    with Ledger.open(url) as ledger:
        assert ledger.begin("n", HOSTS, 1).life == 1


def _open_at_the_same_time(url: str, barrier: Any, outcome: Any) -> None:
    try:
        barrier.wait(PATIENCE_S)
        Ledger.open(url).close()
        outcome.put("")
    except BaseException:
        outcome.put(traceback.format_exc())


def test_processes_that_open_a_new_ledger_at_once_make_it_together(
    url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for where in ("address", "migrate"):
        monkeypatch.setattr(f"vedette.ledger.{where}.BUSY_S", PATIENCE_S)
    context = multiprocessing.get_context("fork")
    barrier, outcomes = context.Barrier(4), context.SimpleQueue()
    opening = [
        context.Process(target=_open_at_the_same_time, args=(url, barrier, outcomes)) for _ in range(4)
    ]
    for process in opening:
        process.start()
    assert [outcomes.get() for _ in opening] == [""] * 4
    for process in opening:
        process.join(PATIENCE_S)
    with Ledger.open(url, migrate=False) as reader:
        assert reader.gaps() == []


def test_threads_that_open_a_new_ledger_at_once_make_it_together(
    url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for where in ("address", "migrate"):
        monkeypatch.setattr(f"vedette.ledger.{where}.BUSY_S", PATIENCE_S)
    problems: list[BaseException] = []

    def open_it() -> None:
        try:
            Ledger.open(url).close()
        except BaseException as err:
            problems.append(err)

    opening = [threading.Thread(target=open_it) for _ in range(4)]
    for thread in opening:
        thread.start()
    for thread in opening:
        thread.join(PATIENCE_S)
    assert problems == []


def test_a_database_with_other_tables_is_not_a_ledger(url: str) -> None:
    _sql(url, "CREATE TABLE nodes (theirs INTEGER)")
    for migrate in (True, False):
        with pytest.raises(LedgerError, match="is not a ledger"):
            Ledger.open(url, migrate=migrate)


def test_a_postgresql_with_tables_of_other_names_can_hold_a_ledger_too(postgres: Any) -> None:
    url = postgres.database()
    _sql(url, "CREATE TABLE invoices (theirs INTEGER)", "CREATE TABLE alembic_version (version_num TEXT)")
    with Ledger.open(url) as ledger:
        assert ledger.begin("n", HOSTS, 1).life == 1
