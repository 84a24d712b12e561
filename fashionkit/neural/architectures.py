"""Networks for small images: functions from an input shape to an untrained Keras model.

Each takes ``(input_shape, n_classes, **params)`` and returns a ``keras.Model`` that maps float32
images with pixels in [0, 1] to class probabilities. Any function like them can be passed to
:class:`~fashionkit.CNNClassifier` as ``architecture``. It should build the same network each time
it is called with the same arguments: built networks are reused.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from fashionkit.neural._tensorflow import keras as _keras

__all__ = ["get", "list", "report"]


def report(
    input_shape: tuple[int, int, int],
    n_classes: int,
    *,
    filters: Sequence[int] = (32, 64, 64),
    kernel_size: int = 3,
    dense_units: int | Sequence[int] = 64,
    dropout: float = 0.0,
    batch_norm: bool = False,
) -> Any:
    """Build the report's CNN: three convolutions, two poolings, one dense layer.

    With the defaults and 28×28 gray images it has 93,322 parameters: Conv2D 32 (320), MaxPool,
    Conv2D 64 (18,496), MaxPool, Conv2D 64 (36,928), Flatten, Dense 64 (36,928), Dense 10 (650).

    Parameters
    ----------
    input_shape : tuple of int
        Height, width and channels of the images. Images too small for the
        convolutions and poolings are padded with zeros first.

    n_classes : int
        Number of classes.

    filters : sequence of int, default=(32, 64, 64)
        Filters of each convolution; its length is the depth. Every convolution but
        the last is followed by a 2×2 max pooling.

    kernel_size : int, default=3
        Height and width of the kernels.

    dense_units : int or sequence of int, default=64
        Units of each dense layer before the output.

    dropout : float, default=0.0
        Fraction of units dropped after each dense layer during training.

    batch_norm : bool, default=False
        Whether to normalise each batch between convolution and activation.

    Returns
    -------
    model : keras.Model
        The network, not compiled.

    References
    ----------
    The architecture follows the convolutional network of the TensorFlow tutorial
    "Convolutional Neural Network (CNN)", itself after Y. LeCun, L. Bottou, Y. Bengio and
    P. Haffner, "Gradient-based learning applied to document recognition", Proceedings of the
    IEEE 86(11), 1998.

    Examples
    --------
    >>> from fashionkit.neural import architectures
    >>> architectures.report((28, 28, 1), 10).count_params()
    93322
    """
    layers = _keras().layers
    filters = _sizes("filters", filters)
    dense_units = _sizes("dense_units", dense_units, may_be_empty=True)
    inputs = layers.Input(input_shape, name="images")
    x = _pad_to(inputs, _smallest_side(len(filters), kernel_size))
    for depth, n_filters in enumerate(filters, start=1):
        if batch_norm:
            x = layers.Conv2D(n_filters, kernel_size, use_bias=False, name=f"conv_{depth}")(x)
            x = layers.BatchNormalization(name=f"norm_{depth}")(x)
            x = layers.Activation("relu", name=f"relu_{depth}")(x)
        else:
            x = layers.Conv2D(n_filters, kernel_size, activation="relu", name=f"conv_{depth}")(x)
        if depth < len(filters):
            x = layers.MaxPooling2D(2, name=f"pool_{depth}")(x)
    x = layers.Flatten(name="flatten")(x)
    for depth, units in enumerate(dense_units, start=1):
        x = layers.Dense(units, activation="relu", name=f"dense_{depth}")(x)
        if dropout:
            x = layers.Dropout(dropout, name=f"dropout_{depth}")(x)
    outputs = layers.Dense(n_classes, activation="softmax", name="probabilities")(x)
    return _keras().Model(inputs, outputs, name="report")


_REGISTERED: dict[str, Callable] = {"report": report}


def list() -> tuple[str, ...]:
    """Return the names that ``CNNClassifier(architecture=...)`` knows.

    Returns
    -------
    names : tuple of str
        The names, sorted.

    Examples
    --------
    >>> from fashionkit.neural import architectures
    >>> architectures.list()
    ('report',)
    """
    return tuple(sorted(_REGISTERED))


def get(architecture: str | Callable) -> Callable:
    """Return the builder of a registered name, or the callable itself.

    Parameters
    ----------
    architecture : str or callable
        A name from :func:`list`, or a function like those of this module.

    Returns
    -------
    builder : callable
        The function that builds the network.

    Raises
    ------
    ValueError
        If the name is not known.

    Examples
    --------
    >>> from fashionkit.neural import architectures
    >>> architectures.get("report") is architectures.report
    True
    """
    if callable(architecture):
        return architecture
    if architecture not in _REGISTERED:
        raise ValueError(
            f"architecture={architecture!r} is not known; pass one of {list()} or a callable "
            "(input_shape, n_classes, **params) -> keras.Model."
        )
    return _REGISTERED[architecture]


def _sizes(name: str, value: int | Sequence[int], *, may_be_empty: bool = False) -> tuple:
    sizes = tuple(value) if isinstance(value, Sequence) else (value,)
    if (not sizes and not may_be_empty) or any(size < 1 for size in sizes):
        raise ValueError(
            f"{name}={value!r} in architecture_params, expected "
            f"{'integers' if may_be_empty else 'at least one integer'}, each at least 1."
        )
    return sizes


def _smallest_side(n_convolutions: int, kernel_size: int) -> int:
    """Return the least side that leaves one pixel after convolutions with poolings between."""
    side = kernel_size
    for _ in range(n_convolutions - 1):
        side = 2 * side + kernel_size - 1
    return side


def _pad_to(x: Any, side: int) -> Any:
    """Pad images with zeros on all sides where they are smaller than ``side``."""
    missing = [max(0, side - length) for length in x.shape[1:3]]
    if not any(missing):
        return x
    sides = [(gap // 2, gap - gap // 2) for gap in missing]
    return _keras().layers.ZeroPadding2D(sides, name="pad")(x)
