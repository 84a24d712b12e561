"""A confusion matrix, in percent of each true class."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from sklearn.metrics import ConfusionMatrixDisplay

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_MAX_READABLE_CLASSES = 30


def draw_confusion_matrix(
    counts: np.ndarray, class_names: Sequence[str], *, title: str = ""
) -> Figure:
    """Draw a confusion matrix as percentages of each true class, without pyplot.

    Parameters
    ----------
    counts : ndarray of shape (n_classes, n_classes)
        Number of images by true class (row) and predicted class (column).

    class_names : sequence of str
        Name of each class.

    title : str, default=""
        Title of the figure.

    Returns
    -------
    figure : matplotlib.figure.Figure
        The figure.
    """
    from matplotlib.figure import Figure

    n_classes = len(class_names)
    readable = n_classes <= _MAX_READABLE_CLASSES
    percent = 100.0 * counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    side = min(max(2.5 + 0.55 * n_classes, 4.0), 20.0)
    figure = Figure(figsize=(side, side), layout="constrained")
    ax = figure.subplots()
    display = ConfusionMatrixDisplay(percent, display_labels=class_names).plot(
        ax=ax,
        cmap="Blues",
        values_format=".0f",
        include_values=readable,
        colorbar=not readable,
        im_kw={"vmin": 0.0, "vmax": 100.0},
    )
    if readable:  # "0" stands for less than half a percent, an empty field for no image
        for text in display.text_[counts == 0]:
            text.set_text("")
        # scikit-learn chooses by the largest value in the matrix, not by vmin and vmax.
        dark, light = display.im_.cmap(1.0), display.im_.cmap(0.0)
        for text, value in zip(display.text_.flat, percent.flat, strict=True):
            text.set_color(light if value >= 50 else dark)
    ticks = np.arange(n_classes)
    ax.set_xticks(ticks, class_names, rotation=45, ha="right", rotation_mode="anchor")
    title = f"{title}\n% of each true class".strip()
    ax.set(title=title, xlabel="Predicted class", ylabel="True class")
    return figure
