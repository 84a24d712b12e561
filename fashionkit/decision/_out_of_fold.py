"""Out-of-fold probabilities: what models say of images that they were not trained on."""

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
    """Return probabilities of each image by clones that were fitted without it.

    Parameters
    ----------
    estimator : classifier
        It is cloned for each fold.

    X : array-like or ImageFolder
        Images in any form. Files are read by the clones, unless these take tables only.

    y : ndarray of shape (n_samples,)
        Labels.

    labels : ndarray of shape (n_classes,)
        The classes, in the order of the columns.

    cv : int, splitter or iterable
        The folds.

    groups : array-like of shape (n_samples,) or None
        Groups for the splitter.

    n_jobs : int or None
        Number of folds at a time.

    Returns
    -------
    probabilities : ndarray of shape (n_samples, n_classes)
        The mean over the folds in which an image was not trained on.
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
