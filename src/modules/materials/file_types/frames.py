"""Audio and video without a container: consecutive frames or packets, each with a sync word.

A sync word has few bits and occurs by chance: three frames have to follow one another, or fewer up to the end of file.
"""

from collections.abc import Callable
from typing import IO

from modules.materials.file_types.signatures import is_program

MIN_FRAMES = 3
# How much is read after the tags, their padding included.
READ_SIZE = 64 * 1024
# Ordinary files have one or two.
MAX_TAGS = 4
TAG_HEADER_SIZE = 10
HAS_FOOTER = 0x10

MAX_PACKETS = 5
TRANSPORT_PACKET, TIMECODE_PACKET = 188, 192
PROGRAM_STREAM, SEQUENCE = b"\x00\x00\x01\xba", b"\x00\x00\x01\xb3"

MPEG_1_RATES = {
    1: (0, 32, 64, 96, 128, 160, 192, 224, 256, 288, 320, 352, 384, 416, 448),
    2: (0, 32, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 384),
    3: (0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320),
}
MPEG_2_RATES = {
    1: (0, 32, 48, 56, 64, 80, 96, 112, 128, 144, 160, 176, 192, 224, 256),
    2: (0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160),
    3: (0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160),
}


def detect_audio_type(content: IO[bytes], head: bytes, length: int) -> str | None:
    """Detect MPEG audio (layers I to III), AAC (ADTS), and FLAC after an ID3 tag."""
    position, tags = 0, 0
    while _is_tag(head) and tags < MAX_TAGS:
        position, tags = position + _parse_tag_length(head), tags + 1
        content.seek(position)
        head = content.read(READ_SIZE)
    if tags:
        # Some tags have padding beyond their stated length.
        padding = len(head) - len(head.lstrip(b"\x00"))
        position, head = position + padding, head[padding:]
        if is_program(head):
            return None
        if head.startswith(b"fLaC"):
            return "audio/flac"
    kind = _match_frames(head, length - position, _parse_mpeg_frame_length, "audio/mpeg") or _match_frames(
        head, length - position, _parse_aac_frame_length, "audio/aac"
    )
    return kind or ("audio/mpeg" if tags else None)


def detect_mpeg_stream_type(head: bytes, length: int) -> str | None:
    """Detect MPEG transport streams and program streams."""
    for offset, size in ((0, TRANSPORT_PACKET), (4, TIMECODE_PACKET)):
        packets = min(MAX_PACKETS, length // size)
        if packets >= MIN_FRAMES and head[offset : size * packets : size] == b"G" * packets:
            is_whole = packets == MAX_PACKETS or length % size == 0
            return "video/mp2t" if is_whole else None
    # The next bits distinguish MPEG-1 and MPEG-2.
    is_program_stream = head.startswith(PROGRAM_STREAM) and (head[4:5].hex()[:1] in set("24567"))
    return "video/mpeg" if is_program_stream or head.startswith(SEQUENCE) else None


def _is_tag(head: bytes) -> bool:
    return head.startswith(b"ID3") and head[3:4] in {b"\x02", b"\x03", b"\x04"} and len(head) >= TAG_HEADER_SIZE


def _parse_tag_length(head: bytes) -> int:
    length = 0
    for seven_bits in head[6:10]:
        length = length << 7 | seven_bits & 0x7F
    return TAG_HEADER_SIZE + length + (TAG_HEADER_SIZE if head[5] & HAS_FOOTER else 0)


def _match_frames(head: bytes, length: int, parse_length: Callable[[bytes], int], content_type: str) -> str | None:
    position = 0
    for number in range(MIN_FRAMES):
        if number and position == length:
            break
        if number > 1 and position > length:
            # The last frame is truncated.
            break
        frame = parse_length(head[position : position + 7])
        if not frame:
            return None
        position += frame
    return content_type


def _parse_mpeg_frame_length(header: bytes) -> int:
    """Return the length of a frame of MPEG audio, or 0 if the header is not one."""
    if len(header) < 4 or header[0] != 0xFF or header[1] & 0xE0 != 0xE0:
        return 0
    version, layer = header[1] >> 3 & 3, 4 - (header[1] >> 1 & 3)
    rate, frequency, padding = header[2] >> 4, header[2] >> 2 & 3, header[2] >> 1 & 1
    if version == 1 or layer == 4 or rate in {0, 15} or frequency == 3:
        return 0
    bits = (MPEG_1_RATES if version == 3 else MPEG_2_RATES)[layer][rate] * 1000
    hertz = (44100, 48000, 32000)[frequency] >> {3: 0, 2: 1, 0: 2}[version]
    if layer == 1:
        return (12 * bits // hertz + padding) * 4
    return (72 if layer == 3 and version != 3 else 144) * bits // hertz + padding


def _parse_aac_frame_length(header: bytes) -> int:
    """Return the length of an ADTS frame, or 0 if the header is not one."""
    if len(header) < 7 or header[0] != 0xFF or header[1] & 0xF6 != 0xF0 or header[2] >> 2 & 15 > 12:
        return 0
    length = (header[3] & 3) << 11 | header[4] << 3 | header[5] >> 5
    return length if length > 7 else 0
