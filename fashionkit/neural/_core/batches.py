"""From validated images to batches: gathered, scaled, augmented, in an order of their own."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

from fashionkit._images import Images, LazyImages
from fashionkit._keras_compat import (
    fold_in,
    shuffled,
    traced_as_it_is,
    without_optimization,
)
from fashionkit._tensorflow import tensorflow
from fashionkit.neural._core.samples import Samples


class Order:
    """In which order to draw images, as a function of a seed and the epoch alone.

    No generator keeps a state, global or other, so that a fit can be repeated, or resumed at any
    epoch.

    Parameters
    ----------
    seed : int
        The seed.

    first_epoch : int
        The epoch to begin with.

    begin : int
        The epoch with which the fit began.
    """

    def __init__(self, seed: int, first_epoch: int, begin: int):
        self.seed = seed
        self.begin = begin
        self.epoch = tensorflow().Variable(first_epoch, dtype="int64", trainable=False)

    def shuffled(self, positions: Any, n_samples: int) -> Any:
        """Return the images at some positions of this epoch's order."""
        tf = tensorflow()
        seed = tf.constant(self.seed, tf.int64)
        return shuffled(positions, seed, self.epoch.value(), n_samples)

    def random(self, batch: Any) -> BatchRandom:
        """Return the random numbers of one batch of this epoch."""
        tf = tensorflow()
        seed = tf.stack([tf.constant(self.seed, tf.int64), self.epoch.value()])
        return BatchRandom(fold_in(seed, batch))


class BatchRandom:
    """Random numbers inside a graph, called like those of ``numpy.random.Generator``.

    Parameters
    ----------
    seed : tensor of shape (2,)
        Decides all numbers.
    """

    def __init__(self, seed: Any):
        self._seed = seed
        self._n_calls = 0

    def uniform(self, low: float, high: float, size: tuple) -> Any:
        """Draw from a uniform distribution."""
        return tensorflow().random.stateless_uniform(size, self._next_seed(), low, high)

    def beta(self, a: float, b: float, size: tuple) -> Any:
        """Draw from a Beta distribution, as the share of one of two Gamma variates."""
        tf = tensorflow()
        first = tf.random.stateless_gamma(size, self._next_seed(), alpha=a)
        second = tf.random.stateless_gamma(size, self._next_seed(), alpha=b)
        # Both may be too small for float32 where a and b are.
        smallest = np.finfo(np.float32).tiny
        return (first + smallest) / (first + second + 2 * smallest)

    def _next_seed(self) -> Any:
        self._n_calls += 1
        return fold_in(self._seed, self._n_calls)


class PixelSource:
    """Where the pixels of a batch come from, inside of a graph: a tensor, or files.

    Parameters
    ----------
    images : Images
        The images. Those in memory are copied into the tensor, large types as float32;
        memory-mapped ones count as files.

    Attributes
    ----------
    error : Exception or None
        Why files could not be read; TensorFlow itself tells of it with another type.
    """

    def __init__(self, images: Images):
        self._images = images
        self.error: Exception | None = None
        pixels = images.pixels
        self._tensor = None if isinstance(pixels, LazyImages | np.memmap) else _tensor(pixels)

    def gather(self, rows: Any) -> Any:
        """Return the images of some rows, unscaled."""
        tf = tensorflow()
        if self._tensor is not None:
            return tf.gather(self._tensor, rows)
        pixels = tf.numpy_function(self._read, [rows], tf.uint8, stateful=False)
        return tf.ensure_shape(pixels, (None, *self._images.pixels.shape[1:]))

    def _read(self, rows: np.ndarray) -> np.ndarray:
        try:
            return self._images.unscaled(rows)
        except Exception as error:
            self.error = error
            raise


def make_sources(samples: Samples, validation: Samples | None) -> tuple[PixelSource, ...]:
    """Return the pixels to train on and to evaluate on: one copy where they are the same."""
    source = PixelSource(samples.images)
    if validation is None or validation.images is samples.images:
        return source, source
    return source, PixelSource(validation.images)


