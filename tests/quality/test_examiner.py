"""Detectors are held to labelled pictures, in a process that takes nothing from those that watch cameras."""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import msgspec
import psutil
import pytest

from patience import PATIENCE_S
from quality.validate.models import ELSEWHERE, always, squares_here
from vedette.clock import SystemClock
from vedette.errors import WorkerError
from vedette.facts import ModelGated, Trouble, ValidationFailed, ValidationPassed, ValidationPostponed
from vedette.infer.load import DetectorSpec
from vedette.quality import examiner as module
from vedette.quality.examiner import Examiner
from vedette.quality.validate import schedule
from vedette.quality.validate.model import model_of
from vedette.quality.validate.schedule import Capacity
from vedette.quality.validate.settings import ValidationSettings

DAY = 86_400.0
SLOW = {"python": "vedette.testing:FakeDetector", "options": {"seconds": 3600.0}}


class Turning(SystemClock):
    """The machine's clock, and somebody who turns its hands on."""

    def __init__(self) -> None:
        self.on = 0.0

    def wall(self) -> float:
        return super().wall() + self.on

    def monotonic(self) -> float:
        return super().monotonic() + self.on


class Node:
    """What a node has an examiner for."""

    def __init__(self, folder: Path, **settings: Any) -> None:
        self.folder = folder
        self.dataset = squares_here(folder / "set")
        self.at_work = self.spec(always(folder / "good.onnx"))
        self.bad = self.spec(always(folder / "bad.onnx", ELSEWHERE))
        self.capacity, self.facts, self.clock = Capacity(), list[Any](), Turning()
        self.examiner = Examiner(
            ValidationSettings(**({"dataset": str(self.dataset)} | settings)),
            runs=folder / "runs",
            name="node",
            at_work=lambda: self.at_work,
            capacity=lambda: self.capacity,
            tell=self.facts.append,
            clock=self.clock,
        )

    def spec(self, model: Path) -> DetectorSpec:
        return DetectorSpec(model=str(model), runtime="onnxruntime")

    async def ticking(self) -> None:
        while True:
            self.examiner.tick()
            await asyncio.sleep(0.02)

    def told(self, kind: type[Any]) -> list[Any]:
        return [fact for fact in self.facts if isinstance(fact, kind)]

    async def until(self, happened: Callable[[], Any], what: str) -> None:
        async with asyncio.timeout(PATIENCE_S):
            while not happened():
                assert not self.told(Trouble), f"{self.facts} before {what}"
                await asyncio.sleep(0.02)

    async def process(self) -> psutil.Process:
        await self.until(lambda: self.examiner.processes, "there is a process")
        [(name, pid)] = self.examiner.processes
        assert name == "validation-0"
        return psutil.Process(pid)


def oom_score(pid: int) -> int:
    return int(Path(f"/proc/{pid}/oom_score_adj").read_text())


Make = Callable[..., Node]


@pytest.fixture
async def make(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Make]:
    """Nodes that are idle from the first moment."""
    monkeypatch.setattr(schedule, "CALM_S", 0.0)
    monkeypatch.setattr(module, "LOOK_EVERY_S", 0.0)
    made: list[tuple[Node, asyncio.Task[None]]] = []

    def make(**settings: Any) -> Node:
        node = Node(tmp_path, **settings)
        node.examiner.start()
        node.examiner.new_detector()
        made.append((node, asyncio.get_running_loop().create_task(node.ticking())))
        return node

    yield make
    for node, ticking in made:
        ticking.cancel()
        node.examiner.close()


async def test_a_bad_one_is_refused_and_a_good_one_is_not(make: Make, tmp_path: Path) -> None:
    node = make()
    with pytest.raises(
        WorkerError, match=r"bad\.onnx is refused: on the same 12 labelled pictures AP50 is 100"
    ):
        await node.examiner.gate(node.bad)
    good = node.spec(always(tmp_path / "other.onnx", note="other"))
    admitted = await node.examiner.gate(good)
    assert admitted.said.startswith("held to 12 labelled pictures of set: AP50 +0.0 points")
    assert admitted.made_of == model_of(good).hash
    assert [fact.outcome for fact in node.told(ModelGated)] == ["refused", "passed"]
    await node.until(lambda: not node.examiner.processes, "its processes are gone")


