"""``python -m benchmarks.drift.recorded --clip CLIP [--labels gt.txt]``: what the bundled detector says of a
real clip, as it is and after each corruption; how the pictures look then; and what that costs in accuracy.

Pictures are decoded, corrupted, made yuv420p again, and then go the product's way: its converter, its
detector with its lowest threshold, its look at the picture. Everything is written to ``.cache/drift``, the
figures to ``benchmarks/results``.

Labels: a MOTChallenge ``gt.txt`` of persons where there is one (PETS09-S2L1 is ``vtest.avi``); otherwise what
the detector itself is sure of (0.5) in the clean pictures at their own size, which measures agreement with a
better look of the same network, not accuracy.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import av
import numpy as np
import numpy.typing as npt

from benchmarks.drift.corruptions import (
    CORRUPTIONS,
    SEVERITIES,
    SHIFTS,
    Rgb,
    corrupted,
    dusky,
    infrared,
    noisy,
)
from benchmarks.machine import machine
from benchmarks.report import markdown, write_json
from benchmarks.streams.clips import decoded
from vedette.health.picture import Features, Look
from vedette.health.view import INFRARED_BELOW, Reference, averaged, light, likeness
from vedette.infer.load import DetectorSpec
from vedette.ingest.convert import Converter
from vedette.quality.labels.dataset import Box, Dataset, Picture
from vedette.quality.validate.predict import Predictor, load

__all__ = ["CLEAN", "EVENTS", "HARMFUL", "NOTICEABLE", "Recording", "Variant", "read", "variants"]

CACHE = Path(".cache/drift")
FPS = 2.0
"""Two sequences of one frame a second, half a second apart."""
SURE = 0.4
"""The product's threshold, at which recall is measured."""
PSEUDO_FROM = 0.5
HARMFUL, NOTICEABLE = 0.10, 0.03
"""Falls of AP50 or recall."""
CLEAN = "clean"
EVENTS = {"dusk": (0.75, 0.5, 0.3, 0.18, 0.1), "infrared": (), "empty": (), "swap": ()}
"""Not corruptions: light by gain as it goes, infrared, nobody there, and the network at a smaller size."""

Floats = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Variant:
    """``severity``: 0 where there is but one."""

    name: str
    severity: int = 0

    def __str__(self) -> str:
        return f"{self.name} {self.severity}" if self.severity else self.name


def variants() -> list[Variant]:
    found = [Variant(CLEAN)]
    found += [Variant(name, severity) for name in CORRUPTIONS for severity in SEVERITIES]
    found += [Variant("dusk", place + 1) for place in range(len(EVENTS["dusk"]))]
    return found + [Variant("infrared"), Variant("empty"), Variant("swap")]


@dataclass(frozen=True, eq=False)
class Recording:
    """Of V variants (:func:`variants`) and N frames. ``looks`` [V, N, 5]: luma, contrast, sharpness,
    likeness, infrared. ``starts`` [V, N + 1]: where a frame's boxes begin in ``confidence``, ``class_id``,
    ``area`` (share of the picture) and ``xyxy`` [boxes, 4]; all of at least 0.05."""

    looks: Floats
    starts: npt.NDArray[np.int64]
    confidence: Floats
    class_id: npt.NDArray[np.int32]
    area: Floats
    xyxy: Floats

    def boxes(self, variant: int, frame: int) -> slice:
        return slice(int(self.starts[variant, frame]), int(self.starts[variant, frame + 1]))


def read(clip: str) -> Recording:
    """What was recorded of ``clip`` (its stem). Raises FileNotFoundError."""
    with np.load(CACHE / f"{clip}.npz") as known:
        return Recording(**{name: known[name] for name in Recording.__dataclass_fields__})


class _Recorder:
    """Runs pictures through, variant by variant."""

    def __init__(self, detector: Any, reference: dict[int, Reference]) -> None:
        self._predictor, self._reference = Predictor(detector), reference
        self._look = Look()
        self.looks: list[tuple[float, ...]] = []
        self.boxes: list[Any] = []

    def take(self, rgb: Rgb) -> None:
        image = av.VideoFrame.from_ndarray(rgb, format="rgb24").reformat(format="yuv420p")
        features = self._look.features(image)
        known = self._reference.get(light(features))
        alike = likeness(features, known) if known is not None else float("nan")
        looked = (features.luma, features.contrast, features.sharpness, alike)
        self.looks.append((*looked, float(features.colour < INFRARED_BELOW)))
        self.boxes.append(self._predictor.boxes_in(image))


