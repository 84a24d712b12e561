"""Fashion images to work on: fetched, loaded from files, or drawn."""

from ._clothing_photos import fetch_clothing_photos
from ._csv import load_fashion_mnist_csv
from ._fashion_mnist import CLASS_NAMES, fetch_fashion_mnist
from ._folder import ImageFolder
from ._garments import make_garments
from ._idx import read_idx
from ._load import load_image_folder, load_images

__all__ = [
    "CLASS_NAMES",
    "ImageFolder",
    "fetch_clothing_photos",
    "fetch_fashion_mnist",
    "load_fashion_mnist_csv",
    "load_image_folder",
    "load_images",
    "make_garments",
    "read_idx",
]
