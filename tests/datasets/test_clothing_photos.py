import errno
import hashlib
import io
import os
import pickle
import socket
import zipfile
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
import pytest
from answering import answering
from numpy.testing import assert_array_equal
from PIL import Image

from fashionkit import ImageFolder, fetch_clothing_photos
from fashionkit.datasets import _download, _photo_archive

COLORS = {
    "train/dress/a.jpg": "red",
    "train/hat/b.jpg": "green",
    "train/hat/c.jpg": "blue",
    "validation/dress/d.jpg": "white",
    "test/hat/e.jpg": "black",
}


def jpeg(color, size=(30, 20)):
    file = io.BytesIO()
    Image.new("RGB", size, color).save(file, "JPEG")
    return file.getvalue()


FILES = {name: jpeg(color) for name, color in COLORS.items()}


def describe(part):
    """Return what a part has, as in the module, by another way: sha256sum's lines."""
    inside = {
        name.partition("/")[2]: FILES[name] for name in sorted(FILES) if name.startswith(part)
    }
    lines = [f"{hashlib.sha256(content).hexdigest()}  {name}\n" for name, content in inside.items()]
    return _photo_archive.Part(
        len(inside),
        hashlib.sha256("\n".join(inside).encode()).hexdigest(),
        hashlib.sha256("".join(lines).encode()).hexdigest(),
    )


PARTS = {part: describe(part) for part in ("train", "validation", "test")}


def zipped(files, extra=None):
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as file:
        file.writestr("repository-1a2b3c/README.md", "photos")
        for name, content in {**files, **(extra or {})}.items():
            file.writestr(f"repository-1a2b3c/{name}", content)
    return archive.getvalue()


INTACT = zipped(FILES)
OTHER = {**FILES, "train/hat/b.jpg": jpeg("yellow")}
ENCRYPTED = bytearray(INTACT)  # the flag of each member in the directory, and of each local header
for start in (b"PK\x01\x02", b"PK\x03\x04"):
    place = ENCRYPTED.find(start)
    while place >= 0:
        ENCRYPTED[place + (8 if start == b"PK\x01\x02" else 6)] |= 1
        place = ENCRYPTED.find(start, place + 1)

CHANGED = bytearray(INTACT)  # in the middle of the first photo
CHANGED[INTACT.index(b"a.jpg") + 100] ^= 1

DAMAGED = {
    "a web page": (b"<html>Please log in</html>", "not a zip file"),
    "half of it": (INTACT[: len(INTACT) // 2], "not a zip file"),
    "a changed byte": (bytes(CHANGED), "damaged on arrival"),
    "encrypted": (bytes(ENCRYPTED), "encrypted"),
    "another photo": (zipped(OTHER), "train: their SHA-256 is [0-9a-f]{64}, expected"),
    "a photo less": (
        zipped({name: FILES[name] for name in FILES if name != "train/hat/c.jpg"}),
        "train: 2 photos, expected 3",
    ),
    "another name": (
        zipped({name.replace("c.jpg", "x.jpg"): FILES[name] for name in FILES}),
        "train: photos of other names",
    ),
    "a photo more": (zipped(FILES, {"train/hat/x.jpg": b""}), "train: 4 photos, expected 3"),
    "a huge photo": (zipped(FILES, {"train/hat/x.jpg": bytes(2**20 + 1)}), "it has .*x.jpg"),
    "many photos": (
        zipped(FILES, {f"train/hat/{row}.jpg": b"" for row in range(1000)}),
        "train: 1,003 photos, expected 3",
    ),
    "a drive": (zipped(FILES, {"train/hat/C:x.jpg": b"out"}), "train: 4 photos, expected 3"),
    "a way out": (zipped(FILES, {"train/../x.jpg": b"out"}), r"it has .*\.\./x.jpg"),
}


class Site(ThreadingHTTPServer):
    """Answers /first and /second with their contents."""

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Handler)
        self.contents = {"/first": INTACT, "/second": INTACT}
        self.requests = []
        self.sources = tuple(f"http://127.0.0.1:{self.server_port}{path}" for path in self.contents)


class Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        self.server.requests.append(self.path)
        content = self.server.contents[self.path]
        if content is None:
            self.send_error(404)
            return
        self.send_response(200)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *args):
        pass


