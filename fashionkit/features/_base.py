"""What all features have in common: they turn images of any form into rows of float32."""

from __future__ import annotations

from typing import Any

from sklearn.base import BaseEstimator, TransformerMixin


class ImageTransformer(TransformerMixin, BaseEstimator):
    """Base of the transformers from images to rows of float32."""

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.three_d_array = True
        tags.transformer_tags.preserves_dtype = []
        return tags
