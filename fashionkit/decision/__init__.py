"""Decisions: which predictions to accept, which to review, and which images are no such thing."""

from fashionkit.decision._selective import SelectiveClassifier

__all__ = ["SelectiveClassifier"]
"""Decisions about photos: what they show, and whether a model may be believed."""

from fashionkit.decision._colors import dominant_colors, list_color_names

__all__ = ["dominant_colors", "list_color_names"]