@pytest.fixture
def home(tmp_path, monkeypatch):
    """Give a machine without any photos whose data home is returned."""
    monkeypatch.delenv("FASHIONKIT_DATA", raising=False)
    monkeypatch.setattr("pooch.os_cache", lambda name: tmp_path / "cache" / name)
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    monkeypatch.setattr(_photo_archive, "PARTS", PARTS)
    monkeypatch.setattr(_photo_archive, "_SOURCES", ())
    monkeypatch.setattr(_download, "_TIMEOUT", 5)
    return tmp_path / "home"


@pytest.fixture
def site(home, monkeypatch):
    with answering(Site()) as site:
        monkeypatch.setattr(_photo_archive, "_SOURCES", site.sources)
        yield site


def put(folder, files=FILES):
    for name, content in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)


def files_under(folder):
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if not path.is_dir()}


def test_downloads_the_part_into_the_folder_of_the_data_set(site, home):
    photos = fetch_clothing_photos(image_size=8, data_home=home)
    assert files_under(home) == {
        f"clothing-dataset-small/{name}" for name in FILES if name.startswith("train")
    }
    assert isinstance(photos.data, ImageFolder)
    assert photos.data.shape == (3, 8, 8, 3)
    assert photos.target.tolist() == ["dress", "hat", "hat"]
    assert photos.target_names == ["dress", "hat"]
    assert [Path(name).name for name in photos.filenames] == ["a.jpg", "b.jpg", "c.jpg"]
    assert np.asarray(photos.data)[:, 4, 4].argmax(axis=1).tolist() == [0, 1, 2]
    assert "CC0" in photos.DESCR
    assert site.requests == ["/first"]


def test_all_parts_come_in_order(site, home):
    X, y = fetch_clothing_photos("all", image_size=8, data_home=home, return_X_y=True)
    assert [Path(name).name for name in X.filenames] == [f"{letter}.jpg" for letter in "abcde"]
    assert y.tolist() == ["dress", "hat", "hat", "dress", "hat"]
    assert files_under(home) == {f"clothing-dataset-small/{name}" for name in FILES}
    for part, rows in [("train", slice(3)), ("validation", slice(3, 4)), ("test", slice(4, 5))]:
        again, _ = fetch_clothing_photos(part, image_size=8, data_home=home, return_X_y=True)
        assert_array_equal(np.asarray(again), np.asarray(X[rows]))
    assert len(site.requests) == 1


def test_downloads_only_the_parts_that_are_missing(site, home):
    put(home / "photos", {name: FILES[name] for name in FILES if name.startswith("train")})
    photos = fetch_clothing_photos("all", data_home=home)
    assert Path(photos.filenames[0]) == home / "photos" / "train" / "dress" / "a.jpg"
    assert files_under(home / "clothing-dataset-small") == {
        name for name in FILES if not name.startswith("train")
    }


def test_photos_are_used_where_they_lie(home, tmp_path, monkeypatch):
    monkeypatch.setenv("FASHIONKIT_DATA", str(tmp_path / "data"))
    places = [
        home,
        home / "clothing-dataset-small",
        home / "photos",
        tmp_path / "data" / "photos",
        tmp_path / "cache" / "fashionkit" / "clothing-dataset-small",
    ]
    for place in places:
        put(place)
        photos = fetch_clothing_photos("test", data_home=home, download_if_missing=False)
        assert photos.filenames.tolist() == [str(place / "test" / "hat" / "e.jpg")]
        (place / "test" / "hat" / "e.jpg").unlink()


def test_photos_of_another_size_are_used_and_what_systems_leave_is_ignored(home):
    put(home / "photos", {name: jpeg(color, (9, 9)) for name, color in COLORS.items()})
    put(home / "photos", {"train/Thumbs.db": b"", "train/hat/Thumbs.db": b""})
    assert fetch_clothing_photos(data_home=home, download_if_missing=False).data.shape[0] == 3


def test_a_folder_of_other_photos_is_not_taken_for_these(site, home):
    put(home / "photos", {"train/hat/x.jpg": b""})
    photos = fetch_clothing_photos(data_home=home)
    assert len(photos.filenames) == 3
    assert (home / "photos" / "train" / "hat" / "x.jpg").exists()


