"""Support vector machines with probabilities, for tens of thousands of images."""

from fashionkit.svm._calibrated import CalibratedSVC
from fashionkit.svm._invariant import InvariantSVC

__all__ = ["CalibratedSVC", "InvariantSVC"]
