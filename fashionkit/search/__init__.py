"""Similar images: a search for them, and how good it is."""

from fashionkit.search._evaluation import evaluate_search
from fashionkit.search._image_search import ImageSearch

__all__ = ["ImageSearch", "evaluate_search"]
