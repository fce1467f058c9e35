"""What is said on a node's control socket: four bytes of length, then msgpack; requests and answers in turn.

A request is one of a tagged union and says which version it speaks. What a node does not understand it
answers with :class:`Refused`. Fields that are added later have defaults, so that a newer ``vedette top``
understands an older node.
"""

from __future__ import annotations

from typing import Any, Literal

import msgspec

from vedette.errors import VedetteError
from vedette.observe.views import NodeView

__all__ = [
    "HEAD",
    "LONGEST_ANSWER",
    "LONGEST_REQUEST",
    "VERSION",
    "Answer",
    "Became",
    "Configured",
    "ControlError",
    "Gave",
    "Happened",
    "Happening",
    "Happenings",
    "Look",
    "Looked",
    "NodeRefusedError",
    "Order",
    "Ordered",
    "Picture",
    "Refused",
    "Request",
    "Results",
    "Seen",
    "Settings",
    "View",
    "WhatBecame",
    "decode_answer",
    "decode_request",
    "frame",
    "length_of",
]

VERSION = 1

HEAD = 4
"""Bytes of the length before each message, the most significant first."""

LONGEST_REQUEST = 64 * 1024
LONGEST_ANSWER = 64 * 1024 * 1024
"""Bytes. A view of 1000 cameras with all details takes about two million."""


class ControlError(VedetteError):
    """A node cannot be asked: none is there, it does not answer, or it refused."""

    exit_code = 7


class NodeRefusedError(ControlError):
    """It was asked, and would not."""


class Said(msgspec.Struct, frozen=True, kw_only=True, tag_field="type"):
    """Base of requests. ``version``: of this protocol."""

    version: int = VERSION


class View(Said, frozen=True, kw_only=True, tag="view"):
    """What does the node look like now? ``details``: with the stage times of each camera."""

    details: bool = False


Doing = Literal[
    "recycle",
    "model",
    "shadow",
    "unshadow",
    "canary",
    "uncanary",
    "learn",
    "learn_more",
    "add",
    "change",
    "remove",
    "pause",
    "resume",
    "restart",
]


class Order(Said, frozen=True, kw_only=True, tag="order"):
    """Do something that takes a while: ``recycle`` the worker ``what``, set the ``model`` to that file, show
    that file as a ``shadow`` a ``share`` of the frames for so many ``seconds``, or ``unshadow`` it; let that
    file as a ``canary`` detect for ``cameras`` (names and patterns) for so many ``seconds``, and ``then`` go
    back or be set for all, or ``uncanary`` it (of a model, ``settings`` are keys of ``detector`` that are to
    be others, such as ``classes``); ``learn`` anew what is usual for the cameras ``what`` (with commas
    between; empty: all), or only what is not known of it yet (``learn_more``).

    Of the camera ``what``: ``add`` it, or ``change`` or ``remove`` it, with ``settings`` as the keys of the
    YAML file; ``pause`` it (``why``), ``resume`` it, or ``restart`` it (open its session anew)."""

    kind: Doing
    what: str
    force: bool = False
    """Whatever labelled pictures say of the model, or of the canary."""
    share: float = 0.0
    seconds: float = 0.0
    cameras: tuple[str, ...] = ()
    then: Literal["back", "set"] = "back"
    settings: dict[str, Any] = {}
    why: str = ""
    keep: bool = False
    """It is to be so after a restart, too (:mod:`vedette.lasting`)."""


class Look(Said, frozen=True, kw_only=True, tag="look"):
    """The newest analysed pictures of these cameras that were captured after ``since`` (Unix seconds). To ask
    is to want more: for three seconds the node has pictures made of them, ``width`` pixels wide at most.
    ``dropped``: how many whoever asks left out, since it asked last, for those who took them too slowly."""

    cameras: tuple[str, ...]
    width: int = 320
    since: float = 0.0
    dropped: int = 0


class Results(Said, frozen=True, kw_only=True, tag="results"):
    """Results numbered above ``after``, ``most`` of them at most. They are remembered only for those who ask:
    with -1 it is begun, and nothing given but the number to go on from."""

    after: int = -1
    most: int = 500


class Happenings(Said, frozen=True, kw_only=True, tag="happenings"):
    """What was told of cameras, workers and alerts, numbered above ``after``."""

    after: int = 0
    most: int = 500


class Configured(Said, frozen=True, kw_only=True, tag="configured"):
    """What does the node watch now, as the keys of the YAML file?"""


class WhatBecame(Said, frozen=True, kw_only=True, tag="became"):
    """Of the order with this number."""

    number: int


