"""From images to rows of numbers that any classifier can work on."""

from fashionkit.features._hog import HOGFeatures
from fashionkit.features._pixels import PixelFeatures

__all__ = ["HOGFeatures", "PixelFeatures"]
