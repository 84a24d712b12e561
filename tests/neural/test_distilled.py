"""DistilledClassifier: what a student is shown, learns and keeps, and what is refused."""

from __future__ import annotations

import pickle
import warnings

import numpy as np
import pandas as pd
import pytest
from PIL import Image
from sklearn.base import BaseEstimator, ClassifierMixin, clone
from sklearn.ensemble import VotingClassifier
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.naive_bayes import GaussianNB
from sklearn.pipeline import make_pipeline
from sklearn.svm import LinearSVC
from sklearn.tree import DecisionTreeClassifier

from fashionkit import (
    Augmentation,
    CNNClassifier,
    DistilledClassifier,
    HierarchicalCNNClassifier,
    ImageFolder,
    PixelFeatures,
    TransferClassifier,
)
from fashionkit._images import Images
from fashionkit._tensorflow import keras
from fashionkit.neural._core.batches import Order, make_batches, make_sources
from fashionkit.neural._core.distillation import ask_teacher, make_copies
from fashionkit.neural._core.samples import Samples, hold_out

TINY = {"filters": (4, 4), "dense_units": (8,)}
FLIPS = Augmentation(horizontal_flip="alternating", translation=0.1)


class Teacher(ClassifierMixin, BaseEstimator):
    """Gives probabilities that depend on the images, and remembers which it has seen."""

    def fit(self, X, y):
        self.classes_ = np.unique(y)
        self.n_fitted_ = len(X)
        self.asked_ = []
        return self

    def predict_proba(self, X):
        self.asked_.append(X)
        scores = np.abs(np.asarray(X, float).reshape(len(X), -1)[:, : len(self.classes_)]) + 1
        return scores / scores.sum(axis=1, keepdims=True)


class Sums(Teacher):
    """Gives what does not sum to 1."""

    def predict_proba(self, X):
        return 2 * super().predict_proba(X)


def tiny_backbone(input_shape):
    layers = keras().layers
    inputs = layers.Input(input_shape)
    return keras().Model(inputs, layers.Conv2D(4, 3, strides=2, activation="relu")(inputs))


def make_student(**params):
    defaults = {"architecture_params": TINY, "epochs": 3, "augmentation": FLIPS, "random_state": 0}
    return CNNClassifier(**{**defaults, **params})


@pytest.fixture(scope="module")
def linear():
    return make_pipeline(PixelFeatures(), GaussianNB(var_smoothing=0.1))


@pytest.fixture(scope="module")
def teacher(linear, garments):
    return FrozenEstimator(clone(linear).fit(*garments))


@pytest.fixture(scope="module")
def fitted(teacher, garments):
    return DistilledClassifier(make_student(), teacher).fit(*garments)


def make_samples(n=20, side=8, dtype=np.uint8):
    random = np.random.default_rng(0)
    pixels = random.integers(0, 256, (n, side, side, 1)).astype(dtype)
    return Samples(Images(pixels, (0.0, 255.0)), np.arange(n, dtype=np.int32) % 2, np.arange(n))


class TestCopies:
    def test_the_first_are_the_images_and_the_others_are_distorted(self, tmp_path):
        samples = make_samples()
        copies = make_copies(samples, FLIPS, 4, 0, str(tmp_path))
        blocks = copies.images.pixels.reshape(4, 20, 8, 8, 1)
        assert copies.n_copies == 4
        np.testing.assert_array_equal(blocks[0], samples.images.pixels)
        assert all((block != blocks[0]).any() for block in blocks[1:])
        assert blocks.dtype == np.uint8

    def test_flips_alternate_from_copy_to_copy(self, tmp_path):
        flips = Augmentation(horizontal_flip="alternating")
        pixels = make_copies(make_samples(), flips, 4, 0, str(tmp_path)).images.pixels
        _, second, third, fourth = pixels.reshape(4, 20, 8, 8)
        np.testing.assert_array_equal(second, fourth)
        np.testing.assert_array_equal(second, third[:, :, ::-1])

    @pytest.mark.parametrize("dtype", [np.float64, np.float32, np.int16])
    def test_pixels_keep_their_range(self, tmp_path, dtype):
        samples = make_samples(dtype=dtype)
        copies = make_copies(samples, FLIPS, 2, 0, str(tmp_path))
        assert copies.images.pixel_range == (0.0, 255.0)
        np.testing.assert_array_equal(copies.images.pixels[:20], samples.images.pixels)
        assert (
            np.isin(copies.images.pixels[20:].round(2), samples.images.pixels.round(2)).mean() > 0.9
        )

    def test_a_seed_decides_them(self, tmp_path):
        def make(seed):
            return make_copies(make_samples(), FLIPS, 3, seed, str(tmp_path)).images.pixels

        np.testing.assert_array_equal(make(1), make(1))
        assert (make(1) != make(2)).any()


