"""Confusion matrices: how often each true class is predicted as each class."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from sklearn.metrics import confusion_matrix
from sklearn.utils import check_consistent_length, column_or_1d
from sklearn.utils._param_validation import StrOptions, validate_params
from sklearn.utils.multiclass import check_classification_targets, unique_labels

from fashionkit.datasets._names import name_labels, percent
from fashionkit.plotting._axes import figure_for_file, one_axes, percent_ticks, room_inside
from fashionkit.plotting._colors import BLUE
from fashionkit.plotting._docs import document_parameters
from fashionkit.plotting._matrix import draw_shades, write_cells

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_MAX_READABLE_CLASSES = 30
_MAX_LETTERS = 24  # of a line of a class name
_CELL = 0.55  # inches

_PLOT_PARAMETERS: dict[str, list[Any]] = {
    "values": [StrOptions({"percent", "count"})],
    "im_kw": [dict, None],
    "text_kw": [dict, None],
}


class ConfusionDisplay:
    """Confusion matrix, shaded by the fraction of each true class, with the accuracy.

    Create it by :meth:`from_estimator`, :meth:`from_predictions` or
    :meth:`from_comparison`, or from counts and call :meth:`plot`.

    Parameters
    ----------
    counts : array-like of shape (n_classes, n_classes)
        Number of images by true class (row) and predicted class (column).

    class_names : sequence of str, default=None
        Name of each row and column; None for their positions.

    name : str, default=None
        Name of the model, for the title.

    Attributes
    ----------
    ax_ : matplotlib Axes
        Axes with the matrix.

    figure_ : matplotlib Figure or SubFigure
        Figure containing the matrix.

    im_ : matplotlib.image.AxesImage
        Image of the shaded cells.

    text_ : ndarray of shape (n_classes, n_classes)
        Text of each cell, empty for 0 images; None with more than 30 classes.

    See Also
    --------
    fashionkit.most_confused : Lists the most frequent confusions.
    sklearn.metrics.ConfusionMatrixDisplay : Confusion matrix without the accuracy, for few classes.

    Examples
    --------
    >>> from fashionkit.plotting import ConfusionDisplay
    >>> y_true = ["shirt", "shirt", "shirt", "coat", "coat", "bag"]
    >>> y_pred = ["coat", "shirt", "shirt", "shirt", "coat", "bag"]
    >>> display = ConfusionDisplay.from_predictions(y_true, y_pred, name="hog-svm")
    >>> print(display.ax_.get_title())
    hog-svm
    accuracy 66.67 %, 6 images
    >>> display.text_[2, 1].get_text()
    '33 %'
    """

    def __init__(
        self, counts: Any, *, class_names: Sequence[str] | None = None, name: str | None = None
    ):
        self.counts = counts
        self.class_names = class_names
        self.name = name

    @classmethod
    @document_parameters
    def from_estimator(
        cls,
        estimator: Any,
        X: Any,
        y: Any,
        *,
        class_names: Sequence[str] | Mapping[Any, str] | None = None,
        name: str | None = None,
        values: str = "percent",
        ax: Any = None,
        im_kw: Mapping[str, Any] | None = None,
        text_kw: Mapping[str, Any] | None = None,
    ) -> Self:
        """Draw the confusion matrix of a fitted classifier.

        Parameters
        ----------
        estimator : object
            Fitted classifier, or a Pipeline or search that ends in one.

        X : array-like
            Images, passed to the classifier as they are.

        y : array-like of shape (n_samples,)
            True labels.

        {class_names}

        name : str, default=None
            Name of the model, for the title; None for that of its class.

        {values}

        {ax}

        {im_kw}

        {text_kw}

        Returns
        -------
        display : ConfusionDisplay
            Display, already drawn.

        Raises
        ------
        ValueError
            If the labels are not classes, differ in number from the images, or have no name in
            ``class_names``.
        """
        return cls.from_predictions(
            y,
            estimator.predict(X),
            class_names=class_names,
            name=name or type(estimator).__name__,
            values=values,
            ax=ax,
            im_kw=im_kw,
            text_kw=text_kw,
        )

    @classmethod
    @document_parameters
    def from_predictions(
        cls,
        y_true: Any,
        y_pred: Any,
        *,
        class_names: Sequence[str] | Mapping[Any, str] | None = None,
        name: str | None = None,
        values: str = "percent",
        ax: Any = None,
        im_kw: Mapping[str, Any] | None = None,
        text_kw: Mapping[str, Any] | None = None,
    ) -> Self:
        """Draw the confusion matrix of predictions.

        Parameters
        ----------
        y_true : array-like of shape (n_samples,)
            True labels, of any type.

        y_pred : array-like of shape (n_samples,)
            Predicted labels.

        {class_names}

        name : str, default=None
            Name of the model, for the title.

        {values}

        {ax}

        {im_kw}

        {text_kw}

        Returns
        -------
        display : ConfusionDisplay
            Display, already drawn.

        Raises
        ------
        ValueError
            If the labels are not classes, differ in number, or have no name in
            ``class_names``.
        """
        y_true, y_pred = column_or_1d(y_true, warn=True), column_or_1d(y_pred, warn=True)
        check_consistent_length(y_true, y_pred)
        check_classification_targets(y_true)
        check_classification_targets(y_pred)
        labels = unique_labels(y_true, y_pred)
        counts = confusion_matrix(y_true, y_pred, labels=labels)
        display = cls(counts, class_names=name_labels(labels, class_names), name=name)
        return display.plot(ax, values=values, im_kw=im_kw, text_kw=text_kw)

    @classmethod
    @document_parameters
    def from_comparison(
        cls,
        comparison: Any,
        name: str,
        *,
        values: str = "percent",
        ax: Any = None,
        im_kw: Mapping[str, Any] | None = None,
        text_kw: Mapping[str, Any] | None = None,
    ) -> Self:
        """Draw the confusion matrix of one model of a comparison.

        Parameters
        ----------
        {comparison}

        name : str
            Name of the model.

        {values}

        {ax}

        {im_kw}

        {text_kw}

        Returns
        -------
        display : ConfusionDisplay
            Display, already drawn.

        Raises
        ------
        ValueError
            If the model is unknown or failed.
        """
        counts = comparison.confusion_matrix(name)
        display = cls(counts, class_names=comparison.class_names_, name=name)
        return display.plot(ax, values=values, im_kw=im_kw, text_kw=text_kw)

    @validate_params(_PLOT_PARAMETERS, prefer_skip_nested_validation=True)
    @document_parameters
    def plot(
        self,
        ax: Any = None,
        *,
        values: str = "percent",
        im_kw: Mapping[str, Any] | None = None,
        text_kw: Mapping[str, Any] | None = None,
    ) -> Self:
        """Draw the matrix.

        Parameters
        ----------
        {ax}

        {values}

        {im_kw}

        {text_kw}

        Returns
        -------
        display : ConfusionDisplay
            This display.

        Raises
        ------
        ValueError
            If ``counts`` is not a square matrix, or ``class_names`` has another length.
        """
        counts, names = self._checked()
        fractions = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
        lines = [textwrap.fill(name, _MAX_LETTERS) for name in names]
        cells, around = min(max(_CELL * len(names), 1.8), 18.0), _around(lines)
        self.ax_ = one_axes(ax, (cells + around[0], cells + around[1]), layout="compressed")
        self.figure_ = self.ax_.figure
        self.im_ = draw_shades(self.ax_, fractions, [BLUE], 0.0, im_kw)
        bar = self.figure_.colorbar(
            self.im_, ax=self.ax_, fraction=0.046, pad=0.03, label="Fraction of the true class"
        )
        percent_ticks(bar.ax.yaxis)
        ticks = np.arange(len(names))
        self.ax_.set_xticks(ticks, lines, rotation=45, ha="right", rotation_mode="anchor")
        self.ax_.set_yticks(ticks, lines)
        self.ax_.set(title=self._title(counts), xlabel="Predicted class", ylabel="True class")
        self.text_ = None
        if len(counts) <= _MAX_READABLE_CLASSES:
            texts = [
                [_cell(count, fraction, values) for count, fraction in zip(*row, strict=True)]
                for row in zip(counts, fractions, strict=True)
            ]
            cell = min(room_inside(self.ax_, around)) / len(counts)
            self.text_ = write_cells(self.im_, texts, cell, text_kw)
        return self

    def _checked(self) -> tuple[np.ndarray, list[str]]:
        counts = np.asarray(self.counts)
        if counts.ndim != 2 or counts.shape[0] != counts.shape[1]:
            raise ValueError(
                f"counts has the shape {counts.shape}, expected a square matrix; pass what "
                "sklearn.metrics.confusion_matrix returns."
            )
        names = range(len(counts)) if self.class_names is None else self.class_names
        if len(names) != len(counts):
            raise ValueError(
                f"class_names has {len(names)} names, but counts has {len(counts)} rows; pass one "
                "name for each row."
            )
        return counts, [str(name) for name in names]

    def _title(self, counts: np.ndarray) -> str:
        n_images = int(counts.sum())
        accuracy = np.trace(counts) / n_images if n_images else np.nan
        images = "image" if n_images == 1 else "images"
        line = f"accuracy {percent(accuracy)}, {n_images:,} {images}"
        return f"{textwrap.fill(self.name, 50)}\n{line}" if self.name else line


def draw_confusion_matrix(
    counts: np.ndarray, class_names: Sequence[str], *, title: str = ""
) -> Figure:
    """Draw a confusion matrix on a new figure without pyplot, for a file."""
    display = ConfusionDisplay(counts, class_names=class_names, name=title)
    return figure_for_file(display.plot)


def _cell(count: int, fraction: float, values: str) -> str:
    """Return the text of a cell, empty for no image."""
    if count == 0:
        return ""
    if values != "percent":
        return str(count)
    return "< 1 %" if fraction <= 0.005 else percent(fraction, 0)


def _around(names: Sequence[str]) -> tuple[float, float]:
    """Return width and height in inches that the names of classes and the scale need."""
    letters = max((len(line) for name in names for line in name.split("\n")), default=0)
    return 0.09 * letters + 2.1, 0.056 * letters + 1.4
