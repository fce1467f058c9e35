"""Detectors written by users: ``python: "package.module:Class"``."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from vedette.errors import DetectorError
from vedette.infer.detector import Detector

__all__ = ["checked_size", "load_user_detector"]


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
    try:
        checked_size(detector.input_size)
    except AttributeError as err:
        raise DetectorError(f"{python} has no input_size; it must be (height, width) in pixels") from err
    except ValueError as err:
        raise DetectorError(f"{python}: {err}") from err
    if not callable(getattr(detector, "detect", None)):
        raise DetectorError(f"{python} has no method detect(images)")
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
