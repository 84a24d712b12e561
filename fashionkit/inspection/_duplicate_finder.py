"""DuplicateFinder: duplicates among images that are added little by little."""

from __future__ import annotations

import os
from numbers import Real
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from joblib import Parallel, delayed
from sklearn.base import BaseEstimator, _fit_context
from sklearn.utils import check_consistent_length, column_or_1d
from sklearn.utils._param_validation import HasMethods, Interval
from sklearn.utils.validation import check_is_fitted

from fashionkit._doc_link import DocLinkMixin
from fashionkit._images import check_images, fit_images, stacked
from fashionkit.datasets import ImageFolder
from fashionkit.inspection._duplicates import (
    PHOTO_SIZE,
    embed,
    fitted_embedding,
    hash_of,
    is_paths,
)
from fashionkit.inspection._fingerprints import Fingerprints, fingerprint
from fashionkit.inspection._pairs import find_pairs

if TYPE_CHECKING:
    import pandas as pd

_FILE_HASH_BYTES = 20

# What is kept of each image.
_KEPT = ("_digests", "_hashes", "_thumbnails", "_contrast", "_files", "_vectors", "ids_")


class DuplicateFinder(DocLinkMixin, BaseEstimator):
    """Find duplicates among images that are added little by little, and may be gone again.

    It does what :func:`~fashionkit.find_duplicates` does, and keeps of each image what it needs to
    compare it with others: with :func:`~fashionkit.save`, a catalogue is read once, and new photos
    are compared with it each day.

    Read more in the :ref:`User Guide <duplicates>`.

    Parameters
    ----------
    max_distance : float, default=0.1
        Maximum distance of images that are nearly the same, from 0 to 2.

    embedding : transformer, default=None
        What computes a vector of each image, by which images of the same product are found, such
        as a fitted :class:`~fashionkit.ImageSearch`. One that is not fitted is cloned, and fitted
        to the first images. None looks for no products.

    max_product_distance : float, default=0.05
        Maximum cosine distance of images of the same product.

    Attributes
    ----------
    ids_ : ndarray of shape (n_images,)
        What each image is called.

    image_shape_ : tuple of int
        Height, width and channels.

    embedding_ : transformer
        The fitted embedding; None without.

    n_features_in_ : int
        Number of features of an image seen in ``fit``.

    feature_names_in_ : ndarray of shape (n_features,)
        Names of features seen in ``fit``, where they are all strings.

    See Also
    --------
    fashionkit.find_duplicates : The same in one call, and what is compared how.
    fashionkit.ImageSearch : Images that are similar.

    Notes
    -----
    At most 6 kB are kept of each image in colour, and 2 kB of each gray one, and as much again
    while others are added. Images are read once, a chunk at a time, and twice with an embedding.

    Examples
    --------
    >>> from fashionkit import make_garments
    >>> from fashionkit.inspection import DuplicateFinder
    >>> X, y = make_garments(50, random_state=0)
    >>> finder = DuplicateFinder().fit(X)
    >>> finder.find()["kind"].tolist()
    []
    >>> finder.partial_fit(X[[7]], ids=[100]).find()
       first  second       kind  distance
    0      7     100  identical       0.0
    """

    _parameter_constraints: dict = {
        "max_distance": [Interval(Real, 0, 2, closed="both")],
        "embedding": [HasMethods(["fit", "transform"]), None],
        "max_product_distance": [Interval(Real, 0, 2, closed="both")],
    }

    def __init__(
        self,
        max_distance: float = 0.1,
        *,
        embedding: Any = None,
        max_product_distance: float = 0.05,
    ):
        self.max_distance = max_distance
        self.embedding = embedding
        self.max_product_distance = max_product_distance

    @_fit_context(prefer_skip_nested_validation=False)
    def fit(self, X: Any, y: Any = None, *, ids: Any = None) -> Self:
        """Read images, and forget those before.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features), (n_samples, height, width) or \
                (n_samples, height, width, channels), or path or list of paths
            Images, or photos by their paths or that of a folder, which are read at 96 x 96 pixels.

        y : ignored
            Present by convention.

        ids : array-like of int or str of shape (n_samples,), default=None
            Identifiers of the images. None uses paths, or numbers from 0 on.

        Returns
        -------
        self : DuplicateFinder
            The finder.
        """
        for name in (*_KEPT, "embedding_", "image_shape_"):
            self.__dict__.pop(name, None)
        return self._add(X, ids)

    @_fit_context(prefer_skip_nested_validation=False)
    def partial_fit(self, X: Any, y: Any = None, *, ids: Any = None) -> Self:
        """Read more images.

        Parameters
        ----------
        X : array-like, or path or list of paths
            Images of the same shape as before.

        y : ignored
            Present by convention.

        ids : array-like of int or str of shape (n_samples,), default=None
            Identifiers of the images. None uses paths, or the next numbers.

        Returns
        -------
        self : DuplicateFinder
            The finder.
        """
        return self._add(X, ids)

    def find(self, *, since: int = 0) -> pd.DataFrame:
        """List the pairs of images that are the same.

        Parameters
        ----------
        since : int, default=0
            Position of the first image that is new: only pairs with one from it on are listed.

        Returns
        -------
        pairs : DataFrame
            A row for each pair, in the order of the images, with the columns ``first`` and
            ``second``, their ids; ``kind``: "file", "identical", "near" or "product"; and
            ``distance``.
        """
        import pandas as pd

        check_is_fitted(self)
        found = find_pairs(
            Fingerprints(_as_bytes(self._digests), self._hashes, self._thumbnails, self._contrast),
            self.max_distance,
            file_hash=self._file_hash,
            vectors=self._vectors,
            max_product_distance=self.max_product_distance,
        )
        pairs = sorted(pair for pair in found if pair[1] >= since)
        rows = np.array(pairs, dtype=np.intp).reshape(-1, 2)
        return pd.DataFrame(
            {
                "first": self.ids_[rows[:, 0]],
                "second": self.ids_[rows[:, 1]],
                "kind": pd.Series([found[pair][0] for pair in pairs], dtype=object),
                "distance": np.array([found[pair][1] for pair in pairs], dtype=np.float64),
            }
        )

    def _add(self, X: Any, ids: Any) -> Self:
        is_new = not hasattr(self, "_digests")
        X = stacked(self._read(X, is_new))
        images = fit_images(self, X) if is_new else check_images(self, X)
        ids = self._check_ids(ids, X, len(images))
        if is_new:
            self.embedding_ = (
                None if self.embedding is None else fitted_embedding(self.embedding, X)
            )
        prints = fingerprint([images])
        added = (
            np.frombuffer(b"".join(prints.digests), np.uint8).reshape(len(images), -1),
            prints.hashes,
            prints.thumbnails,
            prints.has_contrast,
            _hash_files(X, len(images)),
            None if self.embedding_ is None else embed(self.embedding_, X),
            ids,
        )
        for name, values in zip(_KEPT, added, strict=True):
            if not is_new and values is not None:
                values = np.concatenate([getattr(self, name), values])
            setattr(self, name, values)
        return self

    def _read(self, X: Any, is_new: bool) -> Any:
        if not is_paths(X):
            return X
        return ImageFolder.from_paths(X, image_size=PHOTO_SIZE if is_new else self.image_shape_[:2])

    def _check_ids(self, ids: Any, X: Any, n_images: int) -> np.ndarray:
        before = getattr(self, "ids_", None)
        if ids is None and isinstance(X, ImageFolder):
            ids = X.filenames
        elif ids is None:
            first = 0
            if before is not None:
                if before.dtype.kind != "i":
                    raise ValueError(
                        f"ids=None, but the images before have ids such as {str(before[0])!r}; "
                        "pass ids for these."
                    )
                first = int(before.max()) + 1
            ids = np.arange(first, first + n_images)
        ids = column_or_1d(np.asarray(ids))
        ids = ids.astype(np.int64 if ids.dtype.kind in "iu" else str)
        check_consistent_length(ids, np.empty(n_images))
        if before is not None and before.dtype.kind != ids.dtype.kind:
            raise ValueError(
                f"ids has {ids[0].item()!r}, but the images before have ids such as "
                f"{before[0].item()!r}; pass all as whole numbers or all as texts."
            )
        return ids

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.three_d_array = True
        return tags

    def _file_hash(self, row: int) -> bytes:
        hashed = self._files[row]
        return hashed.tobytes() if hashed.any() else b""


def _hash_files(X: Any, n_images: int) -> np.ndarray:
    """Return the hash of each file; zeros for images that are no files."""
    hashes = np.zeros((n_images, _FILE_HASH_BYTES), np.uint8)
    if isinstance(X, ImageFolder):
        found = Parallel(X.n_jobs, require="sharedmem")(
            delayed(hash_of)(os.fspath(path)) for path in X.filenames.tolist()
        )
        for row, one in enumerate(found):
            hashes[row, : len(one)] = np.frombuffer(one, np.uint8)
    return hashes


def _as_bytes(digests: np.ndarray) -> list[bytes]:
    return [row.tobytes() for row in digests]
