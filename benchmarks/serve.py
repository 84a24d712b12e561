"""How fast a served model answers, whether answers get lost, and what hostile requests do to it.

    python benchmarks/serve.py PHOTOS [--part speed burst hostile]

PHOTOS is a folder of photos. Starts ``python -m fashionkit serve`` as a process of its own.
"""

from __future__ import annotations

import argparse
import collections
import io
import re
import socket
import subprocess
import sys
import tempfile
import time
import zlib
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import httpx
import numpy as np
import psutil
from _measure import print_setting, print_table

from fashionkit import load_images, load_pretrained

MODEL = "clothing-photos-small-v1"
PARTS = ("speed", "burst", "hostile")
TIMEOUT = 5
CUT = ("upload that ends in the middle", "half a request line")
PLAIN = {"quality": "false", "colors": "0"}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("photos", type=Path)
    parser.add_argument("--part", nargs="+", choices=PARTS, default=PARTS)
    parser.add_argument("--n-photos", type=int, default=200)
    parser.add_argument("--n-hostile", type=int, default=1000)
    parser.add_argument("--repeats", type=int, default=3)
    options = parser.parse_args()
    print_setting("fastapi", "uvicorn")
    paths = sorted(options.photos.rglob("*.jpg"))[:: max(1, _count(options))][: options.n_photos]
    model = load_pretrained(MODEL)
    size = model.image_shape_[0]

    def bare(path: Path) -> np.ndarray:
        return model.predict_proba(load_images([path], image_size=size))[0]

    bare(paths[0])
    with serving() as (address, process):
        if "speed" in options.part:
            speed(paths, bare, address, options.repeats)
        if "burst" in options.part:
            burst(paths, bare, model.classes_, address)
        if "hostile" in options.part:
            hostile(paths, address, process, options.n_hostile)


def _count(options: argparse.Namespace) -> int:
    return len(list(options.photos.rglob("*.jpg"))) // options.n_photos


