"""Last step of the recipe: let the network take uint8 pixels, so that nobody normalises in numpy.

Usage: take_uint8.py FLOAT_MODEL UINT8_MODEL

``image`` f32 [N,3,H,W], RGB, normalised  →  ``image`` u8 [N,H,W,3], RGB, 0..255. Four nodes are put in
front; the weights stay byte for byte what they were, which is checked before anything is written.
"""

from __future__ import annotations

import sys

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

MEAN = np.array([0.485, 0.456, 0.406])
STD = np.array([0.229, 0.224, 0.225])


def take_uint8(model: onnx.ModelProto) -> onnx.ModelProto:
    """A copy of ``model`` whose input is uint8 NHWC; (x / 255 - mean) / std happens inside."""
    result = onnx.ModelProto()
    result.CopyFrom(model)
    graph = result.graph
    for node in graph.node:
        for index, name in enumerate(node.input):
            if name == "image":
                node.input[index] = "pixels_normalised"
    factor = (1 / (255 * STD)).astype(np.float32).reshape(3, 1, 1)
    offset = (-MEAN / STD).astype(np.float32).reshape(3, 1, 1)
    graph.initializer.append(numpy_helper.from_array(factor, "pixels_factor"))
    graph.initializer.append(numpy_helper.from_array(offset, "pixels_offset"))
    front = [
        helper.make_node("Transpose", ["image"], ["pixels_planar"], perm=[0, 3, 1, 2]),
        helper.make_node("Cast", ["pixels_planar"], ["pixels_float"], to=TensorProto.FLOAT),
        helper.make_node("Mul", ["pixels_float", "pixels_factor"], ["pixels_scaled"]),
        helper.make_node("Add", ["pixels_scaled", "pixels_offset"], ["pixels_normalised"]),
    ]
    nodes = [*front, *graph.node]
    del graph.node[:]
    graph.node.extend(nodes)
    del graph.input[:]
    graph.input.append(helper.make_tensor_value_info("image", TensorProto.UINT8, ["N", "H", "W", 3]))
    return result


def weights(model: onnx.ModelProto) -> dict[str, bytes]:
    """Every stored tensor by name, but for those that the normalisation brought."""
    stored = {item.name: item for item in model.graph.initializer if not item.name.startswith("pixels_")}
    for node in model.graph.node:
        if node.op_type == "Constant":
            stored[node.output[0]] = node.attribute[0].t
    return {name: numpy_helper.to_array(item).tobytes() for name, item in stored.items()}


def main() -> None:
    source, target = sys.argv[1:]
    model = onnx.load(source)
    result = take_uint8(model)
    onnx.checker.check_model(result)
    if weights(model) != weights(result):
        raise SystemExit("the weights changed")
    onnx.save(result, target)


if __name__ == "__main__":
    main()
