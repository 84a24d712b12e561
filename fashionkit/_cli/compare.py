"""``fashionkit compare``: train models on the same images and compare them."""

from __future__ import annotations

import argparse
import os
import tempfile
from difflib import get_close_matches
from typing import Any

import joblib

import fashionkit
from fashionkit._cli._arguments import folds, jobs, positive, refuse_model, seed
from fashionkit._cli._texts import fill
from fashionkit.datasets._choose import DEFAULT_IMAGE_SIZE, choose_images

# The costliest first, so that at the end no core waits for long.
_DEFAULT_MODELS = ("hog-forest", "cnn", "hog-tree", "mobilenetv2-head", "hog-svm", "hog-knn")

# How many models or folds are fitted at the same time unless told: each takes memory of its own.
_MOST_JOBS = 4

_DATA_SETS = ("fashion-mnist", "garments")

# Combinations of parameters that a search tries.
_N_ITER = 20

# How the error of a model begins whose weights are neither at hand nor reachable.
_NO_WEIGHTS = "FileNotFoundError: weights="

# Columns of the help.


def add_parser(commands: Any) -> None:
    """Add the command's parser."""
    parser = commands.add_parser(
        "compare",
        help="train models on the same images and compare them",
        formatter_class=argparse.RawDescriptionHelpFormatter,
        description=fill(
            "Train models on the same images, evaluate them once on the same test images, and "
            "write tables, verdicts on all pairs, figures, and a report as one HTML file."
        ),
        epilog="models:\n" + fill(", ".join(fashionkit.list_models()), indent="  "),
    )

    def model_name(text: str) -> str:
        return text if text in fashionkit.list_models() else refuse_model(parser, text)

    parser.add_argument(
        "--data",
        metavar="DATA",
        help="fashion-mnist, garments (generated), a CSV file with Kaggle's columns, or a folder "
        "with a sub-folder of images for each class, or such folders called train and test "
        "(default: fashion-mnist, downloaded if necessary; garments if that fails)",
    )
    parser.add_argument(
        "--models",
        nargs="+",
        type=model_name,
        metavar="NAME",
        help=f"names from the list below (default: {' '.join(_DEFAULT_MODELS)})",
    )
    parser.add_argument(
        "--train-size",
        type=positive,
        metavar="N",
        help="training images, stratified by class (default: 20000)",
    )
    parser.add_argument(
        "--test-size",
        type=positive,
        metavar="N",
        help="test images, stratified by class (default: 10000)",
    )
    parser.add_argument(
        "--full",
        action="store_true",
        help="use all images, of Fashion-MNIST 60000 + 10000",
    )
    parser.add_argument(
        "--epochs",
        type=positive,
        metavar="N",
        help="passes of neural networks over the training images (default: each "
        "model's own, 10 for cnn)",
    )
    parser.add_argument(
        "--image-size",
        type=positive,
        default=DEFAULT_IMAGE_SIZE,
        metavar="N",
        help=f"side in pixels that images of a folder are resized to "
        f"(default: {DEFAULT_IMAGE_SIZE})",
    )
    parser.add_argument(
        "--cv",
        type=folds,
        metavar="N",
        help="compare on N stratified folds of the training images too; the test images decide "
        "the ranking",
    )
    parser.add_argument(
        "--tune",
        nargs="?",
        type=positive,
        const=_N_ITER,
        metavar="N",
        help="search the parameters of each model on its training images, N combinations "
        f"(default: no search; {_N_ITER} where N is left out)",
    )
    parser.add_argument(
        "--n-jobs",
        type=jobs,
        metavar="N",
        help="how many models or folds to fit at the same time; 1 for one that uses all cores "
        f"where it can, -1 for one per core (default: one per core, {_MOST_JOBS} at most)",
    )
    parser.add_argument(
        "--checkpoint-dir",
        metavar="DIR",
        help="where to write each result as soon as it is finished: the same command goes on "
        "where it was",
    )
    parser.add_argument("--no-report", action="store_true", help="write no HTML report")
    parser.add_argument(
        "--output",
        default="fashionkit-results",
        metavar="DIR",
        help="where to write the results (default: fashionkit-results)",
    )
    parser.add_argument(
        "--seed",
        type=seed,
        default=0,
        metavar="N",
        help="of everything that is drawn at random (default: 0)",
    )
    parser.set_defaults(run=_run, error=parser.error)


