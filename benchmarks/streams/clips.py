"""Real clips with faults put into their decoded pictures, encoded again as a camera would, and looked at once
a second, as a node does it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from fractions import Fraction
from itertools import islice
from pathlib import Path
from typing import Any

import av
import numpy as np
import numpy.typing as npt
from PIL import Image, ImageFilter

from vedette.causes import Cause
from vedette.health.conditions import Began, Change, Ended, PictureHealth
from vedette.health.picture import Features, Look
from vedette.health.picture_state import PictureState

__all__ = ["FAULTS", "LIGHTS", "Told", "decoded", "encoded", "judged", "looked_at", "luma", "with_fault"]

Luma = npt.NDArray[np.uint8]
Change8 = Callable[[Luma], Luma]
_RANDOM = np.random.default_rng(8)


def decoded(path: Path | str, fps: float | None = None, start: float = 0.0) -> Iterator[av.VideoFrame]:
    """Pictures of a file; with ``fps`` only so many a second."""
    due = start
    with av.open(str(path)) as container:
        for frame in container.decode(container.streams.video[0]):
            if frame.time is not None and frame.time >= due:
                yield frame
                due = due + 1 / fps if fps else 0.0


def luma(frame: av.VideoFrame) -> Luma:
    """A copy of the luma plane, uint8 [height, width]."""
    plane: Any = frame.planes[0]
    return np.frombuffer(plane, np.uint8).reshape(-1, plane.line_size)[:, : frame.width].copy()


def with_luma(frame: av.VideoFrame, y: Luma, colourless: bool = False) -> av.VideoFrame:
    """A copy of ``frame`` with other luma."""
    made = av.VideoFrame(frame.width, frame.height, "yuv420p")
    for index, plane in enumerate(made.planes):
        lines = np.frombuffer(plane, np.uint8).reshape(-1, plane.line_size)  # type: ignore[call-overload]
        if index == 0:
            lines[: frame.height, : frame.width] = y
        elif colourless:
            lines[:] = 128
        else:
            source: Any = frame.planes[index]
            lines[:, : plane.width] = np.frombuffer(source, np.uint8).reshape(-1, source.line_size)[
                : lines.shape[0], : plane.width
            ]
    return made


def encoded(
    frames: Iterable[av.VideoFrame], fps: float, keyframe_every: int, **options: str
) -> Iterator[av.VideoFrame]:
    """The pictures after H.264 in between, as they come out of the decoder."""
    encoder: Any = None
    decoder: Any = av.CodecContext.create("h264", "r")
    for index, frame in enumerate(frames):
        if encoder is None:
            encoder = av.CodecContext.create("libx264", "w")
            encoder.width, encoder.height, encoder.pix_fmt = frame.width, frame.height, "yuv420p"
            encoder.framerate = Fraction(fps).limit_denominator(1001)
            encoder.time_base = 1 / encoder.framerate
            gop = f"keyint={keyframe_every}:min-keyint={keyframe_every}:scenecut=0"
            encoder.options = {"preset": "ultrafast", "tune": "zerolatency", **options, "x264-params": gop}
        frame.pts, frame.time_base = index, encoder.time_base
        frame.pict_type = av.video.frame.PictureType.NONE
        for packet in encoder.encode(frame):
            yield from decoder.decode(av.Packet(bytes(packet)))
    for packet in [*encoder.encode(None), None] if encoder is not None else []:
        yield from decoder.decode(av.Packet(bytes(packet)) if packet is not None else None)


def looked_at(frames: Iterable[av.VideoFrame], fps: float, every: float = 1.0) -> Iterator[Features]:
    """A look at one picture in ``every`` seconds, with all keyframes counted."""
    look, keyframes = Look(), 0
    step = max(1, round(fps * every))
    for index, frame in enumerate(frames):
        keyframes += bool(frame.key_frame)
        if index % step == 0:
            yield look.features(frame, keyframes)
            keyframes = 0


@dataclass
class Told:
    """What was told and when, in seconds from the first look."""

    changes: list[tuple[float, Change]] = field(default_factory=list)
    state: PictureState = field(default_factory=PictureState)
    now: float = 0.0

    def began(self, cause: Cause) -> float | None:
        return next(
            (at for at, each in self.changes if isinstance(each, Began) and each.cause is cause), None
        )

    def ended(self, cause: Cause) -> float | None:
        return next(
            (at for at, each in self.changes if isinstance(each, Ended) and each.cause is cause), None
        )

    @property
    def causes(self) -> set[Cause]:
        return {each.cause for _, each in self.changes}


def judged(looks: Iterable[Features], every: float = 1.0, told: Told | None = None) -> Told:
    """Run the rules over looks that are ``every`` seconds apart."""
    told = told or Told()
    health = PictureHealth()
    for features in looks:
        told.state, changes = health.step(told.state, features, 1000.0 + told.now)
        told.changes += [(told.now, change) for change in changes]
        told.now += every
    return told


def with_fault(
    frames: Iterable[av.VideoFrame], fps: float, fault: Change8 | None, start: float, end: float
) -> Iterator[av.VideoFrame]:
    """``fault`` from ``start`` to ``end`` (seconds); None freezes the picture."""
    held: av.VideoFrame | None = None
    for index, frame in enumerate(frames):
        if not start <= index / fps < end:
            yield frame
        elif fault is None:
            held = held if held is not None else frame
            yield with_luma(held, luma(held))
        else:
            yield with_luma(frame, np.ascontiguousarray(fault(luma(frame))))


def noisy(y: npt.NDArray[Any], sigma: float) -> Luma:
    return np.clip(y + _RANDOM.normal(0, sigma, y.shape) + 0.5, 0, 255).astype(np.uint8)


def _blurred(sigma: float) -> Change8:
    return lambda y: noisy(np.asarray(Image.fromarray(y).filter(ImageFilter.GaussianBlur(sigma))), 1.0)


def _covered(share: float, level: float) -> Change8:
    def cover(y: Luma) -> Luma:
        width = int(y.shape[1] * share)
        y[:, :width] = noisy(np.full((y.shape[0], width), level), 2.0)
        return y

    return cover


def _shifted(right: float, down: float) -> Change8:
    return lambda y: np.roll(y, (int(down * y.shape[0]), int(right * y.shape[1])), (0, 1))


def _rotated(degrees: float) -> Change8:
    return lambda y: np.asarray(Image.fromarray(y).rotate(degrees, resample=Image.Resampling.BILINEAR))


def _flat(level: float) -> Change8:
    return lambda y: noisy(np.full(y.shape, level), 1.0)


FAULTS: dict[str, tuple[Cause, Change8 | None]] = {
    "frozen": (Cause.FROZEN, None),
    "black": (Cause.DARK, _flat(16)),
    "white": (Cause.WASHED_OUT, _flat(235)),
    "overexposed": (Cause.WASHED_OUT, lambda y: np.clip(y * 1.1 + 160, 0, 235).astype(np.uint8)),
    "blur 2": (Cause.BLURRED, _blurred(2.0)),
    "blur 5": (Cause.BLURRED, _blurred(5.0)),
    "blur 10": (Cause.BLURRED, _blurred(10.0)),
    "covered 60% grey": (Cause.COVERED, _covered(0.6, 110)),
    "covered 80% dark grey": (Cause.COVERED, _covered(0.8, 50)),
    "covered 100% grey": (Cause.COVERED, _covered(1.0, 90)),
    "shifted 25% right": (Cause.MOVED, _shifted(0.25, 0)),
    "shifted 20% down": (Cause.MOVED, _shifted(0, 0.2)),
    "rotated 15°": (Cause.MOVED, _rotated(15)),
    "turned upside down": (Cause.MOVED, lambda y: y[::-1, ::-1]),
}
"""By name: what it has to be called, and what it does to luma (None: hold the first picture)."""


def _gain(gain: float, sigma: float) -> Change8:
    return lambda y: noisy(16 + (y - 16.0) * gain, sigma)


def _gamma(gamma: float) -> Change8:
    return lambda y: noisy(16 + 219 * (np.clip(y - 16.0, 0, 219) / 219) ** gamma, 2.0)


def _infrared(y: Luma) -> Luma:
    """Lit from the camera: the middle bright, the corners dark, noise; foliage as bright as walls."""
    down = np.linspace(-1, 1, y.shape[0])[:, None] ** 2
    across = np.linspace(-1, 1, y.shape[1])[None] ** 2
    return noisy(16 + 200 * (np.clip(y - 16.0, 0, 219) / 219) ** 0.7 * np.exp(-1.5 * (down + across)), 3.0)


LIGHTS: dict[str, Change8] = {
    "half the light": _gain(0.5, 1.5),
    "dusk": _gain(0.25, 2.0),
    "night, lamps": _gain(0.15, 2.0),
    "back-lit": _gamma(2.5),
    "flat light": _gamma(0.5),
    "infrared": _infrared,
    "light doubled": lambda y: np.clip((y - 16.0) * 1.5 + 16, 16, 235).astype(np.uint8),
    "noise 6": lambda y: noisy(y, 6.0),
}
"""Changes of light that are no fault."""


def cut(frames: Iterable[av.VideoFrame], fps: float, seconds: float) -> list[av.VideoFrame]:
    return list(islice(frames, int(fps * seconds)))
