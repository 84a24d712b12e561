"""Limits: what is refused, and that nothing is written to disk."""

from __future__ import annotations

import asyncio
import socket
import tempfile
import threading
import time
import zlib
from concurrent.futures import ThreadPoolExecutor

import pytest
from served import photo, serving

from fashionkit import make_app
from fashionkit.serving import _classify
from fashionkit.serving._limits import Limits, Refusal
from fashionkit.serving._uploads import Memory, Parcel

httpx = pytest.importorskip("httpx")


def form(*parts, boundary=b"xyz", end=b"--xyz--\r\n"):
    body = b"".join(
        b'--%s\r\nContent-Disposition: form-data; name="file"; filename="%s"\r\n\r\n%s\r\n'
        % (boundary, name, content)
        for name, content in parts
    )
    return body + end


def post(client, content, kind="multipart/form-data; boundary=xyz", **headers):
    return client.post("/predict", content=content, headers={"content-type": kind, **headers})


def bomb(side=20_000):
    """Return a PNG of many pixels in few bytes."""

    def chunk(kind, data):
        check = zlib.crc32(kind + data).to_bytes(4, "big")
        return len(data).to_bytes(4, "big") + kind + data + check

    size = side.to_bytes(4, "big")
    header = chunk(b"IHDR", size + size + b"\x08\x02\0\0\0")
    return b"\x89PNG\r\n\x1a\n" + header + chunk(b"IDAT", zlib.compress(b"\0" * 1000))


def test_too_many_bytes_are_refused_by_their_header_and_while_they_arrive(client):
    content = form((b"a.png", b"\0" * 500_000))
    for body in (content, iter([content[:300_000], content[300_000:]])):
        answer = post(client, body)
        assert answer.status_code == 413
        assert "400000 bytes" in answer.json()["detail"]


@pytest.mark.parametrize("length", ["²", "9" * 5000, "-1", "1e3", ""])
def test_a_length_that_is_no_number_leaves_the_limit_to_the_bytes_that_arrive(length):
    async def body():
        yield form((b"a.png", b"x" * 2000))

    parcel = Parcel(Limits(1000, 10**6, 4, 4, 10.0), Memory(10**6))
    with pytest.raises(Refusal, match="more than 1000 bytes") as refused:
        asyncio.run(parcel.read("multipart/form-data; boundary=xyz", length, body()))
    assert refused.value.code == 413


def test_too_many_photos_are_refused(client):
    answer = post(client, form(*[(b"a.png", photo())] * 5))
    assert answer.status_code == 413
    assert "more than 4 photos" in answer.json()["detail"]


def test_too_many_pixels_are_refused_before_they_are_decoded(client):
    answer = post(client, form((b"bomb.png", bomb())))
    assert answer.status_code == 413
    assert "20000 x 20000 pixels" in answer.json()["results"][0]["reason"]


@pytest.mark.parametrize(
    ("body", "kind", "code"),
    [
        (b"", "multipart/form-data; boundary=xyz", 422),
        (b"nonsense", "multipart/form-data; boundary=xyz", 422),
        (form(end=b"--xyz--\r\n"), "multipart/form-data; boundary=xyz", 422),
        (form((b"a.png", photo()), end=b""), "multipart/form-data; boundary=xyz", 422),
        (form((b"a.png", photo())), "multipart/form-data", 415),
        (form((b"a.png", photo())), f"multipart/form-data; boundary={'x' * 300}", 415),
        (photo(), "image/png", 415),
        (b"{}", "application/json", 415),
        (form((b"a" * 3000, photo())), "multipart/form-data; boundary=xyz", 431),
        (
            b'--xyz\r\nContent-Disposition: form-data; name="other"\r\n\r\n1\r\n--xyz--\r\n',
            "multipart/form-data; boundary=xyz",
            422,
        ),
    ],
)
def test_what_is_no_form_with_photos_is_refused_with_a_reason(client, body, kind, code):
    answer = post(client, body, kind)
    assert answer.status_code == code
    assert isinstance(answer.json()["detail"], str)


def test_parameters_are_checked(client):
    files = {"file": ("a.png", photo())}
    assert client.post("/predict?colors=99", files=files).status_code == 422
    assert client.get("/predict").status_code == 405
    assert client.get("/nothing").status_code == 404


