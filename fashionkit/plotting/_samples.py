"""Images in rows, each under the name of its class."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from numbers import Integral
from typing import TYPE_CHECKING, Any

from sklearn.utils import check_consistent_length
from sklearn.utils._param_validation import Interval, validate_params

from fashionkit.datasets._names import name_labels
from fashionkit.plotting._docs import document_parameters
from fashionkit.plotting._pictures import draw_pictures, read_pictures

if TYPE_CHECKING:
    from matplotlib.figure import Figure


@validate_params(
    {
        "images": ["array-like"],
        "labels": ["array-like", None],
        "class_names": ["array-like", dict, None],
        "n_columns": [Interval(Integral, 1, None, closed="left")],
        "image_shape": [tuple, None],
        "figure": "no_validation",
        "im_kw": [dict, None],
        "text_kw": [dict, None],
    },
    prefer_skip_nested_validation=True,
)
@document_parameters
def plot_samples(
    images: Any,
    labels: Any = None,
    *,
    class_names: Sequence[str] | Mapping[Any, str] | None = None,
    n_columns: int = 10,
    image_shape: tuple[int, ...] | None = None,
    figure: Figure | None = None,
    im_kw: Mapping[str, Any] | None = None,
    text_kw: Mapping[str, Any] | None = None,
) -> Figure:
    """Draw images in rows, each with the name of its class.

    All images passed are drawn.

    Parameters
    ----------
    images : array-like of shape (n_samples, n_features), \
            (n_samples, height, width) or (n_samples, height, width, channels)
        Images, gray or RGB, of any pixel range.

    labels : array-like of shape (n_samples,), default=None
        Labels to show above the images.

    {class_names}

    n_columns : int, default=10
        Maximum number of images per row.

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
        If ``images`` are not valid images, ``labels`` differ from them in number, or a
        label has no name in ``class_names``.

    See Also
    --------
    plot_explanations : Draws images with their heat maps.

    Examples
    --------
    >>> from fashionkit import CLASS_NAMES, make_garments
    >>> from fashionkit.plotting import plot_samples
    >>> X, y = make_garments(20, random_state=0)
    >>> figure = plot_samples(X, y, class_names=CLASS_NAMES)
    >>> len(figure.axes)
    20
    """
    samples = read_pictures(images, image_shape)
    titles = [""] * len(samples) if labels is None else name_labels(labels, class_names)
    check_consistent_length(samples.pixels, titles)
    figure, _ = draw_pictures(
        samples.scaled(slice(None)),
        titles,
        n_columns=n_columns,
        figure=figure,
        im_kw=im_kw,
        text_kw=text_kw,
    )
    return figure
