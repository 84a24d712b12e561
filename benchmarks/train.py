"""Train the networks: recipes, architectures, the hierarchical network, and studies of what helps.

Each part prints one table. Nothing is chosen by looking at the test set, which is used once per
fit; with ``--validation`` 10,000 of the training images take its place and are not trained on.

    python benchmarks/train.py recipes fast strong --seeds 3 --output results
    python benchmarks/train.py race                 # time to the basic network's accuracy
    python benchmarks/train.py architectures
    python benchmarks/train.py hierarchical --seeds 3 --output results
    python benchmarks/train.py throughput           # against the same networks in plain Keras
    python benchmarks/train.py profile              # where the time of a step goes
    python benchmarks/train.py studies --output results
"""

from __future__ import annotations

import argparse
import time
from multiprocessing import get_context
from pathlib import Path
from statistics import mean, median

import numpy as np
from _measure import cpu_seconds, interleaved, print_setting, print_table
from sklearn.metrics import confusion_matrix
from sklearn.model_selection import GridSearchCV, PredefinedSplit, train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer

from fashionkit import CLASS_NAMES, CNNClassifier, HierarchicalCNNClassifier, fetch_fashion_mnist
from fashionkit.neural import architectures, recipes
from fashionkit.neural._core import engine
from fashionkit.plotting._confusion import draw_confusion_matrix
from fashionkit.plotting._history import draw_training_histories
from fashionkit.preprocessing import Augmentation

# Test accuracy of the basic network in the report that it is taken from (docs/benchmarks.rst).
REPORTED = 0.9021


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("part", choices=PARTS, help="what to measure")
    parser.add_argument("names", nargs="*", help="recipes or architectures (default: all)")
    parser.add_argument("--seeds", type=int, default=1, help="fits of each kind (default: 1)")
    parser.add_argument("--first-seed", type=int, default=0, help="the first of them (default: 0)")
    parser.add_argument("--epochs", type=int, help="epochs, where they are not those of a recipe")
    parser.add_argument("--set", action="append", default=[], help="a parameter: name=value")
    parser.add_argument("--validation", action="store_true", help="leave the test set alone")
    parser.add_argument("--output", type=Path, help="folder for pictures")
    options = parser.parse_args()
    options.params = {
        name: _literal(value) for name, _, value in (item.partition("=") for item in options.set)
    }
    if options.output:
        options.output.mkdir(parents=True, exist_ok=True)
    print_setting("tensorflow", "keras")
    PARTS[options.part](options)


def run_recipes(options) -> None:
    """Each recipe on all training images: accuracy, and what it costs."""
    models = {
        name: CNNClassifier.from_recipe(name, **options.params)
        for name in options.names or recipes.list_recipes()
    }
    if options.epochs:
        models = {name: model.set_params(epochs=options.epochs) for name, model in models.items()}
    compare(models, options)


def run_architectures(options) -> None:
    """Each architecture with its defaults, all trained alike."""
    models = {
        name: CNNClassifier(
            name,
            learning_rate=0.002,
            learning_rate_schedule="one-cycle",
            batch_size=64,
            epochs=options.epochs or 4,
        ).set_params(**options.params)
        for name in options.names or architectures.list_architectures()
    }
    compare(models, options)


def run_hierarchical(options) -> None:
    """The hierarchical network, trained by the recipe "fast"."""
    params = {name: value for name, value in recipes.get("fast").items() if name != "architecture"}
    model = HierarchicalCNNClassifier("fashion-mnist", **params).set_params(**options.params)
    if options.epochs:
        model.set_params(epochs=options.epochs)
    compare({"hierarchical": model}, options)


