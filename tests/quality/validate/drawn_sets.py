"""Sets drawn by chance, and detectors that see them more or less well."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from vedette.quality.labels.dataset import Box, Dataset, Picture
from vedette.quality.validate.coco_eval import Found

LABELS = ("person", "car", "dog")


def drawn_set(seed: int, pictures: int = 20, crowded: float = 0.1) -> Dataset:
    rng = np.random.default_rng(seed)
    return Dataset(
        LABELS,
        tuple(
            Picture(f"{number:04}.png", 640, 480, _boxes(rng, crowded), light=("day", "night")[number % 2])
            for number in range(pictures)
        ),
    )


def hours(dataset: Dataset, pictures: int, camera: str = "gate") -> Dataset:
    """The same, each so many pictures taken within an hour."""
    return replace(
        dataset,
        pictures=tuple(
            replace(each, camera=camera, captured_at=3600.0 * (number // pictures) + number % pictures)
            for number, each in enumerate(dataset.pictures)
        ),
    )


def seen_by_the_hour(dataset: Dataset, seed: int, pictures: int, spread: float = 0.35) -> list[Found]:
    """Seen well in some hours and badly in others: in each a share of the objects is found, drawn anew."""
    rng, found = np.random.default_rng(seed), []
    for start in range(0, len(dataset.pictures), pictures):
        part = replace(dataset, pictures=dataset.pictures[start : start + pictures])
        sharp = float(np.clip(0.6 + rng.uniform(-spread, spread), 0, 1))
        found += seen(part, int(rng.integers(2**31)), sharp=sharp)
    return found


def _boxes(rng: np.random.Generator, crowded: float) -> tuple[Box, ...]:
    boxes = []
    for _ in range(rng.integers(0, 8)):
        left, top = rng.uniform(0, 400, 2)
        width, height = rng.choice([12.0, 50.0, 140.0]) * rng.uniform(0.8, 1.2, 2)
        xyxy = (float(left), float(top), float(left + width), float(top + height))
        kind = rng.random()
        boxes.append(
            Box(
                xyxy,
                str(rng.choice(LABELS[:2])),
                crowd=kind < crowded / 2,
                difficult=crowded / 2 <= kind < crowded,
            )
        )
    return tuple(boxes)


def seen(
    dataset: Dataset, seed: int, sharp: float = 0.85, noise: float = 3.0, digits: int = 6
) -> list[Found]:
    """Finds a share ``sharp`` of the objects, ``noise`` pixels beside them, and some that are not there.
    ``digits`` of the confidence: with few, many boxes are equally sure."""
    rng = np.random.default_rng(seed)
    found = []
    for picture in dataset.pictures:
        there = [box for box in picture.boxes if rng.random() < sharp]
        xyxy = [np.array(box.xyxy) + rng.normal(0, noise, 4) for box in there]
        label = [dataset.labels.index(box.label) for box in there]
        score = [rng.beta(5, 2) for _ in there]
        for _ in range(rng.integers(0, 4)):
            left, top = rng.uniform(0, 500, 2)
            xyxy.append(np.array([left, top, left + rng.uniform(10, 90), top + rng.uniform(10, 90)]))
            label.append(int(rng.integers(len(dataset.labels))))
            score.append(rng.beta(2, 5))
        corners = np.array(xyxy, np.float32).reshape(-1, 4)
        corners[:, 2:] = np.maximum(corners[:, 2:], corners[:, :2] + 1)
        found.append(Found(corners, np.round(score, digits), np.array(label, np.int32)))
    return found
