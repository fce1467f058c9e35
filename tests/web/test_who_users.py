"""The users' file: what it may be, who may write it, and what becomes of what is no such file."""

from __future__ import annotations

import json
import multiprocessing
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace
from structlog.testing import capture_logs

from guarded import PASSWORD, QUICK, Place, add_user
from vedette.errors import ConfigError
from vedette.web.who.passwords import COST, Cost, check_usable, cost_of, decoy, hashed, matches
from vedette.web.who.users import People, User, UsersFile, change, read

RECORD = hashed(PASSWORD, QUICK)
GOOD = {"users": [{"name": "ann", "role": "admin", "password": RECORD}], "version": 1}

GARBAGE = {
    "nothing": b"",
    "no json": b"users: ann",
    "half a file": json.dumps(GOOD).encode()[:60],
    "no text": b"\xff\xfe\x00",
    "a list": b"[]",
    "too deep": b"[" * 100_000,
    "too large": b" " * 5_000_000,
    "a role there is not": json.dumps(GOOD).replace("admin", "root").encode(),
    "an unknown key": json.dumps(GOOD | {"admins": ["eve"]}).encode(),
    "a plain password": json.dumps(GOOD).replace(RECORD, PASSWORD).encode(),
    "a hash that exhausts": json.dumps(GOOD).replace("ln=4", "ln=31").encode(),
    "a hash of much memory": json.dumps(GOOD).replace("r=1", "r=99").replace("ln=4", "ln=24").encode(),
    "somebody twice": json.dumps({"users": GOOD["users"] * 2}).encode(),  # type: ignore[operator]
    "an odd name": json.dumps(GOOD).replace("ann", "../ann").encode(),
    "a later version": json.dumps(GOOD | {"version": 2}).encode(),
}


