"""The models that come with the package: how each is trained, and its card.

    python benchmarks/pretrained.py fashion-mnist-v1 --output models
    python benchmarks/pretrained.py clothing-photos-small-v1 --photos PHOTOS --output models
    python benchmarks/pretrained.py clothing-photos-v1 --photos PHOTOS --output models

PHOTOS is a folder with a file senders.csv with the columns split, label, file and sender_id, and
the photos in split/label/file, such as https://github.com/alexeygrigorev/clothing-dataset-small
with a list of who took which. Of the small model a fifth of the senders is held out for the card:
by their photos nothing was chosen but what the trained network is calibrated with, the temperature
and the confidence from which on predictions are accepted. The card says how these do on senders
that they were not chosen by. The other model of photos is trained on all of them, and its card has
what five folds of senders gave. Written are the model, NAME.fashionkit, its card, NAME.md, and of
"clothing-photos-v1" what the network must compute, NAME.npy; to ship them, put them into
fashionkit/persistence/pretrained, and the SHA-256 that is printed into _pretrained.py.

The network of the small model is written as NAME-network.fashionkit, too; --network takes it to
calibrate it anew without training it.
"""

from __future__ import annotations

import argparse
import json
import platform
import time
import warnings
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from _measure import cpu_seconds, print_setting
from _photos import SMALL, list_photos, split_senders
from ensembles import ERASING
from scipy.optimize import minimize_scalar
from scipy.special import softmax
from scipy.stats import binomtest
from sklearn.base import clone
from sklearn.decomposition import PCA
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.ensemble import VotingClassifier
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import log_loss
from sklearn.model_selection import GroupKFold, cross_val_predict
from sklearn.preprocessing import StandardScaler
from skops.card import Card

from fashionkit import (
    CLASS_NAMES,
    CNNClassifier,
    Comparison,
    DistilledClassifier,
    SelectiveClassifier,
    TransferClassifier,
    compare_models,
    fetch_fashion_mnist,
    load,
    most_confused,
    save,
)
from fashionkit._backbones.unwrap import unwrapped
from fashionkit.inspection import expected_calibration_error
from fashionkit.models._photos import photo_features
from fashionkit.neural._core.inference import TrainedNetwork
from fashionkit.persistence import describe
from fashionkit.persistence._downloaded import compute_reference

LICENCE = "bsd-3-clause"
# What the small model of photos accepts; as `fashionkit train` does.
DECIDED = {"criterion": "risk", "level": 0.05, "random_state": 0}
_SCORES = ("precision", "recall", "f1")
_RESULTS = "Model description/Evaluation Results"  # a section of cards
# Of the network whose weights the fine-tuning begins with.
IMAGENET = "MobileNetV2 of Keras Applications (Apache License 2.0), trained on ImageNet"
PHOTOS_DATA = (
    "[clothing-dataset-small](https://github.com/alexeygrigorev/clothing-dataset-small) by "
    f"Alexey Grigorev and contributors (CC0 1.0), and the weights of {IMAGENET}"
)
PHOTOS_USES = (
    "For photos of one garment each, laid out, hanging or worn, as people take them to sell "
    "something. It takes squares of {size} pixels in RGB: "
    "`fashionkit.load_images(paths, image_size={size})` makes them. It was trained on ten "
    "kinds of clothes, and predicts one of them for any picture, also for a bag or a landscape. It "
    "was not trained on photos from a studio, nor on photos of several garments. Classes with few "
    "photos are the weakest: see the table."
)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("name", choices=PARTS)
    parser.add_argument("--photos", type=Path, default=Path("photos"))
    parser.add_argument("--weights", default="imagenet", help="file of MobileNetV2's weights")
    parser.add_argument("--checkpoint-dir", type=Path, help="where a killed training goes on")
    parser.add_argument("--network", type=Path, help="file of the trained small network")
    parser.add_argument("--output", type=Path, default=Path("models"))
    parser.add_argument("--verbose", action="store_true", help="show epochs")
    options = parser.parse_args()
    print_setting("tensorflow", "keras")
    options.output.mkdir(parents=True, exist_ok=True)
    PARTS[options.name](options)


