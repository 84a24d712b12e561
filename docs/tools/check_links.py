"""Check the links inside of the built documentation, anchors included.

::

    python docs/tools/check_links.py docs/_build
"""

from __future__ import annotations

import sys
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit


class Page(HTMLParser):
    """The anchors and the links of one page."""

    def __init__(self, path: Path):
        super().__init__()
        self.anchors: set[str] = set()
        self.links: list[str] = []
        self.feed(path.read_text(encoding="utf-8"))

    def handle_starttag(self, tag: str, attrs: list) -> None:
        """Keep what the tag names or links to."""
        values = dict(attrs)
        self.anchors.update(filter(None, (values.get("id"), values.get("name"))))
        key = "href" if tag in ("a", "link") else "src" if tag in ("img", "script") else None
        if key and values.get(key):
            self.links.append(values[key])


def find_dead_links(root: Path) -> list[str]:
    """Return a line for each link that leads nowhere."""
    root = root.resolve()
    reports = {"report_fashion_mnist.html", "report_photos.html"}  # not ours to check
    pages = {
        path: Page(path)
        for path in sorted(root.rglob("*.html"))
        if path.name not in reports and "_static" not in path.parts
    }
    dead = []
    for path, page in pages.items():
        for link in page.links:
            parts = urlsplit(link)
            if parts.scheme or parts.netloc:
                continue
            target = path
            if parts.path:
                target = (path.parent / unquote(parts.path)).resolve()
            if not target.exists():
                dead.append(f"{path.relative_to(root)}: {link} does not exist")
            elif (
                parts.fragment
                and target in pages
                and unquote(parts.fragment) not in pages[target].anchors
            ):
                dead.append(f"{path.relative_to(root)}: {link} has no such anchor")
    return dead


if __name__ == "__main__":
    found = find_dead_links(Path(sys.argv[1]))
    print("\n".join(sorted(set(found))) or "No dead links.")
    sys.exit(bool(found))
