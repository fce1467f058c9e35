"""What a real node's processes have and cost, told by every face of it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

import vedette
from integration.harness import CALM, Cameras, fake, wait_until
from vedette.observe.views import NodeView
from vedette.running import RunningNode


def all_is_measured(view: NodeView) -> bool:
    """Memory is looked at more rarely than the rest."""
    usages = [view.usage, *(worker.usage for worker in view.workers)]
    machine = view.machine is not None and view.machine.disk_free
    return len(usages) == 3 and all(usage and usage.pss for usage in usages) and bool(machine)


@pytest.fixture(scope="module")
def node(cameras: Cameras) -> Iterator[RunningNode]:
    config = vedette.Config(
        cameras=cameras.section(), detector=fake(), defaults=CALM, workers=1, ledger=False
    )
    with vedette.run(config, on_result=lambda _: None) as node:
        wait_until(lambda: node.view().frames.analysed > 50, "it works")
        wait_until(lambda: cores(node.view()), "it was looked at twice")
        yield node


def cores(view: NodeView) -> bool:
    return bool(view.workers) and all(worker.usage and worker.usage.cpu for worker in view.workers)


def test_each_worker_is_known_by_its_groups_of_threads(node: RunningNode) -> None:
    groups = {"camera": {"loop", "decode", "take", "other"}, "inference": {"detect", "ask", "other"}}
    for worker in node.view().workers:
        usage = worker.usage
        assert usage is not None
        assert (usage.worker, usage.pid) == (worker.name, worker.pid)
        assert set(usage.cpu_s) == set(usage.cpu) == groups[worker.kind]
        assert 0 < usage.uss <= usage.pss <= worker.peak.pss
        assert usage.fds > 3
        assert usage.threads >= 1


@pytest.mark.parametrize(
    ("kind", "group"), [("camera", "loop"), ("inference", "detect"), ("inference", "ask")]
)
def test_threads_that_work_are_found_under_their_groups(node: RunningNode, kind: str, group: str) -> None:
    def seconds() -> float:
        usages = [worker.usage for worker in node.view().workers if worker.kind == kind]
        return sum(usage.cpu_s[group] for usage in usages if usage)

    before = seconds()
    wait_until(lambda: seconds() > before, "its share grows")


def test_the_node_itself_and_its_machine_are_known(node: RunningNode) -> None:
    view = node.view()
    assert view.usage is not None
    assert view.usage.worker == "node"
    assert view.machine is not None
    assert view.machine.memory_available > 0
    assert view.machine.disk_free is None, "it has no ledger"
    workers = sum(worker.usage.pss for worker in view.workers if worker.usage)
    assert view.pss_mb * 1e6 == pytest.approx(view.usage.pss + workers, rel=0.5)


def test_the_report_tells_it_at_the_end(cameras: Cameras, tmp_path: Path) -> None:
    config = vedette.Config(
        cameras=cameras.section(),
        detector=fake(),
        defaults=CALM,
        workers=1,
        ledger=str(tmp_path / "site.db"),
    )
    with vedette.run(config, on_result=lambda _: None) as node:
        wait_until(lambda: all_is_measured(node.view()), "all was looked at")
    found = node.report()["node"]
    for worker in found["workers"]:
        usage = worker["usage"]
        assert usage["pss_peak_mb"] >= usage["pss_mb"] > 1
        assert usage["fds"] > 3
        assert usage["cpu_s"]["other"] >= 0
    assert found["usage"]["pss_mb"] > 1
    assert found["machine"]["disk_free_mb"] > 0
