"""Augmentation of a batch of images: the distortions and their order."""

from __future__ import annotations

from numbers import Integral
from typing import Any

from fashionkit.preprocessing._distort import (
    change_contrast,
    count,
    draw,
    draw_shifts,
    erase,
    flip_and_shift,
    halve,
    mix,
    transform,
)


def augment(
    params: Any, images: Any, targets: Any, rows: Any, epoch: Any, random: Any
) -> tuple[Any, Any]:
    """Distort a batch of images, eagerly or in a graph.

    Parameters
    ----------
    params : Augmentation
        Augmentation with valid parameters.

    images : tensor of shape (n, height, width, channels), dtype float32
        Images in [0, 1]. All dimensions except n must be static.

    targets : tensor of shape (n, n_outputs), dtype float32, or None
        Targets of each image, as probabilities, possibly multiplied by a weight. Of any form if
        :attr:`Augmentation.mixes_targets` is False.

    rows : tensor of shape (n,), dtype int64
        Positions of the images in the data set.

    epoch : int or scalar tensor of dtype int64
        Number of previous epochs.

    random : object
        Random number generator with the methods ``uniform(low, high, size)`` and
        ``beta(a, b, size)`` of :class:`numpy.random.Generator`. The first element of ``size`` may
        be a scalar tensor.

    Returns
    -------
    images : tensor of shape (n, height, width, channels), dtype float32
        Distorted images.

    targets : tensor of shape (n, n_outputs), dtype float32, or None
        Targets of the distorted images.
    """
    images = _move(params, images, rows, epoch, random)
    n = count(images)
    if params.contrast:
        factors = draw(random, 1 - params.contrast, 1 + params.contrast, n)
        images = change_contrast(images, factors)
    if params.erasing:
        images = erase(
            images,
            random,
            params.erasing,
            params.erasing_area,
            params.erasing_aspect,
            params.erasing_value,
        )
    if params.mixes_targets:
        images, targets = mix(images, targets, random, params.mixup, params.cutmix)
    return images, targets


def _move(params: Any, images: Any, rows: Any, epoch: Any, random: Any) -> Any:
    """Flip, rotate, zoom and shift images."""
    turns = params.rotation > 0 or params.zoom > 0
    if not (turns or params.translation or params.horizontal_flip):
        return images
    n = count(images)
    if params.horizontal_flip == "alternating":
        seed = params.random_state if isinstance(params.random_state, Integral) else 0
        flipped = (halve(rows, int(seed)) + epoch) % 2 == 1
    else:
        chance = 0.5 if params.horizontal_flip else 0.0
        flipped = draw(random, 0.0, 1.0, n) < chance
    # Rounded to whole pixels, so that nothing is blurred.
    largest = tuple(round(params.translation * side) for side in images.shape[1:3])
    shifts = draw_shifts(random, largest, n)
    if not turns:
        return flip_and_shift(images, flipped, shifts, params.fill_mode)
    angles = draw(random, -params.rotation, params.rotation, n)
    scales = draw(random, 1 - params.zoom, 1 + params.zoom, n)
    return transform(images, flipped, angles, scales, shifts, params.fill_mode)
