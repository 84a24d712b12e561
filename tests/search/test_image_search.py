"""ImageSearch: what it finds, and what it refuses."""

from __future__ import annotations

import pickle
from datetime import date

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from PIL import Image
from sklearn.base import clone
from sklearn.decomposition import PCA
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import RidgeClassifier
from sklearn.neighbors import KNeighborsClassifier, NearestNeighbors
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer
from sklearn.tree import DecisionTreeClassifier

from fashionkit import (
    BackboneFeatures,
    HOGFeatures,
    ImageFolder,
    ImageSearch,
    PixelFeatures,
    SelectiveClassifier,
    load,
    make_model,
    save,
)


class Halved:
    """Callable whose ``repr`` has an address."""

    def __call__(self, X):
        return np.asarray(X) / 2


@pytest.fixture(scope="module")
def vectors():
    return np.random.RandomState(0).randn(300, 16).astype(np.float32)


@pytest.fixture(scope="module")
def search(garments):
    X, y = garments
    return ImageSearch().fit(X[:200], y[:200])


class TestNeighbors:
    @pytest.mark.parametrize("metric", ["cosine", "euclidean"])
    def test_they_are_those_of_scikit_learn(self, vectors, metric):
        search = ImageSearch("precomputed", metric=metric).fit(vectors[:250])
        distances, rows = search.kneighbors(vectors[250:], 7)
        other = NearestNeighbors(n_neighbors=7, metric=metric, algorithm="brute")
        expected, expected_rows = other.fit(vectors[:250]).kneighbors(vectors[250:])
        assert_array_equal(rows, expected_rows)
        assert_allclose(distances, expected, atol=1e-6)

    def test_an_indexed_image_is_found_at_distance_0(self, search, garments):
        distances, rows = search.kneighbors(garments[0][:200], 1)
        assert_array_equal(rows[:, 0], np.arange(200))
        assert_array_equal(distances, 0)

    def test_vectors_of_zeros_are_at_right_angles_to_all(self):
        search = ImageSearch("precomputed").fit(np.eye(3))
        assert_array_equal(search.kneighbors(np.zeros((1, 3)), 3)[0], 1)

    def test_transform_gives_the_vectors_that_are_searched(self, search, garments):
        assert_allclose(search.transform(garments[0][:200]), search.vectors_, atol=1e-6)

    def test_vectors_have_at_most_n_components(self, search, garments):
        assert search.vectors_.shape == (200, 128)
        assert search.vectors_.dtype == np.float32
        whole = ImageSearch(n_components=None).fit(garments[0][:50])
        assert whole.vectors_.shape[1] == HOGFeatures().fit_transform(garments[0][:1]).shape[1]

    def test_more_neighbors_than_images_are_refused(self, search, garments):
        with pytest.raises(ValueError, match="n_neighbors=201, but there are 200 indexed"):
            search.kneighbors(garments[0][:1], 201)
        with pytest.raises(ValueError, match="n_neighbors"):
            search.search(garments[0][:1], 0)


