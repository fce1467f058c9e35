"""``vedette user``: who may look at the dashboard, and what they may do there."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from vedette.web.who.users import People, User

__all__ = ["user"]

NODE = "node"
"""As long as no configuration says otherwise."""


class RoleName(StrEnum):
    VIEWER = "viewer"
    REVIEWER = "reviewer"
    OPERATOR = "operator"
    ADMIN = "admin"


user = typer.Typer(help="Who may use the dashboard and the API.", no_args_is_help=True)
token = typer.Typer(help="Tokens, by which programs are known.", no_args_is_help=True)
user.add_typer(token, name="token")

Name = Annotated[str, typer.Argument(metavar="NAME", show_default=False)]
TokenName = Annotated[str, typer.Argument(metavar="TOKEN", help="What it is for.", show_default=False)]
As = Annotated[
    RoleName, typer.Option("--role", help="viewer looks, reviewer also reviews, operator steers, admin all.")
]
ConfigAt = Annotated[
    Path | None, typer.Option("--config", metavar="FILE", help="The configuration whose users these are.")
]
UsersAt = Annotated[
    Path | None,
    typer.Option(
        "--users",
        metavar="FILE",
        envvar="VEDETTE_USERS",
        help=f"The users' file; else users-{NODE}.json here.",
    ),
]
FromInput = Annotated[
    bool, typer.Option("--password-stdin", help="Read the password from standard input: one line.")
]


@user.command()
def add(
    name: Name,
    role: As = RoleName.VIEWER,
    password_stdin: FromInput = False,
    no_password: Annotated[
        bool, typer.Option("--no-password", help="For programs: has tokens, and cannot log in.")
    ] = False,
    config: ConfigAt = None,
    users: UsersAt = None,
) -> None:
    """Let somebody in. The password is asked for."""
    from vedette.web.who import edits
    from vedette.web.who.users import User

    where = _where(config, users)
    _check_name(name)
    _refuse_if(name in where.names(), f"there is a user {name} already; vedette user password changes theirs")
    record = None if no_password else _new_password(name, password_stdin)

    made = User(name, role.value, time.time(), record)
    where.change(lambda people: edits.add(people, made))
    print(f"{name} is {role.value}")


@user.command()
def password(
    name: Name, password_stdin: FromInput = False, config: ConfigAt = None, users: UsersAt = None
) -> None:
    """Give somebody another password; whoever is logged in under that name no longer is."""
    where = _where(config, users)
    _user(where.people(), name)
    record = _new_password(name, password_stdin)
    where.replace(name, password=record)
    print(f"{name} has another password")


@user.command()
def role(
    name: Name,
    role: Annotated[RoleName, typer.Argument(metavar="ROLE", show_default=False)],
    config: ConfigAt = None,
    users: UsersAt = None,
) -> None:
    """Let somebody do more, or less; they have to log in again."""
    where = _where(config, users)
    where.replace(name, role=role.value)
    print(f"{name} is {role.value}")


@user.command()
def disable(
    name: Name,
    undo: Annotated[bool, typer.Option("--undo", help="Let them in again.")] = False,
    config: ConfigAt = None,
    users: UsersAt = None,
) -> None:
    """Let somebody in no longer, without forgetting them; their tokens count no longer either."""
    where = _where(config, users)
    where.replace(name, disabled=not undo)
    print(f"{name} {'may log in again' if undo else 'is let in no longer'}")


@user.command()
def remove(name: Name, config: ConfigAt = None, users: UsersAt = None) -> None:
    """Forget somebody, and their tokens."""
    from vedette.web.who import edits

    where = _where(config, users)
    _user(where.people(), name)
    left = where.change(lambda people: edits.remove(people, name))
    print(f"{name} is removed")
    if not left.anyone:
        print("nobody is left who may log in: a dashboard that others can reach does not start so")


@user.command("list")
def list_(config: ConfigAt = None, users: UsersAt = None) -> None:
    """Show who may, and what."""
    from rich.console import Console
    from rich.table import Table

    people = _where(config, users).people()
    table = Table("name", "role", "logs in", "tokens", "since", box=None)
    for each in sorted(people.users, key=lambda each: each.name):
        logs_in = "disabled" if each.disabled else "with a password" if each.password else "no"
        table.add_row(each.name, each.role, logs_in, str(len(each.tokens)), _day(each.created))
    Console().print(table)


@token.command("add")
def token_add(
    name: Name,
    token: TokenName,
    role: Annotated[
        RoleName | None, typer.Option("--role", help="What it may at most; else what its user may.")
    ] = None,
    config: ConfigAt = None,
    users: UsersAt = None,
) -> None:
    """Make a token for a program. It is shown once, and kept nowhere."""
    from vedette.web.who import edits
    from vedette.web.who.users import new_token

    where = _where(config, users)
    _check_name(token)
    owner = _user(where.people(), name)
    wanted = owner.role if role is None else role.value
    shown, made = new_token(token, wanted, time.time())
    where.change(lambda people: edits.add_token(people, name, made))
    print(f"token {token} of {name}, {wanted}; it is not shown again:", file=sys.stderr)
    print(shown)


@token.command("remove")
def token_remove(name: Name, token: TokenName, config: ConfigAt = None, users: UsersAt = None) -> None:
    """Let a token count no longer."""
    from vedette.web.who import edits

    where = _where(config, users)
    _user(where.people(), name)
    where.change(lambda people: edits.remove_token(people, name, token))
    print(f"token {token} of {name} counts no longer")


@token.command("list")
def token_list(
    name: Annotated[str | None, typer.Argument(metavar="NAME", show_default=False)] = None,
    config: ConfigAt = None,
    users: UsersAt = None,
) -> None:
    """Show tokens, and when they were last used."""
    from rich.console import Console
    from rich.table import Table

    from vedette.web.who.used import key, last_used

    where = _where(config, users)
    people = where.people()
    owners = people.users if name is None else (_user(people, name),)
    used = last_used(where.path)
    table = Table("user", "token", "role", "made", "last used", box=None)
    for owner in sorted(owners, key=lambda each: each.name):
        for each in owner.tokens:
            last = used.get(key(each))
            table.add_row(owner.name, each.name, each.role, _day(each.created), _day(last) if last else "–")
    Console().print(table)


@dataclass(frozen=True, slots=True)
class _Where:
    """The file that is meant."""

    path: Path

    def people(self) -> People:
        from vedette.web.who.users import People, read

        return read(self.path) or People()

    def names(self) -> set[str]:
        return {each.name for each in self.people().users}

    def change(self, edit: Callable[[People], People]) -> People:
        from vedette.web.who.users import change

        return change(self.path, edit)

    def replace(self, name: str, **changed: object) -> None:
        from vedette.web.who import edits

        _user(self.people(), name)
        self.change(lambda people: edits.replace(people, name, **changed))


def _where(config: Path | None, users: Path | None) -> _Where:
    from vedette.errors import ConfigError

    if users is not None:
        return _Where(users)
    if config is None:
        return _Where(Path(f"users-{NODE}.json"))
    from vedette.config import load_config
    from vedette.web.who.served_to import users_file

    loaded = load_config(config)
    beside = None if "://" in loaded.ledger.url else Path(loaded.ledger.url).parent
    path = users_file(loaded.web.users, beside, loaded.ledger.node)
    if path is None:
        raise ConfigError(f"{config}: the ledger is on a server, so web.users must say where the users are")
    return _Where(path)


def _user(people: People, name: str) -> User:
    from vedette.errors import ConfigError

    found = people.user(name)
    if found is None:
        raise ConfigError(f"there is no user {name} (vedette user list shows those there are)")
    return found


def _refuse_if(wrong: bool, message: str) -> None:
    from vedette.errors import ConfigError

    if wrong:
        raise ConfigError(message)


def _check_name(name: str) -> None:
    import re

    from vedette.web.who.users import NAME

    fits = re.fullmatch(NAME, name) is not None
    _refuse_if(
        not fits, "a name has letters, digits and ._@-, begins with one of the former, and has at most 64"
    )


def _new_password(name: str, from_input: bool) -> str:
    """Its record. Asked for twice on a terminal; never an argument, which other users of the machine see."""
    from vedette.web.who.passwords import check_usable, hashed

    if from_input:
        chosen = sys.stdin.readline(4096).rstrip("\r\n")
    else:
        chosen = typer.prompt("Password", hide_input=True, confirmation_prompt=True, err=True)
    check_usable(name, chosen)
    return hashed(chosen)


def _day(at: float) -> str:
    return time.strftime("%Y-%m-%d %H:%M", time.localtime(at)) if at else "–"
