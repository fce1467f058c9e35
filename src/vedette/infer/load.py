"""From a configuration to a detector that is ready to run: one way for models and users' own classes."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import msgspec
import numpy as np

from vedette.errors import DetectorError
from vedette.infer.detector import Boxes, Detector, Images, as_boxes, names_of
from vedette.infer.guess import HEADS, Head, Order, find_head
from vedette.infer.heads import Candidates
from vedette.infer.labels import class_names, coco
from vedette.infer.letterbox import PADDING
from vedette.infer.pixels import Network, Pixels, Run, chunks
from vedette.infer.runtime import open_network
from vedette.infer.suppress import CONFUSABLE, rivals, suppress
from vedette.infer.user import checked_size, load_user_detector

if TYPE_CHECKING:
    import supervision as sv

__all__ = ["BUNDLED", "DEFAULT_SIZE", "DetectorSpec", "LoadedDetector", "load_detector"]

BUNDLED = Path(__file__).parent.parent / "assets" / "picodet_s_416.onnx"

DEFAULT_SIZE = (256, 416)
"""Input (height, width) of networks that take any: 16:9 like most cameras, 1.7 times cheaper than 416²."""


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

    def detect_boxes(self, images: Images) -> list[Boxes]:
        """Exactly one result for each picture [N, H, W, 3]. Raises nothing but DetectorError."""
        ...

    def detect(self, images: Images) -> list[sv.Detections]:
        """The same as ``sv.Detections``."""
        ...

    def warm_up(self) -> None:
        """Run once on a grey picture: the first run is slow, and shows what is broken."""
        ...


class _Loaded:
    """What both kinds of detector do alike."""

    input_size: tuple[int, int]

    def detect_boxes(self, images: Images) -> list[Boxes]:
        raise NotImplementedError

    def detect(self, images: Images) -> list[sv.Detections]:
        return [boxes.to_supervision() for boxes in self.detect_boxes(images)]

    def warm_up(self) -> None:
        self.detect_boxes(np.full((1, *self.input_size, 3), PADDING, np.uint8))


class NetworkDetector(_Loaded):
    """A network with a head that reads it."""

    def __init__(
        self, run: Run, batch: int | None, head: Head, order: Order, spec: DetectorSpec,
        input_size: tuple[int, int], names: tuple[str, ...], describe: str,
    ) -> None:  # fmt: skip
        self._run, self._batch, self._head, self._order = run, batch, head, order
        self._confidence, self._iou = spec.confidence, spec.iou
        self._keys = rivals(names, spec.confusable)
        self.input_size, self.names, self.describe = input_size, names, describe

    def detect_boxes(self, images: Images) -> list[Boxes]:
        if images.shape[1:] != (*self.input_size, 3) or images.dtype != np.uint8:
            wanted = f"uint8 [N, {self.input_size[0]}, {self.input_size[1]}, 3]"
            raise DetectorError(f"pictures must be {wanted}, not {images.dtype} {list(images.shape)}")
        found: list[Boxes] = []
        for part, count in chunks(images, self._batch):
            outputs = self._run(part)
            arrays = [outputs[index] for index in self._order]
            candidates = self._head.read(arrays, self.input_size, self._confidence)
            found += [self._kept(candidate) for candidate in candidates[:count]]
        return found

    def _kept(self, found: Candidates) -> Boxes:
        finite = np.isfinite(found.xyxy).all(axis=1)
        if not finite.all():
            # Half precision overflows now and then; a box without a place is no detection.
            found = Candidates(found.xyxy[finite], found.confidence[finite], found.class_id[finite])
        keep = suppress(found.xyxy, found.confidence, found.class_id, self._iou, self._keys)
        class_id = found.class_id[keep]
        return Boxes(found.xyxy[keep], found.confidence[keep], class_id, names_of(class_id, self.names))


class UserDetector(_Loaded):
    """A user's detector, whose results are checked and whose exceptions end here."""

    def __init__(self, detector: Detector, python: str, names: tuple[str, ...]) -> None:
        self._detector, self._python = detector, python
        self.input_size, self.names = checked_size(detector.input_size), names
        self.describe = f"{python} · {self.input_size[0]}x{self.input_size[1]}"

    def detect_boxes(self, images: Images) -> list[Boxes]:
        try:
            result = self._detector.detect(images)
        except (Exception, SystemExit) as err:  # whatever it is, it is theirs
            raise DetectorError(f"{self._python} raised {type(err).__name__}: {err}") from err
        try:
            return as_boxes(result, len(images), self.names)
        except DetectorError as err:
            raise DetectorError(f"{self._python}: {err}") from err
        except (Exception, SystemExit) as err:
            what = f"what detect() returned cannot be read: {type(err).__name__}: {err}"
            raise DetectorError(f"{self._python}: {what}") from err


def load_detector(spec: DetectorSpec) -> LoadedDetector:
    """Build what ``spec`` says. Raises DetectorError, with one clear message, where it cannot be."""
    if spec.model is not None and spec.python is not None:
        raise DetectorError("a detector is either a model or python, not both")
    if spec.python is not None:
        detector = load_user_detector(spec.python, spec.options, spec.folder)
        return UserDetector(detector, spec.python, class_names(spec.classes, spec.folder))
    return _load_network(spec)


def _load_network(spec: DetectorSpec) -> NetworkDetector:
    path = BUNDLED if spec.model is None else Path(spec.folder) / spec.model
    if not path.is_file():
        raise DetectorError(f"there is no model file {path}")
    if spec.head != "auto" and spec.head not in HEADS:
        raise DetectorError(f"there is no output head {spec.head!r}; there are: auto, {', '.join(HEADS)}")
    network = open_network(path, spec.runtime, spec.device, spec.threads)
    size = network.picture.sized(spec.input_size, DEFAULT_SIZE)
    if spec.model is None and (size[0] % 32 or size[1] % 32):
        raise DetectorError(f"input_size {size[0]}x{size[1]}: the bundled detector takes multiples of 32")
    outputs = network.outputs_at(size)
    head, order = find_head(spec.head, outputs, network.inputs, size)
    run, batch = network.compile(_pixels(spec, network, head), size)
    if len(outputs[order[0]].shape) == 2:  # [M, 4]: no batch axis, so one picture at a time
        batch = 1
    bundled_names = coco() if spec.model is None and spec.classes is None else None
    names = bundled_names or class_names(spec.classes, spec.folder, network.metadata)
    describe = f"{path.stem} · {network.where} · {size[0]}x{size[1]}"
    return NetworkDetector(run, batch, head, order, spec, size, names, describe)


def _pixels(spec: DetectorSpec, network: Network, head: Head) -> Pixels:
    if network.picture.dtype != "uint8":
        return head.pixels.changed(spec.normalise, spec.channels)
    if spec.normalise:
        raise DetectorError("normalise is set, but the model takes uint8 pixels and normalises them itself")
    return Pixels().changed(None, spec.channels)
