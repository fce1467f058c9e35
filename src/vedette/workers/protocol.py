"""What processes of a node say to each other, and the channel they say it over.

A channel is a Unix socket that keeps message boundaries. It has no name in the file system, ends when either
side dies, and can carry file descriptors (shared memory, a link to another worker).
"""

from __future__ import annotations

import array
import errno
import math
import os
import socket
import struct
from collections.abc import Sequence
from typing import Any

import msgspec

from vedette.errors import WorkerError
from vedette.facts import AnyFact
from vedette.frame_times import FrameTimes

__all__ = [
    "OPENED_ANEW",
    "Acknowledge",
    "AddCamera",
    "AskConnect",
    "Begin",
    "Busy",
    "CameraFinished",
    "Cameras",
    "CannotAdd",
    "Channel",
    "Compared",
    "Conditions",
    "Connected",
    "Disagrees",
    "Done",
    "Drain",
    "Drained",
    "Drawn",
    "Examine",
    "Examined",
    "Facts",
    "Fetch",
    "Filled",
    "Freed",
    "HandOver",
    "HandedOver",
    "Hello",
    "Joined",
    "Leave",
    "Left",
    "Link",
    "LinkShadow",
    "LivePicture",
    "LookedAt",
    "MayConnect",
    "MessageTooLong",
    "Nudge",
    "Output",
    "Pictured",
    "Pictures",
    "Ready",
    "RemoveCamera",
    "Review",
    "Seen",
    "Show",
    "Shown",
    "Start",
    "StartInference",
    "StartShadow",
    "StartWeb",
    "Stop",
    "Studied",
    "TakeOver",
    "Tried",
    "Try",
    "Weak",
    "close_all",
    "pair",
]


class MessageTooLong(WorkerError):  # noqa: N818 - what it is, not whose fault
    """No socket of this machine takes so long a message; trying again is no use."""


class Message(msgspec.Struct, frozen=True, tag=True, array_like=True):
    """Base of all messages."""


# node → worker
class Start(Message, frozen=True):
    """First word to a camera worker. Carries the table and the doorbells, of the detector and of a canary, as
    file descriptors."""

    worker: int
    cameras: int
    workers: int


class StartInference(Message, frozen=True):
    """First word to the inference worker. Carries the table and the doorbell."""

    cameras: int
    workers: int
    spec: bytes
    """The detector's settings, packed."""
    batch: int
    """The most frames at a time."""
    batch_within: float | None
    """As many as a batch may have to take so many seconds; None = always as many as there are."""
    stand_by: bool = False
    """Load and warm the model, meet the camera workers, leave the table alone, and wait for ``Begin``."""
    number: int = 0
    """Which detector of the node it is: 0 = the detector, 1 = a canary."""
    judged: str = ""
    """What the detector must be made of: a hash; empty = whatever is there."""
    process: int = 0
    """Which process of all that detect, counted since the start of the node."""


class Examine(Message, frozen=True):
    """First word to a validation worker: hold a detector to a labelled set, and say what came of it."""

    dataset: str
    images: str | None
    """Where its pictures lie; None: beside it."""
    runs: str
    """Folder with the baselines."""
    kept: str
    """Folder for the runs that this one makes."""
    candidate: bytes
    """The detector's settings, packed."""
    running: bytes = b""
    """Of the one at work, which it is compared with; empty where it is that one, which is held to the
    baseline."""
    running_hash: str = ""
    """Of the file that the one at work was loaded from, which may be another by now; empty: not known."""
    identity: str = ""
    """By which the node knows the candidate."""
    tolerance: float = 0.0
    floors: dict[str, float] = {}


class StartWeb(Message, frozen=True):
    """First word to the dashboard's process. Carries the socket at which it is to listen."""

    task: bytes
    """A :class:`vedette.web.task.Task`, packed."""


class AddCamera(Message, frozen=True):
    index: int
    name: str
    settings: bytes
    """The camera's settings, packed."""
    joins: bool = False
    """Another worker has it still: open a session beside it, say ``Joined``, and wait for ``TakeOver``."""
    known: bytes = b""
    """What the worker that had it knew, packed; empty where nobody had it."""


