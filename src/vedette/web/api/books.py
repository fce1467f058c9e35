"""The ledger as the dashboard reads it: in threads, opened when it is first asked, and held for a moment."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Collection, Sequence
from datetime import datetime
from typing import TypeVar

from vedette.causes import Cause, Kind
from vedette.errors import LedgerError
from vedette.ledger.answers import Record, silent
from vedette.ledger.buckets import Bucket
from vedette.ledger.question import QuestionError, cameras_like, near, span, words
from vedette.ledger.rows import LedgerGap, LedgerWatch
from vedette.ledger.store import Ledger
from vedette.ledger.when import LOCAL, SECOND
from vedette.web.api.gap_rows import opened
from vedette.web.api.held import Held
from vedette.web.api.rows import Open
from vedette.web.api.strips import Blindness, Strips, blind_s, strips
from vedette.web.api.trouble import Incident
from vedette.web.problems import ProblemError
from vedette.web.served import Served

__all__ = ["Books", "Now", "Question", "check_rows", "heard"]

NOW_HOLDS_S = 1.0
TODAY_HOLDS_S = 60.0
ROWS_AT_MOST = 250_000
"""Cameras × buckets of one answer: a thousand cameras for ten days by the hour, eight months by the day.
What is asked for since 1970 would be more than the machine has memory, cameras or not."""
STRIPS_HOLD_S, STRIPS_SHARE = 5.0, 0.02
"""Of a thousand cameras with fifty gaps each they take 0.4 s of a core: then they are held for 20 s, of eight
cameras for five."""
READS_AT_ONCE = 2
"""Threads that read; more would only wait for each other."""

T = TypeVar("T")


class Now:
    """What is open at this moment. ``gaps``: by camera and cause."""

    def __init__(
        self, gaps: dict[str, dict[str, Open]] | None = None, incidents: Sequence[Incident] = ()
    ) -> None:
        self.gaps, self.incidents = gaps or {}, incidents


class Question:
    """As it was asked over HTTP, checked as the command line's is. ``since``, ``until``: µs."""

    def __init__(
        self,
        now: int,
        *,
        since: str,
        until: str,
        cameras: Sequence[str] = (),
        causes: Sequence[str] = (),
        kinds: Sequence[str] = (),
        only_open: bool = False,
        node: str | None = None,
    ) -> None:
        """Raises QuestionError."""
        self.since, self.until = span(since, until, now)
        self.cameras, self.node, self.only_open = cameras, node, only_open
        self.causes = words("--cause", causes, Cause)
        self.kinds = words("--kind", kinds, Kind)

    @property
    def narrows(self) -> bool:
        return bool(self.causes or self.kinds or self.only_open)

    def wants(self, gap: LedgerGap) -> bool:
        return (
            (not self.causes or gap.cause in self.causes)
            and (not self.kinds or gap.kind in self.kinds)
            and (not self.only_open or gap.end is None)
        )


