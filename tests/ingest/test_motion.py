"""What moves is seen, and what a camera does by itself is not: in a real clip, and in made pictures."""

from __future__ import annotations

import itertools
import threading
from collections.abc import Callable, Iterable, Iterator
from functools import cache
from typing import Any

import av
import numpy as np
import numpy.typing as npt
import pytest
from benchmarks.streams.clips import decoded, luma, with_luma
from hypothesis import given, settings
from hypothesis import strategies as st

from vedette.infer.load import DetectorSpec, load_detector
from vedette.ingest.motion import Motion
from vedette.ingest.motion_cells import read_cells
from vedette.ingest.motion_gate import STILL_LEAST, MotionGate
from vedette.sim.clip import bundled_clip

Floats = npt.NDArray[np.float32]
Pictures = Iterable[tuple[float, av.VideoFrame]]

FPS = 30
EMPTY_FROM_S = 41.0
"""In the bundled clip: a far car, too small for the detector, has gone; nothing but leaves and a clock."""


def seen(pictures: Pictures, motion: Motion | None = None) -> list[tuple[float, bool]]:
    """When something moved and when not. What is let through is analysed at once."""
    motion = motion or Motion()
    told = []
    for at, picture in pictures:
        look = motion.look(picture)
        moved = motion.moved(look)
        if moved:
            motion.analysed(look)
        told.append((at, moved))
    return told


def gated(told: list[tuple[float, bool]], start: float = 0.0) -> float:
    """The share of pictures from ``start`` on that were not let through."""
    judged = [moved for at, moved in told if at >= start]
    return 1.0 - sum(judged) / len(judged)


# ---- the real clip


@cache
def driveway() -> tuple[tuple[float, av.VideoFrame], ...]:
    return tuple((index / FPS, frame) for index, frame in enumerate(decoded(bundled_clip())))


@cache
def seconds_with_movers() -> tuple[float, ...]:
    """When the detector finds a road user whose centre is 4 pixels or more from where it was 1/3 s before."""
    detector = load_detector(DetectorSpec(threads=1))
    height, width = detector.input_size
    found: list[dict[str, list[Floats]]] = []
    times = []
    for at, frame in driveway()[::5]:
        pixels: Any = frame.to_ndarray(format="rgb24", width=width, height=height)
        boxes = detector.detect_boxes(np.ascontiguousarray(pixels)[None])[0]
        centres: dict[str, list[Floats]] = {}
        for name, box in zip(boxes.class_name, boxes.xyxy, strict=True):
            across, down = (box[0] + box[2]) / 2 * 640 / width, (box[1] + box[3]) / 2 * 480 / height
            centres.setdefault(name, []).append(np.array([across, down], np.float32))
        found.append(centres)
        if len(found) > 2 and _any_moved(found[-3], centres):
            times.append(at)
    return tuple(times)


def _any_moved(before: dict[str, list[Floats]], now: dict[str, list[Floats]]) -> bool:
    for name in {"person", "bicycle", "car", "truck", "bus"} & before.keys() & now.keys():
        for centre in now[name]:
            if 4.0 < min(float(np.hypot(*(centre - old))) for old in before[name]) < 60.0:
                return True
    return False


@pytest.mark.parametrize("every", [1, 6, 15])
def test_every_moving_car_is_let_through_within_half_a_second(every: int) -> None:
    let_through = [at for at, moved in seen(driveway()[::every]) if moved]
    movers = seconds_with_movers()
    assert len(movers) > 80
    assert max(min(abs(at - other) for other in let_through) for at in movers) <= 0.5


def test_an_empty_driveway_with_leaves_keyframes_and_a_clock_is_gated() -> None:
    told = seen(driveway())
    assert gated(told, EMPTY_FROM_S) > 0.9


@pytest.mark.parametrize("every", [6, 15])
def test_few_pictures_a_second_are_gated_too_once_the_clock_is_known(every: int) -> None:
    motion = Motion()
    seen(driveway()[::every], motion)
    empty = driveway()[int(EMPTY_FROM_S * FPS) :: every]
    for _ in range(2):
        seen(empty[::-1] + empty, motion)
    assert gated(seen(empty, motion)) > 0.8


def test_somebody_who_walks_through_a_scene_that_was_learned_is_seen() -> None:
    motion = Motion()
    empty = driveway()[int(EMPTY_FROM_S * FPS) :: 6]
    for _ in range(3):
        seen(empty + empty[::-1], motion)
    walk = ((index / 5, _with_somebody(frame, index / 5)) for index, (_, frame) in enumerate(empty[:50]))
    assert longest_wait(seen(walk, motion)) <= 1.0


def _with_somebody(frame: av.VideoFrame, at: float) -> av.VideoFrame:
    y = luma(frame)
    left = 150 + int(10 * at)
    y[300:327, left : left + 11] //= 2
    return with_luma(frame, y)


# ---- made pictures

Draw = Callable[[float, Floats], None]


