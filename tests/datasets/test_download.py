import _thread
import errno
import gzip
import hashlib
import logging
import os
import signal
import socket
import struct
import subprocess
import sys
import threading
import warnings
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
import pytest
from answering import answering

import fashionkit
from fashionkit.datasets import _download, fetch_fashion_mnist

IMAGES, LABELS = "t10k-images-idx3-ubyte.gz", "t10k-labels-idx1-ubyte.gz"


def idx_gz(array):
    header = struct.pack(f">HBB{array.ndim}I", 0, 8, array.ndim, *array.shape)
    return gzip.compress(header + array.tobytes(), mtime=0)


PIXELS = np.random.RandomState(0).randint(0, 256, (5, 28, 28)).astype(np.uint8)
THE_LABELS = [9, 0, 3, 3, 1]
FILES = {IMAGES: idx_gz(PIXELS), LABELS: idx_gz(np.array(THE_LABELS, np.uint8))}
SHA256 = {name: hashlib.sha256(content).hexdigest() for name, content in FILES.items()}


class Handler(BaseHTTPRequestHandler):
    """Answers /first/NAME and /second/NAME as the site's behaviour says."""

    def do_GET(self):
        _, source, name = self.path.split("/")
        self.server.requests.append((source, name))
        getattr(self, self.server.behaviour[source])(FILES[name])

    def log_message(self, *args):
        pass

    def head(self, length):
        self.send_response(200)
        self.send_header("Content-Length", str(length))
        self.end_headers()

    def intact(self, content):
        self.head(len(content))
        self.wfile.write(content)

    def missing(self, content):
        self.send_error(404)

    def truncated(self, content):
        self.head(len(content))
        self.wfile.write(content[:-10])

    def shortened(self, content):
        self.head(len(content) - 10)
        self.wfile.write(content[:-10])

    def corrupt(self, content):
        self.head(len(content))
        self.wfile.write(content[:-20] + bytes([content[-20] ^ 1]) + content[-19:])

    def captive_portal(self, content):
        self.intact(b"<html>Please log in</html>")

    def nonsense(self, content):
        self.wfile.write(b"\0\1\2\3\r\n\r\n")

    def miscounted(self, content):
        self.send_response(200)
        self.send_header("Content-Length", "many")
        self.end_headers()

    def stalled(self, content):
        self.head(len(content))
        self.wfile.write(content[:10])
        self.server.closing.wait(20)

    def reset(self, content):
        self.head(len(content))
        self.wfile.write(content[:10])
        linger = struct.pack("ii", 1, 0)
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
        self.connection.close()

    def interrupting(self, content):
        self.head(len(content))
        self.wfile.write(content[:10])
        _thread.interrupt_main()
        self.wfile.write(content[10:])

    def simultaneous(self, content):
        """Answer two requests at the same moment, not before both have come."""
        self.server.barrier.wait(20)
        self.intact(content)


class Site(ThreadingHTTPServer):
    def __init__(self):
        super().__init__(("127.0.0.1", 0), Handler)
        self.behaviour = {"first": "intact", "second": "intact"}
        self.requests = []
        self.closing = threading.Event()
        self.barrier = threading.Barrier(2)
        self.sources = tuple(
            f"http://127.0.0.1:{self.server_port}/{source}/" for source in self.behaviour
        )

    def handle_error(self, request, client_address):
        """Say nothing: clients that hang up are what is tested."""


@pytest.fixture
def site():
    with answering(Site()) as site:
        yield site
        site.closing.set()


@pytest.fixture
def home(tmp_path, monkeypatch):
    """Give a machine without any Fashion-MNIST whose data home is returned."""
    monkeypatch.setenv("KERAS_HOME", str(tmp_path / "keras"))
    monkeypatch.delenv("FASHIONKIT_DATA", raising=False)
    monkeypatch.setattr("pooch.os_cache", lambda name: tmp_path / "cache" / name)
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    monkeypatch.setattr(_download, "_SHA256", SHA256)
    monkeypatch.setattr(_download, "_SOURCES", ())
    monkeypatch.setattr(_download, "_TIMEOUT", 5)
    return tmp_path / "home"


@pytest.fixture
def online(home, site, monkeypatch):
    monkeypatch.setattr(_download, "_SOURCES", site.sources)
    return home


def fetch_labels(**kwargs):
    return fetch_fashion_mnist("test", return_X_y=True, **kwargs)[1].tolist()


def put(folder, damaged=()):
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in FILES.items():
        (folder / name).write_bytes(b"damaged" if name in damaged else content)


def files_under(folder):
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if not path.is_dir()}


