"""Transfer learning: what networks trained on other images are worth on garments.

Each part prints one table. Choices were made on validation splits; a test set is used once per fit.
The weights are Keras's, or those of a file (``--weights``). Photos lie in a folder with a file
senders.csv with the columns split, label, file and sender_id, and the photos in split/label/file,
such as https://github.com/alexeygrigorev/clothing-dataset-small with a list of who took which; no
sender is in two folds.

    python benchmarks/transfer.py strong                   # frozen features and a kernel
    python benchmarks/transfer.py invariant                # and views of the support vectors; needs
                                                           # scikit-learn-intelex
    python benchmarks/transfer.py quick                    # one layer, in a minute
    python benchmarks/transfer.py basic --epochs 2         # the recipe "basic"
    python benchmarks/transfer.py heads                    # what "mobilenetv2-head" was chosen from
    python benchmarks/transfer.py head --train-size 20000  # "mobilenetv2-head"
    python benchmarks/transfer.py cached                   # features once, or in every epoch
    python benchmarks/transfer.py fine-tuned
    python benchmarks/transfer.py photos --photos DIR      # or some: --set "models=['fine-tuned']"
                                                           # --set "folds=[1, 2]"
    python benchmarks/transfer.py layers --photos DIR --output results
    python benchmarks/transfer.py sizes --photos DIR --output results
"""

from __future__ import annotations

import argparse
import ast
import time
from pathlib import Path

import numpy as np
import pandas as pd
from _measure import cpu_seconds, peak_memory, print_setting, print_table
from _photos import SMALL
from sklearn.decomposition import PCA
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.metrics import log_loss
from sklearn.model_selection import GroupKFold, train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from fashionkit import (
    BackboneFeatures,
    CalibratedSVC,
    CNNClassifier,
    InvariantSVC,
    TransferClassifier,
    fetch_fashion_mnist,
    make_model,
)
from fashionkit.datasets import ImageFolder
from fashionkit.features import BoundedPCA

# The steps of models that have weights.
HOLDERS = {
    "mobilenetv2-svm": "mobilenetv2",
    "mobilenetv2+hog-svm": "union__mobilenetv2__features",
    "invariant-svm": "union__mobilenetv2__features",
}
# Parameters that are not those of "mobilenetv2-head".
HEADS = {
    "mobilenetv2-head": {},
    "56 pixels": {"image_size": 56},
    "blocks 9 and 12": {"layers": ["block_9_add", "block_12_add"]},
    "level high": {"layers": "high"},
    "last layer": {"layers": None},
    "dropout 0.3": {"dropout": 0.3},
    "20 epochs": {"epochs": 20},
    "constant rate": {"learning_rate_schedule": "constant"},
    "96 pixels, last layer, constant rate, batches of 32": {
        "image_size": 96,
        "layers": None,
        "learning_rate_schedule": "constant",
        "batch_size": 32,
    },
}
PHOTO_SIZE = 224
PHOTO_LAYERS = ["high", "block_15_add", "block_16_project_BN", "last"]
N_STUDY_TRAIN, N_STUDY_TEST = 6_000, 3_000
STUDY_LAYERS = (
    "block_1_expand_relu",
    "low",
    "mid",
    "block_8_expand_relu",
    "block_10_expand_relu",
    "high",
    "block_15_expand_relu",
    "last",
)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("part", choices=PARTS, help="what to measure")
    parser.add_argument("--weights", default="imagenet", help="file of MobileNetV2's weights")
    parser.add_argument("--photos", type=Path, help="folder of photos")
    parser.add_argument("--epochs", type=int, help="epochs, where they are not those of a recipe")
    parser.add_argument("--set", action="append", default=[], help="a parameter: name=value")
    parser.add_argument("--train-size", type=int, help="train on so many images")
    parser.add_argument("--seed", type=int, default=0)
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


def run_strong(options) -> None:
    """Frozen features of several layers, components, and a kernel machine; and HOG beside them."""
    name = options.params.pop("name", "mobilenetv2+hog-svm")
    weights = {f"{HOLDERS[name]}__weights": options.weights}
    model = make_model(name, random_state=options.seed, **weights, **options.params)
    _evaluate(name, model, _fashion_mnist(options))


