"""What a letter is, and who writes which kind: the ledger knows none of them."""

from collections.abc import Callable
from dataclasses import dataclass

from core.mail.models import Mail


@dataclass(frozen=True, kw_only=True)
class Link:
    """Where a letter asks its reader to go."""

    label: str
    url: str


@dataclass(frozen=True, kw_only=True)
class Attachment:
    """`mime_type` may carry parameters, as in `text/calendar; method=REQUEST`."""

    name: str
    content: bytes
    mime_type: str


@dataclass(frozen=True, kw_only=True)
class Letter:
    """What one person is written, from which the text and the HTML of the mail are made alike. Plain text throughout.

    `details` are rows of a name and a value; `unsubscribe_url` works without a login (RFC 8058) and belongs to every
    letter that its reader can choose not to get.
    """

    subject: str
    reader: str
    paragraphs: tuple[str, ...]
    details: tuple[tuple[str, str], ...] = ()
    link: Link | None = None
    small_print: tuple[str, ...] = ()
    unsubscribe_url: str = ""
    attachments: tuple[Attachment, ...] = ()
    # Where it goes, if not to the address in the ledger.
    to: str = ""


# Writes one kind of letter when it is sent, and answers `None` if nobody is to be told.
Writer = Callable[[Mail], Letter | None]

WRITERS: dict[str, Writer] = {}


def writes(kind: str) -> Callable[[Writer], Writer]:
    """Declare that a function writes the letters of this kind."""

    def register(writer: Writer) -> Writer:
        WRITERS[kind] = writer
        return writer

    return register
