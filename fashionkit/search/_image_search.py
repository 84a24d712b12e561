"""ImageSearch: search for similar images, as an estimator."""

from __future__ import annotations

import os
from numbers import Integral, Real
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from sklearn.base import _fit_context
from sklearn.utils._param_validation import HasMethods, Interval, StrOptions, validate_params
from sklearn.utils.validation import check_is_fitted

from fashionkit._doc_link import DocLinkMixin
from fashionkit.features._nearest import METRICS, Neighbors
from fashionkit.search import _approximate
from fashionkit.search._approximate import ApproximateIndex
from fashionkit.search._catalogue import (
    check_ids,
    check_labels,
    check_metadata,
    joined,
    select,
)
from fashionkit.search._diversity import CANDIDATES, diversified
from fashionkit.search._lookup import find, is_worth_it
from fashionkit.search._vectors import ImageVectors

if TYPE_CHECKING:
    import pandas as pd

ALGORITHMS = ("auto", "brute", "faiss")

_N_NEIGHBORS = [Interval(Integral, 1, None, closed="left")]


class ImageSearch(DocLinkMixin, ImageVectors):
    """Search for similar images by the nearest neighbours of their embeddings.

    An embedding turns each image into a vector. The images whose vectors are nearest to that of a
    query are the most similar. The embedding determines what similar means: that of a classifier
    finds the same kind of garment, that of a network trained on images and captions the same style.

    Read more in the :ref:`User Guide <similar_images>`.

    Parameters
    ----------
    embedding : str, path-like, transformer or fitted classifier, default="auto"
        Embedding of the images.

        - "auto": depends on the images. Gray images use :class:`HOGFeatures`. Colour images with
          sides of at least 64 pixels use the network of the model "clothing-photos-small-v1",
          which comes with the package; smaller ones :class:`HOGFeatures` and
          :class:`ColorHistogram`. Images with a side below 8 pixels use :class:`PixelFeatures`.
          Nothing is downloaded.
        - a transformer, such as ``BackboneFeatures()``: it is cloned, and fitted in ``fit``.
        - a fitted transformer: it is copied, and not fitted again.
        - a fitted classifier: the values from which it predicts. For a neural classifier, these are
          the last feature maps of its network and its log-probabilities, with equal weight. For a
          Pipeline, they are the output of the step before the classifier. For all others, they are
          the log-probabilities, or else the decision scores.
        - the path of a network in an ONNX file with the suffix ".onnx", as in
          ``BackboneFeatures(path)``.
        - "precomputed": ``X`` contains vectors.

        If the search is cloned, wrap a fitted estimator in a
        :class:`~sklearn.frozen.FrozenEstimator`.

    n_components : int, default=128
        Maximum number of values of a vector. Longer embeddings are projected on this number of
        principal components of the images of ``fit``. None keeps all values.

    metric : {"cosine", "euclidean"}, default="cosine"
        Distance between vectors. "cosine" is 1 minus the cosine of their angle, from 0 to 2.

    algorithm : {"auto", "brute", "faiss"}, default="auto"
        Algorithm to find the nearest vectors.

        - "brute": compares all vectors, which is exact.
        - "faiss": uses an approximate index of faiss, which misses about 1 % of the neighbours and
          is built at the first query. It needs ``pip install "fashionkit[search]"``.
        - "auto": uses "faiss" for 200,000 images or more if it is installed, and "brute" otherwise.

    Attributes
    ----------
    embedding_ : transformer or None
        Fitted embedding; None for "precomputed".

    reduction_ : BoundedPCA or None
        Projection on principal components; None if vectors are not projected.

    vectors_ : ndarray of shape (n_images, n_values), dtype float32
        Vectors of the indexed images, of length 1 for ``metric="cosine"``.

    ids_ : ndarray of shape (n_images,), dtype int64 or str
        Identifier of each indexed image.

    labels_ : ndarray of shape (n_images,) or None
        Label of each indexed image; None without ``y``.

    metadata_ : dict of str to ndarray of shape (n_images,)
        Columns of metadata.

    image_shape_ : tuple of int
        Height, width and channels. Not set for "precomputed".

    n_features_in_ : int
        Number of pixels times channels of each image seen in ``fit``, or of values of a vector for
        "precomputed".

    feature_names_in_ : ndarray of shape (n_features,)
        Column names seen in ``fit``, where ``X`` was a DataFrame with string names.

    See Also
    --------
    fashionkit.search.evaluate_search : Computes precision and recall of a search.
    fashionkit.plotting.RetrievalDisplay : Draws queries and their results.
    find_duplicates : Finds groups of identical or nearly identical images.
    sklearn.neighbors.NearestNeighbors : Finds nearest neighbours of vectors.

    Notes
    -----
    Vectors are compared in float32 and in blocks of bounded memory. The approximate index keeps
    compressed vectors, at about 8 % of their memory, to find candidates. The distances of the
    candidates are then computed from the vectors, so that all returned distances are exact.
    :func:`save` writes vectors as arrays that :func:`load` can map into memory. The index is not
    saved; it is built again.

    The embedding and the projection are learned in ``fit``, or in the first ``partial_fit``. They
    do not change when images are added, so begin with at least some thousand images.

    The search keeps a copy of the embedding, so that a classifier can be fitted again without an
    effect on the search. If ``metric`` was changed after ``fit``, searching raises an error, and
    ``partial_fit`` also if ``embedding`` or ``n_components`` was changed.

    Examples
    --------
    >>> from fashionkit import ImageSearch, make_garments
    >>> X, y = make_garments(200, random_state=0)
    >>> search = ImageSearch().fit(X[:150], y[:150])
    >>> search.search(X[150:151], n_neighbors=3)[["query", "id", "label"]]
       query  id  label
    0      0  ...
    >>> dresses = search.search(X[150:151], 3, where=lambda table: table["label"] == 3)
    >>> dresses["label"].tolist()
    [3, 3, 3]
    """

    _parameter_constraints: dict = {
        "embedding": [str, os.PathLike, HasMethods("fit")],
        "n_components": [Interval(Integral, 1, None, closed="left"), None],
        "metric": [StrOptions(set(METRICS))],
        "algorithm": [StrOptions(set(ALGORITHMS))],
    }

    vectors_: np.ndarray
    ids_: np.ndarray
    labels_: np.ndarray | None
    metadata_: dict[str, np.ndarray]
    _index: ApproximateIndex | None

    def __init__(
        self,
        embedding: Any = "auto",
        *,
        n_components: int | None = 128,
        metric: str = "cosine",
        algorithm: str = "auto",
    ):
        self.embedding = embedding
        self.n_components = n_components
        self.metric = metric
        self.algorithm = algorithm

    # The embedding validates its parameters itself.
    @_fit_context(prefer_skip_nested_validation=False)
    def fit(self, X: Any, y: Any = None, *, ids: Any = None, metadata: Any = None) -> Self:
        """Index images. Previously indexed images are discarded.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features), (n_samples, height, width) or \
                (n_samples, height, width, channels)
            Images; an :class:`ImageFolder` is read in chunks. Vectors of shape
            (n_samples, n_values) for "precomputed".

        y : array-like of shape (n_samples,), default=None
            Labels. They are a column of the results, and are passed to transformers that are
            fitted.

        ids : array-like of int or str of shape (n_samples,), default=None
            Unique identifiers of the images. None uses the paths of an :class:`ImageFolder`, or
            0, 1, ... for other images.

        metadata : DataFrame or dict of array-like, default=None
            Columns of numbers or strings with one value for each image. They are columns of the
            results, and filters can use them. Dates are converted to strings.

        Returns
        -------
        self : ImageSearch
            Fitted search.

        Raises
        ------
        ValueError
            If the images are invalid, ids are not unique, or ids, labels or metadata have another
            length than the images.

        TypeError
            If the embedding is not an estimator, or labels or metadata mix types.

        ImportError
            If ``algorithm="faiss"`` and faiss is not installed.
        """
        return self._fit(X, y, ids, metadata)

    @_fit_context(prefer_skip_nested_validation=False)
    def partial_fit(self, X: Any, y: Any = None, *, ids: Any = None, metadata: Any = None) -> Self:
        """Add images to the index.

        Parameters
        ----------
        X : array-like
            Images, as in :meth:`fit`.

        y : array-like of shape (n_samples,), default=None
            Labels. Required if the indexed images have labels.

        ids : array-like of int or str of shape (n_samples,), default=None
            Identifiers that no indexed image has. None uses the paths of an :class:`ImageFolder`,
            or the next integers for other images.

        metadata : DataFrame or dict of array-like, default=None
            Metadata with the same columns as that of the indexed images.

        Returns
        -------
        self : ImageSearch
            Search with the added images.

        Raises
        ------
        ValueError
            If the images are of another shape, their ids, labels or metadata are of another type
            than those of the indexed images, or a parameter was changed. The index then remains
            unchanged.

        Notes
        -----
        Each call copies all vectors, so add many images at a time.
        """
        if not hasattr(self, "vectors_"):
            return self._fit(X, y, ids, metadata)
        self._check_settings()
        X = self._check(X)
        n_images = len(X)
        ids = check_ids(ids, X, n_images, self.ids_)
        labels, columns = check_labels(y, n_images), check_metadata(metadata, n_images)
        if (labels is None) != (self.labels_ is None):
            raise ValueError(
                f"y is {'missing' if labels is None else 'given'}, but the indexed images have "
                f"{'no ' if self.labels_ is None else ''}labels; pass y in all calls or in no call."
            )
        if columns.keys() != self.metadata_.keys():
            raise ValueError(
                f"metadata has the columns {sorted(columns)}, but that of the indexed images has "
                f"{sorted(self.metadata_)}; pass the same columns."
            )
        if labels is not None and self.labels_ is not None:
            labels = joined(self.labels_, labels, "y")
        columns = {
            name: joined(self.metadata_[name], column, f"metadata[{name!r}]")
            for name, column in columns.items()
        }
        vectors = self._embed(X)
        self.vectors_ = np.concatenate([self.vectors_, vectors])
        self.ids_, self.labels_, self.metadata_ = joined(self.ids_, ids, "ids"), labels, columns
        if self._index is not None:
            self._index.add(vectors)
        return self

    def remove(self, ids: Any) -> Self:
        """Remove images from the index.

        Parameters
        ----------
        ids : int, str or array-like of these
            Identifiers of the images to remove.

        Returns
        -------
        self : ImageSearch
            Search without the images.

        Raises
        ------
        KeyError
            If no indexed image has one of the ids. The index then remains unchanged.

        ValueError
            If no image would remain.
        """
        check_is_fitted(self)
        ids = np.asarray(ids) if np.ndim(ids) else np.array([ids])
        known = set(self.ids_.tolist())
        missing = [one for one in ids.tolist() if one not in known]
        if missing:
            raise KeyError(f"ids has {missing[0]!r}, which no indexed image has; choose from ids_.")
        kept = ~np.isin(self.ids_, ids)
        if not kept.any():
            raise ValueError("ids has all indexed images; to replace them, fit the search again.")
        self.vectors_, self.ids_ = self.vectors_[kept], self.ids_[kept]
        self.labels_ = None if self.labels_ is None else self.labels_[kept]
        self.metadata_ = {name: column[kept] for name, column in self.metadata_.items()}
        self._index = None  # its rows have moved
        return self

    @validate_params(
        {"X": "no_validation", "n_neighbors": _N_NEIGHBORS}, prefer_skip_nested_validation=True
    )
    def kneighbors(self, X: Any, n_neighbors: int = 10) -> tuple[np.ndarray, np.ndarray]:
        """Find the distances and positions of the most similar images.

        Parameters
        ----------
        X : array-like
            Queries: images of the shape seen in :meth:`fit`.

        n_neighbors : int, default=10
            Number of images to find for each query.

        Returns
        -------
        distances : ndarray of shape (n_queries, n_neighbors), dtype float32
            Distances of the images, in increasing order.

        rows : ndarray of shape (n_queries, n_neighbors), dtype int64
            Positions of the images in ``ids_``, ``labels_`` and ``vectors_``.

        Raises
        ------
        ValueError
            If the queries are invalid, or fewer than ``n_neighbors`` images are indexed.
        """
        check_is_fitted(self)
        self._check_number(n_neighbors)
        found = self._find(self.transform(X), n_neighbors, None)
        return found.distances, found.rows

    @validate_params(
        {
            "X": "no_validation",
            "n_neighbors": _N_NEIGHBORS,
            "where": ["array-like", callable, None],
            "diversity": [Interval(Real, 0, 1, closed="both")],
        },
        prefer_skip_nested_validation=True,
    )
    def search(
        self,
        X: Any,
        n_neighbors: int = 10,
        *,
        where: Any = None,
        diversity: float = 0.0,
    ) -> pd.DataFrame:
        """Find the most similar images, with their ids, labels and metadata.

        Parameters
        ----------
        X : array-like
            Queries: images of the shape seen in :meth:`fit`.

        n_neighbors : int, default=10
            Number of images to find for each query, or all images that ``where`` selects if these
            are fewer.

        where : array-like of bool of shape (n_images,) or callable, default=None
            Mask of the indexed images to search, or a function that returns one. The function is
            passed the DataFrame of :meth:`table`. If the mask selects fewer than half of the
            images, all of these are compared, as an approximate index would find too few.

        diversity : float, default=0.0
            Weight from 0 to 1 of how much results differ from each other, against how near they
            are to the query. Results are chosen from five times as many neighbours by maximal
            marginal relevance [1]_, with its parameter lambda = 1 - ``diversity``. A value of about
            0.3 leaves out images that look nearly the same.

        Returns
        -------
        results : DataFrame
            One row for each result, grouped by query, nearest first; with ``diversity``, in the
            order of choice. The columns are

            - ``query``: position of the query in ``X``;
            - ``id``: identifier of the found image;
            - ``distance``: its distance from the query;
            - ``label``: its label, if there are labels;
            - the columns of the metadata.

        Raises
        ------
        ValueError
            If the queries are invalid, fewer than ``n_neighbors`` images are indexed, or ``where``
            is not a mask or selects no image.

        References
        ----------
        .. [1] J. Carbonell and J. Goldstein, "The Use of MMR, Diversity-Based Reranking for
           Reordering Documents and Producing Summaries", SIGIR 1998.
        """
        import pandas as pd

        check_is_fitted(self)
        self._check_number(n_neighbors)
        among = None if where is None else select(where, self.table, len(self.vectors_))
        n_searched = len(self.vectors_) if among is None else len(among)
        n_found = min(n_neighbors * (CANDIDATES if diversity else 1), n_searched)
        found = self._find(self.transform(X), n_found, among)
        if diversity:
            found = diversified(self.vectors_, found, n_neighbors, diversity, self.metric)
        n_queries, n_results = found.rows.shape
        rows = found.rows.ravel()
        return pd.DataFrame(
            {
                "query": np.repeat(np.arange(n_queries), n_results),
                "id": self.ids_[rows],
                "distance": found.distances.ravel(),
                **self._columns(rows),
            }
        )

    def table(self) -> pd.DataFrame:
        """Return ids, labels and metadata of the indexed images.

        Returns
        -------
        table : DataFrame of shape (n_images, n_columns)
            Table with the columns ``id``, ``label`` if there are labels, and those of the metadata.
        """
        import pandas as pd

        check_is_fitted(self)
        return pd.DataFrame({"id": self.ids_, **self._columns(slice(None))})

    def _fit(self, X: Any, y: Any, ids: Any, metadata: Any) -> Self:
        if self.algorithm == "faiss":
            _approximate.import_faiss()
        X = self._start(X, y)
        n_images = len(X)
        ids = check_ids(ids, X, n_images, None)
        labels, columns = check_labels(y, n_images), check_metadata(metadata, n_images)
        self.vectors_ = self._learn(X, y)
        self.ids_, self.labels_, self.metadata_ = ids, labels, columns
        self._index = None
        return self

    def _check_number(self, n_neighbors: int) -> None:
        if n_neighbors > len(self.vectors_):
            raise ValueError(
                f"n_neighbors={n_neighbors}, but there are {len(self.vectors_)} indexed images; "
                f"pass at most n_neighbors={len(self.vectors_)}."
            )

    def _find(self, queries: np.ndarray, n: int, among: np.ndarray | None) -> Neighbors:
        index = None
        if self._is_approximate() and is_worth_it(len(self.vectors_), n, among):
            if self._index is None:
                self._index = ApproximateIndex(self.vectors_)
            index = self._index
        return find(self.vectors_, queries, n, self.metric, among, index)

    def _is_approximate(self) -> bool:
        if self.algorithm == "auto":
            return len(self.vectors_) >= _approximate.AUTO_SIZE and _approximate.is_available()
        return self.algorithm == "faiss"

    def _columns(self, rows: Any) -> dict[str, np.ndarray]:
        labels = {} if self.labels_ is None else {"label": self.labels_[rows]}
        return labels | {name: column[rows] for name, column in self.metadata_.items()}

    def __getstate__(self) -> dict[str, Any]:
        state = {**super().__getstate__()}
        state.pop("_index", None)  # built again, never read from a file
        return state

    def __setstate__(self, state: dict[str, Any]) -> None:
        super().__setstate__(state)
        if hasattr(self, "vectors_"):
            self._index = None

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.three_d_array = not self._is_precomputed()
        tags.transformer_tags.preserves_dtype = []
        return tags
