"""Tests that files which are damaged or made to do harm are refused, and run nothing."""

from __future__ import annotations

import io
import json

import model_faults as faults
import numpy as np
import pytest
import skops.io
from numpy.testing import assert_array_equal
from sklearn.preprocessing import FunctionTransformer

from fashionkit import CNNClassifier, load, make_model, save
from fashionkit.persistence import ModelFileError, describe

PARAMS = {
    "cnn": {"architecture_params": {"filters": (4, 4), "dense_units": (8,)}, "epochs": 1},
    "hog-svm": {},
    "pixels-knn": {},
    "hog-forest": {"forest__n_estimators": 2},
}
N_DRAWS = 4  # of each kind of fault; benchmarks/model_files.py draws more


@pytest.fixture(scope="module")
def files(garments, tmp_path_factory):
    """Return the bytes of some files, and what their models predict."""
    X, y = garments
    folder = tmp_path_factory.mktemp("files")
    found = {}
    for name, params in PARAMS.items():
        model = make_model(name, random_state=0, **params).fit(X[:100], y[:100])
        found[name] = save(model, folder / name).read_bytes(), model.predict_proba(X[100:120])
    return found


@pytest.mark.parametrize("seed", range(N_DRAWS))
@pytest.mark.parametrize("fault", faults.FAULTS)
def test_a_bad_file_is_refused_or_predicts_the_same(files, garments, tmp_path, fault, seed):
    rng = np.random.default_rng(seed)
    data, expected = files[sorted(files)[seed % len(files)]]
    marker, path = tmp_path / "marker", tmp_path / "model"
    path.write_bytes(faults.FAULTS[fault](data, rng, str(marker)))
    try:
        probabilities = load(path).predict_proba(garments[0][100:120])
    except ModelFileError:
        probabilities = expected
    assert_array_equal(probabilities, expected)
    assert not marker.exists()


@pytest.mark.parametrize("fault", ["circle", "false_counts", "foreign_type"])
def test_faults_are_what_they_are_meant_to_be(files, tmp_path, fault):
    # Signed anew, such files pass all hashes: what refuses them is what they mean.
    name = {"circle": "hog-forest", "false_counts": "hog-svm"}.get(fault, "pixels-knn")
    for seed in range(6):
        path = tmp_path / str(seed)
        path.write_bytes(faults.FAULTS[fault](files[name][0], np.random.default_rng(seed), ""))
        with pytest.raises(ModelFileError) as error:
            load(path)
        assert "SHA-256" not in str(error.value)


def change(files, name, edit, tmp_path):
    path = tmp_path / "model"
    path.write_bytes(faults.change_schema(files[name][0], edit))
    return path


def test_a_network_with_other_weights_is_refused_before_it_gets_memory(files, tmp_path, garments):
    def widen(schema):
        for node in faults.nodes_of(schema, "DictNode"):
            if "filters" in node["content"]:
                for one in faults.nodes_of(node["content"]["filters"], "JsonNode"):
                    one["content"] = "100000000"
                    one["__id__"] = 10**9

    model = load(change(files, "cnn", widen, tmp_path))
    with pytest.raises(ModelFileError, match="cannot be built"):
        model.predict(garments[0][:2])


def test_an_unknown_architecture_is_refused(files, tmp_path):
    def rename(schema):
        for node in faults.nodes_of(schema, "JsonNode"):
            if node["content"] == '"basic"':
                node["content"] = '"no such"'

    with pytest.raises(ModelFileError, match="unknown architecture 'no such'"):
        load(change(files, "cnn", rename, tmp_path))


def test_a_cache_is_refused(files, tmp_path):
    def cache(schema):
        for node in faults.nodes_of(schema, "DictNode"):
            if "memory" in node["content"]:
                node["content"]["memory"].update(content='"/tmp/elsewhere"', __id__=10**9)

    with pytest.raises(ModelFileError, match="a pipeline has a cache"):
        load(change(files, "hog-svm", cache, tmp_path))


