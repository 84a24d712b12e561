"""to_onnx: a fitted network as a file that other languages and runtimes can run."""

from __future__ import annotations

import json
from collections.abc import Sequence
from importlib.metadata import version
from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np
from sklearn.frozen import FrozenEstimator
from sklearn.model_selection._search import BaseSearchCV
from sklearn.pipeline import Pipeline
from sklearn.utils.validation import check_is_fitted

import fashionkit
from fashionkit._files import write_whole
from fashionkit._tensorflow import keras, tensorflow
from fashionkit.neural import DistilledClassifier
from fashionkit.neural._core.base import BaseKerasClassifier
from fashionkit.persistence._extras import require
from fashionkit.persistence._onnx_names import IMAGES, LABEL, METADATA, PROBABILITIES
from fashionkit.preprocessing._views import make_views

# Of ONNX: old enough for the runtimes of today, and new enough for all of our layers.
_OPSET = 17
# What can be told of pixels that are bytes: black is the one, and white the other.
_RANGES = ((0.0, 255.0), (0.0, 1.0), (-1.0, 1.0))


def to_onnx(estimator: Any, path: str | PathLike[str]) -> Path:
    """Write a fitted network to a file of ONNX, with all that happens to images inside.

    The file takes images as bytes and answers with labels and probabilities: scaling, resizing
    and the mean over views are part of it. It runs wherever ONNX does, without TensorFlow and
    without fashionkit, which takes it as :class:`ONNXClassifier`.

    Read more in the :ref:`User Guide <onnx>`.

    Parameters
    ----------
    estimator : estimator
        A fitted neural classifier of fashionkit: CNNClassifier, TransferClassifier,
        HierarchicalCNNClassifier or DistilledClassifier; or a search, FrozenEstimator or
        Pipeline of nothing but one.

    path : str or path-like
        The file to write, whole or not at all.

    Returns
    -------
    path : Path
        The file.

    Raises
    ------
    TypeError
        If it is not such a classifier.

    ValueError
        If it was trained on pixels of a range that bytes do not have.

    ImportError
        Without the extra: ``pip install "fashionkit[onnx]"``.

    See Also
    --------
    ONNXClassifier : Such a file as a classifier.
    save : A file for fashionkit itself, with which training can go on.

    Notes
    -----
    The input is ``images``, uint8, of shape (n, height, width) for gray images or (n, height,
    width, 3), from 0 for black to 255 for white, any n. The outputs are ``label``, int64, of
    shape (n,): the index of the most probable class; and ``probabilities``, float32, of shape (n,
    n_classes). The labels of the classes, in this order, are in the entry ``fashionkit`` of the
    file's metadata, as JSON, with the shape of the images and the versions of what wrote it.

    Probabilities are those of ``predict_proba`` to about 1e-6: runtimes add numbers in other
    orders.

    Examples
    --------
    >>> from fashionkit import CNNClassifier, make_garments
    >>> from fashionkit.persistence import ONNXClassifier, to_onnx
    >>> X, y = make_garments(200, random_state=0)
    >>> clf = CNNClassifier(epochs=1, random_state=0).fit(X, y)
    >>> to_onnx(clf, "garments.onnx")  # doctest: +SKIP
    PosixPath('garments.onnx')
    >>> ONNXClassifier("garments.onnx").predict_proba(X[:1]).shape  # doctest: +SKIP
    (1, 10)
    """
    classifier = _classifier_of(estimator)
    check_is_fitted(classifier)
    path = Path(path).expanduser()
    if path.is_dir():
        raise IsADirectoryError(f"path={str(path)!r} is a folder; pass the name of a file in it.")
    if tuple(classifier.pixel_range_) not in _RANGES:
        raise ValueError(
            f"estimator was trained on pixels from {classifier.pixel_range_[0]:g} to "
            f"{classifier.pixel_range_[1]:g}, and a file of ONNX takes bytes from 0 to 255; train "
            "it on such images."
        )
    model = _convert(classifier)
    entry = model.metadata_props.add()
    entry.key, entry.value = METADATA, json.dumps(_describe(classifier))
    return write_whole(path, lambda part: part.write_bytes(model.SerializeToString()))


def _classifier_of(estimator: Any) -> BaseKerasClassifier:
    inner = estimator
    while not isinstance(inner, BaseKerasClassifier):
        if isinstance(inner, FrozenEstimator):
            inner = inner.estimator
        elif isinstance(inner, Pipeline) and len(inner.steps) == 1:
            inner = inner.steps[0][1]
        elif isinstance(inner, DistilledClassifier) and hasattr(inner, "estimator_"):
            inner = inner.estimator_
        elif isinstance(inner, BaseSearchCV) and hasattr(inner, "best_estimator_"):
            inner = inner.best_estimator_
        else:
            break
    if not isinstance(inner, BaseKerasClassifier):
        raise TypeError(
            f"estimator={estimator!r} is no network; to_onnx takes a fitted CNNClassifier, "
            "TransferClassifier, HierarchicalCNNClassifier or DistilledClassifier. Other models "
            "are saved by fashionkit.save."
        )
    return inner


def _convert(classifier: BaseKerasClassifier) -> Any:
    """Convert the network, and what happens before and after it."""
    tf2onnx = require("tf2onnx", "onnx")
    tf, ops = tensorflow(), keras().ops
    network, n_classes = classifier.model_, len(classifier.classes_)
    height, width, channels = classifier.image_shape_
    views = classifier.test_time_augmentation

    def run(images: Any) -> tuple[Any, Any]:
        pixels = tf.cast(images, tf.float32) / 255.0
        if channels == 1:
            pixels = pixels[..., tf.newaxis]
        seen = list(make_views(pixels, views, ops.pad))
        outputs = network(tf.concat(seen, axis=0), training=False)
        outputs = tf.reshape(outputs, (len(seen), -1, outputs.shape[-1]))
        # Where the network has outputs beside those of the classes, the classes come last.
        means = tf.reduce_mean(outputs, axis=0)[:, -n_classes:]
        means /= tf.reduce_sum(means, axis=1, keepdims=True)
        return tf.argmax(means, axis=1, output_type=tf.int64), means

    shape = (None, height, width) if channels == 1 else (None, height, width, channels)
    signature = [tf.TensorSpec(shape, tf.uint8, name=IMAGES)]
    function = tf.function(run, autograph=False, input_signature=signature)
    model, _ = tf2onnx.convert.from_function(function, signature, opset=_OPSET)
    _rename(model.graph, [LABEL, PROBABILITIES])
    return model


def _rename(graph: Any, names: Sequence[str]) -> None:
    """Give the outputs, and the number of images, names of ours."""
    for output, name in zip(graph.output, names, strict=True):
        for node in graph.node:
            node.output[:] = [name if one == output.name else one for one in node.output]
            node.input[:] = [name if one == output.name else one for one in node.input]
        output.name = name
    for value in (*graph.input, *graph.output):
        value.type.tensor_type.shape.dim[0].dim_param = "n"


def _describe(classifier: BaseKerasClassifier) -> dict[str, Any]:
    return {
        "format": 1,
        "classes": np.asarray(classifier.classes_).tolist(),
        "image_shape": list(classifier.image_shape_),
        "pixel_range": list(map(float, classifier.pixel_range_)),
        "model": type(classifier).__name__,
        "versions": {
            "fashionkit": fashionkit.__version__,
            **{name: version(name) for name in ("keras", "tensorflow", "tf2onnx")},
        },
    }
