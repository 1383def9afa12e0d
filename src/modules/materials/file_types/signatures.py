"""Types that a signature (magic number) identifies."""

import puremagic

HEAD_SIZE = 64 * 1024

PROGRAMS = (
    b"MZ",  # Windows, DOS
    b"\x7fELF",
    b"\xfe\xed\xfa\xce",  # Mach-O, and below its other sizes and byte orders
    b"\xfe\xed\xfa\xcf",
    b"\xce\xfa\xed\xfe",
    b"\xcf\xfa\xed\xfe",
    b"\xca\xfe\xba\xbe",  # Mach-O for several architectures; Java class
    b"\xbe\xba\xfe\xca",
    b"\xca\xfe\xba\xbf",
    b"\xbf\xba\xfe\xca",
    b"\xca\xfe\xd0\x0d",  # packed Java classes
    b"\x00asm",
    b"dex\n",
    b"dey\n",
    b"BC\xc0\xde",  # LLVM bitcode
    b"\x1bLua",
)

# From puremagic's extensions to content types. Some of its signatures have one or two bytes: types that need a closer
# look are in `media`, all others are not accepted.
CONTENT_TYPES = {
    ".png": "image/png",
    ".jpg": "image/jpeg",
    ".gif": "image/gif",
    ".tif": "image/tiff",
    ".tiff": "image/tiff",
    ".jp2": "image/jp2",
    ".psd": "image/vnd.adobe.photoshop",
    ".flac": "audio/flac",
    ".mid": "audio/midi",
    ".flv": "video/x-flv",
    ".mobi": "application/x-mobipocket-ebook",
    ".7z": "application/x-7z-compressed",
    ".rar": "application/vnd.rar",
    ".gz": "application/gzip",
    ".bz2": "application/x-bzip2",
    ".xz": "application/x-xz",
    ".zst": "application/zstd",
    ".lz4": "application/x-lz4",
    ".tar": "application/x-tar",
    ".cab": "application/vnd.ms-cab-compressed",
}
MIN_SIGNATURE_LENGTH = 3


def is_program(head: bytes) -> bool:
    """Return whether it is machine code, bytecode, or a script with binary data (a plain script is text)."""
    return head.startswith(PROGRAMS) or (head.startswith(b"#!") and not head.startswith(b"#!AMR"))


def detect_signature_type(head: bytes) -> str | None:
    try:
        matches = puremagic.magic_string(head)
    except puremagic.PureError:
        return None
    for match in matches:
        if len(match.byte_match) >= MIN_SIGNATURE_LENGTH and match.extension in CONTENT_TYPES:
            return CONTENT_TYPES[match.extension]
    return None
