"""XMP, the description of a picture in XML: where in it the place is that the picture was taken at."""

import re

from modules.materials.pictures.source import Block

# Larger ones hold pictures of their own, and are cleared as a whole if there is a place in them.
MOST_BYTES = 1024 * 1024
BYTES_A_MICROSECOND = 128

NAME = rb"[\w.-]{1,64}:gps\w{1,64}"
PROPERTY = re.compile(
    rb"(?<=\s)" + NAME + rb"\s{0,64}=\s{0,64}(?:\"[^\"<]*\"|'[^'<]*')"
    rb"|<(" + NAME + rb")(?:\s[^<>]*)?>[^<]*</\1\s*>"
    rb"|<" + NAME + rb"(?:\s[^<>]*)?/>",
    re.IGNORECASE,
)
# No shorter: pictures in letters and digits have those of `gps` by chance.
NAMES = (b"gpslatitude", b"gpslongitude")
# In the widest encoding.
LONGEST_NAME = 4 * 12


def has_location(packet: Block) -> bool:
    """Whether there is a property that begins with GPS. Raises `Unreadable` where there was enough of this."""
    packet.source.pay(packet.length // BYTES_A_MICROSECOND)
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
    """Whether a place is named, however it is written and in whichever encoding."""
    before = b""
    for piece in packet.chunks():
        letters = (before + piece).replace(b"\x00", b"").lower()
        if any(name in letters for name in NAMES):
            return True
        before = piece[-LONGEST_NAME:]
    return False
