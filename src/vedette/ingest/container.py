"""Everything that is read through libavformat: HTTP, HLS, RTMP, MPEG-TS, RTSP over UDP, webcams …

A thread per session, because libavformat blocks. ``files`` builds on the same steps.
"""

from __future__ import annotations

import asyncio
import ipaddress
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit
from urllib.request import getproxies

import av
import av.container.core

from vedette.causes import Blame
from vedette.clock import Clock
from vedette.errors import host_of
from vedette.facts import EndReason, SessionEnd
from vedette.frame import EncodedFrame, StreamInfo
from vedette.ingest.container_gate import RungGate
from vedette.ingest.container_pace import Pacer
from vedette.ingest.container_reasons import end_of, lost_or, not_opened
from vedette.ingest.container_thread import InterruptibleTime, Stop, run_in_thread
from vedette.ingest.container_time import Timeline
from vedette.ingest.live import HangUp
from vedette.ingest.rtsp.evidence import LinkEvidence
from vedette.ingest.source import Receiver

__all__ = ["ContainerSource", "InputError", "end_of", "open_video", "stream_info"]

# Makes a blocked libavformat call end when its session is cancelled; see InterruptibleTime.
av.container.core.time = InterruptibleTime  # type: ignore[attr-defined]
# FFmpeg logs URLs with their passwords, and Python logging called from its threads can deadlock.
av.logging.set_level(None)

_LIVE_OPTIONS = {
    # Nobody needs the frame rate of a live stream; measuring it costs the first 20 frames.
    "fpsprobesize": "0",
    # Microseconds to look for streams that are announced and never come (RTMP without audio).
    "analyzeduration": "2000000",
}

_FROM_NETWORKS = {
    "protocol_whitelist": "http,https,httpproxy,tls,tcp,udp,rtp,srtp,rtmp,rtmps,rtmpt,rtmpe,rtmpte,rtmpts,"
    "ffrtmphttp,ffrtmpcrypt,srt,mmsh,mmst,ftp,sftp,unix,hls,crypto,data"
}
"""What a playlist may name that comes over the network, whatever it came by: no files of this machine."""

_NO_TIMESTAMPS = 0x0080
"""AVFMT_NOTIMESTAMPS: what this format calls timestamps are a guess of 25 frames a second."""

_NEVER = 1e9
"""Seconds for PyAV's own limits: ours stand in their place, because they may change in the meantime."""


class InputError(Exception):
    """An input cannot be opened or has nothing for us. ``end`` says why."""

    def __init__(self, end: SessionEnd) -> None:
        super().__init__(end.detail)
        self.end = end


