import numpy as np
import pandas as pd
import pytest
from matplotlib.figure import Figure
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer

from fashionkit import CLASS_NAMES
from fashionkit.plotting import TrainingHistoryDisplay, plot_samples
from fashionkit.plotting._history import draw_training_histories, training_history

HISTORY = {"accuracy": [0.5, 0.7, 0.8], "loss": [1.5, 1.0, 0.7]}
VALIDATED = {**HISTORY, "val_accuracy": [0.4, 0.6, 0.6], "val_loss": [1.6, 1.2, 1.1]}


@pytest.fixture(scope="module")
def fitted(garments):
    from fashionkit import CNNClassifier

    X, y = garments
    clf = CNNClassifier(
        architecture_params={"filters": (4,), "dense_units": ()},
        epochs=2,
        validation_fraction=0.2,
        random_state=0,
    )
    return clf.fit(X, y)


def pixels(figure):
    figure.canvas.draw()
    return np.asarray(figure.canvas.buffer_rgba())


def test_display_draws_training_and_validation_of_a_fitted_estimator(fitted):
    display = TrainingHistoryDisplay.from_estimator(fitted)
    accuracy, loss = display.axes_
    assert display.figure_ is accuracy.figure
    assert (accuracy.get_ylabel(), loss.get_ylabel()) == ("Accuracy", "Loss")
    assert accuracy.get_xlabel() == "Epoch"
    for name, line in display.lines_.items():
        assert_array_equal(line.get_xdata(), [1, 2])
        assert_allclose(line.get_ydata(), fitted.history_[name])
    assert display.lines_["val_loss"].get_linestyle() == "--"
    assert display.lines_["val_loss"].get_color() == display.lines_["loss"].get_color()


def legend_of(ax):
    return [text.get_text() for text in ax.get_legend().get_texts()]


def test_display_without_validation_draws_training_alone():
    display = TrainingHistoryDisplay(HISTORY).plot()
    assert set(display.lines_) == {"accuracy", "loss"}
    assert [len(ax.lines) for ax in display.axes_] == [1, 1]
    assert legend_of(display.axes_[1]) == ["training"]


def test_titles_have_the_name_and_the_best_held_out_epoch():
    accuracy, loss = TrainingHistoryDisplay(VALIDATED, name="cnn").plot().axes_
    assert accuracy.get_title() == "Accuracy by epoch, cnn\nbest held out: 60.00 % in epoch 2"
    assert loss.get_title() == "Loss by epoch, cnn\nbest held out: 1.1 in epoch 3"
    (accuracy, _) = TrainingHistoryDisplay(HISTORY).plot(name="quick").axes_
    assert accuracy.get_title() == "Accuracy by epoch, quick"


def test_a_star_marks_the_best_held_out_value_of_each_panel():
    accuracy, loss = TrainingHistoryDisplay(VALIDATED).plot().axes_
    for ax, expected in ((accuracy, (2, 0.6)), (loss, (3, 1.1))):
        (star,) = [line for line in ax.lines if line.get_marker() == "*"]
        assert star.get_xydata().tolist() == [list(expected)]
    assert legend_of(loss) == ["training", "held out", "best held out"]


def test_values_that_are_nan_have_no_star():
    nan = [float("nan")] * 3
    accuracy, _ = TrainingHistoryDisplay({**VALIDATED, "val_accuracy": nan}).plot().axes_
    assert len(accuracy.lines) == 2
    assert accuracy.get_title() == "Accuracy by epoch"


def test_models_of_a_comparison_share_one_pair_of_axes(make_comparison):
    comparison = make_comparison(["cnn", "cnn-fast", "hog-svm"])
    comparison.histories_ = {"cnn": VALIDATED, "cnn-fast": HISTORY}
    display = TrainingHistoryDisplay.from_comparison(comparison)
    assert set(display.lines_) == {"cnn", "cnn-fast"}
    for curves in display.lines_.values():
        assert len({line.get_color() for line in curves.values()}) == 1
    first, second = (curves["loss"] for curves in display.lines_.values())
    assert first.get_color() != second.get_color()
    assert first.get_marker() != second.get_marker()
    labels = ["cnn", "cnn-fast", "training", "held out", "best held out"]
    assert legend_of(display.axes_[1]) == labels
    display = TrainingHistoryDisplay.from_comparison(comparison, "cnn-fast")
    assert set(display.lines_) == {"cnn-fast"}


def test_the_legend_of_many_models_hides_no_curve():
    histories = {f"a model with a long name {i}": VALIDATED for i in range(30)}
    figure = draw_training_histories(histories)
    figure.draw_without_rendering()
    legend = figure.axes[1].get_legend().get_window_extent()
    assert legend.x0 > figure.axes[1].get_window_extent().x1
    assert legend.x1 < figure.bbox.x1
    assert legend.y0 > 0


def test_the_legend_is_inside_where_no_layout_makes_room_beside_the_axes():
    for layout, is_inside in ((None, True), ("constrained", False)):
        figure = Figure(layout=layout)
        _, ax = TrainingHistoryDisplay(VALIDATED).plot(figure).axes_
        figure.draw_without_rendering()
        legend = ax.get_legend().get_window_extent()
        assert (legend.x1 < ax.get_window_extent().x1) == is_inside


def test_a_comparison_without_epochs_is_refused(make_comparison):
    comparison = make_comparison(["hog-svm"])
    with pytest.raises(ValueError, match="no model that was trained in epochs"):
        TrainingHistoryDisplay.from_comparison(comparison)
    comparison.histories_ = {"cnn": HISTORY}
    with pytest.raises(ValueError, match="names='hog-svm' is not a model"):
        TrainingHistoryDisplay.from_comparison(comparison, "hog-svm")


