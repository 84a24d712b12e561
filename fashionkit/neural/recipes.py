"""Recipes: named combinations of the parameters of ``CNNClassifier``, each with its source.

A recipe is an ordinary dictionary of parameters, and
:meth:`CNNClassifier.from_recipe <fashionkit.CNNClassifier.from_recipe>` makes an ordinary
classifier with them: each can be seen, set and searched over.

========== ============================================ ====================================
name       what it is for                               source
========== ============================================ ====================================
``report`` the defaults: a small network, untuned       the report; TensorFlow's tutorial
                                                        "Convolutional Neural Network"
``quick``  the report's accuracy in a fraction of its   as ``fast``, but one epoch of a network
           time                                         with half the filters, and images and
                                                        labels as they are
``fast``   minutes on two cores                         our own, after K. Jordan, "94% on
                                                        CIFAR-10 in 3.29 Seconds on a Single
                                                        GPU", 2024: orthogonalised momentum
                                                        (Muon), one cycle of the learning
                                                        rate, alternating flips, label
                                                        smoothing, averaging over flips
``strong`` the most accurate, in less than an hour of   as ``fast``, with 1.5 times the filters,
           CPU time                                     more epochs and random erasing
                                                        (Zhong et al. 2017)
========== ============================================ ====================================
"""

from __future__ import annotations

from typing import Any

from fashionkit.preprocessing import Augmentation

__all__ = ["get", "list"]


def list() -> tuple[str, ...]:
    """Return the names that ``CNNClassifier.from_recipe`` knows.

    Returns
    -------
    names : tuple of str
        The names, from the least to the most accurate.

    Examples
    --------
    >>> from fashionkit.neural import recipes
    >>> recipes.list()
    ('report', 'quick', 'fast', 'strong')
    """
    return tuple(_RECIPES)


def get(name: str, kind: str | None = None) -> dict[str, Any]:
    """Return the parameters of a recipe.

    Parameters
    ----------
    name : str
        A name from :func:`list`.

    kind : {"CNNClassifier", "TransferClassifier"}, default=None
        The class whose parameters are wanted; None for whichever it is.

    Returns
    -------
    params : dict
        Parameters of :class:`~fashionkit.CNNClassifier`; those that are not named have their
        defaults. Nobody else holds this dictionary.

    Raises
    ------
    ValueError
        If the name is not known, or a recipe of another class.

    Examples
    --------
    >>> from fashionkit.neural import recipes
    >>> recipes.get("report")["epochs"]
    10
    """
    if name not in _RECIPES:
        raise ValueError(f"recipe {name!r} is not known; pass one of {list()}.")
    if kind is not None and (name in _TRANSFER) != (kind == "TransferClassifier"):
        other = "TransferClassifier" if name in _TRANSFER else "CNNClassifier"
        raise ValueError(f"recipe {name!r} is one of {other}; call {other}.from_recipe({name!r}).")
    return _RECIPES[name]()


def _report() -> dict[str, Any]:
    return {"architecture": "report", "optimizer": "adam", "epochs": 10, "batch_size": 32}


def _quick() -> dict[str, Any]:
    return {
        "architecture": "fast",
        "architecture_params": {"filters": (16, 32, 64)},
        "optimizer": "muon",
        "learning_rate": 0.05,
        "learning_rate_schedule": "one-cycle",
        "dtype": "auto",
        "epochs": 1,
        "batch_size": 128,
    }


def _fast() -> dict[str, Any]:
    return {
        "architecture": "fast",
        "optimizer": "muon",
        "learning_rate": 0.1,
        "learning_rate_schedule": "one-cycle",
        "weight_decay": 0.01,
        "label_smoothing": 0.1,
        "augmentation": Augmentation(horizontal_flip="alternating", translation=0.04),
        "test_time_augmentation": "flip",
        "dtype": "auto",
        "epochs": 7,
        "batch_size": 128,
    }


def _strong() -> dict[str, Any]:
    return {
        **_fast(),
        "architecture_params": {"filters": (48, 96, 192)},
        "augmentation": Augmentation(
            horizontal_flip="alternating",
            translation=0.04,
            erasing=0.25,
            erasing_area=(0.02, 0.2),
        ),
        "test_time_augmentation": "flip+shift",
        "epochs": 18,
    }


def _report_transfer() -> dict[str, Any]:
    return {
        "backbone": "mobilenetv2",
        "input_size": 96,
        "channels": "conv",
        "pooling": "flatten",
        "head_units": 128,
        "dropout": 0.5,
        "optimizer": "adam",
        "learning_rate": 0.001,
        "epochs": 10,
        "batch_size": 32,
    }


_TRANSFER = {"report-transfer": _report_transfer}
_RECIPES = {"report": _report, "quick": _quick, "fast": _fast, "strong": _strong, **_TRANSFER}
