"""Entry point of a worker process: ``python -m vedette.workers KIND FD``.

KIND is camera, inference, shadow, validation or web. FD is this worker's end of a channel to the node.
Nothing comes by environment or command line but that: what to do arrives over the channel.
"""

from __future__ import annotations

import ctypes
import os
import resource
import select
import signal
import sys
import traceback
from collections.abc import Callable
from typing import Any, NoReturn

from vedette.errors import redact
from vedette.workers.protocol import Busy, Channel, Examine, Start, StartInference, StartShadow, StartWeb
from vedette.workers.table import Table
from vedette.workers.threads import name_thread

_PR_SET_PDEATHSIG = 1
_PR_SET_TIMERSLACK = 29


def main(kind: str, fd: int) -> int:
    # Ctrl-C in a terminal reaches the whole group; the node ends its workers in order.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, lambda *_: os._exit(143))
    channel = Channel.from_fd(fd)
    if sys.platform == "linux":
        system = ctypes.CDLL(None)
        # A worker that hangs in native code would not notice that its node is gone.
        system.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
        # It may be gone already, and no signal comes any more.
        if os.getppid() != channel.made_by:
            return 0
        # Linux lets timers be 50 µs late to save power; frames are asked for to a tenth of a millisecond.
        system.prctl(_PR_SET_TIMERSLACK, 1)
    # A worker of hundreds of cameras has more sockets than the usual soft limit of 1024 files.
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    try:
        start, fds = _first_word(channel)
    except EOFError:
        return 0
    if kind == "validation":
        return _run_validation(start, channel)
    if kind == "web":
        _run_web(start, channel, *fds)
    table = Table(fds[0], start.cameras, start.workers)
    if kind == "camera":
        _run_camera_worker(start, channel, table, *fds[1:])
    elif kind == "shadow":
        _run_shadow_worker(start, channel, table)
    else:
        _run_inference_worker(start, channel, table, fds[1])
    return 0


def _first_word(channel: Channel) -> tuple[Any, list[int]]:
    while True:
        heard = channel.receive()
        if heard is not None:
            return heard
        select.select([channel.fileno()], [], [])


def _run_camera_worker(start: Start, channel: Channel, table: Table, *doorbells: int) -> None:
    # uvloop looks names up in this many threads, and gives half of them to it: two dead names would be enough
    # to keep every camera from being found.
    os.environ.setdefault("UV_THREADPOOL_SIZE", "64")
    import uvloop

    from vedette.workers.camera_worker import CameraWorker

    name_thread("loop")

    async def work() -> None:
        await CameraWorker(start, channel, table, *doorbells).run()

    uvloop.run(work())
    # Threads that libavformat holds must not hold the process.
    os._exit(0)


def _run_validation(order: Examine, channel: Channel) -> int:
    from vedette.quality.validate.worker import run  # it looks at no camera, and needs no table

    return run(order, channel)


def _run_web(start: StartWeb, channel: Channel, listening: int) -> NoReturn:
    from vedette.web.worker import run  # neither a camera nor a detector is its business

    # What it serves ends in order: uvicorn has handlers of its own.
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    code = run(start, channel, listening)
    sys.stderr.flush()
    # All is closed that is to be. To take down what is loaded takes longer than its keeper waits.
    os._exit(code)


def _run_inference_worker(start: StartInference, channel: Channel, table: Table, doorbell: int) -> None:
    from vedette.workers.inference_worker import InferenceWorker

    name_thread("detect")  # before the runtime starts its own threads, which inherit it
    _run_detector(channel, InferenceWorker(start, channel, table, doorbell).run)


def _run_shadow_worker(start: StartShadow, channel: Channel, table: Table) -> None:
    from vedette.workers.step_back import step_back

    step_back()  # before numpy and the runtime start threads
    from vedette.workers.shadow_worker import ShadowWorker

    name_thread("detect")
    _run_detector(channel, ShadowWorker(start, channel, table).run)


def _run_detector(channel: Channel, run: Callable[[], None]) -> None:
    try:
        run()
    except Exception as err:
        # A user's detector runs in here: whatever it does must reach people, and without credentials.
        channel.send(Busy(type(err).__name__, redact(str(err))[:2000]))
        sys.stderr.write(redact(traceback.format_exc()))
        os._exit(1)
    os._exit(0)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], int(sys.argv[2])))
