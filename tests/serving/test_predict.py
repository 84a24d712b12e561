"""POST /predict: what is said of photos."""

from __future__ import annotations

import base64
from concurrent.futures import ThreadPoolExecutor
from io import BytesIO

import numpy as np
import pytest
from PIL import Image
from served import colors_and_labels, photo, serving
from sklearn.ensemble import VotingClassifier
from sklearn.frozen import FrozenEstimator
from sklearn.multioutput import MultiOutputClassifier
from sklearn.pipeline import make_pipeline

from fashionkit import SelectiveClassifier, classify_photos, make_app


def predict(client, *contents, **params):
    files = [("file", (f"{row}.png", content)) for row, content in enumerate(contents)]
    return client.post("/predict", files=files, params=params)


def test_a_photo_gets_what_classify_photos_says_of_its_file(client, model, tmp_path):
    contents = [
        photo((210, 20, 40), (400, 300), "JPEG", quality=80),
        photo((20, 30, 200), (50, 90)),
        photo((20, 200, 30), (64, 64), "WEBP"),
    ]
    paths = [tmp_path / f"{row}.img" for row in range(3)]
    for path, content in zip(paths, contents, strict=True):
        path.write_bytes(content)
    expected = classify_photos(model, paths)
    results = predict(client, *contents).json()["results"]
    for row, result in zip(expected.to_dict("records"), results, strict=True):
        for name in ("label", "confidence", "second", "second_confidence", "third", "status"):
            assert result[name] == row[name]
        assert ", ".join(result["quality"]) == row["quality"]
        colors = [(color["name"], color["hex"], color["share"]) for color in result["colors"]]
        assert colors[0] == (row["color_1"], row["hex_1"], row["share_1"])


def test_results_are_in_the_order_of_the_request_and_have_its_names(client):
    shades = [(220, 10, 10), (10, 220, 10), (10, 10, 220)]
    results = predict(client, *map(photo, shades)).json()["results"]
    assert [one["label"].split()[0] for one in results] == ["red", "green", "blue"]
    assert [(one["index"], one["name"]) for one in results] == [
        (0, "0.png"),
        (1, "1.png"),
        (2, "2.png"),
    ]


def test_a_corrupt_file_among_others_is_a_row_that_says_why(client):
    answer = predict(client, photo(), photo()[:90], b"no photo", b"")
    assert answer.status_code == 200
    results = answer.json()["results"]
    assert [one["status"] for one in results] == ["accepted", "error", "error", "error"]
    assert [one["code"] for one in results] == [None, 422, 415, 422]
    assert all(one["reason"] for one in results[1:])


@pytest.mark.parametrize(("content", "code"), [(b"no photo", 415), (photo()[:90], 422), (b"", 422)])
def test_where_no_photo_can_be_read_the_answer_has_its_code(client, content, code):
    answer = predict(client, content)
    assert answer.status_code == code
    assert answer.json()["results"][0]["code"] == code


def test_what_follows_the_end_of_an_image_does_not_count(client):
    whole = photo((220, 10, 10))
    one, other = predict(client, whole, whole + bytes(10_000)).json()["results"]
    assert (other["status"], other["label"]) == ("accepted", one["label"])


def test_orientation_is_applied_and_exif_goes_nowhere(client):
    exif = Image.Exif()
    exif[0x0112] = 6
    exif[0x010E] = "secret-description"
    answer = predict(client, photo(size=(60, 40), kind="JPEG", exif=exif), explain=True)
    (result,) = answer.json()["results"]
    assert (result["width"], result["height"]) == (40, 60)
    assert "secret" not in answer.text


def test_what_is_not_asked_for_is_left_out(client):
    (result,) = predict(client, photo(), quality=False, colors=0).json()["results"]
    assert (result["quality"], result["colors"], result["heat_map"]) == ([], [], None)
    (result,) = predict(client, photo((200, 0, 0), (9, 9))).json()["results"]
    assert "tiny" in result["quality"]
    assert result["colors"][0]["name"] == "red"


def test_a_selective_classifier_says_what_to_review_and_why(selective):
    half = photo((130, 130, 120))
    with serving(make_app(selective)) as client:
        sure, unsure = predict(client, photo((220, 10, 10)), half).json()["results"]
    assert sure["status"] == "accepted"
    assert unsure["status"] == "review"
    assert unsure["reason"].endswith("is below 0.900")
    assert sure["set"][0] == "red shirt"


def test_review_below_leaves_less_sure_predictions_of_other_models_to_review(model):
    with serving(make_app(model, review_below=0.999)) as client:
        assert client.get("/metadata").json()["decides"]
        (result,) = predict(client, photo((130, 130, 120))).json()["results"]
    assert result["status"] == "review"
    assert "is below 0.999" in result["reason"]


def test_what_says_that_it_decides_does(selective):
    X, y = colors_and_labels(30)
    voting = VotingClassifier([("one", FrozenEstimator(selective))], voting="soft").fit(X, y)
    several = MultiOutputClassifier(FrozenEstimator(selective)).fit(X, np.column_stack([y, y]))
    several.estimators_ = [selective, selective]
    for model, decides in ((selective, True), (voting, False), (several, True)):
        with serving(make_app(model)) as client:
            assert client.get("/metadata").json()["decides"] == decides
            (result,) = predict(client, photo((130, 130, 120))).json()["results"]
            assert (result["status"] == "review") == decides


@pytest.mark.parametrize(
    "around",
    [
        lambda clf: clf,
        FrozenEstimator,
        lambda clf: SelectiveClassifier(FrozenEstimator(clf), random_state=0),
        lambda clf: make_pipeline(FrozenEstimator(clf)),
    ],
    ids=["network", "frozen", "calibrated", "pipeline"],
)
def test_a_network_says_where_it_looked(tiny_cnn, garments, around):
    X, y = garments
    X = np.repeat(X[..., np.newaxis], 3, axis=3)
    clf = around(tiny_cnn().fit(X[:100], y[:100]))
    if not hasattr(clf, "_network"):
        clf.fit(X[100:200], y[100:200])
    with serving(make_app(clf)) as client:
        assert client.get("/metadata").json()["heat_maps"]
        (result,) = predict(client, photo(size=(80, 40)), explain=True).json()["results"]
    if result["heat_map"] is None:  # nothing speaks for the label
        pytest.fail("the map of this photo is empty")
    picture = Image.open(BytesIO(base64.b64decode(result["heat_map"]["image"])))
    assert (picture.size, picture.mode) == ((28, 28), "RGBA")
    assert result["heat_map"]["box"] == [0.25, 0.0, 0.5, 1.0]
    assert isinstance(result["label"], int)


def test_a_forest_has_no_heat_maps(client):
    assert not client.get("/metadata").json()["heat_maps"]
    (result,) = predict(client, photo(), explain=True).json()["results"]
    assert result["heat_map"] is None


def test_many_requests_at_once_each_get_their_own_answer(client):
    shades = {"red": (220, 10, 10), "green": (10, 220, 10), "blue": (10, 10, 220)}
    wanted = [name for _ in range(20) for name in shades]

    def label(name):
        answer = predict(client, photo(shades[name]), quality=False, colors=0)
        return answer.json()["results"][0]["label"].split()[0]

    with ThreadPoolExecutor(20) as threads:
        assert list(threads.map(label, wanted)) == wanted
