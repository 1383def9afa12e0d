"""Django storages for members' files, with protocols beyond Django's interface."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

# The message to the member if no storage accepts the file at present.
CANNOT_BE_STORED = "The file could not be stored just now, and nothing was kept. Try again later."


class Refused(ValueError):
    """The storage has read the bytes and rejects them; the message says why. Trying again is useless."""


class OutcomeUnknown(OSError):
    """The storage did not respond, or reported an error of its own: the file may have been stored, or may be later."""


@dataclass(frozen=True, kw_only=True)
class ListedFile:
    """A file in the listing of a storage."""

    name: str
    # In bytes.
    size: int


@runtime_checkable
class ListableStorage(Protocol):
    """A storage that can list all its files."""

    def walk(self) -> Iterator[ListedFile]:
        """Iterate over all files below the folder or prefix of the storage, page by page, in no order."""
        ...


@runtime_checkable
class SignedUrlStorage(Protocol):
    """A storage that members download from directly, at signed URLs on another host."""

    def build_signed_url(self, name: str, *, file_name: str, content_type: str, inline: bool) -> str:
        """Build a URL at which whoever has it may read that one file, without a network request.

        As far as the storage can, it is served as `content_type`, and downloaded as `file_name` unless `inline`.
        """
        ...
