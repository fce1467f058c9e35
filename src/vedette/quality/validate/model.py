"""Which detector it was: a name for people, and a hash by which two runs know that it is the same."""

from __future__ import annotations

import hashlib
import importlib.util
import json
import sys
from pathlib import Path

from vedette.errors import DetectorError
from vedette.infer.load import BUNDLED, DetectorSpec
from vedette.quality.validate.run import Model

__all__ = ["model_of"]


def model_of(spec: DetectorSpec) -> Model:
    """Raises DetectorError where there is no such file."""
    settings = {
        name: str(getattr(spec, name))
        for name in ("head", "classes", "input_size", "iou", "runtime", "device", "normalise", "channels")
        if getattr(spec, name) is not None
    }
    if spec.python is not None:
        return Model(spec.python, _of_python(spec), True, settings)
    path = BUNDLED if spec.model is None else Path(spec.folder) / spec.model
    try:
        with path.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as err:
        raise DetectorError(f"the model file {path} cannot be read: {err.strerror}") from err
    return Model(path.name, digest, False, settings)


def _of_python(spec: DetectorSpec) -> str:
    assert spec.python is not None
    digest = hashlib.sha256(json.dumps(spec.options, sort_keys=True, default=str).encode())
    name = spec.python.partition(":")[0]
    module = sys.modules.get(name)
    origin = getattr(module, "__file__", None)
    if origin is None and (found := importlib.util.find_spec(name)) is not None:
        origin = found.origin
    if origin is not None and Path(origin).is_file():
        digest.update(Path(origin).read_bytes())
    return digest.hexdigest()
