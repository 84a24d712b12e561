"""``fashionkit compare``: train models on the same images and compare them."""

from __future__ import annotations

import argparse
from typing import Any

import fashionkit

_CNN = "cnn"
_DEFAULT_MODELS = (_CNN, "hog-svm")


def add_parser(commands: Any) -> None:
    """Add the command's parser."""
    parser = commands.add_parser(
        "compare",
        help="train models on the same images and compare them",
        description="Train models on the same images, evaluate them once on the same "
        "test images, and write a table, confusion matrices and learning curves.",
    )
    parser.add_argument(
        "--data",
        metavar="DATA",
        help="fashion-mnist, garments (generated), or a CSV file with Kaggle's columns "
        "(default: fashion-mnist, downloaded if necessary; garments if that fails)",
    )
    parser.add_argument(
        "--models",
        nargs="+",
        type=_model_name,
        default=_DEFAULT_MODELS,
        metavar="NAME",
        help=f"{', '.join(_network_names())}, or a pair of features and a classifier, such as "
        f"hog-svm: {_parts(0)} with {_parts(1)} (default: {' '.join(_DEFAULT_MODELS)})",
    )
    parser.add_argument(
        "--train-size",
        type=_positive,
        metavar="N",
        help="training images, stratified by class (default: 20000)",
    )
    parser.add_argument(
        "--test-size",
        type=_positive,
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
        type=_positive,
        metavar="N",
        help="passes of neural networks over the training images (default: 10 for cnn, those of "
        "the recipe for the others)",
    )
    parser.add_argument(
        "--output",
        default="fashionkit-results",
        metavar="DIR",
        help="where to write the results (default: fashionkit-results)",
    )
    parser.add_argument(
        "--seed",
        type=_seed,
        default=0,
        metavar="N",
        help="of everything that is drawn at random (default: 0)",
    )
    parser.set_defaults(run=_run, error=parser.error)


def _run(arguments: argparse.Namespace) -> int:
    if arguments.full and (arguments.train_size or arguments.test_size):
        arguments.error("--full takes all images: leave out --train-size and --test-size")
    from fashionkit._files import prepare_folder
    from fashionkit.datasets._choose import choose_images

    prepare_folder(arguments.output)  # rather now than after the training
    choice = choose_images(
        arguments.data,
        train_size=arguments.train_size,
        test_size=arguments.test_size,
        full=arguments.full,
        seed=arguments.seed,
    )
    print(f"Data: {choice.description}", flush=True)
    comparison = fashionkit.compare_models(
        {name: _make_model(name, arguments) for name in arguments.models},
        choice.X,
        choice.y,
        X_test=choice.X_test,
        y_test=choice.y_test,
        class_names=choice.target_names,
        verbose=1,
    )
    written = comparison.save(arguments.output)  # before anything that can fail
    print(f"\n{comparison}\n")
    print("Written:", *written, sep="\n  ")
    return 1 if comparison.errors else 0


def _make_model(name: str, arguments: argparse.Namespace) -> Any:
    network, _, recipe = name.partition("-")
    if network == _CNN:
        params = {"random_state": arguments.seed, "verbose": 1}
        if arguments.epochs is not None:
            params["epochs"] = arguments.epochs
        return fashionkit.CNNClassifier.from_recipe(recipe or "basic", **params)
    return fashionkit.make_baseline(name, random_state=arguments.seed)


def _model_names() -> list[str]:
    return [*_network_names(), *_pair_names()]


def _pair_names() -> list[str]:
    from fashionkit.baselines import baselines

    return [*baselines(), *baselines(features=("mobilenetv2", "mobilenetv2+hog"))]


def _network_names() -> list[str]:
    """Return the basic network, and those of the other recipes."""
    from fashionkit.neural import recipes

    return [_CNN, *(f"{_CNN}-{name}" for name in recipes.list_recipes() if name != "basic")]


def _parts(index: int) -> str:
    """Return the names of all features, or of all classifiers."""
    return ", ".join(dict.fromkeys(name.split("-")[index] for name in _pair_names()))


def _model_name(text: str) -> str:
    names = _model_names()
    if text not in names:
        raise argparse.ArgumentTypeError(f"unknown model {text!r}; there are {', '.join(names)}")
    return text


def _positive(text: str) -> int:
    if not text.isascii() or not text.isdigit() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number of at least 1")
    return int(text)


def _seed(text: str) -> int:
    if not text.isascii() or not text.isdigit() or int(text) >= 2**32:
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number from 0 to {2**32 - 1}")
    return int(text)
