"""Cases that recordings do not hold, in packets made by hand."""

from __future__ import annotations

import io
import struct
from typing import Any

import av
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from ingest.rtsp.rtsp_replay import Collector
from vedette.clock import SystemClock
from vedette.frame import Rung
from vedette.ingest.rtsp import depacketise
from vedette.ingest.rtsp.rtp import RtpClock, RtpError, SenderReport, parse_rtcp
from vedette.ingest.rtsp.sdp import Track
from vedette.ingest.rtsp.stream import VideoStream

START = b"\0\0\0\1"
SPS, PPS, AUD = b"\x67\x42\0\x1e", b"\x68\xce\x01\x02", b"\x09\x10"
IDR, DELTA, DISPOSABLE = b"\x65\x88keyframe", b"\x41\x9adelta", b"\x01\x9ano-reference"


class Sender:
    """Makes packets with running sequence numbers and hands them to a stream."""

    def __init__(self, codec: str = "h264", rung: Rung = Rung.ALL, **track: Any) -> None:
        self.collector = Collector(rung)
        self.sequence = 65_530
        self.sent: list[bytes] = []
        self.stream = VideoStream(
            Track(codec, 96, **track),
            self.collector,
            SystemClock(),
            send_rtcp=self.sent.append,
            on_goodbye=lambda: None,
        )

    def send(
        self, payload: bytes, timestamp: int, *, marker: bool = False, head: bytes = b"", ssrc: int = 5
    ) -> None:
        first = head[0] if head else 0x80
        header = struct.pack(
            "!BBHII", first, 96 | marker << 7, self.sequence & 0xFFFF, timestamp & 0xFFFFFFFF, ssrc
        )
        self.sequence += 1
        packet = header + head[1:] + payload
        self.stream.on_rtp(b"__" + packet + b"__", 2, 2 + len(packet))

    @property
    def frames(self) -> list[bytes]:
        return [frame.data for frame in self.collector.frames]


def annex_b(*nals: bytes) -> bytes:
    return b"".join(START + nal for nal in nals)


def stap(*nals: bytes) -> bytes:
    return b"\x78" + b"".join(len(nal).to_bytes(2, "big") + nal for nal in nals)


def test_parameter_sets_in_packets_of_their_own_stay_with_their_keyframe() -> None:
    sender = Sender()
    for nal in (AUD, SPS, PPS):
        sender.send(nal, 1000)
    sender.send(IDR, 1000, marker=True)
    sender.send(DELTA, 4600, marker=True)
    assert sender.frames == [annex_b(AUD, SPS, PPS, IDR), annex_b(DELTA)]
    assert [frame.keyframe for frame in sender.collector.frames] == [True, False]


def test_an_aggregate_is_taken_apart() -> None:
    sender = Sender(rung=Rung.KEYFRAMES)
    sender.send(stap(SPS, PPS, IDR), 1000, marker=True)
    sender.send(stap(AUD, DELTA), 4600, marker=True)
    assert sender.frames == [annex_b(SPS, PPS, IDR)]
    assert sender.collector.skips == 1


def test_parameter_sets_sent_as_a_frame_or_with_a_skipped_one_reach_the_next_keyframe() -> None:
    sender = Sender(rung=Rung.KEYFRAMES)
    sender.send(SPS, 1000, marker=True)
    sender.send(stap(PPS, DELTA), 2000, marker=True)
    sender.send(IDR, 3000, marker=True)
    assert sender.frames == [annex_b(SPS, PPS, IDR)]
    assert (sender.collector.skips, sender.collector.breaks) == (1, 0)


def test_a_new_timestamp_ends_a_frame_where_the_marker_is_missing() -> None:
    sender = Sender()
    sender.send(IDR, 1000)
    sender.send(DELTA, 2000)
    sender.send(DELTA, 3000)
    assert sender.frames == [annex_b(IDR), annex_b(DELTA)]


def test_a_camera_that_marks_every_slice_is_seen_through() -> None:
    sender = Sender()
    second_slice = b"\x41\x1asecond"
    for timestamp in (1000, 2000, 3000, 4000):
        sender.send(DELTA, timestamp, marker=True)
        sender.send(second_slice, timestamp, marker=True)
    assert sender.frames[1:] == [annex_b(DELTA, second_slice)] * 2
    assert sender.collector.breaks == 1


