"""Which coarse category a class is in: by the model's own tree, or by a table of names."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from fashionkit.decision._reading import first_parts

# Seo and Shin's coarse classes of Fashion-MNIST, by the names of its classes, and the same of the
# classes of "clothing-photos-small-v1" (clothing-dataset-small) by theirs.
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
    """Return the coarse category of each class of a fitted model; empty where none is known.

    Parameters
    ----------
    model : estimator
        A fitted classifier. A :class:`~fashionkit.HierarchicalCNNClassifier`, or one inside of
        it, says by its own tree; of others, all classes must be in the table.

    Returns
    -------
    names : dict of object to str
        The way from the coarsest category to the finest, "/" between them, by class.
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
    """Return what the classifier of a model may be: the first parts, and ends of pipelines."""
    parts = first_parts(model)
    ends = [part.steps[-1][1] for part in parts if hasattr(part, "steps")]
    return [*parts, *[one for end in ends for one in first_parts(end)]]
