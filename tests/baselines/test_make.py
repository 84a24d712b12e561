"""Baselines: ordinary pipelines that take images in every form."""

from __future__ import annotations

import pickle
import subprocess
import sys
import warnings
from itertools import product

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import clone
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler
from threadpoolctl import threadpool_limits

from fashionkit import BackboneFeatures, ColorHistogram, HOGFeatures, SIFTFeatures, make_baseline
from fashionkit.baselines._registry import CLASSIFIERS, FEATURES, TUNED

HAND_MADE = ("hog", "sift", "color", "pixels")
PAIRS = list(product(HAND_MADE, ("svm", "knn", "tree", "forest")))
each_pair = pytest.mark.parametrize(("features", "classifier"), PAIRS)


@pytest.fixture(scope="module", autouse=True)
def one_thread():
    """Keep BLAS from waiting for threads that a busy machine does not run."""
    with threadpool_limits(1):
        yield


@pytest.fixture(scope="module", params=PAIRS, ids="-".join)
def fitted(request, garments):
    """Return each baseline, fitted on the first 200 garments."""
    X, y = garments
    return make_baseline(*request.param, random_state=0).fit(X[:200], y[:200])


def test_the_registries_hold_what_is_documented():
    assert list(FEATURES) == [*HAND_MADE, "mobilenetv2"]
    assert list(CLASSIFIERS) == ["svm", "knn", "tree", "forest"]
    for name in (*FEATURES, *CLASSIFIERS):
        assert f'- "{name}": ' in make_baseline.__doc__


@pytest.mark.parametrize(
    "features", ["lbp", ["hog", "lbp"], ("hog", "lbp"), 1, "", "HOG", [["hog"]]]
)
def test_unknown_features_are_refused(features):
    with pytest.raises(ValueError, match=r"^features=.* not known; pass one of 'hog', 'sift'"):
        make_baseline(features, "svm")


@pytest.mark.parametrize("features", [[], ["hog", "hog"]])
def test_a_union_has_features_and_none_twice(features):
    with pytest.raises(ValueError, match="at least one name and none of them twice"):
        make_baseline(features, "svm")


@pytest.mark.parametrize("classifier", ["mlp", "", None, 1, ["svm"]])
def test_unknown_classifiers_are_refused(classifier):
    with pytest.raises(ValueError, match=r"is not known; pass one of 'svm', 'knn', 'tree'"):
        make_baseline("hog", classifier)


def test_a_missing_classifier_is_shown():
    with pytest.raises(ValueError, match=r"pass one of 'svm', .*: make_baseline\('hog', 'svm'\)\."):
        make_baseline("hog")


@pytest.mark.parametrize(
    ("name", "remedy"),
    [
        ("hog-svm", "call make_model('hog-svm') or make_baseline('hog', 'svm')."),
        (
            "mobilenetv2+hog-knn",
            "call make_model('mobilenetv2+hog-knn') or "
            "make_baseline(['mobilenetv2', 'hog'], 'knn').",
        ),
        ("mobilenetv2+hog", "for a union call make_baseline(['mobilenetv2', 'hog'], 'svm')."),
    ],
)
def test_names_of_models_are_no_features(name, remedy):
    for arguments in [(name,), (name, "svm"), ([name], "svm")]:
        with pytest.raises(ValueError, match="is not known; ") as error:
            make_baseline(*arguments)
        assert str(error.value).endswith(remedy)


@each_pair
def test_a_baseline_is_a_pipeline_with_steps_named_by_it(features, classifier):
    pipeline = make_baseline(features, classifier)
    assert type(pipeline) is Pipeline
    first, *_, last = pipeline.named_steps
    assert (first, last) == (features, classifier)


@each_pair
def test_parameters_are_reached_by_one_step(features, classifier):
    pipeline = make_baseline(features, classifier)
    own = pipeline.get_params(deep=False)
    assert all(name.count("__") <= 1 for name in pipeline.get_params() if name not in own)


def test_every_baseline_learns(fitted, garments):
    X, y = garments
    # Gray images have little to tell by the amounts of their grays.
    chance = 0.1
    least = 1.5 * chance if "color" in fitted.named_steps else 4 * chance
    assert fitted.score(X[200:], y[200:]) > least


