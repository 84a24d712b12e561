"""Decode uploads: to what a model takes, and to what is described."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from fashionkit.datasets._photo import decode_content, known_formats
from fashionkit.datasets._pixels import (
    Size,
    TooLargeError,
    UnknownFormatError,
    UnreadableError,
)
from fashionkit.datasets._warned import gathering, noting
from fashionkit.serving._limits import Refusal

# What cameras, phones and shops have. TIFF and others have more ways to be wrong.
FORMATS = ("JPEG", "PNG", "WEBP", "AVIF", "HEIF", "GIF", "BMP")


@dataclass(frozen=True)
class Decoder:
    """How uploads are decoded.

    Parameters
    ----------
    max_pixels : int
        Maximum number of pixels.
    """

    max_pixels: int

    @property
    def formats(self) -> list[str]:
        """The formats that can be read here."""
        return known_formats(FORMATS)

    def crop(self, content: bytes, size: Size, aspect: str) -> tuple[np.ndarray, Size]:
        """Return a photo in RGB as ``load_images`` does, and its height and width, upright.

        Parameters
        ----------
        content : bytes
            The file.

        size : tuple of int
            Height and width of the image.

        aspect : {"crop", "pad", "stretch", "fit"}
            What happens to photos of other proportions.

        Raises
        ------
        Refusal
            If it is no photo, or too large.
        """
        try:
            with gathering(), noting():
                return decode_content(content, size, aspect, FORMATS, self.max_pixels)
        except TooLargeError as error:
            raise Refusal(413, str(error)) from error
        except UnknownFormatError as error:
            raise Refusal(415, str(error)) from error
        except UnreadableError as error:
            raise Refusal(422, str(error)) from error
        except MemoryError as error:
            raise Refusal(413, "there is not enough memory to decode it") from error

    def whole(self, content: bytes, side: int) -> tuple[np.ndarray, Size]:
        """Return a whole photo of at most some longest side, and its height and width."""
        return self.crop(content, (side, side), "fit")
