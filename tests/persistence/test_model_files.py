"""Tests of save and load: what goes into a file comes out of it."""

from __future__ import annotations

import functools
import json
import os
import stat
import subprocess
import sys
import textwrap

import joblib
import model_faults as faults
import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_array_equal
from scipy.stats import loguniform, randint
from sklearn.base import BaseEstimator, clone
from sklearn.calibration import CalibratedClassifierCV
from sklearn.ensemble import RandomForestClassifier, StackingClassifier, VotingClassifier
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV, RandomizedSearchCV
from sklearn.multioutput import MultiOutputClassifier
from sklearn.naive_bayes import GaussianNB
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from fashionkit import (
    Augmentation,
    BoundedPCA,
    CNNClassifier,
    DistilledClassifier,
    HOGFeatures,
    InvariantSVC,
    PixelFeatures,
    TransferClassifier,
    load,
    make_baseline,
    make_model,
    save,
)
from fashionkit._tensorflow import keras
from fashionkit.persistence import ModelFileError, describe
from fashionkit.persistence._meaning import iterate_parts

TINY = {"architecture_params": {"filters": (4, 4), "dense_units": (8,)}, "epochs": 1}
N = 120


def tiny(**params):
    return CNNClassifier(**{**TINY, "random_state": 0, **params})


def small_forest():
    return make_model("hog-forest", random_state=0, forest__n_estimators=3)


MODELS = {
    "network": lambda: tiny(augmentation=Augmentation(rotation=5), warm_start=True),
    "half precision": lambda: tiny(dtype="mixed_bfloat16", random_state=np.random.RandomState(3)),
    "branched": lambda: make_model(
        "cnn-quick", architecture_params={"filters": (4, 4, 4)}, random_state=0
    ),
    "hierarchical": lambda: make_model(
        "hierarchical", epochs=1, architecture_params={"filters": (4, 4, 4)}
    ),
    "transfer": lambda: TransferClassifier(weights=None, layers="low", alpha=0.35, epochs=1),
    "distilled": lambda: DistilledClassifier(tiny(), make_model("pixels-tree"), n_copies=1),
    "hog-svm": lambda: make_model("hog-svm", random_state=0),
    "hog-knn": lambda: make_model("hog-knn", random_state=0),
    "k-d tree": lambda: make_model("pixels-knn", random_state=0, pca__n_components=5),
    "ball tree": lambda: make_pipeline(
        PixelFeatures(), BoundedPCA(4), KNeighborsClassifier(3, algorithm="ball_tree", p=3)
    ),
    "hog-forest": small_forest,
    "sift-tree": lambda: make_model("sift-tree", random_state=0),
    "hog-quick": lambda: make_model("hog-quick", random_state=0),
    "invariant": lambda: InvariantSVC(make_model("hog-svm", random_state=0), views="flip"),
    "union": lambda: make_baseline(["hog", "color"], "svm", random_state=0),
    "backbone": lambda: make_model(
        "mobilenetv2-knn",
        mobilenetv2__weights=None,
        mobilenetv2__alpha=0.35,
        mobilenetv2__image_size=32,
        mobilenetv2__layers="low",
        random_state=0,
    ),
    "votes": lambda: VotingClassifier(
        [("network", tiny()), ("tree", make_model("pixels-tree"))], voting="soft"
    ),
    "stack": lambda: StackingClassifier(
        [("tree", make_model("pixels-tree")), ("knn", make_model("pixels-knn"))],
        LogisticRegression(),
        cv=2,
    ),
    "calibrated": lambda: CalibratedClassifierCV(make_model("pixels-tree"), cv=2),
    "grid": lambda: GridSearchCV(
        make_model("pixels-tree"), {"tree__max_depth": [2, 3]}, cv=2, scoring="f1_macro"
    ),
    "random search": lambda: RandomizedSearchCV(
        make_model("pixels-tree", random_state=0),
        {"tree__ccp_alpha": loguniform(1e-4, 1e-2), "tree__max_depth": randint(2, 9)},
        n_iter=2,
        cv=2,
        random_state=0,
    ),
    "scikit-learn": lambda: make_pipeline(
        PixelFeatures(), StandardScaler(), RandomForestClassifier(3, random_state=0)
    ),
    "neighbours": lambda: make_pipeline(HOGFeatures(), KNeighborsClassifier()),
}


