"""Progress of a comparison: one bar in a terminal or notebook, or a line for each model."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Sequence
from typing import Any, Self

from tqdm.auto import tqdm

from fashionkit.comparison._evaluation import Result
from fashionkit.datasets._names import percent


class Progress:
    """Shows what has been evaluated.

    Parameters
    ----------
    models : sequence of str
        Names of the models.

    n_parts : int
        Number of parts that each model is evaluated on.

    is_shown : bool
        Whether to show anything.
    """

    def __init__(self, models: Sequence[str], n_parts: int, is_shown: bool):
        self._n_parts = n_parts
        self._n_models = len(models)
        self._scores: dict[str, list[float]] = {name: [] for name in models}
        self._n_done: Counter[str] = Counter()
        # tqdm knows by itself what a notebook is; a file gets lines instead of a bar.
        self._has_lines = is_shown and not _has_bar()
        self._bar = tqdm(
            total=len(models) * n_parts,
            unit="fit",
            disable=not is_shown or self._has_lines,
            dynamic_ncols=True,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: Any) -> None:
        self._bar.close()

    def begin(self, name: str) -> None:
        """Name the model that is fitted now."""
        self._bar.set_description(name)

    def add(self, result: Result) -> None:
        """Count a result."""
        name = result.model
        self._n_done[name] += 1
        if not result.error:
            self._scores[name].append(result.metrics["accuracy"])
        if best := self._best():
            self._bar.set_postfix_str(best, refresh=False)
        self._bar.update()
        if self._has_lines and self._n_done[name] == self._n_parts:
            n_complete = sum(n == self._n_parts for n in self._n_done.values())
            said = f"{n_complete}/{self._n_models} {name}: {_outcome(result, self._mean(name))}"
            tqdm.write(said, file=sys.stderr)

    def _best(self) -> str:
        means = {name: self._mean(name) for name, scores in self._scores.items() if scores}
        if not means:
            return ""
        name = max(means, key=lambda name: means[name])
        return f"best: {name} {percent(means[name])}"

    def _mean(self, name: str) -> float:
        scores = self._scores[name]
        return sum(scores) / len(scores) if scores else float("nan")


def _outcome(result: Result, accuracy: float) -> str:
    if result.error:
        return f"failed: {result.error}"
    return f"{percent(accuracy)}, fitted in {result.metrics['fit_seconds']:.1f} s"


def _has_bar() -> bool:
    return "ipykernel" in sys.modules or bool(sys.stderr and sys.stderr.isatty())
