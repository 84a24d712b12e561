"""Parameters that several figures share, each documented once."""

from __future__ import annotations

from fashionkit.datasets._docs import substitute

PARAMETERS = {
    "n_mistakes": """
        n_mistakes : int, default=20
            Maximum number of images, in decreasing order of the probability of the predicted class;
            None for all.
        """,
    "n_issues": """
        n_issues : int, default=20
            Maximum number of images, in decreasing order of likelihood; None for all.
        """,
    "class_names": """
        class_names : sequence or dict of str, default=None
            Name of each label, such as :data:`~fashionkit.CLASS_NAMES`, or a dict from
            label to name; None to show the labels themselves.
        """,
    "true": """
        true : object, default=None
            True class, by label or name, to restrict the images to; None for all.
        """,
    "predicted": """
        predicted : object, default=None
            Predicted class, by label or name, to restrict the images to; None for all.
        """,
    "n_columns": """
        n_columns : int, default=5
            Maximum number of images per row.
        """,
    "estimator": """
        estimator : object
            Fitted classifier with ``predict_proba``, or a Pipeline or search that ends in one.
        """,
    "X": """
        X : array-like of shape (n_samples, n_features), (n_samples, height, width) or \
                (n_samples, height, width, channels), or ImageFolder
            Images, gray or RGB.
        """,
    "y_true": """
        y_true : array-like of shape (n_samples,)
            True labels, all among ``classes``.
        """,
    "probabilities": """
        probabilities : array-like of shape (n_samples, n_classes)
            Predicted probabilities.
        """,
    "classes": """
        classes : array-like of shape (n_classes,)
            Label of each column of ``probabilities``.
        """,
    "image_shape": """
        image_shape : tuple of int, default=None
            Shape of the image in each flat row: ``(height, width)`` or
            ``(height, width, channels)``. None infers it: a square if possible, gray rather than
            RGB; otherwise a single row of pixels.
        """,
    "ax": """
        ax : matplotlib Axes, Figure or SubFigure, default=None
            Axes to draw on, or a figure to add axes to; None creates a figure with pyplot.
        """,
    "two_ax": """
        ax : matplotlib Axes, array-like of two, Figure or SubFigure, default=None
            Two axes to draw on, or a single one, which is divided into two, or a figure to add
            axes to; None creates a figure with pyplot.
        """,
    "log_scale": """
        log_scale : bool, default=True
            Whether the axis of the cost is logarithmic, without models of cost 0.
        """,
    "n_bins": """
        n_bins : int, default=15
            Number of equal-width bins of the confidence from 0 to 1.
        """,
    "comparison": """
        comparison : Comparison
            Result of :func:`~fashionkit.compare_models`.
        """,
    "values": """
        values : {"percent", "count"}, default="percent"
            Whether cells show the percentage of the true class or the number of images.
        """,
    "figure": """
        figure : matplotlib Figure or SubFigure, default=None
            Figure to draw on; None creates one with pyplot.
        """,
    "im_kw": """
        im_kw : dict, default=None
            Keyword arguments for ``Axes.imshow``.
        """,
    "errorbar_kw": """
        errorbar_kw : dict, default=None
            Keyword arguments for ``Axes.errorbar``.
        """,
    "scatter_kw": """
        scatter_kw : dict, default=None
            Keyword arguments for ``Axes.scatter``.
        """,
    "text_kw": """
        text_kw : dict, default=None
            Keyword arguments for matplotlib texts, such as ``fontsize``.
        """,
    "line_kw": """
        line_kw : dict, default=None
            Keyword arguments for ``Axes.plot``, applied to every curve.
        """,
}


document_parameters = substitute(**PARAMETERS)
