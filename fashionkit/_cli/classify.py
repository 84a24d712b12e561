"""``fashionkit classify``: photos in, a table of decisions out."""

from __future__ import annotations

import argparse
import sys
import time
from functools import partial
from pathlib import Path
from typing import Any

import pandas as pd

from fashionkit._cli._arguments import jobs, positive, share
from fashionkit._cli._texts import harmless
from fashionkit._files import prepare_folder, write_whole
from fashionkit.datasets._names import p_text, percent
from fashionkit.decision._decide import OUTLIER, REVIEW, STATUSES

_MODEL = "clothing-photos-small-v1"
_SUFFIXES = (".csv", ".jsonl")
_MOST_ROWS = 10
_WIDTH = 40


def add_parser(commands: Any) -> None:
    """Add the command to the parser."""
    parser = commands.add_parser(
        "classify",
        help="classify photos, and say which of them somebody should check",
        description="Classify photos, and say which of them somebody should check.",
    )
    parser.add_argument(
        "source",
        nargs="+",
        metavar="SOURCE",
        help="folders with photos at any depth, photos, or a pattern such as 'photos/*.jpg'",
    )
    parser.add_argument(
        "--model",
        default=_MODEL,
        metavar="FILE|NAME",
        help="a file that train or fashionkit.save has written, or the name of a model of the "
        f"package (default: {_MODEL}, which needs no other file)",
    )
    parser.add_argument(
        "--output",
        type=_table,
        metavar="FILE",
        help="where to write a row for each photo, .csv or .jsonl",
    )
    parser.add_argument(
        "--review",
        type=_review,
        metavar="FILE",
        help="where to write the photos to check, as .csv: fill its column corrected, and give it "
        "to train --labels",
    )
    parser.add_argument(
        "--image-size",
        type=positive,
        metavar="N",
        help="side in pixels that photos are resized to (default: the model's own)",
    )
    parser.add_argument(
        "--review-below",
        type=share,
        metavar="P",
        help="leave predictions of less confidence to review, for models that do not decide "
        "themselves (default: accept all of these)",
    )
    parser.add_argument("--no-quality", action="store_true", help="do not judge the photos")
    parser.add_argument("--no-colors", action="store_true", help="do not name their colours")
    parser.add_argument(
        "--n-jobs",
        type=jobs,
        metavar="N",
        help="processes, -1 for one per core (default: 1, which reads ahead)",
    )
    parser.add_argument(
        "--checkpoint",
        metavar="FILE",
        help="where to write finished rows at once: the same command goes on where it was",
    )
    parser.set_defaults(run=run, error=parser.error)


def run(options: argparse.Namespace) -> int:
    """Classify photos, write the rows, and print a summary."""
    from fashionkit.decision import classify_photos, compare_with_calibration

    if options.review is not None and options.review == options.output:
        options.error("--output and --review are the same file; pass two")
    for path in (options.output, options.review):
        if path is not None:
            prepare_folder(path.parent)  # rather now than after the work
    start = time.perf_counter()
    rows = classify_photos(
        options.model,
        options.source if len(options.source) > 1 else options.source[0],
        image_size=options.image_size,
        quality=not options.no_quality,
        review_below=options.review_below,
        n_colors=0 if options.no_colors else 3,
        n_jobs=options.n_jobs,
        checkpoint_path=options.checkpoint,
        verbose=1,
    )
    seconds = time.perf_counter() - start
    counts = rows["status"].value_counts().reindex(STATUSES, fill_value=0)
    for path, table in ((options.output, rows), (options.review, _to_review(rows))):
        if path is not None:
            write_whole(path, partial(_write, table, path.suffix.lower()))
    print(_shown(rows))
    print(f"\nmodel:    {harmless(options.model)}")
    print(f"files:    {len(rows)}, {len(rows) / seconds:.1f} per second")
    for status, count in counts.items():
        print(f"{status + ':':9} {count} ({percent(count / len(rows), 1)})")
    _print_drift(compare_with_calibration(options.model, rows))
    written = [str(path) for path in (options.output, options.review) if path is not None]
    if written:
        print("written:  " + ", ".join(written))
    if counts["error"] < len(rows):
        return 0
    reason = harmless(rows["reason"].iloc[0])
    what = "the file" if len(rows) == 1 else f"none of {len(rows)} files"
    cannot = "cannot" if len(rows) == 1 else "can"
    print(f"fashionkit: error: {what} {cannot} be read as an image: {reason}", file=sys.stderr)
    return 1


def _print_drift(shifts: pd.DataFrame | None) -> None:
    """Say whether the photos are still like those that the model was calibrated on."""
    if shifts is None:
        return
    shifted = shifts[shifts["verdict"] != "within chance"]
    if shifted.empty:
        print("drift:    none beyond chance, from the photos that the model was calibrated on")
    for verdict, p_holm in zip(shifted["verdict"], shifted["p_holm"], strict=True):
        print(f"drift:    {harmless(verdict)} ({p_text(p_holm)})")


def _to_review(rows: pd.DataFrame) -> pd.DataFrame:
    """Return what somebody should check, with a column to fill."""
    checked = rows.loc[rows["status"].isin([REVIEW, OUTLIER]), ["path", "label", "confidence"]]
    return checked.sort_values("confidence", kind="stable").assign(corrected="")


def _write(rows: pd.DataFrame, suffix: str, part: Path) -> None:
    if suffix == ".csv":
        if "set" in rows:
            rows = rows.assign(set=[", ".join(map(str, one)) for one in rows["set"]])
        rows.to_csv(part, index=False)
    else:
        rows.to_json(part, orient="records", lines=True, force_ascii=False)


def _shown(rows: pd.DataFrame) -> str:
    """Return some rows as a table for a terminal: where they are many, those to look at first."""
    head = rows
    if len(rows) > _MOST_ROWS:
        urgency = rows["status"].map({status: -rank for rank, status in enumerate(STATUSES)})
        head = rows.loc[urgency.sort_values(kind="stable").index[:_MOST_ROWS]]
    table = pd.DataFrame(
        {
            "photo": [_end(path) for path in head["path"]],
            "label": head["label"],
            "confidence": [percent(one, 1) for one in head["confidence"]],
            "status": head["status"],
        }
    )
    if "color_1" in head:
        table["color"] = head["color_1"]
    # Why something is accepted goes without saying.
    reasons = head["reason"].where(table["status"].ne("accepted"))
    why = {"quality": head.get("quality"), "reason": reasons}
    for name, values in why.items():
        if values is not None and values.fillna("").ne("").any():
            table[name] = [_short(one) for one in values.fillna("")]
    table = table.map(lambda one: harmless("" if pd.isna(one) else one))
    left = len(rows) - len(head)
    return table.to_string(index=False) + (f"\n… and {left} more" if left else "")


def _end(path: str) -> str:
    return path if len(path) <= _WIDTH else f"…{path[1 - _WIDTH :]}"


def _short(text: str) -> str:
    return text if len(text) <= _WIDTH else f"{text[: _WIDTH - 1]}…"


def _table(text: str) -> Path:
    path = Path(text).expanduser()
    if path.suffix.lower() not in _SUFFIXES:
        raise argparse.ArgumentTypeError(f"{text!r} ends with neither .csv nor .jsonl")
    return path


def _review(text: str) -> Path:
    path = Path(text).expanduser()
    if path.suffix.lower() != ".csv":
        raise argparse.ArgumentTypeError(f"{text!r} does not end with .csv")
    return path
