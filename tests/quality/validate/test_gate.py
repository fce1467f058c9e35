"""A model that got worse is refused, with the reason; one that did not is let through."""

from __future__ import annotations

import subprocess
import sys
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path

import msgspec
import numpy as np
import pytest

from quality.validate.drawn_sets import drawn_set, seen
from quality.validate.models import cars_labelled_by, damaged
from vedette.errors import LabelError
from vedette.infer.load import DetectorSpec
from vedette.quality.labels.dataset import Dataset
from vedette.quality.labels.formats import read
from vedette.quality.validate.classes import Classes
from vedette.quality.validate.coco_eval import Found
from vedette.quality.validate.gate import Rules, below_floor, compare, refusal
from vedette.quality.validate.judgement import judge
from vedette.quality.validate.perform import make_run, run_validation
from vedette.quality.validate.run import Model, Run

NOW = datetime(2026, 11, 29, 12, tzinfo=UTC)
SPEC = DetectorSpec(device="cpu", runtime="onnxruntime")
QUICK = Rules(resamples=300)


def run_of(dataset: Dataset, found: list[Found], keys: list[str] | None = None) -> Run:
    keys = keys or [picture.name for picture in dataset.pictures]
    model = Model("drawn", "0" * 64, False, {})
    return make_run("drawn", dataset, 0.4, model, Classes(dataset.labels), found, keys, {}, NOW)


def without(found: list[Found], share: float, seed: int = 9) -> list[Found]:
    """The same boxes, but for a share of them."""
    rng = np.random.default_rng(seed)
    kept = [rng.random(len(each.score)) >= share for each in found]
    return [
        Found(each.xyxy[keep], each.score[keep], each.label[keep])
        for each, keep in zip(found, kept, strict=True)
    ]


DATASET = drawn_set(1, 60)
GOOD = seen(DATASET, 2, noise=1)


@lru_cache(maxsize=1)
def good() -> Run:
    return run_of(DATASET, GOOD)


def test_the_same_again_is_let_through() -> None:
    assert refusal(run_of(DATASET, GOOD), good(), QUICK) is None


def test_one_that_finds_less_is_refused_with_the_reason() -> None:
    why = refusal(run_of(DATASET, without(GOOD, 0.15)), good(), QUICK)
    assert why is not None
    assert why.startswith("on the same 60 labelled pictures ")
    assert "AP50 is " in why
    assert "recall at its threshold is " in why
    assert why.endswith(") lower")


def test_where_the_two_were_computed_otherwise_the_reason_says_so() -> None:
    fewer = run_of(DATASET, without(GOOD, 0.5))
    computed = msgspec.structs.replace(fewer, precision="bf16")
    why = refusal(computed, msgspec.structs.replace(good(), precision="f32"), QUICK)
    assert why is not None
    assert why.endswith("(computed in bf16, the other one in f32)")
    assert refusal(computed, good(), QUICK) is not None
    unlike = compare(computed, good(), QUICK).unlike
    assert unlike == "computed in bf16, the other one in a precision that was not noted"
    assert not compare(fewer, good(), QUICK).unlike


def test_one_that_finds_more_is_let_through() -> None:
    assert refusal(good(), run_of(DATASET, without(GOOD, 0.15)), QUICK) is None


def test_what_is_lost_within_the_tolerance_is_let_through() -> None:
    lost = run_of(DATASET, without(GOOD, 0.15))
    assert refusal(lost, good(), QUICK) is not None
    assert refusal(lost, good(), Rules(tolerance=0.3, resamples=300)) is None


def test_one_that_finds_nothing_is_refused_however_few_pictures_there_are() -> None:
    few = Dataset(DATASET.labels, DATASET.pictures[:3])
    nothing = run_of(few, without(GOOD[:3], 1.0))
    why = refusal(nothing, run_of(few, GOOD[:3]), QUICK)
    assert why is not None
    assert why.startswith("it finds nothing in 3 pictures with ")
    assert refusal(nothing, nothing, QUICK) is None


def test_one_whose_boxes_are_all_unsure_is_refused() -> None:
    unsure = [Found(each.xyxy, each.score * 0.39, each.label) for each in GOOD]
    assert "finds nothing" in (refusal(run_of(DATASET, unsure), good(), QUICK) or "")


def test_a_few_pictures_decide_nothing() -> None:
    few = Dataset(DATASET.labels, DATASET.pictures[:8])
    worse = run_of(few, without(GOOD[:8], 0.7))
    assert refusal(worse, run_of(few, GOOD[:8]), QUICK) is None
    assert refusal(worse, run_of(few, GOOD[:8]), Rules(resamples=300, pictures=5)) is not None