class TestTargets:
    def batches(self, samples, order):
        targets = np.eye(samples.probabilities.shape[1], dtype=np.float32)
        source, _ = make_sources(samples, None)
        batches = make_batches(samples, source, 7, order=order, targets=targets)
        images, rows = zip(*((np.asarray(a), np.asarray(b)) for a, b in batches), strict=True)
        return np.concatenate(images), np.concatenate(rows)

    @pytest.fixture
    def copied(self, tmp_path):
        copies = make_copies(make_samples(), FLIPS, 3, 0, str(tmp_path))
        probabilities = np.random.default_rng(1).dirichlet([1, 1], 60).astype(np.float32)
        return Samples(copies.images, copies.targets, copies.rows, None, probabilities)

    @pytest.mark.parametrize("epoch", [0, 1, 2, 3, 7])
    def test_each_epoch_takes_the_next_copy_with_its_own_probabilities(self, copied, epoch):
        images, targets = self.batches(copied, Order(0, epoch, 0))
        block = slice(20 * (epoch % 3), 20 * (epoch % 3) + 20)
        expected = copied.images.scaled(block), copied.probabilities[block]
        # In an order of its own: sorted alike, pairs of images and targets are the same.
        shown = np.hstack([images.reshape(20, -1), targets])
        pairs = np.hstack([expected[0].reshape(20, -1), expected[1]])
        np.testing.assert_array_equal(np.sort(shown, axis=0), np.sort(pairs, axis=0))
        first = np.lexsort(shown.T[:10]), np.lexsort(pairs.T[:10])
        np.testing.assert_array_equal(shown[first[0]], pairs[first[1]])

    def test_what_is_held_out_is_evaluated_by_its_labels(self, copied):
        kept, held_out = hold_out(copied, 0.25, 0)
        assert held_out.probabilities is None
        assert kept.probabilities is copied.probabilities
        source, _ = make_sources(held_out, None)
        ((images, targets),) = make_batches(held_out, source, 5, targets=np.eye(2, dtype="float32"))
        np.testing.assert_array_equal(np.asarray(targets).argmax(axis=1), held_out.rows % 2)
        np.testing.assert_array_equal(np.asarray(images), copied.images.scaled(held_out.rows))

    def test_columns_are_put_into_the_order_of_the_classes(self):
        teacher = Teacher().fit(np.zeros((2, 64)), ["a", "b"])
        samples = make_samples()
        rows = lambda pixels: pixels.reshape(len(pixels), -1)  # noqa: E731
        straight = ask_teacher(samples, teacher, np.array(["a", "b"]), rows)
        teacher.classes_ = np.array(["b", "a"])
        turned = ask_teacher(samples, teacher, np.array(["a", "b"]), rows)
        np.testing.assert_array_equal(straight, turned[:, ::-1])