def make_fashion_mnist(options: argparse.Namespace) -> None:
    """Distil the two most accurate networks into a small one.

    They are "cnn-strong", and "mobilenetv2-tuned" with more epochs and random erasing. Filters and
    epochs of the student were chosen on validation images.
    """
    X, y = fetch_fashion_mnist("train", return_X_y=True)
    X_test, y_test = fetch_fashion_mnist("test", return_X_y=True)
    folders = {
        name: options.checkpoint_dir and options.checkpoint_dir / name
        for name in ("strong", "tuned", "student")
    }
    teacher = VotingClassifier(
        [
            (
                "strong",
                CNNClassifier.from_recipe(
                    "strong",
                    checkpoint_dir=folders["strong"],
                    test_time_augmentation=None,
                    random_state=0,
                    verbose=int(options.verbose),
                ),
            ),
            (
                "tuned",
                TransferClassifier.from_recipe(
                    "tuned",
                    weights=options.weights,
                    fine_tune_epochs=18,
                    augmentation=ERASING,
                    checkpoint_dir=folders["tuned"],
                    test_time_augmentation=None,
                    random_state=0,
                    verbose=int(options.verbose),
                ),
            ),
        ],
        voting="soft",
    )
    student = CNNClassifier.from_recipe(
        "fast",
        architecture_params={"filters": (40, 80, 160)},
        epochs=18,
        augmentation=ERASING,
        checkpoint_dir=folders["student"],
        random_state=0,
        verbose=int(options.verbose),
    )
    distilled = DistilledClassifier(student, teacher, n_copies=9, verbose=int(options.verbose))
    seconds = cpu_seconds(lambda: distilled.fit(X, y))
    # What it has learnt is all in the network.
    model = distilled.estimator_.set_params(checkpoint_dir=None, verbose=0)
    cool(model, X, y)
    _write(
        options,
        model,
        {"X": X, "y": y, "X_test": X_test, "y_test": y_test},
        _how_long(seconds),
        class_names=CLASS_NAMES,
        tags=["fashion-mnist", "distillation"],
        description=(
            "Classifier of the ten classes of Fashion-MNIST: a network of five convolutions and "
            "less than half a million parameters, distilled from two larger ones. Its kernels are "
            "in half precision."
        ),
        uses=(
            "For images like those of Fashion-MNIST: one garment each, 28 by 28 pixels, gray, "
            "light on black, centred, without a background. Labels are the numbers 0 to 9 of the "
            "data set; `fashionkit.CLASS_NAMES` has their names. It cannot classify photos: use "
            '`"clothing-photos-small-v1"` for these. Shirts are the hardest class.'
        ),
        data=(
            "The 60,000 training images of "
            "[Fashion-MNIST](https://github.com/zalandoresearch/fashion-mnist) (MIT, Zalando SE), "
            f"and, for a teacher, the weights of {IMAGENET}. Accuracy is that of its 10,000 test "
            "images."
        ),
        how=(
            "    from fashionkit import fetch_fashion_mnist, load_pretrained\n\n"
            f'    model = load_pretrained("{options.name}")\n'
            '    model.score(*fetch_fashion_mnist("test", return_X_y=True))'
        ),
    )


def cool(model: CNNClassifier, X: np.ndarray, y: np.ndarray) -> None:
    """Divide the scores of a network's last layer by the temperature that fits the labels best.

    Teachers that were trained on smoothed labels are less sure than they are right, and so is
    their student. No prediction of a single view changes.
    """
    views = model.test_time_augmentation
    scores = model.set_params(test_time_augmentation=None).decision_function(X)
    model.set_params(test_time_augmentation=views)
    temperature = fit_temperature(scores, y)
    print(f"temperature: {temperature:.3f}")
    network = model._network
    kernel, bias = network.trainable[-2:]
    arrays = [*network.trainable[:-2], kernel / temperature, bias / temperature]
    model._network = TrainedNetwork(network.spec, arrays, network.non_trainable)


