"""HierarchicalCNNClassifier: trees, levels that agree, and what is refused."""

from __future__ import annotations

import pickle

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer

from fashionkit import CLASS_NAMES, HierarchicalCNNClassifier
from fashionkit.neural._hierarchy import read_tree

TINY = {"architecture_params": {"filters": (4, 6, 8)}, "epochs": 3, "random_state": 0}
TREE = {"dark": {"one": [0, 1], "two": [2]}, "light": {"three": [3, 4, 5], "four": [6, 7, 8, 9]}}


def make(tree="fashion-mnist", **params):
    return HierarchicalCNNClassifier(tree, **{**TINY, "optimizer": "muon", **params})


def make_plain(tree="fashion-mnist", **params):
    """Return a classifier that compiles in a third of the time and learns little."""
    plain = {"architecture_params": {"filters": (4,)}, "optimizer": "sgd", "epochs": 1}
    return HierarchicalCNNClassifier(tree, **{**plain, "random_state": 0, **params})


@pytest.fixture(scope="module")
def fitted(garments):
    return make().fit(*garments)


class TestTrees:
    def test_fashion_mnist_has_the_tree_of_its_paper(self, fitted):
        top, middle, classes = fitted.levels_
        assert top.tolist() == ["clothes", "goods"]
        assert middle.tolist() == ["tops", "bottoms", "dresses", "outers", "accessories", "shoes"]
        assert classes.tolist() == list(range(10))
        nodes = dict(zip(CLASS_NAMES, middle[fitted._hierarchy.nodes[1]], strict=True))
        assert nodes["Sandal"] == nodes["Sneaker"] == nodes["Ankle boot"] == "shoes"
        assert nodes["T-shirt/top"] == nodes["Pullover"] == nodes["Shirt"] == "tops"
        assert nodes["Bag"] == "accessories"

    def test_names_of_classes_find_the_same_tree(self, garments):
        X, y = garments
        clf = make_plain().fit(X, np.array(CLASS_NAMES)[y])
        assert clf.levels_[1].tolist()[:2] == ["tops", "bottoms"]
        assert set(clf.predict_coarse(X)) <= {"clothes", "goods"}

    def test_all_labels_are_clustered_where_no_tree_is_asked_for(self, garments):
        X, y = garments
        assert HierarchicalCNNClassifier().tree == "cluster"  # also of digits, from 0 to 9
        clf = make_plain("cluster").fit(X, y)
        assert [len(level) for level in clf.levels_] == [2, 4, 10]
        # Each group lies within one of the level above.
        pairs = set(zip(*clf._hierarchy.nodes, strict=True))
        assert len(pairs) == 4

    def test_images_without_weight_do_not_shape_the_clusters(self, garments):
        X, y = garments
        weight = (np.arange(len(y)) < 200).astype(float)
        other = X.copy()
        other[200:] = 255 - other[200:]
        fits = [make_plain("cluster").fit(images, y, weight) for images in (X, other)]
        for left, right in zip(*(clf._hierarchy.nodes for clf in fits), strict=True):
            np.testing.assert_array_equal(left, right)

    def test_a_chunk_that_lacks_a_class_cannot_be_clustered(self, garments):
        X, y = garments
        clf = make_plain(tree="cluster")
        with pytest.raises(ValueError, match=r"classes \[3, 4, 5, 6, 7, 8, 9\] have no image"):
            clf.partial_fit(X[y < 3], y[y < 3], classes=range(10))
        make_plain(tree=TREE).partial_fit(X[y < 3], y[y < 3], classes=range(10))

    @pytest.mark.parametrize("n_classes", [2, 3])
    def test_few_classes_make_few_levels(self, garments, n_classes):
        X, y = garments
        chosen = y < n_classes
        clf = make_plain(tree="cluster").fit(X[chosen], y[chosen])
        assert [len(level) for level in clf.levels_] == [2, 3][: n_classes - 1]
        np.testing.assert_allclose(clf.predict_proba(X).sum(axis=1), 1, rtol=1e-5)

    def test_a_tree_of_the_users(self, garments):
        clf = make_plain(tree=TREE).fit(*garments)
        assert clf.levels_[0].tolist() == ["dark", "light"]
        assert clf.predict_coarse(garments[0], 1).dtype.kind == "U"

    def test_one_coarse_level_and_more_levels_than_stages(self, garments):
        flat = {"left": [0, 1, 2, 3, 4], "right": [5, 6, 7, 8, 9]}
        assert len(make_plain(tree=flat).fit(*garments).levels_) == 2
        deep = {"a": {"b": {"c": {"d": [0, 1, 2]}}}, "e": {"f": {"g": {"h": list(range(3, 10))}}}}
        stages = {"architecture_params": {"filters": (4, 6, 8)}}
        clf = make_plain(tree=deep, **stages).fit(*garments)
        assert [len(level) for level in clf.levels_] == [2, 2, 2, 2, 10]

    def test_a_level_of_one_node_is_certain(self, garments):
        tree = {"garment": {"low": [0, 1, 2, 3, 4], "high": [5, 6, 7, 8, 9]}}
        clf = make_plain(tree=tree).fit(*garments)
        np.testing.assert_allclose(clf.predict_proba_coarse(garments[0], 0), 1, rtol=1e-5)

    def test_classes_that_no_image_has_are_left_out(self, garments):
        X, y = garments
        clf = make_plain(tree=TREE).fit(X[y != 2], y[y != 2])
        assert clf.levels_[1].tolist() == ["one", "three", "four"]

    def test_equal_names_under_different_parents_are_two_nodes(self, garments):
        tree = {"a": {"rest": [0, 1], "x": [2]}, "b": {"rest": [3, 4, 5], "y": [6, 7, 8, 9]}}
        clf = make_plain(tree=tree).fit(*garments)
        assert clf.levels_[1].tolist() == ["a/rest", "x", "b/rest", "y"]

    @pytest.mark.parametrize(
        ("tree", "message"),
        [
            ({"a": [0, 1, 2, 3], "b": [4, 5, 6, 7, 8]}, r"misses the classes \[9\]"),
            ({"a": list(range(6)), "b": list(range(5, 10))}, "class 5 under a and b"),
            ({"a": {"c": [0, 1]}, "b": list(range(2, 10))}, "uneven depth"),
            ({"a": 3, "b": list(range(10))}, "tree at a is 3"),
            ({"a": [], "b": list(range(10))}, r"tree at a is \[\]"),
            ({}, "tree itself is {}"),
            ({"a": [str(label) for label in range(10)]}, "misses the classes"),
        ],
    )
    def test_unsound_trees_are_refused(self, garments, tree, message):
        with pytest.raises(ValueError, match=message):
            make_plain(tree=tree).fit(*garments)


