"""Distributions of a random search, as files hold them: a name and numbers.

SciPy's own objects hold code as text, which they execute when they are restored.
"""

from __future__ import annotations

from typing import Any

from scipy import stats

# Distributions that searches draw from.
NAMES = frozenset(
    {
        "beta",
        "expon",
        "gamma",
        "geom",
        "lognorm",
        "loguniform",
        "norm",
        "poisson",
        "randint",
        "truncnorm",
        "uniform",
    }
)
# SciPy knows some by another name.
_OWN_NAMES = {"reciprocal": "loguniform"}


class Distribution:
    """A distribution of SciPy with its parameters, for ``RandomizedSearchCV``.

    Parameters
    ----------
    name : str
        Its name in :mod:`scipy.stats`.

    args : tuple of float
        Its parameters.

    kwds : dict of str to float
        Those that are given by name.
    """

    def __init__(self, name: str, args: tuple = (), kwds: dict[str, Any] | None = None):
        self.name, self.args, self.kwds = name, args, dict(kwds or {})

    @property
    def frozen(self) -> Any:
        """The same as an object of SciPy."""
        return getattr(stats, self.name)(*self.args, **self.kwds)

    def rvs(self, size: Any = None, random_state: Any = None) -> Any:
        """Draw values."""
        return self.frozen.rvs(size=size, random_state=random_state)

    def support(self) -> tuple[float, float]:
        """Return the least and the largest value."""
        return self.frozen.support()

    def __repr__(self) -> str:
        parts = [*map(repr, self.args), *(f"{name}={value!r}" for name, value in self.kwds.items())]
        return f"{self.name}({', '.join(parts)})"


def as_distribution(frozen: Any) -> Distribution | None:
    """Return a frozen distribution of SciPy in this form; None for one that is not known."""
    name = _OWN_NAMES.get(frozen.dist.name, frozen.dist.name)
    return Distribution(name, frozen.args, frozen.kwds) if name in NAMES else None
