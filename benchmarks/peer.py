"""The peer's arm: ``python -m benchmarks.peer`` in ``.venv-peer``, its own pipeline in ``freshest`` mode."""

from __future__ import annotations

import argparse
import os
import time
from pathlib import Path
from typing import Any

from streamvision.stream.pipeline import InferencePipeline  # type: ignore[import-not-found]  # not in this venv

from benchmarks.barcode import read_index
from benchmarks.recorder import Recorder, say

__all__: list[str] = []

SECONDS_PER_FRAME = 0.005


def detect(frames: list[Any]) -> list[int | None]:
    """The same detector as ours: 5 ms for each frame, and the frame's own number."""
    found = []
    for frame in frames:
        time.sleep(SECONDS_PER_FRAME)
        found.append(read_index(frame.image))
    return found


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--cameras", type=int, required=True)
    parser.add_argument("--sent", type=Path, required=True)
    parser.add_argument("--warm-up", type=float, required=True)
    parser.add_argument("--seconds", type=float, required=True)
    parser.add_argument("--buffer", type=int, default=0)
    options = parser.parse_args()
    recorder = Recorder(options.sent, options.cameras)

    def on_prediction(predictions: list[int | None], frames: list[Any]) -> None:
        now = time.monotonic()
        for index, frame in zip(predictions, frames, strict=True):
            if frame is not None:
                recorder.result(frame.source_id, index, now)

    say("start", at=time.monotonic())
    buffer = {"decoding_buffer_size": options.buffer} if options.buffer else {}
    pipeline = InferencePipeline.init_with_custom_logic(
        video_reference=[f"rtsp://127.0.0.1:{options.port}/cam{index}" for index in range(options.cameras)],
        on_video_frame=detect,
        on_prediction=on_prediction,
        video_processing_mode="freshest",
        **buffer,
    )
    say("up", at=time.monotonic())
    pipeline.start(use_main_thread=False)
    recorder.measure(warm_up=options.warm_up, seconds=options.seconds)
    # Its own terminate() may wait for ever on a full buffer; everything was measured.
    os._exit(0)


if __name__ == "__main__":
    main()
