"""Small ONNX files for tests, whose outputs are known."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

TYPES = {"uint8": TensorProto.UINT8, "float32": TensorProto.FLOAT, "float16": TensorProto.FLOAT16}
TYPES |= {"int64": TensorProto.INT64}


def constant_network(
    path: Path,
    outputs: Mapping[str, np.ndarray],
    picture: Sequence[Any] = (1, 3, 64, 64),
    *,
    dtype: str = "float32",
    metadata: Mapping[str, str] | None = None,
    nodes: Sequence[onnx.NodeProto] = (),
    inputs: Sequence[onnx.ValueInfoProto] = (),
) -> Path:
    """A network that takes pictures and always gives ``outputs``, or with ``nodes`` what they make of them.

    Where nodes are given, the constants are called ``raw_<name>`` and the nodes must bring the outputs.
    """
    prefix = "raw_" if nodes else ""
    constants = [
        helper.make_node("Constant", [], [prefix + name], value=numpy_helper.from_array(array))
        for name, array in outputs.items()
    ]
    declared = [
        helper.make_tensor_value_info(name, helper.np_dtype_to_tensor_dtype(array.dtype), array.shape)
        for name, array in outputs.items()
    ]
    image = helper.make_tensor_value_info("image", TYPES[dtype], list(picture))
    return save(path, [*constants, *nodes], [image, *inputs], declared, metadata)


def echo_network(path: Path, picture: Sequence[Any], dtype: str) -> Path:
    """A network that gives back the very numbers it was fed, as float32."""
    image = helper.make_tensor_value_info("image", TYPES[dtype], list(picture))
    fed = helper.make_tensor_value_info("fed", TensorProto.FLOAT, list(picture))
    return save(path, [helper.make_node("Cast", ["image"], ["fed"], to=TensorProto.FLOAT)], [image], [fed])


def save(
    path: Path,
    nodes: Sequence[onnx.NodeProto],
    inputs: Sequence[onnx.ValueInfoProto],
    outputs: Sequence[onnx.ValueInfoProto],
    metadata: Mapping[str, str] | None = None,
) -> Path:
    graph = helper.make_graph(list(nodes), "test", list(inputs), list(outputs))
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)
    helper.set_model_props(model, dict(metadata or {}))
    onnx.checker.check_model(model)
    onnx.save(model, str(path))
    return path