async def test_a_file_that_took_the_place_of_the_one_at_work_does_not_come_in_silently(
    make: Make, tmp_path: Path
) -> None:
    node = make()
    await node.until(lambda: node.examiner._identity, "it knows who is at work")
    good, bad = (str(each.model) for each in (node.at_work, node.bad))
    kept = shutil.copy(good, tmp_path / "kept.onnx")
    shutil.copy(bad, good)
    node.examiner.new_detector()  # the worker has died, say
    await node.until(lambda: node.told(ModelGated), "it is told")
    [fact] = node.told(ModelGated)
    assert (fact.model, fact.outcome) == ("good.onnx", "not_held")
    assert "its file was replaced" in fact.why
    shutil.copy(kept, good)
    await node.examiner.gate(node.at_work, force=True)
    node.examiner.new_detector()
    node.examiner.new_detector()
    await node.examiner._model_at_work()
    assert [fact.outcome for fact in node.told(ModelGated)] == ["not_held", "forced"], "this one was let in"


async def test_what_was_let_in_is_what_was_judged(make: Make, tmp_path: Path) -> None:
    """A process that loads another file than the one that was judged is not the one that was let in."""
    node = make()
    await node.until(lambda: node.examiner._identity, "it knows who is at work")
    again = msgspec.structs.replace(node.at_work, threads=2)
    node.at_work = again
    node.examiner.new_detector()
    admitted = await node.examiner.gate(again)
    node.examiner.new_detector(admitted.made_of)
    await node.examiner._model_at_work()
    assert [fact.outcome for fact in node.told(ModelGated)] == ["same"]
    await node.examiner.gate(again)
    node.examiner.new_detector("ab" * 32)  # it died before it took over, and was started anew
    await node.until(lambda: len(node.told(ModelGated)) == 3, "it is told")
    assert [fact.outcome for fact in node.told(ModelGated)][1:] == ["same", "not_held"]


async def test_only_what_was_tried_takes_over_from_a_canary(make: Make, tmp_path: Path) -> None:
    node = make()
    candidate = node.spec(always(tmp_path / "other.onnx", note="other"))
    tried = model_of(candidate).hash
    assert (await node.examiner.gate(candidate, tried=tried)).made_of == tried
    always(tmp_path / "other.onnx", note="another one")
    for force in (False, True):
        with pytest.raises(WorkerError, match=r"other\.onnx is not the file any more that was tried"):
            await node.examiner.gate(candidate, tried=tried, force=force)


async def test_one_that_is_only_to_be_tried_on_cameras_is_held_to_the_same_with_the_same_words(
    make: Make, tmp_path: Path
) -> None:
    node = make()
    said = r"bad\.onnx is refused: on the same 12 labelled pictures AP50 is 100.*`force` lets it in"
    with pytest.raises(WorkerError, match=said):
        await node.examiner.trial(node.bad)
    assert "left out by force" in (await node.examiner.trial(node.bad, force=True)).said
    good = node.spec(always(tmp_path / "other.onnx", note="other"))
    tried = await node.examiner.trial(good)
    assert tried.said.startswith("held to 12 labelled pictures of set: AP50 +0.0 points")
    assert [fact.outcome for fact in node.told(ModelGated)] == ["refused", "forced", "passed"]
    assert (await node.examiner.gate(good, tried=tried.made_of)).said == tried.said, "before it is set, again"


async def test_what_is_only_tried_is_not_what_may_take_over(make: Make) -> None:
    """A file that took the place of the one at work is told of, though a canary was let in meanwhile."""
    node = make()
    again = msgspec.structs.replace(node.at_work, threads=2)
    await node.until(lambda: node.examiner._identity, "it knows who is at work")
    await node.examiner.trial(again)
    always(Path(str(again.model)), ELSEWHERE)
    node.examiner.new_detector()
    await node.until(lambda: len(node.told(ModelGated)) == 2, "it is told")
    assert [fact.outcome for fact in node.told(ModelGated)] == ["same", "not_held"]


