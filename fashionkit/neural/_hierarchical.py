"""The hierarchical convolutional network as a scikit-learn classifier."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from numbers import Integral
from os import PathLike
from typing import Any

import numpy as np
from sklearn.utils._param_validation import StrOptions
from sklearn.utils.validation import check_is_fitted

from fashionkit._images import check_targets
from fashionkit.neural._core.base import BaseKerasClassifier
from fashionkit.neural._core.docs import document_training
from fashionkit.neural._core.network import NetworkSpec
from fashionkit.neural._core.samples import Samples, check_weights, encode_labels
from fashionkit.neural._core.targets import Targets, smooth
from fashionkit.neural._hierarchy import resolve_tree
from fashionkit.neural.architectures import branched
from fashionkit.preprocessing import Augmentation


@document_training(
    history_="""
    ``loss``, that of all levels by their weights, and ``accuracy``, that of the classes, of each
    epoch, and with held-out data ``val_loss`` and ``val_accuracy``, both those of the classes.
    """
)
class HierarchicalCNNClassifier(BaseKerasClassifier):
    """Hierarchical convolutional neural network for a tree of coarse and fine classes.

    A shared trunk has an output for each level of the tree, that of the coarsest level at the
    shallowest depth [1]_, as in H-CNN for fashion images [2]_. The network is built by
    :func:`~fashionkit.neural.architectures.branched`.

    Read more in the :ref:`User Guide <hierarchical>`.

    Parameters
    ----------
    tree : dict or {"cluster", "fashion-mnist"}, default="cluster"
        Tree of classes: nested dictionaries from names of coarse classes to branches, whose leaves
        are lists of labels as in ``y``, such as
        ``{"clothes": {"tops": [0, 2, 6], ...}, "goods": {...}}``. All leaves must be equally deep,
        and every label must be in exactly one list. "cluster" groups classes by their mean images,
        by Ward's method, in two groups and in about ``sqrt(2 * n_classes)``. "fashion-mnist" is the
        tree of [2]_: clothes (tops, bottoms, dresses, outers) and goods (accessories, shoes);
        labels are then Fashion-MNIST's, as numbers or as names.

    loss_weights : sequence of float or dict, default=None
        Weight of the loss of each level, coarsest first; or a dict from fractions of the epochs to
        the weights that hold from there on, such as
        ``{0.0: (0.98, 0.01, 0.01), 0.3: (0.1, 0.2, 0.7)}``. The weight of the finest level must not
        be 0. None weights the finest level by 1, and each coarser level by half of the next finer
        one.

    architecture_params : dict, default=None
        Arguments of the trunk, such as ``{"filters": (64, 128, 256)}``. Each can be searched over
        as ``architecture__filters``.

    {training_parameters}

    Attributes
    ----------
    levels_ : list of ndarray
        Names of the nodes of each level, coarsest first; those of the last level are the classes.

    {fitted_attributes}

    See Also
    --------
    CNNClassifier : CNN without a tree of classes.

    Notes
    -----
    Predictions are those of the finest level; the outputs of coarser levels only guide the training
    of the trunk. The probability of a coarse class is the sum of those of its classes.

    If ``loss_weights`` is a dict, ``partial_fit`` uses its first entry.

    References
    ----------
    .. [1] X. Zhu and M. Bain, "B-CNN: Branch Convolutional Neural Network for Hierarchical
       Classification", 2017.

    .. [2] Y. Seo and K. Shin, "Hierarchical convolutional neural networks for fashion image
       classification", Expert Systems with Applications 116, 2019.

    {training_references}

    Examples
    --------
    >>> from fashionkit import HierarchicalCNNClassifier, make_garments
    >>> X, y = make_garments(250, random_state=0)
    >>> clf = HierarchicalCNNClassifier(
    ...     "fashion-mnist", architecture_params={"filters": (8, 8, 16)}, epochs=1, random_state=0
    ... ).fit(X[:150], y[:150])
    >>> clf.predict_coarse(X[150:]).shape
    (100,)
    >>> clf.levels_[0].tolist()
    ['clothes', 'goods']
    """

    _parameter_constraints: dict = {
        **BaseKerasClassifier._parameter_constraints,
        "tree": [dict, StrOptions({"cluster", "fashion-mnist"})],
        "loss_weights": ["array-like", dict, None],
        "architecture_params": [dict, None],
    }

    _routed_params = {
        **BaseKerasClassifier._routed_params,
        "architecture": "architecture_params",
    }

    def __init__(
        self,
        tree: Mapping | str = "cluster",
        *,
        loss_weights: Sequence[float] | Mapping[float, Sequence[float]] | None = None,
        architecture_params: dict[str, Any] | None = None,
        optimizer: Any = "adam",
        optimizer_params: dict[str, Any] | None = None,
        learning_rate: float | None = None,
        learning_rate_schedule: str = "constant",
        weight_decay: float | None = None,
        label_smoothing: float = 0.0,
        ema_decay: float | None = None,
        augmentation: Augmentation | None = None,
        test_time_augmentation: str | None = None,
        dtype: str = "float32",
        epochs: int = 10,
        batch_size: int = 32,
        validation_fraction: float | None = None,
        early_stopping: bool = False,
        patience: int = 5,
        class_weight: dict | str | None = None,
        callbacks: Sequence[Any] | None = None,
        checkpoint_dir: str | PathLike | None = None,
        warm_start: bool = False,
        image_shape: tuple[int, ...] | None = None,
        random_state: Any = None,
        verbose: int = 0,
    ):
        self.tree = tree
        self.loss_weights = loss_weights
        self.architecture_params = architecture_params
        self.optimizer = optimizer
        self.optimizer_params = optimizer_params
        self.learning_rate = learning_rate
        self.learning_rate_schedule = learning_rate_schedule
        self.weight_decay = weight_decay
        self.label_smoothing = label_smoothing
        self.ema_decay = ema_decay
        self.augmentation = augmentation
        self.test_time_augmentation = test_time_augmentation
        self.dtype = dtype
        self.epochs = epochs
        self.batch_size = batch_size
        self.validation_fraction = validation_fraction
        self.early_stopping = early_stopping
        self.patience = patience
        self.class_weight = class_weight
        self.callbacks = callbacks
        self.checkpoint_dir = checkpoint_dir
        self.warm_start = warm_start
        self.image_shape = image_shape
        self.random_state = random_state
        self.verbose = verbose

    def predict_coarse(self, X: Any, level: int = 0) -> np.ndarray:
        """Predict the most probable node of one level of the tree for each image.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features), (n_samples, height, width) or \
                (n_samples, height, width, channels)
            Images.

        level : int, default=0
            Level of the tree, from 0 for the coarsest. The last level is that of the classes.

        Returns
        -------
        y : ndarray of shape (n_samples,)
            Names from ``levels_[level]``.
        """
        probabilities = self.predict_proba_coarse(X, level)
        return self.levels_[level][probabilities.argmax(axis=1)]

    def predict_proba_coarse(self, X: Any, level: int = 0) -> np.ndarray:
        """Predict the probability of each node of one level of the tree for each image.

        The probability of a node is the sum of those of its classes. The most probable node need
        not contain the most probable class.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features), (n_samples, height, width) or \
                (n_samples, height, width, channels)
            Images.

        level : int, default=0
            Level of the tree, from 0 for the coarsest. The last level is that of the classes.

        Returns
        -------
        probabilities : ndarray of shape (n_samples, n_nodes), dtype=float64
            Probabilities, in the order of ``levels_[level]``.
        """
        check_is_fitted(self)
        self._check_level(level)
        return self.predict_proba(X) @ self._hierarchy.membership(level)

    def score_coarse(self, X: Any, y: Any, level: int = 0, sample_weight: Any = None) -> float:
        """Compute the accuracy at one level of the tree.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features), (n_samples, height, width) or \
                (n_samples, height, width, channels)
            Images.

        y : array-like of shape (n_samples,)
            True class labels, not names of nodes.

        level : int, default=0
            Level of the tree, from 0 for the coarsest. The last level is that of the classes.

        sample_weight : array-like of shape (n_samples,), default=None
            Weight of each image.

        Returns
        -------
        accuracy : float
            Fraction of images whose node is predicted correctly.
        """
        check_is_fitted(self)
        self._check_level(level)
        images = self._check_images(X)
        targets = encode_labels(check_targets(y, images), self.classes_)
        membership = self._hierarchy.membership(level)
        predicted = (self._probabilities(images) @ membership).argmax(axis=1)
        correct = predicted == membership[targets].argmax(axis=1)
        return float(np.average(correct, weights=check_weights(sample_weight, images)))

    def _check_level(self, level: Any) -> None:
        n_levels = self._hierarchy.n_levels
        if not isinstance(level, Integral) or not 0 <= level < n_levels:  # type: ignore[operator]
            raise ValueError(
                f"level={level!r}, expected a whole number from 0, the coarsest, to "
                f"{n_levels - 1}, the classes themselves."
            )

    def _learn_classes(self, samples: Samples) -> None:
        self._hierarchy = resolve_tree(self.tree, self.classes_, samples)
        self.levels_ = [*self._hierarchy.names, self.classes_]

    def _network_spec(self, image_shape: tuple[int, int, int], n_classes: int) -> NetworkSpec:
        sizes = tuple(len(names) for names in self.levels_)
        params = {**(self.architecture_params or {}), "level_sizes": sizes}
        return NetworkSpec(branched, image_shape, sum(sizes), params, n_heads=len(sizes))

    def _targets(self) -> tuple[Targets, int]:
        levels = [self._hierarchy.membership(level) for level in range(len(self.levels_))]
        training = np.hstack([smooth(level, self.label_smoothing) for level in levels])
        evaluation = np.hstack([*(np.zeros_like(level) for level in levels[:-1]), levels[-1]])
        sizes = [level.shape[1] for level in levels]
        weights = np.repeat(self._weights_by_epoch(), sizes, axis=1).astype(np.float32)
        return Targets(training, evaluation, weights), sizes[-1]

    def _weights_by_epoch(self) -> np.ndarray:
        """Return the weight of each level's loss in each epoch."""
        n_levels = len(self.levels_)
        given: Any = self.loss_weights
        if given is None:
            given = 0.5 ** np.arange(n_levels - 1, -1, -1)
        phases = given if isinstance(given, Mapping) else {0.0: given}
        begins = sorted(phases)
        rows = [np.asarray(phases[begin], dtype=float) for begin in begins]
        sound = all(
            row.shape == (n_levels,) and np.all(np.isfinite(row)) and min(row) >= 0 < row[-1]
            for row in rows
        )
        if not begins or begins[0] != 0 or begins[-1] >= 1 or not sound:
            raise ValueError(
                f"loss_weights={self.loss_weights!r}, expected {n_levels} weights of at least 0, "
                "one for each level from the coarsest to the classes, whose own must be above 0; "
                "or a dict of such weights from fractions of the epochs: 0 and others below 1."
            )
        done = np.arange(self.epochs) / self.epochs
        return np.array(rows)[np.searchsorted(begins, done, side="right") - 1]
