"""Folders of photos as X: every estimator reads them as it needs them, to the same bits."""

from __future__ import annotations

import joblib
import numpy as np
import pytest
from numpy.testing import assert_array_equal
from PIL import Image
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.pipeline import make_pipeline

from fashionkit import (
    Augmentation,
    BackboneFeatures,
    BoundedPCA,
    CalibratedSVC,
    ColorHistogram,
    HierarchicalCNNClassifier,
    HOGFeatures,
    ImageFolder,
    InvariantSVC,
    PixelFeatures,
    SIFTFeatures,
    TransferClassifier,
    compare_models,
    make_model,
    plotting,
    worst_mistakes,
)
from fashionkit._images import check_images, fit_images
from fashionkit._tensorflow import keras

N_PHOTOS = 70


def tiny_backbone(input_shape):
    layers = keras().layers
    inputs = layers.Input(input_shape)
    return keras().Model(inputs, layers.Conv2D(4, 3, strides=2, activation="relu")(inputs))


TINY = {"backbone": tiny_backbone, "weights": None, "random_state": 0}


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    """Make a folder of noise, darker in one class than in the other."""
    path = tmp_path_factory.mktemp("photos")
    random = np.random.default_rng(0)
    for label, low in (("dark", 0), ("light", 100)):
        (path / label).mkdir()
        for i in range(N_PHOTOS // 2):
            pixels = random.integers(low, low + 150, (20, 24, 3), dtype=np.uint8)
            Image.fromarray(pixels).save(path / label / f"{i:02}.png")
    return path


@pytest.fixture(scope="module")
def folder(path):
    return ImageFolder(path, image_size=(18, 20))


@pytest.fixture(scope="module")
def X(folder):
    return np.asarray(folder)


@pytest.fixture
def small_chunks(monkeypatch):
    """Let every folder be read in several parts."""
    monkeypatch.setattr("fashionkit._images._pixels._VALUES_PER_CHUNK", 16 * 18 * 20 * 3)


FEATURES = [
    HOGFeatures(n_jobs=2),
    SIFTFeatures(n_words=4, random_state=0),
    SIFTFeatures(n_words=4, max_descriptors=200, random_state=0, n_jobs=2),
    ColorHistogram(),
    PixelFeatures(),
    BackboneFeatures(**TINY, batch_size=16),
    BoundedPCA(5, random_state=0),
    BoundedPCA(5, max_samples=20, random_state=0),
    Augmentation(rotation=10, random_state=0),
]


@pytest.mark.parametrize("transformer", FEATURES, ids=lambda one: type(one).__name__)
def test_features_of_a_folder_are_those_of_its_array(folder, X, small_chunks, transformer):
    if isinstance(transformer, SIFTFeatures):
        pytest.importorskip("cv2")
    rows = X.reshape(len(X), -1) if isinstance(transformer, BoundedPCA) else X
    fitted, whole = clone(transformer), clone(transformer)
    assert_array_equal(fitted.fit_transform(folder), whole.fit_transform(rows))
    assert_array_equal(fitted.transform(folder), whole.transform(rows))
    assert fitted.n_features_in_ == 18 * 20 * 3
    with pytest.raises(ValueError, match=r"expecting 1080 features"):
        fitted.transform(ImageFolder(folder.path, image_size=19))


NETWORKS = {
    "plain": lambda cnn: cnn(batch_size=16),
    "augmented": lambda cnn: cnn(augmentation=Augmentation(rotation=10, mixup=0.5)),
    "early stopping": lambda cnn: cnn(early_stopping=True, patience=1, epochs=3),
    "held out": lambda cnn: cnn(validation_fraction=0.2, class_weight="balanced"),
    "hierarchical": lambda cnn: HierarchicalCNNClassifier(
        architecture_params={"filters": (4,)}, epochs=2, random_state=0
    ),
    "head": lambda cnn: TransferClassifier(**TINY, epochs=2),
    "fine-tuned": lambda cnn: TransferClassifier(
        **TINY, epochs=1, fine_tune="all", fine_tune_epochs=1, image_size=24
    ),
}


@pytest.mark.parametrize("name", NETWORKS)
def test_networks_train_on_a_folder_to_the_same_bits_as_on_its_array(
    folder, X, small_chunks, tiny_cnn, name
):
    clf = NETWORKS[name](tiny_cnn)
    X_val, y_val = folder[::7], folder.target[::7]
    lazy, whole = clone(clf), clone(clf)
    if name == "plain":
        lazy.fit(folder, folder.target, X_val=X_val, y_val=y_val)
        whole.fit(X, folder.target, X_val=np.asarray(X_val), y_val=y_val)
    else:
        lazy.fit(folder, folder.target)
        whole.fit(X, folder.target)
    assert lazy.history_ == whole.history_
    expected = whole.predict_proba(X)
    assert_array_equal(lazy.predict_proba(folder), expected)
    assert_array_equal(lazy.predict_proba(folder[3:6]), whole.predict_proba(X[3:6]))
    assert_array_equal(lazy.explain(folder[:5]), whole.explain(X[:5]))
    assert lazy.evaluate(folder, folder.target) == whole.evaluate(X, folder.target)


def test_classes_are_grouped_by_the_mean_images_of_a_folder(path, small_chunks):
    folder = ImageFolder(path, image_size=8)
    y = np.arange(N_PHOTOS) % 4
    params = {"tree": "cluster", "architecture_params": {"filters": (4,)}, "epochs": 1}
    lazy = HierarchicalCNNClassifier(**params, random_state=0).fit(folder, y)
    whole = HierarchicalCNNClassifier(**params, random_state=0).fit(np.asarray(folder), y)
    assert_array_equal(lazy.predict_proba(folder), whole.predict_proba(folder))


def test_networks_go_on_with_a_folder_as_with_its_array(folder, X, tiny_cnn):
    fits = []
    for images in (folder, X):
        clf = tiny_cnn(epochs=1, warm_start=True)
        clf.fit(images, folder.target).fit(images[::2], folder.target[::2])
        clf.partial_fit(images[:30], folder.target[:30])
        fits.append(clf.predict_proba(images))
    assert_array_equal(*fits)


def test_a_checkpoint_knows_the_files_of_a_folder(path, tiny_cnn, tmp_path):
    folder = ImageFolder(path, image_size=8)
    clf = tiny_cnn(epochs=1, checkpoint_dir=tmp_path).fit(folder, folder.target)
    again = ImageFolder(path, image_size=8, n_jobs=2)
    resumed = clone(clf).fit(again, again.target)
    assert_array_equal(resumed.predict_proba(folder), clf.predict_proba(folder))
    with pytest.raises(ValueError, match="training data was"):
        clone(clf).fit(ImageFolder(path, image_size=8, aspect="stretch"), folder.target)


CLASSIFIERS = [
    make_pipeline(PixelFeatures(), BoundedPCA(4, random_state=0), CalibratedSVC(random_state=0)),
    InvariantSVC(make_pipeline(HOGFeatures(), CalibratedSVC(random_state=0))),
    CalibratedSVC(random_state=0),
    make_model("hog-knn"),
]


@pytest.mark.parametrize("clf", CLASSIFIERS, ids=lambda one: type(one).__name__)
def test_classifiers_fit_on_a_folder_as_on_its_array(folder, X, small_chunks, clf):
    rows = X.reshape(len(X), -1) if isinstance(clf, CalibratedSVC) else X
    lazy, whole = clone(clf).fit(folder, folder.target), clone(clf).fit(rows, folder.target)
    assert_array_equal(lazy.predict_proba(folder), whole.predict_proba(rows))


def test_a_folder_is_searched_and_cross_validated_in_other_processes(folder, X, tmp_path):
    model = make_model("hog-svm", memory=tmp_path, random_state=0)
    search = GridSearchCV(model, {"svm__C": [0.1, 1]}, cv=2, n_jobs=2)
    search.fit(folder, folder.target)
    expected = clone(search).set_params(n_jobs=None).fit(X, folder.target)
    assert_array_equal(
        search.cv_results_["mean_test_score"], expected.cv_results_["mean_test_score"]
    )
    scores = cross_val_score(model, folder, folder.target, cv=2)
    assert_array_equal(scores, cross_val_score(model, X, folder.target, cv=2))


def test_models_are_compared_and_inspected_on_a_folder(folder, X):
    test = folder[::2]
    result = compare_models(["color-knn"], folder, folder.target, X_test=test, y_test=test.target)
    assert len(result.to_frame()) == 1
    model = make_model("pixels-tree", random_state=0).fit(folder, folder.target)
    mistakes = worst_mistakes(model, test, test.target).drop(columns="path")
    assert mistakes.equals(worst_mistakes(model, X[::2], test.target))
    plotting.plot_samples(folder[:4], folder.target[:4])


def test_a_cnn_is_cross_validated_on_a_folder(folder, X, tiny_cnn):
    scores = cross_val_score(tiny_cnn(), folder, folder.target, cv=2)
    assert_array_equal(scores, cross_val_score(tiny_cnn(), X, folder.target, cv=2))


def test_a_file_that_cannot_be_read_is_named_by_the_estimator(path, tiny_cnn, tmp_path):
    files = sorted(map(str, path.rglob("*.png")))
    broken = tmp_path / "broken.jpg"
    broken.write_text("no image")
    folder = ImageFolder.from_paths([*files, str(broken)], image_size=8)
    y = np.arange(len(folder)) % 2
    clf = tiny_cnn(batch_size=16)
    for call in (
        lambda: clf.fit(folder, y),
        lambda: clf.fit(folder[:-1], y[:-1]).predict(folder),
        lambda: HOGFeatures().fit_transform(folder),
    ):
        with pytest.raises(ValueError, match=r"broken\.jpg' cannot be read as an image"):
            call()


def test_a_folder_warns_where_fit_saw_pixels_of_another_range(folder, X, recwarn):
    hog = HOGFeatures().fit(X / 255)
    with pytest.warns(UserWarning, match=r"range \(0, 255\).*range \(0, 1\)"):
        check_images(hog, folder)
    fit_images(hog, folder)
    recwarn.clear()
    check_images(hog, folder)
    assert not recwarn.list


def test_an_empty_folder_is_refused(folder, tiny_cnn):
    with pytest.raises(ValueError, match=r"Found array with 0 sample"):
        tiny_cnn().fit(folder[:0], folder.target[:0])
    with pytest.raises(ValueError, match="inconsistent numbers of samples"):
        tiny_cnn().fit(folder, folder.target[1:])


def test_threads_of_the_context_read_for_any_estimator(path, tiny_cnn):
    folder = ImageFolder(path, image_size=8)
    with joblib.parallel_config(n_jobs=3):
        assert fit_images(HOGFeatures(), folder).pixels.n_jobs == 3
    assert fit_images(HOGFeatures(), folder).pixels.n_jobs == 1


@pytest.mark.parametrize("model", ["cnn", "hog-knn"])
def test_no_more_than_a_batch_or_a_chunk_is_read_at_a_time(
    path, small_chunks, monkeypatch, tiny_cnn, model
):
    sizes = []
    read = ImageFolder._read

    def recording(self, paths, *args, **params):
        sizes.append(len(paths))
        return read(self, paths, *args, **params)

    monkeypatch.setattr(ImageFolder, "_read", recording)
    folder = ImageFolder(path, image_size=(18, 20))
    clf = tiny_cnn(batch_size=16) if model == "cnn" else make_model(model)
    clf.fit(folder, folder.target).predict(folder)
    assert max(sizes) == 16