OPENED_ANEW = "It moved to another of this node's processes, and had to be opened anew."
"""What a gap says of a camera whose session could not go on elsewhere."""


class HandOver(Message, frozen=True):
    """Take no more frames of this camera, finish those that the detector has, and say ``HandedOver``."""

    index: int
    joined: bool = False
    """Another worker has a session beside this one's. Else ours is to be closed before that is said."""


class TakeOver(Message, frozen=True):
    """The camera that was joined is this worker's from now on."""

    index: int
    name: str
    settings: bytes
    known: bytes


class RemoveCamera(Message, frozen=True):
    """``state``: what it is then, a :class:`vedette.workers.table.CameraState` (absent or paused)."""

    index: int
    state: int


class MayConnect(Message, frozen=True):
    """The answer to ``AskConnect``: now."""

    index: int


class Nudge(Message, frozen=True):
    """Whatever kept this camera away is over for its neighbours: it need not wait any longer."""

    index: int


class Cameras(Message, frozen=True):
    """To the inference worker: these rows of the table are this camera worker's from now on. ``level``: they
    come from another detector, and nobody owes them anything, nor do they."""

    worker: int
    cameras: list[int]
    level: bool = False


class Link(Message, frozen=True):
    """A socket to the other kind of worker comes with this message.

    ``worker``: the camera worker's number; ``cameras``: which rows of the table are its own, and this
    detector's. ``detector``: which one of the node it is, 0 or 1.
    """

    worker: int
    cameras: list[int]
    detector: int = 0


class Acknowledge(Message, frozen=True):
    """Results of an ``every_frame`` camera were taken by all sinks: as many more may come."""

    index: int
    results: int


class Try(Message, frozen=True):
    """To an inference worker that stands by: look at the newest pictures of these cameras; they keep them."""

    cameras: list[int]


class Begin(Message, frozen=True):
    """To an inference worker that stands by: it is the detector from now on."""


class Drain(Message, frozen=True):
    """To the inference worker: ask for no more frames; say ``Drained`` when those under way are done."""


class Leave(Message, frozen=True):
    """To the inference worker: ask for no more frames of these cameras, another detector does from now on;
    say ``Left`` with the same ``order`` when those under way are done. ``Cameras`` takes it back."""

    order: int
    cameras: list[int]


class Review(Message, frozen=True):
    """Keep frames for review from now on, or go by other orders: a
    :class:`vedette.quality.review.sampler.Orders`, packed."""

    orders: bytes


class Conditions(Message, frozen=True):
    """Of this worker's cameras those on which the detector is suspected to do worse, and those in a light for
    which nothing was learnt, or whose picture has changed. All others are neither."""

    suspected: list[int]
    unseen: list[int]


class Disagrees(Message, frozen=True):
    """A candidate and the detector at work differ about this camera's frame of Unix second ``captured_at``:
    so many ``boxes`` only one of them has."""

    index: int
    captured_at: float
    boxes: int


class Show(Message, frozen=True):
    """Somebody looks at these cameras: make pictures of frames that were analysed, at most ``widths`` pixels
    wide, a new one ``every`` so many seconds at most. All others are looked at by nobody."""

    cameras: list[int]
    widths: list[int]
    every: list[float]


class Stop(Message, frozen=True):
    """Close everything in order and exit."""


# worker → node
class Ready(Message, frozen=True):
    describe: str = ""
    names: list[str] = []
    """Class names the detector declares, by class id."""
    inputs: list[tuple[int, int]] = []
    """Sizes (height, width) that the detector's input may have, the full one first."""
    made_of: str = ""
    """A hash of what the detector was loaded from."""
    precision: str = ""
    """In which it computes; empty where that is not known."""


class Busy(Message, frozen=True):
    """The worker cannot do its work at all; it exits after this. ``kind``: name of the error class."""

    kind: str
    message: str


class LookedAt(Message, frozen=True):
    """So far it has come, in words."""

    words: str


class Examined(Message, frozen=True):
    """What came of ``Examine``: a :class:`vedette.quality.validate.verdict.Verdict`, packed."""

    verdict: bytes


