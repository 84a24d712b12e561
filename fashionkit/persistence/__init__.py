"""Saving and loading of models, in a safe format and in ONNX."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

# Module of each public name. Names are imported lazily, as serving an ONNX file needs far fewer
# modules than training and loading models.
_HOMES = {
    "ModelFileError": "fashionkit._files",
    "ONNXClassifier": "fashionkit.persistence._onnx_classifier",
    "describe": "fashionkit.persistence._describe",
    "list_pretrained": "fashionkit.persistence._pretrained",
    "load": "fashionkit.persistence._load",
    "load_pretrained": "fashionkit.persistence._pretrained",
    "save": "fashionkit.persistence._save",
    "to_onnx": "fashionkit.persistence._onnx",
}

__all__ = [
    "ModelFileError",
    "ONNXClassifier",
    "describe",
    "list_pretrained",
    "load",
    "load_pretrained",
    "save",
    "to_onnx",
]

if TYPE_CHECKING:
    from fashionkit._files import ModelFileError
    from fashionkit.persistence._describe import describe
    from fashionkit.persistence._load import load
    from fashionkit.persistence._onnx import to_onnx
    from fashionkit.persistence._onnx_classifier import ONNXClassifier
    from fashionkit.persistence._pretrained import list_pretrained, load_pretrained
    from fashionkit.persistence._save import save
else:

    def __getattr__(name: str) -> Any:
        if name not in _HOMES:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        value = getattr(import_module(_HOMES[name]), name)
        globals()[name] = value
        return value


def __dir__() -> list[str]:
    return sorted(__all__)
