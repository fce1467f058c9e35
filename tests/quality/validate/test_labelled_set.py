"""The bundled model on frames that were labelled by eye: tests/data/labelled says how."""

from __future__ import annotations

import json
import subprocess
import sys
from datetime import UTC, datetime
from hashlib import sha256
from itertools import combinations
from pathlib import Path

import msgspec
import pytest

from quality.validate.models import damaged
from quality.validate.written_sets import CLIP
from vedette.infer.load import DetectorSpec
from vedette.quality.labels.content import content_hash
from vedette.quality.labels.dataset import Dataset
from vedette.quality.labels.formats import read, write
from vedette.quality.review.matching import iou
from vedette.quality.validate.gate import Rules, refusal
from vedette.quality.validate.perform import run_validation
from vedette.quality.validate.run import Run

ROOT = Path(__file__).parents[3]
LABELLED = ROOT / "tests/data/labelled"
SPEC = DetectorSpec(device="cpu", runtime="onnxruntime")
QUICK = Rules(resamples=300)

both = pytest.mark.parametrize("name", ["driveway", "vtest"])


@pytest.fixture(scope="module")
def driveway(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The labels, with their pictures beside them."""
    folder = tmp_path_factory.mktemp("driveway")
    labels = LABELLED / "driveway.json"
    command = [sys.executable, ROOT / "tools/labelled_frames.py", "pictures", labels, CLIP, folder]
    subprocess.run(command, check=True)
    return folder / labels.name


@pytest.fixture(scope="module")
def bundled(driveway: Path) -> Run:
    return run_on(driveway)


def run_on(labels: Path, **settings: object) -> Run:
    spec = msgspec.structs.replace(SPEC, **settings)
    now = datetime(2026, 11, 30, tzinfo=UTC)
    return run_validation(labels.stem, read(labels), labels.parent, spec, at=now).run


def labelled(name: str) -> Dataset:
    return read(LABELLED / f"{name}.json")


@both
def test_boxes_lie_in_their_pictures(name: str) -> None:
    for picture in labelled(name).pictures:
        for box in picture.boxes:
            left, top, right, bottom = box.xyxy
            assert 0 <= left < right <= picture.width, picture.name
            assert 0 <= top < bottom <= picture.height, picture.name


@both
def test_the_same_classes_were_looked_for_in_all(name: str) -> None:
    assert labelled(name).labels == ("person", "car", "truck")


@both
def test_no_object_has_two_boxes(name: str) -> None:
    for picture in labelled(name).pictures:
        for one, other in combinations(picture.boxes, 2):
            same = one.label == other.label and not one.difficult and not other.difficult
            assert not same or iou(one.xyxy, other.xyxy) < 0.75, picture.name


@both
def test_each_picture_is_another_frame_of_the_clip(name: str) -> None:
    dataset = labelled(name)
    numbers = [picture.attributes["frame"] for picture in dataset.pictures]
    assert len(set(numbers)) == len(numbers)
    assert all(0 <= number < dataset.attributes["clip"]["frames"] for number in numbers)


@both
def test_nothing_is_lost_when_it_is_written_again(name: str, tmp_path: Path) -> None:
    write(labelled(name), tmp_path / "again.json", "coco")
    assert content_hash(read(tmp_path / "again.json")) == content_hash(labelled(name))


def test_the_clip_that_was_labelled_is_the_bundled_one() -> None:
    assert labelled("driveway").attributes["clip"]["sha256"] == sha256(CLIP.read_bytes()).hexdigest()


def test_there_are_scenes_with_and_without_a_car() -> None:
    seen = [any(box.label == "car" for box in each.boxes) for each in labelled("driveway").pictures]
    assert min(seen.count(True), seen.count(False)) >= 20


def test_frames_of_another_clip_are_not_taken_for_the_labelled_ones(tmp_path: Path) -> None:
    (tmp_path / "other.mov").write_bytes(CLIP.read_bytes()[:-1])
    labels = LABELLED / "driveway.json"
    tool = ROOT / "tools/labelled_frames.py"
    command = [sys.executable, tool, "pictures", labels, tmp_path / "other.mov", tmp_path / "pictures"]
    ended = subprocess.run(command, capture_output=True, text=True, check=False)
    assert ended.returncode == 1
    assert "is not the clip that was labelled" in ended.stderr


def test_the_bundled_model_finds_the_car(bundled: Run) -> None:
    """Far below what it reaches: this notices a broken model, not a worse one."""
    assert bundled.figures["ap50"] > 0.7
    recall, precision = (bundled.estimates[name].value for name in ("recall", "precision"))
    assert recall is not None
    assert recall > 0.7
    assert precision is not None
    assert precision > 0.7


def test_validate_says_how_the_bundled_model_does(driveway: Path, tmp_path: Path) -> None:
    options = ["--dataset", driveway, "--runs", tmp_path, "--floor", "0.7", "--json"]
    command = [sys.executable, "-m", "vedette.cli", "validate", *options]
    ended = subprocess.run(command, capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stderr
    assert '"ap50"' in json.dumps(json.loads(ended.stdout))


def test_the_bundled_model_is_let_through(driveway: Path, bundled: Run) -> None:
    assert refusal(run_on(driveway), bundled, QUICK) is None


@pytest.mark.parametrize("noise", [0.1, 0.3])
def test_a_damaged_model_is_refused(noise: float, driveway: Path, bundled: Run, tmp_path: Path) -> None:
    bad = damaged(tmp_path / "bad.onnx", noise)
    why = refusal(run_on(driveway, model=str(bad), classes="coco", head="picodet"), bundled, QUICK)
    assert why is not None
