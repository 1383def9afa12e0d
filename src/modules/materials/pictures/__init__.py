"""Limit the pixels of pictures, and remove the location they were taken at (GPS in EXIF and XMP).

The parsers read headers and metadata; nothing is decoded. Libraries are not used: they read a whole file to find the
size of a picture, or as much of it as its sender likes (docs/decisions/own-picture-readers.md).
"""

import struct
from collections.abc import Callable, Iterator
from typing import IO

from django.conf import settings

from core.errors import Invalid
from modules.materials.pictures import bitmaps, gif, iso_media, jpeg, png, tiff, webp
from modules.materials.pictures.size import Size
from modules.materials.pictures.source import Block, LocationNotRemovable, Source, Unreadable

# The frames of an animation, or the pages of a document, may have this many times the pixels of one picture.
MAX_FULL_FRAMES = 50
MILLION = 1_000_000

SIZE_READERS: dict[str, Callable[[Source], Iterator[Size]]] = {
    "image/png": png.read_sizes,
    "image/jpeg": jpeg.read_sizes,
    "image/gif": gif.read_sizes,
    "image/webp": webp.read_sizes,
    "image/bmp": bitmaps.read_bmp_sizes,
    "image/x-icon": bitmaps.read_icon_sizes,
    "image/vnd.adobe.photoshop": bitmaps.read_photoshop_sizes,
    "image/tiff": lambda source: tiff.read_sizes(Block.between(source, 0, source.length)),
    "image/avif": iso_media.read_sizes,
    "image/heic": iso_media.read_sizes,
    "image/heif": iso_media.read_sizes,
    "image/jp2": iso_media.read_sizes,
}
LOCATION_CLEARERS: dict[str, Callable[[Source], bool]] = {
    "image/png": png.clear_location,
    "image/jpeg": jpeg.clear_location,
    "image/gif": gif.clear_location,
    "image/webp": webp.clear_location,
    "image/bmp": bitmaps.clear_bmp_location,
    "image/x-icon": bitmaps.clear_icon_location,
    "image/vnd.adobe.photoshop": bitmaps.clear_photoshop_location,
    "image/tiff": bitmaps.clear_tiff_location,
    "image/avif": iso_media.clear_location,
    "image/heic": iso_media.clear_location,
    "image/heif": iso_media.clear_location,
    "image/jp2": iso_media.clear_location,
}


def check_pixels(content: IO[bytes], content_type: str) -> None:
    """Check the pixels of a picture against MATERIALS_MAX_PIXELS; other content types pass.

    Raises `Invalid` for `file` if there are more, or if the size cannot be read.
    """
    if content_type not in SIZE_READERS:
        return
    try:
        _check_sizes(SIZE_READERS[content_type](Source(content)))
    except (Unreadable, struct.error) as error:
        raise Invalid({"file": [_format_unreadable(error)]}) from error
    finally:
        content.seek(0)


def remove_location(content: IO[bytes], content_type: str) -> bool:
    """Overwrite the location in a picture's metadata, and data that is not part of the picture, such as appended video.

    Works in place: neither the file's length nor its pixels change. Returns whether anything was overwritten.
    Raises `Invalid` for `file` if the location cannot be removed.
    """
    if content_type not in LOCATION_CLEARERS:
        return False
    try:
        return LOCATION_CLEARERS[content_type](Source(content))
    except (Unreadable, struct.error) as error:
        raise Invalid({"file": [_format_unreadable(error)]}) from error
    except LocationNotRemovable as error:
        sentence = "This picture says where it was taken in a way that cannot be removed. Save it without its location."
        raise Invalid({"file": [sentence]}) from error
    finally:
        content.seek(0)


def _check_sizes(sizes: Iterator[Size]) -> None:
    limit = settings.MATERIALS_MAX_PIXELS
    pixels = frames = 0
    for size in sizes:
        if not size.width or not size.height:
            raise Unreadable("it has no pixels")
        if size.width * size.height > limit:
            has = f"{size.width:,} by {size.height:,} pixels"
            raise Invalid({"file": [f"This picture has {has}. At most {_format_count(limit)} are accepted."]})
        frames += size.frames
        pixels += size.frames * size.width * size.height
        if pixels > limit * MAX_FULL_FRAMES:
            sentence = "This picture has more than {} pixels in all its frames or pages, which is the most accepted."
            raise Invalid({"file": [sentence.format(_format_count(limit * MAX_FULL_FRAMES))]})
    if not frames:
        raise Unreadable("it does not say how large it is")


def _format_count(number: int) -> str:
    return f"{number // MILLION:,} million" if number and number % MILLION == 0 else f"{number:,}"


def _format_unreadable(error: Exception) -> str:
    reason = error.args[0] if isinstance(error, Unreadable) else "it is not as its format has it"
    return f"This picture cannot be read: {reason}."
