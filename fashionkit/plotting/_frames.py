"""What displays take from a comparison: columns of its table, and models by their names."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from fashionkit.datasets._names import choices, unknown

if TYPE_CHECKING:
    import pandas as pd


def require_columns(frame: pd.DataFrame, columns: Sequence[str]) -> None:
    """Raise a ValueError unless a table has all columns that are needed."""
    missing = [column for column in columns if column not in frame]
    if missing:
        raise ValueError(
            f"frame has the columns {choices(frame.columns, most=20)}, but not "
            f"{choices(missing)}; pass the table of a Comparison."
        )


def model_names(
    names: str | Sequence[str] | None, known: Iterable[str], *, argument: str = "names"
) -> list[str]:
    """Return the names of models as a list, all of those known for None.

    Raises
    ------
    ValueError
        If a name is unknown.
    """
    known = list(known)
    if names is None:
        return known
    chosen = [names] if isinstance(names, str) else list(names)
    for name in chosen:
        if name not in known:
            raise unknown(argument, name, known, what="a model of the comparison")
    return chosen


def labels_to_names(comparison: Any) -> dict[Any, str]:
    """Return the name of each label of a comparison."""
    return dict(zip(comparison.classes_.tolist(), comparison.class_names_, strict=True))
