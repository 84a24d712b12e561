"""Recipes: named combinations of parameters of neural classifiers, each with its source.

A recipe is an ordinary dictionary of parameters, and ``from_recipe`` of the class makes an ordinary
classifier with them: each can be seen, set and searched over.

Recipes of :class:`~fashionkit.CNNClassifier`:

========== ============================================ ====================================
name       purpose                                      source
========== ============================================ ====================================
``basic``  the defaults: a small network, untuned       TensorFlow's tutorial "Convolutional
                                                        Neural Network (CNN)"
``quick``  the accuracy of ``basic`` in a fraction of   as ``fast``, but one epoch of a network
           its time                                     with a quarter of the filters at a higher
                                                        rate, and images and labels as they are
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

Recipes of :class:`~fashionkit.TransferClassifier`:

========== ============================================ ====================================
name       purpose                                      source
========== ============================================ ====================================
``basic``  a frozen MobileNetV2 at 96 pixels behind a   "Fashion images classification using
           trained convolution: 3,733,992 parameters,   deep learning and transfer learning
           of which 1,476,008 are trained               models", M.Tech mini project report,
                                                        2024
``head``   the head of ``basic`` in minutes: images     our own, after ``basic``
           go once through a frozen MobileNetV2 at 64
           pixels, up to the end of its last stage of
           a 16th of the resolution; one cycle of the
           learning rate
``tuned``  as accurate as ``strong``, in less time: a   our own, after the Keras guide
           MobileNetV2 at 56 pixels, up to its last     "Transfer learning & fine-tuning",
           stage of a 16th of the resolution; three     2020
           epochs of the head, then ten of everything
``photos`` a few thousand photos: all of a MobileNetV2  our own, after the same guide
           at 160 pixels, fine-tuned for twenty epochs
           at rates that fall from stage to stage
========== ============================================ ====================================
"""

from __future__ import annotations

from typing import Any

from fashionkit.datasets._names import choices
from fashionkit.preprocessing import Augmentation

__all__ = ["get", "list_recipes"]


def list_recipes(kind: str = "CNNClassifier") -> list[str]:
    """List the names of the recipes of a class.

    Parameters
    ----------
    kind : {"CNNClassifier", "TransferClassifier"}, default="CNNClassifier"
        Class that the recipes are for.

    Returns
    -------
    names : list of str
        Names, in the order of the tables above.

    See Also
    --------
    get : Returns the parameters of a recipe.

    Examples
    --------
    >>> from fashionkit.neural import recipes
    >>> recipes.list_recipes()
    ['basic', 'quick', 'fast', 'strong']
    >>> recipes.list_recipes("TransferClassifier")
    ['basic', 'head', 'tuned', 'photos']
    """
    if kind not in _RECIPES:
        raise ValueError(f"kind={kind!r}, expected one of {choices(_RECIPES)}.")
    return list(_RECIPES[kind])


def get(name: str, kind: str = "CNNClassifier") -> dict[str, Any]:
    """Return the parameters of a named recipe.

    Parameters
    ----------
    name : str
        Name from :func:`list_recipes`.

    kind : {"CNNClassifier", "TransferClassifier"}, default="CNNClassifier"
        Class that the recipe is for.

    Returns
    -------
    params : dict
        Parameters that differ from the defaults of the class, as a new dictionary.

    Raises
    ------
    ValueError
        If the class has no recipe of this name.

    See Also
    --------
    list_recipes : Lists the names.
    fashionkit.CNNClassifier.from_recipe : Makes a classifier with these parameters.

    Examples
    --------
    >>> from fashionkit.neural import recipes
    >>> recipes.get("basic")["epochs"]
    10
    """
    if name not in list_recipes(kind):
        for other, known in _RECIPES.items():
            if name in known:
                raise ValueError(f"recipe {name!r} is for {other}: {other}.from_recipe({name!r}).")
        raise ValueError(
            f"recipe {name!r} is not known; pass one of {choices(list_recipes(kind))}."
        )
    return _RECIPES[kind][name]()


def _basic() -> dict[str, Any]:
    return {"architecture": "basic", "optimizer": "adam", "epochs": 10, "batch_size": 32}


def _quick() -> dict[str, Any]:
    return {
        "architecture": "fast",
        "architecture_params": {"filters": (8, 16, 48)},
        "optimizer": "muon",
        "learning_rate": 0.15,
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


def _basic_transfer() -> dict[str, Any]:
    return {
        "backbone": "mobilenetv2",
        "image_size": 96,
        "channels": "conv",
        "pooling": "flatten",
        "head_units": 128,
        "dropout": 0.5,
        "optimizer": "adam",
        "learning_rate": 0.001,
        "epochs": 10,
        "batch_size": 32,
    }


def _head_transfer() -> dict[str, Any]:
    return {
        "backbone": "mobilenetv2",
        "layers": "block_12_add",
        "image_size": 64,
        "pooling": "flatten",
        "head_units": 128,
        "dropout": 0.5,
        "optimizer": "adam",
        "learning_rate": 0.001,
        "learning_rate_schedule": "one-cycle",
        "epochs": 10,
        "batch_size": 64,
    }


def _tuned_transfer() -> dict[str, Any]:
    return {
        "backbone": "mobilenetv2",
        "layers": "high",
        "image_size": 56,
        "pooling": "grid",
        "grid": 2,
        "fine_tune": "all",
        "fine_tune_epochs": 10,
        "fine_tune_learning_rate": 0.001,
        "learning_rate": 0.003,
        "learning_rate_schedule": "one-cycle",
        "label_smoothing": 0.1,
        "augmentation": Augmentation(horizontal_flip="alternating", translation=0.04),
        "test_time_augmentation": "flip",
        "epochs": 3,
        "batch_size": 64,
    }


def _photos_transfer() -> dict[str, Any]:
    return {
        "backbone": "mobilenetv2",
        "image_size": 160,
        "dropout": 0.3,
        "fine_tune": "all",
        "fine_tune_epochs": 20,
        "fine_tune_learning_rate": 0.001,
        "fine_tune_layer_decay": 0.6,
        "learning_rate": 0.003,
        "learning_rate_schedule": "one-cycle",
        "label_smoothing": 0.1,
        "augmentation": Augmentation(
            horizontal_flip="alternating",
            translation=0.08,
            zoom=0.2,
            rotation=10,
            contrast=0.2,
            fill_mode="nearest",
        ),
        "test_time_augmentation": "flip",
        "epochs": 10,
        "batch_size": 32,
    }


_RECIPES = {
    "CNNClassifier": {"basic": _basic, "quick": _quick, "fast": _fast, "strong": _strong},
    "TransferClassifier": {
        "basic": _basic_transfer,
        "head": _head_transfer,
        "tuned": _tuned_transfer,
        "photos": _photos_transfer,
    },
}
