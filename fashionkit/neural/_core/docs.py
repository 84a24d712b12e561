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
        Optimizer (Adam: Kingma and Ba 2015): a name that Keras knows, or "muon", a form of Muon
        (Jordan 2024) for convolutions, to whose kernels it takes orthogonal steps, unlike Keras's
        own; it trains the architecture "fast" best. An instance is copied, never used itself.
        """,
    ),
    "optimizer_params": (
        "dict, default=None",
        """
        Arguments of the optimizer, such as ``{"beta_1": 0.8}``; not for an instance. Each can be
        searched over as ``optimizer__beta_1``.
        """,
    ),
    "learning_rate": (
        "float, default=None",
        """
        Step size of the optimizer, or the largest one of a schedule; None for the optimizer's own
        default (0.001 for Adam, 0.05 for "muon").
        """,
    ),
    "learning_rate_schedule": (
        '{"constant", "cosine", "warmup-cosine", "one-cycle"}, default="constant"',
        """
        How the learning rate changes from step to step over all epochs: "cosine" falls to 0 along
        half a cosine (Loshchilov and Hutter 2017, without restarts); "warmup-cosine" does so after
        a linear rise over the first tenth (Goyal et al. 2017); "one-cycle" rises linearly for the
        first quarter and falls linearly to 0 (Smith and Topin 2018).
        """,
    ),
    "weight_decay": (
        "float, default=None",
        """
        Decoupled weight decay (Loshchilov and Hutter 2019): each step also takes
        ``learning_rate * weight_decay`` of each kernel away, but not of biases or normalisations.
        None for the optimizer's own.
        """,
    ),
    "label_smoothing": (
        "float, default=0.0",
        """
        Fraction of the target probability that is spread over all classes (Szegedy et al. 2016,
        section 7).
        """,
    ),
    "ema_decay": (
        "float, default=None",
        """
        Decay per step of an exponential moving average of the weights, with which the classifier is
        evaluated during training and predicts after it. None for the last weights.
        """,
    ),
    "augmentation": (
        "Augmentation, default=None",
        """
        How to distort the training images, anew in each epoch. Each of its parameters can be
        searched over, as ``augmentation__rotation``.
        """,
    ),
    "test_time_augmentation": (
        '{"flip", "shift", "flip+shift"}, default=None',
        """
        Views of each image whose probabilities are averaged: "flip" adds its mirror image, "shift"
        it moved by one pixel towards two corners. Takes 2, 3 or 6 times as long.
        """,
    ),
    "dtype": (
        '{"float32", "mixed_bfloat16", "mixed_float16", "auto"}, default="float32"',
        """
        Number type that the network computes in during training; weights are float32 always, and
        so is prediction. "auto" takes a mixed type where the processor or GPU multiplies it in
        hardware.
        """,
    ),
    "epochs": ("int, default=10", "Number of passes over the training data."),
    "batch_size": ("int, default=32", "Number of images per gradient step."),
    "validation_fraction": (
        "float, default=None",
        """
        Fraction of the training data to hold out, stratified by class, and to evaluate on after
        each epoch. None holds out 0.1 if ``early_stopping``, else nothing.
        """,
    ),
    "early_stopping": (
        "bool, default=False",
        """
        Whether to stop when the validation loss has not become better for ``patience`` epochs, and
        to go back to the weights of the best epoch.
        """,
    ),
    "patience": ("int, default=5", "Number of epochs to wait for a better validation loss."),
    "class_weight": (
        'dict or "balanced", default=None',
        """
        Weight of each class, multiplied with ``sample_weight``; "balanced" weights classes
        inversely to their frequency.
        """,
    ),
    "callbacks": (
        "keras.callbacks.Callback or list of them, default=None",
        """
        Callbacks for the training. As in Keras, a fit uses these objects themselves, and what they
        have gathered is there to be read afterwards; only their ``model`` is taken away again.
        Clones, as searches and cross-validation make for each fit, have copies. With
        ``ema_decay`` they see the averaged weights after each epoch. Batches are run 16 at a time,
        and so are the callbacks' batch-level methods called.
        """,
    ),
    "checkpoint_dir": (
        "str or path-like, default=None",
        """
        Folder in which ``fit`` keeps its state after each epoch. If it is killed, the same fit with
        the same folder resumes there, and gives the same result as an unbroken one; if it was
        finished, it is not trained again. What callbacks remember is lost. A folder that holds
        another fit is refused and left as it is: each candidate of a search needs its own.
        """,
    ),
    "warm_start": (
        "bool, default=False",
        """
        Whether ``fit`` starts from the weights of the last fit. The optimizer resumes too, if
        ``warm_start`` was on or ``partial_fit`` was used in the last fit; otherwise its state is
        not kept, and it starts afresh.
        """,
    ),
    "image_shape": (
        "tuple of int, default=None",
        """ Shape of the image in each flat row: ``(height, width)`` or
        ``(height, width, channels)``. None infers it: a square if possible, gray rather than RGB;
        otherwise a single row of pixels.
        """,
    ),
    "random_state": (
        "int, RandomState instance or None, default=None",
        """
        Seed of weights, order of images, augmentation, dropout and validation split. With an int,
        fits repeat bit for bit on one machine.
        """,
    ),
    "verbose": ("int, default=0", "1 to show a progress bar during ``fit``."),
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
    "pixel_range_": ("tuple of float", "Pixel values that the network sees as 0 and 1."),
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
    D. P. Kingma and J. Ba, "Adam: A Method for Stochastic Optimization", ICLR 2015.
    """,
    """
    K. Jordan et al., "Muon: An optimizer for hidden layers in neural networks", 2024; for
    convolutions: K. Jordan, "94% on CIFAR-10 in 3.29 Seconds on a Single GPU", 2024.
    """,
    """
    I. Loshchilov and F. Hutter, "SGDR: Stochastic Gradient Descent with Warm Restarts", ICLR 2017.
    """,
    """
    L. N. Smith and N. Topin, "Super-Convergence: Very Fast Training of Neural Networks Using Large
    Learning Rates", 2018.
    """,
    """
    P. Goyal et al., "Accurate, Large Minibatch SGD: Training ImageNet in 1 Hour", 2017.
    """,
    """
    I. Loshchilov and F. Hutter, "Decoupled Weight Decay Regularization", ICLR 2019.
    """,
    """
    C. Szegedy et al., "Rethinking the Inception Architecture for Computer Vision", CVPR 2016.
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
