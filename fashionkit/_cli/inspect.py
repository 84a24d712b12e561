"""``python -m fashionkit inspect``: what is in the file of a model."""

from __future__ import annotations

import argparse
import json
from typing import Any

from fashionkit._cli._texts import harmless
from fashionkit.persistence import describe

_N_CLASSES = 20


def add_parser(commands: Any) -> None:
    """Add the command to the parser."""
    parser = commands.add_parser(
        "inspect",
        help="say what the file of a model holds, without loading it",
        description="Say what the file of a model holds, without loading it.",
    )
    parser.add_argument("file", metavar="FILE", help="a file that fashionkit.save has written")
    parser.add_argument("--json", action="store_true", help="print it as JSON")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Print the description of a file."""
    description = describe(options.file)
    if options.json:
        print(json.dumps(description, indent=2, ensure_ascii=False))
        return 0
    rows = {
        "model": description.model,
        "fitted": "yes" if description.is_fitted else "no",
        "classes": _listed(description.classes),
        "image shape": _joined(description.image_shape, " × "),
        "pixel range": _joined(description.pixel_range, " to "),
        "needs trust": ", ".join(map(str, description.needs or ())) or "nothing",
        "saved with": _joined([f"{k} {v}" for k, v in (description.versions or {}).items()], ", "),
        "size": f"{description.n_bytes:,} bytes",
        "SHA-256": description.sha256,
        "metadata": json.dumps(description.metadata, ensure_ascii=False),
    }
    for name, value in rows.items():
        print(f"{name + ':':13}{harmless(value)}")
    print()
    print(*map(harmless, str(description.text).splitlines()), sep="\n")
    return 0


def _listed(values: Any) -> str:
    if not values:
        return "none"
    more = f", … ({len(values)} in all)" if len(values) > _N_CLASSES else ""
    return ", ".join(map(str, values[:_N_CLASSES])) + more


def _joined(values: Any, between: str) -> str:
    return between.join(f"{one:g}" if isinstance(one, float) else str(one) for one in values or ())
