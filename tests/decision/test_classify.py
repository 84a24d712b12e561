"""Tests of classify_photos: a row for each file, whatever is wrong with it."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import time
from pathlib import Path

import joblib
import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_array_equal
from PIL import Image
from sklearn.dummy import DummyClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.multioutput import MultiOutputClassifier
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.tree import DecisionTreeClassifier

import fashionkit
from fashionkit import (
    HierarchicalCNNClassifier,
    ImageFolder,
    ImageLoader,
    PixelFeatures,
    ProductPhotoPreprocessor,
    classify_photos,
    dominant_colors,
    load_images,
    load_pretrained,
    make_garments,
    make_model,
    save,
)
from fashionkit.decision import SelectiveClassifier, _reading
from fashionkit.decision._rows import DECISIONS

PLAIN = {"quality": False, "n_colors": 0}
SIDE = 8


@pytest.fixture(scope="module")
def photos(tmp_path_factory):
    """Return a folder of 24 photos, dark red, middle green and light blue ones."""
    folder = tmp_path_factory.mktemp("photos")
    rng = np.random.RandomState(0)
    for label, base in [("dark", 30), ("middle", 120), ("light", 220)]:
        (folder / label).mkdir()
        for number in range(8):
            pixels = np.clip(base + rng.randint(-20, 20, (20, 16, 3)), 0, 255)
            Image.fromarray(pixels.astype(np.uint8)).save(folder / label / f"{number}.png")
    return folder


@pytest.fixture(scope="module")
def images(photos):
    """Return the same photos as an ImageFolder of the models' size."""
    return ImageFolder(photos, image_size=SIDE)


@pytest.fixture(scope="module")
def model(images):
    """Return a fitted classifier with probabilities that differ from photo to photo."""
    pipeline = make_pipeline(PixelFeatures(), LogisticRegression(C=1e-3, max_iter=500))
    return pipeline.fit(images, images.target)


@pytest.fixture(scope="module")
def targets(images):
    """Return two targets: the label, and whether the number is even."""
    parity = np.where(np.arange(len(images)) % 2, "odd", "even")
    return pd.DataFrame({"shade": images.target, "parity": parity})


@pytest.fixture
def small_chunks(monkeypatch):
    """Read four photos at a time."""
    monkeypatch.setattr(_reading, "_MOST_PHOTOS", 4)


def test_rows_are_what_the_model_says_of_loaded_images(photos, images, model):
    rows = classify_photos(model, photos, **PLAIN)
    paths = sorted(map(str, photos.rglob("*.png")))
    assert rows["path"].tolist() == paths
    X = load_images(paths, image_size=SIDE)
    probabilities = model.predict_proba(X)
    assert_array_equal(rows["label"], model.predict(X))
    assert_array_equal(rows["confidence"], probabilities.max(axis=1))
    ranked = np.sort(probabilities, axis=1)[:, ::-1]
    assert_array_equal(rows["second_confidence"], ranked[:, 1])
    assert_array_equal(rows["third_confidence"], ranked[:, 2])
    assert (rows[["label", "second", "third"]].nunique(axis=1) == 3).all()
    assert rows.columns.tolist() == ["path", *DECISIONS]
    assert set(rows["status"]) == {"accepted"}


def test_a_selective_classifier_decides(photos, images, model):
    clf = SelectiveClassifier(model, criterion="coverage", level=0.5, cv=0.5, random_state=0)
    clf.fit(images, images.target)
    rows = classify_photos(clf, photos, **PLAIN)
    decided = clf.decide(load_images(rows["path"].tolist(), image_size=SIDE))
    pd.testing.assert_frame_equal(
        rows[list(DECISIONS)], decided[list(DECISIONS)], check_dtype=False
    )
    assert set(rows["status"]) == {"accepted", "review"}


def test_a_limit_leaves_less_sure_photos_of_other_models_to_review(photos, images, model):
    rows = classify_photos(model, photos, **PLAIN)
    assert (rows["status"] == "accepted").all()
    limit = rows["confidence"].median()
    limited = classify_photos(model, photos, review_below=limit, **PLAIN)
    expected = np.where(rows["confidence"] < limit, "review", "accepted")
    assert 0 < (expected == "review").sum() < len(rows)
    assert_array_equal(limited["status"], expected)
    reasons = limited["reason"][limited["status"] == "review"]
    assert reasons.str.fullmatch(rf"confidence 0\.\d+ is below {limit:.3f}").all()
    own = SelectiveClassifier(model, cv=2).fit(images, images.target)
    decided = classify_photos(own, photos, review_below=1.0, **PLAIN)
    assert (decided["status"] == "accepted").all()
    with pytest.raises(ValueError, match="'review_below' parameter"):
        classify_photos(model, photos, review_below=2)


