"""Every access unit comes out exactly once: as its own picture, or as failed."""

from __future__ import annotations

import random
from pathlib import Path

import av
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ingest_media import ENCODERS, make_clip
from vedette.errors import SourceError
from vedette.frame import EncodedFrame, StreamInfo
from vedette.ingest.decode import DecodedFrame, DecodeFailed, Decoder

FRAMES = 24


@pytest.fixture(scope="module")
def clips(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("clips")
    return {name: make_clip(folder, name, frames=FRAMES) for name in ENCODERS}


def demuxed(path: Path) -> tuple[StreamInfo, list[EncodedFrame]]:
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        packets = [packet for packet in container.demux(stream) if packet.size]
        info = StreamInfo(stream.codec_context.name, context=stream.codec_context)
    return info, [EncodedFrame(packet, 0.0, 0.0, packet.is_keyframe) for packet in packets]


def annex_b(path: Path) -> tuple[StreamInfo, list[EncodedFrame]]:
    """As our RTSP client hands them over: bytes, and nothing known but the codec."""
    info, frames = demuxed(path)
    units = [EncodedFrame(bytes(frame.data), 0.0, 0.0, frame.keyframe) for frame in frames]
    return StreamInfo(info.codec), units


class Tally:
    """What became of each sequence number."""

    def __init__(self, decoder: Decoder) -> None:
        self._decoder = decoder
        self.pictures: list[DecodedFrame] = []
        self.failed: list[int] = []
        self.delays: list[int] = []

    def give(self, frame: EncodedFrame, seq: int) -> None:
        before = len(self.pictures)
        try:
            self.pictures += self._decoder.decode(frame, seq)
        except DecodeFailed as failure:
            self.pictures += failure.frames
            self.failed += failure.seqs
        self.delays += [seq - picture.seq for picture in self.pictures[before:]]

    def flush(self) -> None:
        try:
            self.pictures += self._decoder.flush()
        except DecodeFailed as failure:
            self.pictures += failure.frames
            self.failed += failure.seqs

    @property
    def ends(self) -> list[int]:
        return sorted([picture.seq for picture in self.pictures] + self.failed)


def run_through(info: StreamInfo, frames: list[EncodedFrame]) -> Tally:
    tally = Tally(Decoder(info))
    for seq, frame in enumerate(frames):
        tally.give(frame, seq)
    tally.flush()
    return tally


@pytest.mark.parametrize("name", ENCODERS)
def test_each_access_unit_gives_its_own_picture(clips: dict[str, Path], name: str) -> None:
    tally = run_through(*demuxed(clips[name]))
    assert tally.failed == []
    assert tally.ends == list(range(FRAMES))
    assert {(picture.width, picture.height) for picture in tally.pictures} == {(160, 96)}


@pytest.mark.parametrize("name", ["h264.mp4", "h264.ts", "vp9.webm", "mjpeg.avi"])
def test_streams_without_b_frames_come_out_without_delay(clips: dict[str, Path], name: str) -> None:
    assert run_through(*demuxed(clips[name])).delays == [0] * FRAMES


@pytest.mark.parametrize("name", ["h264.ts", "raw.h264", "mjpeg.avi"])
def test_bytes_from_our_own_client_come_out_without_delay(clips: dict[str, Path], name: str) -> None:
    assert run_through(*annex_b(clips[name])).delays == [0] * FRAMES


@pytest.mark.parametrize("name", ["bframes.mp4", "hevc.mp4", "mpeg4.avi"])
def test_pictures_with_b_frames_come_in_the_order_they_are_shown(clips: dict[str, Path], name: str) -> None:
    info, frames = demuxed(clips[name])
    shown = sorted(range(FRAMES), key=lambda seq: frames[seq].data.pts)
    tally = run_through(info, frames)
    assert [picture.seq for picture in tally.pictures] == shown
    assert shown != list(range(FRAMES))


@pytest.mark.parametrize("name", ["h264.ts", "hevc.mp4", "vp9.webm", "mpeg4.avi"])
def test_joining_in_the_middle_gives_nothing_before_the_keyframe(clips: dict[str, Path], name: str) -> None:
    info, frames = demuxed(clips[name])
    late = frames[3:]
    first_keyframe = next(seq for seq, frame in enumerate(late) if frame.keyframe)
    decoder = Decoder(info)
    assert [decoder.wants(frame) for frame in late[: first_keyframe + 1]] == [False] * first_keyframe + [True]
    tally = run_through(info, late)
    assert set(range(first_keyframe)) <= set(tally.failed)
    assert min(picture.seq for picture in tally.pictures) >= first_keyframe
    assert tally.ends == list(range(len(late)))


def test_after_a_hole_it_waits_for_the_next_keyframe_when_told_to(clips: dict[str, Path]) -> None:
    info, frames = demuxed(clips["h264.ts"])
    decoder = Decoder(info)
    decoder.decode(frames[0], 0)
    decoder.await_keyframe()
    assert not decoder.wants(frames[5])
    assert decoder.wants(frames[10])
    assert [picture.seq for picture in decoder.decode(frames[10], 10)] == [10]
    assert decoder.wants(frames[11])


def test_a_stream_that_has_no_keyframes_at_all_is_decoded_in_the_end(clips: dict[str, Path]) -> None:
    info, frames = demuxed(clips["h264.ts"])
    decoder = Decoder(info)
    inter = EncodedFrame(frames[1].data, 0.0, 0.0, keyframe=False)
    answers = [decoder.wants(inter) for _ in range(400)]
    assert not answers[0]
    assert answers[-1]


def test_a_picture_that_hides_damage_counts_as_failed(clips: dict[str, Path]) -> None:
    info, frames = annex_b(clips["raw.h264"])
    frames[4].data = frames[4].data[: len(frames[4].data) // 2]  # the rest gets painted over
    tally = run_through(info, frames)
    assert 4 in tally.failed
    assert tally.ends == list(range(FRAMES))


@pytest.fixture(scope="module")
def units(clips: dict[str, Path]) -> dict[str, tuple[StreamInfo, list[EncodedFrame]]]:
    return {name: annex_b(clips[name]) for name in ("raw.h264", "vp9.webm", "mpeg4.avi", "mjpeg.avi")}


@settings(max_examples=60, deadline=None)
@given(
    name=st.sampled_from(["raw.h264", "vp9.webm", "mpeg4.avi", "mjpeg.avi"]),
    seed=st.integers(0, 2**32),
    share=st.floats(0.0, 1.0),
)
def test_hostile_bytes_do_no_more_than_fail(
    units: dict[str, tuple[StreamInfo, list[EncodedFrame]]], name: str, seed: int, share: float
) -> None:
    info, frames = units[name]
    chance = random.Random(seed)
    tally = Tally(Decoder(info))
    for seq, frame in enumerate(frames):
        data = bytearray(frame.data)
        if chance.random() < share:
            for _ in range(chance.randint(1, 30)):
                data[chance.randrange(len(data))] = chance.randrange(256)
            del data[chance.randrange(1, len(data) + 1) :]
        tally.give(EncodedFrame(bytes(data), 0.0, 0.0, frame.keyframe), seq)
    tally.flush()
    assert tally.ends == list(range(FRAMES))


def test_a_jpeg_that_claims_to_be_gigantic_is_refused(clips: dict[str, Path]) -> None:
    info, frames = annex_b(clips["mjpeg.avi"])
    data = bytearray(frames[0].data)
    start = data.index(b"\xff\xc0") + 5
    data[start : start + 4] = b"\xff\xf0\xff\xf0"
    with pytest.raises(DecodeFailed):
        Decoder(info).decode(EncodedFrame(bytes(data), 0.0, 0.0, keyframe=True), 0)


def test_empty_access_units_fail(clips: dict[str, Path]) -> None:
    tally = Tally(Decoder(StreamInfo("h264")))
    tally.give(EncodedFrame(b"", 0.0, 0.0, keyframe=True), 0)
    tally.flush()
    assert tally.ends == [0]
    assert tally.pictures == []


def test_access_units_that_never_come_out_are_given_up_after_a_while() -> None:
    tally = Tally(Decoder(StreamInfo("h264")))
    delimiter = b"\x00\x00\x00\x01\x09\xf0"
    for seq in range(100):
        tally.give(EncodedFrame(delimiter, 0.0, 0.0, keyframe=True), seq)
    assert len(tally.failed) >= 60


def test_the_next_clip_brings_its_own_decoder_and_the_last_one_is_emptied(clips: dict[str, Path]) -> None:
    info, first = demuxed(clips["bframes.mp4"])
    _, second = demuxed(clips["vp9.webm"])
    tally = run_through(info, first + second)
    assert tally.failed == []
    assert [picture.seq for picture in tally.pictures][-FRAMES:] == list(range(FRAMES, 2 * FRAMES))
    assert tally.ends == list(range(2 * FRAMES))


def test_it_goes_on_after_a_flush(clips: dict[str, Path]) -> None:
    info, frames = demuxed(clips["bframes.mp4"])
    tally = Tally(Decoder(info))
    for lap in range(2):
        for seq, frame in enumerate(frames):
            tally.give(frame, lap * FRAMES + seq)
        tally.flush()
    assert tally.ends == list(range(2 * FRAMES))
    assert tally.failed == []


def test_parameter_sets_may_come_ahead_of_the_stream(clips: dict[str, Path]) -> None:
    info, frames = annex_b(clips["raw.h264"])
    start = frames[0].data.index(b"\x00\x00\x01\x65")  # the IDR slice; what is before it are parameter sets
    ahead, first = frames[0].data[:start], frames[0].data[start:]
    bare = EncodedFrame(first, 0.0, 0.0, keyframe=True)
    decoded = Decoder(StreamInfo(info.codec, extradata=ahead)).decode(bare, 7)
    assert [picture.seq for picture in decoded] == [7]
    assert Tally(Decoder(info)).ends == []


@pytest.mark.parametrize("codec", ["no-such-codec", "aac"])
def test_a_codec_that_nothing_decodes_is_said_so(codec: str) -> None:
    with pytest.raises(SourceError, match=codec):
        Decoder(StreamInfo(codec))