def run_invariant(options) -> None:
    """Features of plain images, and a machine that learns from views of its support vectors."""
    name = options.params.pop("name", "invariant-svm")
    views = options.params.pop("views", "flip+shift")
    params = {"svm__backend": "sklearnex", "svm__calibration_size": 2_000}
    if name in HOLDERS:
        # Not of both views at once: they are learnt, and averaged, one by one.
        params |= {f"{HOLDERS[name]}__mirror": False, f"{HOLDERS[name]}__weights": options.weights}
    model = make_model(name, random_state=options.seed)
    if name != "invariant-svm":
        model = InvariantSVC(model)
    model.set_params(views=views)
    model.estimator.set_params(**params, **options.params)
    _evaluate(f"{name}, {views}", model, _fashion_mnist(options))


def run_quick(options) -> None:
    """One layer, and a sixth of the training images, in a minute."""
    options.train_size = options.train_size or 10_000
    model = make_model(
        "mobilenetv2-svm",
        mobilenetv2__weights=options.weights,
        mobilenetv2__layers="mid",
        mobilenetv2__mirror=False,
        pca__n_components=200,
        pca__max_samples=5_000,
        random_state=options.seed,
    ).set_params(**options.params)
    _evaluate("one layer, 10,000 images", model, _fashion_mnist(options))


def run_basic(options) -> None:
    """The recipe "basic", which is the second model of the report that it is taken from."""
    model = make_model(
        "mobilenetv2", weights=options.weights, random_state=options.seed, verbose=1
    ).set_params(**options.params)
    if options.epochs:
        model.set_params(epochs=options.epochs)
    _evaluate(f"basic, {model.epochs} epochs", model, _fashion_mnist(options))
    print(model.summary())


def run_head(options) -> None:
    """A dense head on a frozen network, whose features are computed once."""
    model = make_model("mobilenetv2-head", weights=options.weights, random_state=options.seed)
    _evaluate("mobilenetv2-head", model.set_params(**options.params), _fashion_mnist(options))


def run_heads(options) -> None:
    """What the recipe "head" was chosen from, on 2,000 other training images."""
    X, y = fetch_fashion_mnist("train", return_X_y=True)
    X, X_test, y, y_test = train_test_split(
        X, y, train_size=10_000, test_size=2_000, stratify=y, random_state=0
    )
    rows = []
    for name, params in HEADS.items():
        model = make_model("mobilenetv2-head", weights=options.weights, random_state=options.seed)
        model.set_params(**params)
        fitting = cpu_seconds(lambda model=model: model.fit(X, y))
        probabilities = model.predict_proba(X_test)
        accuracy = np.mean(model.classes_[probabilities.argmax(axis=1)] == y_test)
        loss = log_loss(y_test, probabilities)
        rows.append((name, f"{100 * accuracy:.2f}", f"{loss:.4f}", f"{fitting:.0f}"))
        print(f"  {rows[-1]}", flush=True)
    print_table(("variant", "validation accuracy (%)", "log loss", "fit (CPU s)"), rows)


def run_cached(options) -> None:
    """The head of the recipe "basic" for ten epochs, on features computed once or every time."""
    X, y, _, _ = _fashion_mnist(options)
    n_cached, n_direct = options.train_size or 4_000, 1_000
    head = {
        "weights": options.weights,
        "image_size": 96,
        "pooling": "flatten",
        "head_units": 128,
        "dropout": 0.5,
        "random_state": options.seed,
    }

    def cached(epochs: int = 10) -> None:
        TransferClassifier(**head, epochs=epochs).fit(X[:n_cached], y[:n_cached])

    def direct(epochs: int = 1) -> None:
        # With the convolution every epoch goes through the network, as those of the recipe do.
        model = TransferClassifier(**head, epochs=epochs, channels="conv")
        model.fit(X[:n_direct], y[:n_direct])

    for work in (cached, direct):
        work(1)  # builds and compiles
    of_cached = cpu_seconds(cached) / n_cached
    of_direct = 10 * cpu_seconds(direct) / n_direct
    print_table(
        ("ten epochs of the head", "CPU ms per image", "60,000 images, CPU s"),
        [
            ("features once", f"{1e3 * of_cached:.2f}", f"{6e4 * of_cached:.0f}"),
            (
                f"through the network (from one epoch of {n_direct} images)",
                f"{1e3 * of_direct:.2f}",
                f"{6e4 * of_direct:.0f}",
            ),
            ("ratio", f"{of_direct / of_cached:.1f}", ""),
        ],
    )


def run_fine_tuned(options) -> None:
    """A network whose head is trained on frozen features first, and then all of it."""
    _evaluate("fine-tuned", _tuned(options).set_params(verbose=1), _fashion_mnist(options))


