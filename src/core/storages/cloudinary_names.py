"""Mapping of the names of files to the public ids of Cloudinary, and back.

The first folder of a name is Cloudinary's resource type: `image` and `video` are decoded there, `raw` is kept as it is.
The public id, below the prefix, is the rest of the name:

    image/ab/abcdef.png    image, ab/abcdef_png      video/ab/abcdef     video, ab/abcdef_
    raw/ab/abcdef.pdf      raw,   ab/abcdef.pdf      ab/abcdef           raw,   other/ab/abcdef

The extension is part of the public id of a picture or a video, with an underscore: Cloudinary reports formats by names
of its own (a `heif` is a `heic`, an `m4a` may be an `mp4`), and reads a dot in a URL as a format to convert to. Any
other name is `raw`, below the folder `other`.
"""

import re
from dataclasses import dataclass

from django.core.exceptions import SuspiciousFileOperation

KINDS = ("image", "video", "raw")

NAME = re.compile(
    r"(?P<kind>image|video)/(?P<path>[^.]+)(?:\.(?P<extension>[^._/]+))?|raw/(?P<raw>(?!other/).+)", re.DOTALL
)
# Characters that Cloudinary allows in no public id, and paths that lead out of the prefix.
NOT_IN_NAMES = re.compile(r"[?&#\\%<>+\x00-\x1f\x7f]|//|(^|/)\.{1,2}(/|$)|^/|/$|^\s|\s$")


@dataclass(frozen=True, kw_only=True)
class Asset:
    """What identifies a file at Cloudinary: its resource type and its public id."""

    kind: str
    public_id: str


def parse_name(name: str, prefix: str) -> Asset:
    """Map a name to its asset. `prefix` ends in a `/`.

    Raises `SuspiciousFileOperation` for a name that Cloudinary cannot store, or that leads out of the prefix.
    """
    if not name or NOT_IN_NAMES.search(name):
        raise SuspiciousFileOperation(f"Cloudinary cannot store a file named {name!r}")
    match = NAME.fullmatch(name)
    if match is None:
        return Asset(kind="raw", public_id=f"{prefix}other/{name}")
    if match["raw"]:
        return Asset(kind="raw", public_id=f"{prefix}{match['raw']}")
    return Asset(kind=match["kind"], public_id=f"{prefix}{match['path']}_{match['extension'] or ''}")


def build_name(kind: str, public_id: str, prefix: str) -> str:
    """Map an asset to its name; return "" for one that no name maps to."""
    path = public_id.removeprefix(prefix)
    root, _, extension = path.rpartition("_")
    if kind != "raw":
        name = f"{kind}/{root}.{extension}".removesuffix(".")
    elif path.startswith("other/"):
        name = path.removeprefix("other/")
    else:
        name = f"raw/{path}"
    try:
        return name if parse_name(name, prefix) == Asset(kind=kind, public_id=public_id) else ""
    except SuspiciousFileOperation:
        return ""
