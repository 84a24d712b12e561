"""Distributions of a randomised search, saved as a name and numbers.

The objects of SciPy contain code as text, which is executed when they are unpickled.
"""

from __future__ import annotations

from typing import Any

from scipy import stats

# Names of the distributions that can be saved.
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
# Names that differ in SciPy.
_OWN_NAMES = {"reciprocal": "loguniform"}


class Distribution:
    """Frozen distribution of SciPy, for ``RandomizedSearchCV``.

    Parameters
    ----------
    name : str
        Name of the distribution in :mod:`scipy.stats`.

    args : tuple of float, default=()
        Positional parameters of the distribution.

    kwds : dict of str to float, default=None
        Keyword parameters of the distribution.
    """

    def __init__(self, name: str, args: tuple = (), kwds: dict[str, Any] | None = None):
        self.name, self.args, self.kwds = name, args, dict(kwds or {})

    @property
    def frozen(self) -> Any:
        """Frozen distribution of SciPy."""
        return getattr(stats, self.name)(*self.args, **self.kwds)

    def rvs(self, size: Any = None, random_state: Any = None) -> Any:
        """Draw random values."""
        return self.frozen.rvs(size=size, random_state=random_state)

    def support(self) -> tuple[float, float]:
        """Return the minimum and the maximum of the support."""
        return self.frozen.support()

    def __repr__(self) -> str:
        parts = [*map(repr, self.args), *(f"{name}={value!r}" for name, value in self.kwds.items())]
        return f"{self.name}({', '.join(parts)})"


def as_distribution(frozen: Any) -> Distribution | None:
    """Convert a frozen distribution of SciPy; return None if its name is not supported."""
    name = _OWN_NAMES.get(frozen.dist.name, frozen.dist.name)
    return Distribution(name, frozen.args, frozen.kwds) if name in NAMES else None