class Tried(Message, frozen=True):
    """What came of ``Try``: so many objects in so many pictures. ``failed``: why it cannot be used."""

    pictures: int
    found: int
    failed: str = ""


class Drained(Message, frozen=True):
    """Nothing is under way at this inference worker any more, and all results are with the camera workers."""


class Left(Message, frozen=True):
    """Nothing of the cameras of that ``Leave`` is under way at this inference worker any more."""

    order: int


class CannotAdd(Message, frozen=True):
    """A camera's settings cannot be used; the others go on."""

    index: int
    why: str


class Joined(Message, frozen=True):
    """There is a session, and a picture of it; or ``failed`` says why there is none."""

    index: int
    failed: str = ""


class HandedOver(Message, frozen=True):
    """The camera is no longer this worker's. ``known``: for whoever takes it over; empty where it had nothing
    open. ``lost``: it had, and could not say what it knew."""

    index: int
    known: bytes = b""
    lost: bool = False


class AskConnect(Message, frozen=True):
    """A camera wants to open a session; it waits for ``MayConnect``."""

    index: int


class Connected(Message, frozen=True):
    """The camera has opened its session, or failed to: others may."""

    index: int


class Pictures(Message, frozen=True):
    """Of a camera's annotated video, since this was said last: pictures that were written, that there was no
    time for, and that met a failure."""

    index: int
    written: int
    dropped: int
    failed: int


class Drawn(Message, frozen=True):
    """A frame is kept for review. ``number``: under which its picture follows. ``at``: when it was captured,
    Unix seconds. Arrays of n boxes: xyxy f32 [n,4] in pixels of the frame, confidence f32, track i64 (-1: it
    has none); and ``labels``. ``reason``: empty in the uniform stream. ``probability``: with which it was
    drawn; 0.0 in others."""

    index: int
    number: int
    at: float
    width: int
    height: int
    xyxy: bytes
    confidence: bytes
    track_id: bytes
    labels: list[str]
    reason: str
    probability: float
    detector: int = 0
    """Whose the boxes are: 0 = the detector's, 1 = a canary's."""
    process: int = 0
    """By which process of all that detect they were found: another one may detect by now."""


class Pictured(Message, frozen=True):
    """The picture of a frame that was drawn. With it comes the descriptor of a file without a name, which
    holds a JPEG; or ``problem`` says why there is none."""

    number: int
    problem: str = ""


class LivePicture(Message, frozen=True):
    """A frame that somebody looks at. With it comes the descriptor of a file without a name, which holds a
    JPEG. The rest is of its result, packed as in :class:`Output`."""

    index: int
    captured_at: float
    width: int
    height: int
    xyxy: bytes
    confidence: bytes
    track_id: bytes
    names: list[str]


class Facts(Message, frozen=True):
    facts: list[AnyFact]


class Output(Message, frozen=True):
    """A result on its way to the sinks. Raw bytes: xyxy f32 [n,4], confidence f32, class i32, track i64."""

    index: int
    epoch: int
    seq: int
    captured_at: float
    emitted_at: float
    age: float
    width: int
    height: int
    xyxy: bytes
    confidence: bytes
    class_id: bytes
    track_id: bytes
    names: list[str]
    times: FrameTimes | None = None
    """Of frames that are traced."""


class CameraFinished(Message, frozen=True):
    """A source that ends has ended and all of its frames have their outcome."""

    index: int
    reason: str
    detail: str


# camera worker ↔ inference worker
class Hello(Message, frozen=True):
    """First word of the inference worker on a link.

    Carries the slots' memory: u8 [slots, height, width, 3] RGB.
    """

    slots: int
    height: int
    width: int


class Fetch(Message, frozen=True):
    """``height``, ``width``: how large the picture is wanted, in pixels; it may be smaller than the slot.
    ``trial``: only to look at; the frame stays where it is.
    """

    ticket: int
    slot: int
    camera: int
    height: int
    width: int
    trial: bool = False


