"""From images to images: what is done to them before anything looks at them."""

from fashionkit.preprocessing._augmentation import Augmentation

__all__ = ["Augmentation"]