class TestLearning:
    def test_the_student_learns_what_the_teacher_says_not_the_labels(self, teacher, garments):
        X, y = garments
        wrong = np.random.default_rng(0).permutation(y)
        student = make_student(epochs=20, augmentation=None, learning_rate=0.01)
        clf = DistilledClassifier(student, teacher).fit(X, wrong)
        assert clf.score(X, y) > 0.6  # the teacher itself has 0.77
        assert clf.score(X, wrong) < 0.2

    def test_with_hard_weight_it_learns_both(self, teacher, garments):
        X, y = garments
        wrong = (y + 1) % 10
        student = make_student(epochs=20, augmentation=None, learning_rate=0.01)
        clf = DistilledClassifier(student, teacher, hard_weight=0.5).fit(X, wrong)
        probabilities = clf.predict_proba(X)
        rows = np.arange(len(y))
        of_both = probabilities[rows, y], probabilities[rows, wrong]
        assert np.mean(of_both[0] + of_both[1]) > 0.5
        assert min(map(np.mean, of_both)) > 0.2

    def test_what_is_kept_is_a_plain_network(self, fitted, garments):
        X, _ = garments
        assert type(fitted.estimator_) is CNNClassifier
        assert fitted.estimator_.augmentation is None
        np.testing.assert_array_equal(fitted.predict_proba(X), fitted.estimator_.predict_proba(X))
        np.testing.assert_array_equal(fitted.predict(X), fitted.estimator_.predict(X))
        np.testing.assert_array_equal(
            fitted.decision_function(X), fitted.estimator_.decision_function(X)
        )
        assert len(pickle.dumps(fitted.estimator_)) < 100_000
        assert fitted.estimator_.n_iter_ == 3

    def test_a_pickle_has_nothing_of_a_teacher_that_was_fitted(self, linear, garments):
        X, y = garments
        forest = DistilledClassifier(make_student(epochs=1), linear).fit(X, y)
        assert not hasattr(forest, "teacher_")
        restored = pickle.loads(pickle.dumps(forest))
        np.testing.assert_array_equal(restored.predict_proba(X[:5]), forest.predict_proba(X[:5]))

    def test_a_seed_repeats_it_bit_for_bit(self, fitted, teacher, garments):
        X, y = garments
        again = DistilledClassifier(make_student(), teacher).fit(X, y)
        np.testing.assert_array_equal(again.predict_proba(X), fitted.predict_proba(X))

    def test_a_teacher_is_fitted_unless_it_is_frozen(self, garments):
        X, y = garments
        frozen = Teacher().fit(X[:50], y[:50])
        DistilledClassifier(make_student(epochs=1), FrozenEstimator(frozen)).fit(X, y)
        assert frozen.n_fitted_ == 50
        other = Teacher().fit(X[:50], y[:50])
        DistilledClassifier(make_student(epochs=1), other).fit(X, y)
        assert other.asked_ == []  # a clone was fitted and asked

    @pytest.mark.parametrize(
        ("n_copies", "epochs", "augmentation", "n_asked"),
        [(3, 5, FLIPS, 3), (8, 2, FLIPS, 2), (8, 5, None, 1), (8, 5, Augmentation(), 1)],
    )
    def test_no_more_copies_than_are_seen(self, garments, n_copies, epochs, augmentation, n_asked):
        X, y = (part[:60] for part in garments)
        teacher = Teacher().fit(X, y)
        student = make_student(epochs=epochs, augmentation=augmentation)
        DistilledClassifier(student, FrozenEstimator(teacher), n_copies=n_copies).fit(X, y)
        assert [len(asked) for asked in teacher.asked_] == n_asked * [60]

    def test_weights_reach_teacher_and_student(self, garments):
        X, y = garments
        weights = np.where(y < 5, 1.0, 0.0)
        tree = DecisionTreeClassifier(random_state=0)
        student = make_student(epochs=8, augmentation=None, learning_rate=0.003)
        clf = DistilledClassifier(student, tree).fit(X.reshape(len(X), -1), y, weights)
        assert np.isin(clf.predict(X.reshape(len(X), -1)), np.arange(5)).mean() > 0.95

    def test_held_out_images_are_evaluated(self, teacher, garments):
        X, y = garments
        clf = DistilledClassifier(make_student(validation_fraction=0.2), teacher).fit(X, y)
        assert len(clf.estimator_.history_["val_loss"]) == 3
        student = make_student(early_stopping=True, patience=1)
        clf = DistilledClassifier(student, teacher).fit(X, y, X_val=X[:20], y_val=y[:20])
        assert len(clf.estimator_.history_["val_accuracy"]) == clf.estimator_.n_iter_

    @pytest.mark.parametrize(
        "student",
        [
            HierarchicalCNNClassifier(
                "fashion-mnist", architecture_params={"filters": (4,)}, epochs=2, random_state=0
            ),
            TransferClassifier(
                tiny_backbone, weights=None, epochs=2, augmentation=FLIPS, random_state=0
            ),
            TransferClassifier(
                tiny_backbone,
                weights=None,
                epochs=1,
                fine_tune="all",
                fine_tune_epochs=2,
                augmentation=FLIPS,
                random_state=0,
            ),
        ],
        ids=["hierarchical", "head", "fine-tuned"],
    )
    def test_other_networks_are_students_too(self, student, teacher, garments):
        X, y = garments
        clf = DistilledClassifier(student, teacher, n_copies=2).fit(X, y)
        assert clf.predict_proba(X).shape == (len(X), 10)
        assert np.all(np.isfinite(clf.estimator_.history_["loss"]))


