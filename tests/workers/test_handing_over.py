"""The last word of a camera worker on a camera reaches the node, however much there is to say."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import msgspec
import numpy as np

from vedette.facts import Trouble
from vedette.found import Asked, Found
from vedette.quality.review.sampler import Orders
from vedette.settings import CameraSettings
from vedette.workers.camera_worker import CameraWorker
from vedette.workers.moving import unpacked
from vedette.workers.protocol import (
    MESSAGE_AT_MOST,
    AddCamera,
    Channel,
    Facts,
    HandedOver,
    HandOver,
    Output,
    Review,
    Start,
    pair,
)
from vedette.workers.table import Table


@asynccontextmanager
async def a_worker() -> AsyncIterator[tuple[CameraWorker, Channel]]:
    """With the node's end of its channel."""
    table, doorbell = Table.create(1, 1), os.eventfd(0, os.EFD_NONBLOCK | os.EFD_CLOEXEC)
    ours, theirs = (Channel(each) for each in pair())
    try:
        worker = CameraWorker(Start(worker=0, cameras=1, workers=1), theirs, table, doorbell)
        worker._loop = asyncio.get_running_loop()
        yield worker, ours
    finally:
        ours.close()
        theirs.close()
        os.close(table.fd)
        os.close(doorbell)


async def heard_by_the_node(known: bytes) -> list[object]:
    """What is heard when a camera is handed over of which so much is known."""
    async with a_worker() as (worker, node):
        worker._tell(HandedOver(0, known))
        await asyncio.sleep(0)
        heard: list[object] = []
        while (message := node.receive()) is not None:
            heard.append(message[0])
        return heard


def test_what_is_known_of_a_camera_is_handed_over() -> None:
    assert asyncio.run(heard_by_the_node(b"known")) == [HandedOver(0, b"known")]


def test_a_camera_of_which_too_much_is_known_is_handed_over_without_it() -> None:
    handed, told = asyncio.run(heard_by_the_node(bytes(MESSAGE_AT_MOST)))
    assert handed == HandedOver(0, lost=True)
    assert isinstance(told, Facts)
    [trouble] = told.facts
    assert isinstance(trouble, Trouble)
    assert "too long" in trouble.message


ORDERS = Orders(
    seed=1,
    per_hour=2.0,
    expected=600.0,
    by_reason={"new_objects": 2.0},
    camera_per_hour=12.0,
    worker_per_hour=200.0,
    redact=[],
    quality=90,
)


def found(asked: Asked | None) -> Found:
    box, score, kind = (
        np.array([[1, 2, 30, 40]], np.float32),
        np.array([0.2], np.float32),
        np.zeros(1, np.int32),
    )
    return Found(
        0.0, 64, 48, box, score, kind, 0, True, 0, 0, [], np.zeros(0, np.int64), asked=asked, image=None
    )


def output() -> Output:
    return Output(0, 0, 0, 0.0, 0.0, 0.0, 64, 48, b"", b"", b"", b"", [])


async def handed_over(worker: CameraWorker, node: Channel) -> HandedOver:
    """A camera of which a frame was studied leaves the worker; its last word on it."""
    settings = CameraSettings(name="gate", url="rtsp://127.0.0.1:1/gate")
    node.send(Review(msgspec.msgpack.encode(ORDERS)))
    node.send(AddCamera(0, "gate", msgspec.msgpack.encode(settings)))
    worker._hear_node()
    worker.found(0, found(worker.asks(0, 0.0)))
    worker.result(output(), None, 0.0)
    node.send(HandOver(0, joined=False))
    worker._hear_node()
    while True:
        while (heard := node.receive()) is not None:
            if isinstance(heard[0], HandedOver):
                return heard[0]
        await asyncio.sleep(0.01)


def test_what_was_learnt_of_its_objects_goes_with_it() -> None:
    async def learnt() -> Any:
        async with a_worker() as (worker, node):
            return unpacked((await handed_over(worker, node)).known)["review"]

    drawn, news = asyncio.run(learnt())
    assert drawn[0] is not None
    assert news is not None


class Mistaken:
    """In place of who keeps frames for review: whatever it is asked, it raises."""

    def __getattr__(self, name: str) -> Any:
        if name in ("follow", "flush"):
            return lambda *_: None

        def raises(*_: object) -> Any:
            raise KeyError(name)

        return raises


def test_a_mistake_about_review_takes_nothing_else_with_it() -> None:
    async def known() -> dict[str, Any]:
        async with a_worker() as (worker, node):
            worker.reviewing = Mistaken()  # type: ignore[assignment]
            return unpacked((await handed_over(worker, node)).known)

    found = asyncio.run(known())
    assert found["review"] is None
    assert found["pipeline"]
