"""A canary that is to be set for all cameras, on a node with labelled pictures that may say no; and what
comes in between: killed processes, changed configurations, replacements, a second canary."""

from __future__ import annotations

import asyncio
import os
import re
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psutil
import pytest

from integration.changing import Still, config
from integration.harness import Cameras, wait_until, workers_of
from integration.test_canary_of_a_node import Boxed
from integration.test_gate_of_a_node import gating
from integration.test_relieved_detectors import nothing_was_lost
from patience import NEVER_S, PATIENCE_S
from quality.validate.models import ELSEWHERE, always, damaged, squares_here
from vedette.alerts.phrases import CAUSES
from vedette.config import Config
from vedette.errors import WorkerError
from vedette.facts import Alerted, CanaryEnded, CanaryStarted, ModelGated, WorkerEnded, WorkerReplaced
from vedette.observe.views import WorkerView
from vedette.sim.clip import bundled_clip

ALL = ("cam0", "cam1")
ROOT = Path(__file__).parents[2]


class Gated(Boxed):
    """With a good model at work, and labelled pictures for which it is good."""

    def try_(self, model: Path, *, cameras: tuple[str, ...] = ("cam0",), force: bool = False) -> str:
        """For as long as nobody says that its time is over."""
        return self.node.canary(model, cameras=list(cameras), seconds=3600.0, then="set", force=force)

    def its_time_is_over(self) -> None:
        trial = self.node._node.canary.trial
        assert trial is not None
        trial.lasts = 0.0

    @property
    def at_work(self) -> str:
        model = self.node.config.detector.model
        assert model is not None
        return model.name

    def left(self, camera: str) -> Any:
        self.until_more(camera)
        return self.of(camera)[-1]["left"]

    def candidate(self, kind: str) -> WorkerView:
        """Its process, as it is seen."""
        [found] = [worker for worker in self.node.view().workers if worker.kind == kind]
        return found

    def until_alerted(self, why: str) -> Alerted:
        wait_until(lambda: self.alerts(), "it is alerted of")
        [alerted] = self.alerts()
        assert CAUSES[f"canary_{why}"] in alerted.title
        return alerted

    def alerts(self) -> list[Alerted]:
        return [fact for fact in self.told(Alerted) if "anary" in fact.title]

    @contextmanager
    def holding_the_gate(self) -> Iterator[None]:
        """Nobody gets through it meanwhile, as while another model is looked at."""
        loop, one = self.node._loop, self.node._node.examiner.one
        assert loop is not None
        asyncio.run_coroutine_threadsafe(one.acquire(), loop).result()
        try:
            yield
        finally:
            self.node._on_loop(one.release)

    def until_it_waits(self) -> None:
        self.its_time_is_over()
        wait_until(lambda: self.canary.state == "taking_over", "its time is over, and it waits for the gate")

    def until_nobody_is_tried(self) -> None:
        wait_until(lambda: not self.node._node.canary.children, "its process is gone")
        wait_until(lambda: len(workers_of(os.getpid(), "inference")) == 1, "there is one detector")


def settings(cameras: Cameras, folder: Path, model: Path) -> Config:
    given: Config = gating(cameras, folder, model)
    return given.model_copy(update={"ladder": False, "max_age": 10.0})


@pytest.fixture
def node(cameras: Cameras, tmp_path: Path) -> Iterator[Gated]:
    squares_here(tmp_path / "set")
    with Gated(settings(cameras, tmp_path, always(tmp_path / "good.onnx"))) as node:
        node.until_more(*ALL)
        yield node


def test_one_that_the_gate_refuses_detects_for_no_camera(node: Gated, tmp_path: Path) -> None:
    before, mark = workers_of(os.getpid(), "inference"), len(node.of("cam0"))
    good = node.left("cam0")
    refused = r"bad\.onnx is refused: on the same 12 labelled pictures AP50 is 100.*force"
    with pytest.raises(WorkerError, match=refused):
        node.try_(always(tmp_path / "bad.onnx", ELSEWHERE))
    assert workers_of(os.getpid(), "inference") == before
    node.until_more(*ALL)
    assert node.lefts("cam0", mark) == {good}
    assert [fact.outcome for fact in node.told(ModelGated)] == ["refused"]
    assert node.until_ended().why == "not_started"
    assert not node.told(CanaryStarted)
    assert not node.alerts(), "whoever ordered it was told"
    nothing_was_lost(node)