class Filled(Message, frozen=True):
    """``deadline``: when the frame is too old to be looked at, in monotonic seconds. ``weak``: boxes below
    the detector's threshold are wanted, too."""

    ticket: int
    filled: bool
    deadline: float = math.inf
    weak: bool = False


class Weak(msgspec.Struct, frozen=True, array_like=True):
    """Boxes below the detector's threshold, packed as those of :class:`Done` are."""

    xyxy: bytes
    confidence: bytes
    class_id: bytes


class Done(Message, frozen=True):
    """A frame's detections in pixels of the picture that was handed over; ``failed`` says why there are none.

    ``expired``: it was not looked at, because its deadline was over. ``times``: when the network began and
    ended with it, and when its boxes were there, in monotonic seconds.
    """

    ticket: int
    camera: int
    xyxy: bytes = b""
    confidence: bytes = b""
    class_id: bytes = b""
    names: list[str] = []
    failed: str | None = None
    expired: bool = False
    times: tuple[float, float, float] = (0.0, 0.0, 0.0)
    weak: Weak | None = None
    """None where they were not asked for, or the detector does not know them."""
    detector: int = 0
    """Which one of the node it was: 0 = the detector, 1 = a canary."""
    process: int = 0
    """Which process of all that detect: another one may be another model."""


class Seen(msgspec.Struct, frozen=True, array_like=True):
    """What a picture looks like, as :class:`vedette.health.picture.Features` has it. ``likeness``: how its
    edges correlate with the camera's own reference in this light; NaN while there is none."""

    luma: float
    contrast: float
    sharpness: float
    likeness: float
    infrared: bool


class Studied(Message, frozen=True):
    """What a detector found in one frame, for those who judge it. ``captured``: monotonic seconds. Arrays of
    n boxes, weak ones included where ``weak_known``: ``confidence`` f32, ``class_id`` i32, and ``area`` f32,
    their shares of the picture. ``seen``: None where no picture was judged since the last one. ``chance``:
    the probability with which it might have been kept for review, and was not; 0.0 where none might.
    ``detector``: 0 = the detector, 1 = a canary; ``process``: which process of all that detect."""

    index: int
    captured: float
    confidence: bytes
    class_id: bytes
    area: bytes
    weak_known: bool
    seen: Seen | None
    chance: float = 0.0
    detector: int = 0
    process: int = 0


# a candidate that is shown frames, too


class StartShadow(Message, frozen=True):
    """First word to a shadow worker. Carries the table and the doorbell."""

    cameras: int
    workers: int
    spec: bytes
    """The candidate's settings, packed."""


class LinkShadow(Message, frozen=True):
    """A socket between this camera worker and the shadow worker comes with this message, to either."""

    worker: int


class Shown(Message, frozen=True):
    """Camera worker → shadow worker: the picture in this slot was analysed, and the detector at work found
    that in it: packed as in :class:`Output`, in pixels of the frame, which has ``width`` × ``height``."""

    slot: int
    index: int
    captured_at: float
    width: int
    height: int
    xyxy: bytes
    class_names: list[str]


class Freed(Message, frozen=True):
    """Shadow worker → camera worker: the slot may be filled anew."""

    slot: int


class Compared(Message, frozen=True):
    """Shadow worker → node: what came of one frame. Boxes that both have, and that only one of them has;
    ``took``: seconds the candidate had it. ``failed``: why it found nothing."""

    index: int
    captured_at: float
    both: int
    only_running: int
    only_candidate: int
    took: float
    failed: str = ""


_ANY = (
    Start
    | StartInference
    | AddCamera
    | RemoveCamera
    | MayConnect
    | Nudge
    | Cameras
    | Link
    | Acknowledge
    | Stop
    | Ready
    | Studied
    | Pictures
    | Busy
    | Facts
    | Output
) | (
    CannotAdd
    | AskConnect
    | Connected
    | CameraFinished
    | Hello
    | HandOver
    | HandedOver
    | Examine
    | LookedAt
    | Examined
    | TakeOver
    | Joined
    | Fetch
    | Filled
    | Done
    | Try
    | Tried
    | Begin
    | Drain
    | Drained
    | Leave
    | Left
    | Review
    | Conditions
    | Disagrees
    | Drawn
    | Pictured
    | Show
    | LivePicture
    | StartShadow
    | StartWeb
    | LinkShadow
    | Shown
    | Freed
    | Compared
)


