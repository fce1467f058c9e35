"""The last word of a camera worker on a camera reaches the node, however much there is to say."""

from __future__ import annotations

import asyncio
import os

from vedette.facts import Trouble
from vedette.workers.camera_worker import CameraWorker
from vedette.workers.protocol import MESSAGE_AT_MOST, Channel, Facts, HandedOver, Start, pair
from vedette.workers.table import Table


async def heard_by_the_node(known: bytes) -> list[object]:
    """What is heard when a camera is handed over of which so much is known."""
    table, doorbell = Table.create(1, 1), os.eventfd(0, os.EFD_NONBLOCK | os.EFD_CLOEXEC)
    ours, theirs = (Channel(each) for each in pair())
    try:
        worker = CameraWorker(Start(worker=0, cameras=1, workers=1), theirs, table, doorbell)
        worker._loop = asyncio.get_running_loop()
        worker._tell(HandedOver(0, known))
        await asyncio.sleep(0)
        heard: list[object] = []
        while (message := ours.receive()) is not None:
            heard.append(message[0])
        return heard
    finally:
        ours.close()
        theirs.close()
        os.close(table.fd)
        os.close(doorbell)


def test_what_is_known_of_a_camera_is_handed_over() -> None:
    assert asyncio.run(heard_by_the_node(b"known")) == [HandedOver(0, b"known")]


def test_a_camera_of_which_too_much_is_known_is_handed_over_without_it() -> None:
    handed, told = asyncio.run(heard_by_the_node(bytes(MESSAGE_AT_MOST)))
    assert handed == HandedOver(0, lost=True)
    assert isinstance(told, Facts)
    [trouble] = told.facts
    assert isinstance(trouble, Trouble)
    assert "too long" in trouble.message
