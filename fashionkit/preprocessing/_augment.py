"""Which distortions are done to a batch of images, in which order."""

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
    """Distort a batch of images, in a graph or outside.

    Parameters
    ----------
    params : Augmentation
        What to do, with valid parameters.

    images : tensor of shape (n, height, width, channels), dtype float32
        Images in [0, 1]. All but n has to be known.

    targets : tensor of shape (n, n_outputs), dtype float32, or None
        A row of targets for each image, as probabilities or scaled by a weight; of any other
        form where :attr:`Augmentation.mixes_targets` is false.

    rows : tensor of shape (n,), dtype int64
        Which images of the data set these are.

    epoch : int or scalar tensor of dtype int64
        How many times the data set has been seen before.

    random : object
        Has the methods ``uniform(low, high, size)`` and ``beta(a, b, size)`` of
        ``numpy.random.Generator``, where a size may begin with a scalar tensor.

    Returns
    -------
    images : tensor of shape (n, height, width, channels), dtype float32
        The distorted images.

    targets : tensor of shape (n, n_outputs), dtype float32, or None
        Their targets.
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
    # Rounded, so that whole pixels are moved and nothing is blurred.
    largest = tuple(round(params.translation * side) for side in images.shape[1:3])
    shifts = draw_shifts(random, largest, n)
    if not turns:
        return flip_and_shift(images, flipped, shifts, params.fill_mode)
    angles = draw(random, -params.rotation, params.rotation, n)
    scales = draw(random, 1 - params.zoom, 1 + params.zoom, n)
    return transform(images, flipped, angles, scales, shifts, params.fill_mode)
