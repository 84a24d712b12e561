"""find_label_issues: flipped labels that it finds, and labels of Fashion-MNIST itself.

    python benchmarks/label_issues.py flips
    python benchmarks/label_issues.py as-is --figure label_issues.png --csv label_issues.csv

Flipped labels are drawn at random, each becomes one of the nine others with equal probability.
Labels of Fashion-MNIST that are wrong already count as mistakes here.
"""

from __future__ import annotations

import argparse

import numpy as np
from _measure import cpu_seconds, print_setting, print_table

from fashionkit import CLASS_NAMES, fetch_fashion_mnist, find_label_issues, make_model
from fashionkit.decision._confident import FILTERS
from fashionkit.decision._out_of_fold import out_of_fold

SHARES = (0.01, 0.03, 0.1)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("labels", choices=["flips", "as-is"])
    parser.add_argument("--n-images", type=int, help="number of training images, from the first on")
    parser.add_argument("--model", default="hog-svm")
    parser.add_argument("--cv", type=int, default=5)
    parser.add_argument("--shares", type=float, nargs="+", default=SHARES)
    parser.add_argument("--draws", type=int, default=1, help="how often labels are flipped")
    parser.add_argument("--n-jobs", type=int)
    parser.add_argument("--figure", help="where to draw the worst")
    parser.add_argument("--csv", help="where to write all issues")
    options = parser.parse_args()
    print_setting()
    X, y = fetch_fashion_mnist("train", return_X_y=True)
    if options.labels == "flips":
        n_images = options.n_images or 20_000
        run_flips(X[:n_images], y[:n_images], options)
    else:
        n_images = options.n_images or len(X)
        run_as_is(X[:n_images], y[:n_images], options)


def run_flips(X: np.ndarray, y: np.ndarray, options: argparse.Namespace) -> None:
    """Print precision and recall at as many images as were flipped, and of each filter."""
    ranked, filtered = [], []
    for share in options.shares:
        for draw in range(options.draws):
            noisy, is_flipped = flip(y, share, draw)
            probabilities, seconds = probabilities_of(X, noisy, options)
            n_flipped = int(is_flipped.sum())
            everything = find_label_issues(
                None, None, noisy, probabilities=probabilities, filter_by=None
            )
            hits = is_flipped[everything["index"]]
            ranked.append(
                (
                    f"{100 * share:g} %",
                    draw,
                    n_flipped,
                    f"{hits[:n_flipped].mean():.3f}",
                    f"{hits[: n_flipped // 2].mean():.3f}",
                    f"{hits[: 2 * n_flipped].sum() / n_flipped:.3f}",
                    f"{seconds:.0f}",
                )
            )
            for filter_by in FILTERS:
                issues = find_label_issues(
                    None, None, noisy, probabilities=probabilities, filter_by=filter_by
                )
                hits = is_flipped[issues["index"]]
                filtered.append(
                    (
                        f"{100 * share:g} %",
                        draw,
                        filter_by,
                        len(issues),
                        f"{hits.mean():.3f}",
                        f"{hits.sum() / n_flipped:.3f}",
                    )
                )
            print("\n".join(map(str, [ranked[-1], *filtered[-len(FILTERS) :]])), flush=True)
    print_table(
        (
            "flipped",
            "draw",
            "labels",
            "precision and recall at as many",
            "precision at half",
            "recall at twice",
            "CPU (s)",
        ),
        ranked,
    )
    print_table(("flipped", "draw", "filter_by", "issues", "precision", "recall"), filtered)


def run_as_is(X: np.ndarray, y: np.ndarray, options: argparse.Namespace) -> None:
    """Print how many labels of the data are issues, and draw the worst."""
    probabilities, seconds = probabilities_of(X, y, options)
    issues = find_label_issues(None, None, y, probabilities=probabilities, class_names=CLASS_NAMES)
    accuracy = np.mean(probabilities.argmax(axis=1) == y)
    print(f"{len(y):,} images, out-of-fold accuracy {100 * accuracy:.2f} %, {seconds:.0f} CPU s")
    print(f"{len(issues):,} issues, {100 * len(issues) / len(y):.2f} % of the labels\n")
    pairs = issues.groupby(["label", "predicted"]).size().sort_values(ascending=False)
    print_table(("label", "predicted", "issues"), [(*pair, n) for pair, n in pairs[:10].items()])
    worst = issues.head(20)
    print_table(tuple(worst.columns), [tuple(row) for row in worst.round(4).to_numpy().tolist()])
    if options.csv:
        issues.to_csv(options.csv, index=False)
    if options.figure:
        from fashionkit.plotting import LabelIssuesDisplay

        display = LabelIssuesDisplay.from_issues(X, issues, n_issues=30, n_columns=6)
        display.figure_.savefig(options.figure, dpi=110)


def flip(y: np.ndarray, share: float, draw: int) -> tuple[np.ndarray, np.ndarray]:
    """Return labels of which a share is flipped, and which they are."""
    rng = np.random.RandomState(draw)
    rows = rng.choice(len(y), round(share * len(y)), replace=False)
    noisy = y.copy()
    noisy[rows] = (y[rows] + rng.randint(1, len(CLASS_NAMES), len(rows))) % len(CLASS_NAMES)
    return noisy, noisy != y


def probabilities_of(
    X: np.ndarray, y: np.ndarray, options: argparse.Namespace
) -> tuple[np.ndarray, float]:
    """Return out-of-fold probabilities, for all filters at once, and the CPU time."""
    model = make_model(options.model, random_state=0)
    found: list[np.ndarray] = []

    def work() -> None:
        parts = {"cv": options.cv, "groups": None, "n_jobs": options.n_jobs}
        found.append(out_of_fold(model, X, y, np.unique(y), **parts))

    seconds = cpu_seconds(work)
    return found[0], seconds


if __name__ == "__main__":
    main()
