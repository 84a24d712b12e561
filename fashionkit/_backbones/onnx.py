"""Reading a network from an ONNX file: what it takes, what it gives, and what is cut from it."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from fashionkit._backbones.check import check_layers, check_size
from fashionkit._backbones.onnx_extractor import OnnxBackbone, as_maps, sessions_of
from fashionkit._backbones.onnx_pixels import graph_before
from fashionkit._backbones.sessions import require
from fashionkit._files import ModelFileError
from fashionkit.datasets._names import choices

_SUFFIX = ".onnx"
# Of tensors inside of a graph, errors name this many.
_MAX_NAMES = 40


def is_onnx(source: Any) -> bool:
    """Tell whether a backbone is an ONNX file."""
    return isinstance(source, str | os.PathLike) and os.fspath(source).lower().endswith(_SUFFIX)


def read_onnx(
    path: str | os.PathLike[str],
    image_shape: tuple[int, int, int],
    *,
    layers: Any,
    pooling: str,
    image_size: Any,
    mean: Any,
    std: Any,
    interpolation: str,
) -> tuple[OnnxBackbone, list[np.ndarray]]:
    """Read a network from an ONNX file.

    Parameters
    ----------
    path : str or path-like
        The file.

    image_shape : tuple of int
        Height, width and channels of the images.

    layers : str, sequence of str or None
        Names of outputs, or of any other tensors of the graph; None for its first output.

    pooling : {"avg", "max", "grid", "flatten", "first"}
        What will be kept of each output.

    image_size : int, tuple of int or None
        Size that images are resized to; None for that of the network, or, if it takes any, their
        own.

    mean, std : float, sequence of float or None
        What is subtracted from pixels in [0, 1], and what they are then divided by.

    interpolation : {"bilinear", "bicubic"}
        How images are resized.

    Returns
    -------
    backbone : OnnxBackbone
        What is known of the network.

    arrays : list of ndarray of uint8
        The bytes of the graph before the network, and of the network.

    Raises
    ------
    ValueError
        If it is no network from one image to numbers, or has no such layer or size.
    """
    onnx = require("onnx")
    path = Path(path).expanduser()
    model = _parse(onnx, path)
    taken = _input_of(onnx, model, path)
    size = _choose_size(image_size, taken.sides, image_shape, path)
    names = _add_outputs(onnx, model, layers, path)
    before = graph_before(
        onnx,
        image_shape,
        size,
        channels=taken.channels,
        is_first=taken.is_first,
        dtype=taken.dtype,
        mean=_per_channel("mean", mean, 0.0, taken.channels),
        std=_per_channel("std", std, 1.0, taken.channels),
        interpolation=interpolation,
    )
    arrays = [np.frombuffer(one, np.uint8) for one in (before, model.SerializeToString())]
    # Empty images say which shapes the outputs have.
    images = np.zeros((taken.batch_size or 1, *image_shape), np.float32)
    outputs = sessions_of(arrays, path.name)(names, images)
    found = [
        _layout(name, output, taken.is_first, path)
        for name, output in zip(names, outputs, strict=True)
    ]
    layouts, maps = zip(*found, strict=True)
    _check_pooling(pooling, names, layouts)
    backbone = OnnxBackbone(
        path.name, size, taken.channels, taken.batch_size, tuple(names), layouts, maps
    )
    return backbone, arrays


class _Input(NamedTuple):
    """What a model takes: of which type, channels first or last, of which sides, how many."""

    dtype: str
    is_first: bool
    channels: int
    sides: tuple[int | None, ...]
    batch_size: int


def _parse(onnx: Any, path: Path) -> Any:
    data = path.read_bytes()
    try:
        model = onnx.load_model_from_string(data)
        if not model.graph.output:
            raise ValueError("it has no output")
    except Exception as error:  # of the library that reads it
        raise ModelFileError(f"backbone={str(path)!r} is not an ONNX file ({error}).") from error
    if any(onnx.external_data_helper.uses_external_data(one) for one in model.graph.initializer):
        raise ModelFileError(
            f"backbone={str(path)!r} has weights in other files; make one file of them: "
            "onnx.save(onnx.load(path), new_path)."
        )
    return model


def _input_of(onnx: Any, model: Any, path: Path) -> _Input:
    weights = {one.name for one in model.graph.initializer}
    given = [one for one in model.graph.input if one.name not in weights]
    types = {onnx.TensorProto.FLOAT: "float32", onnx.TensorProto.FLOAT16: "float16"}
    tensor = given[0].type.tensor_type if len(given) == 1 else None
    # A side without a number is any.
    shape = [side.dim_value or None for side in tensor.shape.dim] if tensor is not None else []
    is_first = len(shape) == 4 and shape[1] in (1, 3)
    is_last = len(shape) == 4 and shape[3] in (1, 3)
    if tensor is None or tensor.elem_type not in types or not (is_first or is_last):
        described = ", ".join(one.name for one in given)
        raise ValueError(
            f"backbone={str(path)!r} takes {described or 'nothing'}, expected one input of floats "
            "of shape (n, 3, height, width) or (n, height, width, 3), or with 1 channel; of a "
            "model of images and texts, export the part for images."
        )
    channels = shape[1] if is_first else shape[3]
    sides = tuple(shape[2:] if is_first else shape[1:3])
    return _Input(types[tensor.elem_type], is_first, channels or 0, sides, shape[0] or 0)


def _choose_size(
    image_size: Any, sides: Sequence[int | None], image_shape: tuple[int, int, int], path: Path
) -> tuple[int, int]:
    if image_size is None:
        return sides[0] or image_shape[0], sides[1] or image_shape[1]
    size = check_size(image_size, 1, "image_size")
    if any(side not in (None, wanted) for side, wanted in zip(sides, size, strict=True)):
        raise ValueError(
            f"image_size={image_size!r}, but backbone={str(path)!r} takes images of {sides}; pass "
            "image_size=None."
        )
    return size


def _per_channel(name: str, value: Any, default: float, channels: int) -> np.ndarray:
    numbers = np.atleast_1d(np.asarray(default if value is None else value, np.float32))
    if numbers.shape not in ((1,), (channels,)) or not np.isfinite(numbers).all():
        raise ValueError(
            f"{name}={value!r}, expected a number, or one for each of the {channels} channels."
        )
    if name == "std" and (numbers <= 0).any():
        raise ValueError(f"std={value!r}, expected numbers above 0.")
    return np.resize(numbers, channels)


def _add_outputs(onnx: Any, model: Any, layers: Any, path: Path) -> list[str]:
    """Make the layers outputs of the model, and return their names."""
    graph = model.graph
    outputs = [one.name for one in graph.output]
    names = list(check_layers(layers) or outputs[:1])
    inner = [name for node in graph.node for name in node.output if name]
    for name in names:
        if name not in outputs and name not in inner:
            raise ValueError(
                f"layers has {name!r}, which backbone={str(path)!r} does not compute; its outputs "
                f"are {choices(outputs)}, and inside are {choices(inner[-_MAX_NAMES:])}."
            )
    del graph.output[:]
    # Of no type: onnxruntime finds out.
    graph.output.extend(onnx.ValueInfoProto(name=name) for name in names)
    return names


def _check_pooling(pooling: str, names: Sequence[str], layouts: Sequence[str]) -> None:
    for name, layout in zip(names, layouts, strict=True):
        is_map = layout in ("first", "last")
        if (pooling == "first" and is_map) or (pooling == "grid" and layout == "tokens"):
            kind = "maps of rows and columns" if is_map else "tokens"
            raise ValueError(
                f"pooling={pooling!r}, but layers has {name!r}, which gives {kind}; pass "
                "pooling='avg', 'max' or 'flatten'."
            )


def _layout(
    name: str, output: np.ndarray, is_first: bool, path: Path
) -> tuple[str, tuple[int, int, int]]:
    """Return what the axes of an output are, and its rows, columns and channels."""
    shape = output.shape[1:]
    if not np.issubdtype(output.dtype, np.floating) or len(shape) not in (1, 2, 3):
        raise ValueError(
            f"layers has {name!r}, which backbone={str(path)!r} gives as {output.dtype} of shape "
            f"{('n', *shape)}; expected floats of two to four axes, the first of which are images."
        )
    layout = {1: "rows", 2: "tokens"}.get(len(shape))
    if layout is None:
        # Most maps are square. Those of others, and cubes, are taken as the model's images are.
        looks_first, looks_last = shape[1] == shape[2], shape[0] == shape[1]
        first = looks_first if looks_first != looks_last else is_first
        layout = "first" if first else "last"
    return layout, as_maps(output, layout).shape[1:]
