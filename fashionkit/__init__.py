"""Scikit-learn-compatible classifiers for fashion images."""

from importlib import import_module
from typing import Any

__version__ = "0.1.0.dev0"

# Where each public name lives; nothing is imported before it is asked for.
_HOMES = {
    "Augmentation": "preprocessing",
    "BackboneFeatures": "features",
    "BoundedPCA": "features",
    "CLASS_NAMES": "datasets",
    "CNNClassifier": "neural",
    "CalibratedSVC": "svm",
    "ColorHistogram": "features",
    "Comparison": "comparison",
    "HOGFeatures": "features",
    "HierarchicalCNNClassifier": "neural",
    "ImageFolder": "datasets",
    "InvariantSVC": "svm",
    "PixelFeatures": "features",
    "SIFTFeatures": "features",
    "TransferClassifier": "neural",
    "clear_cache": "_backbones.pool",
    "compare_models": "comparison",
    "describe_models": "models",
    "fetch_fashion_mnist": "datasets",
    "list_models": "models",
    "load_fashion_mnist_csv": "datasets",
    "load_image_folder": "datasets",
    "make_baseline": "baselines",
    "make_garments": "datasets",
    "make_model": "models",
    "most_confused": "inspection",
    "read_idx": "datasets",
    "worst_mistakes": "inspection",
}
_SUBMODULES = (
    "baselines",
    "comparison",
    "datasets",
    "features",
    "inspection",
    "models",
    "neural",
    "plotting",
    "preprocessing",
    "svm",
)

__all__ = ["__version__", *_HOMES, *_SUBMODULES]


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        value = getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
    elif name in _SUBMODULES:
        value = import_module(f"{__name__}.{name}")
    else:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
