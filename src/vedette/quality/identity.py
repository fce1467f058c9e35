"""By which two detectors are the same, for those who keep what one of them said.

It is stricter than ``Model.finds_as``, which compares what two of them find in pictures: here runtime and
device count, for what is learnt over days goes by differences that no picture shows.
"""

from __future__ import annotations

import hashlib
import json

import msgspec

from vedette.infer.load import DetectorSpec
from vedette.quality.validate.model import model_of
from vedette.quality.validate.run import Model

__all__ = ["identity", "identity_of"]


def identity_of(spec: bytes, loaded: str = "") -> str:
    """``spec``: a detector's, packed. ``loaded``: what it was made of when it was loaded; without it the
    model is read, which may be large. Raises DetectorError where there is no such file."""
    detector = msgspec.msgpack.decode(spec, type=DetectorSpec)
    # Python's code is not looked at: that would run what is imported on the way.
    return identity(detector, None if detector.python is not None else model_of(detector, loaded))


def identity(detector: DetectorSpec, known: Model | None, *more: object) -> str:
    """A hash, because options may be secrets, and it is written down. ``known``: of its file; None where that
    cannot be known. ``more``: what else makes another one of it."""
    if known is None:
        told = [detector.python or detector.model, sorted(detector.options.items()), *more]
    else:
        told = [known.hash, sorted(known.settings.items()), *more]
    return hashlib.sha256(json.dumps(told, default=str).encode()).hexdigest()
