"""Figures of images, trainings, mistakes and explanations, drawn by matplotlib."""

from fashionkit.plotting._confusion import ConfusionDisplay
from fashionkit.plotting._explanations import plot_explanations
from fashionkit.plotting._history import TrainingHistoryDisplay
from fashionkit.plotting._mistakes import MistakesDisplay
from fashionkit.plotting._samples import plot_samples

__all__ = [
    "ConfusionDisplay",
    "MistakesDisplay",
    "TrainingHistoryDisplay",
    "plot_explanations",
    "plot_samples",
]
