"""Sets that lie in a folder: pictures as files, labels as COCO."""

from __future__ import annotations

import io
import json
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

import av
import numpy as np
from PIL import Image

from vedette.ingest.convert import Converter

CLIP = Path(__file__).parents[3] / "src/vedette/assets/driveway.mov"
FIRST_CAR, CARS = 300, 20

SQUARES = """
import numpy as np
import supervision as sv

class Squares:
    \"\"\"Finds what is brighter than the background: a box around it, as sure as it is bright.\"\"\"
    input_size = (96, 160)

    def __init__(self, threshold=0.1, shift=0, blind=False, names=("square",)):
        self.threshold, self.shift, self.blind, self.names = threshold, shift, blind, names

    def detect(self, images):
        return [self.one(image) for image in images]

    def one(self, image):
        grey = image[:, :, 1].astype(int)
        ys, xs = np.nonzero(grey > 130)
        if self.blind or not len(ys):
            return sv.Detections.empty()
        sure = grey[ys, xs].max() / 255
        if sure < self.threshold:
            return sv.Detections.empty()
        box = np.array([[xs.min(), ys.min(), xs.max() + 1, ys.max() + 1]], float) + self.shift
        names = np.array([self.names[0]])
        return sv.Detections(
            xyxy=box, confidence=np.array([sure]), class_id=np.array([0]), data={"class_name": names}
        )
"""


def png(pixels: np.ndarray) -> bytes:
    data = io.BytesIO()
    Image.fromarray(pixels).save(data, "PNG")
    return data.getvalue()


def jpeg(pixels: np.ndarray, quality: int = 90, subsampling: int = 2) -> bytes:
    data = io.BytesIO()
    Image.fromarray(pixels).save(data, "JPEG", quality=quality, subsampling=subsampling)
    return data.getvalue()


def square(number: int, brightness: int | None = None) -> tuple[np.ndarray, list[float]]:
    """A grey picture of 320×192 with a bright square, and the square's left, top, width and height."""
    rng = np.random.default_rng(number)
    pixels = np.full((192, 320, 3), 60, np.uint8)
    left, top = (int(value) * 2 for value in rng.integers(5, 60, 2))
    side = int(rng.integers(10, 30)) * 2
    pixels[top : top + side, left : left + side] = brightness or int(rng.integers(180, 255))
    height = min(side, 192 - top)
    return pixels, [left, top, side, height]


def squares(folder: Path, count: int = 24, label: str = "square", **more: Any) -> Path:
    """A set of squares, and the detector that finds them as ``squares:Squares``."""
    (folder / "squares.py").write_text(SQUARES)
    pictures = [square(number) for number in range(count)]
    return written(
        folder,
        [(f"{number:03}.png", png(pixels), [(label, box)]) for number, (pixels, box) in enumerate(pictures)],
        **more,
    )


def written(
    folder: Path,
    pictures: Sequence[tuple[str, bytes, Sequence[tuple[str, Sequence[float]]]]],
    *,
    name: str = "set.json",
    labels: Sequence[str] = (),
    lights: Sequence[str] = (),
) -> Path:
    """``pictures``: name, file, and label with left, top, width, height of each object."""
    labels = [*dict.fromkeys([*labels, *(label for _, _, boxes in pictures for label, _ in boxes)])]
    images, annotations = [], []
    for number, (file, data, boxes) in enumerate(pictures, 1):
        (folder / file).write_bytes(data)
        width, height = Image.open(io.BytesIO(data)).size
        images.append({"id": number, "file_name": file, "width": width, "height": height})
        if lights:
            images[-1]["light"] = lights[number % len(lights)]
        for label, box in boxes:
            place = {"image_id": number, "category_id": labels.index(label), "bbox": list(box), "iscrowd": 0}
            annotations.append({"id": len(annotations) + 1, **place})
    path = folder / name
    categories = [{"id": number, "name": label} for number, label in enumerate(labels)]
    path.write_text(json.dumps({"images": images, "annotations": annotations, "categories": categories}))
    return path


@lru_cache(maxsize=1)
def cars() -> tuple[np.ndarray, ...]:
    """RGB pictures of the bundled clip, in each of which the bundled model is sure of one car."""
    converter, found = Converter(), []
    with av.open(str(CLIP)) as container:
        for number, frame in enumerate(container.decode(video=0)):
            if number >= FIRST_CAR and number % 25 == 0:
                found.append(converter.to_rgb(frame))
            if len(found) == CARS:
                return tuple(found)
    raise AssertionError("the clip is not that long")
