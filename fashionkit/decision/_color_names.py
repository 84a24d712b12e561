"""Names of colours in terms of the fashion trade, from the nearest of two tables of colours."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from skimage.color import deltaE_ciede2000, rgb2lab

# Name for each last word of the colours of the survey; colours of other last words are ignored.
_WORDS = {
    "red": "red",
    "crimson": "red",
    "ruby": "red",
    "scarlet": "red",
    "burgundy": "burgundy",
    "maroon": "burgundy",
    "wine": "burgundy",
    "claret": "burgundy",
    "merlot": "burgundy",
    "bordeaux": "burgundy",
    "pink": "pink",
    "rose": "pink",
    "magenta": "pink",
    "coral": "coral",
    "salmon": "coral",
    "peach": "coral",
    "orange": "orange",
    "rust": "orange",
    "brown": "brown",
    "chocolate": "brown",
    "coffee": "brown",
    "mahogany": "brown",
    "sienna": "brown",
    "umber": "brown",
    "beige": "beige",
    "tan": "beige",
    "sand": "beige",
    "camel": "beige",
    "taupe": "beige",
    "cream": "beige",
    "yellow": "yellow",
    "mustard": "mustard",
    "gold": "mustard",
    "ochre": "mustard",
    "olive": "olive",
    "khaki": "khaki",
    "green": "green",
    "sage": "green",
    "evergreen": "green",
    "spruce": "green",
    "pine": "green",
    "forest": "green",
    "moss": "green",
    "emerald": "green",
    "jade": "green",
    "viridian": "green",
    "mint": "mint",
    "turquoise": "turquoise",
    "aqua": "turquoise",
    "aquamarine": "turquoise",
    "cyan": "turquoise",
    "teal": "teal",
    "blue": "blue",
    "azure": "blue",
    "cobalt": "blue",
    "denim": "blue",
    "sapphire": "blue",
    "navy": "navy",
    "purple": "purple",
    "violet": "purple",
    "plum": "purple",
    "mauve": "purple",
    "lavender": "lavender",
    "lilac": "lavender",
}
# Colours with another hue in their name, such as "green blue", are ignored.
_HUES = ("red", "pink", "orang", "yellow", "green", "blu", "purpl", "viol", "brown", "teal", "tan")
# Exceptions: colours for which the fashion trade uses another term.
_AQUAS = ("aqua", "aquamarine", "cyan", "turquoise")
_FIRST = {
    "navy blue": "navy",
    "dark navy blue": "navy",
    "midnight blue": "navy",
    **{f"{shade} {name}": "teal" for shade in ("dark", "deep") for name in _AQUAS},
    **{f"{shade} brown": "beige" for shade in ("light", "very light", "pale", "very pale")},
    **{f"{shade}olive green": "olive" for shade in ("", "dark ", "light ", "brown ")},
    "army green": "olive",
    "wine red": "burgundy",
    "khaki green": "khaki",
}

# Colours of CSS for each name; colours without a term in the fashion trade are left out.
_W3C = {
    "red": "red crimson firebrick darkred",
    "burgundy": "maroon",
    "pink": "pink lightpink hotpink deeppink palevioletred mediumvioletred fuchsia mistyrose",
    "coral": "coral lightcoral salmon darksalmon lightsalmon peachpuff",
    "orange": "orange darkorange orangered",
    "brown": "brown saddlebrown sienna chocolate",
    "beige": "beige tan wheat burlywood",
    "yellow": "yellow lightyellow",
    "mustard": "gold goldenrod darkgoldenrod",
    "olive": "olive olivedrab darkolivegreen",
    "green": "green darkgreen forestgreen seagreen mediumseagreen darkseagreen lime limegreen "
    "lightgreen palegreen lawngreen springgreen",
    "turquoise": "turquoise mediumturquoise darkturquoise aqua aquamarine",
    "teal": "teal darkcyan",
    "blue": "blue mediumblue royalblue cornflowerblue dodgerblue deepskyblue skyblue lightblue "
    "lightskyblue steelblue lightsteelblue powderblue",
    "navy": "navy darkblue midnightblue",
    "purple": "purple indigo rebeccapurple darkviolet blueviolet darkorchid mediumpurple plum",
    "lavender": "lavender",
}

# Minimum CIELAB chroma of colours other than white, gray and black, minimum lightness of white, and
# maximum lightness of black.
_LEAST_CHROMA = 8.0
_LEAST_WHITE = 82.0
_MOST_BLACK = 28.0

NAMES = tuple(sorted({*_WORDS.values(), "black", "gray", "white"}))


def name_colors(lab: np.ndarray) -> list[str]:
    """Return the name of each colour.

    Parameters
    ----------
    lab : ndarray of shape (n_colors, 3)
        Colours in CIELAB, for the illuminant D65.

    Returns
    -------
    names : list of str
        Names out of ``NAMES``.
    """
    names, anchors = _anchors()
    nearest = deltaE_ciede2000(lab[:, np.newaxis], anchors[np.newaxis]).argmin(axis=1)
    chroma = np.hypot(lab[:, 1], lab[:, 2])
    return [
        _neutral(lightness) if gray < _LEAST_CHROMA else names[row]
        for row, gray, lightness in zip(nearest, chroma, lab[:, 0], strict=True)
    ]


def _neutral(lightness: float) -> str:
    if lightness <= _MOST_BLACK:
        return "black"
    return "white" if lightness >= _LEAST_WHITE else "gray"


@lru_cache(maxsize=1)
def _anchors() -> tuple[list[str], np.ndarray]:
    """Return the names of the reference colours, and their CIELAB of shape (n_references, 3)."""
    from matplotlib.colors import CSS4_COLORS, XKCD_COLORS, to_rgb

    found = [
        (name, to_rgb(CSS4_COLORS[code])) for name, codes in _W3C.items() for code in codes.split()
    ]
    for full, code in XKCD_COLORS.items():
        name = full.removeprefix("xkcd:")
        *before, last = name.replace("/", " ").split()
        is_mixed = any(word.startswith(_HUES) for word in before)
        short = _FIRST.get(name) or (None if is_mixed else _WORDS.get(last))
        if short is not None:
            found.append((short, to_rgb(code)))
    names, rgb = zip(*found, strict=True)
    return list(names), rgb2lab(np.array(rgb)).astype(np.float32)
