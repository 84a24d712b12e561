"""Neural networks as scikit-learn classifiers."""

from fashionkit.neural import architectures, recipes
from fashionkit.neural._cnn import CNNClassifier
from fashionkit.neural._hierarchical import HierarchicalCNNClassifier

__all__ = ["CNNClassifier", "HierarchicalCNNClassifier", "architectures", "recipes"]