class ContainerSource:
    """One camera read through PyAV's demuxer.

    ``url``: anything FFmpeg opens, ``/dev/video0`` and ``v4l2:///dev/video0`` included. ``options``: FFmpeg's
    own, on top of ours. ``connect_timeout``: seconds until the stream must be understood.
    ``stall_after``: seconds without a packet that end the session; both may be set while it runs.
    ``live``: whether the other side sets the pace; a recording that is served (it has a duration) and HLS,
    which comes in lumps, are given out by their timestamps then.
    """

    def __init__(
        self,
        url: str,
        *,
        clock: Clock,
        options: dict[str, str] | None = None,
        stall_after: float = 10.0,
        connect_timeout: float = 10.0,
        live: bool = True,
    ) -> None:
        self._url = url
        self._clock = clock
        self._options = options or {}
        self.stall_after = stall_after
        self.connect_timeout = connect_timeout
        self._live = live
        self._host = host_of(url)
        self._scheme = urlsplit(url).scheme.lower()
        self._hang_up = HangUp()
        self._stop: Stop | None = None

    async def run(self, receiver: Receiver) -> SessionEnd:
        """See ``Source.run``. ``receiver`` is called on the session's own thread."""
        self._hang_up.arm()
        try:
            end = await self._unknown_name() or await self._in_thread(receiver)
            return self._hang_up.end or end
        finally:
            self._hang_up.disarm()
            self._stop = None

    def evidence(self) -> LinkEvidence | None:
        """None: libavformat does not show what it knows of its connection."""
        return None

    def probe(self) -> None:
        """There is no way to ask."""

    def hang_up(self, reason: EndReason, detail: str, blame: Blame | None = None) -> None:
        """End the running session for this reason, unless it has ended already. From the event loop only."""
        if self._hang_up.now(SessionEnd(reason, detail, blame)) and self._stop is not None:
            self._stop.set()

    async def _unknown_name(self) -> SessionEnd | None:
        try:
            async with self._hang_up.limit(self.connect_timeout):
                known = await _name_is_known(self._url)
        except TimeoutError:
            return SessionEnd(EndReason.NAME_UNKNOWN, f"{self._host}: the name was not resolved in time")
        return None if known else SessionEnd(EndReason.NAME_UNKNOWN, f"{self._host}: name unknown")

    async def _in_thread(self, receiver: Receiver) -> SessionEnd:
        stop = self._stop = Stop()
        if self._hang_up.end is not None:  # in the moment between
            stop.set()
        return await run_in_thread(f"demux {self._host}", lambda stop: self._session(receiver, stop), stop)

    def _session(self, receiver: Receiver, stop: Stop) -> SessionEnd:
        stop.allow(lambda: self.connect_timeout)
        try:
            container, stream = self._open()
        except InputError as failure:
            if stop.is_set():
                return SessionEnd(EndReason.CLOSED)
            return self._too_late() if stop.expired else failure.end
        finally:
            stop.allow(None)
        try:
            if stop.expired:  # libavformat made do with what it had found until then
                return self._too_late()
            receiver.opened(stream_info(stream))
            return self._read(container, stream, receiver, stop)
        finally:
            container.close()

    def _too_late(self) -> SessionEnd:
        return SessionEnd(EndReason.UNREACHABLE, f"{self._host}: no answer in time")

    def _open(self) -> tuple[Any, Any]:
        scheme, target = urlsplit(self._url).scheme, self._url
        webcam = scheme in {"v4l2", "video4linux2"} or target.startswith("/dev/video")
        usual = {} if webcam else {**_FROM_NETWORKS, **(_LIVE_OPTIONS if self._live else {})}
        options = {**usual, **self._options}
        if webcam:
            target = urlsplit(self._url).path or target
        return open_video(
            target,
            name=self._host if not webcam else target,
            format="v4l2" if webcam else None,
            options=options,
            timeout=(_NEVER, _NEVER),
            scheme=self._scheme,
        )

    def _read(self, container: Any, stream: Any, receiver: Receiver, stop: Stop) -> SessionEnd:
        clock, gate, line = self._clock, RungGate(), Timeline()
        has_clock = not container.format.flags & _NO_TIMESTAMPS
        pacer = Pacer(clock, stop) if self._live and has_clock and _needs_pacing(container) else None
        try:
            for packet in self._packets(container, stream, stop):
                pts = _seconds(packet) if has_clock else None
                if pacer is not None and pts is not None:
                    pacer.wait_for(_seconds(packet, decoding_order=True) or pts)
                if stop.is_set():
                    break
                arrived = clock.monotonic()
                deliver(packet, line.at(pts, arrived) if has_clock else arrived, arrived, receiver, gate)
        except (av.FFmpegError, OSError, ValueError) as err:
            end = lost_or(err, self._host, self._scheme)
        else:
            end = lost_or(None, self._host, self._scheme)
        if stop.is_set():
            return SessionEnd(EndReason.CLOSED)
        # Some demuxers report a read that was given up as the end of the stream, or as bad data.
        if stop.expired:
            return SessionEnd(EndReason.STALLED, f"{self._host}: nothing came for {self.stall_after:g} s")
        return end

    def _packets(self, container: Any, stream: Any, stop: Stop) -> Iterator[Any]:
        stop.allow(lambda: self.stall_after)
        for packet in container.demux(stream):
            stop.allow(None)
            if packet.size:  # the last one is empty: it stands for the end
                yield packet
            stop.allow(lambda: self.stall_after)


def deliver(packet: Any, pts: float, arrived: float, receiver: Receiver, gate: RungGate) -> None:
    """Tell the receiver of one packet, exactly once."""
    keyframe = bool(packet.is_keyframe)
    if packet.is_corrupt:
        receiver.broken()
    elif gate.admits(keyframe=keyframe, disposable=bool(packet.is_disposable), rung=receiver.rung):
        receiver.frame(EncodedFrame(packet, pts, arrived, keyframe))
    else:
        receiver.skipped()


def open_video(
    target: str,
    *,
    name: str,
    options: dict[str, str],
    timeout: tuple[float, float],
    format: str | None = None,
    scheme: str = "",
) -> tuple[Any, Any]:
    """Open ``target`` and find its best video stream: (container, stream). Raises InputError.

    ``timeout``: seconds for opening, and for each read. ``name`` stands for the target in messages, and
    ``scheme`` for its protocol where that is one of the network's.
    """
    try:
        container = av.open(target, "r", format=format, options=options, timeout=timeout)
    except (av.FFmpegError, OSError, ValueError, MemoryError) as err:
        raise InputError(not_opened(err, name, scheme) if scheme else end_of(err, name)) from err
    stream = container.streams.best("video")
    if stream is None or stream.codec_context is None:
        container.close()
        what = "has no video" if stream is None else "its codec is not known"
        raise InputError(SessionEnd(EndReason.UNSUPPORTED, f"{name}: {what}"))
    return container, stream


def stream_info(stream: Any) -> StreamInfo:
    """What a demuxed stream is; its parameter sets stay inside the context, in the container's own form."""
    context = stream.codec_context
    return StreamInfo(context.name, None, context, context.width or 0, context.height or 0)


def _seconds(packet: Any, *, decoding_order: bool = False) -> float | None:
    first, second = (packet.dts, packet.pts) if decoding_order else (packet.pts, packet.dts)
    ticks = first if first is not None else second
    return None if ticks is None else float(ticks * packet.time_base)


def _needs_pacing(container: Any) -> bool:
    return container.format.name == "hls" or bool(container.duration)


async def _name_is_known(url: str) -> bool:
    """Look the host up first: libavformat does it in a call that nothing interrupts."""
    parts = urlsplit(url)
    if not parts.hostname or parts.scheme in getproxies():
        return True
    try:
        ipaddress.ip_address(parts.hostname)
    except ValueError:
        pass
    else:
        return True
    try:
        await asyncio.get_running_loop().getaddrinfo(parts.hostname, None)
    except (OSError, UnicodeError):
        return False
    return True
