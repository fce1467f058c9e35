"""The picture: nothing is lost in it, nothing overlaps, and both painters draw the same."""

from __future__ import annotations

import random
import xml.etree.ElementTree as ET
from itertools import combinations
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from ledger_values import NOON, S, gap, incident
from vedette.causes import BLINDING, Cause, Kind
from vedette.facts import Gap
from vedette.ledger.colours import COLOURS, SEEN
from vedette.ledger.coverage import Watch
from vedette.ledger.marks import Scale, marks
from vedette.ledger.plot import draw, plot
from vedette.ledger.shapes import Drawing, Label, Rectangle, text_width

HOUR = 3600
SVG = "{http://www.w3.org/2000/svg}"


def hours(count: float) -> tuple[int, int]:
    return NOON, NOON + round(count * HOUR * S)


def watched(*cameras: str, until: int | None = None) -> list[Watch]:
    return [Watch(camera, NOON, until) for camera in cameras]


def rectangles(drawing: Drawing, colour: str) -> list[Rectangle]:
    return [shape for shape in drawing.shapes if isinstance(shape, Rectangle) and shape.fill == colour]


def labels(drawing: Drawing) -> list[Label]:
    return [shape for shape in drawing.shapes if isinstance(shape, Label)]


def box(label: Label) -> tuple[float, float, float, float]:
    width = text_width(label.text, label.size)
    left = label.x - {"start": 0.0, "middle": 0.5, "end": 1.0}[label.anchor] * width
    return left, label.y - label.size * 0.75, left + width, label.y


def some_day(cameras: int, seed: int = 1) -> tuple[list[Gap], list[Watch]]:
    rnd = random.Random(seed)
    names = [f"cam{number}" for number in range(cameras)]
    gaps = [
        gap(name, rnd.choice(list(Cause)), at, at + rnd.choice([1, 30, 900]))
        for name in names
        for at in range(rnd.randrange(3600), 24 * HOUR - 900, 7200)
    ]
    return gaps, watched(*names)


def test_a_gap_of_a_millisecond_in_a_month_can_be_seen() -> None:
    short = gap("gate", Cause.STALLED, 40_000, 40_000)
    drawing = draw([short], watched("gate"), [], *hours(24 * 30))
    in_row = [each for each in rectangles(drawing, COLOURS[Cause.STALLED]) if each.title]
    assert [each.width for each in in_row] == [1]


@given(
    st.lists(
        st.tuples(st.integers(0, 86_400), st.integers(0, 4000), st.sampled_from(sorted(BLINDING))),
        max_size=60,
    )
)
def test_every_gap_lies_under_a_mark_and_no_mark_where_there_is_none(
    spans: list[tuple[int, int, Cause]],
) -> None:
    scale = Scale(*hours(24), left=100, right=900)
    gaps = [gap("gate", cause, start, start + length) for start, length, cause in spans]
    gaps = [each for each in gaps if scale.shows(each.start, each.end)]
    covered = {x for mark in marks(gaps, scale) for x in range(mark.x1, mark.x2)}
    wanted = {x for each in gaps for x in range(*scale.span(each.start, each.end))}
    assert covered == wanted
    assert all(100 <= x < 900 for x in covered)


@pytest.mark.parametrize("cameras", [1, 100, 800])
def test_no_event_hides_a_gap(cameras: int) -> None:
    gaps = [gap("cam0", Cause.STALLED, 60, 61), gap("cam0", Cause.CODEC_CHANGED, 61, 61)]
    drawing = draw(gaps, watched(*(f"cam{n}" for n in range(cameras))), [], *hours(24))
    marked = [each for each in drawing.shapes if isinstance(each, Rectangle) and each.title]
    assert [each.fill for each in marked] == [COLOURS[Cause.CODEC_CHANGED], COLOURS[Cause.STALLED]]


def test_many_thousand_short_gaps_become_few_marks() -> None:
    gaps = [gap("gate", Cause.STALLED, at, at + 1) for at in range(0, 24 * HOUR, 2)]
    scale = Scale(*hours(24), left=100, right=1100)
    assert len(marks(gaps, scale)) == 1
    assert "stalled 43200" in marks(gaps, scale)[0].title


