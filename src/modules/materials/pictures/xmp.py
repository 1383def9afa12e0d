"""XMP, metadata in XML: find and clear the properties that contain a location."""

import re

from modules.materials.pictures.source import Block

# Larger packets contain embedded pictures, and are cleared as a whole if they contain a location.
MAX_BYTES = 1024 * 1024
BYTES_PER_MICROSECOND = 128

NAME = rb"[\w.-]{1,64}:(?:gps\w{1,64}|(?:latitude|longitude)\w{0,64}|(?<=geo:)(?:lat|long))"
PROPERTY = re.compile(
    rb"(?<=\s)" + NAME + rb"\s{0,64}=\s{0,64}(?:\"[^\"<]*\"|'[^'<]*')"
    rb"|<(" + NAME + rb")(?:\s[^<>]*)?>[^<]*</\1\s*>"
    rb"|<" + NAME + rb"(?:\s[^<>]*)?/>",
    re.IGNORECASE,
)
# Full names: `gps` alone occurs in base64 by chance.
NAMES = (b"gpslatitude", b"gpslongitude", b":latitude", b":longitude", b"geo:lat", b"geo:long")
# "Exif\0\0" in base64 (lower case), at each of the three alignments: the metadata of an embedded picture.
EXIF_IN_BASE64 = (b"rxhpzgaa", b"v4awyaa", b"feglmaa")
# In UTF-32.
MAX_NAME_LENGTH = 4 * 12


def has_location(packet: Block) -> bool:
    """Return whether a packet contains a location. Raises `Unreadable` if the budget is used up."""
    if packet.length <= MAX_BYTES and PROPERTY.search(packet.read(0, packet.length)):
        return True
    return names_location(packet)


def clear_location(packet: Block) -> bool:
    """Overwrite every property with a location by blanks; return whether there was one.

    If a location remains, in an unknown notation or encoding, the whole packet is overwritten.
    """
    if not has_location(packet):
        return False
    if packet.length <= MAX_BYTES:
        for found in PROPERTY.finditer(packet.read(0, packet.length)):
            packet.clear(found.start(), found.end() - found.start(), b" ")
    if names_location(packet):
        packet.clear(0, packet.length, b" ")
    return True


def names_location(packet: Block) -> bool:
    """Return whether a property name of a location occurs, in any notation and encoding.

    Raises `Unreadable` if the budget is used up.
    """
    packet.source.charge(packet.length // BYTES_PER_MICROSECOND)
    before = b""
    for chunk in packet.read_chunks():
        text = (before + chunk).replace(b"\x00", b"").lower()
        if any(name in text for name in (*NAMES, *EXIF_IN_BASE64)):
            return True
        before = chunk[-MAX_NAME_LENGTH:]
    return False
