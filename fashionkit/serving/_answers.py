"""Schema of the JSON that the server returns."""

from __future__ import annotations

from dataclasses import dataclass, field

Label = str | int | float | bool


@dataclass
class Color:
    """Colour of the product: its name, its hexadecimal code, and its share of the product."""

    name: str
    hex: str
    share: float


@dataclass
class HeatMap:
    """Heat map of the regions that support the prediction.

    ``image`` is a PNG in Base64, to be laid over the photo; it is transparent where the heat is
    low. ``box`` is its left, top, width and height, as fractions of the upright photo's sides.
    """

    image: str
    box: list[float]


@dataclass
class Prediction:
    """Prediction for one photo: the columns of ``classify_photos``.

    ``status`` is "accepted", "review", "outlier" or "error". For a photo that cannot be read,
    ``code`` is the HTTP status that the photo alone would cause: 413, 415 or 422.
    """

    index: int
    name: str
    status: str
    reason: str = ""
    code: int | None = None
    width: int | None = None
    height: int | None = None
    label: Label | None = None
    confidence: float | None = None
    second: Label | None = None
    second_confidence: float | None = None
    third: Label | None = None
    third_confidence: float | None = None
    set: list[Label] = field(default_factory=list)
    coarse: str | None = None
    targets: dict[str, Label | None] = field(default_factory=dict)
    quality: list[str] = field(default_factory=list)
    colors: list[Color] = field(default_factory=list)
    heat_map: HeatMap | None = None


@dataclass
class Predictions:
    """Prediction for each photo, in the order of the request."""

    results: list[Prediction]


@dataclass
class Similar:
    """Indexed image similar to a photo; ``picture`` is the relative URL of its thumbnail."""

    id: str | int
    distance: float
    label: Label | None = None
    metadata: dict[str, Label | None] = field(default_factory=dict)
    picture: str | None = None


@dataclass
class Found:
    """Most similar images of one photo, nearest first."""

    index: int
    name: str
    status: str
    reason: str = ""
    code: int | None = None
    neighbors: list[Similar] = field(default_factory=list)


@dataclass
class FoundAll:
    """Most similar images of each photo, in the order of the request."""

    results: list[Found]


@dataclass
class Problem:
    """Reason for which a request is refused."""

    detail: str


@dataclass
class Health:
    """State of the server, always "ok": it accepts connections only when it is ready."""

    status: str


@dataclass
class Metadata:
    """Description of the served model and of the limits of requests."""

    fashionkit: str
    model: str
    classes: list[Label]
    image_size: list[int]
    formats: list[str]
    decides: bool
    heat_maps: bool
    search: bool
    limits: dict[str, int | float]
