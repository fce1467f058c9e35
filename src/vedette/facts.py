"""Small frozen values that say something happened. The pipeline emits them; observers consume them."""

from __future__ import annotations

from enum import StrEnum

import msgspec

__all__ = [
    "AnyFact",
    "EndReason",
    "EpochStarted",
    "Fact",
    "Outcome",
    "SessionEnd",
    "SessionEnded",
    "SessionOpened",
    "Trouble",
    "WorkerEnded",
    "WorkerStarted",
]


class EndReason(StrEnum):
    """Why a session ended. Exactly one each."""

    ENDED = "ended"
    """The stream ran out, or the other side closed it in order."""
    REFUSED = "refused"
    """The other side was there and said no (connection refused, 404, 5xx)."""
    UNAUTHORISED = "unauthorised"
    UNREACHABLE = "unreachable"
    """Nothing answered: no route, name unknown, connect timed out, connection lost."""
    STALLED = "stalled"
    """Connected, and nothing came any more."""
    CORRUPT = "corrupt"
    """What came cannot be read as what it claims to be."""
    UNSUPPORTED = "unsupported"
    """Understood, but not something we can decode (codec, transport)."""
    TIMESTAMP_JUMP = "timestamp_jump"
    CLOSED = "closed"
    """Closed by us."""
    WORKER_LOST = "worker_lost"


class Outcome(StrEnum):
    """How a received frame ended. Exactly one each."""

    ANALYSED = "analysed"
    SUPERSEDED = "superseded"
    EXPIRED = "expired"
    SKIPPED = "skipped"
    FAILED = "failed"
    ORPHANED = "orphaned"


class SessionEnd(msgspec.Struct, frozen=True):
    """The last word of a session: its reason, and a detail for people (credentials taken out)."""

    reason: EndReason
    detail: str = ""


class Fact(msgspec.Struct, frozen=True, tag=True, kw_only=True):
    """Base of all facts. ``at``: monotonic seconds."""

    at: float


class SessionOpened(Fact, frozen=True):
    camera: str
    codec: str
    width: int
    height: int


class SessionEnded(Fact, frozen=True):
    """``retry_in``: seconds until the next attempt, or None where there is none."""

    camera: str
    reason: EndReason
    detail: str
    frames: int
    retry_in: float | None


class EpochStarted(Fact, frozen=True):
    """Tracking state of a camera was reset; no track id lives on from before."""

    camera: str
    epoch: int
    reason: str


class Trouble(Fact, frozen=True):
    """Something went wrong that ends no session: a detector raised, a sink cannot write."""

    where: str
    message: str
    camera: str | None = None


class WorkerStarted(Fact, frozen=True):
    worker: str
    pid: int


class WorkerEnded(Fact, frozen=True):
    """``planned`` is False for crashes and kills."""

    worker: str
    exit_code: int | None
    planned: bool
    detail: str


AnyFact = SessionOpened | SessionEnded | EpochStarted | Trouble | WorkerStarted | WorkerEnded