@pytest.fixture(scope="module")
def data(garments):
    X, y = garments
    return X[:N], np.array([f"class {label}" for label in y[:N]]), X[N : N + 40]


@pytest.fixture(scope="module")
def fitted(data):
    """Return a function that fits each of the models once."""

    @functools.cache
    def fit(name):
        return MODELS[name]().fit(data[0], data[1])

    return fit


@pytest.mark.parametrize("name", ["network", "transfer", "votes", "backbone"])
def test_half_precision_halves_kernels_in_the_file_and_nothing_in_memory(
    fitted, data, tmp_path, name
):
    model = fitted(name)
    before = model.predict(data[2])
    whole = save(model, tmp_path / "whole.fashionkit").stat().st_size
    path = save(model, tmp_path / "half.fashionkit", dtype="float16")
    kernels = sum(one.size for one in kernels_of(model))
    assert kernels > 0
    assert whole - path.stat().st_size == pytest.approx(2 * kernels, abs=3_000)
    again = load(path, mmap_mode="r")
    assert all(one.dtype == np.float32 for one in kernels_of(model))
    for kernel, loaded in zip(kernels_of(model), kernels_of(again), strict=True):
        assert_array_equal(loaded, kernel.astype(np.float16).astype(np.float32))
        assert loaded.dtype == np.float32
    assert np.mean(again.predict(data[2]) == before) > 0.9
    # Once rounded, always the same.
    third = load(save(again, path, dtype="float16"))
    assert_array_equal(third.predict(data[2]), again.predict(data[2]))
    assert_array_equal(model.predict(data[2]), before)


def kernels_of(model):
    """List the arrays of weights with two dimensions or more."""
    arrays = []
    for part in iterate_parts(model):
        for name in ("trainable", "non_trainable", "_arrays"):
            held = getattr(part, "__dict__", {}).get(name)
            arrays += [one for one in held or () if one.ndim >= 2]
    return arrays


def test_a_kernel_beyond_half_precision_is_kept(data, tmp_path):
    model = tiny().fit(data[0], data[1])
    model._network.trainable[0][0, 0, 0, 0] = 1e6
    again = load(save(model, tmp_path / "model.fashionkit", dtype="float16"))
    assert_array_equal(again._network.trainable[0], model._network.trainable[0])


def test_half_precision_changes_nothing_that_has_no_network(fitted, tmp_path):
    model = fitted("hog-svm")
    paths = [save(model, tmp_path / dtype, dtype=dtype) for dtype in ("float32", "float16")]
    assert paths[0].read_bytes() == paths[1].read_bytes()


def test_other_types_of_numbers_are_refused(fitted, tmp_path):
    with pytest.raises(ValueError, match="dtype='int8', expected 'float32' or 'float16'"):
        save(fitted("hog-svm"), tmp_path / "model.fashionkit", dtype="int8")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("name", MODELS)
def test_what_is_loaded_predicts_the_same_bits(fitted, data, tmp_path, name):
    model = fitted(name)
    path = save(model, tmp_path / "model.fashionkit")
    for mode in (None, "r", "c"):
        again = load(path, mmap_mode=mode)
        assert type(again) is type(model)
        if name not in ("random search", "half precision"):  # drawn from, and an address in it
            assert repr(again) == repr(model)
        assert_array_equal(again.predict_proba(data[2]), model.predict_proba(data[2]))
        assert_array_equal(again.predict(data[2]), model.predict(data[2]))
    assert describe(path).needs == []


@pytest.mark.parametrize("name", ["network", "hog-svm", "grid"])
def test_the_same_model_gives_the_same_bytes(fitted, tmp_path, name):
    first, second = (save(fitted(name), tmp_path / file) for file in "ab")
    assert first.read_bytes() == second.read_bytes()
    third = save(load(first), tmp_path / "c")
    assert describe(third).model == describe(first).model


