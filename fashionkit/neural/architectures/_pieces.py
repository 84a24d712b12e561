"""What several networks are built of."""

from __future__ import annotations

from typing import Any

from fashionkit._tensorflow import keras


def pad_to(x: Any, side: int) -> Any:
    """Pad images with zeros on all sides where they are smaller than ``side``."""
    missing = [max(0, side - length) for length in x.shape[1:3]]
    if not any(missing):
        return x
    sides = [(gap // 2, gap - gap // 2) for gap in missing]
    return keras().layers.ZeroPadding2D(sides, name="pad")(x)


def smallest_side(n_convolutions: int, kernel_size: int) -> int:
    """Return the least side that leaves one pixel after convolutions with poolings between."""
    side = kernel_size
    for _ in range(n_convolutions - 1):
        side = 2 * side + kernel_size - 1
    return side


def scaled(width: float, filters: int) -> int:
    """Return ``width`` times as many filters, and at least one."""
    return max(1, round(width * filters))


def convolve(
    x: Any, filters: int, kernel_size: int = 3, *, strides: int = 1, bias: bool = False, name: str
) -> Any:
    """Convolve with an odd kernel centred on every pixel, or on every second one."""
    layers, padding = keras().layers, "same"
    if strides > 1:
        # Keras's "same" would centre on pixels 1, 3, ... of even sides, and on 0, 2, ... of odd.
        x, padding = _pad_around(x, kernel_size, name), "valid"
    return layers.Conv2D(
        filters,
        kernel_size,
        strides=strides,
        padding=padding,
        use_bias=bias,
        kernel_initializer="he_normal",
        name=f"{name}_conv",
    )(x)


def max_pool(x: Any, name: str) -> Any:
    """Take the maximum of the 3×3 pixels around every second one; none may be negative."""
    x = _pad_around(x, 3, name)
    return keras().layers.MaxPooling2D(3, strides=2, name=name)(x)


def normalise(x: Any, momentum: float, name: str) -> Any:
    """Normalise each batch."""
    return keras().layers.BatchNormalization(momentum=momentum, name=f"{name}_norm")(x)


def relu(x: Any, name: str) -> Any:
    """Set negative values to zero."""
    return keras().layers.Activation("relu", name=f"{name}_relu")(x)


def conv_norm_relu(
    x: Any,
    filters: int,
    kernel_size: int = 3,
    *,
    strides: int = 1,
    momentum: float | None,
    name: str,
) -> Any:
    """Convolve, normalise and rectify; a ``momentum`` of None adds biases, normalising nothing."""
    bias = momentum is None
    x = convolve(x, filters, kernel_size, strides=strides, bias=bias, name=name)
    return relu(x if momentum is None else normalise(x, momentum, name), name)


def probabilities(x: Any, n_classes: int) -> Any:
    """End a network; in float32, also where the rest computes with less precision."""
    layers = keras().layers
    return layers.Dense(n_classes, activation="softmax", dtype="float32", name="probabilities")(x)


def _pad_around(x: Any, kernel_size: int, name: str) -> Any:
    if kernel_size == 1:
        return x
    return keras().layers.ZeroPadding2D(kernel_size // 2, name=f"{name}_pad")(x)
