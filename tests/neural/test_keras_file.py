"""Files that Keras writes in a fit are loaded in a process in which nothing was trained."""

from __future__ import annotations

import numpy as np
import pytest

from fashionkit import CNNClassifier, HierarchicalCNNClassifier, TransferClassifier
from fashionkit._tensorflow import keras

TINY = {"architecture_params": {"filters": (4,)}, "epochs": 1, "random_state": 0}

PROGRAM = """
import numpy as np
from fashionkit.neural import load_keras_model
for name in names:
    model = load_keras_model(folder / f"{name}.keras")
    outputs = np.asarray(model(np.load(folder / "pixels.npy"), training=False))
    np.save(folder / f"{name}.npy", outputs)
    if model.compiled:
        assert model.optimizer.get_config()
"""


def backbone(shape):
    inputs = keras().Input(shape)
    return keras().Model(inputs, keras().layers.Conv2D(4, 3, strides=4, name="maps")(inputs))


def make_all():
    return {
        "muon": CNNClassifier(optimizer="muon", **TINY),
        "scheduled": CNNClassifier(learning_rate_schedule="cosine", **TINY),
        "recipe": CNNClassifier.from_recipe("fast", **{**TINY, "epochs": 1}),
        "hierarchical": HierarchicalCNNClassifier(**TINY),
        "transfer": TransferClassifier(backbone, weights=None, epochs=1, random_state=0),
    }


def test_every_kind_of_network_is_loaded_in_another_process(garments, tmp_path, other_process):
    X, y = garments[0][:60], garments[1][:60] % 3
    np.save(tmp_path / "pixels.npy", X[..., None].astype(np.float32) / 255)
    expected = {}
    for name, clf in make_all().items():
        path = tmp_path / f"{name}.keras"
        clf.set_params(callbacks=keras().callbacks.ModelCheckpoint(path)).fit(X, y)
        if name == "transfer":  # whose head is trained alone
            clf.model_.save(path)
        expected[name] = clf.predict_proba(X)
    other_process(PROGRAM, folder=tmp_path, names=list(expected))
    for name, probabilities in expected.items():
        found = np.load(tmp_path / f"{name}.npy")[:, -3:]
        if name != "recipe":  # whose file has the weights, and which predicts with their averages
            np.testing.assert_allclose(found, probabilities, atol=1e-5, err_msg=name)


def test_a_missing_file_is_named(tmp_path):
    from fashionkit.neural import load_keras_model

    with pytest.raises(ValueError, match=r"nothing\.keras"):
        load_keras_model(tmp_path / "nothing.keras")
