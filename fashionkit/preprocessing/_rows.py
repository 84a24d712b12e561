"""Output of transformers of images as tables."""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.utils._set_output import _get_output_config


def wants_table(estimator: Any) -> bool:
    """Tell whether ``set_output`` of a transformer requests a DataFrame."""
    return _get_output_config("transform", estimator)["dense"] != "default"


def pixel_names(n_pixels: int) -> np.ndarray:
    """Return the column names of pixels, pixel1, pixel2 and so on."""
    return np.array([f"pixel{number}" for number in range(1, n_pixels + 1)], dtype=object)