class TestResults:
    def test_columns_are_as_promised(self, garments):
        X, y = garments
        search = ImageSearch().fit(
            X[:50], y[:50], ids=[f"n{i}" for i in range(50)], metadata={"price": range(50)}
        )
        results = search.search(X[50:52], 3)
        assert list(results) == ["query", "id", "distance", "label", "price"]
        assert results["query"].tolist() == [0, 0, 0, 1, 1, 1]
        assert (results["id"] == "n" + results["price"].astype(str)).all()

    @pytest.mark.parametrize("algorithm", ["brute", "faiss"])
    def test_a_filter_leaves_what_it_says(self, vectors, algorithm):
        if algorithm == "faiss":
            pytest.importorskip("faiss")
        price = np.arange(250)
        search = ImageSearch("precomputed", algorithm=algorithm)
        search.fit(vectors[:250], metadata=pd.DataFrame({"price": price}))
        for most in (20, 200):
            results = search.search(
                vectors[250:], 5, where=lambda table, most=most: table["price"] < most
            )
            expected = ImageSearch("precomputed").fit(vectors[:most]).search(vectors[250:], 5)
            assert results["id"].tolist() == expected["id"].tolist()

    def test_fewer_are_found_where_a_filter_leaves_fewer(self, search, garments):
        mask = np.arange(200) < 3
        assert sorted(search.search(garments[0][:1], 5, where=mask)["id"]) == [0, 1, 2]

    def test_filters_that_leave_nothing_or_are_no_mask_are_refused(self, search, garments):
        X = garments[0][:1]
        with pytest.raises(ValueError, match="where selects 0 of 200 indexed images"):
            search.search(X, where=np.zeros(200, bool))
        with pytest.raises(ValueError, match="expected 200 values of dtype bool"):
            search.search(X, where=np.arange(200))
        with pytest.raises(ValueError, match=r"where returned .* shape \(3,\)"):
            search.search(X, where=lambda table: np.ones(3, bool))

    def test_diversity_leaves_out_what_is_all_the_same(self):
        angles = np.array([0.1, 0.1, 0.1, -0.4, 1.0])
        search = ImageSearch("precomputed").fit(np.stack([np.cos(angles), np.sin(angles)], axis=1))
        query = [[1.0, 0.0]]
        assert search.search(query, 3)["id"].tolist() == [0, 1, 2]
        diverse = search.search(query, 3, diversity=0.5)["id"].tolist()
        assert diverse[:2] == [0, 3]
        assert search.search(query, 1, diversity=1.0)["id"].tolist() == [0]

    def test_maximal_marginal_relevance_is_that_of_the_paper(self, vectors):
        search = ImageSearch("precomputed").fit(vectors[:250])
        query = search.transform(vectors[250:251])[0]
        weight = 0.6  # lambda
        candidates = search.kneighbors(vectors[250:251], 25)[1][0].tolist()
        chosen = []
        while len(chosen) < 5:

            def marginal(row):
                same = [search.vectors_[row] @ search.vectors_[one] for one in chosen]
                return weight * (search.vectors_[row] @ query) - (1 - weight) * max(same, default=0)

            chosen.append(max((row for row in candidates if row not in chosen), key=marginal))
        found = search.search(vectors[250:251], 5, diversity=1 - weight)
        assert found["id"].tolist() == chosen


