"""What is said is heard: over real sockets, with descriptors, to the end."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from itertools import product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vedette.facts import (
    EndReason,
    EpochStarted,
    Isolated,
    Quarantined,
    Released,
    SessionEnded,
    SessionOpened,
    Trouble,
    WorkerEnded,
    WorkerStarted,
)
from vedette.workers import protocol
from vedette.workers.protocol import (
    Acknowledge,
    AddCamera,
    AskConnect,
    Begin,
    Busy,
    CameraFinished,
    Cameras,
    CannotAdd,
    Channel,
    Compared,
    Conditions,
    Connected,
    Disagrees,
    Done,
    Drain,
    Drained,
    Drawn,
    Examine,
    Examined,
    Facts,
    Fetch,
    Filled,
    Freed,
    HandedOver,
    HandOver,
    Hello,
    Joined,
    Leave,
    Left,
    Link,
    LinkShadow,
    LivePicture,
    LookedAt,
    MayConnect,
    Message,
    MessageTooLong,
    Nudge,
    Output,
    Pictured,
    Pictures,
    Ready,
    RemoveCamera,
    Review,
    Seen,
    Show,
    Shown,
    Start,
    StartInference,
    StartShadow,
    StartWeb,
    Stop,
    Studied,
    TakeOver,
    Tried,
    Try,
    Weak,
    pair,
)

FACTS = [
    SessionOpened(at=1.0, camera="gate", codec="h264", width=640, height=360),
    SessionEnded(at=2.0, camera="gate", reason=EndReason.STALLED, detail="10 s", frames=7, retry_in=0.3),
    SessionEnded(at=2.0, camera="clip", reason=EndReason.ENDED, detail="", frames=7, retry_in=None),
    EpochStarted(at=3.0, camera="gate", epoch=4, reason="session opened"),
    Trouble(at=4.0, where="detector", message="it raised"),
    WorkerStarted(at=5.0, worker="cameras-0", pid=77),
    WorkerEnded(at=6.0, worker="cameras-0", exit_code=-9, planned=False, detail="hung"),
    Quarantined(at=7.0, worker="cameras-0", why="12 deaths", again_in=600.0, detail="hung", cameras=["gate"]),
    Released(at=8.0, worker="cameras-0"),
    Isolated(at=9.0, camera="gate", worker="cameras-2", why="it crashed"),
]
FOUND = {
    "xyxy": np.array([[1.5, 2, 3, 4]], np.float32).tobytes(),
    "confidence": np.array([0.5], np.float32).tobytes(),
    "class_id": np.array([3], np.int32).tobytes(),
}
MESSAGES: list[Message] = [
    Start(worker=1, cameras=32, workers=4),
    StartInference(cameras=32, workers=4, spec=b"\x81\xa1", batch=2, batch_within=0.05),
    StartInference(cameras=32, workers=4, spec=b"\x81\xa1", batch=2, batch_within=None, stand_by=True),
    StartInference(32, 4, b"\x81\xa1", 2, None, stand_by=True, number=1),
    StartInference(32, 4, b"\x81\xa1", 2, None, judged="ab" * 32, process=3),
    AddCamera(3, "gate", b"settings"),
    RemoveCamera(3, 6),
    MayConnect(3),
    Nudge(3),
    Cameras(1, [3, 4]),
    Cameras(1, [3, 4], level=True),
    Leave(2, [3, 4]),
    Left(2),
    AskConnect(3),
    Connected(3),
    CannotAdd(3, "no such tracker"),
    Link(1, [1, 5, 9]),
    Link(1, [], detector=1),
    Acknowledge(3, 2),
    Try([3, 4]),
    Tried(2, 7),
    Tried(1, 0, "it raised"),
    Begin(),
    Drain(),
    Drained(),
    Examine("yard.json", None, "runs", "runs/node", b"\x80"),
    Examine("yard.json", "pictures", "runs", "kept", b"\x80", b"\x80", "ab", "cd", 0.02, {"recall": 0.6}),
    LookedAt("the new one has looked at 3 of 80 labelled pictures"),
    Examined(b"\x80"),
    AddCamera(3, "gate", b"settings", joins=True),
    AddCamera(3, "gate", b"settings", known=b"\x80\x05"),
    HandOver(3),
    HandedOver(3, b"\x80\x05"),
    TakeOver(3, "gate", b"settings", b"\x80\x05"),
    Joined(3),
    Joined(3, "refused: it allows one session"),
    Pictures(3, 25, 1, 0),
    Studied(3, 1.5, FOUND["confidence"], FOUND["class_id"], b"", True, Seen(90.0, 40.0, 1.2, 0.9, False)),
    Studied(3, 1.5, b"", b"", b"", False, None),
    Studied(3, 1.5, b"", b"", b"", False, None, 0.02),
    Review(b"orders"),
    Disagrees(3, 1_700_000_000.5, 2),
    Conditions([3], [4, 5]),
    Drawn(
        index=3, number=9, at=1.7e9, width=640, height=360, xyxy=FOUND["xyxy"],
        confidence=FOUND["confidence"], track_id=b"\xff" * 8, labels=["Lkw"], reason="weak_boxes",
        probability=0.0,
    ),
    Pictured(9),
    Pictured(9, "no time"),
    Show([3, 4], [320, 1280], [1.0, 0.25]),
    LivePicture(3, 1_700_000_000.5, 640, 360, FOUND["xyxy"], FOUND["confidence"], b"\xff" * 8, ["Lkw"]),
    Stop(),
    Ready("picodet · cpu", ["person", "car"], [(256, 416), (192, 320)]),
    Ready(),
    Ready("picodet · cpu", ["person"], made_of="ab" * 32, precision="bf16"),
    Busy("DetectorError", "there is no model file"),
    Facts(list(FACTS)),
    Output(
        index=3, epoch=2, seq=10**12, captured_at=1.7e9, emitted_at=1.7e9 + 0.1, age=0.1, width=640,
        height=360, track_id=np.array([2**40], np.int64).tobytes(), names=["Lkw"], **FOUND,
    ),
    CameraFinished(3, "ended", "played to the end"),
    Hello(8, 256, 416),
    Fetch(9, 2, 3, 256, 416),
    Fetch(9, 2, 3, 256, 416, trial=True),
    Filled(9, True),
    Filled(9, True, weak=True),
    Filled(9, False),
    Done(9, 3, names=["bus"], **FOUND),
    Done(9, 3, names=["bus"], weak=Weak(**FOUND), **FOUND),
    Done(9, 3, failed="it raised"),
    Done(9, 3, detector=1, process=3),
    StartShadow(cameras=32, workers=4, spec=b"\x81\xa1"),
    StartWeb(b"\x81\xa1"),
    LinkShadow(1),
    Shown(2, 3, 1.7e9, 640, 360, FOUND["xyxy"], ["bus"]),
    Freed(2),
    Compared(3, 1.7e9, 1, 2, 3, took=0.05),
    Compared(3, 1.7e9, 0, 0, 0, took=0.05, failed="it raised"),
]  # fmt: skip


@pytest.fixture
def ends() -> Iterator[tuple[Channel, Channel]]:
    one, other = (Channel(sock) for sock in pair())
    yield one, other
    one.close()
    other.close()


def test_no_message_is_left_out_here() -> None:
    assert {type(message) for message in MESSAGES} == set(Message.__subclasses__())
    assert {each.__name__ for each in Message.__subclasses__()} <= set(protocol.__all__)


@pytest.mark.parametrize("message", MESSAGES, ids=lambda message: type(message).__name__)
def test_a_message_arrives_as_it_was_sent(message: Message, ends: tuple[Channel, Channel]) -> None:
    for here, there in (ends, ends[::-1]):
        assert here.send(message)
        assert there.receive() == (message, [])
        assert there.receive() is None


def test_messages_keep_their_order_and_their_edges(ends: tuple[Channel, Channel]) -> None:
    for message in MESSAGES:
        assert ends[0].send(message)
    assert [ends[1].receive() for _ in MESSAGES] == [(message, []) for message in MESSAGES]


def test_descriptors_travel_with_their_message(ends: tuple[Channel, Channel]) -> None:
    readers = []
    for count in (1, 2):
        pipes = [os.pipe() for _ in range(count)]
        readers += [read for read, _ in pipes]
        assert ends[0].send(Link(count, []), [write for _, write in pipes])
        for _, write in pipes:
            os.close(write)
    ends[0].send(Stop())
    for count in (1, 2):
        heard = ends[1].receive()
        assert heard is not None
        assert heard[0] == Link(count, [])
        assert len(heard[1]) == count
        for fd in heard[1]:
            assert not os.get_inheritable(fd)
            os.write(fd, b"x")
        protocol.close_all(heard[1])
    assert ends[1].receive() == (Stop(), [])
    for read in readers:
        assert os.read(read, 2) == b"x"
        os.close(read)


def test_a_link_can_be_sent_over_a_link(ends: tuple[Channel, Channel]) -> None:
    mine, theirs = pair()
    ends[0].send(Link(0, [1]), [theirs.fileno()])
    theirs.close()
    heard = ends[1].receive()
    assert heard is not None
    far, near = Channel.from_fd(heard[1][0]), Channel(mine)
    assert far.send(Filled(1, True))
    assert near.receive() == (Filled(1, True), [])
    near.close()
    far.close()


def test_what_was_said_before_the_end_is_heard_before_the_end(ends: tuple[Channel, Channel]) -> None:
    ends[0].send(Stop())
    ends[0].close()
    assert ends[1].receive() == (Stop(), [])
    with pytest.raises(EOFError):
        ends[1].receive()
    assert not ends[1].send(Ready())


def test_a_side_that_died_with_unread_words_is_an_end_too(ends: tuple[Channel, Channel]) -> None:
    ends[1].send(Stop())
    ends[0].close()
    with pytest.raises(EOFError):
        ends[1].receive()


def test_a_side_that_takes_nothing_blocks_nobody_and_loses_no_word_that_was_sent(
    ends: tuple[Channel, Channel],
) -> None:
    message = AddCamera(0, "gate", bytes(10_000))
    sent = 0
    while ends[0].send(message):
        sent += 1
        assert sent < 100_000
    assert sent >= 10
    assert not ends[0].send(message)
    for _ in range(sent):
        assert ends[1].receive() == (message, [])
    assert ends[1].receive() is None
    assert ends[0].send(message), "there is room again"


def test_a_message_too_large_for_the_socket_is_refused_and_not_cut(ends: tuple[Channel, Channel]) -> None:
    for size in (200_000, 900_000, 2_000_000, 50_000_000):
        message = AddCamera(0, "gate", bytes(size))
        try:
            sent = ends[0].send(message)
        except MessageTooLong:
            continue
        if sent:
            assert ends[1].receive() == (message, [])
    with pytest.raises(MessageTooLong):
        ends[0].send(AddCamera(0, "gate", bytes(50_000_000)))
    assert ends[0].send(Stop())
    assert ends[1].receive() == (Stop(), [])


numbers = st.integers(0, 300)


@given(count=numbers, seed=st.integers(0, 2**32 - 1))
def test_any_number_of_detections_arrives_whole(count: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    done = Done(
        1,
        2,
        rng.random((count, 4), np.float32).tobytes(),
        rng.random(count, np.float32).tobytes(),
        rng.integers(0, 80, count, np.int32).tobytes(),
        [f"class {n}" for n in range(count)],
    )
    one, other = (Channel(sock) for sock in pair())
    assert one.send(done)
    assert other.receive() == (done, [])
    one.close()
    other.close()


def test_a_channel_never_blocks_a_loop() -> None:
    for sock, wanted in product(pair(), [socket.SOCK_SEQPACKET]):
        assert sock.type == wanted
        channel = Channel(sock)
        assert not sock.getblocking()
        channel.close()
