"""make_app: what it takes, what it tells, and to whom."""

from __future__ import annotations

import sys
from io import BytesIO

import numpy as np
import pytest
from PIL import Image
from served import StubSearch, photo, serving
from sklearn.exceptions import NotFittedError
from sklearn.pipeline import make_pipeline

from fashionkit import ImageLoader, ProductPhotoPreprocessor, make_app, make_model, save
from fashionkit.serving._guard import HEADERS


def colors_of(client, path="/predict"):
    files = {"file": ("a.png", photo((220, 10, 10)))}
    return client.post(path, files=files).json()["results"][0]


def test_health_and_metadata_say_what_is_served(client):
    assert client.get("/health").json() == {"status": "ok"}
    metadata = client.get("/metadata").json()
    assert metadata["model"] == "shirts"
    assert metadata["classes"] == ["blue shirt", "green shirt", "red shirt"]
    assert metadata["image_size"] == [16, 16]
    assert metadata["limits"]["max_files"] == 4
    assert not metadata["decides"]


def test_openapi_describes_all_requests(client):
    schema = client.get("/openapi.json").json()
    assert {"/predict", "/health", "/metadata"} == set(schema["paths"])
    body = schema["paths"]["/predict"]["post"]["requestBody"]["content"]
    assert "file" in body["multipart/form-data"]["schema"]["properties"]
    assert {"413", "415", "422", "503"} <= set(schema["paths"]["/predict"]["post"]["responses"])
    assert "confidence" in schema["components"]["schemas"]["Prediction"]["properties"]


@pytest.mark.parametrize("path", ["/", "/health", "/nothing", "/page.js", "/predict"])
def test_every_answer_has_the_headers_of_security(client, path):
    headers = client.get(path).headers
    assert {name: headers[name] for name in HEADERS} == HEADERS
    assert "server" not in headers
    assert "access-control-allow-origin" not in headers


@pytest.mark.parametrize("host", ["evil.example", "localhost.evil.example", ""])
def test_requests_to_another_host_are_refused(client, host):
    assert client.get("/health", headers={"host": host}).status_code == 421


@pytest.mark.parametrize("host", ["localhost:8000", "127.0.0.1", "192.168.1.7:80", "[::1]:8000"])
def test_requests_to_this_machine_and_to_addresses_are_answered(client, host):
    assert client.get("/health", headers={"host": host}).status_code == 200


def test_further_hosts_can_be_allowed(model):
    with serving(make_app(model, allowed_hosts=["Photos.example.com"])) as client:
        assert client.get("/health", headers={"host": "photos.example.com"}).status_code == 200
        assert client.get("/health", headers={"host": "example.com"}).status_code == 421


def test_pages_of_other_sites_may_not_send_photos(client):
    files = {"file": ("a.png", photo())}
    for origin in ("https://evil.example", "null"):
        answer = client.post("/predict", files=files, headers={"origin": origin})
        assert answer.status_code == 403
    own = f"http://{client.base_url.host}:{client.base_url.port}"
    assert client.post("/predict", files=files, headers={"origin": own}).status_code == 200


def test_an_error_of_the_model_says_nothing_of_the_inside(model, monkeypatch):
    from fashionkit.serving import _classify

    app = make_app(model)

    def fail(*args):
        raise RuntimeError("/srv/secret/model.fashionkit")

    monkeypatch.setattr(_classify, "decide", fail)
    with serving(app) as client:
        answer = client.post("/predict", files={"file": ("a.png", photo())})
        assert answer.status_code == 500
        assert "secret" not in answer.text
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert client.get("/health").status_code == 200


def test_a_saved_model_is_loaded_and_its_path_stays_secret(model, tmp_path):
    path = save(model, tmp_path / "shirts-v2.fashionkit")
    with serving(make_app(path)) as client:
        metadata = client.get("/metadata")
        assert metadata.json()["model"] == "shirts-v2"
        assert str(tmp_path) not in metadata.text
        assert colors_of(client)["label"] == "red shirt"


