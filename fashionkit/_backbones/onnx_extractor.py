"""Features of networks in ONNX files, computed by onnxruntime: TensorFlow is not started."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import joblib
import numpy as np

from fashionkit._backbones.attach import average_fields, pooled_shape
from fashionkit._backbones.onnx_pixels import PIXELS
from fashionkit._backbones.pool import keep_beside
from fashionkit._backbones.sessions import open_session
from fashionkit._files import ModelFileError
from fashionkit._tensorflow import count_threads


@dataclass(frozen=True)
class OnnxBackbone:
    """What is known of a network in an ONNX file, beside the bytes of it.

    Parameters
    ----------
    name : str
        Name of the file.

    size : tuple of int
        Height and width that images are resized to.

    channels : int
        Channels that the network takes: 1 or 3.

    batch_size : int
        Images that it takes at a time; 0 for any number.

    layers : tuple of str
        Names of its outputs.

    layouts : tuple of {"rows", "tokens", "first", "last"}
        What the axes of each output are: vectors; vectors of tokens; or maps with their channels
        first or last.

    maps : tuple of tuple of int
        Rows, columns and channels of each output.
    """

    name: str
    size: tuple[int, int]
    channels: int
    batch_size: int
    layers: tuple[str, ...]
    layouts: tuple[str, ...]
    maps: tuple[tuple[int, int, int], ...]

    @property
    def n_values(self) -> int:
        """Values of an image of the network's size."""
        return self.channels * self.size[0] * self.size[1]


class OnnxExtractor:
    """A network in an ONNX file, from images to features.

    Parameters
    ----------
    backbone : OnnxBackbone
        What is known of the network.

    pooling : {"avg", "max", "grid", "flatten", "first"}
        What is kept of each layer's output.

    grid : int
        Fields per side for "grid".

    Attributes
    ----------
    names : list of str
        Names of the layers.

    shapes : list of tuple of int
        Rows, columns and channels of the features of each layer.
    """

    def __init__(self, backbone: OnnxBackbone, pooling: str, grid: int):
        self.names = list(backbone.layers)
        self.shapes = [pooled_shape(one, pooling, grid) for one in backbone.maps]
        self._backbone, self._pooling, self._grid = backbone, pooling, grid

    @property
    def n_features(self) -> int:
        """Features of each image."""
        return sum(int(np.prod(shape)) for shape in self.shapes)

    def bind(self, arrays: Sequence[np.ndarray]) -> Callable[[np.ndarray], np.ndarray]:
        """Return the function from float32 images in [0, 1] to features.

        Raises
        ------
        ModelFileError
            If the bytes are not those of this network, as they may be in a file.
        """
        run = sessions_of(arrays, self._backbone.name)
        return lambda images: np.concatenate(
            [self._features(run, part) for part in self._parts(images)]
        )

    def _parts(self, images: np.ndarray) -> list[np.ndarray]:
        size = self._backbone.batch_size or len(images)
        return [images[start : start + size] for start in range(0, len(images), size)]

    def _features(self, run: Callable, images: np.ndarray) -> np.ndarray:
        backbone, n_images = self._backbone, len(images)
        if n_images < backbone.batch_size:  # it takes no fewer
            images = np.resize(images, (backbone.batch_size, *images.shape[1:]))
        rows = []
        for output, layout, shape in zip(
            run(backbone.layers, images), backbone.layouts, backbone.maps, strict=True
        ):
            maps = as_maps(output, layout)
            if maps.shape != (len(images), *shape):
                raise ModelFileError(
                    f"A layer of {backbone.name!r} has given an output of shape {maps.shape}, "
                    f"expected {(len(images), *shape)}. Its file was changed."
                )
            pooled = _pool(maps, self._pooling, self._grid)
            rows.append(pooled.reshape(len(images), -1)[:n_images].astype(np.float32, copy=False))
        return rows[0] if len(rows) == 1 else np.concatenate(rows, axis=1)


def as_maps(output: np.ndarray, layout: str) -> np.ndarray:
    """Return an output with rows, columns and channels."""
    if output.ndim != {"rows": 2, "tokens": 3}.get(layout, 4):
        raise ModelFileError(f"An output has {output.ndim} axes. Its file was changed.")
    if layout == "rows":
        return output[:, np.newaxis, np.newaxis]
    if layout == "tokens":
        return output[:, :, np.newaxis]
    return output.transpose(0, 2, 3, 1) if layout == "first" else output


def _pool(maps: np.ndarray, pooling: str, grid: int) -> np.ndarray:
    if pooling == "avg":
        return maps.mean(axis=(1, 2), dtype=np.float32)
    if pooling == "max":
        return maps.max(axis=(1, 2))
    if pooling == "first":
        return maps[:, 0, 0]
    return average_fields(maps, grid, np) if pooling == "grid" else maps


def sessions_of(
    arrays: Sequence[np.ndarray], name: str
) -> Callable[[Sequence[str], np.ndarray], list[np.ndarray]]:
    """Return the function from names of outputs, and images, to outputs."""
    return keep_beside(arrays[-1], lambda: _open(arrays, name))


def _open(arrays: Sequence[np.ndarray], name: str) -> Callable:
    n_threads = count_threads() or joblib.cpu_count()
    try:
        before, model = (open_session(one.tobytes(), n_threads) for one in arrays)
        (given,) = model.get_inputs()
    except ImportError:
        raise
    except Exception as error:  # of many kinds
        raise ModelFileError(f"{name!r} is refused by onnxruntime ({str(error)[:600]}).") from error

    def run(names: Sequence[str], images: np.ndarray) -> list[np.ndarray]:
        try:
            (inputs,) = before.run(None, {PIXELS: images})
            return model.run(list(names), {given.name: inputs})
        except Exception as error:  # of many kinds
            raise ModelFileError(
                f"{name!r} failed on {len(images)} images ({str(error)[:600]})."
            ) from error

    return run