async def test_one_that_finds_nothing_at_all_is_not_tried(make: Make, tmp_path: Path) -> None:
    node = make()
    blind = node.spec(always(tmp_path / "blind.onnx", sure=0.0))
    with pytest.raises(WorkerError, match=r"blind\.onnx is refused: it finds nothing in 12 pictures"):
        await node.examiner.trial(blind)


async def test_by_force_and_without_pictures_nobody_looks_and_that_is_said(
    make: Make, tmp_path: Path
) -> None:
    node = make()
    assert "left out by force" in (await node.examiner.gate(node.bad, force=True)).said
    off = make(gate=False)
    assert "validation.gate is off" in (await off.examiner.gate(off.bad)).said
    none = make(dataset=None)
    assert "there are none" in (await none.examiner.gate(none.bad)).said
    outcomes = [each.told(ModelGated)[0].outcome for each in (node, off, none)]
    assert outcomes == ["forced", "not_held", "not_held"]


async def test_what_has_no_part_in_what_it_finds_is_not_compared(make: Make) -> None:
    node = make()
    other = msgspec.structs.replace(node.at_work, confidence=0.9, threads=2, device="cpu")
    admitted = await node.examiner.gate(other)
    assert "nothing to compare" in admitted.said
    assert admitted.made_of == model_of(other).hash
    [fact] = node.told(ModelGated)
    assert fact.outcome == "same"


async def test_a_set_that_cannot_be_read_lets_nobody_in(make: Make) -> None:
    node = make()
    node.dataset.unlink()
    with pytest.raises(WorkerError, match=r"could not be held to the labelled pictures: .*set\.json.*force"):
        await node.examiner.gate(node.bad)
    assert "by force" in (await node.examiner.gate(node.bad, force=True)).said


async def test_a_process_that_dies_lets_nobody_in(make: Make) -> None:
    node = make()
    gated = asyncio.create_task(node.examiner.gate(DetectorSpec(**SLOW)))
    (await node.process()).send_signal(signal.SIGKILL)
    with pytest.raises(WorkerError, match=r"it died: exit code -9 \(SIGKILL\)"):
        await gated


