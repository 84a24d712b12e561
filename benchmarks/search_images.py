"""ImageSearch and DuplicateFinder: quality, speed and memory.

    python benchmarks/search_images.py fashion-mnist --model cnn-fast.fashionkit --figure search.png
    python benchmarks/search_images.py photos --photos DIR
    python benchmarks/search_images.py speed --n-vectors 1000000
    python benchmarks/search_images.py speed --model cnn-fast.fashionkit --n-vectors 200000
    python benchmarks/search_images.py duplicates --photos DIR

The model is a file that fashionkit.save has written of a fitted classifier of Fashion-MNIST; speed
is that of the vectors of embedding="auto" without one. DIR has the file senders.csv, which says who
took which photo.
"""

from __future__ import annotations

import argparse
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from _measure import peak_memory, print_setting, print_table
from _photos import list_photos
from PIL import Image, ImageEnhance, ImageOps
from sklearn.frozen import FrozenEstimator
from sklearn.model_selection import GroupKFold
from sklearn.neighbors import NearestNeighbors
from sklearn.pipeline import make_union
from sklearn.utils import gen_batches

from fashionkit import (
    CLASS_NAMES,
    Augmentation,
    BackboneFeatures,
    ColorHistogram,
    HOGFeatures,
    ImageSearch,
    PixelFeatures,
    fetch_fashion_mnist,
    load,
    load_pretrained,
)
from fashionkit.features._nearest import nearest
from fashionkit.inspection import DuplicateFinder
from fashionkit.search import evaluate_search
from fashionkit.search._approximate import ApproximateIndex
from fashionkit.search._lookup import find

N_PLANTED = 500
N_SPEED_QUERIES = 200
# One after the other, as threads of what ran before wait a while in the way of the next.
_QUERIES_PER_TURN = 20


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("part", choices=["fashion-mnist", "photos", "speed", "duplicates"])
    parser.add_argument("--model", type=Path, help="file of a fitted classifier")
    parser.add_argument("--photos", type=Path, help="folder of photos")
    parser.add_argument("--weights", default="imagenet", help="MobileNetV2, for frozen features")
    parser.add_argument("--alpha", type=float, default=0.35, help="its width")
    parser.add_argument("--n-indexed", type=int, default=60_000)
    parser.add_argument("--n-queries", type=int, default=10_000)
    parser.add_argument("--n-frozen", type=int, default=10_000, help="images of frozen features")
    parser.add_argument("--embeddings", nargs="+", help="names of embeddings, by default all")
    parser.add_argument("--n-vectors", type=int, default=1_000_000)
    parser.add_argument("--figure", help="where to draw queries and results")
    options = parser.parse_args()
    print_setting("faiss-cpu", "tensorflow")
    {
        "fashion-mnist": run_fashion_mnist,
        "photos": run_photos,
        "speed": run_speed,
        "duplicates": run_duplicates,
    }[options.part](options)


def scores_row(name: str, search: ImageSearch, X, y, n_indexed: int) -> tuple:
    scores = evaluate_search(search, X, y)
    whole = scores.loc["all"]
    columns = ("precision", "hit_rate", "average_precision")
    figures = [f"{100 * whole[column]:.1f}" for column in columns]
    classes = scores.drop(index="all")["precision"]
    worst = f"{classes.idxmin()} ({100 * classes.min():.1f})"
    return name, n_indexed, len(X), *figures, worst


HEADER = ("embedding", "indexed", "queries", "P@10 (%)", "hit@10 (%)", "mAP@10 (%)", "worst class")


def run_fashion_mnist(options: argparse.Namespace) -> None:
    X, y = fetch_fashion_mnist("train", return_X_y=True)
    X_test, y_test = fetch_fashion_mnist("test", return_X_y=True)
    X, y = X[: options.n_indexed], y[: options.n_indexed]
    X_test, y_test = X_test[: options.n_queries], y_test[: options.n_queries]
    names = np.array([name.replace(" ", "-") for name in CLASS_NAMES])
    frozen = BackboneFeatures(weights=options.weights, alpha=options.alpha, image_size=96)
    embeddings = {
        "pixels": (PixelFeatures(), len(X)),
        "HOG": (HOGFeatures(), len(X)),
        "frozen MobileNetV2": (frozen, options.n_frozen),
        "cnn-fast": (FrozenEstimator(load(options.model)), len(X)),
    }
    rows = []
    for name, (embedding, n_indexed) in embeddings.items():
        if name not in (options.embeddings or embeddings):
            continue
        search = ImageSearch(embedding, algorithm="brute").fit(X[:n_indexed], names[y[:n_indexed]])
        n = len(X_test) if n_indexed == len(X) else len(X_test) // 10
        rows.append(scores_row(name, search, X_test[:n], names[y_test[:n]], n_indexed))
        print(rows[-1], flush=True)
    print()
    print_table(HEADER, rows)
    print_latency(search, X_test)
    if options.figure:
        draw(search, X_test, names[y_test], X, options.figure)