def make_photos_small(options: argparse.Namespace) -> None:
    """Fine-tune a narrow MobileNetV2 on photos of clothes, and calibrate it on other senders."""
    images, senders = _photos(options.photos, 192)
    y, y_test = images["y"], images["y_test"]
    n_senders = [len(np.unique(ids)) for ids in senders]
    path = options.network or options.output / f"{options.name}-network.fashionkit"
    if options.network is None:
        network = TransferClassifier.from_recipe(
            "photos",
            **SMALL,
            weights=options.weights,
            checkpoint_dir=options.checkpoint_dir,
            random_state=0,
            verbose=int(options.verbose),
        )
        seconds = cpu_seconds(lambda: network.fit(images["X"], y))
        network.set_params(weights="imagenet", checkpoint_dir=None, verbose=0)
        how_long = _how_long(seconds)
        save(network, path, metadata={"training": how_long}, dtype="float16")
    else:
        how_long = describe(path).metadata["training"]
    network = load(path)  # as it is after rounding
    model = SelectiveClassifier(FrozenEstimator(network), **DECIDED)
    figures = _on_other_senders(model, images["X_test"], y_test, senders[1])
    model.fit(images["X_test"], y_test)
    figures["least confidence that is accepted"] = f"{model.threshold_:.3f}"
    print(f"temperature: {model.temperature_:.3f}")
    _write(
        options,
        model,
        images,
        how_long,
        decided=figures,
        tags=["clothing", "photos", "mobilenetv2"],
        description=(
            "Classifier of ten kinds of clothes on photos: a MobileNetV2 of 0.35 times the width, "
            "fine-tuned as a whole, whose kernels are in half precision; in a SelectiveClassifier, "
            "which calibrates its probabilities and tells which predictions a person should check."
        ),
        uses=PHOTOS_USES.format(size=192)
        + (
            "\n\n`decide` accepts predictions of which at most "
            f"{100 * DECIDED['level']:.0f} % are wrong, and leaves the others to review. This "
            "holds with a probability of 95 % for photos like those that it was calibrated on. The "
            "probability counts each photo as independent; photos of one person are alike, which "
            "makes it smaller. It has no outlier detector: a photo of something else may be "
            "accepted. To calibrate it on photos of your own: `SelectiveClassifier("
            'model.estimator, criterion="risk", level=0.05).fit(X, y)`.'
        ),
        data=(
            f"{len(y)} photos of {n_senders[0]} people, from {PHOTOS_DATA}. Accuracy "
            f"is that of {len(y_test)} photos of {n_senders[1]} other people, on which the trained "
            "network was then calibrated."
        ),
        how=(
            "    from fashionkit import load_images, load_pretrained\n\n"
            f'    model = load_pretrained("{options.name}")\n'
            '    photos = load_images(["shirt.jpg"], image_size=192)\n'
            "    model.predict(photos)\n"
            "    model.decide(photos)  # which to accept, and which to leave to a person"
        ),
    )


def _on_other_senders(
    model: SelectiveClassifier, X: np.ndarray, y: np.ndarray, senders: np.ndarray
) -> dict[str, str]:
    """Return figures of photos of senders that the network was not calibrated on: five folds."""
    probabilities, is_accepted = np.empty((len(y), len(np.unique(y)))), np.empty(len(y), bool)
    for train, test in GroupKFold(5).split(X, y, senders):
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", "No threshold can be shown to keep")
            fitted = clone(model).fit(X[train], y[train])
        probabilities[test] = fitted.predict_proba(X[test])
        is_accepted[test] = fitted.decide(X[test])["status"] == "accepted"
    targets = np.unique(y, return_inverse=True)[1]
    right = (probabilities.argmax(axis=1) == targets)[is_accepted]
    error = expected_calibration_error(targets, probabilities, np.unique(targets))
    return {
        "log loss": f"{log_loss(targets, probabilities):.3f}",
        "expected calibration error": f"{100 * error:.1f} %",
        "accepted by decide": f"{100 * is_accepted.mean():.1f} %",
        "accuracy of the accepted": f"{100 * right.mean():.1f} % ({right.sum()} of {len(right)})",
    }


def make_photos(options: argparse.Namespace) -> None:
    """Fit a linear head on what a frozen MobileNetV2 computes of photos.

    The shrinkage was chosen on other senders within the training part of the first of five folds.
    Support vector machines and logistic regression were less accurate there.
    """
    photos, sender_ids = list_photos(options.photos, 224)
    images, y, senders = np.asarray(photos), photos.target, pd.factorize(sender_ids)[0]
    n_senders = len(np.unique(senders))
    backbone = photo_features(options.weights).fit(images[:1])
    features = []
    seconds = cpu_seconds(lambda: features.append(backbone.transform(images)))
    head = ShrunkenDiscriminant()
    folds = {"cv": GroupKFold(5), "groups": senders}
    scores = cross_val_predict(head, features[0], y, method="decision_function", **folds)
    # One number, for probabilities that are right as often as they say; no prediction changes.
    head.temperature = fit_temperature(scores, y)
    print(f"temperature: {head.temperature:.2f}")
    comparison = compare_models({"model": head}, features[0], y, **folds, random_state=0)
    seconds += cpu_seconds(lambda: head.fit(features[0], y))
    path = save(
        head.as_logistic_regression(),
        options.output / f"{options.name}.fashionkit",
        metadata={"name": options.name, "licence": LICENCE, "data": PHOTOS_DATA},
    )
    np.save(path.with_suffix(".npy"), compute_reference(backbone))
    _write_card(
        options,
        load(path),
        path,
        comparison,
        _how_long(seconds),
        found=(
            "Cross-validated in five folds by sender: each photo was predicted by a model that was "
            "fitted without the photos of its sender. The model itself was fitted on all photos."
        ),
        shows_params=False,  # those of a logistic regression, which it was not
        tags=["clothing", "photos", "mobilenetv2"],
        description=(
            "Classifier of ten kinds of clothes on photos: a linear discriminant analysis, with "
            "shrinkage, on features of a frozen MobileNetV2 of full width, stored as the logistic "
            "regression that has its posterior probabilities. Only the head comes with the "
            "package; the network is Keras's download of 9 MB, made once, and checked by what it "
            "computes of two images."
        ),
        uses=(
            f"{PHOTOS_USES.format(size=224)} Where it may not download, "
            '`"clothing-photos-small-v1"` is ready at once, and three times as fast.'
        ),
        data=f"{len(y)} photos of {n_senders} people, from {PHOTOS_DATA}.",
        how=(
            "    from fashionkit import load_images, load_pretrained\n\n"
            f'    model = load_pretrained("{options.name}")\n'
            '    model.predict(load_images(["shirt.jpg"], image_size=224))'
        ),
    )


