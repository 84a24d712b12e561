"""Queries of a search and their results, right and wrong marked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from numbers import Integral
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from sklearn.utils import check_consistent_length, column_or_1d
from sklearn.utils._param_validation import HasMethods, Interval, validate_params

from fashionkit.datasets._names import name_labels
from fashionkit.plotting._colors import BLUE, ORANGE
from fashionkit.plotting._docs import document_parameters
from fashionkit.plotting._pictures import read_pictures

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_RIGHT, _WRONG = "\N{CHECK MARK}", "\N{MULTIPLICATION X}"
_PICTURE, _TITLE, _LETTER = 1.1, 0.22, 0.075  # inches
_SPACE = 0.25  # between the query and its results, in widths of a picture


class RetrievalDisplay:
    """Queries of an image search, each in a row with its results, marked as correct or wrong.

    Results with the label of the query are marked by a tick and a blue frame, others by a cross and
    an orange frame. Without labels there are no marks.

    Create it by :meth:`from_estimator`.

    Parameters
    ----------
    queries : array-like of shape (n_queries, height, width) or \
            (n_queries, height, width, channels)
        Query images.

    results : array-like of shape (n_queries * n_results, height, width) or \
            (n_queries * n_results, height, width, channels)
        Results of each query, by increasing distance, one query after another.

    distances : array-like of shape (n_queries, n_results)
        Distances of the results to their query.

    query_names : sequence of str, default=None
        Name of the class of each query.

    result_names : array-like of str of shape (n_queries, n_results), default=None
        Name of the class of each result.

    Attributes
    ----------
    axes_ : ndarray of shape (n_queries, 1 + n_results)
        Axes of each picture; the first column contains the queries.

    figure_ : matplotlib Figure or SubFigure
        Figure containing the pictures.

    See Also
    --------
    fashionkit.search.evaluate_search : Computes precision and recall.
    fashionkit.ImageSearch : Search for similar images.

    Examples
    --------
    >>> from fashionkit import CLASS_NAMES, ImageSearch, make_garments
    >>> from fashionkit.plotting import RetrievalDisplay
    >>> X, y = make_garments(200, random_state=0)
    >>> search = ImageSearch().fit(X[:190], y[:190])
    >>> display = RetrievalDisplay.from_estimator(
    ...     search, X[190:193], y[190:193], images=X[:190], n_results=4, class_names=CLASS_NAMES
    ... )
    >>> display.axes_.shape
    (3, 5)
    """

    def __init__(
        self,
        queries: Any,
        results: Any,
        distances: Any,
        query_names: Sequence[str] | None = None,
        result_names: Any = None,
    ):
        self.queries = queries
        self.results = results
        self.distances = distances
        self.query_names = query_names
        self.result_names = result_names

    @classmethod
    @validate_params(
        {
            "search": [HasMethods(["kneighbors"])],
            "X": "no_validation",
            "y": ["array-like", None],
            "images": "no_validation",
            "n_results": [Interval(Integral, 1, None, closed="left")],
            "class_names": ["array-like", dict, None],
            "image_shape": [tuple, None],
            "figure": "no_validation",
            "im_kw": [dict, None],
            "text_kw": [dict, None],
        },
        prefer_skip_nested_validation=True,
    )
    @document_parameters
    def from_estimator(
        cls,
        search: Any,
        X: Any,
        y: Any = None,
        *,
        images: Any,
        n_results: int = 6,
        class_names: Sequence[str] | Mapping[Any, str] | None = None,
        image_shape: tuple[int, ...] | None = None,
        figure: Figure | None = None,
        im_kw: Mapping[str, Any] | None = None,
        text_kw: Mapping[str, Any] | None = None,
    ) -> Self:
        """Search for similar images and draw the results.

        Parameters
        ----------
        search : ImageSearch
            Fitted search.

        X : array-like of shape (n_queries, n_features), (n_queries, height, width) or \
                (n_queries, height, width, channels), or ImageFolder
            Queries; all of them are drawn.

        y : array-like of shape (n_queries,), default=None
            Labels of the queries; None for no marks.

        images : array-like or ImageFolder
            Indexed images, in the order of ``search.ids_``, to draw the results from.

        n_results : int, default=6
            Number of results of each query.

        {class_names}

        {image_shape}

        {figure}

        {im_kw}

        {text_kw}

        Returns
        -------
        display : RetrievalDisplay
            Display, already drawn.

        Raises
        ------
        ValueError
            If the arguments are inconsistent, or the search has no labels for ``y``.
        """
        if len(images) != len(search.ids_):
            raise ValueError(
                f"images has {len(images)} images, but {len(search.ids_)} are indexed; pass those "
                "that the search was fitted with."
            )
        if y is not None and search.labels_ is None:
            raise ValueError("y is given, but search has no labels_; pass y when you fit it.")
        distances, rows = search.kneighbors(X, n_results)
        names: list[Any] = [None, None]
        if y is not None:
            check_consistent_length(distances, column_or_1d(y))
            found = name_labels(search.labels_[rows.ravel()], class_names)
            names = [name_labels(y, class_names), np.array(found).reshape(rows.shape)]
        found_images = (
            images.iloc[rows.ravel()] if hasattr(images, "iloc") else images[rows.ravel()]
        )
        first, second = (
            read_pictures(one, image_shape).scaled(slice(None)) for one in (X, found_images)
        )
        display = cls(first, second, distances, *names)
        return display.plot(figure=figure, im_kw=im_kw, text_kw=text_kw)

    @document_parameters
    def plot(
        self,
        figure: Figure | None = None,
        *,
        im_kw: Mapping[str, Any] | None = None,
        text_kw: Mapping[str, Any] | None = None,
    ) -> Self:
        """Draw the queries and their results.

        Parameters
        ----------
        {figure}

        {im_kw}

        {text_kw}

        Returns
        -------
        display : RetrievalDisplay
            This display.
        """
        from matplotlib.cbook import normalize_kwargs
        from matplotlib.text import Text

        distances = np.asarray(self.distances)
        n_queries, n_results = distances.shape
        queries, results = (
            read_pictures(one).scaled(slice(None)) for one in (self.queries, self.results)
        )
        if figure is None:
            figure = self._new_figure(queries.shape[1:3], n_queries, n_results)
        widths = [1, _SPACE, *[1] * n_results]
        grid = figure.add_gridspec(n_queries, n_results + 2, width_ratios=widths)
        axes = np.empty((n_queries, 1 + n_results), dtype=object)
        im_kw = {"cmap": "gray", "vmin": 0, "vmax": 1, **(im_kw or {})}
        text_kw = {"fontsize": "small", **normalize_kwargs(dict(text_kw or {}), Text)}
        for query in range(n_queries):
            for column in range(1 + n_results):
                ax = figure.add_subplot(grid[query, column + (column > 0)])
                if column == 0:
                    picture, title, color = queries[query], self._query_title(query), None
                else:
                    picture = results[query * n_results + column - 1]
                    title, color = self._result_title(query, column - 1)
                _draw(ax, picture, title, color, im_kw, text_kw)
                axes[query, column] = ax
        self.figure_, self.axes_ = figure, axes
        return self

    def _query_title(self, query: int) -> str:
        return "query" if self.query_names is None else f"{self.query_names[query]}\nquery"

    def _result_title(self, query: int, rank: int) -> tuple[str, str | None]:
        """Return the title of a result, and the colour of its frame."""
        distance = f"{np.asarray(self.distances)[query, rank]:.2f}"
        if self.query_names is None or self.result_names is None:
            return distance, None
        name = str(np.asarray(self.result_names)[query, rank])
        is_right = name == self.query_names[query]
        mark, color = (_RIGHT, BLUE) if is_right else (_WRONG, ORANGE)
        return f"{name}\n{mark} {distance}", color

    def _new_figure(self, shape: tuple[int, int], n_queries: int, n_results: int) -> Figure:
        import matplotlib.pyplot as plt

        names = [] if self.query_names is None else [*self.query_names]
        if self.result_names is not None:
            names += np.asarray(self.result_names).ravel().tolist()
        width = max(_PICTURE, _LETTER * (2 + max(map(len, names), default=0)))
        height = _PICTURE * min(max(shape[0] / shape[1], 0.25), 4.0)
        height += _TITLE * (2 if names else 1) + 0.1
        size = width * (1 + _SPACE + n_results), height * n_queries
        return plt.figure(figsize=size, layout="constrained")


def _draw(
    ax: Any,
    picture: np.ndarray,
    title: str,
    color: str | None,
    im_kw: Mapping[str, Any],
    text_kw: Mapping[str, Any],
) -> None:
    picture = picture.clip(0.0, 1.0)
    ax.imshow(picture.squeeze(-1) if picture.shape[-1] == 1 else picture, **im_kw)
    ax.set_title(title, **text_kw)
    ax.set_xticks([])
    ax.set_yticks([])
    ax.spines[:].set(visible=color is not None, color=color, linewidth=2.5)