# Downloading


@pytest.mark.parametrize("style", ["-idx", ".idx"])
def test_decompressed_files_are_found_by_either_name(home, monkeypatch, style):
    unpacked = {name.removesuffix(".gz"): gzip.decompress(FILES[name]) for name in FILES}
    sha256 = {name: hashlib.sha256(content).hexdigest() for name, content in unpacked.items()}
    monkeypatch.setattr(_download, "_SHA256_UNPACKED", sha256)
    home.mkdir()
    for name, content in unpacked.items():
        (home / name.replace("-idx", style)).write_bytes(content)
    assert fetch_labels(data_home=home) == THE_LABELS


def test_decompressed_files_that_are_damaged_are_not_used(home):
    home.mkdir()
    for name in FILES:
        (home / name.removesuffix(".gz")).write_bytes(b"damaged")
    with pytest.raises(OSError, match="t10k-images-idx3-ubyte: its 7 bytes have SHA-256"):
        fetch_labels(data_home=home, download_if_missing=False)


def test_downloads_into_the_fashion_mnist_folder_of_data_home(online, site):
    assert fetch_labels(data_home=online) == THE_LABELS
    assert files_under(online) == {f"fashion-mnist/{name}" for name in FILES}
    assert site.requests == [("first", IMAGES), ("first", LABELS)]


def test_downloads_only_once(online, site):
    fetch_labels(data_home=online)
    fetch_labels(data_home=online)
    assert len(site.requests) == 2


def test_downloads_only_what_is_missing(online, site):
    put(online)
    (online / LABELS).unlink()
    fetch_labels(data_home=online)
    assert site.requests == [("first", LABELS)]


def test_downloads_into_fashionkit_data_by_default(online, tmp_path, monkeypatch):
    monkeypatch.setenv("FASHIONKIT_DATA", str(tmp_path / "data"))
    fetch_labels()
    assert files_under(tmp_path) == {f"data/fashion-mnist/{name}" for name in FILES}


def test_downloads_into_the_users_cache_without_fashionkit_data(online, tmp_path, monkeypatch):
    monkeypatch.setenv("FASHIONKIT_DATA", "")
    fetch_labels()
    assert files_under(tmp_path / "cache" / "fashionkit") == {
        f"fashion-mnist/{name}" for name in FILES
    }


def test_downloaded_files_have_the_permissions_of_any_new_file(online, tmp_path):
    fetch_labels(data_home=online)
    (tmp_path / "any").touch()
    assert (online / "fashion-mnist" / IMAGES).stat().st_mode == (tmp_path / "any").stat().st_mode


def test_shows_a_progress_bar_on_stderr_only(online, capsys):
    fetch_labels(data_home=online)
    printed = capsys.readouterr()
    assert IMAGES in printed.err
    assert printed.out == ""


FAILURES = {
    "missing": "HTTPError: 404",
    "truncated": "IncompleteRead|damaged on arrival",
    "shortened": f"damaged on arrival, its {len(FILES[IMAGES]) - 10} bytes have",
    "corrupt": f"damaged on arrival, its {len(FILES[IMAGES])} bytes have SHA-256",
    "captive_portal": "damaged on arrival, its 26 bytes have SHA-256",
    "nonsense": "ConnectionError",
    "miscounted": "'many'",
    "stalled": "timed out",
    "reset": "Connection",
}


@pytest.mark.parametrize("failure", FAILURES)
def test_failing_first_source_is_replaced_by_the_second(online, site, failure, monkeypatch):
    monkeypatch.setattr(_download, "_TIMEOUT", 0.3)
    site.behaviour["first"] = failure
    assert fetch_labels(data_home=online) == THE_LABELS
    assert files_under(online) == {f"fashion-mnist/{name}" for name in FILES}


def test_source_that_failed_is_not_asked_first_again(online, site):
    site.behaviour["first"] = "missing"
    fetch_labels(data_home=online)
    assert site.requests == [("first", IMAGES), ("second", IMAGES), ("second", LABELS)]


@pytest.mark.parametrize("failure", FAILURES)
def test_failing_sources_give_one_error_with_each_address_and_reason(
    online, site, failure, monkeypatch
):
    monkeypatch.setattr(_download, "_TIMEOUT", 0.3)
    site.behaviour = {"first": failure, "second": "missing"}
    with pytest.raises(OSError, match=FAILURES[failure]) as caught:
        fetch_labels(data_home=online)
    message = str(caught.value)
    first, second = site.sources
    assert f"- {first}{IMAGES}: " in message
    assert f"- {second}{IMAGES}: HTTPError: 404" in message
    assert str(online / "fashion-mnist") in message
    assert "FASHIONKIT_DATA" in message
    assert "make_garments" in message
    assert files_under(online) == set()


