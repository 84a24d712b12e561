"""A classifier whose images are rows of probabilities: tests choose what it predicts."""

from __future__ import annotations

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin


class Rows(ClassifierMixin, BaseEstimator):
    """Classifier that predicts each row as it is."""

    def fit(self, X, y):
        self.classes_ = np.unique(y)
        return self

    def predict_proba(self, X):
        return np.asarray(X, dtype=float)

    def predict(self, X):
        return self.classes_[np.argmax(X, axis=1)]