class TestLevels:
    def test_coarse_probabilities_are_sums_of_fine_ones(self, fitted, garments):
        fine = fitted.predict_proba(garments[0])
        np.testing.assert_allclose(fine.sum(axis=1), 1, rtol=1e-5)
        for level, names in enumerate(fitted.levels_[:-1]):
            coarse = fitted.predict_proba_coarse(garments[0], level)
            for node in range(len(names)):
                below = fitted._hierarchy.nodes[level] == node
                np.testing.assert_allclose(coarse[:, node], fine[:, below].sum(axis=1), rtol=1e-5)

    def test_the_last_level_is_that_of_the_classes(self, fitted, garments):
        X, y = garments
        np.testing.assert_array_equal(fitted.predict_coarse(X, 2), fitted.predict(X))
        assert fitted.score_coarse(X, y, 2) == fitted.score(X, y)

    def test_scores_rise_towards_the_root(self, fitted, garments):
        X, y = garments
        coarse = fitted.predict_coarse(X, 0)
        expected = np.mean((coarse == "goods") == np.isin(y, [5, 7, 8, 9]))
        assert fitted.score_coarse(X, y, 0) == pytest.approx(expected)
        scores = [fitted.score_coarse(X, y, level) for level in range(3)]
        assert scores == sorted(scores, reverse=True)

    @given(st.lists(st.integers(0, 3), min_size=2, max_size=8), st.integers(2, 4))
    def test_any_tree_has_each_class_once_in_each_level(self, parents, n_levels):
        """Random trees: the classes of each node, in as many levels as asked for."""
        tree = {}
        for label, parent in enumerate(parents):
            branch = tree
            for depth in range(n_levels - 2):
                branch = branch.setdefault((depth, parent % (depth + 2)), {})
            branch.setdefault(("last", parent), []).append(label)
        hierarchy = read_tree(tree, np.arange(len(parents)))
        assert hierarchy.n_levels == n_levels
        for level in range(n_levels):
            membership = hierarchy.membership(level)
            assert membership.sum(axis=1).tolist() == [1] * len(parents)
            assert np.all(membership.sum(axis=0) >= 1)
        for coarse, fine in zip(hierarchy.nodes, hierarchy.nodes[1:], strict=False):
            assert len(set(zip(coarse, fine, strict=True))) == len(set(fine))

    @pytest.mark.parametrize("level", [-1, 3, 1.5, "top"])
    def test_levels_that_are_not_there_are_refused(self, fitted, garments, level):
        with pytest.raises(ValueError, match=r"level=.*expected a whole number from 0"):
            fitted.predict_coarse(garments[0], level)


