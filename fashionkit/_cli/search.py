"""``python -m fashionkit search``: the photos of an index that are most similar to others."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from fashionkit._cli._texts import harmless

_DEFAULT_NUMBER = 10


def add_parser(commands: Any) -> None:
    """Add the command to the parser."""
    parser = commands.add_parser(
        "search",
        help="find the photos of an index that are most similar to others",
        description="Find the photos of an index, which the command index has written, that are "
        "most similar to others.",
    )
    parser.add_argument("file", metavar="FILE", help="the index")
    parser.add_argument("queries", metavar="QUERY", nargs="+", help="a photo")
    parser.add_argument(
        "-n",
        "--n-neighbors",
        metavar="N",
        type=int,
        help=f"photos to find for each (default: {_DEFAULT_NUMBER})",
    )
    parser.add_argument("--label", metavar="NAME", help="find photos with this label only")
    parser.add_argument(
        "--diversity",
        metavar="SHARE",
        type=float,
        default=0.0,
        help="how much results should differ from each other, from 0 to 1 (default: 0)",
    )
    parser.add_argument("--html", metavar="FILE", help="write a page with pictures, too")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Print the most similar photos."""
    from fashionkit import ImageSearch, load, load_images
    from fashionkit.persistence import describe

    search = load(options.file, mmap_mode="r")
    if not isinstance(search, ImageSearch) or not hasattr(search, "image_shape_"):
        raise ValueError(
            f"{options.file!r} holds a {type(search).__name__}, and no index of photos; write one "
            "with the command index."
        )
    height, width, _ = search.image_shape_
    photos = load_images(options.queries, image_size=(height, width))
    number = options.n_neighbors
    if number is None:
        number = min(_DEFAULT_NUMBER, len(search.ids_))
    results = search.search(
        photos, number, where=_filter(search, options.label), diversity=options.diversity
    )
    folder = Path((describe(options.file).metadata or {}).get("folder", ""))
    for position, query in enumerate(options.queries):
        found = results[results["query"] == position]
        print(f"{harmless(query)}\n")
        print(f"{'':>4}  {'distance':>8}  {'label':{_width(found)}}  photo")
        for rank, row in enumerate(found.to_dict("records"), start=1):
            label = harmless(row.get("label", ""))
            print(
                f"{rank:>4}  {row['distance']:>8.3f}  {label:{_width(found)}}  "
                f"{harmless(row['id'])}"
            )
        print()
    if options.html:
        print(_write_page(options.html, options.queries, results, folder))
    return 0


def _filter(search: Any, label: str | None) -> Any:
    if label is None:
        return None
    known = [] if search.labels_ is None else sorted(set(map(str, search.labels_.tolist())))
    if label not in known:
        raise ValueError(
            f"--label={label!r} is no label of the index, which has "
            f"{', '.join(map(harmless, known)) or 'none'}."
        )
    return search.labels_.astype(str) == label


def _width(found: Any) -> int:
    labels = found.get("label", [])
    return max([len("label"), *(len(str(label)) for label in labels)])


def _write_page(path: str, queries: list[str], results: Any, folder: Path) -> Path:
    from fashionkit._cli._pages import Picture, write_page

    rows = []
    for position, query in enumerate(queries):
        pictures = [Picture(Path(query), ["query"], is_query=True)]
        for row in results[results["query"] == position].to_dict("records"):
            lines = [f"{row['distance']:.3f}", str(row.get("label", "")), str(row["id"])]
            pictures.append(Picture(folder / str(row["id"]), list(filter(None, lines))))
        rows.append((query, pictures))
    return write_page(path, "Similar photos", rows)
