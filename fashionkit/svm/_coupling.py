"""Pairwise coupling: from the probabilities of pairs of classes to those of all classes."""

from __future__ import annotations

import numpy as np

# Probabilities of pairs are kept this far from 0 and 1, as in LIBSVM.
EPS = 1e-7


def couple(wins: np.ndarray) -> np.ndarray:
    """Combine the probabilities of pairs of classes into those of all classes.

    These are the ones that agree best with those of the pairs, by the second method of
    Wu, Lin and Weng, "Probability Estimates for Multi-class Classification by Pairwise
    Coupling", JMLR 5, 2004, section 4.1.

    Parameters
    ----------
    wins : ndarray of shape (n_samples, n_classes, n_classes)
        Probability that a sample belongs to the class of the row, given that it belongs to
        that or to the class of the column. The diagonal is ignored.

    Returns
    -------
    probabilities : ndarray of shape (n_samples, n_classes)
        They sum to 1.
    """
    n_samples, n_classes, _ = wins.shape
    wins = np.clip(wins, EPS, 1 - EPS)
    losses = wins.transpose(0, 2, 1)
    diagonal = np.arange(n_classes)
    # The best probabilities p minimise p'Qp; the last row and column make them sum to 1.
    system = np.zeros((n_samples, n_classes + 1, n_classes + 1))
    system[:, :-1, :-1] = -losses * wins
    squares = losses**2
    squares[:, diagonal, diagonal] = 0
    system[:, diagonal, diagonal] = squares.sum(axis=2)
    system[:, -1, :-1] = system[:, :-1, -1] = 1
    right = np.zeros((n_samples, n_classes + 1, 1))
    right[:, -1] = 1
    probabilities = np.linalg.solve(system, right)[:, :-1, 0]
    return probabilities / probabilities.sum(axis=1, keepdims=True)