class TestGrowth:
    def test_images_added_in_parts_are_found_as_if_at_once(self, vectors):
        whole = ImageSearch("precomputed").fit(vectors)
        parts = ImageSearch("precomputed")
        for start in (0, 100, 250):
            parts.partial_fit(vectors[start : {0: 100, 100: 250, 250: 300}[start]])
        assert_array_equal(parts.vectors_, whole.vectors_)
        assert_array_equal(parts.ids_, np.arange(300))

    def test_removed_images_are_found_no_more(self, vectors):
        search = ImageSearch("precomputed").fit(vectors, metadata={"row": range(300)})
        search.remove([0, 7])
        results = search.search(vectors[:8], 1)
        assert not {0, 7} & set(results["id"])
        assert (results["id"] == results["row"]).all()
        assert search.partial_fit(vectors[:1], metadata={"row": [0]}).ids_[-1] == 300

    def test_unknown_ids_and_all_ids_are_not_removed(self, vectors):
        search = ImageSearch("precomputed").fit(vectors[:3])
        with pytest.raises(KeyError, match="7, which no indexed image has"):
            search.remove([1, 7])
        with pytest.raises(ValueError, match="all indexed images"):
            search.remove([0, 1, 2])
        assert len(search.ids_) == 3

    def test_what_does_not_fit_to_what_was_before_is_refused_and_nothing_is_added(self, vectors):
        search = ImageSearch("precomputed").fit(vectors[:3], [1, 2, 3], metadata={"a": [1, 2, 3]})
        new, y, metadata = vectors[3:4], [1], {"a": [1]}
        for arguments, message in (
            ({"y": y}, "metadata has the columns"),
            ({"metadata": metadata}, "y is missing"),
            ({"y": ["x"], "metadata": metadata}, "pass only numbers or only strings"),
            (
                {"y": y, "metadata": metadata, "ids": [0]},
                "ids has 0, which indexed images have",
            ),
            ({"y": y, "metadata": metadata, "ids": ["a"]}, "pass only integers or only strings"),
        ):
            with pytest.raises(ValueError, match=message):
                search.partial_fit(new, **arguments)
        assert len(search.vectors_) == len(search.labels_) == len(search.ids_) == 3

    def test_vectors_of_another_embedding_are_refused(self, vectors, garments):
        search = ImageSearch("precomputed").fit(pd.DataFrame(vectors).add_prefix("clip"))
        with pytest.raises(ValueError, match="feature names"):
            search.kneighbors(pd.DataFrame(vectors[:1, :5]).add_prefix("clip"), 1)
        with pytest.raises(ValueError, match="feature names"):
            search.kneighbors(pd.DataFrame(vectors[:1]).add_prefix("other"), 1)
        images = ImageSearch(PixelFeatures()).fit(garments[0][:20])
        with pytest.raises(ValueError, match="indexed vectors were made with embedding=Pixel"):
            images.set_params(embedding=HOGFeatures()).partial_fit(garments[0][20:30])

    def test_another_metric_than_that_of_the_vectors_is_refused(self, vectors):
        search = ImageSearch("precomputed", metric="euclidean").fit(vectors[:20])
        search.set_params(metric="cosine")
        for find in (search.transform, search.search, lambda X: search.kneighbors(X, 2)):
            with pytest.raises(ValueError, match="metric='cosine', but the indexed vectors were"):
                find(vectors[:2])

    def test_images_are_added_to_a_copy_with_an_embedding_of_an_object(self, vectors):
        search = ImageSearch(FunctionTransformer(Halved())).fit(vectors[:20])
        again = pickle.loads(pickle.dumps(search)).partial_fit(vectors[20:30])
        assert len(again.ids_) == 30

    @pytest.mark.parametrize(
        ("given", "message"),
        [
            ({"ids": [1, 1]}, "ids has 1 more than once; pass unique ids"),
            ({"ids": [0.5, 1.5]}, "expected integers or strings"),
            ({"metadata": {"id": [1, 2]}}, "which are reserved for results; rename"),
            ({"metadata": {"a": [1]}}, "1 values, but there are 2 images"),
        ],
    )
    def test_ids_and_metadata_are_validated(self, vectors, given, message):
        with pytest.raises(ValueError, match=message):
            ImageSearch("precomputed").fit(vectors[:2], **given)

    @pytest.mark.parametrize(
        "dates",
        [
            np.array(["2026-01-31", "NaT"], "datetime64[D]"),
            [date(2026, 1, 31), None],
            pd.to_datetime(pd.Series(["2026-01-31", None])),
            pd.to_datetime(pd.Series(["2026-01-31", None]), utc=True),
            [pd.Timestamp("2026-01-31"), pd.NaT],
        ],
        ids=["numpy", "date", "Series", "zone", "Timestamp"],
    )
    def test_dates_become_texts_in_iso_form(self, vectors, dates):
        texts = ImageSearch("precomputed").fit(vectors[:2], metadata={"a": dates}).metadata_["a"]
        assert texts[0].startswith("2026-01-31")
        assert texts[1] == ""
        assert not isinstance(dates[0], str)

    def test_missing_texts_are_empty_and_mixed_values_are_refused(self, vectors):
        search = ImageSearch("precomputed").fit(vectors[:2], metadata={"a": ["x", None]})
        assert search.metadata_["a"].tolist() == ["x", ""]
        with pytest.raises(TypeError, match=r"metadata\['a'\] mixes several types"):
            ImageSearch("precomputed").fit(
                vectors[:2], metadata={"a": np.array(["x", 1], dtype=object)}
            )


