"""Memory that processes have on NVIDIA GPUs, through NVML; nothing where that is not there.

Needs ``nvidia-ml-py`` (``vedette[gpu]``) and a driver. In a container NVML may count processes by the host's
numbers, or not at all: then there are no figures either.
"""

from __future__ import annotations

import importlib
from collections.abc import Iterable, Mapping
from typing import Any, Protocol, cast

__all__ = ["Gpus", "Nvml", "load_nvml"]


class Process(Protocol):
    """``usedGpuMemory``: bytes; None where the driver does not say."""

    pid: int
    usedGpuMemory: int | None  # noqa: N815 - NVML's word


class Nvml(Protocol):
    """What is used of the module ``pynvml``."""

    def nvmlInit(self) -> None: ...  # noqa: N802

    def nvmlDeviceGetCount(self) -> int: ...  # noqa: N802

    def nvmlDeviceGetHandleByIndex(self, index: int, /) -> Any: ...  # noqa: N802

    def nvmlDeviceGetMemoryInfo(self, handle: Any, /) -> Any: ...  # noqa: N802

    def nvmlDeviceGetComputeRunningProcesses(self, handle: Any, /) -> Iterable[Process]: ...  # noqa: N802

    def nvmlDeviceGetGraphicsRunningProcesses(self, handle: Any, /) -> Iterable[Process]: ...  # noqa: N802


def load_nvml() -> Nvml | None:
    """The module, where it is installed."""
    try:
        return cast(Nvml, importlib.import_module("pynvml"))
    except ImportError:
        return None


class Gpus:
    """All GPUs that this process may see. Use it from one thread: the first reading may take seconds."""

    def __init__(self, nvml: Nvml | None) -> None:
        self._nvml = nvml
        self._begun = False
        self.smallest: int | None = None
        """Bytes of the GPU that has least; None where none is known."""
        self.free: int | None = None
        """Bytes that are free on the GPU that has least left, when ``memory`` was called last."""

    def memory(self) -> Mapping[int, int]:
        """Bytes by process number, on all GPUs together. Processes without any are not in it."""
        if self._nvml is None:
            return {}
        try:
            self._begin(self._nvml)
        except Exception:  # it raises errors of several families; without a driver now there is none later
            self._nvml = None
            return {}
        found: dict[int, int] = {}
        try:
            for index in range(self._nvml.nvmlDeviceGetCount()):
                for pid, size in _on_one(self._nvml, index).items():
                    found[pid] = found.get(pid, 0) + size
            self.free = _least(self._nvml, "free")
        except Exception:  # as above. A GPU that is being reset comes back, and a part would look like less
            self.free = None
            return {}
        return found

    def _begin(self, nvml: Nvml) -> None:
        if not self._begun:
            nvml.nvmlInit()
            self._begun = True
            self.smallest = _least(nvml, "total")


def _least(nvml: Nvml, of: str) -> int | None:
    """``of``: total or free."""
    try:
        handles = [nvml.nvmlDeviceGetHandleByIndex(index) for index in range(nvml.nvmlDeviceGetCount())]
        infos = [nvml.nvmlDeviceGetMemoryInfo(handle) for handle in handles]
        return min((int(getattr(info, of)) for info in infos), default=None)
    except Exception:  # as above. Then nothing can be derived from it
        return None


def _on_one(nvml: Nvml, index: int) -> dict[int, int]:
    handle = nvml.nvmlDeviceGetHandleByIndex(index)
    processes = list(nvml.nvmlDeviceGetComputeRunningProcesses(handle))
    try:
        processes += nvml.nvmlDeviceGetGraphicsRunningProcesses(handle)
    except Exception:  # as above. Some devices do no graphics
        pass
    found: dict[int, int] = {}
    for process in processes:
        # One that computes and draws is in both lists, with the same memory.
        found[process.pid] = max(found.get(process.pid, 0), process.usedGpuMemory or 0)
    return {pid: size for pid, size in found.items() if size}
