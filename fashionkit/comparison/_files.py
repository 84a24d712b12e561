"""The files that a comparison is saved as."""

from __future__ import annotations

import logging
import os
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fashionkit._files import file_name, prepare_folder, write_whole
from fashionkit.plotting import (
    AccuracyDisplay,
    ConfusionDisplay,
    PairwiseDisplay,
    ParetoDisplay,
    ReliabilityDisplay,
    TrainingHistoryDisplay,
)
from fashionkit.plotting._axes import figure_for_file

if TYPE_CHECKING:
    from fashionkit.comparison._comparison import Comparison

logger = logging.getLogger(__name__)

Writers = dict[str, Callable[[Path], Any]]


def write_files(
    comparison: Comparison, folder: str | os.PathLike[str], *, with_report: bool
) -> list[Path]:
    """Write all files that can be written; the arguments are those of ``Comparison.save``."""
    folder = prepare_folder(folder)
    writers = {**_tables(comparison), **_figures(comparison)}
    if with_report:
        writers["report.html"] = comparison.to_html
    written = []
    for name, write in writers.items():
        try:
            written.append(write_whole(folder / name, write))
        except Exception as error:  # the other files are still worth writing
            logger.info("Writing %s failed.", name, exc_info=True)
            message = f"{folder / name} could not be written: {error}"
            warnings.warn(message, UserWarning, stacklevel=3)
    return written


def _tables(comparison: Comparison) -> Writers:
    """Return a function that writes each table, by file name."""

    def write(make: Callable[[], Any]) -> Callable[[Path], Any]:
        return lambda path: make().to_csv(path, index=False)

    tables = {
        "results.csv": write(comparison.to_frame),
        "pairwise.csv": write(comparison.pairwise),
        "per_class.csv": write(comparison.per_class),
        "leakage.csv": write(lambda: comparison.leakage),
        "verdicts.txt": lambda path: path.write_text(f"{comparison}\n", encoding="utf-8"),
    }
    if comparison.folds_.splits:
        tables["folds.csv"] = write(comparison.fold_scores)
    return tables


def _figures(comparison: Comparison) -> Writers:
    """Return a function that writes each figure, by file name."""

    def write(draw: Callable[..., Any], *arguments: Any) -> Callable[[Path], Any]:
        return lambda path: _save(figure_for_file(draw, comparison, *arguments), path)

    writers = {"accuracy.png": write(AccuracyDisplay.from_comparison)}
    writers["accuracy_and_time.png"] = write(ParetoDisplay.from_comparison)
    if len(comparison.predictions_) > 1:
        writers["pairwise.png"] = write(PairwiseDisplay.from_comparison)
    if any(one is not None for one in comparison.probabilities_.values()):
        writers["reliability.png"] = write(ReliabilityDisplay.from_comparison)
    if comparison.histories_:
        writers["learning_curves.png"] = write(TrainingHistoryDisplay.from_comparison)
    for name in comparison.predictions_:
        stem = f"confusion_matrix_{file_name(name)}"
        while f"{stem}.png".lower() in map(str.lower, writers):
            stem += "_"
        writers[f"{stem}.png"] = write(ConfusionDisplay.from_comparison, name)
    return writers


def _save(figure: Any, path: Path) -> None:
    figure.savefig(path, format="png", dpi=150)
