"""Pictures of mistakes and of explanations."""

from __future__ import annotations

from itertools import pairwise
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from numpy.testing import assert_allclose, assert_array_equal
from PIL import Image
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import LinearSVC

from fashionkit import CLASS_NAMES, ImageFolder, worst_mistakes
from fashionkit.plotting import MistakesDisplay, plot_explanations, plot_samples


@pytest.fixture(scope="module")
def fitted(garments):
    X, y = garments[0].reshape(300, -1), garments[1]
    model = make_pipeline(StandardScaler(), LogisticRegression(max_iter=20, tol=0.1))
    return model.fit(X[:100], y[:100])


def pixels(figure):
    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    return np.asarray(canvas.buffer_rgba())


class TestExplanations:
    def test_each_image_lies_under_its_heat_map(self, garments):
        X, y = garments[0][:3], garments[1][:3]
        heat_maps = np.random.RandomState(0).uniform(size=(3, 28, 28)).astype(np.float32)
        figure = plot_explanations(X, heat_maps, y, class_names=CLASS_NAMES, alpha=0.5)
        *axes, _ = figure.axes
        assert [ax.get_title() for ax in axes] == [CLASS_NAMES[label] for label in y]
        for ax, image, heat in zip(axes, X, heat_maps, strict=True):
            below, above = ax.images
            assert_allclose(below.get_array(), image / 255)
            assert_allclose(above.get_array(), heat)
            assert_allclose(above.get_alpha(), 0.5 * heat)
            assert above.get_clim() == (0, 1)

    def test_where_nothing_is_hot_the_image_is_as_it_is(self, garments):
        figure = Figure(figsize=(3, 3))
        plot_explanations(garments[0][:1], np.zeros((1, 28, 28)), figure=figure)
        cold = pixels(figure).copy()
        figure.axes[0].images[1].set_visible(False)
        assert_array_equal(cold, pixels(figure))

    def test_a_colour_bar_is_as_transparent_as_the_maps(self, garments):
        figure = plot_explanations(garments[0][:3], np.zeros((3, 28, 28)), alpha=0.5)
        bar = figure.axes[-1]
        labels = [label.get_text() for label in bar.get_xticklabels()]
        assert labels == ["heat: none", "most"]
        figure.draw_without_rendering()
        alphas = bar.collections[-1].get_facecolors()[:, 3]
        assert_allclose(alphas, np.linspace(0, 0.5, 256), atol=1e-6)
        assert figure.get_tightbbox().y1 < figure.get_size_inches()[1]
        assert bar.get_window_extent().y1 < figure.axes[0].get_window_extent().y0

    @pytest.mark.parametrize(
        ("arguments", "title"),
        [
            ({}, "Bag"),
            ({"predictions": [9]}, "Bag \N{RIGHTWARDS ARROW}\nAnkle boot"),
            (
                {"predictions": [9], "probabilities": [0.934]},
                "Bag \N{RIGHTWARDS ARROW}\nAnkle boot, 93 %",
            ),
        ],
    )
    def test_titles_have_the_true_class_and_the_prediction(self, garments, arguments, title):
        X, heat = garments[0][:1], np.zeros((1, 28, 28))
        figure = plot_explanations(X, heat, [8], class_names=CLASS_NAMES, **arguments)
        assert figure.axes[0].get_title() == title

    @pytest.mark.parametrize("draw", [plot_samples, plot_explanations])
    def test_keyword_arguments_reach_pictures_and_titles(self, garments, draw):
        heat_maps = {"heat_maps": np.zeros((2, 28, 28))} if draw is plot_explanations else {}
        style = {"im_kw": {"cmap": "viridis"}, "text_kw": {"size": 17}}
        ax = draw(garments[0][:2], labels=[1, 2], **heat_maps, **style).axes[0]
        assert ax.images[0].get_cmap().name == "viridis"
        assert ax.title.get_fontsize() == 17

    def test_hot_pixels_are_colored(self, garments):
        hot = np.zeros((1, 28, 28))
        hot[:, :14] = 1.0
        colors = pixels(plot_explanations(garments[0][:1], hot)).astype(int)
        assert np.ptp(colors[..., :3], axis=-1).max() > 100

    def test_rgb_flat_and_wide_images_are_drawn_too(self):
        X = np.random.RandomState(0).randint(0, 256, (3, 8, 12, 3)).astype(np.uint8)
        heat_maps = np.random.RandomState(1).uniform(size=(3, 8, 12))
        figure = plot_explanations(X, heat_maps)
        assert figure.axes[0].images[0].get_array().shape == (8, 12, 3)
        flat = plot_explanations(X.reshape(3, -1), heat_maps, image_shape=(8, 12, 3))
        assert_array_equal(pixels(figure), pixels(flat))

    def test_they_draw_on_the_figure_given_in_columns(self, garments):
        figure = Figure()
        assert plot_explanations(garments[0][:5], np.zeros((5, 28, 28)), figure=figure) is figure
        figure = plot_explanations(garments[0][:5], np.zeros((5, 28, 28)), n_columns=2)
        assert figure.axes[0].get_subplotspec().get_gridspec().get_geometry() == (3, 2)

    @pytest.mark.parametrize(
        ("arguments", "message"),
        [
            ({"heat_maps": np.zeros((2, 28, 27))}, r"shape \(2, 28, 27\), but the images need"),
            ({"heat_maps": np.zeros((1, 28, 28))}, r"shape \(1, 28, 28\), but the images need"),
            ({"heat_maps": np.full((2, 28, 28), 2.0)}, "values from 2 to 2, expected 0 to 1"),
            ({"heat_maps": np.full((2, 28, 28), np.nan)}, "NaN"),
            ({"labels": [1]}, "inconsistent numbers of samples"),
            ({"labels": [1, 2], "predictions": [1]}, "inconsistent numbers of samples"),
            ({"predictions": [1, 2]}, "predictions needs labels, but it is None; pass both"),
            ({"labels": [1, 2], "probabilities": [1, 1]}, "probabilities needs predictions"),
            ({"alpha": 1.5}, "'alpha' parameter of plot_explanations"),
            ({"n_columns": 0}, "n_columns"),
        ],
    )
    def test_what_does_not_belong_together_is_refused(self, garments, arguments, message):
        with pytest.raises(ValueError, match=message):
            plot_explanations(garments[0][:2], **{"heat_maps": np.zeros((2, 28, 28)), **arguments})


