"""What does a classifier get wrong? The images themselves."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from numbers import Integral
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from sklearn.utils import check_consistent_length
from sklearn.utils._param_validation import Interval, validate_params

from fashionkit.inspection._mistakes import find_mistakes, probabilities_of
from fashionkit.plotting._pictures import draw_pictures, read_pictures

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

_AT_LEAST_ONE = Interval(Integral, 1, None, closed="left")
_ARROW = "\N{RIGHTWARDS ARROW}"


class MistakesDisplay:
    """Pictures of misclassified images: what they are, and what they were taken for.

    Create it by :meth:`from_estimator` or :meth:`from_predictions`.

    Parameters
    ----------
    images : array-like of shape (n_mistakes, height, width) or \
            (n_mistakes, height, width, channels)
        The misclassified images, in the order of the table.

    mistakes : DataFrame of shape (n_mistakes, 4)
        The table that :func:`~fashionkit.worst_mistakes` returns.

    Attributes
    ----------
    axes_ : ndarray of shape (n_mistakes,)
        The axes of each picture.

    figure_ : matplotlib Figure or SubFigure
        The figure they are in.

    See Also
    --------
    fashionkit.worst_mistakes : The table alone.
    fashionkit.plotting.plot_samples : Any images.

    Examples
    --------
    >>> from fashionkit import CLASS_NAMES, make_baseline, make_garments
    >>> from fashionkit.plotting import MistakesDisplay
    >>> X, y = make_garments(400, random_state=0)
    >>> model = make_baseline("pixels-knn", random_state=0).fit(X[:200], y[:200])
    >>> display = MistakesDisplay.from_estimator(
    ...     model, X[200:], y[200:], n_mistakes=5, class_names=CLASS_NAMES
    ... )
    >>> len(display.axes_)
    5
    """

    def __init__(self, images: Any, mistakes: pd.DataFrame):
        self.images = images
        self.mistakes = mistakes

    @classmethod
    def from_estimator(
        cls,
        estimator: Any,
        X: Any,
        y: Any,
        *,
        n_mistakes: int | None = 20,
        class_names: Sequence[str] | Mapping[Any, str] | None = None,
        n_columns: int = 5,
        image_shape: tuple[int, ...] | None = None,
        figure: Figure | None = None,
    ) -> Self:
        """Draw the worst mistakes of a fitted classifier.

        Parameters
        ----------
        estimator : object
            A fitted classifier with ``predict_proba``; or a Pipeline or a search with one.

        X : array-like of shape (n_samples, n_features), (n_samples, height, width) or \
                (n_samples, height, width, channels)
            Images, gray or RGB, passed to the classifier as they are.

        y : array-like of shape (n_samples,)
            True labels.

        n_mistakes : int, default=20
            How many to draw, the surest first; None for all.

        class_names : sequence or dict of str, default=None
            The name of each label; None to write the labels themselves.

        n_columns : int, default=5
            Pictures per row.

        image_shape : tuple of int, default=None
            The shape of flat rows; None infers it.

        figure : matplotlib Figure or SubFigure, default=None
            What to draw on; by default a new figure of pyplot.

        Returns
        -------
        display : MistakesDisplay
            The display, drawn.

        Raises
        ------
        ValueError
            If the classifier has no probabilities, or the arguments do not belong
            together.
        """
        probabilities, classes = probabilities_of(estimator, X)
        return cls.from_predictions(
            X,
            y,
            probabilities,
            classes=classes,
            n_mistakes=n_mistakes,
            class_names=class_names,
            n_columns=n_columns,
            image_shape=image_shape,
            figure=figure,
        )

    @classmethod
    @validate_params(
        {
            "X": ["array-like"],
            "y_true": ["array-like"],
            "probabilities": ["array-like"],
            "classes": ["array-like"],
            "n_mistakes": [_AT_LEAST_ONE, None],
            "class_names": ["array-like", dict, None],
            "n_columns": [_AT_LEAST_ONE],
            "image_shape": [tuple, None],
            "figure": "no_validation",
        },
        prefer_skip_nested_validation=True,
    )
    def from_predictions(
        cls,
        X: Any,
        y_true: Any,
        probabilities: Any,
        *,
        classes: Any,
        n_mistakes: int | None = 20,
        class_names: Sequence[str] | Mapping[Any, str] | None = None,
        n_columns: int = 5,
        image_shape: tuple[int, ...] | None = None,
        figure: Figure | None = None,
    ) -> Self:
        """Draw the worst mistakes among predictions.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features), (n_samples, height, width) or \
                (n_samples, height, width, channels)
            The images that the predictions are for, gray or RGB.

        y_true : array-like of shape (n_samples,)
            True labels.

        probabilities : array-like of shape (n_samples, n_classes)
            The probability of each class.

        classes : array-like of shape (n_classes,)
            The label of each column of ``probabilities``.

        n_mistakes : int, default=20
            How many to draw, the surest first; None for all.

        class_names : sequence or dict of str, default=None
            The name of each label; None to write the labels themselves.

        n_columns : int, default=5
            Pictures per row.

        image_shape : tuple of int, default=None
            The shape of flat rows; None infers it.

        figure : matplotlib Figure or SubFigure, default=None
            What to draw on; by default a new figure of pyplot.

        Returns
        -------
        display : MistakesDisplay
            The display, drawn.

        Raises
        ------
        ValueError
            If the arguments do not belong together.
        """
        mistakes = find_mistakes(
            y_true, probabilities, classes, n_mistakes=n_mistakes, class_names=class_names
        )
        samples = read_pictures(X, image_shape)
        check_consistent_length(samples.pixels, probabilities)
        # Scaled as all images are, not by the few that are shown.
        images = samples.scaled(mistakes.index.to_numpy())
        return cls(images, mistakes).plot(figure, n_columns=n_columns)

    @validate_params(
        {"figure": "no_validation", "n_columns": [_AT_LEAST_ONE]},
        prefer_skip_nested_validation=True,
    )
    def plot(self, figure: Figure | None = None, *, n_columns: int = 5) -> Self:
        """Draw each image under its true class, what it was taken for, and how surely.

        Parameters
        ----------
        figure : matplotlib Figure or SubFigure, default=None
            What to draw on; by default a new figure of pyplot.

        n_columns : int, default=5
            Pictures per row.

        Returns
        -------
        display : MistakesDisplay
            This display. Where there are no mistakes, the figure says so.
        """
        if not len(self.mistakes):
            self.figure_, self.axes_ = _say("No mistakes", figure), np.array([], dtype=object)
            return self
        samples = read_pictures(self.images)
        check_consistent_length(samples.pixels, self.mistakes)
        titles = [
            f"{row.true} {_ARROW}\n{row.predicted}, {100 * row.probability:.0f} %"
            for row in self.mistakes.itertuples()
        ]
        self.figure_, self.axes_ = draw_pictures(
            samples.scaled(slice(None)), titles, n_columns=n_columns, figure=figure
        )
        return self


def _say(sentence: str, figure: Figure | None) -> Figure:
    """Write a sentence where pictures would be."""
    if figure is None:
        import matplotlib.pyplot as plt

        figure = plt.figure(figsize=(4, 1))
    figure.text(0.5, 0.5, sentence, ha="center", va="center")
    return figure
