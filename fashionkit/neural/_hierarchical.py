"""The hierarchical convolutional network as a scikit-learn classifier."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from numbers import Integral
from os import PathLike
from typing import Any

import numpy as np
from sklearn.utils._param_validation import StrOptions
from sklearn.utils.validation import check_is_fitted

from fashionkit._images import Images, check_images, check_targets
from fashionkit.neural._core.base import BaseKerasClassifier
from fashionkit.neural._core.network import NetworkSpec
from fashionkit.neural._core.samples import Samples, encode_labels
from fashionkit.neural._core.targets import Targets, smooth
from fashionkit.neural._hierarchy import resolve_tree
from fashionkit.neural.architectures import branched
from fashionkit.preprocessing import Augmentation


class HierarchicalCNNClassifier(BaseKerasClassifier):
    """Convolutional network that learns classes from coarse to fine, along a tree of them.

    One trunk, and a head for each level of the tree, the coarsest at the shallowest depth [1]_,
    as in H-CNN for fashion images [2]_. The network is
    :func:`~fashionkit.neural.architectures.branched`.

    Read more in the :ref:`User Guide <hierarchical>`.

    Parameters
    ----------
    tree : dict, "fashion-mnist", "cluster" or None, default=None
        The coarse classes: nested dictionaries from names to branches, whose leaves are lists of
        labels as in ``y``, such as ``{"clothes": {"tops": [0, 2, 6], ...}, "goods": {...}}``. All
        leaves must be equally deep, and every label must be in exactly one list.
        "fashion-mnist" is the tree of [2]_: clothes (tops, bottoms, dresses, outers) and goods
        (accessories, shoes). "cluster" groups classes by their mean images, by Ward's method, in
        two groups and in about ``sqrt(2 * n_classes)``. None takes "fashion-mnist" where the
        labels are 0 to 9 or Fashion-MNIST's names, and "cluster" elsewhere.

    loss_weights : sequence of float or dict, default=None
        Weight of the loss of each level, coarsest first; or a dict from fractions of the epochs to
        such weights, each of which holds from there on, as in ``{0.0: (0.98, 0.01, 0.01),
        0.3: (0.1, 0.2, 0.7)}``. The weight of the classes themselves must not be 0. None weights
        the finest level with 1 and each coarser one with a half of the next finer.

    architecture_params : dict, default=None
        Further arguments of the trunk, such as ``{"filters": (64, 128, 256)}``. Each can be
        searched over as ``architecture__filters``.

    optimizer : str, class or keras.optimizers.Optimizer, default="adam"
        The optimizer [3]_: a name that Keras knows, or "muon", a form of Muon [4]_ for
        convolutions, to whose kernels it takes orthogonal steps, unlike Keras's own; it trains
        the architecture "fast" best. An instance is copied, never used itself.

    optimizer_params : dict, default=None
        Arguments of the optimizer, such as ``{"beta_1": 0.8}``; not for an instance.
        Each can be searched over as ``optimizer__beta_1``.

    learning_rate : float, default=None
        Step size of the optimizer, or the largest one of a schedule; None for the
        optimizer's own default (0.001 for Adam, 0.05 for "muon").

    learning_rate_schedule : {"constant", "cosine", "one-cycle"}, default="constant"
        How the learning rate changes from step to step over all epochs: "cosine" falls to 0
        along half a cosine [5]_; "one-cycle" rises in a straight line for the first quarter and
        falls in one to 0 [6]_.

    weight_decay : float, default=None
        Decoupled weight decay [7]_: each step also takes ``learning_rate * weight_decay``
        of each kernel away, but not of biases or normalisations. None for the optimizer's own.

    label_smoothing : float, default=0.0
        Fraction of the target probability that is spread over all classes [8]_.

    ema_decay : float, default=None
        Decay per step of an exponential moving average of the weights, with which the
        classifier is evaluated during the training and predicts after it. None for the last
        weights.

    augmentation : Augmentation, default=None
        How to distort the training images, anew in each epoch. Each of its parameters can be
        searched over, as ``augmentation__rotation``.

    test_time_augmentation : {"flip", "shift", "flip+shift"}, default=None
        Views of each image whose probabilities are averaged: "flip" adds its mirror image,
        "shift" it moved by one pixel towards two corners. Takes 2, 3 or 6 times as long.

    dtype : {"float32", "mixed_bfloat16", "mixed_float16", "auto"}, default="float32"
        What the network computes in during training; weights are float32 always, and so is
        prediction. "auto" takes a mixed type where the processor or GPU multiplies it in
        hardware.

    epochs : int, default=10
        Passes over the training data.

    batch_size : int, default=32
        Images per gradient step.

    validation_fraction : float, default=None
        Fraction of the training data to hold out, stratified by class, and to evaluate on after
        each epoch. None holds out 0.1 if ``early_stopping``, else nothing.

    early_stopping : bool, default=False
        Whether to stop when the validation loss has not become better for ``patience``
        epochs, and to go back to the weights of the best epoch.

    patience : int, default=5
        Epochs to wait for a better validation loss.

    class_weight : dict or "balanced", default=None
        Weight of each class, multiplied with ``sample_weight``; "balanced" weights
        classes inversely to their frequency.

    callbacks : list of keras.callbacks.Callback, default=None
        Callbacks for the training. Each fit uses copies of them.
        Batches are run 16 at a time, and so are the callbacks' batch-level methods called.

    checkpoint_dir : str or path-like, default=None
        Folder in which ``fit`` keeps its state after each epoch. If it is killed, the same fit
        with the same folder goes on from there, and gives the same result as an unbroken one; if
        it was finished, it is not trained again. What callbacks remember is lost. A folder that
        holds another fit is refused and left as it is: each candidate of a search needs its own.

    warm_start : bool, default=False
        Whether ``fit`` goes on from the weights of the last fit.

    image_shape : tuple of int, default=None
        ``(height, width)`` or ``(height, width, channels)`` of flat rows. None infers it:
        a square if there is one, gray before RGB; else one row of pixels.

    random_state : int, RandomState instance or None, default=None
        Seed of weights, order of images, augmentation, dropout and validation split. With an
        int, fits repeat bit for bit on one machine.

    verbose : int, default=0
        1 to show a progress bar during ``fit``.

    Attributes
    ----------
    levels_ : list of ndarray
        The names of each level's nodes, coarsest first; the last are the classes.

    classes_ : ndarray of shape (n_classes,)
        Class labels.

    n_features_in_ : int
        Number of pixels times channels of each image seen in ``fit``.

    feature_names_in_ : ndarray of shape (n_features,)
        Column names seen in ``fit``, where ``X`` was a DataFrame with string names.

    image_shape_ : tuple of int
        Height, width and channels.

    pixel_range_ : tuple of float
        Pixel values that the network sees as 0 and 1.

    n_iter_ : int
        Number of epochs trained.

    history_ : dict of str to list of float
        ``loss``, that of all levels by their weights, and ``accuracy``, that of the
        classes, of each epoch, and with held-out data ``val_loss`` and
        ``val_accuracy``, both those of the classes.

    model_ : keras.Model
        The trained network, for float32 images with pixels in [0, 1].

    See Also
    --------
    CNNClassifier : Without a tree.

    Notes
    -----
    The head of the classes decides; the others teach the trunk, in training, what the levels have
    in common. A coarse class's probability is the sum of those of the classes below it.

    ``partial_fit`` uses the first of several ``loss_weights``.

    References
    ----------
    .. [1] X. Zhu and M. Bain, "B-CNN: Branch Convolutional Neural Network for Hierarchical
       Classification", 2017.

    .. [2] Y. Seo and K. Shin, "Hierarchical convolutional neural networks for fashion image
       classification", Expert Systems with Applications 116, 2019.

    .. [3] D. P. Kingma and J. Ba, "Adam: A Method for Stochastic Optimization", ICLR 2015.

    .. [4] K. Jordan et al., "Muon: An optimizer for hidden layers in neural networks", 2024;
       for convolutions: K. Jordan, "94% on CIFAR-10 in 3.29 Seconds on a Single GPU", 2024.

    .. [5] I. Loshchilov and F. Hutter, "SGDR: Stochastic Gradient Descent with Warm Restarts",
       ICLR 2017, without restarts.

    .. [6] L. N. Smith and N. Topin, "Super-Convergence: Very Fast Training of Neural Networks
       Using Large Learning Rates", 2018.

    .. [7] I. Loshchilov and F. Hutter, "Decoupled Weight Decay Regularization", ICLR 2019.

    .. [8] C. Szegedy et al., "Rethinking the Inception Architecture for Computer Vision", CVPR
       2016, section 7.

    Examples
    --------
    >>> from fashionkit import HierarchicalCNNClassifier, make_garments
    >>> X, y = make_garments(600, random_state=0)
    >>> clf = HierarchicalCNNClassifier(
    ...     architecture_params={"filters": (8, 8, 16)}, epochs=2, random_state=0
    ... ).fit(X[:500], y[:500])
    >>> clf.predict_coarse(X[500:]).shape
    (100,)
    >>> clf.levels_[0].tolist()
    ['clothes', 'goods']
    """

    _parameter_constraints: dict = {
        **BaseKerasClassifier._parameter_constraints,
        "tree": [dict, StrOptions({"fashion-mnist", "cluster"}), None],
        "loss_weights": ["array-like", dict, None],
        "architecture_params": [dict, None],
    }

    _routed_params = {
        **BaseKerasClassifier._routed_params,
        "architecture": "architecture_params",
    }

    def __init__(
        self,
        tree: Mapping | str | None = None,
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
            The level: 0 for the coarsest. The last one is that of the classes.

        Returns
        -------
        y : ndarray of shape (n_samples,)
            Names from ``levels_[level]``.
        """
        probabilities = self.predict_proba_coarse(X, level)
        return self.levels_[level][probabilities.argmax(axis=1)]

    def predict_proba_coarse(self, X: Any, level: int = 0) -> np.ndarray:
        """Predict the probability of each node of one level of the tree for each image.

        A node's probability is the sum of those of the classes below it. The most probable node
        need not be that of the most probable class: two shirts can outweigh one bag.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features), (n_samples, height, width) or \
                (n_samples, height, width, channels)
            Images.

        level : int, default=0
            The level: 0 for the coarsest. The last one is that of the classes.

        Returns
        -------
        probabilities : ndarray of shape (n_samples, n_nodes), dtype=float32
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
            True labels: those of the classes, not of the level.

        level : int, default=0
            The level: 0 for the coarsest. The last one is that of the classes.

        sample_weight : array-like of shape (n_samples,), default=None
            Weight of each image.

        Returns
        -------
        accuracy : float
            Fraction of the images whose node is predicted correctly.
        """
        check_is_fitted(self)
        self._check_level(level)
        images = check_images(self, X)
        targets = encode_labels(check_targets(y, images), self.classes_)
        membership = self._hierarchy.membership(level)
        predicted = (self._probabilities(images) @ membership).argmax(axis=1)
        correct = predicted == membership[targets].argmax(axis=1)
        return float(np.average(correct, weights=sample_weight))

    def _check_level(self, level: Any) -> None:
        n_levels = self._hierarchy.n_levels
        if not isinstance(level, Integral) or not 0 <= level < n_levels:
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
        given = self.loss_weights
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

    def _probabilities(self, images: Images) -> np.ndarray:
        return super()._probabilities(images)[:, -len(self.classes_) :]
