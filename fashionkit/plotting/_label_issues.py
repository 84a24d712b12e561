"""Images whose label is likely to be wrong, drawn with the given and the predicted label."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from sklearn.utils._param_validation import validate_params
from sklearn.utils.validation import _num_samples

from fashionkit.datasets._names import choices, find_label
from fashionkit.plotting._docs import document_parameters
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

_NEEDED = ("index", "label", "predicted", "confidence")

_PARAMETERS: dict[str, Any] = {
    "n_issues": [AT_LEAST_ONE, None],
    "image_shape": [tuple, None],
    **PLOT_PARAMETERS,
}


class LabelIssuesDisplay:
    """Images with their given label, the predicted class and its out-of-fold probability.

    Create it by :meth:`from_estimator`, :meth:`from_predictions` or :meth:`from_issues`.

    Parameters
    ----------
    images : array-like of shape (n_issues, height, width) or \
            (n_issues, height, width, channels)
        Images, in the order of the table.

    issues : DataFrame
        Table as returned by :func:`~fashionkit.find_label_issues`.

    Attributes
    ----------
    axes_ : ndarray of shape (n_issues,)
        Axes of each picture.

    figure_ : matplotlib Figure or SubFigure
        Figure containing the pictures.

    See Also
    --------
    fashionkit.find_label_issues : Lists the label issues.
    MistakesDisplay : Misclassified images of a test set.

    Examples
    --------
    >>> from fashionkit import CLASS_NAMES, find_label_issues, make_garments, make_model
    >>> from fashionkit.plotting import LabelIssuesDisplay
    >>> X, y = make_garments(200, random_state=0)
    >>> model = make_model("hog-fast", random_state=0)
    >>> issues = find_label_issues(model, X, y, cv=3, class_names=CLASS_NAMES)
    >>> display = LabelIssuesDisplay.from_issues(X, issues, n_issues=5)
    >>> len(display.axes_)
    5
    """

    def __init__(self, images: Any, issues: pd.DataFrame):
        self.images = images
        self.issues = issues

    @classmethod
    @document_parameters
    def from_estimator(
        cls,
        estimator: Any,
        X: Any,
        y: Any,
        *,
        cv: Any = 5,
        groups: Any = None,
        n_issues: int | None = 20,
        class_names: Sequence[str] | Mapping[Any, str] | None = None,
        n_jobs: int | None = None,
        n_columns: int = 5,
        image_shape: tuple[int, ...] | None = None,
        figure: Figure | None = None,
        im_kw: Mapping[str, Any] | None = None,
        text_kw: Mapping[str, Any] | None = None,
    ) -> Self:
        """Cross-validate a classifier and draw the most likely label issues.

        Parameters
        ----------
        estimator : classifier
            Classifier with ``predict_proba``, which is cloned for each fold.

        X : array-like of shape (n_samples, n_features), (n_samples, height, width) or \
                (n_samples, height, width, channels), or ImageFolder
            Images, gray or RGB, passed to the classifier as they are.

        y : array-like of shape (n_samples,)
            Given labels.

        cv : int, cross-validation splitter or iterable, default=5
            Number of stratified folds, or a splitter.

        groups : array-like of shape (n_samples,), default=None
            Groups for the splitter.

        {n_issues}

        {class_names}

        n_jobs : int, default=None
            Number of folds to work on at the same time.

        {n_columns}

        {image_shape}

        {figure}

        {im_kw}

        {text_kw}

        Returns
        -------
        display : LabelIssuesDisplay
            Display, already drawn.

        Raises
        ------
        ValueError
            If the arguments are inconsistent, as for :func:`~fashionkit.find_label_issues`.
        """
        from fashionkit.decision import find_label_issues  # which imports figures of comparisons

        issues = find_label_issues(
            estimator, X, y, cv=cv, groups=groups, class_names=class_names, n_jobs=n_jobs
        )
        return cls.from_issues(
            X,
            issues,
            n_issues=n_issues,
            n_columns=n_columns,
            image_shape=image_shape,
            figure=figure,
            im_kw=im_kw,
            text_kw=text_kw,
        )

    @classmethod
    @document_parameters
    def from_predictions(
        cls,
        X: Any,
        y: Any,
        probabilities: Any,
        *,
        classes: Any = None,
        n_issues: int | None = 20,
        class_names: Sequence[str] | Mapping[Any, str] | None = None,
        n_columns: int = 5,
        image_shape: tuple[int, ...] | None = None,
        figure: Figure | None = None,
        im_kw: Mapping[str, Any] | None = None,
        text_kw: Mapping[str, Any] | None = None,
    ) -> Self:
        """Draw the most likely label issues by out-of-fold probabilities.

        Parameters
        ----------
        {X}

        y : array-like of shape (n_samples,)
            Given labels.

        probabilities : array-like of shape (n_samples, n_classes)
            Out-of-fold probabilities.

        classes : array-like of shape (n_classes,), default=None
            Label of each column of ``probabilities``; None for the labels in ``y``, sorted.

        {n_issues}

        {class_names}

        {n_columns}

        {image_shape}

        {figure}

        {im_kw}

        {text_kw}

        Returns
        -------
        display : LabelIssuesDisplay
            Display, already drawn.

        Raises
        ------
        ValueError
            If the arguments are inconsistent.
        """
        from fashionkit.decision import find_label_issues

        issues = find_label_issues(
            None, X, y, probabilities=probabilities, classes=classes, class_names=class_names
        )
        return cls.from_issues(
            X,
            issues,
            n_issues=n_issues,
            n_columns=n_columns,
            image_shape=image_shape,
            figure=figure,
            im_kw=im_kw,
            text_kw=text_kw,
        )

    @classmethod
    @validate_params(
        {
            "X": "no_validation",
            "issues": "no_validation",
            "label": "no_validation",
            "predicted": "no_validation",
            **_PARAMETERS,
        },
        prefer_skip_nested_validation=True,
    )
    @document_parameters
    def from_issues(
        cls,
        X: Any,
        issues: pd.DataFrame,
        *,
        n_issues: int | None = 20,
        label: Any = None,
        predicted: Any = None,
        n_columns: int = 5,
        image_shape: tuple[int, ...] | None = None,
        figure: Figure | None = None,
        im_kw: Mapping[str, Any] | None = None,
        text_kw: Mapping[str, Any] | None = None,
    ) -> Self:
        """Draw the first label issues of a table.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features), (n_samples, height, width) or \
                (n_samples, height, width, channels), or ImageFolder
            All images that were searched for issues. From an ImageFolder, only those that are drawn
            are read.

        issues : DataFrame
            Result of :func:`~fashionkit.find_label_issues`.

        {n_issues}

        label : object, default=None
            Given label, as in the table, to restrict the images to; None for all.

        predicted : object, default=None
            Predicted class, as in the table, to restrict the images to; None for all.

        {n_columns}

        {image_shape}

        {figure}

        {im_kw}

        {text_kw}

        Returns
        -------
        display : LabelIssuesDisplay
            Display, already drawn.

        Raises
        ------
        ValueError
            If the table lacks a column, or names images that ``X`` does not have, or ``label``
            or ``predicted`` does not occur in it.
        """
        if missing := [name for name in _NEEDED if name not in issues]:
            raise ValueError(
                f"issues lacks the columns {choices(missing)}; pass what find_label_issues returns."
            )
        for column, value in {"label": label, "predicted": predicted}.items():
            if value is not None:
                found = find_label(column, value, np.unique(issues[column]), None)
                issues = issues[issues[column] == found]
        issues = issues.head(len(issues) if n_issues is None else n_issues)
        rows = issues["index"].to_numpy(int)
        n_images = _num_samples(X)
        if len(rows) and not 0 <= rows.min() <= rows.max() < n_images:
            raise ValueError(
                f"issues has the index {rows.max()}, but X has {n_images} images; pass all images "
                "that issues were looked for among."
            )
        # Scaled by the pixel range of all images, not of the few that are shown.
        images = read_pictures(X, image_shape).scaled(rows)
        display = cls(images, issues)
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
        """Draw each image with its given label, the predicted class and its probability.

        Images of an ImageFolder are also labelled with the name of their file.

        Parameters
        ----------
        {figure}

        {n_columns}

        {im_kw}

        {text_kw}

        Returns
        -------
        display : LabelIssuesDisplay
            This display. If there are no issues, the figure shows a note instead.
        """
        titles = [
            prediction_title(
                row.label, row.predicted, row.confidence, path=getattr(row, "path", None)
            )
            for row in self.issues.itertuples()
        ]
        self.figure_, self.axes_ = draw_titled(
            self.images,
            titles,
            instead="No label issues",
            n_columns=n_columns,
            figure=figure,
            im_kw=im_kw,
            text_kw=text_kw,
        )
        return self
