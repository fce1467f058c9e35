"""What can be wrong with a ledger's file or server, and how that is told."""

from __future__ import annotations

import multiprocessing
import os
import resource
import shutil
import sqlite3
import subprocess
import sys
import threading
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from ledger_rows import HOSTS, blind
from vedette.errors import LedgerError
from vedette.ledger.store import Ledger


@pytest.fixture
def ledger(url: str) -> Iterator[Ledger]:
    with Ledger.open(url) as opened:
        yield opened


# ---- what goes wrong: SQLite


def test_reading_a_missing_file_is_an_error_and_makes_none(tmp_path: Path) -> None:
    path = tmp_path / "nowhere" / "ledger.db"
    with pytest.raises(LedgerError, match="there is no such ledger"):
        Ledger.open(path, migrate=False)
    assert list(tmp_path.iterdir()) == []


def test_a_new_ledger_makes_its_folder(tmp_path: Path) -> None:
    Ledger.open(tmp_path / "deep" / "er" / "ledger.db").close()
    Ledger.open(f"sqlite:///{tmp_path}/deep/er/ledger.db", migrate=False).close()


@pytest.mark.parametrize("content", [b"hello", os.urandom(5000), b"SQLite format 3\0" + b"x" * 5000])
def test_a_file_of_something_else_is_refused_and_left_alone(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "ledger.db"
    path.write_bytes(content)
    for migrate in (True, False):
        with pytest.raises(LedgerError, match=r"ledger\.db: (is not a ledger|is damaged)"):
            Ledger.open(path, migrate=migrate)
    assert path.read_bytes() == content
    assert [each.name for each in tmp_path.iterdir()] == ["ledger.db"]


def test_another_programs_database_is_refused_and_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "ledger.db"
    with sqlite3.connect(path) as connection:
        connection.execute("CREATE TABLE bookmarks (url TEXT)")
    connection.close()
    before = path.read_bytes()
    with pytest.raises(LedgerError, match="other tables: 'bookmarks'"):
        Ledger.open(path)
    assert path.read_bytes() == before


def test_an_empty_file_becomes_a_ledger_but_is_none_to_read(tmp_path: Path) -> None:
    path = tmp_path / "ledger.db"
    path.touch()
    with pytest.raises(LedgerError, match="is empty"):
        Ledger.open(path, migrate=False)
    Ledger.open(path).close()
    Ledger.open(path, migrate=False).close()


def test_a_damaged_ledger_is_said_to_be_damaged(tmp_path: Path) -> None:
    path = tmp_path / "ledger.db"
    with Ledger.open(path) as ledger:
        ledger.begin("n", HOSTS, 0)
        rows = [blind(f"{i}", "a", i * 10, i * 10 + 5) for i in range(1000)]
        ledger.write(heartbeat=10_000, gaps=rows)
    content = bytearray(path.read_bytes())
    content[8192:] = os.urandom(len(content) - 8192)
    path.write_bytes(content)
    with (
        pytest.raises(LedgerError, match=r"damaged|not a ledger"),
        Ledger.open(path, migrate=False) as reader,
    ):
        reader.gaps()


@pytest.mark.parametrize(
    "target", ["", "/", "/proc/1/ledger.db", "mysql://user:hunter2@host/db", "sqlite://"]
)
def test_an_address_that_cannot_be_a_ledger_says_so(target: str) -> None:
    for migrate in (True, False):
        with pytest.raises(LedgerError) as raised:
            Ledger.open(target, migrate=migrate)
        assert "hunter2" not in str(raised.value)


def _as_ordinary_user(act: Callable[[], str]) -> str:
    """What ``act`` returns in a child that may not do everything, or the error it raised."""
    reads, writes = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            if os.geteuid() == 0:
                os.setgroups([])
                os.setgid(65534)
                os.setuid(65534)
            said = act()
        except LedgerError as err:
            said = f"LedgerError {err}"
        except BaseException:
            said = traceback.format_exc()
        os.write(writes, said.encode()[:4000])
        os._exit(0)
    os.close(writes)
    with os.fdopen(reads, "rb") as answer:
        said = answer.read().decode()
    os.waitpid(child, 0)
    return said


@pytest.fixture
def locked_folder() -> Iterator[Path]:
    """A ledger with one row in a folder where nothing can be made; not below pytest's, which only root may
    enter.
    """
    import tempfile

    folder = Path(tempfile.mkdtemp(prefix="vedette-ledger"))
    with Ledger.open(folder / "ledger.db") as ledger:
        ledger.begin("n", HOSTS, 0)
        ledger.write(heartbeat=100, gaps=[blind("g", "a", 50)])
    (folder / "n").unlink(missing_ok=True)
    folder.chmod(0o555)
    yield folder
    folder.chmod(0o755)
    shutil.rmtree(folder)


def test_a_folder_that_is_not_writable_is_named(locked_folder: Path) -> None:
    said = _as_ordinary_user(lambda: repr(Ledger.open(locked_folder / "ledger.db")))
    assert said == f"LedgerError {locked_folder}/ledger.db: its folder is not writable"
    said = _as_ordinary_user(lambda: repr(Ledger.open(locked_folder / "deep" / "ledger.db")))
    assert "its folder cannot be made: Permission denied" in said


def test_a_ledger_on_read_only_media_can_be_read(locked_folder: Path) -> None:
    def read() -> str:
        with Ledger.open(locked_folder / "ledger.db", migrate=False) as reader:
            return ",".join(gap.id for gap in reader.gaps())

    assert _as_ordinary_user(read) == "g"


def test_a_file_that_was_removed_or_replaced_is_noticed(tmp_path: Path) -> None:
    path = tmp_path / "ledger.db"
    with Ledger.open(path) as ledger:
        ledger.begin("n", HOSTS, 0)
        path.unlink()
        for _ in range(2):
            with pytest.raises(LedgerError, match="removed or replaced"):
                ledger.write(heartbeat=1)
        path.touch()
        with pytest.raises(LedgerError, match="removed or replaced"):
            ledger.write(heartbeat=1)


def test_a_full_disk_is_an_error_and_afterwards_the_same_ledger_goes_on(tmp_path: Path) -> None:
    """The disk is full for a child of ours: no file of it may grow beyond a limit."""
    path = tmp_path / "ledger.db"
    Ledger.open(path).close()

    def fill() -> str:
        with Ledger.open(path) as ledger:
            ledger.begin("n", HOSTS, 0)
            rows = [blind(f"{i}", "a", i * 10, i * 10 + 5, detail="x" * 300) for i in range(3000)]
            limits = resource.getrlimit(resource.RLIMIT_FSIZE)
            resource.setrlimit(resource.RLIMIT_FSIZE, (400_000, limits[1]))
            said = ""
            for _ in range(2):
                try:
                    ledger.write(heartbeat=30_000, gaps=rows)
                except LedgerError as err:
                    said += f"{err}\n"
            resource.setrlimit(resource.RLIMIT_FSIZE, limits)
            assert ledger.gaps() == []
            assert ledger.known_until("n") == 0
            ledger.write(heartbeat=30_000, gaps=rows)
            return f"{said}{len(ledger.gaps())}"

    said = _as_child(fill)
    assert said.splitlines() == [f"{path}: the disk is full or failing"] * 2 + ["3000"]


def _as_child(act: Callable[[], str]) -> str:
    with multiprocessing.get_context("fork").Pool(1, initializer=_remember, initargs=(act,)) as pool:
        return pool.apply(_act)


_TO_DO: list[Callable[[], str]] = []


def _remember(act: Callable[[], str]) -> None:
    _TO_DO[:] = [act]


def _act() -> str:
    return _TO_DO[0]()


def test_an_sqlite_that_refuses_to_grow_is_said_to_be_full(tmp_path: Path) -> None:
    from vedette.ledger.address import address_of, problem

    path = tmp_path / "small.db"
    connection = sqlite3.connect(path)
    connection.execute("PRAGMA max_page_count = 3")
    connection.execute("CREATE TABLE t (x)")
    with pytest.raises(sqlite3.OperationalError) as raised:
        connection.execute("INSERT INTO t VALUES (?)", ["x" * 100_000])
    connection.close()
    assert str(problem(raised.value, address_of(path))) == f"{path}: the disk is full"


def test_a_ledger_that_another_program_holds_is_waited_for_and_then_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("vedette.ledger.address.BUSY_S", 0.2)
    path = tmp_path / "ledger.db"
    with Ledger.open(path) as ledger:
        ledger.begin("n", HOSTS, 0)
        other = sqlite3.connect(path, isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(LedgerError, match="locked by another program"):
            ledger.write(heartbeat=1)
        other.execute("ROLLBACK")
        other.close()
        ledger.write(heartbeat=1)


def test_children_of_a_node_do_not_keep_its_lock(tmp_path: Path) -> None:
    path = tmp_path / "ledger.db"
    reads, writes = os.pipe()
    node = os.fork()
    if node == 0:
        ledger = Ledger.open(path)
        ledger.begin("n", HOSTS, 0)
        grandchild = os.fork()
        if grandchild == 0:
            threading.Event().wait(60)
            os._exit(0)
        os.write(writes, str(grandchild).encode())
        os._exit(0)
    os.waitpid(node, 0)
    grandchild = int(os.read(reads, 32))
    try:
        with Ledger.open(path) as ledger:
            assert ledger.begin("n", HOSTS, 10).life == 2
    finally:
        os.kill(grandchild, 9)
        os.close(reads)
        os.close(writes)


# ---- what goes wrong: PostgreSQL


def _all_said(err: BaseException | None) -> str:
    """It and what it came from."""
    said = ""
    while err is not None:
        said += f"{err!r} {err}\n"
        err = err.__cause__ or (None if err.__suppress_context__ else err.__context__)
    return said


def test_a_server_that_is_not_there_is_named_without_credentials() -> None:
    with pytest.raises(LedgerError) as raised:
        Ledger.open("postgresql://watcher:hunter2%40x@127.0.0.1:1/ledger?password=hunter3")
    assert "127.0.0.1:1/ledger" in str(raised.value)
    assert "hunter" not in _all_said(raised.value)


def test_a_wrong_password_and_a_missing_database_are_told_apart(postgres: Any) -> None:
    url = postgres.database()
    Ledger.open(postgres.over_tcp(url)).close()
    with pytest.raises(LedgerError, match="password") as raised:
        Ledger.open(postgres.over_tcp(url, password="s3cret/@"))
    assert "s3cret" not in _all_said(raised.value)
    with pytest.raises(LedgerError, match=r"does not exist|no such database"):
        Ledger.open(postgres.over_tcp(url) + "x")


def test_the_names_of_things_hold_no_credentials(postgres: Any) -> None:
    with Ledger.open(postgres.over_tcp(postgres.database())) as ledger:
        assert "hunter2" not in repr(ledger)
        assert "PostgreSQL 127.0.0.1" in repr(ledger)


@pytest.mark.parametrize("url", ["postgresql://u:hunter2@host:port/db", "postgresql://u:hunter2@[::1/db"])
def test_a_url_that_cannot_be_read_is_told_without_its_credentials(url: str) -> None:
    with pytest.raises(LedgerError) as raised:
        Ledger.open(url)
    assert "hunter2" not in _all_said(raised.value)


def test_without_the_driver_it_says_what_to_install() -> None:
    ran = subprocess.run(
        [
            *(sys.executable, "-c"),
            "import sys; sys.modules['psycopg'] = None\n"
            "from vedette.errors import LedgerError; from vedette.ledger.store import Ledger\n"
            "try: Ledger.open('postgresql://u:hunter2@127.0.0.1:1/x')\n"
            "except LedgerError as err: print(err)",
        ],
        capture_output=True,
        text=True,
        check=True,
    )
    assert "install vedette[postgres]" in ran.stdout
    assert "hunter2" not in ran.stdout


def test_a_ledger_opened_for_reading_cannot_be_written(ledger: Ledger, url: str) -> None:
    with Ledger.open(url, migrate=False) as reader:
        with pytest.raises(LedgerError, match="for reading only"):
            reader.begin("n", HOSTS, 0)
        with pytest.raises(LedgerError, match="for reading only"):
            reader.prune(1)
