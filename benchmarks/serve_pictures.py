"""Pictures of the served page for the documentation, in light and dark, wide and narrow.

    python -m fashionkit serve shop.fashionkit --search shop.index --port 8765
    python benchmarks/serve_pictures.py http://127.0.0.1:8765 PHOTO [PHOTO ...]

Needs Playwright and Chromium.
"""

from __future__ import annotations

import argparse
import io
import shutil
from pathlib import Path

from PIL import Image
from playwright.sync_api import sync_playwright

IMAGES = Path(__file__).parents[1] / "docs" / "images"
WIDE, NARROW = {"width": 1280, "height": 990}, {"width": 360, "height": 740}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("address")
    parser.add_argument("photos", nargs="+", type=Path)
    parser.add_argument("--opened", type=int, default=0, help="which photo to review to open")
    parser.add_argument("--output", type=Path, default=IMAGES)
    options = parser.parse_args()
    with sync_playwright() as started:
        browser = started.chromium.launch(
            executable_path=shutil.which("chromium"), args=["--no-sandbox", "--disable-gpu"]
        )
        for name, scheme, size, is_open in (
            ("serving", "light", WIDE, False),
            ("serving_dark", "dark", WIDE, True),
            ("serving_narrow", "light", NARROW, False),
            ("serving_narrow_dark", "dark", NARROW, True),
        ):
            page = browser.new_page(viewport=size, color_scheme=scheme, reduced_motion="reduce")
            page.goto(options.address)
            page.wait_for_selector("html[data-ready]")
            page.set_input_files("#files", [payload(*one) for one in enumerate(options.photos, 1)])
            page.wait_for_selector("#csv:enabled")
            page.select_option("#sort", "sure")
            page.wait_for_timeout(1000)  # until all small copies are drawn
            if is_open:
                page.locator(".card.review .card-button").nth(options.opened).click()
                page.check("#heat")
                for shown in (".map", ".similar img"):
                    page.wait_for_selector(shown)
                page.wait_for_load_state("networkidle")
            with Image.open(io.BytesIO(page.screenshot())) as picture:
                path = options.output / f"{name}.jpg"
                picture.convert("RGB").save(path, quality=88, subsampling=0, optimize=True)
            page.close()
        browser.close()


def payload(number: int, path: Path) -> dict:
    name = f"photo-{number:02d}{path.suffix}"
    return {"name": name, "mimeType": "image/jpeg", "buffer": path.read_bytes()}


if __name__ == "__main__":
    main()
