"""Decisions: which predictions to accept, which to review, and which images are no such thing."""

from fashionkit.decision._selective import SelectiveClassifier

__all__ = ["SelectiveClassifier"]
