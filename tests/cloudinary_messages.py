"""What is asked of the Cloudinary of the tests, what it answers, and how it fails."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum, auto
from pathlib import Path
from typing import Any


class Failure(Enum):
    """What it does instead of answering."""

    # It says that something has gone wrong.
    ERROR = auto()
    # It says something, but not what it is asked.
    GARBAGE = auto()
    # It listens and says nothing.
    SILENCE = auto()
    # It resets the connection in the middle of what it is sent; where that is nothing, of what it sends.
    RESET = auto()
    # It does what it is asked, and resets the connection instead of saying so.
    LOST = auto()
    # It says a little now and then.
    TRICKLE = auto()
    # It hangs up in the middle of its answer.
    CUT = auto()


@dataclass(frozen=True, kw_only=True)
class Asked:
    """A request as it came: what it asks for, and all that it says."""

    # One of upload, destroy, download, resource, resources and delivery.
    action: str
    path: str
    query: Mapping[str, str]
    form: Mapping[str, str]
    headers: Mapping[str, str]


@dataclass(kw_only=True)
class Stored:
    """A file that it has. The bytes lie on the disk, so that whoever measures memory measures what sends them."""

    kind: str
    type: str
    public_id: str
    path: Path
    format: str
    etag: str
    created_at: datetime
    version: int

    @property
    def content(self) -> bytes:
        return self.path.read_bytes()

    def details(self) -> dict[str, Any]:
        named = {"format": self.format} if self.format else {}
        return {
            "asset_id": hashlib.md5(self.public_id.encode()).hexdigest(),
            "public_id": self.public_id,
            **named,
            "version": self.version,
            "resource_type": self.kind,
            "type": self.type,
            "created_at": self.created_at.strftime("%Y-%m-%dT%H:%M:%SZ"),
            "bytes": self.path.stat().st_size,
            "etag": self.etag,
        }


@dataclass
class Answer:
    status: int
    document: dict[str, Any] | None = None
    headers: dict[str, str] = field(default_factory=dict)
    path: Path | None = None
    # Instead of what is in the file, where it was asked for in another format.
    content: bytes | None = None


class Rejected(Exception):
    def __init__(self, status: int, message: str) -> None:
        self.answer = Answer(status, {"error": {"message": message}})
