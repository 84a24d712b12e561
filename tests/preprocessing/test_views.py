"""Views of images: of arrays and of tensors alike, in one order, with a border."""

from __future__ import annotations

from functools import partial

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from fashionkit._tensorflow import keras
from fashionkit.preprocessing._views import VIEWS, make_views


@pytest.mark.parametrize("views", VIEWS)
def test_views_of_arrays_are_those_of_tensors(views):
    images = np.random.default_rng(0).random((3, 5, 4, 3), dtype=np.float32)
    ops = keras().ops
    tensors = make_views(ops.convert_to_tensor(images), views, ops.pad)
    for view, expected in zip(make_views(images, views, np.pad), tensors, strict=True):
        assert_array_equal(view, np.asarray(expected))


def test_shifted_views_come_before_mirror_images_of_all():
    images = np.random.default_rng(0).random((2, 3, 4, 1))
    shifted = list(make_views(images, "shift", np.pad))
    seen = list(make_views(images, "flip+shift", np.pad))
    assert len(seen) == 6
    for view, expected in zip(seen, [*shifted, *(v[:, :, ::-1] for v in shifted)], strict=True):
        assert_array_equal(view, expected)


def test_there_is_no_other_view_where_none_is_asked_for():
    images = np.zeros((2, 3, 3, 1))
    (view,) = make_views(images, None, np.pad)
    assert view is images


@pytest.mark.parametrize("dtype", [np.uint8, np.float32])
def test_the_border_of_shifted_images_is_what_was_padded(dtype):
    low = 0 if dtype == np.uint8 else -1
    pad = partial(np.pad, constant_values=low)
    _, *views = make_views(np.full((1, 3, 3, 1), 9, dtype=dtype), "shift", pad)
    assert [view.dtype for view in views] == [dtype] * 2
    assert_array_equal(views[0][0, :, :, 0], [[low] * 3, [low, 9, 9], [low, 9, 9]])
