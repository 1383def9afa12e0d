"""What Cloudinary calls a file, and what a file is called here.

A name says of which kind a file is for Cloudinary: `image/ab/abcdef.png` and `video/ab/abcdef.m4a` are taken apart
there, `raw/ab/abcdef.pdf` is kept as it is. The public id, below the prefix, is the rest of the name:

    image/ab/abcdef.png    image, ab/abcdef_png      video/ab/abcdef     video, ab/abcdef_
    raw/ab/abcdef.pdf      raw,   ab/abcdef.pdf      ab/abcdef           raw,   other/ab/abcdef

The extension is part of what identifies a picture or a video. Cloudinary gives its formats names of its own (a `heif`
is a `heic`, an `m4a` may be an `mp4`), so that no name could be read from them again; and it would take a dot in an
address for the beginning of the format to convert to. Any other name lies as `raw` in a folder of its own.
"""

import re
from dataclasses import dataclass

from django.core.exceptions import SuspiciousFileOperation

KINDS = ("image", "video", "raw")

NAME = re.compile(
    r"(?P<kind>image|video)/(?P<path>[^.]+)(?:\.(?P<extension>[^._/]+))?|raw/(?P<raw>(?!other/).+)", re.DOTALL
)
# What Cloudinary has in no public id, and what would lead elsewhere.
NOT_IN_NAMES = re.compile(r"[?&#\\%<>+\x00-\x1f\x7f]|//|(^|/)\.{1,2}(/|$)|^/|/$|^\s|\s$")


@dataclass(frozen=True, kw_only=True)
class Asset:
    """What Cloudinary calls a file by."""

    kind: str
    public_id: str


def asset_of(name: str, beginning: str) -> Asset:
    """By what a file is found that is called so here. `beginning` is the prefix, with a `/` behind it.

    Raises `SuspiciousFileOperation` for a name that leads nowhere, or elsewhere.
    """
    if not name or NOT_IN_NAMES.search(name):
        raise SuspiciousFileOperation(f"Cloudinary has no files by such names as {name!r}")
    match = NAME.fullmatch(name)
    if match is None:
        return Asset(kind="raw", public_id=f"{beginning}other/{name}")
    if match["raw"]:
        return Asset(kind="raw", public_id=f"{beginning}{match['raw']}")
    return Asset(kind=match["kind"], public_id=f"{beginning}{match['path']}_{match['extension'] or ''}")


def name_of(kind: str, public_id: str, beginning: str) -> str:
    """Empty for what no name leads to."""
    path = public_id.removeprefix(beginning)
    root, _, extension = path.rpartition("_")
    if kind != "raw":
        name = f"{kind}/{root}.{extension}".removesuffix(".")
    elif path.startswith("other/"):
        name = path.removeprefix("other/")
    else:
        name = f"raw/{path}"
    try:
        return name if asset_of(name, beginning) == Asset(kind=kind, public_id=public_id) else ""
    except SuspiciousFileOperation:
        return ""
