"""to_onnx: export of a fitted classifier to ONNX."""

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

# Opset of ONNX that current runtimes support, and that has all operators of our layers.
_OPSET = 17
# Pixel ranges of training images, for which the file scales bytes.
_RANGES = ((0.0, 255.0), (0.0, 1.0), (-1.0, 1.0))


def to_onnx(estimator: Any, path: str | PathLike[str]) -> Path:
    """Export a fitted classifier, including its preprocessing, to an ONNX file.

    The exported model takes images as bytes and returns labels and probabilities. Scaling,
    resizing, feature extraction and test-time augmentation are part of it. Any ONNX runtime can run
    it without TensorFlow or fashionkit. In fashionkit, use :class:`ONNXClassifier`.

    Read more in the :ref:`User Guide <onnx>`.

    Parameters
    ----------
    estimator : estimator
        Fitted classifier, one of

        - a neural classifier: CNNClassifier, TransferClassifier, HierarchicalCNNClassifier or
          DistilledClassifier;
        - a Pipeline of HOGFeatures or PixelFeatures, any number of BoundedPCA and StandardScaler,
          and a CalibratedSVC or NystroemClassifier, such as "hog-svm";
        - a search, FrozenEstimator or SelectiveClassifier of one of these.

    path : str or path-like
        Path of the file, which is written completely or not at all.

    Returns
    -------
    path : Path
        Path of the written file.

    Raises
    ------
    TypeError
        If the estimator, or a step of it, cannot be exported.

    ValueError
        If the estimator is not fitted, has isotonic calibration, or was trained on images of
        another pixel range than 0 to 255, 0 to 1 or -1 to 1.

    ImportError
        If tf2onnx is not installed: ``pip install "fashionkit[onnx]"``.

    OSError
        If the file cannot be written.

    See Also
    --------
    ONNXClassifier : Predicts with the written file.
    save : Saves an estimator for fashionkit, including the state to resume its training.

    Notes
    -----
    The input is ``images`` of dtype uint8 and shape (n, height, width) for gray images, or (n,
    height, width, 3) for RGB images, from 0 (black) to 255 (white), for any n. The outputs are
    ``label`` of dtype int64 and shape (n,), the index of the predicted class, and ``probabilities``
    of dtype float32 and shape (n, n_classes). The entry ``fashionkit`` of the file's metadata is a
    JSON object with the labels of the classes in this order, the image shape, and the versions of
    the libraries that wrote the file.

    For a :class:`~fashionkit.SelectiveClassifier`, the file includes the temperature and the costs,
    but not the decision, the outlier detector or the prediction sets. To accept the same
    predictions as its ``decide``, compare the probabilities with its ``threshold_``.

    Probabilities equal those of ``predict_proba`` to about 1e-6, and to 1e-4 for support vector
    machines. The order of floating-point operations differs between runtimes, and support vectors
    are stored in float32.

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
            f"{first.pixel_range_[1]:g}, but an ONNX file takes bytes from 0 to 255; train it on "
            "images of 0 to 255, 0 to 1 or -1 to 1."
        )
    for calibration in reversed(calibrations):  # the innermost first
        function = calibrated(function, calibration)
    costs = calibrations[0]._costs if calibrations else None
    model = _convert(function, first.image_shape_, costs)
    entry = model.metadata_props.add()
    entry.key, entry.value = METADATA, json.dumps(_describe(first, steps[-1]))
    return write_whole(path, lambda part: part.write_bytes(model.SerializeToString()))


def _inner(estimator: Any) -> tuple[Any, list[Any]]:
    """Return the network or Pipeline, and the calibrations around it, outermost first."""
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
            "of these. Save other models with fashionkit.save."
        )
    return estimator, calibrations


def _convert(function: Any, image_shape: Sequence[int], costs: np.ndarray | None) -> Any:
    """Convert a function from bytes to probabilities; labels minimise the expected cost."""
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
    """Return a function of a network with its scaling and test-time augmentation."""
    tf, ops = tensorflow(), keras().ops
    network, n_classes = classifier.model_, len(classifier.classes_)
    views = classifier.test_time_augmentation

    def run(pixels: Any) -> Any:
        seen = list(make_views(pixels / 255.0, views, ops.pad))
        outputs = network(tf.concat(seen, axis=0), training=False)
        outputs = tf.reshape(outputs, (len(seen), -1, outputs.shape[-1]))
        # If the network has outputs other than those of the classes, the classes come last.
        means = tf.reduce_mean(outputs, axis=0)[:, -n_classes:]
        return means / tf.reduce_sum(means, axis=1, keepdims=True)

    return run


def _rename(graph: Any, names: Sequence[str]) -> None:
    """Set the names of the outputs, and of the dimension of the images."""
    for output, name in zip(graph.output, names, strict=True):
        for node in graph.node:
            node.output[:] = [name if one == output.name else one for one in node.output]
            node.input[:] = [name if one == output.name else one for one in node.input]
        output.name = name
    for value in (*graph.input, *graph.output):
        value.type.tensor_type.shape.dim[0].dim_param = "n"


def _describe(first: Any, classifier: Any) -> dict[str, Any]:
    """Return the metadata: images as seen by the first step, classes of the last step."""
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
