"""Out-of-fold probabilities, predicted by clones that were fitted without the image."""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.base import clone
from sklearn.utils.parallel import Parallel, delayed

from fashionkit.comparison._answers import check_classes, in_order
from fashionkit.comparison._forms import flat_rows, takes_images
from fashionkit.comparison._splits import ImageSet, make_folds
from fashionkit.inspection._predictions import check_probabilities, probabilities_of


def out_of_fold(
    estimator: Any,
    X: Any,
    y: np.ndarray,
    labels: np.ndarray,
    *,
    cv: Any,
    groups: Any,
    n_jobs: int | None,
) -> np.ndarray:
    """Predict the probabilities of each image by clones that were fitted without it.

    Parameters
    ----------
    estimator : classifier
        Classifier, which is cloned for each fold.

    X : array-like of n_samples, or ImageFolder
        Images in any form. An ImageFolder is read by the clones if they accept images, and
        otherwise before the folds.

    y : ndarray of shape (n_samples,)
        Class labels.

    labels : ndarray of shape (n_classes,)
        Class label of each column.

    cv : int, splitter or iterable
        Number of folds, splitter, or pairs of row numbers.

    groups : array-like of shape (n_samples,) or None
        Group of each image for the splitter.

    n_jobs : int or None
        Number of folds to fit at the same time.

    Returns
    -------
    probabilities : ndarray of shape (n_samples, n_classes)
        Mean over the folds whose test part contains the image.

    Raises
    ------
    ValueError
        If an image is in no test part.
    """
    folds = make_folds(y, cv, groups, labels)
    times = np.bincount(np.concatenate([test for _, test in folds]), minlength=len(y))
    if not times.all():
        raise ValueError(
            f"cv={cv!r} never evaluates {int(np.sum(times == 0))} of {len(y)} images; pass a "
            "splitter whose folds hold out every image, such as StratifiedKFold."
        )
    images = ImageSet(X if takes_images(estimator) else flat_rows(X), y)
    parts = Parallel(n_jobs=n_jobs)(
        delayed(_predict)(clone(estimator), images, train, test, labels) for train, test in folds
    )
    probabilities = np.zeros((len(y), len(labels)))
    for (_, test), part in zip(folds, parts, strict=True):
        probabilities[test] += part
    return probabilities / times[:, np.newaxis]


def _predict(
    estimator: Any, images: ImageSet, train: np.ndarray, test: np.ndarray, labels: np.ndarray
) -> np.ndarray:
    seen, unseen = images.rows(train), images.rows(test)
    estimator.fit(seen.X, seen.y)
    probabilities, _ = probabilities_of(estimator, unseen.X)
    classes = check_classes(estimator, labels)
    probabilities, classes, _ = check_probabilities(unseen.y, probabilities, classes)
    return in_order(probabilities, classes, labels)
