"""From a configuration to a detector that is ready to run: one way for models and users' own classes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING, Any, Protocol

import msgspec
import numpy as np
from numpy.typing import NDArray

from vedette.errors import DetectorError
from vedette.infer.detector import WEAK_FROM, Boxes, Images, Loaded, Weak, names_of, no_such_size
from vedette.infer.guess import HEADS, Head, Order, find_head
from vedette.infer.heads import Candidates
from vedette.infer.labels import class_names, coco
from vedette.infer.made_of import ModelFile, hash_of_python, must_be
from vedette.infer.pixels import USUAL_STRIDE, Network, Pixels, chunks
from vedette.infer.runtime import open_network
from vedette.infer.suppress import CONFUSABLE, rivals, suppress
from vedette.infer.user import UserDetector, load_user_detector

if TYPE_CHECKING:
    import supervision as sv

__all__ = ["BUNDLED", "DEFAULT_SIZE", "DetectorSpec", "LoadedDetector", "load_detector"]

BUNDLED = Path(__file__).parent.parent / "assets" / "picodet_s_416.onnx"

DEFAULT_SIZE = (256, 416)
"""Input (height, width) of networks that take any: 16:9 like most cameras, 1.7 times cheaper than 416²."""


LOADS_AT_MOST = 3
"""Of a file that is written to meanwhile."""


class DetectorSpec(msgspec.Struct, frozen=True, kw_only=True):
    """Everything needed to build a detector, in another process too. Without ``model`` and ``python``: the
    bundled one. ``folder`` is what paths and modules are relative to."""

    model: str | None = None
    python: str | None = None
    options: dict[str, Any] = {}
    head: str = "auto"
    classes: list[str] | str | None = None
    input_size: tuple[int, int] | None = None
    confidence: float = 0.4
    iou: float = 0.6
    runtime: str = "auto"
    device: str = "auto"
    threads: int | None = None
    precision: str = "auto"
    normalise: dict[str, Any] | None = None
    channels: str | None = None
    folder: str = "."
    confusable: tuple[tuple[str, ...], ...] = CONFUSABLE


class LoadedDetector(Protocol):
    """What the inference worker works with."""

    @property
    def input_size(self) -> tuple[int, int]:
        """(height, width) of the pictures it takes."""
        ...

    @property
    def names(self) -> tuple[str, ...]:
        """Class names by id; empty where only the detector knows them."""
        ...

    @property
    def describe(self) -> str:
        """For logs: ``picodet_s_416 · openvino · cpu · 256x416``."""
        ...

    @property
    def smaller(self) -> tuple[tuple[int, int], ...]:
        """Sizes (height, width) it may be shrunk to, largest first; empty where it has but one."""
        ...

    @property
    def made_of(self) -> str:
        """A hash of the very bytes that it was loaded from; of one written in Python, of its module and
        options."""
        ...

    @property
    def precision(self) -> str:
        """In which its network computes: ``f32``, ``bf16``…; empty where that is not known."""
        ...

    @property
    def post_s(self) -> float:
        """Seconds of the last call of ``detect_boxes`` that were spent after the network."""
        ...

    def resized(self, size: tuple[int, int]) -> LoadedDetector:
        """The same detector for pictures of another size: one of ``smaller``, or where this one is smaller,
        of those above it. It stands by itself: this one goes on working, in another thread too.
        Raises DetectorError where it cannot be made."""
        ...

    def detect_boxes(self, images: Images, weak: Sequence[bool] = ()) -> list[Boxes]:
        """Exactly one result for each picture [N, H, W, 3]. ``weak``: for each picture whether its weak boxes
        are wanted, too; empty = of none. Raises nothing but DetectorError."""
        ...

    def detect(self, images: Images) -> list[sv.Detections]:
        """The same as ``sv.Detections``."""
        ...

    def warm_up(self) -> None:
        """Run once on a grey picture: the first run is slow, and shows what is broken."""
        ...


@dataclass(frozen=True, slots=True, eq=False)
class _Opened:
    """A network, from which detectors for each of its sizes are made. ``sizes``: the full one first.
    ``made_of``: a hash of its file."""

    network: Network
    spec: DetectorSpec
    stem: str
    names: tuple[str, ...]
    head: Head
    sizes: tuple[tuple[int, int], ...]
    made_of: str

    def outputs_at(self, size: tuple[int, int]) -> tuple[Order, bool]:
        """Which outputs the head reads at this size, and if they have a batch axis. Raises DetectorError."""
        outputs = self.network.outputs_at(size)
        _, order = find_head(self.head.name, outputs, self.network.inputs, size)
        return order, len(outputs[order[0]].shape) > 2

    def with_smaller(self) -> _Opened:
        """With the smaller sizes that the network takes."""
        stride = self.network.metadata.get("stride", "")
        wanted = self.network.picture.smaller(
            self.sizes[0], int(stride) if stride.isdecimal() and int(stride) else USUAL_STRIDE
        )
        return replace(self, sizes=(self.sizes[0], *(size for size in wanted if self._takes(size))))

    def _takes(self, size: tuple[int, int]) -> bool:
        try:
            self.outputs_at(size)
        except DetectorError:
            return False
        return True


class NetworkDetector(Loaded):
    """A network with a head that reads it."""

    def __init__(self, opened: _Opened, size: tuple[int, int]) -> None:
        self._opened, spec = opened, opened.spec
        self._confidence, self._iou = spec.confidence, spec.iou
        self._head, (self._order, batch_axis) = opened.head, opened.outputs_at(size)
        self._run, batch = opened.network.compile(_pixels(spec, opened.network, opened.head), size)
        self._batch = batch if batch_axis else 1  # [M, 4] is no batch: one picture at a time
        self._keys = rivals(opened.names, spec.confusable)
        self.input_size, self.names = size, opened.names
        self.smaller = opened.sizes[opened.sizes.index(size) + 1 :]
        self.describe = f"{opened.stem} · {opened.network.where} · {size[0]}x{size[1]}"
        self.made_of, self.precision = opened.made_of, opened.network.precision

    def resized(self, size: tuple[int, int]) -> LoadedDetector:
        if size not in self._opened.sizes:
            raise DetectorError(no_such_size(self._opened.stem, size, self._opened.sizes))
        return self if size == self.input_size else NetworkDetector(self._opened, size)

    def detect_boxes(self, images: Images, weak: Sequence[bool] = ()) -> list[Boxes]:
        self.post_s = 0.0
        if images.shape[1:] != (*self.input_size, 3) or images.dtype != np.uint8:
            wanted = f"uint8 [N, {self.input_size[0]}, {self.input_size[1]}, 3]"
            raise DetectorError(f"pictures must be {wanted}, not {images.dtype} {list(images.shape)}")
        found: list[Boxes] = []
        for part, count in chunks(images, self._batch):
            outputs = self._run(part)
            began = perf_counter()
            arrays = [outputs[index] for index in self._order]
            asked = [bool(each) for each in weak[len(found) : len(found) + count]] or [False] * count
            floor = min(WEAK_FROM, self._confidence) if any(asked) else self._confidence
            candidates = self._head.read(arrays, self.input_size, floor)
            if not any(asked):
                found += [self._kept(each) for each in candidates[:count]]
            else:
                found += [self._with_weak(*each) for each in zip(candidates[:count], asked, strict=True)]
            self.post_s += perf_counter() - began
        return found

    def _with_weak(self, found: Candidates, weak: bool) -> Boxes:
        """``weak``: with those below the threshold, which are among them. The others are the same either way:
        suppression goes from the most confident one down."""
        if not weak:
            return self._kept(_part(found, np.asarray(found.confidence >= self._confidence)))
        kept = self._standing(found)
        sure = int((kept.confidence >= self._confidence).sum())  # the most confident come first
        class_id = kept.class_id[:sure]
        return Boxes(
            kept.xyxy[:sure],
            kept.confidence[:sure],
            class_id,
            names_of(class_id, self.names),
            Weak(kept.xyxy[sure:], kept.confidence[sure:], kept.class_id[sure:]),
        )

    def _kept(self, found: Candidates) -> Boxes:
        kept = self._standing(found)
        return Boxes(kept.xyxy, kept.confidence, kept.class_id, names_of(kept.class_id, self.names))

    def _standing(self, found: Candidates) -> Candidates:
        """What suppression leaves, the most confident first."""
        finite = np.isfinite(found.xyxy)
        if not finite.all():
            # Half precision overflows now and then; a box without a place is no detection.
            found = _part(found, np.asarray(finite.all(axis=1)))
        keep = suppress(found.xyxy, found.confidence, found.class_id, self._iou, self._keys)
        return Candidates(
            found.xyxy.take(keep, axis=0), found.confidence.take(keep), found.class_id.take(keep)
        )


def _part(found: Candidates, which: NDArray[np.bool_]) -> Candidates:
    return Candidates(found.xyxy[which], found.confidence[which], found.class_id[which])


def load_detector(spec: DetectorSpec, judged: str = "") -> LoadedDetector:
    """Build what ``spec`` says. ``judged``: what it must be made of, see ``made_of``; empty = whatever is
    there. Raises DetectorError, with one clear message, where it cannot be."""
    if spec.model is not None and spec.python is not None:
        raise DetectorError("a detector is either a model or python, not both")
    if spec.python is not None:
        detector = load_user_detector(spec.python, spec.options, spec.folder)
        made_of = hash_of_python(spec.python, spec.options)
        must_be(spec.python, made_of, judged)
        return UserDetector(detector, spec.python, class_names(spec.classes, spec.folder), made_of=made_of)
    return _load_file(spec, judged)


def _load_file(spec: DetectorSpec, judged: str) -> NetworkDetector:
    """What it says it was loaded from is what it was loaded from: whoever is disturbed begins again."""
    path = BUNDLED if spec.model is None else Path(spec.folder) / spec.model
    if not path.is_file():
        raise DetectorError(f"there is no model file {path}")
    for _ in range(LOADS_AT_MOST):
        file = ModelFile.at(path)
        must_be(path.name, file.hash, judged)
        detector = _load_network(spec, file)
        if file.untouched:
            return detector
    raise DetectorError(f"{path} was written to while it was loaded, {LOADS_AT_MOST} times")


def _load_network(spec: DetectorSpec, file: ModelFile) -> NetworkDetector:
    path = file.path
    if spec.head != "auto" and spec.head not in HEADS:
        raise DetectorError(f"there is no output head {spec.head!r}; there are: auto, {', '.join(HEADS)}")
    network = open_network(path, spec.runtime, spec.device, spec.threads, spec.precision)
    size = network.picture.sized(spec.input_size, DEFAULT_SIZE)
    if spec.model is None and (size[0] % USUAL_STRIDE or size[1] % USUAL_STRIDE):
        wanted = f"the bundled detector takes multiples of {USUAL_STRIDE}"
        raise DetectorError(f"input_size {size[0]}x{size[1]}: {wanted}")
    head, _ = find_head(spec.head, network.outputs_at(size), network.inputs, size)
    bundled_names = coco() if spec.model is None and spec.classes is None else None
    names = bundled_names or class_names(spec.classes, spec.folder, network.metadata)
    opened = _Opened(network, spec, path.stem, names, head, (size,), file.hash)
    return NetworkDetector(opened.with_smaller(), size)


def _pixels(spec: DetectorSpec, network: Network, head: Head) -> Pixels:
    if network.picture.dtype != "uint8":
        return head.pixels.changed(spec.normalise, spec.channels)
    if spec.normalise:
        raise DetectorError("normalise is set, but the model takes uint8 pixels and normalises them itself")
    return Pixels().changed(None, spec.channels)
