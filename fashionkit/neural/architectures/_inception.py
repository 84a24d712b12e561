"""Inception, scaled down to small images."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

from fashionkit._tensorflow import keras as _keras
from fashionkit.neural.architectures import _checks
from fashionkit.neural.architectures._pieces import (
    conv_norm_relu,
    max_pool,
    probabilities,
    scaled,
)


def inception(
    input_shape: tuple[int, int, int],
    n_classes: int,
    *,
    width: float = 0.25,
    n_modules: int | Sequence[int] = (2, 2),
    dropout: float = 0.0,
    norm_momentum: float = 0.9,
) -> Any:
    """Build an Inception network for small images, of modules with several scales.

    Three convolutions and a pooling, which halves the sides, precede the first modules. A module
    concatenates four branches: a 1×1 convolution; a 3×3 convolution; two consecutive 3×3
    convolutions, with the receptive field of a 5×5 convolution; and a 3×3 average pooling. Between
    groups of modules, the sides are halved by parallel convolutions and pooling, and the filters
    are doubled.

    With the defaults and 28×28 gray images in ten classes it has 205,266 parameters and 18
    million multiply-adds per image.

    Parameters
    ----------
    input_shape : tuple of int
        Height, width and channels of the images, of any size.

    n_classes : int
        Number of classes.

    width : float, default=0.25
        Number of filters, as a fraction of those of Inception-v3: 32, 64 and 192 in the first
        convolutions, 256 in the first modules.

    n_modules : int or sequence of int, default=(2, 2)
        Number of modules in each group.

    dropout : float, default=0.0
        Fraction of values dropped before the output during training.

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
    resnet : Network of residual blocks instead of parallel branches.

    Notes
    -----
    It has the factorised 5×5 convolution (section 3.1, figure 5) and the grid reduction (section 5,
    figure 10) of the paper. The first convolutions do not halve the sides, and the asymmetric 1×7
    and 7×1 convolutions and the auxiliary classifier are omitted, because they are for larger
    images and deeper networks.

    References
    ----------
    C. Szegedy, V. Vanhoucke, S. Ioffe, J. Shlens and Z. Wojna, "Rethinking the Inception
    Architecture for Computer Vision", CVPR 2016, sections 3.1, 5 and 6.

    Examples
    --------
    >>> from fashionkit.neural import architectures
    >>> architectures.inception((28, 28, 1), 10).count_params()
    205266
    """
    width = _checks.positive("width", width)
    n_modules = _checks.sizes("n_modules", n_modules)
    dropout = _checks.fraction("dropout", dropout)
    conv = partial(conv_norm_relu, momentum=_checks.fraction("norm_momentum", norm_momentum))
    layers = _keras().layers
    inputs = layers.Input(input_shape, name="images")
    x = conv(inputs, scaled(width, 32), name="stem_1")
    x = conv(x, scaled(width, 64), name="stem_2")
    x = max_pool(x, "stem_pool")
    x = conv(x, scaled(width, 192), name="stem_3")
    for group, n_in_group in enumerate(n_modules, start=1):
        group_width = width * 2 ** (group - 1)
        if group > 1:
            x = _halve(x, group_width, conv, f"reduction_{group - 1}")
        for module in range(1, n_in_group + 1):
            x = _module(x, group_width, conv, f"group_{group}_module_{module}")
    x = layers.GlobalAveragePooling2D(name="average")(x)
    if dropout:
        x = layers.Dropout(dropout, name="dropout")(x)
    return _keras().Model(inputs, probabilities(x, n_classes), name="inception")


def _module(x: Any, width: float, conv: Callable, name: str) -> Any:
    layers = _keras().layers
    single = conv(x, scaled(width, 64), 1, name=f"{name}_single")
    triple = conv(x, scaled(width, 48), 1, name=f"{name}_triple_1")
    triple = conv(triple, scaled(width, 64), name=f"{name}_triple_2")
    double = _two_triples(x, width, conv, f"{name}_double")
    pooled = layers.AveragePooling2D(3, strides=1, padding="same", name=f"{name}_pool")(x)
    pooled = conv(pooled, scaled(width, 32), 1, name=f"{name}_pooled")
    return layers.Concatenate(name=f"{name}_join")([single, triple, double, pooled])


def _halve(x: Any, width: float, conv: Callable, name: str) -> Any:
    """Halve the sides without squeezing all that is known through a pooling first."""
    triple = conv(x, scaled(width, 64), 1, name=f"{name}_triple_1")
    triple = conv(triple, scaled(width, 96), strides=2, name=f"{name}_triple_2")
    double = _two_triples(x, width, conv, f"{name}_double", strides=2)
    pooled = max_pool(x, f"{name}_pool")
    return _keras().layers.Concatenate(name=f"{name}_join")([triple, double, pooled])


def _two_triples(x: Any, width: float, conv: Callable, name: str, strides: int = 1) -> Any:
    x = conv(x, scaled(width, 64), 1, name=f"{name}_1")
    x = conv(x, scaled(width, 96), name=f"{name}_2")
    return conv(x, scaled(width, 96), strides=strides, name=f"{name}_3")
