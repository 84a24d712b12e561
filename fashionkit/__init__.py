"""Scikit-learn-compatible classifiers for fashion images."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

# Where each public name lives; nothing is imported before it is asked for.
_HOMES = {
    "Augmentation": "preprocessing",
    "BackboneFeatures": "features",
    "BoundedPCA": "features",
    "CLASS_NAMES": "datasets",
    "CNNClassifier": "neural",
    "CalibratedSVC": "svm",
    "ChunkedTransformer": "features",
    "ColorHistogram": "features",
    "Comparison": "comparison",
    "DistilledClassifier": "neural",
    "HOGFeatures": "features",
    "HierarchicalCNNClassifier": "neural",
    "ImageFolder": "datasets",
    "ImageLoader": "preprocessing",
    "ImageSearch": "search",
    "InvariantSVC": "svm",
    "NystroemClassifier": "svm",
    "ONNXClassifier": "persistence",
    "PixelFeatures": "features",
    "ProductPhotoPreprocessor": "preprocessing",
    "PredictionMonitor": "decision",
    "SIFTFeatures": "features",
    "SelectiveClassifier": "decision",
    "TransferClassifier": "neural",
    "classify_photos": "decision",
    "clear_cache": "_backbones.pool",
    "compare_models": "comparison",
    "describe_models": "models",
    "dominant_colors": "decision",
    "fetch_clothing_photos": "datasets",
    "fetch_fashion_mnist": "datasets",
    "find_duplicates": "inspection",
    "find_foreground": "preprocessing",
    "find_label_issues": "decision",
    "list_models": "models",
    "list_pretrained": "persistence",
    "load": "persistence",
    "load_fashion_mnist_csv": "datasets",
    "load_image_folder": "datasets",
    "load_images": "datasets",
    "load_pretrained": "persistence",
    "make_app": "serving",
    "make_baseline": "baselines",
    "make_garments": "datasets",
    "make_model": "models",
    "make_search": "models",
    "most_confused": "inspection",
    "read_idx": "datasets",
    "save": "persistence",
    "show_versions": "_show_versions",
    "to_onnx": "persistence",
    "train_photos": "decision",
    "worst_mistakes": "inspection",
}
_SUBMODULES = (
    "baselines",
    "comparison",
    "datasets",
    "decision",
    "features",
    "inspection",
    "models",
    "neural",
    "persistence",
    "plotting",
    "preprocessing",
    "search",
    "serving",
    "svm",
)

__all__ = ["__version__", *_HOMES, *_SUBMODULES]

if TYPE_CHECKING:  # type checkers and editors do not follow __getattr__
    from fashionkit import (
        baselines as baselines,
    )
    from fashionkit import (
        comparison as comparison,
    )
    from fashionkit import (
        datasets as datasets,
    )
    from fashionkit import (
        decision as decision,
    )
    from fashionkit import (
        features as features,
    )
    from fashionkit import (
        inspection as inspection,
    )
    from fashionkit import (
        models as models,
    )
    from fashionkit import (
        neural as neural,
    )
    from fashionkit import (
        persistence as persistence,
    )
    from fashionkit import (
        plotting as plotting,
    )
    from fashionkit import (
        preprocessing as preprocessing,
    )
    from fashionkit import (
        search as search,
    )
    from fashionkit import (
        serving as serving,
    )
    from fashionkit import (
        svm as svm,
    )
    from fashionkit._backbones.pool import (
        clear_cache as clear_cache,
    )
    from fashionkit._show_versions import (
        show_versions as show_versions,
    )
    from fashionkit.baselines import (
        make_baseline as make_baseline,
    )
    from fashionkit.comparison import (
        Comparison as Comparison,
    )
    from fashionkit.comparison import (
        compare_models as compare_models,
    )
    from fashionkit.datasets import (
        CLASS_NAMES as CLASS_NAMES,
    )
    from fashionkit.datasets import (
        ImageFolder as ImageFolder,
    )
    from fashionkit.datasets import (
        fetch_clothing_photos as fetch_clothing_photos,
    )
    from fashionkit.datasets import (
        fetch_fashion_mnist as fetch_fashion_mnist,
    )
    from fashionkit.datasets import (
        load_fashion_mnist_csv as load_fashion_mnist_csv,
    )
    from fashionkit.datasets import (
        load_image_folder as load_image_folder,
    )
    from fashionkit.datasets import (
        load_images as load_images,
    )
    from fashionkit.datasets import (
        make_garments as make_garments,
    )
    from fashionkit.datasets import (
        read_idx as read_idx,
    )
    from fashionkit.decision import (
        PredictionMonitor as PredictionMonitor,
    )
    from fashionkit.decision import (
        SelectiveClassifier as SelectiveClassifier,
    )
    from fashionkit.decision import (
        classify_photos as classify_photos,
    )
    from fashionkit.decision import (
        dominant_colors as dominant_colors,
    )
    from fashionkit.decision import (
        find_label_issues as find_label_issues,
    )
    from fashionkit.decision import (
        train_photos as train_photos,
    )
    from fashionkit.features import (
        BackboneFeatures as BackboneFeatures,
    )
    from fashionkit.features import (
        BoundedPCA as BoundedPCA,
    )
    from fashionkit.features import (
        ChunkedTransformer as ChunkedTransformer,
    )
    from fashionkit.features import (
        ColorHistogram as ColorHistogram,
    )
    from fashionkit.features import (
        HOGFeatures as HOGFeatures,
    )
    from fashionkit.features import (
        PixelFeatures as PixelFeatures,
    )
    from fashionkit.features import (
        SIFTFeatures as SIFTFeatures,
    )
    from fashionkit.inspection import (
        find_duplicates as find_duplicates,
    )
    from fashionkit.inspection import (
        most_confused as most_confused,
    )
    from fashionkit.inspection import (
        worst_mistakes as worst_mistakes,
    )
    from fashionkit.models import (
        describe_models as describe_models,
    )
    from fashionkit.models import (
        list_models as list_models,
    )
    from fashionkit.models import (
        make_model as make_model,
    )
    from fashionkit.models import (
        make_search as make_search,
    )
    from fashionkit.neural import (
        CNNClassifier as CNNClassifier,
    )
    from fashionkit.neural import (
        DistilledClassifier as DistilledClassifier,
    )
    from fashionkit.neural import (
        HierarchicalCNNClassifier as HierarchicalCNNClassifier,
    )
    from fashionkit.neural import (
        TransferClassifier as TransferClassifier,
    )
    from fashionkit.persistence import (
        ONNXClassifier as ONNXClassifier,
    )
    from fashionkit.persistence import (
        list_pretrained as list_pretrained,
    )
    from fashionkit.persistence import (
        load as load,
    )
    from fashionkit.persistence import (
        load_pretrained as load_pretrained,
    )
    from fashionkit.persistence import (
        save as save,
    )
    from fashionkit.persistence import (
        to_onnx as to_onnx,
    )
    from fashionkit.preprocessing import (
        Augmentation as Augmentation,
    )
    from fashionkit.preprocessing import (
        ImageLoader as ImageLoader,
    )
    from fashionkit.preprocessing import (
        ProductPhotoPreprocessor as ProductPhotoPreprocessor,
    )
    from fashionkit.preprocessing import (
        find_foreground as find_foreground,
    )
    from fashionkit.search import (
        ImageSearch as ImageSearch,
    )
    from fashionkit.serving import (
        make_app as make_app,
    )
    from fashionkit.svm import (
        CalibratedSVC as CalibratedSVC,
    )
    from fashionkit.svm import (
        InvariantSVC as InvariantSVC,
    )
    from fashionkit.svm import (
        NystroemClassifier as NystroemClassifier,
    )
else:

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
