"""Transfer learning as a scikit-learn classifier: a backbone, a head, and fine-tuning."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from numbers import Integral, Real
from os import PathLike
from pathlib import Path
from typing import Any, Self

import numpy as np
from sklearn.utils._param_validation import Interval, StrOptions

from fashionkit._backbones.check import check_backbone, resize_backbone
from fashionkit._backbones.networks import POOLINGS, Backbone
from fashionkit._backbones.seeded import Arrays
from fashionkit._backbones.weights import load_weights
from fashionkit.neural import recipes
from fashionkit.neural._core.base import BaseKerasClassifier
from fashionkit.neural._core.docs import document_training
from fashionkit.neural._core.epochs import History
from fashionkit.neural._core.network import Network, NetworkSpec
from fashionkit.neural._core.precision import resolve_dtype
from fashionkit.neural._core.samples import Samples
from fashionkit.neural._core.training import LayerRates, train
from fashionkit.neural._transfer_head import enlarged, extractor_of, head_spec, train_head
from fashionkit.neural._transfer_network import stages_behind_variables, transfer
from fashionkit.preprocessing import Augmentation

# Of the learning rate of the head, where the one of fine-tuning is not given.
_FINE_TUNING_SHARE = 0.1

# Where in ``checkpoint_dir`` the first of two phases keeps its state.
_HEAD_FOLDER = "head"

# The same of the first half of fine-tuning, where its images have another size.
_FIRST_SIZE_FOLDER = "first_size"


@document_training(
    learning_rate="""
    Learning rate of the optimizer in the first phase, or the maximum of a schedule. None for the
    optimizer's default (0.001 for Adam).
    """,
    learning_rate_schedule="""
    Schedule of the learning rate in each phase: "cosine" decays to 0 along half a cosine
    (Loshchilov and Hutter 2017, without restarts); "warmup-cosine" does so after a linear warm-up
    over the first tenth (Goyal et al. 2017); "one-cycle" rises linearly for the first quarter and
    decays linearly to 0 (Smith and Topin 2018).
    """,
    augmentation="""
    Random distortion of the training images, drawn anew in each epoch. With ``fine_tune`` the head
    is first trained on undistorted images. Otherwise, every epoch computes the whole network.
    """,
    epochs="Number of passes over the training data in the first phase.",
    early_stopping="""
    Whether to stop a phase when the validation loss has not improved for ``patience`` epochs, and
    to restore the weights of the best epoch.
    """,
    callbacks="Callbacks of the training, used in both phases.",
    checkpoint_dir="""
    Folder in which ``fit`` saves its state after each epoch. The first phase before fine-tuning
    uses the subfolder ``head``, epochs with ``fine_tune_first_size`` the subfolder ``first_size``.
    If interrupted, the same fit resumes there.
    """,
    warm_start="""
    Whether ``fit`` starts from the weights of the last fit; with ``fine_tune`` it only continues
    the second phase. The optimizer's state is also resumed if the last fit used ``warm_start`` or
    ``partial_fit``.
    """,
    random_state="""
    Seed of the head's initial weights, order of images, augmentation, dropout and validation split,
    and of the network for ``weights=None``.
    """,
    verbose="""
    Verbosity: 1 shows progress bars during ``fit``, and the reason if features cannot be computed
    once for all epochs.
    """,
    n_iter_="Number of epochs trained, of both phases.",
)
class TransferClassifier(BaseKerasClassifier):
    """Transfer learning: a pretrained network with a new head, optionally fine-tuned.

    The head is trained first, on features of the frozen network, which are computed only once if
    they do not change between epochs. With ``fine_tune``, the network is then trained together with
    the head, at a lower learning rate.

    Read more in the :ref:`User Guide <transfer>`.

    Parameters
    ----------
    backbone : str or callable, default="mobilenetv2"
        Network of ``keras.applications``, in small letters: "mobilenetv2" [1]_, "mobilenetv3small",
        "mobilenetv3large", "efficientnetv2b0", "resnet50v2", "densenet121", "inceptionv3" and so
        on; or a function ``(input_shape)`` that returns a ``keras.Model`` for RGB images in [0, 1].

    layers : str or list of str, default=None
        Input layers of the head, by name, or by level: "low", "mid", "high" and "last", as in
        :class:`~fashionkit.BackboneFeatures`. None for the last layer. Layers after the deepest of
        them are removed.

    weights : "imagenet", path, fitted classifier or None, default="imagenet"
        Initial weights of the network, as in :class:`~fashionkit.BackboneFeatures`.

    alpha : float, default=1.0
        Width multiplier of the network, if it has several widths.

    image_size : int or tuple of int, default=None
        Size that images are resized to, or ``(height, width)``. None keeps their size, but at least
        the minimum of the network.

    channels : {"repeat", "conv"}, default="repeat"
        Conversion of gray images to three channels: "repeat" repeats them and scales them as the
        network expects; "conv" applies a 3×3 convolution with ReLU that is trained together with
        the head, so that every epoch computes the whole network.

    pooling : {"avg", "max", "grid", "flatten"}, default="avg"
        How to pool each channel of a layer for the head: its mean, its maximum, the means of
        ``grid`` by ``grid`` fields, or all of its values.

    grid : int, default=4
        Number of fields per side for ``pooling="grid"``.

    head_units : int, list of int or None, default=None
        Number of units of each dense layer with ReLU between the features and the output; None for
        no such layer.

    dropout : float, default=0.0
        Dropout rate after each of these layers, or on the features without such a layer.

    fine_tune : False, "all" or int, default=False
        Layers to train together with the head in the second phase: "all", or the number of last
        layers, as counted by Keras. False skips the second phase. Batch normalisation always keeps
        its statistics.

    fine_tune_epochs : int, default=5
        Number of passes over the training data in the second phase.

    fine_tune_learning_rate : float, default=None
        Learning rate in the second phase; None for a tenth of that of the first phase.

    fine_tune_layer_decay : float, default=1.0
        Layer-wise decay of the learning rate in the second phase [2]_: the rate of each stage of
        the network, as a fraction of that of the following stage. The last stage has the learning
        rate of the head. A stage ends where the resolution is about halved.

    fine_tune_gradually : bool, default=False
        Whether to unfreeze the network gradually [2]_: the second phase begins with the last stage
        and the head, and each epoch adds one stage.

    fine_tune_first_size : int or tuple of int, default=None
        Image size in the first half of the epochs of the second phase; None for ``image_size``.
        Smaller images make these epochs cheaper [3]_. The learning rate schedule runs once in each
        half; ``fine_tune_gradually`` begins in the first half.

    {training_parameters}

    Attributes
    ----------
    {fitted_attributes}

    See Also
    --------
    fashionkit.BackboneFeatures : Features of a frozen network, for any classifier.
    CNNClassifier : Network trained from scratch.
    fashionkit.make_baseline : Makes pipelines of frozen features and a classical classifier.

    Notes
    -----
    A fitted classifier contains all weights of its network. A pickle of it can be loaded without
    the file that they came from.

    ``partial_fit`` trains the layers of the last phase for one epoch: the head, or with
    ``fine_tune`` the network and the head.

    :meth:`explain` treats the backbone as a single layer and maps its last output. To map an
    earlier layer, cut the backbone there by ``layers``.

    References
    ----------
    .. [1] M. Sandler, A. Howard, M. Zhu, A. Zhmoginov and L.-C. Chen, "MobileNetV2: Inverted
       Residuals and Linear Bottlenecks", CVPR 2018.

    .. [2] J. Howard and S. Ruder, "Universal Language Model Fine-tuning for Text Classification",
       ACL 2018: discriminative rates and gradual unfreezing, there of single layers.

    .. [3] M. Tan and Q. V. Le, "EfficientNetV2: Smaller Models and Faster Training", ICML 2021,
       section 4: progressive learning, there in more steps.

    Training the head first, then all layers at a lower rate with batch normalisation in inference
    mode, follows the Keras guide "Transfer learning & fine-tuning", 2020.

    {training_references}

    Examples
    --------
    >>> from fashionkit import TransferClassifier, make_garments
    >>> X, y = make_garments(200, random_state=0)
    >>> clf = TransferClassifier(weights=None, layers="low", alpha=0.35, random_state=0)
    >>> clf.fit(X[:150], y[:150]).predict(X[150:]).shape
    (50,)
    """

    _parameter_constraints: dict = {
        **BaseKerasClassifier._parameter_constraints,
        "backbone": [str, callable],
        "layers": [str, "array-like", None],
        "weights": "no_validation",  # by _backbones, which knows what there is
        "alpha": [Interval(Real, 0, None, closed="neither")],
        "image_size": [Interval(Integral, 1, None, closed="left"), tuple, list, None],
        "channels": [StrOptions({"repeat", "conv"})],
        "pooling": [StrOptions(set(POOLINGS))],
        "grid": [Interval(Integral, 1, None, closed="left")],
        "head_units": [Interval(Integral, 1, None, closed="left"), "array-like", None],
        "dropout": [Interval(Real, 0, 1, closed="left")],
        "fine_tune": [StrOptions({"all"}), Interval(Integral, 1, None, closed="left"), "boolean"],
        "fine_tune_epochs": [Interval(Integral, 1, None, closed="left")],
        "fine_tune_learning_rate": [Interval(Real, 0, None, closed="neither"), None],
        "fine_tune_layer_decay": [Interval(Real, 0, 1, closed="right")],
        "fine_tune_gradually": ["boolean"],
        "fine_tune_first_size": [Interval(Integral, 1, None, closed="left"), tuple, list, None],
    }

    def __init__(
        self,
        backbone: str | Callable = "mobilenetv2",
        *,
        layers: str | Sequence[str] | None = None,
        weights: Any = "imagenet",
        alpha: float = 1.0,
        image_size: int | tuple[int, int] | None = None,
        channels: str = "repeat",
        pooling: str = "avg",
        grid: int = 4,
        head_units: int | Sequence[int] | None = None,
        dropout: float = 0.0,
        fine_tune: bool | str | int = False,
        fine_tune_epochs: int = 5,
        fine_tune_learning_rate: float | None = None,
        fine_tune_layer_decay: float = 1.0,
        fine_tune_gradually: bool = False,
        fine_tune_first_size: int | tuple[int, int] | None = None,
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
        self.backbone = backbone
        self.layers = layers
        self.weights = weights
        self.alpha = alpha
        self.image_size = image_size
        self.channels = channels
        self.pooling = pooling
        self.grid = grid
        self.head_units = head_units
        self.dropout = dropout
        self.fine_tune = fine_tune
        self.fine_tune_epochs = fine_tune_epochs
        self.fine_tune_learning_rate = fine_tune_learning_rate
        self.fine_tune_layer_decay = fine_tune_layer_decay
        self.fine_tune_gradually = fine_tune_gradually
        self.fine_tune_first_size = fine_tune_first_size
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

    @classmethod
    def from_recipe(cls, name: str, **params: Any) -> Self:
        """Make a classifier with the parameters of a named recipe.

        Parameters
        ----------
        name : str
            Name of the recipe: "basic", "head", "tuned" or "photos"; see
            :mod:`fashionkit.neural.recipes`.

        **params : dict
            Parameters to override, or that the recipe leaves open, such as ``random_state``; names
            as for ``set_params``.

        Returns
        -------
        classifier : TransferClassifier
            Classifier, not fitted.

        Raises
        ------
        ValueError
            If the recipe or a parameter is unknown.

        Examples
        --------
        >>> from fashionkit import TransferClassifier
        >>> TransferClassifier.from_recipe("basic").image_size
        96
        """
        return cls(**recipes.get(name, "TransferClassifier")).set_params(**params)

    def _train(
        self,
        samples: Samples,
        validation: Samples | None,
        *,
        epochs: int,
        is_whole: bool = False,
    ) -> None:
        """Train the head, then the rest; or go on with what is trained last."""
        augmentation = self._active_augmentation()
        tunes = self._tunes
        rate = self._fine_tuning_rate() if tunes else None
        trained = getattr(self, "_network", None)
        backbone, arrays = self._check_backbone()
        is_new = trained is None
        first = self._first_size(backbone) if tunes and is_new and is_whole else None
        largest = max(backbone, first or backbone, key=lambda one: one.n_values)
        samples, validation = enlarged(samples, validation, largest)
        make_phase = partial(self._phase, is_whole=is_whole, has_validation=validation is not None)
        values: dict[str, Arrays] | None = None
        history: History = {}
        n_tuned: Any = (None if self.fine_tune == "all" else self.fine_tune) if tunes else 0
        if trained is not None and trained.spec.params["n_tuned"] != n_tuned:
            # What is trained has changed: the same weights, and the optimizer afresh.
            values, trained = trained.by_layer(), None
        if is_new:
            values = self._first_values(backbone, arrays)
        if not tunes or (is_new and is_whole):
            folder = _subfolder(self.checkpoint_dir, _HEAD_FOLDER) if tunes else None
            phase = make_phase(
                spec=self._spec(backbone, n_tuned=0),
                epochs=epochs,
                augmentation=None if tunes else augmentation,
                checkpoint_dir=folder,
                trained=trained,
                first_values=values,
            )
            network, history, is_interrupted = train_head(phase, samples, validation)
            tunes = tunes and not is_interrupted
            if tunes:
                values = network.by_layer()
        first_epoch = getattr(self, "n_iter_", 0)
        spec = self._spec(backbone, n_tuned=n_tuned)
        make_phase = partial(
            make_phase,
            augmentation=augmentation,
            learning_rate=rate,
            rates=self._rates(first_epoch + len(history.get("loss", ())) if is_whole else None),
        )
        n_left = self.fine_tune_epochs if is_whole else 1
        if tunes and first is not None:
            phase = make_phase(
                spec=self._spec(first, n_tuned=n_tuned),
                epochs=n_left // 2,
                first_epoch=first_epoch + len(history["loss"]),
                checkpoint_dir=_subfolder(self.checkpoint_dir, _FIRST_SIZE_FOLDER),
                first_values=values,
            )
            network, more, is_interrupted = train(phase, samples, validation)
            network = network.with_spec(spec, network.non_trainable)
            history = _joined(history, more)
            values, tunes = network.by_layer(), not is_interrupted
            n_left -= n_left // 2
        if tunes:
            phase = make_phase(
                spec=spec,
                epochs=n_left,
                first_epoch=first_epoch + len(history.get("loss", ())),
                trained=trained,
                first_values=values,
            )
            network, more, _ = train(phase, samples, validation)
            history = _joined(history, more)
        self._network = network
        self._record(history)

    def _check_backbone(self) -> tuple[Backbone, Sequence[np.ndarray] | None]:
        return check_backbone(
            self.backbone,
            self.weights,
            self.image_shape_,
            layers=self.layers,
            alpha=self.alpha,
            image_size=self.image_size,
        )

    def _first_values(
        self, backbone: Backbone, arrays: Sequence[np.ndarray] | None
    ) -> dict[str, Arrays]:
        """Return what the layers of a new network begin with, but for ``channels``."""
        spec = self._spec(backbone, n_tuned=0)
        if arrays is None and self.weights is None:
            arrays = extractor_of(spec).first_weights(self._draw_seed())
        elif arrays is None:
            arrays = load_weights(backbone, self.weights)
        own = Network(head_spec(spec))
        own.draw(self._draw_seed())
        return {backbone.layer_name: list(arrays), **own.by_layer(*own.get_weights())}

    def _spec(self, backbone: Backbone, *, n_tuned: int | None) -> NetworkSpec:
        params = {
            "backbone": backbone,
            "channels": self.channels,
            "pooling": self.pooling,
            "grid": self.grid,
            "head_units": _check_units(self.head_units),
            "dropout": self.dropout,
            "n_tuned": n_tuned,
        }
        dtype = resolve_dtype(self.dtype)
        return NetworkSpec(transfer, self.image_shape_, len(self.classes_), params, dtype)

    def _first_size(self, backbone: Backbone) -> Backbone | None:
        """Return the backbone for the size of the first half of fine-tuning, None for the same."""
        size = self.fine_tune_first_size
        if size is None or self.fine_tune_epochs < 2:
            return None
        first = resize_backbone(backbone, size, "fine_tune_first_size")
        specs = [self._spec(one, n_tuned=0) for one in (first, backbone)]
        n_features = [extractor_of(spec).n_features for spec in specs]
        if n_features[0] != n_features[1]:
            raise ValueError(
                f"fine_tune_first_size={size!r} gives the head {n_features[0]} features with "
                f"pooling={self.pooling!r}, where images of {backbone.size} give "
                f"{n_features[1]}; pass pooling='avg', or a size nearer to that."
            )
        return None if first.size == backbone.size else first

    def _rates(self, first_epoch: int | None) -> LayerRates | None:
        """Return the rates of layers in fine-tuning, None where they are all the same."""
        if not self.fine_tune_gradually:
            first_epoch = None
        if self.fine_tune_layer_decay == 1 and first_epoch is None:
            return None
        return LayerRates(stages_behind_variables, float(self.fine_tune_layer_decay), first_epoch)

    def _fine_tuning_rate(self) -> float:
        if self.fine_tune_learning_rate is not None:
            return self.fine_tune_learning_rate
        rate = self._make_optimizer().learning_rate
        try:
            return _FINE_TUNING_SHARE * float(rate)
        except TypeError:  # a schedule of Keras
            raise ValueError(
                f"optimizer={self.optimizer!r} has a schedule of its own; pass "
                "learning_rate_schedule instead, and a number as its learning rate."
            ) from None

    def _checkpoint_folders(self) -> list[str | PathLike]:
        (folder,) = super()._checkpoint_folders()
        names = (_FIRST_SIZE_FOLDER, _HEAD_FOLDER) if self._tunes else ()
        return [folder, *(Path(folder) / name for name in names)]

    @property
    def _tunes(self) -> bool:
        """Whether there is a second phase."""
        if not isinstance(self.fine_tune, bool | np.bool_):
            return True
        if self.fine_tune:
            raise ValueError("fine_tune=True; pass 'all', or how many of the last layers.")
        return False

    def _values_per_image(self) -> int | None:
        if not hasattr(self, "_network"):
            return None
        return self._network.spec.params["backbone"].n_values


def _subfolder(folder: Any, name: str) -> Path | None:
    return None if folder is None else Path(folder) / name


def _joined(before: History, after: History) -> History:
    return {name: [*before.get(name, ()), *after[name]] for name in after}


def _check_units(units: Any) -> tuple[int, ...]:
    given = () if units is None else (units,) if isinstance(units, Integral) else tuple(units)
    if not all(isinstance(unit, Integral) and unit >= 1 for unit in given):  # type: ignore[operator]
        raise ValueError(
            f"head_units={units!r}, expected whole numbers of at least 1, one for each dense "
            "layer; or None for no such layer."
        )
    return tuple(map(int, given))
