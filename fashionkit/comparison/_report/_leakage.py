"""What a report says of images that are evaluated although they were trained on."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, NamedTuple

from fashionkit.comparison._report._mistakes import file_of
from fashionkit.comparison._report._tables import Table, table_without_leakage

if TYPE_CHECKING:
    from fashionkit.comparison._comparison import Comparison
    from fashionkit.comparison._report._pictures import Album

logger = logging.getLogger(__name__)

_N_PAIRS = 12


class Pair(NamedTuple):
    """An evaluated image and the training image that it repeats."""

    row: int
    training_row: int
    kind: str
    labels: str
    files: str


class Leakage(NamedTuple):
    """How many images are repeated, what that changes, and some of them."""

    text: str
    total: int = 0
    table: Table | None = None
    pairs: tuple[Pair, ...] = ()


def make_leakage(comparison: Comparison, album: Album, training_album: Album) -> Leakage:
    """Return what the check has found, and store the pictures; or say why it failed."""
    try:
        found = comparison.leakage
        table = table_without_leakage(comparison) if len(found) else None
    except Exception as error:  # the rest of the report is still worth writing
        logger.info("The search for repeated images failed.", exc_info=True)
        return Leakage(f"The check failed: {type(error).__name__}: {error}")
    n_images = len(comparison.y_true_)
    if not len(found):
        return Leakage(f"None of the {n_images:,} evaluated images is among the training images.")
    n_same = int((found["kind"] == "identical").sum())
    text = (
        f"{len(found):,} of {n_images:,} evaluated images are also among the training images: "
        f"{n_same:,} with the same pixels, {len(found) - n_same:,} nearly."
    )
    first = found.head(_N_PAIRS)
    rows = comparison.indices_[first["image"].to_numpy()].tolist()
    training_rows = first["training_image"].tolist()
    album.add(rows)
    training_album.add(training_rows)
    names = dict(zip(comparison.classes_.tolist(), comparison.class_names_, strict=True))
    pairs = []
    for row, pair in zip(rows, first.itertuples(), strict=True):
        if row not in album or pair.training_image not in training_album:
            continue
        label, training_label = names[pair.label], names[pair.training_label]
        labels = label if label == training_label else f"{label}, trained as {training_label}"
        files = file_of(comparison.images_, row)
        files += f", {file_of(comparison._data.train.X, pair.training_image)}" if files else ""
        pairs.append(Pair(row, pair.training_image, pair.kind, labels, files))
    return Leakage(text, len(found), table, tuple(pairs))
