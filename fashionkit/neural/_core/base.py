"""The scikit-learn contract over a Keras network: what all neural classifiers share."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from numbers import Integral, Real
from os import PathLike
from typing import Any, NamedTuple, Self

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin, _fit_context
from sklearn.utils import check_random_state
from sklearn.utils._param_validation import Interval, StrOptions
from sklearn.utils.multiclass import check_classification_targets, unique_labels
from sklearn.utils.validation import _check_sample_weight, check_is_fitted

from fashionkit._backbones.check import BackboneSource
from fashionkit._backbones.seeded import Arrays
from fashionkit._images import Images, check_images, check_targets, fit_images
from fashionkit.neural._core import scikeras
from fashionkit.neural._core.checkpoint import Checkpoint, fit_settings
from fashionkit.neural._core.engine import Compilation, borrow_engine
from fashionkit.neural._core.gradcam import encode_targets, grad_cam
from fashionkit.neural._core.inference import VIEWS, TrainedNetwork
from fashionkit.neural._core.network import NetworkSource, NetworkSpec
from fashionkit.neural._core.optimizers import SCHEDULES
from fashionkit.neural._core.params import RoutedParams
from fashionkit.neural._core.precision import DTYPES, resolve_dtype
from fashionkit.neural._core.samples import Samples, encode_labels, hold_out, make_samples
from fashionkit.neural._core.targets import Targets, class_targets
from fashionkit.neural._core.training import Schedule, train
from fashionkit.preprocessing import Augmentation

_DEFAULT_VALIDATION_FRACTION = 0.1

Pair = tuple[Samples, Samples | None]
History = dict[str, list[float]]


class Evaluation(NamedTuple):
    """Mean cross-entropy and accuracy on some images."""

    loss: float
    accuracy: float


def _as_they_are(samples: Samples, validation: Samples | None) -> Pair:
    return samples, validation


@dataclass(frozen=True)
class Phase:
    """One training of one network; most fits are one phase.

    Parameters
    ----------
    spec : NetworkSpec
        What is trained.

    epochs : int
        For how long.

    first_epoch : int
        Epochs trained before.

    augmentation : Augmentation or None
        How to distort the images.

    learning_rate : float or None
        Step size, where it is not the one of the estimator's optimizer.

    checkpoint_dir : str, path-like or None
        Where to keep the state.

    trained : TrainedNetwork or None
        What to go on from.

    first_values : dict of str to list of ndarray, or None
        What layers begin with that are not drawn, where there is nothing to go on from.

    fixed : list of ndarray
        Weights that are not trained here, but decide the result.

    prepare : callable
        Makes what is trained and evaluated on of the samples, if there is anything to train.
    """

    spec: NetworkSpec
    epochs: int
    first_epoch: int
    augmentation: Augmentation | None
    learning_rate: float | None
    checkpoint_dir: str | PathLike | None
    trained: TrainedNetwork | None
    first_values: dict[str, Arrays] | None = None
    fixed: Sequence[np.ndarray] = ()
    prepare: Callable[[Samples, Samples | None], Pair] = _as_they_are


class BaseKerasClassifier(ClassifierMixin, RoutedParams, BackboneSource, BaseEstimator):
    """Base of classifiers whose model is a Keras network.

    A subclass declares its constructor's parameters, among them all those of
    ``_parameter_constraints``, and names its network in ``_network_spec``.
    """

    _parameter_constraints: dict = {
        "optimizer": "no_validation",  # by _scikeras, which knows Keras's names
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
        "callbacks": ["array-like", None],
        "checkpoint_dir": [str, PathLike, None],
        "warm_start": ["boolean"],
        "image_shape": [tuple, None],
        "random_state": ["random_state"],
        "verbose": ["verbose"],
    }

    @_fit_context(prefer_skip_nested_validation=True)
    def fit(
        self,
        X: Any,
        y: Any,
        sample_weight: Any = None,
        validation_data: tuple | None = None,
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

        validation_data : tuple (X, y), default=None
            Images and labels to evaluate on after each epoch; by default
            ``validation_fraction`` of the training data.

        Returns
        -------
        self : estimator
            This estimator, fitted.

        Raises
        ------
        ValueError
            If the data is not valid, or the training loss becomes infinite.
        """
        goes_on = self.warm_start and hasattr(self, "_network")
        if goes_on:
            images = check_images(self, X)
            y = check_targets(y, images)
        else:
            self._forget_fit()
            images, y = fit_images(self, X, y)
        check_classification_targets(y)
        if not goes_on:
            self.classes_ = self._check_classes(unique_labels(y))
        samples = make_samples(
            images,
            y,
            self.classes_,
            sample_weight=sample_weight,
            class_weight=self.class_weight,
            normalize=True,
        )
        self._draw_seed(from_checkpoint=True)
        samples, validation = self._held_out(samples, validation_data)
        if not goes_on:
            self._learn_classes(samples)
        self._train(samples, validation, epochs=self.epochs, is_whole=True)
        return self

    @_fit_context(prefer_skip_nested_validation=True)
    def partial_fit(self, X: Any, y: Any, classes: Any = None, sample_weight: Any = None) -> Self:
        """Train for one epoch on a chunk of the data, going on from earlier calls.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features), (n_samples, height, width) or \
                (n_samples, height, width, channels)
            Images of this chunk. The first chunk decides the pixel range.

        y : array-like of shape (n_samples,)
            Class labels.

        classes : array-like of shape (n_classes,), default=None
            All labels that any chunk has. Required in the first call.

        sample_weight : array-like of shape (n_samples,), default=None
            Weight of each image, used as it is: weights of several chunks compare.

        Returns
        -------
        self : estimator
            This estimator, fitted.

        Raises
        ------
        ValueError
            If the data is not valid, ``classes`` is missing in the first call or has changed
            since, or ``y`` has other labels.
        """
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
            images, y = fit_images(self, X, y)
            self.classes_ = self._check_classes(unique_labels(classes))
        else:
            images = check_images(self, X)
            y = check_targets(y, images)
            if classes is not None and not np.array_equal(unique_labels(classes), self.classes_):
                raise ValueError(
                    f"classes={classes!r} is not the same as on the last call to partial_fit, "
                    f"was {self.classes_!r}."
                )
        check_classification_targets(y)
        samples = make_samples(
            images,
            y,
            self.classes_,
            sample_weight=sample_weight,
            class_weight=self.class_weight,
        )
        if not hasattr(self, "_network"):
            self._learn_classes(samples)
        self._train(samples, None, epochs=1)
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
        probabilities = self.predict_proba(X)
        return self.classes_[probabilities.argmax(axis=1)]

    def predict_proba(self, X: Any) -> np.ndarray:
        """Predict the probability of each class for each image.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features), (n_samples, height, width) or \
                (n_samples, height, width, channels)
            Images.

        Returns
        -------
        probabilities : ndarray of shape (n_samples, n_classes), dtype=float32
            Probabilities, in the order of ``classes_``.
        """
        check_is_fitted(self)
        return self._probabilities(check_images(self, X))

    def predict_log_proba(self, X: Any) -> np.ndarray:
        """Predict the logarithm of the probability of each class for each image.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features), (n_samples, height, width) or \
                (n_samples, height, width, channels)
            Images.

        Returns
        -------
        log_probabilities : ndarray of shape (n_samples, n_classes), dtype=float32
            Natural logarithms, in the order of ``classes_``; of a probability of 0, that of the
            smallest float32.
        """
        return _log(self.predict_proba(X))

    def evaluate(self, X: Any, y: Any, sample_weight: Any = None) -> Evaluation:
        """Compute loss and accuracy on labelled images.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features), (n_samples, height, width) or \
                (n_samples, height, width, channels)
            Images.

        y : array-like of shape (n_samples,)
            True labels.

        sample_weight : array-like of shape (n_samples,), default=None
            Weight of each image.

        Returns
        -------
        evaluation : named tuple
            ``loss``, the mean cross-entropy in nats, and ``accuracy``, the fraction classified
            correctly.
        """
        check_is_fitted(self)
        images = check_images(self, X)
        targets = encode_labels(check_targets(y, images), self.classes_)
        if sample_weight is not None:
            sample_weight = _check_sample_weight(sample_weight, images.pixels)
        probabilities = self._probabilities(images)
        losses = -_log(probabilities[np.arange(len(targets)), targets])
        correct = probabilities.argmax(axis=1) == targets
        return Evaluation(
            loss=float(np.average(losses, weights=sample_weight)),
            accuracy=float(np.average(correct, weights=sample_weight)),
        )

    def explain(self, X: Any, *, targets: Any = None, layer: str | None = None) -> np.ndarray:
        """Show which parts of each image speak for a class, by Grad-CAM.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features), (n_samples, height, width) or \
                (n_samples, height, width, channels)
            Images.

        targets : array-like of shape (n_samples,), default=None
            The class to explain, for each image; by default the predicted one.

        layer : str, default=None
            The layer of the network to look at, one whose output is an image of more than
            one pixel; by default the last of these. :meth:`summary` has the names.

        Returns
        -------
        heat_maps : ndarray of shape (n_samples, height, width), dtype=float32
            From 0 to 1, which is the hottest pixel of each image. A map is 0 throughout
            where nothing speaks for the class.

        Raises
        ------
        ValueError
            If ``targets`` has unknown labels, or the network has no such layer.

        See Also
        --------
        fashionkit.plotting.plot_explanations : Draw the maps over the images.

        Notes
        -----
        The channels of the layer are summed, each weighted by the mean gradient of the
        class's score before the softmax; what is negative is left out [1]_. A map is as
        fine as the layer is, and enlarged to the image's size; of a network that pads its
        images, the map shows the padding too.

        References
        ----------
        .. [1] R. R. Selvaraju, M. Cogswell, A. Das, R. Vedantam, D. Parikh and D. Batra,
           "Grad-CAM: Visual Explanations from Deep Networks via Gradient-based
           Localization", ICCV 2017.

        Examples
        --------
        >>> from fashionkit import CNNClassifier, make_garments
        >>> X, y = make_garments(100, random_state=0)
        >>> clf = CNNClassifier(epochs=1, random_state=0).fit(X, y)
        >>> clf.explain(X[:3]).shape
        (3, 28, 28)
        """
        check_is_fitted(self)
        images = check_images(self, X)
        if targets is None:
            indices = self._probabilities(images).argmax(axis=1)
        else:
            indices = encode_targets(targets, images, self.classes_)
        model = self._network.keras_model()
        # Where the network has outputs beside those of the classes, the classes come last.
        indices = indices + (model.output_shape[1] - len(self.classes_))
        return grad_cam(model, images, indices, layer=layer)

    def summary(self) -> str:
        """Describe the network layer by layer.

        Returns
        -------
        summary : str
            Keras's table of layers, output shapes and numbers of parameters.
        """
        lines: list[str] = []
        self.model_.summary(print_fn=lambda line, **_: lines.append(line))
        return "\n".join(lines)

    @property
    def model_(self) -> Any:
        """The trained network as a ``keras.Model`` of its own, for pixels in [0, 1]."""
        if not hasattr(self, "_network"):
            raise AttributeError(f"This {type(self).__name__} has no model_ before it is fitted.")
        return self._network.keras_model()

    def _backbone_source(self) -> tuple[Callable, Any] | None:
        if not hasattr(self, "_network"):
            return None
        return NetworkSource(self._network.spec), self._network.keras_model()

    def _learn_classes(self, samples: Samples) -> None:
        """Learn what a subclass needs to know of the classes beside their labels."""

    def _probabilities(self, images: Images) -> np.ndarray:
        """Return the probabilities of the classes, of shape (n_samples, n_classes)."""
        return self._network.predict_proba(images, self.test_time_augmentation)

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

    def _held_out(
        self, samples: Samples, validation_data: tuple | None
    ) -> tuple[Samples, Samples | None]:
        """Decide what is trained on and what is held out."""
        if validation_data is not None:
            return samples, self._validation_samples(validation_data)
        fraction = self.validation_fraction
        if fraction is None and self.early_stopping:
            fraction = _DEFAULT_VALIDATION_FRACTION
        if fraction is None:
            return samples, None
        return hold_out(samples, fraction, self._draw_seed())

    def _validation_samples(self, validation_data: tuple) -> Samples:
        if not isinstance(validation_data, tuple | list) or len(validation_data) != 2:
            raise ValueError(
                f"validation_data must be a pair (X, y), got {type(validation_data).__name__}"
                f"{f' of {len(validation_data)}' if hasattr(validation_data, '__len__') else ''}."
            )
        images = check_images(self, validation_data[0])
        return make_samples(images, check_targets(validation_data[1], images), self.classes_)

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
        phase = Phase(
            spec=replace(spec, dtype=resolve_dtype(self.dtype)),
            epochs=epochs,
            first_epoch=getattr(self, "n_iter_", 0),
            augmentation=self._active_augmentation(),
            learning_rate=None,
            checkpoint_dir=self.checkpoint_dir if is_whole else None,
            trained=getattr(self, "_network", None),
        )
        self._network, history = self._run(phase, samples, validation)
        self._record(history)

    def _run(
        self, phase: Phase, samples: Samples, validation: Samples | None
    ) -> tuple[TrainedNetwork, History]:
        """Train one phase, and return the network and its history."""
        targets, n_last = self._targets()
        trained = phase.trained
        schedule = Schedule(
            epochs=phase.epochs,
            batch_size=self.batch_size,
            seed=self._draw_seed(),
            first_epoch=phase.first_epoch,
            patience=self.patience if self.early_stopping and validation else None,
            targets=targets,
            augmentation=phase.augmentation,
            callbacks=tuple(self.callbacks or ()),
            verbose=int(self.verbose),
        )
        checkpoint = self._checkpoint(phase, samples, validation)
        compilation = Compilation(targets is not None, n_last, self.learning_rate_schedule)
        n_steps = phase.epochs * -(-len(samples.rows) // self.batch_size)
        optimizer = self._make_optimizer()
        if phase.learning_rate is not None:
            optimizer.learning_rate = phase.learning_rate
        with borrow_engine(phase.spec, optimizer, compilation) as (engine, learning_rate):
            if self.learning_rate_schedule != "constant" and learning_rate is None:
                raise ValueError(
                    f"learning_rate_schedule={self.learning_rate_schedule!r}, but the optimizer "
                    "has a schedule of its own; pass one of them."
                )
            if checkpoint is not None and checkpoint.state is not None:
                state = checkpoint.state
                engine.resume(
                    state.weights, state.optimizer_state, learning_rate, n_steps, state.first_step
                )
            elif trained is not None:
                weights = trained.latest or trained.trainable, trained.non_trainable
                engine.go_on(weights, trained.optimizer_state, learning_rate, n_steps)
            else:
                engine.start(schedule.seed, learning_rate, n_steps, phase.first_values)
            if checkpoint is None or not checkpoint.is_finished:
                samples, validation = phase.prepare(samples, validation)
            training = train(engine, samples, validation, schedule, checkpoint)
            state = engine.get_optimizer_state(has_latest=training.latest is not None)
            network = TrainedNetwork(phase.spec, *training.weights, state, training.latest)
        return network, training.history

    def _checkpoint(
        self, phase: Phase, samples: Samples, validation: Samples | None
    ) -> Checkpoint | None:
        if phase.checkpoint_dir is None:
            return None
        trained = phase.trained
        start = phase.first_values
        if trained is not None:
            start = trained.trainable, trained.optimizer_state.values
        if len(phase.fixed):
            start = start, phase.fixed
        settings = fit_settings(self, phase.spec, self._draw_seed(), samples, validation, start)
        return Checkpoint(phase.checkpoint_dir, settings)

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

    def _make_optimizer(self) -> Any:
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
        return scikeras.make_optimizer(self.optimizer, params | ours)

    def __sklearn_is_fitted__(self) -> bool:
        return hasattr(self, "_network")

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.three_d_array = True
        return tags


def _log(probabilities: np.ndarray) -> np.ndarray:
    return np.log(np.maximum(probabilities, np.finfo(np.float32).tiny))