class ShrunkenDiscriminant(LogisticRegression):
    """A linear discriminant analysis with shrinkage, whose scores are divided by a temperature.

    Its posterior probabilities are those of a logistic regression with its coefficients.
    """

    solver = "lbfgs"  # by which predict_proba knows that it is multinomial

    def __init__(self, shrinkage: float = 0.4, temperature: float = 1.0):
        self.shrinkage = shrinkage
        self.temperature = temperature

    def fit(self, X: np.ndarray, y: np.ndarray) -> ShrunkenDiscriminant:
        scaler = StandardScaler().fit(X)
        scaled = scaler.transform(X)
        # There are more columns than photos, which lie in the space of all their components.
        pca = PCA(svd_solver="full").fit(scaled)
        analysis = LinearDiscriminantAnalysis(solver="lsqr", shrinkage=self.shrinkage)
        analysis.fit(pca.transform(scaled), y)
        weights = analysis.coef_ @ pca.components_
        constant = analysis.intercept_ - weights @ pca.mean_
        coef = weights / scaler.scale_
        self.coef_ = (coef / self.temperature).astype(np.float32)
        self.intercept_ = (constant - coef @ scaler.mean_) / self.temperature
        self.classes_ = analysis.classes_
        self.n_features_in_ = X.shape[1]
        return self

    def as_logistic_regression(self) -> LogisticRegression:
        plain = LogisticRegression()
        for name in ("coef_", "intercept_", "classes_", "n_features_in_"):
            setattr(plain, name, getattr(self, name))
        return plain


def fit_temperature(scores: np.ndarray, y: np.ndarray) -> float:
    """Return what to divide scores by for the least log loss (Guo et al., ICML 2017, 4.2)."""

    def loss(logarithm: float) -> float:
        return log_loss(y, softmax(scores / np.exp(logarithm), axis=1))

    return float(np.exp(minimize_scalar(loss, bounds=(-3, 5), method="bounded").x))


def _photos(folder: Path, size: int) -> tuple[dict[str, np.ndarray], list[np.ndarray]]:
    """Return the photos of four fifths of the senders, those of the others, and who took each."""
    photos, sender_ids = list_photos(folder, size)
    images, y = np.asarray(photos), photos.target
    train, test = split_senders(y, sender_ids)
    parts = {"X": images[train], "y": y[train], "X_test": images[test], "y_test": y[test]}
    return parts, [sender_ids[train], sender_ids[test]]


def _write(
    options: argparse.Namespace,
    model: Any,
    images: dict[str, np.ndarray],
    how_long: str,
    class_names: Any = None,
    decided: dict[str, str] | None = None,
    **card: Any,
) -> None:
    """Save the model, load it, evaluate what was loaded, and write its card."""
    path = save(
        model,
        options.output / f"{options.name}.fashionkit",
        metadata={"name": options.name, "licence": LICENCE, "data": card["data"]},
        dtype="float16",
    )
    loaded = load(path)
    comparison = compare_models(
        {"model": FrozenEstimator(loaded)}, **images, class_names=class_names
    )
    accuracy = model.score(images["X_test"], images["y_test"])
    print(f"before rounding: {100 * accuracy:.2f} %")
    _write_card(
        options,
        loaded,
        path,
        comparison,
        how_long,
        found=(
            "Of images that it never saw, and that no choice was made by."
            if decided is None
            else "Of images that the network never saw. Log loss, calibration error and what is "
            "accepted are of photos of people that it was not calibrated on: five folds, by sender."
        ),
        decided=decided,
        **card,
    )


