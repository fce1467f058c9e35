"""A clip: what simulated cameras play. Encoded and cut into RTP payloads once, before anybody watches."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from pathlib import Path

import msgspec
import numpy as np
import numpy.typing as npt

from vedette.errors import ConfigError, SourceError
from vedette.sim import cache, encode, h264, h265

__all__ = ["AccessUnit", "Clip", "bundled_clip", "clip_of", "encode_frames", "prepare_clip"]

MAX_SECONDS = 120.0
"""Longer clips are cut: a clip is held in memory whole."""


class AccessUnit(msgspec.Struct, frozen=True):
    """One encoded frame as RTP payloads. A keyframe carries its parameter sets in band."""

    keyframe: bool
    payloads: tuple[bytes, ...]


class Clip(msgspec.Struct, frozen=True):
    """An encoded clip. ``width``/``height`` in pixels; ``fps`` is the rate it was encoded for; the first
    unit is a keyframe, so playing it in a loop never breaks a reference. ``sps``/``pps`` without start code;
    ``vps`` only in H.265. A unit without payloads is a moment for which there is no frame.
    """

    codec: str
    width: int
    height: int
    fps: float
    sps: bytes
    pps: bytes
    units: tuple[AccessUnit, ...]
    vps: bytes = b""

    @property
    def seconds(self) -> float:
        return len(self.units) / self.fps


def bundled_clip() -> Path:
    """The driveway clip that comes with the package: 640×480, about 30 fps, 61 s."""
    return Path(__file__).parent.parent / "assets" / "driveway.mov"


def prepare_clip(
    path: Path | str,
    *,
    fps: float = 25,
    width: int | None = None,
    height: int | None = None,
    keyframe_every_s: float = 2.0,
    codec: str = "h264",
    max_seconds: float = MAX_SECONDS,
    cache_dir: Path | None = None,
) -> Clip:
    """Any video file as a clip, taken from the cache when the same file was prepared the same way before.

    The source is resampled to ``fps`` by leaving out or repeating frames. Without ``width`` and ``height``
    (pixels) the picture keeps its aspect ratio and is at most 640 wide; with one of them the other follows.

    Raises:
        SourceError: the file cannot be read or decoded, or holds no picture.
        ConfigError: a parameter makes no sense.
    """
    _check(fps, keyframe_every_s, codec)
    try:
        content = hashlib.blake2b(Path(path).read_bytes(), digest_size=16).hexdigest()
    except OSError as error:
        raise SourceError(f"clip {path}: {error.strerror or error}") from error
    key = repr((content, float(fps), width, height, float(keyframe_every_s), codec, float(max_seconds)))
    if (clip := cache.load(key, Clip, cache_dir)) is not None:
        return clip
    frames = encode.read_file(Path(path), fps=fps, width=width, height=height, max_seconds=max_seconds)
    clip = _to_clip(frames, fps, keyframe_every_s, str(path))
    cache.store(key, clip, cache_dir)
    return clip


def encode_frames(
    frames: Iterable[npt.NDArray[np.uint8]], fps: float = 25, keyframe_every_s: float = 2.0
) -> Clip:
    """A clip from pictures, uint8 [H,W,3] RGB of one size, H and W even; frame n becomes unit n.

    Raises:
        SourceError: there are none, or they cannot be encoded.
        ConfigError: a parameter makes no sense.
    """
    _check(fps, keyframe_every_s, "h264")
    return _to_clip(encode.from_arrays(frames), fps, keyframe_every_s, "frames")


def _check(fps: float, keyframe_every_s: float, codec: str) -> None:
    if not 0 < fps <= 1000:
        raise ConfigError(f"fps must be between 0 and 1000, not {fps:g}")
    if not keyframe_every_s > 0:
        raise ConfigError(f"keyframes every {keyframe_every_s:g} s: must be more than 0")
    if codec != "h264":
        raise ConfigError(f"simulated cameras speak h264, not {codec}")


def _to_clip(frames: encode.Frames, fps: float, keyframe_every_s: float, what: str) -> Clip:
    keyframe_every = max(1, round(keyframe_every_s * fps))
    return clip_of(encode.encode(frames, fps=fps, keyframe_every=keyframe_every, what=what), fps, what=what)


def clip_of(encoded: Iterable[encode.Encoded], fps: float, *, what: str, codec: str = "h264") -> Clip:
    """Encoded pictures as a clip.

    Raises:
        SourceError: there are none.
    """
    units: list[AccessUnit] = []
    sets: dict[int, bytes] = {}
    size = (0, 0)
    for each in encoded:
        size = each.width, each.height
        unit, own = (_h265_unit if codec == "h265" else _h264_unit)(each.data)
        units.append(unit)
        sets.update(own)
    if not units:
        raise SourceError(f"clip {what}: holds no picture")
    if codec == "h265":
        return Clip(codec, *size, float(fps), sets[h265.SPS], sets[h265.PPS], tuple(units), sets[h265.VPS])
    return Clip(codec, *size, float(fps), sets[h264.SPS], sets[h264.PPS], tuple(units))


def _h264_unit(data: bytes) -> tuple[AccessUnit, dict[int, bytes]]:
    """An access unit, and the parameter sets in it."""
    # SEI holds the encoder's settings as text and nothing a decoder needs.
    nals = [nal for nal in h264.split_annexb(data) if h264.kind(nal) != h264.SEI]
    sets = {kind: nal for nal in nals if (kind := h264.kind(nal)) in (h264.SPS, h264.PPS)}
    keyframe = any(h264.kind(nal) == h264.IDR for nal in nals)
    return AccessUnit(keyframe, h264.packetise(nals)), sets


def _h265_unit(data: bytes) -> tuple[AccessUnit, dict[int, bytes]]:
    nals = [nal for nal in h264.split_annexb(data) if h265.kind(nal) not in h265.SEI]
    sets = {kind: nal for nal in nals if (kind := h265.kind(nal)) in (h265.VPS, h265.SPS, h265.PPS)}
    return AccessUnit(any(map(h265.is_keyframe, nals)), h265.packetise(nals)), sets