def test_files_are_loaded_in_a_process_that_knows_nothing(fitted, data, tmp_path):
    names = ("network", "hog-svm", "grid", "votes")
    paths = [str(save(fitted(name), tmp_path / name)) for name in names]
    np.save(tmp_path / "X.npy", data[2])
    program = f"""
        import sys
        import numpy as np
        from fashionkit import load
        models = [load(path) for path in {paths!r}]
        assert "tensorflow" not in sys.modules, "loading needs no TensorFlow"
        X = np.load({str(tmp_path / "X.npy")!r})
        for number, model in enumerate(models):
            np.save({str(tmp_path)!r} + f"/{{number}}.npy", model.predict_proba(X))
    """
    environment = {**os.environ, "FASHIONKIT_DATA": "", "KERAS_HOME": str(tmp_path)}
    subprocess.run(
        [sys.executable, "-c", textwrap.dedent(program)], check=True, timeout=120, env=environment
    )
    for number, name in enumerate(names):
        expected = fitted(name).predict_proba(data[2])
        assert_array_equal(np.load(tmp_path / f"{number}.npy"), expected)


@pytest.mark.parametrize("name", MODELS)
def test_models_may_be_saved_before_they_are_fitted(tmp_path, name):
    path = save(MODELS[name](), tmp_path / "model")
    assert describe(path).is_fitted is False
    assert type(load(path)) is type(MODELS[name]())


def test_a_search_can_be_fitted_again(fitted, data, tmp_path):
    search = load(save(fitted("random search"), tmp_path / "search"))
    assert "loguniform" in repr(search.param_distributions)
    again = clone(search).fit(*data[:2])
    assert again.best_params_ == fitted("random search").best_params_


def test_training_goes_on_after_loading(fitted, data, tmp_path):
    model = load(save(fitted("network"), tmp_path / "model"))
    expected = joblib.load(joblib.dump(fitted("network"), tmp_path / "pickle")[0])
    for one in (model, expected):
        one.fit(*data[:2])
    assert_array_equal(model.predict_proba(data[2]), expected.predict_proba(data[2]))


def test_frozen_and_multioutput_models_are_saved(fitted, data, tmp_path):
    X, y, X_test = data
    frozen = FrozenEstimator(fitted("hog-forest"))
    assert_array_equal(load(save(frozen, tmp_path / "a")).predict(X_test), frozen.predict(X_test))
    both = np.column_stack([y, np.where(y == y[0], "yes", "no")])
    several = MultiOutputClassifier(make_model("pixels-tree", random_state=0)).fit(X, both)
    path = save(several, tmp_path / "b")
    assert_array_equal(load(path).predict(X_test), several.predict(X_test))
    assert [len(classes) for classes in describe(path).classes] == [10, 2]


def test_transformers_are_saved(fitted, data, tmp_path):
    features = fitted("hog-svm")[0]
    again = load(save(features, tmp_path / "features"))
    assert_array_equal(again.transform(data[2]), features.transform(data[2]))


def test_names_of_columns_are_kept(garments, tmp_path):
    X, y = garments
    frame = pd.DataFrame(X[:N].reshape(N, -1)).add_prefix("pixel")
    model = load(save(make_model("pixels-tree").fit(frame, y[:N]), tmp_path / "model"))
    assert model[0].feature_names_in_[0] == "pixel0"
    assert len(model.predict(frame)) == N


def test_a_description_tells_what_is_in_a_file(fitted, tmp_path):
    path = save(fitted("network"), tmp_path / "model", metadata={"shop": "ours", "ids": [1, 2]})
    description = describe(path)
    assert description.model == "fashionkit.neural._cnn.CNNClassifier"
    assert description.text == repr(fitted("network"))
    assert description.is_fitted is True
    assert description.classes == [f"class {label}" for label in range(10)]
    assert description.image_shape == [28, 28, 1]
    assert description.pixel_range == [0, 255]
    assert description.metadata == {"shop": "ours", "ids": [1, 2]}
    assert {"python", "fashionkit", "keras", "numpy", "scikit-learn"} <= set(description.versions)
    assert description.n_bytes == path.stat().st_size
    assert load(path, sha256=description.sha256).classes_[0] == "class 0"
    assert describe(save(fitted("calibrated"), tmp_path / "other")).image_shape == [28, 28, 1]


