"""Tests of train_photos: photos and labels in, a calibrated model out."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from PIL import Image
from scipy.special import softmax
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.model_selection import cross_val_predict
from sklearn.multioutput import MultiOutputClassifier

from fashionkit import (
    BackboneFeatures,
    ImageFolder,
    classify_photos,
    load,
    load_images,
    make_model,
    save,
)
from fashionkit.decision import SelectiveClassifier, train_photos
from fashionkit.decision import _train as module
from fashionkit.decision._fit import make_splits
from fashionkit.decision._labelled import list_labelled

SIDE = 8
QUICK = {"model": "pixels-forest", "image_size": SIDE, "params": {"forest__n_estimators": 15}}
FREE = {"criterion": None, "level": None}


@pytest.fixture(scope="module")
def photos(tmp_path_factory):
    """Return a folder of 60 photos of two shades that overlap."""
    folder = tmp_path_factory.mktemp("photos")
    rng = np.random.RandomState(0)
    for label, base in [("dark", 90), ("light", 150)]:
        (folder / label).mkdir()
        for number in range(30):
            pixels = np.clip(rng.normal(base, 60) + rng.normal(0, 15, (20, 16, 3)), 0, 255)
            Image.fromarray(pixels.astype(np.uint8)).save(folder / label / f"{label}{number}.png")
    return folder


@pytest.fixture(scope="module")
def table(photos):
    """Return a table of the same photos, with two attributes and senders."""
    paths = sorted(photos.rglob("*.png"))
    return pd.DataFrame(
        {
            "path": [str(path.relative_to(photos)) for path in paths],
            "shade": [path.parent.name for path in paths],
            "parity": ["odd" if int(path.stem[-1]) % 2 else "even" for path in paths],
            "sender": [f"s{number % 12}" for number in range(len(paths))],
        }
    )


@pytest.fixture(scope="module")
def result(photos):
    """Return what a training on the folder gives."""
    return train_photos(photos, **QUICK, **FREE)


def test_the_model_classifies_photos_and_says_how_sure_it_is(result, photos, tmp_path):
    assert isinstance(result.model, SelectiveClassifier)
    path = save(result.model, tmp_path / "model.fashionkit", metadata=result.metadata)
    rows = classify_photos(path, photos, quality=False, n_colors=0)
    X = load_images(rows["path"].tolist(), image_size=SIDE)
    assert_array_equal(rows["label"], result.model.predict(X))
    assert_array_equal(rows["confidence"], load(path).predict_proba(X).max(axis=1))
    pd.testing.assert_frame_equal(result.model.decide(X), load(path).decide(X))


def test_figures_are_those_of_photos_that_were_not_seen(result, photos):
    images = ImageFolder(photos, image_size=SIDE)
    seed = result.model.random_state
    model = make_model("pixels-forest", random_state=seed, forest__n_estimators=15)
    splits = make_splits(images.target.astype(object), None, 5, seed)
    expected = cross_val_predict(model, images, images.target, cv=splits)
    accuracy = (expected == images.target).mean()
    assert 0.5 < accuracy < 1
    row = result.evaluation.iloc[0]
    assert row["accuracy"] == accuracy
    assert row["low"] < accuracy < row["high"]
    assert row["photos"] == 60
    predictions = result.predictions.sort_values("path")
    assert_array_equal(predictions["label"], expected)
    assert_array_equal(predictions["true"], images.target)
    recall = result.per_class.set_index("class")["recall"]
    for label in ("dark", "light"):
        assert_allclose(recall[label], (expected == images.target)[images.target == label].mean())


def test_the_card_has_the_figures(result):
    accuracy = result.evaluation["accuracy"].item()
    assert f"{100 * accuracy:.1f} % right of 60" in result.card
    assert "| label | dark |" in result.card
    assert result.metadata["card"] == result.card
    assert result.metadata["target_names"] == ["label"]


def test_what_is_accepted_follows_the_criterion(photos):
    half = train_photos(photos, **QUICK, criterion="coverage", level=0.5)
    assert half.model.coverage_ >= 0.5
    row = half.evaluation.iloc[0]
    assert 0.3 < row["coverage"] < 0.9
    accepted = half.predictions[half.predictions["status"] == "accepted"]
    assert row["coverage"] == len(accepted) / 60
    assert row["accepted_accuracy"] == (accepted["label"] == accepted["true"]).mean()


def test_the_same_seed_gives_the_same(result, photos):
    again = train_photos(photos, **QUICK, **FREE)
    pd.testing.assert_frame_equal(again.predictions, result.predictions)


def test_labels_of_a_file_are_the_same_as_folders(result, photos, table, tmp_path):
    path = tmp_path / "labels.csv"
    table[["path", "shade"]].rename(columns={"shade": "label"}).to_csv(path, index=False)
    found = train_photos(photos, path, **QUICK, **FREE)
    pd.testing.assert_frame_equal(found.evaluation, result.evaluation)
    assert found.metadata["target_names"] == ["label"]


def test_several_attributes_are_learnt_saved_and_classified(photos, table, tmp_path):
    found = train_photos(photos, table, **QUICK, **FREE)
    assert found.evaluation["target"].tolist() == ["shade", "parity"]
    assert isinstance(found.model[-1], MultiOutputClassifier)
    path = save(found.model, tmp_path / "model.fashionkit", metadata=found.metadata)
    rows = classify_photos(path, photos, quality=False, n_colors=0)
    assert {"parity", "parity_confidence"} <= set(rows)
    X = load_images(rows["path"].tolist(), image_size=SIDE)
    assert_array_equal(rows[["label", "parity"]], found.model.predict(X))
    one = train_photos(photos, table, targets=["parity"], **QUICK, **FREE)
    assert one.metadata["target_names"] == ["parity"]


def test_features_are_computed_once(photos, table, monkeypatch):
    from fashionkit.features import PixelFeatures

    seen = []
    transform = PixelFeatures.transform
    monkeypatch.setattr(
        PixelFeatures, "transform", lambda self, X: seen.append(len(X)) or transform(self, X)
    )
    train_photos(photos, table, **QUICK, **FREE)
    assert seen == [60]


def test_corrections_take_the_place_of_folders(photos, tmp_path):
    wrong = photos / "dark" / "dark0.png"
    review = pd.DataFrame(
        {
            "path": [str(wrong), str(photos / "dark" / "dark1.png")],
            "label": ["dark", "light"],
            "confidence": [0.6, 0.5],
            "corrected": ["light", ""],
        }
    )
    path = tmp_path / "review.csv"
    review.to_csv(path, index=False)
    found = train_photos(photos, path, **QUICK, **FREE)
    true = found.predictions.set_index("path")["true"]
    assert len(true) == 60
    assert true[str(wrong)] == "light"
    assert true[str(photos / "dark" / "dark1.png")] == "dark"
    assert found.n_corrected == 1


def test_corrections_that_nobody_has_filled_are_refused(photos, tmp_path):
    path = tmp_path / "review.csv"
    review = {"path": [str(photos / "dark" / "dark0.png")], "label": ["dark"], "corrected": [""]}
    pd.DataFrame(review).to_csv(path, index=False)
    with pytest.raises(ValueError, match=r"review\.csv' has a column 'corrected' .* 0 of 1 row"):
        train_photos(photos, path, **QUICK)


def test_photos_too_few_to_hold_some_out_are_refused(photos, table):
    few = table.iloc[[0, 1, 30, 31]][["path", "shade"]]
    with pytest.raises(ValueError, match="too few to hold some out; pass at least 3 photos of"):
        train_photos(photos, few, model="cnn-quick", image_size=8, **FREE)
    with pytest.raises(ValueError, match="groups has one group, 'me', of all 60 photos"):
        train_photos(photos, table.assign(by="me"), targets=["shade"], groups="by", **QUICK)


def test_photos_that_cannot_be_read_are_left_out_and_told(photos, table, tmp_path):
    (tmp_path / "broken.png").write_bytes(b"no image")
    more = pd.concat(
        [table, pd.DataFrame({"path": [str(tmp_path / "broken.png")], "shade": ["dark"]})]
    )[["path", "shade"]]
    with pytest.warns(UserWarning, match="1 of 61 files cannot be read"):
        found = train_photos(photos, more, **QUICK, **FREE)
    assert found.metadata["photos"] == 60
    assert [path for path, _ in found.skipped] == [str(tmp_path / "broken.png")]


class TestGroups:
    """Photos of a sender are in one part."""

    @pytest.mark.parametrize("form", ["column", "file"])
    def test_no_sender_is_in_two_folds(self, photos, table, tmp_path, monkeypatch, form):
        groups = "sender"
        if form == "file":
            groups = tmp_path / "senders.csv"
            table.assign(file=table["path"].str.split("/").str[-1])[["file", "sender"]].to_csv(
                groups, index=False
            )
        found = []
        splits = module.evaluate.__globals__["make_splits"]

        def note(y, groups, *args, **kwargs):
            made = splits(y, groups, *args, **kwargs)
            found.extend((groups[train], groups[test]) for train, test in made)
            return made

        monkeypatch.setitem(module.evaluate.__globals__, "make_splits", note)
        labels = table[["path", "shade", "sender"]]
        result = train_photos(photos, labels, targets=["shade"], groups=groups, **QUICK, **FREE)
        assert len(found) == 5
        assert all(not set(train) & set(test) for train, test in found)
        assert "12 groups" in result.card
        assert "by group" in result.card

    def test_photos_without_a_group_are_told(self, photos, table, tmp_path):
        path = tmp_path / "senders.csv"
        pd.DataFrame({"file": ["dark0.png"], "sender_id": ["a"]}).to_csv(path, index=False)
        with pytest.raises(ValueError, match=r"lacks 59 of 60 photos: 'dark1\.png'"):
            train_photos(photos, groups=path, **QUICK)
        with pytest.raises(ValueError, match="groups='shop' is neither a file nor a column"):
            train_photos(photos, table, groups="shop", **QUICK)


def test_a_search_tunes_on_what_is_trained_on(photos):
    found = train_photos(photos, model="pixels-tree", image_size=SIDE, n_iter=3, cv=2, **FREE)
    tree = found.model.estimator_[-1]
    assert tree.max_depth is not None or tree.min_samples_leaf > 1


def test_models_without_features_of_their_own_are_held_out(photos):
    found = train_photos(
        photos,
        model="cnn",
        image_size=SIDE,
        params={"epochs": 1, "architecture_params": {"filters": (2, 2), "dense_units": (4,)}},
        **FREE,
    )
    assert found.evaluation["photos"].item() == 12
    assert "fifth" in found.card
    assert found.model.calibration_targets_.shape == (6,)


def test_without_weights_the_default_is_the_network_of_the_package(photos, monkeypatch):
    def fail(self, X, y=None):
        if self.weights == "imagenet":
            raise FileNotFoundError("weights='imagenet' unavailable")
        return fit(self, X, y)

    fit = BackboneFeatures.fit
    monkeypatch.setattr(BackboneFeatures, "fit", fail)
    with pytest.raises(FileNotFoundError, match="unavailable"):
        train_photos(photos, model="photos-lda", **FREE)
    with pytest.warns(UserWarning, match="'clothing-photos-small-v1' takes their place"):
        found = train_photos(photos, **FREE)
    assert found.metadata["image_size"] == 192
    assert found.evaluation["accuracy"].item() > 0.5


@pytest.mark.realdata
def test_real_photos_are_learnt_by_the_default(tmp_path):
    folder = Path(os.environ.get("FASHIONKIT_DATA", ""), "photos", "train")
    weights = Path(os.environ.get("KERAS_HOME", "~/.keras")).expanduser() / "models"
    if not folder.is_dir() or not list(weights.glob("mobilenet_v2_*_1.0_224_no_top.h5")):
        pytest.skip("needs photos in FASHIONKIT_DATA, and MobileNetV2's weights in KERAS_HOME")
    for label in ("pants", "shoes"):
        (tmp_path / label).mkdir()
        for path in sorted((folder / label).iterdir())[:25]:
            shutil.copy(path, tmp_path / label)
    found = train_photos(tmp_path, **FREE)
    assert found.metadata["trained_model"] == "photos-lda"
    assert found.metadata["image_size"] == 224
    assert found.evaluation["accuracy"].item() > 0.9


def test_the_surest_predictions_of_a_discriminant_analysis_are_told_apart():
    rng = np.random.RandomState(0)
    y = np.arange(90) % 3
    X = rng.normal(size=(90, 40)) + 4 * np.eye(3, 40)[y]
    analysis = LinearDiscriminantAnalysis(solver="lsqr", shrinkage=0.01)
    assert (analysis.fit(X, y).predict_proba(X).max(axis=1) > 1 - 1e-9).mean() > 0.5
    clf = SelectiveClassifier(analysis, cv=3).fit(X, y)
    scores = clf.estimator_.decision_function(X) / clf.temperature_
    assert_allclose(clf.predict_proba(X), softmax(scores, axis=1))
    assert len(np.unique(clf.predict_proba(X).max(axis=1))) == 90


@pytest.mark.parametrize(
    ("labels", "said"),
    [
        ({"picture": ["a.png"], "label": ["x"]}, "expected a column 'path'"),
        ({"path": ["a.png"], "confidence": [1]}, "no column of labels"),
        ({"path": ["a.png", "a.png"], "label": ["x", "y"]}, "twice, with different labels"),
        ({"path": ["a.png", "b.png"], "label": ["x", "x"]}, "one class, 'x', in all 2 photos"),
        ({"path": ["a.png", "b.png"], "label": [None, None]}, "no row with a label"),
        (
            {"path": ["a.png", "b.png", "c.png"], "label": ["x y", "x y", "X  y"]},
            r"both 'x y' \(2 photos\) and 'X  y' \(1\), which differ in capitals or spaces alone",
        ),
    ],
)
def test_tables_that_cannot_be_learnt_from_are_refused(labels, said):
    with pytest.raises(ValueError, match=said):
        train_photos(None, pd.DataFrame(labels), **QUICK)


@pytest.mark.parametrize("seed", range(10))
def test_a_class_of_one_group_is_trained_on_not_held_out(seed):
    y = np.repeat(["dark", "light", "striped"], [40, 40, 10]).astype(object)
    groups = np.array([f"s{row % 8}" for row in range(80)] + ["z"] * 10, dtype=object)
    ((train, test),) = make_splits(y, groups, None, seed)
    assert set(y[train]) == set(y)
    assert len(test) > 0
    assert not set(groups[train]) & set(groups[test])


def test_groups_that_each_have_a_class_to_themselves_are_refused():
    y = np.repeat(["dark", "light"], 10).astype(object)
    with pytest.raises(ValueError, match="no group that can be held out"):
        make_splits(y, y, None, 0)


def test_a_column_of_groups_precedes_a_folder_of_its_name(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "sender").mkdir()
    labels = pd.DataFrame({"path": ["a", "b"], "label": ["x", "y"], "sender": ["me", "you"]})
    assert list_labelled(None, labels, groups="sender").groups.tolist() == ["me", "you"]


def test_a_corrected_label_keeps_the_group_of_its_photo():
    labels = pd.DataFrame({"path": ["a", "b"], "label": ["x", "y"], "sender": ["me", "you"]})
    review = pd.DataFrame({"path": ["b", "a"], "label": ["y", "x"], "corrected": ["z", None]})
    listed = list_labelled(None, [labels, review], groups="sender")
    names = [os.path.basename(path) for path in listed.paths]
    assert dict(zip(names, listed.targets["label"], strict=True)) == {"a": "x", "b": "z"}
    assert dict(zip(names, listed.groups, strict=True)) == {"a": "me", "b": "you"}


def test_labels_that_are_no_table_are_refused():
    with pytest.raises(TypeError, match="labels has a dict, expected CSV files or DataFrames"):
        train_photos(None, {"path": ["a.png"], "label": ["x"]}, **QUICK)


def test_nothing_to_learn_from_is_refused(photos, table):
    with pytest.raises(ValueError, match="source=None without labels"):
        train_photos(None)
    with pytest.raises(ValueError, match="no column 'size'"):
        train_photos(photos, table, targets=["size"], **QUICK)
    few = table.iloc[[0, *range(30, 60)]][["path", "shade"]]
    with pytest.raises(ValueError, match=r"two photos of each .*'dark' has 1"):
        train_photos(photos, few, **QUICK)


@pytest.mark.parametrize("groups", [None, np.arange(40) // 4])
def test_splits_hold_every_photo_once(groups):
    y = np.array(["a", "b"], dtype=object)[np.arange(40) % 3 // 2]
    splits = make_splits(y, groups, 5, 0)
    assert len(splits) == 5
    assert_array_equal(np.sort(np.concatenate([test for _, test in splits])), np.arange(40))
    ((train, test),) = make_splits(y, groups, None, 0)
    assert len(test) == 8
    assert not set(train) & set(test)


@pytest.mark.parametrize("cv", [None, 3])
def test_models_of_parts_do_not_warn_that_they_accept_nothing(photos, cv, recwarn):
    found = train_photos(photos, criterion="risk", level=0.001, cv=cv, **QUICK)
    assert found.evaluation["coverage"].item() == 0
    said = [str(one.message) for one in recwarn if "No threshold can be shown" in str(one.message)]
    assert len(said) == 1
