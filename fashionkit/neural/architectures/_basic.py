"""The basic convolutional network: few layers, quick to train."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from fashionkit._tensorflow import keras as _keras
from fashionkit.neural.architectures import _checks
from fashionkit.neural.architectures._pieces import pad_to, probabilities, smallest_side


def basic(
    input_shape: tuple[int, int, int],
    n_classes: int,
    *,
    filters: Sequence[int] = (32, 64, 64),
    kernel_size: int = 3,
    dense_units: int | Sequence[int] = 64,
    dropout: float = 0.0,
    batch_norm: bool = False,
) -> Any:
    """Build a basic CNN: three convolutions, two poolings, one dense layer.

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
        Number of filters of each convolution; the length is the depth. Every convolution except the
        last is followed by 2×2 max pooling.

    kernel_size : int, default=3
        Height and width of the kernels.

    dense_units : int or sequence of int, default=64
        Number of units of each dense layer before the output.

    dropout : float, default=0.0
        Fraction of units dropped after each dense layer during training.

    batch_norm : bool, default=False
        Whether to normalise each batch between convolution and activation.

    Returns
    -------
    model : keras.Model
        Network, not compiled.

    Raises
    ------
    ValueError
        If a parameter is invalid.

    See Also
    --------
    fashionkit.CNNClassifier : Classifier that trains the network.
    fast : Network that trains faster and is more accurate.

    References
    ----------
    The architecture follows the convolutional network of the TensorFlow tutorial
    "Convolutional Neural Network (CNN)", itself after Y. LeCun, L. Bottou, Y. Bengio and
    P. Haffner, "Gradient-based learning applied to document recognition", Proceedings of the
    IEEE 86(11), 1998.

    Examples
    --------
    >>> from fashionkit.neural import architectures
    >>> architectures.basic((28, 28, 1), 10).count_params()
    93322
    """
    filters = _checks.sizes("filters", filters)
    kernel_size = _checks.count("kernel_size", kernel_size)
    dense_units = _checks.sizes("dense_units", dense_units, may_be_empty=True)
    dropout = _checks.fraction("dropout", dropout)
    layers = _keras().layers
    inputs = layers.Input(input_shape, name="images")
    x = pad_to(inputs, smallest_side(len(filters), kernel_size))
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
    return _keras().Model(inputs, probabilities(x, n_classes), name="basic")