def test_another_file_than_the_expected_one_is_refused(fitted, tmp_path):
    path = save(fitted("hog-svm"), tmp_path / "model")
    with pytest.raises(ModelFileError, match="It is another file, or was changed"):
        load(path, sha256="0" * 64)


def test_caches_are_left_behind(data, tmp_path):
    model = make_model("hog-knn", memory=tmp_path / "cache").fit(*data[:2])
    again = load(save(model, tmp_path / "model"))
    assert again.memory is None
    assert model.memory is not None
    assert_array_equal(again.predict(data[2]), model.predict(data[2]))


# What may be trusted


def own_network(input_shape, n_classes):
    layers = keras().layers
    inputs = layers.Input(input_shape)
    rows = layers.Flatten()(inputs)
    return keras().Model(inputs, layers.Dense(n_classes, activation="softmax")(rows))


class Doubled(BaseEstimator):
    """A transformer of somebody else's."""

    def fit(self, X, y=None):
        return self

    def transform(self, X):
        return 2 * np.asarray(X)

    def __sklearn_is_fitted__(self):
        return True


def test_a_function_of_yours_is_loaded_if_it_is_trusted(data, tmp_path):
    model = CNNClassifier(own_network, epochs=1, random_state=0).fit(*data[:2])
    path = save(model, tmp_path / "model")
    name = f"{__name__}.own_network"
    assert describe(path).needs == [name]
    with pytest.raises(ModelFileError, match=rf"needs {name}, .* pass trusted=\['{name}'\]"):
        load(path)
    again = load(path, trusted=[name])
    assert again.architecture is own_network
    assert_array_equal(again.predict_proba(data[2]), model.predict_proba(data[2]))


def test_a_description_shows_functions_without_their_address(tmp_path):
    description = describe(save(CNNClassifier(own_network), tmp_path / "model"))
    assert description.text == "CNNClassifier(architecture=<function own_network>)"


def test_a_class_of_yours_is_loaded_if_it_is_trusted(data, tmp_path):
    model = make_pipeline(PixelFeatures(), Doubled(), GaussianNB()).fit(*data[:2])
    path = save(model, tmp_path / "model")
    with pytest.raises(ModelFileError, match="Doubled"):
        load(path)
    again = load(path, trusted=[f"{__name__}.Doubled"])
    assert_array_equal(again.predict_proba(data[2]), model.predict_proba(data[2]))


def test_code_that_is_not_there_is_named(data, tmp_path):
    path = save(CNNClassifier(own_network), tmp_path / "model")
    data = path.read_bytes()
    members = faults.unpack(data)
    members = {
        name: content.replace(b"own_network", b"no_network_") for name, content in members.items()
    }
    path.write_bytes(faults.pack(members))
    with pytest.raises(ModelFileError, match="which cannot be imported"):
        load(path, trusted=[f"{__name__}.no_network_"])


@pytest.mark.parametrize(
    ("model", "message"),
    [
        (
            lambda: make_pipeline(CNNClassifier(lambda shape, n: None)),
            r"estimator\.steps\[0\]\[1\]\.architecture is the function '.*<lambda>.* move it to",
        ),
        (
            lambda: CNNClassifier(callbacks=[keras().callbacks.EarlyStopping()]),
            r"estimator\.callbacks.* is a EarlyStopping of keras.*; set callbacks=None",
        ),
        (
            lambda: CNNClassifier(optimizer=keras().optimizers.Adam()),
            "pass its name as optimizer",
        ),
        (lambda: CNNClassifier(class_weight={(1, 2): 3}), "has the key"),
        (lambda: 3, "estimator=3 is not an estimator"),
        (lambda: CNNClassifier, "is not an estimator"),
    ],
)
def test_what_cannot_be_saved_is_named(tmp_path, model, message):
    with pytest.raises(TypeError, match=message):
        save(model(), tmp_path / "model")
    assert not list(tmp_path.iterdir())