def print_latency(search: ImageSearch, X: np.ndarray, n: int = 200) -> None:
    """Print the time of one query at a time, of the whole and of its parts."""
    vectors = search.transform(X[:n])
    others = NearestNeighbors(n_neighbors=10, metric="cosine", algorithm="brute")
    others.fit(search.vectors_)
    index = ApproximateIndex(search.vectors_)
    works = {
        "kneighbors, embedding included": lambda i: search.kneighbors(X[i : i + 1]),
        "embedding": lambda i: search.transform(X[i : i + 1]),
        "neighbours, exact": lambda i: nearest(search.vectors_, vectors[i : i + 1], 10),
        "neighbours, scikit-learn": lambda i: others.kneighbors(vectors[i : i + 1]),
        "neighbours, faiss": lambda i: find(
            search.vectors_, vectors[i : i + 1], 10, search.metric, None, index
        ),
    }
    times: dict[str, list[tuple[float, float]]] = {name: [] for name in works}
    for rows in gen_batches(n, _QUERIES_PER_TURN):
        for name, work in works.items():
            for i in range(rows.start, rows.stop):
                start = time.perf_counter(), time.process_time()
                work(i)
                took = time.perf_counter() - start[0], time.process_time() - start[1]
                times[name].append((1000 * took[0], 1000 * took[1]))
    rows = []
    for name, each in times.items():
        elapsed, cpu = np.transpose(each)
        rows.append((name, *np.percentile(elapsed, [50, 99]).round(2), np.median(cpu).round(2)))
    print_table(("one query (ms)", "p50", "p99", "CPU, p50"), rows)


def draw(search: ImageSearch, X_test, y_test, X, path: str) -> None:
    """Draw a query of each of some classes, one with wrong results among them."""
    import matplotlib.pyplot as plt

    from fashionkit.plotting import RetrievalDisplay

    rows = [np.flatnonzero(y_test == name)[1] for name in ("Dress", "Bag", "Ankle-boot")]
    shirts = np.flatnonzero(y_test == "Shirt")[:50]
    _, found = search.kneighbors(X_test[shirts], 6)
    n_right = (search.labels_[found] == "Shirt").sum(axis=1)
    rows.append(shirts[np.argmin(np.abs(n_right - 3))])
    display = RetrievalDisplay.from_estimator(
        search, X_test[rows], y_test[rows], images=X[: len(search.ids_)]
    )
    display.figure_.savefig(path, dpi=100)
    plt.close(display.figure_)


def run_photos(options: argparse.Namespace) -> None:
    """Index photos of some senders, and look up those of others."""
    photos, senders = list_photos(options.photos, 192)
    photos_y = np.asarray(photos.target)
    indexed, queries = next(GroupKFold(5).split(photos_y, photos_y, senders))
    # The network of the package has seen the photos of the first part, and none of the second.
    frozen = BackboneFeatures(weights=options.weights, alpha=options.alpha)
    embeddings = {
        "pixels": PixelFeatures(),
        "HOG and colours": make_union(HOGFeatures(), ColorHistogram()),
        f"frozen MobileNetV2 {options.alpha}": frozen,
        "clothing-photos-small-v1": FrozenEstimator(load_pretrained("clothing-photos-small-v1")),
    }
    # In memory, once: an embedding would read the files again.
    first, second = np.asarray(photos[indexed]), np.asarray(photos[queries])
    rows = []
    for name, embedding in embeddings.items():
        small = slice(None, None, 4 if name[0] in "pH" else 1)
        search = ImageSearch(embedding).fit(first[:, small, small], photos_y[indexed])
        part = second[:, small, small]
        rows.append(scores_row(name, search, part, photos_y[queries], len(indexed)))
        print(rows[-1], flush=True)
        by = evaluate_search(search, part, photos_y[queries], by=senders[queries])
        by = by.drop(index="all")["precision"]
        print(f"  by sender: median {by.median():.3f}, from {by.min():.3f} to {by.max():.3f}")
    print()
    print_table(HEADER, rows)


