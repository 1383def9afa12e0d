"""Pictures: how many pixels they have, and where they were taken.

Both are read from what the formats say at fixed places. Nothing is decoded, and no library is asked: those at hand read
a whole file to say how large the picture is, or as much of it as its sender likes.
"""

import struct
from collections.abc import Callable, Iterator
from typing import IO

from django.conf import settings

from core.errors import Invalid
from modules.materials.pictures import bitmaps, gif, iso_media, jpeg, png, tiff, webp
from modules.materials.pictures.size import Size
from modules.materials.pictures.source import Block, LocationNotRemovable, Source, Unreadable

# An animation, or a book of pages, may have as many times the pixels of one picture.
MAX_FULL_FRAMES = 50
MILLION = 1_000_000

SIZE_READERS: dict[str, Callable[[Source], Iterator[Size]]] = {
    "image/png": png.read_sizes,
    "image/jpeg": jpeg.read_sizes,
    "image/gif": gif.read_sizes,
    "image/webp": webp.read_sizes,
    "image/bmp": bitmaps.read_sizes_of_bmp,
    "image/x-icon": bitmaps.read_sizes_of_icon,
    "image/vnd.adobe.photoshop": bitmaps.read_sizes_of_photoshop,
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
    "image/bmp": bitmaps.clear_location_of_bmp,
    "image/x-icon": bitmaps.clear_location_of_icon,
    "image/vnd.adobe.photoshop": bitmaps.clear_location_of_photoshop,
    "image/tiff": bitmaps.clear_location_of_tiff,
    "image/avif": iso_media.clear_location,
    "image/heic": iso_media.clear_location,
    "image/heif": iso_media.clear_location,
    "image/jp2": iso_media.clear_location,
}


def check_pixels(content: IO[bytes], content_type: str) -> None:
    """Raises `Invalid` for `file` where a picture has more than MATERIALS_MAX_PIXELS, or does not say how many. What is
    no picture is passed over."""
    if content_type not in SIZE_READERS:
        return
    try:
        _check_sizes(SIZE_READERS[content_type](Source(content)))
    except (Unreadable, struct.error) as error:
        raise Invalid({"file": [_format_unreadable(error)]}) from error
    finally:
        content.seek(0)


def remove_location(content: IO[bytes], content_type: str) -> bool:
    """Take out where a picture was taken, and empty what lies with it in the file and is no part of it (clips of phones
    among that); say whether there was anything. Neither its length nor its pixels change.

    Raises `Invalid` for `file` where it cannot be taken out.
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
    most = settings.MATERIALS_MAX_PIXELS
    pixels = frames = 0
    for size in sizes:
        if not size.width or not size.height:
            raise Unreadable("it has no pixels")
        if size.width * size.height > most:
            has = f"{size.width:,} by {size.height:,} pixels"
            raise Invalid({"file": [f"This picture has {has}. At most {_format_count(most)} are accepted."]})
        frames += size.frames
        pixels += size.frames * size.width * size.height
        if pixels > most * MAX_FULL_FRAMES:
            sentence = "This picture has more than {} pixels in all its frames or pages, which is the most accepted."
            raise Invalid({"file": [sentence.format(_format_count(most * MAX_FULL_FRAMES))]})
    if not frames:
        raise Unreadable("it does not say how large it is")


def _format_count(number: int) -> str:
    return f"{number // MILLION:,} million" if number and number % MILLION == 0 else f"{number:,}"


def _format_unreadable(error: Exception) -> str:
    reason = error.args[0] if isinstance(error, Unreadable) else "it is not as its format has it"
    return f"This picture cannot be read: {reason}."
