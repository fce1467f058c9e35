"""One reader of one camera: its place in the clip, its RTP numbers, and what happens when it is slow."""

from __future__ import annotations

from typing import TYPE_CHECKING

from vedette.clock import Clock
from vedette.sim import rtp
from vedette.sim.faults.seam import Faults, Outgoing
from vedette.sim.link import Link
from vedette.sim.sentlog import SentLog

if TYPE_CHECKING:
    from vedette.sim.camera import SimulatedCamera

__all__ = ["Reader"]

REPORT_EVERY_S = 5.0
"""The usual interval of RTCP (RFC 3550, 6.2)."""


class Reader:
    """Delivers a camera's frames over a link.

    A reader begins at once, with the keyframe before the camera's place in the clip, plays on from there,
    and joins the camera's own timeline at that timeline's next keyframe. So no reader waits for a keyframe,
    no reference is ever broken, and keyframes of cameras that were opened together do not stay in step.

    ``max_buffered``: bytes; a reader that lets more pile up loses frames until it has drained, and goes on
    at the next keyframe. Sequence numbers count the lost packets, so the reader can tell.
    """

    def __init__(
        self,
        camera: SimulatedCamera,
        link: Link,
        *,
        clock: Clock,
        faults: Faults,
        sent_log: SentLog | None,
        max_buffered: int,
        sequence: int,
    ) -> None:
        self.camera, self.sequence = camera, sequence
        self.link = faults.wrap(camera.name, link)
        self._clock, self._faults, self._sent_log = clock, faults, sent_log
        self._max_buffered = max_buffered
        self._lead: int | None = None
        self._choked = False
        self._report_due = 0.0
        self._packets = self._octets = 0

    def begin(self, number: int) -> None:
        """Frame ``number`` is the first one (again): a keyframe."""
        slot = self.camera.slot(number)
        units = self.camera.clip.units
        keyframe = slot
        while not units[keyframe].keyframe:
            keyframe -= 1
        self._lead = slot - keyframe

    def deliver(self, number: int) -> None:
        """Send frame ``number``, or count it as dropped. The one way a frame takes."""
        slot = self._slot(number)
        unit = self.camera.clip.units[slot]
        if not self._accepts(unit.keyframe):
            self.sequence = (self.sequence + len(unit.payloads)) & 0xFFFF
            self.camera.counts.dropped += 1
            return
        if not unit.payloads:
            return  # the camera gives fewer frames than its clip has moments
        frames = self._faults.on_frame(self.camera.name, Outgoing(slot, unit, self.camera.timestamp(number)))
        if frames:
            self._report_if_due()
        for frame in frames:
            self._send(frame)
        if not frames:
            self.camera.counts.withheld += 1

    def bye(self) -> None:
        """Tell the reader that the stream is over."""
        self.link.packet(rtp.goodbye(self.camera.ssrc), control=True)

    def _slot(self, number: int) -> int:
        slot = self.camera.slot(number)
        if self._lead is None:
            return slot
        if self.camera.clip.units[slot].keyframe:
            self._lead = None
            return slot
        return slot - self._lead

    def _accepts(self, keyframe: bool) -> bool:
        buffered = self.link.buffered
        if buffered > min(self._max_buffered, self.link.capacity):
            self._choked = True
        elif self._choked and keyframe and buffered == 0:
            self._choked = False
        return not self._choked

    def _send(self, frame: Outgoing) -> None:
        payloads, counts = frame.unit.payloads, self.camera.counts
        if self._sent_log is not None:
            self._sent_log.record(self.camera.index, frame.slot, self._clock.monotonic())
        if self.link.frame(payloads, self.sequence, frame.timestamp, self.camera.ssrc):
            counts.sent += 1
        else:
            counts.dropped += 1
        self.sequence = (self.sequence + len(payloads)) & 0xFFFF
        self._packets += len(payloads)
        self._octets += sum(map(len, payloads))

    def _report_if_due(self) -> None:
        now = self._clock.monotonic()
        if now < self._report_due:
            return
        self._report_due = now + REPORT_EVERY_S
        report = rtp.sender_report(
            ssrc=self.camera.ssrc,
            wall=self._clock.wall(),
            timestamp=self.camera.timestamp_at(now),
            packet_count=self._packets,
            octet_count=self._octets,
            name=self.camera.name,
        )
        self.link.packet(report, control=True)