@pytest.mark.parametrize(
    "name", [b"../../etc/passwd", b"C:\\photos\\passwd", b"/srv/passwd", b"a/\x07passwd"]
)
def test_names_of_files_lose_their_folders(client, name):
    answer = post(client, form((name, photo())))
    assert answer.json()["results"][0]["name"] == "passwd"


def test_large_uploads_are_not_written_to_disk(model, monkeypatch):
    def refuse(*args, **kwargs):
        raise AssertionError("a temporary file was opened")

    for maker in ("TemporaryFile", "NamedTemporaryFile", "SpooledTemporaryFile", "mkstemp"):
        monkeypatch.setattr(tempfile, maker, refuse)
    content = photo(size=(1200, 900), kind="BMP")
    assert len(content) > 3_000_000
    with serving(make_app(model)) as client:
        assert post(client, form((b"a.bmp", content))).status_code == 200


def test_a_request_that_arrives_too_slowly_is_refused(model):
    def slowly():
        yield form((b"a.png", photo()), end=b"")
        time.sleep(1.5)
        yield b"--xyz--\r\n"

    with serving(make_app(model, timeout=0.5)) as client:
        assert post(client, slowly()).status_code == 408
        assert client.get("/health").status_code == 200


def test_an_answer_that_takes_too_long_is_given_up(model, monkeypatch):
    app = make_app(model, timeout=0.5, n_threads=1)
    original, gate = _classify.decide, threading.Event()

    def slow(*args):
        gate.wait(10)
        return original(*args)

    monkeypatch.setattr(_classify, "decide", slow)
    with serving(app) as client:
        answer = post(client, form((b"a.png", photo())))
        assert answer.status_code == 503
        assert answer.headers["retry-after"] == "1"
        gate.set()
        assert post(client, form((b"a.png", photo()))).status_code == 200


def test_more_requests_than_allowed_are_told_to_come_back(model, monkeypatch):
    app = make_app(model, max_requests=1)
    original, gate, is_inside = _classify.decide, threading.Event(), threading.Event()

    def slow(*args):
        is_inside.set()
        gate.wait(10)
        return original(*args)

    monkeypatch.setattr(_classify, "decide", slow)
    with serving(app) as client:
        answers = []
        body = form((b"a.png", photo()))
        first = threading.Thread(target=lambda: answers.append(post(client, body)))
        first.start()
        assert is_inside.wait(10)
        assert post(client, body).status_code == 503
        assert client.get("/health").status_code == 200
        gate.set()
        first.join()
        assert answers[0].status_code == 200


def test_photos_of_all_requests_take_bounded_memory():
    from fashionkit.serving._limits import Refusal
    from fashionkit.serving._uploads import Memory

    memory = Memory(10)
    memory.take(8)
    with pytest.raises(Refusal) as refused:
        memory.take(3)
    assert refused.value.code == 503
    memory.give(8)
    memory.take(10)


def test_a_client_that_never_ends_its_headers_is_disconnected(model):
    with serving(make_app(model), timeout=0.5) as client:
        address = (client.base_url.host, client.base_url.port)
        with socket.create_connection(address, timeout=10) as connection:
            connection.sendall(b"GET /health HTTP/1.1\r\nHost: localhost\r\nX-Slow: ")
            assert connection.recv(100) == b""
        assert client.get("/health").status_code == 200


def test_endless_headers_are_refused(client):
    address = (client.base_url.host, client.base_url.port)
    with socket.create_connection(address, timeout=10) as connection:
        connection.sendall(b"GET /health HTTP/1.1\r\nHost: localhost\r\nX-Long: " + b"x" * 40_000)
        assert connection.recv(100).startswith(b"HTTP/1.1 400")
    assert client.get("/health").status_code == 200


def test_a_server_that_ends_answers_what_it_has_begun(model, monkeypatch):
    app = make_app(model)
    original, is_inside = _classify.decide, threading.Event()

    def slow(*args):
        is_inside.set()
        time.sleep(0.5)
        return original(*args)

    monkeypatch.setattr(_classify, "decide", slow)
    with ThreadPoolExecutor(1) as thread, httpx.Client(timeout=30) as other:
        with serving(app) as client:
            files = {"file": ("a.png", photo())}
            answer = thread.submit(other.post, f"{client.base_url}/predict", files=files)
            assert is_inside.wait(10)
        assert answer.result().status_code == 200
        with pytest.raises(httpx.ConnectError):
            other.get(f"{client.base_url}/health")