class TestEmbedding:
    def test_a_transformer_is_cloned_and_fitted(self, garments):
        pca = make_pipeline(PixelFeatures(), PCA(5))
        search = ImageSearch(pca).fit(garments[0][:60])
        assert search.vectors_.shape == (60, 5)
        assert not hasattr(pca[-1], "components_")

    def test_a_fitted_transformer_is_used_as_it_is(self, garments):
        X = garments[0]
        pca = make_pipeline(PixelFeatures(), PCA(5)).fit(X[:100])
        search = ImageSearch(FrozenEstimator(pca), metric="euclidean").fit(X[100:150])
        assert_allclose(search.vectors_, pca.transform(X[100:150]), rtol=1e-5)
        assert ImageSearch(pca).fit(X[100:150]).vectors_.shape == (50, 5)

    def test_a_pipeline_with_a_classifier_gives_what_comes_before_it(self, garments):
        X, y = garments
        model = make_model("pixels-knn", random_state=0).fit(X, y)
        search = ImageSearch(model, metric="euclidean", n_components=None).fit(X[:20])
        assert_allclose(search.vectors_, model[:-1].transform(X[:20]), rtol=1e-5)

    @pytest.mark.parametrize("model", [RidgeClassifier(), KNeighborsClassifier()])
    def test_a_bare_classifier_gives_its_scores(self, garments, model):
        X, y = garments
        flat = X.reshape(len(X), -1) / 255
        search = ImageSearch(clone(model).fit(flat, y)).fit(flat)
        assert search.vectors_.shape == (300, 10)
        assert np.mean(y[search.kneighbors(flat, 2)[1][:, 1]] == y) > 0.6

    def test_a_network_gives_its_last_maps_and_its_scores(self, garments, tiny_cnn):
        X, y = garments
        clf = tiny_cnn().fit(X, y)
        search = ImageSearch(FrozenEstimator(clf), n_components=None, metric="euclidean").fit(X)
        maps = BackboneFeatures(weights=clf, pooling="avg").fit(X[:2]).transform(X[:50])
        scores = clf.predict_log_proba(X[:50])
        parts = search.vectors_[:50, : maps.shape[1]], search.vectors_[:50, maps.shape[1] :]
        for part, expected in zip(
            parts, (maps - search.embedding_.mean_, np.maximum(scores, np.log(1e-6))), strict=True
        ):
            if part is parts[1]:
                expected = expected - expected.mean(axis=1, keepdims=True)
            expected = expected / np.linalg.norm(expected, axis=1, keepdims=True)
            assert_allclose(part, expected, atol=1e-4)

    def test_a_network_sees_each_image_once_and_as_it_is(self, garments, tiny_cnn, monkeypatch):
        X, y = garments
        clf = tiny_cnn().fit(X, y)
        plain = ImageSearch(FrozenEstimator(clf)).fit(X[:50]).transform(X[50:60])
        clf.set_params(test_time_augmentation="flip+shift")
        search = ImageSearch(FrozenEstimator(clf)).fit(X[:50])
        n_seen = []
        call = search.embedding_._call
        monkeypatch.setattr(
            search.embedding_, "_call", lambda chunk: n_seen.append(len(chunk)) or call(chunk)
        )
        assert_array_equal(search.transform(X[50:60]), plain)
        assert n_seen == [10]

    @pytest.mark.parametrize(
        "around",
        [
            FrozenEstimator,
            lambda clf: make_pipeline(FrozenEstimator(clf)),
            lambda clf: SelectiveClassifier(FrozenEstimator(clf), random_state=0),
            lambda clf: make_pipeline(SelectiveClassifier(FrozenEstimator(clf), random_state=0)),
        ],
        ids=["frozen", "pipeline", "selective", "pipeline of selective"],
    )
    def test_the_network_inside_of_other_estimators_is_found(self, garments, tiny_cnn, around):
        X, y = garments
        clf = tiny_cnn().fit(X, y)
        expected = ImageSearch(clf).fit(X[:50]).transform(X[50:60])
        model = around(clf).fit(X[100:], y[100:])
        assert_array_equal(ImageSearch(model).fit(X[:50]).transform(X[50:60]), expected)

    def test_a_network_may_be_fitted_again_and_a_clone_has_the_same(self, garments, tiny_cnn):
        X, y = garments
        clf = tiny_cnn().fit(X, y)
        search = ImageSearch(FrozenEstimator(clf)).fit(X[:50])
        copied = clone(search).fit(X[:50])
        before = search.transform(X[:5])
        assert_array_equal(copied.transform(X[:5]), before)
        clf.set_params(random_state=1).fit(X, y)
        assert_array_equal(search.transform(X[:5]), before)

    def test_images_of_another_shape_than_the_network_takes_have_its_maps(self, garments, tiny_cnn):
        X, y = garments
        clf = tiny_cnn().fit(X, y)
        search = ImageSearch(clf, n_components=None).fit(X[:20, 2:-2, 2:-2])
        n_maps = BackboneFeatures(weights=clf).fit_transform(X[:2]).shape[1]
        assert search.vectors_.shape == (20, n_maps)

    def test_a_classifier_that_is_not_fitted_is_refused(self, garments):
        with pytest.raises(ValueError, match="is a classifier that is not fitted; fit it first"):
            ImageSearch(DecisionTreeClassifier()).fit(garments[0])

    def test_what_is_no_embedding_is_refused(self, garments):
        with pytest.raises(ValueError, match="embedding='resnet', expected 'auto'"):
            ImageSearch("resnet").fit(garments[0])
        with pytest.raises(ValueError, match="'embedding' parameter"):
            ImageSearch(3).fit(garments[0])

    def test_small_photos_are_described_by_gradients_and_colours(self):
        X = np.zeros((4, 32, 32, 3), np.uint8)
        X[:2, ..., 0], X[2:, ..., 2] = 200, 200
        X[1::2] //= 2
        search = ImageSearch().fit(X)
        assert search.embedding_.transform(X[:1]).shape[1] > 100

    def test_photos_of_any_size_are_seen_by_the_network_of_the_package(self):
        X = np.random.RandomState(0).randint(0, 255, (3, 64, 80, 3), dtype=np.uint8)
        search = ImageSearch(n_components=None).fit(X)
        assert search.vectors_.shape == (3, 1280)


