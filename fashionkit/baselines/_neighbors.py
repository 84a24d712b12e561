"""Nearest neighbours, of which there may be fewer than asked for."""

from __future__ import annotations

import copy
from typing import Any

import numpy as np
from sklearn.neighbors import KNeighborsClassifier
from sklearn.utils.validation import check_is_fitted

from fashionkit._doc_link import DocLinkMixin


class BoundedKNeighborsClassifier(DocLinkMixin, KNeighborsClassifier):
    """K-nearest neighbours classifier that accepts fewer training samples than neighbours.

    It is :class:`~sklearn.neighbors.KNeighborsClassifier`, except that ``n_neighbors`` is limited
    to the number of training samples: with 30 neighbours and 20 samples, all 20 vote. A pipeline
    for data of any size then needs no other value on small folds.

    Parameters
    ----------
    n_neighbors : int, default=5
        Maximum number of neighbours.

    weights : {"uniform", "distance"}, callable or None, default="uniform"
        Weight function, as in :class:`~sklearn.neighbors.KNeighborsClassifier`.

    algorithm : {"auto", "ball_tree", "kd_tree", "brute"}, default="auto"
        Algorithm to find neighbours by, as in :class:`~sklearn.neighbors.KNeighborsClassifier`.

    leaf_size : int, default=30
        Size of the leaves of the trees.

    p : float, default=2
        Power of the Minkowski metric.

    metric : str or callable, default="minkowski"
        Metric of the distances.

    metric_params : dict, default=None
        Further arguments of the metric.

    n_jobs : int, default=None
        Number of parallel jobs of the search for neighbours.

    See Also
    --------
    sklearn.neighbors.KNeighborsClassifier : The classifier without this limit.
    fashionkit.BoundedPCA : PCA that limits its number of components in the same way.

    Examples
    --------
    >>> from fashionkit.baselines import BoundedKNeighborsClassifier
    >>> clf = BoundedKNeighborsClassifier(30).fit([[0], [1], [1]], ["coat", "bag", "bag"])
    >>> clf.predict([[0]]).tolist()
    ['bag']
    """

    def predict(self, X: Any) -> np.ndarray:
        """Predict the class of each sample.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Features.

        Returns
        -------
        y : ndarray of shape (n_samples,)
            Class labels.
        """
        return KNeighborsClassifier.predict(self._bounded(), X)

    def predict_proba(self, X: Any) -> np.ndarray:
        """Predict the probability of each class.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Features.

        Returns
        -------
        probabilities : ndarray of shape (n_samples, n_classes)
            Probabilities, in the order of ``classes_``.
        """
        return KNeighborsClassifier.predict_proba(self._bounded(), X)

    def _bounded(self) -> BoundedKNeighborsClassifier:
        check_is_fitted(self)
        bounded = copy.copy(self)
        bounded.n_neighbors = min(self.n_neighbors, self.n_samples_fit_)
        return bounded
