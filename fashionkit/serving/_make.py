"""make_app: web application for a fitted model."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from numbers import Integral, Real
from pathlib import Path
from typing import Any

from joblib import cpu_count
from sklearn.utils._param_validation import Interval, validate_params

from fashionkit.decision._models import find_model
from fashionkit.serving._app import Served, build
from fashionkit.serving._classify import Classifier
from fashionkit.serving._decode import Decoder
from fashionkit.serving._limits import Limits
from fashionkit.serving._page import load_strings
from fashionkit.serving._similar import Similarity

_MAX_THREADS = 4


@validate_params(
    {
        "model": "no_validation",
        "search": "no_validation",
        "pictures": [str, os.PathLike, None],
        "image_size": [Interval(Integral, 1, None, closed="left"), tuple, None],
        "review_below": [Interval(Real, 0, 1, closed="both"), None],
        "name": [str, None],
        "strings": [str, os.PathLike, Mapping, None],
        "allowed_hosts": "no_validation",
        "max_bytes": [Interval(Integral, 1, None, closed="left")],
        "max_pixels": [Interval(Integral, 1, None, closed="left")],
        "max_files": [Interval(Integral, 1, None, closed="left")],
        "max_requests": [Interval(Integral, 1, None, closed="left")],
        "timeout": [Interval(Real, 0, None, closed="neither")],
        "n_threads": [Interval(Integral, 1, None, closed="left"), None],
    },
    prefer_skip_nested_validation=True,
)
def make_app(
    model: Any,
    *,
    search: Any = None,
    pictures: str | os.PathLike[str] | None = None,
    image_size: int | tuple[int, int] | None = None,
    review_below: float | None = None,
    name: str | None = None,
    strings: str | os.PathLike[str] | Mapping[str, Any] | None = None,
    allowed_hosts: Iterable[str] = (),
    max_bytes: int = 32 * 2**20,
    max_pixels: int = 50_000_000,
    max_files: int = 32,
    max_requests: int = 256,
    timeout: float = 30.0,
    n_threads: int | None = None,
) -> Any:
    """Make a web application for a fitted classifier, with a page and a JSON API.

    The page is ``GET /``. The API consists of ``POST /predict``, with the results of
    :func:`~fashionkit.classify_photos`; ``POST /search``, with similar images, if there is a
    search; ``GET /health``; ``GET /metadata``; and ``GET /openapi.json``, which describes the
    others. Photos are only held in memory.

    Read more in :doc:`Serving </serving>`.

    Parameters
    ----------
    model : estimator, str or path-like
        Fitted classifier, as for :func:`~fashionkit.classify_photos`: an estimator, the path of a
        saved one, or a name from :func:`~fashionkit.list_pretrained`.

    search : ImageSearch, str or path-like, default=None
        Fitted search for similar images, or the path of a saved one.

    pictures : str or path-like, default=None
        Folder of the indexed photos, to show their thumbnails. The ids of the search must be paths
        relative to it. None shows no thumbnails.

    image_size : int or tuple of int, default=None
        Height and width that photos are resized to. None uses those of the model, if it has them.

    review_below : float or None, default=None
        Minimum confidence of an accepted prediction, for a model without ``decide``. None accepts
        all. A :class:`~fashionkit.SelectiveClassifier` has its own threshold.

    name : str, default=None
        Name of the model to show. None uses its name in the package, that of its file, or that of
        its class.

    strings : str, path-like or dict, default=None
        Texts of the page in another language, or the path of a JSON file of them, in the form of
        ``fashionkit/serving/page/strings.json``. Missing texts remain in English.

    allowed_hosts : iterable of str, default=()
        Host names of the server, such as "photos.example.com", in addition to "localhost" and IP
        addresses. "*" allows all. Requests for other hosts are refused.

    max_bytes : int, default=33554432
        Maximum number of bytes of a request.

    max_pixels : int, default=50000000
        Maximum number of pixels of a photo.

    max_files : int, default=32
        Maximum number of photos in a request.

    max_requests : int, default=256
        Maximum number of simultaneous requests with photos, including waiting ones.

    timeout : float, default=30.0
        Maximum number of seconds to receive a request, and again to answer it.

    n_threads : int, default=None
        Number of threads that process requests. None uses the number of processors, but at most 4.

    Returns
    -------
    app : fastapi.FastAPI
        ASGI application. The model is loaded and compiled.

    Raises
    ------
    ImportError
        If FastAPI or python-multipart is not installed.

    ValueError
        If a parameter is invalid, the model is not fitted, or its image size is unknown.

    TypeError
        If ``search`` has no method ``search``.

    FileNotFoundError
        If a file or the folder does not exist.

    See Also
    --------
    fashionkit.classify_photos : Classifies photos in files, with the same results.
    fashionkit.load : Loads a saved model.
    fashionkit.ImageSearch : Searches for similar images.

    Notes
    -----
    If all photos of a request are refused, the answer has the HTTP status of the first: 413 for
    too many pixels, 415 for an unsupported format, 422 for a damaged file. Otherwise the status is
    200, and each refused photo has the status "error" and its code.

    Whole requests are refused with 403 (from a page of another site), 408 (too slow), 413 (too many
    bytes or files), 415 (not a form), 421 (another host), 422 (no photos), 431 (headers of a part
    too long) and 503 (too many requests, or a timeout).

    One process is enough, as NumPy, Pillow and TensorFlow use all processors from threads. The
    application has no authentication; on a network, run it behind a proxy that has.

    Examples
    --------
    >>> from fashionkit import make_app, make_garments, make_model
    >>> X, y = make_garments(100, random_state=0)
    >>> model = make_model("pixels-tree", random_state=0).fit(X.repeat(3, axis=-1), y)
    >>> app = make_app(model, name="garments")  # doctest: +SKIP
    >>> import uvicorn  # doctest: +SKIP
    >>> uvicorn.run(app, port=8000)  # doctest: +SKIP
    """
    check_installed()
    if isinstance(allowed_hosts, str):
        raise ValueError(
            f"allowed_hosts={allowed_hosts!r}, expected a list of str; pass [{allowed_hosts!r}]."
        )
    texts = load_strings(strings)
    limits = Limits(
        int(max_bytes), int(max_pixels), int(max_files), int(max_requests), float(timeout)
    )
    decoder = Decoder(limits.max_pixels)
    found = find_model(model)
    classifier = Classifier(found.estimator, found.target_names, image_size, review_below, decoder)
    served = Served(
        name=name or _name_of(model),
        classifier=classifier,
        similarity=_similarity(search, pictures, decoder),
        decoder=decoder,
        limits=limits,
        strings=texts,
        n_threads=int(n_threads or min(cpu_count(), _MAX_THREADS)),
    )
    return build(served, list(allowed_hosts))


def check_installed() -> None:
    """Raise an ImportError if the packages of the extra "serve" are not installed."""
    try:
        import fastapi
        import python_multipart
    except ImportError as error:
        raise ImportError(
            "make_app needs FastAPI and python-multipart; install them with "
            f'pip install "fashionkit[serve]" ({error}).'
        ) from error
    del fastapi, python_multipart


def _name_of(model: Any) -> str:
    if isinstance(model, str | os.PathLike):
        return Path(model).name.removesuffix(".fashionkit").removesuffix(".onnx")
    return type(model).__name__


def _similarity(search: Any, pictures: Any, decoder: Decoder) -> Similarity | None:
    if search is None:
        if pictures is not None:
            raise ValueError(f"pictures={str(pictures)!r}, but search=None; pass search too.")
        return None
    if isinstance(search, str | os.PathLike):
        from fashionkit.persistence import load

        search = load(search)
    if not hasattr(search, "search"):
        raise TypeError(
            f"search is a {type(search).__name__}, which has no method search; pass a fitted "
            "ImageSearch or the path of a saved one."
        )
    folder = None if pictures is None else Path(pictures)
    if folder is not None and not folder.expanduser().is_dir():
        raise FileNotFoundError(f"pictures={str(pictures)!r} is not a folder; pass one.")
    return Similarity(search, folder, decoder)
