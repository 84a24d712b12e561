"""Calibration of a SelectiveClassifier as a function of tensors, for ``to_onnx``."""

from __future__ import annotations

from typing import Any

from fashionkit._tensorflow import tensorflow
from fashionkit.persistence._onnx_steps import Function

# Smaller probabilities are clipped, as in the calibration itself.
_MIN_PROBABILITY = 1e-7


def is_calibration(estimator: Any) -> bool:
    """Tell whether an estimator is a fitted SelectiveClassifier.

    Its attributes are tested, as its package imports this one.
    """
    return hasattr(estimator, "temperature_") and hasattr(estimator, "estimator_")


def calibrated(function: Function, calibration: Any) -> Function:
    """Return a function that computes calibrated probabilities.

    Parameters
    ----------
    function : callable
        Function from images to probabilities.

    calibration : SelectiveClassifier
        Fitted calibration.

    Returns
    -------
    function : callable
        Function from images to calibrated probabilities.

    Raises
    ------
    ValueError
        If the calibration is isotonic.
    """
    if calibration.isotonic_ is not None:
        raise ValueError(
            "estimator has calibration='isotonic', which to_onnx does not support; fit it with "
            "calibration='temperature' or None."
        )
    tf, temperature = tensorflow(), calibration.temperature_

    def run(images: Any) -> Any:
        logits = tf.math.log(tf.maximum(function(images), _MIN_PROBABILITY))
        return tf.nn.softmax(logits / temperature)

    return run
