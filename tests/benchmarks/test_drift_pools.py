"""Windows that benchmarks put together from recorded frames are what the product makes of such frames."""

from __future__ import annotations

import numpy as np
import pytest
from benchmarks.drift.pools import DRAWS, FRAMES, STEP, STRETCH, pool_of
from benchmarks.drift.recorded import Recording, variants

from vedette.quality.drift.measured import Measure
from vedette.quality.drift.scores import Mix
from vedette.quality.drift.windows import Observer, Picture

FRAMES_RECORDED = 30


@pytest.fixture(scope="module")
def recording() -> Recording:
    rng = np.random.default_rng(1)
    kinds = len(variants())
    per_frame = rng.poisson(2.0, (kinds, FRAMES_RECORDED))
    starts = np.zeros((kinds, FRAMES_RECORDED + 1), np.int64)
    ends = np.cumsum(per_frame.ravel()).reshape(per_frame.shape)
    starts[:, 1:], starts[1:, 0] = ends, ends[:-1, -1]
    boxes = int(ends[-1, -1])
    looks = np.stack(
        [
            rng.normal(130, 1, per_frame.shape), rng.uniform(30, 50, per_frame.shape),
            rng.uniform(0.4, 0.6, per_frame.shape), rng.uniform(0.8, 1, per_frame.shape),
            np.zeros(per_frame.shape),
        ],
        axis=2,
    )  # fmt: skip
    return Recording(
        looks.astype(np.float32),
        starts,
        rng.uniform(0.05, 1, boxes).astype(np.float32),
        rng.integers(0, 3, boxes).astype(np.int32),
        rng.uniform(0.001, 0.1, boxes).astype(np.float32),
        np.zeros((boxes, 4), np.float32),
    )


def test_a_window_of_the_pool_is_what_an_observer_makes_of_its_frames(recording: Recording) -> None:
    pool = pool_of(recording, seed=3)
    rng = np.random.default_rng([3, 77])
    begins = np.arange(0, FRAMES_RECORDED - STRETCH + 1, STEP)
    drawn = begins[:, None, None] + rng.integers(0, STRETCH, (len(begins), DRAWS, FRAMES))
    mix = usual_mix(recording)
    for kind, stretch, draw in [(0, 0, 0), (0, 1, 5), (7, 2, 9), (30, 1, 63)]:
        window = observed(recording, kind, drawn[stretch, draw].tolist(), mix)
        assert window is not None
        np.testing.assert_allclose(pool.values[kind, stretch, draw], window.values, atol=1e-6)
        told = ~np.isnan(window.values)
        np.testing.assert_allclose(pool.counts[kind, stretch, draw][told], window.counts[told])


def usual_mix(recording: Recording) -> Mix:
    """Of all pictures from which is learnt; here they are in one light."""
    learnt = [place for place, each in enumerate(variants()) if each.name in ("clean", "dusk", "infrared")]
    classes = [
        recording.class_id[recording.boxes(kind, frame)][
            recording.confidence[recording.boxes(kind, frame)] >= 0.5
        ]
        for kind in learnt
        for frame in range(FRAMES_RECORDED)
    ]
    counts = np.bincount(np.concatenate(classes), minlength=3)
    return Mix(np.arange(3, dtype=np.int32), (counts / counts.sum()).astype(np.float32))


def observed(recording: Recording, kind: int, frames: list[int], mix: Mix):  # type: ignore[no-untyped-def]
    observer = Observer()
    for second, frame in enumerate(frames):
        at = recording.boxes(kind, frame)
        luma, contrast, sharpness, likeness, infrared = (float(each) for each in recording.looks[kind, frame])
        observer.look(float(second), Picture(luma, contrast, sharpness, likeness, bool(infrared)))
        observer.frame(
            float(second), recording.confidence[at], recording.class_id[at], recording.area[at], mix
        )
    return observer.close(0, mix)


def test_twice_the_traffic_has_the_boxes_of_two_frames(recording: Recording) -> None:
    pool = pool_of(recording)
    clean, busy = pool.places["clean"], pool.places["traffic"]
    raw = pool.counts[:, :, :, Measure.WEAK]
    assert raw[busy].mean() > 1.7 * raw[clean].mean()
    assert np.array_equal(pool.values[busy, ..., Measure.EDGES], pool.values[clean, ..., Measure.EDGES])
