"""Preprocessing: transformers from images to images."""

from fashionkit.preprocessing._augmentation import Augmentation
from fashionkit.preprocessing._foreground import find_foreground
from fashionkit.preprocessing._loader import ImageLoader
from fashionkit.preprocessing._product_photo import ProductPhotoPreprocessor

__all__ = ["Augmentation", "ImageLoader", "ProductPhotoPreprocessor", "find_foreground"]