@pytest.fixture
def photos(tmp_path):
    """Return six photos, of which the first and the fourth alone can be read."""
    for i in range(6):
        path = tmp_path / f"{i} {'a name of a file that is long' * (i == 3)}.png"
        if i in (0, 3):
            Image.new("RGB", (8, 8), (40 * i, 0, 0)).save(path)
        else:
            path.write_text("no image")
    return ImageFolder.from_paths(tmp_path, image_size=8)


class TestImageFolders:
    """Of photos in files, only those that are shown are read."""

    probabilities = np.array([[0.1, 0.9], *[[0.9, 0.1]] * 5])
    y = np.array([0, 0, 0, 1, 0, 0])

    def test_predictions_for_files(self, photos):
        display = MistakesDisplay.from_predictions(
            photos, self.y, self.probabilities, classes=[0, 1]
        )
        first, last = display.mistakes["path"]
        assert (first, last) == (photos.filenames[0], photos.filenames[3])
        titles = [ax.get_title().split("\n")[2] for ax in display.axes_]
        assert titles == ["0 .png", "3 a name\N{HORIZONTAL ELLIPSIS}that is long.png"]

    def test_a_comparison_of_files(self, photos):
        comparison = SimpleNamespace(
            probabilities_={"cnn": self.probabilities[[3, 0]]},
            y_true_=self.y[[3, 0]],
            indices_=np.array([3, 0]),
            images_=photos,
            classes_=np.array([0, 1]),
            class_names_=["bag", "coat"],
        )
        display = MistakesDisplay.from_comparison(comparison, "cnn")
        assert list(display.mistakes["path"]) == list(photos.filenames[[3, 0]])
        assert_allclose(display.axes_[0].images[0].get_array()[0, 0], [120 / 255, 0, 0])