def test_missing_photos_are_an_error_where_they_may_not_be_downloaded(site, home):
    put(home / "photos", {"train/hat/x.jpg": b""})
    with pytest.raises(OSError, match="not complete on this machine") as caught:
        fetch_clothing_photos("all", data_home=home, download_if_missing=False)
    message = str(caught.value)
    assert "Missing: train, validation, test." in message
    assert f"- {home / 'photos' / 'train'}: 1 photos, expected 3" in message
    assert "FASHIONKIT_DATA" in message
    assert site.requests == []


def test_what_lies_in_the_place_of_a_download_is_not_lost(site, home):
    mine = home / "clothing-dataset-small" / "train" / "hat" / "mine.jpg"
    put(home, {"clothing-dataset-small/train/hat/mine.jpg": b"mine"})
    with pytest.raises(FileExistsError, match="train is in the way of a download: 1 photos"):
        fetch_clothing_photos(data_home=home)
    assert mine.read_bytes() == b"mine"
    assert site.requests == []


@pytest.mark.parametrize("fault", DAMAGED)
def test_what_arrives_damaged_is_never_put_in_place(site, home, tmp_path, fault):
    content, message = DAMAGED[fault]
    site.contents = {"/first": content, "/second": None}
    with pytest.raises(OSError, match="could not be downloaded") as caught:
        fetch_clothing_photos(data_home=home)
    assert caught.match(message)
    first, second = site.sources
    assert f"- {first}: " in str(caught.value)
    assert f"- {second}: HTTPError: 404" in str(caught.value)
    assert files_under(tmp_path) == set()


@pytest.mark.parametrize("content", [None, b"<html>Please log in</html>"])
def test_a_failing_source_is_replaced_by_the_second(site, home, content):
    site.contents["/first"] = content
    assert len(fetch_clothing_photos(data_home=home).filenames) == 3
    assert site.requests == ["/first", "/second"]


def test_without_network_the_error_says_so(home, monkeypatch):
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        nobody = f"http://127.0.0.1:{unused.getsockname()[1]}/"
        monkeypatch.setattr(_photo_archive, "_SOURCES", (nobody,))
        with pytest.raises(OSError, match=f"{nobody}: ConnectionError"):
            fetch_clothing_photos(data_home=home)


def test_a_data_home_that_cannot_be_written_is_named(site, home):
    home.write_text("not a folder")
    with pytest.raises(OSError, match="cannot write the clothing photos into") as caught:
        fetch_clothing_photos(data_home=home)
    assert caught.value.errno in (errno.ENOTDIR, errno.EEXIST)
    assert str(home) in str(caught.value)


def test_a_part_that_another_process_put_first_is_used(site, home, monkeypatch):
    def lose_the_race(folder, target):
        put(target.parent, {name: FILES[name] for name in FILES if name.startswith("train")})
        raise OSError(errno.ENOTEMPTY, os.strerror(errno.ENOTEMPTY))

    monkeypatch.setattr("pathlib.Path.rename", lose_the_race)
    assert len(fetch_clothing_photos(data_home=home).filenames) == 3


def test_bunch_survives_pickling(site, home):
    photos = fetch_clothing_photos(image_size=8, data_home=home)
    again = pickle.loads(pickle.dumps(photos))
    assert_array_equal(np.asarray(again.data), np.asarray(photos.data))


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"subset": "valid"}, "'subset' parameter .* must be a str among"),
        ({"image_size": None}, "'image_size' parameter"),
        ({"image_size": (0, 8)}, "two positive integers"),
        ({"aspect": "fill"}, "'aspect' parameter"),
        ({"data_home": 3}, "'data_home' parameter"),
        ({"return_X_y": "yes"}, "'return_X_y' parameter"),
        ({"download_if_missing": None}, "'download_if_missing' parameter"),
    ],
)
def test_invalid_parameters_are_refused(site, home, parameters, message):
    with pytest.raises(ValueError, match=message):
        fetch_clothing_photos(**{"data_home": home, **parameters})


def test_invalid_sizes_are_refused_before_anything_is_downloaded(site, home):
    with pytest.raises(ValueError, match="image_size"):
        fetch_clothing_photos(image_size=(8, 8, 3), data_home=home)
    assert site.requests == []


@pytest.mark.realdata
def test_real_photos_are_of_ten_classes():
    try:
        photos = fetch_clothing_photos("validation", image_size=32, download_if_missing=False)
    except OSError as error:
        pytest.skip(str(error))
    assert photos.data.shape == (341, 32, 32, 3)
    assert len(photos.target_names) == 10
    assert np.unique(photos.target).tolist() == photos.target_names
