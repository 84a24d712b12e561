"""How names and numbers are written: classes and percentages, and choices in errors."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from difflib import get_close_matches
from typing import Any

import numpy as np
from sklearn.utils import column_or_1d


def name_labels(labels: Any, class_names: Sequence[str] | Mapping[Any, str] | None) -> list[str]:
    """Return the name of each label.

    Parameters
    ----------
    labels : array-like of shape (n_samples,)
        Labels of any type.

    class_names : sequence or dict of str, or None
        The names of the labels 0, 1, ..., or a dict from label to name; None for the
        labels themselves.

    Returns
    -------
    names : list of str
        One name for each label.

    Raises
    ------
    ValueError
        If a label has no name.

    Examples
    --------
    >>> from fashionkit.datasets._names import name_labels
    >>> name_labels([1, 0, 1], ["bag", "coat"])
    ['coat', 'bag', 'coat']
    """
    labels = column_or_1d(labels)
    if class_names is None:
        return [str(label) for label in labels]
    names = class_names if isinstance(class_names, Mapping) else dict(enumerate(class_names))
    unknown = sorted({label for label in labels.tolist() if label not in names}, key=str)
    if unknown:
        raise ValueError(
            f"labels {choices(unknown, most=5)} have no name in class_names, which names "
            f"{choices(names, most=12)}; pass a dict from label to name."
        )
    return [str(names[label]) for label in labels]


def find_label(
    argument: str,
    value: Any,
    labels: Any,
    class_names: Sequence[str] | Mapping[Any, str] | None,
) -> Any:
    """Return the label that is meant by a label or by the name of a class.

    Parameters
    ----------
    argument : str
        Name of the argument, for the error.

    value : object
        A label, or the name of one.

    labels : array-like of shape (n_classes,)
        The labels that occur; those with a name are known too.

    class_names : sequence or dict of str, or None
        The names of the labels, as for :func:`name_labels`.

    Returns
    -------
    label : object
        The label.

    Raises
    ------
    ValueError
        If it is neither; the error tells the nearest.

    Examples
    --------
    >>> from fashionkit.datasets._names import find_label
    >>> find_label("true", "coat", [0, 1], ["bag", "coat"])
    1
    """
    known = column_or_1d(labels).tolist()
    if class_names is not None:
        names = class_names if isinstance(class_names, Mapping) else range(len(class_names))
        known = list(dict.fromkeys([*known, *names]))
    if value in known:
        return value
    names_of_known = name_labels(np.array(known, dtype=object), class_names)
    if value in names_of_known:
        return known[names_of_known.index(value)]
    raise unknown(argument, value, known if class_names is None else names_of_known, what="a class")


def unknown_labels(labels: Iterable[Any], classes: Iterable[Any]) -> list[Any]:
    """Return the labels that are no classes, each once, in the order of their first occurrence.

    Labels are compared as Python compares them, and never cast: in the dtype of the classes
    "coathanger" becomes "coat", 1.5 becomes 1 and 256 may become 0.
    """
    known = set(classes)
    return list(dict.fromkeys(label for label in labels if label not in known))


def choices(names: Iterable[Any], *, most: int | None = None) -> str:
    """Return names as errors list them.

    Parameters
    ----------
    names : iterable
        Names, sorted unless they have an order of their own.

    most : int, default=None
        Maximum number to list; None for all.

    Returns
    -------
    text : str
        The names as Python writes them, and how many are left out.

    Examples
    --------
    >>> from fashionkit.datasets._names import choices
    >>> choices({"tree", "svm"})
    "'svm', 'tree'"
    >>> choices(["low", "mid", "high"], most=2)
    "'low', 'mid' and 1 more"
    """
    listed = sorted(names) if isinstance(names, set | frozenset) else list(names)
    return shortened([repr(name) for name in listed], most)


def unknown(argument: str, value: Any, names: Iterable[Any], *, what: str) -> ValueError:
    """Return the error for a value that is none of the names known, which tells the nearest.

    Parameters
    ----------
    argument : str
        Name of the argument.

    value : object
        What was given.

    names : iterable
        What could have been given.

    what : str
        What the names are of, such as ``"a model of the comparison"``.

    Returns
    -------
    error : ValueError
        The error, to be raised.

    Examples
    --------
    >>> from fashionkit.datasets._names import unknown
    >>> str(unknown("name", "hog-swm", ["cnn", "hog-svm"], what="a model"))
    "name='hog-swm' is not a model; the nearest is 'hog-svm'; choose from 'cnn', 'hog-svm'."
    """
    by_text = {str(name): name for name in names}
    close = get_close_matches(str(value), by_text, n=1, cutoff=0.0)
    nearest = f"; the nearest is {by_text[close[0]]!r}" if close else ""
    return ValueError(
        f"{argument}={value!r} is not {what}{nearest}; choose from "
        f"{choices(by_text.values(), most=12)}."
    )


def percent(fraction: float, decimals: int = 2) -> str:
    """Write a fraction as a percentage, in the one way of all tables and figures.

    Parameters
    ----------
    fraction : float
        The fraction; 1 is 100 %.

    decimals : int, default=2
        Number of decimals.

    Returns
    -------
    text : str
        The number and the sign with a space between them; a dash for NaN.

    Examples
    --------
    >>> from fashionkit.datasets._names import percent
    >>> percent(0.937), percent(0.5, 0)
    ('93.70 %', '50 %')
    """
    return "\N{EN DASH}" if math.isnan(fraction) else f"{100 * fraction:.{decimals}f} %"


def p_text(p_value: float) -> str:
    """Write a p value: as "p = 0.023", "p < 0.001" or, for NaN, "p = –"."""
    if math.isnan(p_value):
        return "p = \N{EN DASH}"
    return "p < 0.001" if p_value < 0.001 else f"p = {p_value:.2g}"


def odds_text(probability: float) -> str:
    """Write a probability in per cent, which is never certain."""
    if probability >= 0.995:
        return "> 99 %"
    return "< 1 %" if probability < 0.005 else percent(probability, 0)


def shortened(texts: list[str], most: int | None = None) -> str:
    """Return texts side by side, and how many are left out."""
    shown = ", ".join(texts[:most])
    left_out = 0 if most is None else len(texts) - most
    return f"{shown} and {left_out} more" if left_out > 0 else shown