def test_disposable_frames_are_left_out_at_the_reference_rung() -> None:
    sender = Sender(rung=Rung.REFERENCE)
    for at, nal in enumerate((IDR, DISPOSABLE, DELTA)):
        sender.send(nal, at * 3600, marker=True)
    assert (sender.frames, sender.collector.skips) == ([annex_b(IDR), annex_b(DELTA)], 1)


@pytest.mark.parametrize("lost", [0, 1, 2])
def test_loss_inside_a_fragmented_frame_breaks_that_frame_only(lost: int) -> None:
    sender = Sender()
    fragments = [b"\x7c\x85\x88first", b"\x7c\x05middle", b"\x7c\x45last"]
    for at, payload in enumerate(fragments):
        if at == lost:
            sender.sequence += 1
        else:
            sender.send(payload, 1000, marker=at == 2)
    sender.send(DELTA, 4600, marker=True)
    assert (sender.frames, sender.collector.breaks) == ([annex_b(DELTA)], 1)
    # Before the first packet there is no number that one could be missing from.
    assert sender.collector.missing == (lost > 0)


def test_whole_frames_that_were_lost_are_counted_in_packets_and_break_no_other() -> None:
    sender = Sender()
    sender.send(IDR, 1000, marker=True)
    sender.sequence += 17  # across the wrap of the numbers
    sender.send(DELTA, 4600, marker=True)
    assert (len(sender.frames), sender.collector.breaks, sender.collector.missing) == (2, 0, 17)


def test_what_is_lost_is_told_before_what_it_breaks() -> None:
    class Minded(Collector):
        def broken(self, count: int = 1) -> None:
            assert self.missing
            super().broken(count)

    sender = Sender()
    sender.collector = sender.stream._receiver = Minded()
    sender.send(b"\x7c\x85\x88first", 1000)
    sender.sequence += 2
    sender.send(b"\x7c\x45last", 1000, marker=True)
    assert (sender.collector.missing, sender.collector.breaks) == (2, 1)


def test_a_sender_that_begins_to_count_anew_has_lost_nothing() -> None:
    sender = Sender()
    sender.send(IDR, 1000, marker=True)
    sender.sequence += 20_000
    sender.send(DELTA, 4600, marker=True)
    sender.sequence += 1
    sender.send(DELTA, 8200, marker=True, ssrc=6)
    assert (len(sender.frames), sender.collector.missing) == (3, 0)


def test_late_and_repeated_packets_are_dropped() -> None:
    sender = Sender()
    sender.send(IDR, 1000, marker=True)
    sender.sequence -= 1
    sender.send(IDR, 1000, marker=True)
    sender.send(DELTA, 4600, marker=True)
    assert sender.frames == [annex_b(IDR), annex_b(DELTA)]


def test_csrc_extension_and_padding_are_not_payload() -> None:
    sender = Sender()
    sender.send(IDR, 1000, marker=True, head=b"\x82" + bytes(8))
    sender.send(DELTA, 2000, marker=True, head=b"\x90" + b"\xbe\xde\0\1" + bytes(4))
    sender.send(DELTA + b"\0\0\3", 3000, marker=True, head=b"\xa0")
    assert sender.frames == [annex_b(IDR), annex_b(DELTA), annex_b(DELTA)]


@pytest.mark.parametrize("head", [b"\x00", b"\x8f", b"\x90"])
def test_a_header_that_is_none_is_an_error(head: bytes) -> None:
    with pytest.raises(RtpError):
        Sender().send(b"\xff\xff\xff\xff" if head == b"\x90" else b"", 1000, head=head)


