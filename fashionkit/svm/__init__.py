"""Support vector machines with probabilities, for as many images as Fashion-MNIST has."""

from fashionkit.svm._calibrated import CalibratedSVC
from fashionkit.svm._invariant import InvariantSVC

__all__ = ["CalibratedSVC", "InvariantSVC"]
