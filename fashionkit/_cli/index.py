"""``python -m fashionkit index``: photos of a folder, indexed to be searched."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

import numpy as np

_DEFAULT_SIZE = 192


def add_parser(commands: Any) -> None:
    """Add the command to the parser."""
    parser = commands.add_parser(
        "index",
        help="index the photos of a folder, for the command search",
        description="Index the photos of a folder, at any depth, for the command search. Photos "
        "in sub-folders have the name of their folder as a label.",
    )
    parser.add_argument("folder", metavar="FOLDER", help="a folder of photos")
    parser.add_argument("--output", metavar="FILE", required=True, help="the index to write")
    parser.add_argument(
        "--model",
        metavar="NAME|FILE",
        default="auto",
        help="what decides which photos are similar: a model of the package, a file of a fitted "
        "model or transformer, or a network in an ONNX file (default: the network of "
        '"clothing-photos-small-v1")',
    )
    parser.add_argument(
        "--image-size",
        metavar="N",
        type=int,
        help=f"side that photos are resized to (default: the model's, or {_DEFAULT_SIZE})",
    )
    parser.add_argument(
        "--n-components",
        metavar="N",
        type=int,
        default=128,
        help="numbers that are kept of each photo, at most (default: 128)",
    )
    parser.add_argument("--n-jobs", metavar="N", type=int, help="threads that read files")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Index the photos, and save the index."""
    from fashionkit import ImageFolder, ImageSearch, save

    root = Path(options.folder).expanduser().resolve()
    if not root.is_dir():
        raise NotADirectoryError(f"{options.folder!r} is no folder; pass a folder of photos.")
    embedding, size = _embedding(options.model)
    size = options.image_size or size or _DEFAULT_SIZE
    photos = ImageFolder.from_paths(root, image_size=size, on_error="skip", n_jobs=options.n_jobs)
    names = [Path(path).relative_to(root) for path in photos.filenames.tolist()]
    is_sorted = all(len(name.parts) > 1 for name in names)
    labels = np.array([name.parent.name for name in names]) if is_sorted else None
    search = ImageSearch(embedding, n_components=options.n_components)
    search.fit(photos, labels, ids=[name.as_posix() for name in names])
    path = save(search, options.output, metadata={"folder": str(root)})
    classes = "" if labels is None else f" of {len(set(labels.tolist()))} classes"
    print(f"{len(names):,} photos{classes}, {search.vectors_.shape[1]} numbers each: {path}")
    return 0


def _embedding(model: str) -> tuple[Any, Any]:
    """Return what embeds photos, and the size that it takes, None if it takes any."""
    from fashionkit import list_pretrained, load, load_pretrained
    from fashionkit.persistence._describe import with_images

    if model == "auto" or model.lower().endswith(".onnx"):
        return model, None
    if model in list_pretrained():
        loaded = load_pretrained(model)
    elif Path(model).expanduser().exists():
        loaded = load(model)
    else:
        raise ValueError(
            f"--model={model!r} is neither a file nor one of {', '.join(list_pretrained())}."
        )
    # Also of what is inside of a Pipeline, or of a calibrated model.
    inner = next(with_images(loaded), None)
    return loaded, None if inner is None else tuple(inner.image_shape_[:2])