@contextmanager
def errors_of_reading(sources: tuple[PixelSource, ...]) -> Iterator[None]:
    """Raise the error that has ended the reading of files, not what TensorFlow says of it."""
    try:
        yield
    except Exception:
        for source in sources:
            if source.error is not None:
                raise source.error from None
        raise


def _tensor(pixels: np.ndarray) -> Any:
    if pixels.dtype == bool:
        pixels = pixels.view(np.uint8)
    elif pixels.dtype.itemsize > 4:
        pixels = pixels.astype(np.float32)
    return tensorflow().convert_to_tensor(pixels)


def make_batches(
    samples: Samples,
    source: PixelSource,
    batch_size: int,
    *,
    order: Order | None = None,
    targets: np.ndarray | None = None,
    target_weights: np.ndarray | None = None,
    augmentation: Any = None,
) -> Any:
    """Return a dataset of the batches of one epoch.

    Parameters
    ----------
    samples : Samples
        What to draw.

    source : PixelSource
        The pixels of its images.

    batch_size : int
        Images per batch; the last one may have fewer.

    order : Order, default=None
        How to shuffle; None to keep the order.

    targets : ndarray of shape (n_classes, n_outputs), default=None
        The row of targets of each class, of whose probabilities samples that have any get the
        mean; None for indices of classes.

    target_weights : ndarray of shape (n_epochs, n_outputs), default=None
        What targets are multiplied with in each epoch of the fit.

    augmentation : Augmentation, default=None
        How to distort the images.

    Returns
    -------
    dataset : tf.data.Dataset
        Tuples of images in [0, 1], targets and, where there are any, weights.
    """
    tf = tensorflow()
    classes = tf.convert_to_tensor(samples.targets)
    weights = None if samples.weights is None else tf.convert_to_tensor(samples.weights)
    rows = tf.convert_to_tensor(samples.rows)
    n_samples, n_images, n_copies = len(samples.rows), len(samples.targets), samples.n_copies
    soft = None
    if samples.probabilities is not None:
        soft = tf.convert_to_tensor(samples.probabilities @ targets)
    low, high = map(np.float32, samples.images.pixel_range)

    @traced_as_it_is
    def draw(number):
        indices = tf.range(
            number * batch_size,
            tf.minimum((number + 1) * batch_size, n_samples),
            dtype=tf.int64,
        )
        if order is not None:
            indices = order.shuffled(indices, n_samples)
        chosen = places = tf.gather(rows, indices)
        if order is not None and n_copies > 1:
            places += n_images * (order.epoch.value() % n_copies)
        # Division, not multiplication by the inverse: bit for bit what prediction does.
        images = (tf.cast(source.gather(places), tf.float32) - low) / (high - low)
        target = tf.gather(classes, chosen)
        if soft is not None:
            target = tf.gather(soft, places)
        elif targets is not None:
            target = tf.gather(tf.constant(targets), target)
        if target_weights is not None:
            assert order is not None
            epoch = tf.minimum(order.epoch.value() - order.begin, len(target_weights) - 1)
            target *= tf.gather(tf.constant(target_weights), epoch)
        weight = None if weights is None else tf.gather(weights, chosen)
        if augmentation is not None:
            assert order is not None
            from fashionkit.preprocessing._augment import augment

            if weight is not None and augmentation.mixes_targets:
                # The weight of an image is that of its targets, with which it is mixed.
                target *= weight[:, None]
                weight = None
            images, target = augment(
                augmentation, images, target, chosen, order.epoch.value(), order.random(number)
            )
            if weights is not None and weight is None:
                # Rows that do not sum to 1 have a wrong gradient in a loss from logits.
                weight = tf.reduce_sum(target, axis=1)
                target /= weight[:, None]
        return (images, target) if weight is None else (images, target, weight)

    n_batches = -(-n_samples // batch_size)
    dataset = tf.data.Dataset.range(n_batches).map(draw, num_parallel_calls=2, deterministic=True)
    return without_optimization(dataset.prefetch(4))
