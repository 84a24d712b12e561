"""What models cost as the number of images grows: time, memory, accuracy, and the exponent.

Up to 60,000 images are those of Fashion-MNIST's training set, of each class alike; more are these
and their distorted copies: mirrored or not, moved by up to a pixel, turned by up to 3 degrees. Each
model is fitted in a fresh process, and evaluated on the 10,000 test images.

    python benchmarks/growth.py --models hog-svm hog-nystroem --output results
    python benchmarks/growth.py --sizes 1000 5000 20000 --limit 600 --output results

Results are kept in growth.csv of the output folder, and the same command adds those that are
missing. A size is left out where the last two predict more CPU time than the limit.
"""

from __future__ import annotations

import argparse
import json
import math
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pandas as pd
from _measure import cpu_seconds, peak_memory, print_setting, print_table
from sklearn.model_selection import train_test_split

from fashionkit import Augmentation, fetch_fashion_mnist, list_models, make_model

SIZES = (1_000, 5_000, 20_000, 60_000, 200_000, 600_000)
COLORS = {
    "network": "tab:blue",
    "svm": "tab:red",
    "nystroem": "tab:purple",
    "knn": "tab:green",
    "tree": "tab:olive",
    "forest": "tab:brown",
}
MARKERS = "osD^v<>pP*X"
COPIES = Augmentation(horizontal_flip="random", translation=0.04, rotation=3)


def main() -> None:
    options = _parse()
    if options.only:
        name, size = options.only
        print(json.dumps(measure(name, int(size), options.set)))
        return
    print_setting("tensorflow")
    options.output.mkdir(parents=True, exist_ok=True)
    path = options.output / "growth.csv"
    rows = pd.read_csv(path).to_dict("records") if path.exists() else []
    for name in options.models:
        for size in options.sizes:
            done = [row for row in rows if row["model"] == name]
            if size in [row["images"] for row in done]:
                continue
            expected = extrapolate(done, size)
            if expected > options.limit:
                print(f"{name}: {size:,} images would take {expected / 60:.0f} CPU minutes.")
                break
            rows.append(in_fresh_process(name, size, options.set))
            pd.DataFrame(rows).to_csv(path, index=False)
            print(f"  {rows[-1]}", flush=True)
    print_growth(pd.DataFrame(rows))
    draw(pd.DataFrame(rows), options.output / "growth.png")


def measure(name: str, size: int, params: list[str]) -> dict:
    """Fit one model on ``size`` images, and return its cost and accuracy."""
    X, y = make_images(size)
    X_test, y_test = fetch_fashion_mnist("test", return_X_y=True)
    with TemporaryDirectory() as folder:
        model = make_model(name, random_state=0)
        if "features__directory" in model.get_params():
            model.set_params(features__directory=folder)
        model.set_params(**{key: json.loads(value) for key, value in map(_pair, params)})
        before = peak_memory()
        fit = cpu_seconds(lambda: model.fit(X, y))
        peak = peak_memory()
        predicted = []
        predict = cpu_seconds(lambda: predicted.append(model.predict(X_test)))
    return {
        "model": name,
        "images": size,
        "fit_cpu_seconds": round(fit, 2),
        "predict_cpu_ms": round(1e3 * predict / len(y_test), 3),
        "images_mb": round(X.nbytes / 1e6),
        "peak_mb": round((peak - before) / 1e6),
        "accuracy": float(np.mean(predicted[0] == y_test)),
    }


def make_images(size: int) -> tuple[np.ndarray, np.ndarray]:
    """Return images of Fashion-MNIST, and as many distorted copies as it takes."""
    X, y = fetch_fashion_mnist("train", return_X_y=True)
    if size < len(X):
        return train_test_split(X, y, train_size=size, stratify=y, random_state=0)[::2]
    parts = [X]
    for copy in range(1, math.ceil(size / len(X))):
        parts.append(COPIES.set_params(random_state=copy).fit_transform(X))
    n_parts = len(parts)
    return np.concatenate(parts)[:size], np.tile(y, n_parts)[:size]


def in_fresh_process(name: str, size: int, params: list[str]) -> dict:
    command = [sys.executable, __file__, "--only", name, str(size), "--set", *params]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
    return json.loads(done.stdout.splitlines()[-1])