class TestMistakesDisplay:
    def test_it_shows_the_worst_mistakes_of_an_estimator(self, garments, fitted):
        X, y = garments[0].reshape(300, -1)[100:], garments[1][100:]
        display = MistakesDisplay.from_estimator(
            fitted, X, y, n_mistakes=4, class_names=CLASS_NAMES
        )
        expected = worst_mistakes(fitted, X, y, n_mistakes=4, class_names=CLASS_NAMES)
        pd.testing.assert_frame_equal(display.mistakes, expected)
        assert display.axes_.shape == (4,)
        assert all(ax.figure is display.figure_ for ax in display.axes_)
        for ax, row in zip(display.axes_, expected.itertuples(), strict=True):
            title = f"{row.true} →\n{row.predicted}, {100 * row.probability:.0f} %"
            assert ax.get_title() == title
            assert_allclose(ax.images[0].get_array(), X[row.Index].reshape(28, 28) / 255)

    def test_predictions_are_shown_as_those_of_the_estimator(self, garments, fitted):
        X, y = garments[0].reshape(300, -1)[100:], garments[1][100:]
        first = MistakesDisplay.from_estimator(fitted, X, y, n_mistakes=3)
        second = MistakesDisplay.from_predictions(
            X, y, fitted.predict_proba(X), classes=fitted.classes_, n_mistakes=3
        )
        assert_array_equal(pixels(first.figure_), pixels(second.figure_))

    def test_every_form_of_images_looks_alike(self, garments):
        X, y = garments[0][:20], garments[1][:20]
        flat = X.reshape(20, -1)
        probabilities = np.random.RandomState(0).dirichlet(np.ones(10), 20)
        names = [f"pixel{i}" for i in range(1, 785)]
        forms = [X, flat, X[..., None], list(X), pd.DataFrame(flat, columns=names), X / 255.0]
        first, *others = (
            pixels(
                MistakesDisplay.from_predictions(
                    form, y, probabilities, classes=range(10), n_mistakes=2
                ).figure_
            )
            for form in forms
        )
        for other in others:
            assert_array_equal(other, first)

    def test_pictures_may_be_rgb_and_of_any_range(self):
        X = np.random.RandomState(0).normal(size=(6, 8, 12, 3))
        probabilities = np.tile([0.9, 0.1], (6, 1))
        for form in (X, X.reshape(6, -1)):
            display = MistakesDisplay.from_predictions(
                form,
                np.ones(6),
                probabilities,
                classes=[0, 1],
                n_mistakes=2,
                image_shape=(8, 12, 3),
            )
            shown = display.axes_[1].images[0].get_array()
            # Scaled by most of the pixels of all images, also of those that are not shown.
            low, high = np.quantile(X, (0.01, 0.99))
            assert_allclose(shown, ((X[1] - low) / (high - low)).clip(0, 1), atol=1e-6)

    def test_it_can_be_made_from_a_table_and_drawn_again(self, garments, fitted):
        X, y = garments[0].reshape(300, -1)[100:], garments[1][100:]
        table = worst_mistakes(fitted, X, y, n_mistakes=3)
        display = MistakesDisplay(garments[0][100:][table.index], table)
        figure = Figure()
        assert display.plot(figure, n_columns=2) is display
        assert display.figure_ is figure
        geometry = display.axes_[0].get_subplotspec().get_gridspec().get_geometry()
        assert geometry == (2, 2)

    def test_keyword_arguments_reach_pictures_and_titles(self, garments, fitted):
        X, y = garments[0].reshape(300, -1)[100:], garments[1][100:]
        style = {"im_kw": {"cmap": "viridis"}, "text_kw": {"size": 17, "color": "red"}}
        first = MistakesDisplay.from_estimator(fitted, X, y, n_mistakes=2, **style)
        second = MistakesDisplay.from_predictions(
            X, y, fitted.predict_proba(X), classes=fitted.classes_, n_mistakes=2, **style
        )
        for ax in (*first.axes_, *second.axes_):
            assert ax.images[0].get_cmap().name == "viridis"
            assert ax.images[0].get_clim() == (0, 1)
            assert (ax.title.get_fontsize(), ax.title.get_color()) == (17, "red")

    def test_without_mistakes_it_says_so(self, garments):
        X, y = garments[0][:4], np.zeros(4)
        right = np.tile([0.9, 0.1], (4, 1))
        for figure in (None, Figure(), Figure().subfigures(1, 2)[0]):
            display = MistakesDisplay.from_predictions(X, y, right, classes=[0, 1], figure=figure)
            assert [text.get_text() for text in display.figure_.texts] == ["No mistakes"]
            assert len(display.mistakes) == len(display.axes_) == 0

    def test_long_names_do_not_run_into_each_other(self):
        X, y = np.zeros((4, 28, 28), dtype=np.uint8), [0] * 4
        wrong = np.tile([0.0, 1.0], (4, 1))
        names = ["a garment of a long name", "another garment of a long name"]
        display = MistakesDisplay.from_predictions(X, y, wrong, classes=[0, 1], class_names=names)
        display.figure_.draw_without_rendering()
        boxes = [ax.title.get_window_extent() for ax in display.axes_]
        for box, following in pairwise(boxes):
            assert box.x1 < following.x0
        assert boxes[0].x0 > 0
        assert boxes[-1].x1 < display.figure_.bbox.x1

    def test_mistakes_of_one_pair_are_drawn_alone(self, garments, fitted):
        X, y = garments[0].reshape(300, -1)[100:], garments[1][100:]
        worst = worst_mistakes(fitted, X, y, class_names=CLASS_NAMES)
        true, predicted = worst["true"].iloc[0], worst["predicted"].iloc[0]
        display = MistakesDisplay.from_estimator(
            fitted, X, y, class_names=CLASS_NAMES, true=true, predicted=predicted
        )
        assert set(zip(display.mistakes["true"], display.mistakes["predicted"], strict=True)) == {
            (true, predicted)
        }

    def test_a_comparison_gives_images_labels_and_names(self, make_comparison):
        comparison = make_comparison(["cnn", "hog-svm"], n_classes=4)
        display = MistakesDisplay.from_comparison(comparison, "cnn", n_mistakes=3)
        wrong = comparison.predictions_["cnn"] != comparison.y_true_
        assert set(display.mistakes.index) <= set(comparison.indices_[wrong])
        assert display.mistakes.index.name == "image"
        for ax, row in zip(display.axes_, display.mistakes.itertuples(), strict=True):
            assert_allclose(ax.images[0].get_array(), comparison.images_[row.Index] / 255)
            (position,) = np.flatnonzero(comparison.indices_ == row.Index)
            label = comparison.y_true_[position]
            assert row.true == label.replace("label", "Class")
        for pair in ({"true": "Class 1"}, {"true": "label 1"}):
            display = MistakesDisplay.from_comparison(comparison, "cnn", **pair)
            assert set(display.mistakes["true"]) <= {"Class 1"}

    def test_a_model_of_a_comparison_must_be_known_and_have_probabilities(self, make_comparison):
        comparison = make_comparison(["cnn", "hog-svm"])
        with pytest.raises(ValueError, match="'hog-svm' predicts no probabilities"):
            MistakesDisplay.from_comparison(comparison, "hog-svm")
        with pytest.raises(ValueError, match="name='cn' is not a model of the comparison"):
            MistakesDisplay.from_comparison(comparison, "cn")
        with pytest.raises(ValueError, match="'n_mistakes' parameter"):
            MistakesDisplay.from_comparison(comparison, "cnn", n_mistakes=0)

    def test_a_classifier_without_probabilities_is_refused(self, garments):
        with pytest.raises(ValueError, match="LinearSVC has no predict_proba"):
            MistakesDisplay.from_estimator(LinearSVC(), *garments)

    @pytest.mark.parametrize(
        ("arguments", "message"),
        [
            ({"n_mistakes": 0}, "'n_mistakes' parameter of MistakesDisplay.from_predictions"),
            ({"n_columns": 0}, "'n_columns' parameter of MistakesDisplay.from_predictions"),
            ({"X": np.zeros((3, 28, 28))}, "inconsistent numbers of samples"),
            ({"classes": [0, 1, 2]}, "2 columns, but there are 3 classes"),
            ({"class_names": {0: "bag"}}, "labels 1 have no name"),
        ],
    )
    def test_what_does_not_belong_together_is_refused(self, garments, arguments, message):
        usual = {
            "X": garments[0][:2],
            "y_true": [1, 1],
            "probabilities": [[0.9, 0.1], [0.8, 0.2]],
            "classes": [0, 1],
        }
        with pytest.raises(ValueError, match=message):
            MistakesDisplay.from_predictions(**{**usual, **arguments})
