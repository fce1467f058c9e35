"""Which runtime opens a model, on which device, with how many threads."""

from __future__ import annotations

import importlib.util
import os
from pathlib import Path

from vedette.errors import DetectorError
from vedette.infer.pixels import Network

__all__ = ["PRECISIONS", "default_threads", "open_network", "precision_here"]

PRECISIONS = ("auto", "f32", "bf16")
"""That can be asked for; ``auto``: what the runtime takes to be the quickest on this device."""

MOST_THREADS = 4
"""Beyond this a small network gains little, and the cores are missed elsewhere."""


def default_threads(cores: int) -> int:
    """Half the cores: the others decode. Threads that share a core buy little here (one to two: 1.2 times
    the speed for 1.6 times the CPU)."""
    return max(1, min(MOST_THREADS, cores // 2))


def open_network(
    path: Path, runtime: str, device: str, threads: int | None, precision: str = "auto"
) -> Network:
    """Open the file with the runtime and on the device asked for; ``auto`` takes the quickest there is.
    Raises DetectorError, also where it cannot compute in that ``precision``."""
    if runtime not in ("auto", "onnxruntime", "openvino"):
        raise DetectorError(f"runtime must be auto, onnxruntime or openvino, not {runtime!r}")
    if precision not in PRECISIONS:
        raise DetectorError(f"precision must be one of {', '.join(PRECISIONS)}, not {precision!r}")
    threads = default_threads(_cores()) if threads is None else threads
    if threads < 1:
        raise DetectorError(f"threads must be at least 1, not {threads}")
    cuda = _cuda(device, runtime)
    if cuda is not None:
        try:
            return _onnxruntime(path, threads, cuda, precision)
        except DetectorError:
            if device != "auto":
                raise
            # A GPU that was not asked for and does not work is not missed; ``describe`` says cpu.
    if _takes_openvino(runtime):
        from vedette.infer.openvino import OpenVinoNetwork

        return OpenVinoNetwork(path, threads, precision)
    return _onnxruntime(path, threads, None, precision)


def precision_here(runtime: str, precision: str) -> str:
    """In which a network would compute on this machine's CPU. Raises DetectorError where there is no such
    runtime."""
    if precision != "auto":
        return precision
    if not _takes_openvino(runtime):
        return "f32"
    from vedette.infer.openvino import precision_of_the_cpu

    return precision_of_the_cpu()


def _takes_openvino(runtime: str) -> bool:
    """On the CPU."""
    there = importlib.util.find_spec("openvino") is not None
    return runtime == "openvino" or (runtime == "auto" and there)


def _onnxruntime(path: Path, threads: int, cuda: int | None, precision: str) -> Network:
    from vedette.infer.onnx import OnnxNetwork  # here, because a runtime not used would cost 50 MB

    return OnnxNetwork(path, threads, cuda, precision)


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