async def test_one_that_says_nothing_is_given_up(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("vedette.quality.validate.process.SILENT_MOST_S", 600.0)
    node = make()
    gated = asyncio.create_task(node.examiner.gate(DetectorSpec(**SLOW)))
    process = await node.process()
    await node.until(lambda: "loading" in node.examiner.progress, "it has begun")
    process.suspend()
    node.clock.on += 3600
    with pytest.raises(WorkerError, match="said nothing for 10 min"):
        await gated
    await node.until(lambda: not node.examiner.processes, "it is gone")


async def test_a_node_that_is_stopped_in_the_middle_leaves_nobody_behind(make: Make) -> None:
    node = make()
    gated = asyncio.create_task(node.examiner.gate(DetectorSpec(**SLOW)))
    process = await node.process()
    node.examiner.close()
    with pytest.raises(WorkerError, match="the node was stopped"):
        await gated
    assert not node.told(ModelGated)
    await node.until(lambda: not process.is_running() or process.status() == "zombie", "it is gone")


async def test_it_has_what_nobody_else_wants(make: Make) -> None:
    node = make()
    gated = asyncio.create_task(node.examiner.gate(DetectorSpec(**SLOW)))
    process = await node.process()
    await node.until(
        lambda: "looked" in node.examiner.progress or "loading" in node.examiner.progress, "begun"
    )
    assert os.sched_getscheduler(process.pid) == os.SCHED_IDLE
    assert process.nice() == 19
    assert oom_score(process.pid) == 1000
    gated.cancel()
    with pytest.raises(asyncio.CancelledError):
        await gated
    await node.until(lambda: not node.examiner.processes, "it ends with who waits for it")


async def test_the_one_at_work_is_validated_when_the_machine_is_idle(make: Make) -> None:
    node = make(every="24h", floors={"ap50": 0.9})
    await node.until(lambda: node.told(ValidationPassed), "it was validated")
    [fact] = node.told(ValidationPassed)
    assert (fact.dataset, fact.pictures, fact.model) == ("set", 12, "good.onnx")
    assert fact.figures["ap50"].value == pytest.approx(1.0)
    assert node.examiner.latest is not None
    assert node.examiner.latest.passed
    node.clock.on += DAY
    await node.until(lambda: len(node.told(ValidationPassed)) == 2, "and again a day later")


async def test_one_that_falls_below_a_floor_is_told_with_its_figures(make: Make, tmp_path: Path) -> None:
    node = make(every="24h", floors={"ap50": 0.9})
    await node.until(lambda: node.told(ValidationPassed), "it was validated")
    node.at_work = node.bad
    node.examiner.new_detector()
    await node.until(lambda: node.told(ValidationFailed), "so was the other one, soon")
    [fact] = node.told(ValidationFailed)
    assert fact.problems == ["AP50 is 0.000, below 0.900"]
    assert fact.figures["ap50"].value == 0.0


async def test_a_restart_knows_what_was_said_and_does_not_ask_again(make: Make, tmp_path: Path) -> None:
    node = make(every="24h")
    await node.until(lambda: node.told(ValidationPassed), "it was validated")
    node.examiner.close()
    again = make(every="24h")
    assert again.examiner.latest == node.examiner.latest
    await again.until(lambda: again.examiner._identity, "it knows who is at work")
    for _ in range(20):
        await asyncio.sleep(0.02)
    assert not again.told(ValidationPassed)
    assert again.examiner.latest is not None
    again.clock.on += DAY
    await again.until(lambda: again.told(ValidationPassed), "but a day later")


async def test_the_same_detector_in_a_new_process_is_not_validated_again(make: Make) -> None:
    node = make(every="24h")
    await node.until(lambda: node.told(ValidationPassed), "it was validated")
    node.examiner.new_detector()
    for _ in range(20):
        await asyncio.sleep(0.02)
    assert len(node.told(ValidationPassed)) == 1
    assert node.examiner.latest is not None


async def test_it_is_put_off_while_cameras_have_less_and_that_is_told(make: Make) -> None:
    node = make(every="24h")
    node.capacity = Capacity(thinned=2)
    for _ in range(10):
        await asyncio.sleep(0.02)
    node.clock.on += DAY / 2
    await node.until(lambda: node.told(ValidationPostponed), "that it is put off")
    [fact] = node.told(ValidationPostponed)
    assert "2 cameras have less" in fact.why
    assert fact.at - fact.since == pytest.approx(DAY / 2, abs=600)
    assert not node.examiner.processes
    node.capacity = Capacity()
    await node.until(lambda: node.told(ValidationPassed), "it is done after all")


async def test_one_that_is_under_way_gives_way_and_begins_again_later(make: Make, tmp_path: Path) -> None:
    node = make(every="24h")
    process = await node.process()
    process.suspend()
    node.capacity = Capacity(thinned=1)
    await node.until(lambda: not node.examiner.processes, "it is gone")
    assert not node.told(ValidationPassed)
    node.capacity = Capacity()
    await node.until(lambda: node.told(ValidationPassed), "it was done later")


async def test_an_operator_does_not_wait_for_it(make: Make) -> None:
    node = make(every="24h")
    process = await node.process()
    process.suspend()
    async with node.examiner.one:
        with pytest.raises(WorkerError, match="is refused"):
            await node.examiner.gate(node.bad)
        assert not node.told(ValidationPassed)
    await node.until(lambda: node.told(ValidationPassed), "it was done later")


async def test_a_set_that_cannot_be_read_is_trouble_and_tried_again(make: Make) -> None:
    node = make(every="24h")
    text = node.dataset.read_text()
    node.dataset.write_text("{")
    async with asyncio.timeout(PATIENCE_S):
        while not node.told(Trouble):
            await asyncio.sleep(0.02)
    [fact] = node.told(Trouble)
    assert fact.where == "validation"
    assert "set.json" in fact.message
    node.dataset.write_text(text)
    for _ in range(10):
        await asyncio.sleep(0.02)
    assert not node.examiner.processes, "not at once"
    node.facts.clear()
    node.clock.on += 3700
    await node.until(lambda: node.told(ValidationPassed), "an hour later")


async def test_a_set_that_is_not_there_is_told_at_the_start(tmp_path: Path, make: Make) -> None:
    node = make(dataset=str(tmp_path / "nowhere.json"))
    [fact] = node.told(Trouble)
    assert "nowhere.json: there is no such labelled set" in fact.message
