"""Which detector it was: a name for people, and a hash by which two runs know that it is the same."""

from __future__ import annotations

from pathlib import Path

from vedette.infer.load import BUNDLED, DetectorSpec
from vedette.infer.made_of import ModelFile, hash_of_python
from vedette.quality.validate.run import Model

__all__ = ["model_of"]


def model_of(spec: DetectorSpec, loaded: str = "") -> Model:
    """``loaded``: what it was made of when it was loaded, as whoever did so says; empty = its file as it is
    now. Raises DetectorError where there is no such file."""
    settings = {
        name: str(getattr(spec, name))
        for name in ("head", "classes", "input_size", "iou", "runtime", "device", "normalise", "channels")
        if getattr(spec, name) is not None
    }
    if spec.precision != "auto":  # else those made before there was a choice would be others
        settings["precision"] = spec.precision
    if spec.python is not None:
        made_of = loaded or hash_of_python(spec.python, spec.options)
        return Model(spec.python, made_of, True, settings)
    path = BUNDLED if spec.model is None else Path(spec.folder) / spec.model
    return Model(path.name, loaded or ModelFile.at(path).hash, False, settings)
