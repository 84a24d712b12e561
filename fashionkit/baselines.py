"""What came before the networks: hand-made features and a classical classifier.

Each baseline is an ordinary scikit-learn pipeline, named "features-classifier".
"""

from __future__ import annotations

from typing import Any

from sklearn.calibration import CalibratedClassifierCV
from sklearn.decomposition import PCA
from sklearn.ensemble import RandomForestClassifier
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import Pipeline
from sklearn.svm import SVC
from sklearn.tree import DecisionTreeClassifier

from fashionkit.features import HOGFeatures, PixelFeatures

__all__ = ["baselines", "make_baseline"]


def _svm_steps() -> list[tuple[str, Any]]:
    # What a kernel costs grows with the number of columns, and most of the variance is
    # in a fifth of them. This solver is the one that does not copy the features.
    pca = PCA(n_components=0.9, svd_solver="covariance_eigh")
    svm = CalibratedClassifierCV(SVC(C=3.0), cv=3, ensemble=False)
    return [("pca", pca), ("svm", svm)]


_FEATURES = {
    "hog": lambda: [("hog", HOGFeatures())],
    "pixels": lambda: [("pixels", PixelFeatures())],
}
_CLASSIFIERS = {
    "svm": _svm_steps,
    "knn": lambda: [("knn", KNeighborsClassifier())],
    "tree": lambda: [("tree", DecisionTreeClassifier())],
    "forest": lambda: [("forest", RandomForestClassifier())],
}


def baselines() -> list[str]:
    """List the names that :func:`make_baseline` knows.

    Returns
    -------
    names : list of str
        Each is features, a hyphen, and a classifier.

    See Also
    --------
    make_baseline : Makes a baseline by its name.

    Examples
    --------
    >>> from fashionkit.baselines import baselines
    >>> baselines()
    ['hog-svm', 'hog-knn', 'hog-tree', 'hog-forest',
     'pixels-svm', 'pixels-knn', 'pixels-tree', 'pixels-forest']
    """
    return [f"{features}-{kind}" for features in _FEATURES for kind in _CLASSIFIERS]


def make_baseline(
    name: str,
    *,
    memory: Any = None,
    random_state: Any = None,
    **params: Any,
) -> Pipeline:
    """Make the pipeline of hand-made features and a classical classifier.

    Read more in the :ref:`User Guide <baselines>`.

    Parameters
    ----------
    name : str
        A name from :func:`fashionkit.baselines.baselines`, such as "hog-svm". The
        features are

        - "hog": histograms of oriented gradients, :class:`~fashionkit.HOGFeatures`;
        - "pixels": the pixels themselves, :class:`~fashionkit.PixelFeatures`;

        and the classifiers

        - "svm": a support vector machine with an RBF kernel, on principal components
          and with calibrated probabilities;
        - "knn": the 5 nearest neighbours;
        - "tree": a decision tree;
        - "forest": a random forest.

    memory : str or joblib.Memory, default=None
        Where the pipeline caches its features, so that a search over the classifier's
        parameters computes them once.

    random_state : int, RandomState instance or None, default=None
        Seed of every step that has one.

    **params
        Parameters of the steps, as for ``set_params`` of the pipeline:
        ``hog__orientations=12``, ``knn__n_neighbors=3``. The machine itself is in the
        calibration: ``svm__estimator__C=10``.

    Returns
    -------
    pipeline : sklearn.pipeline.Pipeline
        Takes images in any form that the features take. The steps are named like the
        parts of ``name``; before "svm" there is "pca".

    Raises
    ------
    ValueError
        If there is no such baseline, or no such parameter.

    See Also
    --------
    HOGFeatures : The features, for pipelines of your own.
    compare_models : Compares baselines and networks.

    Notes
    -----
    Support vector machines have no probabilities of their own. Their scores are
    calibrated by sigmoids [1]_ in a cross-validation with three folds, so that each
    class needs three images. The machine that predicts is fitted on all images.

    References
    ----------
    .. [1] J. Platt, "Probabilistic Outputs for Support Vector Machines and Comparisons
       to Regularized Likelihood Methods", Advances in Large Margin Classifiers, 1999.

    Examples
    --------
    >>> from fashionkit import make_baseline, make_garments
    >>> X, y = make_garments(600, random_state=0)
    >>> pipeline = make_baseline("hog-svm", hog__orientations=8).fit(X[:500], y[:500])
    >>> list(pipeline.named_steps)
    ['hog', 'pca', 'svm']
    >>> pipeline.score(X[500:], y[500:]) > 0.5
    True
    """
    if name not in baselines():
        known = ", ".join(map(repr, baselines()))
        raise ValueError(f"name={name!r} is no baseline; there are {known}.")
    features, classifier = name.split("-")
    pipeline = Pipeline([*_FEATURES[features](), *_CLASSIFIERS[classifier]()], memory=memory)
    seeds = [key for key in pipeline.get_params() if key.endswith("__random_state")]
    pipeline.set_params(**dict.fromkeys(seeds, random_state))
    return pipeline.set_params(**params)
