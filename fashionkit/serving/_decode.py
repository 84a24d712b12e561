"""Decoding of uploads."""

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

# Formats of cameras, phones and shops. The decoders of others, such as TIFF, are a larger risk.
FORMATS = ("JPEG", "PNG", "WEBP", "AVIF", "HEIF", "GIF", "BMP")


@dataclass(frozen=True)
class Decoder:
    """Decoder of uploads.

    Parameters
    ----------
    max_pixels : int
        Maximum number of pixels of a photo.
    """

    max_pixels: int

    @property
    def formats(self) -> list[str]:
        """Names of the formats that the installed libraries can decode."""
        return known_formats(FORMATS)

    def crop(self, content: bytes, size: Size, aspect: str) -> tuple[np.ndarray, Size]:
        """Decode and resize a photo, as ``load_images`` does.

        Parameters
        ----------
        content : bytes
            Content of the file.

        size : tuple of int
            Height and width of the image.

        aspect : {"crop", "pad", "stretch", "fit"}
            Handling of photos with another aspect ratio.

        Returns
        -------
        image : ndarray of shape (height, width, 3), dtype uint8
            Image in RGB.

        size : tuple of int
            Height and width of the upright photo in the file.

        Raises
        ------
        Refusal
            If the file is too large (413), of an unsupported format (415) or damaged (422).
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
            raise Refusal(413, "it needs too much memory; send a smaller photo") from error

    def whole(self, content: bytes, side: int) -> tuple[np.ndarray, Size]:
        """Decode a photo without cropping, reduced to a maximum side; also return its size."""
        return self.crop(content, (side, side), "fit")