def test_of_gaps_in_one_pixel_the_cause_with_the_most_time_is_shown() -> None:
    gaps = [gap("gate", Cause.STALLED, 10, 11), gap("gate", Cause.REFUSED, 12, 20)]
    (mark,) = marks(gaps, Scale(*hours(24), left=0, right=800))
    assert mark.cause is Cause.REFUSED


@pytest.mark.parametrize("cameras", [1, 8, 53, 75, 120, 300, 1000])
def test_no_two_texts_overlap_and_none_leaves_the_picture(cameras: int) -> None:
    gaps, watches = some_day(cameras)
    incidents = [
        incident(at, at + 600, [f"cam{n}" for n in range(k + 2)]) for k, at in enumerate([0, 9, 9000, 86_000])
    ]
    drawing = draw(gaps, watches, incidents, *hours(24))
    boxes = [box(label) for label in labels(drawing)]
    for left, top, right, bottom in boxes:
        assert left >= 0
        assert top >= 0
        assert right <= drawing.width
        assert bottom <= drawing.height
    for (a_left, a_top, a_right, a_bottom), (b_left, b_top, b_right, b_bottom) in combinations(boxes, 2):
        assert a_right <= b_left or b_right <= a_left or a_bottom <= b_top or b_bottom <= a_top


def test_a_thousand_cameras_fit_into_a_picture_of_bearable_height() -> None:
    gaps, watches = some_day(1000)
    drawing = draw(gaps, watches, [], *hours(24))
    assert drawing.height < 2500
    assert {label.text for label in labels(drawing)} >= {"cam0", "cam10", "cam990"}


def test_cameras_are_in_the_order_in_which_people_count() -> None:
    drawing = draw([], watched("cam10", "cam2", "cam1"), [], *hours(1))
    names = [label.text for label in labels(drawing) if label.text.startswith("cam")]
    assert names == ["cam1", "cam2", "cam10"]


def test_each_camera_has_its_share_beside_it_and_it_is_never_rounded_up() -> None:
    gaps = [gap("gate", Cause.STALLED, 0, 360), gap("yard", Cause.STALLED, 1, 1)]
    gaps[1] = Gap(**{**{f: getattr(gaps[1], f) for f in Gap.__struct_fields__}, "end": gaps[1].start + 1})
    drawing = draw(gaps, watched("gate", "yard", "roof"), [], *hours(1))
    rows = [label.text for label in labels(drawing) if label.anchor == "end"]
    assert rows == ["gate", "90.00%", "roof", "100.00%", "yard", "99.99%"]


def test_the_legend_names_what_occurs_and_nothing_else() -> None:
    gaps = [
        gap("gate", Cause.STALLED, 0, 60),
        gap("gate", Cause.SLOW, 60, 90),
        gap("gate", Cause.CODEC_CHANGED, 100, 100),
    ]
    words = {label.text for label in labels(draw(gaps, watched("gate"), [], *hours(1)))}
    assert {"stalled", "1m00s", "slow", "30s", "codec_changed", "1x", "seen"} <= words
    assert "refused" not in words
    assert "not watched, or not known" not in words


def test_time_that_nobody_watched_is_not_shown_as_seen() -> None:
    since, until = hours(1)
    drawing = draw([], watched("gate", until=NOON + 1800 * S), [], since, until)
    (seen,) = [each for each in rectangles(drawing, SEEN) if each.height > 12]
    (whole,) = rectangles(draw([], watched("gate"), [], since, until), SEEN)[1:]
    assert seen.width == round(whole.width / 2)
    assert "not watched, or not known" in {label.text for label in labels(drawing)}


def test_causes_not_asked_for_are_grey_and_still_count() -> None:
    gaps = [gap("gate", Cause.STALLED, 0, 900), gap("gate", Cause.REFUSED, 1800, 2700)]
    drawing = draw(gaps, watched("gate"), [], *hours(1), asked=lambda each: each.cause is Cause.STALLED)
    assert not rectangles(drawing, COLOURS[Cause.REFUSED])
    words = {label.text for label in labels(drawing)}
    assert {"other causes", "50.00%"} <= words


def test_a_picture_of_nothing_says_so() -> None:
    assert "Nothing was watched" in {label.text for label in labels(draw([], [], [], *hours(1)))}