def run_photos(options) -> None:
    """Real photos, in five folds by sender."""
    X, y, senders = _photos(options, PHOTO_SIZE)
    wanted = options.params.pop("models", None)
    folds = options.params.pop("folds", [1, 2, 3, 4, 5])
    models = {
        "frozen, kernel machine": _frozen_for_photos(options),
        "frozen, four views": _discriminant(),
        "fine-tuned": _tuned_for_photos(options),
        # Of the width 0.35: --weights is the file of that network, if any.
        "fine-tuned, small": _tuned_for_photos(options, **SMALL),
        "hog-svm": make_model("hog-svm", random_state=options.seed),
        "fast, from scratch": CNNClassifier.from_recipe("fast", random_state=options.seed),
    }
    rows = []
    for name in wanted or models:
        model = models[name]
        accuracies = []

        def fit_and_predict(name=name, model=model, accuracies=accuracies) -> None:
            images = X
            if "scratch" in name:
                images = _photos(options, 64)[0]
            elif "views" in name:  # features know no labels and no other photos: once for all folds
                images = _views(options, X)
            parts = list(GroupKFold(5).split(images, y, senders))
            for train, test in (parts[fold - 1] for fold in folds):
                model.fit(images[train], y[train])
                accuracies.append(float(np.mean(model.predict(images[test]) == y[test])))
                print(f"  {name}: {100 * accuracies[-1]:.2f}", flush=True)

        seconds = cpu_seconds(fit_and_predict)
        rows.append(
            (
                name,
                f"{100 * np.mean(accuracies):.2f}",
                f"{100 * min(accuracies):.1f} to {100 * max(accuracies):.1f}",
                f"{seconds / 60:.1f}",
            )
        )
    print_table(("model", "accuracy (%)", "of the folds", "all folds (CPU min)"), rows)


def run_layers(options) -> None:
    """Accuracy by layer and by input size, on both data sets."""
    X, y, X_test, y_test = _study_split(options)
    tables = {}
    if options.params.get("data", "fashion") != "photos":
        tables["Fashion-MNIST"] = _by_layer(
            options, (32, 56, 96), {}, lambda size: (X, X_test), y, y_test
        )
    if options.photos:
        _, labels, senders = _photos(options, 32)
        train, test = next(GroupKFold(5).split(labels, labels, senders))

        def photos(size):
            images, _, _ = _photos(options, size)
            return images[train], images[test]

        tables["photos"] = _by_layer(
            options, (96, 160, 224), {}, photos, labels[train], labels[test]
        )
    for name, table in tables.items():
        print(f"{name}: accuracy (%) by layer and input size\n")
        print_table(("layer", *map(str, table.columns)), list(table.round(1).itertuples()))
        print()
    if options.output:
        _draw_layers(tables, options.output / "transfer_layers.png")


def run_sizes(options) -> None:
    """Transfer against a network from scratch, by the number of training images."""
    tables = {}
    X, y, X_test, y_test = _fashion_mnist(options)
    keep = train_test_split(
        np.arange(len(y_test)), train_size=5_000, stratify=y_test, random_state=0
    )[0]
    tables["Fashion-MNIST"] = _by_size(
        options, (X, X), y, (X_test[keep], X_test[keep]), y_test[keep], (10, 30, 100, 1000),
        _frozen_for_garments(options),
    )  # fmt: skip
    if options.photos:
        large, labels, senders = _photos(options, PHOTO_SIZE)
        small, _, _ = _photos(options, 64)
        train, test = next(GroupKFold(5).split(labels, labels, senders))
        tables["photos"] = _by_size(
            options,
            (large[train], small[train]),
            labels[train],
            (large[test], small[test]),
            labels[test],
            (10, 30, 100, 1000),
            _frozen_for_photos(options),
        )
    for name, table in tables.items():
        print(f"{name}: accuracy (%) by training images per class\n")
        print_table(("per class", *table.columns), list(table.round(1).itertuples()))
        print()
    if options.output:
        _draw_sizes(tables, options.output / "transfer_sizes.png")


def _frozen_for_garments(options):
    return make_model(
        "mobilenetv2-svm", mobilenetv2__weights=options.weights, random_state=options.seed
    )


