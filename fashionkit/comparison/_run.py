"""Run all evaluations of a comparison, each once, whatever ends in between."""

from __future__ import annotations

import logging
import warnings
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from joblib import effective_n_jobs
from sklearn.base import clone
from sklearn.utils.parallel import Parallel, delayed

import fashionkit
from fashionkit._images import users_level
from fashionkit.comparison._checkpoint import Checkpoint
from fashionkit.comparison._evaluation import Result, evaluate
from fashionkit.comparison._models import describe_model
from fashionkit.comparison._progress import Progress
from fashionkit.comparison._splits import Data
from fashionkit.datasets._names import choices
from fashionkit.neural._core.fingerprint import describe

logger = logging.getLogger(__name__)

_UNFINISHED = "KeyboardInterrupt: not finished"
_CHECKPOINT_FORMAT = 1

# How often all unfinished work is tried where a process or machine is lost.
_N_TRIES = 3

# A model and the part that it is evaluated on.
Task = tuple[str, str]


class Run:
    """The evaluations of one call, some of which may be finished."""

    def __init__(
        self,
        clones: dict[str, Any],
        data: Data,
        scorers: Mapping[str, Callable],
        seed: int | None,
        checkpoint_dir: Any,
        memory: Any,
    ):
        self._clones = clones
        self._data = data
        self._scorers = scorers
        self._memory = memory
        self._tasks = [(name, part) for name in clones for part in data.parts]
        self._keys: dict[str, str] = {}
        self._checkpoint: Checkpoint | None = None
        if checkpoint_dir is not None:
            self._keys = {name: describe_model(name, clones[name]) for name in clones}
            settings = _settings(data, seed, scorers)
            self._checkpoint = Checkpoint(checkpoint_dir, settings)

    def go(self, n_jobs: int | None, verbose: int) -> list[Result]:
        """Return all results in the order of the models."""
        results: dict[Task, Result] = {}
        with Progress(list(self._clones), len(self._data.parts), bool(verbose)) as progress:
            for result in self._read():
                results[result.model, result.part] = result
                progress.add(result)
            try:
                for result in self._evaluate(set(results), n_jobs, verbose, progress):
                    results[result.model, result.part] = result
                    self._keep(result)
                    progress.add(result)
            except KeyboardInterrupt:
                left = [task for task in self._tasks if task not in results]
                failed = {name for (name, _), result in results.items() if result.error}
                if set(self._clones) <= failed | {name for name, _ in left}:
                    raise
                _warn_of_interruption(left)
        return [results.get(task) or Result(*task, error=_UNFINISHED) for task in self._tasks]

    def _read(self) -> Iterator[Result]:
        """Yield what is finished already."""
        for name, part in self._tasks if self._checkpoint else ():
            result = self._checkpoint.read(name, self._keys[name], part)  # type: ignore[union-attr]
            if result is not None:
                yield result

    def _evaluate(
        self, done: set[Task], n_jobs: int | None, verbose: int, progress: Progress
    ) -> Iterator[Result]:
        """Yield the results of all other tasks as they finish.

        What a model raises is a result. So an exception comes from a process or machine that has
        gone: what it had is tried again, and then one by one, to find which task is to blame.
        """
        checkpoint = self._checkpoint

        def arguments(task: Task) -> dict[str, Any]:
            name, part = task
            progress.begin(name)
            return {
                "model": name,
                "estimator": _shown(clone(self._clones[name]), verbose),
                "part": part,
                "data": self._data,
                "scorers": self._scorers,
                "memory": self._memory,
                "checkpoint_dir": checkpoint
                and checkpoint.fit_folder(name, self._keys[name], part),
            }

        def run(tasks: list[Task]) -> Iterator[Result]:
            results: Iterator[Result]
            # In joblib's hands, a model of several jobs would have one, too.
            if n_jobs == 1 and effective_n_jobs(1) == 1:
                results = (evaluate(**arguments(task)) for task in tasks)
            else:
                results = Parallel(n_jobs=n_jobs, return_as="generator_unordered")(
                    delayed(evaluate)(**arguments(task)) for task in tasks
                )
            for result in results:
                done.add((result.model, result.part))
                yield result

        for _ in range(_N_TRIES):
            left = [task for task in self._tasks if task not in done]
            try:
                yield from run(left)
            except Exception as error:
                logger.warning("A worker was lost, its work is done again: %s", error)
            else:
                return
        for task in [task for task in self._tasks if task not in done]:
            try:
                yield from run([task])
            except Exception as error:
                said = " ".join(str(error).split())
                yield Result(*task, error=f"{type(error).__name__}: {said}", exception=error)

    def _keep(self, result: Result) -> None:
        if result.error:
            logger.info("Model %r failed on %s.\n%s", *_place(result), result.traceback)
            message = f"Model {result.model!r} failed: {result.error}"
            warnings.warn(message, UserWarning, stacklevel=users_level())
        elif self._checkpoint:
            self._checkpoint.write(result, self._keys[result.model])


def _place(result: Result) -> Task:
    return result.model, result.part


def _settings(data: Data, seed: int | None, scorers: Mapping[str, Callable]) -> dict[str, Any]:
    """Return what results of one checkpoint have in common."""
    return {
        "format": _CHECKPOINT_FORMAT,
        "fashionkit": fashionkit.__version__,
        "training images": data.train.fingerprint(),
        "test images": data.test.fingerprint() if data.test else None,
        "folds": data.describe_folds().hash,
        "random_state": seed,
        "scoring": {name: describe(scorer) for name, scorer in scorers.items()},
    }


def _shown(estimator: Any, verbose: int) -> Any:
    """Let a network show its epochs."""
    params = estimator.get_params(deep=False)
    if verbose >= 2 and "verbose" in params and "epochs" in params:
        estimator.set_params(verbose=1)
    return estimator


def _warn_of_interruption(left: list[Task]) -> None:
    models = list(dict.fromkeys(name for name, _ in left))
    message = f"The comparison was interrupted; it has no results of {choices(models)}."
    warnings.warn(message, UserWarning, stacklevel=users_level())
