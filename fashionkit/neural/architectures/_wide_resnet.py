"""Wide residual networks for small images."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from fashionkit._tensorflow import keras as _keras
from fashionkit.neural.architectures import _checks
from fashionkit.neural.architectures._pieces import convolve, normalise, probabilities, relu


def wide_resnet(
    input_shape: tuple[int, int, int],
    n_classes: int,
    *,
    depth: int = 10,
    width: int = 2,
    filters: Sequence[int] = (16, 32, 64),
    dropout: float = 0.0,
    norm_momentum: float = 0.9,
) -> Any:
    """Build a wide residual network (WRN), with fewer blocks but more filters than a ResNet.

    A block applies batch normalisation and ReLU before each of its two 3×3 convolutions, whose
    output is added to its input. Each stage except the first halves the sides.

    With the defaults and 28×28 gray images in ten classes it has 304,346 parameters and 34
    million multiply-adds per image. The networks of the paper, such as ``depth=16, width=8`` or
    ``depth=28, width=10``, are for GPUs.

    Parameters
    ----------
    input_shape : tuple of int
        Height, width and channels of the images, of any size.

    n_classes : int
        Number of classes.

    depth : int, default=10
        Number of convolutions, including one in the shortcut of each stage: 6n + 4 for the three
        stages of the default ``filters`` with n blocks each (10, 16, 22, 28, 40); 2sn + s + 1 for s
        stages.

    width : int, default=2
        Widening factor that multiplies ``filters``, k in the paper.

    filters : sequence of int, default=(16, 32, 64)
        Number of filters of each stage before widening; the length is the number of stages. The
        first convolution has as many as the first stage, and is not widened.

    dropout : float, default=0.0
        Fraction of values dropped between the convolutions of each block during training; 0.3 in
        the paper.

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
    resnet : Network of more and narrower residual blocks.

    References
    ----------
    S. Zagoruyko and N. Komodakis, "Wide Residual Networks", BMVC 2016, sections 2 and 3, with
    the order of layers of K. He, X. Zhang, S. Ren and J. Sun, "Identity Mappings in Deep
    Residual Networks", ECCV 2016, section 4.

    Examples
    --------
    >>> from fashionkit.neural import architectures
    >>> architectures.wide_resnet((28, 28, 1), 10).count_params()
    304346
    """
    filters = _checks.sizes("filters", filters)
    n_blocks = _checks.blocks_per_stage(depth, len(filters), n_outside=len(filters) + 1)
    width = _checks.count("width", width)
    dropout = _checks.fraction("dropout", dropout)
    momentum = _checks.fraction("norm_momentum", norm_momentum)
    layers = _keras().layers
    inputs = layers.Input(input_shape, name="images")
    x = convolve(inputs, filters[0], name="stem")
    for stage, n_filters in enumerate(filters, start=1):
        for block in range(1, n_blocks + 1):
            strides = 2 if stage > 1 and block == 1 else 1
            name = f"stage_{stage}_block_{block}"
            x = _block(x, width * n_filters, strides, dropout, momentum, name)
    x = relu(normalise(x, momentum, "final"), "final")
    x = layers.GlobalAveragePooling2D(name="average")(x)
    return _keras().Model(inputs, probabilities(x, n_classes), name="wide_resnet")


def _block(x: Any, n_filters: int, strides: int, dropout: float, momentum: float, name: str) -> Any:
    layers = _keras().layers
    carried, first, second = x, f"{name}_first", f"{name}_second"
    x = relu(normalise(x, momentum, first), first)
    if strides > 1 or carried.shape[-1] != n_filters:
        carried = convolve(x, n_filters, 1, strides=strides, name=f"{name}_shortcut")
    x = convolve(x, n_filters, strides=strides, name=first)
    x = relu(normalise(x, momentum, second), second)
    if dropout:
        x = layers.Dropout(dropout, name=f"{name}_dropout")(x)
    x = convolve(x, n_filters, name=second)
    return layers.Add(name=f"{name}_add")([carried, x])
