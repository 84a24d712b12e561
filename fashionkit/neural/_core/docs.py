"""Parameters and attributes that all neural classifiers share, each documented once."""

from __future__ import annotations

import textwrap
from collections.abc import Callable

from fashionkit.datasets._docs import substitute
from fashionkit.datasets._names import choices

_TRAINING = {
    "optimizer": (
        'str, class or keras.optimizers.Optimizer, default="adam"',
        """
        Optimizer: a name that Keras knows, such as "adam" (Kingma and Ba 2015); "muon", a variant
        of Muon (Jordan 2024) with orthogonalised updates of convolution kernels, which suits the
        architecture "fast" best; a class; or an instance, which is copied.
        """,
    ),
    "optimizer_params": (
        "dict, default=None",
        """
        Arguments of the optimizer, such as ``{"beta_1": 0.8}``; not allowed with an instance. Each
        can be searched over as ``optimizer__beta_1``.
        """,
    ),
    "learning_rate": (
        "float, default=None",
        """
        Learning rate of the optimizer, or the maximum of a schedule. None for the optimizer's
        default (0.001 for Adam, 0.05 for "muon").
        """,
    ),
    "learning_rate_schedule": (
        '{"constant", "cosine", "warmup-cosine", "one-cycle"}, default="constant"',
        """
        Schedule of the learning rate over all steps: "cosine" decays to 0 along half a cosine
        (Loshchilov and Hutter 2017, without restarts); "warmup-cosine" does so after a linear
        warm-up over the first tenth (Goyal et al. 2017); "one-cycle" rises linearly for the first
        quarter and decays linearly to 0 (Smith and Topin 2018).
        """,
    ),
    "weight_decay": (
        "float, default=None",
        """
        Decoupled weight decay (Loshchilov and Hutter 2019): each step also shrinks each kernel by
        the factor ``1 - learning_rate * weight_decay``. Biases and normalisations are not decayed.
        None for the optimizer's default.
        """,
    ),
    "label_smoothing": (
        "float, default=0.0",
        """
        Fraction of the target probability that is distributed over all classes (Szegedy et al.
        2016, section 7).
        """,
    ),
    "ema_decay": (
        "float, default=None",
        """
        Decay per step of an exponential moving average of the weights, which is used for evaluation
        during training and for prediction. None uses the last weights.
        """,
    ),
    "augmentation": (
        "Augmentation, default=None",
        """
        Random distortion of the training images, drawn anew in each epoch. Each of its parameters
        can be searched over, as ``augmentation__rotation``.
        """,
    ),
    "test_time_augmentation": (
        '{"flip", "shift", "flip+shift"}, default=None',
        """
        Views of each image whose probabilities are averaged: "flip" adds its mirror image, "shift"
        the image shifted by one pixel towards two corners. Prediction takes 2, 3 or 6 times as
        long.
        """,
    ),
    "dtype": (
        '{"float32", "mixed_bfloat16", "mixed_float16", "auto"}, default="float32"',
        """
        Data type of the computation during training. Weights and prediction are always float32.
        "auto" uses a mixed type if the processor or GPU supports it in hardware.
        """,
    ),
    "epochs": ("int, default=10", "Number of passes over the training data."),
    "batch_size": ("int, default=32", "Number of images per gradient step."),
    "validation_fraction": (
        "float, default=None",
        """
        Fraction of the training data to hold out, stratified by class, and to evaluate on after
        each epoch. None holds out 0.1 with ``early_stopping``, otherwise nothing.
        """,
    ),
    "early_stopping": (
        "bool, default=False",
        """
        Whether to stop training when the validation loss has not improved for ``patience`` epochs,
        and to restore the weights of the best epoch.
        """,
    ),
    "patience": ("int, default=5", "Number of epochs to wait for a better validation loss."),
    "class_weight": (
        'dict or "balanced", default=None',
        """
        Weight of each class, multiplied by ``sample_weight``; "balanced" weights classes inversely
        to their frequency.
        """,
    ),
    "callbacks": (
        "keras.callbacks.Callback or list of them, default=None",
        """
        Callbacks of the training. As in Keras, ``fit`` uses these objects themselves, so that what
        they record can be read afterwards; only their ``model`` is removed. Clones, as in searches
        and cross-validation, have copies. With ``ema_decay`` callbacks see the averaged weights
        after each epoch. Batches are run 16 at a time; batch-level methods are called once for each
        such group.
        """,
    ),
    "checkpoint_dir": (
        "str or path-like, default=None",
        """
        Folder in which ``fit`` saves its state after each epoch. If interrupted, the same fit with
        the same folder resumes there, with the same result as an uninterrupted one; a finished fit
        is not trained again. The state of callbacks is not saved. A folder with the state of
        another fit raises an error: each candidate of a search needs its own folder.
        """,
    ),
    "warm_start": (
        "bool, default=False",
        """
        Whether ``fit`` starts from the weights of the last fit. The optimizer's state is also
        resumed if the last fit used ``warm_start`` or ``partial_fit``; otherwise it is not stored,
        and the optimizer starts anew.
        """,
    ),
    "image_shape": (
        "tuple of int, default=None",
        """
        Shape of the image in each flat row: ``(height, width)`` or ``(height, width, channels)``.
        None infers it: a square if possible, gray rather than RGB; otherwise a single row of
        pixels.
        """,
    ),
    "random_state": (
        "int, RandomState instance or None, default=None",
        """
        Seed of the initial weights, order of images, augmentation, dropout and validation split.
        With an int, fits are reproducible bit for bit on one machine.
        """,
    ),
    "verbose": ("int, default=0", "Verbosity: 1 shows a progress bar during ``fit``."),
}

