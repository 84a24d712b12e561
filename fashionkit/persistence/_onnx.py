"""to_onnx: a fitted classifier as a file that other languages and runtimes can run."""

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
from fashionkit._backbones.sessions import require
from fashionkit._files import write_whole
from fashionkit._tensorflow import keras, tensorflow
from fashionkit.neural import DistilledClassifier
from fashionkit.neural._core.base import BaseKerasClassifier
from fashionkit.persistence._onnx_calibration import calibrated, is_calibration
from fashionkit.persistence._onnx_names import IMAGES, LABEL, METADATA, PROBABILITIES
from fashionkit.persistence._onnx_steps import function_of, steps_of
from fashionkit.preprocessing._views import make_views

# Of ONNX: old enough for the runtimes of today, and new enough for all of our layers.
_OPSET = 17
# What can be told of pixels that are bytes: black is the one, and white the other.
_RANGES = ((0.0, 255.0), (0.0, 1.0), (-1.0, 1.0))


def to_onnx(estimator: Any, path: str | PathLike[str]) -> Path:
    """Write a fitted classifier to an ONNX file, with all that happens to images inside.

    The file takes images as bytes and answers with labels and probabilities: scaling, resizing,
    features and the mean over views are part of it. It runs wherever ONNX does, without TensorFlow
    and without fashionkit, which takes it as :class:`ONNXClassifier`.

    Read more in the :ref:`User Guide <onnx>`.

    Parameters
    ----------
    estimator : estimator
        A fitted neural classifier of fashionkit: CNNClassifier, TransferClassifier,
        HierarchicalCNNClassifier or DistilledClassifier; or a Pipeline of features, HOGFeatures
        or PixelFeatures; any number of BoundedPCA and StandardScaler; and a CalibratedSVC or
        NystroemClassifier, as "hog-svm" is. A search, FrozenEstimator or SelectiveClassifier of one
        of these, too.

    path : str or path-like
        The file to write, whole or not at all.

    Returns
    -------
    path : Path
        The file.

    Raises
    ------
    TypeError
        If it is not such a classifier; a step that cannot be written is named.

    ValueError
        If it was trained on pixels of a range that bytes do not have, or calibrated by isotonic
        regressions.

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
    shape (n,): the index of the predicted class; and ``probabilities``, float32, of shape (n,
    n_classes). The labels of the classes, in this order, are in the entry ``fashionkit`` of the
    file's metadata, as JSON, with the shape of the images and the versions of what wrote it.

    Of a :class:`~fashionkit.SelectiveClassifier`, the temperature is part of the file, and so are
    costs; the rule by which it decides is not. To accept what its ``decide`` accepts, compare
    probabilities with its ``threshold_``. Nor are its detector of outliers and its prediction sets
    in the file.

    Probabilities are those of ``predict_proba`` to about 1e-6, those of support vector machines to
    1e-4: runtimes add numbers in other orders, and support vectors are kept in float32.

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
    inner, calibrations = _inner(estimator)
    check_is_fitted(inner)
    path = Path(path).expanduser()
    if path.is_dir():
        raise IsADirectoryError(f"path={str(path)!r} is a folder; pass the name of a file in it.")
    steps = steps_of(inner) if isinstance(inner, Pipeline) else [inner]
    first = steps[0]
    function = _network(first) if isinstance(first, BaseKerasClassifier) else function_of(steps)
    if tuple(first.pixel_range_) not in _RANGES:
        raise ValueError(
            f"estimator was trained on pixels from {first.pixel_range_[0]:g} to "
            f"{first.pixel_range_[1]:g}, and an ONNX file takes bytes from 0 to 255; train "
            "it on such images."
        )
    for calibration in reversed(calibrations):  # the innermost first
        function = calibrated(function, calibration)
    costs = calibrations[0]._costs if calibrations else None
    model = _convert(function, first.image_shape_, costs)
    entry = model.metadata_props.add()
    entry.key, entry.value = METADATA, json.dumps(_describe(first, steps[-1]))
    return write_whole(path, lambda part: part.write_bytes(model.SerializeToString()))


def _inner(estimator: Any) -> tuple[Any, list[Any]]:
    """Return the network, or the pipeline, and the calibrations around it, the outermost first."""
    calibrations = []
    while True:
        if is_calibration(estimator):
            calibrations.append(estimator)
            estimator = estimator.estimator_
        elif isinstance(estimator, FrozenEstimator):
            estimator = estimator.estimator
        elif isinstance(estimator, Pipeline) and len(estimator.steps) == 1:
            estimator = estimator.steps[0][1]
        elif isinstance(estimator, DistilledClassifier) and hasattr(estimator, "estimator_"):
            estimator = estimator.estimator_
        elif isinstance(estimator, BaseSearchCV) and hasattr(estimator, "best_estimator_"):
            estimator = estimator.best_estimator_
        else:
            break
    if not isinstance(estimator, BaseKerasClassifier | Pipeline):
        raise TypeError(
            f"estimator={estimator!r} is neither a network nor a pipeline; to_onnx takes a fitted "
            "CNNClassifier, TransferClassifier, HierarchicalCNNClassifier or DistilledClassifier, "
            "a Pipeline of features and a support vector machine, or a SelectiveClassifier of one "
            "of these. Other models are saved by fashionkit.save."
        )
    return estimator, calibrations


def _convert(function: Any, image_shape: Sequence[int], costs: np.ndarray | None) -> Any:
    """Convert a function from bytes to probabilities; labels are those of the lowest cost."""
    tf2onnx = require("tf2onnx")
    tf = tensorflow()
    height, width, channels = image_shape

    def run(images: Any) -> tuple[Any, Any]:
        pixels = tf.cast(images, tf.float32)
        probabilities = function(pixels[..., tf.newaxis] if channels == 1 else pixels)
        gains = probabilities if costs is None else -probabilities @ costs.astype(np.float32)
        return tf.argmax(gains, axis=1, output_type=tf.int64), probabilities

    shape = (None, height, width) if channels == 1 else (None, height, width, channels)
    signature = [tf.TensorSpec(shape, tf.uint8, name=IMAGES)]
    traced = tf.function(run, autograph=False, input_signature=signature)
    model, _ = tf2onnx.convert.from_function(traced, signature, opset=_OPSET)
    _rename(model.graph, [LABEL, PROBABILITIES])
    return model


def _network(classifier: BaseKerasClassifier) -> Any:
    """Return what the network computes, and what happens before and after it."""
    tf, ops = tensorflow(), keras().ops
    network, n_classes = classifier.model_, len(classifier.classes_)
    views = classifier.test_time_augmentation

    def run(pixels: Any) -> Any:
        seen = list(make_views(pixels / 255.0, views, ops.pad))
        outputs = network(tf.concat(seen, axis=0), training=False)
        outputs = tf.reshape(outputs, (len(seen), -1, outputs.shape[-1]))
        # Where the network has outputs beside those of the classes, the classes come last.
        means = tf.reduce_mean(outputs, axis=0)[:, -n_classes:]
        return means / tf.reduce_sum(means, axis=1, keepdims=True)

    return run


def _rename(graph: Any, names: Sequence[str]) -> None:
    """Give the outputs, and the number of images, names of ours."""
    for output, name in zip(graph.output, names, strict=True):
        for node in graph.node:
            node.output[:] = [name if one == output.name else one for one in node.output]
            node.input[:] = [name if one == output.name else one for one in node.input]
        output.name = name
    for value in (*graph.input, *graph.output):
        value.type.tensor_type.shape.dim[0].dim_param = "n"


def _describe(first: Any, classifier: Any) -> dict[str, Any]:
    """Return the metadata: of images what the first step knows, of classes what the last does."""
    return {
        "format": 1,
        "classes": np.asarray(classifier.classes_).tolist(),
        "image_shape": list(first.image_shape_),
        "pixel_range": list(map(float, first.pixel_range_)),
        "model": type(classifier).__name__,
        "versions": {
            "fashionkit": fashionkit.__version__,
            **{name: version(name) for name in ("keras", "tensorflow", "tf2onnx")},
        },
    }
