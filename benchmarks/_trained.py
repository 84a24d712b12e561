"""Models that several benchmarks use, fitted once on the same part of the training images."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from sklearn.model_selection import train_test_split

from fashionkit import fetch_fashion_mnist, load, make_model, save

N_HELD_OUT = 6_000


def split_training_images() -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Return 54,000 training images of Fashion-MNIST and 6,000 held out, and their labels."""
    X, y = fetch_fashion_mnist("train", return_X_y=True)
    return train_test_split(X, y, test_size=N_HELD_OUT, stratify=y, random_state=0)[:4]


def trained(name: str, folder: Path) -> Any:
    """Return a model fitted on the 54,000 images, read from a folder if it is there."""
    path = Path(folder) / f"{name}.fashionkit"
    if path.exists():
        return load(path)
    print(f"fitting {name}", flush=True)
    X, _, y, _ = split_training_images()
    model = make_model(name, random_state=0).fit(X, y)
    path.parent.mkdir(parents=True, exist_ok=True)
    save(model, path)
    return model
