"""The convolutional network as a scikit-learn classifier."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from os import PathLike
from typing import Any, Self

from fashionkit.neural import architectures, recipes
from fashionkit.neural._core.base import BaseKerasClassifier
from fashionkit.neural._core.network import NetworkSpec
from fashionkit.preprocessing import Augmentation


class CNNClassifier(BaseKerasClassifier):
    """Convolutional neural network for small images.

    The defaults are a basic network: three convolutions, Adam, batches of 32, ten epochs. On
    Fashion-MNIST it classifies about 90 % of the test images correctly.
    ``CNNClassifier.from_recipe("strong")`` reaches more than 94 %.

    Read more in the :ref:`User Guide <cnn>`.

    Parameters
    ----------
    architecture : str or callable, default="basic"
        The network: "basic", "lenet5", "alexnet", "resnet", "wide_resnet", "inception" or "fast",
        each described in :mod:`fashionkit.neural.architectures`; or a function
        ``(input_shape, n_classes, **params)`` that returns an untrained ``keras.Model`` from
        float32 images in [0, 1] to class probabilities. It must build the same network
        for the same arguments; to be pickled, it must be importable.

    architecture_params : dict, default=None
        Further arguments of the architecture, such as ``{"filters": (32, 64),
        "dropout": 0.5}``. Each can be searched over as ``architecture__dropout``.

    optimizer : str, class or keras.optimizers.Optimizer, default="adam"
        The optimizer [1]_: a name that Keras knows, or "muon", a form of Muon [2]_ for
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
        along half a cosine [3]_; "one-cycle" rises in a straight line for the first quarter and
        falls in one to 0 [4]_.

    weight_decay : float, default=None
        Decoupled weight decay [5]_: each step also takes ``learning_rate * weight_decay``
        of each kernel away, but not of biases or normalisations. None for the optimizer's own.

    label_smoothing : float, default=0.0
        Fraction of the target probability that is spread over all classes [6]_.

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
        ``loss`` and ``accuracy`` of each epoch, and with held-out data ``val_loss`` and
        ``val_accuracy``.

    model_ : keras.Model
        The trained network, for float32 images with pixels in [0, 1].

    See Also
    --------
    HierarchicalCNNClassifier : Learns classes from coarse to fine, along a tree of them.
    fashionkit.make_baseline : Hand-made features with classical classifiers.
    sklearn.neural_network.MLPClassifier : Dense networks in scikit-learn.

    Notes
    -----
    Networks are built and compiled once per process for each combination of architecture,
    image shape, number of classes, optimizer, kind of schedule and of targets, and dtype, and
    used again by later fits with the same result as a new one would give.

    The last bits of a result depend on the machine and on the number of threads that
    TensorFlow uses.

    References
    ----------
    .. [1] D. P. Kingma and J. Ba, "Adam: A Method for Stochastic Optimization", ICLR 2015.

    .. [2] K. Jordan et al., "Muon: An optimizer for hidden layers in neural networks", 2024;
       for convolutions: K. Jordan, "94% on CIFAR-10 in 3.29 Seconds on a Single GPU", 2024.

    .. [3] I. Loshchilov and F. Hutter, "SGDR: Stochastic Gradient Descent with Warm Restarts",
       ICLR 2017, without restarts.

    .. [4] L. N. Smith and N. Topin, "Super-Convergence: Very Fast Training of Neural Networks
       Using Large Learning Rates", 2018.

    .. [5] I. Loshchilov and F. Hutter, "Decoupled Weight Decay Regularization", ICLR 2019.

    .. [6] C. Szegedy et al., "Rethinking the Inception Architecture for Computer Vision", CVPR
       2016, section 7.

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
            "basic", "quick", "fast" or "strong"; see :mod:`fashionkit.neural.recipes`.

        **params : dict
            Parameters that differ from the recipe's, or that it leaves open, such as
            ``random_state``; those of ``set_params``, so ``augmentation__rotation`` too.

        Returns
        -------
        classifier : CNNClassifier
            The classifier, not fitted.

        Raises
        ------
        ValueError
            If the recipe or a parameter is not known.

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