def run_speed(options: argparse.Namespace) -> None:
    """Compare the approximate index with exact search, on vectors of distorted images."""
    X, _ = fetch_fashion_mnist("train", return_X_y=True)
    X_test, _ = fetch_fashion_mnist("test", return_X_y=True)
    embedding = FrozenEstimator(load(options.model)) if options.model else "auto"
    search = ImageSearch(embedding, algorithm="brute").fit(X[:20_000])
    vectors = np.empty((options.n_vectors, search.vectors_.shape[1]), np.float32)
    for number, rows in enumerate(gen_batches(len(vectors), len(X))):
        distorted = distorted_images(X, number) if number else X
        vectors[rows] = search.transform(distorted[: rows.stop - rows.start])
        print(f"{rows.stop:,} vectors", flush=True)
    queries = search.transform(X_test[:N_SPEED_QUERIES])
    before = resident()
    start = time.perf_counter(), time.process_time()
    index = ApproximateIndex(vectors)
    elapsed, cpu = time.perf_counter() - start[0], time.process_time() - start[1]
    print(
        f"\nindex built in {elapsed:.0f} s ({cpu:.0f} s of CPU); "
        f"memory {1 + (resident() - before) / vectors.nbytes:.2f} times the vectors'\n"
    )
    exact, *figures = one_by_one(queries, lambda query: nearest(vectors, query, 10))
    rows = [("exact", "", "1.000", *(f"{1000 * each:.2f}" for each in figures), "1.0")]
    for probed in (16, 32, 64, 128):
        index._index.nprobe = probed
        found, *each = one_by_one(
            queries, lambda query: find(vectors, query, 10, search.metric, None, index)
        )
        recall = np.mean([len(set(a) & set(b)) / 10 for a, b in zip(exact, found, strict=True)])
        times = (f"{1000 * one:.2f}" for one in each)
        rows.append(("faiss", probed, f"{recall:.3f}", *times, f"{figures[1] / each[1]:.1f}"))
    header = (
        "one query",
        "lists probed",
        "recall@10",
        "p50 (ms)",
        "CPU (ms)",
        "times as fast, CPU",
    )
    print_table(header, rows)


def one_by_one(queries: np.ndarray, look_up: Callable) -> tuple[list, float, float]:
    """Return the rows found for each query, the median time and the mean CPU time of each."""
    found, times = [], []
    look_up(queries[:1])
    cpu = time.process_time()
    for i in range(len(queries)):
        start = time.perf_counter()
        found.append(look_up(queries[i : i + 1]).rows[0])
        times.append(time.perf_counter() - start)
    return found, float(np.median(times)), (time.process_time() - cpu) / len(queries)


def distorted_images(X: np.ndarray, seed: int) -> np.ndarray:
    distort = Augmentation(rotation=10, translation=0.07, zoom=0.1, random_state=seed)
    return distort.fit_transform(X)


def resident() -> int:
    """Return the bytes that this process holds."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * 4096


def run_duplicates(options: argparse.Namespace) -> None:
    """Plant altered copies among photos, and look for them."""
    paths = sorted(map(str, options.photos.rglob("*.jpg")))
    chosen = np.random.RandomState(0).choice(len(paths), N_PLANTED, replace=False)
    alterations = {
        "resized to 60 %": lambda image: image.resize([round(0.6 * side) for side in image.size]),
        "recompressed, quality 70": lambda image: image,
        "cropped by 3 %": lambda image: ImageOps.crop(image, round(0.015 * min(image.size))),
        "mirrored": ImageOps.mirror,
        "brightened by 10 %": lambda image: ImageEnhance.Brightness(image).enhance(1.1),
    }
    with TemporaryDirectory() as folder:
        planted: dict[str, tuple[str, str]] = {}
        for number, row in enumerate(chosen):
            name = list(alterations)[number % len(alterations)]
            copy = f"{folder}/{number}.jpg"
            with Image.open(paths[row]) as image:
                quality = 70 if "quality" in name else 90
                alterations[name](image.convert("RGB")).save(copy, quality=quality)
            planted[copy] = name, paths[row]
        start = time.perf_counter()
        finder = DuplicateFinder().fit(paths)
        known = {tuple(pair) for pair in finder.find()[["first", "second"]].to_numpy().tolist()}
        partners: dict[str, set[str]] = {}
        for one, other in known:
            partners.setdefault(one, set()).add(other)
            partners.setdefault(other, set()).add(one)
        finder.partial_fit(list(planted))
        pairs = finder.find(since=len(paths))
        seconds = time.perf_counter() - start
    found, wrong = Counter(), 0
    for first, second in pairs[["first", "second"]].to_numpy().tolist():
        name, original = planted[second]
        if first == original:
            found[name] += 1
        # A copy of a photo that has a duplicate of its own is one of that, too.
        elif (
            first not in partners.get(original, ()) and planted.get(first, ("", ""))[1] != original
        ):
            wrong += 1
    of_kind = Counter(name for name, _ in planted.values())
    rows = [
        (name, of_kind[name], f"{100 * found[name] / of_kind[name]:.1f}") for name in alterations
    ]
    print_table(("copies", "planted", "recall (%)"), rows)
    n_right = sum(found.values())
    n_images = len(finder.ids_)
    print(f"precision {100 * n_right / (n_right + wrong):.2f} % ({wrong} other pairs)")
    print(
        f"{n_images:,} photos in {seconds:.0f} s: {1000 * seconds / n_images:.1f} ms each, "
        f"peak memory {peak_memory() / 2**20:.0f} MB"
    )


if __name__ == "__main__":
    main()