def test_one_that_is_examined_can_be_stopped_and_nobody_else_is_tried_meanwhile(
    node: Gated, tmp_path: Path
) -> None:
    refused: list[str] = []

    def ask() -> None:
        try:
            node.try_(always(tmp_path / "other.onnx", note="other"))
        except WorkerError as err:
            refused.append(str(err))

    asking = threading.Thread(target=ask)
    with node.holding_the_gate():
        asking.start()
        wait_until(lambda: node.node.view().canary, "it is asked for")
        assert node.canary.state == "examined"
        third = always(tmp_path / "third.onnx", note="third")
        with pytest.raises(WorkerError, match="stop that first"):
            node.node.canary(third, cameras=["cam1"])
        with pytest.raises(WorkerError, match="stop that first"):
            node.node.shadow(third)
        node.node.stop_canary()
        asking.join(PATIENCE_S)
    assert refused == ["it was stopped before it detected"]
    assert node.until_ended().why == "stopped"
    assert not node.told(CanaryStarted)
    nothing_was_lost(node)


def test_one_that_was_brought_in_by_force_is_held_to_the_pictures_before_it_detects_for_all(
    node: Gated, tmp_path: Path
) -> None:
    good = {name: node.left(name) for name in ALL}
    still = Still(node, *ALL)
    said = node.try_(always(tmp_path / "bad.onnx", ELSEWHERE), force=True)
    assert "left out by force" in said
    node.until_more(*ALL)
    assert node.left("cam0") != good["cam0"], "until then it detects"
    node.its_time_is_over()
    ended = node.until_ended()
    assert ended.why == "not_set"
    assert "bad.onnx is refused: on the same 12 labelled pictures AP50 is 100" in ended.detail
    assert [fact.outcome for fact in node.told(ModelGated)] == ["forced", "refused"]
    assert node.at_work == "good.onnx"
    for name in ALL:
        node.until_left(name, good[name])
    still.check()
    node.until_nobody_is_tried()
    alerted = node.until_alerted("not_set")
    assert "12 labelled pictures" in alerted.body
    assert "cam0" in alerted.body
    nothing_was_lost(node)
    assert not node.told(WorkerReplaced)
    node.stop()


def labelled_driveway(folder: Path) -> Path:
    """59 frames of the bundled clip, with what is in them."""
    labels = ROOT / "tests" / "data" / "labelled" / "driveway.json"
    command = [sys.executable, ROOT / "tools" / "labelled_frames.py", "pictures"]
    subprocess.run([*command, labels, bundled_clip(), folder], check=True, timeout=PATIENCE_S)
    return folder / "driveway.json"


def test_a_damaged_copy_of_the_bundled_model_is_refused_on_labelled_pictures_of_a_real_driveway(
    cameras: Cameras, tmp_path: Path
) -> None:
    at_work = {"runtime": "onnxruntime", "device": "cpu", "timeout": NEVER_S}
    held_to = {"dataset": str(labelled_driveway(tmp_path / "driveway")), "runs": str(tmp_path / "runs")}
    given: dict[str, Any] = {"defaults": {"track_grace": "1m"}, "ladder": False, "max_age": 10.0}
    with Gated(config(cameras, 2, detector=at_work, validation=held_to, **given)) as node:
        node.until_more(*ALL)
        bad = damaged(tmp_path / "bad.onnx", 0.3)
        refused = r"bad\.onnx is refused: on the same 59 labelled pictures AP50 is"
        like_it: dict[str, Any] = {"cameras": ["cam0"], "classes": Path("coco"), "head": "picodet"}
        with pytest.raises(WorkerError, match=refused):
            node.node.canary(bad, **like_it)
        assert not node.told(CanaryStarted)
        node.node.canary(bad, seconds=1.0, then="set", force=True, **like_it)
        # Detectors look at 59 pictures, and only while nobody else wants a core.
        wait_until(lambda: node.canary.why == "not_set", "it goes back", 3 * PATIENCE_S)
        assert re.search(refused, node.canary.detail)
        assert node.node.config.detector.model is None, "the bundled one"
        node.until_nobody_is_tried()
        node.until_alerted("not_set")
        node.until_more(*ALL)
        nothing_was_lost(node)
        node.stop()


