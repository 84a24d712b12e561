"""What happens to images before a network in an ONNX file, as a graph of ONNX."""

from __future__ import annotations

from typing import Any

import numpy as np

from fashionkit._images import LUMA

# What the input of the graph is called.
PIXELS = "pixels"

# Of ONNX: as in files of to_onnx.
_OPSET = 17


def graph_before(
    onnx: Any,
    image_shape: tuple[int, int, int],
    size: tuple[int, int],
    *,
    channels: int,
    is_first: bool,
    dtype: str,
    mean: np.ndarray,
    std: np.ndarray,
    interpolation: str,
) -> bytes:
    """Write the graph from pixels in [0, 1] to what a model takes.

    Parameters
    ----------
    onnx : module
        The library.

    image_shape : tuple of int
        Height, width and channels of the images.

    size : tuple of int
        Height and width that the model takes.

    channels : int
        Channels that it takes.

    is_first : bool
        Whether channels are its second axis, or else the last.

    dtype : {"float32", "float16"}
        Type that it takes.

    mean, std : ndarray of shape (channels,)
        What is subtracted, and what is then divided by.

    interpolation : {"bilinear", "bicubic"}
        How to resize.

    Returns
    -------
    graph : bytes
        A model of ONNX with one input and one output.
    """
    helper = onnx.helper
    constants: list[Any] = []
    nodes: list[Any] = []
    last = PIXELS

    def constant(name: str, value: np.ndarray) -> str:
        constants.append(onnx.numpy_helper.from_array(value, name))
        return name

    def add(operator: str, *inputs: str, **attributes: Any) -> None:
        nonlocal last
        output = f"{len(nodes)}_{operator}"
        nodes.append(helper.make_node(operator, [last, *inputs], [output], **attributes))
        last = output

    add("Transpose", perm=[0, 3, 1, 2])
    if image_shape[:2] != size:
        # Of a gray image the one channel, before it is repeated.
        rows, columns = (
            _resizing(side, wanted, interpolation)
            for side, wanted in zip(image_shape[:2], size, strict=True)
        )
        add("MatMul", constant("columns", columns.T))
        last, left = f"{len(nodes)}_MatMul", last
        nodes.append(helper.make_node("MatMul", [constant("rows", rows), left], [last]))
    if image_shape[2] == 3 and channels == 1:
        add("Mul", constant("luma", np.array(LUMA, np.float32).reshape(3, 1, 1)))
        add("ReduceSum", constant("axis", np.array([1], np.int64)), keepdims=1)
    # A gray image becomes three channels by what is subtracted from it.
    add("Sub", constant("mean", mean.reshape(channels, 1, 1)))
    add("Div", constant("std", std.reshape(channels, 1, 1)))
    if not is_first:
        add("Transpose", perm=[0, 2, 3, 1])
    types = {"float32": onnx.TensorProto.FLOAT, "float16": onnx.TensorProto.FLOAT16}
    add("Cast", to=types[dtype])
    graph = helper.make_graph(
        nodes,
        "before",
        [helper.make_tensor_value_info(PIXELS, types["float32"], ["n", "h", "w", "c"])],
        [helper.make_tensor_value_info(last, types[dtype], [None] * 4)],
        constants,
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", _OPSET)], ir_version=8)
    return model.SerializeToString()


def _resizing(side: int, wanted: int, interpolation: str) -> np.ndarray:
    """Return the matrix of shape (wanted, side) that resizes along one axis.

    As Pillow does it: what becomes smaller is averaged over a field that grows as much. ONNX's own
    operator, as onnxruntime computes it, is off by up to 0.05 for some sizes.
    """
    scale = side / wanted
    centres = (np.arange(wanted)[:, np.newaxis] + 0.5) * scale
    distance = np.abs(np.arange(side) + 0.5 - centres) / max(scale, 1.0)
    if interpolation == "bilinear":
        weights = np.maximum(1 - distance, 0)
    else:  # Keys's kernel, with a = -0.5
        near = (1.5 * distance - 2.5) * distance**2 + 1
        far = ((-0.5 * distance + 2.5) * distance - 4) * distance + 2
        weights = np.where(distance < 1, near, np.where(distance < 2, far, 0))
    return (weights / weights.sum(axis=1, keepdims=True)).astype(np.float32)
