"""GPU memory by process, as NVML tells it; and nothing at all where it does not."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from types import SimpleNamespace

import pytest

from vedette.supervise.gpu import Gpus, load_nvml
from vedette.supervise.resources import Watched
from vedette.supervise.usage import Usage


class FakeError(Exception):
    """As NVML's: no kin of any of ours."""


@dataclass
class FakeProcess:
    pid: int
    usedGpuMemory: int | None  # noqa: N815 - NVML's word


@dataclass
class FakeNvml:
    """GPUs as lists of the processes that compute and that draw on them. ``broken``: calls that fail."""

    computing: list[list[FakeProcess]] = field(default_factory=list)
    drawing: list[list[FakeProcess]] = field(default_factory=list)
    broken: set[str] = field(default_factory=set)
    free: list[int] = field(default_factory=list)
    begun: int = 0

    def nvmlInit(self) -> None:  # noqa: N802
        self.begun += 1
        self._answer("init")

    def nvmlDeviceGetCount(self) -> int:  # noqa: N802
        self._answer("count")
        return len(self.computing)

    def nvmlDeviceGetHandleByIndex(self, index: int, /) -> int:  # noqa: N802
        self._answer("handle")
        return index

    def nvmlDeviceGetMemoryInfo(self, handle: int, /) -> SimpleNamespace:  # noqa: N802
        self._answer("info")
        return SimpleNamespace(total=1_000, free=self.free[handle])

    def nvmlDeviceGetComputeRunningProcesses(self, handle: int, /) -> list[FakeProcess]:  # noqa: N802
        self._answer("computing")
        return self.computing[handle]

    def nvmlDeviceGetGraphicsRunningProcesses(self, handle: int, /) -> list[FakeProcess]:  # noqa: N802
        self._answer("drawing")
        return self.drawing[handle] if self.drawing else []

    def _answer(self, call: str) -> None:
        if call in self.broken:
            raise FakeError(call)


def test_memory_of_a_process_is_its_sum_over_all_gpus() -> None:
    nvml = FakeNvml([[FakeProcess(7, 100), FakeProcess(8, 50)], [FakeProcess(7, 30)]])
    assert Gpus(nvml).memory() == {7: 130, 8: 50}


def test_one_that_computes_and_draws_is_counted_once() -> None:
    nvml = FakeNvml([[FakeProcess(7, 100)]], [[FakeProcess(7, 100), FakeProcess(9, 20)]])
    assert Gpus(nvml).memory() == {7: 100, 9: 20}


def test_a_gpu_that_cannot_draw_computes() -> None:
    assert Gpus(FakeNvml([[FakeProcess(7, 100)]], broken={"drawing"})).memory() == {7: 100}


def test_where_the_driver_does_not_say_how_much_there_is_no_figure() -> None:
    assert Gpus(FakeNvml([[FakeProcess(7, None)]])).memory() == {}


def test_without_nvml_there_are_no_figures() -> None:
    assert Gpus(None).memory() == {}


def test_without_a_driver_nobody_asks_twice() -> None:
    nvml = FakeNvml([[FakeProcess(7, 100)]], broken={"init"})
    gpus = Gpus(nvml)
    assert [gpus.memory(), gpus.memory()] == [{}, {}]
    assert nvml.begun == 1


@pytest.mark.parametrize("call", ["count", "handle", "computing"])
def test_a_gpu_that_does_not_answer_now_may_answer_later(call: str) -> None:
    nvml = FakeNvml([[FakeProcess(7, 100)]], broken={call})
    gpus = Gpus(nvml)
    assert gpus.memory() == {}
    nvml.broken.clear()
    assert gpus.memory() == {7: 100}
    assert nvml.begun == 1


def test_the_gpu_memory_of_a_worker_and_its_peak_are_kept() -> None:
    nvml = FakeNvml([[FakeProcess(os.getpid(), 2_000)]])
    usage = Usage(gpus=Gpus(nvml))
    watched = [Watched("inference-0", "inference", os.getpid())]
    for size in (2_000, 1_000):
        nvml.computing[0][0].usedGpuMemory = size
        usage.read(watched, memory=True)
    found = usage.of("inference-0")
    assert found is not None
    assert found.gpu == 1_000
    assert usage.peak_of("inference-0").gpu == 2_000
    nvml.computing[0].clear()
    usage.read(watched, memory=True)
    found = usage.of("inference-0")
    assert found is not None
    assert found.gpu is None
    assert usage.peak_of("inference-0").gpu == 2_000


def test_the_real_module_can_be_asked_wherever_it_is_installed() -> None:
    assert all(size > 0 for size in Gpus(load_nvml()).memory().values())


def test_what_is_free_is_what_the_fullest_of_them_has_left() -> None:
    nvml = FakeNvml([[], []], free=[600, 200])
    usage = Usage(gpus=Gpus(nvml))
    assert usage.gpu_free is None, "nothing was read yet"
    usage.read([], memory=True)
    assert usage.gpu_free == 200
    nvml.broken.add("info")
    usage.read([], memory=True)
    assert usage.gpu_free is None, "what it was a while ago says nothing"
