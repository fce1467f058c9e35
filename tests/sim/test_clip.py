from __future__ import annotations

import os
from pathlib import Path

import av
import msgspec
import numpy as np
import pytest

from vedette.errors import ConfigError, SourceError
from vedette.sim import AccessUnit, Clip, cache, encode_frames, prepare_clip
from vedette.sim.clip import bundled_clip


def decode(clip: Clip) -> list[av.VideoFrame]:
    """Payloads back to pictures, through FFmpeg's decoder."""
    decoder = av.CodecContext.create("h264", "r")
    frames = []
    for unit in clip.units:
        frames += decoder.decode(av.Packet(annexb(unit)))
    return frames + decoder.decode(None)


def annexb(unit: AccessUnit) -> bytes:
    data = b""
    for payload in unit.payloads:
        if payload[0] & 0x1F != 28:
            data += b"\x00\x00\x00\x01" + payload
        else:
            if payload[1] & 0x80:
                data += b"\x00\x00\x00\x01" + bytes([payload[0] & 0xE0 | payload[1] & 0x1F])
            data += payload[2:]
    return data


def prepare(folder: Path, **options: object) -> Clip:
    values = {"fps": 10, "width": 160, "max_seconds": 1.0, "cache_dir": folder, **options}
    return prepare_clip(bundled_clip(), **values)  # type: ignore[arg-type]


def test_pictures_come_back_in_order_one_per_unit(clip: Clip) -> None:
    means = [frame.to_ndarray(format="gray").mean() for frame in decode(clip)]
    assert len(means) == len(clip.units) == 20
    assert all(abs(mean - (10 + 10 * index)) < 6 for index, mean in enumerate(means))


def test_keyframes_come_regularly_with_their_parameter_sets(clip: Clip) -> None:
    assert [index for index, unit in enumerate(clip.units) if unit.keyframe] == [0, 5, 10, 15]
    for unit in clip.units:
        assert (unit.payloads[:2] == (clip.sps, clip.pps)) == unit.keyframe
    assert all(frame.pict_type != av.video.frame.PictureType.B for frame in decode(clip))


def test_a_file_is_scaled_with_its_aspect_and_resampled(tmp_path: Path) -> None:
    clip = prepare(tmp_path)
    assert (clip.width, clip.height, clip.fps, len(clip.units)) == (160, 120, 10.0, 10)
    assert clip.seconds == 1.0
    assert [frame.width for frame in decode(clip)] == [160] * 10


def test_a_higher_rate_repeats_frames(tmp_path: Path) -> None:
    assert len(prepare(tmp_path, fps=60).units) == 60


def test_a_size_may_be_given_whole(tmp_path: Path) -> None:
    clip = prepare(tmp_path, width=128, height=72)
    assert (clip.width, clip.height) == (128, 72)


def test_the_second_time_comes_from_the_cache(tmp_path: Path) -> None:
    first = prepare(tmp_path)
    (file,) = tmp_path.iterdir()
    # What the file holds now is what comes back: nothing is encoded again.
    file.write_bytes(msgspec.msgpack.encode(msgspec.structs.replace(first, sps=b"from the cache")))
    assert prepare(tmp_path).sps == b"from the cache"
    assert prepare(tmp_path, keyframe_every_s=0.5).sps != b"from the cache"


def test_a_damaged_cache_is_prepared_anew(tmp_path: Path) -> None:
    first = prepare(tmp_path)
    (file,) = tmp_path.iterdir()
    file.write_bytes(file.read_bytes()[:1000])
    assert prepare(tmp_path) == first


def test_a_cache_that_cannot_be_written_is_no_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    assert prepare(tmp_path / "file" / "cache").units


def test_the_cache_keeps_the_most_recently_used(tmp_path: Path) -> None:
    for index in range(cache.MAX_FILES):
        cache.store(str(index), [index], tmp_path)
    for index, path in enumerate(tmp_path.iterdir()):
        os.utime(path, (index, index))
    assert cache.load("0", list, tmp_path) == [0]
    for index in range(cache.MAX_FILES - 1):
        cache.store(f"new {index}", [index], tmp_path)
    assert len(list(tmp_path.iterdir())) == cache.MAX_FILES
    assert cache.load("0", list, tmp_path) == [0]


@pytest.mark.parametrize("content", [b"", b"no video at all", b"\x00\x00\x00\x20ftypisom" + bytes(500)])
def test_a_file_that_is_no_video_is_refused_by_name(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "broken.mp4"
    path.write_bytes(content)
    with pytest.raises(SourceError, match=r"broken\.mp4"):
        prepare_clip(path, cache_dir=tmp_path / "cache")


def test_a_missing_file_is_refused_by_name(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match=r"nowhere\.mp4.*No such file"):
        prepare_clip(tmp_path / "nowhere.mp4")


def test_frames_must_be_pictures() -> None:
    with pytest.raises(SourceError, match="holds no picture"):
        encode_frames([])
    with pytest.raises(SourceError, match="uint8"):
        encode_frames([np.zeros((48, 64), np.uint8)])


@pytest.mark.parametrize("options", [{"fps": 0}, {"keyframe_every_s": 0}, {"codec": "vp9"}, {"width": 3}])
def test_parameters_that_make_no_sense_are_refused(tmp_path: Path, options: dict[str, object]) -> None:
    with pytest.raises(ConfigError):
        prepare(tmp_path, **options)
