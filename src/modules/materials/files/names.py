"""Random names of files in storages, with a folder (Cloudinary's resource type) and an extension."""

import re
import secrets

# Cloudinary's resource types; all others are `raw`, which it serves unchanged.
RESOURCE_TYPES = {"image": "image", "audio": "video", "video": "video"}
RAW_MEDIA_TYPES = {"audio/amr-wb", "audio/midi", "audio/x-caf", "image/vnd.djvu"}

OFFICE = "application/vnd.openxmlformats-officedocument"
OPEN_DOCUMENT = "application/vnd.oasis.opendocument"
# Not `mimetypes`, whose table depends on the version of Python and on the machine.
EXTENSIONS = {
    "application/epub+zip": "epub",
    "application/gzip": "gz",
    "application/msword": "doc",
    "application/pdf": "pdf",
    "application/rtf": "rtf",
    "application/vnd.ms-cab-compressed": "cab",
    "application/vnd.ms-excel": "xls",
    "application/vnd.ms-powerpoint": "ppt",
    "application/vnd.rar": "rar",
    "application/vnd.visio": "vsd",
    "application/x-7z-compressed": "7z",
    "application/x-bzip2": "bz2",
    "application/x-lz4": "lz4",
    "application/x-mobipocket-ebook": "mobi",
    "application/x-tar": "tar",
    "application/x-xz": "xz",
    "application/zip": "zip",
    "application/zstd": "zst",
    f"{OPEN_DOCUMENT}.graphics": "odg",
    f"{OPEN_DOCUMENT}.presentation": "odp",
    f"{OPEN_DOCUMENT}.spreadsheet": "ods",
    f"{OPEN_DOCUMENT}.text": "odt",
    f"{OFFICE}.presentationml.presentation": "pptx",
    f"{OFFICE}.presentationml.slideshow": "ppsx",
    f"{OFFICE}.presentationml.template": "potx",
    f"{OFFICE}.spreadsheetml.sheet": "xlsx",
    f"{OFFICE}.spreadsheetml.template": "xltx",
    f"{OFFICE}.wordprocessingml.document": "docx",
    f"{OFFICE}.wordprocessingml.template": "dotx",
    "audio/aac": "aac",
    "audio/aiff": "aiff",
    "audio/amr": "amr",
    "audio/amr-wb": "awb",
    "audio/flac": "flac",
    "audio/midi": "mid",
    "audio/mp4": "m4a",
    "audio/mpeg": "mp3",
    "audio/ogg": "ogg",
    "audio/wav": "wav",
    "audio/x-caf": "caf",
    "audio/x-ms-wma": "wma",
    "image/avif": "avif",
    "image/bmp": "bmp",
    "image/gif": "gif",
    "image/heic": "heic",
    "image/heif": "heif",
    "image/jp2": "jp2",
    "image/jpeg": "jpg",
    "image/png": "png",
    "image/tiff": "tif",
    "image/vnd.adobe.photoshop": "psd",
    "image/vnd.djvu": "djvu",
    "image/webp": "webp",
    "image/x-icon": "ico",
    "text/plain": "txt",
    "video/3gpp": "3gp",
    "video/3gpp2": "3g2",
    "video/mp2t": "ts",
    "video/mp4": "mp4",
    "video/mpeg": "mpg",
    "video/ogg": "ogv",
    "video/quicktime": "mov",
    "video/webm": "webm",
    "video/x-flv": "flv",
    "video/x-matroska": "mkv",
    "video/x-ms-wmv": "wmv",
    "video/x-msvideo": "avi",
}

# Also without a resource type, as in earlier versions.
GENERATED_NAME = re.compile(r"((image|video|raw)/)?([0-9a-f]{2})/\3[0-9a-f]{38}(\.[0-9a-z]+)?")


def is_generated_name(name: str) -> bool:
    """Return whether a name was generated here; other files in a storage are left alone."""
    return GENERATED_NAME.fullmatch(name) is not None


def generate_name(content_type: str) -> str:
    """Generate an unguessable name of up to 64 characters, such as `image/3f/3f0c….png`."""
    essence = content_type.partition(";")[0]
    kind = "raw" if essence in RAW_MEDIA_TYPES else RESOURCE_TYPES.get(essence.partition("/")[0], "raw")
    extension = EXTENSIONS.get(essence)
    name = secrets.token_hex(20)
    # 256 folders: some file systems are slow with very many files in one.
    return f"{kind}/{name[:2]}/{name}" + (f".{extension}" if extension else "")
