"""Baselines: ordinary pipelines that take images in every form."""

from __future__ import annotations

import pickle
import subprocess
import sys
import warnings

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
from fashionkit.baselines import baselines

FEATURES = ("hog", "sift", "color", "pixels")
CLASSIFIERS = ("svm", "knn", "tree", "forest")
NAMES = [f"{features}-{classifier}" for features in FEATURES for classifier in CLASSIFIERS]


@pytest.fixture(scope="module", autouse=True)
def one_thread():
    """Keep BLAS from waiting for threads that a busy machine does not run."""
    with threadpool_limits(1):
        yield


@pytest.fixture(scope="module", params=NAMES)
def fitted(request, garments):
    """Return each baseline, fitted on the first 200 garments."""
    X, y = garments
    return make_baseline(request.param, random_state=0).fit(X[:200], y[:200])


def test_baselines_are_every_feature_with_every_classifier():
    made = baselines(random_state=3)
    assert list(made) == NAMES
    assert [repr(made[name]) for name in NAMES] == [
        repr(make_baseline(name, random_state=3)) for name in NAMES
    ]


def test_baselines_can_be_chosen():
    assert list(baselines(features="hog", classifiers=("tree", "knn"))) == ["hog-tree", "hog-knn"]
    assert list(baselines(classifiers=iter(["svm"]))) == [f"{f}-svm" for f in FEATURES]


def test_baselines_share_a_cache(tmp_path):
    made = baselines(features="hog", memory=tmp_path)
    assert {str(pipeline.memory.location) for pipeline in made.values()} == {str(tmp_path)}


@pytest.mark.parametrize("choice", [{"features": "lbp"}, {"features": ["hog", "lbp"]}])
def test_features_that_do_not_exist_are_refused(choice):
    with pytest.raises(ValueError, match=r"has 'lbp', which is none; there are 'hog', 'sift'"):
        baselines(**choice)


def test_classifiers_that_do_not_exist_are_refused():
    with pytest.raises(ValueError, match=r"classifiers='mlp' has 'mlp', .*'svm', 'knn', 'tree'"):
        baselines(classifiers="mlp")


@pytest.mark.parametrize("name", NAMES)
def test_a_baseline_is_a_pipeline_with_steps_named_by_it(name):
    pipeline = make_baseline(name)
    assert type(pipeline) is Pipeline
    features, classifier = name.split("-")
    first, *_, last = pipeline.named_steps
    assert (first, last) == (features, classifier)


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
    # Pickling changes how arrays lie in memory, and that the last bits of products.
    assert_allclose(again.predict_proba(X), fitted.predict_proba(X), atol=1e-5)


def test_a_clone_with_the_same_seed_fits_the_same(fitted, garments):
    X, y = garments
    again = clone(fitted).fit(X[:200], y[:200])
    assert_array_equal(again.predict_proba(X[200:]), fitted.predict_proba(X[200:]))


@pytest.mark.parametrize("name", ["hog-lenet", "hog", "svm-hog", "", "HOG-SVM", 1])
def test_an_unknown_name_is_refused_with_those_that_are_known(name):
    with pytest.raises(ValueError, match=r"is no baseline; there are 'hog-svm', .*'pix"):
        make_baseline(name)


def test_parameters_reach_the_steps():
    pipeline = make_baseline("hog-svm", hog__orientations=12, svm__C=10, verbose=True)
    assert pipeline["hog"].orientations == 12
    assert pipeline["svm"].C == 10
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


def test_grid_search_in_two_processes_computes_each_feature_set_once(garments, tmp_path):
    X, y = garments
    search = GridSearchCV(
        make_baseline("hog-svm", memory=tmp_path, random_state=0, svm__cv=2),
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
        make_baseline("sift-knn").fit(*garments)


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
    assert pipeline.score(X_test, y_test) > 0.84


def test_frozen_features_are_made_only_when_asked_for():
    assert not any(name.startswith("mobilenetv2") for name in baselines())
    made = baselines(features="mobilenetv2", random_state=0)
    assert list(made) == [f"mobilenetv2-{classifier}" for classifier in CLASSIFIERS]
    features = made["mobilenetv2-svm"].named_steps["mobilenetv2"]
    assert isinstance(features, BackboneFeatures)
    assert features.weights == "imagenet"


def test_the_strong_pipeline_fits_and_predicts(garments):
    X, y = garments
    pipeline = make_baseline(
        "mobilenetv2-svm", mobilenetv2__weights=None, mobilenetv2__alpha=0.35, random_state=0
    ).fit(X[:100], y[:100])
    probabilities = pipeline.predict_proba(X[100:110])
    assert_allclose(probabilities.sum(axis=1), 1)


def test_frozen_features_and_histograms_lie_side_by_side(garments):
    X, y = garments
    pipeline = make_baseline(
        "mobilenetv2+hog-svm",
        mobilenetv2_hog__mobilenetv2__backbonefeatures__weights=None,
        mobilenetv2_hog__mobilenetv2__backbonefeatures__alpha=0.35,
        random_state=0,
    )
    features = pipeline.named_steps["mobilenetv2_hog"]
    seeds = {k: v for k, v in features.get_params().items() if k.endswith("random_state")}
    assert set(seeds.values()) == {0}
    assert features.fit_transform(X[:100]).shape == (100, 200)  # as many as there are images
    assert pipeline.fit(X[:200], y[:200]).score(X[200:], y[200:]) > 0.5
