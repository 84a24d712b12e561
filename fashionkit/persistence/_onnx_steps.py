"""Steps of pipelines as functions of tensors, for ``to_onnx``.

To add a step, write a function that takes the fitted step and returns a function from tensors to a
tensor, and add a line to one of the tables at the end.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from sklearn.frozen import FrozenEstimator
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import StandardScaler

from fashionkit._tensorflow import tensorflow
from fashionkit.features import ChunkedTransformer, HOGFeatures, PixelFeatures
from fashionkit.features._blocks import CLIPPED, EPS
from fashionkit.features._gradients import sum_cells
from fashionkit.features._pca import BoundedPCA
from fashionkit.svm import CalibratedSVC, NystroemClassifier
from fashionkit.svm import _coupling as coupling
from fashionkit.svm._svc import Pairs

# Function from tensor to tensor. Images are float32 from 0 to 255, of shape (n, height, width,
# channels); rows are float32, of shape (n, n_features).
Function = Callable[[Any], Any]

# Votes below this share are rounding errors and set to 0, as "L1-sqrt" would amplify them.
# Gradients of bytes have no smaller shares.
_MIN_SHARE = 2e-6


def steps_of(pipeline: Pipeline) -> list[Any]:
    """Return the steps of nested pipelines, without their wrappers."""
    steps: list[Any] = []
    for _, step in pipeline.steps:
        while isinstance(step, FrozenEstimator | ChunkedTransformer):
            step = step.estimator if isinstance(step, FrozenEstimator) else step.transformer_
        if isinstance(step, Pipeline):
            steps += steps_of(step)
        elif step is not None and step != "passthrough":
            steps.append(step)
    return steps


def function_of(steps: Sequence[Any]) -> Function:
    """Return the function of all steps, from images to probabilities.

    Raises
    ------
    TypeError
        If a step cannot be exported.
    """
    kinds = [IMAGES, *[ROWS] * (len(steps) - 2), CLASSIFIERS]
    for known, step in zip(kinds, steps, strict=False):
        if type(step) not in known:
            raise TypeError(
                f"estimator has the step {step!r}, which to_onnx does not support; it takes "
                f"pipelines that begin with {_names(IMAGES)}, continue with {_names(ROWS)}, and "
                f"end with {_names(CLASSIFIERS)}. Save other models with fashionkit.save."
            )
    functions = [STEPS[type(step)](step) for step in steps]

    def run(images: Any) -> Any:
        for function in functions:
            images = function(images)
        return images

    return run


def _pixels(step: PixelFeatures) -> Function:
    tf = tensorflow()
    return lambda images: tf.reshape(images / 255.0, (-1, step.n_features_in_))


def _hog(step: HOGFeatures) -> Function:
    """Return HOG as products with constant matrices, which runtimes compute fast."""
    tf = tensorflow()
    block = step._block_shape(step.pixels_per_cell_[0])
    height, width = (max(sides) for sides in zip(step.image_shape_, block, strict=False))
    # The last row and column are repeated if images are smaller than a block.
    rows, columns = (
        np.minimum(np.arange(padded), side - 1)
        for padded, side in zip((height, width), step.image_shape_, strict=False)
    )

    def run(images: Any) -> Any:
        if (height, width) != tuple(step.image_shape_[:2]):
            images = tf.gather(tf.gather(images, rows, axis=1), columns, axis=2)
        if step.transform_sqrt:
            images = tf.sqrt(images / 255.0)
        votes = _votes(step, *_gradients(images))
        if not step.transform_sqrt:
            votes /= 255.0
        scales = [
            _normalized(step, _cells(step, votes, scale, (height, width)))
            for scale in step.pixels_per_cell_
        ]
        return tf.concat(scales, axis=1)

    return run


def _gradients(images: Any) -> tuple[Any, Any]:
    """Return the vertical and horizontal gradients of the channel with the strongest ones."""
    tf = tensorflow()
    down = tf.pad(images[:, 2:] - images[:, :-2], ((0, 0), (1, 1), (0, 0), (0, 0)))
    right = tf.pad(images[:, :, 2:] - images[:, :, :-2], ((0, 0), (0, 0), (1, 1), (0, 0)))
    n_channels = images.shape[-1]
    if n_channels == 1:
        return down[..., 0], right[..., 0]
    strongest = tf.one_hot(tf.argmax(down**2 + right**2, axis=-1), n_channels)
    return tf.reduce_sum(down * strongest, axis=-1), tf.reduce_sum(right * strongest, axis=-1)


def _votes(step: HOGFeatures, down: Any, right: Any) -> Any:
    """Return the votes of each pixel for each bin, of shape (n, height, width, bins)."""
    tf = tensorflow()
    n_bins = step.orientations
    magnitude = tf.sqrt(down**2 + right**2)[..., tf.newaxis]
    if n_bins == 1:
        return magnitude
    if not step.interpolate:
        return magnitude * tf.one_hot(_bins(down, right, n_bins, step.signed), n_bins)
    period = 2 * np.pi if step.signed else np.pi
    position = tf.math.floormod(tf.atan2(down, right), period)[..., tf.newaxis] * (n_bins / period)
    # Linear interpolation between bin centres, on a circle.
    distance = tf.abs(position - (np.arange(n_bins, dtype=np.float32) + 0.5))
    share = 1 - tf.minimum(distance, n_bins - distance)
    return magnitude * tf.where(share > _MIN_SHARE, share, 0.0)


def _bins(down: Any, right: Any, n_bins: int, signed: bool) -> Any:
    """Return the bin of each gradient: the number of bin limits at or below its angle.

    The comparison is made in float64, as in HOGFeatures. It uses products instead of atan2, because
    atan2 would round gradients exactly on a limit, such as 45 degrees, to either side.
    """
    tf = tensorflow()
    is_below = ((down < 0) | ((down == 0) & (right < 0)))[..., tf.newaxis]
    turned = tf.where(is_below, -1.0, 1.0)
    down, right = (tf.cast(turned * one[..., tf.newaxis], tf.float64) for one in (down, right))
    limits = np.arange(1, n_bins) * (2 if signed else 1) / n_bins  # in half turns
    is_first = limits < 1
    # Rounded, so that sine and cosine of 45 degrees are equal.
    cosines, sines = (np.round(f(np.pi * (limits % 1)), 15) for f in (np.cos, np.sin))
    is_beyond = cosines * down >= sines * right
    if signed:
        is_beyond = tf.where(is_first, is_beyond | is_below, is_beyond & is_below)
    return tf.reduce_sum(tf.cast(is_beyond, tf.int32), axis=-1)


def _cells(step: HOGFeatures, votes: Any, pixels: tuple[int, int], sides: tuple[int, int]) -> Any:
    """Return the average votes of cells, of shape (n, rows, columns, bins)."""
    tf = tensorflow()
    below, beside = (
        (sum_cells(np.eye(side, dtype=np.float32), length, step.interpolate) / length)
        for side, length in zip(sides, pixels, strict=True)
    )
    height, width = sides
    rows = below @ tf.reshape(votes, (-1, height, width * step.orientations))
    return beside @ tf.reshape(rows, (-1, len(below), width, step.orientations))


def _normalized(step: HOGFeatures, cells: Any) -> Any:
    """Return normalised overlapping blocks of cells, of shape (n, n_features)."""
    tf = tensorflow()
    height, width = step.cells_per_block_
    n_rows, n_columns = cells.shape[1] - height + 1, cells.shape[2] - width + 1
    windows = [
        cells[:, row : row + n_rows, column : column + n_columns]
        for row in range(height)
        for column in range(width)
    ]
    n_values = height * width * step.orientations
    blocks = tf.reshape(tf.stack(windows, axis=3), (-1, n_rows * n_columns, n_values))
    if step.block_norm in ("L1", "L1-sqrt"):
        blocks /= tf.reduce_sum(blocks, axis=-1, keepdims=True) + EPS
        if step.block_norm == "L1-sqrt":
            blocks = tf.sqrt(blocks)
    else:
        blocks = _unit(blocks)
        if step.block_norm == "L2-Hys":
            blocks = _unit(tf.minimum(blocks, CLIPPED))
    return tf.reshape(blocks, (-1, n_rows * n_columns * n_values))


def _unit(blocks: Any) -> Any:
    tf = tensorflow()
    return blocks / tf.sqrt(tf.reduce_sum(blocks**2, axis=-1, keepdims=True) + EPS**2)


def _pca(step: BoundedPCA) -> Function:
    mean, components = _float32(step.pca_.mean_, step.pca_.components_.T)
    return lambda rows: (rows - mean) @ components


def _scaler(step: StandardScaler) -> Function:
    mean, scale = _float32(
        step.mean_ if step.with_mean else np.zeros(step.n_features_in_),
        step.scale_ if step.with_std else np.ones(step.n_features_in_),
    )
    return lambda rows: (rows - mean) / scale


def _svc(step: CalibratedSVC) -> Function:
    """Return the kernel, pairwise scores, sigmoids and pairwise coupling as one function."""
    tf = tensorflow()
    n_classes, kernel, pairs = len(step.classes_), _kernel_of(step.svc_), Pairs.of(step.svc_)
    first, second = pairs.columns

    def run(rows: Any) -> Any:
        kernels = kernel(rows)
        parts = [kernels[:, part] @ pairs.coef[:, part].T for part in pairs.classes]
        sums = tf.concat(parts, axis=1)
        scores = tf.gather(sums, first, axis=1) + tf.gather(sums, second, axis=1) + pairs.intercept
        return _coupled(tf.sigmoid(scores * step.slopes_ + step.intercepts_), n_classes)

    return run


def _kernel_of(svc: Any) -> Function:
    """Return the kernel function between rows and support vectors."""
    tf = tensorflow()
    gamma, degree, constant = float(svc._gamma), int(svc.degree), float(svc.coef0)
    if svc.kernel == "rbf":
        return _rbf(svc.support_vectors_, gamma)
    product = _product(svc.support_vectors_)
    if svc.kernel == "linear":
        return product
    if svc.kernel == "poly":
        return lambda rows: (gamma * product(rows) + constant) ** degree
    return lambda rows: tf.tanh(gamma * product(rows) + constant)


def _product(vectors: np.ndarray) -> Function:
    """Return scalar products of rows and vectors, computed in float32 and cast to float64.

    Kernel values are summed over thousands of vectors, so sums need float64. Products in float64
    would change probabilities by less than 1e-4, but double the file and take six times as long.
    """
    tf = tensorflow()
    (transposed,) = _float32(vectors.T)
    return lambda rows: tf.cast(rows @ transposed, tf.float64)


def _rbf(vectors: np.ndarray, gamma: float) -> Function:
    tf = tensorflow()
    product = _product(vectors)
    squares = (vectors.astype(np.float32).astype(np.float64) ** 2).sum(axis=1)

    def run(rows: Any) -> Any:
        own = tf.reduce_sum(tf.cast(rows, tf.float64) ** 2, axis=1, keepdims=True)
        return tf.exp(-gamma * tf.nn.relu(own + squares - 2 * product(rows)))

    return run


def _coupled(wins: Any, n_classes: int) -> Any:
    """Combine the probabilities of pairs of classes, as ``svm._coupling.couple`` does.

    Coupling minimises p'Qp subject to sum(p) = 1, with the solution (Q + 11')^-1 1 up to a factor.
    The matrix is positive definite, so Gauss-Jordan elimination needs no pivoting.
    """
    tf = tensorflow()
    wins = tf.clip_by_value(wins, coupling.EPS, 1 - coupling.EPS)
    # Index of each matrix element in: wins, 1 - wins, and a zero for the diagonal.
    place = np.full((n_classes, n_classes), 2 * wins.shape[1])
    first, second = np.triu_indices(n_classes, 1)
    place[first, second] = np.arange(len(first))
    place[second, first] = len(first) + np.arange(len(first))
    values = tf.concat([wins, 1 - wins, tf.zeros_like(wins[:, :1])], axis=1)
    wins, losses = (
        tf.reshape(tf.gather(values, one.ravel(), axis=1), (-1, n_classes, n_classes))
        for one in (place, place.T)
    )
    identity = np.eye(n_classes)
    system = identity * tf.reduce_sum(losses**2, axis=2, keepdims=True) - losses * wins + 1
    system = tf.concat([system, tf.ones_like(system[:, :, :1])], axis=2)
    for pivot in range(n_classes):
        row = system[:, pivot : pivot + 1] / system[:, pivot : pivot + 1, pivot : pivot + 1]
        column = system[:, :, pivot : pivot + 1] - identity[:, pivot : pivot + 1]
        system -= column * row
    solution = system[:, :, -1]
    return tf.cast(solution / tf.reduce_sum(solution, axis=1, keepdims=True), tf.float32)


def _nystroem(step: NystroemClassifier) -> Function:
    tf = tensorflow()
    kernel = _rbf(step.components_, float(step.gamma_))
    scaling = step.scaling_coef_.T
    # The intercept, scaled in the same way.
    constant = step.intercept_ @ scaling + step.scaling_intercept_
    coef = step.dual_coef_ @ scaling
    return lambda rows: tf.cast(tf.nn.softmax(kernel(rows) @ coef + constant), tf.float32)


def _float32(*arrays: np.ndarray) -> list[np.ndarray]:
    return [np.ascontiguousarray(array, np.float32) for array in arrays]


def _names(kinds: dict[type, Any]) -> str:
    *others, last = sorted(kind.__name__ for kind in kinds)
    return f"{', '.join(others)} or {last}"


IMAGES: dict[type, Callable[[Any], Function]] = {HOGFeatures: _hog, PixelFeatures: _pixels}
ROWS: dict[type, Callable[[Any], Function]] = {BoundedPCA: _pca, StandardScaler: _scaler}
CLASSIFIERS: dict[type, Callable[[Any], Function]] = {
    CalibratedSVC: _svc,
    NystroemClassifier: _nystroem,
}
STEPS = {**IMAGES, **ROWS, **CLASSIFIERS}
