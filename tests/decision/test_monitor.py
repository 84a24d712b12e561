"""Monitors of predictions."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from PIL import Image
from scipy import stats
from sklearn.base import BaseEstimator, ClassifierMixin, TransformerMixin, clone
from sklearn.decomposition import PCA
from sklearn.ensemble import VotingClassifier
from sklearn.exceptions import NotFittedError
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.naive_bayes import GaussianNB
from sklearn.pipeline import make_pipeline
from sklearn.svm import LinearSVC

from fashionkit import (
    HOGFeatures,
    ImageFolder,
    PredictionMonitor,
    load,
    make_garments,
    save,
)
from fashionkit.comparison._statistics import holm
from fashionkit.decision._embedding import project


@pytest.fixture(scope="module")
def images():
    return make_garments(900, random_state=0)


@pytest.fixture(scope="module")
def model(images):
    X, y = images
    return make_pipeline(HOGFeatures(), GaussianNB()).fit(X[:300], y[:300])


@pytest.fixture(scope="module")
def monitor(images, model):
    return PredictionMonitor(model, n_permutations=199, random_state=0).fit(images[0][300:600])


class Loader(TransformerMixin, BaseEstimator):
    """Flat rows of the images in files."""

    def fit(self, X, y=None):
        return self

    def __sklearn_is_fitted__(self):
        return True

    def transform(self, X):
        return np.stack([np.asarray(Image.open(path)).ravel() for path in X])


class Deciding(ClassifierMixin, BaseEstimator):
    """A model of two classes that accepts images by their brightness, and none that are black."""

    def fit(self, X, y=None):
        return self

    def __sklearn_is_fitted__(self):
        return True

    @property
    def classes_(self):
        return np.array(["bag", "coat"])

    def predict(self, X):
        return self.decide(X)["label"].to_numpy()

    def decide(self, X):
        brightness = np.asarray(X).reshape(len(X), -1).mean(axis=1) / 255
        is_black = brightness == 0
        status = np.where(brightness > 0.5, "accepted", "review")
        return pd.DataFrame(
            {
                "label": np.where(is_black, None, np.where(brightness > 0.7, "bag", "coat")),
                "confidence": np.where(is_black, np.nan, brightness),
                "status": np.where(is_black, "error", status),
            }
        )


def bright(low, high, n=60, seed=0):
    """Return images of one gray each, evenly distributed."""
    rng = np.random.RandomState(seed)
    return np.tile(rng.uniform(low, high, (n, 1, 1)), (1, 8, 8)).round().astype(np.uint8)


class TestCompare:
    def test_the_same_images_have_not_shifted(self, images, monitor):
        shifts = monitor.compare(images[0][300:600])
        assert list(shifts.index) == ["class shares", "confidence", "embedding"]
        assert shifts.index.name == "measure"
        assert list(shifts.columns) == [
            "reference",
            "new",
            "statistic",
            "p_value",
            "p_holm",
            "verdict",
        ]
        assert shifts.loc[["class shares", "confidence"], "statistic"].tolist() == [0, 0]
        assert set(shifts["verdict"]) == {"within chance"}

    def test_figures_are_those_of_the_predictions(self, images, model, monitor):
        X, y = images
        new = X[600:][y[600:] == 8]
        shifts = monitor.compare(new)
        before, now = model.predict_proba(X[300:600]), model.predict_proba(new)
        assert_allclose(shifts.loc["confidence", "reference"], before.max(axis=1).mean(), rtol=1e-6)
        assert_allclose(shifts.loc["confidence", "new"], now.max(axis=1).mean(), rtol=1e-6)
        shares = [np.bincount(p.argmax(axis=1), minlength=10) / len(p) for p in (before, now)]
        statistic = np.abs(shares[0] - shares[1]).sum() / 2
        assert_allclose(shifts.loc["class shares", "statistic"], statistic)
        assert_allclose(shifts.loc["class shares", "reference"], shares[0][8])
        assert_allclose(shifts.loc["class shares", "new"], shares[1][8])
        verdict = f"share of class 8 rose from {100 * shares[0][8]:.1f} % to"
        assert shifts.loc["class shares", "verdict"].startswith(verdict)
        assert_array_equal(monitor.class_shares_, shares[0])

    def test_p_values_are_corrected_for_their_number(self, images, monitor):
        shifts = monitor.compare(images[0][600:, :, ::-1])
        assert_array_equal(shifts["p_holm"], holm(shifts["p_value"].to_numpy()))

    @pytest.mark.parametrize("embedding", ["features", "hog", "probabilities", PCA(8)])
    def test_images_upside_down_have_shifted(self, images, model, embedding):
        X = images[0].reshape(900, -1)
        monitor = PredictionMonitor(
            model, embedding=embedding, n_permutations=199, random_state=0
        ).fit(X[300:600])
        turned = images[0][600:, ::-1].reshape(300, -1)
        shifts = monitor.compare(turned)
        assert shifts.loc["embedding", "verdict"] == "images differ from the reference"
        assert monitor.compare(X[600:]).loc["embedding", "p_holm"] > 0.01

    def test_every_form_of_images_gives_the_same(self, images, monitor):
        X = images[0][600:700]
        first, *others = (
            monitor.compare(form) for form in (X, X.reshape(100, -1), X[..., None], list(X))
        )
        for other in others:
            pd.testing.assert_frame_equal(first, other)

    def test_folders_are_compared_as_arrays_are(self, tmp_path):
        for i, image in enumerate(bright(100, 255, 24)):
            Image.fromarray(image).save(tmp_path / f"{i:02}.png")
        folder = ImageFolder.from_paths(tmp_path, image_size=8)
        monitor = PredictionMonitor(Deciding(), n_permutations=99, random_state=0)
        monitor.fit(bright(100, 255, seed=1).repeat(3).reshape(-1, 8, 8, 3))
        pd.testing.assert_frame_equal(monitor.compare(folder), monitor.compare(np.asarray(folder)))

    @pytest.mark.parametrize("kind", [list, np.array, pd.Series])
    def test_images_may_be_paths_where_the_model_reads_them(self, tmp_path, kind):
        paths = [str(tmp_path / f"{i:02}.png") for i in range(24)]
        for path, image in zip(paths, bright(0, 255, 24), strict=True):
            Image.fromarray(image).save(path)
        inner = make_pipeline(PCA(2, random_state=0), GaussianNB())
        model = make_pipeline(Loader(), inner).fit(paths, [0, 1] * 12)
        monitor = PredictionMonitor(model, n_permutations=19, random_state=0).fit(kind(paths))
        assert monitor._embeddings.shape == (24, 2)
        shifts = monitor.compare(kind(paths[::-1]))
        assert set(shifts["verdict"]) == {"within chance"}

    def test_it_gives_the_same_each_time(self, images, model, monitor):
        first, second = (monitor.compare(images[0][600:]) for _ in range(2))
        pd.testing.assert_frame_equal(first, second)
        again = PredictionMonitor(model, n_permutations=199, random_state=0)
        again.fit(images[0][300:600])
        pd.testing.assert_frame_equal(first, again.compare(images[0][600:]))

    def test_no_more_images_than_asked_for_are_kept(self, images, model):
        monitor = PredictionMonitor(model, max_samples=20, n_permutations=19, random_state=0)
        monitor.fit(images[0][300:600])
        assert monitor._embeddings.shape == (20, 256)
        assert monitor.n_reference_ == 300
        assert len(monitor.compare(images[0][600:])) == 3

    @pytest.mark.slow
    def test_without_a_shift_p_values_are_uniform(self, images):
        X, y = images
        model = make_pipeline(HOGFeatures(), LogisticRegression()).fit(X[:300], y[:300])
        rng, found = np.random.RandomState(1), []
        for seed in range(100):
            # Numbers without a common divisor: few distances are tied.
            rows = rng.permutation(np.arange(300, 900))[:121]
            monitor = PredictionMonitor(model, n_permutations=99, random_state=seed)
            monitor.fit(X[rows[:60]])
            found.append(monitor.compare(X[rows[60:]])["p_value"])
        for name in ("confidence", "embedding"):
            p_values = [shifts[name] for shifts in found]
            assert stats.kstest(p_values, "uniform").pvalue > 0.005
        # Shares of few images are tied, so that p values may be too large, but not too small.
        for level in (0.05, 0.2, 0.5):
            n_rejected = int(np.sum([shifts["class shares"] <= level for shifts in found]))
            assert stats.binomtest(n_rejected, len(found), level, "greater").pvalue > 0.005


class TestDecisions:
    @pytest.fixture
    def deciding(self):
        monitor = PredictionMonitor(Deciding(), n_permutations=199, random_state=0)
        return monitor.fit(bright(100, 255))

    def test_the_review_rate_is_compared_where_the_model_decides(self, deciding):
        shifts = deciding.compare(bright(100, 140))
        assert list(shifts.index) == ["class shares", "confidence", "review rate", "embedding"]
        review = shifts.loc["review rate"]
        expected = [np.mean(Deciding().decide(bright(*span))["status"] != "accepted")
                    for span in ((100, 255), (100, 140))]  # fmt: skip
        assert [review["reference"], review["new"]] == expected
        assert_allclose(review["statistic"], abs(expected[0] - expected[1]))
        assert review["verdict"].startswith("review rate rose from")

    def test_images_that_cannot_be_read_count_for_review_only(self, deciding):
        new = bright(100, 255, seed=1)
        broken = np.concatenate([new, np.zeros((30, 8, 8), np.uint8)])
        whole, part = deciding.compare(new), deciding.compare(broken)
        others = ["class shares", "confidence"]
        columns = ["reference", "new", "statistic"]
        pd.testing.assert_frame_equal(whole.loc[others, columns], part.loc[others, columns])
        n_reviews = np.sum(Deciding().decide(new)["status"] != "accepted") + 30
        assert_allclose(part.loc["review rate", "new"], n_reviews / 90)

    def test_decisions_that_are_there_are_not_made_again(self, deciding, monkeypatch):
        new = bright(100, 200)
        expected, decisions = deciding.compare(new), Deciding().decide(new)
        monkeypatch.setattr(Deciding, "decide", None)
        pd.testing.assert_frame_equal(deciding.compare(new, decisions), expected)

    @pytest.mark.parametrize(
        ("change", "message"),
        [
            (lambda d: d.drop(columns="status"), "decisions lacks the columns 'status'"),
            (lambda d: d[:-1], "decisions has 59 rows, but X has 60 images"),
            (lambda d: d.assign(label="hat"), "decisions has the labels 'hat', expected the"),
            (lambda d: d.assign(status="maybe"), "decisions has the status 'maybe'"),
            (lambda d: d.assign(status="error"), "0 of 60 images that can be read"),
            (lambda d: d.assign(confidence=np.nan), "confidences that are NaN"),
        ],
    )
    def test_decisions_of_other_images_are_refused(self, deciding, change, message):
        new = bright(100, 200)
        with pytest.raises(ValueError, match=message):
            deciding.compare(new, change(Deciding().decide(new)))

    def test_decisions_are_a_table(self, deciding):
        with pytest.raises(TypeError, match="decisions is a list, expected a DataFrame"):
            deciding.compare(bright(100, 200), ["bag"] * 60)


class TestSummary:
    def test_it_names_what_has_shifted(self, images, monitor):
        shifts = monitor.compare(images[0][600:, ::-1])
        summary = monitor.summarize(shifts)
        is_shifted = shifts["p_holm"] < 0.05
        assert is_shifted.any()
        assert summary["shifted"] == ", ".join(shifts.index[is_shifted])
        assert summary["verdict"] == "; ".join(shifts["verdict"][is_shifted])
        assert summary["p_holm"] == shifts["p_holm"].min()
        assert summary["n_reference"] == 300

    def test_it_says_so_where_nothing_has(self, images, monitor):
        summary = monitor.summarize(monitor.compare(images[0][300:600]))
        assert summary["shifted"] == "none"
        assert summary["verdict"] == "no shift beyond chance"

    def test_other_tables_are_refused(self, images, monitor):
        with pytest.raises(ValueError, match="shifts has no column 'p_holm'; pass the DataFrame"):
            monitor.summarize(pd.DataFrame())
        with pytest.raises(ValueError, match="shifts has no rows"):
            monitor.summarize(monitor.compare(images[0][300:600]).iloc[:0])


class TestEmbedding:
    @pytest.mark.parametrize(
        ("make", "expected"),
        [
            (lambda: make_pipeline(HOGFeatures(), GaussianNB()), "features"),
            (lambda: GridSearchCV(make_pipeline(PCA(2), GaussianNB()), {}, cv=2), "features"),
            (lambda: GaussianNB(), "hog"),
            (lambda: VotingClassifier([("nb", GaussianNB())], voting="soft"), "hog"),
        ],
    )
    def test_auto_takes_the_features_of_a_model_that_has_some(self, images, make, expected):
        X, y = images[0][:100].reshape(100, -1), images[1][:100]
        for model in (make().fit(X, y), FrozenEstimator(make().fit(X, y))):
            monitor = PredictionMonitor(model, n_permutations=19, random_state=0).fit(X)
            assert monitor.embedding_ == expected
            assert len(monitor.compare(X)) == 3

    def test_a_network_shows_its_last_maps(self, images, tiny_cnn):
        X, y = images
        network = tiny_cnn().fit(X[:100], y[:100])
        monitor = PredictionMonitor(network, n_permutations=199, random_state=0).fit(X[:200])
        assert monitor.embedding_ == "features"
        assert monitor._embeddings.shape == (200, 4)
        assert monitor.compare(X[200:400]).loc["embedding", "p_value"] > 0.01
        assert monitor.compare(255 - X[200:400]).loc["embedding", "p_value"] < 0.01

    def test_a_network_behind_other_steps_shows_its_maps(self, images, tiny_cnn):
        X, y = images
        network = make_pipeline("passthrough", tiny_cnn()).fit(X[:100], y[:100])
        monitor = PredictionMonitor(network, n_permutations=19, random_state=0).fit(X[:200])
        assert monitor._embeddings.shape == (200, 4)

    def test_pixels_are_scaled_as_the_network_scales_them(self, images, tiny_cnn):
        X, y = images[0] / 255.0 - 3, images[1]
        network = tiny_cnn().fit(X[:100], y[:100])
        monitor = PredictionMonitor(network, n_permutations=19, random_state=0).fit(X[:200])
        part = PredictionMonitor(network, n_permutations=19, random_state=0).fit(X[:20])
        rows = [np.sort(one._embeddings[:, 0]) for one in (monitor, part)]
        assert_allclose(rows[0][np.searchsorted(rows[0], rows[1]).clip(max=199)], rows[1], rtol=0.1)
        assert_allclose(monitor._embed(X[:20]), part._embed(X[:20]), rtol=1e-6)

    def test_a_transformer_is_fitted_on_images_that_are_not_compared(self, images, model):
        X = images[0].reshape(900, -1)
        pca = PCA(4)
        monitor = PredictionMonitor(model, embedding=pca, n_permutations=19, random_state=0)
        monitor.fit(X[300:600])
        assert monitor.embedding_ == "transformer"
        assert len(monitor._embeddings) == 150
        assert not hasattr(pca, "components_")
        assert monitor._transformer.n_samples_ == 150

    def test_projections_keep_distances(self):
        rows = np.random.RandomState(0).normal(size=(30, 5000))
        projected = project(rows)
        assert projected.shape == (30, 256)
        before, after = (np.linalg.norm(x[1:] - x[0], axis=1) for x in (rows, projected))
        assert_allclose(after, before, rtol=0.2)
        assert_array_equal(project(rows[:, :256]), rows[:, :256].astype(np.float32))

    def test_features_that_a_model_does_not_show_are_refused(self, images):
        model = GaussianNB().fit(images[0].reshape(900, -1), images[1])
        with pytest.raises(ValueError, match="embedding='features', but GaussianNB shows no feat"):
            PredictionMonitor(model, embedding="features").fit(images[0])


class TestBadInput:
    def test_the_model_must_be_fitted(self, images):
        with pytest.raises(NotFittedError, match="GaussianNB instance is not fitted yet"):
            PredictionMonitor(GaussianNB()).fit(images[0])

    def test_the_monitor_must_be_fitted(self, images, model):
        with pytest.raises(NotFittedError, match="PredictionMonitor instance is not fitted yet"):
            PredictionMonitor(model).compare(images[0])

    def test_the_model_must_predict_probabilities(self, images):
        X = images[0].reshape(900, -1)[:60]
        model = LinearSVC(max_iter=1, dual=False, tol=1e9).fit(X, images[1][:60])
        with pytest.raises(ValueError, match="LinearSVC has no predict_proba"):
            PredictionMonitor(model).fit(X)

    @pytest.mark.parametrize(
        ("arguments", "message"),
        [
            ({"embedding": "cnn"}, "'embedding' parameter of PredictionMonitor"),
            ({"n_permutations": 9}, "'n_permutations' parameter of PredictionMonitor"),
            ({"max_samples": 1}, "'max_samples' parameter of PredictionMonitor"),
            ({"significance": 1.0}, "'significance' parameter of PredictionMonitor"),
            ({"model": "hog-svm"}, "'model' parameter of PredictionMonitor"),
        ],
    )
    def test_parameters_are_checked(self, images, model, arguments, message):
        with pytest.raises(ValueError, match=message):
            PredictionMonitor(**{"model": model, **arguments}).fit(images[0])

    def test_one_image_is_too_few(self, images, model, monitor):
        for ask in (PredictionMonitor(model).fit, monitor.compare):
            with pytest.raises(ValueError, match=r"X has 1 sample\(s\), but a minimum of 2"):
                ask(images[0][:1])


class TestFiles:
    def test_a_saved_monitor_compares_alike_and_holds_no_images(self, images, monitor, tmp_path):
        path = save(monitor, tmp_path / "monitor.fashionkit")
        alone = save(monitor.model, tmp_path / "model.fashionkit")
        again = load(path)
        new = images[0][600:]
        pd.testing.assert_frame_equal(again.compare(new), monitor.compare(new))
        # 300 embeddings of 256 float32, and little else.
        assert path.stat().st_size - alone.stat().st_size < 300 * 256 * 4 + 10_000

    def test_a_clone_keeps_a_frozen_model(self, images, model):
        monitor = clone(PredictionMonitor(FrozenEstimator(model), n_permutations=19))
        assert monitor.fit(images[0][:50]).n_reference_ == 50

    def test_names_of_columns_are_those_of_the_model(self):
        frame = pd.DataFrame(np.random.RandomState(0).normal(size=(40, 4)), columns=list("abcd"))
        model = LogisticRegression().fit(frame, np.arange(40) % 2)
        monitor = PredictionMonitor(model, embedding="probabilities", n_permutations=19).fit(frame)
        assert monitor.n_features_in_ == 4
        assert monitor.feature_names_in_.tolist() == list("abcd")
