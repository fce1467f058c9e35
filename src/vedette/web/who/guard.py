"""Who asks, and whether they may: before anything else sees a request.

What holds, in this order: a request is well-formed, and was sent to a name of ours; no other site's page sent
it; it is known who asks, or they need not be; they may what they ask for; and where a cookie says who they
are, the session's own token says that a page of ours asks.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import socket
from collections.abc import Callable, Sequence
from contextvars import ContextVar
from dataclasses import dataclass
from urllib.parse import quote

import structlog
from fastapi import FastAPI
from starlette.exceptions import WebSocketException
from starlette.requests import HTTPConnection
from starlette.routing import BaseRoute
from starlette.types import Scope

from vedette.errors import ConfigError
from vedette.web.served import Served
from vedette.web.settings import is_loopback
from vedette.web.who.asked import Asked
from vedette.web.who.audit import Audit, Often
from vedette.web.who.gate import POLICY_VIOLATION, Gate, Passed
from vedette.web.who.login import LoginPage
from vedette.web.who.needed import ROLE, role_of
from vedette.web.who.origin import Network, asks_to_see, foreign, is_ours, networks
from vedette.web.who.refusals import RefusedError, answered
from vedette.web.who.roles import LOCAL, ROLES, Who, covers
from vedette.web.who.served_to import may_be_served, users_file
from vedette.web.who.sessions import Session, Sessions
from vedette.web.who.streams import Streams
from vedette.web.who.users import People, UsersFile

__all__ = ["Found", "Guard", "Who"]

USUAL_BODY = 1_000_000
UNKNOWN_BODY = 16_384
"""Of those of whom it is not known who they are: a name and a password."""
WARNED_EVERY_S = 60.0

CSRF = "x-vedette-csrf"
_NOW_ASKED: ContextVar[str] = ContextVar("vedette-address", default="")
_SCOPE, _ASKED = "vedette.found", "vedette.asked"

_PUBLIC = frozenset({"/login", "/login/login.js", "/login/login.css", "/favicon.ico"})
_PROBES = frozenset({"/livez", "/readyz", "/healthz"})
"""Load balancers ask by whatever name they have for us; the answer is a word."""
_ASSET = re.compile(r"/_nicegui/\d[\w.]*/(static|libraries|components|resources|esm)/.+")
"""Of NiceGUI, below its version: scripts, styles and fonts of packages, the same for everybody. What is
beside, below ``auto`` and ``client``, may be anything."""
_TALK = "/_nicegui_ws/"
"""Where NiceGUI's pages keep a connection. It has no header of ours; that it comes from a page of ours is
known from its origin."""


@dataclass(frozen=True, slots=True)
class Found:
    """Who asks, and by what: ``session`` where it is a cookie. ``holds``: whether it still is so."""

    who: Who
    session: Session | None = None
    holds: Callable[[], bool] | None = None


class Guard:
    """Of one dashboard. Raises ConfigError where it must not be served so."""

    def __init__(self, served: Served) -> None:
        self._served = served
        self._clock = served.clock
        path = users_file(served.settings.users, served.store, served.node)
        self.users = UsersFile(path, ever=served.ever_users)
        self._trusts = _networks(served.settings.trusts)
        self._names = _names(served)
        self._local = is_loopback(served.host)
        may_be_served(served.settings, served.host, self.users, self.now)
        self.sessions = Sessions()
        self.streams = Streams()
        self._audit = Audit(served.store and served.store / f"audit-{served.node}.jsonl")
        self._log = structlog.get_logger("vedette.web.who")
        self._warned: dict[str, float] = {}
        self._often = Often()
        self._large: dict[str, tuple[int, str]] = {}
        self._routes: Sequence[BaseRoute] = ()
        self._locked = ""
        """Why nobody gets in, as was said last; empty where somebody may."""
        self.login = LoginPage(self, served)
        if self.users.readable_by_others:
            self._log.warning("others can read the users' file", file=str(self.users.path))
        self._say_if_locked()

    # ---- what the rest of the dashboard uses

    def may(self, role: str) -> Callable[[HTTPConnection], Who]:
        """What a route depends on that only those may use who have this role. Raises ValueError for a role
        there is not."""
        covers(role, role)
        return _dependency(self, role)

    def who(self, connection: HTTPConnection) -> Who | None:
        """Who asks; None where that is not known."""
        found: Found | None = connection.scope.get(_SCOPE)
        return None if found is None else found.who

    def end_sessions(self, connection: HTTPConnection) -> bool:
        """Those whose ids the browser sent; whether there were any."""
        asked: Asked | None = connection.scope.get(_ASKED)
        ids = () if asked is None else asked.cookie(self.cookie_of(asked.secure))
        ended = [self.sessions.end(id) for id in ids]
        return any(each is not None for each in ended)

    def session_of(self, connection: HTTPConnection) -> Session | None:
        found: Found | None = connection.scope.get(_SCOPE)
        return None if found is None else found.session

    def routes(self, app: FastAPI, *, prefix: str) -> None:
        """The log-in page, and ``PREFIX/session``. To be called before anything is put at ``/``."""
        app.add_exception_handler(RefusedError, answered)
        self.login.routes(app, prefix)

    def bodies(self, path: str, most: int, role: str) -> None:
        """Let those who have ``role`` send up to ``most`` bytes to ``path``, in place of a million."""
        self._large[path.rstrip("/")] = most, role

    def protect(self, app: FastAPI) -> None:
        """Put it before everything that ``app`` serves, answers to its mistakes among them. Nothing can be
        put before it afterwards."""
        app.add_exception_handler(RefusedError, answered)
        self._routes = app.routes
        app.middleware_stack = Gate(app.build_middleware_stack(), self, self.streams)

    def audit(self, who: Who | str, action: str, what: str, outcome: str) -> None:
        """Write down a change, by whom it was made, and what came of it; credentials in addresses are left
        out."""
        name, by = (who, "") if isinstance(who, str) else (who.name, who.by)
        entry = {"at": self._clock.wall(), "node": self._served.node, "who": name, "by": by}
        entry |= {"address": _NOW_ASKED.get(), "action": action, "what": what, "outcome": outcome}
        self._audit.append(entry)

    def refused(self, who: Who, what: str, why: str) -> None:
        """Write down that somebody may not, unless it was often: who may only look must not be able to push
        what others changed out of the file."""
        if (left_out := self._often.count(who.name, self.now)) is not None:
            more = f", and {left_out} more before" if left_out else ""
            self.audit(who, "refused", what, f"{why}{more}")

    def close(self) -> None:
        """All changes are written down then."""
        self._audit.close()

    # ---- what the gate asks

    def read(self, scope: Scope) -> Asked:
        asked = scope[_ASKED] = Asked.of(scope, self._trusts)
        _NOW_ASKED.set(asked.address)
        return asked

    def passes(self, asked: Asked, scope: Scope) -> Passed | str:
        """How it may be answered, or where to go instead. Raises RefusedError."""
        if asked.garbled:
            raise RefusedError("not-as-asked", asked.garbled)
        if asked.path in _PROBES and not asked.changes:
            scope[_SCOPE] = self._found_if_ours(asked)
            return Passed(None, 0)
        self._check_place(asked)
        found = self.found(asked)
        scope[_SCOPE] = found
        if found is None:
            return self._unknown(asked)
        needed = _needed(asked, self.login.path)
        if not found.who.may(needed):
            raise self._refused(found.who, f"{asked.method} {asked.path}", self._named(scope, needed))
        self._check_csrf(asked, found)
        most, usual = self._most(asked, found.who)
        return Passed(found.holds, most, usual)

    def _refused(self, who: Who, what: str, needed: str) -> RefusedError:
        """Of somebody who is known, and may not."""
        self.refused(who, what, f"needs {needed}")
        return RefusedError("not-allowed", f"this needs {_or_more(needed)}; {_in_words(who)}")

    def _named(self, scope: Scope, needed: str) -> str:
        """The role that the route itself asks for, where that is more: whoever is refused hears what would
        do."""
        asked = role_of(self._routes, dict(scope))
        return asked if asked is not None and covers(asked, needed) else needed

    def _found_if_ours(self, asked: Asked) -> Found | None:
        try:
            self._check_place(asked)
        except RefusedError:
            return None
        return self.found(asked)

    def _check_place(self, asked: Asked) -> None:
        host = asked.headers.get("host", "")
        if not is_ours(host, self._served.host, self._names):
            self._warn("unknown-host", "asked by a name that is not ours (web.hosts)", host=host[:100])
            raise RefusedError(
                "unknown-host", "this is no name of this dashboard; web.hosts names those it has"
            )
        if foreign(asked.method, asked.headers, secure=asked.secure, names=self._names, socket=asked.socket):
            origin = asked.headers.get("origin", "")[:100]
            self._warn("foreign", "another site's page asked", origin=origin, path=asked.path[:100])
            raise RefusedError("foreign", "a page of another site asked")
        if self.open and asked.proxied:
            # The proxy is on this machine; whoever it asks for need not be.
            raise RefusedError("through-proxy", "it came through a proxy, and there are no users yet")

    def _unknown(self, asked: Asked) -> Passed | str:
        if asked.path in _PUBLIC or _ASSET.fullmatch(asked.path):
            return Passed(None, UNKNOWN_BODY)
        if self.users.problem:
            raise RefusedError("users-unreadable", "it cannot be read who may; the dashboard's log says why")
        if asked.path == self.login.path:
            return Passed(None, UNKNOWN_BODY)
        if asks_to_see(asked.method, asked.headers) and not _is_api(asked.path):
            wanted = f"{quote(asked.path)}?{asked.query}".rstrip("?")
            return f"/login?next={quote(wanted, safe='')}"
        raise RefusedError("not-known", "log in first, or send a token: Authorization: Bearer …")

    def _check_csrf(self, asked: Asked, found: Found) -> None:
        if found.session is None or not asked.changes or asked.socket:
            return
        if asked.path == self.login.path and asked.method == "POST":
            return  # begins anew, and is JSON, which other sites' pages cannot send
        if asked.path.startswith(_TALK) and ("origin" in asked.headers or "sec-fetch-site" in asked.headers):
            return
        if not hmac.compare_digest(asked.headers.get(CSRF, "").encode(), found.session.csrf.encode()):
            raise RefusedError("csrf", f"the header X-Vedette-CSRF is not what GET {self.login.path} says")

    def _most(self, asked: Asked, who: Who) -> tuple[int, bool]:
        most, role = self._large.get(asked.path.rstrip("/"), (USUAL_BODY, ROLES[0]))
        return (most, most <= USUAL_BODY) if who.may(role) else (USUAL_BODY, True)

    # ---- who it is

    @property
    def now(self) -> float:
        return self._clock.monotonic()

    @property
    def people(self) -> People:
        return self.users.people(self.now)

    @property
    def open(self) -> bool:
        """Whether everybody on this machine may everything."""
        return self._local and not self.people.users and not self.users.ever

    @property
    def cookie(self) -> str:
        """Cookies know no ports: another dashboard on this machine has another name for its own."""
        mark = hashlib.sha256(self._served.node.encode()).hexdigest()[:8]
        return f"vedette-{mark}"

    def cookie_of(self, secure: bool) -> str:
        """Over TLS, one that no neighbour under the same domain can set (RFC 6265bis)."""
        return f"__Host-{self.cookie}" if secure else self.cookie

    def found(self, asked: Asked) -> Found | None:
        """Who asks. A token that is wrong is not made good by a cookie."""
        self._say_if_locked()
        if self.open:
            return Found(LOCAL, holds=lambda: self.open)
        if (token := asked.bearer) is not None:
            return self._by_token(token)
        for id in asked.cookie(self.cookie_of(asked.secure)):
            if (session := self.sessions.find(id, self.stamp_of, self.now)) is not None:
                user = self.people.user(session.name)
                assert user is not None  # its stamp was found
                who = Who(user.name, user.role, "session")
                return Found(who, session, lambda: self.sessions.holds(session, self.stamp_of, self.now))
        return None

    def _by_token(self, token: str) -> Found | None:
        bearing = self.people.bearing(token)
        if bearing is None:
            return None
        who, held = bearing
        self.login.used(held)

        def holds() -> bool:
            still = self.people.bearing(token)
            return still is not None and still[0] == who

        return Found(who, holds=holds)

    def stamp_of(self, name: str) -> str | None:
        user = self.people.user(name)
        return None if user is None or user.disabled else user.stamp

    def tries_too_often(self, address: str) -> None:
        """Somebody there has to wait before the next password is looked at."""
        self._warn("limit", "too many tries to log in", address=address)

    def _say_if_locked(self) -> None:
        """Each time that nobody can get in any more, and that somebody can again."""
        somebody = self.open or self.people.anyone
        locked = self.users.problem or ("" if somebody else f"{self.users.path}: nobody in it can log in")
        if locked == self._locked:
            return
        self._locked = locked
        if locked:
            self._log.error("nobody gets in", why=locked)
        else:
            self._log.info("somebody can log in again")

    def _warn(self, kind: str, message: str, **about: str) -> None:
        """At most once a minute of each kind: whoever asks must not be able to fill the log."""
        if self.now - self._warned.get(kind, float("-inf")) >= WARNED_EVERY_S:
            self._warned[kind] = self.now
            self._log.warning(message, **about)


def _dependency(guard: Guard, role: str) -> Callable[[HTTPConnection], Who]:
    def who(connection: HTTPConnection) -> Who:
        asks = guard.who(connection)
        if asks is not None and asks.may(role):
            return asks
        if connection.scope["type"] == "websocket":
            raise WebSocketException(POLICY_VIOLATION)
        if asks is None:
            raise RefusedError("not-known", "log in first, or send a token: Authorization: Bearer …")
        raise guard._refused(asks, f"{connection.scope['method']} {connection.scope['path']}", role)

    setattr(who, ROLE, role)
    return who


def _or_more(role: str) -> str:
    return role if role == ROLES[-1] else f"{role}, or more"


def _in_words(who: Who) -> str:
    by = f", by {who.by}" if who.by.startswith("token ") else ""
    return f"you are {who.name}{by}, who is {who.role}"


def _needed(asked: Asked, session: str) -> str:
    """The least that is needed, whatever the route says: who may only look changes nothing."""
    if not asked.changes or asked.path == session or asked.path.startswith(_TALK):
        return "viewer"
    return "reviewer"


def _is_api(path: str) -> bool:
    return path.startswith(("/api/", "/review/api/", "/review/picture/", _TALK))


def _networks(trusts: tuple[str, ...]) -> tuple[Network, ...]:
    try:
        return networks(trusts)
    except ValueError as err:
        raise ConfigError(f"web.trusts: {err}") from err


def _names(served: Served) -> frozenset[str]:
    """What we are called: as the configuration says, and where others can reach us as the machine is."""
    own = set() if is_loopback(served.host) else {socket.gethostname().lower()}
    own |= {f"{each}.local" for each in own if "." not in each}
    return frozenset({*(each.lower().rstrip(".") for each in served.settings.hosts), *own} - {""})
