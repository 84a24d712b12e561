"""Support vector machines with probabilities, for tens of thousands of images and more."""

from fashionkit.svm._calibrated import CalibratedSVC
from fashionkit.svm._invariant import InvariantSVC
from fashionkit.svm._nystroem import NystroemClassifier

__all__ = ["CalibratedSVC", "InvariantSVC", "NystroemClassifier"]
