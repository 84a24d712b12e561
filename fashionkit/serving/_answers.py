"""What the server answers: the schema of its JSON."""

from __future__ import annotations

from dataclasses import dataclass, field

Label = str | int | float | bool


@dataclass
class Color:
    """A colour of the product: its name, such as "navy", its code, and its share."""

    name: str
    hex: str
    share: float


@dataclass
class HeatMap:
    """What the network looked at.

    ``image`` is a PNG in Base64, transparent where it looked least, to be laid over the photo:
    ``box`` has left, top, width and height of where, as shares of the upright photo's sides.
    """

    image: str
    box: list[float]


@dataclass
class Prediction:
    """What is decided of a photo: the columns of ``classify_photos``.

    ``status`` is "accepted", "review", "outlier" or "error". ``code`` is the status of HTTP of a
    photo that cannot be read, were it the only one: 413, 415 or 422.
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
    """A prediction for each photo, in the order of the request."""

    results: list[Prediction]


@dataclass
class Similar:
    """An indexed image that is similar to a photo; ``picture`` is where the server shows it."""

    id: str | int
    distance: float
    label: Label | None = None
    metadata: dict[str, Label | None] = field(default_factory=dict)
    picture: str | None = None


@dataclass
class Found:
    """The images that are most similar to a photo, the nearest first."""

    index: int
    name: str
    status: str
    reason: str = ""
    code: int | None = None
    neighbors: list[Similar] = field(default_factory=list)


@dataclass
class FoundAll:
    """The similar images of each photo, in the order of the request."""

    results: list[Found]


@dataclass
class Problem:
    """Why a request is refused."""

    detail: str


@dataclass
class Health:
    """That the server is ready; it accepts no connection before it is."""

    status: str


@dataclass
class Metadata:
    """What is served."""

    fashionkit: str
    model: str
    classes: list[Label]
    image_size: list[int]
    formats: list[str]
    decides: bool
    heat_maps: bool
    search: bool
    limits: dict[str, int | float]
