"""Write the files of a release, which all later releases have to load.

    python tests/persistence/golden/make.py 0.1

Files of a release are never written again: a release that changes what is in them adds its own.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np

from fashionkit import make_garments, make_model, save

MODELS = {
    "cnn": {"architecture_params": {"filters": (4, 4), "dense_units": (8,)}, "epochs": 2},
    "cnn-quick": {"architecture_params": {"filters": (4, 4, 4)}},
    "hog-forest": {"forest__n_estimators": 3, "hog__pixels_per_cell": (14, 14)},
    "pixels-svm": {"pca__n_components": 5},
    "pixels-knn": {"pca__n_components": 5},
    "pixels-tree": {},
}


def main(release: str) -> None:
    folder = Path(__file__).parent / release
    folder.mkdir()
    X, y = make_garments(140, random_state=0)
    labels = np.array([f"class {label}" for label in y])
    for name, params in MODELS.items():
        model = make_model(name, random_state=0, **params).fit(X[:120], labels[:120])
        save(model, folder / f"{name}.fashionkit", metadata={"release": release})
        np.save(folder / f"{name}.npy", model.predict_proba(X[120:]))
    np.save(folder / "X.npy", X[120:])


if __name__ == "__main__":
    main(sys.argv[1])
