"""Tests of what is said of each way in which a file is no model, or an estimator fits no file."""

from __future__ import annotations

import io
import json
from datetime import date
from zipfile import ZIP_DEFLATED, ZIP_STORED, ZipFile

import model_faults as faults
import numpy as np
import pytest
from scipy.stats import rv_continuous
from sklearn.model_selection import RandomizedSearchCV
from sklearn.preprocessing import FunctionTransformer
from sklearn.tree import DecisionTreeClassifier

from fashionkit import load, make_garments, make_model, save
from fashionkit.persistence import ModelFileError
from fashionkit.persistence import _container as container


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    """Return the bytes of the file of a small model, whose first array is "0.npy"."""
    X, y = make_garments(30, random_state=0)
    model = make_model("pixels-knn", random_state=0).fit(X, y)
    return save(model, tmp_path_factory.mktemp("file") / "model").read_bytes()


@pytest.fixture
def refuse(tmp_path):
    """Return a function that tells why some bytes are refused."""

    def load_bytes(content, **params):
        path = tmp_path / "model"
        path.write_bytes(content)
        with pytest.raises(ModelFileError) as error:
            load(path, **params)
        return str(error.value)

    return load_bytes


def packed(members, kinds=None):
    """Return an archive of members as they are, each packed as usual or in another way."""
    buffer = io.BytesIO()
    with ZipFile(buffer, "w") as archive:
        for name, content in members.items():
            usual = ZIP_DEFLATED if name.endswith(".json") else ZIP_STORED
            archive.writestr(name, content, (kinds or {}).get(name, usual))
    return buffer.getvalue()


def with_header(data, **changes):
    members = faults.unpack(data)
    header = {**json.loads(members[faults.HEADER]), **changes}
    return packed({**members, faults.HEADER: json.dumps(header)})


def of_header(data):
    return json.loads(faults.unpack(data)[faults.HEADER])


def test_another_archive_is_told_from_a_model(refuse):
    assert "'notes.txt' is unknown" in refuse(packed({"notes.txt": b"notes"}))
    assert "not a model that fashionkit.save has written" in refuse(packed({faults.HEADER: b"{}"}))


def test_a_member_that_is_packed_otherwise_is_refused(data, refuse):
    members = faults.unpack(data)
    for name, kind in ((faults.SCHEMA, ZIP_STORED), ("0.npy", ZIP_DEFLATED)):
        assert f"member {name} has an unexpected compression" in refuse(
            packed(members, {name: kind})
        )


def test_a_text_that_would_fill_the_memory_is_refused_before_it_is_unpacked(data, refuse):
    members = {**faults.unpack(data), faults.SCHEMA: b" " * 3_000_000}
    assert "would have 3,000,000 bytes, expected at most" in refuse(packed(members))


def test_a_member_that_begins_elsewhere_is_refused(data, refuse):
    place = data.index(b"PK\3\4")
    assert "is not at the position in the directory" in refuse(
        data[:place] + b"PK\3\5" + data[place + 4 :]
    )


def test_texts_that_are_damaged_are_refused(data, refuse):
    with ZipFile(io.BytesIO(data)) as archive:
        info = archive.getinfo(faults.SCHEMA)
    begin = info.header_offset + 30 + len(info.filename)
    changed = bytearray(data)
    changed[begin : begin + info.compress_size] = b"\xff" * info.compress_size
    assert "member schema.json is damaged" in refuse(bytes(changed))
    checksum = data.rindex(b"PK\1\2", 0, data.rindex(faults.SCHEMA.encode())) + 16
    changed = bytearray(data)
    changed[checksum] ^= 1
    assert "member schema.json is damaged (CRC)" in refuse(bytes(changed))


def test_a_schema_that_was_changed_is_refused_also_without_verify(data, refuse):
    members = faults.unpack(data)
    members[faults.SCHEMA] = members[faults.SCHEMA].replace(b"knn", b"kmm", 1)
    assert "schema.json is damaged or was changed (SHA-256)" in refuse(
        packed(members), verify=False
    )


# Bytes that cannot be packed well, or the ratio of sizes would be refused before.
PADDING = np.random.RandomState(0).bytes(2_000).hex().encode()