def test_every_baseline_gives_probabilities(fitted, garments):
    probabilities = fitted.predict_proba(garments[0][200:])
    assert probabilities.shape == (100, 10)
    assert_allclose(probabilities.sum(axis=1), 1)


@pytest.mark.parametrize(
    "form",
    [
        lambda X: X.reshape(len(X), -1),
        lambda X: X[..., np.newaxis],
        list,
        lambda X: X.astype(np.float32),
        pytest.param(lambda X: pd.DataFrame(X.reshape(len(X), -1)), id="frame"),
    ],
)
def test_every_form_of_the_same_images_is_predicted_alike(fitted, garments, form):
    X = garments[0][200:230]
    assert_array_equal(fitted.predict_proba(form(X)), fitted.predict_proba(X))


def test_a_pickled_baseline_predicts_the_same(fitted, garments):
    X = garments[0][200:230]
    again = pickle.loads(pickle.dumps(fitted))
    assert_array_equal(again.predict(X), fitted.predict(X))
    assert_array_equal(again.predict_proba(X), fitted.predict_proba(X))


def test_features_from_a_cache_give_the_bits_of_computed_ones(garments, tmp_path):
    X, y = garments
    computed, read = (
        make_baseline("hog", "svm", memory=tmp_path, random_state=0).fit(X[:200], y[:200])
        for _ in range(2)
    )
    assert_array_equal(read.predict_proba(X[200:]), computed.predict_proba(X[200:]))


def test_a_clone_with_the_same_seed_fits_the_same(fitted, garments):
    X, y = garments
    again = clone(fitted).fit(X[:200], y[:200])
    assert_array_equal(again.predict_proba(X[200:]), fitted.predict_proba(X[200:]))


def test_parameters_reach_the_steps():
    pipeline = make_baseline("hog", "svm", hog__orientations=12, svm__C=10, verbose=True)
    assert pipeline["hog"].orientations == 12
    assert pipeline["svm"].C == 10
    assert pipeline.verbose is True


def test_an_unknown_parameter_is_refused():
    with pytest.raises(ValueError, match="Invalid parameter 'orientation'"):
        make_baseline("hog", "svm", hog__orientation=12)


@pytest.mark.parametrize("pair", [("hog", "tree"), ("pixels", "forest")])
def test_random_state_reaches_the_classifier(pair):
    assert make_baseline(*pair, random_state=3)[-1].random_state == 3
    params = {f"{pair[1]}__random_state": 4}
    assert make_baseline(*pair, random_state=3, **params)[-1].random_state == 4


def test_two_baselines_share_no_step():
    assert make_baseline("hog", "svm")["hog"] is not make_baseline("hog", "svm")["hog"]


def test_strings_as_labels_and_colour_images(garments):
    X, y = garments
    X = np.repeat(X[:100, ::2, ::2, np.newaxis], 3, axis=3)
    labels = np.char.add("class ", y[:100].astype(str))
    pipeline = make_baseline("hog", "svm").fit(X, labels)
    assert set(pipeline.predict(X)) <= set(labels)


@pytest.mark.slow
def test_grid_search_in_two_processes_computes_each_feature_set_once(garments, tmp_path):
    X, y = garments
    search = GridSearchCV(
        make_baseline("hog", "svm", memory=tmp_path, random_state=0, svm__cv=2),
        {
            "hog__orientations": [4, 9],
            "hog__pixels_per_cell": [7, [7, 14]],
            "svm__C": [1, 10, 100],
        },
        cv=2,
        n_jobs=2,
    ).fit(X[:150], y[:150])
    assert np.all(search.cv_results_["mean_test_score"] > 0.4)
    # Two folds of four feature sets, and one on all images; and the components of each.
    # That none is computed twice is tested in test_memory.py.
    assert len(list(tmp_path.rglob("output.pkl"))) == 2 * (2 * 4 + 1)


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize(
    "features",
    [HOGFeatures(pixels_per_cell=7), SIFTFeatures(20, step=7), ColorHistogram()],
    ids=repr,
)
def test_features_work_with_any_classifier_of_scikit_learn(features, channels, garments):
    X, y = garments
    X = np.repeat(X[..., np.newaxis], channels, axis=3)
    pipeline = make_pipeline(clone(features), StandardScaler(), LinearDiscriminantAnalysis())
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Variables are collinear")
        pipeline.fit(X[:200], y[:200])
    assert pipeline.score(X[200:], y[200:]) > 0.2


