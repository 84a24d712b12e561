"""What a network's outputs should be for images of each class."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Targets:
    """A row of target outputs for each class.

    Parameters
    ----------
    training : ndarray of shape (n_classes, n_outputs), dtype=float32
        What training aims at.

    evaluation : ndarray of shape (n_classes, n_outputs), dtype=float32
        What held-out images are compared with: the true classes, not smoothed.

    weights : ndarray of shape (n_epochs, n_outputs), dtype=float32, or None
        What training multiplies its targets with in each epoch; the last row holds for all
        later epochs.
    """

    training: np.ndarray
    evaluation: np.ndarray
    weights: np.ndarray | None = None


def class_targets(n_classes: int, label_smoothing: float) -> Targets:
    """Return one output for each class, with smoothed labels.

    References
    ----------
    C. Szegedy et al., "Rethinking the Inception Architecture for Computer Vision", CVPR 2016,
    section 7.
    """
    exact = np.eye(n_classes, dtype=np.float32)
    return Targets(smooth(exact, label_smoothing), exact)


def smooth(targets: np.ndarray, label_smoothing: float) -> np.ndarray:
    """Take ``label_smoothing`` of the probability from the classes, and spread it over all."""
    kept, spread = np.float32(1 - label_smoothing), np.float32(label_smoothing / targets.shape[1])
    return kept * targets + spread
