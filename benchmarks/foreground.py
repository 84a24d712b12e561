"""find_foreground: how well it and other ways find a product whose mask is known.

    python benchmarks/foreground.py
    python benchmarks/foreground.py --photos photos --sheet masks.png

Drawings of garments, with cloth and a soft shadow, lie on backgrounds of several kinds. With
--photos, a folder of photos at any depth, cloth is the middle of a photo, and a background the
edge of another, mirrored again and again. The sheet shows masks on photos themselves, whose
foreground nobody has drawn. GrabCut is compared where OpenCV is installed; its rectangle leaves
out 2 % at each side.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
from _measure import cpu_seconds, print_setting, print_table
from PIL import Image
from scipy import ndimage
from skimage.color import rgb2lab
from skimage.filters import threshold_otsu
from skimage.graph import MCP_Geometric

from fashionkit import find_foreground, make_garments
from fashionkit.preprocessing import _foreground

SIZE = 224
# Composites on which the weights were chosen have the seed 7.
SEED = 1
N_COMPOSITES = 200
SMALL = 96


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--photos", type=Path, help="folder of photos")
    parser.add_argument("--n", type=int, default=N_COMPOSITES, help="composites of each kind")
    parser.add_argument("--seed", type=int, default=SEED)
    parser.add_argument("--sheet", help="where to draw masks on photos")
    options = parser.parse_args()
    print_setting("scipy", "scikit-image", "pillow")
    paths = [] if options.photos is None else sorted(options.photos.rglob("*.jpg"))
    kinds = dict(BACKGROUNDS)
    if paths:
        kinds["edges of photos"] = lambda random: photo_edge(paths, random)
    rows: dict[str, list] = {name: [name] for name in METHODS}
    for background in kinds.values():
        random = np.random.RandomState(options.seed)
        images, masks = composites(background, paths, options.n, random)
        for name, find in METHODS.items():
            found: list[np.ndarray] = []
            work = partial(lambda find, to, images: to.extend(map(find, images)), find, found)
            seconds = cpu_seconds(partial(work, images))
            scores = [iou(*pair) for pair in zip(found, masks, strict=True)]
            rows[name] += [f"{np.mean(scores):.3f}", f"{np.mean(np.array(scores) > 0.75):.0%}"]
            rows[name].append(f"{1000 * seconds / len(images):.1f}")
    header = [part for kind in kinds for part in (f"{kind}: IoU", "above 0.75", "ms")]
    print_table(("", *header), [tuple(row) for row in rows.values()])
    if options.sheet:
        draw(paths, options.sheet, options.seed)


def composites(
    background: Callable, paths: list[Path], n: int, random: np.random.RandomState
) -> tuple[list[np.ndarray], list[np.ndarray]]:
    """Return pictures of garments on backgrounds, and their masks."""
    drawings, _ = make_garments(n, image_size=SIZE, random_state=random)
    images, masks = [], []
    for drawing in drawings:
        mask = np.pad(drawing > 24, 4)
        mask = ndimage.binary_closing(mask, iterations=3)[4:-4, 4:-4]
        cover = ndimage.gaussian_filter(mask.astype(float), 0.7)[..., None]
        shade = 0.45 + 0.75 * np.sqrt(drawing / 255)[..., None]
        cloth = photo_middle(paths, random) if paths else random.randint(20, 236, 3)
        shadow = ndimage.shift(ndimage.gaussian_filter(mask.astype(float), 4), (4, 3))[..., None]
        ground = background(random) * (1 - 0.25 * shadow)
        image = cloth * shade * cover + ground * (1 - cover) + 3 * random.randn(SIZE, SIZE, 1)
        images.append(np.clip(image, 0, 255).astype(np.uint8))
        masks.append(mask)
    return images, masks


def white(random: np.random.RandomState) -> np.ndarray:
    return np.full((SIZE, SIZE, 3), 250.0)


def wall(random: np.random.RandomState) -> np.ndarray:
    """Return one colour, lit from one side."""
    color = random.randint(60, 230, 3)
    angle = random.uniform(0, 2 * np.pi)
    y, x = np.mgrid[:SIZE, :SIZE] / SIZE - 0.5
    return color * (1 + 0.5 * (np.cos(angle) * x + np.sin(angle) * y))[..., None]


def carpet(random: np.random.RandomState) -> np.ndarray:
    """Return two colours in spots of a few pixels."""
    spots = ndimage.gaussian_filter(random.randn(SIZE, SIZE), random.uniform(1, 4))
    low, high = random.randint(40, 230, (2, 3))
    return np.where((spots > 0)[..., None], low, 0.5 * low + 0.5 * high).astype(float)


def boards(random: np.random.RandomState) -> np.ndarray:
    """Return boards of shades of one colour, with dark joints."""
    width = random.randint(20, 60)
    shades = random.uniform(0.8, 1.1, SIZE // width + 1)
    columns = np.arange(SIZE)
    shade = shades[columns // width] * np.where(columns % width < 2, 0.6, 1)
    return random.randint(80, 220, 3) * np.broadcast_to(shade, (SIZE, SIZE))[..., None]


def photo_edge(paths: list[Path], random: np.random.RandomState) -> np.ndarray:
    photo = read(paths[random.randint(len(paths))])
    width = max(2, int(0.08 * photo.shape[1]))
    strip = photo[:, :width] if random.rand() < 0.5 else photo[:, -width:]
    n_strips = -(-SIZE // width)
    row = np.hstack([strip if n % 2 else strip[:, ::-1] for n in range(n_strips)])
    return np.asarray(Image.fromarray(row[:, :SIZE]).resize((SIZE, SIZE))).astype(float)


def photo_middle(paths: list[Path], random: np.random.RandomState) -> np.ndarray:
    photo = read(paths[random.randint(len(paths))])
    (top, left), (bottom, right) = (
        [int(share * s) for s in photo.shape[:2]] for share in (0.3, 0.7)
    )
    return np.asarray(Image.fromarray(photo[top:bottom, left:right]).resize((SIZE, SIZE)))


def read(path: Path) -> np.ndarray:
    with Image.open(path) as image:
        return np.asarray(image.convert("RGB"))


def iou(found: np.ndarray, mask: np.ndarray) -> float:
    return float((found & mask).sum() / (found | mask).sum())


def by_threshold(saliency: Callable[[np.ndarray], np.ndarray]) -> Callable:
    """Return a way to find a foreground: Otsu's threshold, the largest pieces, holes filled."""

    def find(rgb: np.ndarray) -> np.ndarray:
        values = saliency(rgb2lab(_foreground.reduced(rgb, SMALL)).astype(np.float32))
        mask = _foreground._tidied(values > threshold_otsu(values))
        return enlarged(mask, rgb.shape[1::-1])

    return find