@pytest.mark.parametrize("data", GARBAGE.values(), ids=GARBAGE.keys())
def test_nothing_is_served_by_a_file_that_cannot_be_understood(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "users-node.json"
    path.write_bytes(data)
    path.chmod(0o600)
    with pytest.raises(ConfigError, match=r"users-node\.json") as caught:
        Place(tmp_path)
    assert RECORD not in str(caught.value)


@pytest.mark.parametrize("data", GARBAGE.values(), ids=GARBAGE.keys())
async def test_a_file_that_becomes_garbage_lets_nobody_in_until_it_is_mended(
    tmp_path: Path, data: bytes
) -> None:
    place = Place(tmp_path, [("ann", "admin")])
    good = place.users.read_bytes()
    async with place.visitor() as visitor:
        await visitor.log_in("ann")
        place.users.write_bytes(data)
        place.later()
        assert (await visitor.get("/api/v1/things")).status_code == 503
        assert (await visitor.log_in("ann")).status_code == 503
        place.users.write_bytes(good)
        place.later()
        assert (await visitor.log_in("ann")).status_code == 200
        assert (await visitor.get("/api/v1/things")).status_code == 200


async def test_each_time_that_nobody_gets_in_any_more_it_is_said(tmp_path: Path) -> None:
    place = Place(tmp_path, [("ann", "admin")])
    whole = place.users.read_bytes()

    def events(logged: list[Any]) -> list[tuple[str, str]]:
        return [(each["event"], each["log_level"]) for each in logged]

    async with place.visitor() as visitor:
        with capture_logs() as logged:
            for times in (1, 2):
                place.users.write_bytes(b"rubbish" * times)
                for _ in range(3):
                    place.later()
                    await visitor.get("/api/v1/things")
                place.users.write_bytes(whole)
                place.later()
                await visitor.get("/api/v1/things")
        assert events(logged) == 2 * [("nobody gets in", "error"), ("somebody can log in again", "info")]
        assert str(place.users) in logged[0]["why"]
    change(place.users, lambda people: People(tuple(replace(each, disabled=True) for each in people.users)))
    with capture_logs() as logged:
        Place(tmp_path)
    assert events(logged) == [("nobody gets in", "error")], "a process that begins so says it, too"


async def test_whoever_tries_too_often_is_told_of_once_in_a_while(tmp_path: Path) -> None:
    place = Place(tmp_path, [("ann", "admin")])
    body = {"name": "ann", "password": "a guess"}
    async with place.visitor() as visitor:
        with capture_logs() as logged:
            while (await visitor.post("/api/v1/session", json=body)).status_code != 429:
                pass
            assert (await visitor.post("/api/v1/session", json=body)).status_code == 429
    told = [each["event"] for each in logged if each["event"] != "audit"]
    assert told == ["too many tries to log in"]


@given(st.binary(max_size=200))
def test_any_file_is_users_or_an_error(tmp_path_factory: pytest.TempPathFactory, data: bytes) -> None:
    path = tmp_path_factory.mktemp("users") / "users.json"
    path.write_bytes(data)
    path.chmod(0o600)
    with pytest.raises(ConfigError):
        read(path)


def test_a_file_that_others_may_write_is_refused_and_one_they_may_read_is_told(tmp_path: Path) -> None:
    path = tmp_path / "users.json"
    add_user(path, "ann", "admin")
    assert path.stat().st_mode & 0o777 == 0o600
    assert not UsersFile(path).readable_by_others
    path.chmod(0o640)
    assert UsersFile(path).readable_by_others
    for mode in (0o660, 0o602):
        path.chmod(mode)
        with pytest.raises(ConfigError, match="chmod 600"):
            UsersFile(path)


def test_a_folder_in_its_place_is_refused(tmp_path: Path) -> None:
    (tmp_path / "users.json").mkdir()
    with pytest.raises(ConfigError, match=r"users\.json"):
        read(tmp_path / "users.json")


def _add_some(path: Path, first: int) -> None:
    for number in range(first, first + 10):
        change(path, lambda people, number=number: people.with_user(User(f"u{number}", "viewer")))  # type: ignore[misc]


def test_nobody_is_lost_where_several_change_it_at_once(tmp_path: Path) -> None:
    path = tmp_path / "users.json"
    context = multiprocessing.get_context("fork")
    crowd = [context.Process(target=_add_some, args=(path, first)) for first in range(0, 40, 10)]
    for each in crowd:
        each.start()
    for each in crowd:
        each.join()
    people = read(path)
    assert people is not None
    assert {each.name for each in people.users} == {f"u{number}" for number in range(40)}
    assert path.stat().st_mode & 0o777 == 0o600


def test_a_change_that_fails_leaves_all_as_it_was(tmp_path: Path) -> None:
    path = tmp_path / "users.json"
    add_user(path, "ann", "admin")
    before = path.read_bytes()

    def fails(people: People) -> People:
        raise ConfigError("no")

    with pytest.raises(ConfigError, match="no"):
        change(path, fails)
    assert path.read_bytes() == before


def test_a_password_is_told_from_another_and_no_two_records_are_alike() -> None:
    assert matches(PASSWORD, RECORD)
    assert not matches(PASSWORD + " ", RECORD)
    assert hashed(PASSWORD, QUICK) != RECORD
    assert PASSWORD not in RECORD
    assert not matches("", decoy(QUICK))
    # The same letters, typed as others.
    assert matches("pa\u0301ssword ½", hashed("p\u00e1ssword 1⁄2", QUICK))


def test_what_unknown_names_cost_is_what_the_dearest_of_the_others_does() -> None:
    dear = User("ann", "viewer", password=hashed(PASSWORD, Cost(ln=5, r=1, p=1)))
    cheap = User("bob", "viewer", password=RECORD)
    assert People((cheap, dear)).cost == Cost(ln=5, r=1, p=1)
    assert People().cost == COST
    assert cost_of(decoy()) == COST


@given(st.text(max_size=80))
def test_no_text_but_ours_is_a_record(text: str) -> None:
    with pytest.raises(ValueError, match=r"record|worth"):
        matches("x", text)


@pytest.mark.parametrize("password", ["short", "", "aaaaaaaaaaaa", "annannannann", "x" * 2000])
def test_passwords_that_would_be_guessed_are_refused(password: str) -> None:
    with pytest.raises(ConfigError):
        check_usable("annannannann", password)
