"""Photos of clothes, and who took which."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
from sklearn.model_selection import GroupKFold

from fashionkit import Augmentation, ImageFolder

# How the recipe "photos" is changed for a network of about a third of the width, which overfits
# less. Chosen on photos of other senders within the training part of the first of five folds, as
# the size was: more augmentation, CutMix, mixup, averaged weights, weight decay and lower rates of
# early stages did not help a network this small.
SMALL = {
    "alpha": 0.35,
    "image_size": 192,
    "dropout": 0.0,
    "fine_tune_layer_decay": 1.0,
    "augmentation": Augmentation(horizontal_flip="alternating", translation=0.04),
}


def list_photos(folder: Path, image_size: int) -> tuple[ImageFolder, np.ndarray]:
    """Return the photos that ``senders.csv`` lists, in its order, and their senders.

    The file is in the folder and has the columns split, label, file and sender_id; the photos are
    in split/label/file.
    """
    listed = pd.read_csv(folder / "senders.csv")
    paths = [folder / row.split / row.label / row.file for row in listed.itertuples()]
    photos = ImageFolder.from_paths(paths, target=listed["label"], image_size=image_size, n_jobs=2)
    return photos, listed["sender_id"].to_numpy()


def split_senders(y: np.ndarray, sender_ids: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the rows of four fifths of the senders and those of the others."""
    senders = pd.factorize(sender_ids)[0]
    return next(GroupKFold(5).split(y, y, senders))
