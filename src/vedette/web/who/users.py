"""Who is known: a JSON file, written whole and under a lock, and read again when it changed.

Passwords and tokens themselves are not in it. It must not be writable by others; that others can read it is
told.
"""

from __future__ import annotations

import fcntl
import hashlib
import hmac
import os
import secrets
import stat
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import msgspec

from vedette.errors import ConfigError
from vedette.web.who.passwords import COST, Cost, cost_of
from vedette.web.who.roles import Role, Who, lesser
from vedette.whole_files import write_whole

__all__ = ["NAME", "People", "Token", "User", "UsersFile", "change", "new_token", "read"]

NAME = r"^[A-Za-z0-9][A-Za-z0-9._@-]{0,63}$"
LARGEST_FILE = 4_000_000
LOOKED_AT_EVERY_S = 1.0
"""So soon does somebody who was disabled find it out."""
PRIVATE = 0o600

Name = Annotated[str, msgspec.Meta(pattern=NAME)]


class Token(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """For programs. ``digest``: SHA-256, in hex: 32 random bytes need no slow hash. ``created``: Unix
    seconds."""

    name: Name
    role: Role
    created: float
    digest: Annotated[str, msgspec.Meta(pattern=r"^[0-9a-f]{64}$")]


class User(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """``password``: a record of :mod:`vedette.web.who.passwords`; None = cannot log in, has tokens only.
    ``created``: Unix seconds."""

    name: Name
    role: Role
    created: float = 0.0
    password: str | None = None
    disabled: bool = False
    tokens: tuple[Token, ...] = ()

    @property
    def stamp(self) -> str:
        """Other when sessions that began before must not go on."""
        return f"{self.role} {self.disabled} {self.password}"

    @property
    def usable(self) -> bool:
        return not self.disabled and (self.password is not None or bool(self.tokens))


class People(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """All users, by name unique, and their tokens' digests likewise."""

    users: tuple[User, ...] = ()
    version: int = 1

    def user(self, name: str) -> User | None:
        return next((each for each in self.users if each.name == name), None)

    def with_user(self, user: User) -> People:
        """With ``user`` in the place of the one of that name, or added."""
        return People((*(each for each in self.users if each.name != user.name), user))

    def without(self, name: str) -> People:
        return People(tuple(each for each in self.users if each.name != name))

    @property
    def anyone(self) -> bool:
        """Whether somebody could ask."""
        return any(each.usable for each in self.users)

    @property
    def cost(self) -> Cost:
        """Of the dearest password: what unknown names must cost as well."""
        costs = [cost_of(each.password) for each in self.users if each.password is not None]
        return max(costs, key=lambda cost: cost.memory * cost.p, default=COST)

    def bearing(self, token: str) -> tuple[Who, Token] | None:
        """Who has this token, with what both it and its user may; None where nobody has it (any more)."""
        wanted = digest(token)
        # All of them, each in constant time: how long it takes says nothing of which one nearly was it.
        found = [
            (user, each)
            for user in self.users
            for each in user.tokens
            if hmac.compare_digest(each.digest, wanted)
        ]
        if not found or found[0][0].disabled:
            return None
        user, held = found[0]
        return Who(user.name, lesser(user.role, held.role), f"token {held.name}"), held


def digest(token: str) -> str:
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).hexdigest()


def new_token(name: str, role: Role, now: float) -> tuple[str, Token]:
    """What its owner is shown once, and what is kept. The beginning is for programs that look for secrets in
    places where there should be none."""
    shown = f"vedette_{secrets.token_urlsafe(32)}"
    return shown, Token(name, role, now, digest(shown))


def read(path: Path) -> People | None:
    """All users; None where there is no such file. Raises ConfigError."""
    try:
        with path.open("rb") as file:
            status = os.fstat(file.fileno())
            _check_file(path, status)
            data = file.read(LARGEST_FILE + 1)
    except FileNotFoundError:
        return None
    except OSError as err:
        raise ConfigError(f"{path}: the users cannot be read: {err.strerror or err}") from err
    if len(data) > LARGEST_FILE:
        raise ConfigError(f"{path}: is larger than a file of users can be")
    try:
        people = msgspec.json.decode(data, type=People)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as err:
        raise ConfigError(f"{path}: is no file of users: {err}") from err
    return _checked(path, people)


def _check_file(path: Path, status: os.stat_result) -> None:
    if not stat.S_ISREG(status.st_mode):
        raise ConfigError(f"{path}: is no file")
    if status.st_mode & (stat.S_IWGRP | stat.S_IWOTH):
        raise ConfigError(f"{path}: others may write it, and so make themselves admin: chmod 600 {path}")


def _checked(path: Path, people: People) -> People:
    names = [each.name for each in people.users]
    digests = [token.digest for each in people.users for token in each.tokens]
    if people.version != 1:
        raise ConfigError(f"{path}: was written by a later version")
    if len(set(names)) < len(names) or len(set(digests)) < len(digests):
        raise ConfigError(f"{path}: has a user or a token twice")
    for each in people.users:
        try:
            if each.password is not None:
                cost_of(each.password)
        except ValueError as err:
            raise ConfigError(f"{path}: the password of {each.name} {err}") from err
    return people


def change(path: Path, edit: Callable[[People], People]) -> People:
    """What ``edit`` makes of the users, written before anybody else may change them. Whatever ``edit`` raises
    leaves the file as it is. Raises ConfigError."""
    try:
        with _locked(path):
            people = _checked(path, edit(read(path) or People()))
            text = msgspec.json.format(msgspec.json.encode(people), indent=2)
            write_whole(path, text + b"\n", mode=PRIVATE)
            return people
    except OSError as err:
        raise ConfigError(f"{path}: the users cannot be written: {err.strerror or err}") from err


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    """The lock is a file of its own, because the users' one is replaced."""
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(path.with_name(f".{path.name}.lock"), os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, PRIVATE)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


class UsersFile:
    """The file as it is now, looked at once a second at most. ``path``: None where nobody can be known.

    Who once knew users never again takes nobody for everybody: a file that is gone, or has become unreadable,
    lets nobody in.
    """

    def __init__(self, path: Path | None, *, ever: bool = False) -> None:
        """``ever``: users are known to have been there. Raises ConfigError where there is a file that cannot
        be used."""
        self.path = path
        found = None if path is None else read(path)
        self._people = found or People()
        self._signature = self._sign()
        self._looked = float("-inf")
        self.ever = ever or bool(self._people.users)
        """Whether there ever were users."""
        self.problem = _gone(path) if found is None and self.ever else ""
        """Why nobody gets in; empty where all is well."""

    def people(self, now: float) -> People:
        """``now``: monotonic seconds."""
        if self.path is not None and now - self._looked >= LOOKED_AT_EVERY_S:
            self._looked = now
            signature = self._sign()
            if signature != self._signature:
                self._signature = signature
                self._read(self.path)
        return self._people

    def _read(self, path: Path) -> None:
        try:
            people = read(path)
        except ConfigError as err:
            self._people, self.problem = People(), str(err)
            self.ever = True  # something is there, and it may name users
            return
        self._people = people or People()
        self.problem = _gone(path) if people is None and self.ever else ""
        self.ever = self.ever or bool(self._people.users)

    def changed(self) -> None:
        """It was, by us: nobody who may no longer gets in until it is looked at again."""
        self._looked = float("-inf")

    @property
    def readable_by_others(self) -> bool:
        try:
            return self.path is not None and bool(self.path.stat().st_mode & 0o077)
        except OSError:
            return False

    def _sign(self) -> tuple[int, ...] | None:
        try:
            found = self.path.stat() if self.path is not None else None
        except OSError:
            return None
        return found and (found.st_mtime_ns, found.st_ino, found.st_size, found.st_mode, found.st_ctime_ns)


def _gone(path: Path | None) -> str:
    return f"{path}: there is no such file any more"
