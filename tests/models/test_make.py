"""Every model by its name: one door, the same arguments for all, figures of the documentation."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import joblib
import pytest
from numpy.testing import assert_allclose
from sklearn.base import clone, is_classifier

import fashionkit
from fashionkit import (
    CNNClassifier,
    HierarchicalCNNClassifier,
    InvariantSVC,
    TransferClassifier,
    describe_models,
    list_models,
    make_baseline,
    make_model,
)
from fashionkit.neural import recipes

NETWORKS = ["cnn", "cnn-quick", "cnn-fast", "cnn-strong", "hierarchical"]
TRANSFER = ["mobilenetv2", "mobilenetv2-head", "mobilenetv2-tuned"]
ENSEMBLES = ["best", "best-fast"]
OTHERS = ["hog-nystroem", "hog-fast", "hog-quick", "invariant-svm"]
PAIRS = [
    f"{features}-{classifier}"
    for features in ("hog", "sift", "color", "pixels", "mobilenetv2", "mobilenetv2+hog")
    for classifier in ("svm", "knn", "tree", "forest")
]


def seeds(model):
    params = model.get_params()
    # That of an augmentation is left to its network.
    return {
        name: seed
        for name, seed in params.items()
        if name.endswith("random_state") and "augmentation__" not in name
    }


def test_every_model_has_a_name():
    # More may be added: each is one line in its registry.
    assert {*NETWORKS, *TRANSFER, *ENSEMBLES, *OTHERS, *PAIRS} <= set(list_models())


@pytest.mark.parametrize(
    ("pattern", "names"),
    [
        ("cnn*", NETWORKS[:4]),
        ("hog-*", [*OTHERS[:3], *PAIRS[:4]]),
        ("*-svm", ["invariant-svm", *(name for name in PAIRS if name.endswith("svm"))]),
        ("best*", ["best", "best-fast"]),
        ("HOG-*", []),
        ("", []),
    ],
)
def test_names_are_chosen_by_a_pattern(pattern, names):
    assert list_models(pattern) == names


@pytest.mark.parametrize("name", list_models())
def test_every_model_is_a_classifier_that_can_be_cloned(name):
    model = make_model(name, random_state=3)
    assert is_classifier(model)
    assert repr(clone(model)) == repr(model)
    assert not hasattr(model, "classes_")


@pytest.mark.parametrize("name", list_models())
def test_seed_and_memory_are_taken_by_every_model(name, tmp_path):
    model = make_model(name, memory=tmp_path, random_state=3)
    own = {"random_state"} & set(seeds(model)) or set(seeds(model))
    assert own
    assert {seeds(model)[seed] for seed in own} == {3}
    caches = [
        value for key, value in model.get_params().items() if key.endswith("memory") and value
    ]
    assert len(caches) == (name not in NETWORKS + TRANSFER)
    assert all(Path(cache.location) == tmp_path for cache in caches)


def test_memory_may_be_one_of_joblib(tmp_path):
    memory = joblib.Memory(tmp_path, verbose=0)
    assert make_model("hog-svm", memory=memory).memory.location == memory.location
    with pytest.raises(ValueError, match="memory=1 is not a cache"):
        make_model("hog-svm", memory=1)


@pytest.mark.parametrize("name", NETWORKS[:4])
def test_networks_are_recipes(name):
    recipe = name.partition("-")[2] or "basic"
    expected = CNNClassifier.from_recipe(recipe, random_state=0, epochs=2)
    assert repr(make_model(name, random_state=0, epochs=2)) == repr(expected)


def test_transfer_models_are_recipes():
    for name, recipe in zip(TRANSFER, ("basic", "head", "tuned"), strict=True):
        assert repr(make_model(name)) == repr(TransferClassifier.from_recipe(recipe))


def test_the_tuned_network_is_the_one_that_was_measured():
    params = recipes.get("tuned", "TransferClassifier")
    assert (params["layers"], params["image_size"], params["fine_tune"]) == ("high", 56, "all")
    assert (params["epochs"], params["fine_tune_epochs"]) == (3, 10)


def test_the_hierarchical_network_is_trained_as_the_strong_one_for_ten_epochs():
    model = make_model("hierarchical")
    strong = make_model("cnn-strong", epochs=10).get_params(deep=False)
    own = set(model.get_params(deep=False)) - set(strong)
    assert isinstance(model, HierarchicalCNNClassifier)
    assert own == {"tree", "loss_weights"}
    for name, value in model.get_params(deep=False).items():
        assert name in own or repr(strong[name]) == repr(value)


@pytest.mark.parametrize("name", PAIRS)
def test_pairs_are_baselines(name):
    features, _, classifier = name.rpartition("-")
    expected = make_baseline(features.split("+"), classifier, random_state=0)
    assert repr(make_model(name, random_state=0)) == repr(expected)


def test_the_best_model_is_the_one_that_was_measured():
    model = make_model("invariant-svm", random_state=0)
    assert isinstance(model, InvariantSVC)
    assert model.views == "flip+shift"
    union, pca, svm = (step for _, step in model.estimator.steps)
    assert list(union.named_transformers) == ["mobilenetv2", "hog"]
    assert union.transformer_weights == {"hog": 3.6}
    frozen, hog = (part for _, part in union.transformer_list)
    assert frozen["features"].layers == ["low", "mid", "block_10_expand_relu"]
    assert frozen["features"].mirror is False
    assert (frozen["features"].image_size, frozen["features"].power) == (56, 0.5)
    assert (frozen["pca"].n_components, frozen["pca"].max_samples) == (600, 4_000)
    assert (hog["pca"].n_components, hog["pca"].max_samples) == (200, 10_000)
    assert frozen["norm"] == hog["norm"] == "passthrough"
    assert (pca.n_components, pca.max_samples) == (600, 10_000)
    assert (svm.C, svm.gamma, svm.calibration_size) == (5, "scale", 2_000)


def test_the_best_model_needs_no_extra_and_takes_one():
    assert make_model("invariant-svm").estimator["svm"].backend == "auto"
    assert make_model("hog-svm")["svm"].backend == "sklearn"


@pytest.mark.parametrize(("name", "network"), [("best", "cnn-strong"), ("best-fast", "cnn-fast")])
def test_an_ensemble_is_a_network_and_the_support_vector_machine(name, network):
    model = make_model(name, memory="cache", random_state=3)
    members = dict(model.estimators)
    assert (model.voting, sum(model.weights)) == ("soft", 1)
    assert repr(members["network"]) == repr(make_model(network, random_state=3))
    alone = make_model("invariant-svm", memory="cache", random_state=3)
    assert repr(members["svm"]) == repr(alone)


@pytest.mark.slow  # its parts are tested in tests/svm and tests/baselines
def test_the_best_model_is_the_mean_of_its_members(garments):
    X, y = garments
    part = "estimator__union__mobilenetv2__features__"
    params = {f"{part}weights": None, f"{part}alpha": 0.35, f"{part}image_size": 32}
    network = {"epochs": 1, "architecture_params": {"filters": (4, 4, 4)}}
    members = [
        make_model("cnn-strong", random_state=0, **network),
        make_model("invariant-svm", random_state=0, **params),
    ]
    first, second = (one.fit(X[:120], y[:120]).predict_proba(X[120:125]) for one in members)
    nested = {f"svm__{key}": value for key, value in params.items()}
    nested |= {f"network__{key}": value for key, value in network.items()}
    model = make_model("best", random_state=0, **nested).fit(X[:120], y[:120])
    assert_allclose(model.predict_proba(X[120:125]), 0.6 * first + 0.4 * second, rtol=1e-6)


@pytest.mark.parametrize("name", ["hog-fast", "hog-quick"])
def test_smaller_kernel_machines_are_those_of_all_images_with_fewer_components(name):
    small, large = make_model(name), make_model("hog-nystroem")
    assert list(small.named_steps) == list(large.named_steps)
    few, many = small["nystroem"], large["nystroem"]
    assert few.n_components < many.n_components
    assert few.max_samples < many.max_samples
    assert (few.C, few.gamma, few.alpha) == (many.C, many.gamma, many.alpha)


def test_the_smallest_kernel_machine_tells_garments_apart(garments):
    X, y = garments
    model = make_model("hog-quick", random_state=0).fit(X[:200], y[:200])
    assert model.score(X[200:], y[200:]) > 0.8


@pytest.mark.parametrize(
    ("name", "nearest"),
    [
        ("hog-svn", "'hog-svm'"),
        ("CNN", "'cnn'"),
        ("cnn_fast", "'cnn-fast'"),
        ("", "'"),
        (None, "'"),
    ],
)
def test_an_unknown_name_is_answered_with_the_nearest(name, nearest):
    with pytest.raises(ValueError, match=r"is not a known model") as error:
        make_model(name)
    message = str(error.value)
    assert message.startswith(f"name={name!r} ")
    assert f"the nearest names are {nearest}" in message
    assert "list_models()" in message


@pytest.mark.parametrize("name", ["cnn", "hog-svm", "best"])
def test_a_parameter_that_a_model_does_not_have_is_refused(name):
    with pytest.raises(ValueError, match="Invalid parameter 'depth' for estimator"):
        make_model(name, depth=3)


def test_descriptions_have_a_row_for_each_model():
    models = describe_models()
    assert models.index.tolist() == list_models()
    assert models.index.name == "name"
    figures = ["accuracy", "cpu_minutes", "predict_cpu_ms", "megabytes"]
    assert models.columns.tolist() == ["kind", "description", "needs", *figures]
    assert set(models["kind"]) == {"network", "transfer", "features", "ensemble"}
    assert models["description"].str.fullmatch(r"[A-Z][^.]*\.").all()
    assert models["description"].is_unique
    assert models.loc["sift-svm", "needs"] == "extra sift"
    assert models["needs"].str.contains("ImageNet").tolist() == [
        "mobilenetv2" in name or name in (*ENSEMBLES, "invariant-svm", "photos-lda")
        for name in models.index
    ]
    assert models["accuracy"].dropna().between(0.4, 0.96).all()
    is_missing = models[figures].isna()
    assert (is_missing.any(axis=1) == is_missing.all(axis=1)).all()


def test_figures_are_those_of_the_documentation():
    page = Path(fashionkit.__file__).parents[1] / "docs" / "benchmarks.rst"
    if not page.exists():
        pytest.skip("not a checkout: there is no docs/benchmarks.rst")
    text = page.read_text(encoding="utf-8")
    models = describe_models().dropna()
    assert len(models) > 30
    for row in models.itertuples():
        name, figures = re.escape(row.Index), r" +\S+" * 3
        costs = f"{60 * row.cpu_minutes:.0f} +{row.predict_cpu_ms:.2f} +{row.megabytes:.1f}"
        line = rf"^{name} +{100 * row.accuracy:.2f}{figures} +{costs}$"
        assert re.search(line, text, re.MULTILINE), row.Index


def test_models_are_made_without_tensorflow():
    script = (
        "import sys, fashionkit\n"
        "models = [fashionkit.make_model(name) for name in fashionkit.list_models()]\n"
        "fashionkit.describe_models()\n"
        "assert 'tensorflow' not in sys.modules and 'keras' not in sys.modules\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, timeout=100
    )
    assert done.returncode == 0, done.stderr