class TestFiles:
    def test_a_saved_search_by_a_network_holds_its_weights_once(self, garments, tiny_cnn, tmp_path):
        X, y = garments
        clf = tiny_cnn().fit(X, y)
        search = ImageSearch(clf, algorithm="brute").fit(X[:100], y[:100])
        again = load(save(search, tmp_path / "index"))
        assert_array_equal(again.transform(X[:5]), search.transform(X[:5]))
        assert not any(isinstance(one, BackboneFeatures) for one in vars(again.embedding_).values())

    def test_a_saved_search_finds_the_same_and_maps_its_vectors(self, garments, tmp_path):
        X, y = garments
        search = ImageSearch().fit(X[:100], y[:100], metadata={"shop": ["ours"] * 100})
        path = save(search, tmp_path / "index")
        for options in ({}, {"mmap_mode": "r", "verify": False}):
            again = load(path, **options)
            pd.testing.assert_frame_equal(again.search(X[100:], 4), search.search(X[100:], 4))
        assert not again.vectors_.flags.owndata
        assert not again.vectors_.flags.writeable
        again.partial_fit(X[100:110], y[100:110], metadata={"shop": ["theirs"] * 10})
        assert len(again.ids_) == 110

    def test_no_index_is_written(self, vectors, tmp_path):
        pytest.importorskip("faiss")
        search = ImageSearch("precomputed", algorithm="faiss").fit(np.tile(vectors, (4, 1)))
        search.kneighbors(vectors[:1], 3)
        assert search._index is not None
        again = load(save(search, tmp_path / "index"))
        assert again._index is None
        assert_array_equal(again.kneighbors(vectors, 3)[1], search.kneighbors(vectors, 3)[1])

    def test_photos_in_files_are_called_by_their_paths(self, tmp_path):
        for name in "abc":
            noise = np.random.RandomState(ord(name)).randint(0, 255, (32, 32, 3), dtype=np.uint8)
            Image.fromarray(noise).save(tmp_path / f"{name}.png")
        folder = ImageFolder.from_paths(tmp_path, image_size=32)
        search = ImageSearch().fit(folder)
        assert search.search(folder[1:2], 1)["id"].tolist() == [folder.filenames[1]]

    def test_photos_of_a_folder_are_looked_up_in_another(self, tmp_path):
        for number in range(6):
            noise = np.random.RandomState(number).randint(0, 255, (40, 32, 3), dtype=np.uint8)
            folder = "new" if number < 2 else f"shop/{'ab'[number % 2]}"
            path = tmp_path / folder / f"{number}.png"
            path.parent.mkdir(parents=True, exist_ok=True)
            Image.fromarray(noise).save(path)
        (tmp_path / "shop" / "a" / "copy.png").write_bytes((tmp_path / "new/1.png").read_bytes())
        shop = ImageFolder(tmp_path / "shop", image_size=32)
        search = ImageSearch().fit(shop, shop.target)
        results = search.search(ImageFolder.from_paths(tmp_path / "new", image_size=32), 1)
        assert results["query"].tolist() == [0, 1]
        assert results.loc[1, "id"] == str(tmp_path / "shop" / "a" / "copy.png")
        assert results.loc[1, ["label", "distance"]].tolist() == ["a", 0]

    def test_a_network_of_onnx_is_an_embedding(self, tmp_path):
        onnx = pytest.importorskip("onnx", reason="needs the extra fashionkit[onnx]")
        pytest.importorskip("onnxruntime", reason="needs the extra fashionkit[onnx]")
        make = onnx.helper
        weights = np.eye(3, dtype=np.float32)[:2].reshape(2, 3, 1, 1)  # red and green
        graph = make.make_graph(
            [make.make_node("Conv", ["x", "w"], ["maps"])],
            "colours",
            [make.make_tensor_value_info("x", onnx.TensorProto.FLOAT, ["n", 3, 8, 8])],
            [make.make_tensor_value_info("maps", onnx.TensorProto.FLOAT, ["n", 2, 8, 8])],
            [onnx.numpy_helper.from_array(weights, "w")],
        )
        model = make.make_model(graph, opset_imports=[make.make_opsetid("", 17)], ir_version=8)
        onnx.save(model, tmp_path / "colours.onnx")
        X = np.zeros((4, 8, 8, 3), np.uint8)
        X[:2, ..., 0], X[2:, ..., 1] = 200, 200
        X[1::2] //= 2
        search = ImageSearch(tmp_path / "colours.onnx").fit(X)
        again = load(save(search, tmp_path / "index"))
        for each in (search, again):
            assert each.vectors_.shape == (4, 2)
            assert set(each.kneighbors(X[:1], 2)[1][0]) == {0, 1}


