"""Explanations of a network: heat maps laid over the images."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from numbers import Integral, Real
from typing import TYPE_CHECKING, Any

import numpy as np
from sklearn.utils import check_array, check_consistent_length, column_or_1d
from sklearn.utils._param_validation import Interval, validate_params

from fashionkit.datasets._names import name_labels
from fashionkit.plotting._docs import document_parameters
from fashionkit.plotting._pictures import draw_pictures, prediction_title, read_pictures

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_COLORS = "plasma"
# Inches below the pictures, and height of the colour bar.
_LEGEND, _BAR = 0.75, 0.12


@validate_params(
    {
        "images": ["array-like"],
        "heat_maps": ["array-like"],
        "labels": ["array-like", None],
        "predictions": ["array-like", None],
        "probabilities": ["array-like", None],
        "class_names": ["array-like", dict, None],
        "n_columns": [Interval(Integral, 1, None, closed="left")],
        "alpha": [Interval(Real, 0, 1, closed="both")],
        "image_shape": [tuple, None],
        "figure": "no_validation",
        "im_kw": [dict, None],
        "text_kw": [dict, None],
    },
    prefer_skip_nested_validation=True,
)
@document_parameters
def plot_explanations(
    images: Any,
    heat_maps: Any,
    labels: Any = None,
    *,
    predictions: Any = None,
    probabilities: Any = None,
    class_names: Sequence[str] | Mapping[Any, str] | None = None,
    n_columns: int = 10,
    alpha: float = 0.8,
    image_shape: tuple[int, ...] | None = None,
    figure: Figure | None = None,
    im_kw: Mapping[str, Any] | None = None,
    text_kw: Mapping[str, Any] | None = None,
) -> Figure:
    """Draw images in rows, each overlaid with its heat map.

    The opacity of the map follows its values: regions of value 0 show the image unchanged. A colour
    bar is drawn below the images.

    Parameters
    ----------
    images : array-like of shape (n_samples, n_features), \
            (n_samples, height, width) or (n_samples, height, width, channels)
        Images, gray or RGB, of any pixel range.

    heat_maps : array-like of shape (n_samples, height, width)
        Heat maps with a value from 0 to 1 for each pixel, as returned by ``explain`` of
        the neural classifiers.

    labels : array-like of shape (n_samples,), default=None
        True labels, to show above the images.

    predictions : array-like of shape (n_samples,), default=None
        Predicted labels, to show after the true ones.

    probabilities : array-like of shape (n_samples,), default=None
        Probability of each prediction, to show after it: for example
        ``clf.predict_proba(X).max(axis=1)``.

    {class_names}

    n_columns : int, default=10
        Maximum number of images per row.

    alpha : float, default=0.8
        Opacity of a heat map where its value is 1.

    {image_shape}

    {figure}

    {im_kw}

    {text_kw}

    Returns
    -------
    figure : matplotlib Figure or SubFigure
        Figure with the images.

    Raises
    ------
    ValueError
        If ``images`` are not valid images, ``heat_maps`` differ from them in number or
        size or have values outside 0 to 1, ``labels``, ``predictions`` or
        ``probabilities`` differ in number, a label has no name in ``class_names``, or
        there are ``predictions`` without ``labels`` or ``probabilities`` without
        ``predictions``.

    See Also
    --------
    plot_samples : Draws images without heat maps.

    Examples
    --------
    >>> import numpy as np
    >>> from fashionkit import make_garments
    >>> from fashionkit.plotting import plot_explanations
    >>> X, y = make_garments(5, random_state=0)
    >>> heat_maps = np.zeros((5, 28, 28))
    >>> heat_maps[:, :14] = 1.0
    >>> figure = plot_explanations(X, heat_maps, y)
    >>> len(figure.axes)  # five images and the colour bar
    6
    """
    samples = read_pictures(images, image_shape)
    heat_maps = _check_heat_maps(heat_maps, samples.pixels.shape[:3])
    titles = _titles(len(samples), labels, predictions, probabilities, class_names)
    check_consistent_length(samples.pixels, titles)
    pictures = samples.scaled(slice(None))
    figure, axes = draw_pictures(
        pictures,
        titles,
        n_columns=n_columns,
        figure=figure,
        im_kw=im_kw,
        text_kw=text_kw,
        room_below=_LEGEND,
    )
    for ax, heat in zip(axes, heat_maps, strict=True):
        ax.imshow(heat, _COLORS, vmin=0, vmax=1, alpha=alpha * heat)
    _draw_legend(figure, axes, alpha)
    return figure


def _titles(
    n_images: int,
    labels: Any,
    predictions: Any,
    probabilities: Any,
    class_names: Sequence[str] | Mapping[Any, str] | None,
) -> list[str]:
    """Return the title of each image: its class, and what is predicted."""
    for name, given, needed, needs in (
        ("predictions", predictions, "labels", labels),
        ("probabilities", probabilities, "predictions", predictions),
    ):
        if given is not None and needs is None:
            raise ValueError(f"{name} needs {needed}, but it is None; pass both.")
    if labels is None:
        return [""] * n_images
    true = name_labels(labels, class_names)
    if predictions is None:
        return true
    predicted = name_labels(predictions, class_names)
    certain = [None] * len(true) if probabilities is None else column_or_1d(probabilities)
    check_consistent_length(true, predicted, certain)
    return list(map(prediction_title, true, predicted, certain))


def _draw_legend(figure: Figure, axes: np.ndarray, alpha: float) -> None:
    """Draw a colour bar that is as transparent as the heat maps."""
    import matplotlib
    from matplotlib.cm import ScalarMappable
    from matplotlib.colors import ListedColormap

    heat = np.linspace(0.0, 1.0, 256)
    colors = matplotlib.colormaps[_COLORS](heat)
    colors[:, 3] = alpha * heat
    width, height = figure.bbox.width / figure.dpi, figure.bbox.height / figure.dpi
    bar: Any = figure.colorbar(
        ScalarMappable(cmap=ListedColormap(colors)),
        ax=list(axes),
        orientation="horizontal",
        fraction=min(_BAR / height, 0.3),
        aspect=0.5 * width / _BAR,
        shrink=0.5,
    )
    bar.solids.set_alpha(None)  # matplotlib sets it to 1, whatever the colours say
    bar.set_ticks([0.0, 1.0], labels=["heat: none", "most"], fontsize="small")


def _check_heat_maps(heat_maps: Any, shape: tuple[int, ...]) -> np.ndarray:
    heat_maps = check_array(
        heat_maps, dtype=(np.float32, np.float64), allow_nd=True, input_name="heat_maps"
    )
    if heat_maps.shape != shape:
        raise ValueError(
            f"heat_maps has the shape {heat_maps.shape}, but the images need {shape}: one map of "
            "the image's height and width for each."
        )
    low, high = heat_maps.min(), heat_maps.max()
    if low < 0 or high > 1:
        raise ValueError(
            f"heat_maps has values from {low:g} to {high:g}, expected 0 to 1; scale them first."
        )
    return heat_maps
