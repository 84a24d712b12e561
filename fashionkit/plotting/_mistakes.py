"""Misclassified images, drawn with the predictions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Self

from sklearn.utils import check_consistent_length
from sklearn.utils._param_validation import validate_params

from fashionkit.inspection._mistakes import find_mistakes, image_paths
from fashionkit.inspection._predictions import probabilities_of
from fashionkit.plotting._docs import document_parameters
from fashionkit.plotting._frames import labels_to_names, model_names
from fashionkit.plotting._pictures import (
    AT_LEAST_ONE,
    PLOT_PARAMETERS,
    draw_titled,
    prediction_title,
    read_pictures,
)

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure


_PARAMETERS: dict[str, Any] = {
    "n_mistakes": [AT_LEAST_ONE, None],
    "true": "no_validation",
    "predicted": "no_validation",
    "image_shape": [tuple, None],
    **PLOT_PARAMETERS,
}


class MistakesDisplay:
    """Misclassified images with their true class, predicted class and its probability.

    Create it by :meth:`from_estimator`, :meth:`from_predictions` or :meth:`from_comparison`.

    Parameters
    ----------
    images : array-like of shape (n_mistakes, height, width) or \
            (n_mistakes, height, width, channels)
        Misclassified images, in the order of the table.

    mistakes : DataFrame of shape (n_mistakes, 4) or (n_mistakes, 5)
        Table as returned by :func:`~fashionkit.worst_mistakes`.

    Attributes
    ----------
    axes_ : ndarray of shape (n_mistakes,)
        Axes of each picture.

    figure_ : matplotlib Figure or SubFigure
        Figure containing the pictures.

    See Also
    --------
    fashionkit.worst_mistakes : Lists the misclassified images.
    plot_samples : Draws images with their labels.

    Examples
    --------
    >>> from fashionkit import CLASS_NAMES, make_baseline, make_garments
    >>> from fashionkit.plotting import MistakesDisplay
    >>> X, y = make_garments(400, random_state=0)
    >>> model = make_baseline("pixels", "knn", random_state=0).fit(X[:200], y[:200])
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
    @document_parameters
    def from_estimator(
        cls,
        estimator: Any,
        X: Any,
        y: Any,
        *,
        n_mistakes: int | None = 20,
        class_names: Sequence[str] | Mapping[Any, str] | None = None,
        true: Any = None,
        predicted: Any = None,
        n_columns: int = 5,
        image_shape: tuple[int, ...] | None = None,
        figure: Figure | None = None,
        im_kw: Mapping[str, Any] | None = None,
        text_kw: Mapping[str, Any] | None = None,
    ) -> Self:
        """Draw the worst mistakes of a fitted classifier.

        Parameters
        ----------
        {estimator}

        X : array-like of shape (n_samples, n_features), (n_samples, height, width) or \
                (n_samples, height, width, channels), or ImageFolder
            Images, gray or RGB, passed to the classifier as they are.

        y : array-like of shape (n_samples,)
            True labels.

        {n_mistakes}

        {class_names}

        {true}

        {predicted}

        {n_columns}

        {image_shape}

        {figure}

        {im_kw}

        {text_kw}

        Returns
        -------
        display : MistakesDisplay
            Display, already drawn.

        Raises
        ------
        ValueError
            If the classifier has no ``predict_proba``, or the arguments are inconsistent.
        """
        probabilities, classes = probabilities_of(estimator, X)
        return cls.from_predictions(
            X,
            y,
            probabilities,
            classes=classes,
            n_mistakes=n_mistakes,
            class_names=class_names,
            true=true,
            predicted=predicted,
            n_columns=n_columns,
            image_shape=image_shape,
            figure=figure,
            im_kw=im_kw,
            text_kw=text_kw,
        )

    @classmethod
    @validate_params(
        {
            "X": ["array-like"],
            "y_true": ["array-like"],
            "probabilities": ["array-like"],
            "classes": ["array-like"],
            "class_names": ["array-like", dict, None],
            **_PARAMETERS,
        },
        prefer_skip_nested_validation=True,
    )
    @document_parameters
    def from_predictions(
        cls,
        X: Any,
        y_true: Any,
        probabilities: Any,
        *,
        classes: Any,
        n_mistakes: int | None = 20,
        class_names: Sequence[str] | Mapping[Any, str] | None = None,
        true: Any = None,
        predicted: Any = None,
        n_columns: int = 5,
        image_shape: tuple[int, ...] | None = None,
        figure: Figure | None = None,
        im_kw: Mapping[str, Any] | None = None,
        text_kw: Mapping[str, Any] | None = None,
    ) -> Self:
        """Draw the worst mistakes among predictions.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features), (n_samples, height, width) or \
                (n_samples, height, width, channels), or ImageFolder
            Images, gray or RGB, that the predictions belong to.

        y_true : array-like of shape (n_samples,)
            True labels.

        {probabilities}

        {classes}

        {n_mistakes}

        {class_names}

        {true}

        {predicted}

        {n_columns}

        {image_shape}

        {figure}

        {im_kw}

        {text_kw}

        Returns
        -------
        display : MistakesDisplay
            Display, already drawn.

        Raises
        ------
        ValueError
            If the arguments are inconsistent.
        """
        mistakes = find_mistakes(
            y_true,
            probabilities,
            classes,
            n_mistakes=n_mistakes,
            class_names=class_names,
            true=true,
            predicted=predicted,
            paths=image_paths(X),
        )
        samples = read_pictures(X, image_shape)
        check_consistent_length(samples.pixels, probabilities)
        # Scaled by the pixel range of all images, not of the few that are shown.
        images = samples.scaled(mistakes.index.to_numpy())
        display = cls(images, mistakes)
        return display.plot(figure, n_columns=n_columns, im_kw=im_kw, text_kw=text_kw)

    @classmethod
    @validate_params(
        {"comparison": "no_validation", "name": [str], **_PARAMETERS},
        prefer_skip_nested_validation=True,
    )
    @document_parameters
    def from_comparison(
        cls,
        comparison: Any,
        name: str,
        *,
        n_mistakes: int | None = 20,
        true: Any = None,
        predicted: Any = None,
        n_columns: int = 5,
        image_shape: tuple[int, ...] | None = None,
        figure: Figure | None = None,
        im_kw: Mapping[str, Any] | None = None,
        text_kw: Mapping[str, Any] | None = None,
    ) -> Self:
        """Draw the worst mistakes of one model of a comparison.

        The index of ``mistakes`` is the position of each image in ``comparison.images_``.

        Parameters
        ----------
        {comparison}

        name : str
            Name of the model.

        {n_mistakes}

        {true}

        {predicted}

        {n_columns}

        {image_shape}

        {figure}

        {im_kw}

        {text_kw}

        Returns
        -------
        display : MistakesDisplay
            Display, already drawn.

        Raises
        ------
        ValueError
            If the model is unknown or has no probabilities, or ``true`` or ``predicted``
            is not a class.
        """
        (name,) = model_names([name], comparison.probabilities_, argument="name")
        probabilities = comparison.probabilities_[name]
        if probabilities is None:
            raise ValueError(
                f"Model {name!r} predicts no probabilities, by which mistakes are sorted; choose "
                "another one, or wrap it in CalibratedClassifierCV."
            )
        images = comparison.images_
        paths = image_paths(images)
        mistakes = find_mistakes(
            comparison.y_true_,
            probabilities,
            comparison.classes_,
            n_mistakes=n_mistakes,
            class_names=labels_to_names(comparison),
            true=true,
            predicted=predicted,
            paths=None if paths is None else paths[comparison.indices_],
        )
        rows = comparison.indices_[mistakes.index.to_numpy(int)]
        pictures = read_pictures(images, image_shape).scaled(rows)
        display = cls(pictures, mistakes.set_axis(rows, axis=0).rename_axis("image"))
        return display.plot(figure, n_columns=n_columns, im_kw=im_kw, text_kw=text_kw)

    @validate_params(PLOT_PARAMETERS, prefer_skip_nested_validation=True)
    @document_parameters
    def plot(
        self,
        figure: Figure | None = None,
        *,
        n_columns: int = 5,
        im_kw: Mapping[str, Any] | None = None,
        text_kw: Mapping[str, Any] | None = None,
    ) -> Self:
        """Draw each image with its true class, predicted class and its probability.

        Images of an ImageFolder are also labelled with the name of their file.

        Parameters
        ----------
        {figure}

        {n_columns}

        {im_kw}

        {text_kw}

        Returns
        -------
        display : MistakesDisplay
            This display. If there are no mistakes, the figure shows a note instead.
        """
        titles = [
            prediction_title(
                row.true, row.predicted, row.probability, path=getattr(row, "path", None)
            )
            for row in self.mistakes.itertuples()
        ]
        self.figure_, self.axes_ = draw_titled(
            self.images,
            titles,
            instead="No mistakes",
            n_columns=n_columns,
            figure=figure,
            im_kw=im_kw,
            text_kw=text_kw,
        )
        return self