def test_a_frame_has_a_largest_size() -> None:
    sender = Sender()
    sender.send(b"\x7c\x85\x88", 1000)
    for _ in range(depacketise.MAX_FRAME // 60_000 + 2):
        sender.send(b"\x7c\x05" + bytes(60_000), 1000)
    assert sender.collector.breaks == 1
    sender.send(DELTA, 4600, marker=True)
    assert sender.frames == [annex_b(DELTA)]


def test_a_frame_cut_off_by_the_end_is_broken() -> None:
    sender = Sender()
    sender.send(b"\x7c\x85\x88", 1000)
    sender.stream.close()
    assert (sender.frames, sender.collector.breaks) == ([], 1)


@given(st.lists(st.binary(max_size=30), max_size=30), st.sampled_from(["h264", "hevc", "mjpeg"]))
def test_any_payload_is_told_of_at_most_once_a_frame(payloads: list[bytes], codec: str) -> None:
    sender = Sender(codec)
    for at, payload in enumerate(payloads):
        sender.send(payload, at, marker=at % 2 == 0)
    sender.stream.close()
    assert len(sender.frames) + sender.collector.breaks <= len(payloads)


@pytest.mark.parametrize("quality", [10, 50, 90])
@pytest.mark.parametrize(("kind", "subsampling"), [(0, "4:2:2"), (1, "4:2:0")])
@pytest.mark.parametrize("restart", [0, 4])
def test_a_jpeg_without_tables_of_its_own_is_rebuilt_bit_for_bit(
    quality: int, kind: int, subsampling: str, restart: int
) -> None:
    original = io.BytesIO()
    picture = Image.effect_noise((96, 64), 60).convert("RGB")
    picture.save(original, "JPEG", quality=quality, subsampling=subsampling, restart_marker_blocks=restart)
    jpeg = original.getvalue()
    begin = jpeg.index(b"\xff\xda") + 14
    sender = Sender("mjpeg")
    for at in range(begin, len(jpeg), 700):
        header = struct.pack("!IBBBB", at - begin, kind + (64 if restart else 0), quality, 12, 8)
        extra = struct.pack("!HH", restart, 0xFFFF) if restart else b""
        sender.send(header + extra + jpeg[at : at + 700], 1000, marker=at + 700 >= len(jpeg))
    decoder = av.CodecContext.create("mjpeg", "r")
    theirs, ours = (
        decoder.decode(av.Packet(data))[0].to_ndarray(format="rgb24") for data in (jpeg, sender.frames[0])
    )
    assert (theirs == ours).all()


def test_in_band_tables_are_remembered_where_a_frame_has_none() -> None:
    sender = Sender("mjpeg")
    tables = bytes(range(1, 129))
    sender.send(struct.pack("!IBBBBHH", 0, 1, 200, 2, 2, 0, 128) + tables + b"scan", 1000, marker=True)
    sender.send(struct.pack("!IBBBBHH", 0, 1, 200, 2, 2, 0, 0) + b"scan", 2000, marker=True)
    sender.send(struct.pack("!IBBBBHH", 0, 1, 201, 2, 2, 0, 0) + b"scan", 3000, marker=True)
    assert len(sender.frames) == 2
    assert sender.frames[0] == sender.frames[1]
    assert sender.collector.breaks == 1


@given(st.lists(st.integers(-(2**30), 2**30), max_size=50), st.integers(0, 2**32 - 1))
def test_timestamps_unwrap(steps: list[int], first: int) -> None:
    clock, total = RtpClock(90000), first
    origin = clock.seconds(first)
    for step in steps:
        total += step
        assert clock.seconds(total % 2**32) - origin == pytest.approx((total - first) / 90000, abs=1e-5)


def test_a_sender_report_dates_frames_across_the_wrap() -> None:
    clock = RtpClock(90000)
    clock.seconds(2**32 - 90000)
    assert clock.unix(5) is None
    clock.report(SenderReport(5, 1.8e9, 2**32 - 90000, 0))
    clock.seconds(90000)
    assert clock.unix(90000) == pytest.approx(1.8e9 + 2)


def test_a_sender_that_does_not_know_the_time_gives_none() -> None:
    clock = RtpClock(90000)
    clock.report(SenderReport(5, 1234.5, 0, 0))
    assert clock.unix(0) is None


def test_a_sender_report_is_answered_with_what_was_received() -> None:
    sender = Sender()
    sender.send(IDR, 1000, marker=True)
    sender.sequence += 3
    sender.send(DELTA, 2000, marker=True)
    report = struct.pack("!BBHIIIIII", 0x80, 200, 6, 5, 4_000_000_000, 0, 2000, 2, 20)
    for _ in range(100):
        sender.stream.on_rtcp(report, 0, len(report))
    assert len(sender.sent) == 1
    answer = struct.unpack("!BBHIIIIIII", sender.sent[0])
    assert (answer[1], answer[4], answer[5], answer[6]) == (201, 5, 3, sender.sequence - 1)


@given(st.binary(max_size=120))
def test_any_rtcp_is_read_without_an_error(data: bytes) -> None:
    parse_rtcp(data)
