"""Models that come with the package."""

from __future__ import annotations

import functools
import os
import re
import subprocess
import sys
import textwrap
from pathlib import Path

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.frozen import FrozenEstimator
from sklearn.utils.validation import check_is_fitted

from fashionkit import (
    BackboneFeatures,
    TransferClassifier,
    list_pretrained,
    load,
    load_pretrained,
    make_garments,
    save,
)
from fashionkit.persistence import ModelFileError, _downloaded, _pretrained, describe
from fashionkit.persistence._pretrained import PRETRAINED, pretrained_file

CLOTHES = [
    *("dress", "hat", "longsleeve", "outwear", "pants"),
    *("shirt", "shoes", "shorts", "skirt", "t-shirt"),
]


# Its network is Keras's download.
DOWNLOADED = "clothing-photos-v1"
WEIGHTS = "mobilenet_v2_weights_tf_dim_ordering_tf_kernels_1.0_224_no_top.h5"


@pytest.fixture(scope="module")
def downloaded():
    """Return the model whose network is a download, where it has been made."""
    if not Path(os.environ.get("KERAS_HOME", "~/.keras"), "models", WEIGHTS).expanduser().is_file():
        pytest.skip(f"needs Keras's weights: put {WEIGHTS} into models of KERAS_HOME")
    return load_pretrained(DOWNLOADED)


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.InconsistentVersionWarning")
@pytest.mark.parametrize("name", PRETRAINED)
def test_a_model_is_fitted_and_holds_no_place_of_ours(name):
    model = load(pretrained_file(name))
    check_is_fitted(model)
    params = clone(model).get_params()
    ours = {"weights": "imagenet", "checkpoint_dir": None, "verbose": 0}
    for path, value in params.items():  # also of what is inside
        name = path.rpartition("__")[2]
        assert value == ours.get(name, value)


def test_each_call_returns_another_model():
    assert load_pretrained("fashion-mnist-v1") is not load_pretrained("fashion-mnist-v1")


@pytest.mark.parametrize("name", PRETRAINED)
def test_its_card_is_of_this_file(name):
    description = describe(pretrained_file(name))
    card = pretrained_file(name, ".md").read_text(encoding="utf-8")
    assert description.sha256 == PRETRAINED[name]
    assert f" {description.n_bytes} " in card
    assert description.sha256 in card
    assert f'load_pretrained("{name}")' in card
    assert re.search(r"accuracy +\| +\d\d\.\d\d % \(\d+ of \d+\)", card)
    for label in description.classes:
        assert f" {label} " in card
    for heading in ("limitations", "Training Procedure", "By class", "Known failures"):
        assert heading in card
    assert "More Information Needed" not in card
    assert re.search(r"(^|\s)/\w", card) is None  # no place on a machine
    assert description.metadata["name"] == name
    assert description.needs == []


def test_photos_are_classified_without_a_network_or_other_weights(tmp_path):
    script = """
        import numpy as np
        from fashionkit import load_pretrained

        model = load_pretrained("clothing-photos-small-v1")
        photos = np.full((2, 192, 192, 3), 200, np.uint8)
        photos[1, 40:150, 60:130] = 30
        probabilities = model.predict_proba(photos)
        assert probabilities.shape == (2, 10)
        assert np.allclose(probabilities.sum(axis=1), 1)
        print(*model.classes_)
    """
    no_network = {"http_proxy": "http://127.0.0.1:9", "https_proxy": "http://127.0.0.1:9"}
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(script)],
        env={**os.environ, **no_network, "KERAS_HOME": str(tmp_path)},
        capture_output=True,
        text=True,
        timeout=200,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.split() == CLOTHES
    assert not list(tmp_path.glob("models/*"))


def test_a_changed_file_is_refused(tmp_path, monkeypatch):
    data = bytearray(pretrained_file("clothing-photos-small-v1").read_bytes())
    data[-100] ^= 1
    changed = tmp_path / "changed.fashionkit"
    changed.write_bytes(data)
    monkeypatch.setattr(_pretrained, "pretrained_file", lambda name: changed)
    with pytest.raises(ModelFileError, match="is refused"):
        load_pretrained("clothing-photos-small-v1")


def test_an_unknown_name_is_answered_with_the_nearest():
    with pytest.raises(ValueError, match="the nearest is 'clothing-photos-small-v1'"):
        load_pretrained("clothing-photo-small")
    with pytest.raises(ValueError, match="name=None is not a model of the package"):
        load_pretrained(None)


def test_a_name_is_no_file_and_load_says_so():
    with pytest.raises(FileNotFoundError, match=r"load_pretrained\('fashion-mnist-v1'\)"):
        load("fashion-mnist-v1")


def test_all_names_are_listed():
    assert list_pretrained() == list(PRETRAINED)
    files = pretrained_file(list_pretrained()[0]).parent.iterdir()
    assert sorted({path.stem for path in files if path.stem != "__pycache__"}) == sorted(PRETRAINED)
    for name in PRETRAINED:
        assert f'"{name}"' in load_pretrained.__doc__


@pytest.mark.realdata
def test_a_head_stands_on_the_network_that_keras_downloads(downloaded):
    assert downloaded.get_params()["features__weights"] == "imagenet"
    photo = np.full((1, 224, 224, 3), 235, np.uint8)
    photo[0, 45:200, 70:110] = photo[0, 45:200, 117:157] = (40, 60, 120)
    photo[0, 35:70, 70:157] = (40, 60, 120)
    probabilities = downloaded.predict_proba(photo)
    # As they were on the day that it was made, to what other files of the same weights change.
    expected = [0.109, 0, 0.026, 0.008, 0.006, 0.004, 0, 0.004, 0.746, 0.098]
    np.testing.assert_allclose(probabilities[0], expected, atol=0.01)
    # Its features are those of a backbone of the same parameters that anyone fits.
    features = clone(downloaded.named_steps["features"]).fit(photo)
    head = downloaded.named_steps["head"]
    np.testing.assert_array_equal(head.predict_proba(features.transform(photo)), probabilities)


