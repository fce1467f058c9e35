"""The page: everything in it, nothing beside it, and nothing of it from strangers."""

from __future__ import annotations

import base64
import io
import re
from datetime import UTC, datetime
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from quality.validate.drawn_sets import drawn_set, seen
from quality.validate.written_sets import png, square, squares, written
from vedette.infer.load import DetectorSpec
from vedette.quality.labels import formats
from vedette.quality.labels.dataset import Box, Dataset, Picture
from vedette.quality.validate.coco_eval import Found, evaluate, records_of
from vedette.quality.validate.curves import curves_of
from vedette.quality.validate.judgement import Judgement
from vedette.quality.validate.page import page_of
from vedette.quality.validate.perform import Outcome, run_validation
from vedette.quality.validate.sightings import sighting, worst

NOW = datetime(2026, 11, 29, 12, tzinfo=UTC)
VOID = {"meta", "br", "path", "polyline", "circle", "image"}


class Reader(HTMLParser):
    """Keeps what there is, and fails where tags are not closed in turn."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in ("meta", "br"):
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        opened = self.open.pop()
        if opened == "p" and tag != "p":
            opened = self.open.pop()
        assert opened == tag

    def handle_data(self, data: str) -> None:
        self.text.append(data)


def read(page: str) -> Reader:
    reader = Reader()
    reader.feed(page)
    reader.close()
    assert reader.open == []
    return reader


def outcome_of(path: Path, **options: object) -> Outcome:
    spec = DetectorSpec(python="squares:Squares", options=options, folder=str(path.parent))
    return run_validation(path.stem, formats.read(path), path.parent, spec, at=NOW)


def test_the_page_shows_figures_curves_and_the_worst_pictures(tmp_path: Path) -> None:
    outcome = outcome_of(squares(tmp_path, lights=("day", "night")), threshold=0.9)
    reader = read(page_of(outcome, Judgement([], [])))
    text = " ".join(reader.text)
    assert f"{outcome.run.figures['ap50']:.3f}" in text
    assert {"day", "night", "square"} <= set(reader.text)
    assert [tag for tag, _ in reader.tags].count("polyline") == 1
    pictures = [dict(attrs) for tag, attrs in reader.tags if tag == "image"]
    mistaken = worst(outcome.dataset, outcome.found, 0.4, 99)
    assert 0 < len(pictures) == min(12, len(mistaken))
    data = base64.b64decode((pictures[0]["href"] or "").removeprefix("data:image/jpeg;base64,"))
    assert Image.open(io.BytesIO(data)).format == "JPEG"


def test_the_page_needs_nothing_from_elsewhere(tmp_path: Path) -> None:
    page = page_of(outcome_of(squares(tmp_path), shift=40), Judgement(["it is bad"], ["mind this"]))
    reader = read(page)
    links = [value for _, attrs in reader.tags for key, value in attrs.items() if key in ("src", "href")]
    assert links
    assert all(value and value.startswith("data:image/jpeg;base64,") for value in links)
    assert not re.search(r"@import|url\(|<script|https?://", page)
    assert "prefers-color-scheme: dark" in page
    assert "it is bad" in page
    assert "mind this" in page


def test_whatever_comes_from_outside_is_escaped(tmp_path: Path) -> None:
    evil = '<script>alert("x")</script>&amp;'
    (tmp_path / "squares.py").write_text("")
    squares(tmp_path, 0)
    pixels, box = square(1)
    path = written(tmp_path, [("<img src=x>.png", png(pixels), [(evil, box)])], name="<b>set.json")
    path = path.rename(tmp_path / "<b>set.json")
    outcome = outcome_of(path, names=["<i>other"])
    page = page_of(outcome, Judgement([evil], [evil]))
    reader = read(page)
    assert not {"script", "img", "b", "i"} & {tag for tag, _ in reader.tags}
    assert evil in reader.text


def test_a_set_without_an_object_has_a_page(tmp_path: Path) -> None:
    squares(tmp_path, 0)
    empty = np.full((96, 160, 3), 60, np.uint8)
    path = written(tmp_path, [("a.png", png(empty), [])], labels=["square"])
    text = " ".join(read(page_of(outcome_of(path), Judgement([], []))).text)
    assert "There was nothing to find." in text
    assert "None has any." in text


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10_000), st.sampled_from([0.0, 0.4, 0.7]))
def test_what_is_shown_of_a_picture_is_what_was_counted(seed: int, confidence: float) -> None:
    dataset = drawn_set(seed, 10, crowded=0.4)
    found = seen(dataset, seed + 1)
    records = records_of(dataset, found, [str(number) for number in range(10)])
    right, wrong = records.at(0)
    sure = records.score >= confidence
    for number, (picture, boxes) in enumerate(zip(dataset.pictures, found, strict=True)):
        shown = sighting(number, picture, boxes, dataset.labels, confidence)
        here = sure & (records.picture == number)
        assert len(shown.right) == (here & right).sum()
        assert len(shown.wrong) == (here & wrong).sum()
        assert len(shown.missed) == records.truths[number].sum() - len(shown.right)


def test_the_area_below_a_curve_is_ap50() -> None:
    dataset = drawn_set(3, 200)
    found = seen(dataset, 4)
    curves = curves_of(records_of(dataset, found, [str(number) for number in range(200)]), 0.4)
    _, by_label, _ = evaluate(dataset, found, {})
    for curve in curves:
        area = sum((b[0] - a[0]) * b[1] for a, b in zip(curve.points, curve.points[1:], strict=False))
        assert area == pytest.approx(by_label[curve.label]["ap50"], abs=0.01)


def test_the_worst_pictures_come_first() -> None:
    one = (Box((0, 0, 20, 20), "person"),)
    dataset = Dataset(("person",), tuple(Picture(f"{name}.png", 99, 99, one) for name in "abc"))
    right = Found(np.array([[0, 0, 20, 20.0]]), np.array([0.9]), np.array([0]))
    wrong = Found(np.array([[50, 50, 70, 70.0]]), np.array([0.9]), np.array([0]))
    unsure = Found(np.array([[0, 0, 20, 20.0]]), np.array([0.2]), np.array([0]))
    assert [each.number for each in worst(dataset, [right, wrong, unsure], 0.4, 9)] == [1, 2]
