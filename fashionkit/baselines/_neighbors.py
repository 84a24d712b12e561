"""Nearest neighbours, of which there may be fewer than asked for."""

from __future__ import annotations

import copy
from typing import Any

import numpy as np
from sklearn.neighbors import KNeighborsClassifier
from sklearn.utils.validation import check_is_fitted

from fashionkit.datasets._doc_link import DocLinkMixin


class BoundedKNeighborsClassifier(DocLinkMixin, KNeighborsClassifier):
    """Nearest neighbours that take all training samples where there are too few of them.

    It is scikit-learn's classifier, with the same parameters, but predicts where ``n_neighbors``
    is more than the number of training samples, such as 30 of 20.

    See Also
    --------
    sklearn.neighbors.KNeighborsClassifier : The parameters.
    BoundedPCA : Bounds the number of components.

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
            Labels of the classes.
        """
        return KNeighborsClassifier.predict(self._bounded(), X)

    def predict_proba(self, X: Any) -> np.ndarray:
        """Return the probabilities of the classes.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Features.

        Returns
        -------
        probabilities : ndarray of shape (n_samples, n_classes)
            In the order of ``classes_``.
        """
        return KNeighborsClassifier.predict_proba(self._bounded(), X)

    def _bounded(self) -> BoundedKNeighborsClassifier:
        check_is_fitted(self)
        bounded = copy.copy(self)
        bounded.n_neighbors = min(self.n_neighbors, self.n_samples_fit_)
        return bounded
