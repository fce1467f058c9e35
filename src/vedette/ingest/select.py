"""Which reader a camera's URL needs."""

from __future__ import annotations

from enum import StrEnum
from urllib.parse import urlsplit

from vedette.causes import Blame
from vedette.clock import Clock
from vedette.facts import EndReason, SessionEnd
from vedette.ingest.live import LiveSource
from vedette.ingest.rtsp.evidence import LinkEvidence
from vedette.ingest.source import Receiver, Source

__all__ = ["FallbackSource", "SourceKind", "make_source", "source_kind"]


class SourceKind(StrEnum):
    """How a camera is read."""

    RTSP_TCP = "rtsp_tcp"
    """Our own client."""
    CONTAINER = "container"
    """libavformat over a network."""
    FILE = "file"
    V4L2 = "v4l2"


def source_kind(url: str, transport: str = "tcp") -> SourceKind:
    """Pure. ``transport`` (``tcp`` or ``udp``) counts for RTSP only."""
    scheme = urlsplit(url).scheme.lower()
    if scheme in {"v4l2", "video4linux2"} or url.startswith("/dev/video"):
        return SourceKind.V4L2
    if scheme == "rtsp" and transport == "tcp":
        return SourceKind.RTSP_TCP
    if "://" in url and scheme != "file":
        return SourceKind.CONTAINER
    return SourceKind.FILE


def make_source(
    url: str,
    *,
    clock: Clock,
    transport: str = "tcp",
    pace: bool = True,
    loop: bool = False,
    options: dict[str, str] | None = None,
    connect_timeout: float = 10.0,
    first_frame_timeout: float = 10.0,
    stall_after: float = 10.0,
) -> Source:
    """A source for ``url``; starts nothing. Times in seconds, ``options`` are FFmpeg's.

    ``pace`` and ``loop`` count for files only. Readers are imported when one is needed: a worker whose
    cameras all speak RTSP over TCP never loads libavformat's.
    """
    kind = source_kind(url, transport)
    if kind is SourceKind.FILE:
        from vedette.ingest.files import FileSource

        return FileSource(url, clock=clock, pace=pace, loop=loop)

    def container(more: dict[str, str]) -> LiveSource:
        from vedette.ingest.container import ContainerSource

        return ContainerSource(
            url,
            clock=clock,
            options={**more, **(options or {})},
            stall_after=stall_after,
            connect_timeout=connect_timeout,
            live=True,
        )

    if kind is SourceKind.RTSP_TCP:
        from vedette.ingest.rtsp.client import RtspSource

        ours = RtspSource(
            url,
            clock=clock,
            connect_timeout=connect_timeout,
            first_frame_timeout=first_frame_timeout,
            stall_after=stall_after,
        )
        return FallbackSource(ours, container({"rtsp_transport": "tcp"}))
    return container({"rtsp_transport": transport} if url.lower().startswith("rtsp") else {})


class FallbackSource:
    """Reads with ``first`` until that finds a stream it does not support, and with ``second`` ever after."""

    def __init__(self, first: LiveSource, second: LiveSource) -> None:
        self._source = first
        self._second: LiveSource | None = second

    @property
    def stall_after(self) -> float:
        """See ``LiveSource``, as for all that follows."""
        return self._source.stall_after

    @stall_after.setter
    def stall_after(self, seconds: float) -> None:
        for source in self._both():
            source.stall_after = seconds

    @property
    def connect_timeout(self) -> float:
        return self._source.connect_timeout

    @connect_timeout.setter
    def connect_timeout(self, seconds: float) -> None:
        for source in self._both():
            source.connect_timeout = seconds

    def evidence(self) -> LinkEvidence | None:
        return self._source.evidence()

    def probe(self) -> None:
        self._source.probe()

    def hang_up(self, reason: EndReason, detail: str, blame: Blame | None = None) -> None:
        self._source.hang_up(reason, detail, blame)

    async def run(self, receiver: Receiver) -> SessionEnd:
        """See ``Source.run``."""
        end = await self._source.run(receiver)
        if end.reason is not EndReason.UNSUPPORTED or self._second is None:
            return end
        self._source, self._second = self._second, None
        return await self._source.run(receiver)

    def _both(self) -> tuple[LiveSource, ...]:
        return (self._source,) if self._second is None else (self._source, self._second)
