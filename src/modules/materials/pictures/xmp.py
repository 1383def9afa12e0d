"""XMP, the description of a picture in XML: where in it the place is that the picture was taken at."""

import re

from modules.materials.pictures.source import Block

# Larger ones hold pictures of their own, and are cleared as a whole if there is a place in them.
MAX_BYTES = 1024 * 1024
BYTES_A_MICROSECOND = 128

NAME = rb"[\w.-]{1,64}:(?:gps\w{1,64}|(?:latitude|longitude)\w{0,64}|(?<=geo:)(?:lat|long))"
PROPERTY = re.compile(
    rb"(?<=\s)" + NAME + rb"\s{0,64}=\s{0,64}(?:\"[^\"<]*\"|'[^'<]*')"
    rb"|<(" + NAME + rb")(?:\s[^<>]*)?>[^<]*</\1\s*>"
    rb"|<" + NAME + rb"(?:\s[^<>]*)?/>",
    re.IGNORECASE,
)
# No shorter: pictures in letters and digits have those of `gps` by chance.
NAMES = (b"gpslatitude", b"gpslongitude", b":latitude", b":longitude", b"geo:lat", b"geo:long")
# How EXIF begins in letters and digits (base64), wherever among three bytes it does: a picture in a picture.
EXIF_IN_LETTERS = (b"rxhpzgaa", b"v4awyaa", b"feglmaa")
# In the widest encoding.
MAX_NAME_LENGTH = 4 * 12


def has_location(packet: Block) -> bool:
    """Whether there is a property that says where. Raises `Unreadable` where there was enough of this."""
    if packet.length <= MAX_BYTES and PROPERTY.search(packet.read(0, packet.length)):
        return True
    return names_location(packet)


def clear_location(packet: Block) -> bool:
    """Blank every property that says where, in place; whether there was one.

    A packet in which a place remains, since it is written in another way or in another encoding, is blanked wholly.
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
    """Whether a place is named, however it is written and in whichever encoding. Raises `Unreadable` where there was
    enough of this."""
    packet.source.pay(packet.length // BYTES_A_MICROSECOND)
    before = b""
    for piece in packet.chunks():
        letters = (before + piece).replace(b"\x00", b"").lower()
        if any(name in letters for name in (*NAMES, *EXIF_IN_LETTERS)):
            return True
        before = piece[-MAX_NAME_LENGTH:]
    return False