@pytest.mark.realdata
def test_a_head_and_its_network_are_saved_as_one_file(downloaded, tmp_path):
    photos = np.random.default_rng(0).integers(0, 256, (2, 224, 224, 3), np.uint8)
    again = load(save(downloaded, tmp_path / "whole.fashionkit"))
    np.testing.assert_array_equal(again.predict_proba(photos), downloaded.predict_proba(photos))


def test_weights_that_cannot_be_downloaded_are_told_with_the_remedy(monkeypatch):
    def fail(*_, **__):
        raise FileNotFoundError(f"weights='imagenet' are unavailable: {WEIGHTS} is not in models.")

    monkeypatch.setattr(_downloaded, "photo_features", fail)
    with pytest.raises(FileNotFoundError, match=f"name='{DOWNLOADED}' needs weights") as raised:
        load_pretrained(DOWNLOADED)
    for part in (f"put {WEIGHTS} into", "KERAS_HOME", "'clothing-photos-small-v1'"):
        assert part in str(raised.value)


def test_a_network_that_computes_something_else_is_refused(monkeypatch):
    random = functools.partial(_downloaded.photo_features, None)  # of random weights
    monkeypatch.setattr(_downloaded, "photo_features", random)
    with pytest.raises(ValueError, match="features of a reference image differ") as raised:
        load_pretrained(DOWNLOADED)
    for part in (f"name={DOWNLOADED!r}", "KERAS_HOME", "differ by", "Remove"):
        assert part in str(raised.value)


def test_what_a_network_computes_is_compared_without_the_power():
    backbone = _downloaded.photo_features(None).fit(np.zeros((1, 224, 224, 3), np.uint8))
    reference = _downloaded.compute_reference(backbone)
    assert backbone.power == 0.5
    assert reference.shape == np.load(pretrained_file(DOWNLOADED, ".npy")).shape
    plain = backbone.set_params(power=None).transform(_downloaded._reference_images())
    np.testing.assert_array_equal(reference, plain)


def test_probabilities_for_garments_are_what_they_were():
    model = load_pretrained("fashion-mnist-v1")
    X, y = make_garments(100, random_state=0)
    expected = [0.8959, 0.0029, 0.0495, 0.0024, 0.0035, 0.0045, 0.0254, 0.0034, 0.0079, 0.0046]
    np.testing.assert_allclose(model.predict_proba(X[2:3])[0], expected, atol=1e-3)
    assert model.classes_.tolist() == list(range(10))
    assert model.score(X, y) > 0.7  # drawings, of which it has seen none


@pytest.mark.realdata
def test_the_garments_that_it_was_made_for_are_told(fashion_mnist):
    assert load_pretrained("fashion-mnist-v1").score(*fashion_mnist[2:]) > 0.93


def test_probabilities_are_what_they_were():
    """The file is for good: its answers to a drawing are those of the day that it was made."""
    model = load_pretrained("clothing-photos-small-v1")
    photo = np.full((1, 192, 192, 3), 235, np.uint8)
    photo[0, 40:170, 60:95] = photo[0, 40:170, 100:135] = (40, 60, 120)
    photo[0, 30:60, 60:135] = (40, 60, 120)
    expected = [0.0769, 0.0516, 0.038, 0.0328, 0.439, 0.0473, 0.0744, 0.0299, 0.0783, 0.1319]
    network = model.estimator_
    np.testing.assert_allclose(network.predict_proba(photo)[0], expected, atol=1e-3)
    expected = [0.0557, 0.0323, 0.0213, 0.0174, 0.6024, 0.0287, 0.0532, 0.0154, 0.0571, 0.1165]
    np.testing.assert_allclose(model.predict_proba(photo)[0], expected, atol=1e-3)
    assert model.predict(photo) == ["pants"]


def test_the_model_of_photos_knows_what_it_was_calibrated_on():
    model = load_pretrained("clothing-photos-small-v1")
    probabilities, targets = model.calibration_probabilities_, model.calibration_targets_
    card = pretrained_file("clothing-photos-small-v1", ".md").read_text(encoding="utf-8")
    right = probabilities.argmax(axis=1) == targets
    assert f"({right.sum()} of {len(right)})" in card
    assert f"{model.threshold_:.3f}" in card
    accepted = probabilities.max(axis=1) >= model.threshold_
    assert accepted.mean() == pytest.approx(model.coverage_)
    assert 1 - right[accepted].mean() == pytest.approx(model.risk_)
    assert model.risk_bound_ <= model.level == 0.05


def test_what_is_calibrated_lends_its_network():
    model = load_pretrained("clothing-photos-small-v1")
    photos = np.random.default_rng(0).integers(0, 256, (2, 192, 192, 3), np.uint8)
    network = FrozenEstimator(model.estimator.estimator)
    expected = BackboneFeatures(weights=network).fit_transform(photos)
    np.testing.assert_array_equal(BackboneFeatures(weights=model).fit_transform(photos), expected)
    tuned = TransferClassifier(weights=model, epochs=1, random_state=0).fit(photos, [0, 1])
    assert tuned.predict_proba(photos).shape == (2, 2)
    assert model.estimator_.explain(photos[:1]).shape == (1, 192, 192)