def _views(options, centres: np.ndarray) -> np.ndarray:
    """Return features of the centres of photos at three sizes, and of whole photos, squeezed."""
    whole, _, _ = _photos(options, PHOTO_SIZE, aspect="stretch")
    views = [(centres, 160), (centres, 224), (centres, 288), (whole, 224)]
    return np.hstack(
        [
            BackboneFeatures(
                layers=PHOTO_LAYERS,
                weights=options.weights,
                image_size=size,
                pooling="grid",
                grid=2,
                power=0.5,
                mirror=True,
                dtype="float16",
            ).fit_transform(images)
            for images, size in views
        ]
    ).astype(np.float32)


def _discriminant():
    return make_pipeline(
        StandardScaler(),
        PCA(600, svd_solver="randomized", random_state=0),
        LinearDiscriminantAnalysis(solver="lsqr", shrinkage=0.3),
    )


def _frozen_for_photos(options):
    return make_pipeline(
        BackboneFeatures(layers=PHOTO_LAYERS, weights=options.weights, power=0.5, mirror=True),
        StandardScaler(),
        # Three tenths of what gamma="scale" would be.
        CalibratedSVC(C=3, gamma=0.3 / 2336, random_state=options.seed),
    )


def _tuned(options) -> TransferClassifier:
    model = make_model("mobilenetv2-tuned", weights=options.weights, random_state=options.seed)
    if options.epochs:
        model.set_params(fine_tune_epochs=options.epochs)
    return model.set_params(**options.params)


def _tuned_for_photos(options, **params) -> TransferClassifier:
    model = TransferClassifier.from_recipe(
        "photos", weights=options.weights, random_state=options.seed, **params
    )
    if options.epochs:
        model.set_params(fine_tune_epochs=options.epochs)
    return model.set_params(**options.params)


def _evaluate(name: str, model, data: tuple) -> None:
    """Fit once, predict once, and print what it reached and cost."""
    X, y, X_test, y_test = data
    begin = time.perf_counter()
    fitting = cpu_seconds(lambda: model.fit(X, y))
    fitted = time.perf_counter()
    probabilities = []
    predicting = cpu_seconds(lambda: probabilities.append(model.predict_proba(X_test)))
    done = time.perf_counter()
    accuracy = float(np.mean(model.classes_[probabilities[0].argmax(axis=1)] == y_test))
    loss = log_loss(y_test, probabilities[0], labels=model.classes_)
    print_table(
        (
            "model",
            "accuracy (%)",
            "log loss",
            "fit (CPU s)",
            "predict (CPU s)",
            "elapsed (s)",
            "peak memory (GB)",
        ),
        [
            (
                name,
                f"{100 * accuracy:.2f}",
                f"{loss:.4f}",
                f"{fitting:.0f}",
                f"{predicting:.0f}",
                f"{fitted - begin:.0f} + {done - fitted:.0f}",
                f"{peak_memory() / 2**30:.2f}",
            )
        ],
    )
    print(f"CPU time of the whole process: {time.process_time():.0f} s\n", flush=True)


def _by_layer(options, sizes, params, images, y, y_test) -> pd.DataFrame:
    """Fit a kernel machine on 200 components of each layer, at each size."""
    table = pd.DataFrame(index=list(STUDY_LAYERS), columns=list(sizes), dtype=float)
    for size in sizes:
        train, test = images(size)
        features = BackboneFeatures(
            layers=[layer for layer in STUDY_LAYERS if layer != "last"] + ["out_relu"],
            weights=options.weights,
            image_size=size,
            pooling="grid",
            power=0.5,
            dtype="float16",
            **params,
        )
        columns = features.fit_transform(train), features.transform(test)
        begin = 0
        for layer, shape in zip(STUDY_LAYERS, features.feature_shapes_.values(), strict=True):
            end = begin + int(np.prod(shape))
            model = make_pipeline(
                BoundedPCA(200, max_samples=5_000, random_state=0),
                CalibratedSVC(C=10, calibration_size=100, random_state=0),
            )
            model.fit(columns[0][:, begin:end], y)
            accuracy = model.score(columns[1][:, begin:end], y_test)
            table.loc[layer, size] = 100 * accuracy
            print(f"  {size} {layer} {100 * accuracy:.1f}", flush=True)
            begin = end
    return table


