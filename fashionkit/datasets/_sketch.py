"""What are garments drawn with? Sheets, shapes and cloth, many images at a time.

A shape is an array of approximate signed distances from its edge, negative inside; a
garment is a handful of shapes painted one over the other. Coordinates run from -1 to
1, `u` to the right and `v` downwards, so that the same dice draw the same garment at
any resolution. Arrays of the shape (n_images, size, size) hold a value for every
pixel, arrays of the shape (n_images, 1, 1) one for every image.
"""

from itertools import pairwise

import numpy as np

# More than any garment throws.
N_DICE = 64

NOWHERE = np.float32(9.0)


class Sketch:
    """The sheets that a chunk of images is drawn on, each with its own dice.

    Parameters
    ----------
    size : int
        Height and width of the images in pixels.

    dice : ndarray of shape (n_images, N_DICE)
        Numbers in [0, 1). They decide everything about the images.
    """

    def __init__(self, size: int, dice: np.ndarray) -> None:
        self._dice = dice.astype(np.float32)[:, :, None, None]
        self._n_thrown = 0
        self.image = np.zeros((len(dice), size, size), dtype=np.float32)
        self._pose(((np.arange(size, dtype=np.float32) + 0.5) * 2 / size - 1)[None])

    def _pose(self, line: np.ndarray) -> None:
        """Lay the garment over the pixels: moved, scaled, tilted, bent."""
        x = line[:, None, :] - self.uniform(-0.14, 0.14)
        y = line[:, :, None] - self.uniform(-0.12, 0.12)
        tilt = self.uniform(-0.48, 0.48) ** 3
        zoom = self.uniform(0.77, 0.95)
        stretch = self.uniform(0.93, 1.07)
        u = (np.cos(tilt) * x + np.sin(tilt) * y) / (zoom * stretch)
        self.v = (np.cos(tilt) * y - np.sin(tilt) * x) / zoom * stretch
        self.u = u + self.uniform(-0.06, 0.06) * (self.v**2 - 0.3)
        self._pixel = np.float32(2.0 / line.size) / zoom

    def uniform(self, low: float, high: float) -> np.ndarray:
        """Throw one number in [low, high) for each image."""
        thrown = self._dice[:, self._n_thrown]
        self._n_thrown += 1
        return np.float32(low) + np.float32(high - low) * thrown

    def chance(self, probability: float) -> np.ndarray:
        """Throw one yes or no for each image."""
        return self.uniform(0.0, 1.0) < probability

    def paint(
        self,
        shape: np.ndarray,
        shade: np.ndarray,
        *,
        within: np.ndarray | None = None,
        share: float = 1.0,
    ) -> None:
        """Cover a shape, within another one if given, in a share of the images.

        Edges are one pixel wide and soft, so that no finer grid is needed.
        """
        if within is not None:
            shape = both(within, shape)
        if share < 1.0:
            shape = only(self.chance(share), shape)
        cover = np.clip(0.5 - shape / self._pixel, 0.0, 1.0)
        self.image += cover * (shade - self.image)


# Shapes


def both(*shapes: np.ndarray) -> np.ndarray:
    """Intersect shapes."""
    inside = shapes[0]
    for shape in shapes[1:]:
        inside = np.maximum(inside, shape)
    return inside


def only(where: np.ndarray, shape: np.ndarray) -> np.ndarray:
    """Keep a shape in some of the images."""
    return np.where(where, shape, NOWHERE)


def curve(t: np.ndarray, *knots: tuple) -> np.ndarray:
    """Join the knots (t, value) by smooth steps, constant outside them."""
    value = knots[0][1]
    for (start, low), (stop, high) in pairwise(knots):
        s = np.clip((t - start) / (stop - start), 0.0, 1.0)
        value = value + (high - low) * (s * s * (3.0 - 2.0 * s))
    return value


def ellipse(x: np.ndarray, y: np.ndarray, rx, ry) -> np.ndarray:
    """Draw an ellipse around the point where x and y are 0."""
    return (np.sqrt((x / rx) ** 2 + (y / ry) ** 2) - 1.0) * np.minimum(rx, ry)


def box(x: np.ndarray, y: np.ndarray, rx, ry) -> np.ndarray:
    """Draw a rectangle around the point where x and y are 0."""
    return np.maximum(np.abs(x) - rx, np.abs(y) - ry)


def limb(x: np.ndarray, y: np.ndarray, start, stop, r_start, r_stop) -> np.ndarray:
    """Draw a round-ended bar from one point to another, tapering between radii."""
    px, py = x - start[0], y - start[1]
    dx, dy = stop[0] - start[0], stop[1] - start[1]
    t = np.clip((px * dx + py * dy) / (dx * dx + dy * dy), 0.0, 1.0)
    return np.hypot(px - t * dx, py - t * dy) - (r_start + t * (r_stop - r_start))


# Cloth


def fabric(
    s: Sketch, *, patterned: float, checks: float, rows: float, columns: float
) -> np.ndarray:
    """Weave cloth: plain, or else checked, striped along rows or columns, or printed.

    `patterned` is the share of garments that are not plain; `checks`, `rows` and
    `columns` are shares of the patterned ones; the rest are printed.
    """
    base = s.uniform(0.4, 1.0)
    strength = s.uniform(0.12, 0.4) * s.chance(patterned)
    kind = s.uniform(0.0, 1.0)
    pitch, phase = s.uniform(2.5, 7.0) * np.pi, s.uniform(0.0, 6.3)
    across = np.clip(2.0 * np.sin(pitch * s.v + phase), -1.0, 1.0)
    down = np.clip(2.0 * np.sin(pitch * s.u - phase), -1.0, 1.0)
    blots = np.sin(pitch * (s.u + 0.6 * s.v) + 2.0 * np.sin(3.0 * s.v + phase))
    blots = blots * np.sin(pitch * (s.v - 0.5 * s.u) + phase)
    checked = kind < checks
    striped = (kind >= checks + rows) & (kind < checks + rows + columns)
    printed = kind >= checks + rows + columns
    pattern = across * (kind < checks + rows) + down * (checked | striped) + blots * 1.5 * printed
    light = s.uniform(-0.2, 0.2) * s.v + s.uniform(-0.12, 0.12) * s.u
    folds = s.uniform(0.0, 0.08) * np.sin(s.uniform(6.0, 12.0) * s.u + 2.0 * s.v + phase)
    return np.clip(base * (1.0 + strength * pattern + light + folds), 0.1, 1.0)


def round_off(shape: np.ndarray, cloth: np.ndarray, depth: float = 0.12) -> np.ndarray:
    """Darken cloth towards the edge of a shape, as if it turned away."""
    return cloth * (1.0 - 0.3 * np.clip(1.0 + shape / depth, 0.0, 1.0))


def contrast(s: Sketch, cloth: np.ndarray, least: float = 0.1) -> np.ndarray:
    """Mix a darker or lighter shade of the cloth for a detail."""
    amount = s.uniform(least, 0.75)
    darker = s.chance(0.4) | (cloth.mean(axis=(1, 2), keepdims=True) > 0.6)
    return np.where(darker, cloth * (1.0 - amount), cloth + (1.0 - cloth) * amount)
