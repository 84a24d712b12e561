"""The command serve: what it opens, says and passes on."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys

import pytest

from fashionkit import make_garments, make_model, save
from fashionkit._cli import main

httpx = pytest.importorskip("httpx", reason="needs httpx and fashionkit[serve]")
pytest.importorskip("fastapi", reason="needs fashionkit[serve]")
pytest.importorskip("uvicorn", reason="needs fashionkit[serve]")


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    X, y = make_garments(60, random_state=0)
    model = make_model("pixels-tree", random_state=0).fit(X[..., None].repeat(3, axis=3), y)
    return save(model, tmp_path_factory.mktemp("models") / "garments.fashionkit")


@pytest.mark.posix
def test_it_serves_on_this_machine_until_it_is_told_to_end(path):
    command = [sys.executable, "-m", "fashionkit", "serve", str(path), "--port", "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            line = process.stdout.readline()
            address = re.search(r"http://127\.0\.0\.1:\d+", line)[0]
            assert line.startswith("garments.fashionkit is served on ")
            assert httpx.get(f"{address}/health").json() == {"status": "ok"}
            metadata = httpx.get(f"{address}/metadata")
            assert metadata.json()["model"] == "garments"
            assert os.fspath(path.parent) not in metadata.text
        finally:
            process.send_signal(signal.SIGTERM)
    assert process.returncode in (0, -signal.SIGTERM)


def test_a_port_that_is_taken_is_an_error_of_one_line(path, capsys):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        assert main(["serve", str(path), "--port", str(taken.getsockname()[1])]) == 1
    error = capsys.readouterr().err
    assert error.startswith("fashionkit: error: ")
    assert "in use" in error


def test_options_reach_the_application(path, monkeypatch):
    passed = {}

    def make_app(model, **params):
        passed.update(params, model=model)
        raise ValueError("enough")

    monkeypatch.setattr("fashionkit.serving.make_app", make_app)
    options = ["--review-below", "0.7", "--allow-host", "a.example", "--max-megabytes", "2"]
    assert main(["serve", "--port", "0", *options, "--timeout", "9"]) == 1
    assert passed["model"] == "clothing-photos-small-v1"
    assert passed["review_below"] == 0.7
    assert passed["allowed_hosts"] == ["a.example"]
    assert passed["max_bytes"] == 2 * 2**20
    assert passed["timeout"] == 9


def test_without_the_packages_it_says_what_to_install(monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, "uvicorn", None)
    assert main(["serve"]) == 1
    assert 'pip install "fashionkit[serve]"' in capsys.readouterr().err


@pytest.mark.parametrize("port", ["-1", "65536", "http"])
def test_ports_are_checked(port, capsys):
    with pytest.raises(SystemExit):
        main(["serve", f"--port={port}"])
    assert "from 0 to 65535" in capsys.readouterr().err