MESSAGE_AT_MOST = 1 << 20
"""Bytes. What is longer would be cut off on the way, and nobody could read it."""

_SEND_OVERHEAD = 32
"""Bytes of a send buffer that Linux keeps for itself."""

_FDS_SPACE = socket.CMSG_SPACE(4 * array.array("i").itemsize)


class Channel:
    """One end of a link. Not blocking unless told; ``fileno`` lets loops and selectors wait for it."""

    def __init__(self, sock: socket.socket) -> None:
        sock.setblocking(False)
        for option in (socket.SO_SNDBUF, socket.SO_RCVBUF):
            sock.setsockopt(socket.SOL_SOCKET, option, 4 << 20)
        self._socket = sock
        # Linux gives what it pleases, and takes no message that is longer.
        given = sock.getsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF)
        self._at_most = min(MESSAGE_AT_MOST, given - _SEND_OVERHEAD)
        self._encoder = msgspec.msgpack.Encoder()
        self._decoder = msgspec.msgpack.Decoder(_ANY)
        # Made once: a buffer of this size for each message would be mapped and unmapped each time.
        self._buffer = memoryview(bytearray(MESSAGE_AT_MOST))

    def fileno(self) -> int:
        return self._socket.fileno()

    @property
    def made_by(self) -> int:
        """The process that made the link, which may be gone. Linux only."""
        credentials = self._socket.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, struct.calcsize("3i"))
        return int(struct.unpack("3i", credentials)[0])

    def send(self, message: Message, fds: Sequence[int] = ()) -> bool:
        """Send one message; False when it was not sent: the other side is gone or takes nothing now.

        Raises MessageTooLong for one that could never be sent.
        """
        data = self._encode(message)
        try:
            if fds:
                socket.send_fds(self._socket, [data], list(fds))
            else:
                self._socket.send(data)
        except OSError as err:
            if err.errno == errno.EMSGSIZE:
                raise MessageTooLong from err
            return False
        return True

    def check(self, message: Message) -> None:
        """Raises MessageTooLong for one that could never be sent."""
        self._encode(message)

    def _encode(self, message: Message) -> bytes:
        data = self._encoder.encode(message)
        if len(data) > self._at_most:
            raise MessageTooLong(f"a message of {len(data)} bytes; at most {self._at_most} can be sent")
        return data

    def receive(self) -> tuple[Any, list[int]] | None:
        """The next message and its file descriptors; None when there is none now.

        Raises EOFError when the other side is gone.
        """
        try:
            length, fds = self._read()
        except BlockingIOError:
            return None
        except OSError as err:
            raise EOFError from err
        if not length:
            raise EOFError
        for fd in fds:
            # They can be inherited as they come, and a program that a detector starts would keep links open.
            os.set_inheritable(fd, False)
        return self._decoder.decode(self._buffer[:length]), fds

    def _read(self) -> tuple[int, list[int]]:
        try:
            length, ancillary, _, _ = self._socket.recvmsg_into([self._buffer], _FDS_SPACE)
        except ConnectionResetError:
            # The other side died without reading all of ours. That is said first, and once; what it said
            # before it died comes after.
            length, ancillary, _, _ = self._socket.recvmsg_into([self._buffer], _FDS_SPACE)
        fds = array.array("i")
        for level, kind, data in ancillary:
            if level == socket.SOL_SOCKET and kind == socket.SCM_RIGHTS:
                fds.frombytes(data[: len(data) - len(data) % fds.itemsize])
        return length, fds.tolist()

    def close(self) -> None:
        self._socket.close()

    @classmethod
    def from_fd(cls, fd: int) -> Channel:
        return cls(socket.socket(fileno=fd))


def pair() -> tuple[socket.socket, socket.socket]:
    """Two connected sockets that keep message boundaries."""
    return socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)


def close_all(fds: Sequence[int]) -> None:
    for fd in fds:
        os.close(fd)