def compare(models, options) -> None:
    """Fit each model with each seed, and print a row for each fit and each mean."""
    X, y, X_test, y_test = load(options.validation)
    rows, histories = [], {}
    for name, model in models.items():
        results = []
        for seed in range(options.first_seed, options.first_seed + options.seeds):
            start = time.perf_counter()
            seconds = cpu_seconds(lambda m=model, s=seed: m.set_params(random_state=s).fit(X, y))
            elapsed = time.perf_counter() - start
            loss, accuracy = model.evaluate(X_test, y_test)
            coarse = [
                model.score_coarse(X_test, y_test, level)
                for level in range(len(getattr(model, "levels_", [None])) - 1)
            ]
            results.append((accuracy, *coarse, loss, seconds / 60, elapsed / 60))
            rows.append((name, f"{model.model_.count_params():,}", seed, *results[-1]))
            print(f"{name}, seed {seed}: {100 * accuracy:.2f} %, {seconds / 60:.1f} CPU minutes",
                  flush=True)  # fmt: skip
            histories[f"{name}, seed {seed}"] = model.history_
            if options.output and seed == options.first_seed:
                counts = confusion_matrix(y_test, model.predict(X_test))
                draw_confusion_matrix(counts, CLASS_NAMES, title=name).savefig(
                    options.output / f"confusion_matrix_{name}.png", dpi=80
                )
        if options.seeds > 1:
            rows.append((name, "", "mean", *np.mean(results, axis=0)))
    levels = tuple(f"level {level} (%)" for level in range(len(rows[0]) - 7))
    print()
    print_table(
        ("", "parameters", "seed", "accuracy (%)", *levels, "loss", "CPU min", "elapsed min"),
        [
            (name, n, seed, *(f"{100 * value:.2f}" for value in accuracies), f"{loss:.4f}",
             f"{cpu:.1f}", f"{elapsed:.1f}")
            for name, n, seed, *accuracies, loss, cpu, elapsed in rows
        ],
    )  # fmt: skip
    if options.output:
        path = options.output / f"curves_{options.part}_{'_'.join(models)}.png"
        draw_training_histories(histories).savefig(path, dpi=80)


def run_race(options) -> None:
    """Recipes by what a fresh process spends until it has a fitted network."""
    figures: dict[str, list] = {name: [] for name in options.names or ("basic", "quick")}
    for seed in range(options.first_seed, options.first_seed + max(options.seeds, 3)):
        for name in figures:
            with get_context("spawn").Pool(1) as pool:
                figures[name].append(pool.apply(fit_recipe, (name, seed, options)))
            print(f"{name}, seed {seed}: {figures[name][-1]}", flush=True)
    base = median(seconds for _, seconds in next(iter(figures.values())))
    print("\nCPU seconds of a process, from its start to the fitted network; medians:\n")
    print_table(
        ("recipe", "accuracy (%)", "lowest (%)", "CPU s", f"of {next(iter(figures))}"),
        [
            (name, f"{100 * mean(a for a, _ in fits):.2f}", f"{100 * min(a for a, _ in fits):.2f}",
             f"{median(s for _, s in fits):.1f}", f"{median(s for _, s in fits) / base:.3f}")
            for name, fits in figures.items()
        ],
    )  # fmt: skip
    print(f"The accuracy to reach is {100 * REPORTED:.2f} %.")


def fit_recipe(name: str, seed: int, options) -> tuple[float, float]:
    """Return the accuracy of one fit, and the CPU seconds of this process until then."""
    X, y, X_test, y_test = load(options.validation)
    model = CNNClassifier.from_recipe(name, random_state=seed, **options.params).fit(X, y)
    seconds = time.process_time()
    return model.score(X_test, y_test), seconds


def run_throughput(options) -> None:
    """Images per CPU second in training, against the same network in plain Keras."""
    X, y, *_ = load(validation=True)
    X, y = X[:2560], y[:2560]
    scaled = (X[..., np.newaxis] / 255).astype("float32")
    rows = []
    for name in options.names or architectures.list_architectures():
        model = architectures.get(name)((28, 28, 1), 10)
        model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
        clf = CNNClassifier(name, batch_size=128, epochs=1, random_state=0)
        augmented = CNNClassifier(
            name, batch_size=128, epochs=1, random_state=0, augmentation=EVERYTHING
        )
        works = {
            "keras": lambda m=model: m.fit(scaled, y, batch_size=128, epochs=1, verbose=0),
            "ours": lambda c=clf: c.fit(X, y),
            "augmented": lambda c=augmented: c.fit(X, y),
        }
        interleaved(works, cpu_seconds, 1)
        cpu = interleaved(works, cpu_seconds, 3)
        rows.append(
            (name, *(f"{len(X) / cpu[work]:.0f}" for work in works),
             f"{cpu['ours'] / cpu['keras']:.3f}", f"{cpu['augmented'] / cpu['ours']:.3f}")
        )  # fmt: skip
        print(*rows[-1], flush=True)
    print("\nImages per CPU second, batches of 128, medians of 3 epochs on 2,560 images:\n")
    print_table(
        (
            "network",
            "Keras",
            "CNNClassifier",
            "augmented",
            "time over Keras's",
            "augmented over not",
        ),
        rows,
    )