def test_without_network_the_error_says_so(home, monkeypatch):
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        nobody = f"http://127.0.0.1:{unused.getsockname()[1]}/"
        monkeypatch.setattr(_download, "_SOURCES", (nobody, "http://no-such-host.invalid/"))
        with pytest.raises(OSError, match="could not be downloaded") as caught:
            fetch_labels(data_home=home)
    assert f"{nobody}{IMAGES}: ConnectionError" in str(caught.value)
    assert f"http://no-such-host.invalid/{IMAGES}: Connection" in str(caught.value)


@pytest.fixture
def interruptible():
    """Make Ctrl-C arrive also where the tests run in the background, which ignores it."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("interruptible")
def test_interrupted_download_leaves_nothing_behind(online, site):
    site.behaviour["first"] = "interrupting"
    with pytest.raises(KeyboardInterrupt):
        fetch_labels(data_home=online)
    assert files_under(online) == set()


def test_two_processes_may_fetch_at_once(home, site):
    site.behaviour["first"] = "simultaneous"
    script = (
        "import sys\n"
        "from fashionkit.datasets import _download, fetch_fashion_mnist\n"
        f"_download._SHA256 = {SHA256!r}\n"
        f"_download._SOURCES = {site.sources[:1]!r}\n"
        "_, y = fetch_fashion_mnist('test', data_home=sys.argv[1], return_X_y=True)\n"
        "print(y.tolist())\n"
    )
    root = str(Path(fashionkit.__file__).parents[1])
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", script, str(home)],
            env={**os.environ, "PYTHONPATH": root, "TQDM_DISABLE": "1"},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for _ in range(2)
    ]
    outputs = [process.communicate(timeout=60) for process in processes]
    assert outputs == [(f"{THE_LABELS}\n", "")] * 2
    assert sorted(site.requests) == sorted([("first", name) for name in FILES] * 2)
    assert files_under(home) == {f"fashion-mnist/{name}" for name in FILES}


def test_file_that_another_process_put_first_is_used(online, monkeypatch):
    def lose_the_race(part, target):
        target.write_bytes(FILES[target.name])
        raise PermissionError(errno.EACCES, "in use by another process")

    monkeypatch.setattr("os.replace", lose_the_race)
    assert fetch_labels(data_home=online) == THE_LABELS
    assert files_under(online) == {f"fashion-mnist/{name}" for name in FILES}


# Folders that cannot be written


def check_says_that_it_cannot_write(home, *reasons):
    with pytest.raises(OSError, match=f"cannot write {IMAGES} into") as caught:
        fetch_labels(data_home=home)
    assert caught.value.errno in reasons
    assert str(home / "fashion-mnist") in str(caught.value)
    assert "pass another one as data_home" in str(caught.value)


def test_data_home_that_is_a_file_is_named(online):
    online.write_text("not a folder")
    check_says_that_it_cannot_write(online, errno.ENOTDIR, errno.EEXIST)


@pytest.mark.skipif(
    not hasattr(os, "geteuid") or os.geteuid() == 0,
    reason="permissions do not hold back the administrator",
)
def test_read_only_data_home_is_named(online):
    online.mkdir()
    online.chmod(0o500)
    check_says_that_it_cannot_write(online, errno.EACCES)


def test_data_home_that_refuses_new_files_is_named(online, monkeypatch):
    def refuse(path, mode):
        raise OSError(errno.EROFS, "Read-only file system", str(path))

    monkeypatch.setattr(_download, "open", refuse, raising=False)
    check_says_that_it_cannot_write(online, errno.EROFS)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs Linux's /dev/full")
def test_full_disk_is_named_and_leaves_nothing_behind(online, site, monkeypatch):
    def open_on_full_disk(path, mode):
        path.touch()
        return open("/dev/full", "wb")

    monkeypatch.setattr(_download, "open", open_on_full_disk, raising=False)
    check_says_that_it_cannot_write(online, errno.ENOSPC)
    assert files_under(online) == set()
    assert len(site.requests) == 1


# Files that are already there


def test_files_are_used_where_they_lie(home, tmp_path, monkeypatch):
    monkeypatch.setenv("FASHIONKIT_DATA", str(tmp_path / "data"))
    places = [
        home,
        home / "fashion-mnist",
        tmp_path / "data",
        tmp_path / "data" / "fashion-mnist",
        tmp_path / "cache" / "fashionkit" / "fashion-mnist",
        tmp_path / "keras" / "datasets" / "fashion-mnist",
    ]
    for place in places:
        put(place)
        before = files_under(tmp_path)
        assert fetch_labels(data_home=home, download_if_missing=False) == THE_LABELS
        assert files_under(tmp_path) == before
        for name in FILES:
            (place / name).unlink()


def test_files_may_lie_in_different_places(home, tmp_path):
    put(home)
    put(tmp_path / "keras" / "datasets" / "fashion-mnist")
    (home / LABELS).unlink()
    assert fetch_labels(data_home=str(home)) == THE_LABELS


def test_a_tilde_means_the_users_home(home, monkeypatch):
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("USERPROFILE", str(home))
    put(home / "mine")
    assert fetch_labels(data_home="~/mine") == THE_LABELS


def test_explicit_data_home_is_preferred(home, tmp_path, monkeypatch):
    monkeypatch.setenv("FASHIONKIT_DATA", str(tmp_path / "data"))
    put(tmp_path / "data", damaged=FILES)
    put(home)
    assert fetch_labels(data_home=home) == THE_LABELS


def test_missing_files_without_download_list_places_and_remedies(home, tmp_path):
    with pytest.raises(OSError, match="download_if_missing=False") as caught:
        fetch_labels(data_home=home, download_if_missing=False)
    for said in (
        IMAGES,
        LABELS,
        f"- {home}\n",
        f"- {home / 'fashion-mnist'}\n",
        f"- {tmp_path / 'cache' / 'fashionkit' / 'fashion-mnist'}\n",
        f"- {tmp_path / 'keras' / 'datasets' / 'fashion-mnist'}\n",
        "Pass download_if_missing=True",
        "FASHIONKIT_DATA",
        "make_garments",
    ):
        assert said in str(caught.value)
    assert not home.exists()


@pytest.mark.parametrize("place", ["data", "keras/datasets/fashion-mnist"])
def test_damaged_file_elsewhere_is_passed_over_with_a_warning(online, tmp_path, monkeypatch, place):
    monkeypatch.setenv("FASHIONKIT_DATA", str(tmp_path / "data"))
    put(tmp_path / place, damaged=[IMAGES])
    damaged = tmp_path / place / IMAGES
    with pytest.warns(UserWarning, match="is not used: its 7 bytes have SHA") as caught:
        assert fetch_labels(data_home=online) == THE_LABELS
    assert str(damaged) in str(caught[0].message)
    assert caught[0].filename == __file__
    assert damaged.read_bytes() == b"damaged"
    assert files_under(online) == {f"fashion-mnist/{IMAGES}"}


def test_unreadable_file_is_passed_over_with_a_warning(online, monkeypatch):
    real = _download.pooch.file_hash

    def file_hash(path):
        if path.parent == online:
            raise PermissionError(errno.EACCES, "Permission denied", str(path))
        return real(path)

    put(online)
    monkeypatch.setattr("pooch.file_hash", file_hash)
    with pytest.warns(UserWarning, match="not used: it cannot be read .*denied"):
        assert fetch_labels(data_home=online) == THE_LABELS


def test_damaged_file_in_the_download_folder_is_downloaded_again(online, site, caplog):
    put(online / "fashion-mnist", damaged=[IMAGES])
    with warnings.catch_warnings(), caplog.at_level(logging.INFO, "fashionkit"):
        warnings.simplefilter("error")
        assert fetch_labels(data_home=online) == THE_LABELS
    assert site.requests == [("first", IMAGES)]
    assert "Replacing" in caplog.text
    assert (online / "fashion-mnist" / IMAGES).read_bytes() == FILES[IMAGES]


def test_damaged_file_without_download_is_an_error_with_both_hashes(home):
    put(home / "fashion-mnist", damaged=[IMAGES])
    with pytest.raises(OSError, match="Found but damaged") as caught:
        fetch_labels(data_home=home, download_if_missing=False)
    for said in (
        f"Missing: {IMAGES}.",
        str(home / "fashion-mnist" / IMAGES),
        hashlib.sha256(b"damaged").hexdigest(),
        SHA256[IMAGES],
        "delete or replace",
    ):
        assert said in str(caught.value)


def test_damaged_file_is_kept_from_use_when_a_sound_one_lies_elsewhere(home, tmp_path):
    put(home / "fashion-mnist", damaged=[IMAGES])
    put(tmp_path / "keras" / "datasets" / "fashion-mnist")
    with pytest.warns(UserWarning, match="is not used"):
        assert fetch_labels(data_home=home) == THE_LABELS