class Ordered(msgspec.Struct, frozen=True, tag_field="type", tag="ordered"):
    """It is being done."""

    number: int


class Became(msgspec.Struct, frozen=True, tag_field="type", tag="became"):
    """``done``: it is over; ``failed``: why it was not done after all, empty where it was. ``words``: what is
    to be said of it, or how far it is; may be empty. ``exists``: it failed because there is one already.
    ``unkept``: it was done, was to last, and why it will not; empty where it will."""

    done: bool
    failed: str = ""
    words: str = ""
    exists: bool = False
    unkept: str = ""


class Seen(msgspec.Struct, frozen=True, tag_field="type", tag="seen"):
    view: NodeView


class Picture(msgspec.Struct, frozen=True):
    """``captured_at``: Unix seconds. ``jpeg``: the picture, smaller than the frame, which has ``width`` ×
    ``height`` pixels. Of its boxes, in pixels of the frame: ``xyxy`` (four numbers each), ``names``,
    ``confidence``, and ``tracks`` (-1: it has none)."""

    captured_at: float
    jpeg: bytes
    width: int
    height: int
    xyxy: list[tuple[float, float, float, float]] = []
    names: list[str] = []
    confidence: list[float] = []
    tracks: list[int] = []


class Looked(msgspec.Struct, frozen=True, tag_field="type", tag="looked"):
    """``pictures``: by camera; of those that have a new one."""

    pictures: dict[str, Picture]


class Gave(msgspec.Struct, frozen=True, tag_field="type", tag="gave"):
    """``results``: JSON each, as sinks write it, oldest first. ``last``: the number of the newest given; ask
    on from there. ``missed``: how many before them there was no room for since ``after``, or that came while
    nobody asked. A number from another life of the node begins anew."""

    results: list[bytes]
    last: int
    missed: int = 0


class Happening(msgspec.Struct, frozen=True):
    """``at``: Unix seconds. ``level``: info, warning or error. ``kind``: what happened, as the log has it.
    ``text``: in words for people. ``camera``, ``worker``: empty where it concerns none."""

    number: int
    at: float
    level: str
    kind: str
    text: str
    camera: str = ""
    worker: str = ""


class Happened(msgspec.Struct, frozen=True, tag_field="type", tag="happened"):
    """``last``, ``missed``: as in :class:`Gave`."""

    happenings: list[Happening]
    last: int
    missed: int = 0


class Settings(msgspec.Struct, frozen=True, tag_field="type", tag="settings"):
    """The keys of the YAML file. Addresses are without their credentials."""

    keys: dict[str, Any]


class Refused(msgspec.Struct, frozen=True, tag_field="type", tag="refused"):
    """It was not done. ``why``: a sentence for people."""

    why: str


Request = View | Order | WhatBecame | Look | Results | Happenings | Configured
Answer = Seen | Refused | Ordered | Became | Looked | Gave | Happened | Settings

_requests: msgspec.msgpack.Decoder[Request] = msgspec.msgpack.Decoder(Request)
_answers: msgspec.msgpack.Decoder[Answer] = msgspec.msgpack.Decoder(Answer)


class _Any(msgspec.Struct):
    """What every request of every version has."""

    type: str
    version: int = VERSION


_any = msgspec.msgpack.Decoder(_Any)


def _plain(value: Any) -> Any:
    """NumPy's numbers, which a view may hold, as Python's."""
    if hasattr(value, "item"):
        return value.item()
    raise NotImplementedError(f"cannot say a {type(value).__name__}")


_encoder = msgspec.msgpack.Encoder(enc_hook=_plain)


def frame(message: Request | Answer) -> bytes:
    """The message as it goes over the socket."""
    body = _encoder.encode(message)
    return len(body).to_bytes(HEAD, "big") + body


def length_of(head: bytes | bytearray) -> int:
    return int.from_bytes(head[:HEAD], "big")


def decode_request(body: bytes | bytearray) -> Request:
    """Raises ControlError, for an answer: of another version, or nothing that we understand."""
    try:
        version = _any.decode(body).version
        if version != VERSION:
            raise ControlError(f"this node speaks version {VERSION} of the protocol, not {version}")
        return _requests.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as err:
        raise ControlError(f"not a request that this node understands: {err}") from err


def decode_answer(body: bytes | bytearray) -> Answer:
    """Raises ControlError for what is no answer of ours."""
    try:
        return _answers.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as err:
        raise ControlError(f"the answer cannot be understood: {err}") from err