def extrapolate(rows: list[dict], size: int) -> float:
    """Return the CPU seconds that a fit would take, by the last two; 0 where nothing is known."""
    last = sorted(rows, key=lambda row: row["images"])[-2:]
    if len(last) < 2:
        return 0.0
    exponent = _slope(*zip(*((row["images"], row["fit_cpu_seconds"]) for row in last), strict=True))
    return last[-1]["fit_cpu_seconds"] * (size / last[-1]["images"]) ** exponent


def print_growth(rows: pd.DataFrame) -> None:
    """Print a table of each measure: a row for each model, a column for each size."""
    sizes = sorted(rows["images"].unique())
    groups = list(rows.groupby("model", sort=False))
    for measure, title, text in [
        ("fit_cpu_seconds", "CPU seconds of fit", ",.1f"),
        ("peak_mb", "Peak memory of fit, beyond that of the images (MB)", ",.0f"),
        ("predict_cpu_ms", "CPU milliseconds of predict, per image", ".2f"),
        ("accuracy", "Accuracy on the test images", ".2%"),
    ]:
        print(title)
        table = []
        for name, group in groups:
            values = dict(zip(group["images"], group[measure], strict=True))
            cells = [format(values[size], text) if size in values else "" for size in sizes]
            table.append((name, *cells))
        if measure == "fit_cpu_seconds":
            table = [
                (*cells, exponent(group)) for cells, (_, group) in zip(table, groups, strict=True)
            ]
        last = ("exponent",) if measure == "fit_cpu_seconds" else ()
        print_table(("model", *(f"{size:,}" for size in sizes), *last), table)


def exponent(rows: pd.DataFrame) -> str:
    """Return the power of the number of images that the time of the last three fits grows with."""
    last = rows.sort_values("images").tail(3)
    return f"{_slope(last['images'], last['fit_cpu_seconds']):.2f}" if len(last) > 1 else ""


def draw(rows: pd.DataFrame, path: Path) -> None:
    """Draw cost and accuracy; each kind of classifier has a colour, each model a marker."""
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots(1, 2, figsize=(12, 6), layout="constrained")
    seen: dict[str, int] = {}
    for name, group in rows.groupby("model", sort=False):
        group = group.sort_values("images")
        kind = kind_of(name)
        number = seen[kind] = seen.get(kind, -1) + 1
        style = {"color": COLORS[kind], "marker": MARKERS[number % len(MARKERS)]}
        axes[0].loglog(group["images"], group["fit_cpu_seconds"], label=name, **style)
        axes[1].semilogx(group["images"], 100 * group["accuracy"], **style)
    axes[0].set(xlabel="training images", ylabel="CPU seconds of fit")
    axes[1].set(xlabel="training images", ylabel="test accuracy (%)", ylim=(60, 96))
    for axis in axes:
        axis.grid(alpha=0.3)
        axis.spines[["top", "right"]].set_visible(False)
    figure.legend(loc="outside lower center", ncols=6, frameon=False, fontsize="small")
    figure.savefig(path, dpi=110)
    print(f"Written: {path}")


def kind_of(name: str) -> str:
    if name in ("hog-fast", "hog-quick"):
        return "nystroem"
    return next((kind for kind in COLORS if name.endswith(f"-{kind}")), "network")


def _slope(sizes, seconds) -> float:
    return float(np.polyfit(np.log(sizes), np.log(np.maximum(seconds, 1e-3)), 1)[0])


def _pair(text: str) -> tuple[str, str]:
    name, _, value = text.partition("=")
    return name, value


def _parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--models", nargs="+", default=list_models(), metavar="NAME")
    parser.add_argument("--sizes", nargs="+", type=int, default=SIZES, metavar="N")
    parser.add_argument("--limit", type=float, default=3600, help="CPU seconds of one fit")
    parser.add_argument("--set", nargs="*", default=[], metavar="PARAMETER=JSON")
    parser.add_argument("--output", type=Path, default=Path("results"))
    parser.add_argument("--only", nargs=2, help=argparse.SUPPRESS)
    return parser.parse_args()


if __name__ == "__main__":
    main()