def _changed(pictures: list[Rgb], variant: Variant, background: Rgb) -> Iterator[Rgb]:
    rng = np.random.default_rng([list(CORRUPTIONS).index(variant.name), variant.severity] if variant.name in
                                CORRUPTIONS else [99, len(variant.name), variant.severity])  # fmt: skip
    for picture in pictures:
        if variant.name in CORRUPTIONS:
            yield corrupted(picture, variant.name, variant.severity, rng)
        elif variant.name == "dusk":
            yield dusky(picture, EVENTS["dusk"][variant.severity - 1], rng)
        elif variant.name == "infrared":
            yield infrared(picture, rng)
        elif variant.name == "empty":
            yield noisy(background.astype(np.float32), 2.0, rng)
        else:
            yield picture


def _references(pictures: list[Rgb]) -> dict[int, Reference]:
    """The view, by kind of light, as the clean clip and its dusk and infrared have it: what a camera that has
    stood there for days has learnt. Under a corruption it is not learnt anew."""
    found: dict[int, Reference] = {}
    look = Look()
    for variant in [Variant(CLEAN), Variant("dusk", 4), Variant("infrared")]:
        some = pictures[:: max(1, len(pictures) // 40)]
        for rgb in _changed(some, variant, pictures[0]):
            features: Features = look.features(
                av.VideoFrame.from_ndarray(rgb, format="rgb24").reformat(format="yuv420p")
            )
            where = light(features)
            found[where] = averaged(found.get(where), features)
    return found


def recorded(pictures: list[Rgb], spec: DetectorSpec) -> Recording:
    detector = load(spec)
    reference = _references(pictures)
    background = np.median(np.stack(pictures[:: max(1, len(pictures) // 60)]), axis=0).astype(np.uint8)
    looks, starts, boxes = [], [], []
    for variant in variants():
        used = detector.resized(detector.smaller[0]) if variant.name == "swap" else detector
        recorder, began = _Recorder(used, reference), time.process_time()
        for rgb in _changed(pictures, variant, background):
            recorder.take(rgb)
        looks.append(recorder.looks)
        before = sum(len(each) for each in boxes)
        starts.append(before + np.cumsum([0, *(len(each) for each in recorder.boxes)]))
        boxes += recorder.boxes
        print(f"{variant}: {time.process_time() - began:.1f} s", file=sys.stderr, flush=True)
    xyxy = np.concatenate([each.xyxy for each in boxes])
    height, width = pictures[0].shape[:2]
    extent = np.maximum(xyxy[:, 2:] - xyxy[:, :2], 0)
    return Recording(
        np.array(looks, np.float32),
        np.array(starts),
        np.concatenate([each.confidence for each in boxes]),
        np.concatenate([each.class_id for each in boxes]),
        (extent[:, 0] * extent[:, 1] / (width * height)).astype(np.float32),
        xyxy,
    )


# ---- what it costs


def labels_of(path: Path, numbers: list[int], offset: int) -> list[list[tuple[float, ...]]]:
    """Persons of the frames with these numbers, by a MOTChallenge file. ``offset``: its number of frame 0."""
    by_frame: dict[int, list[tuple[float, ...]]] = {}
    for line in path.read_text().splitlines():
        frame, _, x, y, width, height, *_ = (float(each) for each in line.split(","))
        by_frame.setdefault(int(frame), []).append((x, y, x + width, y + height))
    return [by_frame.get(number + offset, []) for number in numbers]


def pseudo_labels(pictures: list[Rgb], spec: DetectorSpec) -> list[list[tuple[int, tuple[float, ...]]]]:
    """What the detector is sure of in each clean picture, looked at as large as it is."""
    height, width = (size // 32 * 32 for size in pictures[0].shape[:2])
    large = DetectorSpec(threads=spec.threads, input_size=(height, width), runtime=spec.runtime)
    predictor = Predictor(load(large))
    found = []
    for rgb in pictures:
        boxes = predictor.boxes_in(av.VideoFrame.from_ndarray(rgb, format="rgb24"))
        sure = boxes.confidence >= PSEUDO_FROM
        found.append(
            [
                (int(which), tuple(map(float, box)))
                for which, box in zip(boxes.class_id[sure], boxes.xyxy[sure], strict=True)
            ]
        )
    return found


Labels = list[list[tuple[int, tuple[float, ...]]]]
"""By frame: class and box."""


def accuracy(recording: Recording, labels: Labels, size: tuple[int, int]) -> list[dict[str, Any]]:
    """AP50 and recall at :data:`SURE` of each variant, and how much less that is than clean."""
    from vedette.quality.validate.coco_eval import Found, records_of
    from vedette.quality.validate.precision import average_precision, found_and_right

    classes = sorted({which for frame in labels for which, _ in frame})
    names = tuple(str(which) for which in classes)
    rows: list[dict[str, Any]] = []
    for number, variant in enumerate(variants()):
        if variant.name == "empty":
            continue  # there is nothing to find
        moved = _moved(labels, variant, size)
        pictures = tuple(
            Picture(str(frame), *size, boxes=tuple(Box(box, str(which)) for which, box in boxes))
            for frame, boxes in enumerate(moved)
        )
        found = []
        for frame in range(len(labels)):
            at = recording.boxes(number, frame)
            ours = np.isin(recording.class_id[at], classes)
            label = np.searchsorted(classes, recording.class_id[at][ours])
            found.append(Found(recording.xyxy[at][ours], recording.confidence[at][ours], label))
        records = records_of(Dataset(names, pictures), found, [""] * len(pictures))
        once = np.ones((1, len(pictures)), np.int32)
        ap50 = float(np.nanmean(average_precision(records, once, [0])))
        recall, precision = (float(each[0]) for each in found_and_right(records, once, SURE))
        rows.append({"variant": str(variant), "ap50": ap50, "recall": recall, "precision": precision})
    for row in rows:
        falls = [rows[0][figure] - row[figure] for figure in ("ap50", "recall")]
        row["fall"] = max(falls)
        row["harm"] = (
            "harmful" if row["fall"] >= HARMFUL else "noticeable" if row["fall"] >= NOTICEABLE else "benign"
        )
    return rows


def _moved(labels: Labels, variant: Variant, size: tuple[int, int]) -> Labels:
    """Objects are where the picture shows them; those of which more than half is out of it are not there."""
    if variant.name != "shift":
        return labels
    width, height = size
    right, down = (round(by * length) for by, length in zip(SHIFTS[variant.severity - 1], size, strict=True))
    moved: Labels = []
    for frame in labels:
        here = [
            (which, (x + right, y + down, min(x1 + right, width), min(y1 + down, height)))
            for which, (x, y, x1, y1) in frame
        ]
        whole = [(x1 - x) * (y1 - y) for _, (x, y, x1, y1) in frame]
        moved.append([each for each, area in zip(here, whole, strict=True) if _area(each[1]) > area / 2])
    return moved


def _area(box: tuple[float, ...]) -> float:
    return max(0.0, box[2] - box[0]) * max(0.0, box[3] - box[1])


COLUMNS = {
    "picture": "{variant}",
    "AP50": "{ap50:.3f}",
    "recall": "{recall:.3f}",
    "fall": "{fall:+.3f}",
    "": "{harm}",
}


def _rate(clip: Path) -> float:
    with av.open(str(clip)) as container:
        return float(container.streams.video[0].average_rate)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.drift.recorded", description=__doc__)
    parser.add_argument("--clip", type=Path, required=True)
    parser.add_argument("--labels", type=Path, help="MOTChallenge's gt.txt; without: pseudo labels")
    parser.add_argument("--offset", type=int, default=2, help="its number of the clip's first frame")
    parser.add_argument("--again", action="store_true", help="though it was recorded before")
    parser.add_argument("--save", action="store_true", help="write benchmarks/results")
    options = parser.parse_args()
    before, spec = machine(), DetectorSpec(device="cpu", threads=1)
    frames = list(decoded(options.clip, FPS))
    pictures = [Converter().to_rgb(frame) for frame in frames]
    name, began = options.clip.stem, time.process_time()
    if options.again or not (CACHE / f"{name}.npz").exists():
        CACHE.mkdir(parents=True, exist_ok=True)
        recording = recorded(pictures, spec)
        np.savez(
            CACHE / f"{name}.npz",
            **{each: getattr(recording, each) for each in Recording.__dataclass_fields__},
        )
    recording = read(name)
    if options.labels is not None:
        numbers = [round(frame.time * _rate(options.clip)) for frame in frames]
        labels: Labels = [
            [(0, box) for box in each] for each in labels_of(options.labels, numbers, options.offset)
        ]
    else:
        labels = pseudo_labels(pictures, spec)
    rows = accuracy(recording, labels, (pictures[0].shape[1], pictures[0].shape[0]))
    print(markdown(rows, COLUMNS))
    print(f"{len(pictures)} frames, {sum(map(len, labels))} objects, {time.process_time() - began:.0f} s")
    if options.save:
        kind = "people" if options.labels else "pseudo"
        command = f"python -m benchmarks.drift.recorded --clip {options.clip.name}"
        more = {"frames": len(pictures), "objects": sum(map(len, labels)), "labels": kind}
        write_json(f"drift-recorded-{name}", rows, command, before, **more)


if __name__ == "__main__":
    main()