def _by_size(options, images, y, test_images, y_test, sizes, frozen) -> pd.DataFrame:
    """Fit transfer and a network from scratch on so many images of each class."""
    table = pd.DataFrame(index=list(sizes), columns=["images", "frozen", "scratch"], dtype=float)
    for size in sizes:
        random = np.random.RandomState(options.seed)
        rows = np.concatenate(
            [random.permutation(np.flatnonzero(y == label))[:size] for label in np.unique(y)]
        )
        scratch = CNNClassifier.from_recipe(
            "fast", epochs=max(7, 20_000 // len(rows)), random_state=options.seed
        )
        if len(rows) < 1_000:
            scratch.set_params(batch_size=32, epochs=min(60, 20_000 // len(rows)))
        frozen.fit(images[0][rows], y[rows])
        scratch.fit(images[1][rows], y[rows])
        table.loc[size] = (
            len(rows),
            100 * frozen.score(test_images[0], y_test),
            100 * scratch.score(test_images[1], y_test),
        )
        print(" ", *table.loc[size].round(1), flush=True)
    return table.astype({"images": int})


def _fashion_mnist(options) -> tuple:
    X, y = fetch_fashion_mnist("train", return_X_y=True)
    if options.validation:
        X, X_test, y, y_test = train_test_split(X, y, test_size=10_000, stratify=y, random_state=0)
    else:
        X_test, y_test = fetch_fashion_mnist("test", return_X_y=True)
    if options.train_size and options.train_size < len(y):
        X, _, y, _ = train_test_split(
            X, y, train_size=options.train_size, stratify=y, random_state=options.seed
        )
    return X, y, X_test, y_test


def _study_split(options) -> tuple:
    """Return some training images, and others to evaluate on: no test images."""
    X, y = fetch_fashion_mnist("train", return_X_y=True)
    X, X_test, y, y_test = train_test_split(
        X, y, train_size=N_STUDY_TRAIN, test_size=N_STUDY_TEST, stratify=y, random_state=0
    )
    return X, y, X_test, y_test


def _photos(options, size: int, aspect: str = "crop") -> tuple:
    """Return photos, their centres unless told, as squares, with their labels and senders."""
    if options.photos is None:
        raise SystemExit("pass --photos DIR")
    listed = pd.read_csv(options.photos / "senders.csv").set_index("file")["sender_id"]
    images, labels, senders = [], [], []
    for split in ("train", "validation"):
        folder = ImageFolder(options.photos / split, image_size=size, aspect=aspect)
        images.append(np.asarray(folder))
        labels.append(folder.target)
        senders.append(listed.loc[[Path(name).name for name in folder.filenames]].to_numpy())
    return np.concatenate(images), np.concatenate(labels), np.concatenate(senders)


def _draw_layers(tables: dict[str, pd.DataFrame], path: Path) -> None:
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots(
        1, len(tables), figsize=(6 * len(tables), 4.5), layout="constrained"
    )
    for ax, (name, table) in zip(np.atleast_1d(axes), tables.items(), strict=True):
        for side in table.columns:
            ax.plot(range(len(table)), table[side], marker="o", label=f"{side} pixels")
        labels = [layer.replace("_expand_relu", "") for layer in table.index]
        ax.set_xticks(range(len(table)), labels, rotation=30, ha="right")
        ax.set(title=name, xlabel="layer of MobileNetV2, from early to late", ylabel="accuracy (%)")
        ax.grid(alpha=0.3)
        ax.legend()
    figure.savefig(path, dpi=120)
    print(f"Written: {path}")


def _draw_sizes(tables: dict[str, pd.DataFrame], path: Path) -> None:
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots(1, len(tables), figsize=(5 * len(tables), 4), layout="constrained")
    for ax, (name, table) in zip(np.atleast_1d(axes), tables.items(), strict=True):
        ax.semilogx(table["images"], table["frozen"], marker="o", label="frozen MobileNetV2, SVM")
        ax.semilogx(table["images"], table["scratch"], marker="s", label="network from scratch")
        ax.set(title=name, xlabel="training images, of ten classes", ylabel="accuracy (%)")
        ax.grid(alpha=0.3)
        ax.legend()
    figure.savefig(path, dpi=120)
    print(f"Written: {path}")


def _literal(text: str):
    try:
        return ast.literal_eval(text)
    except (ValueError, SyntaxError):
        return text


PARTS = {
    "strong": run_strong,
    "invariant": run_invariant,
    "quick": run_quick,
    "basic": run_basic,
    "head": run_head,
    "heads": run_heads,
    "cached": run_cached,
    "fine-tuned": run_fine_tuned,
    "photos": run_photos,
    "layers": run_layers,
    "sizes": run_sizes,
}

if __name__ == "__main__":
    main()
