"""Coarse categories of classes, from the tree of a model or from a table of names."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from fashionkit.decision._reading import first_parts

# Coarse classes of Fashion-MNIST (Seo and Shin, 2019), and the corresponding ones of the classes of
# "clothing-photos-small-v1" (clothing-dataset-small).
_TOPS, _BOTTOMS, _DRESSES = "clothes/tops", "clothes/bottoms", "clothes/dresses"
_OUTERS, _ACCESSORIES, _SHOES = "clothes/outers", "goods/accessories", "goods/shoes"
TABLE = {
    "T-shirt/top": _TOPS,
    "Pullover": _TOPS,
    "Shirt": _TOPS,
    "Trouser": _BOTTOMS,
    "Dress": _DRESSES,
    "Coat": _OUTERS,
    "Bag": _ACCESSORIES,
    "Sandal": _SHOES,
    "Sneaker": _SHOES,
    "Ankle boot": _SHOES,
    "dress": _DRESSES,
    "hat": _ACCESSORIES,
    "longsleeve": _TOPS,
    "outwear": _OUTERS,
    "pants": _BOTTOMS,
    "shirt": _TOPS,
    "shoes": _SHOES,
    "shorts": _BOTTOMS,
    "skirt": _BOTTOMS,
    "t-shirt": _TOPS,
}


def coarse_names(model: Any) -> Mapping[Any, str]:
    """Return the coarse category of each class of a fitted model.

    Parameters
    ----------
    model : estimator
        Fitted classifier. If it is or contains a :class:`~fashionkit.HierarchicalCNNClassifier`,
        the categories are those of its tree. Otherwise, all its classes must be in the table.

    Returns
    -------
    names : dict of object to str
        Categories of each class from the coarsest to the finest, joined by "/"; empty if unknown.
    """
    for part in _parts(model):
        hierarchy = getattr(part, "_hierarchy", None)
        if hierarchy is not None:
            ways = [
                names[nodes] for names, nodes in zip(hierarchy.names, hierarchy.nodes, strict=True)
            ]
            joined = ["/".join(dict.fromkeys(map(str, way))) for way in zip(*ways, strict=True)]
            return dict(zip(part.classes_.tolist(), joined, strict=True))
    classes = getattr(model, "classes_", None)
    labels = classes.tolist() if isinstance(classes, np.ndarray) else []
    return TABLE if labels and set(labels) <= set(TABLE) else {}


def _parts(model: Any) -> list[Any]:
    """Return the nested estimators of a model, including the last steps of pipelines."""
    parts = first_parts(model)
    ends = [part.steps[-1][1] for part in parts if hasattr(part, "steps")]
    return [*parts, *[one for end in ends for one in first_parts(end)]]