def test_a_kernel_of_ones_own_is_refused(files, tmp_path):
    def own(schema):
        for node in faults.nodes_of(schema, "JsonNode"):
            if node["content"] == '"rbf"':
                node["content"] = '"precomputed"'

    with pytest.raises(ModelFileError, match="is refused"):
        load(change(files, "hog-svm", own, tmp_path))


def test_other_objects_than_estimators_are_refused(tmp_path):
    members = {}
    buffer = io.BytesIO(skops.io.dumps({"a": 1}))
    members = faults.unpack(buffer.getvalue())
    path = tmp_path / "model"
    path.write_bytes(faults.pack(members))
    with pytest.raises(ModelFileError, match="zip archive, but not a model"):
        load(path)
    header = {"format": 1, "versions": {}, "needs": [], "metadata": {}, "model": {}}
    path.write_bytes(faults.pack({**members, faults.HEADER: json.dumps(header).encode()}))
    with pytest.raises(ModelFileError, match="it contains a dict, expected an estimator"):
        load(path)


def test_what_skops_trusts_is_not_trusted_here(tmp_path):
    # A FunctionTransformer calls what it holds.
    path = save(FunctionTransformer(np.exp), tmp_path / "model")
    assert describe(path).needs == [
        "numpy.exp" if np.__version__ >= "2" else "numpy.core._multiarray_umath.exp",
        f"{FunctionTransformer.__module__}.FunctionTransformer",
    ]
    with pytest.raises(ModelFileError, match="does not know to be safe"):
        load(path)
    again = load(path, trusted=describe(path).needs)
    assert again.transform([[0.0]]) == 1


@pytest.mark.parametrize("protocol", [0, 1, 99, True, None, "2"])
def test_other_protocols_of_skops_are_refused(files, tmp_path, protocol):
    # Old protocols have loaders that are less strict.
    path = change(files, "hog-svm", lambda schema: schema.update(protocol=protocol), tmp_path)
    with pytest.raises(ModelFileError, match="protocol"):
        load(path)


def test_a_pickle_is_told(tmp_path):
    import pickle

    path = tmp_path / "model"
    path.write_bytes(pickle.dumps(CNNClassifier()))
    for read in (load, describe):
        with pytest.raises(ModelFileError, match="it looks like a pickle"):
            read(path)


@pytest.mark.parametrize("change", [{"versions": [], "format": 9}, {"needs": 3, "model": 3}])
def test_headers_of_other_types_are_refused_or_harmless(files, tmp_path, change):
    members = faults.unpack(files["hog-svm"][0])
    header = {**json.loads(members[faults.HEADER]), **change}
    members[faults.HEADER] = json.dumps(header).encode()
    members[faults.SCHEMA] = members[faults.SCHEMA].replace(b'"SVC"', b'"NoSVC"')
    path = tmp_path / "model"
    path.write_bytes(faults.pack(members))
    with pytest.raises(ModelFileError):
        load(path)


def test_nodes_without_a_loader_s_name_are_refused(files, tmp_path):
    with pytest.raises(ModelFileError, match="unknown kind of node"):
        load(change(files, "hog-svm", lambda schema: schema.update(__loader__={}), tmp_path))


@pytest.mark.parametrize("text", ["[" * 100_000, "{", "3", '{"a": NaN', "\\xff"])
def test_headers_that_are_no_object_are_refused(files, tmp_path, text):
    members = faults.unpack(files["hog-svm"][0])
    members[faults.HEADER] = text.encode()
    path = tmp_path / "model"
    path.write_bytes(faults.pack(members, is_signed=False))
    with pytest.raises(ModelFileError):
        describe(path)


def test_members_may_not_lie_in_one_another(files, tmp_path):
    data = bytearray(files["hog-svm"][0])
    # The second entry of the directory points to the first member.
    first = data.index(b"PK\x01\x02")
    second = data.index(b"PK\x01\x02", first + 4)
    data[second + 42 : second + 46] = data[first + 42 : first + 46]
    path = tmp_path / "model"
    path.write_bytes(bytes(data))
    with pytest.raises(ModelFileError):
        load(path)
