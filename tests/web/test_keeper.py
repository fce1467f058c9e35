"""The dashboard's process is there while somebody looks, and is there again when it died."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import psutil
import pytest

from fake_node import FakeNode
from guarded import add_user
from patience import PATIENCE_S
from vedette.errors import ConfigError
from vedette.web.app import build
from vedette.web.keeper import WebKeeper, listen
from vedette.web.served import Served
from vedette.web.task import Task
from vedette.web.who.users import UsersFile

Told = list[str]


@contextmanager
def kept(folder: Path, *, idle_s: float = 900.0) -> Iterator[tuple[WebKeeper, Told]]:
    told: Told = []
    task = Task("node", str(folder / "nobody.sock"), "{}", idle_s=idle_s)
    keeper = WebKeeper(task, listen("127.0.0.1:0"), told.append)
    keeper.start()
    try:
        yield keeper, told
    finally:
        keeper.close()


def answers(keeper: WebKeeper, path: str = "") -> int:
    """The status of its first page, or another."""
    try:
        with urllib.request.urlopen(keeper.url + path, timeout=PATIENCE_S) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as err:
        return err.code


def connected(keeper: WebKeeper) -> socket.socket:
    host, port = keeper.address.rsplit(":", 1)
    return socket.create_connection((host, int(port)))


def wait_for(condition: Callable[[], object], what: str) -> None:
    until = time.monotonic() + PATIENCE_S
    while not condition():
        assert time.monotonic() < until, f"never: {what}"
        time.sleep(0.02)


def pid_of(keeper: WebKeeper) -> int:
    ((_, pid),) = keeper.processes
    return pid


def test_nobody_looks_and_there_is_no_process(tmp_path: Path) -> None:
    with kept(tmp_path) as (keeper, told):
        assert keeper.processes == []
        assert answers(keeper) == 200
        assert len(keeper.processes) == 1
        pid = pid_of(keeper)
        # Where the machine has no memory left, it goes before whatever sees.
        assert Path(f"/proc/{pid}/oom_score_adj").read_text() == "1000\n"
    assert not psutil.pid_exists(pid)
    assert told == []


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGSEGV])
def test_it_died_and_whoever_comes_next_is_answered(tmp_path: Path, number: signal.Signals) -> None:
    with kept(tmp_path) as (keeper, told):
        assert answers(keeper) == 200
        before = pid_of(keeper)
        os.kill(before, number)
        wait_for(lambda: told, "it is told that it was lost")
        assert answers(keeper) == 200
        assert pid_of(keeper) != before
    assert len(told) == 1
    assert "was lost" in told[0]
    assert number.name in told[0]


def test_nobody_asks_any_more_and_it_ends_until_somebody_does(tmp_path: Path) -> None:
    with kept(tmp_path, idle_s=0.5) as (keeper, told):
        assert answers(keeper) == 200
        wait_for(lambda: keeper.processes == [], "it has ended")
        assert answers(keeper) == 200
    assert told == []


def test_what_cannot_be_served_is_told_in_words_and_tried_again_later(tmp_path: Path) -> None:
    told: Told = []
    task = Task("node", str(tmp_path / "nobody.sock"), '{"address": 3}')
    keeper = WebKeeper(task, listen("127.0.0.1:0"), told.append)
    keeper.start()
    try:
        with closing(connected(keeper)):
            wait_for(lambda: told, "it is told")
    finally:
        keeper.close()
    assert "address" in told[0]


def test_an_address_that_is_taken_is_an_error_and_the_usual_one_gives_way(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with closing(listen("127.0.0.1:0")) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(ConfigError, match=f"cannot listen at 127.0.0.1:{port}"):
            listen(f"127.0.0.1:{port}")
        monkeypatch.setattr("vedette.web.keeper.DEFAULT_ADDRESS", f"127.0.0.1:{port}")
        with closing(listen(None)) as other:
            assert other.getsockname()[1] != port


def test_it_is_closed_while_it_starts(tmp_path: Path) -> None:
    with kept(tmp_path) as (keeper, told), closing(connected(keeper)):
        wait_for(lambda: keeper.processes, "it is started")
        pid = pid_of(keeper)
    assert not psutil.pid_exists(pid)
    assert told == []


def test_who_was_closed_by_a_user_does_not_open_when_nobody_looked_for_a_while(tmp_path: Path) -> None:
    """The file is gone, and so is the process that had seen it."""
    path = tmp_path / "users-node.json"
    task = Task("node", str(tmp_path / "nobody.sock"), "{}", store=str(tmp_path), idle_s=0.5)
    keeper = WebKeeper(task, listen("127.0.0.1:0"), lambda _: None, UsersFile(path))
    keeper.start()
    try:
        assert answers(keeper, "api/v1/session") == 200
        add_user(path, "ann", "admin")
        with closing(connected(keeper)):
            wait_for(lambda: answers(keeper, "api/v1/session") == 401, "it is closed")
        wait_for(lambda: keeper._users.ever, "its keeper has seen it, too")
        path.unlink()
        wait_for(lambda: keeper.processes == [], "it has ended")
        assert answers(keeper, "api/v1/session") == 503
    finally:
        keeper.close()


def test_all_that_was_changed_is_written_down_when_it_ends(tmp_path: Path) -> None:
    """Its disk stands still until it is told to end."""
    app = build(Served("node", FakeNode(1), store=tmp_path))
    guard = app.middleware_stack._rules  # type: ignore[union-attr,attr-defined]
    stands_still = threading.Event()

    async def live() -> None:
        async with app.router.lifespan_context(app):
            guard._audit._thread.submit(stands_still.wait)
            for number in range(100):
                guard.audit("ann", "pause", f"camera_{number}", "done")
            stands_still.set()
        assert len((tmp_path / "audit-node.jsonl").read_text().splitlines()) == 100

    asyncio.run(live())