class TestApproximate:
    def test_nearly_all_neighbors_are_found_and_distances_are_exact(self):
        pytest.importorskip("faiss")
        random = np.random.RandomState(0)
        centres = random.randn(50, 16)
        X = centres[random.randint(50, size=3000)] + 0.3 * random.randn(3000, 16)
        exact = ImageSearch("precomputed", algorithm="brute").fit(X[:2900]).kneighbors(X[2900:])
        fast = ImageSearch("precomputed", algorithm="faiss").fit(X[:2900])
        distances, rows = fast.kneighbors(X[2900:])
        recall = np.mean([np.isin(a, b).mean() for a, b in zip(exact[1], rows, strict=True)])
        assert recall > 0.95
        same = rows == exact[1]
        assert_allclose(distances[same], exact[0][same], atol=1e-6)
        fast.partial_fit(X[2900:])
        assert_array_equal(fast.kneighbors(X[2900:], 1)[1][:, 0], np.arange(2900, 3000))

    def test_it_takes_little_memory_and_no_copy_of_the_vectors(self):
        faiss = pytest.importorskip("faiss")
        X = np.random.RandomState(0).randn(5000, 128).astype(np.float32)
        search = ImageSearch("precomputed", algorithm="faiss").fit(X)
        search.kneighbors(X[:1])
        lists = faiss.extract_index_ivf(search._index._index)
        assert 8 + lists.code_size < 0.1 * 128 * 4  # and a number of 8 bytes

    def test_a_narrow_filter_does_not_wait_for_an_index(self):
        pytest.importorskip("faiss")
        X = np.random.RandomState(0).randn(3000, 8).astype(np.float32)
        search = ImageSearch("precomputed", algorithm="faiss").fit(X)
        search.search(X[:1], where=np.arange(3000) < 100)
        assert search._index is None

    def test_without_faiss_it_says_how_to_install_it(self, vectors, monkeypatch):
        monkeypatch.setitem(__import__("sys").modules, "faiss", None)
        with pytest.raises(ImportError, match=r"fashionkit\[search\]"):
            ImageSearch("precomputed", algorithm="faiss").fit(vectors)
