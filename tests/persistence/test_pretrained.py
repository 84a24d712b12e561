"""Models that come with the package."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import textwrap

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.utils.validation import check_is_fitted

from fashionkit import list_pretrained, load_pretrained
from fashionkit.persistence import ModelFileError, _pretrained, describe
from fashionkit.persistence._pretrained import PRETRAINED, pretrained_file

CLOTHES = [
    *("dress", "hat", "longsleeve", "outwear", "pants"),
    *("shirt", "shoes", "shorts", "skirt", "t-shirt"),
]


@pytest.mark.parametrize("name", PRETRAINED)
def test_a_model_is_fitted_and_holds_no_place_of_ours(name):
    model = load_pretrained(name)
    check_is_fitted(model)
    assert model is not load_pretrained(name)
    params = clone(model).get_params()
    assert params.get("weights", "imagenet") == "imagenet"
    assert params.get("checkpoint_dir") is None
    assert params.get("verbose", 0) == 0


@pytest.mark.parametrize("name", PRETRAINED)
def test_its_card_is_of_this_file(name):
    description = describe(pretrained_file(name))
    card = pretrained_file(name, ".md").read_text(encoding="utf-8")
    assert description.sha256 == PRETRAINED[name]
    assert f" {description.n_bytes} " in card
    assert description.sha256 in card
    assert f'load_pretrained("{name}")' in card
    assert re.search(r"accuracy +\| +\d\d\.\d\d % \(\d+ of \d+\)", card)
    for label in description.classes:
        assert f" {label} " in card
    for heading in ("limitations", "Training Procedure", "By class", "Known failures"):
        assert heading in card
    assert "More Information Needed" not in card
    assert re.search(r"(^|\s)/\w", card) is None  # no place on a machine
    assert description.metadata["name"] == name
    assert description.needs == []


def test_photos_are_classified_without_a_network_or_other_weights(tmp_path):
    script = """
        import numpy as np
        from fashionkit import load_pretrained

        model = load_pretrained("clothing-photos-small-v1")
        photos = np.full((2, 192, 192, 3), 200, np.uint8)
        photos[1, 40:150, 60:130] = 30
        probabilities = model.predict_proba(photos)
        assert probabilities.shape == (2, 10)
        assert np.allclose(probabilities.sum(axis=1), 1)
        print(*model.classes_)
    """
    no_network = {"http_proxy": "http://127.0.0.1:9", "https_proxy": "http://127.0.0.1:9"}
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(script)],
        env={**os.environ, **no_network, "KERAS_HOME": str(tmp_path)},
        capture_output=True,
        text=True,
        timeout=200,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.split() == CLOTHES
    assert not list(tmp_path.glob("models/*"))


def test_a_changed_file_is_refused(tmp_path, monkeypatch):
    data = bytearray(pretrained_file("clothing-photos-small-v1").read_bytes())
    data[-100] ^= 1
    changed = tmp_path / "changed.fashionkit"
    changed.write_bytes(data)
    monkeypatch.setattr(_pretrained, "pretrained_file", lambda name: changed)
    with pytest.raises(ModelFileError, match="is refused"):
        load_pretrained("clothing-photos-small-v1")


def test_an_unknown_name_is_answered_with_the_nearest():
    with pytest.raises(ValueError, match="the nearest is 'clothing-photos-small-v1'"):
        load_pretrained("clothing-photo-small")
    with pytest.raises(ValueError, match="name=None is not a model of the package"):
        load_pretrained(None)


def test_all_names_are_listed():
    assert list_pretrained() == list(PRETRAINED)
    files = pretrained_file(list_pretrained()[0]).parent.iterdir()
    assert sorted({path.stem for path in files if path.stem != "__pycache__"}) == sorted(PRETRAINED)
    for name in PRETRAINED:
        assert f'"{name}"' in load_pretrained.__doc__


def test_probabilities_are_what_they_were():
    """The file is for good: its answers to a drawing are those of the day that it was made."""
    model = load_pretrained("clothing-photos-small-v1")
    photo = np.full((1, 192, 192, 3), 235, np.uint8)
    photo[0, 40:170, 60:95] = photo[0, 40:170, 100:135] = (40, 60, 120)
    photo[0, 30:60, 60:135] = (40, 60, 120)
    expected = [0.0769, 0.0516, 0.038, 0.0328, 0.439, 0.0473, 0.0744, 0.0299, 0.0783, 0.1319]
    np.testing.assert_allclose(model.predict_proba(photo)[0], expected, atol=1e-3)
    assert model.predict(photo) == ["pants"]
