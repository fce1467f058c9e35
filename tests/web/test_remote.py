"""A node over its control socket: what is asked again where no answer comes, and what never is."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from vedette.control.protocol import (
    HEAD,
    NodeRefusedError,
    Order,
    Ordered,
    Request,
    Seen,
    decode_request,
    frame,
    length_of,
)
from vedette.observe.views import NodeView
from vedette.web.node import NodeGoneError
from vedette.web.remote import RemoteNode

Hears = Callable[[Request], bytes]


@contextmanager
def node(path: Path, hears: Hears) -> Iterator[list[Request]]:
    """Hangs up where ``hears`` has nothing to say."""
    heard: list[Request] = []

    def treat(connection: socket.socket) -> None:
        with connection:
            while len(head := connection.recv(HEAD, socket.MSG_WAITALL)) == HEAD:
                heard.append(decode_request(connection.recv(length_of(head), socket.MSG_WAITALL)))
                if not (said := hears(heard[-1])):
                    return
                connection.sendall(said)

    def accept() -> None:
        while True:
            try:
                connection, _ = listening.accept()
            except OSError:
                return
            threading.Thread(target=treat, args=(connection,), daemon=True).start()

    with closing(socket.socket(socket.AF_UNIX)) as listening:
        listening.bind(str(path))
        listening.listen()
        threading.Thread(target=accept, daemon=True).start()
        yield heard
        listening.shutdown(socket.SHUT_RDWR)


async def test_an_order_that_was_heard_and_not_answered_is_not_given_again(tmp_path: Path) -> None:
    order = Order(kind="recycle", what="cameras-0")

    def hears(request: Request) -> bytes:
        return b"" if isinstance(request, Order) else frame(Seen(NodeView()))

    with node(tmp_path / "node.sock", hears) as heard:
        asked = RemoteNode(tmp_path / "node.sock")
        await asked.view()
        with pytest.raises(NodeGoneError):
            await asked.order(order)
        asked.close()
    assert [each for each in heard if isinstance(each, Order)] == [order]


async def test_an_order_gets_through_where_the_node_hung_up_before(tmp_path: Path) -> None:
    turns: list[int] = []

    def hears(request: Request) -> bytes:
        turns.append(1)
        if isinstance(request, Order):
            return frame(Ordered(7))
        return b"" if len(turns) == 2 else frame(Seen(NodeView()))

    with node(tmp_path / "node.sock", hears):
        asked = RemoteNode(tmp_path / "node.sock")
        await asked.view()
        await asked.view(details=True)  # hung up on, and asked again
        assert await asked.order(Order(kind="recycle", what="cameras-0")) == 7
        asked.close()


def deep(levels: int) -> object:
    found: object = 1
    for _ in range(levels):
        found = [found]
    return found


@pytest.mark.parametrize(
    "odd", [10**30, -(10**30), "\ud800", deep(5000)], ids=["large", "low", "half", "deep"]
)
async def test_what_cannot_be_said_is_refused_and_the_next_order_is_given(
    tmp_path: Path, odd: object
) -> None:
    with node(tmp_path / "node.sock", lambda _: frame(Ordered(7))) as heard:
        asked = RemoteNode(tmp_path / "node.sock")
        settings = {"tracker": {"options": {"x": odd}}}
        with pytest.raises(NodeRefusedError):
            await asked.order(Order(kind="add", what="gate", settings=settings))
        assert await asked.order(Order(kind="add", what="gate")) == 7
        asked.close()
    assert len(heard) == 1
