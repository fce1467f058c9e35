"""Why libavformat gave up, in our words; as far as its error numbers tell."""

from __future__ import annotations

import errno

import av.error

from vedette.causes import Blame
from vedette.facts import EndReason, SessionEnd

__all__ = ["end_of", "lost_or", "not_opened"]

_REASONS: list[tuple[tuple[type[Exception], ...], EndReason]] = [
    ((av.error.HTTPUnauthorizedError, av.error.PermissionError), EndReason.UNAUTHORISED),
    ((av.error.HTTPError, av.error.HTTPClientError), EndReason.REFUSED),
    ((av.error.ConnectionRefusedError,), EndReason.REFUSED),
    ((av.error.LookupError, av.error.PatchWelcomeError), EndReason.UNSUPPORTED),
    ((av.error.ArgumentError, av.error.IsADirectoryError), EndReason.UNSUPPORTED),
    ((av.error.InvalidDataError,), EndReason.CORRUPT),
    ((av.error.FFmpegError,), EndReason.UNREACHABLE),
]

_CUT_OFF = frozenset({errno.ECONNRESET, errno.ECONNABORTED, errno.EPIPE})
# EIO is what is left of a connection that was closed before its stream was over; ENODEV of a webcam that was
# pulled out.
_LOST = _CUT_OFF | {errno.EIO, errno.ENODEV}
_NETWORK = frozenset({errno.ETIMEDOUT, errno.EHOSTUNREACH, errno.ENETUNREACH, errno.ENETDOWN})

_ENCRYPTED = frozenset({"https", "rtsps", "rtmps", "tls"})
_WITHOUT_GOODBYE = frozenset({"tcp", "tls"})
"""Protocols in which the end of the connection is all that can be seen of the end of a stream."""


def end_of(err: Exception, name: str) -> SessionEnd:
    """The reason behind one of libavformat's errors; the message holds neither URL nor options."""
    detail = _words(err, name)
    if getattr(err, "errno", None) == errno.EBUSY:
        return SessionEnd(EndReason.REFUSED, detail)
    for classes, reason in _REASONS:
        if isinstance(err, classes):
            return SessionEnd(reason, detail)
    return SessionEnd(EndReason.CORRUPT, detail)


def not_opened(err: Exception, name: str, scheme: str) -> SessionEnd:
    """Why nothing could be opened over a network protocol."""
    number = getattr(err, "errno", None)
    closed = isinstance(err, av.error.EOFError) or number in _CUT_OFF
    if scheme in _ENCRYPTED and (closed or number == errno.EIO):
        # libavformat does not say how far it came; hardly any server goes away just after the handshake.
        return SessionEnd(EndReason.TLS, f"{name}: no encrypted connection came about")
    if closed:
        return SessionEnd(EndReason.REFUSED, f"{name}: closed the connection without an answer")
    if number in _NETWORK - {errno.ETIMEDOUT}:
        return SessionEnd(EndReason.UNREACHABLE, _words(err, name), Blame.NETWORK)
    return end_of(err, name)


def lost_or(err: Exception | None, name: str, scheme: str) -> SessionEnd:
    """Why reading ended: with an error, or (None) with what the demuxer takes for the end."""
    if err is None:
        if scheme in _WITHOUT_GOODBYE:
            return SessionEnd(EndReason.CONNECTION_LOST, f"{name}: closed by the other side")
        return SessionEnd(EndReason.ENDED, f"{name}: the stream ended")
    number = getattr(err, "errno", None)
    if number in _NETWORK:
        return SessionEnd(EndReason.CONNECTION_LOST, _words(err, name), Blame.NETWORK)
    if number in _LOST:
        return SessionEnd(EndReason.CONNECTION_LOST, f"{name}: closed by the other side")
    return end_of(err, name)


def _words(err: Exception, name: str) -> str:
    what = getattr(err, "strerror", None) or type(err).__name__
    return f"{name}: {what[:1].lower()}{what[1:]}"
