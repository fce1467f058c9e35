"""Names that nobody answers for must not keep the names of other cameras from being found."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator

import msgspec
import psutil
import pytest

from patience import PATIENCE_S
from vedette.settings import CameraSettings
from vedette.supervise.child import Child
from vedette.workers.protocol import AddCamera, AskConnect, MayConnect, Start
from vedette.workers.table import Table

LOOKED_UP_AT_ONCE = 32
"""uvloop gives half of its threads to names. One waits for up to 30 s where no server answers."""


@pytest.fixture
def worker() -> Iterator[Child]:
    table = Table.create(1, 1)
    doorbell = os.eventfd(0, os.EFD_NONBLOCK | os.EFD_CLOEXEC)
    child = Child("camera", "cameras-0")
    child.spawn(Start(worker=0, cameras=1, workers=1), [table.fd, doorbell])
    yield child
    child.kill()
    child.reap(0.0)
    os.close(table.fd)
    os.close(doorbell)


def test_a_worker_looks_up_many_names_at_the_same_time(worker: Child) -> None:
    """The threads are all made when the first name is looked up: it needs no dead servers to count them."""
    settings = CameraSettings(name="gate", url="rtsp://localhost:9/x")
    worker.send(AddCamera(0, "gate", msgspec.msgpack.encode(settings)))
    deadline = time.monotonic() + PATIENCE_S
    while psutil.Process(worker.pid).num_threads() < 2 * LOOKED_UP_AT_ONCE:
        assert time.monotonic() < deadline, f"{psutil.Process(worker.pid).num_threads()} threads"
        assert worker.channel is not None
        heard = worker.channel.receive()
        if heard is not None and isinstance(heard[0], AskConnect):
            worker.send(MayConnect(0))
        time.sleep(0.01)
    assert worker.alive