@pytest.mark.parametrize("first", [ImageLoader(16), ProductPhotoPreprocessor(image_size=16)])
def test_pipelines_that_begin_with_photos_are_served(first):
    rng = np.random.RandomState(0)
    X = [np.full((30, 20, 3), rng.randint(0, 255, 3), np.uint8) for _ in range(40)]
    y = ["light" if image.mean() > 128 else "dark" for image in X]
    if isinstance(first, ImageLoader):
        X = np.stack([np.resize(image, (16, 16, 3)) for image in X])
    pipeline = make_pipeline(first, make_model("pixels-tree", random_state=0)).fit(X, y)
    with serving(make_app(pipeline)) as client:
        assert colors_of(client)["label"] in ("light", "dark")


def test_without_fastapi_the_error_says_what_to_install(model, monkeypatch):
    monkeypatch.setitem(sys.modules, "fastapi", None)
    with pytest.raises(ImportError, match=r'pip install "fashionkit\[serve\]"'):
        make_app(model)


@pytest.mark.parametrize(
    ("params", "error", "match"),
    [
        ({"max_bytes": 0}, ValueError, "max_bytes"),
        ({"timeout": 0}, ValueError, "timeout"),
        ({"review_below": 2}, ValueError, "review_below"),
        ({"allowed_hosts": "example.com"}, ValueError, r"pass \['example.com'\]"),
        ({"pictures": "."}, ValueError, "but search=None"),
        ({"search": object()}, TypeError, "has no method search"),
        (
            {"search": StubSearch(["a"]), "pictures": "no/such"},
            FileNotFoundError,
            "is not a folder",
        ),
        ({"strings": {"page": {"headline": "x"}}}, ValueError, "'headline'"),
        ({"strings": {"pages": {}}}, ValueError, "'pages'"),
        ({"strings": "no/such.json"}, FileNotFoundError, "no/such"),
    ],
)
def test_what_is_wrong_is_said_by_name(model, params, error, match):
    with pytest.raises(error, match=match):
        make_app(model, **params)


def test_a_model_that_is_not_fitted_is_refused():
    with pytest.raises(NotFittedError):
        make_app(make_model("pixels-tree"))


class TestSearch:
    def test_neighbours_come_with_their_metadata_and_without_paths(self, model):
        search = StubSearch(["/srv/shop/a.jpg", "shop/b.jpg", "c.jpg"])
        with serving(make_app(model, search=search)) as client:
            files = [("file", ("a.png", photo())), ("file", ("b.png", b"broken"))]
            answer = client.post("/search?n_neighbors=2", files=files)
            assert client.get("/metadata").json()["search"]
            assert "/search" in client.get("/openapi.json").json()["paths"]
        found, broken = answer.json()["results"]
        assert (broken["status"], broken["code"]) == ("error", 415)
        assert [one["id"] for one in found["neighbors"]] == ["a.jpg", "shop/b.jpg"]
        assert found["neighbors"][1] == {
            "id": "shop/b.jpg",
            "distance": 0.1,
            "label": "shirt",
            "metadata": {"price": 5, "file": "1.jpg"},
            "picture": None,
        }
        assert "srv" not in answer.text
        assert search.queries[-1].shape == (1, 16, 16, 3)

    def test_more_neighbours_than_images_are_all_of_them(self, model):
        with serving(make_app(model, search=StubSearch([3, 5]))) as client:
            files = {"file": ("a.png", photo())}
            neighbors = client.post("/search", files=files).json()["results"][0]["neighbors"]
        assert [one["id"] for one in neighbors] == [3, 5]

    def test_pictures_of_results_are_shown_and_of_nothing_else(self, model, tmp_path):
        folder = tmp_path / "shop"
        folder.mkdir()
        (folder / "a.jpg").write_bytes(photo(size=(900, 600), kind="JPEG"))
        (tmp_path / "secret.png").write_bytes(photo())
        search = StubSearch(["a.jpg", "../secret.png", "missing.jpg"])
        with serving(make_app(model, search=search, pictures=folder)) as client:
            files = {"file": ("a.png", photo())}
            neighbors = client.post("/search", files=files).json()["results"][0]["neighbors"]
            answers = [client.get(f"/{one['picture']}") for one in neighbors]
            unknown = client.get("/pictures/0123.jpg")
        assert [one.status_code for one in answers] == [200, 404, 404]
        assert unknown.status_code == 404
        with Image.open(BytesIO(answers[0].content)) as picture:
            assert (picture.size, picture.format) == ((256, 171), "JPEG")

    def test_without_a_search_there_is_no_such_address(self, client):
        assert client.post("/search", files={"file": ("a.png", photo())}).status_code == 404
