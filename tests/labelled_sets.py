"""Labelled sets for tests: strategies for awkward ones, and real pictures to go with them."""

from __future__ import annotations

from pathlib import Path

from hypothesis import strategies as st
from PIL import Image

from vedette.quality.labels.dataset import Box, Dataset, Picture
from vedette.quality.labels.names import picture_name

letters = st.characters(exclude_categories=("Cc", "Cs"), exclude_characters="\ufffe\uffff")
words = st.text(letters, min_size=1, max_size=8)
labels = st.one_of(
    words, st.sampled_from(["person", "car / van", " led", "0", "yes", "<b>&'\"", "мёд 🐝", "a: b #"])
)

json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53), 2**53)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=("Cs",)), max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(words, inner, max_size=3),
    max_leaves=6,
)
keys = st.one_of(
    words, st.sampled_from(["id", "label", "occluded", "z_order", "segmentation", "vedette", "a.b"])
)
attributes = st.dictionaries(keys, json_values, max_size=3)

# Millionths of a pixel, far out of the picture as well.
coordinates = st.integers(-(10**9), 5 * 10**9).map(lambda millionths: round(millionths / 1e6, 6) + 0.0)


def _is_name(text: str) -> bool:
    try:
        return picture_name(text) == text
    except ValueError:
        return False


names = st.lists(words, min_size=1, max_size=3).map("/".join).filter(_is_name).map(lambda text: f"{text}.jpg")


@st.composite
def boxes(draw: st.DrawFn, among: tuple[str, ...]) -> Box:
    left, right = sorted((draw(coordinates), draw(coordinates)))
    top, bottom = sorted((draw(coordinates), draw(coordinates)))
    return Box(
        (left, top, right, bottom) if draw(st.booleans()) else (left, top, left, top),
        draw(st.sampled_from(among)),
        crowd=draw(st.booleans()),
        difficult=draw(st.booleans()),
        track_id=draw(st.none() | st.integers(-1, 2**62)),
        attributes=draw(attributes),
    )


@st.composite
def pictures(draw: st.DrawFn, name: str, among: tuple[str, ...]) -> Picture:
    return Picture(
        name,
        draw(st.integers(1, 5000)),
        draw(st.integers(1, 5000)),
        tuple(draw(st.lists(boxes(among), max_size=4))) if among else (),
        camera=draw(st.just("") | words),
        captured_at=draw(st.none() | st.floats(0, 2e9)),
        light=draw(st.just("") | words),
        attributes=draw(attributes),
    )


@st.composite
def datasets(draw: st.DrawFn) -> Dataset:
    among = tuple(draw(st.lists(labels, max_size=4, unique=True)))
    found = draw(st.lists(names, max_size=3, unique=True))
    return Dataset(among, tuple(draw(pictures(name, among)) for name in found), draw(attributes))


def simple() -> Dataset:
    """Two pictures, three boxes, two classes."""
    return Dataset(
        ("person", "car"),
        (
            Picture(
                "yard/1.jpg",
                640,
                480,
                (Box((10.0, 20.0, 50.5, 80.25), "car"), Box((0.0, 0.0, 10.0, 10.0), "person", crowd=True)),
                camera="yard",
                captured_at=1_700_000_000.25,
                light="day",
            ),
            Picture("yard/2.jpg", 640, 480, (Box((1.0, 2.0, 3.0, 4.0), "person", track_id=7),)),
        ),
    )


def paint(folder: Path, dataset: Dataset) -> None:
    """A file for each picture, of its size."""
    for picture in dataset.pictures:
        file = folder / picture.name
        file.parent.mkdir(parents=True, exist_ok=True)
        Image.new("L", (picture.width, picture.height)).save(file)
