"""Calibration as a function of tensors: what ``to_onnx`` adds for a SelectiveClassifier."""

from __future__ import annotations

from typing import Any

from fashionkit._tensorflow import tensorflow
from fashionkit.persistence._onnx_steps import Function

# As in the calibration itself: smaller probabilities are no evidence.
_LEAST_PROBABILITY = 1e-7


def is_calibration(estimator: Any) -> bool:
    """Tell whether an estimator is a fitted SelectiveClassifier.

    By what it has, as its package is built on this one.
    """
    return hasattr(estimator, "temperature_") and hasattr(estimator, "estimator_")


def calibrated(function: Function, calibration: Any) -> Function:
    """Return a function to calibrated probabilities.

    Parameters
    ----------
    function : callable
        From images to probabilities.

    calibration : SelectiveClassifier
        It is fitted.

    Raises
    ------
    ValueError
        If it is calibrated by isotonic regressions.
    """
    if calibration.isotonic_ is not None:
        raise ValueError(
            "estimator has calibration='isotonic', of which to_onnx knows no translation; fit it "
            "with calibration='temperature' or None."
        )
    tf, temperature = tensorflow(), calibration.temperature_

    def run(images: Any) -> Any:
        logits = tf.math.log(tf.maximum(function(images), _LEAST_PROBABILITY))
        return tf.nn.softmax(logits / temperature)

    return run
