"""Distillation as a scikit-learn classifier: a small network that learns from a teacher."""

from __future__ import annotations

from numbers import Integral, Real
from tempfile import TemporaryDirectory
from typing import Any, Self

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin, MetaEstimatorMixin, _fit_context, clone
from sklearn.utils import get_tags
from sklearn.utils._param_validation import HasMethods, Interval
from sklearn.utils.validation import check_is_fitted

from fashionkit._doc_link import DocLinkMixin
from fashionkit._images import stacked
from fashionkit.neural._core.base import BaseKerasClassifier
from fashionkit.neural._core.distillation import form_of, soften
from fashionkit.neural._core.interruption import kept_if_interrupted
from fashionkit.neural._core.samples import Samples


class DistilledClassifier(DocLinkMixin, ClassifierMixin, MetaEstimatorMixin, BaseEstimator):
    """Knowledge distillation: a network trained on the probabilities of a teacher.

    A teacher, such as an ensemble, is fitted first. The network, called the student, is then
    trained to predict the teacher's probabilities for the training images and distorted copies of
    them, instead of their labels [1]_. These probabilities also describe which other classes an
    image resembles. Only the network is kept.

    Read more in the :ref:`User Guide <distillation>`.

    Parameters
    ----------
    estimator : CNNClassifier, HierarchicalCNNClassifier or TransferClassifier
        Network to train, the student. Its ``augmentation`` distorts the copies.

    teacher : classifier
        Classifier with ``predict_proba``. To distil one that is already fitted, wrap it in a
        :class:`~sklearn.frozen.FrozenEstimator`.

    n_copies : int, default=8
        Number of versions of each image that the teacher predicts: the image itself and distorted
        copies. Each epoch of the student uses the next version, so that more versions than epochs
        are useless. Without an augmentation, only the image itself is used.

    hard_weight : float, default=0.0
        Weight of the true labels in the targets; the teacher's probabilities have the remaining
        weight.

    verbose : int, default=0
        Verbosity: 1 shows a progress bar of the teacher's predictions.

    Attributes
    ----------
    estimator_ : CNNClassifier, HierarchicalCNNClassifier or TransferClassifier
        Trained network, independent of the teacher. Its ``augmentation`` is None, because the
        copies were distorted beforehand.

    classes_ : ndarray of shape (n_classes,)
        Class labels.

    n_features_in_ : int
        Number of pixels times channels of each image seen in ``fit``.

    feature_names_in_ : ndarray of shape (n_features,)
        Column names seen in ``fit``, where ``X`` was a DataFrame with string names.

    See Also
    --------
    CNNClassifier : Network trained on labels.
    sklearn.ensemble.VotingClassifier : Ensemble, which is a good teacher.

    Notes
    -----
    Teacher and student see the same distorted images, and a long training is recommended, according
    to the findings of [2]_. Targets are probabilities at temperature 1. If the student mixes images
    by ``mixup`` or ``cutmix``, the teacher predicts the mixed images.

    All copies are kept in memory, which needs ``n_copies`` times the memory of the images. Copies
    of an ImageFolder are kept in a temporary file. The teacher predicts all copies, which may take
    longer than its fit.

    Teachers that nearly memorise their training images, such as nearest neighbours, trees and
    kernel machines, are overconfident on them. Networks with label smoothing are better teachers,
    but underconfident, and so are their students. A ``label_smoothing`` of the student smooths the
    teacher's probabilities once more; 0 leaves them unchanged.

    Images that the student holds out (``validation_fraction``) are evaluated with their true
    labels. The teacher was also fitted on them; pass ``X_val`` to evaluate on images that neither
    has seen.

    References
    ----------
    .. [1] G. Hinton, O. Vinyals and J. Dean, "Distilling the Knowledge in a Neural Network",
       NIPS Deep Learning Workshop, 2014.

    .. [2] L. Beyer, X. Zhai, A. Royer, L. Markeeva, R. Anil and A. Kolesnikov, "Knowledge
       distillation: A good teacher is patient and consistent", CVPR 2022, section 3.

    Examples
    --------
    >>> from fashionkit import CNNClassifier, DistilledClassifier, make_garments, make_model
    >>> X, y = make_garments(200, random_state=0)
    >>> student = CNNClassifier(epochs=2, random_state=0)
    >>> clf = DistilledClassifier(student, make_model("hog-forest", random_state=0))
    >>> clf.fit(X[:150], y[:150]).predict_proba(X[150:]).shape
    (50, 10)
    """

    _parameter_constraints: dict = {
        "estimator": [HasMethods(["fit", "predict_proba"])],
        "teacher": [HasMethods(["fit"])],  # some have predict_proba only when fitted
        "n_copies": [Interval(Integral, 1, None, closed="left")],
        "hard_weight": [Interval(Real, 0, 1, closed="left")],
        "verbose": ["verbose"],
    }

    def __init__(
        self,
        estimator: BaseKerasClassifier,
        teacher: Any,
        *,
        n_copies: int = 8,
        hard_weight: float = 0.0,
        verbose: int = 0,
    ):
        self.estimator = estimator
        self.teacher = teacher
        self.n_copies = n_copies
        self.hard_weight = hard_weight
        self.verbose = verbose

    # Teacher and student validate their parameters themselves.
    @_fit_context(prefer_skip_nested_validation=False)
    @kept_if_interrupted
    def fit(
        self,
        X: Any,
        y: Any,
        sample_weight: Any = None,
        X_val: Any = None,
        y_val: Any = None,
        sample_weight_val: Any = None,
    ) -> Self:
        """Fit the teacher and train the network on its probabilities.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features), (n_samples, height, width) or \
                (n_samples, height, width, channels)
            Training images.

        y : array-like of shape (n_samples,)
            Class labels of any type.

        sample_weight : array-like of shape (n_samples,), default=None
            Weight of each image, for the teacher and the network.

        X_val : array-like, default=None
            Images to evaluate the network on after each epoch, in any form of ``X``; None for the
            student's ``validation_fraction`` of the training data.

        y_val : array-like of shape (n_val_samples,), default=None
            Their class labels.

        sample_weight_val : array-like of shape (n_val_samples,), default=None
            Weight of each of these images.

        Returns
        -------
        self : DistilledClassifier
            The fitted classifier.

        Raises
        ------
        TypeError
            If ``estimator`` is not a neural classifier of fashionkit, or the teacher has no
            ``predict_proba``.

        ValueError
            If the data is invalid, the teacher has other classes, or it does not predict
            probabilities.
        """
        if not isinstance(self.estimator, BaseKerasClassifier):
            raise TypeError(
                f"estimator is a {type(self.estimator).__name__}, expected a CNNClassifier, "
                "HierarchicalCNNClassifier or TransferClassifier."
            )
        student = clone(self.estimator)
        student._validate_params()
        augmentation = student._active_augmentation()
        student.set_params(augmentation=None)
        X = stacked(X)
        as_given = form_of(X)

        def targets_of(samples: Samples, seed: int) -> Samples:
            # Here X and y have been checked.
            weights = {} if sample_weight is None else {"sample_weight": sample_weight}
            labels = student.classes_[samples.targets]
            teacher = clone(self.teacher).fit(as_given(samples.images.pixels), labels, **weights)
            return soften(
                samples,
                teacher,
                student.classes_,
                as_given,
                augmentation=augmentation,
                n_copies=min(self.n_copies, _count_epochs(student)),
                hard_weight=self.hard_weight,
                seed=seed,
                folder=folder,
                verbose=self.verbose > 0,
            )

        with TemporaryDirectory(prefix="fashionkit-") as folder:
            student._fit(X, y, sample_weight, X_val, y_val, sample_weight_val, targets_of)
        self.estimator_ = student
        self.classes_ = student.classes_
        self.n_features_in_ = student.n_features_in_
        self.__dict__.pop("feature_names_in_", None)
        if hasattr(student, "feature_names_in_"):
            self.feature_names_in_ = student.feature_names_in_
        return self

    def predict(self, X: Any) -> np.ndarray:
        """Predict the most probable class of each image.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features), (n_samples, height, width) or \
                (n_samples, height, width, channels)
            Images.

        Returns
        -------
        y : ndarray of shape (n_samples,)
            Class labels.
        """
        check_is_fitted(self)
        return self.estimator_.predict(X)

    def predict_proba(self, X: Any) -> np.ndarray:
        """Predict the probability of each class for each image.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features), (n_samples, height, width) or \
                (n_samples, height, width, channels)
            Images.

        Returns
        -------
        probabilities : ndarray of shape (n_samples, n_classes), dtype=float64
            Probabilities, in the order of ``classes_``. Each row sums to 1.
        """
        check_is_fitted(self)
        return self.estimator_.predict_proba(X)

    def predict_log_proba(self, X: Any) -> np.ndarray:
        """Predict the log-probability of each class for each image.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features), (n_samples, height, width) or \
                (n_samples, height, width, channels)
            Images.

        Returns
        -------
        log_probabilities : ndarray of shape (n_samples, n_classes), dtype=float64
            Log-probabilities, in the order of ``classes_``.
        """
        check_is_fitted(self)
        return self.estimator_.predict_log_proba(X)

    def decision_function(self, X: Any) -> np.ndarray:
        """Compute the log-probability of each class, or the log-odds of two classes.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features), (n_samples, height, width) or \
                (n_samples, height, width, channels)
            Images.

        Returns
        -------
        scores : ndarray of shape (n_samples, n_classes) or (n_samples,), dtype=float64
            The logarithm of the probability of each class, in the order of ``classes_``. Of two
            classes, the log-odds of ``classes_[1]``.
        """
        check_is_fitted(self)
        return self.estimator_.decision_function(X)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags = get_tags(self.estimator).input_tags
        return tags


def _count_epochs(student: BaseKerasClassifier) -> int:
    """Return the number of epochs of all phases of a training."""
    tuning = getattr(student, "fine_tune_epochs", 0) if getattr(student, "fine_tune", 0) else 0
    return student.epochs + tuning
