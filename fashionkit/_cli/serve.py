"""``fashionkit serve``: a model in the browser, and for programs as JSON."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from fashionkit._cli._arguments import port, positive, share
from fashionkit._cli._texts import harmless

_MODEL = "clothing-photos-small-v1"
_LOCAL = ("127.0.0.1", "::1", "localhost")


def add_parser(commands: Any) -> None:
    """Add the command to the parser."""
    parser = commands.add_parser(
        "serve",
        help="show a model in the browser, and answer programs in JSON",
        description="Show a model in the browser, and answer programs in JSON. Photos stay in "
        "memory. Only this machine can reach it, unless --host says otherwise.",
    )
    parser.add_argument(
        "model",
        nargs="?",
        default=_MODEL,
        metavar="MODEL",
        help="a file that train or fashionkit.save has written, or the name of a model of the "
        f"package (default: {_MODEL})",
    )
    parser.add_argument(
        "--search", metavar="FILE", help="an index that fashionkit index has written"
    )
    parser.add_argument(
        "--pictures",
        metavar="FOLDER",
        help="the indexed photos (default: the folder that the index names, if it is there)",
    )
    parser.add_argument("--host", default="127.0.0.1", help="address (default: 127.0.0.1)")
    parser.add_argument(
        "--port", type=port, default=8000, metavar="N", help="port, 0 for any (default: 8000)"
    )
    parser.add_argument(
        "--allow-host",
        action="append",
        default=[],
        metavar="NAME",
        help="a name by which the server is reached, beside localhost and its addresses",
    )
    parser.add_argument(
        "--review-below",
        type=share,
        metavar="P",
        help="leave predictions of less confidence to review, for models that do not decide",
    )
    parser.add_argument(
        "--image-size",
        type=positive,
        metavar="N",
        help="side in pixels that photos are resized to (default: the model's own)",
    )
    parser.add_argument(
        "--strings", metavar="FILE", help="texts of the page in another language, as JSON"
    )
    parser.add_argument(
        "--max-megabytes", type=positive, default=32, metavar="N", help="of a request (default: 32)"
    )
    parser.add_argument(
        "--timeout", type=positive, default=30, metavar="S", help="seconds (default: 30)"
    )
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Load the model, and serve it until Ctrl-C."""
    try:
        import uvicorn

        from fashionkit.serving._make import check_installed

        check_installed()
    except ImportError as error:
        raise ValueError(
            f'serve needs more packages: pip install "fashionkit[serve]" ({error})'
        ) from error
    del uvicorn
    from fashionkit.serving import make_app
    from fashionkit.serving._run import open_socket
    from fashionkit.serving._run import run as serve

    opened = open_socket(options.host, options.port)  # rather now than after loading
    with opened:
        names = [] if options.host in _LOCAL else [options.host]
        app = make_app(
            options.model,
            search=options.search,
            pictures=options.pictures or _pictures(options.search),
            image_size=options.image_size,
            review_below=options.review_below,
            strings=options.strings,
            allowed_hosts=[*options.allow_host, *names],
            max_bytes=options.max_megabytes * 2**20,
            timeout=options.timeout,
        )
        host = f"[{options.host}]" if ":" in options.host else options.host
        address = f"http://{host}:{opened.getsockname()[1]}"
        print(
            f"{harmless(Path(options.model).name)} is served on {address} (Ctrl-C ends)", flush=True
        )
        serve(app, opened, timeout=options.timeout)
    return 0


def _pictures(search: str | None) -> str | None:
    """Return the folder of the indexed photos, as the index says, if it is there."""
    from fashionkit.persistence import describe

    if search is None:
        return None
    metadata = describe(search).metadata
    folder = metadata.get("folder") if isinstance(metadata, dict) else None
    return folder if isinstance(folder, str) and Path(folder).is_dir() else None