_FITTED = {
    "classes_": ("ndarray of shape (n_classes,)", "Class labels."),
    "n_features_in_": (
        "int",
        "Number of pixels times channels of each image seen in ``fit``.",
    ),
    "feature_names_in_": (
        "ndarray of shape (n_features,)",
        "Column names seen in ``fit``, where ``X`` was a DataFrame with string names.",
    ),
    "image_shape_": ("tuple of int", "Height, width and channels."),
    "pixel_range_": ("tuple of float", "Pixel values that become 0 and 1."),
    "n_iter_": ("int", "Number of epochs trained."),
    "history_": (
        "dict of str to list of float",
        """
        ``loss`` and ``accuracy`` of each epoch, and with held-out data ``val_loss`` and
        ``val_accuracy``.
        """,
    ),
    "model_": (
        "keras.Model",
        "The trained network, for float32 images with pixels in [0, 1].",
    ),
}

_REFERENCES = (
    """
    Diederik P. Kingma and Jimmy Ba, "Adam: A Method for Stochastic Optimization", ICLR 2015.
    """,
    """
    Keller Jordan et al., "Muon: An optimizer for hidden layers in neural networks", 2024; for
    convolutions: Keller Jordan, "94% on CIFAR-10 in 3.29 Seconds on a Single GPU", 2024.
    """,
    """
    Ilya Loshchilov and Frank Hutter, "SGDR: Stochastic Gradient Descent with Warm Restarts", ICLR
    2017.
    """,
    """
    Leslie N. Smith and Nicholay Topin, "Super-Convergence: Very Fast Training of Neural Networks
    Using Large Learning Rates", 2018.
    """,
    """
    Priya Goyal et al., "Accurate, Large Minibatch SGD: Training ImageNet in 1 Hour", 2017.
    """,
    """
    Ilya Loshchilov and Frank Hutter, "Decoupled Weight Decay Regularization", ICLR 2019.
    """,
    """
    Christian Szegedy et al., "Rethinking the Inception Architecture for Computer Vision", CVPR
    2016.
    """,
)


def document_training(**texts: str) -> Callable[[type], type]:
    """Return a decorator that fills shared documentation into the docstring of a classifier.

    The docstring has the lines ``{training_parameters}``, ``{fitted_attributes}`` and
    ``{training_references}`` where they belong.

    Parameters
    ----------
    **texts : str
        Texts of parameters or attributes, by name, that replace the shared ones.

    Returns
    -------
    decorator : callable
        From a class to the same class.
    """
    unknown = set(texts) - set(_TRAINING) - set(_FITTED)
    if unknown:
        raise ValueError(f"There are no shared texts of {choices(unknown)}.")
    return substitute(
        training_parameters=_entries(_TRAINING, texts),
        fitted_attributes=_entries(_FITTED, texts),
        training_references="\n\n".join(map(_clean, _REFERENCES)),
    )


def _entries(shared: dict[str, tuple[str, str]], texts: dict[str, str]) -> str:
    entries = []
    for name, (kind, text) in shared.items():
        body = textwrap.indent(_clean(texts.get(name, text)), "    ")
        entries.append(f"{name} : {kind}\n{body}")
    return "\n\n".join(entries)


def _clean(text: str) -> str:
    return textwrap.dedent(text).strip()
