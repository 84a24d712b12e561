"""Decisions about photos: classification, selective prediction, label issues, shifts, colours."""

from fashionkit.decision._classify import classify_photos
from fashionkit.decision._colors import dominant_colors, list_color_names
from fashionkit.decision._drift import compare_with_calibration
from fashionkit.decision._label_issues import find_label_issues
from fashionkit.decision._monitor import PredictionMonitor
from fashionkit.decision._selective import SelectiveClassifier
from fashionkit.decision._train import train_photos

__all__ = [
    "PredictionMonitor",
    "SelectiveClassifier",
    "classify_photos",
    "compare_with_calibration",
    "dominant_colors",
    "find_label_issues",
    "list_color_names",
    "train_photos",
]
