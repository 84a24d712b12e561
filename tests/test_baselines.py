"""Baselines: ordinary pipelines that take images in every form."""

from __future__ import annotations

import pickle
import subprocess
import sys

import joblib
import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import Pipeline
from threadpoolctl import threadpool_limits

from fashionkit import make_baseline
from fashionkit.baselines import baselines

CLASSIFIERS = ("svm", "knn", "tree", "forest")


@pytest.fixture(scope="module", autouse=True)
def one_thread():
    """Keep BLAS from waiting for threads that a busy machine does not run."""
    with threadpool_limits(1):
        yield


@pytest.fixture(scope="module", params=baselines())
def fitted(request, garments):
    """Return each baseline, fitted on the first 200 garments."""
    X, y = garments
    return make_baseline(request.param, random_state=0).fit(X[:200], y[:200])


def test_the_names_are_every_feature_with_every_classifier():
    assert baselines() == [f"{f}-{c}" for f in ("hog", "pixels") for c in CLASSIFIERS]


@pytest.mark.parametrize("name", baselines())
def test_a_baseline_is_a_pipeline_with_steps_named_by_it(name):
    pipeline = make_baseline(name)
    assert type(pipeline) is Pipeline
    features, classifier = name.split("-")
    first, *_, last = pipeline.named_steps
    assert (first, last) == (features, classifier)


def test_every_baseline_learns(fitted, garments):
    X, y = garments
    assert fitted.score(X[200:], y[200:]) > 0.4


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
    assert_array_equal(again.predict_proba(X), fitted.predict_proba(X))


def test_a_clone_with_the_same_seed_fits_the_same(fitted, garments):
    X, y = garments
    again = clone(fitted).fit(X[:200], y[:200])
    assert_array_equal(again.predict_proba(X[200:]), fitted.predict_proba(X[200:]))


@pytest.mark.parametrize("name", ["hog-lenet", "hog", "svm-hog", "", "HOG-SVM", 1])
def test_an_unknown_name_is_refused_with_those_that_are_known(name):
    with pytest.raises(ValueError, match=r"is no baseline; there are 'hog-svm', .*'pix"):
        make_baseline(name)


def test_parameters_reach_the_steps():
    pipeline = make_baseline("hog-svm", hog__orientations=12, svm__estimator__C=10, verbose=True)
    assert pipeline["hog"].orientations == 12
    assert pipeline["svm"].estimator.C == 10
    assert pipeline.verbose is True


def test_an_unknown_parameter_is_refused():
    with pytest.raises(ValueError, match="Invalid parameter 'orientation'"):
        make_baseline("hog-svm", hog__orientation=12)


@pytest.mark.parametrize("name", ["hog-tree", "pixels-forest"])
def test_random_state_reaches_the_classifier(name):
    assert make_baseline(name, random_state=3)[-1].random_state == 3
    params = {f"{name.split('-')[1]}__random_state": 4}
    assert make_baseline(name, random_state=3, **params)[-1].random_state == 4


def test_two_baselines_share_no_step():
    assert make_baseline("hog-svm")["hog"] is not make_baseline("hog-svm")["hog"]


def test_strings_as_labels_and_colour_images(garments):
    X, y = garments
    X = np.repeat(X[:100, ::2, ::2, np.newaxis], 3, axis=3)
    labels = np.char.add("class ", y[:100].astype(str))
    pipeline = make_baseline("hog-svm").fit(X, labels)
    assert set(pipeline.predict(X)) <= set(labels)


def test_grid_search_over_features_in_two_processes_with_cache(garments, tmp_path):
    X, y = garments
    memory = joblib.Memory(tmp_path, verbose=0)
    search = GridSearchCV(
        make_baseline("hog-knn", memory=memory),
        {"hog__orientations": [4, 9], "knn__n_neighbors": [1, 5]},
        cv=2,
        n_jobs=2,
    ).fit(X, y)
    assert np.all(search.cv_results_["mean_test_score"] > 0.4)
    assert search.best_params_["hog__orientations"] in (4, 9)
    # Two folds and two orientations, and once more for the best on all images.
    assert len(list(tmp_path.rglob("output.pkl"))) in (4, 5)


def test_baselines_do_not_import_tensorflow():
    script = (
        "import sys, fashionkit\n"
        "fashionkit.make_baseline('hog-svm')\n"
        "assert 'tensorflow' not in sys.modules and 'keras' not in sys.modules\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, timeout=100
    )
    assert done.returncode == 0, done.stderr


@pytest.mark.realdata
def test_hog_svm_on_real_images(fashion_mnist):
    X, y, X_test, y_test = fashion_mnist
    pipeline = make_baseline("hog-svm", random_state=0).fit(X, y)
    assert pipeline.score(X_test, y_test) > 0.82
