"""The scikit-learn contract over a Keras network: what all neural classifiers share."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from dataclasses import replace
from numbers import Integral, Real
from os import PathLike
from typing import Any, Self

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin, _fit_context
from sklearn.utils import check_random_state
from sklearn.utils._param_validation import HasMethods, Interval, StrOptions
from sklearn.utils.multiclass import check_classification_targets, unique_labels

from fashionkit._backbones.check import BackboneSource
from fashionkit._backbones.seeded import keras_settings
from fashionkit._doc_link import DocLinkMixin
from fashionkit._images import Images, check_targets, fit_images, users_level
from fashionkit.neural._core import scikeras
from fashionkit.neural._core.callbacks import check_callbacks, check_copies
from fashionkit.neural._core.checkpoint import Checkpoint
from fashionkit.neural._core.epochs import History
from fashionkit.neural._core.fingerprint import describe_params
from fashionkit.neural._core.interruption import kept_if_interrupted
from fashionkit.neural._core.network import NetworkSource, NetworkSpec
from fashionkit.neural._core.optimizers import SCHEDULES
from fashionkit.neural._core.params import RoutedParams
from fashionkit.neural._core.precision import DTYPES, resolve_dtype
from fashionkit.neural._core.predicting import PredictionMixin
from fashionkit.neural._core.samples import Samples, hold_out, make_samples, resolve_class_weight
from fashionkit.neural._core.targets import Targets, class_targets
from fashionkit.neural._core.training import Phase, train
from fashionkit.preprocessing import Augmentation
from fashionkit.preprocessing._views import VIEWS

_DEFAULT_VALIDATION_FRACTION = 0.1


class BaseKerasClassifier(
    PredictionMixin, RoutedParams, BackboneSource, DocLinkMixin, ClassifierMixin, BaseEstimator
):
    """Base of classifiers whose model is a Keras network.

    A subclass declares its constructor's parameters, among them all those of
    ``_parameter_constraints``, and names its network in ``_network_spec``.
    """

    _parameter_constraints: dict = {
        "optimizer": "no_validation",  # by scikeras.py, which knows Keras's names
        "optimizer_params": [dict, None],
        "learning_rate": [Interval(Real, 0, None, closed="neither"), None],
        "learning_rate_schedule": [StrOptions(set(SCHEDULES))],
        "weight_decay": [Interval(Real, 0, None, closed="left"), None],
        "label_smoothing": [Interval(Real, 0, 1, closed="left")],
        "ema_decay": [Interval(Real, 0, 1, closed="neither"), None],
        "augmentation": [Augmentation, None],
        "test_time_augmentation": [StrOptions(set(VIEWS)), None],
        "dtype": [StrOptions(set(DTYPES))],
        "epochs": [Interval(Integral, 1, None, closed="left")],
        "batch_size": [Interval(Integral, 1, None, closed="left")],
        "validation_fraction": [Interval(Real, 0, 1, closed="neither"), None],
        "early_stopping": ["boolean"],
        "patience": [Interval(Integral, 0, None, closed="left")],
        "class_weight": [StrOptions({"balanced"}), dict, None],
        "callbacks": ["array-like", HasMethods("set_model"), None],
        "checkpoint_dir": [str, PathLike, None],
        "warm_start": ["boolean"],
        "image_shape": [tuple, None],
        "random_state": ["random_state"],
        "verbose": ["verbose"],
    }

    @_fit_context(prefer_skip_nested_validation=True)
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
        """Train the network.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features), (n_samples, height, width) or \
                (n_samples, height, width, channels)
            Training images.

        y : array-like of shape (n_samples,)
            Class labels of any type.

        sample_weight : array-like of shape (n_samples,), default=None
            Weight of each image. Weights are scaled to a mean of 1, so that only
            their ratios matter; images of weight 0 are left out.

        X_val : array-like, default=None
            Images to evaluate on after each epoch, in any form of ``X``; None for
            ``validation_fraction`` of the training data.

        y_val : array-like of shape (n_val_samples,), default=None
            Their class labels.

        sample_weight_val : array-like of shape (n_val_samples,), default=None
            Weight of each of these images.

        Returns
        -------
        self : estimator
            This estimator, fitted.

        Raises
        ------
        ValueError
            If the data is invalid, or the training loss becomes infinite.

        KeyboardInterrupt
            After Ctrl-C in the first epoch; an earlier fit is kept.

        Warns
        -----
        UserWarning
            After Ctrl-C in a later epoch; the classifier keeps the weights trained until then. With
            ``checkpoint_dir``, the next ``fit`` resumes after the last complete epoch.

        Notes
        -----
        The loss on held-out images is weighted by sample weights and ``class_weight``, as that on
        the training images is, whether they are given as ``X_val`` or held out by
        ``validation_fraction``. Accuracies in ``history_`` are not weighted.
        """
        return self._fit(X, y, sample_weight, X_val, y_val, sample_weight_val)

    def _fit(
        self,
        X: Any,
        y: Any,
        sample_weight: Any,
        X_val: Any,
        y_val: Any,
        sample_weight_val: Any,
        soften: Callable[[Samples, int], Samples] | None = None,
    ) -> Self:
        """Train the network; ``soften`` replaces the samples, given these and the seed."""
        self._check_validation_given(X_val, y_val, sample_weight_val)
        goes_on = self.warm_start and hasattr(self, "_network")
        if goes_on:
            images = self._check_images(X)
            y = check_targets(y, images)
        else:
            self._forget_fit()
            images, y = fit_images(self, X, y, standardize=True)
        check_classification_targets(y)
        if not goes_on:
            self.classes_ = self._check_classes(unique_labels(y))
        class_weight = resolve_class_weight(self.class_weight, y)
        samples = self._make_samples(images, y, sample_weight, class_weight)
        seed = self._draw_seed(from_checkpoint=True)
        if soften is not None:
            samples = soften(samples, seed)
        validation: Samples | None
        if X_val is not None:
            images = self._check_images(X_val)
            targets = check_targets(y_val, images)
            validation = self._make_samples(
                images, targets, sample_weight_val, class_weight, name="sample_weight_val"
            )
        else:
            samples, validation = self._hold_out(samples)
        if not goes_on:
            self._learn_classes(samples)
        self._train(samples, validation, epochs=self.epochs, is_whole=True)
        return self

    @_fit_context(prefer_skip_nested_validation=True)
    @kept_if_interrupted
    def partial_fit(self, X: Any, y: Any, classes: Any = None, sample_weight: Any = None) -> Self:
        """Train for one epoch on a chunk of the data, from the weights of earlier calls.

        The optimizer resumes its state after the last ``partial_fit``; after ``fit`` it starts
        anew, unless ``warm_start`` was set.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features), (n_samples, height, width) or \
                (n_samples, height, width, channels)
            Images of this chunk. The first chunk determines the pixel range.

        y : array-like of shape (n_samples,)
            Class labels.

        classes : array-like of shape (n_classes,), default=None
            All labels that occur in any chunk. Required in the first call.

        sample_weight : array-like of shape (n_samples,), default=None
            Weight of each image. It is not rescaled, so that weights of different chunks are
            comparable.

        Returns
        -------
        self : estimator
            This estimator, fitted.

        Raises
        ------
        ValueError
            If the data is invalid, ``classes`` is missing in the first call or has changed since,
            or ``y`` has other labels.

        Warns
        -----
        UserWarning
            If ``early_stopping`` or ``validation_fraction`` is set, which has no effect here.
        """
        if self.early_stopping or self.validation_fraction is not None:
            warnings.warn(
                f"early_stopping={self.early_stopping} and validation_fraction="
                f"{self.validation_fraction} have no effect in partial_fit, which trains for one "
                "epoch on all that it is given; evaluate on images of your own after it.",
                UserWarning,
                stacklevel=users_level(),
            )
        if self.class_weight == "balanced":
            raise ValueError(
                "class_weight='balanced' needs all labels, and partial_fit sees a chunk of them; "
                "pass a dict, such as compute_class_weight of scikit-learn gives."
            )
        if self.learning_rate_schedule != "constant":
            raise ValueError(
                f"learning_rate_schedule={self.learning_rate_schedule!r} needs to know how long "
                "the training will be, which partial_fit does not; pass 'constant'."
            )
        if not hasattr(self, "_network"):
            if classes is None:
                raise ValueError("classes must be passed on the first call to partial_fit.")
            self._forget_fit()
            images, y = fit_images(self, X, y, standardize=True)
            self.classes_ = self._check_classes(unique_labels(classes))
        else:
            images = self._check_images(X)
            y = check_targets(y, images)
            if classes is not None and not np.array_equal(unique_labels(classes), self.classes_):
                raise ValueError(
                    f"classes={classes!r} is not the same as on the last call to partial_fit, "
                    f"was {self.classes_!r}."
                )
        check_classification_targets(y)
        samples = self._make_samples(images, y, sample_weight, self.class_weight, normalize=False)
        if not hasattr(self, "_network"):
            self._learn_classes(samples)
        self._train(samples, None, epochs=1)
        return self

    def _backbone_source(self) -> tuple[Callable, Any] | None:
        if not hasattr(self, "_network"):
            return None
        return NetworkSource(self._network.spec), self._network.keras_model()

    def _learn_classes(self, samples: Samples) -> None:
        """Learn what a subclass needs to know of the classes beside their labels."""

    def _network_spec(self, image_shape: tuple[int, int, int], n_classes: int) -> NetworkSpec:
        """Name the network to train."""
        raise NotImplementedError

    def _forget_fit(self) -> None:
        """Make sure that a fit that fails leaves nothing that mixes with what it has set."""
        for name in ("_network", "_seed", "history_", "n_iter_"):
            self.__dict__.pop(name, None)

    def _check_classes(self, classes: np.ndarray) -> np.ndarray:
        if len(classes) < 2:
            raise ValueError(
                f"{type(self).__name__} needs samples of at least 2 classes in y, but y contains "
                f"only one class: {classes.tolist()[0]!r}."
            )
        return classes

    def _check_validation_given(self, X_val: Any, y_val: Any, sample_weight_val: Any) -> None:
        missing = "X_val" if X_val is None else "y_val" if y_val is None else None
        given = {"X_val": X_val, "y_val": y_val, "sample_weight_val": sample_weight_val}
        present = [name for name, value in given.items() if value is not None]
        if missing is not None and present:
            raise ValueError(
                f"{present[0]} was given without {missing}; pass both, or neither to hold out "
                "validation_fraction of the training data."
            )

    def _make_samples(
        self,
        images: Images,
        y: np.ndarray,
        sample_weight: Any,
        class_weight: dict | None,
        *,
        normalize: bool = True,
        name: str = "sample_weight",
    ) -> Samples:
        return make_samples(
            images,
            y,
            self.classes_,
            sample_weight=sample_weight,
            class_weight=class_weight,
            normalize=normalize,
            name=name,
        )

    def _hold_out(self, samples: Samples) -> tuple[Samples, Samples | None]:
        """Hold out ``validation_fraction`` of the training data, if it is asked for."""
        fraction = self.validation_fraction
        if fraction is None and self.early_stopping:
            fraction = _DEFAULT_VALIDATION_FRACTION
        if fraction is None:
            return samples, None
        return hold_out(samples, fraction, self._draw_seed())

    def _draw_seed(self, *, from_checkpoint: bool = False) -> int:
        """Draw this fit's seed, once; a fit that goes on from a checkpoint has one already."""
        if not hasattr(self, "_seed"):
            seed = None
            is_free = not isinstance(self.random_state, Integral)
            if from_checkpoint and self.checkpoint_dir is not None and is_free:
                seeds = map(Checkpoint.read_seed, self._checkpoint_folders())
                seed = next((seed for seed in seeds if seed is not None), None)
            if seed is None:
                seed = int(check_random_state(self.random_state).randint(2**31 - 1))
            self._seed = seed
        return self._seed

    def _checkpoint_folders(self) -> list[str | PathLike]:
        """Return the folders in which a fit may have kept its state, the last phase first."""
        return [self.checkpoint_dir]

    def _train(
        self,
        samples: Samples,
        validation: Samples | None,
        *,
        epochs: int,
        is_whole: bool = False,
    ) -> None:
        """Train from scratch, or from the present weights where there are any."""
        spec = self._network_spec(self.image_shape_, len(self.classes_))
        phase = self._phase(
            spec=replace(spec, dtype=resolve_dtype(self.dtype)),
            epochs=epochs,
            is_whole=is_whole,
            has_validation=validation is not None,
            augmentation=self._active_augmentation(),
            trained=getattr(self, "_network", None),
        )
        self._network, history, _ = train(phase, samples, validation)
        self._record(history)

    def _phase(
        self,
        *,
        is_whole: bool,
        has_validation: bool,
        learning_rate: float | None = None,
        checkpoint_dir: str | PathLike | None = None,
        **fields: Any,
    ) -> Phase:
        """Describe a training by this estimator's parameters, and by what differs from them."""
        targets, n_last = self._targets()
        folder = (checkpoint_dir or self.checkpoint_dir) if is_whole else None
        settings = {}
        if folder is not None:
            settings = describe_params(self.get_params(deep=False))
            settings["classes"] = repr(self.classes_.tolist())
        return Phase(
            optimizer=self._make_optimizer(learning_rate),
            batch_size=self.batch_size,
            seed=self._draw_seed(),
            schedule=self.learning_rate_schedule,
            patience=self.patience if self.early_stopping and has_validation else None,
            targets=targets,
            n_last=n_last,
            callbacks=check_callbacks(self.callbacks),
            checkpoint_dir=folder,
            settings=settings,
            keeps_optimizer=self.warm_start or not is_whole,
            verbose=int(self.verbose),
            **{"first_epoch": getattr(self, "n_iter_", 0), **fields},
        )

    def _record(self, history: History) -> None:
        """Add to the history of earlier fits."""
        done = getattr(self, "n_iter_", 0)
        before, new = getattr(self, "history_", {}), len(history["loss"])
        # Epochs without held-out data have no val_loss: the lists stay of one length.
        self.history_ = {
            name: [*before.get(name, [np.nan] * done), *history.get(name, [np.nan] * new)]
            for name in (*before, *(name for name in history if name not in before))
        }
        self.n_iter_ = done + new

    def _active_augmentation(self) -> Augmentation | None:
        """Check the augmentation; None where it changes nothing."""
        if self.augmentation is None:
            return None
        self.augmentation._validate_params()
        return None if self.augmentation.is_identity else self.augmentation

    def _targets(self) -> tuple[Targets | None, int | None]:
        """Return what outputs to aim at, and of how many of the last the accuracy is told."""
        mixes = self.augmentation is not None and self.augmentation.mixes_targets
        if not self.label_smoothing and not mixes:
            return None, None
        return class_targets(len(self.classes_), self.label_smoothing), None

    def _make_optimizer(self, learning_rate: float | None = None) -> Any:
        params = dict(self.optimizer_params or {})
        ours = {"learning_rate": self.learning_rate, "weight_decay": self.weight_decay}
        ours = {name: float(value) for name, value in ours.items() if value is not None}
        for name in ours:
            if name in params:
                raise ValueError(
                    f"{name}={ours[name]!r} and optimizer_params={params!r} both set the "
                    f"{name.replace('_', ' ')}; pass one of them."
                )
        if self.ema_decay is not None:
            ours |= {"use_ema": True, "ema_momentum": float(self.ema_decay)}
        with keras_settings():
            optimizer = scikeras.make_optimizer(self.optimizer, params | ours)
        if learning_rate is not None:
            optimizer.learning_rate = learning_rate
        return optimizer

    def __sklearn_clone__(self) -> Self:
        check_copies(self.callbacks)
        return super().__sklearn_clone__()

    def __sklearn_is_fitted__(self) -> bool:
        return hasattr(self, "_network")

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.three_d_array = True
        return tags
