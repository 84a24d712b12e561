"""The report as text: the template, filled with everything it shows."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from jinja2 import Environment, PackageLoader, StrictUndefined

from fashionkit.comparison._pairwise import DEFAULT_MARGIN
from fashionkit.comparison._report._figures import make_figures
from fashionkit.comparison._report._leakage import make_leakage
from fashionkit.comparison._report._matrices import Matrix, in_turns, make_matrix
from fashionkit.comparison._report._mistakes import Gallery, file_of, make_mistakes
from fashionkit.comparison._report._pictures import Album
from fashionkit.comparison._report._provenance import describe_images, describe_run
from fashionkit.comparison._report._summary import summarise
from fashionkit.comparison._report._tables import (
    table_of_classes,
    table_of_images,
    table_of_models,
    table_of_pairs,
)
from fashionkit.comparison._results import Part

if TYPE_CHECKING:
    from fashionkit.comparison._comparison import Comparison


# Of the file: pictures of the evaluated images, and of training images that they repeat.
_PICTURE_BYTES = 2_000_000
_TRAINING_PICTURE_BYTES = 200_000


def render(comparison: Comparison) -> str:
    """Return the report of a comparison as the text of an HTML file."""
    environment = Environment(
        loader=PackageLoader("fashionkit.comparison._report"),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=StrictUndefined,
    )
    environment.filters["unbroken"] = _unbroken
    return environment.get_template("report.html").render(_content(comparison))


def _unbroken(text: str) -> str:
    """Keep each number and its unit on one line."""
    return re.sub(r"(?<=[\d=<>]) (?=[%\d])|(?<=\bp) (?=[=<])", "\N{NO-BREAK SPACE}", text)


def _content(comparison: Comparison) -> dict[str, Any]:
    """Return what the template takes, by name."""
    pairs = comparison.pairwise()
    matrices = [make_matrix(comparison, name) for name in comparison.predictions_]
    pictures = _pictures(comparison, matrices)
    return {
        "summary": summarise(comparison, pairs, pictures["leakage"]),
        "tables": [table_of_models(comparison, part) for part in _parts(comparison)],
        "figures": make_figures(comparison, pairs),
        "verdicts": comparison.verdicts(),
        "pairs": table_of_pairs(pairs, DEFAULT_MARGIN),
        "matrices": matrices,
        "class_names": comparison.class_names_,
        "classes": table_of_classes(comparison),
        "images": table_of_images(comparison),
        "sources": _sources(comparison),
        "run": describe_run(comparison),
        **pictures,
    }


def _parts(comparison: Comparison) -> list[Part]:
    """Return the parts that there are tables of: that of the ranking first."""
    parts: list[Part] = [] if comparison._data.test is None else ["test"]
    return [*parts, "folds"] if comparison.folds_.splits else parts


def _sources(comparison: Comparison) -> dict[str, str]:
    data = comparison._data
    sources = {"Training images": describe_images(data.train.X)}
    if data.test is not None:
        sources["Test images"] = describe_images(data.test.X)
    return sources


def _pictures(comparison: Comparison, matrices: list[Matrix]) -> dict[str, Any]:
    """Return all that has pictures, most important ones first: an album may become full."""
    album = Album(comparison.images_, _PICTURE_BYTES)
    training_album = album
    if comparison._data.test is not None:
        training_album = Album(comparison._data.train.X, _TRAINING_PICTURE_BYTES)
    mistakes = make_mistakes(comparison, album) if album else []
    leakage = make_leakage(comparison, album, training_album) if album else None
    for positions in in_turns(matrices) if album else ():
        album.add(comparison.indices_[positions])
    return {
        "album": album,
        "training_album": training_album,
        "mistakes": mistakes,
        "leakage": leakage,
        **_cells(comparison, matrices, album),
    }


def _cells(comparison: Comparison, matrices: list[Matrix], album: Album) -> dict[str, Any]:
    """Return the stored pictures of each cell, and their files."""
    cells = {}
    for i, matrix in enumerate(matrices):
        gallery = Gallery(comparison, album, matrix.name)
        for cell in matrix.cells():
            if shown := gallery.show(cell.positions):
                key = f"{i}-{cell.true}-{cell.predicted}"
                cells[key] = [[one.row, one.confidence] for one in shown]
    files = {row: file for row in album.sources if (file := file_of(comparison.images_, row))}
    return {"cells": cells, "files": files}
