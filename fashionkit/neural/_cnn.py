"""The convolutional network as a scikit-learn classifier."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from os import PathLike
from typing import Any, Self

from fashionkit.neural import architectures, recipes
from fashionkit.neural._core.base import BaseKerasClassifier
from fashionkit.neural._core.docs import document_training
from fashionkit.neural._core.network import NetworkSpec
from fashionkit.preprocessing import Augmentation


@document_training()
class CNNClassifier(BaseKerasClassifier):
    """Convolutional neural network for small images.

    The defaults define a basic network of three convolutions, trained with Adam in batches of 32
    for ten epochs. Its test accuracy on Fashion-MNIST is about 90 %; that of
    ``CNNClassifier.from_recipe("strong")`` is more than 94 %.

    Read more in the :ref:`User Guide <cnn>`.

    Parameters
    ----------
    architecture : str or callable, default="basic"
        Architecture of the network: "basic", "lenet5", "alexnet", "resnet", "wide_resnet",
        "inception" or "fast", each the name of a function of
        :mod:`fashionkit.neural.architectures`; or a function ``(input_shape, n_classes, **params)``
        that returns an untrained ``keras.Model`` from float32 images in [0, 1] to class
        probabilities. It must build the same network for the same arguments. To be pickled, it must
        be importable.

    architecture_params : dict, default=None
        Arguments of the architecture, such as ``{"filters": (32, 64), "dropout": 0.5}``. Each can
        be searched over as ``architecture__dropout``.

    {training_parameters}

    Attributes
    ----------
    {fitted_attributes}

    See Also
    --------
    HierarchicalCNNClassifier : CNN for a tree of coarse and fine classes.
    fashionkit.make_baseline : Pipelines of handcrafted features and a classical classifier.
    sklearn.neural_network.MLPClassifier : Multi-layer perceptron in scikit-learn.

    Notes
    -----
    Networks are built and compiled once per process for each combination of architecture, image
    shape, number of classes, optimizer, kind of schedule and of targets, and dtype. Later fits
    reuse them, with the same results as a new network. :func:`~fashionkit.clear_cache` releases
    them.

    The last bits of a result depend on the machine and on the number of threads that
    TensorFlow uses.

    References
    ----------
    {training_references}

    Examples
    --------
    >>> from fashionkit import CNNClassifier, make_garments
    >>> X, y = make_garments(600, random_state=0)
    >>> clf = CNNClassifier(epochs=2, random_state=0).fit(X[:500], y[:500])
    >>> clf.predict(X[500:]).shape
    (100,)
    """

    _parameter_constraints: dict = {
        **BaseKerasClassifier._parameter_constraints,
        "architecture": [str, callable],
        "architecture_params": [dict, None],
    }

    _routed_params = {
        **BaseKerasClassifier._routed_params,
        "architecture": "architecture_params",
    }

    def __init__(
        self,
        architecture: str | Callable = "basic",
        *,
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
        self.architecture = architecture
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

    @classmethod
    def from_recipe(cls, name: str, **params: Any) -> Self:
        """Make a classifier with the parameters of a named recipe.

        Parameters
        ----------
        name : str
            Name of the recipe: "basic", "quick", "fast" or "strong"; see
            :mod:`fashionkit.neural.recipes`.

        **params : dict
            Parameters to override, or that the recipe leaves open, such as ``random_state``; names
            as for ``set_params``, including nested ones such as ``augmentation__rotation``.

        Returns
        -------
        classifier : CNNClassifier
            Classifier, not fitted.

        Raises
        ------
        ValueError
            If the recipe or a parameter is unknown.

        Examples
        --------
        >>> from fashionkit import CNNClassifier
        >>> CNNClassifier.from_recipe("fast", epochs=3).batch_size
        128
        """
        return cls(**recipes.get(name, "CNNClassifier")).set_params(**params)

    def _network_spec(self, image_shape: tuple[int, int, int], n_classes: int) -> NetworkSpec:
        architectures.get(self.architecture)  # an unknown name fails here, before any work
        return NetworkSpec(
            self.architecture,
            image_shape,
            n_classes,
            dict(self.architecture_params or {}),
        )
