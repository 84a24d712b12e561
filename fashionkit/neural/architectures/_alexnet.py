"""AlexNet, scaled down to small images."""

from __future__ import annotations

from typing import Any

from fashionkit._tensorflow import keras as _keras
from fashionkit.neural.architectures import _checks
from fashionkit.neural.architectures._pieces import (
    conv_norm_relu,
    max_pool,
    probabilities,
    scaled,
)

# Of each convolution: filters, kernel size, and whether a pooling follows.
_CONVOLUTIONS = (
    (96, 5, True),
    (256, 5, True),
    (384, 3, False),
    (384, 3, False),
    (256, 3, True),
)
_DENSE_UNITS = (4096, 4096)


def alexnet(
    input_shape: tuple[int, int, int],
    n_classes: int,
    *,
    width: float = 0.25,
    dropout: float = 0.5,
    batch_norm: bool = False,
    norm_momentum: float = 0.9,
) -> Any:
    """Build AlexNet for small images: five convolutions, three poolings, two dense layers.

    With the defaults and 28×28 gray images in ten classes it has 2,342,330 parameters, 90 % of them
    in the dense layers, and 20 million multiply-adds per image.

    Parameters
    ----------
    input_shape : tuple of int
        Height, width and channels of the images, of any size.

    n_classes : int
        Number of classes.

    width : float, default=0.25
        Number of filters and dense units, as a fraction of those of the paper: 96, 256, 384, 384
        and 256 filters, and twice 4,096 units.

    dropout : float, default=0.5
        Fraction of units dropped after each dense layer during training.

    batch_norm : bool, default=False
        Whether to normalise each batch between convolution and activation.

    norm_momentum : float, default=0.9
        Momentum of the running averages of batch normalisation.

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
    inception : Deeper network with far fewer parameters.

    Notes
    -----
    The paper's first convolution is 11×11 with stride 4, for images of 224×224; here it is 5×5
    with stride 1, so that the three overlapping poolings (3×3, stride 2) still have something to
    halve. Convolutions are not split in two groups, and local response normalisation is left
    out; ``batch_norm=True`` takes its place.

    References
    ----------
    A. Krizhevsky, I. Sutskever and G. E. Hinton, "ImageNet Classification with Deep
    Convolutional Neural Networks", NIPS 2012, sections 3 and 4.2.

    Examples
    --------
    >>> from fashionkit.neural import architectures
    >>> architectures.alexnet((28, 28, 1), 10).count_params()
    2342330
    """
    width = _checks.positive("width", width)
    dropout = _checks.fraction("dropout", dropout)
    momentum = _checks.fraction("norm_momentum", norm_momentum) if batch_norm else None
    layers = _keras().layers
    inputs = x = layers.Input(input_shape, name="images")
    for depth, (filters, kernel_size, is_pooled) in enumerate(_CONVOLUTIONS, start=1):
        n_filters = scaled(width, filters)
        x = conv_norm_relu(x, n_filters, kernel_size, momentum=momentum, name=f"layer_{depth}")
        if is_pooled:
            x = max_pool(x, f"pool_{depth}")
    x = layers.Flatten(name="flatten")(x)
    for depth, units in enumerate(_DENSE_UNITS, start=1):
        x = layers.Dense(scaled(width, units), activation="relu", name=f"dense_{depth}")(x)
        if dropout:
            x = layers.Dropout(dropout, name=f"dropout_{depth}")(x)
    return _keras().Model(inputs, probabilities(x, n_classes), name="alexnet")
