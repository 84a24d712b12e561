"""The frontier: the most accurate model for each budget of training and of prediction.

Draws what ``benchmarks/compare.py fashion-mnist`` has measured, with the Pareto front, beside
accuracies that others have published, and prints the best model for each budget.

    python benchmarks/compare.py fashion-mnist --checkpoint-dir runs --output results
    python benchmarks/frontier.py results/results.csv --output results
"""

from __future__ import annotations

import argparse
from pathlib import Path

import matplotlib.pyplot as plt
import pandas as pd
from _measure import print_table

from fashionkit.plotting import ParetoDisplay

# CPU seconds of fit, and CPU milliseconds per image of predictions.
FIT_BUDGETS = {"10 s": 10, "1 min": 60, "10 min": 600, "30 min": 1_800, "60 min": 3_600}
PREDICT_BUDGETS = {"1 ms": 1.0, "10 ms": 10.0}
# Of the list in github.com/zalandoresearch/fashion-mnist, as submitted there and not verified by
# its authors; and the two models of the report of 2024 that the basic network is from.
PUBLISHED = {
    "WRN-40-4, 8.9M parameters, 96.7": 0.967,
    "WRN-28-10, random erasing, 96.3": 0.963,
    "DenseNet-BC, 768K parameters, 95.4": 0.954,
    "MobileNet 95.0, ResNet-18 94.9": 0.950,
    "VGG16, 26M parameters, 93.5": 0.935,
    "HOG + SVM, 92.6": 0.926,
    "the report's CNN 90.2, MobileNetV2 90.3": 0.903,
    "GRU + SVM, 88.8": 0.888,
}
LOWEST = 0.85


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("results", type=Path, help="results.csv of a comparison")
    parser.add_argument("--output", type=Path, default=Path("results"))
    options = parser.parse_args()
    frame = pd.read_csv(options.results).dropna(subset=["accuracy"])
    print_budgets(frame)
    options.output.mkdir(parents=True, exist_ok=True)
    draw(frame[frame["accuracy"] >= LOWEST], options.output / "frontier.png")


def print_budgets(frame: pd.DataFrame) -> None:
    rows = []
    for cost, budgets in (
        ("fit_cpu_seconds", FIT_BUDGETS),
        ("predict_cpu_ms_per_image", PREDICT_BUDGETS),
    ):
        for text, budget in budgets.items():
            affordable = frame[frame[cost] <= budget]
            if len(affordable):
                best = affordable.loc[affordable["accuracy"].idxmax()]
                kind = "training" if cost.startswith("fit") else "prediction of an image"
                rows.append(
                    (
                        f"{kind}: {text} of CPU time",
                        best["model"],
                        f"{100 * best['accuracy']:.2f}",
                        f"{best['fit_cpu_seconds']:.0f}",
                        f"{best['predict_cpu_ms_per_image']:.2f}",
                    )
                )
    print_table(("budget", "best model", "accuracy (%)", "fit (CPU s)", "predict (CPU ms)"), rows)


def draw(frame: pd.DataFrame, path: Path) -> None:
    figure, axes = plt.subplots(1, 2, figsize=(15, 8), layout="constrained", sharey=True)
    for ax, cost in zip(axes, ("fit_cpu_seconds", "predict_cpu_ms_per_image"), strict=True):
        ParetoDisplay(frame, cost=cost).plot(ax=ax)
        ax.set_ylim(LOWEST, max(PUBLISHED.values()) + 0.005)
        for text, accuracy in PUBLISHED.items():
            ax.axhline(accuracy, color="0.6", linewidth=0.8, linestyle=":", zorder=0)
            if ax is axes[-1]:
                ax.annotate(
                    text,
                    (1.01, accuracy),
                    xycoords=("axes fraction", "data"),
                    va="center",
                    fontsize="small",
                    color="0.35",
                )
    axes[0].set_title("Training")
    axes[1].set_title("Prediction")
    axes[1].set_ylabel("")
    figure.suptitle("Fashion-MNIST, all images; dotted: published by others")
    figure.savefig(path, dpi=100)
    print(f"Written: {path}")


if __name__ == "__main__":
    main()