def _run(arguments: argparse.Namespace) -> int:
    if arguments.full and (arguments.train_size or arguments.test_size):
        arguments.error("--full takes all images: leave out --train-size and --test-size")
    if nearest := _misspelt(arguments.data):
        arguments.error(f"--data {arguments.data!r} is no file; the nearest name is {nearest!r}")
    from fashionkit._files import prepare_folder

    prepare_folder(arguments.output)  # rather now than after the training
    choice = choose_images(
        arguments.data,
        train_size=arguments.train_size,
        test_size=arguments.test_size,
        full=arguments.full,
        seed=arguments.seed,
        image_size=arguments.image_size,
    )
    print(f"Data: {choice.description}", flush=True)
    names = arguments.models or _DEFAULT_MODELS
    os.environ.setdefault("TF_FORCE_GPU_ALLOW_GROWTH", "true")  # several processes share a GPU
    with (
        tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as memory,
        joblib.parallel_config(n_jobs=-1),
    ):
        comparison = fashionkit.compare_models(
            [_make_model(name, arguments, memory) for name in names],
            choice.X,
            choice.y,
            X_test=choice.X_test,
            y_test=choice.y_test,
            cv=_shuffled(arguments),
            n_jobs=arguments.n_jobs or _n_jobs(len(names) * (1 + (arguments.cv or 0))),
            random_state=arguments.seed,
            checkpoint_dir=arguments.checkpoint_dir,
            class_names=choice.target_names,
            verbose=1,
        )
    if not arguments.models:
        comparison = _without_missing_weights(comparison)
    written = comparison.save(  # before anything that can fail
        arguments.output, report=not arguments.no_report
    )
    print(f"\n{comparison}\n")
    print("Written:", *written, sep="\n  ")
    is_interrupted = any(why.startswith("KeyboardInterrupt") for why in comparison.errors_.values())
    return 130 if is_interrupted else 1 if comparison.errors_ else 0


def _misspelt(data: str | None) -> str | None:
    """Return the data set that was probably meant by what is neither one nor a file."""
    if data is None or data in _DATA_SETS or os.path.exists(data):
        return None
    return next(iter(get_close_matches(data.lower(), _DATA_SETS, n=1)), None)


def _make_model(name: str, arguments: argparse.Namespace, memory: str) -> Any:
    """Return the name where that says enough: models made by their names share features."""
    params = {}
    if arguments.epochs is not None:
        takes_epochs = "epochs" in fashionkit.make_model(name).get_params(deep=False)
        params = {"epochs": arguments.epochs} if takes_epochs else {}
    if arguments.tune is not None:
        search = fashionkit.make_search(
            name, n_iter=arguments.tune, memory=memory, random_state=arguments.seed, **params
        )
        return name, search
    return (name, fashionkit.make_model(name, **params)) if params else name


def _n_jobs(n_tasks: int) -> int:
    """Return how many models or folds to fit at the same time."""
    return min(joblib.cpu_count(), n_tasks, _MOST_JOBS)


def _shuffled(arguments: argparse.Namespace) -> Any:
    """Return folds that do not depend on the order of the images."""
    from sklearn.model_selection import StratifiedKFold

    if arguments.cv is None:
        return None
    return StratifiedKFold(arguments.cv, shuffle=True, random_state=arguments.seed)


def _without_missing_weights(comparison: Any) -> Any:
    """Leave out the default models whose weights are unavailable."""
    missing = [n for n, why in comparison.errors_.items() if _NO_WEIGHTS in why]
    return comparison.without(missing) if missing else comparison