def run_profile(options) -> None:
    """What a training step of the recipe "fast" costs, and what each setting changes."""
    X, y, *_ = load(validation=True)
    X, y = X[:2560], y[:2560]
    base = {"epochs": 1, "batch_size": 128, "random_state": 0, "optimizer": "muon"}
    variants = {
        "float32": {},
        "bfloat16 where it pays (auto)": {"dtype": "auto"},
        # The parameter changes nothing, but that the compiled network is one of its own.
        "one step per call": {"steps": 1, "architecture_params": {"dropout": 0.0}},
        "SGD instead of Muon": {"optimizer": "sgd", "optimizer_params": {"momentum": 0.9}},
        "flips and shifts": {
            "augmentation": Augmentation(horizontal_flip="alternating", translation=0.04)
        },
        "every distortion": {"augmentation": EVERYTHING},
        "soft targets": {"label_smoothing": 0.1},
        "averaged weights": {"ema_decay": 0.99},
    }

    def work(params):
        steps = params.get("steps", engine.STEPS_PER_EXECUTION)
        rest = {name: value for name, value in params.items() if name != "steps"}
        clf = CNNClassifier("fast", **{**base, **rest})

        def fit():
            before = engine.STEPS_PER_EXECUTION
            engine.STEPS_PER_EXECUTION = steps
            try:
                clf.fit(X, y)
            finally:
                engine.STEPS_PER_EXECUTION = before

        return fit

    works = {name: work(params) for name, params in variants.items()}
    works["XLA (plain Keras)"], works["no XLA (plain Keras)"] = (
        by_keras(X, y, jit_compile) for jit_compile in (True, False)
    )
    interleaved(works, cpu_seconds, 1)
    cpu = interleaved(works, cpu_seconds, 3)
    print("One epoch of 2,560 images in batches of 128, medians of 3, microseconds per image:\n")
    print_table(
        ("", "CPU", "over float32"),
        [
            (name, f"{1e6 * seconds / len(X):.0f}", f"{seconds / cpu['float32']:.3f}")
            for name, seconds in cpu.items()
        ],
    )
    print_layers(X)


def by_keras(X, y, jit_compile):
    """Return an epoch of the network "fast" in plain Keras."""
    import keras

    scaled = (X[..., np.newaxis] / 255).astype("float32")
    model = architectures.fast((28, 28, 1), 10)
    model.compile(
        keras.optimizers.SGD(0.01, momentum=0.9),
        "sparse_categorical_crossentropy",
        jit_compile=jit_compile,
    )
    return lambda: model.fit(scaled, y, batch_size=128, epochs=1, verbose=0)


def print_layers(X) -> None:
    """Print what each kind of layer costs, forward, run one after the other."""
    import tensorflow as tf

    model = architectures.fast((28, 28, 1), 10)
    x = tf.constant((X[:512, ..., np.newaxis] / 255).astype("float32"))
    costs: dict[str, float] = {}
    for layer in model.layers[1:]:
        function = tf.function(lambda value, layer=layer: layer(value))
        function(x)
        seconds = median(cpu_seconds(lambda f=function, v=x: f(v)) for _ in range(7))
        kind = type(layer).__name__
        costs[kind] = costs.get(kind, 0.0) + seconds
        x = function(x)
    total = sum(costs.values())
    print("Forward, by kind of layer:\n")
    print_table(
        ("layers", "microseconds per image", "share (%)"),
        [
            (kind, f"{1e6 * seconds / 512:.1f}", f"{100 * seconds / total:.0f}")
            for kind, seconds in sorted(costs.items(), key=lambda item: -item[1])
        ],
    )


def run_studies(options) -> None:
    """Accuracy over epochs, depth, number of images and augmentation; and a search."""
    X, y, X_held, y_held = load(validation=True)
    study_epochs(X, y, X_held, y_held, options)
    study_sizes(X, y, X_held, y_held, options)
    study_depth(X, y)
    study_search(X, y)


def study_epochs(X, y, X_held, y_held, options) -> None:
    """The basic network for 20 epochs, with and without augmentation."""
    histories = {}
    for name, augmentation in (("as it is", None), ("augmented", MILD)):
        clf = CNNClassifier(epochs=20, augmentation=augmentation, batch_size=64, random_state=0)
        clf.fit(X[:10_000], y[:10_000], X_val=X_held, y_val=y_held)
        histories[name] = clf.history_
    shown = (1, 2, 3, 5, 8, 12, 16, 20)
    print("The basic network, 10,000 images: validation accuracy (%) after each epoch:\n")
    print_table(
        ("epochs", *map(str, shown)),
        [
            (name, *(f"{100 * history['val_accuracy'][epoch - 1]:.2f}" for epoch in shown))
            for name, history in histories.items()
        ],
    )
    if options.output:
        draw_training_histories(histories).savefig(options.output / "study_epochs.png", dpi=80)


