"""Residual networks for small images."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

from fashionkit._tensorflow import keras as _keras
from fashionkit.neural.architectures import _checks
from fashionkit.neural.architectures._pieces import (
    conv_norm_relu,
    convolve,
    normalise,
    probabilities,
    relu,
)


def resnet(
    input_shape: tuple[int, int, int],
    n_classes: int,
    *,
    depth: int = 8,
    filters: Sequence[int] = (16, 32, 64),
    shortcut: str = "pad",
    norm_momentum: float = 0.9,
) -> Any:
    """Build a residual network (ResNet) for small images.

    It consists of a convolution, stages of residual blocks and global average pooling. A block is
    two 3×3 convolutions whose output is added to its input. Each stage except the first halves the
    sides.

    With the defaults and 28×28 gray images in ten classes it has 75,482 parameters and 9 million
    multiply-adds per image. The smallest network of the paper has ``depth=20``, with more than
    three times as many of both. The default is the minimum depth, so that it trains on a CPU.

    Parameters
    ----------
    input_shape : tuple of int
        Height, width and channels of the images, of any size.

    n_classes : int
        Number of classes.

    depth : int, default=8
        Number of layers with weights, without shortcuts: 6n + 2 for the three stages of the default
        ``filters`` with n blocks each (8, 14, 20, 32, 44, 56, 110); 2sn + 2 for s stages.

    filters : sequence of int, default=(16, 32, 64)
        Number of filters of each stage; the length is the number of stages.

    shortcut : {"pad", "projection"}, default="pad"
        Shortcut of blocks whose input and output differ in shape: "pad" takes every second pixel
        and adds channels of zeros (option A of the paper, without weights); "projection" is a 1×1
        convolution with stride 2 (option B).

    norm_momentum : float, default=0.9
        Momentum of the running averages of batch normalisation.

    Returns
    -------
    model : keras.Model
        Network, not compiled.

    Raises
    ------
    ValueError
        If a parameter has a value that is not described above, or if a stage has fewer filters
        than the one before and ``shortcut="pad"``.

    See Also
    --------
    fashionkit.CNNClassifier : Classifier that trains the network.
    wide_resnet : Network of fewer and wider residual blocks.

    References
    ----------
    K. He, X. Zhang, S. Ren and J. Sun, "Deep Residual Learning for Image Recognition", 2015
    (CVPR 2016), section 4.2; initial weights after the same authors' "Delving Deep into
    Rectifiers", ICCV 2015, section 2.2.

    Examples
    --------
    >>> from fashionkit.neural import architectures
    >>> architectures.resnet((28, 28, 1), 10).count_params()
    75482
    >>> architectures.resnet((28, 28, 1), 10, depth=20).count_params()
    270810
    """
    filters = _checks.sizes("filters", filters)
    n_blocks = _checks.blocks_per_stage(depth, len(filters), n_outside=2)
    shortcut = _checks.one_of("shortcut", shortcut, ("pad", "projection"))
    momentum = _checks.fraction("norm_momentum", norm_momentum)
    if shortcut == "pad" and any(after < before for before, after in pairwise(filters)):
        raise ValueError(
            f"filters={filters!r} in architecture_params, expected no stage with fewer filters "
            'than the one before; pass shortcut="projection" for such a network.'
        )
    layers = _keras().layers
    inputs = layers.Input(input_shape, name="images")
    x = conv_norm_relu(inputs, filters[0], momentum=momentum, name="stem")
    for stage, n_filters in enumerate(filters, start=1):
        for block in range(1, n_blocks + 1):
            strides = 2 if stage > 1 and block == 1 else 1
            x = _block(x, n_filters, strides, shortcut, momentum, f"stage_{stage}_block_{block}")
    x = layers.GlobalAveragePooling2D(name="average")(x)
    return _keras().Model(inputs, probabilities(x, n_classes), name="resnet")


def _block(x: Any, n_filters: int, strides: int, shortcut: str, momentum: float, name: str) -> Any:
    carried = x
    x = conv_norm_relu(x, n_filters, strides=strides, momentum=momentum, name=f"{name}_first")
    x = convolve(x, n_filters, name=f"{name}_second")
    x = normalise(x, momentum, f"{name}_second")
    if carried.shape != x.shape or strides > 1:
        if shortcut == "pad":
            carried = _every_second_pixel(carried, n_filters, f"{name}_shortcut")
        else:
            carried = convolve(carried, n_filters, 1, strides=strides, name=f"{name}_shortcut")
            carried = normalise(carried, momentum, f"{name}_shortcut")
    return relu(_keras().layers.Add(name=f"{name}_add")([carried, x]), name)


def _every_second_pixel(x: Any, n_filters: int, name: str) -> Any:
    """Keep every second pixel, and add channels of zeros on both sides."""
    layers = _keras().layers
    x = layers.MaxPooling2D(1, strides=2, name=f"{name}_stride")(x)
    missing = n_filters - x.shape[-1]
    # The layer pads the last two axes when it takes the channels to come first.
    channels = ((0, 0), (missing // 2, missing - missing // 2))
    return layers.ZeroPadding2D(channels, data_format="channels_first", name=f"{name}_pad")(x)
