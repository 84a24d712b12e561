"""The basic network and its recipe by other libraries: training to an accuracy, and prediction.

The same network, optimizer, rate and batches through fashionkit, Keras, SciKeras, skorch and fastai
(both PyTorch on the CPU), one epoch at a time, each library in a process of its own. After each
epoch it is evaluated on other images of the training set, whose time is not counted.

    python benchmarks/peers.py                             # those that are installed
    python benchmarks/peers.py --peers fashionkit skorch --epochs 3 --repeats 3
    pip install torch skorch fastai                        # for the last two

CPU times are those of all threads. The first epoch is that in which networks are compiled.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from collections.abc import Callable
from importlib.util import find_spec
from statistics import median
from typing import Any, NamedTuple

import numpy as np
from _measure import cpu_seconds, print_setting, print_table, wall_seconds
from sklearn.model_selection import train_test_split

from fashionkit import fetch_fashion_mnist

BATCH_SIZE, RATE = 32, 0.001
N_SINGLE = 100


class Peer(NamedTuple):
    """A library: what it needs, how it trains, and whether its images are channels first."""

    packages: tuple[str, ...]
    start: Callable[[int], tuple[Callable, Callable]]
    prepare: Callable[[np.ndarray], np.ndarray]


def main() -> None:
    options = _parse()
    if options.only:
        print(json.dumps(measure(options.only, options)))
        return
    print_setting("tensorflow", "keras", "scikeras")
    peers = options.peers or [name for name in PEERS if all(map(find_spec, PEERS[name].packages))]
    runs: dict[str, list[dict]] = {name: [] for name in peers}
    for seed in range(options.repeats):
        for name in peers:  # in turn: on a shared machine only neighbours can be compared
            runs[name].append(in_fresh_process(name, seed, options))
            print(f"  {name}: {runs[name][-1]}", flush=True)
    print_training(runs, options)
    print_prediction(runs)


def measure(name: str, options: argparse.Namespace) -> dict:
    """Train with one library until it has reached the accuracy, and predict."""
    peer = PEERS[name]
    X, y = fetch_fashion_mnist("train", return_X_y=True)
    X, X_val, y, y_val = train_test_split(
        X, y, train_size=options.train_size, test_size=10_000, stratify=y, random_state=0
    )
    y = y.astype(np.int64)
    images, held_out = map(peer.prepare, (X, X_val))
    train, predict_proba = peer.start(options.seed)
    accuracies: list[float] = []
    seconds = []
    for _ in range(options.epochs or options.most_epochs):
        seconds.append(cpu_seconds(lambda: train(images, y)))
        accuracies.append(float(np.mean(predict_proba(held_out).argmax(axis=1) == y_val)))
        if options.epochs is None and accuracies[-1] >= options.accuracy:
            break
    one = held_out[:1]
    predict_proba(one)
    return {
        "epochs": [round(value, 2) for value in seconds],
        "accuracy": [round(value, 4) for value in accuracies],
        "one_ms": round(
            1e3 * median(wall_seconds(lambda: predict_proba(one)) for _ in range(N_SINGLE)), 3
        ),
        "one_cpu_ms": round(
            1e3 * cpu_seconds(lambda: [predict_proba(one) for _ in range(N_SINGLE)]) / N_SINGLE, 3
        ),
        "all_cpu_s": round(
            median(cpu_seconds(lambda: predict_proba(held_out)) for _ in range(3)), 3
        ),
    }


def start_fashionkit(seed: int) -> tuple[Callable, Callable]:
    from fashionkit import CNNClassifier

    model = CNNClassifier(
        epochs=1, batch_size=BATCH_SIZE, learning_rate=RATE, warm_start=True, random_state=seed
    )
    return model.fit, model.predict_proba


def start_keras(seed: int) -> tuple[Callable, Callable]:
    import keras

    keras.utils.set_random_seed(seed)
    model = keras_network()
    return (
        lambda X, y: model.fit(X, y, epochs=1, batch_size=BATCH_SIZE, verbose=0),
        lambda X: model.predict(X, batch_size=256, verbose=0),
    )


def start_scikeras(seed: int) -> tuple[Callable, Callable]:
    from scikeras.wrappers import KerasClassifier

    model = KerasClassifier(
        keras_network, epochs=1, batch_size=BATCH_SIZE, verbose=0, random_state=seed
    )
    model.set_params(predict__batch_size=256)
    return model.partial_fit, model.predict_proba


def start_skorch(seed: int) -> tuple[Callable, Callable]:
    import torch
    from skorch import NeuralNetClassifier

    torch.manual_seed(seed)
    net = NeuralNetClassifier(
        torch_network(),
        max_epochs=1,
        batch_size=BATCH_SIZE,
        optimizer=torch.optim.Adam,
        lr=RATE,
        iterator_train__shuffle=True,
        iterator_valid__batch_size=256,
        train_split=None,
        verbose=0,
    )
    return net.partial_fit, net.predict_proba


def start_fastai(seed: int) -> tuple[Callable, Callable]:
    import torch
    from fastai.callback.progress import ProgressCallback
    from fastai.data.core import DataLoaders
    from fastai.data.load import DataLoader
    from fastai.learner import Learner
    from fastai.losses import CrossEntropyLossFlat
    from fastai.optimizer import Adam

    torch.manual_seed(seed)
    network = torch_network()[:-1]  # fastai's loss takes scores, and its get_preds their softmax
    learners: list[Learner] = []

    def loader(X, y, batch_size, shuffle):
        data = [(image, int(label)) for image, label in zip(torch.from_numpy(X), y, strict=True)]
        return DataLoader(data, bs=batch_size, shuffle=shuffle, num_workers=0, device="cpu")

    def train(X, y):
        if not learners:
            loaders = DataLoaders(
                loader(X, y, BATCH_SIZE, True), loader(X[:256], y[:256], 256, False)
            )
            learner = Learner(loaders, network, CrossEntropyLossFlat(), opt_func=Adam, lr=RATE)
            learners.append(learner.remove_cb(ProgressCallback))
        with learners[0].no_logging():
            learners[0].fit(1)

    def predict_proba(X):
        labels = np.zeros(len(X), np.int64)
        return learners[0].get_preds(dl=loader(X, labels, 256, False))[0].numpy()

    return train, predict_proba


def keras_network() -> Any:
    """Return the basic network as one would compile it without any wrapper."""
    import keras

    from fashionkit.neural import architectures

    model = architectures.basic((28, 28, 1), 10)
    model.compile(
        keras.optimizers.Adam(RATE), "sparse_categorical_crossentropy", metrics=["accuracy"]
    )
    return model


def torch_network() -> Any:
    """Return the basic network in PyTorch."""
    from torch import nn

    return nn.Sequential(
        nn.Conv2d(1, 32, 3), nn.ReLU(), nn.MaxPool2d(2),
        nn.Conv2d(32, 64, 3), nn.ReLU(), nn.MaxPool2d(2),
        nn.Conv2d(64, 64, 3), nn.ReLU(),
        nn.Flatten(), nn.Linear(576, 64), nn.ReLU(), nn.Linear(64, 10), nn.Softmax(1),
    )  # fmt: skip


def channels_last(X: np.ndarray) -> np.ndarray:
    return (X[..., np.newaxis] / 255).astype("float32")


def channels_first(X: np.ndarray) -> np.ndarray:
    return (X[:, np.newaxis] / 255).astype("float32")


PEERS = {
    "fashionkit": Peer(("fashionkit",), start_fashionkit, lambda X: X),
    "keras": Peer(("keras",), start_keras, channels_last),
    "scikeras": Peer(("scikeras",), start_scikeras, channels_last),
    "skorch": Peer(("torch", "skorch"), start_skorch, channels_first),
    "fastai": Peer(("torch", "fastai"), start_fastai, channels_first),
}


def in_fresh_process(name: str, seed: int, options: argparse.Namespace) -> dict:
    command = [sys.executable, __file__, "--only", name, "--seed", str(seed)]
    command += ["--accuracy", str(options.accuracy), "--train-size", str(options.train_size)]
    command += ["--epochs", str(options.epochs)] if options.epochs else []
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
    return json.loads(done.stdout.splitlines()[-1])


def print_training(runs: dict[str, list[dict]], options: argparse.Namespace) -> None:
    later = {name: median(s for run in of for s in run["epochs"][1:]) for name, of in runs.items()}
    base = later.get("fashionkit", min(later.values()))
    rows = []
    for name, of in runs.items():
        reached = [_reached(run, options.accuracy) for run in of]
        known = [one for one in reached if one]
        rows.append(
            (
                name,
                f"{median(run['epochs'][0] for run in of):.1f}",
                f"{later[name]:.1f}",
                f"{later[name] / base:.2f}",
                f"{median(epochs for epochs, _ in known):g}" if known else "not",
                f"{median(seconds for _, seconds in known):.0f}" if known else "",
            )
        )
    setting = f"Batches of {BATCH_SIZE}, {options.train_size:,} images"
    print(f"\n{setting}, median of {options.repeats}:\n")
    goal = f"to {100 * options.accuracy:.2f} %"
    header = ("first epoch (CPU s)", "later epochs", "ratio", f"epochs {goal}", f"CPU s {goal}")
    print_table(("library", *header), rows)


def print_prediction(runs: dict[str, list[dict]]) -> None:
    rows = [
        (
            name,
            f"{median(run['one_ms'] for run in of):.2f}",
            f"{median(run['one_cpu_ms'] for run in of):.2f}",
            f"{median(run['all_cpu_s'] for run in of):.2f}",
        )
        for name, of in runs.items()
    ]
    header = ("one image (ms)", "one image (CPU ms)", "10,000 images (CPU s)")
    print_table(("library", *header), rows)


def _reached(run: dict, accuracy: float) -> tuple[int, float] | None:
    for epoch, value in enumerate(run["accuracy"], start=1):
        if value >= accuracy:
            return epoch, sum(run["epochs"][:epoch])
    return None


def _parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--peers", nargs="+", choices=PEERS)
    parser.add_argument("--epochs", type=int, help="number of epochs, instead of the accuracy")
    parser.add_argument("--train-size", type=int, default=50_000)
    parser.add_argument("--most-epochs", type=int, default=15)
    parser.add_argument("--accuracy", type=float, default=0.9021)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--only", choices=PEERS, help=argparse.SUPPRESS)
    parser.add_argument("--seed", type=int, default=0, help=argparse.SUPPRESS)
    return parser.parse_args()


if __name__ == "__main__":
    main()