@contextmanager
def serving():
    """Serve the model in another process; yield its address and the process."""
    command = [sys.executable, "-m", "fashionkit", "serve", MODEL, "--port", "0"]
    command += ["--timeout", str(TIMEOUT), "--max-megabytes", "8"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            address = re.search(r"http://\S+", process.stdout.readline())[0]
            yield address, psutil.Process(process.pid)
        finally:
            process.terminate()


def speed(paths, bare, address, repeats) -> None:
    """Print requests per second and latencies, in turn with the bare model's."""
    ways = {
        "bare model, one thread": lambda: timed(lambda path: bare(path), paths, 1),
        "served, one client": lambda: served(paths, address, 1, PLAIN),
        "served, 8 clients": lambda: served(paths, address, 8, PLAIN),
        "with quality and colours, 8 clients": lambda: served(paths, address, 8, {}),
        "with a heat map, 8 clients": lambda: served(paths, address, 8, {**PLAIN, "explain": "1"}),
    }
    found = {name: [] for name in ways}
    for _ in range(repeats):
        for name, way in ways.items():
            found[name].append(way())
    rows = []
    for name, runs in found.items():
        seconds = np.concatenate([latencies for _, latencies in runs])
        rate = np.median([len(paths) / total for total, _ in runs])
        p50, p99 = np.percentile(1000 * seconds, [50, 99])
        rows.append((name, f"{rate:.1f}", f"{p50:.0f}", f"{p99:.0f}"))
    print(f"{len(paths)} photos, median of {repeats} turns\n")
    print_table(("way", "photos per second", "p50 (ms)", "p99 (ms)"), rows)


def served(paths, address, n_clients, params):
    with httpx.Client(base_url=address, timeout=60) as client:
        return timed(lambda path: ask(client, path, params), paths, n_clients)


def ask(client, path, params) -> dict:
    answer = client.post("/predict", files={"file": path.read_bytes()}, params=params)
    answer.raise_for_status()
    return answer.json()["results"][0]


def timed(work, paths, n_threads):
    def one(path):
        start = time.perf_counter()
        work(path)
        return time.perf_counter() - start

    start = time.perf_counter()
    with ThreadPoolExecutor(n_threads) as threads:
        seconds = np.array(list(threads.map(one, paths)))
    return time.perf_counter() - start, seconds


def burst(paths, bare, classes, address, n_requests: int = 200) -> None:
    """Print how many of many requests at once are answered, and rightly."""
    chosen = [paths[row % len(paths)] for row in range(n_requests)]
    expected = [bare(path) for path in chosen]
    limits = httpx.Limits(max_connections=n_requests)
    with (
        httpx.Client(base_url=address, timeout=120, limits=limits) as client,
        ThreadPoolExecutor(n_requests) as threads,
    ):
        start = time.perf_counter()
        answers = list(threads.map(lambda path: answer_or_none(client, path), chosen))
        seconds = time.perf_counter() - start
    lost = sum(answer is None for answer in answers)
    wrong = sum(
        answer["label"] != classes[row.argmax()] or abs(answer["confidence"] - row.max()) > 1e-5
        for answer, row in zip(answers, expected, strict=True)
        if answer is not None
    )
    print(f"{n_requests} requests at once: {lost} lost, {wrong} wrong, in {seconds:.1f} s\n")


def answer_or_none(client, path):
    try:
        return ask(client, path, PLAIN)
    except httpx.HTTPError:
        return None


def hostile(paths, address, process, n_requests) -> None:
    """Print what requests that mean harm are answered, and what memory they leave."""
    host, port = re.fullmatch(r"http://(.+):(\d+)", address).groups()
    photo = paths[0].read_bytes()
    kinds = attacks(photo)
    tally = {name: collections.Counter() for name in kinds}
    names = [list(kinds)[row % len(kinds)] for row in range(n_requests)]
    memory, files = [process.memory_info().rss], temporary_files(process)

    def attack(name):
        return name, send(host, int(port), *kinds[name], name in CUT)

    with ThreadPoolExecutor(16) as threads:
        for start in range(0, len(names), 100):
            for name, code in threads.map(attack, names[start : start + 100]):
                tally[name][code] += 1
            memory.append(process.memory_info().rss)
            ask(httpx.Client(base_url=address, timeout=60), paths[0], PLAIN)  # the next is served
    rows = [
        (name, ", ".join(f"{code}: {count}" for code, count in sorted(codes.items())))
        for name, codes in tally.items()
    ]
    print_table(("request", "answers"), rows)
    figures = ", ".join(f"{one / 2**20:.0f}" for one in memory)
    more = temporary_files(process) - files
    print(f"Memory of the server in MiB, before and after each hundred: {figures}")
    print(
        f"Further temporary files open: {len(more)}; the request after each hundred was answered.\n"
    )


def temporary_files(process) -> set[str]:
    return {one.path for one in process.open_files() if one.path.startswith(tempfile.gettempdir())}


def attacks(photo: bytes) -> dict[str, tuple[bytes, float]]:
    """Return requests that mean harm: their bytes, and seconds to wait within them."""
    form = multipart(photo)
    head = b'--b\r\nContent-Disposition: form-data; name="file"; filename="%s"\r\n\r\n'
    rng = np.random.RandomState(0)
    noise = rng.bytes(100_000)
    damaged = bytearray(photo)
    for at in rng.randint(2, len(photo), 200):
        damaged[at] = rng.randint(256)
    return {
        "PNG of 900 million pixels": (post(multipart(bomb())), 0),
        "PNG that says less than it holds": (post(multipart(bomb(64, 40_000_000))), 0),
        "noise": (post(multipart(noise)), 0),
        "HTML named photo.jpg": (post(multipart(b"<html><script>alert(1)</script>")), 0),
        "half a photo": (post(multipart(photo[: len(photo) // 8])), 0),
        "upload that ends in the middle": (post(form)[: len(form) // 2], 0),
        "form without an end": (post(form[:-8]), 0),
        "20 MB": (post(multipart(noise * 200)), 0),
        "Content-Length of a terabyte": (post(form, length=10**12), 0),
        "negative Content-Length": (post(form, length=-1), 0),
        "name with folders": (post(multipart(noise, b"../../../etc/passwd")), 0),
        "name of 100 kB": (post(multipart(photo, b"a" * 100_000)), 0),
        "10,000 parts": (post(head % b"a" * 10_000 + b"--b--\r\n"), 0),
        "another field": (post(form.replace(b'"file"', b'"evil"')), 0),
        "no form": (post(photo, kind=b"application/octet-stream"), 0),
        "no boundary": (post(form, kind=b"multipart/form-data"), 0),
        "headers of 1 MB": (b"GET / HTTP/1.1\r\nHost: localhost\r\nX: " + b"x" * 2**20, 0),
        "another host": (post(form, host=b"evil.example"), 0),
        "another site": (post(form, more=b"Origin: https://evil.example\r\n"), 0),
        "path outside": (b"GET /../../etc/passwd HTTP/1.1\r\nHost: localhost\r\n\r\n", 0),
        "half a request line": (b"POST /pre", 0),
        "no HTTP": (noise[:5000] + b"\r\n\r\n", 0),
        "body that pauses": (post(form), TIMEOUT + 2),
        "headers that pause": (b"GET /health HTTP/1.1\r\nHost: loc", TIMEOUT + 2),
    }


def multipart(content: bytes, name: bytes = b"photo.jpg") -> bytes:
    head = b'--b\r\nContent-Disposition: form-data; name="file"; filename="%s"\r\n\r\n' % name
    return head + content + b"\r\n--b--\r\n"


def post(
    body: bytes,
    *,
    kind: bytes = b"multipart/form-data; boundary=b",
    length: int | None = None,
    host: bytes = b"localhost",
    more: bytes = b"",
) -> bytes:
    n_bytes = len(body) if length is None else length
    return (
        b"POST /predict HTTP/1.1\r\nHost: %s\r\nContent-Type: %s\r\nContent-Length: %d\r\n%s\r\n"
        % (host, kind, n_bytes, more)
    ) + body


def bomb(side: int = 30_000, n_bytes: int = 1000) -> bytes:
    """Return a PNG of many pixels, or of more data than it has pixels for."""

    def chunk(kind, data):
        check = zlib.crc32(kind + data).to_bytes(4, "big")
        return len(data).to_bytes(4, "big") + kind + data + check

    size = side.to_bytes(4, "big")
    file = io.BytesIO(b"\x89PNG\r\n\x1a\n")
    file.seek(0, io.SEEK_END)
    file.write(chunk(b"IHDR", size + size + b"\x08\x02\0\0\0"))
    file.write(chunk(b"IDAT", zlib.compress(b"\0" * n_bytes, 1)))
    file.write(chunk(b"IEND", b""))
    return file.getvalue()


def send(host: str, port: int, request: bytes, pause: float, is_cut: bool) -> str:
    """Send bytes, and return the status of the answer, or that there was none."""
    half = len(request) // 2
    try:
        with socket.create_connection((host, port), timeout=4 * TIMEOUT) as connection:
            connection.sendall(request[:half])
            if pause:
                time.sleep(pause)
            connection.sendall(request[half:])
            if is_cut:
                connection.shutdown(socket.SHUT_WR)
            answer = connection.recv(4096)
    except TimeoutError:
        return "open"
    except OSError:
        return "closed"
    match = re.match(rb"HTTP/1.1 (\d+)", answer)
    return match[1].decode() if match else "closed"


if __name__ == "__main__":
    main()
