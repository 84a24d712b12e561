"""Seams: what is added in one place is seen everywhere.

Metrics and commands have their own in ``comparison/`` and ``cli/``.
"""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.dummy import DummyClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer

from fashionkit import (
    BackboneFeatures,
    CNNClassifier,
    TransferClassifier,
    describe_models,
    list_models,
    make_baseline,
    make_model,
    make_search,
)
from fashionkit._backbones import records
from fashionkit._backbones.records import Record
from fashionkit._cli import main
from fashionkit._tensorflow import keras
from fashionkit.baselines import _registry
from fashionkit.baselines._registry import Part
from fashionkit.models import _registry as model_registry
from fashionkit.models._registry import Model
from fashionkit.neural import architectures

SMALL = ["--data", "garments", "--train-size", "60", "--test-size", "20"]


class ToyFeatures(TransformerMixin, BaseEstimator):
    """Means of the rows of each image."""

    def __init__(self, power=1):
        self.power = power

    def fit(self, X, y=None):
        self.n_ = len(X)
        return self

    def transform(self, X):
        return np.asarray(X, float).mean(axis=2) ** self.power

    def get_feature_names_out(self, input_features=None):
        return np.array([f"row_{row}" for row in range(28)], dtype=object)


def compare(tmp_path, *names):
    """Run the command on some models, and return its exit status."""
    return main(["compare", *SMALL, "--models", *names, "--output", str(tmp_path)])


def help_of_compare(capsys):
    with pytest.raises(SystemExit):
        main(["compare", "--help"])
    return capsys.readouterr().out


def toy_network(input_shape, n_classes):
    layers = keras().layers
    inputs = layers.Input(input_shape)
    x = layers.Flatten()(layers.AveragePooling2D(4)(inputs))
    return keras().Model(inputs, layers.Dense(n_classes, activation="softmax")(x))


def build_toy_backbone(input_shape, weights):
    assert weights is None
    layers = keras().layers
    inputs = layers.Input(input_shape)
    x = layers.Conv2D(4, 3, strides=2, name="first")(inputs)
    return keras().Model(inputs, layers.Conv2D(6, 3, strides=2, name="second")(x))


@pytest.fixture
def toy_feature(monkeypatch):
    """Register features, as a line of the registry does."""
    monkeypatch.setitem(_registry.FEATURES, "toy", Part(ToyFeatures, "means of rows", "extra toy"))


@pytest.fixture
def toy_model(monkeypatch):
    """Name a model, as a line of the table does."""
    flatten = FunctionTransformer(lambda X: X.reshape(len(X), -1))
    record = Model("features", "A toy.", lambda memory: make_pipeline(flatten, DummyClassifier()))
    monkeypatch.setitem(model_registry.MODELS, "toy", record)


@pytest.fixture
def toy_architecture(monkeypatch):
    """Register an architecture, as a line of the registry does."""
    monkeypatch.setitem(architectures._REGISTERED, "toy", toy_network)


@pytest.fixture
def toy_backbone(monkeypatch):
    """Register a backbone by its record."""
    record = Record("toy", build_toy_backbone, lambda images: images / 255, smallest_side=8)
    monkeypatch.setitem(records.RECORDS, "toy", record)


@pytest.mark.usefixtures("toy_feature")
class TestFeature:
    def test_it_makes_baselines_and_unions(self, garments):
        X, y = garments
        for features in ("toy", ["toy", "hog"]):
            assert make_baseline(features, "knn").fit(X[:100], y[:100]).score(X, y) > 0.5
        assert make_baseline("toy", "tree", toy__power=2)["toy"].power == 2

    def test_its_models_have_names_and_descriptions(self):
        assert list_models("toy-*") == ["toy-svm", "toy-knn", "toy-tree", "toy-forest"]
        assert make_model("toy-tree", tree__max_depth=3)["tree"].max_depth == 3
        described = describe_models().loc["toy-tree"]
        assert described["description"] == "A decision tree on means of rows."
        assert described["needs"] == "extra toy"
        assert "tree__max_depth" in make_search("toy-tree").param_distributions

    def test_commands_and_errors_know_it(self, tmp_path, capsys):
        assert "toy-svm" in help_of_compare(capsys)
        assert compare(tmp_path, "toy-svm") == 0
        assert "\ntoy-svm " in capsys.readouterr().out
        with pytest.raises(ValueError, match="'toy'"):
            make_baseline("lbp", "svm")
        with pytest.raises(ValueError, match=r"make_baseline\('toy', 'svm'\)"):
            make_baseline("toy-svm")


@pytest.mark.usefixtures("toy_model")
class TestModel:
    def test_it_is_listed_described_and_made(self):
        assert "toy" in list_models()
        assert describe_models().loc["toy", "description"] == "A toy."
        assert make_model("toy", random_state=3)[-1].random_state == 3
        with pytest.raises(ValueError, match="the nearest names are 'toy'"):
            make_model("toys")

    def test_commands_know_it(self, tmp_path, capsys):
        assert " toy," in help_of_compare(capsys)
        assert compare(tmp_path, "toy") == 0
        assert "\ntoy " in capsys.readouterr().out


@pytest.mark.usefixtures("toy_architecture")
class TestArchitecture:
    def test_a_classifier_takes_it_by_its_name(self, garments):
        X, y = garments
        clf = CNNClassifier("toy", epochs=1, random_state=0).fit(X, y)
        assert clf.predict_proba(X).shape == (300, 10)

    def test_it_is_listed(self):
        assert "toy" in architectures.list_architectures()
        with pytest.raises(ValueError, match="'resnet', 'toy', 'wide_resnet'"):
            architectures.get("vgg")


@pytest.mark.usefixtures("toy_backbone")
class TestBackbone:
    def test_features_and_classifiers_take_it_by_its_name(self, garments):
        X, y = garments
        features = BackboneFeatures("toy", weights=None, layers=["first", "last"], random_state=0)
        assert features.fit_transform(X[:20]).shape == (20, 10)
        clf = TransferClassifier("toy", weights=None, epochs=1, random_state=0)
        assert clf.fit(X[:50], y[:50]).predict_proba(X[:5]).shape == (5, 10)

    def test_its_record_is_heeded(self, garments):
        with pytest.raises(ValueError, match="image_size=7, expected a whole number of at least 8"):
            BackboneFeatures("toy", weights=None, image_size=7).fit(garments[0])

    def test_errors_list_it(self, garments):
        with pytest.raises(ValueError, match=r"backbone='vgg' is not known; pass one of .*'toy'"):
            BackboneFeatures("vgg", weights=None).fit(garments[0])
