"""Another model is held to labelled pictures before it takes over from one that is watching cameras."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from integration.changing import Node, config
from integration.harness import Cameras, Run, fake, gone, wait_until, workers_of
from integration.test_relieved_detectors import command, nothing_was_lost, told
from integration.test_sighup import hang_up, write, written
from patience import NEVER_S, PATIENCE_S
from quality.validate.models import ELSEWHERE, always, cars_labelled_by, damaged, squares_here
from vedette.errors import WorkerError
from vedette.facts import ModelGated, ValidationFailed, ValidationPassed
from vedette.infer.load import DetectorSpec
from vedette.quality.validate import schedule
from vedette.quality.validate.schedule import Capacity

ALL = ("cam0", "cam1")


def detector(model: Path) -> dict[str, Any]:
    return {"model": str(model), "runtime": "onnxruntime", "timeout": NEVER_S}


def gating(cameras: Cameras, folder: Path, model: Path, **validation: Any) -> Any:
    return config(
        cameras,
        2,
        defaults={"track_grace": "1m"},
        detector=detector(model),
        validation={"dataset": str(folder / "set" / "set.json"), "runs": str(folder / "runs"), **validation},
    )


@pytest.fixture(scope="module")
def one(cameras: Cameras, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Node, Path]]:
    folder = tmp_path_factory.mktemp("gated")
    squares_here(folder / "set")
    with Node(gating(cameras, folder, always(folder / "good.onnx"))) as node:
        node.until_more(*ALL)
        yield node, folder


@pytest.fixture
def node(one: tuple[Node, Path]) -> Node:
    """The same for each test: the good model is at work, and nothing was told of others."""
    node, folder = one
    if at_work(node) != "good.onnx":
        node.node.set_model(always(folder / "good.onnx"), force=True)
    node.forget()
    return node


@pytest.fixture
def folder(one: tuple[Node, Path]) -> Path:
    return one[1]


def at_work(node: Node) -> str:
    model = node.node.config.detector.model
    assert model is not None
    return model.name


def outcomes(node: Node, count: int) -> list[str]:
    wait_until(lambda: len(told(node, ModelGated)) >= count, "it is told")
    return [fact.outcome for fact in told(node, ModelGated)]


def test_a_bad_model_never_detects_and_a_good_one_does_with_nothing_lost(node: Node, tmp_path: Path) -> None:
    before = workers_of(os.getpid(), "inference")
    with pytest.raises(
        WorkerError, match=r"bad\.onnx is refused: on the same 12 labelled pictures AP50 is 100"
    ):
        node.node.set_model(always(tmp_path / "bad.onnx", ELSEWHERE))
    assert workers_of(os.getpid(), "inference") == before
    assert at_work(node) == "good.onnx"
    node.until_more(*ALL)
    said = node.node.set_model(always(tmp_path / "other.onnx", note="other"))
    assert said.startswith("held to 12 labelled pictures of set: ")
    assert at_work(node) == "other.onnx"
    node.until_more(*ALL)
    assert outcomes(node, 2) == ["refused", "passed"]
    nothing_was_lost(node)


def test_by_force_it_does(node: Node, tmp_path: Path) -> None:
    said = node.node.set_model(always(tmp_path / "bad.onnx", ELSEWHERE), force=True)
    assert "left out by force" in said
    assert at_work(node) == "bad.onnx"
    assert outcomes(node, 1) == ["forced"]
    nothing_was_lost(node)


def test_pictures_that_cannot_be_looked_at_let_nobody_in(node: Node, folder: Path, tmp_path: Path) -> None:
    (folder / "set" / "004.png").write_bytes(b"\x89PNG\r\n\x1a\n no more")
    with pytest.raises(WorkerError, match=r"could not be held to the labelled pictures: .*004\.png"):
        node.node.set_model(always(tmp_path / "other.onnx", note="other"))
    squares_here(folder / "set")
    assert at_work(node) == "good.onnx"
    assert outcomes(node, 1) == ["refused"]


def test_a_model_that_overwrote_the_one_at_work_is_no_measure_of_it(node: Node, tmp_path: Path) -> None:
    never_seen = always(tmp_path / "mine.onnx", note="never looked at any picture")
    node.node.set_model(never_seen, force=True)
    always(never_seen, ELSEWHERE)
    with pytest.raises(WorkerError, match=r"mine\.onnx is not the file any more"):
        node.node.set_model(never_seen, iou=0.5)
    node.until_more(*ALL)
    nothing_was_lost(node)


def test_a_file_that_is_replaced_after_it_was_judged_never_detects(
    node: Node, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    model, examiner = always(tmp_path / "new.onnx", note="good"), node.node._node.examiner
    judge = examiner.gate

    async def judge_and_look_away(*asked: Any, **more: Any) -> Any:
        admitted = await judge(*asked, **more)
        always(model, ELSEWHERE)
        return admitted

    monkeypatch.setattr(examiner, "gate", judge_and_look_away)
    with pytest.raises(WorkerError, match=r"new\.onnx is not what was judged: it was replaced or written to"):
        node.node.set_model(model)
    assert at_work(node) == "good.onnx"
    node.until_more(*ALL)
    assert outcomes(node, 1) == ["passed"]
    nothing_was_lost(node)


def test_the_second_of_two_is_compared_with_the_first(node: Node, tmp_path: Path) -> None:
    """Whoever is asked for first has taken over by then."""
    good, bad = always(tmp_path / "other.onnx", note="other"), always(tmp_path / "bad.onnx", ELSEWHERE)
    node.node.set_model(bad, force=True)
    assert "AP50 +100.0 points" in node.node.set_model(good)
    with pytest.raises(WorkerError, match="is refused"):
        node.node.set_model(bad)


def test_cameras_can_be_changed_while_a_model_is_looked_at_and_so_can_the_node_be_stopped(
    cameras: Cameras, one: tuple[Node, Path]
) -> None:
    """The last one with this node."""
    node, folder = one
    slow = gating(cameras, folder, folder / "good.onnx").with_detector(
        {"model": None, **fake(seconds=3600.0)}
    )
    failed: list[Exception] = []

    def reload() -> None:
        try:
            node.node.reload(slow)
        except WorkerError as err:
            failed.append(err)

    asking = threading.Thread(target=reload)
    asking.start()
    wait_until(lambda: workers_of(os.getpid(), "validation"), "it is looked at")
    wait_until(lambda: "loading" in node.node.progress(), "how far it is can be asked")
    [process] = workers_of(os.getpid(), "validation")
    node.node.add_camera("cam2", url=cameras.url(2))
    node.until_more("cam2")
    everybody = [process, *workers_of(os.getpid(), "inference"), *workers_of(os.getpid(), "camera")]
    node.stop()
    asking.join(PATIENCE_S)
    assert not asking.is_alive()
    assert gone(everybody)
    assert "stopped" in str(failed[0])


def test_a_damaged_copy_of_the_bundled_model_is_refused_on_pictures_of_cars(
    cameras: Cameras, tmp_path: Path
) -> None:
    spec = DetectorSpec(device="cpu", runtime="onnxruntime")
    dataset = cars_labelled_by(spec, tmp_path / "cars")
    given = config(
        cameras,
        1,
        detector={"runtime": "onnxruntime", "device": "cpu", "timeout": NEVER_S},
        validation={"dataset": str(dataset), "runs": str(tmp_path / "runs")},
    )
    with Node(given) as node:
        node.until_more("cam0")
        with pytest.raises(WorkerError, match=r"bad\.onnx is refused: .*20 (labelled )?pictures"):
            node.node.set_model(damaged(tmp_path / "bad.onnx", 0.3), classes=Path("coco"), head="picodet")
        node.until_more("cam0")
        nothing_was_lost(node)


def test_the_detector_at_work_is_validated_beside_cameras_that_are_watched(
    cameras: Cameras, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(schedule, "CALM_S", 0.1)
    # Whoever runs the tests may have no core left.
    monkeypatch.setattr("vedette.node.Node._capacity", lambda node: Capacity(well=bool(node.ready_at)))
    squares_here(tmp_path / "set")
    good = always(tmp_path / "good.onnx")
    with Node(gating(cameras, tmp_path, good, every="1h", floors={"ap50": 0.9})) as node:
        node.until_more(*ALL)
        wait_until(lambda: told(node, ValidationPassed), "it was validated")
        seen = node.node.view().validation
        assert seen is not None
        assert seen.passed
        assert seen.figures["ap50"][0] == pytest.approx(1.0)
        node.node.set_model(always(tmp_path / "bad.onnx", ELSEWHERE), force=True)
        wait_until(lambda: told(node, ValidationFailed), "so was the other one")
        assert node.node.report()["node"]["validation"]["problems"] == ["AP50 is 0.000, below 0.900"]
        node.until_more(*ALL)
        nothing_was_lost(node)
        node.stop()


def test_an_operator_hears_why_a_model_is_refused(cameras: Cameras, tmp_path: Path) -> None:
    folder = tmp_path / "sockets"
    folder.mkdir(mode=0o700)
    squares_here(tmp_path / "set")
    good, bad = always(tmp_path / "good.onnx"), always(tmp_path / "bad.onnx", ELSEWHERE)
    section = {name: cameras.section()[name] for name in ALL}
    given = {
        "cameras": section,
        "detector": detector(good),
        "workers": 1,
        "ladder": False,  # where there is too much to do there is no canary
        "max_age": 10.0,
        "validation": {"dataset": str(tmp_path / "set" / "set.json")},
    }
    env = {"XDG_RUNTIME_DIR": str(folder), "TMPDIR": str(folder)}
    with Run(tmp_path / "run", given, env=env) as run:
        run.until_all_analysed(section)
        refused = command(run, "model", "set", str(bad))
        assert refused.returncode == 7
        assert "it was not done: bad.onnx is refused: on the same 12 labelled pictures" in refused.stderr
        assert run.saw("model refused", model="bad.onnx")
        assert len(list((run.folder / "validation" / "node").glob("2*.json"))) == 2, "beside the ledger"

        tried = command(run, "model", "canary", str(bad), "--cameras", "cam0")
        assert tried.returncode == 7
        assert "it was not done: bad.onnx is refused: on the same 12 labelled pictures" in tried.stderr
        assert "`force` lets it in all the same" in " ".join(tried.stderr.split())
        by_force = command(run, "model", "canary", str(bad), "--cameras", "cam0", "--force")
        assert by_force.returncode == 0, by_force.stderr
        assert "left out by force" in by_force.stdout
        assert command(run, "model", "canary", "--stop").returncode == 0

        before = written(run)
        write(run, {**before, "detector": detector(bad)})
        line = hang_up(run, "the configuration was not applied in whole")
        assert "bad.onnx is refused" in line["reason"]

        forced = command(run, "model", "set", "--force", str(bad))
        assert forced.returncode == 0, forced.stderr
        assert "left out by force" in forced.stdout
        assert run.saw("model not held to labelled pictures", level="warning")
        run.until_all_analysed(section)
        assert run.interrupt() == 0, run.stderr
