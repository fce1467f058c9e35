"""Imported by every Python process that has this folder in ``PYTHONPATH``: makes workers fail, for real.

Workers look for files in the folder that ``CRASHING`` names. What is in decoders happens only to cameras
whose pictures are ``DEADLY`` pixels wide; what is said to happen once takes its file away.
"""

from __future__ import annotations

import os
import signal
import sys
import time
from pathlib import Path
from typing import Any

DEADLY = 192


def asked_for(what: str, *, once: bool) -> bool:
    path = Path(os.environ["CRASHING"]) / what
    if not path.exists():
        return False
    if once:
        path.unlink()
    return True


def crash() -> None:
    if asked_for("segfault", once=False) or asked_for("segfault-once", once=True):
        os.kill(os.getpid(), signal.SIGSEGV)
    if asked_for("memory", once=True):
        raise MemoryError
    if asked_for("hang", once=True):
        time.sleep(1e6)


def in_decoders() -> None:
    from vedette.ingest.decode import Decoder

    decode = Decoder.decode

    def decode_or_crash(self: Decoder, *arguments: Any) -> Any:
        pictures = decode(self, *arguments)
        if any(picture.width == DEADLY for picture in pictures):
            crash()
        return pictures

    Decoder.decode = decode_or_crash  # type: ignore[method-assign]


def in_detectors() -> None:
    from vedette.testing import FakeDetector

    detect = FakeDetector.detect

    def detect_or_crash(self: FakeDetector, images: Any) -> Any:
        if asked_for("detector-memory", once=True):
            raise MemoryError
        if asked_for("detector-hang", once=True):
            time.sleep(1e6)
        return detect(self, images)

    FakeDetector.detect = detect_or_crash  # type: ignore[method-assign]


if "CRASHING" in os.environ and "vedette.workers" in sys.orig_argv:
    if "camera" in sys.orig_argv:
        in_decoders()
    else:
        in_detectors()
