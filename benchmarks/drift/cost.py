"""``python -m benchmarks.drift.cost``: what drift costs a box, a window, a camera."""

from __future__ import annotations

import argparse
import tempfile
import time
from pathlib import Path

import msgspec
import numpy as np

from benchmarks.streams.clips import decoded
from vedette.account import Kept
from vedette.clock import SystemClock
from vedette.infer.detector import Boxes
from vedette.infer.letterbox import fit
from vedette.infer.load import DetectorSpec, load_detector
from vedette.ingest.convert import Converter
from vedette.pipeline import found_of
from vedette.quality.drift.baseline import Baseline
from vedette.quality.drift.bets import BETS
from vedette.quality.drift.evidence import CHAINS, Evidence
from vedette.quality.drift.measured import LEARNT, MEASURES, SIDES
from vedette.quality.drift.moments import Moments
from vedette.quality.drift.norms import Care, norms_of
from vedette.quality.drift.scores import Scores
from vedette.quality.drift.settings import Settings
from vedette.quality.drift.windows import WINDOW_S, Observer, Picture, Window
from vedette.quality.watch import DriftWatch
from vedette.sim.clip import bundled_clip
from vedette.workers import protocol
from vedette.workers.studied import studied_of

__all__ = ["a_box", "a_studied_frame", "an_update", "learning", "state_at_most"]


def a_box(boxes: int, fps: int, windows: int = 200) -> float:
    """Microseconds a box, all in: frames are fed, looked at once a second, and windows closed."""
    rng = np.random.default_rng(1)
    frames = [
        (rng.uniform(0.05, 1, boxes).astype(np.float32), rng.integers(0, 20, boxes).astype(np.int32),
         rng.uniform(1e-4, 0.2, boxes).astype(np.float32))
        for _ in range(50)
    ]  # fmt: skip
    observer = Observer(Scores())
    began = time.process_time()
    for window in range(windows):
        for frame in range(round(fps * WINDOW_S)):
            at = window * WINDOW_S + frame / fps
            observer.frame(at, *frames[frame % 50])
            if frame % fps == 0:
                observer.look(at, Picture(120.0, 40.0, 0.5, 0.9, False))
        observer.close(window)
    return (time.process_time() - began) * 1e6 / (windows * round(fps * WINDOW_S) * boxes)


def an_update(cameras: int, steps: int = 60) -> tuple[float, float]:
    """Microseconds a camera and window of the sequential test; nanoseconds for each bet of each chain due."""
    rng = np.random.default_rng(2)
    evidence = Evidence(cameras)
    moments = Moments()
    for measure in range(LEARNT):
        moments.add(measure, rng.normal(0.5, 0.05, 8640), np.zeros(0), np.full(8640, 10.0))
    norms = norms_of({0: moments}, Care())
    for camera in range(cameras):
        evidence.judge(camera, norms)
    rows, lights = np.arange(cameras), np.zeros(cameras, np.int8)
    values, counts = rng.normal(0.5, 0.05, (steps, cameras, LEARNT)), np.full((cameras, LEARNT), 10.0)
    began = time.process_time()
    for step in range(steps):
        evidence.step(rows, lights, values[step], counts, step)
        evidence.evidence(rows)
    took = (time.process_time() - began) / (steps * cameras)
    return took * 1e6, took * 1e9 / (SIDES * len(BETS))


def learning(windows: int = 5000) -> float:
    """Microseconds a window, while learning."""
    rng = np.random.default_rng(3)
    baseline = Baseline("model", windows + 1)
    values = np.clip(rng.normal(0.5, 0.05, (windows, MEASURES)), 0, 1)
    counts = np.full(MEASURES, 10.0)
    began = time.process_time()
    for number in range(windows):
        baseline.take(Window(number, 0, 0, values[number], counts))
    return (time.process_time() - began) * 1e6 / windows


def state_at_most() -> dict[str, int]:
    """Bytes of numpy arrays of a camera that saw all lights, and more classes than there is room for."""
    rng = np.random.default_rng(4)
    observer, baseline = Observer(Scores()), Baseline("model", 10**9)
    for light in range(9):
        for number in range(70):
            values = np.clip(rng.normal(0.5, 0.05, MEASURES), 0, 1)
            baseline.take(Window(light * 1000 + number, light, 0, values, np.full(MEASURES, 10.0)))
        some = np.arange(200, dtype=np.int32)
        share = np.full(200, 0.5, np.float32)
        observer.scores.add(light, 0, share, some, share, np.array([200]))
    parts = {
        "scores and windows": observer.nbytes,
        "baseline": baseline.nbytes,
        "evidence": Evidence(1).nbytes,
    }
    return parts | {"in all": sum(parts.values())}


def a_studied_frame(clip: Path, frames: int = 20, times: int = 15) -> dict[str, float]:
    """Microseconds that a frame costs more because it is studied, after the network; weak boxes a frame.

    ``after the network``: from candidates to boxes. ``messages``: from the detector to the camera's worker
    and on to the node, packed and unpacked. ``camera's worker``: sure and weak boxes put together, without
    review. ``watch``: the node's thread, with its share of closing windows.
    """
    detector = load_detector(DetectorSpec(device="cpu", threads=1))
    pictures = np.stack([_input(image, detector.input_size) for image in _some(clip, frames)])
    took: dict[bool, list[float]] = {False: [], True: []}
    found: list[Boxes] = []
    for _ in range(times):
        for picture in pictures:
            for asked in (False, True):
                [boxes] = detector.detect_boxes(picture[None], [asked])
                took[asked].append(detector.post_s * 1e6)
                found += [boxes] if asked else []
    # Wall-clock time: what is below nine tenths of it is what it takes where nobody else wants the processor.
    usual, studied = (float(np.quantile(took[asked], 0.1)) for asked in (False, True))
    weak = float(np.mean([len(each.weak.confidence) for each in found if each.weak is not None]))
    kept = found[: len(pictures)]
    return {
        "weak boxes": weak,
        "a usual frame, after the network": usual,
        "a studied one, more": studied - usual,
        "messages, more": _messages(kept),
        "camera's worker": _put_together(kept, detector.input_size),
        "watch": _watched(kept),
    }


