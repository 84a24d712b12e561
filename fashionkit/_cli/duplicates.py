"""``python -m fashionkit duplicates``: photos that are there twice."""

from __future__ import annotations

import argparse
from collections import Counter
from pathlib import Path
from typing import Any

from fashionkit._cli._texts import harmless

_MEANINGS = {
    "file": "the same file",
    "identical": "the same pixels",
    "near": "the same picture, resized, recompressed or altered a little",
    "product": "the same product",
}
_PRODUCT_SIZE = 192


def add_parser(commands: Any) -> None:
    """Add the command to the parser."""
    parser = commands.add_parser(
        "duplicates",
        help="find photos that are there twice",
        description="Find photos of folders that are there twice: the same file, the same pixels, "
        "or the same picture after it was resized, recompressed or altered a little.",
    )
    parser.add_argument("folders", metavar="FOLDER", nargs="+", help="a folder of photos")
    parser.add_argument(
        "--max-distance",
        metavar="D",
        type=float,
        default=0.1,
        help="largest distance of the same picture, from 0 to 2 (default: 0.1)",
    )
    parser.add_argument(
        "--products", action="store_true", help="find photos of the same product, too"
    )
    parser.add_argument(
        "--saved",
        metavar="FILE",
        help="what was read of photos before, to which new ones are added: only pairs with a new "
        "photo are listed; the file is made where there is none",
    )
    parser.add_argument("--output", metavar="FILE", help="write the pairs as CSV, too")
    parser.add_argument("--html", metavar="FILE", help="write a page with pictures, too")
    parser.add_argument("--n-jobs", metavar="N", type=int, help="threads that read files")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Print the pairs."""
    from fashionkit import ImageFolder, save
    from fashionkit.inspection import DuplicateFinder

    finder = _open(options)
    known = set(getattr(finder, "ids_", ()))
    before = len(known)
    for folder in options.folders:
        paths = ImageFolder.from_paths(folder).filenames
        new = [path for path in paths.tolist() if path not in known]
        if not new:
            continue
        size = finder.image_shape_[:2] if known else _PRODUCT_SIZE if options.products else 96
        photos = ImageFolder.from_paths(
            new, image_size=size, on_error="skip", n_jobs=options.n_jobs
        )
        assert isinstance(finder, DuplicateFinder)
        finder.partial_fit(photos)
        known.update(new)
    pairs = finder.find(since=before)
    for row in pairs.to_dict("records"):
        print(f"{row['kind']:9}  {row['distance']:.3f}  {harmless(row['first'])}")
        print(f"{'':16}  {harmless(row['second'])}")
    counts = Counter(pairs["kind"])
    found = "1 pair" if len(pairs) == 1 else f"{len(pairs):,} pairs"
    print(f"{len(finder.ids_) - before:,} photos read, {found} found", end="")
    print(
        "".join(f"\n  {counts[kind]:,} {text}" for kind, text in _MEANINGS.items() if counts[kind])
    )
    if options.saved:
        print(save(finder, options.saved))
    if options.output:
        print(_write_table(options.output, pairs))
    if options.html:
        print(_write_page(options.html, pairs))
    return 0


def _open(options: argparse.Namespace) -> Any:
    from fashionkit import ImageSearch, load
    from fashionkit.inspection import DuplicateFinder

    if options.saved and Path(options.saved).expanduser().exists():
        finder = load(options.saved)
        if not isinstance(finder, DuplicateFinder):
            raise ValueError(
                f"--saved={options.saved!r} holds a {type(finder).__name__}, and no photos that "
                "this command has read."
            )
        if options.products and finder.embedding_ is None:
            raise ValueError(
                f"--saved={options.saved!r} was read without --products; leave it out, or read "
                "all photos again into another file."
            )
        return finder.set_params(max_distance=options.max_distance)
    embedding = ImageSearch() if options.products else None
    return DuplicateFinder(options.max_distance, embedding=embedding)


def _write_table(path: str, pairs: Any) -> Path:
    from fashionkit._files import write_whole

    return write_whole(Path(path).expanduser(), lambda part: pairs.to_csv(part, index=False))


def _write_page(path: str, pairs: Any) -> Path:
    from fashionkit._cli._pages import Picture, write_page

    rows = [
        (
            f"{_MEANINGS[row['kind']]} ({row['distance']:.3f})",
            [Picture(Path(row[name]), [row[name]]) for name in ("first", "second")],
        )
        for row in pairs.to_dict("records")
    ]
    return write_page(path, "Duplicates", rows)