def scene(height: int = 360, width: int = 640) -> Floats:
    """Walls, windows, pavement: patches of 8×8 pixels, 60…180."""
    rng = np.random.default_rng(3)
    coarse = rng.integers(60, 180, (height // 8 + 1, width // 8 + 1)).astype(np.float32)
    return coarse.repeat(8, 0).repeat(8, 1)[:height, :width]


def picture_of(y: Floats) -> av.VideoFrame:
    made = av.VideoFrame(y.shape[1], y.shape[0], "yuv420p")
    values: Any
    for plane, values in zip(made.planes, (y, 128, 128), strict=True):
        target: Any = plane
        lines = np.frombuffer(target, np.uint8).reshape(plane.height, plane.line_size)
        lines[:, : plane.width] = np.clip(np.add(values, np.float32(0.5)), 0, 255)
    return made


def film(
    seconds: float, fps: float, draw: Draw | None = None, sigma: float = 2.0
) -> Iterator[tuple[float, av.VideoFrame]]:
    rng = np.random.default_rng(5)
    base = scene()
    height, width = base.shape
    grain = rng.normal(0, sigma, (3 * height, 3 * width)).astype(np.float32)
    for index in range(int(seconds * fps)):
        y = base.copy()
        if draw is not None:
            draw(index / fps, y)
        # A piece of the same grain from elsewhere: as good as new, and much quicker.
        down, across = rng.integers(0, 2 * height), rng.integers(0, 2 * width)
        yield index / fps, picture_of(y + grain[down : down + height, across : across + width])


def blob(contrast: float, speed: float, start: float) -> Draw:
    """Somebody of 8×20 pixels, who comes out of nowhere at ``start`` and walks to the right."""

    def draw(at: float, y: Floats) -> None:
        if at >= start:
            left = 100 + int(speed * (at - start))
            y[150:170, left : left + 8] += contrast

    return draw


def longest_wait(told: list[tuple[float, bool]], start: float = 0.0) -> float:
    """Seconds from ``start`` on in which nothing was let through."""
    times = [start, *(at for at, moved in told if moved and at >= start), told[-1][0]]
    return max(late - early for early, late in itertools.pairwise(times))


@pytest.mark.parametrize("sigma", [0.0, 2.0, 3.0, 4.0])
@pytest.mark.parametrize("fps", [5, 25])
def test_noise_is_not_motion(sigma: float, fps: int) -> None:
    assert gated(seen(film(150 / fps, fps, sigma=sigma)), 1 / fps) == 1.0


@pytest.mark.parametrize("fps", [5, 25])
@pytest.mark.parametrize("sigma", [1.0, 2.0, 3.0])
@pytest.mark.parametrize("contrast", [15.0, -15.0, 40.0])
def test_a_faint_person_who_strolls_is_seen_each_second(contrast: float, sigma: float, fps: int) -> None:
    told = seen(film(7, fps, blob(contrast, 5.0, 3.0), sigma))
    assert gated([each for each in told if each[0] < 3.0], 1 / fps) == 1.0
    assert longest_wait(told, 3.0) <= 1.0


@pytest.mark.parametrize("fps", [5, 25])
def test_what_creeps_a_pixel_a_second_is_seen_in_the_end(fps: int) -> None:
    told = seen(film(14, fps, blob(15.0, 1.0, 2.0)))
    assert longest_wait(told, 2.0) <= 5.0


@pytest.mark.parametrize("fps", [5, 25])
@pytest.mark.parametrize("per_second", [1.0, -1.0])
def test_light_that_comes_and_goes_slowly_is_not_motion(per_second: float, fps: int) -> None:
    def drift(at: float, y: Floats) -> None:
        y += per_second * at

    assert gated(seen(film(20, fps, drift)), 1 / fps) == 1.0


@pytest.mark.parametrize("fps", [5, 25])
def test_a_cloud_that_takes_a_fifth_of_the_light_costs_few_pictures(fps: int) -> None:
    def darken(at: float, y: Floats) -> None:
        y *= 1.0 - 0.01 * at

    assert gated(seen(film(20, fps, darken)), 1 / fps) > 0.9


@pytest.mark.parametrize("levels", [15.0, 60.0, -40.0])
def test_a_lamp_that_is_switched_is_motion_once(levels: float) -> None:
    def switch(at: float, y: Floats) -> None:
        y += levels * (at >= 4.0)

    told = seen(film(10, 5, switch))
    assert [at for at, moved in told if moved] == [0.0, 4.0]


def test_it_stays_motion_until_it_is_analysed() -> None:
    motion = Motion()
    motion.analysed(motion.look(picture_of(scene())))
    there = scene()
    there[100:140, 200:220] += 30
    look = motion.look(picture_of(there))
    assert [motion.moved(look) for _ in range(500)] == [True] * 500
    motion.analysed(look)
    assert not motion.moved(look)
    assert motion.moved(motion.look(picture_of(scene())))


def test_a_picture_that_nobody_asked_about_can_be_analysed() -> None:
    motion = Motion()
    motion.analysed(motion.look(picture_of(scene())))
    brighter = motion.look(picture_of(scene() + 40))
    motion.analysed(brighter)
    assert not motion.moved(brighter)


def test_without_a_reference_everything_is_motion() -> None:
    motion = Motion()
    look = motion.look(picture_of(scene()))
    assert motion.moved(look)
    assert motion.moved(look)
    motion.analysed(look)
    assert not motion.moved(look)
    motion.reset()
    assert motion.moved(look)


def test_another_size_is_motion() -> None:
    motion = Motion()
    motion.analysed(motion.look(picture_of(scene())))
    larger = motion.look(picture_of(scene(720, 1280)))
    assert motion.moved(larger)
    motion.analysed(larger)
    assert not motion.moved(larger)


@pytest.mark.parametrize(("height", "width"), [(180, 320), (1080, 1920), (640, 360)])
def test_somebody_is_seen_at_every_resolution(height: int, width: int) -> None:
    scale = max(height, width) / 640
    motion, base = Motion(), scene(height, width)
    motion.analysed(motion.look(picture_of(base)))
    assert not motion.moved(motion.look(picture_of(base)))
    base[height // 2 :][: int(40 * scale), width // 2 :][:, : int(16 * scale)] += 20
    assert motion.moved(motion.look(picture_of(base)))


# ---- whatever comes


@pytest.mark.parametrize("form", ["rgb24", "pal8", "yuyv422", "yuv420p10be", "gray16le", "p010le"])
def test_what_cannot_be_judged_counts_as_motion(form: str) -> None:
    motion = Motion()
    look = motion.look(av.VideoFrame(640, 360, form))
    motion.analysed(look)
    assert motion.moved(look)
    assert motion.moved(None)


@pytest.mark.parametrize("form", ["yuv420p", "yuvj422p", "nv12", "gray", "yuv420p10le", "gray12le"])
def test_cells_are_means_whatever_the_format(form: str) -> None:
    y = np.random.default_rng(1).integers(0, 256, (360, 640)).astype(np.uint8)
    made = av.VideoFrame(640, 360, form)
    bits = made.format.components[0].bits
    plane: Any = made.planes[0]
    lines = np.frombuffer(plane, np.uint8 if bits == 8 else np.uint16).reshape(360, -1)
    lines[:, :640] = y.astype(np.uint16) << (bits - 8)
    cells = read_cells(made)
    assert cells is not None
    np.testing.assert_allclose(cells, y.reshape(90, 4, 160, 4).mean((1, 3)), atol=1e-3)


FORMS = st.sampled_from(["yuv420p", "yuvj420p", "nv12", "gray", "yuv422p10le", "rgb24", "pal8", "gray16le"])
SIZES = st.tuples(st.integers(2, 90), st.integers(2, 70)).map(lambda halves: (halves[0] * 2, halves[1] * 2))


@settings(max_examples=80, deadline=None)
@given(
    st.lists(st.tuples(st.one_of(SIZES, st.just((128, 96))), FORMS, st.integers(0, 255), st.booleans())),
    st.integers(0, 2**32 - 1),
)
def test_no_sequence_of_pictures_raises(steps: list[Any], seed: int) -> None:
    rng = np.random.default_rng(seed)
    motion = Motion()
    for (width, height), form, level, analysed in steps:
        image = av.VideoFrame(width, height, form)
        plane: Any = image.planes[0]
        noise = rng.integers(0, 1 + level // 8, plane.buffer_size)
        np.frombuffer(plane, np.uint8)[:] = (level + noise) % 256
        look = motion.look(image)
        assert motion.moved(look) in (True, False)
        if analysed:
            motion.analysed(look)
            assert motion.moved(look) is (look.cells is None)


def test_it_may_be_asked_and_told_from_two_threads() -> None:
    motion = Motion()
    looks = [motion.look(picture) for _, picture in film(1, 8)]
    stop = threading.Event()

    def tell() -> None:
        for look in itertools.cycle(looks):
            motion.analysed(look)
            if stop.is_set():
                return

    other = threading.Thread(target=tell)
    motion.analysed(looks[0])
    other.start()
    try:
        assert not any(motion.moved(look) for _ in range(100) for look in looks)
    finally:
        stop.set()
        other.join()


def test_a_camera_that_is_looked_at_seldom_leaves_the_detector_to_those_that_move() -> None:
    gate = MotionGate(wanted=True, every=5.0)
    picture = picture_of(scene())
    let_through = []
    for number in range(40):
        now = 1000.0 + 7.0 * number  # longer apart than one has to be let through
        look = gate.look(picture)
        if not gate.still(look, now):
            let_through.append(number)
            gate.offered(now)
            gate.analysed(look)
    assert let_through == list(range(0, 40, STILL_LEAST + 1))
