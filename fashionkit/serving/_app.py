"""Routes of the application."""

# Without "from __future__ import annotations": FastAPI could not resolve the annotations of nested
# functions if they were strings.

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial
from typing import Annotated, Any

import fashionkit
from fashionkit.serving._answers import (
    FoundAll,
    Health,
    Metadata,
    Prediction,
    Predictions,
    Problem,
)
from fashionkit.serving._classify import Classifier
from fashionkit.serving._decode import Decoder
from fashionkit.serving._guard import Guard
from fashionkit.serving._limits import Limits, Refusal
from fashionkit.serving._page import FILES, Strings, read_file, render
from fashionkit.serving._similar import MAX_NEIGHBORS, Similarity
from fashionkit.serving._uploads import FIELD, Memory, Parcel, Upload
from fashionkit.serving._workers import Workers

_MAX_COLORS = 10
_REASONS = {
    400: "The request is malformed",
    408: "The request took too long to arrive",
    413: "Too many bytes, pixels or photos",
    415: "Not a form, or photos of an unsupported format",
    422: "Photos that cannot be read, or invalid parameters",
    431: "Headers of a part are too long",
    503: "Too many requests, or a timeout",
}
_FORM = {
    "required": True,
    "content": {
        "multipart/form-data": {
            "schema": {
                "type": "object",
                "required": [FIELD],
                "properties": {
                    FIELD: {
                        "type": "array",
                        "items": {"type": "string", "format": "binary"},
                        "description": "One or several photos.",
                    }
                },
            }
        }
    },
}


@dataclass(frozen=True)
class Served:
    """Parts of an application.

    Parameters
    ----------
    name : str
        Name of the model.

    classifier : Classifier
        Classifier of uploads.

    similarity : Similarity or None
        Search for images similar to uploads; None without a search.

    decoder : Decoder
        Decoder of uploads.

    limits : Limits
        Limits of requests.

    strings : dict
        Texts of the page.

    n_threads : int
        Number of threads that process requests.
    """

    name: str
    classifier: Classifier
    similarity: Similarity | None
    decoder: Decoder
    limits: Limits
    strings: Strings
    n_threads: int

    def metadata(self) -> Metadata:
        """Return the answer of ``GET /metadata``."""
        return Metadata(
            fashionkit=fashionkit.__version__,
            model=self.name,
            classes=self.classifier.classes,
            image_size=list(self.classifier.reader.size),
            formats=self.decoder.formats,
            decides=self.classifier.decides,
            heat_maps=self.classifier.explains,
            search=self.similarity is not None,
            limits=self.limits.to_dict(),
        )


def build(served: Served, allowed_hosts: list[str]) -> Any:
    """Return the FastAPI application."""
    from fastapi import FastAPI

    workers = Workers(served.n_threads, served.limits.timeout)

    @asynccontextmanager
    async def lifespan(_: Any) -> AsyncIterator[None]:
        yield
        workers.close()

    app = FastAPI(
        title="fashionkit",
        version=fashionkit.__version__,
        description="Classify photos of clothes, and find similar ones.",
        docs_url=None,  # it loads scripts from other servers
        redoc_url=None,
        lifespan=lifespan,
    )
    app.add_middleware(Guard, allowed_hosts=allowed_hosts, max_requests=served.limits.max_requests)
    _add_errors(app)
    _add_page(app, served)
    _add_api(app, served, workers)
    return app


def _add_errors(app: Any) -> None:
    """Answer refused requests with the HTTP status and the reason."""
    from fastapi import Request
    from fastapi.responses import JSONResponse

    @app.exception_handler(Refusal)
    async def refuse(_: Request, refusal: Refusal) -> JSONResponse:
        headers = {"Retry-After": "1"} if refusal.code == 503 else None
        return JSONResponse({"detail": refusal.reason}, refusal.code, headers)


def _add_page(app: Any, served: Served) -> None:
    """Add the page and its files."""
    from fastapi.responses import HTMLResponse, JSONResponse, Response

    page = render(served.strings)
    headers = {"Cache-Control": "no-cache"}

    @app.get("/", include_in_schema=False)
    async def index() -> HTMLResponse:
        return HTMLResponse(page, headers=headers)

    @app.get("/strings.json", include_in_schema=False)
    async def strings() -> JSONResponse:
        return JSONResponse(served.strings, headers=headers)

    def file(name: str) -> Response:
        return Response(read_file(name), media_type=FILES[name], headers=headers)

    for name in FILES:
        app.add_api_route(
            f"/{name}", partial(file, name), include_in_schema=False, response_model=None
        )


def _add_api(app: Any, served: Served, workers: Workers) -> None:
    """Add the routes of the JSON API."""
    from fastapi import Query, Request
    from fastapi.responses import Response
    from starlette.requests import ClientDisconnect

    memory = Memory(served.limits.max_held_bytes)
    problems: Any = {
        code: {"model": Problem, "description": text} for code, text in _REASONS.items()
    }
    metadata = served.metadata()

    @app.get("/health", tags=["server"])
    async def health() -> Health:
        """Check that the server is ready."""
        return Health("ok")

    @app.get("/metadata", tags=["server"])
    async def describe() -> Metadata:
        """Describe the served model and the limits of requests."""
        return metadata

    async def answer(
        request: Request, response: Response, work: Callable[..., list[Any]], **options: Any
    ) -> list[Any]:
        with Parcel(served.limits, memory) as parcel:
            kind = request.headers.get("content-type", "")
            try:
                await parcel.read(kind, request.headers.get("content-length"), request.stream())
            except ClientDisconnect:
                raise Refusal(400, "the client disconnected during the request") from None
            uploads: list[Upload] = list(parcel.uploads)
            results = await workers.run(lambda go_on: work(uploads, go_on, **options))
        if all(result.code for result in results):
            response.status_code = results[0].code
        response.headers["Cache-Control"] = "no-store"
        return results

    @app.post("/predict", tags=["photos"], responses=problems, openapi_extra={"requestBody": _FORM})
    async def predict(
        request: Request,
        response: Response,
        quality: Annotated[bool, Query(description="Whether to check the photo quality.")] = True,
        colors: Annotated[
            int, Query(ge=0, le=_MAX_COLORS, description="Number of dominant colours.")
        ] = 3,
        explain: Annotated[bool, Query(description="Whether to draw heat maps.")] = False,
    ) -> Predictions:
        """Classify photos.

        A photo that cannot be read has the status "error". If no photo can be read, the answer
        has the HTTP status of the first one, and the same schema.
        """
        work = served.classifier.predict
        results = await answer(
            request, response, work, quality=quality, n_colors=colors, explain=explain
        )
        return Predictions(results)

    if served.similarity is None:
        return
    similarity = served.similarity

    @app.post("/search", tags=["photos"], responses=problems, openapi_extra={"requestBody": _FORM})
    async def search(
        request: Request,
        response: Response,
        n_neighbors: Annotated[
            int, Query(ge=1, le=MAX_NEIGHBORS, description="Number of images for each photo.")
        ] = 10,
    ) -> FoundAll:
        """Find the indexed images that are most similar to each photo."""
        return FoundAll(await answer(request, response, similarity.find, n_neighbors=n_neighbors))

    pictures = similarity.pictures
    if pictures is None:
        return

    @app.get("/pictures/{name}.jpg", include_in_schema=False)
    def picture(name: str) -> Response:
        headers = {"Cache-Control": "private, max-age=3600"}
        return Response(pictures.draw(name), media_type="image/jpeg", headers=headers)


__all__ = ["Prediction", "Served", "build"]
