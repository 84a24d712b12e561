"""Models as files that are safe to open: saved, described and loaded without running their code."""

from fashionkit._files import ModelFileError
from fashionkit.persistence._describe import describe
from fashionkit.persistence._load import load
from fashionkit.persistence._save import save

__all__ = ["ModelFileError", "describe", "load", "save"]
