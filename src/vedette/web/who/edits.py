"""Changes of who is known, and what must not be: the same over the API as by ``vedette user``. Pure.

Each takes all users as they are and returns them as they are to be. They raise ConfigError: ExistsError for
a name that is taken, UnknownError for one that nobody has.
"""

from __future__ import annotations

from typing import Any

import msgspec

from vedette.errors import ConfigError, ExistsError
from vedette.web.who.roles import ROLES, covers
from vedette.web.who.users import People, Token, User

__all__ = [
    "UnknownError",
    "add",
    "add_token",
    "check_an_admin_is_left",
    "known",
    "remove",
    "remove_token",
    "replace",
]


class UnknownError(ConfigError):
    """There is nobody of this name, or no such token."""


def known(people: People, name: str) -> User:
    found = people.user(name)
    if found is None:
        raise UnknownError(f"there is no user {name}")
    return found


def add(people: People, user: User) -> People:
    if people.user(user.name) is not None:
        raise ExistsError(f"there is a user {user.name} already")
    return people.with_user(user)


def replace(people: People, name: str, **changed: Any) -> People:
    """With some fields of a user others; what they had of tokens stays."""
    user: User = msgspec.structs.replace(known(people, name), **changed)
    return people.with_user(user)


def remove(people: People, name: str) -> People:
    """Without somebody, and their tokens."""
    known(people, name)
    return people.without(name)


def add_token(people: People, name: str, token: Token) -> People:
    """No token may more than whose it is."""
    owner = known(people, name)
    if not covers(owner.role, token.role):
        raise ConfigError(f"{name} is {owner.role}, and no token of theirs is more")
    if any(each.name == token.name for each in owner.tokens):
        raise ExistsError(f"{name} has a token {token.name} already")
    return replace(people, name, tokens=(*owner.tokens, token))


def remove_token(people: People, name: str, token: str) -> People:
    owner = known(people, name)
    left = tuple(each for each in owner.tokens if each.name != token)
    if len(left) == len(owner.tokens):
        raise UnknownError(f"{name} has no token {token}")
    return replace(people, name, tokens=left)


def check_an_admin_is_left(before: People, after: People) -> None:
    """Raises ConfigError for a change after which nobody could take it back any more, where somebody could
    before."""
    if _admins(before) and not _admins(after):
        raise ConfigError("nobody would be left who is admin and can log in, or has a token")


def _admins(people: People) -> bool:
    return any(
        each.role == ROLES[-1]
        and not each.disabled
        and (each.password is not None or any(token.role == ROLES[-1] for token in each.tokens))
        for each in people.users
    )
