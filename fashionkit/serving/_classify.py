"""Predictions for uploads, equal to those of ``classify_photos`` for the same files."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
from sklearn.utils.validation import check_is_fitted

from fashionkit.decision._colors import READ_SIDE, describe_colors
from fashionkit.decision._decide import ACCEPTED, ERROR
from fashionkit.decision._reading import first_parts, make_reader
from fashionkit.decision._rows import DECISIONS, can_decide, count_targets, decide
from fashionkit.preprocessing import ProductPhotoPreprocessor
from fashionkit.preprocessing._photos import Photo
from fashionkit.serving._answers import Color, HeatMap, Label, Prediction
from fashionkit.serving._decode import Decoder
from fashionkit.serving._heat import draw, find_explainer
from fashionkit.serving._limits import Refusal
from fashionkit.serving._uploads import Upload


class Classifier:
    """Thread-safe classifier of uploads.

    Parameters
    ----------
    model : estimator
        Fitted classifier.

    target_names : list of str or None
        Names of the targets of a multi-output classifier.

    image_size : int, tuple of int or None
        Height and width that photos are resized to; None uses those of the model.

    review_below : float or None
        Minimum confidence of an accepted prediction, for a model without ``decide``.

    decoder : Decoder
        Decoder of uploads.
    """

    def __init__(
        self,
        model: Any,
        target_names: list[str] | None,
        image_size: Any,
        review_below: float | None,
        decoder: Decoder,
    ) -> None:
        check_is_fitted(model)
        self.model = model
        self.reader = make_reader(model, image_size)
        n_targets = count_targets(model)
        self._names = target_names or [f"target_{number}" for number in range(1, n_targets + 1)]
        self._review_below = review_below
        self._decoder = decoder
        self._photos = ProductPhotoPreprocessor()
        # Longest side that is read, if the model's first step takes photos of any size.
        self._side = next(
            (
                one._read_side
                for one in first_parts(model)
                if isinstance(one, ProductPhotoPreprocessor)
            ),
            None,
        )
        self._explainer: Any = find_explainer(model) if self._side is None else None
        self._warm_up()

    @property
    def explains(self) -> bool:
        """Whether the model can explain predictions by heat maps."""
        return self._explainer is not None

    @property
    def decides(self) -> bool:
        """Whether predictions can have the status "review"."""
        return self._review_below is not None or can_decide(self.model)

    @property
    def classes(self) -> list[Label]:
        """Labels of the classes; those of the first target, if there are several."""
        classes = getattr(self.model, "classes_", [])
        first = classes[0] if isinstance(classes, list) and classes else classes
        return [plain(one) for one in np.asarray(first).tolist()]

    def predict(
        self,
        uploads: list[Upload],
        go_on: Callable[[], None],
        *,
        quality: bool,
        n_colors: int,
        explain: bool,
    ) -> list[Prediction]:
        """Predict the class of each upload.

        Parameters
        ----------
        uploads : list of Upload
            Files, which need not be photos.

        go_on : callable
            Function that is called between photos; an exception that it raises ends the work.

        quality : bool
            Whether to check the quality of the photos.

        n_colors : int
            Number of dominant colours to find.

        explain : bool
            Whether to draw heat maps, if the model can.

        Returns
        -------
        answers : list of Prediction
            Prediction for each upload; for those that cannot be read, the reason.
        """
        answers, images, read = [], [], []
        for index, upload in enumerate(uploads):
            go_on()
            answer = Prediction(index, upload.name, ACCEPTED)
            answers.append(answer)
            try:
                content = bytes(upload.content)
                image, (answer.height, answer.width) = self._read(content)
                self._describe(answer, content, quality, n_colors)
            except Refusal as refusal:
                answer.status, answer.code, answer.reason = ERROR, refusal.code, refusal.reason
            else:
                images.append(image)
                read.append(answer)
        if read:
            go_on()
            X = self._stack(images)
            rows = decide(self.model, X, self._names, self._review_below)
            for answer, row in zip(read, rows.to_dict("records"), strict=True):
                self._fill(answer, row)
            if explain and self._explainer is not None:
                for answer, heat in zip(read, self._heat(X, rows["label"]), strict=True):
                    answer.heat_map = self._draw(answer, heat)
        return answers

    def _read(self, content: bytes) -> tuple[np.ndarray, tuple[int, int]]:
        if self._side is not None:
            return self._decoder.whole(content, self._side)
        return self._decoder.crop(content, self.reader.size, self.reader.aspect)

    def _stack(self, images: list[np.ndarray]) -> Any:
        return images if self._side is not None else self.reader.as_given(images)

    def _describe(self, answer: Prediction, content: bytes, quality: bool, n_colors: int) -> None:
        if quality:
            photos = self._photos
            photo = Photo(*self._decoder.whole(content, photos._read_side))
            answer.quality = _listed(photos._describe(photo, photos._target())["quality"])
        if n_colors:
            photo = Photo(*self._decoder.whole(content, READ_SIDE))
            cells = describe_colors(photo, n_colors)
            triples = zip(cells[::3], cells[1::3], cells[2::3], strict=True)
            answer.colors = [Color(*triple) for triple in triples if triple[0]]

    def _fill(self, answer: Prediction, row: dict[str, Any]) -> None:
        """Copy a row of decisions to an answer."""
        for name in DECISIONS:
            if name != "set":
                setattr(answer, name, plain(row[name]))
        answer.set = [plain(one) for one in row["set"] or ()]
        answer.reason = answer.reason or ""
        answer.coarse = plain(row.get("coarse"))
        known = {*DECISIONS, "coarse"}
        answer.targets = {name: plain(row[name]) for name in row if name not in known}

    def _heat(self, X: Any, labels: pd.Series) -> np.ndarray:
        known = self._explainer.classes_
        targets = np.array(labels.tolist(), dtype=known.dtype)
        return self._explainer.explain(X, targets=targets)

    def _draw(self, answer: Prediction, heat: np.ndarray) -> HeatMap | None:
        if answer.height is None or answer.width is None or not heat.any():
            return None
        return draw(heat, (answer.height, answer.width), self.reader.aspect)

    def _warm_up(self) -> None:
        """Predict one image, so that the first request does not wait for compilation."""
        height, width = self.reader.size
        image = np.full((height, width, 3), 255, np.uint8)
        X = self._stack([image])
        rows = decide(self.model, X, self._names, self._review_below)
        if self._explainer is not None:
            try:
                self._heat(X, rows["label"])
            except (TypeError, ValueError):  # a network without feature maps, or other labels
                self._explainer = None


def plain(value: Any) -> Any:
    """Convert a value to a type of JSON; missing values become None."""
    value = value.item() if isinstance(value, np.generic) else value
    if value is None or value is pd.NaT or (isinstance(value, float) and not math.isfinite(value)):
        return None
    return value if isinstance(value, str | int | float | bool) else str(value)


def _listed(problems: str) -> list[str]:
    return problems.split(", ") if problems else []
