"""``fashionkit compare``: train models on the same images and compare them."""

from __future__ import annotations

import argparse
import textwrap
from typing import Any, NoReturn

import fashionkit

_DEFAULT_MODELS = ("cnn", "hog-svm")

# Columns of the help.
_WIDTH = 80


def add_parser(commands: Any) -> None:
    """Add the command's parser."""
    parser = commands.add_parser(
        "compare",
        help="train models on the same images and compare them",
        formatter_class=argparse.RawDescriptionHelpFormatter,
        description=_fill(
            "Train models on the same images, evaluate them once on the same test images, and "
            "write a table, confusion matrices and learning curves."
        ),
        epilog="models:\n" + _fill(", ".join(fashionkit.list_models()), indent="  "),
    )

    def model_name(text: str) -> str:
        return text if text in fashionkit.list_models() else _refuse_model(parser, text)

    parser.add_argument(
        "--data",
        metavar="DATA",
        help="fashion-mnist, garments (generated), or a CSV file with Kaggle's columns "
        "(default: fashion-mnist, downloaded if necessary; garments if that fails)",
    )
    parser.add_argument(
        "--models",
        nargs="+",
        type=model_name,
        default=_DEFAULT_MODELS,
        metavar="NAME",
        help=f"names from the list below (default: {' '.join(_DEFAULT_MODELS)})",
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
        help="passes of neural networks over the training images (default: each "
        "model's own, 10 for cnn)",
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
    is_interrupted = any(why.startswith("KeyboardInterrupt") for why in comparison.errors.values())
    return 130 if is_interrupted else 1 if comparison.errors else 0


def _make_model(name: str, arguments: argparse.Namespace) -> Any:
    model = fashionkit.make_model(name, random_state=arguments.seed)
    if "epochs" in model.get_params(deep=False):
        model.set_params(verbose=1)
        if arguments.epochs is not None:
            model.set_params(epochs=arguments.epochs)
    return model


def _refuse_model(parser: argparse.ArgumentParser, name: str) -> NoReturn:
    """Exit with one line that names the most similar model."""
    from fashionkit.models import nearest_models

    (nearest,) = nearest_models(name, n=1)
    parser.exit(
        2,
        f"{parser.prog}: error: unknown model {name!r}; the nearest is {nearest!r}, and "
        f"{parser.prog} --help lists all\n",
    )


def _fill(text: str, indent: str = "") -> str:
    """Break lines at spaces only: names have hyphens."""
    return textwrap.fill(
        text,
        _WIDTH,
        initial_indent=indent,
        subsequent_indent=indent,
        break_on_hyphens=False,
        break_long_words=False,
    )


def _positive(text: str) -> int:
    if not text.isascii() or not text.isdigit() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number of at least 1")
    return int(text)


def _seed(text: str) -> int:
    if not text.isascii() or not text.isdigit() or int(text) >= 2**32:
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number from 0 to {2**32 - 1}")
    return int(text)
