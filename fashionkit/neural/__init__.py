"""Neural networks as scikit-learn classifiers."""

from fashionkit.neural import architectures, recipes
from fashionkit.neural._cnn import CNNClassifier
from fashionkit.neural._core.interruption import TrainingInterrupted
from fashionkit.neural._distilled import DistilledClassifier
from fashionkit.neural._hierarchical import HierarchicalCNNClassifier
from fashionkit.neural._keras_file import load_keras_model
from fashionkit.neural._transfer import TransferClassifier

__all__ = [
    "CNNClassifier",
    "DistilledClassifier",
    "HierarchicalCNNClassifier",
    "TrainingInterrupted",
    "TransferClassifier",
    "architectures",
    "load_keras_model",
    "recipes",
]