class TestForms:
    def test_all_forms_of_the_same_images_give_the_same(self, garments):
        X, y = (part[:60] for part in garments)
        flat = X.reshape(len(X), -1)
        frame = pd.DataFrame(flat, columns=[f"pixel{i}" for i in range(784)])
        student = make_student(epochs=2)
        expected = DistilledClassifier(student, Teacher()).fit(X, y).predict_proba(X)
        for form in (flat, frame, X[..., np.newaxis], list(X)):
            with warnings.catch_warnings():
                warnings.simplefilter("error")
                clf = DistilledClassifier(student, Teacher()).fit(form, y)
                np.testing.assert_array_equal(clf.predict_proba(form), expected)
        assert DistilledClassifier(student, Teacher()).fit(frame, y).n_features_in_ == 784

    @pytest.mark.parametrize("form", ["flat", "frame", "images", "channels"])
    def test_the_teacher_sees_the_form_that_was_given(self, garments, form):
        X, y = (part[:60] for part in garments)
        flat = X.reshape(len(X), -1)
        names = [f"pixel{i}" for i in range(784)]
        forms = {
            "flat": flat,
            "frame": pd.DataFrame(flat, columns=names),
            "images": X,
            "channels": X[..., np.newaxis],
        }
        teacher = Teacher().fit(X, y)
        DistilledClassifier(make_student(epochs=1), FrozenEstimator(teacher)).fit(forms[form], y)
        (asked,) = teacher.asked_
        assert type(asked) is type(forms[form])
        assert asked.shape == forms[form].shape
        if form == "frame":
            assert list(asked.columns) == names

    def test_names_of_columns_are_kept(self, garments):
        X, y = (part[:40] for part in garments)
        frame = pd.DataFrame(X.reshape(len(X), -1), columns=[f"pixel{i}" for i in range(784)])
        clf = DistilledClassifier(make_student(epochs=1), Teacher()).fit(frame, y)
        assert clf.feature_names_in_[0] == "pixel0"
        assert not hasattr(clf.fit(X, y), "feature_names_in_")

    def test_images_in_files_are_copied_to_a_file(self, tmp_path, garments):
        X, y = (part[:30] for part in garments)
        for i, (image, label) in enumerate(zip(X, y, strict=True)):
            folder = tmp_path / str(label)
            folder.mkdir(exist_ok=True)
            Image.fromarray(image).save(folder / f"{i}.png")
        folder = ImageFolder(tmp_path, image_size=28)
        teacher = make_pipeline(PixelFeatures(), GaussianNB(var_smoothing=0.1))
        clf = DistilledClassifier(make_student(), teacher, n_copies=2).fit(folder, folder.target)
        arrays = np.asarray(folder)
        same = DistilledClassifier(make_student(), teacher, n_copies=2).fit(arrays, folder.target)
        np.testing.assert_array_equal(clf.predict_proba(folder), same.predict_proba(arrays))


