"""One video track while it plays: RTP becomes frames, RTCP becomes times and answers."""

from __future__ import annotations

import secrets
from collections.abc import Callable

from vedette.clock import Clock
from vedette.frame import EncodedFrame, Rung, StreamInfo
from vedette.ingest.rtsp.depacketise import Depacketiser
from vedette.ingest.rtsp.jpeg import Jpeg
from vedette.ingest.rtsp.nal import H264, H265
from vedette.ingest.rtsp.rtp import RtpClock, parse_rtcp, receiver_report
from vedette.ingest.rtsp.sdp import Track
from vedette.ingest.source import Receiver

__all__ = ["ReceiverError", "VideoStream"]

# Senders report about every 5 s; one that reports more often gets no more answers for it.
_MIN_SECONDS_BETWEEN_REPORTS = 2.0


class ReceiverError(Exception):
    """The receiver raised; its error is the cause. That is our own fault, not the stream's."""


class VideoStream:
    """Hands the frames of one track to a receiver. Single use, like the session it belongs to."""

    def __init__(
        self,
        track: Track,
        receiver: Receiver,
        clock: Clock,
        *,
        send_rtcp: Callable[[bytes], None],
        on_goodbye: Callable[[], None],
    ) -> None:
        self.last_frame_at: float | None = None
        """Monotonic seconds of the last frame that came, whatever became of it."""
        self._receiver = receiver
        self._clock = clock
        self._rtp_clock = RtpClock(track.clock_rate)
        self._send_rtcp = send_rtcp
        self._on_goodbye = on_goodbye
        self._own_ssrc = secrets.randbits(32)
        self._next_report = float("-inf")
        self._info = StreamInfo(track.codec, track.parameter_sets, None, track.width, track.height)
        self._opened = False
        self._frames = _depacketiser(track, self)
        self.on_rtp = self._frames.packet

    @property
    def rung(self) -> Rung:
        return self._receiver.rung

    @property
    def foreign_packets(self) -> int:
        """Packets dropped because the SDP did not announce their payload type."""
        return self._frames.foreign

    def open(self) -> None:
        """Tell the receiver what comes; once, however often it is called."""
        if not self._opened:
            self._opened = True
            self._receiver.opened(self._info)

    def close(self) -> None:
        """Nothing comes any more."""
        self._frames.close()

    def whole(self, data: bytes, timestamp: int, keyframe: bool) -> None:
        now = self.last_frame_at = self._clock.monotonic()
        clock = self._rtp_clock
        frame = EncodedFrame(data, clock.seconds(timestamp), now, keyframe, clock.unix(timestamp))
        try:
            if not self._opened:
                self.open()
            self._receiver.frame(frame)
        except Exception as error:
            raise ReceiverError from error

    def skipped(self) -> None:
        self.last_frame_at = self._clock.monotonic()
        self._receiver.skipped()

    def broken(self) -> None:
        self.last_frame_at = self._clock.monotonic()
        self._receiver.broken()

    def lost(self, packets: int) -> None:
        self._receiver.lost(packets)

    def new_sender(self) -> None:
        self._rtp_clock.restart()

    def on_rtcp(self, data: bytes, start: int, stop: int) -> None:
        """Take in a compound RTCP packet."""
        reports, leaving = parse_rtcp(data[start:stop])
        ours = self._frames.reception.ssrc
        for report in reports:
            if report.ssrc == ours or ours < 0:
                self._rtp_clock.report(report)
                self._answer(report.middle)
        if ours in leaving:
            self._on_goodbye()

    def _answer(self, middle: int) -> None:
        now = self._clock.monotonic()
        if now >= self._next_report and self._frames.reception.ssrc >= 0:
            self._next_report = now + _MIN_SECONDS_BETWEEN_REPORTS
            self._send_rtcp(receiver_report(self._own_ssrc, self._frames.reception, middle, 0.0))


def _depacketiser(track: Track, frames: VideoStream) -> Depacketiser:
    if track.codec == "h264":
        return H264(track.payload_type, frames)
    if track.codec == "hevc":
        return H265(track.payload_type, frames)
    return Jpeg(track.payload_type, frames, track.width, track.height)
