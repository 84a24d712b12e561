"""Figures of images, trainings, mistakes and explanations, drawn by matplotlib."""

from fashionkit.plotting._accuracy import AccuracyDisplay
from fashionkit.plotting._confusion import ConfusionDisplay
from fashionkit.plotting._explanations import plot_explanations
from fashionkit.plotting._history import TrainingHistoryDisplay
from fashionkit.plotting._label_issues import LabelIssuesDisplay
from fashionkit.plotting._mistakes import MistakesDisplay
from fashionkit.plotting._pairwise import PairwiseDisplay
from fashionkit.plotting._pareto import ParetoDisplay
from fashionkit.plotting._reliability import ReliabilityDisplay
from fashionkit.plotting._retrieval import RetrievalDisplay
from fashionkit.plotting._risk_coverage import RiskCoverageDisplay
from fashionkit.plotting._samples import plot_samples
from fashionkit.plotting._threshold import ThresholdDisplay

__all__ = [
    "AccuracyDisplay",
    "ConfusionDisplay",
    "LabelIssuesDisplay",
    "MistakesDisplay",
    "PairwiseDisplay",
    "ParetoDisplay",
    "ReliabilityDisplay",
    "RetrievalDisplay",
    "RiskCoverageDisplay",
    "ThresholdDisplay",
    "TrainingHistoryDisplay",
    "plot_explanations",
    "plot_samples",
]
