"""Which runtime opens a model, on which device, with how many threads."""

from __future__ import annotations

import importlib.util
import os
from pathlib import Path

from vedette.errors import DetectorError
from vedette.infer.pixels import Network

__all__ = ["default_threads", "open_network"]

MOST_THREADS = 4
"""Beyond this a small network gains little, and the cores are missed elsewhere."""


def default_threads(cores: int) -> int:
    """Half the cores: the others decode. Threads that share a core buy little here (one to two: 1.2 times
    the speed for 1.6 times the CPU)."""
    return max(1, min(MOST_THREADS, cores // 2))


def open_network(path: Path, runtime: str, device: str, threads: int | None) -> Network:
    """Open the file with the runtime and on the device asked for; ``auto`` takes the quickest there is."""
    if runtime not in ("auto", "onnxruntime", "openvino"):
        raise DetectorError(f"runtime must be auto, onnxruntime or openvino, not {runtime!r}")
    threads = default_threads(_cores()) if threads is None else threads
    if threads < 1:
        raise DetectorError(f"threads must be at least 1, not {threads}")
    cuda = _cuda(device, runtime)
    if cuda is not None:
        try:
            return _onnxruntime(path, threads, cuda)
        except DetectorError:
            if device != "auto":
                raise
            # A GPU that was not asked for and does not work is not missed; ``describe`` says cpu.
    openvino_there = importlib.util.find_spec("openvino") is not None
    if runtime == "openvino" or (runtime == "auto" and openvino_there):
        from vedette.infer.openvino import OpenVinoNetwork

        return OpenVinoNetwork(path, threads)
    return _onnxruntime(path, threads, None)


def _onnxruntime(path: Path, threads: int, cuda: int | None) -> Network:
    from vedette.infer.onnx import OnnxNetwork  # here, because a runtime not used would cost 50 MB

    return OnnxNetwork(path, threads, cuda)


def _cuda(device: str, runtime: str) -> int | None:
    """The GPU's number, or None for the CPU. Raises DetectorError for a device that is none."""
    if device == "cpu" or (device == "auto" and (runtime == "openvino" or not _gpu_there())):
        return None
    if device == "auto":
        from vedette.infer.onnx import has_cuda

        return 0 if has_cuda() else None
    kind, _, number = device.partition(":")
    if kind != "cuda" or not (number or "0").isdecimal():
        raise DetectorError(f"device must be auto, cpu or cuda:N, not {device!r}")
    if runtime == "openvino":
        raise DetectorError(f"device {device}: OpenVINO runs on the CPU here; leave runtime out")
    return int(number or 0)


def _gpu_there() -> bool:
    """Whether the kernel shows an NVIDIA GPU; asked first, because importing a runtime to ask costs 50 MB."""
    return any(Path("/dev").glob("nvidia[0-9]*")) or Path("/dev/dxg").exists()


def _cores() -> int:
    """Cores this process may use: its affinity, and a container's CPU quota."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    try:
        quota, period = Path("/sys/fs/cgroup/cpu.max").read_text().split()
        return max(1, min(cores, round(int(quota) / int(period))))
    except (OSError, ValueError):  # no cgroup here, or no quota ("max")
        return cores
