"""The base of image features: a new feature is two private methods."""

from __future__ import annotations

import inspect

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import ClassNamePrefixFeaturesOutMixin
from sklearn.exceptions import NotFittedError

from fashionkit import (
    BackboneFeatures,
    ColorHistogram,
    HOGFeatures,
    PixelFeatures,
    SIFTFeatures,
    make_garments,
)
from fashionkit.features._base import ImageTransformer


class Brightness(ClassNamePrefixFeaturesOutMixin, ImageTransformer):
    """Mean and maximum of each image."""

    _parameter_constraints: dict = {"dtype": [str]}

    def __init__(self, dtype="float32"):
        self.dtype = dtype

    def _fit(self, images):
        self._n_features_out = 2

    def _transform_chunk(self, pixels):
        return np.stack([pixels.mean(axis=(1, 2, 3)), pixels.max(axis=(1, 2, 3))], axis=1)


class InThrees(Brightness):
    """The same, three images at a time."""

    def _images_per_chunk(self):
        return 3


@pytest.fixture(scope="module")
def X():
    return make_garments(20, random_state=0)[0]


def test_a_feature_of_two_methods_takes_every_form_of_images(X):
    features = Brightness().fit_transform(X)
    assert features.dtype == np.float32
    assert_allclose(features[:, 0], X.mean(axis=(1, 2)) / 255, rtol=1e-5)
    for same in (X.reshape(20, -1), X[..., np.newaxis], list(X)):
        assert_array_equal(Brightness().fit_transform(same), features)


def test_a_feature_chooses_its_chunks_and_its_type(X):
    assert_array_equal(InThrees().fit_transform(X), Brightness().fit_transform(X))
    assert Brightness("float16").fit_transform(X).dtype == np.float16


def test_a_feature_is_refused_unfitted_and_named_in_frames(X):
    with pytest.raises(NotFittedError, match="Brightness instance is not fitted yet"):
        Brightness().transform(X)
    frame = Brightness().set_output(transform="pandas").fit_transform(X)
    assert list(frame.columns) == ["brightness0", "brightness1"]


@pytest.mark.parametrize(
    "feature", [BackboneFeatures, ColorHistogram, HOGFeatures, PixelFeatures, SIFTFeatures]
)
@pytest.mark.parametrize("method", ["fit", "transform"])
def test_fit_and_transform_are_documented_once(feature, method):
    assert method not in vars(feature)
    assert inspect.getdoc(getattr(feature, method)) == inspect.getdoc(
        getattr(ImageTransformer, method)
    )