def test_an_svg_is_sound_xml_whatever_a_server_said(tmp_path: Path) -> None:
    rude = '</title><script>alert(1)</script> & "\x00\x1b[31m\ud800 ]]>'
    plot([gap("gate", Cause.REFUSED, 0, 60, detail=rude)], watched("gate"), [], *hours(1), tmp_path / "p.svg")
    root = ET.parse(tmp_path / "p.svg").getroot()
    assert not list(root.iter(f"{SVG}script"))
    titles = [title.text or "" for title in root.iter(f"{SVG}title")]
    assert any("alert(1)" in title and "refused" in title for title in titles)


def test_both_painters_draw_the_same_picture(tmp_path: Path) -> None:
    gaps = [gap("gate", Cause.STALLED, 900, 1800), gap("yard", Cause.DARK, 0, 1200)]
    args = (gaps, watched("gate", "yard"), [incident(900, 1800, ["gate", "yard"])], *hours(1))
    plot(*args, tmp_path / "p.svg")
    plot(*args, tmp_path / "p.png")
    root = ET.parse(tmp_path / "p.svg").getroot()
    with Image.open(tmp_path / "p.png") as image:
        assert [str(side) for side in image.size] == [root.get("width"), root.get("height")]
        pixels = np.asarray(image)
    for mark in [each for each in root.iter(f"{SVG}rect") if each.find(f"{SVG}title") is not None]:
        x, y, width, height = (int(mark.get(name, "")) for name in ("x", "y", "width", "height"))
        colour = tuple(bytes.fromhex(mark.get("fill", "")[1:]))
        assert (pixels[y : y + height, x : x + width] == colour).all()
        assert not (pixels[y, x - 1] == colour).all()


def test_a_picture_is_svg_or_png(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="svg"):
        plot([], [], [], *hours(1), tmp_path / "p.gif")


def test_every_cause_has_a_colour_of_its_own() -> None:
    assert set(COLOURS) == set(Cause)
    assert len(set(COLOURS.values())) == len(Cause)


# How people without red or green cones see (Machado, Oliveira, Fernandes 2009, severity 1), in linear RGB.
EYES = {
    "all cones": np.eye(3),
    "no green ones": [
        [0.367322, 0.860646, -0.227968],
        [0.280085, 0.672501, 0.047413],
        [-0.011820, 0.042940, 0.968881],
    ],
    "no red ones": [
        [0.152286, 1.052583, -0.204868],
        [0.114503, 0.786281, 0.099216],
        [-0.003882, -0.048116, 1.051998],
    ],
}


@pytest.mark.parametrize("eyes", EYES)
def test_causes_that_blind_are_told_apart_by_every_eye(eyes: str) -> None:
    colours = {cause.value: lab(COLOURS[cause], eyes) for cause in BLINDING} | {"seen": lab(SEEN, eyes)}
    for (one, first), (other, second) in combinations(colours.items(), 2):
        assert np.linalg.norm(first - second) > 11, (one, other)


def lab(colour: str, eyes: str) -> np.ndarray:
    """CIE L*a*b* of ``#rrggbb`` as such eyes see it."""
    srgb = np.array([int(colour[at : at + 2], 16) for at in (1, 3, 5)]) / 255
    linear = np.where(srgb <= 0.04045, srgb / 12.92, ((srgb + 0.055) / 1.055) ** 2.4)
    to_xyz = [[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]]
    xyz = to_xyz @ np.clip(np.array(EYES[eyes]) @ linear, 0, 1) / [0.9505, 1, 1.089]
    x, y, z = np.where(xyz > 0.008856, np.cbrt(xyz), 7.787 * xyz + 16 / 116)
    return np.array([116 * y - 16, 500 * (x - y), 200 * (y - z)])


def test_kinds_are_told_apart_by_their_form() -> None:
    gaps = [
        gap("gate", Cause.STALLED, 0, 600),
        gap("gate", Cause.SLOW, 900, 1500),
        gap("gate", Cause.CODEC_CHANGED, 2000, 2000),
    ]
    drawing = draw(gaps, watched("gate"), [], *hours(1))
    blind, degraded, event = (
        next(each for each in rectangles(drawing, COLOURS[cause]) if each.title)
        for cause in (Cause.STALLED, Cause.SLOW, Cause.CODEC_CHANGED)
    )
    assert degraded.y >= blind.y + blind.height
    assert event.width <= 2
    assert event.height > blind.height
    assert {each.kind for each in gaps} == set(Kind)
