"""By which two detectors are the same, for those who keep what one of them said."""

from __future__ import annotations

import hashlib
import json

import msgspec

from vedette.infer.load import DetectorSpec
from vedette.quality.validate.model import model_of

__all__ = ["identity_of"]


def identity_of(spec: bytes) -> str:
    """A hash, because options may be secrets, and it is written down. ``spec``: a detector's, packed. Reads
    the model, which may be large. Raises DetectorError where there is no such file."""
    detector = msgspec.msgpack.decode(spec, type=DetectorSpec)
    if detector.python is not None:
        # Its code is not looked at: that would run what is imported on the way.
        told = [detector.python, sorted(detector.options.items())]
    else:
        known = model_of(detector)
        told = [known.hash, sorted(known.settings.items())]
    return hashlib.sha256(json.dumps(told, default=str).encode()).hexdigest()