def _some(clip: Path, frames: int) -> list[object]:
    every = list(decoded(clip, 2.0))
    return every[:: max(1, len(every) // frames)][:frames]


def _input(image: object, size: tuple[int, int]) -> np.ndarray:
    target = np.zeros((*size, 3), np.uint8)
    Converter().into(image, target, fit((image.height, image.width), size))  # type: ignore[attr-defined]
    return target


def _packed(boxes: Boxes) -> dict[str, bytes]:
    return {name: getattr(boxes, name).tobytes() for name in ("xyxy", "confidence", "class_id")}


def _messages(found: list[Boxes], times: int = 200) -> float:
    """Of :class:`~vedette.workers.protocol.Done` with and without weak boxes, and ``Studied``."""
    seen = protocol.Seen(120.0, 40.0, 0.5, 0.9, False)
    packer = msgspec.msgpack.Encoder()
    unpacker = msgspec.msgpack.Decoder(protocol.Done | protocol.Studied)
    took = []
    for with_weak in (False, True):
        began = time.process_time()
        for _ in range(times):
            for boxes in found:
                assert boxes.weak is not None
                weak = protocol.Weak(**_packed(boxes.weak)) if with_weak else None  # type: ignore[arg-type]
                done = protocol.Done(1, 0, names=list(boxes.class_name), weak=weak, **_packed(boxes))
                unpacker.decode(packer.encode(done))
                if with_weak:
                    confidence = np.concatenate([boxes.confidence, boxes.weak.confidence]).tobytes()
                    studied = protocol.Studied(0, 1.0, confidence, confidence, confidence, True, seen)
                    unpacker.decode(packer.encode(studied))
        took.append((time.process_time() - began) * 1e6 / (times * len(found)))
    return took[1] - took[0]


def _put_together(found: list[Boxes], size: tuple[int, int], times: int = 200) -> float:
    """From ``Done`` to ``Studied``, of pictures of 768 × 576."""
    seen, source = protocol.Seen(120.0, 40.0, 0.5, 0.9, False), (576, 768)
    kept = Kept(0, 0, 1.0, 1.0, 1.0, None, source[1], source[0], placement=fit(source, size), studied=True)
    frames = []
    for boxes in found:
        assert boxes.weak is not None
        weak = protocol.Weak(**_packed(boxes.weak))  # type: ignore[arg-type]
        done = protocol.Done(1, 0, names=list(boxes.class_name), weak=weak, **_packed(boxes))
        output = protocol.Output(
            0, 0, 0, 1.0, 1.0, 0.1, *source, done.xyxy, done.confidence, done.class_id, b"", done.names
        )
        frames.append((output, done))
    began = time.process_time()
    for _ in range(times):
        for output, done in frames:
            studied_of(0, found_of(kept, output, done), seen, 0.0)
    return (time.process_time() - began) * 1e6 / (times * len(found))


def _watched(found: list[Boxes], frames: int = 3000) -> float:
    """From ``Studied`` in the node's hands to windows, all in."""
    model = "ab" * 32
    seen = protocol.Seen(120.0, 40.0, 0.5, 0.9, False)
    with tempfile.TemporaryDirectory() as folder:
        watch = DriftWatch(
            Settings(), folder=Path(folder), sites={}, tell=lambda fact: None, clock=SystemClock()
        )
        messages = []
        for boxes in found:
            assert boxes.weak is not None
            parts = [boxes, boxes.weak]
            confidence = np.concatenate([each.confidence for each in parts])
            class_id = np.concatenate([each.class_id for each in parts])
            area = np.full(len(confidence), 0.01, np.float32)
            arrays = (each.tobytes() for each in (confidence, class_id, area))
            messages.append(protocol.Studied(0, 0.0, *arrays, True, seen))
        watch.put("camera", model, messages[0])
        watch.turn()
        began = time.process_time()
        for number in range(frames):
            moved = msgspec.structs.replace(messages[number % len(messages)], captured=float(number))
            watch.put("camera", model, moved)
            watch.turn()
        return (time.process_time() - began) * 1e6 / frames


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.drift.cost", description=__doc__)
    parser.add_argument("--clip", type=Path, default=bundled_clip(), help="of which frames are studied")
    options = parser.parse_args()
    for what, figure in a_studied_frame(options.clip).items():
        print(f"studied: {what} {figure:.1f}{'' if what == 'weak boxes' else ' µs'}")
    for boxes, fps in ((5, 1), (20, 5), (20, 25), (100, 5)):
        print(f"{boxes} boxes a frame, {fps} fps: {a_box(boxes, fps):.3f} µs a box")
    for cameras in (1, 100, 1000):
        camera, bet = an_update(cameras)
        print(
            f"{cameras} cameras, each window a block: {camera:.1f} µs a camera and window, {bet:.0f} ns a bet"
        )
    print(f"learning: {learning():.1f} µs a window")
    print(f"state: {state_at_most()} bytes; {SIDES} sides, {CHAINS} chains")


if __name__ == "__main__":
    main()
