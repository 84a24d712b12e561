"""Heat maps of predictions, to be laid over photos."""

from __future__ import annotations

import base64
from io import BytesIO
from typing import Any

import numpy as np
from PIL import Image
from sklearn.pipeline import Pipeline

from fashionkit._backbones.unwrap import unwrapped
from fashionkit.datasets._pixels import Size
from fashionkit.preprocessing import ImageLoader
from fashionkit.serving._answers import HeatMap

# As in plot_explanations: opacity increases with the heat.
_COLORS = "plasma"
_MAX_OPACITY = 0.75


def find_explainer(model: Any) -> Any:
    """Return the part of a fitted model that can explain predictions; None if there is none.

    Parameters
    ----------
    model : estimator
        Fitted classifier, which may be in a Pipeline behind an ImageLoader, or in meta-estimators.

    Returns
    -------
    explainer : estimator or None
        Estimator with a method ``explain`` that takes the images of the model.
    """
    model = unwrapped(model)
    if isinstance(model, Pipeline):
        is_plain = all(isinstance(step, ImageLoader) for _, step in model.steps[:-1])
        return find_explainer(model.steps[-1][1]) if is_plain else None
    return model if hasattr(model, "explain") else None


def draw(heat: np.ndarray, size: Size, aspect: str) -> HeatMap:
    """Draw a heat map as PNG, and compute its place on the photo.

    Parameters
    ----------
    heat : ndarray of shape (height, width)
        Heat of each pixel of the model's image, from 0 to 1.

    size : tuple of int
        Height and width of the photo.

    aspect : {"crop", "pad", "stretch"}
        How the photo was brought to the aspect ratio of the model's image.

    Returns
    -------
    heat_map : HeatMap
        Picture and place of the heat map.
    """
    import matplotlib

    colors = matplotlib.colormaps[_COLORS](heat)
    colors[..., 3] = _MAX_OPACITY * heat
    file = BytesIO()
    Image.fromarray(np.rint(255 * colors).astype(np.uint8)).save(file, "PNG")
    return HeatMap(base64.b64encode(file.getvalue()).decode(), box_of(size, heat.shape, aspect))


def box_of(size: Size, seen: tuple[int, ...], aspect: str) -> list[float]:
    """Return left, top, width and height of a model's image, as fractions of the photo's sides."""
    if aspect == "stretch":
        return [0.0, 0.0, 1.0, 1.0]
    nearer = min if aspect == "crop" else max
    scale = nearer(size[0] / seen[0], size[1] / seen[1])
    height, width = scale * seen[0] / size[0], scale * seen[1] / size[1]
    return [(1 - width) / 2, (1 - height) / 2, width, height]
