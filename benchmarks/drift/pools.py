"""Days of a camera, put together from the seconds of a recorded clip.

A *stretch* is ten seconds of the clip. A window is ten of its frames, drawn with putting back; so windows of
one stretch differ as much as chance has it, and stretches as much as what goes on in them. A level lasts as
long as one stretch is drawn from: 10 s, 60 s or 10 min in the mean. Windows are drawn once, 64 for each
stretch and picture, by the very formulas of :mod:`vedette.quality.drift.windows`, and then used again and
again: a window of the pool is what the product would have made of those frames.

What was not recorded, and is made of what was: nobody there (the boxes that the detector finds in the median
of the clip, with the looks of the clip as it is, for a median is smoother than any picture), twice the
traffic (the boxes of two frames in one; nobody stands before anybody), half and a quarter of the people (each
box of the commonest class is there by chance; what is false stays), and another kind of object (one more
sure box a frame in the mean, of a class that was never met, and half a weak one).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from benchmarks.drift.recorded import CLEAN, FPS, Recording, variants
from benchmarks.drift.streams import Floats
from vedette.quality.drift.light import LIGHTS, light_of
from vedette.quality.drift.measured import MEASURES, Measure
from vedette.quality.drift.windows import (
    BOXES_A_FRAME,
    BOXES_LEAST,
    HALF_SEEN,
    STRONG,
    STRONG_LEAST,
    WINDOW_S,
)

__all__ = ["MADE", "Pool", "pool_of", "stretches"]

DRAWS = 64
FRAMES = round(WINDOW_S)
STRETCH = round(WINDOW_S * FPS)
STEP = 5
"""Frames between the beginnings of two stretches."""
MADE = ("traffic", "new class", "half", "quarter")
_SEEN, _STRONG, _SURENESS, _RARITY, _ROOT = range(5)
_PICTURE = (Measure.SHARPNESS, Measure.CONTRAST, Measure.LUMA, Measure.EDGES)


@dataclass(frozen=True, eq=False)
class Pool:
    """``values``, ``counts`` [pictures, stretches, 64, 9]; ``luma``, ``infrared`` [pictures, stretches, 64].
    ``places``: the number of each kind of picture, by name."""

    values: Floats
    counts: Floats
    luma: Floats
    infrared: npt.NDArray[np.bool_]
    places: dict[str, int]

    @property
    def stretches(self) -> int:
        return self.values.shape[1]


def pool_of(recording: Recording, seed: int = 0) -> Pool:
    rng = np.random.default_rng([seed, 77])
    frames = recording.looks.shape[1]
    starts = np.arange(0, frames - STRETCH + 1, STEP)
    drawn = starts[:, None, None] + rng.integers(0, STRETCH, (len(starts), DRAWS, FRAMES))
    mixes = _mixes(recording)
    names = [str(each) for each in variants()]
    parts = [_windows(recording, number, drawn, mixes) for number in range(len(names))]
    others = starts[rng.integers(0, len(starts), drawn.shape[:2])][..., None] + rng.integers(
        0, STRETCH, drawn.shape
    )
    parts.append(_windows(recording, 0, drawn, mixes, others=others))
    parts.append(_windows(recording, 0, drawn, mixes, strangers=rng))
    chance = np.random.default_rng([seed, 78]).random(len(recording.confidence))
    parts += [_windows(recording, 0, drawn, mixes, here=chance < share) for share in (0.5, 0.25)]
    columns = [np.stack(each) for each in zip(*parts, strict=True)]
    return Pool(*columns, {name: place for place, name in enumerate([*names, *MADE])})


def stretches(
    rng: np.random.Generator, cameras: int, windows: int, block: int, count: int
) -> npt.NDArray[np.intp]:
    """Which stretch each window is of, [cameras, windows]: a new one after a random time, ``block`` windows
    in the mean."""
    anew = rng.random((cameras, windows)) < 1 / block
    anew[:, 0] = True
    since = np.maximum.accumulate(np.where(anew, np.arange(windows), 0), axis=1)
    return np.take_along_axis(rng.integers(0, count, (cameras, windows)), since, axis=1)


def _mixes(recording: Recording) -> Floats:
    """Usual shares of the classes among the strong boxes, [lights, classes], from the pictures that are
    learnt from; in lights without any, those of the clean ones."""
    classes = int(recording.class_id.max()) + 1
    counted = np.zeros((LIGHTS, classes))
    for number, variant in enumerate(variants()):
        if variant.name in (CLEAN, "dusk", "infrared"):
            for frame, look in enumerate(recording.looks[number]):
                at = recording.boxes(number, frame)
                strong = recording.class_id[at][recording.confidence[at] >= STRONG]
                counted[light_of(float(look[0]), bool(look[4]))] += np.bincount(strong, minlength=classes)
    clean = light_of(float(np.median(recording.looks[0, :, 0])), False)
    counted[counted.sum(axis=1) == 0] = counted[clean]
    return np.asarray(counted / np.maximum(counted.sum(axis=1, keepdims=True), 1))


def _of_frames(
    recording: Recording, number: int, mixes: Floats, here: npt.NDArray[np.bool_] | None = None
) -> Floats:
    """[frames, 5]: boxes seen or half seen, strong ones; over these sureness, rarity, root of the area.
    ``here``: of all boxes whether they are there if they are of the commonest class."""
    looks = recording.looks[number]
    mix = mixes[light_of(float(np.median(looks[:, 0])), bool(np.median(looks[:, 4]) > 0.5))]
    there = np.ones(len(recording.confidence), bool) if here is None else here
    there |= recording.class_id != int(mix.argmax())
    rows = np.zeros((len(looks), 5))
    for frame in range(len(looks)):
        at = recording.boxes(number, frame)
        confidence, class_id = recording.confidence[at][there[at]], recording.class_id[at][there[at]]
        strong = confidence >= STRONG
        rarity = 1 - mix[class_id[strong]]
        roots = np.sqrt(recording.area[at][there[at]][strong])
        rows[frame] = (
            (confidence >= HALF_SEEN).sum(), strong.sum(),
            confidence[strong].sum(), rarity.sum(), roots.sum(),
        )  # fmt: skip
    return rows


def _windows(
    recording: Recording,
    number: int,
    drawn: npt.NDArray[np.intp],
    mixes: Floats,
    others: npt.NDArray[np.intp] | None = None,
    strangers: np.random.Generator | None = None,
    here: npt.NDArray[np.bool_] | None = None,
) -> tuple[Floats, Floats, Floats, npt.NDArray[np.bool_]]:
    """``others``: frames whose boxes are there as well. ``strangers``: draws boxes of a class never met.
    ``here``: see :func:`_of_frames`."""
    by_frame = _of_frames(recording, number, mixes, here)
    sums = by_frame[drawn].sum(axis=2)
    if others is not None:
        sums += by_frame[others].sum(axis=2)
    if strangers is not None:
        sure, weak = (strangers.poisson(mean * FRAMES, sums.shape[:-1]) for mean in (1.0, 0.5))
        sums[..., _SEEN] += sure + weak
        sums[..., _STRONG] += sure
        sums[..., _SURENESS] += 0.65 * sure
        sums[..., _RARITY] += sure
        sums[..., _ROOT] += 0.1 * sure
    seen = 0 if str(variants()[number]) == "empty" else number
    looks = recording.looks[seen][drawn].astype(np.float64)
    values, counts = _of_sums(sums)
    luma, contrast, sharpness, likeness, _ = looks.mean(axis=2).transpose(2, 0, 1)
    values[..., Measure.SHARPNESS] = sharpness / (sharpness + 1)
    values[..., Measure.CONTRAST] = contrast / (contrast + luma + 1)
    values[..., Measure.LUMA] = luma / 255
    values[..., Measure.EDGES] = (1 + likeness) / 2
    counts[..., _PICTURE] = FRAMES
    return values, counts, np.median(looks[..., 0], axis=2), looks[..., 4].mean(axis=2) > 0.5


def _of_sums(sums: Floats) -> tuple[Floats, Floats]:
    seen, strong = sums[..., _SEEN], sums[..., _STRONG]
    values, counts = np.full((*seen.shape, MEASURES), np.nan), np.ones((*seen.shape, MEASURES))
    enough, sure = seen >= BOXES_LEAST, strong >= STRONG_LEAST
    values[enough, Measure.WEAK] = ((seen - strong) / np.maximum(seen, 1))[enough]
    counts[enough, Measure.WEAK] = seen[enough]
    columns = (Measure.CONFIDENCE, _SURENESS), (Measure.UNUSUAL, _RARITY), (Measure.SIZE, _ROOT)
    for measure, column in columns:
        values[sure, measure] = (sums[..., column] / np.maximum(strong, 1))[sure]
        counts[sure, measure] = strong[sure]
    a_frame = strong / FRAMES
    values[..., Measure.COUNT], counts[..., Measure.COUNT] = a_frame / (a_frame + BOXES_A_FRAME), FRAMES
    return values, counts
