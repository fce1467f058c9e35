"""What a validation worker says of a candidate, and of the detector at work."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec
import pytest

from quality.validate.models import ELSEWHERE, HERE, always, squares_here
from vedette.errors import DetectorError, LabelError
from vedette.infer.load import DetectorSpec
from vedette.quality.validate.examine import KEPT, LATEST, examine
from vedette.quality.validate.model import model_of
from vedette.quality.validate.store import Runs
from vedette.quality.validate.verdict import Verdict
from vedette.workers.protocol import Examine

NOW = datetime(2026, 11, 29, 12, tzinfo=UTC)


class Node:
    """A set, the model at work, and what is kept, in a folder."""

    def __init__(self, folder: Path, count: int = 12) -> None:
        self.folder, self.dataset = folder, squares_here(folder / "set", count)
        self.good = always(folder / "good.onnx")
        self.runs, self.said, self.now = folder / "runs", list[str](), NOW

    def spec(self, model: Path | None = None, **more: object) -> DetectorSpec:
        return DetectorSpec(model=str(model or self.good), runtime="onnxruntime", **more)  # type: ignore[arg-type]

    def order(self, candidate: DetectorSpec, running: DetectorSpec | None, **more: object) -> Examine:
        return Examine(
            dataset=str(self.dataset),
            images=None,
            runs=str(self.runs),
            kept=str(self.runs / "node"),
            candidate=msgspec.msgpack.encode(candidate),
            running=b"" if running is None else msgspec.msgpack.encode(running),
            **more,  # type: ignore[arg-type]
        )

    def gated(self, candidate: DetectorSpec, **more: object) -> Verdict:
        self.said.clear()
        self.now += timedelta(seconds=1)
        return examine(self.order(candidate, self.spec(), **more), self.said.append, self.now)

    def scheduled(self, **more: object) -> Verdict:
        self.said.clear()
        self.now += timedelta(seconds=1)
        order = self.order(self.spec(), None, **({"identity": "me"} | more))
        return examine(order, self.said.append, self.now)

    def looked(self) -> set[str]:
        """Who looked at pictures."""
        return {words.partition(" has looked")[0] for words in self.said if "has looked" in words}


@pytest.fixture
def node(tmp_path: Path) -> Node:
    return Node(tmp_path)


def test_a_candidate_that_finds_the_same_passes(node: Node) -> None:
    verdict = node.gated(node.spec(always(node.folder / "other.onnx", note="another file")))
    assert verdict.passed
    assert verdict.pictures == 12
    assert verdict.compared.startswith("AP50 +0.0 points (+0.0 to +0.0), recall at its threshold +0.0")
    assert node.said[-1] == "the new one has looked at 12 of 12 labelled pictures"


def test_one_that_finds_its_boxes_elsewhere_is_refused_with_the_reason(node: Node) -> None:
    verdict = node.gated(node.spec(always(node.folder / "bad.onnx", ELSEWHERE)))
    [why] = verdict.problems
    assert why.startswith("on the same 12 labelled pictures AP50 is 100.0 points")
    assert verdict.figures["ap50"].value == 0.0


def test_the_one_at_work_looks_only_once(node: Node) -> None:
    bad = node.spec(always(node.folder / "bad.onnx", ELSEWHERE))
    node.gated(bad)
    assert node.looked() == {"the one at work", "the new one"}
    assert not node.gated(bad).passed
    assert node.looked() == set(), "both runs are there"
    squares_here(node.folder / "set", 13)
    node.gated(bad)
    assert node.looked() == {"the one at work", "the new one"}, "the pictures are others"


def test_a_run_made_by_hand_counts_as_well_and_where_it_ran_does_not_matter(node: Node) -> None:
    node.scheduled()
    [made] = (node.runs / "node").glob("2*.json")
    made.rename(node.runs / made.name)
    node.said.clear()
    spec = node.spec(device="auto", threads=4)
    order = node.order(node.spec(always(node.folder / "bad.onnx", ELSEWHERE)), spec)
    examine(order, node.said.append, NOW)
    assert "the one at work" not in node.looked()


def test_a_run_that_was_computed_otherwise_is_no_run_of_it(node: Node) -> None:
    node.scheduled()
    kept = Runs(node.runs / "node")
    [path] = kept.folder.glob("2*.json")
    run = kept.read(path.stem)
    assert run.precision == "f32"
    kept.keep(msgspec.structs.replace(run, precision="bf16"))
    node.gated(node.spec(always(node.folder / "bad.onnx", ELSEWHERE)))
    assert "the one at work" in node.looked()


def test_where_the_baseline_was_computed_otherwise_that_is_said(node: Node) -> None:
    runs, first = Runs(node.runs), node.scheduled()
    run = msgspec.structs.replace(Runs(node.runs / "node").read(first.run), precision="bf16")
    runs.keep(run)
    runs.make_baseline(run)
    assert any("computed in f32, the other one in bf16" in each for each in node.scheduled().remarks)


def test_a_verdict_says_of_which_file_it_is(node: Node) -> None:
    candidate = node.spec(always(node.folder / "other.onnx", note="another file"))
    assert node.gated(candidate).made_of == model_of(candidate).hash


def test_another_threshold_is_another_run(node: Node) -> None:
    node.scheduled()
    sure = node.spec(always(node.folder / "unsure.onnx", sure=0.45, note="unsure"), confidence=0.5)
    verdict = node.gated(sure)
    assert any("finds nothing in 12 pictures" in why for why in verdict.problems)
    assert node.gated(msgspec.structs.replace(sure, confidence=0.4)).passed


def test_a_file_that_was_overwritten_says_nothing_of_the_model_that_was_loaded_from_it(node: Node) -> None:
    loaded = model_of(node.spec()).hash
    bad = always(node.folder / "bad.onnx", ELSEWHERE)
    node.good.write_bytes(bad.read_bytes())
    with pytest.raises(LabelError, match=r"good\.onnx is not the file any more"):
        node.gated(node.spec(bad), running_hash=loaded)
    with pytest.raises(LabelError, match=r"good\.onnx is not the file any more"):
        node.scheduled(running_hash=loaded)


def test_where_a_run_of_the_overwritten_one_is_kept_that_one_counts(node: Node) -> None:
    loaded = model_of(node.spec()).hash
    node.scheduled(running_hash=loaded)
    bad = always(node.folder / "bad.onnx", ELSEWHERE)
    node.good.write_bytes(bad.read_bytes())
    assert not node.gated(node.spec(bad), running_hash=loaded).passed


def test_few_pictures_decide_nothing_and_that_is_said(tmp_path: Path) -> None:
    node = Node(tmp_path, count=5)
    verdict = node.gated(node.spec(always(node.folder / "bad.onnx", ELSEWHERE)))
    assert verdict.passed
    assert any("nothing is decided by 5 pictures" in each for each in verdict.remarks)


def test_a_candidate_is_held_to_the_floors_that_the_one_at_work_reaches(node: Node) -> None:
    bad = node.spec(always(node.folder / "bad.onnx", ELSEWHERE))
    tolerant = {"tolerance": 1.0, "floors": {"ap50": 0.5}}
    assert node.gated(bad, **tolerant).problems == ["AP50 is 0.000, below 0.500"]
    also_bad = node.spec(always(node.folder / "also.onnx", ELSEWHERE, note="also"))
    order = node.order(also_bad, bad, **tolerant)
    assert examine(order, node.said.append, NOW).passed, "it is no worse than what is there"


def test_the_one_at_work_is_held_to_floors_and_baseline_and_that_is_written_down(node: Node) -> None:
    first = node.scheduled(floors={"ap50": 0.9})
    assert first.passed
    assert "there is no baseline of set to compare it with" in first.remarks
    assert first.figures["recall"].value == 1.0
    runs, kept = Runs(node.runs), Runs(node.runs / "node")
    runs.keep(kept.read(first.run))
    runs.make_baseline(kept.read(first.run))
    assert node.scheduled().compared.startswith("AP50 +0.0 points")
    always(node.good, ELSEWHERE)
    worse = node.scheduled(floors={"ap50": 0.9})
    assert worse.problems[0] == "AP50 is 0.000, below 0.900"
    assert worse.problems[1].startswith("compared with the baseline, on the same 12 labelled pictures AP50")
    written = msgspec.json.decode((kept.folder / LATEST).read_bytes(), type=Verdict)
    assert written == worse
    assert written.identity == "me"


def test_old_runs_of_the_node_are_let_go(node: Node) -> None:
    for _ in range(KEPT + 3):
        last = node.scheduled()
    names = sorted(path.stem for path in (node.runs / "node").glob("2*.json"))
    assert len(names) == KEPT
    assert names[-1] == last.run


def test_what_cannot_be_looked_at_is_said(node: Node) -> None:
    (node.folder / "no.onnx").write_bytes(b"this is no model")
    with pytest.raises(DetectorError, match=r"no\.onnx"):
        node.gated(node.spec(node.folder / "no.onnx"))
    (node.folder / "set" / "003.png").unlink()
    with pytest.raises(LabelError, match=r"003\.png"):
        node.gated(node.spec())
    node.dataset.write_text("{")
    with pytest.raises(LabelError, match=r"set\.json"):
        node.scheduled()


def test_nothing_can_be_kept_and_a_candidate_is_judged_all_the_same(node: Node) -> None:
    node.runs.write_text("in the way of the folder")
    assert node.gated(node.spec(always(node.folder / "other.onnx", HERE, note="other"))).passed
    with pytest.raises(LabelError, match="cannot be written"):
        node.scheduled()
