"""The first screen of a report: which model, how sure, at what cost, and what to do next."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from fashionkit.comparison._metrics import METRICS
from fashionkit.comparison._report._advice import (
    cheaper_model,
    confused_pairs,
    equals_of_best,
    review_for,
)
from fashionkit.comparison._report._matrices import confidences
from fashionkit.datasets._names import odds_text, p_text, percent, shortened

if TYPE_CHECKING:
    import pandas as pd

    from fashionkit.comparison._comparison import Comparison
    from fashionkit.comparison._report._leakage import Leakage

_METRICS = {metric.name: metric for metric in METRICS}
_WANTED = 0.98  # accuracy on the images that nobody reviews


class Fact(NamedTuple):
    """A figure of the first screen."""

    label: str
    value: str
    note: str


class Step(NamedTuple):
    """Something to do, why, and the section with more of it."""

    title: str
    text: str
    section: str = ""


class Summary(NamedTuple):
    """What the first screen says."""

    kicker: str
    title: str
    verdict: str
    facts: list[Fact]
    steps: list[Step]


def summarise(comparison: Comparison, pairs: pd.DataFrame, leakage: Leakage | None) -> Summary:
    """Return what the first screen says."""
    best, *others = comparison.predictions_
    equals = equals_of_best(best, pairs)
    row = comparison.to_frame().set_index("model").loc[best]
    return Summary(
        kicker=_kicker(comparison),
        title=_title(best, others, equals),
        verdict=_verdict(best, others, equals, pairs),
        facts=_facts(row, others, equals, pairs),
        steps=_steps(comparison, pairs, equals, leakage),
    )


def _kicker(comparison: Comparison) -> str:
    n_models = len(comparison.predictions_) + len(comparison.errors_)
    n_images = f"{len(comparison.y_true_):,}"
    n_folds = len(comparison.folds_.splits)
    where = f"{n_images} test images"
    if comparison._part == "folds":
        where = f"{_number(n_folds, 'fold')} of {len(comparison.images_):,} images"
    n_classes = _number(len(comparison.classes_), "class", "classes")
    return f"Comparison of {_number(n_models, 'model')} on {where}, {n_classes}"


def _title(best: str, others: Sequence[str], equals: Sequence[str] | None) -> str:
    if not others:
        return f"{best} is the only model with results"
    if equals:
        rivals = equals[0] if len(equals) == 1 else f"{len(equals)} others"
        return f"{best} is ahead, but {rivals} may be as good"
    if equals is None:
        return f"{best} is ahead of {_number(len(others), 'other')}"
    return f"{best} is the most accurate of {len(others) + 1} models"


def _verdict(
    best: str, others: Sequence[str], equals: Sequence[str] | None, pairs: pd.DataFrame
) -> str:
    """Say in plain words how sure the ranking is."""
    if not others:
        return "There is no other model to compare it with."
    row = pairs.iloc[0]  # the best against the second
    lead = f"Its lead of {_points(row.difference)} over {row.second}, the next,"
    if equals is None:
        return f"{lead} was measured on a single fold: too little to say how sure it is."
    certainty = f"({p_text(row.p_holm)}, corrected for {_number(len(pairs), 'comparison')})"
    if row.second not in equals:
        lead = f"{lead} is more than chance would explain {certainty}."
        return f"{lead} It may not lead over {shortened(list(equals), 4)}." if equals else lead
    lead = f"{lead} is within what chance explains {certainty}."
    others = [name for name in equals if name != row.second]
    return f"{lead} The same holds for {shortened(others, 3)}." if others else lead


def _facts(
    row: Any, others: Sequence[str], equals: Sequence[str] | None, pairs: pd.DataFrame
) -> list[Fact]:
    low, high = (percent(row[f"accuracy_{end}"], 1) for end in ("low", "high"))
    facts = [Fact("Accuracy", percent(row["accuracy"], 1), f"95 % interval: {low} to {high}")]
    if others and equals is not None:
        first = pairs.iloc[0]
        note = (
            f"{odds_text(first.p_better)} probability that it is better than {first.second} "
            "by more than half a point"
        )
        probably = "Probably" if first.p_better >= 0.9 else "Not certain"
        facts.append(Fact("Surely the best?", probably if equals else "Yes", note))
    text = {name: metric.text(row) for name, metric in _METRICS.items()}
    single = row["single_predict_ms"]
    return [
        *facts,
        Fact("Training", _duration(row["fit_seconds"]), f"CPU time: {text['fit_cpu_seconds']}"),
        Fact(
            "One prediction",
            f"{single:.1f} ms" if single >= 0.1 else text["single_predict_ms"],
            f"of many at once: {text['predict_ms_per_image']} each",
        ),
        Fact("Size", text["n_bytes"], "of the saved model"),
    ]


def _steps(
    comparison: Comparison,
    pairs: pd.DataFrame,
    equals: Sequence[str] | None,
    leakage: Leakage | None,
) -> list[Step]:
    """Return what to do next, most important first."""
    best, *others = comparison.predictions_
    steps = [_step_of_choice(comparison, pairs, equals)] if others else []
    steps += _steps_of_classes(comparison.confusion_matrix(best), comparison.class_names_)
    steps += _steps_of_review(comparison, best)
    if leakage and leakage.total:
        steps.append(Step("Do not evaluate on what was trained on.", leakage.text, "data"))
    if comparison.errors_:
        names = shortened(list(comparison.errors_), 4)
        steps.append(Step("Mend what failed.", f"No results from {names}.", "models"))
    return steps


def _step_of_choice(
    comparison: Comparison, pairs: pd.DataFrame, equals: Sequence[str] | None
) -> Step:
    best = next(iter(comparison.predictions_))
    frame = comparison.to_frame().set_index("model")
    cheaper = cheaper_model(best, pairs, frame["single_predict_ms"])
    if cheaper:
        text = (
            f"It is {_points(cheaper.difference)} less accurate than {best}, which may be chance "
            "or too little to matter, and one prediction is "
            f"{_times(cheaper.times_faster)} as fast."
        )
        return Step(f"Consider {cheaper.name}, which is cheaper.", text, "models")
    if equals:
        text = (
            f"Nothing as good is at least twice as fast. To tell it apart from {equals[0]}, "
            "evaluate both on more images."
        )
        return Step(f"Use {best} for now.", text, "differences")
    text = "No model that is as good is at least twice as fast."
    return Step(f"Use {best}.", text, "models")


def _steps_of_classes(counts: Any, class_names: Sequence[str]) -> list[Step]:
    pairs = confused_pairs(counts)
    if not pairs or len(counts) < 3:
        return []
    costliest, *others = pairs
    first, second = class_names[costliest.first], class_names[costliest.second]
    text = (
        f"{percent(costliest.share_of_mistakes, 0)} of all mistakes, {costliest.n_mistakes:,}, are "
        f"between these two. If they were one class, accuracy would be "
        f"{percent(costliest.accuracy_if_one, 1)}."
    )
    if others:
        texts = [
            f"{class_names[pair.first]} and {class_names[pair.second]} ({pair.n_mistakes:,}, "
            f"{percent(pair.accuracy_if_one, 1)} as one)"
            for pair in others
        ]
        text += f" Next: {' and '.join(texts)}."
    title = f"Look at {first} and {second}: more images, better labels, or one class."
    return [Step(title, text, "confusions")]


def _steps_of_review(comparison: Comparison, best: str) -> list[Step]:
    confidence = confidences(comparison, best)
    if confidence is None:
        return []
    wanted = percent(_WANTED, 0)
    review = review_for(confidence, comparison.predictions_[best] == comparison.y_true_, _WANTED)
    if review is None:
        text = (
            f"{wanted} accuracy is not reachable by sending doubtful images to review: even the "
            "most confident predictions are wrong too often."
        )
        return [Step(f"Do not rely on its confidence for {wanted}.", text, "mistakes")]
    if not review.share:
        text = f"All images together reach {percent(review.accuracy, 1)}."
        return [Step(f"No review is needed for {wanted} accuracy.", text)]
    text = (
        f"Of the other {percent(1 - review.share, 0)}, those with a confidence of at least "
        f"{percent(review.below, 1)}, {percent(review.accuracy, 1)} are right."
    )
    title = f"Send {percent(review.share, 0)} of the images to review for {wanted} on the rest."
    return [Step(title, text)]


def _number(n: int, noun: str, plural: str = "") -> str:
    return f"{n:,} {noun if n == 1 else plural or f'{noun}s'}"


def _points(difference: float) -> str:
    return f"{100 * difference:.2f} percentage points"


def _times(ratio: float) -> str:
    return f"{ratio:.1f} times" if ratio < 10 else f"{ratio:,.0f} times"


def _duration(seconds: float) -> str:
    if seconds < 90:
        return f"{seconds:.1f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"