class Books:
    """One node's ledger, or None's: then every question raises a ``no-ledger`` problem."""

    def __init__(self, served: Served) -> None:
        """Opens nothing."""
        self._address, self._node, self._clock = served.ledger, served.node, served.clock
        self._ledger: Ledger | None = None
        self._guard = threading.Lock()
        self._turn = asyncio.Semaphore(READS_AT_ONCE)
        self._now: Held[Now] = Held(NOW_HOLDS_S)
        self._today: Held[float] = Held(TODAY_HOLDS_S, rather_old=True)
        self._strips: Held[Strips] = Held(STRIPS_HOLD_S, most=8, rather_old=True, share=STRIPS_SHARE)

    @property
    def kept(self) -> bool:
        return self._address is not None

    def now_us(self) -> int:
        return round(self._clock.wall() * SECOND)

    async def ask(self, question: Callable[[Ledger], T]) -> T:
        """In a thread, all of one moment. Raises LedgerError; ProblemError where there is no ledger."""
        if self._address is None:
            raise ProblemError("no-ledger", "this node keeps no ledger")
        async with self._turn:
            return await asyncio.to_thread(self._ask, question)

    def _ask(self, question: Callable[[Ledger], T]) -> T:
        with self._guard:
            if self._ledger is None:
                assert self._address is not None
                self._ledger = Ledger.open(self._address, migrate=False)
            ledger = self._ledger
        try:
            with ledger.snapshot():
                return question(ledger)
        except QuestionError:
            raise
        except LedgerError:
            # It may have been put in another place, or made anew: the next one looks for itself.
            with self._guard:
                if self._ledger is ledger:
                    self._ledger = None
            ledger.close()
            raise

    def close(self) -> None:
        with self._guard:
            if self._ledger is not None:
                self._ledger.close()
                self._ledger = None

    # ---- what pages ask again and again

    async def now(self) -> Now:
        """What is open. Nothing, where there is no ledger or it cannot be read: that is told elsewhere."""
        if self._address is None:
            return Now()
        try:
            return await self._now.get("", lambda: self.ask(self._open))
        except LedgerError:
            return Now()

    def _open(self, ledger: Ledger) -> Now:
        now = self.now_us()
        gaps = ledger.gaps(since=now, node=self._node)
        incidents = [
            Incident(each.id, each.scope, each.start / SECOND, each.cause.value, list(each.cameras))
            for each in ledger.incidents(since=now, node=self._node)
            if each.end is None
        ]
        return Now(opened(gaps), incidents)

    async def blind_s_today(self) -> float | None:
        """None where there is no ledger, or it cannot be read."""
        if self._address is None:
            return None
        try:
            return await self._today.get("", lambda: self.ask(self._blind_today))
        except LedgerError:
            return None

    def _blind_today(self, ledger: Ledger) -> float:
        until = self.now_us()
        midnight = datetime.fromtimestamp(until / SECOND).replace(hour=0, minute=0, second=0, microsecond=0)
        since = round(midnight.timestamp() * SECOND)
        return blind_s(self._blindness(ledger, since, until), since, until)

    async def strips(self, since: str, by: Bucket) -> Strips:
        """Raises LedgerError."""

        def made(ledger: Ledger) -> Strips:
            begin, end = span(since, "now", self.now_us())
            found = self._blindness(ledger, begin, end)
            check_rows(found.watches, begin, end, by)
            return strips(found, begin, end, by, LOCAL)

        return await self._strips.get((since, by), lambda: self.ask(made))

    def _blindness(self, ledger: Ledger, since: int, until: int) -> Blindness:
        return Blindness(
            ledger.blind(since=since, until=until, node=self._node),
            ledger.watches(since=since, until=until, node=self._node),
            silent(ledger.nodes(), until).get(self._node),
        )

    # ---- questions

    def record(
        self,
        ledger: Ledger,
        since: int,
        until: int,
        *,
        node: str | None = None,
        cameras: Collection[str] | None = None,
        causes: Collection[Cause] | None = None,
        kinds: Collection[Kind] | None = None,
        gaps: bool = True,
        incidents: bool = False,
    ) -> Record:
        """All rows of that time; of gaps only those of these causes and kinds, where any are given."""
        rows = (
            ledger.gaps(
                since=since,
                until=until,
                node=node,
                cameras=cameras,
                causes=causes or None,
                kinds=kinds or None,
            )
            if gaps
            else []
        )
        return Record(
            rows,
            ledger.watches(since=since, until=until, node=node, cameras=cameras),
            ledger.incidents(since=since, until=until, node=node) if incidents else [],
            ledger.nodes(),
        )

    def asked(
        self,
        ledger: Ledger,
        question: Question,
        *,
        incidents: bool = False,
        gaps: bool = True,
        kinds: Collection[Kind] = (),
        causes: Collection[Cause] = (),
    ) -> Record:
        """What belongs to the question's cameras, node and time. Raises QuestionError for names that there
        are not."""
        cameras = self._cameras(ledger, question)
        record = self.record(
            ledger,
            question.since,
            question.until,
            node=question.node,
            cameras=cameras,
            causes=causes,
            kinds=kinds,
            gaps=gaps,
            incidents=incidents,
        )
        if cameras is None:
            return record
        mine = set(cameras)
        common = [one for one in record.incidents if not mine.isdisjoint(one.cameras)]
        return Record(record.gaps, record.watches, common, record.nodes)

    def _cameras(self, ledger: Ledger, question: Question) -> list[str] | None:
        if question.node is not None:
            nodes = [node.node for node in ledger.nodes()]
            if question.node not in nodes:
                raise QuestionError(
                    f"node: the ledger knows no node {question.node!r}{near(question.node, nodes)}"
                )
        if not question.cameras:
            return None
        known = {watch.camera for watch in ledger.watches(node=question.node)}
        return cameras_like(question.cameras, known)


def check_rows(watches: Collection[LedgerWatch], since: int, until: int, by: Bucket) -> None:
    """Raises QuestionError where coverage of that time would be too much for one answer."""
    if by == "all":
        return
    buckets = (until - since) // ((3600 if by == "hour" else 86_400) * SECOND) + 1
    cameras = len({(watch.node, watch.camera) for watch in watches})
    if buckets * max(1, cameras) > ROWS_AT_MOST:
        raise QuestionError(
            f"--since: {buckets} {by}s of {cameras} cameras are too much for one answer (at most "
            f"{ROWS_AT_MOST}): ask for a shorter time, fewer cameras, or by day"
        )


def heard(record: Record, until: int) -> dict[str, float]:
    """Nodes that do not run, and when they were last heard of, Unix seconds."""
    return {node: at / SECOND for node, at in silent(record.nodes, until).items()}
