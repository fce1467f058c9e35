"""What a look says about pictures made for the purpose."""

from __future__ import annotations

import av
import numpy as np
import pytest

from vedette.health.picture import Look, LookFailed

RANDOM = np.random.default_rng(3)
SIZES = [(640, 360), (704, 576), (1280, 720), (1920, 1080), (352, 288), (321, 243)]


def picture(y: np.ndarray, form: str = "yuv420p") -> av.VideoFrame:
    """A frame whose luma plane is ``y`` as it stands; chroma neutral."""
    frame = av.VideoFrame(y.shape[1], y.shape[0], form)
    for index, plane in enumerate(frame.planes):
        lines = np.frombuffer(plane, np.uint8).reshape(-1, plane.line_size)
        lines[:] = 128
        if index == 0:
            lines[: y.shape[0], : y.shape[1]] = y
    return frame


def scene(width: int, height: int) -> np.ndarray:
    """Blocks of different brightness in places that do not depend on the size."""
    rng = np.random.default_rng(7)
    y = np.full((height, width), 90, np.uint8)
    for _ in range(60):
        top, left = rng.random(2) * 0.9
        down, across = rng.uniform(0.03, 0.2, 2)
        rows = slice(int(top * height), int((top + down) * height))
        y[rows, int(left * width) : int((left + across) * width)] = rng.integers(30, 220)
    return y


@pytest.mark.parametrize("form", ["yuv420p", "nv12", "yuv422p", "yuv444p"])
def test_limited_range_is_brought_to_the_full_scale(form: str) -> None:
    y = np.full((360, 640), 16, np.uint8)
    y[:180] = 235
    features = Look().features(picture(y, form))
    assert features.luma == pytest.approx(127.5, abs=2)
    assert (features.low, features.high) == (0, 255)
    assert features.dark == pytest.approx(0.5, abs=0.02)
    assert features.bright == pytest.approx(0.5, abs=0.02)


@pytest.mark.parametrize("form", ["yuvj420p", "gray", "yuvj422p"])
def test_full_range_stays_as_it_is(form: str) -> None:
    features = Look().features(picture(np.full((360, 640), 100, np.uint8), form))
    assert features.luma == pytest.approx(100, abs=0.5)
    assert features.region_luma == pytest.approx(np.full(12, 100), abs=0.5)


def test_ten_bits_and_rgb_are_read_too() -> None:
    plain = picture(scene(640, 360))
    usual = Look().features(plain)
    for form in ("yuv420p10le", "rgb24", "yuyv422"):
        other = Look().features(plain.reformat(format=form))
        assert other.luma == pytest.approx(usual.luma, abs=3)
        assert float((other.edges * usual.edges).sum()) > 0.9 * float((usual.edges**2).sum())


def test_what_is_no_picture_in_memory_is_refused_in_our_words() -> None:
    with pytest.raises(LookFailed, match="too few"):
        Look().features(picture(np.zeros((32, 32), np.uint8)))


@pytest.mark.parametrize(("width", "height"), SIZES)
def test_edges_are_alike_at_every_resolution(width: int, height: int) -> None:
    one, other = Look().features(picture(scene(640, 360))), Look().features(picture(scene(width, height)))
    assert other.edges.shape == (12, 96)
    assert np.allclose(np.linalg.norm(other.edges, axis=1), other.texture, atol=1e-3)
    alike = float((one.edges * other.edges).sum()) / float(one.texture @ other.texture)
    assert alike > 0.6


def test_edges_do_not_depend_on_the_light() -> None:
    y = scene(640, 360)
    bright = Look().features(picture(y))
    dim = Look().features(picture((16 + (y - 16.0) * 0.3).astype(np.uint8)))
    assert float((bright.edges * dim.edges).sum()) > 0.9 * float(bright.texture @ dim.texture)


def test_noise_alone_has_no_texture() -> None:
    noise = np.clip(RANDOM.normal(120, 3, (360, 640)), 0, 255).astype(np.uint8)
    assert Look().features(picture(noise)).texture.max() < 0.45


def test_sharpness_falls_with_blur_and_hardly_with_light() -> None:
    y = scene(640, 360)
    sharp = Look().features(picture(y)).sharpness
    dim = Look().features(picture((16 + (y - 16.0) * 0.3).astype(np.uint8))).sharpness
    soft = y.astype(float)
    for _ in range(8):
        soft = (np.roll(soft, 1, 1) + soft + np.roll(soft, -1, 1)) / 3
    assert dim == pytest.approx(sharp, rel=0.2)
    assert Look().features(picture(soft.astype(np.uint8))).sharpness < 0.4 * sharp


def test_the_same_picture_is_the_same_and_noise_is_not() -> None:
    y, look = scene(640, 360), Look()
    first, again = look.features(picture(y)), look.features(picture(y))
    noisy = look.features(picture(np.clip(y + RANDOM.normal(0, 1.5, y.shape), 0, 255).astype(np.uint8)))
    assert np.isnan(first.same)
    assert (again.same, again.change) == (1.0, 0.0)
    assert noisy.same < 0.5


def test_pixels_without_noise_by_nature_prove_nothing() -> None:
    y, look = np.full((360, 640), 16, np.uint8), Look()
    y[:, 320:] = 235
    look.features(picture(y))
    assert np.isnan(look.features(picture(y)).same)


def test_another_size_is_not_compared_with_the_last() -> None:
    look = Look()
    look.features(picture(scene(640, 360)))
    assert np.isnan(look.features(picture(scene(1280, 720))).change)


@pytest.mark.parametrize("form", ["yuv420p", "nv12"])
def test_colour_tells_infrared_from_daylight(form: str) -> None:
    grey = picture(scene(640, 360), form)
    assert Look().features(grey).colour == 0
    for plane in grey.planes[1:]:
        np.frombuffer(plane, np.uint8)[:] = 140
    assert Look().features(grey).colour == pytest.approx(12)
    assert np.isnan(Look().features(picture(scene(640, 360), "gray")).colour)
