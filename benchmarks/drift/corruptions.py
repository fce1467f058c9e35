"""What light, weather, dirt and cables do to pictures: nine corruptions of five severities each, on RGB.

Our own, with numpy and Pillow. Whether one harms a detector is not said here, but measured (``recorded.py``).
"""

from __future__ import annotations

import io
from collections.abc import Callable
from functools import lru_cache

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageFilter

__all__ = ["CORRUPTIONS", "SEVERITIES", "SHIFTS", "Rgb", "corrupted", "dusky", "infrared", "noisy"]

Rgb = npt.NDArray[np.uint8]
"""[height, width, 3]."""
SEVERITIES = (1, 2, 3, 4, 5)

_BANK = 1 << 22
"""Normal numbers that noise is cut from: drawing them anew takes longer than the detector."""


@lru_cache(maxsize=1)
def _bank() -> npt.NDArray[np.float32]:
    return np.random.default_rng(20).standard_normal(_BANK, dtype=np.float32)


def noisy(picture: npt.NDArray[np.floating], sigma: float, rng: np.random.Generator) -> Rgb:
    """``sigma``: of 255, of each pixel and channel by itself."""
    start = int(rng.integers(0, _BANK - picture.size))
    noise = _bank()[start : start + picture.size].reshape(picture.shape)
    return np.clip(picture + sigma * noise + 0.5, 0, 255).astype(np.uint8)


def _dark(picture: Rgb, severity: int, rng: np.random.Generator) -> Rgb:
    """Less light, and the noise of a sensor that makes up for some of it."""
    gain, sigma = ((0.6, 1.0), (0.4, 2.0), (0.25, 3.0), (0.15, 4.0), (0.08, 5.0))[severity - 1]
    return noisy(picture * np.float32(gain), sigma, rng)


def _fog(picture: Rgb, severity: int, rng: np.random.Generator) -> Rgb:
    """Light scattered into the picture; more of it where things are farther, which is at the top."""
    near, far = ((0.9, 0.7), (0.8, 0.5), (0.65, 0.35), (0.5, 0.2), (0.35, 0.1))[severity - 1]
    clear = np.linspace(far, near, len(picture), dtype=np.float32)[:, None, None]
    return (picture * clear + 200 * (1 - clear)).astype(np.uint8)


def _blur(picture: Rgb, severity: int, rng: np.random.Generator) -> Rgb:
    """Out of focus. Sigma in pixels of a picture 640 wide."""
    sigma = (0.8, 1.5, 2.5, 4.0, 6.5)[severity - 1] * picture.shape[1] / 640
    return np.asarray(Image.fromarray(picture).filter(ImageFilter.GaussianBlur(sigma)))


@lru_cache(maxsize=32)
def _smudges(shape: tuple[int, int], severity: int) -> npt.NDArray[np.float32]:
    """How much of the light each pixel loses to dirt, 0…0.85: the same on each picture, as dirt stays."""
    rng = np.random.default_rng(severity)
    share = (0.05, 0.12, 0.25, 0.4, 0.6)[severity - 1]
    rough = Image.fromarray(rng.integers(0, 256, (12, 16), dtype=np.uint8))
    field = np.asarray(rough.resize((shape[1], shape[0]), Image.Resampling.BICUBIC), np.float32)
    edge = np.quantile(field, 1 - share)
    return np.clip((field - edge) / 30 + 0.4, 0, 0.85).astype(np.float32)


def _dirt(picture: Rgb, severity: int, rng: np.random.Generator) -> Rgb:
    """Smudges on the lens: out of focus, brown, and what is behind them is blurred."""
    lost = _smudges(picture.shape[:2], severity)[..., None]
    behind = np.asarray(Image.fromarray(picture).filter(ImageFilter.GaussianBlur(picture.shape[1] / 100)))
    seen = np.where(lost > 0.05, behind, picture)
    return (seen * (1 - lost) + np.array([95, 85, 70], np.float32) * lost).astype(np.uint8)


def _noise(picture: Rgb, severity: int, rng: np.random.Generator) -> Rgb:
    return noisy(picture.astype(np.float32), (8.0, 15.0, 25.0, 40.0, 60.0)[severity - 1], rng)


def _jpeg(picture: Rgb, severity: int, rng: np.random.Generator) -> Rgb:
    """Compressed by this quality, as cameras with little bandwidth do."""
    written = io.BytesIO()
    Image.fromarray(picture).save(written, "JPEG", quality=(40, 25, 15, 8, 4)[severity - 1])
    return np.asarray(Image.open(written))


SHIFTS = ((0.02, 0.01), (0.05, 0.03), (0.1, 0.06), (0.16, 0.1), (0.25, 0.15))
"""Right and down, in parts of width and height, by severity."""


def _shift(picture: Rgb, severity: int, rng: np.random.Generator) -> Rgb:
    """A nudged camera: everything is farther right and down, and the edge is drawn out."""
    right, down = SHIFTS[severity - 1]
    right, down = round(right * picture.shape[1]), round(down * picture.shape[0])
    moved = np.roll(picture, (down, right), (0, 1))
    moved[:down] = moved[down]
    moved[:, :right] = moved[:, right : right + 1]
    return moved


def _cover(picture: Rgb, severity: int, rng: np.random.Generator) -> Rgb:
    """Something dull before the lens, from the left."""
    covered = picture.copy()
    width = round((0.1, 0.2, 0.35, 0.5, 0.75)[severity - 1] * picture.shape[1])
    covered[:, :width] = noisy(np.full((len(picture), width, 3), 85.0, np.float32), 2.0, rng)
    return covered


def _cast(picture: Rgb, severity: int, rng: np.random.Generator) -> Rgb:
    """White balance gone wrong: green and blue are lost."""
    gains = ((1, 0.92, 0.8), (1, 0.85, 0.6), (1, 0.75, 0.4), (1, 0.62, 0.2), (1, 0.5, 0.0))[severity - 1]
    return (picture * np.array(gains, np.float32)).astype(np.uint8)


CORRUPTIONS: dict[str, Callable[[Rgb, int, np.random.Generator], Rgb]] = {
    "dark": _dark,
    "fog": _fog,
    "blur": _blur,
    "dirt": _dirt,
    "noise": _noise,
    "jpeg": _jpeg,
    "shift": _shift,
    "cover": _cover,
    "cast": _cast,
}


def corrupted(picture: Rgb, name: str, severity: int, rng: np.random.Generator) -> Rgb:
    """``severity``: 1…5. The picture that is given stays as it is."""
    return CORRUPTIONS[name](picture, severity, rng)


def dusky(picture: Rgb, gain: float, rng: np.random.Generator) -> Rgb:
    """As the light goes: a camera's exposure makes up for half of it, at the price of noise."""
    return noisy(picture * np.float32(gain**0.5), 6.0 * (1 - gain), rng)


def infrared(picture: Rgb, rng: np.random.Generator) -> Rgb:
    """Lit from the camera: without colour, the middle bright, the corners dark, noise."""
    grey = np.asarray(Image.fromarray(picture).convert("L"), np.float32)
    down, across = (np.linspace(-1, 1, size, dtype=np.float32) ** 2 for size in grey.shape)
    lit = 200 * (grey / 255) ** 0.7 * np.exp(-1.2 * (down[:, None] + across[None]))
    start = int(rng.integers(0, _BANK - grey.size))
    lit = lit + 4 * _bank()[start : start + grey.size].reshape(grey.shape)  # one noise for all channels
    return np.repeat(np.clip(lit, 0, 255).astype(np.uint8)[..., None], 3, axis=2)
