"""OpenVINO, the quicker runtime on CPUs. The only file that knows it."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vedette.errors import DetectorError
from vedette.infer.detector import Images
from vedette.infer.pixels import Pixels, Run, TensorInfo, extra_feeds, picture_of

__all__ = ["OpenVinoNetwork", "precision_of_the_cpu"]

_CONVERTER = "openvino.tools.ovc"


def _import_openvino() -> Any:
    """Import OpenVINO without its model converter, which nothing here needs: with it would come its
    telemetry, and 14 MB. A program that wants the converter can still import it afterwards."""
    hidden = _CONVERTER not in sys.modules
    if hidden:
        sys.modules[_CONVERTER] = None  # type: ignore[assignment]
    try:
        import openvino
        import openvino.frontend
        import openvino.preprocess
    except ImportError as err:
        raise DetectorError(f"runtime openvino: install vedette[openvino] ({err})") from err
    finally:
        if hidden:
            del sys.modules[_CONVERTER]
    return openvino


def precision_of_the_cpu() -> str:
    """In which it computes where nothing else is asked for: ``bf16`` on CPUs with instructions for that.
    Raises DetectorError where there is no OpenVINO."""
    return _named(_import_openvino().Core().get_property("CPU", "INFERENCE_PRECISION_HINT"))


class OpenVinoNetwork:
    """An ONNX file on OpenVINO, on the CPU. Raises DetectorError for a file that is none, and where this CPU
    cannot compute in the ``precision`` that is asked for."""

    def __init__(self, path: Path, threads: int, precision: str = "auto") -> None:
        self._ov = _import_openvino()
        self._model = self._read(path)
        self._threads, self._wanted = threads, precision
        self.precision = ""
        self.inputs = tuple(_info(entry) for entry in self._model.inputs)
        self.picture = picture_of(self.inputs)
        self.metadata = _metadata(self._model)
        self.where = "openvino · cpu"
        self._outputs: dict[tuple[int, int], tuple[TensorInfo, ...]] = {}

    def _read(self, path: Path) -> Any:
        # Asked for by name, because otherwise all frontends are tried, each with its own complaint on stderr.
        frontend = self._ov.frontend.FrontEndManager().load_by_framework("onnx")
        try:
            opened = frontend.load(str(path))
        except Exception as err:
            raise DetectorError(f"{path} is not an ONNX model ({_short(err)})") from err
        try:
            model = frontend.convert(opened)
        except Exception as err:
            raise DetectorError(f"{path} cannot be loaded by OpenVINO: {_short(err)}") from err
        if not model.inputs and not model.outputs:  # what it makes of an empty file
            raise DetectorError(f"{path} is not an ONNX model (there is no graph in it)")
        return model

    def outputs_at(self, size: tuple[int, int]) -> tuple[TensorInfo, ...]:
        """The outputs for pictures of (height, width)."""
        if size not in self._outputs:  # asked for again when it is compiled; the answer takes 25 ms
            self._outputs[size] = tuple(_info(entry) for entry in self._at(size).outputs)
        return self._outputs[size]

    def _at(self, size: tuple[int, int]) -> Any:
        """The model with its input fixed to (height, width), which also lets the compiler know more.

        A copy that shares the weights: what follows changes it, and the next size starts from the original.
        """
        model, batch = self._model.clone(), self.picture.batch or 1
        shapes = {self.picture.name: list(self.picture.shape(batch, size))}
        shapes |= {name: list(array.shape) for name, array in extra_feeds(self.inputs, batch, size).items()}
        try:
            model.reshape(shapes)
        except RuntimeError as err:
            raise DetectorError(
                f"the model cannot take pictures of {size[0]}x{size[1]}: {_short(err)}"
            ) from err
        return model

    def compile(self, pixels: Pixels, size: tuple[int, int]) -> tuple[Run, int | None]:
        """How to run it, and the batch it takes: one at a time unless the model is made for another."""
        batch, name = self.picture.batch or 1, self.picture.name
        compiled = self._compiled(self._prepared(self._at(size), pixels))
        request = compiled.create_infer_request()
        extras = extra_feeds(self.inputs, batch, size)
        count = len(compiled.outputs)

        def run(images: Images) -> list[NDArray[Any]]:
            try:
                request.infer({name: np.ascontiguousarray(images), **extras}, share_inputs=True)
            except RuntimeError as err:
                raise DetectorError(
                    f"the model failed on pictures of {size[0]}x{size[1]}: {_short(err)}"
                ) from err
            return [request.get_output_tensor(index).data for index in range(count)]

        return run, batch

    def _prepared(self, model: Any, pixels: Pixels) -> Any:
        """The model taking uint8 NHWC RGB: what it wants done to that is put in front of it."""
        processor = self._ov.preprocess.PrePostProcessor(model)
        entry = processor.input(self.picture.name)
        entry.tensor().set_element_type(self._ov.Type.u8).set_layout(self._ov.Layout("NHWC"))
        entry.model().set_layout(self._ov.Layout("NCHW" if self.picture.planar else "NHWC"))
        if pixels.bgr:
            entry.preprocess().reverse_channels()
        if self.picture.dtype != "uint8":
            entry.preprocess().convert_element_type(self._ov.Type.f32)
            entry.preprocess().mean([pixels.scale * value for value in pixels.mean])
            entry.preprocess().scale([pixels.scale * value for value in pixels.std])
        return processor.build()

    def _compiled(self, model: Any) -> Any:
        # Not pinned: which cores are free is for the scheduler to say, camera workers run on them too.
        settings = {"PERFORMANCE_HINT": "LATENCY", "INFERENCE_NUM_THREADS": self._threads}
        settings |= {"ENABLE_CPU_PINNING": False}
        if self._wanted != "auto":
            settings["INFERENCE_PRECISION_HINT"] = self._wanted
        try:
            compiled = self._ov.Core().compile_model(model, "CPU", settings)
        except RuntimeError as err:
            raise DetectorError(f"OpenVINO cannot compile the model: {_short(err)}") from err
        # Where nothing is said it is what the CPU is quickest in: bf16 where it has instructions for that.
        self.precision = _named(compiled.get_property("INFERENCE_PRECISION_HINT"))
        if self._wanted not in ("auto", self.precision):
            raise DetectorError(f"precision {self._wanted}: this CPU computes in {self.precision}")
        return compiled


def _named(precision: Any) -> str:
    return str(precision.get_type_name())


def _info(entry: Any) -> TensorInfo:
    shape = tuple(axis.get_length() if axis.is_static else None for axis in entry.partial_shape)
    name = entry.any_name if entry.names else "?"
    return TensorInfo(name, shape, np.dtype(entry.element_type.to_dtype()).name)


def _metadata(model: Any) -> dict[str, str]:
    found: dict[str, str] = {}
    for key in ("names", "class_names", "classes", "labels", "stride"):
        if model.has_rt_info(["framework", key]):
            found[key] = str(model.get_rt_info(["framework", key]).value)
    return found


def _short(err: Exception) -> str:
    return " ".join(str(err).split())[:300]