def _write_card(
    options: argparse.Namespace,
    loaded: Any,
    path: Path,
    comparison: Comparison,
    how_long: str,
    *,
    found: str,
    decided: dict[str, str] | None = None,
    shows_params: bool = True,
    tags: list[str],
    description: str,
    uses: str,
    data: str,
    how: str,
) -> None:
    figures = _figures(comparison) | (decided or {})
    for name, value in figures.items():
        print(f"{name}: {value}")
    facts = describe(path)
    card = Card(unwrapped(loaded), model_diagram=False)  # whose parameters are of interest
    card.add(
        **{
            "Model description": f"{description}\n\nLicence: {LICENCE}.",
            "Model description/Intended uses & limitations": uses,
            "Model description/Training Procedure": (
                f"{data}\n\n`python benchmarks/pretrained.py {options.name}`: {how_long}."
            ),
            _RESULTS: found,
            "How to Get Started with the Model": how,
            "Model Card Authors": "The fashionkit developers.",
        }
    )
    card.add_metrics(_RESULTS, **figures)
    tables = {
        f"{_RESULTS}/By class": _by_class(comparison),
        f"{_RESULTS}/Known failures": _confusions(comparison),
        "The file": pd.DataFrame({"bytes": [facts.n_bytes], "SHA-256": [facts.sha256]}),
    }
    for section, table in tables.items():
        card.add_table(**{section: table})
        card.select(section).title = section.rpartition("/")[2]  # not the way to it
    for section in (
        "Citation",
        "Model Card Contact",
        "Model description/Training Procedure/Model Plot",
        *([] if shows_params else ["Model description/Training Procedure/Hyperparameters"]),
    ):
        card.delete(section)
    head = f"---\nlibrary_name: fashionkit\nlicense: {LICENCE}\ntags: {json.dumps(tags)}\n---\n"
    (options.output / f"{options.name}.md").write_text(head + card.render(), encoding="utf-8")
    print(f"{facts.n_bytes} bytes, SHA-256 {facts.sha256}")


def _how_long(seconds: float) -> str:
    """Return how long a training took, with which versions, and when."""
    print(f"fit: {seconds:.0f} CPU s")
    versions = ", ".join(f"{one} {version(one)}" for one in ("fashionkit", "tensorflow", "keras"))
    return (
        f"{seconds / 60:.0f} CPU minutes ({versions}, Python {platform.python_version()}, "
        f"{time.strftime('%Y-%m-%d')})"
    )


def _figures(comparison: Comparison) -> dict[str, str]:
    row = comparison.to_frame().iloc[0]
    right = comparison.predictions_["model"] == comparison.y_true_
    interval = binomtest(int(right.sum()), len(right)).proportion_ci(method="wilson")
    low, high = 100 * interval.low, 100 * interval.high
    figures = {
        "accuracy": f"{100 * right.mean():.2f} % ({right.sum()} of {len(right)})",
        "accuracy, 95 % interval (Wilson)": f"{low:.1f} to {high:.1f} %",
        "top-2 accuracy": f"{100 * row.top_2_accuracy:.2f} %",
        "log loss": f"{row.log_loss:.3f}",
        "expected calibration error": f"{100 * row.expected_calibration_error:.1f} %",
    }
    if not comparison.folds_.splits:
        near = len(comparison.leakage)
        figures["test images with a near-duplicate in the training set"] = str(near)
    return figures


def _by_class(comparison: Comparison) -> pd.DataFrame:
    table = comparison.per_class()
    shown = {name: [f"{100 * one:.1f} %" for one in table[name]] for name in _SCORES}
    names = {"class": table["class"]}
    if list(comparison.class_names_) != list(comparison.classes_):
        names = {"label": comparison.classes_, **names}
    return pd.DataFrame({**names, "images": table["support"], **shown})


def _confusions(comparison: Comparison) -> pd.DataFrame:
    names = dict(zip(comparison.classes_, comparison.class_names_, strict=True))
    true, predicted = comparison.y_true_, comparison.predictions_["model"]
    pairs = most_confused(*(pd.Series(one).map(names) for one in (true, predicted)), n_pairs=6)
    share = [f"{100 * one:.0f} %" for one in pairs["fraction"]]
    return pairs.assign(fraction=share).rename(columns={"fraction": "of this class"})


PARTS = {
    "fashion-mnist-v1": make_fashion_mnist,
    "clothing-photos-small-v1": make_photos_small,
    "clothing-photos-v1": make_photos,
}

if __name__ == "__main__":
    main()
