"""Which reader a URL gets."""

from __future__ import annotations

import pytest

from ingest_media import Notebook
from vedette.clock import SystemClock
from vedette.facts import EndReason, SessionEnd
from vedette.ingest.container import ContainerSource
from vedette.ingest.files import FileSource
from vedette.ingest.select import FallbackSource, SourceKind, make_source, source_kind
from vedette.ingest.source import Receiver


@pytest.mark.parametrize(
    ("url", "transport", "kind"),
    [
        ("rtsp://10.0.0.1/cam", "tcp", SourceKind.RTSP_TCP),
        ("RTSP://10.0.0.1/cam", "tcp", SourceKind.RTSP_TCP),
        ("rtsp://10.0.0.1/cam", "udp", SourceKind.CONTAINER),
        ("http://10.0.0.1/mjpeg", "tcp", SourceKind.CONTAINER),
        ("https://10.0.0.1/live.m3u8", "tcp", SourceKind.CONTAINER),
        ("rtmp://10.0.0.1/live/cam", "tcp", SourceKind.CONTAINER),
        ("udp://@239.0.0.1:5000", "tcp", SourceKind.CONTAINER),
        ("v4l2:///dev/video0", "tcp", SourceKind.V4L2),
        ("/dev/video0", "tcp", SourceKind.V4L2),
        ("clips/a.mp4", "tcp", SourceKind.FILE),
        ("/clips", "udp", SourceKind.FILE),
        ("clips/*.mp4", "tcp", SourceKind.FILE),
        ("file:///clips/a.mp4", "tcp", SourceKind.FILE),
    ],
)
def test_a_url_says_how_it_is_read(url: str, transport: str, kind: SourceKind) -> None:
    assert source_kind(url, transport) is kind


@pytest.mark.parametrize(
    ("url", "transport", "reader"),
    [
        ("rtsp://127.0.0.1:1/cam", "udp", ContainerSource),
        ("rtsp://127.0.0.1:1/cam", "tcp", FallbackSource),
        ("/dev/video0", "tcp", ContainerSource),
        ("clip.mp4", "tcp", FileSource),
    ],
)
def test_makes_the_reader_and_starts_nothing(url: str, transport: str, reader: type) -> None:
    assert isinstance(make_source(url, clock=SystemClock(), transport=transport), reader)


class Scripted:
    """A source whose sessions end as written down."""

    def __init__(self, *ends: EndReason) -> None:
        self._ends = list(ends)
        self.sessions = 0

    async def run(self, receiver: Receiver) -> SessionEnd:
        self.sessions += 1
        return SessionEnd(self._ends.pop(0))


async def test_falls_back_once_for_good_when_a_stream_is_not_supported() -> None:
    first = Scripted(EndReason.REFUSED, EndReason.UNSUPPORTED)
    second = Scripted(EndReason.STALLED, EndReason.UNSUPPORTED, EndReason.ENDED)
    source = FallbackSource(first, second)
    ends = [(await source.run(Notebook())).reason for _ in range(4)]
    assert ends == [EndReason.REFUSED, EndReason.STALLED, EndReason.UNSUPPORTED, EndReason.ENDED]
    assert (first.sessions, second.sessions) == (2, 3)
