"""Run Getting started, and keep its figures and the text of its comparison.

From the root of a checkout, with Fashion-MNIST::

    python docs/tools/draw_getting_started.py PHOTO
"""

from __future__ import annotations

import contextlib
import io
import os
import shutil
import sys
import tempfile
import textwrap
from pathlib import Path

import matplotlib

matplotlib.use("agg")
DOCS = Path(__file__).resolve().parents[1]
sys.path.append(str(DOCS.parent / "tests" / "helpers"))


def main(photo):
    """Run the page's blocks in a folder of their own."""
    import doc_blocks
    import matplotlib.pyplot as plt

    figures = []
    plt.show = lambda: figures.append(plt.gcf())
    names = {"__name__": "__main__"}
    with tempfile.TemporaryDirectory() as folder:
        shutil.copy(photo, Path(folder, "shirt.jpg"))
        with contextlib.chdir(folder):
            for block in doc_blocks.read_blocks(DOCS / "getting_started.rst"):
                printed = io.StringIO()
                with contextlib.redirect_stdout(printed):
                    block.run(names)
                print(printed.getvalue())
                if "print(comparison)" in block.source:
                    path = DOCS / "getting_started_comparison.txt"
                    lines = [textwrap.fill(line, 96) for line in printed.getvalue().splitlines()]
                    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    for number, figure in enumerate(figures, 1):
        figure.savefig(DOCS / "images" / f"getting_started_{number}.png", dpi=110)


if __name__ == "__main__":
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    main(Path(sys.argv[1]).resolve())
