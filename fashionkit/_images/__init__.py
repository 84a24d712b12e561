"""The image contract: every decision about shapes, channels and pixel ranges is made here."""

from ._contract import check_images, check_targets, fit_images, read_rows
from ._forms import on_white, reject_single, stacked
from ._pixels import LANES, Images, LazyImages
from ._ranges import infer_pixel_range, users_level

# Weights of red, green and blue in the luma of ITU-R BT.601, by which colours become gray.
LUMA = (0.299, 0.587, 0.114)

__all__ = [
    "LANES",
    "LUMA",
    "Images",
    "LazyImages",
    "check_images",
    "check_targets",
    "fit_images",
    "infer_pixel_range",
    "on_white",
    "read_rows",
    "reject_single",
    "stacked",
    "users_level",
]
