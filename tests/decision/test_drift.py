"""Tests of decisions against those on the images for calibration."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from fashionkit import SelectiveClassifier, save
from fashionkit.decision import compare_with_calibration


def draw(n_samples, seed, offset=0.0):
    rng = np.random.default_rng(seed)
    y = rng.integers(0, 3, n_samples)
    return rng.normal(y[:, None], 1, (n_samples, 4)) + offset, np.array(["a", "b", "c"])[y]


@pytest.fixture(scope="module")
def model():
    clf = SelectiveClassifier(
        LogisticRegression(), criterion="coverage", level=0.8, cv=0.5, random_state=0
    )
    return clf.fit(*draw(600, 0))


def test_decisions_on_like_images_have_not_shifted(model):
    shifts = compare_with_calibration(model, model.decide(draw(300, 1)[0]))
    assert shifts.index.tolist() == ["class shares", "confidence", "review rate"]
    assert shifts["verdict"].tolist() == ["within chance"] * 3
    assert shifts.loc["review rate", "reference"] == pytest.approx(0.2, abs=0.01)


def test_false_alarms_are_as_rare_as_asked_for(model):
    alarms = [
        compare_with_calibration(
            model, model.decide(draw(100, seed)[0]), n_permutations=99, random_state=seed
        )["p_holm"].min()
        < 0.05
        for seed in range(60)
    ]
    # 3 expected; more than 10 in one of a thousand cases.
    assert sum(alarms) <= 10


def test_decisions_on_other_images_have_shifted(model):
    shifts = compare_with_calibration(model, model.decide(draw(300, 1, offset=2.0)[0]))
    assert (shifts["p_holm"] < 0.01).all()
    assert shifts.loc["class shares", "verdict"].startswith("share of class c rose from")


def test_a_file_and_a_pipeline_are_models_too(model, tmp_path):
    decisions = model.decide(draw(300, 1, offset=2.0)[0])
    expected = compare_with_calibration(model, decisions)
    pipeline = make_pipeline(StandardScaler().fit(draw(50, 0)[0]), model)
    for one in (save(model, tmp_path / "model.fashionkit"), pipeline):
        pd.testing.assert_frame_equal(compare_with_calibration(one, decisions), expected)


def test_a_model_without_calibration_has_no_reference(model):
    X, y = draw(60, 0)
    decisions = model.decide(X)
    assert compare_with_calibration(LogisticRegression().fit(X, y), decisions) is None
    assert compare_with_calibration(model, decisions.assign(status="error")) is None


@pytest.mark.parametrize("decisions", [None, ["a"], 3])
def test_decisions_that_are_no_table_are_refused(model, decisions):
    with pytest.raises(TypeError, match="expected a DataFrame; pass the result of decide"):
        compare_with_calibration(model, decisions)


def test_rows_that_cannot_be_read_do_not_count_and_others_are_checked(model):
    decisions = model.decide(draw(300, 1)[0])
    expected = compare_with_calibration(model, decisions)
    error = decisions.iloc[:5].assign(status="error", label=None, confidence=np.nan)
    found = compare_with_calibration(model, pd.concat([decisions, error]))
    assert found.loc["confidence", "new"] == expected.loc["confidence", "new"]
    with pytest.raises(ValueError, match="expected the classes"):
        compare_with_calibration(model, decisions.assign(label="d"))
    with pytest.raises(ValueError, match="lacks the columns 'status'"):
        compare_with_calibration(model, decisions.drop(columns="status"))