# Where files are written


def test_a_failed_save_leaves_the_old_file(fitted, tmp_path, monkeypatch):
    path = save(fitted("network"), tmp_path / "model")
    before = path.read_bytes()

    def full(*args, **kwargs):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space left"):
        save(fitted("hog-svm"), path)
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]


def test_folders_and_missing_files_are_told(tmp_path):
    with pytest.raises(IsADirectoryError, match="pass the name of a file in it"):
        save(CNNClassifier(), tmp_path)
    with pytest.raises(IsADirectoryError, match="pass the file of a model"):
        load(tmp_path)
    with pytest.raises(FileNotFoundError):
        load(tmp_path / "none")
    with pytest.raises(FileNotFoundError):
        save(CNNClassifier(), tmp_path / "none" / "model")


@pytest.mark.posix
@pytest.mark.skipif(hasattr(os, "geteuid") and os.geteuid() == 0, reason="root may write anywhere")
def test_folders_without_rights_are_told(tmp_path):
    tmp_path.chmod(stat.S_IREAD | stat.S_IEXEC)
    with pytest.raises(PermissionError):
        save(CNNClassifier(), tmp_path / "model")
    tmp_path.chmod(stat.S_IRWXU)


@pytest.mark.parametrize("metadata", [["a"], {"a": {1, 2}}, {"a": float("nan")}, {1: "a"}])
def test_metadata_must_be_json(tmp_path, metadata):
    with pytest.raises(TypeError, match=r"metadata=.*, expected a dict"):
        save(CNNClassifier(), tmp_path / "model", metadata=metadata)


@pytest.mark.parametrize(
    ("params", "error", "message"),
    [
        ({"mmap_mode": "w+"}, ValueError, "mmap_mode='w\\+', expected 'r', 'c' or None"),
        ({"trusted": "a.b"}, TypeError, "expected a list of names"),
        ({"trusted": [1]}, TypeError, "expected a list of names"),
    ],
)
def test_bad_arguments_of_load_are_named(tmp_path, params, error, message):
    path = save(CNNClassifier(), tmp_path / "model")
    with pytest.raises(error, match=message):
        load(path, **params)


def test_arrays_are_mapped_where_they_lie(fitted, tmp_path):
    path = save(fitted("hog-knn"), tmp_path / "model")
    mapped = load(path, mmap_mode="r")["knn"]._fit_X
    assert not mapped.flags.writeable
    assert mapped.flags.aligned
    assert mapped.ctypes.data % 64 == 0
    assert load(path, mmap_mode="c")["knn"]._fit_X.flags.writeable


def test_large_members_are_read(fitted, data, tmp_path, monkeypatch):
    from fashionkit.persistence import _container

    monkeypatch.setattr(_container, "_LARGE", 0)  # all are written as if they had 2 GB
    path = save(fitted("hog-knn"), tmp_path / "model")
    mapped = load(path, mmap_mode="r")
    assert mapped["knn"]._fit_X.ctypes.data % 64 == 0
    assert_array_equal(mapped.predict(data[2]), fitted("hog-knn").predict(data[2]))


def test_arrays_need_not_be_verified(fitted, data, tmp_path):
    path = save(fitted("hog-knn"), tmp_path / "model")
    again = load(path, verify=False)
    assert_array_equal(again.predict(data[2]), fitted("hog-knn").predict(data[2]))


def test_a_file_of_a_later_release_says_so(fitted, tmp_path):
    path = save(CNNClassifier(), tmp_path / "model")
    members = faults.unpack(path.read_bytes())
    header = json.loads(members["fashionkit.json"])
    header["format"], header["versions"]["fashionkit"] = 7, "9.1"
    members["fashionkit.json"] = json.dumps(header).encode()
    path.write_bytes(faults.pack(members))
    for read in (load, describe):
        with pytest.raises(ModelFileError, match=r"by fashionkit 9\.1 in format 7.*update"):
            read(path)
