"""The network that learns most per second without a GPU, alone and with heads along the way."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from fashionkit._tensorflow import keras
from fashionkit.neural.architectures import _checks
from fashionkit.neural.architectures._pieces import conv_norm_relu, convolve, normalise, relu

# Keras's own, 0.99, is too slow for trainings of a few hundred steps.
_MOMENTUM = 0.9


def fast(
    input_shape: tuple[int, int, int],
    n_classes: int,
    *,
    filters: Sequence[int] = (32, 64, 128),
    blocks: int = 0,
    dropout: float = 0.0,
) -> Any:
    """Build a small CNN that trains fast on a CPU.

    A convolution and a pooling halve the image before any expensive layer. Each further stage
    consists of two 3×3 convolutions, or one and residual blocks, and a pooling. The features are
    flattened rather than averaged, because positions are informative in centred product photos.
    Batch normalisation after every convolution allows high learning rates.

    With the defaults and 28×28 gray images it has 298,922 parameters and takes 22 million
    multiplications per image.

    Parameters
    ----------
    input_shape : tuple of int
        Height, width and channels of the images. Poolings stop where one pixel is left.

    n_classes : int
        Number of classes.

    filters : sequence of int, default=(32, 64, 128)
        Number of filters of the first convolution and of each further stage.

    blocks : int, default=0
        Number of residual blocks of two convolutions in each stage after the first, after its first
        convolution; 0 for a plain second convolution instead.

    dropout : float, default=0.0
        Fraction of the features dropped before the output during training.

    Returns
    -------
    model : keras.Model
        Network, not compiled.

    See Also
    --------
    fashionkit.CNNClassifier : Classifier that trains the network.
    branched : The same network for a tree of classes.

    References
    ----------
    After the small residual networks that D. Page, "How to Train Your ResNet", 2018, and K. Jordan,
    "94% on CIFAR-10 in 3.29 Seconds on a Single GPU", 2024, train within seconds on GPUs; residual
    blocks as in K. He, X. Zhang, S. Ren and J. Sun, "Deep Residual Learning for Image
    Recognition", CVPR 2016.

    Examples
    --------
    >>> from fashionkit.neural import architectures
    >>> architectures.fast((28, 28, 1), 10).count_params()
    298922
    """
    inputs = keras().layers.Input(input_shape, name="images")
    x = _stages(inputs, filters, blocks)[-1]
    return keras().Model(inputs, _head(x, n_classes, dropout, "probabilities"), name="fast")


def branched(
    input_shape: tuple[int, int, int],
    n_outputs: int,
    *,
    level_sizes: Sequence[int],
    filters: Sequence[int] = (32, 64, 128),
    blocks: int = 0,
    dropout: float = 0.0,
) -> Any:
    """Build a branched CNN with an output for each level of a tree of classes.

    It is :func:`~fashionkit.neural.architectures.fast` with additional outputs, which are spread
    over its stages: that of the coarsest level follows the shallowest stage. With three levels,
    each of the three stages has one output.

    Parameters
    ----------
    input_shape : tuple of int
        Height, width and channels of the images.

    n_outputs : int
        Number of outputs, the sum of ``level_sizes``.

    level_sizes : sequence of int
        Number of nodes of each level, coarsest first.

    filters : sequence of int, default=(32, 64, 128)
        Number of filters of the first convolution and of each further stage.

    blocks : int, default=0
        Number of residual blocks in each stage after the first, as in
        :func:`~fashionkit.neural.architectures.fast`.

    dropout : float, default=0.0
        Fraction of the features dropped before each output during training.

    Returns
    -------
    model : keras.Model
        Network, not compiled, whose output is the concatenated probabilities of all levels.

    See Also
    --------
    fashionkit.HierarchicalCNNClassifier : Classifier that trains the network.
    fast : The same network for classes without a tree.

    References
    ----------
    X. Zhu and M. Bain, "B-CNN: Branch Convolutional Neural Network for Hierarchical
    Classification", 2017.

    Examples
    --------
    >>> from fashionkit.neural import architectures
    >>> architectures.branched((28, 28, 1), 18, level_sizes=(2, 6, 10)).output_shape
    (None, 18)
    """
    level_sizes = _checks.sizes("level_sizes", level_sizes)
    if sum(level_sizes) != n_outputs:
        raise ValueError(
            f"level_sizes={level_sizes!r} add up to {sum(level_sizes)}, expected {n_outputs}."
        )
    inputs = keras().layers.Input(input_shape, name="images")
    stages = _stages(inputs, filters, blocks)
    n_levels = len(level_sizes)
    heads = []
    for level, size in enumerate(level_sizes, start=1):
        depth = -(-level * len(stages) // n_levels)  # the last level gets the last stage
        heads.append(_head(stages[depth - 1], size, dropout, f"level_{level}"))
    output = heads[0]
    if n_levels > 1:
        # Of float32 numbers, whatever the layers before compute in.
        output = keras().layers.Concatenate(name="probabilities", dtype="float32")(heads)
    return keras().Model(inputs, output, name="branched")


def _stages(inputs: Any, filters: Sequence[int], blocks: int) -> list[Any]:
    """Return what each stage puts out."""
    filters = _checks.sizes("filters", filters)
    blocks = _checks.count("blocks", blocks, least=0)
    x = conv_norm_relu(inputs, filters[0], momentum=_MOMENTUM, name="stage_1_1")
    stages = [_pool(x, "stage_1")]
    for stage, n_filters in enumerate(filters[1:], start=2):
        name = f"stage_{stage}"
        x = conv_norm_relu(stages[-1], n_filters, momentum=_MOMENTUM, name=f"{name}_1")
        if not blocks:
            x = conv_norm_relu(x, n_filters, momentum=_MOMENTUM, name=f"{name}_2")
        for block in range(1, blocks + 1):
            x = _add_residual(x, n_filters, f"{name}_block_{block}")
        stages.append(_pool(x, name))
    return stages


def _add_residual(x: Any, n_filters: int, name: str) -> Any:
    change = conv_norm_relu(x, n_filters, momentum=_MOMENTUM, name=f"{name}_1")
    change = normalise(convolve(change, n_filters, name=f"{name}_2"), _MOMENTUM, f"{name}_2")
    return relu(keras().layers.Add(name=f"{name}_add")([x, change]), name)


def _pool(x: Any, name: str) -> Any:
    """Halve height and width, but keep the last pixel of an odd side, and of a single one."""
    return keras().layers.MaxPooling2D(2, padding="same", name=f"{name}_pool")(x)


def _head(x: Any, n_classes: int, dropout: float, name: str) -> Any:
    layers = keras().layers
    x = layers.Flatten(name=f"{name}_features")(x)
    if _checks.fraction("dropout", dropout):
        x = layers.Dropout(dropout, name=f"{name}_dropout")(x)
    # Keras warns of a softmax over one number; the only node of a level has all of two.
    x = layers.Dense(max(n_classes, 2), activation="softmax", dtype="float32", name=name)(x)
    return keras().ops.sum(x, axis=-1, keepdims=True) if n_classes == 1 else x
