"""Requests, responses and failures of the fake Cloudinary."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum, auto
from pathlib import Path
from typing import Any


class Failure(Enum):
    """How a request fails."""

    # Status 500.
    ERROR = auto()
    # Status 200 with HTML instead of JSON.
    GARBAGE = auto()
    # No response.
    SILENCE = auto()
    # A reset in the middle of the request body, or without one of the response body.
    RESET = auto()
    # The request is carried out, and the connection reset instead of a response.
    LOST = auto()
    # A response that is sent slowly.
    TRICKLE = auto()
    # A response that is cut off.
    CUT = auto()


@dataclass(frozen=True, kw_only=True)
class RecordedRequest:
    # One of upload, destroy, download, resource, resources and delivery.
    action: str
    path: str
    query: Mapping[str, str]
    form: Mapping[str, str]
    headers: Mapping[str, str]


@dataclass(kw_only=True)
class Stored:
    """A stored asset. Its content is on disk, so that it does not count where tests measure memory."""

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
class Response:
    status: int
    document: dict[str, Any] | None = None
    headers: dict[str, str] = field(default_factory=dict)
    path: Path | None = None
    # Replaces the file, where it was request for in another format.
    content: bytes | None = None


class Rejected(Exception):
    def __init__(self, status: int, message: str) -> None:
        self.answer = Response(status, {"error": {"message": message}})