def test_one_that_the_gate_lets_through_detects_for_all_and_raises_no_alert(
    node: Gated, tmp_path: Path
) -> None:
    said = node.try_(always(tmp_path / "other.onnx", note="other"))
    assert said.startswith("held to 12 labelled pictures of set: ")
    node.until_more("cam0")
    node.its_time_is_over()
    ended = node.until_ended()
    assert (ended.why, node.at_work) == ("set", "other.onnx")
    assert ended.detail.startswith("held to 12 labelled pictures of set: ")
    assert [fact.reason for fact in node.told(WorkerReplaced)] == ["canary"]
    node.until_nobody_is_tried()
    node.until_more(*ALL)
    assert not node.alerts()
    nothing_was_lost(node)
    node.stop()


def test_one_that_is_killed_while_it_waits_for_the_gate_is_not_set(node: Gated, tmp_path: Path) -> None:
    node.try_(always(tmp_path / "other.onnx", note="other"))
    node.until_more("cam0")
    with node.holding_the_gate():
        node.until_it_waits()
        node.process().kill()
        assert node.until_ended().why == "died"
        node.until_more(*ALL)
    node.until_nobody_is_tried()
    node.until_alerted("died")
    assert node.at_work == "good.onnx"
    assert len(node.told(CanaryEnded)) == 1
    node.until_more(*ALL)


def test_one_that_is_stopped_while_it_waits_is_not_set(node: Gated, tmp_path: Path) -> None:
    node.try_(always(tmp_path / "other.onnx", note="other"))
    node.until_more("cam0")
    with node.holding_the_gate():
        node.until_it_waits()
        node.node.stop_canary()
    assert node.until_ended().why == "stopped"
    node.until_nobody_is_tried()
    assert node.at_work == "good.onnx"
    nothing_was_lost(node)


def test_cameras_and_workers_change_while_it_waits_and_it_is_set_for_those_that_are_left(
    node: Gated, cameras: Cameras, tmp_path: Path
) -> None:
    node.try_(always(tmp_path / "other.onnx", note="other"))
    node.until_more("cam0")
    with node.holding_the_gate():
        node.until_it_waits()
        node.node.recycle("inference-0")
        node.node.recycle("cameras-0")
        node.node.add_camera("cam2", url=cameras.url(2))
        node.until_more("cam2")
        node.node.remove_camera("cam0")
        node.until_state("cam0", "removed")
    ended = node.until_ended()
    assert (ended.why, node.at_work) == ("set", "other.onnx")
    node.until_nobody_is_tried()
    assert set(node.node.config.cameras) == {"cam1", "cam2"}
    node.until_more("cam1", "cam2")
    node.node.add_camera("cam0", url=cameras.url(0))
    node.until_more("cam0")
    assert not node.told(WorkerEnded)
    assert not node.alerts()


def test_another_configuration_at_sighup_changes_the_cameras_and_not_whether_it_is_set(
    node: Gated, cameras: Cameras, tmp_path: Path
) -> None:
    other = settings(cameras, tmp_path, always(tmp_path / "third.onnx", note="third"))
    refused: list[str] = []

    def reload() -> None:
        try:
            node.node.reload(other.without_camera("cam1"))
        except WorkerError as err:
            refused.append(str(err))

    node.try_(always(tmp_path / "other.onnx", note="other"))
    node.until_more("cam0")
    with node.holding_the_gate():
        node.until_it_waits()
        asking = threading.Thread(target=reload)
        asking.start()
        node.until_state("cam1", "removed")
    # It came second: it is refused, or its turn is when the canary has been set.
    ended = node.until_ended()
    asking.join()
    assert ended.why == "set"
    assert node.at_work == ("other.onnx" if refused else "third.onnx")
    node.until_nobody_is_tried()
    node.until_more("cam0")
    assert not node.told(WorkerEnded)
    assert (node.view("cam0").frames.orphaned, node.view("cam0").epoch) == (0, 0)


