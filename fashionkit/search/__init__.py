"""Search for similar images, and its evaluation."""

from fashionkit.search._evaluation import evaluate_search
from fashionkit.search._image_search import ImageSearch

__all__ = ["ImageSearch", "evaluate_search"]
