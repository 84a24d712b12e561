"""Frozen features of photos, as "photos-lda" and "clothing-photos-v1" take them."""

from __future__ import annotations

from typing import Any

from fashionkit.features import BackboneFeatures

# Photos as people take them are of this many pixels a side, as the network was trained on.
SIDE = 224

# Late layers, in four fields each.
_LAYERS = ("high", "block_15_add", "block_16_project_BN", "last")


def photo_features(weights: Any = "imagenet") -> BackboneFeatures:
    """Return the features: means of four fields of late layers, of a photo and its mirror image.

    Parameters
    ----------
    weights : "imagenet" or path, default="imagenet"
        Weights of MobileNetV2.
    """
    return BackboneFeatures(
        layers=list(_LAYERS),
        weights=weights,
        image_size=SIDE,
        pooling="grid",
        grid=2,
        power=0.5,
        mirror=True,
    )
