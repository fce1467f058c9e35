"""Altered clips: what a camera plays while something is wrong with its pictures, its size or its codec.

Made from the clip itself, decoded, changed and encoded anew; kept on disk like clips. Takes up to a second
or two of one core: for a thread, or before the cameras start.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from itertools import islice
from typing import Any

import msgspec

from vedette.sim import cache, encode, h264
from vedette.sim.clip import AccessUnit, Clip, clip_of
from vedette.sim.faults import pictures
from vedette.sim.faults.kinds import Options, number_in

__all__ = ["variant"]

MAX_SECONDS = 6.0
"""Of the clip's beginning; played in a loop. Longer ones would only take longer to make."""

_SHARP_EDGE = 16
"""Pixels: H.264 and H.265 want a side at least so long."""

_STILL = ":ipratio=16:qpstep=69:aq-mode=0:deadzone-inter=32"
"""Pictures after a keyframe are coded so coarsely that nothing of it is changed."""


def variant(clip: Clip, kind: str, options: Options, place: int = 0) -> Clip:
    """``clip`` with fault ``kind`` (of those with ``picture``). ``place``: the keyframe that a frozen
    camera showed last.

    Raises:
        SourceError: it cannot be decoded or encoded.
    """
    if kind == "freeze":
        return _frozen(clip, place)
    key = repr((_digest(clip), kind, sorted(options.items())))
    folder = cache.default_folder() / "variants"
    if (made := cache.load(key, Clip, folder)) is None:
        made = _made(clip, kind, options)
        cache.store(key, made, folder)
    return made


def _made(clip: Clip, kind: str, options: Options) -> Clip:
    frames = _frames(clip)
    if kind == "rate":
        return _thinned(clip, frames, number_in(options, "fps"))
    if kind == "codec":
        return _encoded(clip, frames, codec="h265")
    return _encoded(clip, _changes(clip, kind, options)(frames))


def _changes(clip: Clip, kind: str, options: Options) -> Callable[[encode.Frames], encode.Frames]:
    """What turns the clip's pictures into those of ``kind``."""
    if kind == "resolution":
        size: Any = options["size"]
        if size == "half":
            size = tuple(max(_SHARP_EDGE, side // 4 * 2) for side in (clip.width, clip.height))
        return lambda frames: (encode.scaled(frame, *size) for frame in frames)
    if kind == "blur":
        factor = number_in(options, "factor")
        return lambda frames: (_blurred(frame, factor) for frame in frames)
    if kind == "moved":
        by = number_in(options, "by")
        return lambda frames: _altered(frames, lambda planes, index: pictures.moved(planes, index, by))
    change = {"black": pictures.black, "white": pictures.white, "covered": pictures.covered}[kind]
    return lambda frames: _altered(frames, change)


def _frames(clip: Clip, begin: int = 0, seconds: float = MAX_SECONDS) -> encode.Frames:
    """Pictures of the clip from a keyframe on, whole groups if there is more than one."""
    units = clip.units[begin:]
    most = max(1, round(seconds * clip.fps))
    if len(units) > most:
        keyframes = [index for index, unit in enumerate(units[: most + 1]) if unit.keyframe and index]
        units = units[: keyframes[-1] if keyframes else most]
    return encode.decode(h264.annexb(unit.payloads) for unit in units)


def _altered(
    frames: encode.Frames, change: Callable[[pictures.Planes, int], pictures.Planes]
) -> encode.Frames:
    for index, frame in enumerate(frames):
        yield encode.from_planes(change(encode.planes(frame), index))


def _blurred(frame: Any, factor: float) -> Any:
    width, height = (max(4, round(side / factor)) // 2 * 2 for side in (frame.width, frame.height))
    return encode.scaled(encode.scaled(frame, width, height), frame.width, frame.height)


def _encoded(
    clip: Clip, frames: encode.Frames, *, codec: str = "h264", every: int = 0, more: str = ""
) -> Clip:
    encoded = encode.encode(
        frames,
        fps=clip.fps,
        keyframe_every=every or _group(clip),
        what="altered",
        codec=codec,
        # The cameras' own event loop wants the other cores.
        threads=1,
        more=more,
    )
    return clip_of(encoded, clip.fps, what="altered", codec=codec)


def _thinned(clip: Clip, frames: encode.Frames, fps: float) -> Clip:
    """As many frames a second as ``fps``; the moments between have none."""
    step = max(1.0, clip.fps / fps)
    kept: list[bool] = []

    def some() -> Iterator[Any]:
        for index, frame in enumerate(frames):
            kept.append(index == 0 or int(index / step) != int((index - 1) / step))
            if kept[-1]:
                yield frame

    made = _encoded(clip, some(), every=max(1, round(_group(clip) / step)))
    units = iter(made.units)
    return msgspec.structs.replace(
        made, units=tuple(next(units) if keep else AccessUnit(False, ()) for keep in kept)
    )


def _frozen(clip: Clip, place: int) -> Clip:
    """The keyframe at ``place`` and pictures that repeat it exactly."""
    (picture,) = islice(_frames(clip, place, 0), 1)
    group = _group(clip)
    still = _encoded(clip, (picture for _ in range(group)), every=group, more=_STILL)
    shown = [encode.planes(frame) for frame in encode.decode(h264.annexb(u.payloads) for u in still.units)]
    if all((each == shown[0]).all() for each in shown):
        return still
    return msgspec.structs.replace(still, units=still.units[:1])


def _group(clip: Clip) -> int:
    """Frames from one keyframe to the next."""
    keyframes = (index for index, unit in enumerate(clip.units) if unit.keyframe and index)
    return next(keyframes, len(clip.units))


def _digest(clip: Clip) -> str:
    digest = hashlib.blake2b(digest_size=16)
    for unit in clip.units:
        for payload in unit.payloads:
            digest.update(payload)
    return digest.hexdigest()
