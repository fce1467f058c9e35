"""The labelled set in tests/data/labelled: pictures out of a clip for its labels, and labels out of a review.

    python tools/labelled_frames.py pictures tests/data/labelled/driveway.json CLIP FOLDER
    python tools/labelled_frames.py labels EXPORT.json REVIEW CLIP tests/data/labelled/driveway.json

Labels name frames of a clip by their number, from 0, and the clip by its SHA-256; pictures are not stored.
``pictures`` writes them as PNG, beside a copy of the labels, so that ``vedette validate`` takes the folder.
``labels`` finds out which frame of the clip each reviewed picture of the camera with the clip's name is.
"""

from __future__ import annotations

import io
import shutil
import sys
from collections.abc import Iterator
from dataclasses import replace
from hashlib import sha256
from pathlib import Path

import av
import numpy as np
from PIL import Image

from vedette.quality.labels.dataset import Dataset, Picture
from vedette.quality.labels.formats import read, write

EVERY_NTH_PIXEL = 4
"""Is enough to choose the few frames that are looked at whole."""
CHOSEN = 5
CLEARLY = 1.004
"""So much less must a picture differ from its frame than from the next. JPEG adds 1.5 grey levels to each
and between neighbours in an empty scene only the camera's noise differs."""
KEPT = ("model", "stream", "probability", "reviewer")
"""Of what the review folder knows of a frame."""


def decoded(clip: Path) -> Iterator[np.ndarray]:
    """All frames, uint8 [H, W, 3], RGB."""
    with av.open(str(clip)) as container:
        for frame in container.decode(video=0):
            yield frame.to_ndarray(format="rgb24")


def checksum(clip: Path) -> str:
    return sha256(clip.read_bytes()).hexdigest()


def write_pictures(labels: Path, clip: Path, folder: Path) -> Path:
    """``labels``, copied beside their pictures."""
    dataset = read(labels)
    if checksum(clip) != dataset.attributes["clip"]["sha256"]:
        raise SystemExit(f"{clip}: is not the clip that was labelled")
    folder.mkdir(parents=True, exist_ok=True)
    names = {picture.attributes["frame"]: picture.name for picture in dataset.pictures}
    for number, pixels in enumerate(decoded(clip)):
        if number in names:
            Image.fromarray(pixels).save(folder / names[number], "PNG", compress_level=1)
    return Path(shutil.copy(labels, folder / labels.name))


def labels_of(export: Dataset, review: Path, clip: Path) -> Dataset:
    """Pictures of the clip's camera, named by the number of their frame."""
    mine = [picture for picture in export.pictures if picture.camera == clip.stem]
    shown = [_shown(review / "pictures" / picture.name) for picture in mine]
    numbers = _numbers(shown, clip)
    pictures = sorted(map(_renamed, mine, numbers), key=lambda picture: picture.name)
    about = {"clip": {"name": clip.name, "sha256": checksum(clip), "frames": sum(1 for _ in decoded(clip))}}
    return Dataset(export.labels, tuple(pictures), about)


def _shown(file: Path) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(file.read_bytes())).convert("RGB"))


def _numbers(shown: list[np.ndarray], clip: Path) -> list[int]:
    """Which frame each picture is: the most like it at a few pixels, then at all."""
    some = (slice(None, None, EVERY_NTH_PIXEL),) * 2
    rough = [[_apart(frame[some], picture[some]) for picture in shown] for frame in decoded(clip)]
    chosen = np.argsort(np.array(rough), axis=0)[:CHOSEN].T
    apart: list[dict[int, float]] = [{} for _ in shown]
    for number, frame in enumerate(decoded(clip)):
        for which in np.nonzero((chosen == number).any(axis=1))[0]:
            apart[which][number] = _apart(frame, shown[which])
    for each in apart:
        best, second = sorted(each.values())[:2]
        if second < best * CLEARLY:
            raise SystemExit(f"cannot be told which frame a picture is: {each}")
    return [min(each, key=each.__getitem__) for each in apart]


def _apart(one: np.ndarray, other: np.ndarray) -> float:
    """In grey levels, in the mean."""
    return float(np.abs(one.astype(np.int16) - other).mean())


def _renamed(picture: Picture, number: int) -> Picture:
    """When it was shown to the camera is no time of what is in it."""
    about = {"frame": number} | {key: picture.attributes[key] for key in KEPT}
    return replace(picture, name=f"{picture.camera}_{number:04}.png", captured_at=None, attributes=about)


def main() -> None:
    match sys.argv[1:]:
        case ["pictures", labels, clip, folder]:
            print(write_pictures(Path(labels), Path(clip), Path(folder)))
        case ["labels", export, review, clip, target]:
            write(labels_of(read(Path(export)), Path(review), Path(clip)), Path(target), "coco")
        case _:
            raise SystemExit(__doc__)


if __name__ == "__main__":
    main()
