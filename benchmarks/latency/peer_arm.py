"""The peer's arm, in ``.venv-peer``: ``python -m benchmarks.latency.peer_arm --mode auto``."""

from __future__ import annotations

import argparse
import json
import os
import time
from pathlib import Path
from typing import Any

from streamvision.stream.pipeline import InferencePipeline  # type: ignore[import-not-found]  # not in this venv

from benchmarks.barcode import read_index
from benchmarks.latency.log import ResultLog, serve
from benchmarks.latency.pace import Pace
from benchmarks.recorder import say

__all__: list[str] = []


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--cameras", type=int, required=True)
    parser.add_argument("--sent", type=Path, required=True)
    parser.add_argument("--folder", type=Path, required=True)
    parser.add_argument("--pace", type=json.loads, required=True)
    parser.add_argument("--mode", required=True)
    options, _ = parser.parse_known_args()
    log = ResultLog(options.sent, options.folder / "results.bin", options.cameras)
    pace = Pace(**options.pace)

    def detect(frames: list[Any]) -> list[int | None]:
        """It is given one frame of each camera at a time; each costs what it costs ours."""
        found = []
        for frame in frames:
            time.sleep(pace.seconds(time.monotonic()))
            found.append(read_index(frame.image))
        return found

    def on_prediction(predictions: list[int | None], frames: list[Any]) -> None:
        now = time.monotonic()
        for index, frame in zip(predictions, frames, strict=True):
            if frame is not None:
                log.numbered(frame.source_id, index, now)

    pipeline = InferencePipeline.init_with_custom_logic(
        video_reference=[f"rtsp://127.0.0.1:{options.port}/cam{index}" for index in range(options.cameras)],
        on_video_frame=detect,
        on_prediction=on_prediction,
        video_processing_mode=options.mode,
    )
    pipeline.start(use_main_thread=False)
    for _ in serve(log, dict):
        pass
    log.close()
    say("over")
    # Its own terminate() may wait for ever on a full buffer; everything was measured.
    os._exit(0)


if __name__ == "__main__":
    main()
