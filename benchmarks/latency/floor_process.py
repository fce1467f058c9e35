"""What the same frames cost with nothing around them, in a process of its own:
``python -m benchmarks.latency.floor_process --clip FILE``. CPU seconds of user and system, all threads."""

from __future__ import annotations

import argparse
import time
from pathlib import Path
from typing import Any

import av
import msgspec
import numpy as np

from benchmarks.recorder import say
from vedette.infer.load import DetectorSpec, NetworkDetector, load_detector

__all__: list[str] = []


def _decode(units: list[bytes], frames: int) -> float:
    """CPU seconds a frame: PyAV, one thread, the clip over and over."""
    context: Any = av.CodecContext.create("h264", "r")
    context.thread_count = 1
    # The first pass warms up.
    for unit in units:
        context.decode(av.Packet(unit))
    pictures = 0
    began = time.process_time()
    while pictures < frames:
        for unit in units:
            pictures += len(context.decode(av.Packet(unit)))
    return (time.process_time() - began) / pictures


def _infer(units: list[bytes], runs: int) -> tuple[float, str]:
    """CPU seconds a picture: the runtime's own call on the network, as many threads as the node gives it."""
    detector = load_detector(DetectorSpec())
    assert isinstance(detector, NetworkDetector)
    height, width = detector.input_size
    context: Any = av.CodecContext.create("h264", "r")
    image = context.decode(av.Packet(units[0]))[0].reformat(width=width, height=height, format="rgb24")
    picture = np.ascontiguousarray(image.to_ndarray()[None])
    for _ in range(10):
        detector._run(picture)
    began = time.process_time()
    for _ in range(runs):
        detector._run(picture)
    return (time.process_time() - began) / runs, detector.describe


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--clip", type=Path, required=True)
    parser.add_argument("--frames", type=int, default=2000)
    parser.add_argument("--runs", type=int, default=300)
    options = parser.parse_args()
    units = msgspec.msgpack.decode(options.clip.read_bytes(), type=list[bytes])
    decode = _decode(units, options.frames)
    infer, describe = _infer(units, options.runs)
    say("floor", decode_s=decode, infer_s=infer, detector=describe)


if __name__ == "__main__":
    main()
