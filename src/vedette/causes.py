"""Why a camera was not seen, or not seen well, and whose doing it was: the words of the ledger."""

from __future__ import annotations

from enum import StrEnum

__all__ = ["BLINDING", "EVENTS", "LINK", "PICTURE", "Blame", "Cause", "Kind", "explains_more", "kind_of"]


class Kind(StrEnum):
    """What a row of the ledger stands for."""

    BLIND = "blind"
    """No usable picture. Together with the time seen these partition the time a camera was watched."""
    DEGRADED = "degraded"
    """Pictures came, and something is wrong with them. May lie beside each other, seen or not."""
    EVENT = "event"
    """Something happened at one moment; it begins and ends there."""


class Blame(StrEnum):
    """Where a missing or late stretch came about."""

    CAMERA = "camera"
    NETWORK = "network"
    DECODE = "decode"
    """Our decoding."""
    INFERENCE = "inference"
    """Our detector."""
    NODE = "node"
    """The machine or our own processes."""
    OPERATOR = "operator"
    """Somebody's decision or configuration: paused, wrong password, unsupported codec."""


class Cause(StrEnum):
    """Why. Values are written into ledgers: they never change their meaning."""

    # Blind: there is no stream. The first eleven are also reasons for which a session ended.
    ENDED = "ended"
    REFUSED = "refused"
    UNAUTHORISED = "unauthorised"
    UNREACHABLE = "unreachable"
    NAME_UNKNOWN = "name_unknown"
    """DNS knows no such name."""
    TLS = "tls"
    """No encrypted connection came about, or its certificate does not hold."""
    CONNECTION_LOST = "connection_lost"
    """The connection broke in the middle of the stream."""
    STALLED = "stalled"
    """Connected, and nothing came any more."""
    CORRUPT = "corrupt"
    """What came could not be read, or gave no picture."""
    UNSUPPORTED = "unsupported"
    NO_KEYFRAME = "no_keyframe"
    """Frames came, but none from which a picture could begin."""
    STARTING = "starting"
    """The camera was added, or began again after a pause, and had given no picture yet."""
    # Blind: there are pictures with nothing to see in them.
    FROZEN = "frozen"
    COVERED = "covered"
    DARK = "dark"
    WASHED_OUT = "washed_out"
    # Blind: the cameras were not to blame.
    DECODE_BEHIND = "decode_behind"
    """Frames came and lay before our decoder for too long."""
    DETECTOR_LOST = "detector_lost"
    """No detector was running, or none answered in time: pictures came and nobody looked at them."""
    WORKER_LOST = "worker_lost"
    HANDED_OVER = "handed_over"
    """It moved from one of our processes to another, as planned, and allows no second session meanwhile."""
    NODE_DOWN = "node_down"
    NODE_ASLEEP = "node_asleep"
    """The machine was suspended, or its clock was set forward."""
    PAUSED = "paused"
    OVERLOADED = "overloaded"
    """We let it go for the time being: the machine cannot do all, and others matter more."""

    # Degraded.
    BLURRED = "blurred"
    MOVED = "moved"
    """The camera looks elsewhere than it used to."""
    SLOW = "slow"
    """Far fewer frames a second than this camera used to send."""
    LATE = "late"
    """Pictures, or their results, come late."""
    TIMESTAMPS = "timestamps"
    """The stream's own clock jumps."""
    THINNED = "thinned"
    """We decode or analyse less of it than was asked for: the machine cannot do more."""

    # Events.
    TIMESTAMP_GAP = "timestamp_gap"
    TIMESTAMP_JUMP = "timestamp_jump"
    """The stream's clock went back, or forward by an absurd amount."""
    CODEC_CHANGED = "codec_changed"
    RESOLUTION_CHANGED = "resolution_changed"


LINK = (
    # The later ones explain more: a camera that was lost, then refused us, then did not know our password, is
    # away because of the password.
    Cause.STARTING,
    Cause.ENDED,
    Cause.CONNECTION_LOST,
    Cause.STALLED,
    Cause.NO_KEYFRAME,
    Cause.DECODE_BEHIND,
    Cause.CORRUPT,
    Cause.REFUSED,
    Cause.UNREACHABLE,
    Cause.NAME_UNKNOWN,
    Cause.TLS,
    Cause.UNSUPPORTED,
    Cause.UNAUTHORISED,
)
"""No usable stream; in the order of how much they explain."""

PICTURE = (Cause.FROZEN, Cause.COVERED, Cause.DARK, Cause.WASHED_OUT)
"""There is a stream, and nothing can be seen in it."""

BLINDING = frozenset(
    {*LINK, *PICTURE, Cause.DETECTOR_LOST, Cause.WORKER_LOST, Cause.NODE_DOWN, Cause.NODE_ASLEEP}
) | {Cause.PAUSED, Cause.OVERLOADED, Cause.HANDED_OVER}

EVENTS = frozenset({Cause.TIMESTAMP_GAP, Cause.TIMESTAMP_JUMP, Cause.CODEC_CHANGED, Cause.RESOLUTION_CHANGED})


def kind_of(cause: Cause) -> Kind:
    if cause in BLINDING:
        return Kind.BLIND
    return Kind.EVENT if cause in EVENTS else Kind.DEGRADED


def explains_more(new: Cause, old: Cause) -> bool:
    """Whether, of two causes met in one outage, the new one says more about it. Those of :data:`LINK` say
    more than all others."""
    return _rank(new) > _rank(old)


def _rank(cause: Cause) -> int:
    return LINK.index(cause) if cause in LINK else -1
