"""Names as the product builds them, and contents of their types."""

NAME = "3f/" + "3f0c9a8b7d6e5f4a3b2c1d0e9f8a7b6c5d4e3f2a"

PNG = b"\x89PNG\r\n\x1a\n" + b"of a picture"
# All byte values.
ALL_BYTES = bytes(range(256)) + "Übung für Ümit\r\n".encode()

# The signature of each type by extension.
IMAGES = {
    "avif": b"\0\0\0\x1cftypavif",
    "bmp": b"BM",
    "gif": b"GIF89a",
    "heic": b"\0\0\0\x18ftypheic",
    "heif": b"\0\0\0\x18ftypmif1",
    "ico": b"\0\0\1\0",
    "jp2": b"\0\0\0\x0cjP  ",
    "jpg": b"\xff\xd8\xff\xe0",
    "png": b"\x89PNG\r\n\x1a\n",
    "psd": b"8BPS",
    "tif": b"II*\0",
    "webp": b"RIFF\0\0\0\0WEBP",
}
VIDEOS = {
    "3gp": b"\0\0\0\x14ftyp3gp4",
    "aac": b"\xff\xf1",
    "aiff": b"FORM\0\0\0\0AIFF",
    "amr": b"#!AMR\n",
    "avi": b"RIFF\0\0\0\0AVI ",
    "flac": b"fLaC",
    "flv": b"FLV\1",
    "m4a": b"\0\0\0\x18ftypM4A ",
    "mkv": b"\x1aE\xdf\xa3",
    "mov": b"\0\0\0\x14ftypqt  ",
    "mp3": b"ID3\3",
    "mp4": b"\0\0\0\x18ftypisom",
    "mpg": b"\0\0\1\xba",
    "ogg": b"OggS",
    "ogv": b"OggS",
    "ts": b"G@\0\x10",
    "wav": b"RIFF\0\0\0\0WAVE",
    "webm": b"\x1aE\xdf\xa3",
    "wmv": b"0&\xb2u\x8ef\xcf\x11",
}
SAMPLES = {
    **{f"image/{NAME}.{extension}": beginning + b" rest" for extension, beginning in IMAGES.items()},
    **{f"video/{NAME}.{extension}": beginning + b" rest" for extension, beginning in VIDEOS.items()},
    # A part of these has no extension, or is as files were called before there were kinds.
    **dict.fromkeys((f"image/{NAME}", f"image/{NAME}_png", f"image/{NAME}_", f"image/{NAME}_.png"), PNG),
    **dict.fromkeys((f"raw/{NAME}", f"raw/{NAME}.pdf", f"raw/{NAME}.tar.gz", f"raw/other/{NAME}.pdf"), b"raw"),
    **dict.fromkeys((NAME, f"other/{NAME}", f"{NAME}.pdf", f"other/{NAME}.pdf", f"image/{NAME}.tar.gz"), b"old"),
}