def test_runs_are_compared_on_the_pictures_that_both_have_seen() -> None:
    grown = Dataset(DATASET.labels, (*drawn_set(5, 10).pictures, *DATASET.pictures))
    names = [f"new {number}" for number in range(10)] + [picture.name for picture in DATASET.pictures]
    found = [*seen(drawn_set(5, 10), 6, sharp=0), *GOOD]
    judged = judge(run_of(grown, found, names), good(), QUICK)
    assert judged.passed
    assert judged.comparison is not None
    assert judged.comparison.pictures == 60
    assert {each.value for each in judged.comparison.differences.values()} == {0}
    assert any("60 of 70 pictures" in remark for remark in judged.remarks)


def test_the_same_picture_twice_is_compared_once() -> None:
    keys = ["same", "same", *(str(number) for number in range(58))]
    run = run_of(DATASET, GOOD, keys)
    assert refusal(run, run, QUICK) is None
    judged = judge(run, run, QUICK)
    assert judged.comparison is not None
    assert judged.comparison.pictures == 59
    assert any("1 of its pictures is the same as another" in remark for remark in judged.remarks)
    assert not any("has not seen" in remark for remark in judged.remarks), "it has seen all of them"
    others = run_of(DATASET, GOOD, ["same", *(str(number) for number in range(59))])
    remarks = " ".join(
        judge(run_of(DATASET, GOOD, ["same", "same", "new", *keys[3:]]), others, QUICK).remarks
    )
    assert "compared on 58 of 59 different pictures: the baseline has not seen the others" in remarks


def test_where_no_picture_is_there_twice_nothing_is_said_of_that() -> None:
    assert not any("the same as another" in remark for remark in judge(good(), good(), QUICK).remarks)


def test_runs_without_a_picture_in_common_are_not_compared() -> None:
    other = run_of(DATASET, GOOD, [f"other {number}" for number in range(60)])
    with pytest.raises(LabelError, match="no picture in common"):
        refusal(other, good(), QUICK)


def test_precision_alone_is_no_reason_but_is_remarked() -> None:
    rng = np.random.default_rng(3)
    flooded = []
    for each in GOOD:
        corner = rng.uniform(0, 500, (6, 2))
        xyxy = np.concatenate([each.xyxy, np.hstack([corner, corner + 30])])
        # Just below what is right, and above the threshold: AP50 hardly sees them.
        score = np.concatenate([each.score * 0.5 + 0.5, np.full(6, 0.45)])
        flooded.append(Found(xyxy, score, np.concatenate([each.label, np.zeros(6, int)])))
    judged = judge(
        run_of(DATASET, flooded),
        run_of(DATASET, [Found(each.xyxy, each.score * 0.5 + 0.5, each.label) for each in GOOD]),
        QUICK,
    )
    assert judged.passed
    assert any("precision at its threshold" in remark for remark in judged.remarks)


def test_floors_are_held() -> None:
    assert below_floor(good(), {"ap50": 0.3, "recall": 0.3}) == []
    [said] = below_floor(good(), {"ap50": 0.99})
    assert said.startswith("AP50 is 0.")
    assert said.endswith(", below 0.990")


# ---- models


@pytest.fixture(scope="module")
def set_of_cars(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return cars_labelled_by(SPEC, tmp_path_factory.mktemp("cars"))


def run_on(path: Path, **spec: object) -> Run:
    dataset = read(path)
    changed = msgspec.structs.replace(SPEC, **spec)
    return run_validation("cars", dataset, path.parent, changed, at=NOW).run


def test_a_damaged_model_is_refused_and_the_undamaged_one_is_not(set_of_cars: Path, tmp_path: Path) -> None:
    running = run_on(set_of_cars)
    assert running.figures["ap50"] == pytest.approx(1.0)
    assert refusal(run_on(set_of_cars), running, QUICK) is None
    bad = damaged(tmp_path / "bad.onnx", 0.3)
    candidate = run_on(set_of_cars, model=str(bad), classes="coco", head="picodet")
    assert candidate.model.hash != running.model.hash
    why = refusal(candidate, running, QUICK)
    assert why is not None
    assert "20 pictures" in why or "20 labelled pictures" in why


def test_labels_that_the_detector_does_not_know_count_as_missed(set_of_cars: Path) -> None:
    run = run_on(set_of_cars, classes=["gnome"] * 80)
    assert "car" in run.unknown
    assert run.left_out["gnome"] > 0
    assert run.figures["ap50"] == 0.0
    why = refusal(run, run_on(set_of_cars), QUICK)
    assert why is not None
    assert "(but gnome)" in why
    remarks = " ".join(judge(run, None, QUICK).remarks)
    assert "the detector does not know car" in remarks
    assert "left out, because the set did not look for it: gnome (" in remarks


def test_the_gate_needs_neither_detectors_nor_evaluators() -> None:
    code = (
        "import sys, vedette.quality.validate.gate, vedette.quality.validate.store\n"
        "print([name for name in ('hotcoco', 'av', 'onnxruntime', 'PIL') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
