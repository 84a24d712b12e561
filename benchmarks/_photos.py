"""Photos of clothes, and who took which."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from fashionkit import ImageFolder


def list_photos(folder: Path, image_size: int) -> tuple[ImageFolder, np.ndarray]:
    """Return the photos that ``senders.csv`` lists, in its order, and their senders.

    The file is in the folder and has the columns split, label, file and sender_id; the photos are
    in split/label/file.
    """
    listed = pd.read_csv(folder / "senders.csv")
    paths = [folder / row.split / row.label / row.file for row in listed.itertuples()]
    photos = ImageFolder.from_paths(paths, target=listed["label"], image_size=image_size, n_jobs=2)
    return photos, listed["sender_id"].to_numpy()
