"""Transformers from images to features for any classifier."""

from fashionkit.features._backbone import BackboneFeatures
from fashionkit.features._chunked import ChunkedTransformer
from fashionkit.features._color import ColorHistogram
from fashionkit.features._hog import HOGFeatures
from fashionkit.features._pca import BoundedPCA
from fashionkit.features._pixels import PixelFeatures
from fashionkit.features._sift import SIFTFeatures

__all__ = [
    "BackboneFeatures",
    "BoundedPCA",
    "ChunkedTransformer",
    "ColorHistogram",
    "HOGFeatures",
    "PixelFeatures",
    "SIFTFeatures",
]
