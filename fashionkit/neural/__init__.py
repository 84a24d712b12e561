"""Neural networks as scikit-learn classifiers."""

from fashionkit.neural import architectures
from fashionkit.neural._cnn import CNNClassifier

__all__ = ["CNNClassifier", "architectures"]
