"""Evaluated images that were trained on: found, counted, and left out of the accuracy."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image
from sklearn.datasets import load_iris
from sklearn.dummy import DummyClassifier
from sklearn.neighbors import KNeighborsClassifier

from fashionkit import ImageFolder, compare_models

MODELS = {"knn": KNeighborsClassifier(1), "guess": DummyClassifier()}


@pytest.fixture(scope="module")
def leaky(garments):
    """Compare on 40 test images, of which two stand in the training set and one nearly does."""
    X, y = garments
    X_test, y_test = X[200:240].copy(), y[200:240].copy()
    X_test[3], y_test[3] = X[7], y[7]
    X_test[5], y_test[5] = X[7], (y[7] + 1) % 10
    X_test[9], y_test[9] = (0.8 * X[11]).astype(np.uint8), y[11]
    return compare_models(MODELS, X[:200], y[:200], X_test=X_test, y_test=y_test)


def test_each_leaked_image_has_a_row_with_its_training_image(leaky):
    frame = leaky.leakage.set_index("image").loc[[3, 5, 9]]
    assert frame["training_image"].tolist() == [7, 7, 11]
    assert frame["kind"].tolist() == ["identical", "identical", "near"]
    assert frame["distance"][3] == 0
    assert frame["label"][5] != frame["training_label"][5]
    assert "path" not in frame


def test_accuracy_without_them_is_that_of_the_other_images(leaky):
    kept = np.setdiff1d(np.arange(40), leaky.leakage["image"])
    right = (leaky.predictions_["knn"] == leaky.y_true_)[kept]
    row = leaky.without_leakage().set_index("model").loc["knn"]
    assert row["without_leakage"] == right.mean()
    assert row["n_images"] == len(kept)
    assert row["accuracy"] == leaky.to_frame()["accuracy"].max()


def test_on_folds_only_copies_across_the_split_leak(garments):
    X, y = garments[0][:60].copy(), garments[1][:60].copy()
    X[[1, 31]], X[[2, 3]] = X[[0, 30]], X[[40, 40]]
    folds = [(np.arange(30, 60), np.arange(30)), (np.arange(30), np.arange(30, 60))]
    y[:30] = y[30:] = np.arange(30) % 5
    leakage = compare_models(MODELS, X, y, cv=folds).leakage
    identical = leakage[leakage["kind"] == "identical"]
    # Image 40 is 2 and 3, in the other fold; 0 and 1 are in one.
    assert identical["image"].tolist() == [2, 3, 40]
    assert identical["training_image"].tolist() == [40, 40, 2]


def test_files_are_named(tmp_path):
    rng = np.random.default_rng(0)
    for part in ("train", "test"):
        for label in ("a", "b"):
            (tmp_path / part / label).mkdir(parents=True)
            for i in range(3):
                pixels = rng.integers(0, 256, (16, 16, 3), dtype=np.uint8)
                Image.fromarray(pixels).save(tmp_path / part / label / f"{i}.png")
    (tmp_path / "test" / "b" / "copy.png").write_bytes(
        (tmp_path / "train" / "a" / "1.png").read_bytes()
    )
    train, test = (ImageFolder(tmp_path / part, image_size=16) for part in ("train", "test"))
    comparison = compare_models(
        MODELS, train, train.target, X_test=test, y_test=test.target, random_state=0
    )
    (row,) = comparison.leakage.itertuples()
    assert row.path.endswith("copy.png")
    assert row.training_path.endswith("1.png")
    assert (row.label, row.training_label) == ("b", "a")


def test_rows_of_a_table_leak_only_where_they_are_the_same():
    X, y = load_iris(return_X_y=True)
    comparison = compare_models(MODELS, X, y, cv=5)
    assert set(comparison.leakage["kind"]) <= {"identical"}
    assert len(comparison.leakage) < 10
