"""ImageSearch: the most similar of many images, as an estimator."""

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
    """Find the most similar of many images.

    Images become vectors by an embedding, and those whose vectors are nearest to a query's are the
    most similar. Which images count as similar is the embedding's doing: that of a classifier
    finds the same kind of garment, that of a network that was trained on texts and pictures the
    same style.

    Read more in :ref:`similar_images`.

    Parameters
    ----------
    embedding : str, path-like, transformer or fitted classifier, default="auto"
        What makes vectors of images.

        - "auto": :class:`HOGFeatures` of gray images; of coloured ones with sides of at least 64
          pixels the network of the model "clothing-photos-small-v1", which comes with the
          package; of smaller ones :class:`HOGFeatures` and :class:`ColorHistogram`; and of
          what is narrower than 8 pixels :class:`PixelFeatures`. Nothing is downloaded.
        - a transformer, such as ``BackboneFeatures()``: it is cloned, and fitted in ``fit``;
        - a fitted transformer: it is used as it is;
        - a fitted classifier: what it computes before it decides. Of a neural classifier these
          are the last maps of its network and its log-probabilities, both of which count the same;
          of a Pipeline the output of the step before the classifier; of others the
          log-probabilities or the decision scores;
        - the path of a network in an ONNX file, whose name ends in ".onnx": as in
          ``BackboneFeatures(path)``;
        - "precomputed": ``X`` are vectors.

        Where the search is cloned, wrap what is fitted in a
        :class:`~sklearn.frozen.FrozenEstimator`.

    n_components : int, default=128
        Maximum number of values of a vector: longer embeddings are projected on as many
        principal components of the images of ``fit``. None keeps them all.

    metric : {"cosine", "euclidean"}, default="cosine"
        Distance between vectors. "cosine" is 1 less the cosine of their angle, from 0 to 2.

    algorithm : {"auto", "brute", "faiss"}, default="auto"
        How the nearest vectors are found.

        - "brute": by comparing all, which is exact;
        - "faiss": by an approximate index of faiss, which misses about one in a hundred, and is
          built at the first query; ``pip install "fashionkit[search]"``;
        - "auto": "faiss" from 200,000 images on, where it is installed, else "brute".

    Attributes
    ----------
    embedding_ : transformer
        The fitted embedding; None for "precomputed".

    reduction_ : BoundedPCA
        The projection on principal components; None where there is none.

    vectors_ : ndarray of shape (n_images, n_values), dtype float32
        The vectors of the images, of length 1 for ``metric="cosine"``.

    ids_ : ndarray of shape (n_images,)
        The id of each image.

    labels_ : ndarray of shape (n_images,)
        The label of each image; None without ``y``.

    metadata_ : dict of str to ndarray of shape (n_images,)
        Columns of metadata.

    image_shape_ : tuple of int
        Height, width and channels; missing for "precomputed".

    n_features_in_ : int
        Number of features of an image seen in ``fit``.

    feature_names_in_ : ndarray of shape (n_features,)
        Names of features seen in ``fit``, where they are all strings.

    See Also
    --------
    fashionkit.search.evaluate_search : Precision and recall of a search.
    fashionkit.plotting.RetrievalDisplay : Queries and their results.
    find_duplicates : Images that are the same.
    sklearn.neighbors.NearestNeighbors : Neighbours of vectors.

    Notes
    -----
    Searching compares in float32, in blocks, and takes no memory beside the vectors but for a
    block. The approximate index sorts vectors into lists and keeps them compressed, at 8 % of
    their memory, to find candidates, whose distances are then computed from the vectors: they
    are always exact. :func:`save` writes vectors as arrays that :func:`load` can map into memory;
    it writes no index, which is rebuilt from them.

    The embedding and the projection are learned in ``fit``, or in the first ``partial_fit``, and
    stay as they are when images are added: begin with some thousand images.

    The search keeps a copy of the embedding, so that a classifier may be fitted again without
    harm. Vectors of another embedding are refused: where a parameter was changed after ``fit``,
    and of precomputed vectors by their number of values and, in a DataFrame, their names.

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
        """Index images, and forget those before.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features), (n_samples, height, width) or \
                (n_samples, height, width, channels)
            Images; an :class:`ImageFolder` is read a chunk at a time. Vectors of shape
            (n_samples, n_values) for "precomputed".

        y : array-like of shape (n_samples,), default=None
            Labels, which results show; transformers that are fitted get them, too.

        ids : array-like of int or str of shape (n_samples,), default=None
            What the images are called, each differently. None numbers them from 0 on, or takes
            the paths of an :class:`ImageFolder`.

        metadata : DataFrame or dict of array-like, default=None
            Columns of numbers or texts with a value for each image, which results show and
            filters choose by. Dates become texts.

        Returns
        -------
        self : ImageSearch
            The fitted search.

        Raises
        ------
        ValueError
            If the images are not valid, or ids, labels and metadata do not fit to them.
        """
        return self._fit(X, y, ids, metadata)

    @_fit_context(prefer_skip_nested_validation=False)
    def partial_fit(self, X: Any, y: Any = None, *, ids: Any = None, metadata: Any = None) -> Self:
        """Add images to those that are indexed.

        Parameters
        ----------
        X : array-like
            Images, as in :meth:`fit`.

        y : array-like of shape (n_samples,), default=None
            Labels; needed if the images before have some.

        ids : array-like of int or str of shape (n_samples,), default=None
            Identifiers of the images. None uses paths, or the next numbers.

        metadata : DataFrame or dict of array-like, default=None
            The same columns as before.

        Returns
        -------
        self : ImageSearch
            The search.

        Raises
        ------
        ValueError
            If the images are of another shape, or what belongs to them is of another kind than
            before. Nothing is added then.

        Notes
        -----
        All vectors are copied once in each call: add many images at a time.
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
                f"y is {'missing' if labels is None else 'given'}, but the images before have "
                f"{'no ' if self.labels_ is None else ''}labels; pass y for all or for none."
            )
        if columns.keys() != self.metadata_.keys():
            raise ValueError(
                f"metadata has the columns {sorted(columns)}, but those before have "
                f"{sorted(self.metadata_)}; pass the same."
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
        """Remove images.

        Parameters
        ----------
        ids : array-like of int or str
            Their ids.

        Returns
        -------
        self : ImageSearch
            The search.

        Raises
        ------
        KeyError
            If there is no image of an id. Nothing is removed then.

        ValueError
            If no image would be left.
        """
        check_is_fitted(self)
        ids = np.asarray(ids) if np.ndim(ids) else np.array([ids])
        known = set(self.ids_.tolist())
        missing = [one for one in ids.tolist() if one not in known]
        if missing:
            raise KeyError(f"ids has {missing[0]!r}, which no indexed image has.")
        kept = ~np.isin(self.ids_, ids)
        if not kept.any():
            raise ValueError("ids has all indexed images; fit the search on others instead.")
        self.vectors_, self.ids_ = self.vectors_[kept], self.ids_[kept]
        self.labels_ = None if self.labels_ is None else self.labels_[kept]
        self.metadata_ = {name: column[kept] for name, column in self.metadata_.items()}
        self._index = None  # its rows were others
        return self

    @validate_params(
        {"X": "no_validation", "n_neighbors": _N_NEIGHBORS}, prefer_skip_nested_validation=True
    )
    def kneighbors(self, X: Any, n_neighbors: int = 10) -> tuple[np.ndarray, np.ndarray]:
        """Find the most similar images.

        Parameters
        ----------
        X : array-like
            Queries: images of the shape seen in :meth:`fit`.

        n_neighbors : int, default=10
            Number of images to find for each query.

        Returns
        -------
        distances : ndarray of shape (n_queries, n_neighbors), dtype float32
            Their distances, increasing.

        rows : ndarray of shape (n_queries, n_neighbors), dtype int64
            Their positions in ``ids_``, ``labels_`` and ``vectors_``.

        Raises
        ------
        ValueError
            If there are fewer indexed images than ``n_neighbors``.
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
        """Find the most similar images, with what is known of them.

        Parameters
        ----------
        X : array-like
            Queries: images of the shape seen in :meth:`fit`.

        n_neighbors : int, default=10
            Number of images to find for each query; fewer are found where ``where`` leaves fewer.

        where : array-like of bool of shape (n_images,), or callable, default=None
            Which of the indexed images are searched. A callable gets a DataFrame of all, with the
            columns ``id``, ``label`` where there are labels, and those of the metadata, and
            returns such a mask. Where it leaves fewer than half of the images, all of these are
            compared: an approximate index would find too few.

        diversity : float, default=0.0
            How much results should differ from each other, from 0 to 1: maximal marginal
            relevance [1]_, of which this is 1 less its lambda, among five times as many results.
            About 0.3 leaves out what looks all the same.

        Returns
        -------
        results : DataFrame
            A row for each result, by query, with the columns ``query``, the position of the query
            in ``X``; ``id``; ``distance``; ``label``, where there are labels; and those of the
            metadata. The nearest come first; with ``diversity``, in the order of choice.

        Raises
        ------
        ValueError
            If there are fewer indexed images than ``n_neighbors``, or ``where`` leaves none.

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
        """Return what is known of the indexed images.

        Returns
        -------
        table : DataFrame of shape (n_images, n_columns)
            With the columns ``id``, ``label`` where there are labels, and those of the metadata.
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
                "pass at most as many."
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
        state.pop("_index", None)  # it is rebuilt, never read from a file
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
