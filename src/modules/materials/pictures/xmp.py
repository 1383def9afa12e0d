"""XMP, the description of a picture in XML: where in it the place is that the picture was taken at."""

import re

from modules.materials.pictures.source import Block

# Larger ones hold pictures of their own, and are cleared as a whole if there is a place in them.
MOST_BYTES = 1024 * 1024

NAME = rb"[\w.-]{1,64}:gps\w{1,64}"
PROPERTY = re.compile(
    rb"(?<=\s)" + NAME + rb"\s{0,64}=\s{0,64}(?:\"[^\"<]*\"|'[^'<]*')"
    rb"|<(" + NAME + rb")(?:\s[^<>]*)?>[^<]*</\1\s*>"
    rb"|<" + NAME + rb"(?:\s[^<>]*)?/>",
    re.IGNORECASE,
)
# However it is written, and in any of the encodings. No shorter: pictures in letters and digits would match by chance.
PLACE = re.compile(
    b"|".join(rb"\x00{0,3}".join(bytes([letter]) for letter in word) for word in (b"gpslatitude", b"gpslongitude")),
    re.IGNORECASE,
)
LONGEST_PLACE = 48


def has_location(packet: Block) -> bool:
    if packet.length <= MOST_BYTES and PROPERTY.search(packet.read(0, packet.length)):
        return True
    return _names_place(packet)


def clear_location(packet: Block) -> bool:
    """Blank every property that begins with GPS, in place; whether there was one.

    A packet in which a place remains, since it is written in another way or in another encoding, is blanked wholly.
    """
    if not has_location(packet):
        return False
    if packet.length <= MOST_BYTES:
        for found in PROPERTY.finditer(packet.read(0, packet.length)):
            packet.clear(found.start(), found.end() - found.start(), b" ")
    if _names_place(packet):
        packet.clear(0, packet.length, b" ")
    return True


def _names_place(packet: Block) -> bool:
    before = b""
    for piece in packet.chunks():
        if PLACE.search(before + piece):
            return True
        before = piece[-LONGEST_PLACE:]
    return False