@pytest.mark.parametrize(
    "text", [b"no JSON", b"[1, 2]", b"[" * 50_000 + b'"' + PADDING + b'"' + b"]" * 50_000]
)
def test_a_schema_that_is_no_object_is_refused(data, refuse, text):
    assert "JSON" in refuse(faults.pack({**faults.unpack(data), faults.SCHEMA: text}))


def test_a_tree_of_too_many_nodes_is_refused_before_it_is_parsed(data, refuse, monkeypatch):
    monkeypatch.setattr(container, "_MAX_NODES", 5)
    assert "more than 5 nodes" in refuse(data)


def test_more_members_than_a_model_has_are_refused(data, refuse, monkeypatch):
    monkeypatch.setattr(container, "_MAX_MEMBERS", 1)
    assert "expected at most 1." in refuse(data)


@pytest.mark.parametrize("number", [None, 0, True, "1"])
def test_a_header_without_a_format_is_refused(data, refuse, number):
    assert "its header has no valid format number" in refuse(with_header(data, format=number))


def test_a_file_of_a_later_release_says_what_to_update(data, refuse):
    said = refuse(with_header(data, format=2, versions={"fashionkit": "9.1"}))
    assert "written by fashionkit 9.1 in format 2" in said
    assert said.endswith("update fashionkit.")


def test_a_header_that_lists_other_members_or_sizes_is_refused(data, refuse):
    listed = of_header(data)["members"]
    fewer = {name: entry for name, entry in listed.items() if name != "0.npy"}
    assert "lists other members" in refuse(with_header(data, members=fewer))
    larger = {**listed, "0.npy": {**listed["0.npy"], "size": 10**9}}
    assert "another size for 0.npy" in refuse(with_header(data, members=larger))


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"no array", "is not an array in NumPy's format"),
        (faults.npy(np.array(["1970"], "datetime64[Y]")), "has the dtype datetime64"),
        (faults.npy(np.zeros(2)).replace(b"(2,)", b"(-2,", 1), "is not an array"),
        (faults.npy(np.zeros(200))[:-8], "0.npy"),
    ],
)
def test_a_member_that_is_no_plain_array_is_refused(data, refuse, content, reason):
    assert reason in refuse(faults.pack({**faults.unpack(data), "0.npy": content}))


def refused_estimator(estimator, tmp_path):
    """Return why an estimator cannot be saved; no file is left."""
    with pytest.raises(TypeError) as error:
        save(estimator, tmp_path / "model")
    assert list(tmp_path.iterdir()) == []
    return str(error.value)


def test_keys_that_are_no_texts_or_numbers_are_named(tmp_path):
    tree = DecisionTreeClassifier(class_weight={("a", 1): 2.0})
    assert "class_weight has the key ('a', 1)" in refused_estimator(tree, tmp_path)


def test_a_function_without_a_place_is_named(tmp_path):
    def inner(X):
        return X

    said = refused_estimator(FunctionTransformer(inner), tmp_path)
    assert "estimator.func is the function" in said
    assert "move it to the top level of a module" in said


def test_an_object_with_its_own_way_of_pickling_is_named(tmp_path):
    said = refused_estimator(DecisionTreeClassifier(random_state=date(2026, 1, 1)), tmp_path)
    assert "estimator.random_state is a date" in said


def test_a_search_over_a_distribution_that_no_file_holds_says_what_to_save(tmp_path):
    class Own(rv_continuous):
        """A distribution that no file can name."""

    search = RandomizedSearchCV(DecisionTreeClassifier(), {"max_features": Own(name="own")()})
    said = refused_estimator(search, tmp_path)
    assert "the distribution 'own'" in said
    assert "best_estimator_" in said


def test_a_part_that_cannot_be_pickled_is_named_by_its_place(tmp_path):
    estimator = DecisionTreeClassifier().fit([[0], [1]], [0, 1])
    estimator.note_ = io.BytesIO(b"note")
    with pytest.raises(TypeError, match=r"estimator\.note_ is a BytesIO, which cannot be saved"):
        save(estimator, tmp_path / "model")
    assert not (tmp_path / "model").exists()
