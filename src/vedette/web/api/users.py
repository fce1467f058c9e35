"""Who may use the dashboard and the API: as ``vedette user`` has it, for admins."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path as FilePath
from typing import Annotated

import msgspec
from fastapi import APIRouter, Path, Request, Response
from pydantic import BaseModel, ConfigDict, Field, field_validator
from pydantic.json_schema import SkipJsonSchema

from vedette.errors import ConfigError, ExistsError
from vedette.web.api.answers import answer, error, said
from vedette.web.api.json_bodies import JsonRoute
from vedette.web.api.parts import Parts
from vedette.web.problems import ProblemError, wrong
from vedette.web.who import edits
from vedette.web.who.guard import Who
from vedette.web.who.passwords import LEAST, MOST, check_usable, hashed
from vedette.web.who.roles import Role
from vedette.web.who.used import key, last_used
from vedette.web.who.users import NAME, People, User, change, new_token

__all__ = ["users"]

Name = Annotated[str, Field(pattern=NAME, max_length=64)]
Password = Annotated[str, Field(min_length=LEAST, max_length=MOST, json_schema_extra={"format": "password"})]
UserName = Annotated[str, Path(pattern=NAME, max_length=64, description="Of the user.")]
TokenName = Annotated[str, Path(pattern=NAME, max_length=64, description="Of the token.")]

_ERRORS = ("invalid", "not-known", "not-allowed", "no-store")


class _Body(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, hide_input_in_errors=True)


class NewUser(_Body):
    """Without a password they cannot log in, and have tokens only."""

    name: Name
    role: Role = "viewer"
    password: Password | None = None


class UserChange(_Body):
    """What is left out stays as it is. Any of it ends the user's sessions."""

    role: Role | SkipJsonSchema[None] = None
    password: Password | SkipJsonSchema[None] = None
    disabled: bool | SkipJsonSchema[None] = None

    @field_validator("role", "password", "disabled", mode="before")
    @classmethod
    def _is_something(cls, value: object) -> object:
        if value is None:
            raise ValueError("null is nothing here; leave out what stays as it is")
        return value


class NewToken(_Body):
    """``role``: what it may at most; else what its user may."""

    name: Name
    role: Role | None = None


class TokenTold(msgspec.Struct, frozen=True, kw_only=True):
    """``created``, ``used``: Unix seconds; ``used``: when it was last shown, to the hour, null where that is
    not known."""

    name: str
    role: Role
    created: float
    used: float | None


class UserTold(msgspec.Struct, frozen=True, kw_only=True):
    """``created``: Unix seconds. ``password``: whether they have one. ``disabled``: not let in, nor their
    tokens."""

    name: str
    role: Role
    created: float
    password: bool
    disabled: bool
    tokens: list[TokenTold]


class Users(msgspec.Struct, frozen=True, kw_only=True):
    """By name. Nobody, where all on this machine may everything."""

    users: list[UserTold]


class TokenMade(msgspec.Struct, frozen=True, kw_only=True):
    """``token``: to be sent as ``Authorization: Bearer TOKEN``. It is told this once, and kept nowhere."""

    name: str
    role: Role
    token: str


def users(parts: Parts) -> APIRouter:
    router = APIRouter(tags=["users"], route_class=JsonRoute)
    desk = _Desk(parts)
    _people(router, parts, desk)
    _tokens(router, parts, desk)
    return router


def _people(router: APIRouter, parts: Parts, desk: _Desk) -> None:
    admin = parts.may("admin")

    @router.get(
        "/users", summary="Who may, and what", responses={**said(Users), **error("not-known", "not-allowed")}
    )
    async def everybody(request: Request, who: Who = admin) -> Response:
        people, used = await desk.look()
        told = [_told(each, used) for each in sorted(people.users, key=lambda each: each.name)]
        return answer(request, Users(users=told))

    @router.post(
        "/users",
        summary="Let somebody in",
        status_code=201,
        responses={
            **said(UserTold, "They may from now on.", status=201),
            **error(*_ERRORS, "refused", "exists"),
        },
    )
    async def add(request: Request, told: NewUser, who: Who = admin) -> Response:
        record = None if told.password is None else await desk.record(told.name, told.password)
        user = User(told.name, told.role, parts.served.clock.wall(), record)
        await desk.change(who, "add", told.name, lambda people: edits.add(people, user), told.role)
        location = f"{request.url.path.rstrip('/')}/{told.name}"
        return answer(request, _told(user, {}), 201, {"Location": location})

    @router.patch(
        "/users/{name}",
        summary="Give somebody another role or password, or let them in no longer",
        responses={**said(UserTold), **error(*_ERRORS, "not-found", "refused")},
    )
    async def alter(request: Request, name: UserName, told: UserChange, who: Who = admin) -> Response:
        changed = told.model_dump(exclude_unset=True)
        if not changed:
            raise ProblemError("invalid", "body: says nothing that could be changed")
        what = ", ".join(
            key if key == "password" else f"{key} {value}" for key, value in sorted(changed.items())
        )
        if "password" in changed:
            changed["password"] = await desk.record(name, changed["password"])
        people = await desk.change(
            who, "change", name, lambda people: edits.replace(people, name, **changed), what
        )
        return answer(request, _told(edits.known(people, name), (await desk.look())[1]))

    @router.delete(
        "/users/{name}",
        summary="Forget somebody, and their tokens",
        status_code=204,
        response_class=Response,
        responses=error(*_ERRORS, "not-found", "refused"),
    )
    async def forget(name: UserName, who: Who = admin) -> Response:
        await desk.change(who, "remove", name, lambda people: edits.remove(people, name))
        return Response(status_code=204)


