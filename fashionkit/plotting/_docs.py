"""Parameters that several figures share, each documented once."""

from __future__ import annotations

from fashionkit.datasets._docs import substitute

PARAMETERS = {
    "n_mistakes": """
        n_mistakes : int, default=20
            Maximum number of images, highest probability of the predicted class first;
            None for all.
        """,
    "n_issues": """
        n_issues : int, default=20
            Maximum number of images, the likeliest issue first; None for all.
        """,
    "class_names": """
        class_names : sequence or dict of str, default=None
            Name of each label, such as :data:`~fashionkit.CLASS_NAMES`, or a dict from
            label to name; None to show the labels themselves.
        """,
    "true": """
        true : object, default=None
            Label or name of a class: only images of this true class; None for all.
        """,
    "predicted": """
        predicted : object, default=None
            Label or name of a class: only images predicted as this class; None for all.
        """,
    "image_shape": """
        image_shape : tuple of int, default=None
            Shape of the image in each flat row: ``(height, width)`` or
            ``(height, width, channels)``. None infers it: a square if possible, gray rather than
            RGB; otherwise a single row of pixels.
        """,
    "ax": """
        ax : matplotlib Axes, Figure or SubFigure, default=None
            Axes to draw on, or a figure to put new axes on; None for a new figure of pyplot.
        """,
    "two_ax": """
        ax : matplotlib Axes, array-like of two, Figure or SubFigure, default=None
            Two axes to draw on; or one, which is divided into two; or a figure to put new
            axes on; None for a new figure of pyplot.
        """,
    "log_scale": """
        log_scale : bool, default=True
            Whether the axis of the cost is logarithmic; costs of 0 are left out then.
        """,
    "n_bins": """
        n_bins : int, default=15
            Number of bins that divide the confidences from 0 to 1.
        """,
    "comparison": """
        comparison : Comparison
            Result of :func:`~fashionkit.compare_models`.
        """,
    "values": """
        values : {"percent", "count"}, default="percent"
            Whether cells show the percentage of their true class or the number of images.
        """,
    "figure": """
        figure : matplotlib Figure or SubFigure, default=None
            Figure to draw on; None for a new one of pyplot.
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
            Keyword arguments for the texts, such as ``fontsize``.
        """,
    "line_kw": """
        line_kw : dict, default=None
            Keyword arguments for ``Axes.plot``, applied to every curve.
        """,
}


document_parameters = substitute(**PARAMETERS)