def enlarged(mask: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    image = Image.fromarray(mask.astype(np.uint8) * 255)
    return np.asarray(image.resize(size, Image.Resampling.BILINEAR)) > 127


def lightness(lab: np.ndarray) -> np.ndarray:
    """Otsu's threshold on how much lightness differs from that of the border."""
    border = _foreground._border(lab.shape[:2])
    return np.abs(lab[..., 0] - np.median(lab[..., 0][border]))


def border_colors(lab: np.ndarray) -> np.ndarray:
    distance = _foreground._distance_to_border(lab, _foreground._border(lab.shape[:2]))
    return np.minimum(distance, 8)


def geodesic(lab: np.ndarray) -> np.ndarray:
    """Least sum of gradients on a path to the border (Wei et al., ECCV 2012)."""
    smooth = ndimage.gaussian_filter(lab, (1, 1, 0))
    gradient = np.sqrt(sum(ndimage.sobel(smooth, axis) ** 2 for axis in (0, 1)).sum(axis=2)) / 8
    border = np.ones(lab.shape[:2], bool)
    border[1:-1, 1:-1] = False
    costs, _ = MCP_Geometric(np.maximum(gradient - 1, 0) + 0.01).find_costs(np.argwhere(border))
    return costs


def without_border(rgb: np.ndarray) -> np.ndarray:
    """Compare colours from the place of pixels alone."""
    weight, _foreground._DISTANCE_WEIGHT = _foreground._DISTANCE_WEIGHT, 0.0
    try:
        return find_foreground(rgb)
    finally:
        _foreground._DISTANCE_WEIGHT = weight


METHODS: dict[str, Callable] = {
    "Otsu on lightness": by_threshold(lightness),
    "colours of the border": by_threshold(border_colors),
    "geodesic distance": by_threshold(geodesic),
    "histograms from the place alone": without_border,
    "find_foreground": find_foreground,
}
BACKGROUNDS: dict[str, Callable] = {
    "white": white,
    "wall": wall,
    "carpet": carpet,
    "boards": boards,
}

try:
    import cv2
except ImportError:
    pass
else:

    def grabcut(rgb: np.ndarray) -> np.ndarray:
        small = _foreground.reduced(rgb, SMALL)
        height, width = small.shape[:2]
        top, left = max(1, height // 50), max(1, width // 50)
        mask = np.zeros((height, width), np.uint8)
        models = np.zeros((1, 65)), np.zeros((1, 65))
        cv2.setRNGSeed(0)
        rectangle = (left, top, width - 2 * left, height - 2 * top)
        cv2.grabCut(small, mask, rectangle, *models, 5, cv2.GC_INIT_WITH_RECT)
        return enlarged(_foreground._tidied(mask % 2 == 1), (rgb.shape[1], rgb.shape[0]))

    METHODS["GrabCut (OpenCV)"] = grabcut


def draw(paths: list[Path], to: str, seed: int) -> None:
    """Draw photos beside what is found on them."""
    chosen = np.random.RandomState(seed).choice(len(paths), 60, replace=False)
    side, n_columns = 112, 6
    sheet = Image.new("RGB", (2 * side * n_columns, side * -(-len(chosen) // n_columns)), "white")
    for number, row in enumerate(chosen):
        photo = read(paths[row])
        cut = np.where(find_foreground(photo)[..., None], photo, np.uint8([255, 0, 255]))
        for shift, picture in enumerate((photo, cut)):
            small = Image.fromarray(picture)
            small.thumbnail((side - 2, side - 2))
            left = side * (2 * (number % n_columns) + shift)
            sheet.paste(small, (left, side * (number // n_columns)))
    sheet.save(to)


if __name__ == "__main__":
    main()
