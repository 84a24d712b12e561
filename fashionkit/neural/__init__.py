"""Neural networks as scikit-learn classifiers."""

from fashionkit.neural import architectures, recipes
from fashionkit.neural._cnn import CNNClassifier
from fashionkit.neural._hierarchical import HierarchicalCNNClassifier
from fashionkit.neural._transfer import TransferClassifier

__all__ = [
    "CNNClassifier",
    "HierarchicalCNNClassifier",
    "TransferClassifier",
    "architectures",
    "recipes",
]