def test_display_draws_on_two_axes_given():
    axes = Figure().subplots(2, 1)
    display = TrainingHistoryDisplay(VALIDATED).plot(axes, line_kw={"color": "red"})
    assert_array_equal(display.axes_, axes)
    assert {line.get_color() for line in display.lines_.values()} == {"red"}


def test_display_takes_matplotlib_s_short_names_of_line_properties():
    display = TrainingHistoryDisplay(VALIDATED).plot(line_kw={"c": "red", "ls": ":", "marker": ""})
    assert len(display.lines_) == 4
    for line in display.lines_.values():
        assert (line.get_color(), line.get_linestyle(), line.get_marker()) == ("red", ":", "")


def test_display_of_an_estimator_passes_line_properties_on(fitted):
    display = TrainingHistoryDisplay.from_estimator(fitted, line_kw={"linewidth": 4})
    assert {line.get_linewidth() for line in display.lines_.values()} == {4}


def test_display_divides_one_axes_given():
    figure = Figure()
    ax = figure.subplots()
    display = TrainingHistoryDisplay(VALIDATED).plot(ax)
    assert display.figure_ is figure
    assert len(figure.axes) == 3
    assert not ax.axison


@pytest.mark.parametrize(
    ("make_ax", "message"),
    [
        (lambda figure: figure.subplots(1, 3), "3 axes, expected one or two"),
        (
            lambda figure: figure.add_axes((0, 0, 1, 1)),
            "cannot be divided|can be divided",
        ),
    ],
)
def test_display_refuses_axes_that_it_cannot_use(make_ax, message):
    with pytest.raises(ValueError, match=message):
        TrainingHistoryDisplay(HISTORY).plot(make_ax(Figure()))


def test_display_says_that_an_estimator_has_no_epochs():
    with pytest.raises(ValueError, match="LogisticRegression has no history_"):
        TrainingHistoryDisplay.from_estimator(LogisticRegression())


def test_history_is_found_in_pipelines_and_searches(garments, tiny_cnn, fitted):
    X, y = garments
    pipeline = make_pipeline(FunctionTransformer(), tiny_cnn())
    search = GridSearchCV(pipeline, {"cnnclassifier__batch_size": [64]}, cv=2).fit(X, y)
    inner = search.best_estimator_[-1]
    assert training_history(search) is inner.history_
    assert training_history(search.best_estimator_) is inner.history_
    assert training_history(fitted) is fitted.history_
    assert training_history(LogisticRegression()) is None


def test_history_of_another_library_s_form_is_left_alone():
    class Other:
        history_ = [{"train_loss": 1.0}]

    assert training_history(Other()) is None


def test_history_of_one_epoch_is_visible():
    display = TrainingHistoryDisplay({"loss": [1.0]}).plot()
    assert display.lines_["loss"].get_marker() == "."
    assert not display.axes_[0].lines


def test_samples_show_each_image_under_its_name(garments):
    X, y = garments
    figure = plot_samples(X[:12], y[:12], class_names=CLASS_NAMES)
    titles = [ax.get_title() for ax in figure.axes]
    assert titles == [CLASS_NAMES[label] for label in y[:12]]
    assert_allclose(figure.axes[3].images[0].get_array(), X[3] / 255)
    assert figure.axes[0].get_subplotspec().get_gridspec().get_geometry() == (2, 10)


def test_samples_take_every_form_of_images_alike(garments):
    X = garments[0][:4]
    flat = X.reshape(4, -1)
    forms = [
        X,
        flat,
        X[..., None],
        list(X),
        pd.DataFrame(flat, columns=[f"pixel{i}" for i in range(1, 785)]),
        X / 255.0,
    ]
    first, *others = (pixels(plot_samples(form)) for form in forms)
    for other in others:
        assert_array_equal(other, first)


def test_samples_may_be_rgb_or_wide():
    X = np.random.RandomState(0).randint(0, 256, (3, 8, 12, 3)).astype(np.uint8)
    figure = plot_samples(X)
    assert figure.axes[0].images[0].get_array().shape == (8, 12, 3)
    flat = plot_samples(X.reshape(3, -1), image_shape=(8, 12, 3))
    assert_array_equal(pixels(figure), pixels(flat))


def test_samples_draw_on_the_figure_given(garments):
    figure = Figure(figsize=(3, 2))
    assert plot_samples(garments[0][:2], figure=figure) is figure
    assert len(figure.axes) == 2


def test_samples_write_labels_that_have_no_names(garments):
    figure = plot_samples(garments[0][:2], ["bag", "boot"])
    assert [ax.get_title() for ax in figure.axes] == ["bag", "boot"]
    figure = plot_samples(garments[0][:2], ["b", "c"], class_names={"b": "bag", "c": "coat"})
    assert [ax.get_title() for ax in figure.axes] == ["bag", "coat"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"labels": [1]}, "inconsistent numbers of samples"),
        ({"labels": [1, 11], "class_names": CLASS_NAMES}, "labels 11 have no name"),
        ({"labels": [1, -1], "class_names": CLASS_NAMES}, "labels -1 have no name"),
        ({"n_columns": 0}, "n_columns"),
        ({"image_shape": (5, 5)}, "pass image_shape=None"),
    ],
)
def test_samples_refuse_what_does_not_belong_together(garments, arguments, message):
    with pytest.raises(ValueError, match=message):
        plot_samples(garments[0][:2], **arguments)