def test_the_model_of_the_package_leaves_what_it_is_not_sure_of_to_review(tmp_path):
    Image.new("RGB", (60, 60), "white").save(tmp_path / "white.png")
    rows = classify_photos("clothing-photos-small-v1", tmp_path, **PLAIN)
    threshold = load_pretrained("clothing-photos-small-v1").threshold_
    assert rows["confidence"].item() < threshold
    assert rows["status"].item() == "review"
    assert f"is below {threshold:.3f}" in rows["reason"].item()
    assert rows["label"].item() in rows["set"].item()


def test_folders_of_a_list_are_what_is_in_them(photos, model, tmp_path):
    (tmp_path / "folder.png").mkdir()
    one = photos / "light" / "3.png"
    sources = [one, photos / "dark", photos / "light", tmp_path / "folder.png"]
    rows = classify_photos(model, sources, **PLAIN)
    expected = [one, *sorted((photos / "dark").iterdir()), *sorted((photos / "light").iterdir())]
    expected = list(dict.fromkeys(map(str, expected)))
    assert rows["path"].tolist() == [*expected, str(tmp_path / "folder.png")]
    assert rows["status"].tolist() == ["accepted"] * 16 + ["error"]


def test_decisions_at_the_end_of_a_pipeline_are_found(photos, images):
    steps = make_pipeline(
        PixelFeatures(),
        SelectiveClassifier(
            LogisticRegression(max_iter=500),
            criterion="coverage",
            level=0.5,
            cv=0.5,
            random_state=0,
        ),
    )
    steps.fit(images, images.target)
    rows = classify_photos(steps, photos, **PLAIN)
    decided = steps[-1].decide(steps[:-1].transform(images[np.argsort(images.filenames)]))
    assert rows["status"].tolist() == decided["status"].tolist()
    assert set(rows["status"]) == {"accepted", "review"}


@pytest.mark.parametrize("kind", ["folder", "files", "pattern", "ImageFolder", "Series"])
def test_sources_of_any_kind_give_the_same_rows(photos, images, model, kind):
    paths = sorted(photos.rglob("*.png"))
    source = {
        "folder": photos,
        "files": paths,
        "pattern": f"{photos}/**/*.png",
        "ImageFolder": ImageFolder.from_paths(paths, image_size=3),
        "Series": pd.Series(map(str, paths)),
    }[kind]
    expected = classify_photos(model, str(photos), **PLAIN)
    pd.testing.assert_frame_equal(classify_photos(model, source, **PLAIN), expected)


def test_one_photo_is_one_row(photos, model):
    rows = classify_photos(model, photos / "dark" / "0.png", **PLAIN)
    assert rows["label"].tolist() == ["dark"]


def test_an_order_of_paths_is_kept(photos, model):
    paths = [photos / "light" / "1.png", photos / "dark" / "0.png", photos / "light" / "1.png"]
    rows = classify_photos(model, paths, **PLAIN)
    assert rows["path"].tolist() == [str(path) for path in paths]
    assert rows["label"].tolist() == ["light", "dark", "light"]


def test_models_are_taken_from_files(photos, images, tmp_path):
    path = save(
        make_model("pixels-tree", random_state=0).fit(images, images.target), tmp_path / "m"
    )
    rows = classify_photos(path, photos, **PLAIN)
    assert rows["label"].tolist() == [Path(one).parent.name for one in rows["path"]]
    pd.testing.assert_frame_equal(classify_photos(str(path), photos, **PLAIN), rows)


@pytest.mark.parametrize(
    ("model", "error", "said"),
    [
        ("clothing-photos-smal-v1", ValueError, "the nearest is 'clothing-photos-small-v1'"),
        ("photos-lda", ValueError, "train FOLDER --model photos-lda --output FILE"),
        ("models/none.fashionkit", FileNotFoundError, "does not exist"),
        (LogisticRegression, TypeError, "expected a fitted classifier"),
        (make_model("pixels-tree"), ValueError, "not fitted"),
    ],
)
def test_models_that_are_none_are_refused(photos, model, error, said):
    with pytest.raises(error, match=said):
        classify_photos(model, photos)


