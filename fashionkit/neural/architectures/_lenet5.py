"""LeNet-5, the network that began it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from fashionkit._tensorflow import keras as _keras
from fashionkit.neural.architectures import _checks
from fashionkit.neural.architectures._pieces import pad_to, probabilities

_KERNEL_SIZE = 5


def lenet5(
    input_shape: tuple[int, int, int],
    n_classes: int,
    *,
    filters: Sequence[int] = (6, 16),
    dense_units: int | Sequence[int] = (120, 84),
    activation: str = "tanh",
    pooling: str = "average",
) -> Any:
    """Build LeNet-5: two convolutions, each with a pooling, and two dense layers.

    With the defaults and 28×28 gray images in ten classes it has 61,706 parameters: Conv2D 6
    (156), pool, Conv2D 16 (2,416), pool, Dense 120 (48,120), Dense 84 (10,164), Dense 10 (850);
    and 0.4 million multiply-adds per image.

    Parameters
    ----------
    input_shape : tuple of int
        Height, width and channels of the images. Sides shorter than 32 are padded with
        zeros to 32, as the paper does with images of 28×28.

    n_classes : int
        Number of classes.

    filters : sequence of two int, default=(6, 16)
        Number of filters of the two 5×5 convolutions, C1 and C3 in the paper.

    dense_units : int or sequence of int, default=(120, 84)
        Units of each dense layer before the output, C5 and F6 in the paper.

    activation : {"tanh", "relu"}, default="tanh"
        Activation after each convolution and dense layer.

    pooling : {"average", "max"}, default="average"
        Pooling after each convolution, which halves the sides.

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
    basic : Network with ReLU and one more convolution.

    Notes
    -----
    It is simpler than the network of the paper: every map of C3 is connected to all maps of the
    layer before, instead of a part of them; pooling has no weights and no activation; the tanh is
    not scaled; and the output is a softmax instead of radial basis functions.

    References
    ----------
    Y. LeCun, L. Bottou, Y. Bengio and P. Haffner, "Gradient-based learning applied to document
    recognition", Proceedings of the IEEE 86(11), 1998, section II.B.

    Examples
    --------
    >>> from fashionkit.neural import architectures
    >>> architectures.lenet5((28, 28, 1), 10).count_params()
    61706
    """
    filters = _checks.sizes("filters", filters, length=2)
    dense_units = _checks.sizes("dense_units", dense_units, may_be_empty=True)
    activation = _checks.one_of("activation", activation, ("tanh", "relu"))
    pooling = _checks.one_of("pooling", pooling, ("average", "max"))
    layers = _keras().layers
    pool = layers.AveragePooling2D if pooling == "average" else layers.MaxPooling2D
    inputs = layers.Input(input_shape, name="images")
    x = pad_to(inputs, 32)
    for depth, n_filters in enumerate(filters, start=1):
        conv = layers.Conv2D(n_filters, _KERNEL_SIZE, activation=activation, name=f"conv_{depth}")
        x = pool(2, name=f"pool_{depth}")(conv(x))
    x = layers.Flatten(name="flatten")(x)
    for depth, units in enumerate(dense_units, start=1):
        x = layers.Dense(units, activation=activation, name=f"dense_{depth}")(x)
    return _keras().Model(inputs, probabilities(x, n_classes), name="lenet5")
