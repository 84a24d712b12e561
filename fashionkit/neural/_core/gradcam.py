"""Where does a network look? Heat maps by Grad-CAM."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from fashionkit._backbones.seeded import CompiledModel, copy_values
from fashionkit._images import Images, check_targets
from fashionkit._keras_compat import maker_of
from fashionkit._tensorflow import keras, tensorflow
from fashionkit.neural._core.samples import encode_labels

# Images per step. A gradient keeps what prediction lets go of: all layers at once.
_IMAGES_PER_STEP = 64


def grad_cam(
    model: Any,
    images: Images,
    targets: np.ndarray,
    *,
    layer: str | None = None,
) -> np.ndarray:
    """Show which parts of images speak for a class, by Grad-CAM.

    The channels of a layer are summed, each with the weight that its mean gradient gives
    it; what is negative, and so speaks against the class, becomes 0. The sum is enlarged
    to the images' size by bilinear interpolation and divided by its maximum.

    Parameters
    ----------
    model : keras.Model
        A functional or sequential network from images to class probabilities.

    images : Images
        The images; the network sees them scaled to [0, 1].

    targets : ndarray of shape (n_samples,), dtype=int
        Index of the output to explain, for each image.

    layer : str, default=None
        The layer whose channels are summed; by default the last one whose output is an
        image of more than one pixel.

    Returns
    -------
    heat_maps : ndarray of shape (n_samples, height, width), dtype=float32
        From 0 to 1. A map is 0 throughout where no channel speaks for the class.

    Raises
    ------
    ValueError
        If the network has no such layer.

    Notes
    -----
    The gradient is that of the class's score before the softmax, as in the paper: of the
    last Dense layer without its activation, or of the input of a last Softmax or
    Activation layer; where several of these are concatenated, of each of them. From other
    networks the score follows from the probabilities, up to a constant: their logarithm less
    the mean over the classes.

    Layers inside of a model that is itself a layer cannot be chosen, its output can.

    References
    ----------
    R. R. Selvaraju, M. Cogswell, A. Das, R. Vedantam, D. Parikh and D. Batra, "Grad-CAM:
    Visual Explanations from Deep Networks via Gradient-based Localization", ICCV 2017,
    equations 1 and 2.

    Examples
    --------
    >>> import numpy as np
    >>> from fashionkit._images import Images
    >>> from fashionkit.neural._core.gradcam import grad_cam
    >>> from fashionkit.neural.architectures import basic
    >>> images = Images(np.ones((2, 28, 28, 1), np.uint8), (0.0, 255.0))
    >>> grad_cam(basic((28, 28, 1), 10), images, np.array([3, 7])).shape
    (2, 28, 28)
    """
    variables = [*model.trainable_variables, *model.non_trainable_variables]
    return Explainer(model, layer).bind(copy_values(variables))(images, targets)


class Explainer(CompiledModel):
    """Grad-CAM of one layer of a model, compiled; it takes the weights that it uses.

    Parameters
    ----------
    model : keras.Model
        A functional or sequential network from images to class probabilities.

    layer : str or None
        The layer whose channels are summed, as in :func:`grad_cam`.
    """

    def __init__(self, model: Any, layer: str | None):
        find_heat = _heat_function(model, _feature_tensor(model, layer))
        super().__init__(model, find_heat, [tensorflow().TensorSpec((None,), "int32")])

    def bind(self, weights: Sequence[Any]) -> Callable[[Images, np.ndarray], np.ndarray]:
        """Return the function from images and targets to heat maps, with these weights."""
        find_heat = super().bind(weights)

        def explain(images: Images, targets: np.ndarray) -> np.ndarray:
            heat_maps = np.empty(images.pixels.shape[:3], dtype=np.float32)
            step = min(images.chunk_size, _IMAGES_PER_STEP)
            starts = range(0, len(images), step)
            for start, chunk in zip(starts, images.chunks(step), strict=True):
                rows = slice(start, start + step)
                heat_maps[rows] = find_heat(chunk, targets[rows].astype(np.int32))
            peaks = heat_maps.max(axis=(1, 2), keepdims=True, initial=0.0)
            heat_maps /= np.where(peaks > 0, peaks, 1.0)
            return heat_maps

        return explain


def encode_targets(targets: Any, images: Images, classes: np.ndarray) -> np.ndarray:
    """Return the index of each class to explain; a ValueError names unknown ones."""
    return encode_labels(check_targets(targets, images), classes, "targets")


def _feature_tensor(model: Any, name: str | None) -> Any:
    """Return what the chosen layer gives, or the last one that can be chosen."""
    usable: dict[str, Any] = {}
    for tensor in _tensors(model.outputs[0]):
        operation = maker_of(tensor).operation
        is_input = isinstance(operation, keras().layers.InputLayer)
        if len(tensor.shape) == 4 and tensor.shape[1:3] != (1, 1) and not is_input:
            usable.pop(operation.name, None)  # called twice: the last call counts
            usable[operation.name] = tensor
    if not usable:
        raise ValueError(
            f"The network {model.name!r} has no layer whose output is an image of more than one "
            "pixel; Grad-CAM needs one, such as a convolution."
        )
    if name is None:
        return list(usable.values())[-1]
    if name not in usable:
        raise ValueError(
            f"layer={name!r} is not a layer whose output is an image of more than one pixel; "
            f"pass one of {list(usable)}, or None for the last of them."
        )
    return usable[name]


def _tensors(output: Any) -> list[Any]:
    """Return all tensors that an output is computed from, each after those it needs.

    The outputs that Keras's layers name are those of their first call, which need not be
    the one in this network: a Sequential calls its layers again whenever one is added.
    """
    found, opened, waiting = {}, set(), [output]
    while waiting:
        tensor = waiting[-1]
        if id(tensor) in opened:
            found[id(waiting.pop())] = tensor
            continue
        opened.add(id(tensor))
        # The last branch is followed last.
        waiting.extend(one for one in maker_of(tensor).inputs[::-1] if id(one) not in opened)
    return list(found.values())


def _heads(output: Any) -> list[Any]:
    """Return the rows of probabilities that lie side by side in an output."""
    is_joint = isinstance(maker_of(output).operation, keras().layers.Concatenate)
    parts = maker_of(output).inputs if is_joint else [output]
    # Single columns are no distributions: [1 - p, p] is one.
    return parts if all(part.shape[-1] > 1 for part in parts) else [output]


def _score_function(output: Any) -> tuple[Any, Callable]:
    """Return a tensor of the network and how the scores before the softmax come from it."""
    ops, layers = keras().ops, keras().layers
    last = maker_of(output).operation
    ends_in_softmax = getattr(last, "activation", None) is keras().activations.softmax
    if type(last) is layers.Dense and ends_in_softmax:

        def dense(x):
            scores = ops.matmul(ops.cast(x, "float32"), ops.cast(last.kernel, "float32"))
            return scores + ops.cast(last.bias, "float32") if last.use_bias else scores

        return maker_of(output).inputs[0], dense
    if isinstance(last, layers.Softmax) or (
        isinstance(last, layers.Activation) and ends_in_softmax
    ):
        return maker_of(output).inputs[0], lambda x: ops.cast(x, "float32")

    def from_probabilities(x):
        logs = ops.log(ops.maximum(ops.cast(x, "float32"), np.finfo(np.float32).tiny))
        return logs - ops.mean(logs, axis=1, keepdims=True)

    return output, from_probabilities


def _heat_function(model: Any, features: Any) -> Callable:
    """Return the function from images and targets to heat maps, not yet scaled."""
    tf, ops = tensorflow(), keras().ops
    size = model.inputs[0].shape[1:3]
    heads = [_score_function(head) for head in _heads(model.outputs[0])]
    network = keras().Model(model.inputs[0], [features, *(tensor for tensor, _ in heads)])

    def find_heat(images, targets):
        with tf.GradientTape(watch_accessed_variables=False) as tape:
            tape.watch(images)
            maps, *tensors = network(images, training=False)
            scores = [score(x) for (_, score), x in zip(heads, tensors, strict=True)]
            scores = tf.gather(ops.concatenate(scores, axis=1), targets, axis=1, batch_dims=1)
            # Images do not mix: the gradient of the sum is that of each image's own score.
            score = tf.reduce_sum(scores)
        zero = tf.UnconnectedGradients.ZERO
        gradients = tape.gradient(score, maps, unconnected_gradients=zero)
        weights = ops.mean(ops.cast(gradients, "float32"), axis=(1, 2), keepdims=True)
        heat = ops.relu(ops.sum(weights * ops.cast(maps, "float32"), axis=-1, keepdims=True))
        return ops.image.resize(heat, size, interpolation="bilinear", antialias=True)[..., 0]

    return find_heat