class TestTraining:
    def test_histories_tell_of_the_classes(self, garments):
        X, y = garments
        held_out = X[200:], y[200:]
        clf = make(label_smoothing=0.1).fit(X[:200], y[:200], X_val=held_out[0], y_val=held_out[1])
        assert set(clf.history_) == {"loss", "accuracy", "val_loss", "val_accuracy"}
        outputs = clf._network.predict_proba(images_of(clf, held_out[0]))
        fine = outputs[:, -10:]
        expected = -np.log(fine[np.arange(100), held_out[1]]).mean()
        assert clf.history_["val_loss"][-1] == pytest.approx(expected, rel=1e-3)
        expected = np.mean(fine.argmax(axis=1) == held_out[1])
        assert clf.history_["val_accuracy"][-1] == pytest.approx(expected)

    def test_loss_weights_decide_which_level_learns(self, garments):
        X, y = garments
        coarse = make(loss_weights=(1, 0, 1e-6), epochs=12).fit(X, y)
        fine = make(loss_weights=(0, 0, 1), epochs=12).fit(X, y)
        heads = [clf._network.predict_proba(images_of(clf, X)) for clf in (coarse, fine)]
        goods = np.isin(y, [5, 7, 8, 9])
        right = [np.mean((head[:, :2].argmax(axis=1) == 1) == goods) for head in heads]
        assert right[0] > 0.9 > right[1]

    def test_weights_change_with_the_epochs(self, garments):
        phases = {0.0: (1, 1, 1), 0.5: (0, 0, 2)}
        clf = make_plain(loss_weights=phases, epochs=4).fit(*garments)
        assert clf._weights_by_epoch().tolist() == [[1, 1, 1]] * 2 + [[0, 0, 2]] * 2
        assert np.isfinite(clf.history_["loss"]).all()

    def test_weights_of_a_single_level_change_no_gradient(self, garments):
        X, y = garments
        X, y = X[y < 2], y[y < 2]
        params = {"tree": "cluster", "optimizer": "adam", "epochs": 5, "learning_rate": 0.003}
        whole = make(loss_weights=(1.0,), **params).fit(X, y)
        half = make(loss_weights=(0.5,), **params).fit(X, y)  # Adam's steps have no scale
        assert half.evaluate(X, y).loss == pytest.approx(whole.evaluate(X, y).loss, rel=0.02)

    def test_a_warm_start_begins_with_the_first_weights_again(self, garments):
        phases = {0.0: (1e-4, 1e-4, 1e-4), 0.5: (1, 1, 1)}
        clf = make_plain(loss_weights=phases, epochs=2, warm_start=True)
        clf.fit(*garments).fit(*garments)
        losses = clf.history_["loss"]
        assert max(losses[0], losses[2]) < 0.01 < min(losses[1], losses[3])

    @pytest.mark.parametrize(
        "weights",
        [(1, 1), (1, 0, 0), (1, -1, 1), (1, 1, np.nan), {0.5: (1, 1, 1)}, {0: (1, 1)}, {}],
    )
    def test_unsound_loss_weights_are_refused(self, garments, weights):
        with pytest.raises(ValueError, match=r"loss_weights=.*expected 3 weights"):
            make_plain(loss_weights=weights).fit(*garments)

    def test_it_repeats_bit_for_bit_and_survives_pickling(self, fitted, garments):
        again = make().fit(*garments)
        copied = pickle.loads(pickle.dumps(fitted))
        for other in (again, copied):
            np.testing.assert_array_equal(
                other.predict_proba(garments[0]), fitted.predict_proba(garments[0])
            )
        assert copied.predict_coarse(garments[0][:3]).shape == (3,)

    def test_searches_in_pipelines_reach_its_parameters(self, garments):
        pipeline = make_pipeline(FunctionTransformer(), make_plain())
        grid = {"hierarchicalcnnclassifier__architecture__filters": [(4,), (2, 2)]}
        search = GridSearchCV(pipeline, grid, cv=2, error_score="raise")
        assert search.fit(*garments).best_score_ > 0

    def test_it_explains_itself(self, fitted, garments):
        maps = fitted.explain(garments[0][:4])
        assert maps.shape == (4, 28, 28)


def images_of(clf, X):
    from fashionkit._images import check_images

    return check_images(clf, X)
