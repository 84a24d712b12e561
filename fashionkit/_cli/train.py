"""``fashionkit train``: photos and their labels in, the file of a calibrated model out."""

from __future__ import annotations

import argparse
import os
from pathlib import Path
from typing import Any

import fashionkit
from fashionkit._cli._arguments import folds, jobs, positive, refuse_model, seed, share
from fashionkit._cli._texts import fill, harmless
from fashionkit._files import prepare_folder, write_whole
from fashionkit.datasets._names import percent

_N_ITER = 20
_LEVELS = {"risk": 0.05, "coverage": 0.9, "confidence": 0.8, "none": None}


def add_parser(commands: Any) -> None:
    """Add the command to the parser."""
    parser = commands.add_parser(
        "train",
        help="train a model on photos, calibrate it, and write it to a file",
        formatter_class=argparse.RawDescriptionHelpFormatter,
        description=fill(
            "Train a model on photos, calibrate it, measure it on photos that it has not seen, and "
            "write it to a file, with its card beside it."
        ),
        epilog="models:\n" + fill(", ".join(fashionkit.list_models()), indent="  "),
    )

    def model_name(text: str) -> str:
        return text if text in fashionkit.list_models() else refuse_model(parser, text)

    parser.add_argument(
        "folder",
        nargs="?",
        metavar="FOLDER",
        help="a folder with a sub-folder of photos for each class; with --labels, where relative "
        "paths begin",
    )
    parser.add_argument(
        "--labels",
        nargs="+",
        metavar="FILE",
        help="CSV files with the column path, and label or several attributes; or what classify "
        "--review has written, with its column corrected filled",
    )
    parser.add_argument(
        "--targets",
        nargs="+",
        metavar="COLUMN",
        help="columns of labels to learn (default: all)",
    )
    parser.add_argument(
        "--model",
        type=model_name,
        metavar="NAME",
        help="a name from the list below (default: photos-lda, for photos)",
    )
    parser.add_argument(
        "--output",
        required=True,
        metavar="FILE",
        help="the file to write; its card is the same name with .md",
    )
    parser.add_argument(
        "--groups",
        metavar="COLUMN|FILE",
        help="photos that belong together, such as a sender's: a column of the labels, or a CSV "
        "file with the columns file and sender_id",
    )
    parser.add_argument(
        "--criterion",
        choices=list(_LEVELS),
        default="risk",
        help="what decides which predictions are accepted (default: risk)",
    )
    parser.add_argument(
        "--level",
        type=share,
        metavar="X",
        help="the largest error rate of what is accepted (default: 0.05), the share that is "
        "accepted (0.9), or the least confidence (0.8)",
    )
    parser.add_argument(
        "--cv",
        type=folds,
        metavar="N",
        help="evaluate on N folds (default: 5 where features are computed once, else one part of "
        "a fifth)",
    )
    parser.add_argument(
        "--tune",
        nargs="?",
        type=positive,
        const=_N_ITER,
        metavar="N",
        help="search the model's parameters, N combinations (default: no search; "
        f"{_N_ITER} where N is left out)",
    )
    parser.add_argument(
        "--image-size",
        type=positive,
        metavar="N",
        help="side in pixels that photos are resized to (default: the model's own)",
    )
    parser.add_argument(
        "--epochs",
        type=positive,
        metavar="N",
        help="passes of a neural network over the photos (default: the model's own)",
    )
    parser.add_argument(
        "--n-jobs", type=jobs, metavar="N", help="folds that are fitted at the same time"
    )
    parser.add_argument(
        "--seed",
        type=seed,
        default=0,
        metavar="N",
        help="of everything that is drawn at random (default: 0)",
    )
    parser.set_defaults(run=run, error=parser.error)


def run(options: argparse.Namespace) -> int:
    """Train, write the model and its card, and print what it is worth."""
    from fashionkit.decision import train_photos

    if options.folder is None and options.labels is None:
        options.error("pass a FOLDER with a sub-folder for each class, or --labels")
    if options.criterion == "none" and options.level is not None:
        options.error("--level has no meaning with --criterion none")
    output = Path(options.output).expanduser()
    if output.suffix == ".md":
        options.error(f"--output {options.output!r} is where the card goes; pass another name")
    prepare_folder(output.parent)  # rather now than after the training
    if output.is_dir():
        options.error(f"--output {options.output!r} is a folder; pass the name of a file in it")
    result = train_photos(
        options.folder,
        options.labels,
        model=options.model,
        targets=options.targets,
        groups=options.groups,
        criterion=None if options.criterion == "none" else options.criterion,
        level=options.level or _LEVELS[options.criterion],
        cv=options.cv,
        n_iter=options.tune,
        image_size=options.image_size,
        params={} if options.epochs is None else {"epochs": options.epochs},
        n_jobs=options.n_jobs,
        random_state=options.seed,
        verbose=1,
    )
    fashionkit.save(result.model, output, metadata=result.metadata)
    card = write_whole(
        output.with_suffix(".md"), lambda part: part.write_text(result.card, encoding="utf-8")
    )
    print(
        f"model: {result.metadata['trained_model']}, trained on {result.metadata['photos']} photos"
    )
    if result.n_corrected:
        print(f"corrections: {result.n_corrected} labels, as filled in the tables")
    for row in result.evaluation.itertuples():
        print(
            f"\n{harmless(row.target)}: {percent(row.accuracy, 1)} of {row.photos} held-out photos "
            f"are right (95 % interval {100 * row.low:.1f} to {100 * row.high:.1f})"
        )
        print(f"  calibration error {percent(row.calibration_error, 1)}")
        print(
            f"  accepted {percent(row.coverage, 1)}, of which {percent(row.accepted_accuracy, 1)} "
            "are right"
        )
    table = result.per_class.copy()
    for name in ("precision", "recall", "f1"):
        table[name] = [percent(one, 1) for one in table[name]]
    if len(result.evaluation) == 1:
        table = table.drop(columns="target")
    table = table.map(harmless)
    print(f"\n{table.to_string(index=False)}\n")
    print("Written:", output, card, sep="\n  ")
    print(f"Next: python -m fashionkit classify PHOTOS --model {os.fspath(output)}")
    return 0