def test_the_detector_at_work_dies_while_it_waits_and_cameras_are_seen_whatever_becomes_of_it(
    node: Gated, tmp_path: Path
) -> None:
    node.try_(always(tmp_path / "other.onnx", note="other"))
    node.until_more("cam0")
    with node.holding_the_gate():
        node.until_it_waits()
        psutil.Process(node.node._node.detector.pid).kill()
        wait_until(lambda: node.told(WorkerEnded), "its death is told")
        mark = len(node.of("cam0"))
        wait_until(lambda: len(node.of("cam0")) > mark + 5, "the canary's camera does not wait for it")
    ended = node.until_ended()
    assert ended.why in ("set", "not_set")
    assert node.at_work == ("other.onnx" if ended.why == "set" else "good.onnx")
    node.until_nobody_is_tried()
    node.until_more(*ALL)


def test_a_file_that_is_written_anew_while_it_is_tried_is_not_set(node: Gated, tmp_path: Path) -> None:
    node.try_(always(tmp_path / "other.onnx", note="other"))
    node.until_more("cam0")
    with node.holding_the_gate():
        node.until_it_waits()
        always(tmp_path / "other.onnx", note="never tried by anybody")
    ended = node.until_ended()
    assert ended.why == "not_set"
    assert "other.onnx is not the file any more that was tried" in ended.detail
    assert node.at_work == "good.onnx"
    assert len(node.told(ModelGated)) == 1, "nobody had to look at pictures again for that"
    nothing_was_lost(node)


def test_one_whose_camera_is_paused_all_the_time_is_not_set(node: Gated, tmp_path: Path) -> None:
    node.node.pause("cam0")
    node.until_state("cam0", "paused")
    node.try_(always(tmp_path / "bad.onnx", ELSEWHERE), force=True)
    node.its_time_is_over()
    ended = node.until_ended()
    assert (ended.why, node.at_work) == ("not_set", "good.onnx")
    assert "not one frame" in ended.detail
    node.node.resume("cam0")
    node.until_more(*ALL)


def test_of_two_that_are_asked_for_at_once_one_is_tried(node: Gated, tmp_path: Path) -> None:
    models = [always(tmp_path / f"m{number}.onnx", note=str(number)) for number in range(2)]
    refused: list[str] = []

    def ask(number: int) -> None:
        try:
            node.node.canary(models[number], cameras=[ALL[number]], seconds=600)
        except WorkerError as err:
            refused.append(str(err))

    asking = [threading.Thread(target=ask, args=(number,)) for number in range(2)]
    for each in asking:
        each.start()
    for each in asking:
        each.join()
    assert len(refused) == 1
    assert "stop that first" in refused[0]
    wait_until(lambda: node.told(CanaryStarted), "one of them is tried")
    assert len(node.told(CanaryStarted)) == 1
    node.until_more(*ALL)
    node.node.stop_canary()
    node.until_nobody_is_tried()
    nothing_was_lost(node)


def both_found(node: Gated) -> int:
    shadow = node.node.view().shadow
    return shadow.in_all.both if shadow is not None else 0


def test_its_process_is_seen_beside_the_workers_and_what_a_shadow_of_it_agreed(
    node: Gated, tmp_path: Path
) -> None:
    other = always(tmp_path / "other.onnx", note="other")
    node.node.shadow(other, share=1.0)
    wait_until(lambda: both_found(node) > 3, "both find the same")
    seen = node.candidate("shadow")
    at_work = node.node.view().detector
    assert (seen.name, seen.model, seen.beside) == ("shadow-0", str(other), at_work)
    wait_until(lambda: node.candidate("shadow").busy > 0, "it is said how busy it is")
    node.node.stop_shadow()
    node.node.canary(other, cameras=["cam0"], seconds=600)
    agreed = node.canary.agreed
    assert agreed is not None
    assert agreed.value == pytest.approx(1.0)
    wait_until(lambda: node.candidate("canary").busy > 0, "it is said how busy it is")
    seen = node.candidate("canary")
    assert (seen.name, seen.model, seen.beside, seen.cameras) == ("canary-0", str(other), at_work, 1)
    assert seen.pid == node.process().pid
    assert [node.view(name).canary for name in ALL] == [str(other), ""]
    wait_until(lambda: node.canary.took_ms.p50 > 0 and node.canary.beside_took_ms.p50 > 0, "both take time")
    node.node.stop_canary()
    node.until_nobody_is_tried()
    assert {worker.kind for worker in node.node.view().workers} == {"camera", "inference"}
    assert node.view("cam0").canary == ""
    # Written anew, it is another one.
    always(other, note="another")
    node.node.canary(other, cameras=["cam0"], seconds=600)
    assert node.canary.agreed is None