def _tokens(router: APIRouter, parts: Parts, desk: _Desk) -> None:
    admin = parts.may("admin")

    @router.post(
        "/users/{name}/tokens",
        summary="Make a token for a program",
        status_code=201,
        responses={
            **said(TokenMade, "It is told this once.", status=201),
            **error(*_ERRORS, "not-found", "refused", "exists"),
        },
    )
    async def make(request: Request, name: UserName, told: NewToken, who: Who = admin) -> Response:
        made: list[TokenMade] = []

        def added(people: People) -> People:
            role = told.role or edits.known(people, name).role
            shown, token = new_token(told.name, role, parts.served.clock.wall())
            made[:] = [TokenMade(name=told.name, role=role, token=shown)]
            return edits.add_token(people, name, token)

        await desk.change(who, "add token", f"{name} {told.name}", added, told.role or "")
        return answer(request, made[0], 201, {"Cache-Control": "no-store"})

    @router.delete(
        "/users/{name}/tokens/{token}",
        summary="Let a token count no longer",
        status_code=204,
        response_class=Response,
        responses=error(*_ERRORS, "not-found", "refused"),
    )
    async def drop(name: UserName, token: TokenName, who: Who = admin) -> Response:
        await desk.change(
            who, "remove token", f"{name} {token}", lambda people: edits.remove_token(people, name, token)
        )
        return Response(status_code=204)


class _Desk:
    """Reads and changes the users' file, in threads, and has it written down."""

    def __init__(self, parts: Parts) -> None:
        self._guard = parts.guard
        self._hashing = asyncio.Semaphore(1)

    @property
    def _file(self) -> FilePath:
        path = self._guard.users.path
        if path is None:
            raise ProblemError("no-store", "there is no file of users: web.users names one")
        return path

    async def look(self) -> tuple[People, dict[str, float]]:
        """All users, and when tokens were last used."""
        path = self._guard.users.path
        used = {} if path is None else await asyncio.to_thread(last_used, path)
        return self._guard.people, used

    async def record(self, name: str, password: str) -> str:
        """What is kept of a password. It takes a third of a second of a core."""
        try:
            check_usable(name, password)
        except ConfigError as err:
            raise wrong("password", str(err)) from None
        async with self._hashing:
            return await asyncio.to_thread(hashed, password)

    async def change(
        self, who: Who, what: str, name: str, edit: Callable[[People], People], detail: str = ""
    ) -> People:
        """All users afterwards. Raises ProblemError."""
        try:
            people = await self._changed(edit)
        except ProblemError as err:
            self._guard.audit(who, f"user {what}", name, f"refused: {err.detail}")
            raise
        self._guard.audit(who, f"user {what}", name, f"done: {detail}" if detail else "done")
        return people

    async def _changed(self, edit: Callable[[People], People]) -> People:
        if self._guard.open:
            # Whoever is first shuts all others out: that is for whom the node's files belong to.
            raise ProblemError("refused", "nobody was added yet; the first one is, by `vedette user add`")

        def edited(people: People) -> People:
            after = edit(people)
            edits.check_an_admin_is_left(people, after)
            return after

        try:
            people = await asyncio.to_thread(change, self._file, edited)
        except edits.UnknownError as err:
            raise ProblemError("not-found", str(err)) from None
        except ExistsError as err:
            raise ProblemError("exists", str(err)) from None
        except ConfigError as err:
            raise ProblemError("refused", str(err)) from None
        self._guard.users.changed()
        return people


def _told(user: User, used: dict[str, float]) -> UserTold:
    tokens = [
        TokenTold(name=each.name, role=each.role, created=each.created, used=used.get(key(each)))
        for each in user.tokens
    ]
    return UserTold(
        name=user.name,
        role=user.role,
        created=user.created,
        password=user.password is not None,
        disabled=user.disabled,
        tokens=tokens,
    )
