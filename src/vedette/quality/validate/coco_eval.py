"""COCO's figures and what each box came to, by hotcoco: the only file that knows it.

hotcoco gives what pycocotools gives, to the last digit (held by a test), in a fiftieth of the time. Boxes
that are crowds or difficult are COCO's crowds: found or not, nobody is to blame.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import hotcoco
import numpy as np
from numpy.typing import NDArray

from vedette.quality.labels.dataset import Dataset
from vedette.quality.validate.clusters import clusters_of
from vedette.quality.validate.precision import MOST
from vedette.quality.validate.records import IOUS, Records

__all__ = ["Found", "evaluate", "records_of", "summary"]

_SIZES = ("all", "small", "medium", "large")
_MOST_BOXES = (1, 10, MOST)


@dataclass(frozen=True, slots=True, eq=False)
class Found:
    """What a detector found in one picture: ``xyxy`` float [n, 4] in the picture's pixels, ``score`` [n],
    ``label`` [n], the number of one of the set's labels."""

    xyxy: NDArray[np.floating]
    score: NDArray[np.floating]
    label: NDArray[np.integer]


class Evaluation:
    """A set and what was found in its pictures, in hotcoco's words. Ids are numbers from 1."""

    def __init__(self, dataset: Dataset, found: Sequence[Found]) -> None:
        self._labels = dataset.labels
        self._truth, self._boxes = _truth(dataset), _boxes(found)
        self._count = len(dataset.pictures)

    def run(self, pictures: Iterable[int] | None = None, *, sizes: bool = True) -> Any:
        """hotcoco's evaluation of some pictures (their numbers), or all."""
        found = hotcoco.COCOeval(self._truth, self._truth.load_res(self._boxes), "bbox")
        params = found.params
        if pictures is not None:
            params.img_ids = [number + 1 for number in pictures]
        if not sizes:
            params.area_rng, params.area_rng_lbl = [params.area_rng[0]], ["all"]
            params.max_dets = [MOST]
        found.evaluate()
        found.accumulate()
        return found


def evaluate(
    dataset: Dataset, found: Sequence[Found], groups: Mapping[str, Sequence[int]]
) -> tuple[dict[str, float | None], dict[str, dict[str, float | None]], dict[str, dict[str, float | None]]]:
    """Figures over all, by label, and by group of pictures (numbers). None where there is nothing to find.

    One for each of the pictures in ``found``. Keys as of :func:`summary`.
    """
    evaluation = Evaluation(dataset, found)
    arrays = _arrays(evaluation.run())
    by_label = {label: summary(arrays, [number]) for number, label in enumerate(dataset.labels)}
    by_group = {name: summary(_arrays(evaluation.run(numbers))) for name, numbers in groups.items()}
    return summary(arrays), by_label, by_group


def summary(
    arrays: tuple[NDArray[np.float64], NDArray[np.float64]], labels: Sequence[int] | None = None
) -> dict[str, float | None]:
    """``ap ap50 ap75``, ``ap_small …`` and ``ar1 ar10 ar100``, ``ar_small …``, as COCO's summary has them.

    ``arrays``: precision [T, R, C, A, M] and recall [T, C, A, M], -1 where there is nothing to find.
    """
    precision, recall = arrays
    if labels is not None:
        precision, recall = precision[:, :, labels], recall[:, labels]
    found = {
        "ap": _mean(precision[..., 0, -1]),
        "ap50": _mean(precision[0, ..., 0, -1]),
        "ap75": _mean(precision[IOUS.index(0.75), ..., 0, -1]),
    }
    found |= {f"ar{most}": _mean(recall[..., 0, index]) for index, most in enumerate(_MOST_BOXES)}
    for index, size in enumerate(_SIZES[1:], 1):
        found |= {f"ap_{size}": _mean(precision[..., index, -1]), f"ar_{size}": _mean(recall[..., index, -1])}
    return found


def records_of(dataset: Dataset, found: Sequence[Found], keys: Sequence[str]) -> Records:
    """What each box came to. ``keys``: one for each picture, see :class:`Records`."""
    count, labels = len(dataset.pictures), len(dataset.labels)
    truths = np.zeros((count, labels), np.int32)
    rows: list[tuple[int, int, float, int, int]] = []
    evaluated = Evaluation(dataset, found).run(sizes=False).eval_imgs
    parts = [part for part in evaluated if part is not None]
    for part in sorted(parts, key=lambda part: (part["image_id"], part["category_id"])):
        picture, label = part["image_id"] - 1, part["category_id"] - 1
        truths[picture, label] = len(part["gtIgnore"]) - sum(part["gtIgnore"])
        hits, ignored = _bits(part["dtMatched"]), _bits(part["dtIgnore"])
        rows += zip(
            *([picture] * len(hits), [label] * len(hits), part["dtScores"], hits, ignored), strict=True
        )
    columns: Any = zip(*rows, strict=True) if rows else ((),) * 5
    picture, label, score, hit, ignored = columns
    whole = [np.array(column, np.int32) for column in (picture, label, hit, ignored)]
    return Records(
        tuple(dataset.labels),
        tuple(picture.name for picture in dataset.pictures),
        tuple(keys),
        truths,
        whole[0],
        whole[1],
        np.array(score, np.float64),
        whole[2],
        whole[3],
        clusters_of(dataset.pictures),
    )


def _bits(by_overlap: Sequence[Sequence[bool]]) -> list[int]:
    """[T, D] of yes and no → D masks."""
    if not by_overlap or not by_overlap[0]:
        return []
    table = np.array(by_overlap, np.int64)
    masks: list[int] = (table << np.arange(len(table))[:, None]).sum(axis=0).tolist()
    return masks


def _arrays(evaluated: Any) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    return evaluated.eval["precision"], evaluated.eval["recall"]


def _mean(values: NDArray[np.float64]) -> float | None:
    there = values[values > -1]
    return float(there.mean()) if there.size else None


def _truth(dataset: Dataset) -> Any:
    boxes = [(number, box) for number, picture in enumerate(dataset.pictures, 1) for box in picture.boxes]
    ids = {label: number for number, label in enumerate(dataset.labels, 1)}
    corners = np.array([box.xyxy for _, box in boxes], np.float64).reshape(-1, 4)
    return hotcoco.COCO.from_arrays(
        [
            {"id": number, "width": picture.width, "height": picture.height}
            for number, picture in enumerate(dataset.pictures, 1)
        ],
        [{"id": number, "name": label} for label, number in ids.items()],
        np.array([number for number, _ in boxes], np.int64),
        np.array([ids[box.label] for _, box in boxes], np.int64),
        _extent(corners),
        iscrowd=np.array([box.crowd or box.difficult for _, box in boxes], bool),
    )


def _boxes(found: Sequence[Found]) -> NDArray[np.float64]:
    """[D, 7]: picture, left, top, width, height, score, label."""
    rows = [
        np.column_stack(
            [
                np.full(len(each.score), number),
                _extent(each.xyxy),
                each.score,
                each.label + 1,
            ]
        )
        for number, each in enumerate(found, 1)
    ]
    return np.concatenate([np.zeros((0, 7)), *rows])


def _extent(corners: NDArray[np.floating]) -> NDArray[np.float64]:
    corners = np.asarray(corners, np.float64).reshape(-1, 4)
    return np.concatenate([corners[:, :2], corners[:, 2:] - corners[:, :2]], axis=1)
