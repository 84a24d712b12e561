"""Decisions about photos: what they show, which predictions to accept, and what has changed."""
"""From predictions to decisions: photos in, and what each shows, if it may be believed."""

from fashionkit.decision._colors import dominant_colors, list_color_names
from fashionkit.decision._selective import SelectiveClassifier

__all__ = [
    "SelectiveClassifier",
    "dominant_colors",
    "list_color_names",
]
"""Decisions: what to do with the answers of a model."""

from fashionkit.decision._label_issues import find_label_issues
from fashionkit.decision._monitor import PredictionMonitor

__all__ = ["PredictionMonitor", "find_label_issues"]
"""From predictions to decisions: photos in, a row for each out."""
"""From predictions to decisions: which to accept, of photos in, a row for each out."""

from fashionkit.decision._classify import classify_photos
from fashionkit.decision._selective import SelectiveClassifier
from fashionkit.decision._train import train_photos

__all__ = ["SelectiveClassifier", "classify_photos", "train_photos"]
