"""What MediaMTX, GStreamer's server and ffmpeg really sent becomes the frames that a decoder decodes."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import av
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ingest.rtsp.rtsp_replay import FIXTURES, Collector, packets_of, parse, scripted, split_replies, track_of
from patience import PATIENCE_S
from vedette.clock import SystemClock
from vedette.frame import Rung
from vedette.ingest.rtsp.client import RtspSource

RECORDINGS = {path.stem: path.read_bytes() for path in FIXTURES}
every_recording = pytest.mark.parametrize("name", sorted(RECORDINGS))


def whole(name: str, rung: Rung = Rung.ALL) -> Collector:
    collector = Collector(rung)
    parse(RECORDINGS[name], collector, [split_replies(RECORDINGS[name])[3]])
    return collector


def marked_frames(name: str) -> int:
    return sum(packet[1] >> 7 for packet in packets_of(RECORDINGS[name]))


def decoded_sizes(name: str, collector: Collector) -> list[tuple[int, int]]:
    """Decode from the first keyframe on."""
    track = track_of(RECORDINGS[name])
    decoder = av.CodecContext.create(track.codec, "r")
    decoder.extradata = track.parameter_sets
    first = next(index for index, frame in enumerate(collector.frames) if frame.keyframe)
    pictures = [one for frame in collector.frames[first:] for one in decoder.decode(av.Packet(frame.data))]
    pictures += decoder.decode(None)
    assert not any(picture.is_corrupt for picture in pictures)
    return [(picture.width, picture.height) for picture in pictures]


def test_recordings_of_three_packetisers_and_three_codecs_are_here() -> None:
    servers, codecs = ("mediamtx", "gstreamer", "ffmpeg"), ("h264", "h265", "mjpeg")
    assert {f"{server}-{codec}" for server in servers for codec in codecs} == set(RECORDINGS)


@every_recording
def test_every_recorded_frame_arrives_and_decodes(name: str) -> None:
    collector = whole(name)
    assert len(collector.frames) == marked_frames(name)
    assert collector.breaks == collector.skips == 0
    first = next(index for index, frame in enumerate(collector.frames) if frame.keyframe)
    # Leading pictures of an open H.265 group refer to what came before the first keyframe.
    assert len(collector.frames) - first - 4 <= len(decoded_sizes(name, collector)) <= len(collector.frames)
    assert set(decoded_sizes(name, collector)) == {(160, 96)}


@every_recording
def test_timestamps_advance_at_the_recorded_frame_rate(name: str) -> None:
    times = sorted(frame.pts for frame in whole(name).frames)
    steps = [later - earlier for earlier, later in pairwise(times)]
    assert 0.05 < sorted(steps)[len(steps) // 2] < 0.08


@every_recording
@given(sizes=st.lists(st.integers(1, 3000), min_size=1, max_size=12))
@settings(max_examples=15, deadline=None)
def test_any_chunking_gives_the_same_frames(name: str, sizes: list[int]) -> None:
    data, at, chunks = split_replies(RECORDINGS[name])[3], 0, []
    while at < len(data):
        chunks.append(data[at : at + sizes[len(chunks) % len(sizes)]])
        at += len(chunks[-1])
    collector = Collector()
    parse(RECORDINGS[name], collector, chunks)
    assert [(f.data, f.pts, f.keyframe) for f in collector.frames] == [
        (f.data, f.pts, f.keyframe) for f in whole(name).frames
    ]


@every_recording
def test_keyframes_alone_decode_and_the_others_are_counted(name: str) -> None:
    keyframes, everything = whole(name, Rung.KEYFRAMES), whole(name)
    assert all(frame.keyframe for frame in keyframes.frames)
    assert len(keyframes.frames) == sum(frame.keyframe for frame in everything.frames)
    assert len(keyframes.frames) + keyframes.skips == len(everything.frames)
    assert len(decoded_sizes(name, keyframes)) == len(keyframes.frames)


@every_recording
def test_a_paused_stream_is_only_counted(name: str) -> None:
    collector = whole(name, Rung.PAUSED)
    assert (len(collector.frames), collector.skips) == (0, marked_frames(name))


@pytest.mark.parametrize("name", ["ffmpeg-h264", "mediamtx-h264", "ffmpeg-h265"])
def test_reference_frames_decode_without_the_disposable_ones(name: str) -> None:
    reference = whole(name, Rung.REFERENCE)
    assert reference.skips > 0
    assert len(reference.frames) + reference.skips == marked_frames(name)
    assert len(decoded_sizes(name, reference)) >= len(reference.frames) - 12


@pytest.mark.parametrize("name", ["gstreamer-h264", "gstreamer-h265", "gstreamer-mjpeg", "ffmpeg-h264"])
def test_sender_reports_give_the_capture_time(name: str) -> None:
    timed = [frame for frame in whole(name).frames if frame.sender_time is not None]
    assert timed
    assert all(1.7e9 < frame.sender_time < 4e9 for frame in timed if frame.sender_time)
    differences = {round((frame.sender_time or 0) - frame.pts, 1) for frame in timed}
    assert len(differences) <= 2


@every_recording
@given(lost=st.sets(st.integers(0, 400), min_size=1, max_size=20))
@settings(max_examples=15, deadline=None)
def test_lost_packets_break_frames_and_never_glue_two(name: str, lost: set[int]) -> None:
    packets = [packet for at, packet in enumerate(packets_of(RECORDINGS[name])) if at not in lost]
    stream = b"".join(b"$\0" + len(packet).to_bytes(2, "big") + packet for packet in packets)
    collector = Collector()
    parse(RECORDINGS[name], collector, [stream]).close()
    numbers = [int.from_bytes(packet[2:4], "big") for packet in packets]
    assert collector.missing == sum((b - a - 1) % 0x10000 for a, b in pairwise(numbers))
    begun = len({packet[4:8] for packet in packets})
    # A frame of parameter sets whose picture was lost, or a lost end and beginning, may count by one.
    assert len(collector.frames) + collector.breaks <= begun
    good = {frame.data for frame in whole(name).frames}
    headless = [frame for frame in collector.frames if frame.data not in good]
    assert all(any(frame.data in one or one.endswith(frame.data[-64:]) for one in good) for frame in headless)


@pytest.mark.parametrize("path", FIXTURES, ids=lambda path: path.stem)
def test_a_recording_is_not_large(path: Path) -> None:
    assert path.stat().st_size < 150_000


@every_recording
async def test_a_recording_over_a_socket_is_lost_when_the_server_closes(name: str) -> None:
    collector = Collector()
    async with scripted(split_replies(RECORDINGS[name])) as url:
        end = await RtspSource(url, clock=SystemClock(), connect_timeout=PATIENCE_S).run(collector)
    assert end.reason == "connection_lost"
    assert len(collector.frames) == marked_frames(name)
