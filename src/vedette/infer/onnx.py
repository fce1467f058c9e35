"""ONNX Runtime. The only file that knows it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime as ort
from numpy.typing import NDArray

from vedette.errors import DetectorError
from vedette.infer.detector import Images
from vedette.infer.pixels import Pixels, Preparer, Run, TensorInfo, extra_feeds, picture_of

__all__ = ["OnnxNetwork", "has_cuda"]

GPU_MEMORY = 2 << 30
"""Bytes the CUDA arena may grow to: a leak ends in an error here instead of starving the other workers."""

_ERRORS_ONLY = 3
_CUDA = "CUDAExecutionProvider"
_DTYPES = {"tensor(uint8)": "uint8", "tensor(float)": "float32", "tensor(float16)": "float16"}
_DTYPES |= {"tensor(int64)": "int64", "tensor(int32)": "int32", "tensor(double)": "float64"}


def has_cuda() -> bool:
    """Whether this ONNX Runtime was built with CUDA (whether a GPU is there is another question)."""
    return _CUDA in ort.get_available_providers()


class OnnxNetwork:
    """An ONNX file on ONNX Runtime. ``cuda``: the GPU's number, or None for the CPU. It computes as the model
    was saved; on a GPU, unless ``precision`` is ``f32``, with TF32 where the GPU has that.

    Raises DetectorError for a file that is none, for a GPU that cannot be used, and for ``bf16``.
    """

    def __init__(self, path: Path, threads: int, cuda: int | None = None, precision: str = "auto") -> None:
        if precision == "bf16":
            raise DetectorError("precision bf16: ONNX Runtime computes as the model was saved; leave it out")
        if cuda is not None and not has_cuda():
            raise DetectorError(f"device cuda:{cuda}: this ONNX Runtime has no CUDA; install vedette[gpu]")
        self.precision = "tf32" if cuda is not None and precision == "auto" else "f32"
        self._session = _open(path, threads, cuda, exact=precision == "f32")
        self._cuda = cuda
        self.inputs = tuple(_info(entry) for entry in self._session.get_inputs())
        self.picture = picture_of(self.inputs)
        self.metadata = dict(self._session.get_modelmeta().custom_metadata_map)
        self.where = f"onnxruntime · {'cpu' if cuda is None else f'cuda:{cuda}'}"

    def outputs_at(self, size: tuple[int, int]) -> tuple[TensorInfo, ...]:
        """The outputs for pictures of (height, width): declared, or where that is open, by trying."""
        declared = tuple(_info(entry) for entry in self._session.get_outputs())
        if (
            all(entry.shape and None not in entry.shape[1:] for entry in declared)
            and None not in self.picture.size
        ):
            return declared
        batch = self.picture.batch or 1
        grey = np.zeros(self.picture.shape(batch, size), self.picture.dtype)
        arrays = self._run({self.picture.name: grey, **extra_feeds(self.inputs, batch, size)}, size)
        return tuple(
            TensorInfo(entry.name, array.shape, entry.dtype)
            for entry, array in zip(declared, arrays, strict=True)
        )

    def compile(self, pixels: Pixels, size: tuple[int, int]) -> tuple[Run, int | None]:
        """How to run it, and the batch it takes. On a CPU one at a time: more buys nothing, and is later.

        One session serves all sizes, so another size costs nothing but its buffers.
        """
        prepare, name = Preparer(self.picture, pixels), self.picture.name

        def run(images: Images) -> list[NDArray[Any]]:
            return self._run({name: prepare(images), **extra_feeds(self.inputs, len(images), size)}, size)

        return run, self.picture.batch or (1 if self._cuda is None else None)

    def _run(self, feeds: dict[str, NDArray[Any]], size: tuple[int, int]) -> list[NDArray[Any]]:
        try:
            return list(self._session.run(None, feeds))
        except Exception as err:  # its exceptions share no base but this
            raise DetectorError(
                f"the model failed on pictures of {size[0]}x{size[1]}: {_short(err)}"
            ) from err


def _open(path: Path, threads: int, cuda: int | None, *, exact: bool) -> ort.InferenceSession:
    options = ort.SessionOptions()
    options.log_severity_level = _ERRORS_ONLY
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    # Threads that spin between frames win a millisecond and cost three times the CPU, which here belongs
    # to the camera workers.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    providers: list[Any] = ["CPUExecutionProvider"]
    if cuda is not None:
        if hasattr(ort, "preload_dlls"):  # since 1.21: finds CUDA where pip put it
            ort.preload_dlls()
        memory = {"gpu_mem_limit": GPU_MEMORY, "arena_extend_strategy": "kSameAsRequested"}
        wanted = {"cudnn_conv_algo_search": "HEURISTIC", **({"use_tf32": "0"} if exact else {})}
        providers.insert(0, (_CUDA, {"device_id": cuda, **wanted, **memory}))
    try:
        session = ort.InferenceSession(str(path), options, providers=providers)
    except Exception as err:  # its exceptions share no base but this
        raise _refusal(path, err) from err
    if cuda is not None and session.get_providers()[0] != _CUDA:
        raise DetectorError(
            f"device cuda:{cuda}: CUDA could not be started (no such GPU, or a library is missing)"
        )
    return session


def _refusal(path: Path, err: Exception) -> DetectorError:
    kind = type(err).__name__
    if kind in ("InvalidProtobuf", "InvalidArgument") or "ModelProto" in str(err):
        return DetectorError(f"{path} is not an ONNX model ({_short(err)})")
    return DetectorError(f"{path} cannot be loaded by ONNX Runtime: {_short(err)}")


def _info(entry: Any) -> TensorInfo:
    shape = tuple(length if isinstance(length, int) and length > 0 else None for length in entry.shape)
    return TensorInfo(entry.name, shape, _DTYPES.get(entry.type, entry.type))


def _short(err: Exception) -> str:
    return " ".join(str(err).split())[:300]
