"""Pages of pictures, each in one file of HTML that needs nothing else."""

from __future__ import annotations

import base64
import io
from collections.abc import Iterable, Sequence
from html import escape
from pathlib import Path
from typing import NamedTuple

from PIL import Image

from fashionkit._files import write_whole
from fashionkit.datasets import load_images

_SIDE = 160

_STYLE = """
:root { color-scheme: light dark; font: 16px/1.4 system-ui, sans-serif; }
body { margin: 1.5rem auto; max-width: 90rem; padding: 0 1rem; }
section { border-top: 1px solid color-mix(in srgb, currentcolor 25%, transparent);
  display: flex; flex-wrap: wrap; gap: 0.8rem; padding: 1rem 0; }
h2 { flex-basis: 100%; font-size: 1rem; margin: 0; overflow-wrap: anywhere; }
figure { margin: 0; width: 10rem; }
figure.query img { outline: 3px solid #0072b2; outline-offset: 1px; }
img { background: #8884; display: block; height: 10rem; object-fit: contain; width: 10rem; }
figcaption { font-size: 0.8rem; overflow-wrap: anywhere; }
"""


class Picture(NamedTuple):
    """A file, the lines below its picture, and whether it is what was asked for."""

    path: Path
    lines: Sequence[str]
    is_query: bool = False


def write_page(path: str, title: str, rows: Iterable[tuple[str, Sequence[Picture]]]) -> Path:
    """Write a page of rows of pictures.

    Parameters
    ----------
    path : str
        The file to write.

    title : str
        Title of the page.

    rows : iterable of (str, sequence of Picture)
        Heading and pictures of each row.

    Returns
    -------
    path : Path
        The file.
    """
    sections = "\n".join(
        f"<section><h2>{escape(heading)}</h2>\n{''.join(map(_figure, pictures))}</section>"
        for heading, pictures in rows
    )
    text = (
        '<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{escape(title)}</title><style>{_STYLE}</style></head>\n"
        f"<body><main><h1>{escape(title)}</h1>\n{sections}\n</main></body></html>\n"
    )
    return write_whole(
        Path(path).expanduser(), lambda part: part.write_text(text, encoding="utf-8")
    )


def _figure(picture: Picture) -> str:
    kind = ' class="query"' if picture.is_query else ""
    lines = "<br>".join(map(escape, picture.lines))
    return f"<figure{kind}>{_image(picture.path)}<figcaption>{lines}</figcaption></figure>\n"


def _image(path: Path) -> str:
    """Return a small picture inside of the page; a note where the file cannot be read any more."""
    try:
        (pixels,) = load_images(path, image_size=_SIDE, aspect="pad")
    except (OSError, ValueError):
        return "<p>The file cannot be read any more.</p>"
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "JPEG", quality=85)
    data = base64.b64encode(buffer.getvalue()).decode()
    return f'<img alt="{escape(path.name)}" src="data:image/jpeg;base64,{data}">'
