"""What a metric is, and what it is computed from."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, get_args

import numpy as np

from fashionkit.datasets._names import choices

Needs = Literal["labels", "probabilities", "costs", "scores"]

DASH = "\N{EN DASH}"
_NEEDS = get_args(Needs)
_DIRECTIONS = {True: " Higher is better.", False: " Lower is better.", None: ""}


@dataclass(frozen=True)
class Costs:
    """What a model costs.

    Parameters
    ----------
    fit_seconds, fit_cpu_seconds : float
        Wall time and CPU time of ``fit``, with that of features taken from a cache.

    predict_seconds, predict_cpu_seconds : float
        Wall time and CPU time of ``predict`` on all evaluated images.

    single_predict_seconds : float
        Median wall time of ``predict`` on one image.

    n_images : int
        Number of evaluated images.

    n_parameters : float
        Number of weights of a network; NaN for other models.

    n_bytes : float
        Size of the pickled model; NaN if it cannot be pickled.
    """

    fit_seconds: float = np.nan
    fit_cpu_seconds: float = np.nan
    predict_seconds: float = np.nan
    predict_cpu_seconds: float = np.nan
    single_predict_seconds: float = np.nan
    n_images: int = 1
    n_parameters: float = np.nan
    n_bytes: float = np.nan


@dataclass(frozen=True)
class Outcome:
    """What a model did on the evaluated images: the input of every metric.

    Parameters
    ----------
    y_true, y_pred : ndarray of shape (n_samples,)
        True and predicted labels.

    probabilities : ndarray of shape (n_samples, n_classes) or None
        Predicted probabilities, each row with the sum 1; None for a model without.

    classes : ndarray of shape (n_classes,)
        The label of each column of ``probabilities``.

    costs : Costs
        Times and sizes.

    scores : dict of str to float, default={}
        Results of the scorers passed as ``scoring``.
    """

    y_true: np.ndarray
    y_pred: np.ndarray
    probabilities: np.ndarray | None
    classes: np.ndarray
    costs: Costs
    scores: Mapping[str, float] = field(default_factory=dict)

    def arguments(self, needs: Needs) -> tuple[Any, ...] | None:
        """Return the arguments of a metric's function; None where the model has none."""
        if needs == "labels":
            return self.y_true, self.y_pred
        if needs == "probabilities":
            known = self.probabilities is not None
            return (self.y_true, self.probabilities, self.classes) if known else None
        return (self.costs,) if needs == "costs" else (self.scores,)


@dataclass(frozen=True)
class Metric:
    """One row of the table.

    Parameters
    ----------
    name : str
        Column of the frame and the CSV file.

    label : str
        Heading in text and HTML.

    function : callable
        Returns the value, or one value per column. Its arguments are positional and
        depend on ``needs``.

    needs : {"labels", "probabilities", "costs", "scores"}
        Arguments of ``function``: ``(y_true, y_pred)``; ``(y_true, probabilities, classes)``, NaN
        for models without ``predict_proba``; :class:`Costs`; or a dict of the user's scores.

    format : callable
        Turns the values into text, for example ``"{:.4f}".format``.

    higher_is_better : bool or None
        None where neither direction is better.

    description : str
        One sentence, for the documentation of the frame and the headings in HTML.

    columns : tuple of str, default=()
        Names of the columns where ``function`` returns several values; by default one
        column called ``name``.

    is_brief : bool, default=False
        Whether the table in a terminal has it, which has room for few.
    """

    name: str
    label: str
    function: Callable[..., Any]
    needs: Needs
    format: Callable[..., str]
    higher_is_better: bool | None
    description: str
    columns: tuple[str, ...] = ()
    is_brief: bool = False

    def __post_init__(self) -> None:
        if self.needs not in _NEEDS:
            raise ValueError(
                f"Metric {self.name!r} has needs={self.needs!r}; choose from {choices(_NEEDS)}."
            )

    @property
    def column_names(self) -> tuple[str, ...]:
        """The columns of the frame."""
        return self.columns or (self.name,)

    @property
    def hint(self) -> str:
        """The description in plain text, and which direction is better."""
        return self.description.replace("`", "") + _DIRECTIONS[self.higher_is_better]

    def compute(self, outcome: Outcome) -> dict[str, float]:
        """Return the value of each column."""
        arguments = outcome.arguments(self.needs)
        if arguments is None:
            return dict.fromkeys(self.column_names, np.nan)
        value = self.function(*arguments)
        values = value if self.columns else (value,)
        if len(values) != len(self.column_names):
            raise ValueError(
                f"Metric {self.name!r} returned {len(values)} values but has the columns "
                f"{choices(self.column_names)}; return one value for each."
            )
        return dict(zip(self.column_names, map(float, values), strict=True))

    def text(self, values: Mapping[str, float]) -> str:
        """Return the formatted values; a dash where one is missing."""
        numbers = [values.get(name, np.nan) for name in self.column_names]
        return DASH if any(map(math.isnan, numbers)) else self.format(*numbers)
