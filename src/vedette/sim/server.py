"""Simulated cameras behind one RTSP server, in one event loop."""

from __future__ import annotations

import asyncio
import random
import re
from collections.abc import Callable, Sequence
from urllib.parse import quote

from vedette.clock import Clock, SystemClock
from vedette.errors import ConfigError, SourceError
from vedette.sim.auth import Guard, Scheme
from vedette.sim.camera import SimulatedCamera
from vedette.sim.clip import Clip
from vedette.sim.connection import Connection
from vedette.sim.faults.board import Board, FaultNote
from vedette.sim.faults.seam import Faults
from vedette.sim.link import Link, UdpPorts
from vedette.sim.listener import Listener
from vedette.sim.reader import Reader
from vedette.sim.scheduler import Scheduler
from vedette.sim.sentlog import SentLog

__all__ = ["SimulatedCameras"]

MAX_BUFFERED = 2 * 1024 * 1024
"""Bytes one slow reader may have waiting in this process; after that it loses frames."""

MAX_MUTE = 1024
"""Connections that may hang at a time by a fault; of more, the oldest is reset. Readers that come again and
again would otherwise use up all open files."""

_CLOSE_S = 2.0


class SimulatedCameras:
    """Camera i is at ``rtsp://host:port/cam<i>`` and plays ``clips[i % len(clips)]`` for ever.

    ``port`` 0 takes a free one; ``fps`` None is the clip's own rate; ``name`` holds ``{index}``. With
    ``user`` set, readers must give it and ``password`` by ``auth``. Make it, then ``start`` and ``stop``
    it in one event loop.
    """

    def __init__(
        self,
        clips: Clip | Sequence[Clip],
        *,
        cameras: int = 8,
        host: str = "127.0.0.1",
        port: int = 8554,
        fps: float | None = None,
        user: str | None = None,
        password: str | None = None,
        auth: Scheme = "digest",
        seed: int = 0,
        name: str = "cam{index}",
        faults: Faults | None = None,
        sent_log: SentLog | None = None,
        max_buffered: int = MAX_BUFFERED,
        clock: Clock | None = None,
    ) -> None:
        choice = [clips] if isinstance(clips, Clip) else list(clips)
        if not choice or cameras < 1:
            raise ConfigError("simulated cameras need at least one clip and one camera")
        if fps is not None and fps <= 0:
            raise ConfigError(f"fps must be more than 0, not {fps:g}")
        if sent_log is not None and not sent_log.holds(cameras, max(len(clip.units) for clip in choice)):
            raise ConfigError(f"sent log {sent_log.path} has too few rows or slots")
        self.host, self.port, self.max_buffered = host, port, max_buffered
        self.udp = UdpPorts()
        self._user, self._password, self.scheme = user, password, auth
        self._clock, self._sent_log = clock or SystemClock(), sent_log
        self._scheduler = Scheduler(self._clock)
        self._sequences = random.Random(seed)
        self._connections: set[Connection] = set()
        self._mute: dict[Connection, None] = {}
        self.abandoned = 0
        """Connections reset because too many hung."""
        self.listener = Listener(self._connection)
        self._running = False
        self.cameras = [
            SimulatedCamera(i, name.format(index=i), clip, fps=fps or clip.fps, seed=seed)
            for i, clip in zip(range(cameras), choice * (cameras // len(choice) + 1), strict=False)
        ]
        self._by_name = {camera.name: camera for camera in self.cameras}
        if len(self._by_name) < cameras:
            raise ConfigError(f"camera name {name!r} must hold {{index}}")
        self.board = Board(self, self._clock, seed)
        """Where faults act, unless ``faults`` were given instead."""
        self.faults: Faults = faults or self.board

    async def start(self) -> None:
        """Listen, and let time begin for all cameras.

        Raises:
            SourceError: the port is in use, or the address is not ours.
        """
        self.port = await self.listener.open(self.host, self.port)
        try:
            self.udp.open(self.host, asyncio.get_running_loop())
        except SourceError:
            self.listener.close()
            raise
        self._running = True
        now = self._clock.monotonic()
        for camera in self.cameras:
            camera.start(now)

    async def stop(self) -> None:
        """Say goodbye to every reader and close; nothing of it is left in the event loop."""
        if not self._running:
            return
        self._running = False
        self.listener.close()
        self._scheduler.stop()
        self.board.stop()
        ended = list(self._connections)
        for connection in ended:
            connection.end()
        if ended:
            await asyncio.wait([connection.closed for connection in ended], timeout=_CLOSE_S)
        self.udp.close(asyncio.get_running_loop())
        await self.listener.wait_closed()

    async def set_fault(self, camera: str, kind: str, **options: object) -> float:
        """Begin a fault now, until :meth:`clear_fault`; returns the monotonic second at which it took effect.

        ``camera``: a name; ``"*"`` for the kinds that strike the whole server. Kinds and options are in
        :data:`vedette.sim.faults.KINDS`; set again, a fault of the same kind takes the place of the first.

        Raises:
            ConfigError: there is no such camera, kind or option.
        """
        return await self.board.set(camera, kind, options)

    async def clear_fault(self, camera: str, kind: str) -> float:
        """End what :meth:`set_fault` began; returns the monotonic second at which all was well again."""
        return await self.board.clear(camera, kind)

    def on_fault(self, callback: Callable[[FaultNote], None]) -> None:
        """Have ``callback`` called, in the event loop, whenever a fault begins or ends."""
        self.board.callbacks.append(callback)

    def connections(self, camera: str | None = None) -> list[Connection]:
        """Those of one camera, or all."""
        return [each for each in self._connections if camera is None or each.camera == camera]

    def named(self, camera: str) -> SimulatedCamera | None:
        return self._by_name.get(camera)

    def url(self, index: int, *, credentials: bool = False) -> str:
        """Address of camera ``index``; with user and password in it only when asked for."""
        userinfo = ""
        if credentials and self._user is not None:
            userinfo = f"{quote(self._user, safe='')}:{quote(self._password or '', safe='')}@"
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"rtsp://{userinfo}{host}:{self.port}/{self.cameras[index].name}"

    # What connections need.

    def camera_at(self, path: str) -> SimulatedCamera | None:
        """The camera of ``/cam3``, ``/cam3/`` or ``/cam3/trackID=0``."""
        return self._by_name.get(re.sub(r"(/trackID=\d+)?/?$", "", path).removeprefix("/"))

    def reader(self, camera: SimulatedCamera, link: Link) -> Reader:
        return Reader(
            camera,
            link,
            clock=self._clock,
            faults=self.faults,
            sent_log=self._sent_log,
            max_buffered=self.max_buffered,
            sequence=self._sequences.getrandbits(16),
        )

    def play(self, reader: Reader) -> None:
        """Frames to ``reader`` from the next one due."""
        self._scheduler.wake(reader.camera)
        reader.camera.add(reader)

    def joined(self, connection: Connection) -> None:
        self._connections.add(connection)

    def left(self, connection: Connection) -> None:
        self._connections.discard(connection)
        self._mute.pop(connection, None)

    def muted(self, connection: Connection, mute: bool) -> None:
        """A connection hangs from now on, or no longer."""
        self._mute.pop(connection, None)
        if mute:
            self._mute[connection] = None
        if len(self._mute) > MAX_MUTE:
            oldest = next(iter(self._mute))
            del self._mute[oldest]
            self.abandoned += 1
            oldest.reset()

    def _connection(self) -> Connection:
        return Connection(self, Guard(self._user, self._password, self.scheme))