@pytest.mark.parametrize(
    ("source", "error", "said"),
    [
        ("none", FileNotFoundError, "source='.*none' does not exist"),
        ("*.jpg", FileNotFoundError, "fits no file"),
        ([], ValueError, "at least one path"),
        (3, TypeError, "source=3"),
        ([3], TypeError, "source has 3"),
    ],
)
def test_sources_that_are_none_are_refused(model, tmp_path, monkeypatch, source, error, said):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(error, match=said):
        classify_photos(model, source)


def test_a_folder_without_files_is_refused(model, tmp_path):
    with pytest.raises(ValueError, match=r"source=.* has no files"):
        classify_photos(model, tmp_path)


class TestFaults:
    """Whatever is wrong with a file is in its row, and the others are classified."""

    def reasons(self, model, folder):
        rows = classify_photos(model, folder, **PLAIN)
        errors = rows[rows["status"] == "error"]
        assert errors[["label", "second", "third"]].isna().all(axis=None)
        assert errors["confidence"].isna().all()
        good = rows[rows["status"] != "error"]
        assert good["path"].tolist() == [str(folder / "good.png")]
        assert good["label"].tolist() == ["dark"]
        return {Path(row.path).name: row.reason for row in errors.itertuples()}

    @pytest.fixture
    def folder(self, photos, tmp_path):
        shutil.copy(photos / "dark" / "0.png", tmp_path / "good.png")
        return tmp_path

    def test_damaged_and_other_files(self, model, folder):
        whole = (folder / "good.png").read_bytes()
        (folder / "cut.png").write_bytes(whole[: len(whole) // 2])
        (folder / "empty.jpg").touch()
        (folder / "notes").write_text("no image")
        reasons = self.reasons(model, folder)
        assert set(reasons) == {"cut.png", "empty.jpg", "notes"}
        assert "truncated" in reasons["cut.png"]
        assert reasons["empty.jpg"] == "it is empty"
        assert reasons["notes"].startswith("it is not in a supported format")

    def test_files_called_like_texts_are_rows_only_where_they_are_named(self, model, folder):
        for name in ("notes.txt", "LIST.CSV", "film.mp4"):
            (folder / name).write_text("no image")
        good = str(folder / "good.png")
        for source in (folder, [folder], ImageFolder.from_paths(good)):
            assert classify_photos(model, source, **PLAIN)["path"].tolist() == [good]
        for source in ([good, folder / "notes.txt"], str(folder / "*o*[gs].[pt]*")):
            reasons = classify_photos(model, source, **PLAIN).set_index("path")["reason"]
            assert reasons[str(folder / "notes.txt")].startswith("it is not in a supported format")
        (folder / "good.png").unlink()
        with pytest.raises(ValueError, match="3 files, none of which is called like an image"):
            classify_photos(model, folder, **PLAIN)

    def test_an_image_bomb(self, model, folder, monkeypatch):
        monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 1_000)
        Image.new("1", (200, 200)).save(folder / "bomb.png")
        assert "more than the limit of 1000" in self.reasons(model, folder)["bomb.png"]

    @pytest.mark.posix
    def test_links_in_circles_and_to_nothing(self, model, folder):
        (folder / "loop").symlink_to(folder)
        (folder / "a.png").symlink_to(folder / "b.png")
        (folder / "b.png").symlink_to(folder / "a.png")
        (folder / "broken.png").symlink_to(folder / "none.png")
        reasons = self.reasons(model, folder)
        assert set(reasons) == {"a.png", "b.png", "broken.png"}
        assert "broken link" in reasons["broken.png"]

    def test_folders_called_like_images(self, photos, model, folder):
        (folder / "folder.png").mkdir()
        shutil.copy(photos / "light" / "0.png", folder / "folder.png" / "inside.png")
        rows = classify_photos(model, folder, **PLAIN)
        assert rows["label"].tolist() == ["light", "dark"]
        rows = classify_photos(model, f"{folder}/*.png", **PLAIN)
        assert rows["status"].tolist() == ["error", "accepted"]
        assert rows["reason"].tolist()[0] == "it is a folder"

    @pytest.mark.posix
    def test_files_and_folders_that_may_not_be_read(self, model, folder, monkeypatch):
        # Not by their modes, which some users are above.
        (folder / "secret").mkdir()
        shutil.copy(folder / "good.png", folder / "locked.png")
        real_open, real_scandir = open, os.scandir

        def refuse(real, name):
            def call(path, *args, **kwargs):
                if str(path).endswith(name):
                    raise PermissionError(13, "Permission denied", str(path))
                return real(path, *args, **kwargs)

            return call

        monkeypatch.setattr("builtins.open", refuse(real_open, "locked.png"))
        monkeypatch.setattr(os, "scandir", refuse(real_scandir, "secret"))
        reasons = self.reasons(model, folder)
        assert "ermission denied" in reasons["locked.png"]
        assert reasons["secret"] == "it cannot be listed: Permission denied"

    def test_a_file_that_vanishes(self, model, folder, monkeypatch):
        gone = folder / "gone.png"
        shutil.copy(folder / "good.png", gone)
        read = _reading.read_image

        def remove_first(path, *args):
            if path == str(gone):
                gone.unlink()
            return read(path, *args)

        monkeypatch.setattr(_reading, "read_image", remove_first)
        assert self.reasons(model, folder)["gone.png"] == "there is no such file, or no longer"

    def test_a_file_that_changes_while_it_is_read(self, model, folder, monkeypatch):
        changing = folder / "changing.png"
        shutil.copy(folder / "good.png", changing)
        read = _reading.read_image

        def append_then(path, *args):
            image = read(path, *args)
            if path == str(changing):
                changing.write_bytes(changing.read_bytes() + b"more")
            return image

        monkeypatch.setattr(_reading, "read_image", append_then)
        assert "changed while it was read" in self.reasons(model, folder)["changing.png"]

    def test_memory_that_is_not_enough(self, model, folder, monkeypatch):
        shutil.copy(folder / "good.png", folder / "large.png")
        read = _reading.read_image

        def fail(path, *args):
            if path.endswith("large.png"):
                raise MemoryError
            return read(path, *args)

        monkeypatch.setattr(_reading, "read_image", fail)
        assert "not enough memory" in self.reasons(model, folder)["large.png"]

    def test_nothing_that_can_be_read(self, model, tmp_path):
        (tmp_path / "notes").write_text("no image")
        rows = classify_photos(model, tmp_path, **PLAIN)
        assert rows["status"].tolist() == ["error"]
        assert rows.columns.tolist() == ["path", *DECISIONS]

    def test_a_fault_of_the_model_is_an_error(self, photos):
        class Broken(DummyClassifier):
            def predict_proba(self, X):
                raise RuntimeError("out of order")

        X = load_images(photos, image_size=SIDE)
        broken = Broken().fit(X.reshape(len(X), -1), np.arange(len(X)) % 2)
        with pytest.raises(RuntimeError, match="out of order"):
            classify_photos(broken, photos, **PLAIN)


class TestImages:
    """Photos are read as the model takes them."""

    def test_gray_models_take_gray_photos_and_the_remedy_is_named(self, photos):
        X, y = make_garments(60, random_state=0)
        gray = make_model("pixels-tree", random_state=0).fit(X, y)
        with pytest.warns(UserWarning, match="ProductPhotoPreprocessor"):
            rows = classify_photos(gray, photos, **PLAIN)
        colors = load_images(rows["path"].tolist(), image_size=28)
        expected = [np.asarray(Image.fromarray(one).convert("L")) for one in colors]
        assert_array_equal(rows["label"], gray.predict(np.stack(expected)))

    def test_models_of_pixels_from_0_to_1_take_these(self, photos, images):
        X = np.asarray(images) / 255
        clf = make_pipeline(PixelFeatures(), DecisionTreeClassifier(random_state=0))
        clf.fit(X, images.target)
        rows = classify_photos(clf, photos, **PLAIN)
        assert rows["label"].tolist() == [Path(one).parent.name for one in rows["path"]]

    def test_plain_classifiers_take_rows_and_tables(self, photos, images):
        X = np.asarray(images).reshape(len(images), -1)
        for rows in (X, pd.DataFrame(X).add_prefix("pixel")):
            clf = DecisionTreeClassifier(random_state=0).fit(rows, images.target)
            table = classify_photos(clf, photos, **PLAIN)
            assert table["label"].tolist() == [Path(one).parent.name for one in table["path"]]

    def test_sizes_that_nobody_knows_must_be_said(self, photos):
        X = load_images(photos, image_size=(6, 4))
        clf = DecisionTreeClassifier(random_state=0).fit(X.reshape(len(X), -1), np.arange(24) % 3)
        with pytest.raises(ValueError, match=r"rows of 72 values, .* pass the image_size="):
            classify_photos(clf, photos, **PLAIN)
        rows = classify_photos(clf, photos, image_size=(6, 4), **PLAIN)
        order = load_images(rows["path"].tolist(), image_size=(6, 4)).reshape(24, -1)
        assert_array_equal(rows["label"], clf.predict(order))

    def test_other_sizes_than_the_models_are_refused(self, photos, model):
        with pytest.raises(ValueError, match="image_size=9, but the model takes images of 8 x 8"):
            classify_photos(model, photos, image_size=9)

    def test_models_of_paths_take_photos_as_they_read_them(self, images):
        paths = images.filenames.tolist()
        loading = make_pipeline(
            ImageLoader(SIDE, aspect="pad"), PixelFeatures(), LogisticRegression(max_iter=500)
        )
        loading.fit(paths, images.target)
        rows = classify_photos(loading, paths, **PLAIN)
        assert_array_equal(rows["confidence"], loading.predict_proba(paths).max(axis=1))

    def test_models_that_look_for_the_product_take_paths(self, photos, tmp_path):
        folder = shutil.copytree(photos, tmp_path / "photos")
        paths = sorted(map(str, folder.rglob("*.png")))
        labels = [Path(path).parent.name for path in paths]
        model = make_pipeline(
            ProductPhotoPreprocessor(image_size=SIDE),
            PixelFeatures(),
            LogisticRegression(max_iter=500),
        ).fit(paths, labels)
        (folder / "broken.png").write_bytes(b"no image")
        rows = classify_photos(model, folder, **PLAIN)
        good = rows[rows["status"] == "accepted"]
        assert good["path"].tolist() == paths
        assert_array_equal(good["confidence"], model.predict_proba(paths).max(axis=1))
        assert rows["status"].tolist().count("error") == 1

    def test_a_photo_that_goes_before_such_a_model_reads_it_is_an_error(self, photos, tmp_path):
        paths = [str(shutil.copy(photos / one, tmp_path)) for one in ("dark/1.png", "light/2.png")]
        gone = tmp_path / "gone.png"

        class Model(Pipeline):
            def predict_proba(self, X):
                gone.unlink(missing_ok=True)
                return super().predict_proba(X)

        steps = make_pipeline(
            ProductPhotoPreprocessor(image_size=SIDE), PixelFeatures(), DecisionTreeClassifier()
        )
        model = Model(steps.fit(paths, ["dark", "light"]).steps)
        shutil.copy(photos / "dark" / "0.png", gone)
        rows = classify_photos(model, [paths[0], gone, paths[1]], **PLAIN)
        assert rows["label"].isna().tolist() == [False, True, False]
        assert rows["status"].tolist() == ["accepted", "error", "accepted"]
        assert rows["reason"][1] == "there is no such file, or no longer"


class TestLooks:
    """Photos are described beside what the model says."""

    def test_quality_and_colors_are_those_of_the_public_functions(self, photos, model, tmp_path):
        folder = shutil.copytree(photos, tmp_path / "photos")
        (folder / "broken.png").write_bytes(b"no image")
        rows = classify_photos(model, folder, n_colors=2)
        good = rows[rows["status"] != "error"].reset_index(drop=True)
        paths = good["path"].tolist()
        described = ProductPhotoPreprocessor().describe(paths)
        assert good["quality"].tolist() == described["quality"].tolist()
        assert set(good["quality"]) - {""}
        colors = dominant_colors(paths, n_colors=2)
        pd.testing.assert_frame_equal(good[list(colors)], colors, check_dtype=False)
        bad = rows[rows["status"] == "error"]
        assert bad[["quality", *colors]].isna().all(axis=None)

    def test_a_photo_that_goes_before_it_is_described_lacks_that_alone(
        self, photos, model, tmp_path, monkeypatch
    ):
        folder = shutil.copytree(photos / "dark", tmp_path / "dark")
        describe = ProductPhotoPreprocessor.describe

        def remove_first(self, X):
            (folder / "3.png").unlink(missing_ok=True)
            return describe(self, X)

        monkeypatch.setattr(ProductPhotoPreprocessor, "describe", remove_first)
        rows = classify_photos(model, folder, n_colors=0)
        assert set(rows["label"]) == {"dark"}
        assert rows["quality"].isna().tolist() == [number == 3 for number in range(8)]


class TestTargets:
    """A model of several targets has columns for each."""

    def test_further_targets_have_columns_of_their_names(self, photos, images, targets, tmp_path):
        tree = MultiOutputClassifier(DecisionTreeClassifier(random_state=0))
        several = make_pipeline(PixelFeatures(), tree).fit(images, targets.to_numpy(object))
        names = ["shade", "parity"]
        rows = classify_photos(several, images, target_names=names, **PLAIN)
        assert rows["label"].tolist() == targets["shade"].tolist()
        assert rows["parity"].tolist() == targets["parity"].tolist()
        assert set(rows["parity_confidence"]) == {1.0}
        path = save(several, tmp_path / "several", metadata={"target_names": names})
        pd.testing.assert_frame_equal(classify_photos(path, images, **PLAIN), rows)
        assert "target_2" in classify_photos(several, images, **PLAIN)

    def test_names_must_be_as_many_as_targets(self, images, model):
        with pytest.raises(ValueError, match=r"target_names=\['a', 'b'\], expected 1 "):
            classify_photos(model, images, target_names=["a", "b"])

    def test_a_photo_is_accepted_where_every_target_is(self, images, targets):
        head = SelectiveClassifier(
            LogisticRegression(max_iter=500), criterion="coverage", level=0.5, cv=3
        )
        several = make_pipeline(PixelFeatures(), MultiOutputClassifier(head))
        several.fit(images, targets.to_numpy(object))
        names = ["shade", "parity"]
        rows = classify_photos(several, images, target_names=names, **PLAIN)
        parts = [one.decide(several[:-1].transform(images)) for one in several[-1].estimators_]
        accepted = np.all([part["status"] == "accepted" for part in parts], axis=0)
        assert_array_equal(rows["status"] == "accepted", accepted)
        assert 0 < accepted.sum() < len(rows)
        first = rows[~accepted].iloc[0]
        assert re.search("shade: |parity: ", first["reason"])


def test_the_coarse_category_is_that_of_the_models_tree(photos):
    X, y = make_garments(80, random_state=0)
    tree = {"clothes": {"tops": [0, 2, 4, 6], "other": [1, 3]}, "goods": {"goods": [5, 7, 8, 9]}}
    clf = HierarchicalCNNClassifier(
        tree, architecture_params={"filters": (2, 2, 2)}, epochs=1, random_state=0
    ).fit(X, y)
    with pytest.warns(UserWarning, match="gray"):
        rows = classify_photos(clf, photos, **PLAIN)
    ways = {0: "clothes/tops", 1: "clothes/other", 3: "clothes/other", 5: "goods"}
    ways |= dict.fromkeys((2, 4, 6), "clothes/tops") | dict.fromkeys((7, 8, 9), "goods")
    assert rows["coarse"].tolist() == [ways[label] for label in rows["label"]]


def test_the_coarse_category_is_known_of_the_usual_names(photos, images):
    names = {"dark": "pants", "middle": "t-shirt", "light": "hat"}
    y = np.array([names[label] for label in images.target])
    clf = make_model("pixels-tree", random_state=0).fit(images, y)
    rows = classify_photos(clf, images, **PLAIN)
    ways = {"pants": "clothes/bottoms", "t-shirt": "clothes/tops", "hat": "goods/accessories"}
    assert rows["coarse"].tolist() == [ways[label] for label in y]


@pytest.mark.usefixtures("small_chunks")
class TestCheckpoint:
    """Finished rows are kept, and nothing else."""

    def test_every_row_is_there_once_wherever_the_file_is_cut(self, photos, model, tmp_path):
        expected = classify_photos(model, photos, **PLAIN)
        path = tmp_path / "rows.journal"
        pd.testing.assert_frame_equal(
            classify_photos(model, photos, checkpoint_path=path, **PLAIN), expected
        )
        whole = path.read_bytes()
        for size in np.linspace(0, len(whole), 10, dtype=int):
            path.write_bytes(whole[:size])
            if 0 < size <= whole.index(b"\n"):
                continue  # the first line is written whole or not at all
            rows = classify_photos(model, photos, checkpoint_path=path, **PLAIN)
            pd.testing.assert_frame_equal(rows, expected, check_exact=True)
            assert path.read_bytes() == whole

    def test_finished_chunks_are_not_classified_again(self, photos, model, tmp_path, monkeypatch):
        path = tmp_path / "rows.journal"
        classify_photos(model, photos, checkpoint_path=path, **PLAIN)
        lines = path.read_bytes().splitlines(keepends=True)
        path.write_bytes(b"".join(lines[:-2]) + lines[-2][:-5])  # the last, and a half
        read = []
        read_photo = _reading.read_photo
        monkeypatch.setattr(
            _reading, "read_photo", lambda path, *args: read.append(path) or read_photo(path, *args)
        )
        rows = classify_photos(model, photos, checkpoint_path=path, **PLAIN)
        assert read == rows["path"].tolist()[-8:]

    def test_a_line_that_was_changed_ends_what_is_kept(self, photos, model, tmp_path):
        path = tmp_path / "rows.journal"
        expected = classify_photos(model, photos, checkpoint_path=path, **PLAIN)
        path.write_bytes(path.read_bytes().replace(b"accepted", b"rejected", 3))
        rows = classify_photos(model, photos, checkpoint_path=path, **PLAIN)
        pd.testing.assert_frame_equal(rows, expected)

    def test_files_that_have_changed_are_classified_again(self, photos, model, tmp_path):
        folder = shutil.copytree(photos, tmp_path / "photos")
        path = tmp_path / "rows.journal"
        classify_photos(model, folder, checkpoint_path=path, **PLAIN)
        shutil.copy(folder / "light" / "0.png", folder / "dark" / "0.png")
        rows = classify_photos(model, folder, checkpoint_path=path, **PLAIN)
        pd.testing.assert_frame_equal(rows, classify_photos(model, folder, **PLAIN))
        assert rows["label"].iloc[0] == "light"

    @pytest.mark.parametrize("what", ["model", "source", "fashionkit version", "settings"])
    def test_a_checkpoint_of_something_else_is_refused_by_name(
        self, photos, images, model, tmp_path, monkeypatch, what
    ):
        path = tmp_path / "rows.journal"
        classify_photos(model, photos, checkpoint_path=path, **PLAIN)
        source, params = photos, PLAIN
        if what == "model":
            model = make_pipeline(PixelFeatures(), LogisticRegression(C=1e-2, max_iter=500))
            model.fit(images, images.target)
        elif what == "source":
            source = photos / "dark"
        elif what == "settings":
            params = {**PLAIN, "n_colors": 2}
        else:
            monkeypatch.setattr(fashionkit, "__version__", "0.0.1")
        before = path.read_bytes()
        with pytest.raises(ValueError, match=f"is of another classification: {what} "):
            classify_photos(model, source, checkpoint_path=path, **params)
        assert path.read_bytes() == before

    def test_files_of_other_kinds_are_refused_and_left_alone(self, photos, model, tmp_path):
        path = tmp_path / "notes.txt"
        path.write_text("dear diary\n")
        with pytest.raises(ValueError, match="a file of another kind"):
            classify_photos(model, photos, checkpoint_path=path)
        assert path.read_text() == "dear diary\n"
        with pytest.raises(IsADirectoryError, match="is a folder"):
            classify_photos(model, photos, checkpoint_path=tmp_path)

    def test_two_runs_do_not_write_to_one_file(self, photos, model, tmp_path):
        from fashionkit.decision._journal import Journal

        path = tmp_path / "rows.journal"
        with Journal(path, {}), pytest.raises(ValueError, match="by another process"):
            classify_photos(model, photos, checkpoint_path=path)

    def test_errors_and_missing_values_are_kept_too(self, photos, model, tmp_path):
        folder = shutil.copytree(photos, tmp_path / "photos")
        (folder / "broken.png").write_bytes(b"no image")
        path = tmp_path / "rows.journal"
        first = classify_photos(model, folder, checkpoint_path=path, **PLAIN)
        assert (first["status"] == "error").sum() == 1
        pd.testing.assert_frame_equal(
            classify_photos(model, folder, checkpoint_path=path, **PLAIN), first
        )

    @pytest.mark.slow
    def test_a_run_that_is_killed_goes_on(self, photos, images, tmp_path, monkeypatch):
        clf = make_model("pixels-tree", random_state=0).fit(images, images.target)
        file = save(clf, tmp_path / "model")
        path = tmp_path / "rows.journal"
        program = (
            "import sys, time\n"
            "from fashionkit.decision import _reading, classify_photos\n"
            "_reading._MOST_PHOTOS = 1\n"
            "read = _reading.read_photo\n"
            "_reading.read_photo = lambda *args: time.sleep(0.3) or read(*args)\n"
            "classify_photos(*sys.argv[1:3], quality=False, n_colors=0,"
            " checkpoint_path=sys.argv[3])\n"
        )
        process = subprocess.Popen([sys.executable, "-c", program, file, photos, path])
        while not path.exists() or path.read_bytes().count(b"\n") < 4:
            time.sleep(0.05)
            assert process.poll() is None
        process.kill()
        process.wait()
        kept = path.read_bytes().count(b"\n") - 1
        assert 0 < kept < 24
        read = []
        read_photo = _reading.read_photo
        monkeypatch.setattr(
            _reading, "read_photo", lambda *args: read.append(args) or read_photo(*args)
        )
        monkeypatch.setattr(_reading, "_MOST_PHOTOS", 1)
        rows = classify_photos(file, photos, checkpoint_path=path, **PLAIN)
        assert len(read) == 24 - kept
        pd.testing.assert_frame_equal(rows, classify_photos(file, photos, **PLAIN))


@pytest.mark.usefixtures("small_chunks")
class TestJobs:
    """Processes and threads give the same rows."""

    def test_threads_give_the_same_rows(self, photos, model):
        expected = classify_photos(model, photos, **PLAIN)
        with joblib.parallel_config(backend="threading", n_jobs=2):
            rows = classify_photos(model, photos, **PLAIN)
        pd.testing.assert_frame_equal(rows, expected, check_exact=True)

    def test_processes_give_the_same_rows(self, photos, model, tmp_path):
        expected = classify_photos(model, photos, **PLAIN)
        path = tmp_path / "rows.journal"
        rows = classify_photos(model, photos, n_jobs=2, checkpoint_path=path, **PLAIN)
        pd.testing.assert_frame_equal(rows, expected, check_exact=True)
        rows = classify_photos(model, photos, checkpoint_path=path, **PLAIN)
        pd.testing.assert_frame_equal(rows, expected, check_exact=True)

    def test_a_parcel_holds_the_model_and_its_arrays_once(self, model):
        from fashionkit.decision import _courier

        parcel = _courier.Parcel({"a": np.arange(1000.0), "b": np.arange(7, dtype=np.int8)})
        assert parcel.arrays.nbytes >= 8007
        assert len(parcel.head) < 1000
        _courier._unpacked.clear()
        model = parcel.unpack(parcel.arrays)
        assert_array_equal(model["a"], np.arange(1000.0))
        assert_array_equal(model["b"], np.arange(7))
        assert parcel.unpack(parcel.arrays) is model
        assert "arrays" not in parcel.__getstate__()

    def test_no_more_is_read_than_is_worked_on(self, photos, model, monkeypatch):
        read, seen = [], []
        read_photo = _reading.read_photo
        monkeypatch.setattr(
            _reading, "read_photo", lambda *args: read.append(args) or read_photo(*args)
        )

        class Watching(Pipeline):
            def predict_proba(self, X):
                seen.append(len(read))
                return super().predict_proba(X)

        classify_photos(Watching(model.steps), photos, **PLAIN)
        assert len(seen) == 6
        assert all(n_read <= 4 * (n + 2) for n, n_read in enumerate(seen))


@pytest.mark.slow
def test_a_cluster_gives_the_same_rows(photos, model):
    distributed = pytest.importorskip("distributed")
    expected = classify_photos(model, photos, **PLAIN)
    with (
        distributed.LocalCluster(
            n_workers=2, threads_per_worker=1, dashboard_address=":0"
        ) as cluster,
        distributed.Client(cluster),
        joblib.parallel_config(backend="dask"),
        pytest.MonkeyPatch.context() as patch,
    ):
        patch.setattr(_reading, "_MOST_PHOTOS", 4)
        rows = classify_photos(model, photos, n_jobs=2, **PLAIN)
    pd.testing.assert_frame_equal(rows, expected, check_exact=True)
