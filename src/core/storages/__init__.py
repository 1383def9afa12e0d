"""Where files lie: one class for each kind of place, all of them Django storages, and what is asked of them besides."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

# What the sender of a file reads where no place takes it just now.
CANNOT_BE_STORED = "The file could not be stored just now, and nothing was kept. Try again later."


class Refused(ValueError):
    """The storage has looked at the bytes and does not want them, for the reason that is its message: asking again
    changes nothing."""


class Unanswered(OSError):
    """A storage was asked and nobody knows what has become of it: no answer, one that cannot be read, or an error of
    its own. What was to be stored may be there, or come to be."""


@dataclass(frozen=True, kw_only=True)
class Listed:
    """A file that a place has."""

    name: str
    # In bytes.
    size: int


@runtime_checkable
class CanBeListed(Protocol):
    """A storage that can tell all that it has."""

    def walk(self) -> Iterator[Listed]:
        """Everything in the place, page by page, in no order; nothing that lies outside its folder or prefix."""
        ...


@runtime_checkable
class HasAddresses(Protocol):
    """A storage that members read from by themselves, at addresses on another host."""

    def address(self, name: str, *, file_name: str, content_type: str, inline: bool) -> str:
        """An address at which whoever has it may read that one file. No network is needed to make it.

        As far as the place can, it is sent as `content_type`, and downloaded as `file_name` unless `inline`.
        """
        ...