def test_without_opencv_the_remedy_is_named(garments, monkeypatch):
    monkeypatch.setitem(sys.modules, "cv2", None)
    with pytest.raises(ImportError, match=r'pip install "fashionkit\[sift\]"'):
        make_baseline("sift", "knn").fit(*garments)


def test_baselines_do_not_import_tensorflow():
    script = (
        "import sys, fashionkit\n"
        "fashionkit.make_baseline('hog', 'svm')\n"
        "assert 'tensorflow' not in sys.modules and 'keras' not in sys.modules\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, timeout=100
    )
    assert done.returncode == 0, done.stderr


@pytest.mark.realdata
def test_hog_svm_on_real_images(fashion_mnist):
    X, y, X_test, y_test = fashion_mnist
    pipeline = make_baseline("hog", "svm", random_state=0).fit(X, y)
    assert pipeline.score(X_test, y_test) > 0.84


def test_frozen_features_have_imagenet_weights():
    features = make_baseline("mobilenetv2", "svm").named_steps["mobilenetv2"]
    assert isinstance(features, BackboneFeatures)
    assert features.weights == "imagenet"


@pytest.mark.slow  # the best one does in models/test_make.py
def test_the_strong_pipeline_fits_and_predicts(garments):
    X, y = garments
    pipeline = make_baseline(
        "mobilenetv2",
        "svm",
        mobilenetv2__weights=None,
        mobilenetv2__alpha=0.35,
        random_state=0,
    ).fit(X[:100], y[:100])
    probabilities = pipeline.predict_proba(X[100:110])
    assert_allclose(probabilities.sum(axis=1), 1)


def test_frozen_features_and_histograms_lie_side_by_side(garments):
    X, y = garments
    pipeline = make_baseline(
        ["mobilenetv2", "hog"],
        "svm",
        union__mobilenetv2__features__weights=None,
        union__mobilenetv2__features__alpha=0.35,
        random_state=0,
    )
    features = pipeline.named_steps["union"]
    seeds = {k: v for k, v in features.get_params().items() if k.endswith("random_state")}
    assert set(seeds.values()) == {0}
    assert features.fit_transform(X[:100]).shape == (100, 200)  # as many as there are images
    assert pipeline.fit(X[:200], y[:200]).score(X[200:], y[200:]) > 0.5


def test_settings_of_a_union_do_not_depend_on_the_order_of_its_features():
    one = make_baseline(["mobilenetv2", "hog"], "svm")
    other = make_baseline(("hog", "mobilenetv2"), "svm")
    assert one["union"].transformer_weights == other["union"].transformer_weights == {"hog": 3.6}
    assert list(other["union"].named_transformers) == ["hog", "mobilenetv2"]
    assert one["pca"].n_components == other["pca"].n_components == 800


def test_tuned_settings_are_of_features_that_exist():
    for features, classifier in TUNED:
        names = features.split("+")
        assert names == sorted(names)
        assert set(names) <= set(FEATURES)
        assert classifier in {"*", *CLASSIFIERS}
        make_baseline(names, "svm" if classifier == "*" else classifier)


def test_a_list_of_one_name_is_that_name():
    assert repr(make_baseline(["hog"], "svm")) == repr(make_baseline("hog", "svm"))


@pytest.mark.parametrize("features", [("hog", "color"), ("pixels", "sift", "hog")], ids="+".join)
def test_any_features_make_a_union_that_learns(features, garments):
    X, y = garments
    pipeline = make_baseline(list(features), "svm", random_state=0)
    rows = pipeline["union"].fit_transform(X[:200])
    n_columns = [len(part[:-1].get_feature_names_out()) for _, part in parts(pipeline)]
    # Neither of the features outweighs the other: the rows of each have the length 1.
    for own in np.split(rows, np.cumsum(n_columns)[:-1], axis=1):
        assert_allclose(np.linalg.norm(own, axis=1), 1, rtol=1e-4)
    assert pipeline.fit(X[:200], y[:200]).score(X[200:], y[200:]) > 0.5


def parts(pipeline):
    return pipeline["union"].transformer_list