def study_sizes(X, y, X_held, y_held, options) -> None:
    """The recipe "fast" on more and more images, as many gradient steps each."""
    rows = []
    for n_samples in (500, 1_000, 5_000, 10_000, 20_000):
        scores = []
        for augmentation in (None, recipes.get("fast")["augmentation"]):
            clf = CNNClassifier.from_recipe(
                "fast",
                augmentation=augmentation,
                epochs=max(3, 60_000 // n_samples),
                architecture_params={"filters": (16, 32, 64)},
                random_state=0,
            )
            clf.fit(X[:n_samples], y[:n_samples])
            scores.append(clf.score(X_held, y_held))
        rows.append((n_samples, *scores))
    print('A half-width network by the recipe "fast", about 60,000 images seen in all:\n')
    print_table(
        ("images", "as they are (%)", "augmented (%)"),
        [(f"{n:,}", *(f"{100 * score:.2f}" for score in scores)) for n, *scores in rows],
    )
    if options.output:
        draw_sizes(rows).savefig(options.output / "study_sizes.png", dpi=80)


def draw_sizes(rows):
    """Draw accuracy over the number of training images."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(6, 4), layout="constrained")
    ax = figure.subplots()
    sizes = [row[0] for row in rows]
    for column, name in ((1, "as they are"), (2, "augmented")):
        ax.plot(sizes, [100 * row[column] for row in rows], marker=".", label=name)
    ax.set(xscale="log", xlabel="Training images", ylabel="Validation accuracy (%)")
    ax.grid(visible=True, alpha=0.3)
    ax.legend()
    return figure


def study_depth(X, y) -> None:
    """A grid search over the depth of the basic network."""
    grid = {"architecture__filters": [(32,), (32, 64), (32, 64, 64), (32, 64, 64, 64)]}
    search(CNNClassifier(epochs=6, batch_size=64, random_state=0), grid, X, y, "depth")


def study_search(X, y) -> None:
    """A grid search over learning rate, batch size and epochs, in a Pipeline."""
    pipeline = make_pipeline(
        FunctionTransformer(lambda images: images / 255.0), CNNClassifier(random_state=0)
    )
    grid = {
        "cnnclassifier__learning_rate": [3e-4, 1e-3, 3e-3],
        "cnnclassifier__batch_size": [32, 128],
        "cnnclassifier__epochs": [3, 8],
    }
    search(pipeline, grid, X, y, "learning rate, batch size and epochs, in a Pipeline")


def search(estimator, grid, X, y, title) -> None:
    """Search on 8,000 images, with 4,000 others to choose by, and print every candidate."""
    split = PredefinedSplit(np.repeat([-1, 0], [8_000, 4_000]))
    found = GridSearchCV(estimator, grid, cv=split, refit=False).fit(X[:12_000], y[:12_000])
    results = found.cv_results_
    names = [name.removeprefix("param_").split("__", 1)[-1] for name in results if "param_" in name]
    keys = [name for name in results if name.startswith("param_")]
    order = np.argsort(-results["mean_test_score"])
    print(f"Search over {title}: validation accuracy (%):\n")
    print_table(
        (*names, "accuracy (%)", "fit (s)"),
        [
            (*(results[key][i] for key in keys), f"{100 * results['mean_test_score'][i]:.2f}",
             f"{results['mean_fit_time'][i]:.1f}")
            for i in order
        ],
    )  # fmt: skip


def load(validation: bool):
    """Return training and test images; the latter from the training data if they must."""
    X, y = fetch_fashion_mnist("train", return_X_y=True)
    if not validation:
        return X, y, *fetch_fashion_mnist("test", return_X_y=True)
    X, X_held, y, y_held = train_test_split(X, y, test_size=10_000, stratify=y, random_state=0)
    return X, y, X_held, y_held


def _literal(text: str):
    from ast import literal_eval

    try:
        return literal_eval(text)
    except (SyntaxError, ValueError):
        return text


MILD = Augmentation(rotation=5, horizontal_flip="random", zoom=0.05, translation=0.04)
EVERYTHING = Augmentation(
    rotation=10, horizontal_flip="random", zoom=0.1, translation=0.1, contrast=0.2, erasing=0.5
)
PARTS = {
    "recipes": run_recipes,
    "race": run_race,
    "architectures": run_architectures,
    "hierarchical": run_hierarchical,
    "throughput": run_throughput,
    "profile": run_profile,
    "studies": run_studies,
}


if __name__ == "__main__":
    main()