class TestInScikitLearn:
    def test_a_search_reaches_student_and_teacher(self, garments):
        X, y = (part[:90] for part in garments)
        clf = DistilledClassifier(
            make_student(epochs=1), make_pipeline(PixelFeatures(), GaussianNB())
        )
        grid = {"estimator__epochs": [1, 2], "teacher__gaussiannb__var_smoothing": [0.1]}
        search = GridSearchCV(clf, grid, cv=2, error_score="raise").fit(X, y)
        assert search.best_estimator_.estimator_.n_iter_ in (1, 2)

    def test_an_ensemble_is_a_teacher(self, linear, garments):
        X, y = (part[:90] for part in garments)
        members = [("net", make_student(epochs=1)), ("linear", linear)]
        ensemble = VotingClassifier(members, voting="soft")
        clf = DistilledClassifier(make_student(), ensemble, n_copies=2)
        assert clf.fit(X, np.array(list("abcdefghij"))[y]).classes_.tolist() == list("abcdefghij")

    def test_a_checkpoint_belongs_to_one_teacher(self, tmp_path, teacher, garments):
        X, y = (part[:60] for part in garments)
        student = make_student(checkpoint_dir=tmp_path / "checkpoint")
        first = DistilledClassifier(student, teacher).fit(X, y)
        again = DistilledClassifier(student, teacher).fit(X, y)
        np.testing.assert_array_equal(first.predict_proba(X), again.predict_proba(X))
        with pytest.raises(ValueError, match="training data"):
            DistilledClassifier(student, Teacher()).fit(X, y)


class TestBadInput:
    def fit(self, garments, estimator=None, teacher=None, **params):
        X, y = (part[:40] for part in garments)
        student, teacher = estimator or make_student(epochs=1), teacher or Teacher()
        return DistilledClassifier(student, teacher, **params).fit(X, y)

    def test_a_student_must_be_a_network(self, garments):
        with pytest.raises(TypeError, match="estimator is a LogisticRegression, expected a CNN"):
            self.fit(garments, estimator=LogisticRegression())

    def test_a_teacher_must_give_probabilities(self, garments):
        linear = make_pipeline(PixelFeatures(), LinearSVC())
        with pytest.raises(TypeError, match="teacher is a Pipeline without predict_proba"):
            self.fit(garments, teacher=linear)
        with pytest.raises(ValueError, match="with a sum of 2 in one row"):
            self.fit(garments, teacher=Sums())

    def test_a_teacher_must_know_the_classes(self, garments):
        X, y = garments
        frozen = FrozenEstimator(Teacher().fit(X, y % 3))
        with pytest.raises(ValueError, match=r"teacher knows the classes 0, 1, 2, but y has"):
            self.fit(garments, teacher=frozen)

    @pytest.mark.parametrize(
        ("name", "value"), [("n_copies", 0), ("hard_weight", 1.0), ("hard_weight", -0.1)]
    )
    def test_parameters_are_checked(self, garments, name, value):
        with pytest.raises(ValueError, match=f"The '{name}' parameter of DistilledClassifier"):
            self.fit(garments, **{name: value})

    def test_parameters_of_the_student_are_checked_before_the_teacher_is_fitted(self, garments):
        with pytest.raises(ValueError, match="The 'epochs' parameter of CNNClassifier"):
            self.fit(garments, estimator=make_student(epochs=0), teacher=LogisticRegression())

    def test_a_failed_fit_leaves_an_earlier_one(self, fitted, garments):
        X, y = garments
        clf = DistilledClassifier(make_student(epochs=1), Teacher()).fit(X, y)
        expected = clf.predict_proba(X[:3])
        clf.teacher = Sums()
        with pytest.raises(ValueError, match="with a sum of 2"):
            clf.fit(X, y)
        np.testing.assert_array_equal(clf.predict_proba(X[:3]), expected)
