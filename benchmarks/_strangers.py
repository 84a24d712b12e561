"""Images of 28 x 28 pixels that are no clothes, by kind: what an outlier detector has to find."""

from __future__ import annotations

import string
from collections.abc import Callable
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFont
from scipy.ndimage import gaussian_filter
from sklearn.datasets import load_digits

SIDE = 28
_LARGE = 4 * SIDE  # what is drawn is drawn larger, and then shrunk


def noise(n_images: int, rng: np.random.Generator) -> np.ndarray:
    """Return noise: of single pixels, blurred, of few pixels, and in the middle only."""
    images = []
    for number in range(n_images):
        kind = number % 5
        if kind == 0:
            pixels = rng.random((SIDE, SIDE))
        elif kind == 1:
            pixels = rng.normal(0.5, 0.2, (SIDE, SIDE))
        elif kind == 2:
            pixels = _stretched(gaussian_filter(rng.random((SIDE, SIDE)), rng.uniform(0.7, 4)))
        elif kind == 3:
            pixels = (rng.random((SIDE, SIDE)) < rng.uniform(0.02, 0.5)).astype(float)
        else:
            # Bright noise in the middle of a dark image.
            rows = np.hypot(*(np.mgrid[:SIDE, :SIDE] - SIDE / 2)) < rng.uniform(5, 14)
            pixels = rows * rng.random((SIDE, SIDE))
        images.append(pixels)
    return _bytes(np.stack(images))


def drawings(n_images: int, rng: np.random.Generator) -> np.ndarray:
    """Return drawn shapes, filled or as lines, light on black or dark on white."""
    images = []
    for _ in range(n_images):
        picture = Image.new("L", (_LARGE, _LARGE), 0)
        pen = ImageDraw.Draw(picture)
        for _ in range(rng.integers(1, 5)):
            gray = int(rng.integers(80, 256))
            width = int(rng.integers(4, 14))
            fill = gray if rng.random() < 0.5 else None
            first, second = np.sort(rng.integers(0, _LARGE, (2, 2)), axis=0)
            box = [*map(int, first), *map(int, np.maximum(second, first + 8))]
            kind = rng.integers(4)
            if kind == 0:
                pen.ellipse(box, fill=fill, outline=gray, width=width)
            elif kind == 1:
                pen.rectangle(box, fill=fill, outline=gray, width=width)
            elif kind == 2:
                points = rng.integers(0, _LARGE, (rng.integers(3, 7), 2))
                pen.polygon([tuple(map(int, one)) for one in points], fill=fill, outline=gray)
            else:
                points = rng.integers(0, _LARGE, (rng.integers(2, 7), 2))
                pen.line([tuple(map(int, one)) for one in points], fill=gray, width=width)
        pixels = _shrunk(picture)
        images.append(255 - pixels if rng.random() < 0.25 else pixels)
    return np.stack(images)


def letters(n_images: int, rng: np.random.Generator) -> np.ndarray:
    """Return letters in the fonts that matplotlib brings, light on black."""
    import matplotlib

    folder = Path(matplotlib.get_data_path()) / "fonts" / "ttf"
    fonts = sorted(folder.glob("DejaVu*.ttf"))
    alphabet = string.ascii_letters
    images = []
    for _ in range(n_images):
        font = ImageFont.truetype(str(fonts[rng.integers(len(fonts))]), int(rng.integers(60, 120)))
        letter = alphabet[rng.integers(len(alphabet))]
        picture = Image.new("L", (_LARGE, _LARGE), 0)
        middle = (_LARGE // 2, _LARGE // 2)
        ImageDraw.Draw(picture).text(middle, letter, 255, font, anchor="mm")
        images.append(_shrunk(picture))
    return np.stack(images)


def digits(n_images: int, rng: np.random.Generator) -> np.ndarray:
    """Return the handwritten digits of scikit-learn, enlarged."""
    found = load_digits().images
    rows = rng.choice(len(found), n_images, replace=n_images > len(found))
    pixels = (found[rows] * 255 / 16).round().astype(np.uint8)
    return np.stack(
        [np.asarray(Image.fromarray(one).resize((SIDE, SIDE), Image.BICUBIC)) for one in pixels]
    )


def textures(n_images: int, rng: np.random.Generator) -> np.ndarray:
    """Return crops of photos of brick, grass and gravel, and of patterns."""
    import skimage.data

    photos = [skimage.data.brick(), skimage.data.grass(), skimage.data.gravel()]
    images = []
    for _ in range(n_images):
        if rng.random() < 0.5:
            photo = photos[rng.integers(len(photos))]
            images.append(_crop(photo, rng))
        else:
            images.append(_pattern(rng))
    return np.stack(images)


def scenes(n_images: int, rng: np.random.Generator) -> np.ndarray:
    """Return crops of photos of people, animals and things that scikit-image brings, in gray."""
    import skimage.color
    import skimage.data

    names = ("astronaut", "camera", "chelsea", "coffee", "coins", "moon", "rocket")
    photos = []
    for name in names:
        photo = getattr(skimage.data, name)()
        gray = skimage.color.rgb2gray(photo) * 255 if photo.ndim == 3 else photo
        photos.append(gray.astype(np.uint8))
    return np.stack([_crop(photos[rng.integers(len(photos))], rng) for _ in range(n_images)])


def photos_of_clothes(folder: Path) -> Callable[[int, np.random.Generator], np.ndarray]:
    """Return what makes photos of clothes, on whatever they lie, small and gray."""
    files = sorted(Path(folder).rglob("*.jpg"))

    def make(n_images: int, rng: np.random.Generator) -> np.ndarray:
        rows = rng.choice(len(files), n_images, replace=n_images > len(files))
        images = []
        for row in rows:
            with Image.open(files[row]) as photo:
                photo = photo.convert("L")
                side = min(photo.size)
                left, top = ((length - side) // 2 for length in photo.size)
                photo = photo.crop((left, top, left + side, top + side))
                images.append(np.asarray(photo.resize((SIDE, SIDE), Image.LANCZOS)))
        return np.stack(images)

    return make


def _crop(photo: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    side = int(rng.integers(SIDE, min(photo.shape)))
    top, left = (int(rng.integers(length - side + 1)) for length in photo.shape)
    crop = Image.fromarray(photo[top : top + side, left : left + side])
    return np.asarray(crop.resize((SIDE, SIDE), Image.LANCZOS))


def _pattern(rng: np.random.Generator) -> np.ndarray:
    """Return stripes, checks, dots or waves over the whole image."""
    rows, columns = np.mgrid[:SIDE, :SIDE]
    angle = rng.uniform(0, np.pi)
    along = rows * np.cos(angle) + columns * np.sin(angle)
    across = rows * np.sin(angle) - columns * np.cos(angle)
    period = rng.uniform(3, 14)
    kind = rng.integers(4)
    first, second = np.sin(2 * np.pi * along / period), np.sin(2 * np.pi * across / period)
    if kind == 0:
        pixels = first > 0
    elif kind == 1:
        pixels = (first > 0) ^ (second > 0)
    elif kind == 2:
        pixels = first + second > 1
    else:
        pixels = (first + 1) / 2
    return _bytes(pixels * rng.uniform(0.4, 1))


def _stretched(pixels: np.ndarray) -> np.ndarray:
    return (pixels - pixels.min()) / np.ptp(pixels)


def _shrunk(picture: Image.Image) -> np.ndarray:
    return np.asarray(picture.resize((SIDE, SIDE), Image.LANCZOS))


def _bytes(pixels: np.ndarray) -> np.ndarray:
    return (255 * np.clip(pixels, 0, 1)).round().astype(np.uint8)
