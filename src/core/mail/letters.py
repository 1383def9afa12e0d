"""Letters, the content of mails, and the registry of the functions that write them."""

from collections.abc import Callable
from dataclasses import dataclass

from core.mail.models import Mail


@dataclass(frozen=True, kw_only=True)
class Link:
    """The link that a letter asks its reader to follow."""

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
    """The content of a mail to one person, as plain text; both the text and the HTML part are rendered from it.

    `details` are rows of a name and a value. `unsubscribe_url` works without a login (RFC 8058) and is set for every
    letter that its reader can unsubscribe from.
    """

    subject: str
    reader: str
    paragraphs: tuple[str, ...]
    details: tuple[tuple[str, str], ...] = ()
    link: Link | None = None
    small_print: tuple[str, ...] = ()
    unsubscribe_url: str = ""
    attachments: tuple[Attachment, ...] = ()
    # The recipient, if not the address of the `Mail`.
    to: str = ""


# Writes one kind of letter at the time of sending; returns `None` to drop the mail.
LetterWriter = Callable[[Mail], Letter | None]

LETTER_WRITERS: dict[str, LetterWriter] = {}


def writes(kind: str) -> Callable[[LetterWriter], LetterWriter]:
    """Declare that a function writes the letters of this kind."""

    def register(writer: LetterWriter) -> LetterWriter:
        LETTER_WRITERS[kind] = writer
        return writer

    return register
