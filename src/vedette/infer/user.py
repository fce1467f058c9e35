"""Detectors written by users: ``python: "package.module:Class"``."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Mapping, Sequence
from itertools import pairwise
from pathlib import Path
from time import perf_counter
from typing import Any

from vedette.errors import DetectorError
from vedette.infer.detector import Boxes, Detector, Images, Loaded, as_boxes, no_such_size

__all__ = ["UserDetector", "load_user_detector"]


class UserDetector(Loaded):
    """A user's detector, whose results are checked and whose exceptions end here."""

    def __init__(
        self,
        detector: Detector,
        python: str,
        names: tuple[str, ...],
        full: Detector | None = None,
        *,
        made_of: str = "",
    ) -> None:
        """``full``: the one whose ``resized`` made this one; None where this is the full size. ``made_of``: a
        hash of its module and options."""
        self._detector, self._python, self._full = detector, python, full or detector
        self.input_size, self.names = checked_size(detector.input_size), names
        self._sizes = (checked_size(self._full.input_size), *_smaller(self._full, python))
        self.smaller = self._sizes[self._sizes.index(self.input_size) + 1 :]
        self.describe = f"{python} · {self.input_size[0]}x{self.input_size[1]}"
        self.made_of = made_of

    def resized(self, size: tuple[int, int]) -> UserDetector:
        if size not in self._sizes:
            raise DetectorError(no_such_size(self._python, size, self._sizes))
        if size == self.input_size:
            return self
        detector = self._full if size == self._sizes[0] else _resized(self._full, size, self._python)
        return UserDetector(detector, self._python, self.names, self._full, made_of=self.made_of)

    def detect_boxes(self, images: Images, weak: Sequence[bool] = ()) -> list[Boxes]:
        """What it finds is what it is sure of: of weak boxes nothing is known."""
        self.post_s = 0.0
        try:
            result = self._detector.detect(images)
        except MemoryError:
            raise  # not a mistake of theirs that costs a picture: the process is at its end
        except (Exception, SystemExit) as err:  # whatever it is, it is theirs
            raise DetectorError(f"{self._python} raised {type(err).__name__}: {err}") from err
        began = perf_counter()
        try:
            return as_boxes(result, len(images), self.names)
        except DetectorError as err:
            raise DetectorError(f"{self._python}: {err}") from err
        except (Exception, SystemExit) as err:
            what = f"what detect() returned cannot be read: {type(err).__name__}: {err}"
            raise DetectorError(f"{self._python}: {what}") from err
        finally:
            self.post_s = perf_counter() - began


def load_user_detector(python: str, options: Mapping[str, Any], folder: str | Path | None = None) -> Detector:
    """Import ``package.module:Class`` and construct it with ``options`` as keyword arguments.

    ``folder`` (that of the config file) becomes importable and stays so, because the detector may import
    more later. Raises DetectorError where there is no such module or class, where importing or
    constructing raises, and where the object has no ``input_size`` or ``detect``.
    """
    module_name, _, class_name = python.partition(":")
    if not module_name or not class_name:
        raise DetectorError(f'detector python: {python!r} must read "package.module:Class"')
    if folder is not None and str(Path(folder).resolve()) not in sys.path:
        sys.path.insert(0, str(Path(folder).resolve()))
    detector_class = _find(python, module_name, class_name)
    try:
        detector = detector_class(**options)
    except Exception as err:
        raise DetectorError(f"{python} could not be constructed: {type(err).__name__}: {err}") from err
    _check(detector, python)
    return detector  # type: ignore[no-any-return]


def checked_size(size: Any) -> tuple[int, int]:
    """(height, width) as whole numbers above 0. Raises ValueError for anything else."""
    try:
        height, width = (int(length) for length in size)
        if (height, width) == tuple(size) and height > 0 and width > 0:
            return height, width
    except (TypeError, ValueError):
        pass
    raise ValueError(f"input_size must be (height, width) in whole pixels above 0, not {size!r}")


def _smaller(detector: Detector, python: str) -> list[tuple[int, int]]:
    """The sizes that a user's detector offers besides its own. Raises DetectorError for what is no offer."""
    offered = getattr(detector, "smaller", None)
    if offered is None:
        return []
    try:
        sizes = [checked_size(size) for size in offered]
    except (TypeError, ValueError) as err:
        raise DetectorError(f"{python}: smaller must list sizes (height, width): {err}") from err
    areas = [height * width for height, width in (checked_size(detector.input_size), *sizes)]
    if any(area <= next_area for area, next_area in pairwise(areas)):
        raise DetectorError(f"{python}: smaller must list sizes below its own, largest first, not {sizes}")
    if sizes and not callable(getattr(detector, "resized", None)):
        raise DetectorError(f"{python} has smaller sizes but no method resized(size)")
    return sizes


def _resized(detector: Any, size: tuple[int, int], python: str) -> Detector:
    where = f"{python}: resized({size})"
    try:
        made: Detector = detector.resized(size)
    except (Exception, SystemExit) as err:  # whatever it is, it is theirs
        raise DetectorError(f"{where} raised {type(err).__name__}: {err}") from err
    _check(made, where)
    if checked_size(made.input_size) != size:
        raise DetectorError(f"{where} returned a detector whose input_size is {made.input_size}")
    return made


def _check(detector: Any, python: str) -> None:
    """Raises DetectorError where it has no ``input_size`` or ``detect``."""
    try:
        checked_size(detector.input_size)
    except AttributeError as err:
        raise DetectorError(f"{python} has no input_size; it must be (height, width) in pixels") from err
    except ValueError as err:
        raise DetectorError(f"{python}: {err}") from err
    if not callable(getattr(detector, "detect", None)):
        raise DetectorError(f"{python} has no method detect(images)")


def _find(python: str, module_name: str, class_name: str) -> Any:
    try:
        module = importlib.import_module(module_name)
    except ModuleNotFoundError as err:
        if err.name and (module_name == err.name or module_name.startswith(f"{err.name}.")):
            raise DetectorError(f"{python}: there is no module {err.name!r}") from err
        raise DetectorError(f"{python}: module {module_name!r} needs {err.name!r}, not installed") from err
    except Exception as err:
        raise DetectorError(f"{python}: importing raised {type(err).__name__}: {err}") from err
    found: Any = module
    for part in class_name.split("."):
        found = getattr(found, part, None)
    if not callable(found):
        raise DetectorError(f"{python}: module {module_name!r} has no class {class_name!r}")
    return found
